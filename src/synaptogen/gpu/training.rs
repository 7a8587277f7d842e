//! Deep Q-learning on a device: many trainings side by side, each to the bits of [`crate::synaptogen::dqn`].
//!
//! A block is a learner; a launch takes all of them some thousand steps further, so that the host can say how far they
//! are and no device is busy for minutes. See `kernels/synaptogen_dqn.cu`.

use std::sync::Arc;

use cudarc::driver::CudaStream;

use crate::abi::{
    LEARNER_THREADS, LearnArgs, Learner, LearnerLayer, LearnerPair, LearnerState, MOST_OBSERVED, Pointer, SEAT_BYTES,
};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape as Launch};
use crate::registry::WorldKind;
use crate::synaptogen::dqn::{
    CLIP, Hyperparameters, Trained, Training, VALIDATION_EPISODES, VALIDATION_INTERVAL, Validation,
};
use crate::synaptogen::{Layout, Profile, RuleMap, Shape};

/// Steps from one launch to the next: a second or less.
const STRIDE: u32 = 10_000;
/// Threads of a block on the stand-in driver, where every barrier is a change of all threads.
const EMULATED_THREADS: u32 = 64;

/// All of these side by side, in their order. `progress` is told how many more steps are done.
///
/// # Errors As [`Training::run`], before anything is learnt; when a profile does not fit into the shared memory of a
/// block, or the device fails.
pub fn train_all(gpu: &Gpu, trainings: &[Training], progress: &(dyn Fn(u32) + Sync)) -> Result<Vec<Trained>> {
    if trainings.is_empty() {
        return Ok(Vec::new());
    }
    let mut learners = Learners::new(gpu, trainings)?;
    let mut told = 0;
    while !learners.are_done() {
        learners.advance(STRIDE)?;
        let done = learners.steps();
        // As many as fit: there are fewer than 2^32 in a launch, as there are in each learner.
        progress((done - told).try_into().unwrap_or(u32::MAX));
        told = done;
    }
    learners.finish()
}

/// Whether a block of the device has room for a learner.
///
/// # Errors
/// As [`Training::run`].
pub fn fits(gpu: &Gpu, training: &Training) -> Result<bool> {
    Ok(Room::of(training, &training.hyperparameters()?).bytes() <= gpu.shared_limit() as usize)
}

/// Learners on a device, on their way.
pub struct Learners<'a> {
    gpu: &'a Gpu,
    /// Of their own: what else the device computes does not wait for a launch of theirs.
    stream: Arc<CudaStream>,
    trainings: &'a [Training],
    memories: Vec<Memory>,
    /// Which blocks read: those that take longest come first, so that none of them begins when others are done.
    learners: Buffer<Learner>,
    /// Threads of a block, a multiple of 32 up to [`LEARNER_THREADS`]. No bit depends on them.
    pub threads: u32,
    shared: u32,
    /// Every learner has done these, or all of its own.
    goal: u32,
}

/// What one learner has on the device.
struct Memory {
    layout: Layout,
    hyper: Hyperparameters,
    floats: Buffer<f32>,
    state: Buffer<LearnerState>,
    /// Returns of a validation's episodes, and then the means of all validations.
    doubles: Buffer<f64>,
    seats: Buffer<u64>,
    layers: Buffer<LearnerLayer>,
    pairs: Buffer<LearnerPair>,
    coexpressed: Option<Buffer<u32>>,
}

impl<'a> Learners<'a> {
    /// At their beginning.
    ///
    /// # Errors
    /// See [`train_all`].
    ///
    /// # Panics
    /// When there are none.
    pub fn new(gpu: &'a Gpu, trainings: &'a [Training]) -> Result<Self> {
        let mut ordered: Vec<(f64, Room)> = Vec::with_capacity(trainings.len());
        let mut memories = Vec::with_capacity(trainings.len());
        for training in trainings {
            let hyper = training.hyperparameters()?;
            let room = Room::of(training, &hyper);
            if room.bytes() > gpu.shared_limit() as usize {
                return Err(Error::Device(format!(
                    "a learner with {} genes needs {} bytes of shared memory, and a block has at most {}; try: --device cpu",
                    training.shape.genes,
                    room.bytes(),
                    gpu.shared_limit()
                )));
            }
            ordered.push((cost(training, &hyper), room));
        }
        let shared = ordered.iter().map(|(_, room)| room.bytes()).max().expect("at least one learner") as u32;
        for (training, (_, room)) in trainings.iter().zip(&mut ordered) {
            memories.push(Memory::new(gpu, training, room)?);
        }
        // A stable order, by numbers that are no NaN.
        ordered.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let learners: Vec<Learner> = ordered.into_iter().map(|(_, room)| room.learner).collect();
        let learners = Buffer::of(gpu, &learners)?;
        let threads = if gpu.is_emulated() { EMULATED_THREADS } else { LEARNER_THREADS };
        // Other streams are in no order with the one that has filled the buffers.
        gpu.wait()?;
        gpu.kernel("learn", shared)?;
        Ok(Self { gpu, stream: gpu.new_stream()?, trainings, memories, learners, threads, shared, goal: 0 })
    }

    /// Go on until everyone has done so many steps more, or all of its own; a round that has begun is finished. Gives
    /// the seconds that it took on the device.
    ///
    /// # Errors
    /// When the device fails.
    pub fn advance(&mut self, steps: u32) -> Result<f64> {
        self.goal = self.goal.saturating_add(steps);
        let args = LearnArgs { learners: self.learners.pointer(), goal: self.goal };
        let launch = Launch { grid: [self.learners.len() as u32, 1, 1], block: self.threads, shared: self.shared };
        let Self { gpu, stream, .. } = self;
        // SAFETY: the buffers are as long as the learners say, live as long as `self`, and `time_on` waits for the
        // kernel.
        gpu.time_on(stream, || unsafe { gpu.launch_on(stream, "learn", launch, &args) })
    }

    /// In the environment, of all learners.
    pub fn steps(&self) -> u64 {
        let each = self.trainings.iter().zip(&self.memories);
        each.map(|(training, memory)| u64::from(steps_until(self.goal.min(training.steps), &memory.hyper))).sum()
    }

    /// Whether there is nothing left to do.
    pub fn are_done(&self) -> bool {
        self.trainings.iter().all(|training| training.steps <= self.goal)
    }

    /// What has come of them so far, in the order of the trainings.
    ///
    /// # Errors
    /// When the device fails.
    pub fn finish(self) -> Result<Vec<Trained>> {
        let each = self.trainings.iter().zip(&self.memories);
        each.map(|(training, memory)| memory.trained(&self.stream, training)).collect()
    }
}

/// Steps after which a learner that is to do so many has finished its round.
fn steps_until(steps: u32, hyper: &Hyperparameters) -> u32 {
    steps.div_ceil(hyper.train_frequency) * hyper.train_frequency
}

/// How long a learner takes beside others: multiply-adds, or what takes as long. On paper.
fn cost(training: &Training, hyper: &Hyperparameters) -> f64 {
    let shape = &training.shape;
    let synapses: usize = shape.layers.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let update = (6 * hyper.batch * synapses + 64 * shape.parameters()) as f64;
    let step = match training.world {
        WorldKind::LunarLander | WorldKind::LunarLanderFast => 6e6,
        _ => 2e5,
    };
    f64::from(training.steps) * (step + update * f64::from(hyper.gradient_steps) / f64::from(hyper.train_frequency))
}

impl Memory {
    /// With the first parameters; `room` is told the addresses.
    fn new(gpu: &Gpu, training: &Training, room: &mut Room) -> Result<Self> {
        let Training { shape, rules, seed, steps, .. } = training;
        let hyper = room.hyper;
        let layout = Layout::new(shape);
        let learner = &mut room.learner;
        let parameters = layout.parameters();
        // More transitions than there are steps are never remembered.
        let transitions = hyper.buffer.min(steps_until(*steps, &hyper).max(1) as usize);
        let lengths = [
            parameters,
            parameters,
            parameters,
            parameters,
            MOST_OBSERVED as usize + (learner.matrix_floats + learner.bias_count) as usize,
            transitions * learner.replay_width as usize,
        ];
        let floats = Buffer::zeros(gpu, lengths.iter().sum())?;
        let mut end = 0;
        let places = lengths.map(|length| {
            let place = floats.at(end, length);
            end += length;
            place
        });
        [learner.parameters, learner.means, learner.squares, learner.best, learner.kept, learner.replay] = places;
        let first = Profile::initial(shape.clone(), rules.clone(), *seed).parameters;
        floats.write(gpu, 0, &first)?;
        let validations = steps_until(*steps, &hyper) / VALIDATION_INTERVAL;
        let doubles = Buffer::zeros(gpu, (VALIDATION_EPISODES + validations) as usize)?;
        let state = LearnerState {
            mean_power: 1.0,
            square_power: 1.0,
            best_mean: f64::NEG_INFINITY,
            ..LearnerState::default()
        };
        let coexpressed = match rules {
            RuleMap::Sigmoid => None,
            RuleMap::TwoSigmoids { coexpressed } => {
                assert_eq!(coexpressed.len(), shape.genes * shape.genes, "pairs of genes that are co-expressed or not");
                Some(Buffer::of(gpu, &coexpressed.iter().map(|&is| u32::from(is)).collect::<Vec<_>>())?)
            }
        };
        let seats = (1 + VALIDATION_EPISODES) as usize * SEAT_BYTES as usize / size_of::<u64>();
        let memory = Self {
            hyper,
            layout,
            floats,
            state: Buffer::of(gpu, &[state])?,
            seats: Buffer::zeros(gpu, seats)?,
            layers: Buffer::of(gpu, &room.layers)?,
            pairs: Buffer::of(gpu, &room.pairs)?,
            coexpressed,
            doubles,
        };
        learner.state = memory.state.pointer();
        learner.seats = memory.seats.pointer();
        learner.layers = memory.layers.pointer();
        learner.pairs = memory.pairs.pointer();
        learner.coexpressed = memory.coexpressed.as_ref().map_or(Pointer::NULL, Buffer::pointer);
        learner.returns = memory.doubles.pointer();
        learner.validations =
            Pointer::new(memory.doubles.pointer().0 + u64::from(VALIDATION_EPISODES) * size_of::<f64>() as u64);
        Ok(memory)
    }

    fn trained(&self, stream: &CudaStream, training: &Training) -> Result<Trained> {
        let state = self.state.read(stream, 0, 1)?[0];
        let means = self.doubles.read(stream, VALIDATION_EPISODES as usize, state.validations as usize)?;
        let steps = (1..).map(|number| number * VALIDATION_INTERVAL);
        let validations: Vec<Validation> = steps.zip(means).map(|(steps, mean)| Validation { steps, mean }).collect();
        let parameters = self.layout.parameters();
        let first = if validations.is_empty() { 0 } else { 3 * parameters };
        let profile = Profile {
            shape: training.shape.clone(),
            rules: training.rules.clone(),
            parameters: self.floats.read(stream, first, parameters)?,
        };
        Ok(Trained { profile, validations, steps: state.steps, updates: state.updates })
    }
}

/// How a learner lies in the shared memory of its block.
struct Room {
    hyper: Hyperparameters,
    learner: Learner,
    layers: Vec<LearnerLayer>,
    pairs: Vec<LearnerPair>,
    floats: usize,
}

/// From one row of so many floats to the next: an odd number of 16 bytes, so that eight rows lie in different banks.
fn row(floats: usize) -> usize {
    let quads = floats.div_ceil(4);
    4 * (quads | 1)
}

impl Room {
    fn of(training: &Training, hyper: &Hyperparameters) -> Self {
        let Training { world, shape, rate, seed, steps, .. } = training;
        let spec = world.spec();
        let Shape { layers: sizes, genes, neurotransmitters } = shape;
        let (layout, takers) = (Layout::new(shape), shape.receptors());
        let (neurons, pair_count) = (shape.neurons(), shape.connections());
        let givers = neurons - sizes[pair_count];
        let bias_count = neurons - sizes[0];
        let gene_stride = row(*genes);

        let mut layers: Vec<LearnerLayer> = Vec::with_capacity(sizes.len());
        let mut pairs: Vec<LearnerPair> = Vec::with_capacity(pair_count);
        let [mut expressed, mut activities, mut matrix_floats, mut reached] = [0usize; 4];
        for &size in sizes {
            let stride = row(size);
            layers.push(LearnerLayer {
                neurons: size as u32,
                stride: stride as u32,
                // Moved once it is known where they begin.
                activities: activities as u32,
                expressed: expressed as u32,
                givers: expressed as u32,
                takers: expressed.saturating_sub(sizes[0]) as u32,
            });
            expressed += size;
            activities += hyper.batch * stride;
        }
        for (pre, pair) in sizes.windows(2).enumerate() {
            let is_pre_narrow = pair[0] <= pair[1];
            let (narrow, wide) = if is_pre_narrow { (pre, pre + 1) } else { (pre + 1, pre) };
            let stride = row(sizes[wide]);
            pairs.push(LearnerPair {
                is_pre_narrow: is_pre_narrow.into(),
                narrow: narrow as u32,
                wide: wide as u32,
                stride: stride as u32,
                matrix: matrix_floats as u32,
                reached: reached as u32,
            });
            matrix_floats += sizes[narrow] * stride;
            reached += sizes[narrow];
        }
        let narrowest = pairs.iter().map(|pair| sizes[pair.narrow as usize]).max().unwrap_or_default();

        let head = size_of::<Learner>()
            + size_of::<LearnerState>()
            + layers.len() * size_of::<LearnerLayer>()
            + pairs.len() * size_of::<LearnerPair>();
        let mut end = head.div_ceil(size_of::<f32>());
        let mut next = |floats: usize| {
            let place = end.next_multiple_of(4);
            end = place + floats;
            place as u32
        };
        let learner = Learner {
            expression: next(neurons * gene_stride),
            rules: next(genes * gene_stride),
            shares: next(givers * neurotransmitters + bias_count * takers + bias_count),
            strengths: next(takers),
            expression_slopes: next(neurons * gene_stride),
            rule_slopes: next(genes * gene_stride),
            effect_slopes: next(givers * takers),
            taker_slopes: next(bias_count * takers),
            bias_slopes: next(bias_count),
            numbers: next(matrix_floats),
            conductances: next(matrix_floats),
            weights: next(matrix_floats),
            target: next(matrix_floats + bias_count),
            matrix_floats: matrix_floats as u32,
            bias_count: bias_count as u32,
            reach: next(reached * gene_stride),
            seen: next(narrowest * gene_stride),
            gradient: next(activities.max(layout.parameters())),
            examples: next(hyper.batch),
            targets: next(hyper.batch),
            now: next(MOST_OBSERVED as usize),
            layers: Pointer::NULL,
            pairs: Pointer::NULL,
            state: Pointer::NULL,
            parameters: Pointer::NULL,
            means: Pointer::NULL,
            squares: Pointer::NULL,
            best: Pointer::NULL,
            replay: Pointer::NULL,
            kept: Pointer::NULL,
            seats: Pointer::NULL,
            coexpressed: Pointer::NULL,
            returns: Pointer::NULL,
            validations: Pointer::NULL,
            seed: *seed,
            validation_seed: training.validation_seed(),
            rate: *rate,
            exploration_fraction: hyper.exploration_fraction,
            exploration_final: hyper.exploration_final,
            discount: hyper.discount,
            clip: CLIP,
            world: number_of(*world),
            limit: spec.limit,
            total: *steps,
            batch: hyper.batch as u32,
            buffer: hyper.buffer as u32,
            replay_width: (2 * sizes[0] + 3).next_multiple_of(4) as u32,
            learning_starts: hyper.learning_starts,
            target_update_interval: hyper.target_update_interval,
            train_frequency: hyper.train_frequency,
            gradient_steps: hyper.gradient_steps,
            layer_count: layers.len() as u32,
            genes: *genes as u32,
            gene_stride: gene_stride as u32,
            gene_reciprocal: (1u32 << 31).div_ceil(*genes as u32),
            neurotransmitters: *neurotransmitters as u32,
            parameter_count: layout.parameters() as u32,
            raw_givers: layout.neurotransmitters[0].start as u32,
            raw_takers: layout.receptors[0].start as u32,
            raw_biases: layout.biases[0].start as u32,
            raw_rules: layout.rules.start as u32,
            raw_strengths: layout.conductances.start as u32,
        };
        layers.iter_mut().for_each(|layer| layer.activities += learner.gradient);
        Self { hyper: *hyper, learner, layers, pairs, floats: end }
    }

    fn bytes(&self) -> usize {
        size_of::<f32>() * self.floats
    }
}

/// The kernel's number of a world that has hyperparameters.
fn number_of(world: WorldKind) -> u32 {
    use crate::abi;
    match world {
        WorldKind::CartPole => abi::LEARNT_CARTPOLE,
        WorldKind::CartPoleF32 => abi::LEARNT_CARTPOLE_F32,
        WorldKind::MountainCar => abi::LEARNT_MOUNTAIN_CAR,
        WorldKind::MountainCarF32 => abi::LEARNT_MOUNTAIN_CAR_F32,
        WorldKind::Acrobot => abi::LEARNT_ACROBOT,
        WorldKind::AcrobotF32 => abi::LEARNT_ACROBOT_F32,
        WorldKind::LunarLander => abi::LEARNT_LUNAR_LANDER,
        WorldKind::LunarLanderFast => abi::LEARNT_LUNAR_LANDER_FAST,
        WorldKind::LunarLanderWind | WorldKind::LunarLanderContinuous | WorldKind::LunarLanderContinuousWind => {
            unreachable!("{world:?} has no hyperparameters")
        }
    }
}

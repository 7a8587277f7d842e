//! One unit in open loop (IAF, STDP): offspring x environments x steps. Here is what is simulated, as the CPU does it;
//! `cpu.rs` and `gpu.rs` are the engines.

mod cpu;
mod gpu;

pub use cpu::CpuEngine;
pub use gpu::{GpuEngine, Pack, gpu_memory_bytes};

use rayon::prelude::*;

use crate::config::{self, Iaf};
use crate::cpu::{InstructionSet, Kernel, Vector};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::rng::{Row, Stream};
use crate::search::Spread;
use crate::search::mutation::Mutation;
use crate::search::shaping::{Ties, order};
use crate::task::stdp::{Rule, StdpTask};
use crate::task::{Answer, Episodes, Task};
use crate::unit::{Instances, Shape};

/// Environments stepped together: two AVX-512 registers of lanes. The state of 32 units of 16/32/16 takes 20 KB.
pub const WINDOW: usize = 32;

/// A unit and its task: draws episodes and plays them with given parameters.
#[derive(Debug, Clone)]
pub struct SingleUnit {
    shape: Shape,
    task: OpenLoop,
    steps: usize,
    instructions: InstructionSet,
}

/// The tasks a single unit can be given.
#[derive(Debug, Clone)]
enum OpenLoop {
    Iaf(Iaf),
    Stdp(StdpTask),
}

/// Buffers of a thread.
struct Workspace {
    weights: Vec<f32>,
    instances: Instances,
    /// Channel 0, `[step][lane]`.
    outputs: Vec<f32>,
    /// Of each environment.
    fitness: Vec<f32>,
}

impl SingleUnit {
    /// The unit and task of a plan, with this machine's best instruction set.
    pub fn new(plan: &Plan) -> Self {
        let task = match &plan.config.task {
            config::Task::Iaf(iaf) => OpenLoop::Iaf(iaf.clone()),
            config::Task::Stdp(stdp) => OpenLoop::Stdp(StdpTask { config: stdp.clone(), rule: Rule::Plain }),
            config::Task::StdpComplex(stdp) => OpenLoop::Stdp(StdpTask { config: stdp.clone(), rule: Rule::Complex }),
        };
        Self { shape: plan.unit, task, steps: plan.steps, instructions: InstructionSet::best() }
    }

    /// The same, run with another instruction set of this machine: the bits must not change.
    pub fn with_instructions(self, instructions: InstructionSet) -> Self {
        Self { instructions, ..self }
    }

    /// The task, if it is IAF.
    pub fn iaf(&self) -> Option<&Iaf> {
        if let OpenLoop::Iaf(iaf) = &self.task { Some(iaf) } else { None }
    }

    /// The task, if it is one of the STDP rules.
    pub fn stdp(&self) -> Option<&StdpTask> {
        if let OpenLoop::Stdp(stdp) = &self.task { Some(stdp) } else { None }
    }

    fn draw(&self, environments: usize, seed: u64, stream: Stream, generation: u32) -> Episodes {
        let row = |environment: usize| Row { seed, stream, generation, index: environment as u32 };
        match &self.task {
            OpenLoop::Iaf(task) => task.draw(environments, self.steps, row),
            OpenLoop::Stdp(task) => task.draw(environments, self.steps, row),
        }
    }

    /// The episodes of a generation of the run with this seed.
    pub fn generation_episodes(&self, environments: usize, seed: u64, generation: u32) -> Episodes {
        self.draw(environments, seed, Stream::Episode, generation)
    }

    /// Episodes that no generation of any run used.
    pub fn fresh_episodes(&self, environments: usize, seed: u64) -> Episodes {
        self.draw(environments, seed, Stream::Fresh, 0)
    }

    /// Fitness of each environment, length `episodes.environments`.
    ///
    /// # Panics
    /// When the length of `parameters` is not [`Plan::parameters`].
    pub fn fitness(&self, parameters: &[f32], episodes: &Episodes) -> Vec<f32> {
        let mut workspace = self.workspace(episodes);
        workspace.weights.copy_from_slice(parameters);
        self.play(&mut workspace, episodes);
        workspace.fitness
    }

    /// Output channel 0, `[step][lane]` with `episodes.lanes` lanes.
    pub fn outputs(&self, parameters: &[f32], episodes: &Episodes) -> Vec<f32> {
        let mut workspace = self.workspace(episodes);
        let mut outputs = vec![0.0; episodes.steps * episodes.lanes];
        for first in (0..episodes.lanes).step_by(WINDOW) {
            let lanes = workspace.instances.lanes.min(episodes.lanes - first);
            self.instructions.run(Rollout {
                weights: parameters,
                episodes,
                first,
                instances: &mut workspace.instances,
                outputs: &mut workspace.outputs,
            });
            let from = workspace.outputs.chunks_exact(workspace.instances.lanes);
            for (to, from) in outputs.chunks_exact_mut(episodes.lanes).zip(from) {
                to[first..first + lanes].copy_from_slice(&from[..lanes]);
            }
        }
        outputs
    }

    /// Where a run with this seed starts: the best of `run.first_centres` random centres on the same episodes, the first
    /// of equals.
    fn first_centre(&self, plan: &Plan, seed: u64) -> Vec<f32> {
        let count = plan.config.run.first_centres;
        if count == 1 {
            return random_centre(plan, seed, 0);
        }
        let episodes = self.draw(plan.environments, seed, Stream::Start, 0);
        let fitness: Vec<f32> = (0..count)
            .into_par_iter()
            .map_init(
                || self.workspace(&episodes),
                |workspace, index| {
                    workspace.weights = random_centre(plan, seed, index);
                    self.play(workspace, &episodes);
                    mean(&workspace.fitness)
                },
            )
            .collect();
        let best = order(&fitness, Ties::LowerIndex)[0];
        tracing::info!(seed, first_centres = count, fitness = fitness[best], "first centre");
        random_centre(plan, seed, best as u32)
    }

    fn workspace(&self, episodes: &Episodes) -> Workspace {
        let instances = Instances::new(self.shape, episodes.lanes.min(WINDOW));
        Workspace {
            weights: vec![0.0; self.shape.parameters()],
            outputs: vec![0.0; episodes.steps * instances.lanes],
            fitness: vec![0.0; episodes.environments],
            instances,
        }
    }

    /// Play all episodes with the workspace's weights and fill in its fitness.
    fn play(&self, workspace: &mut Workspace, episodes: &Episodes) {
        match &self.task {
            OpenLoop::Iaf(task) => self.instructions.run(Play { task, episodes, workspace }),
            OpenLoop::Stdp(task) => self.instructions.run(Play { task, episodes, workspace }),
        }
    }

    /// Mean fitness over the episodes of `centre + spread * noise` of an offspring; of the centre itself for `None`.
    fn offspring_fitness(
        &self,
        workspace: &mut Workspace,
        episodes: &Episodes,
        (centre, spread): (&[f32], Spread<'_>),
        mutation: Option<(Mutation, usize)>,
    ) -> f32 {
        match mutation {
            Some((mutation, offspring)) => {
                let weights = &mut workspace.weights;
                self.instructions.run(Perturb { mutation, offspring, centre, spread, weights });
            }
            None => workspace.weights.copy_from_slice(centre),
        }
        self.play(workspace, episodes);
        mean(&workspace.fitness)
    }
}

/// Summed in order, so that the bits are always the same.
fn mean(fitness: &[f32]) -> f32 {
    canonical(fitness.iter().sum::<f32>() / fitness.len() as f32)
}

/// One NaN for all: its bits differ between processors, and fitness is compared by its bits.
fn canonical(fitness: f32) -> f32 {
    if fitness.is_nan() { f32::NAN } else { fitness }
}

/// [`Mutation::perturb`] as compiled per instruction set.
struct Perturb<'a> {
    mutation: Mutation,
    offspring: usize,
    centre: &'a [f32],
    spread: Spread<'a>,
    weights: &'a mut [f32],
}

impl Kernel for Perturb<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.mutation.perturb(self.offspring, self.centre, self.spread, self.weights);
    }
}

/// All windows of the episodes, with their fitness.
struct Play<'a, T> {
    task: &'a T,
    episodes: &'a Episodes,
    workspace: &'a mut Workspace,
}

impl<T: Task> Kernel for Play<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Workspace { weights, instances, outputs, fitness } = self.workspace;
        let lanes = instances.lanes;
        for (window, fitness) in fitness.chunks_mut(lanes).enumerate() {
            let first = window * lanes;
            Rollout { weights, episodes: self.episodes, first, instances, outputs }.run::<V>();
            self.task.fitness(self.episodes, Answer { outputs, lanes, first }, fitness);
        }
    }
}

/// The environments `first ..` through a whole episode; output channel 0 goes to `outputs`, `[step][lane]`.
struct Rollout<'a> {
    weights: &'a [f32],
    episodes: &'a Episodes,
    first: usize,
    instances: &'a mut Instances,
    outputs: &'a mut [f32],
}

impl Kernel for Rollout<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { weights, episodes, first, instances, outputs } = self;
        let lanes = instances.lanes;
        // The last window may be narrower than the others; its spare lanes idle on zero inputs.
        let live = lanes.min(episodes.lanes - first);
        instances.reset();
        let steps = episodes.inputs.chunks_exact(episodes.channels * episodes.lanes);
        for (inputs, outputs) in steps.zip(outputs.chunks_exact_mut(lanes)) {
            let rows = instances.inputs_mut().chunks_exact_mut(lanes);
            for (to, from) in rows.zip(inputs.chunks_exact(episodes.lanes)) {
                to[..live].copy_from_slice(&from[first..first + live]);
            }
            instances.step::<V>(weights, episodes.channels, None);
            outputs.copy_from_slice(&instances.outputs()[..lanes]);
        }
    }
}

/// A random centre: N(0, initial_scale^2 / rows) for every matrix, the gates' input rows times `input_scale`.
fn random_centre(plan: &Plan, seed: u64, index: u32) -> Vec<f32> {
    let (_, size) = plan.config.unit.kind_and_size();
    let mut centre = vec![0.0; plan.parameters()];
    Row { seed, stream: Stream::Initial, generation: 0, index }.normals(0, &mut centre);
    let mut rest = centre.as_mut_slice();
    for (matrix, (rows, columns)) in plan.unit.matrices().enumerate() {
        let (weights, behind) = rest.split_at_mut(rows * columns);
        let scale = size.initial_scale / (rows as f32).sqrt();
        weights.iter_mut().for_each(|weight| *weight *= scale);
        if matrix < plan.unit.gates() {
            let inputs = &mut weights[(rows - plan.unit.inputs) * columns..];
            inputs.iter_mut().for_each(|weight| *weight *= size.input_scale);
        }
        rest = behind;
    }
    centre
}

/// What stops a run of which a generation has no finite fitness.
fn nothing_to_select(seed: u64, generation: u32) -> Error {
    Error::Run(format!(
        "seed {seed}, generation {generation}: no offspring has a finite fitness, so there is nothing to select; \
         try: a smaller sigma, learning_rate or initial_scale"
    ))
}

/// A record of another population cannot be replayed.
fn check_record(length: usize, population: usize) -> Result<()> {
    if length == population {
        return Ok(());
    }
    Err(Error::Run(format!("a record of {length} fitness values cannot be replayed: the population is {population}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_starts_from_the_best_of_its_first_centres_on_any_number_of_threads() {
        let text = "format = 1\n[run]\nname = 'x'\ngenerations = 1\nfirst_centres = 40\n[unit.enu]\nmemory = 5\noutputs = 3\n\
                    initial_scale = 3.0\ninput_scale = 4.0\n[task.iaf]\nenvironments = 5\nsteps = 30\n[es]\npopulation = 4";
        let plan = Plan::new(toml::from_str(text).expect("toml")).expect("a plan");
        let unit = SingleUnit::new(&plan);
        let episodes = unit.draw(5, 7, Stream::Start, 0);
        let fitness: Vec<f32> = (0..40).map(|i| mean(&unit.fitness(&random_centre(&plan, 7, i), &episodes))).collect();
        let best = (0..40).max_by(|&a, &b| fitness[a].total_cmp(&fitness[b])).expect("forty");
        assert!(fitness[best] > fitness[0], "the first is the best, which shows nothing");
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            assert_eq!(pool.install(|| unit.first_centre(&plan, 7)), random_centre(&plan, 7, best as u32));
        }
    }

    #[test]
    fn first_weights_have_their_scales() {
        let text = "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.enu]\ninputs = 100\nmemory = 200\noutputs = 100\n\
                    initial_scale = 2.0\ninput_scale = 3.0\n[task.iaf]\n[es]";
        let plan = Plan::new(toml::from_str(text).expect("toml")).expect("a plan");
        let centre = random_centre(&plan, 1, 0);
        let sd = |weights: &[f32]| (weights.iter().map(|w| w * w).sum::<f32>() / weights.len() as f32).sqrt();
        // Of 20,000 weights the deviation has a standard error of 0.5 %.
        let (gate, of_inputs) = (2.0 / 400f32.sqrt(), 6.0 / 400f32.sqrt());
        let size = 400 * 200;
        for matrix in centre[..3 * size].chunks_exact(size) {
            assert!((sd(&matrix[..300 * 200]) / gate - 1.0).abs() < 0.02);
            assert!((sd(&matrix[300 * 200..]) / of_inputs - 1.0).abs() < 0.03);
        }
        assert!((sd(&centre[3 * size..]) / (2.0 / 200f32.sqrt()) - 1.0).abs() < 0.03);
    }
}

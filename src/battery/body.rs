//! Bodies: senses and motors by name, and the units behind them, one or a network. What was evolved in some assays can be in
//! any whose senses and motors it has.
//!
//! Worlds that name a sense alike show it at the same place, so an animal of several assays has the senses of all of them, and in each
//! those of the others are silent. Beside its senses it is told r+ and r-, and reads a 1, because units have no biases. One unit
//! reads them as its first inputs, and its first outputs are the motors. In a network each is a source of its own, which shows on
//! channel 0, and channel 0 of the last neurons are the motors: the mean over the network steps of a control step, within what
//! a unit's output can be.

use super::assays::Assay;
use super::play::{Controller, Moment, Seat};
use crate::config::Task;
use crate::cpu::{InstructionSet, Kernel, Vector};
use crate::network::{Layout, Network};
use crate::plan::Plan;
use crate::rng::{Row, Stream};
use crate::unit::{Instances, Shape};
use crate::workload::maze::{Sense, Tick};
use crate::world::t_maze;

/// What an animal senses of itself, in this order behind the senses.
pub const INNER: [&str; 3] = ["r+", "r-", "one"];

/// An animal without its parameters.
#[derive(Debug, Clone)]
pub struct Body {
    senses: Vec<&'static str>,
    motors: Vec<&'static str>,
    /// Source (of one unit, input) and channel of each sense, then of r+ and r-.
    shown: Vec<(usize, usize)>,
    /// The source of what is always 1.
    one: Option<usize>,
    brain: Brain,
    /// Steps of the units in a control step.
    ticks: usize,
}

/// The units of a body.
#[derive(Debug, Clone)]
pub(crate) enum Brain {
    One(Shape),
    /// And the standard deviation of the noise on each unit's output gate, constant through a life.
    Many(Layout, f32),
}

/// Which of a body's senses and motors are those of an assay.
#[derive(Debug, Clone)]
pub struct Adapter {
    /// Source and channel of each of the assay's channels, r+ and r- last.
    pub(crate) shown: Vec<(usize, usize)>,
    /// The body's motor for each of the assay's.
    pub(crate) motors: Vec<usize>,
}

/// Senses of all these assays, each once, and motors.
pub fn anatomy(assays: &[&Assay]) -> (Vec<&'static str>, Vec<&'static str>) {
    let once = |of: fn(&Assay) -> &'static [&'static str]| {
        let mut names = Vec::new();
        for &name in assays.iter().flat_map(|assay| of(assay)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    };
    (once(|assay| assay.game.senses), once(|assay| assay.game.motors))
}

impl Body {
    /// What a plan's task is played with; none if that is in no world.
    pub fn of(plan: &Plan) -> Option<Self> {
        let noise = plan.config.network.as_ref().map_or(0.0, |network| network.output_noise);
        let brain = match &plan.network {
            Some(layout) => Brain::Many(layout.clone(), noise),
            None => Brain::One(plan.unit),
        };
        match &plan.config.task {
            Task::Assay(task) => {
                let (senses, motors) = anatomy(&task.assays());
                let one = senses.len() + 2;
                let shown = (0..one).map(|source| (source, 0)).collect();
                Some(Self { senses, motors, shown, one: Some(one), brain, ticks: task.ticks() as usize })
            }
            Task::TMaze(maze) | Task::DoubleTMaze(maze) => {
                let senses = t_maze::SOURCES[..t_maze::REWARD].to_vec();
                let mut shown: Vec<(usize, usize)> = (0..t_maze::REWARD).map(|source| (source, 0)).collect();
                shown.extend([(t_maze::REWARD, 1), (t_maze::REWARD, 2)]);
                let motors = t_maze::MOTORS.to_vec();
                Some(Self { senses, motors, shown, one: None, brain, ticks: maze.ticks_per_action as usize })
            }
            Task::Iaf(_) | Task::Stdp(_) | Task::StdpComplex(_) => None,
        }
    }

    /// How it is in an assay; none if it lacks a sense or a motor.
    pub fn adapter(&self, assay: &Assay) -> Option<Adapter> {
        let place = |names: &[&str], name: &&str| names.iter().position(|own| own == name);
        let told = self.senses.len();
        let senses = assay.game.senses.iter().map(|sense| place(&self.senses, sense)).collect::<Option<Vec<_>>>()?;
        let motors = assay.game.motors.iter().map(|motor| place(&self.motors, motor)).collect::<Option<Vec<_>>>()?;
        let shown = senses.into_iter().chain([told, told + 1]).map(|channel| self.shown[channel]).collect();
        assay.is_for_animals().then_some(Adapter { shown, motors })
    }

    /// What it lives with.
    pub(crate) fn brain(&self) -> &Brain {
        &self.brain
    }

    /// Steps of its units in a control step.
    pub(crate) fn ticks(&self) -> usize {
        self.ticks
    }

    /// The source (of one unit, the input) that is always 1, if one is; of one unit the last that is driven.
    pub(crate) fn one(&self) -> Option<usize> {
        self.one
    }

    /// Sources (of one unit, inputs) and channels of r+ and r-.
    pub(crate) fn told(&self) -> [(usize, usize); 2] {
        let told = self.senses.len();
        [self.shown[told], self.shown[told + 1]]
    }

    /// The neuron (of one unit, the output) of its first motor.
    pub(crate) fn first_motor(&self) -> usize {
        match &self.brain {
            Brain::One(_) => 0,
            Brain::Many(layout, _) => layout.wiring.neurons - self.motors.len(),
        }
    }

    /// Tanh and logistic functions of a step of its units.
    pub(crate) fn functions(&self) -> usize {
        match &self.brain {
            Brain::One(shape) => shape.functions(),
            Brain::Many(layout, _) => layout.functions(),
        }
    }

    /// Senses and motors of an assay that it does not have.
    pub fn lacks(&self, assay: &Assay) -> Vec<&'static str> {
        let senses = assay.game.senses.iter().filter(|sense| !self.senses.contains(sense));
        senses.chain(assay.game.motors.iter().filter(|motor| !self.motors.contains(motor))).copied().collect()
    }

    /// Multiply-adds of a step of its units.
    pub fn multiply_adds(&self) -> usize {
        match &self.brain {
            Brain::One(shape) => shape.multiply_adds(self.senses.len() + INNER.len()),
            Brain::Many(layout, _) => layout.multiply_adds(),
        }
    }
}

/// A body with parameters, in an assay.
#[derive(Debug, Clone, Copy)]
pub struct Animal<'a> {
    /// Its units.
    pub body: &'a Body,
    /// How it is in the assay.
    pub adapter: &'a Adapter,
    /// The flat vector of its chromosomes.
    pub parameters: &'a [f32],
    /// Those that it runs with.
    pub instructions: InstructionSet,
}

impl<'a> Animal<'a> {
    fn seated(self, lanes: usize) -> Box<dyn Seat + 'a> {
        match &self.body.brain {
            Brain::One(shape) => {
                let mut unit = Instances::new(*shape, lanes);
                if let Some(one) = self.body.one {
                    let row = unit.lanes;
                    unit.inputs_mut()[one * row..][..row].fill(1.0);
                }
                Box::new(OneUnit { animal: self, unit })
            }
            Brain::Many(layout, noise) => {
                let mut network = Network::new(layout, lanes);
                if let Some(one) = self.body.one {
                    network.sensor_mut(one, 0).fill(1.0);
                }
                Box::new(Units { animal: self, network, noise: *noise })
            }
        }
    }
}

impl Controller for Animal<'_> {
    fn seat(&self, lanes: usize) -> Box<dyn Seat + '_> {
        self.seated(lanes)
    }

    fn network_steps(&self) -> u64 {
        self.body.ticks as u64
    }
}

/// An [`Animal`] that owns what it is made of.
#[derive(Debug, Clone)]
pub struct Evolved {
    body: Body,
    adapter: Adapter,
    parameters: Vec<f32>,
}

impl Evolved {
    /// Of a body with its parameters; none if it cannot be in the assay.
    pub fn new(body: &Body, parameters: &[f32], assay: &Assay) -> Option<Self> {
        let adapter = body.adapter(assay)?;
        Some(Self { body: body.clone(), adapter, parameters: parameters.to_vec() })
    }

    fn as_animal(&self) -> Animal<'_> {
        let Self { body, adapter, parameters } = self;
        Animal { body, adapter, parameters, instructions: InstructionSet::best() }
    }
}

impl Controller for Evolved {
    fn seat(&self, lanes: usize) -> Box<dyn Seat + '_> {
        self.as_animal().seated(lanes)
    }

    fn network_steps(&self) -> u64 {
        self.as_animal().network_steps()
    }

    fn animal(&self) -> Option<Animal<'_>> {
        Some(self.as_animal())
    }
}

/// A unit for each lane.
struct OneUnit<'a> {
    animal: Animal<'a>,
    unit: Instances,
}

impl Seat for OneUnit<'_> {
    fn reset(&mut self, lane: usize) {
        let lanes = self.unit.lanes;
        let rows = self.unit.state_mut().into_iter().flat_map(|rows| rows.chunks_exact_mut(lanes));
        rows.for_each(|row| row[lane] = 0.0);
    }

    fn step(&mut self, moment: &Moment, outputs: &mut [f32]) {
        let Self { animal: Animal { body, adapter, parameters, instructions }, unit } = self;
        let (lanes, row) = (moment.lanes, unit.lanes);
        for (&(input, _), shown) in adapter.shown.iter().zip(moment.senses.chunks_exact(lanes)) {
            unit.inputs_mut()[input * row..][..lanes].copy_from_slice(shown);
        }
        outputs.fill(0.0);
        let share = 1.0 / body.ticks as f32;
        for _ in 0..body.ticks {
            instructions.run(Step { unit, parameters, live: body.senses.len() + INNER.len() });
            for (&motor, sum) in adapter.motors.iter().zip(outputs.chunks_exact_mut(lanes)) {
                let fired = &unit.outputs()[motor * row..][..lanes];
                sum.iter_mut().zip(fired).for_each(|(sum, output)| *sum += share * output);
            }
        }
    }
}

/// [`Instances::step`] as compiled per instruction set.
struct Step<'a> {
    unit: &'a mut Instances,
    parameters: &'a [f32],
    live: usize,
}

impl Kernel for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.unit.step::<V>(self.parameters, self.live, None);
    }
}

/// A network for each lane.
struct Units<'a> {
    animal: Animal<'a>,
    network: Network,
    noise: f32,
}

impl Units<'_> {
    /// What a life's units have on their output gates.
    fn draw_noise(&mut self, moment: &Moment) {
        let Self { network, noise, .. } = self;
        let mut drawn = vec![0.0; network.noises()];
        for lane in 0..moment.lanes {
            let (index, generation) = (moment.first + lane as u32, moment.number);
            Row { seed: moment.seed, stream: Stream::OutputNoise, generation, index }.normals(0, &mut drawn);
            drawn.iter_mut().for_each(|x| *x *= *noise);
            network.set_noise(lane, &drawn);
        }
    }
}

impl Seat for Units<'_> {
    fn reset(&mut self, lane: usize) {
        self.network.rest(lane);
    }

    fn step(&mut self, moment: &Moment, outputs: &mut [f32]) {
        if moment.step == 0 && self.noise > 0.0 {
            self.draw_noise(moment);
        }
        let Self { animal: Animal { body, adapter, parameters, instructions }, network, .. } = self;
        let lanes = moment.lanes;
        for (&(source, channel), shown) in adapter.shown.iter().zip(moment.senses.chunks_exact(lanes)) {
            network.sensor_mut(source, channel).copy_from_slice(shown);
        }
        instructions.run(Sense { network, parameters });
        outputs.fill(0.0);
        let share = 1.0 / body.ticks as f32;
        let first = body.first_motor();
        for _ in 0..body.ticks {
            instructions.run(Tick { network, parameters });
            for (&motor, sum) in adapter.motors.iter().zip(outputs.chunks_exact_mut(lanes)) {
                let fired = &network.neurons.outputs()[(first + motor) * lanes..][..lanes];
                sum.iter_mut().zip(fired).for_each(|(sum, output)| *sum += share * output);
            }
        }
    }
}

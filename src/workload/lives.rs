//! Animals in assays of the battery: offspring x lives. Each assay has the same number of lives, those of the first assay first,
//! and what they draw is told by a seed that is drawn for the generation.

use super::Workload;
use crate::battery::assays::Assay;
use crate::battery::body::{Adapter, Animal, Body};
use crate::battery::play::{self, Window};
use crate::config::{Assays, Task};
use crate::cpu::InstructionSet;
use crate::plan::Plan;
use crate::rng::{Row, Stream};

/// A body and the assays that it is evolved in.
#[derive(Debug, Clone)]
pub struct Lives {
    body: Body,
    assays: Vec<(&'static Assay, Adapter)>,
    task: Assays,
    instructions: InstructionSet,
}

/// Lives, the same for every offspring of a generation: life `e % each` of assay `e / each`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episodes {
    /// Of all that they draw.
    pub seed: u64,
    /// Lives in each assay; the last may have fewer.
    pub each: usize,
    /// Of all assays together.
    pub count: usize,
    /// Standard deviation of what is added to each motor ...
    pub noise: f32,
    /// ... in the first so many lives of each assay.
    pub noisy: u32,
}

impl Lives {
    /// The body and assays of a plan, with this machine's best instruction set.
    ///
    /// # Panics
    /// When the plan's task is not assays.
    pub fn new(plan: &Plan) -> Self {
        let (Task::Assay(task), Some(body)) = (&plan.config.task, Body::of(plan)) else {
            panic!("{:?} is no assay", plan.config.task)
        };
        let adapted =
            |assay: &'static Assay| (assay, body.adapter(assay).expect("a body has the senses of its assays"));
        let assays = task.assays().into_iter().map(adapted).collect();
        Self { assays, task: task.clone(), instructions: InstructionSet::best(), body }
    }
}

/// Floats of one episode and of one thread's workspace.
pub(crate) fn floats(plan: &Plan) -> (usize, usize) {
    let units = plan.network.as_ref().map_or(1, |network| network.wiring.sources.len() + network.wiring.neurons);
    let gates = 4;
    (1, units * play::WINDOW * (gates * plan.unit.memory + plan.unit.outputs + plan.unit.inputs))
}

impl Workload for Lives {
    type Episodes = Episodes;
    type Workspace = ();
    const WINDOW: usize = play::WINDOW;

    fn draw(&self, environments: usize, seed: u64, stream: Stream, generation: u32) -> Episodes {
        let [low, high, ..] = Row { seed, stream, generation, index: 0 }.block(0);
        let seed = u64::from(high) << 32 | u64::from(low);
        let noise = if stream == Stream::Episode { self.task.noise } else { 0.0 };
        let each = environments.div_ceil(self.assays.len());
        Episodes { seed, each, count: environments, noise, noisy: self.task.noisy_lives(each) }
    }

    fn environments(episodes: &Episodes) -> usize {
        episodes.count
    }

    fn workspace(&self, _: usize) {}

    fn play(&self, (): &mut (), parameters: &[f32], episodes: &Episodes, first: usize, fitness: &mut [f32]) -> u64 {
        let Self { body, instructions, .. } = self;
        let (mut played, mut steps) = (0, 0);
        while played < fitness.len() {
            let (assay, life) = ((first + played) / episodes.each, (first + played) % episodes.each);
            let count = (episodes.each - life).min(fitness.len() - played);
            let (assay, adapter) = &self.assays[assay];
            let animal = Animal { body, adapter, parameters, instructions: *instructions };
            let &Episodes { seed, noise, noisy, .. } = episodes;
            let window = Window { seed, first: life as u32, count: count as u32, noise, noisy };
            steps += (assay.game.evolve)(&animal, window, &mut fitness[played..][..count]);
            played += count;
        }
        steps * u64::from(self.task.ticks())
    }

    fn instructions(&self) -> InstructionSet {
        self.instructions
    }

    fn with_instructions(self, instructions: InstructionSet) -> Self {
        Self { instructions, ..self }
    }
}

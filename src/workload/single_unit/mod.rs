//! One unit in open loop (IAF, STDP): offspring x environments x steps, as the CPU does it.

use super::Workload;
use crate::config::{self, Iaf};
use crate::cpu::{InstructionSet, Kernel, Vector, padded};
use crate::plan::Plan;
use crate::rng::{Row, Stream};
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
#[derive(Debug)]
pub struct Workspace {
    instances: Instances,
    /// Channel 0, `[step][lane]`.
    outputs: Vec<f32>,
}

/// Floats of one episode and of one thread's workspace.
pub(crate) fn floats(plan: &Plan) -> (usize, usize) {
    let Plan { unit, steps, channels, .. } = plan;
    let lanes = padded(plan.environments).min(WINDOW);
    let instance = (2 + unit.gates()) * unit.memory + unit.outputs + unit.inputs;
    (steps * (channels + 1), lanes * (instance + steps))
}

impl SingleUnit {
    /// The unit and task of a plan, with this machine's best instruction set.
    ///
    /// # Panics
    /// When the plan's task is not for a single unit.
    pub fn new(plan: &Plan) -> Self {
        let task = match &plan.config.task {
            config::Task::Iaf(iaf) => OpenLoop::Iaf(iaf.clone()),
            config::Task::Stdp(stdp) => OpenLoop::Stdp(StdpTask { config: stdp.clone(), rule: Rule::Plain }),
            config::Task::StdpComplex(stdp) => OpenLoop::Stdp(StdpTask { config: stdp.clone(), rule: Rule::Complex }),
            task => panic!("{task:?} is not in open loop"),
        };
        Self { shape: plan.unit, task, steps: plan.steps, instructions: InstructionSet::best() }
    }

    /// The task, if it is IAF.
    pub fn iaf(&self) -> Option<&Iaf> {
        if let OpenLoop::Iaf(iaf) = &self.task { Some(iaf) } else { None }
    }

    /// The task, if it is one of the STDP rules.
    pub fn stdp(&self) -> Option<&StdpTask> {
        if let OpenLoop::Stdp(stdp) = &self.task { Some(stdp) } else { None }
    }

    /// Output channel 0, `[step][lane]` with `episodes.lanes` lanes.
    pub fn outputs(&self, parameters: &[f32], episodes: &Episodes) -> Vec<f32> {
        let mut workspace = self.workspace(episodes.environments);
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
}

impl Workload for SingleUnit {
    type Episodes = Episodes;
    type Workspace = Workspace;
    const WINDOW: usize = WINDOW;

    fn draw(&self, environments: usize, seed: u64, stream: Stream, generation: u32) -> Episodes {
        let row = |environment: usize| Row { seed, stream, generation, index: environment as u32 };
        match &self.task {
            OpenLoop::Iaf(task) => task.draw(environments, self.steps, row),
            OpenLoop::Stdp(task) => task.draw(environments, self.steps, row),
        }
    }

    fn environments(episodes: &Episodes) -> usize {
        episodes.environments
    }

    fn workspace(&self, environments: usize) -> Workspace {
        let instances = Instances::new(self.shape, environments.min(WINDOW));
        Workspace { outputs: vec![0.0; self.steps * instances.lanes], instances }
    }

    fn play(
        &self,
        workspace: &mut Workspace,
        parameters: &[f32],
        episodes: &Episodes,
        first: usize,
        fitness: &mut [f32],
    ) -> u64 {
        let Workspace { instances, outputs } = workspace;
        self.instructions.run(Rollout { weights: parameters, episodes, first, instances, outputs });
        let answer = Answer { outputs, lanes: instances.lanes, first };
        match &self.task {
            OpenLoop::Iaf(task) => self.instructions.run(Score { task, episodes, answer, fitness }),
            OpenLoop::Stdp(task) => self.instructions.run(Score { task, episodes, answer, fitness }),
        }
        (fitness.len() * episodes.steps) as u64
    }

    fn instructions(&self) -> InstructionSet {
        self.instructions
    }

    fn with_instructions(self, instructions: InstructionSet) -> Self {
        Self { instructions, ..self }
    }
}

/// The fitness of a window of the episodes. Apart from [`Rollout`], which is long and the same for all tasks.
struct Score<'a, T> {
    task: &'a T,
    episodes: &'a Episodes,
    answer: Answer<'a>,
    fitness: &'a mut [f32],
}

impl<T: Task> Kernel for Score<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.task.fitness(self.episodes, self.answer, self.fitness);
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

//! A network of units in a maze, in closed loop: offspring x environments x actions x network steps, as the CPU does it.
//!
//! Each action the network steps `ticks_per_action` times with the sensors as they are; the output neuron whose channel 0
//! sums highest over these steps acts, if the sum is above zero, and of equals the first. A dead agent's network is
//! stepped no more: the lanes of the others move together.

mod episodes;
mod recording;
mod trials;

pub use episodes::Episodes;
pub use recording::{Moment, Recording};
pub use trials::{Life, Trial, Trials};

use super::Workload;
use crate::config::{self, Maze, Task};
use crate::cpu::{InstructionSet, Kernel, LANES, Vector, padded};
use crate::network::{Layout, Network};
use crate::plan::Plan;
use crate::rng::{Row, Stream};
use crate::world::t_maze::{self, Action, REWARD, Rules, Sensors, TMaze};
use serde::Serialize;

/// A network and its maze: draws episodes and plays them with given parameters.
#[derive(Debug, Clone)]
pub struct MazePlay {
    network: Layout,
    rules: Rules,
    maze: Maze,
    output_noise: f32,
    probe: Probe,
    instructions: InstructionSet,
}

/// What is taken from an agent to see what it needs. Nothing by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// The reward's source stays silent: no network can learn from what it ate.
    pub no_reward_signal: bool,
    /// Synapses learn nothing from one visit for the next: they are put back to rest when the agent is back at the start, and
    /// again when the reward has been shown, which is in the action after it. Within a visit they work as ever, for
    /// what passes through a synapse passes through its state; neurons keep theirs. A fixed strategy needs nothing that
    /// synapses carry over: first choices that fall to chance, and the score with them, were made by what synapses had
    /// learned.
    pub freeze_synapses: bool,
    /// No noise on the output gates.
    pub no_noise: bool,
    /// The two colour sensors stay dark: only memory tells where the food is.
    pub dark: bool,
}

/// Buffers of a thread.
#[derive(Debug)]
pub struct Workspace {
    network: Network,
}

/// Told of all that happens while lives are played.
pub trait Watch {
    /// A network step has been made; `environments` are the numbers, in the episodes, of those it was made for.
    fn ticked(&mut self, network: &Network, environments: &[usize]) {
        let _ = (network, environments);
    }

    /// An agent has acted; `sums` are those of the output neurons.
    fn acted(
        &mut self,
        environment: usize,
        before: &TMaze,
        sums: &[f32; Action::MOTORS],
        action: Action,
        after: &TMaze,
    );
}

/// Nobody watches.
struct Unwatched;

impl Watch for Unwatched {
    fn acted(&mut self, _: usize, _: &TMaze, _: &[f32; Action::MOTORS], _: Action, _: &TMaze) {}
}

/// Floats of one episode and of one thread's workspace.
pub(crate) fn floats(plan: &Plan, network: &Layout) -> (usize, usize) {
    let units = network.wiring.sources.len() + network.wiring.neurons;
    let channels = network.neuron.outputs;
    let episode = units * channels + plan.steps + 7;
    let environments = plan.environments.min(MazePlay::WINDOW);
    let lanes = |units: usize| padded(units * environments) + LANES;
    let columns = network.synapse.unit().map_or(0, |unit| unit.gates() * unit.memory);
    let unit = 2 * network.neuron.memory + 3 * channels;
    let (neurons, sensors) = (network.wiring.neurons, network.wiring.sensors);
    let contributions: usize = [sensors + neurons, neurons].map(|sources| LANES + lanes(sources)).iter().sum();
    (episode, lanes(units) * unit + (columns + 1) * contributions)
}

impl MazePlay {
    /// The network and maze of a plan, with this machine's best instruction set.
    ///
    /// # Panics
    /// When the plan's task is not a maze.
    pub fn new(plan: &Plan) -> Self {
        let (layout, maze) = match &plan.config.task {
            Task::TMaze(maze) => (t_maze::Layout::Single, maze),
            Task::DoubleTMaze(maze) => (t_maze::Layout::Double, maze),
            task => panic!("{task:?} is not a maze"),
        };
        let number = |value: Option<u32>| value.expect("a plan has its defaults") as i32;
        let rules = Rules {
            layout,
            energy: maze.energy as i32,
            swap_after: number(maze.swap_after),
            poisons: number(maze.poisons),
        };
        Self {
            network: plan.network.clone().expect("a maze has a network"),
            rules,
            maze: maze.clone(),
            output_noise: plan.config.network.as_ref().map_or(0.0, |network: &config::Network| network.output_noise),
            probe: Probe::default(),
            instructions: InstructionSet::best(),
        }
    }

    /// The same with something taken from the agents.
    pub fn with_probe(self, probe: Probe) -> Self {
        Self { probe, ..self }
    }

    /// Of the maze.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Of the networks.
    pub fn network(&self) -> &Layout {
        &self.network
    }

    /// Network steps for each action.
    pub fn ticks_per_action(&self) -> usize {
        self.maze.ticks_per_action as usize
    }

    /// Play the episodes `first .. first + fitness.len()`, watched.
    pub fn play_watched<W: Watch>(
        &self,
        workspace: &mut Workspace,
        parameters: &[f32],
        episodes: &Episodes,
        first: usize,
        fitness: &mut [f32],
        watch: &mut W,
    ) -> u64 {
        let Self { rules, probe, .. } = self;
        let network = &mut workspace.network;
        network.reset(fitness.len());
        episodes.set_noise(network, first, probe.no_noise);
        fitness.fill(0.0);
        let mut agents: Vec<TMaze> =
            (first..first + fitness.len()).map(|e| TMaze::new(rules, episodes.food[e])).collect();
        // Numbers of those alive, in the episodes.
        let mut alive: Vec<usize> = (first..first + fitness.len()).collect();
        let mut sums = vec![[0.0; Action::MOTORS]; fitness.len()];
        let mut steps = 0;
        for action in 0..self.maze.actions as usize {
            self.show(network, &agents, &alive, episodes);
            self.instructions.run(Sense { network, parameters });
            sums.fill([0.0; Action::MOTORS]);
            for _ in 0..self.maze.ticks_per_action {
                self.instructions.run(Tick { network, parameters });
                add_motors(network, &mut sums);
                watch.ticked(network, &alive);
            }
            steps += (alive.len() * self.maze.ticks_per_action as usize) as u64;
            for (slot, agent) in agents.iter_mut().enumerate() {
                let environment = alive[slot];
                let choice = choose(&sums[slot]);
                let motor = choice.map_or(-1, |neuron| episodes.motors[environment][neuron] as i32);
                let (before, acted) = (*agent, Action::from_index(motor));
                agent.step(rules, acted, episodes.draw_at(environment, action));
                fitness[environment - first] += match agent.reward {
                    reward if reward < 0 => episodes.poison_reward,
                    reward => reward as f32,
                };
                watch.acted(environment, &before, &sums[slot], acted, agent);
                if probe.freeze_synapses && (before.reward != 0 || agent.reward != 0) {
                    network.rest_synapses(slot);
                }
            }
            if agents.iter().any(|agent| !agent.is_alive()) {
                let keep: Vec<usize> = (0..agents.len()).filter(|&slot| agents[slot].is_alive()).collect();
                if keep.is_empty() {
                    break;
                }
                network.retain(&keep);
                agents = keep.iter().map(|&slot| agents[slot]).collect();
                alive = keep.iter().map(|&slot| alive[slot]).collect();
            }
        }
        steps
    }

    /// What each agent senses, on the sources that its sensors drive; and the reward.
    fn show(&self, network: &mut Network, agents: &[TMaze], alive: &[usize], episodes: &Episodes) {
        network.clear_sensors();
        for (slot, (agent, &environment)) in agents.iter().zip(alive).enumerate() {
            let Sensors { wall, green, red } = agent.observe(&self.rules);
            let light = !(self.probe.dark || episodes.dark[environment]);
            let seen = [wall, green && light, red && light];
            for (&source, on) in episodes.senses[environment].iter().zip(seen) {
                network.sensor_mut(source, 0)[slot] = f32::from(on);
            }
            if agent.reward != 0 && !self.probe.no_reward_signal {
                network.sensor_mut(REWARD, if agent.reward > 0 { 1 } else { 2 })[slot] = 1.0;
            }
        }
    }
}

impl Workload for MazePlay {
    type Episodes = Episodes;
    type Workspace = Workspace;
    /// A run of lanes is a register; the state of the paper's network takes 170 KB.
    const WINDOW: usize = LANES;

    fn draw(&self, environments: usize, seed: u64, stream: Stream, generation: u32) -> Episodes {
        let row = |environment: usize| Row { seed, stream, generation, index: environment as u32 };
        Episodes::draw(
            &self.network.wiring,
            self.network.neuron.outputs,
            &self.maze,
            &self.rules,
            self.output_noise,
            environments,
            row,
        )
    }

    fn environments(episodes: &Episodes) -> usize {
        episodes.food.len()
    }

    fn workspace(&self, environments: usize) -> Workspace {
        Workspace { network: Network::new(&self.network, environments.min(Self::WINDOW)) }
    }

    fn play(
        &self,
        workspace: &mut Workspace,
        parameters: &[f32],
        episodes: &Episodes,
        first: usize,
        fitness: &mut [f32],
    ) -> u64 {
        self.play_watched(workspace, parameters, episodes, first, fitness, &mut Unwatched)
    }

    fn instructions(&self) -> InstructionSet {
        self.instructions
    }

    fn with_instructions(self, instructions: InstructionSet) -> Self {
        Self { instructions, ..self }
    }
}

/// [`Network::sense`] as compiled per instruction set.
pub(crate) struct Sense<'a> {
    pub(crate) network: &'a mut Network,
    pub(crate) parameters: &'a [f32],
}

impl Kernel for Sense<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.network.sense::<V>(self.parameters);
    }
}

/// [`Network::step`] as compiled per instruction set: once, and not in every loop that steps networks.
pub(crate) struct Tick<'a> {
    pub(crate) network: &'a mut Network,
    pub(crate) parameters: &'a [f32],
}

impl Kernel for Tick<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.network.step::<V>(self.parameters);
    }
}

/// Channel 0 of the last neurons, one for each motor.
fn add_motors(network: &Network, sums: &mut [[f32; Action::MOTORS]]) {
    let environments = network.environments();
    let first = network.wiring().neurons - Action::MOTORS;
    for motor in 0..Action::MOTORS {
        let outputs = &network.neurons.outputs()[(first + motor) * environments..][..environments];
        sums.iter_mut().zip(outputs).for_each(|(sums, output)| sums[motor] += output);
    }
}

/// The neuron with the highest sum, of equals the first; none if that is not above zero. NaN never acts.
fn choose(sums: &[f32; Action::MOTORS]) -> Option<usize> {
    let (mut choice, mut best) = (None, 0.0);
    for (neuron, &sum) in sums.iter().enumerate() {
        if sum > best {
            (choice, best) = (Some(neuron), sum);
        }
    }
    choice
}

#[cfg(test)]
mod tests;

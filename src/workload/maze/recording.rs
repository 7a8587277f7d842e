//! One life in full, for figures: what the agent was shown, what its neurons put out and what it did.
//!
//! What it was shown is read from the sources of the network, and so is as the network had it, whatever was taken from the
//! agent.

use super::{Episodes, MazePlay, Watch, Workload};
use crate::network::Network;
use crate::world::t_maze::{Action, REWARD, Rules, Sensors, TMaze};

/// One action of a life.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// What the sensors showed before the action.
    pub shown: Sensors,
    /// The reward of the action before, as shown: 1, -1, or 0.
    pub reward_shown: i32,
    /// The agent before the action.
    pub before: TMaze,
    /// Channel 0 of each output neuron, summed over the network steps of this action.
    pub sums: [f32; Action::MOTORS],
    /// What was done.
    pub action: Action,
    /// The agent after the action; where it ate, it is back at the start.
    pub after: TMaze,
}

impl Moment {
    /// The agent where the action took it, before a meal puts it back to the start.
    pub fn reached(&self, rules: &Rules) -> TMaze {
        let mut agent = self.before;
        agent.walk(rules, self.action);
        agent
    }
}

/// The life of one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Of the maze.
    pub rules: Rules,
    /// One for each action that was made; fewer than an episode has where the agent died.
    pub moments: Vec<Moment>,
    /// Channel 0 of every neuron after each network step, `[step][neuron]`.
    pub outputs: Vec<f32>,
    /// Neurons of the network; the last three are the output neurons.
    pub neurons: usize,
    /// Network steps for each action.
    pub ticks_per_action: usize,
    /// The motor that each output neuron drives.
    pub motors: [usize; Action::MOTORS],
    /// What the life earned.
    pub fitness: f32,
}

impl Recording {
    /// The life of environment `environment` of `episodes`.
    pub fn of(play: &MazePlay, parameters: &[f32], episodes: &Episodes, environment: usize) -> Self {
        let mut recorder = Recorder {
            senses: episodes.senses[environment],
            shown: (Sensors::default(), 0),
            life: Self {
                rules: *play.rules(),
                moments: Vec::new(),
                outputs: Vec::new(),
                neurons: play.network().wiring.neurons,
                ticks_per_action: play.ticks_per_action(),
                motors: episodes.motors[environment],
                fitness: 0.0,
            },
        };
        let mut fitness = [0.0];
        play.play_watched(&mut play.workspace(1), parameters, episodes, environment, &mut fitness, &mut recorder);
        Self { fitness: fitness[0], ..recorder.life }
    }

    /// Meals of food in the first `actions` actions, and of poison.
    pub fn meals(&self, actions: usize) -> (usize, usize) {
        let of = |reward| self.moments.iter().take(actions).filter(|moment| moment.after.reward == reward).count();
        (of(1), of(-1))
    }

    /// Channel 0 of a neuron after each network step.
    pub fn trace(&self, neuron: usize) -> impl Iterator<Item = f32> {
        self.outputs.iter().skip(neuron).step_by(self.neurons).copied()
    }

    /// The action that a neuron stands for; none if it is hidden.
    pub fn motor(&self, neuron: usize) -> Option<Action> {
        let output = neuron.checked_sub(self.neurons - Action::MOTORS)?;
        Some(Action::from_index(self.motors[output] as i32))
    }
}

struct Recorder {
    /// The source that each sensor drives.
    senses: [usize; Sensors::COUNT],
    /// What the network has been shown last.
    shown: (Sensors, i32),
    life: Recording,
}

impl Watch for Recorder {
    fn ticked(&mut self, network: &Network, _: &[usize]) {
        let lit = |source, channel| network.sensor(source, channel)[0] > 0.0;
        let [wall, green, red] = self.senses.map(|source| lit(source, 0));
        self.shown = (Sensors { wall, green, red }, i32::from(lit(REWARD, 1)) - i32::from(lit(REWARD, 2)));
        self.life.outputs.extend_from_slice(&network.neurons.outputs()[..self.life.neurons]);
    }

    fn acted(&mut self, _: usize, before: &TMaze, sums: &[f32; Action::MOTORS], action: Action, after: &TMaze) {
        let (shown, reward_shown) = self.shown;
        self.life.moments.push(Moment { shown, reward_shown, before: *before, sums: *sums, action, after: *after });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Probe, Sense, Tick, choose};
    use super::*;
    use crate::cpu::InstructionSet;
    use crate::plan::Plan;
    use crate::rng::{Row, Stream};

    const ENVIRONMENTS: usize = 5;

    fn play(maze: &str, probe: Probe) -> (MazePlay, Vec<f32>) {
        let text = format!(
            "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.enu]\ninputs = 8\nmemory = 6\noutputs = 8\n\
             [network]\nneurons = 7\nsynapses = 5\nrandom.seed = 3\n[task.{maze}]\nactions = 150\nticks_per_action = 3\n\
             energy = 25\n[es]\npopulation = 4"
        );
        let plan = Plan::new(toml::from_str(&text).expect("toml")).expect("a plan");
        // Agents with these weights walk, and eat of both.
        let mut parameters = vec![0.0; plan.parameters()];
        Row { seed: 1, stream: Stream::Initial, generation: 0, index: 0 }.normals(0, &mut parameters);
        (MazePlay::new(&plan).with_probe(probe), parameters)
    }

    /// The neurons' channel 0 when a network is shown the recorded sensors, and nothing else is known of the life.
    fn stepped(play: &MazePlay, parameters: &[f32], episodes: &Episodes, environment: usize) -> Vec<f32> {
        let life = Recording::of(play, parameters, episodes, environment);
        let mut network = Network::new(play.network(), 1);
        episodes.set_noise(&mut network, environment, false);
        let mut outputs = Vec::new();
        for Moment { shown, reward_shown, .. } in life.moments {
            network.clear_sensors();
            for (source, on) in episodes.senses[environment].into_iter().zip(shown.values()) {
                network.sensor_mut(source, 0)[0] = f32::from(on);
            }
            network.sensor_mut(REWARD, 1)[0] = f32::from(reward_shown > 0);
            network.sensor_mut(REWARD, 2)[0] = f32::from(reward_shown < 0);
            InstructionSet::Portable.run(Sense { network: &mut network, parameters });
            for _ in 0..play.ticks_per_action() {
                InstructionSet::Portable.run(Tick { network: &mut network, parameters });
                outputs.extend((0..play.network().wiring.neurons).map(|neuron| network.neurons.outputs()[neuron]));
            }
        }
        outputs
    }

    #[test]
    fn a_recording_is_the_life_that_the_workload_plays() {
        for maze in ["t_maze", "double_t_maze"] {
            let (play, parameters) = play(maze, Probe::default());
            let episodes = play.fresh_episodes(ENVIRONMENTS, 5);
            let fitness = play.fitness(&parameters, &episodes);
            let (mut moved, mut meals) = (0, (0, 0));
            for (environment, fitness) in fitness.into_iter().enumerate() {
                let life = Recording::of(&play, &parameters, &episodes, environment);
                let earned: i32 = life.moments.iter().map(|moment| moment.after.reward).sum();
                assert_eq!((life.fitness, earned as f32), (fitness, fitness));
                assert_eq!(life.outputs, stepped(&play, &parameters, &episodes, environment));
                assert_eq!(life.outputs.len(), life.moments.len() * life.ticks_per_action * life.neurons);
                let mut agent = TMaze::new(play.rules(), episodes.food[environment]);
                for (number, moment) in life.moments.iter().enumerate() {
                    assert_eq!(moment.before, agent);
                    assert_eq!((moment.shown, moment.reward_shown), (agent.observe(play.rules()), agent.reward));
                    let motor = choose(&moment.sums).map_or(-1, |output| life.motors[output] as i32);
                    assert_eq!(moment.action, Action::from_index(motor));
                    for (output, &sum) in moment.sums.iter().enumerate() {
                        let trace = life.trace(life.neurons - Action::MOTORS + output);
                        let ticks = trace.skip(number * life.ticks_per_action).take(life.ticks_per_action);
                        assert_eq!(ticks.fold(0.0, |sum, output| sum + output), sum);
                    }
                    agent.step(play.rules(), moment.action, episodes.draw_at(environment, number));
                    assert_eq!(moment.after, agent);
                    let reached = moment.reached(play.rules());
                    let stayed = (reached.x, reached.y, reached.direction) == (agent.x, agent.y, agent.direction);
                    assert_eq!(stayed, agent.reward == 0);
                    moved += usize::from(stayed && (agent.x, agent.y) != (moment.before.x, moment.before.y));
                }
                assert!(life.moments.len() == 150 || !agent.is_alive());
                let (food, poison) = life.meals(life.moments.len());
                meals = (meals.0 + food, meals.1 + poison);
            }
            assert!(moved > 0 && meals.0 > 0 && meals.1 > 0, "{maze}: {moved} moves and {meals:?} meals show little");
        }
    }

    #[test]
    fn what_is_taken_from_an_agent_is_not_in_its_recording() {
        let probe = Probe { dark: true, no_reward_signal: true, ..Probe::default() };
        let (play, parameters) = play("t_maze", probe);
        let life = Recording::of(&play, &parameters, &play.fresh_episodes(1, 5), 0);
        assert!(life.moments.iter().all(|m| !m.shown.green && !m.shown.red && m.reward_shown == 0));
        assert!(life.moments.iter().any(|m| m.shown.wall) && life.meals(150) != (0, 0), "{:?}", life.meals(150));
    }

    #[test]
    fn neurons_are_named_by_the_motor_that_they_drive() {
        let (play, parameters) = play("t_maze", Probe::default());
        let mut episodes = play.fresh_episodes(1, 5);
        episodes.motors[0] = [2, 0, 1];
        let life = Recording::of(&play, &parameters, &episodes, 0);
        let motors: Vec<_> = (0..7).map(|neuron| life.motor(neuron)).collect();
        let outputs = [Action::Right, Action::Forward, Action::Left].map(Some);
        assert_eq!((&motors[..4], &motors[4..]), (&[None; 4][..], &outputs[..]));
    }
}

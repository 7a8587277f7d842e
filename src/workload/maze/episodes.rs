//! What an episode of a maze has at random: where the food lies first and when it moves, which source a sensor drives, which
//! motor an output neuron drives, and the noise on every unit's output gate.

use crate::config::Maze;
use crate::network::{Network, Wiring, shuffle};
use crate::num;
use crate::rng::{Row, Stream};
use crate::world::t_maze::{Action, Rules, Sensors};

/// Episodes, the same for every offspring of a generation. Row numbers are environments.
#[derive(Debug, Clone, PartialEq)]
pub struct Episodes {
    /// Place of the food at the start.
    pub food: Vec<i32>,
    /// The source that each sensor drives.
    pub senses: Vec<[usize; Sensors::COUNT]>,
    /// The motor that each output neuron drives.
    pub motors: Vec<[usize; Action::MOTORS]>,
    /// Whether the colour sensors are dark.
    pub dark: Vec<bool>,
    /// What poison earns; food earns 1.
    pub poison_reward: f32,
    /// In [0, 1), `[environment][action]`: whether and whereto the food moves.
    pub draws: Vec<f32>,
    /// `[environment][unit][output]`, synapses first.
    pub noise: Vec<f32>,
}

/// Elements of an environment's row of random numbers.
const DARK: usize = 1;
const SHUFFLES: usize = 4;
const DRAWS: usize = 16;
const NOISE: usize = 1 << 20;

impl Maze {
    /// What poison earns in this generation of evolution.
    pub fn poison_at(&self, generation: u32) -> f32 {
        (1.0 + self.poison_reward) * num::power(self.poison_decay, generation) - 1.0
    }
}

impl Episodes {
    /// Draw episodes; `row(e)` addresses the random numbers of environment e.
    pub fn draw(
        wiring: &Wiring,
        outputs: usize,
        maze: &Maze,
        rules: &Rules,
        output_noise: f32,
        environments: usize,
        row: impl Fn(usize) -> Row,
    ) -> Self {
        let units = wiring.sources.len() + wiring.neurons;
        let Row { stream, generation, .. } = row(0);
        let dark = if stream == Stream::Fresh { 0.0 } else { maze.dark };
        let poison_reward = match stream {
            Stream::Fresh | Stream::Validation => -1.0,
            _ => maze.poison_at(generation),
        };
        let mut episodes = Self {
            dark: Vec::with_capacity(environments),
            poison_reward,
            food: Vec::with_capacity(environments),
            senses: Vec::with_capacity(environments),
            motors: Vec::with_capacity(environments),
            draws: vec![0.0; environments * maze.actions as usize],
            noise: vec![0.0; environments * units * outputs],
        };
        let mut together = [0.0; DRAWS];
        row(0).uniforms(0, &mut together);
        let rows = episodes.draws.chunks_exact_mut(maze.actions as usize);
        for (environment, (draws, noise)) in rows.zip(episodes.noise.chunks_exact_mut(units * outputs)).enumerate() {
            let row = row(environment);
            let mut first = [0.0; DRAWS];
            row.uniforms(0, &mut first);
            let places = rules.layout.places().len() as f32;
            episodes.food.push((first[0] * places) as i32);
            let (mut senses, mut motors) = (std::array::from_fn(|i| i), std::array::from_fn(|i| i));
            let shuffles = &if maze.shuffle_together { together } else { first }[SHUFFLES..];
            if maze.shuffle_inputs {
                shuffle(&mut senses, shuffles);
            }
            if maze.shuffle_outputs {
                shuffle(&mut motors, &shuffles[Sensors::COUNT - 1..]);
            }
            episodes.dark.push(first[DARK] < dark);
            episodes.senses.push(senses);
            episodes.motors.push(motors);
            row.uniforms(DRAWS, draws);
            row.normals(NOISE, noise);
            noise.iter_mut().for_each(|x| *x *= output_noise);
        }
        episodes
    }

    /// The draw of an action.
    pub(super) fn draw_at(&self, environment: usize, action: usize) -> f32 {
        let actions = self.draws.len() / self.food.len();
        self.draws[environment * actions + action]
    }

    /// The noise of the environments from `first` on into the lanes of their networks; or none.
    pub(super) fn set_noise(&self, network: &mut Network, first: usize, none: bool) {
        let each = self.noise.len() / self.food.len();
        let silence = vec![0.0; if none { each } else { 0 }];
        for environment in 0..network.environments() {
            let noise = &self.noise[(first + environment) * each..][..each];
            network.set_noise(environment, if none { &silence } else { noise });
        }
    }
}

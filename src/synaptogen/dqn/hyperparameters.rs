//! What deep Q-learning is told of each world: the table of rl-baselines3-zoo (`hyperparams/dqn.yml`, unchanged since August
//! 2021), which the published runs take all but the learning rate and the network from.

use crate::registry::WorldKind;

/// Learning rates of the published search.
pub const RATES: [f64; 3] = [0.03, 0.003, 0.0003];
/// Seeds of the published search.
pub const SEEDS: [u64; 3] = [1, 2, 3];
/// Environment steps of a published run.
pub const STEPS: u32 = 500_000;

/// Discount of later rewards, schedules and sizes. The values that stable-baselines3 has for all worlds are with their use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hyperparameters {
    /// Transitions of an update.
    pub batch: usize,
    /// Transitions that are remembered.
    pub buffer: usize,
    /// Steps at random before anything is learnt.
    pub learning_starts: u32,
    /// gamma, what a reward is worth a step earlier.
    pub discount: f32,
    /// Steps from one copy of the network to the target network to the next.
    pub target_update_interval: u32,
    /// Steps from one round of updates to the next.
    pub train_frequency: u32,
    /// Updates of a round.
    pub gradient_steps: u32,
    /// Part of all steps over which the probability of a random action falls from 1.
    pub exploration_fraction: f64,
    /// What it falls to.
    pub exploration_final: f64,
}

/// Of CartPole-v1.
pub const CART_POLE: Hyperparameters = Hyperparameters {
    batch: 64,
    buffer: 100_000,
    learning_starts: 1_000,
    discount: 0.99,
    target_update_interval: 10,
    train_frequency: 256,
    gradient_steps: 128,
    exploration_fraction: 0.16,
    exploration_final: 0.04,
};

/// Of MountainCar-v0.
pub const MOUNTAIN_CAR: Hyperparameters = Hyperparameters {
    batch: 128,
    buffer: 10_000,
    learning_starts: 1_000,
    discount: 0.98,
    target_update_interval: 600,
    train_frequency: 16,
    gradient_steps: 8,
    exploration_fraction: 0.2,
    exploration_final: 0.07,
};

/// Of LunarLander-v2. As many updates as steps.
pub const LUNAR_LANDER: Hyperparameters = Hyperparameters {
    batch: 128,
    buffer: 50_000,
    learning_starts: 0,
    discount: 0.99,
    target_update_interval: 250,
    train_frequency: 4,
    gradient_steps: 4,
    exploration_fraction: 0.12,
    exploration_final: 0.1,
};

/// Of Acrobot-v1: the same.
pub const ACROBOT: Hyperparameters = LUNAR_LANDER;

impl Hyperparameters {
    /// Those of a world, in any precision; none where actions are no choices or nothing was published.
    pub fn of(world: WorldKind) -> Option<Self> {
        match world {
            WorldKind::CartPole | WorldKind::CartPoleF32 => Some(CART_POLE),
            WorldKind::MountainCar | WorldKind::MountainCarF32 => Some(MOUNTAIN_CAR),
            WorldKind::Acrobot | WorldKind::AcrobotF32 => Some(ACROBOT),
            WorldKind::LunarLander | WorldKind::LunarLanderFast => Some(LUNAR_LANDER),
            WorldKind::LunarLanderWind | WorldKind::LunarLanderContinuous | WorldKind::LunarLanderContinuousWind => {
                None
            }
        }
    }

    /// The probability of a random action in the step after so many of `total`.
    pub fn exploration(&self, steps: u32, total: u32) -> f64 {
        let progress = f64::from(steps) / f64::from(total);
        if progress > self.exploration_fraction {
            self.exploration_final
        } else {
            1.0 + progress * (self.exploration_final - 1.0) / self.exploration_fraction
        }
    }
}

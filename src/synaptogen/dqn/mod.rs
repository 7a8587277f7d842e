//! Deep Q-learning (Mnih et al. 2015) of a profile's raw parameters: the outputs of its mean network are the values of actions.
//!
//! ```text
//! loss = mean over a batch of smooth L1 of Q(s, a) against r + gamma (1 - terminated) max_a' Q_target(s', a')
//! ```
//!
//! Order of operations and what is not in [`Hyperparameters`] are those of stable-baselines3: one environment, transitions
//! drawn with replacement, Adam, gradients clipped to norm 10, hard copies to the target network. A learner is one thread
//! from its beginning to its end; many of them go side by side.

mod hyperparameters;
mod learner;
mod replay;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use hyperparameters::{ACROBOT, CART_POLE, Hyperparameters, LUNAR_LANDER, MOUNTAIN_CAR, RATES, SEEDS, STEPS};
pub use learner::CLIP;
pub use replay::{Replay, Transition};

use super::{Profile, RuleMap, Shape};
use crate::error::{Error, Result};
use crate::registry::WorldKind;
use crate::rng::{Row, Stream};
use crate::world::{Acrobot, CartPole, MountainCar, lunar_lander};
use learner::learn;

/// Steps from one validation to the next.
pub const VALIDATION_INTERVAL: u32 = 10_000;
/// Episodes of a validation.
pub const VALIDATION_EPISODES: u32 = 10;

/// What is to be learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Where.
    pub world: WorldKind,
    /// Of the profile.
    pub shape: Shape,
    /// Of the profile.
    pub rules: RuleMap,
    /// Of Adam.
    pub rate: f64,
    /// Of the first parameters, and of all that is drawn.
    pub seed: u64,
    /// In the environment; the last round of steps is finished, as in stable-baselines3.
    pub steps: u32,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The profile with the best validation, of equal ones the first; the last one when there was no validation.
    pub profile: Profile,
    /// Every [`VALIDATION_INTERVAL`] steps.
    pub validations: Vec<Validation>,
    /// In the environment.
    pub steps: u32,
    /// Of the parameters.
    pub updates: u32,
}

/// How the mean network did in episodes of its own, without random actions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Learnt from so far.
    pub steps: u32,
    /// Mean return of [`VALIDATION_EPISODES`].
    pub mean: f64,
}

impl Training {
    /// Learn, on this thread. `progress` is told how many more steps are done.
    ///
    /// # Errors
    /// When nothing was published on the world, or the network does not fit it.
    pub fn run(&self, progress: &(dyn Fn(u32) + Sync)) -> Result<Trained> {
        let hyper = self.hyperparameters()?;
        Ok(match self.world {
            WorldKind::CartPole => learn::<CartPole<f64>>(self, &hyper, progress),
            WorldKind::CartPoleF32 => learn::<CartPole<f32>>(self, &hyper, progress),
            WorldKind::MountainCar => learn::<MountainCar<f64>>(self, &hyper, progress),
            WorldKind::MountainCarF32 => learn::<MountainCar<f32>>(self, &hyper, progress),
            WorldKind::Acrobot => learn::<Acrobot<f64>>(self, &hyper, progress),
            WorldKind::AcrobotF32 => learn::<Acrobot<f32>>(self, &hyper, progress),
            WorldKind::LunarLander => learn::<lunar_lander::LunarLander>(self, &hyper, progress),
            WorldKind::LunarLanderFast => learn::<lunar_lander::LunarLanderFast>(self, &hyper, progress),
            WorldKind::LunarLanderWind | WorldKind::LunarLanderContinuous | WorldKind::LunarLanderContinuousWind => {
                return Err(self.unpublished());
            }
        })
    }

    /// Of the episodes of its validations, which the learner does not play itself.
    pub(super) fn validation_seed(&self) -> u64 {
        Row { seed: self.seed, stream: Stream::Validation, generation: 0, index: 0 }.seeds()[0]
    }

    fn unpublished(&self) -> Error {
        let name = self.world.spec().name;
        Error::Config(format!(
            "there are no hyperparameters for {name}; try: cartpole, mountain-car, acrobot or lunar-lander"
        ))
    }

    /// What the learner is told of its world.
    ///
    /// # Errors
    /// As [`Training::run`].
    pub fn hyperparameters(&self) -> Result<Hyperparameters> {
        let spec = self.world.spec();
        let hyper = Hyperparameters::of(self.world).ok_or_else(|| self.unpublished())?;
        let (inputs, outputs) = (spec.observations, spec.actions.outputs());
        match self.shape.layers[..] {
            [first, .., last] if (first, last) == (inputs, outputs) => Ok(hyper),
            ref layers => Err(Error::Config(format!(
                "layers of {layers:?} neurons do not fit {}; try: [{inputs}, 128, {outputs}]",
                spec.name
            ))),
        }
    }
}

/// All of these side by side, a thread each, in their order.
///
/// # Errors
/// As [`Training::run`], before anything is learnt.
pub fn train_all(trainings: &[Training], progress: &(dyn Fn(u32) + Sync)) -> Result<Vec<Trained>> {
    trainings.iter().try_for_each(|training| training.hyperparameters().map(|_| ()))?;
    trainings.par_iter().map(|training| training.run(progress)).collect()
}

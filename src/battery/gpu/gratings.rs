//! Populations of neurons with local rules on a device: the kernels `gratings_<input>` and `gratings_spiking_<input>`.

use crate::abi::{
    self, GRATING_HOLD, GRATING_NEURONS, GRATING_ORIENTATIONS, GratingsArgs, PHASES_DRIFT, PHASES_FIXED, PHASES_RANDOM,
};
use crate::battery::gratings::{Input, Learner, Phases, RESPONSES};
use crate::battery::play::Lives;
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, Shape, blocks};
use crate::network::rules::{Bcm, Lif};

/// Populations that learn in so many presentations and then answer, in blocks of so many threads: the bits of
/// [`crate::battery::gratings::responses`].
///
/// # Errors
/// When the device fails.
pub fn responses(gpu: &Gpu, learner: &Learner, lives: Lives, presentations: u32, threads: u32) -> Result<Vec<f32>> {
    let populations = lives.count as usize;
    let answers = Buffer::<f32>::zeros(gpu, populations * RESPONSES)?;
    let args = GratingsArgs {
        responses: answers.pointer(),
        seed: lives.seed,
        count: lives.count,
        holds: presentations / GRATING_HOLD,
        phases: match learner.phases {
            Phases::Fixed => PHASES_FIXED,
            Phases::Random => PHASES_RANDOM,
            Phases::Drift => PHASES_DRIFT,
        },
        rule: (&learner.rule()).into(),
        lif: (&Lif::default()).into(),
    };
    let input = match learner.input {
        Input::Linear => "linear",
        Input::Simple => "simple",
        Input::Energy => "energy",
    };
    let name = format!("gratings_{}{input}", if learner.spiking { "spiking_" } else { "" });
    let grid = [blocks(populations * GRATING_NEURONS as usize, threads), 1, 1];
    let gains = GRATING_ORIENTATIONS * GRATING_ORIENTATIONS * size_of::<f32>() as u32;
    // SAFETY: the kernels of this name take these arguments; the buffer is as long as they say, and lives until it is read.
    unsafe { gpu.launch(&name, Shape { grid, block: threads, shared: gains }, &args) }?;
    answers.read_all(gpu)
}

impl From<&Bcm> for abi::Bcm {
    fn from(&Bcm { rate, tau, goal, trace, signed, most }: &Bcm) -> Self {
        Self { rate, tau, goal, trace, most, is_signed: signed.into() }
    }
}

impl From<&Lif> for abi::Lif {
    fn from(&Lif { tau, refractory }: &Lif) -> Self {
        Self { tau, refractory }
    }
}

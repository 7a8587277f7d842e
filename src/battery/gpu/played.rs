//! What [`crate::battery::play::play`] comes to, on a device: it computes what animals answer, and the worlds of the CPU are given
//! these answers, so scores are made of the same values, to the same bits.

use super::animal::{AnimalLives, Told, Treated, animal, lanes};
use super::{Kept, OnDevice, Worlds};
use crate::abi::MOST_MOTORS;
use crate::battery::body::Animal;
use crate::battery::play::{Controller, Lives, Moment, Played, Seat, Treatment, play_some};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::workload::gpu::Size;

/// Bytes of answers and outcomes that are on the device at a time, at most, where lives are many.
const BYTES: usize = 256 << 20;

/// That an animal can live on a device.
///
/// # Errors
/// When it is too large for a block.
pub fn check(gpu: &Gpu, Animal { body, adapter, .. }: Animal<'_>) -> Result<()> {
    let size = Size { trials: 1, players: 1, environments: 1, generations: 1 };
    AnimalLives::new(gpu, &Worlds::default(), body, &[(0, adapter.clone())], size, 1).map(drop)
}

/// How many lives of a protocol are played at a time.
pub fn at_a_time(protocol: &impl OnDevice) -> u32 {
    let of_a_life = protocol.longest() as usize * (MOST_MOTORS as usize + 2) * size_of::<f32>();
    lanes((BYTES / of_a_life).max(1)) as u32
}

/// Lives of an animal in a protocol, `most` at a time, which must be even: neighbours stay together.
///
/// # Errors
/// When the device fails, or the animal is too large for a block.
pub fn played<P: OnDevice>(
    gpu: &Gpu,
    protocol: &P,
    Animal { body, adapter, parameters, .. }: Animal<'_>,
    lives: Lives,
    treatment: Treatment,
    most: u32,
) -> Result<Played> {
    let mut worlds = Worlds::default();
    protocol.place(&mut worlds);
    let (longest, games) = (protocol.longest(), [(P::NUMBER, adapter.clone())]);
    let mut played = Played { values: Vec::new(), paths: Vec::new(), steps: 0 };
    for first in (0..lives.count).step_by(most as usize) {
        let count = most.min(lives.count - first);
        // Blocks of one warp: there are few, and more multiprocessors.
        let live =
            |treated| animal(gpu, &worlds, body, parameters, &games, (first, Lives { count, ..lives }), 1, treated);
        let untreated = Treated::not(Kept::Answers(longest));
        let lived = match treatment {
            Treatment::None => live(untreated)?,
            Treatment::Amnesia => live(Treated { amnesia: true, ..untreated })?,
            Treatment::Shuffled => {
                let told = Told::new(gpu, count, longest)?;
                live(Treated { own: Some(&told), ..Treated::not(Kept::Answers(0)) })?;
                live(Treated { given: Some(&told), ..untreated })?
            }
        };
        let (steps, before) = (lived.steps.iter().map(|&steps| u64::from(steps)).sum::<u64>(), played.steps);
        let answers = Given { answers: lived.trace, lanes: lived.lanes, first };
        // Where outcomes are shuffled the CPU's donors answer as the shuffled did. That decides nothing but what they would be told, and
        // these answers do not listen; in B, where values are made of it, animals are told nothing, so both answer alike.
        play_some(protocol, &answers, lives.seed, first..first + count, treatment, &mut played);
        if steps != (played.steps - before) * body.ticks() as u64 {
            return Err(Error::Device(format!(
                "lives on the device took {steps} steps, and the same answers take {} on the CPU",
                (played.steps - before) * body.ticks() as u64
            )));
        }
    }
    Ok(played)
}

/// Answers that were given on a device, `[step][MOST_MOTORS][lane]`; the first lane is that of life `first`.
struct Given {
    answers: Vec<f32>,
    lanes: usize,
    first: u32,
}

impl Controller for Given {
    fn seat(&self, _: usize) -> Box<dyn Seat + '_> {
        Box::new(Reader(self))
    }
}

struct Reader<'a>(&'a Given);

impl Seat for Reader<'_> {
    fn reset(&mut self, _: usize) {}

    fn step(&mut self, moment: &Moment, outputs: &mut [f32]) {
        let Given { answers, lanes, first } = self.0;
        for (motor, outputs) in outputs.chunks_exact_mut(moment.lanes).enumerate() {
            let row = &answers[(moment.step as usize * MOST_MOTORS as usize + motor) * lanes..][..*lanes];
            let from = (moment.first - first) as usize;
            moment.live.iter().for_each(|&lane| outputs[lane] = row[from + lane]);
        }
    }
}

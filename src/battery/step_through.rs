//! Assay C: one shock, and the animal stays away from where it had it, and from there alone.
//!
//! A step-through box: a light start, a dark compartment behind a door. A compartment carries one of four cues; two of them,
//! X and Y, are drawn for a life. A control step is 5 s and a trial is cut off after 60 of them.
//!
//! 1. A naive trial with X. In half of the lives it is shocked on entering: r- in the step that follows, where it still
//!    senses the cue of the compartment it is in.
//! 2. A delay without cues.
//! 3. Tests with X and with Y, in an order that is drawn; no shocks.
//!
//! Senses: the cue, in the light, in the delay. It goes if the first output is larger than the second.

use super::play::{After, Outcomes, Protocol};
use crate::rng::{Row, unit_uniform};

/// Sizes of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepThrough {
    /// Control steps after which a trial is cut off.
    pub cutoff: u32,
    /// Control steps between the naive trial and the tests.
    pub delay: u32,
    /// A cue is a blend, two channels at a half each; X and Y have none in common.
    pub blends: bool,
}

impl Default for StepThrough {
    fn default() -> Self {
        Self { cutoff: 60, delay: 20, blends: false }
    }
}

/// Cues that there are.
pub const CUES: usize = 4;
/// Seconds of a control step.
const SECONDS: f64 = 5.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Naive,
    /// It has entered, and is told so.
    Entered,
    Delay,
    First,
    Second,
}

/// An animal in its box.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// The channels of X and of Y: one each, twice, or two.
    cues: [[usize; 2]; 2],
    /// It is to be shocked.
    shocked: bool,
    /// Which of the two is tested first.
    first: usize,
    stage: Stage,
    /// Control steps of the stage.
    steps: u32,
    /// What it is told next.
    told: i32,
    /// Steps until it entered: naive, test with X, test with Y; 0 if it did not.
    entered: [u32; 3],
}

/// Columns of [`Protocol::values`].
pub mod column {
    /// Latencies in seconds: naive, test with X, test with Y; the cut-off if it did not enter.
    pub const LATENCY: usize = 0;
    /// 1 if it did not enter in the test with X; NaN unless it entered when naive and was then shocked.
    pub const AVOIDS_SHOCKED: usize = 3;
    /// The same of those that were not shocked.
    pub const AVOIDS_UNSHOCKED: usize = 4;
    /// 1 if it did not enter in the test with Y, of those that were shocked.
    pub const AVOIDS_OTHER: usize = 5;
    /// Latencies in the test with X, of those that were shocked.
    pub const LATENCY_SHOCKED: usize = 6;
    /// The same of those that were not.
    pub const LATENCY_UNSHOCKED: usize = 7;
    /// Latencies in the test with Y, of those that were shocked.
    pub const LATENCY_OTHER: usize = 8;
}

impl StepThrough {
    /// Which cue is at the door, 0 for X.
    fn tested(life: &Life) -> usize {
        match life.stage {
            Stage::First => life.first,
            Stage::Second => 1 - life.first,
            _ => 0,
        }
    }

    fn enter(&self, life: &mut Life, stage: Stage) -> After {
        (life.stage, life.steps) = (stage, 0);
        After::Next
    }
}

impl Protocol for StepThrough {
    type Life = Life;
    const NUMBER: u32 = 2;
    const DRAWS: bool = false;
    const SENSES: &'static [&'static str] = &["cue 1", "cue 2", "cue 3", "cue 4", "light", "delay"];
    const MOTORS: &'static [&'static str] = &["go", "stay"];

    fn longest(&self) -> u32 {
        3 * self.cutoff + 1 + self.delay
    }

    fn begin(&self, row: &Row, _: u32) -> Life {
        let [x, y, shocked, first] = row.block(0).map(unit_uniform);
        let x = (CUES as f32 * x) as usize;
        let y = (x + 1 + ((CUES - 1) as f32 * y) as usize) % CUES;
        let others: Vec<usize> = (0..CUES).filter(|&cue| cue != x && cue != y).collect();
        Life {
            cues: if self.blends { [[x, others[0]], [y, others[1]]] } else { [[x, x], [y, y]] },
            shocked: shocked < 0.5,
            first: usize::from(first < 0.5),
            stage: Stage::Naive,
            steps: 0,
            told: 0,
            entered: [0; 3],
        }
    }

    fn observe(&self, life: &mut Life, _: [u32; 4], senses: &mut [f32]) -> i32 {
        senses.fill(0.0);
        if life.stage != Stage::Delay {
            life.cues[Self::tested(life)].into_iter().for_each(|channel| senses[channel] += 0.5);
        }
        senses[CUES] = f32::from(matches!(life.stage, Stage::Naive | Stage::First | Stage::Second));
        senses[CUES + 1] = f32::from(life.stage == Stage::Delay);
        std::mem::take(&mut life.told)
    }

    fn act(&self, life: &mut Life, _: [u32; 4], outputs: &[f32], outcome: &mut Outcomes) -> After {
        let goes = outputs[0] > outputs[1];
        life.steps += 1;
        let trial = match life.stage {
            Stage::Entered => return self.enter(life, Stage::Delay),
            Stage::Delay if life.steps < self.delay => return After::Next,
            Stage::Delay => {
                self.enter(life, Stage::First);
                return After::Forget;
            }
            Stage::Naive => 0,
            Stage::First | Stage::Second => 1 + Self::tested(life),
        };
        if goes {
            life.entered[trial] = life.steps;
        } else if life.steps < self.cutoff {
            return After::Next;
        }
        match life.stage {
            Stage::Naive if goes => {
                life.told = outcome.next(-i32::from(life.shocked));
                self.enter(life, Stage::Entered)
            }
            Stage::Naive => self.enter(life, Stage::Delay),
            Stage::First => self.enter(life, Stage::Second),
            _ => After::Over,
        }
    }

    fn values(&self, life: &Life) -> Vec<f64> {
        let [naive, x, y] = life.entered;
        let latency = |steps: u32| SECONDS * f64::from(if steps > 0 { steps } else { self.cutoff });
        let of = |condition: bool, value: f64| if condition && naive > 0 { value } else { f64::NAN };
        let (shocked, not) = (life.shocked, !life.shocked);
        vec![
            latency(naive),
            latency(x),
            latency(y),
            of(shocked, f64::from(x == 0)),
            of(not, f64::from(x == 0)),
            of(shocked, f64::from(y == 0)),
            of(shocked, latency(x)),
            of(not, latency(x)),
            of(shocked, latency(y)),
        ]
    }

    /// Waiting costs what it takes, up to 1 a trial, but is worth as much where it has been shocked: fearing everything is no better
    /// than fearing nothing, so neither is a place to get stuck. What neither shock nor its absence can have told counts half.
    fn fitness(&self, life: &Life) -> f32 {
        let [naive, x, y] = life.entered;
        let waited = |steps: u32| (if steps > 0 { steps } else { self.cutoff }) as f32;
        let tests = if life.shocked && naive > 0 { waited(x) - waited(y) } else { -0.5 * (waited(x) + waited(y)) };
        (tests - waited(naive)) / self.cutoff as f32
    }
}

//! Assay B: does the animal know where it has eaten? See [`super::arena`] for the phases.

use std::f64::consts::TAU;

use super::arena::{self, Arena, Forager, Phase};
use super::plate::{self, Draws, Motion, Worm, direction, wrap};
use super::play::{After, Outcomes, PATHS, Protocol};
use crate::rng::{Row, unit_uniform};

/// A forager, and what is written down of it.
#[derive(Debug, Clone)]
pub struct Life {
    state: Forager,
    /// Of the step.
    draws: Draws,
    /// Of the food that exits are measured from; another life's if outcomes are shuffled.
    site: i32,
    /// Control steps of the test.
    tested: usize,
    /// Pirouettes in the first and the second minute of the test, and the control steps of each.
    events: [[f64; 2]; 2],
    /// Of the test.
    path: Option<Vec<[f32; 2]>>,
}

/// Columns of [`Protocol::values`].
pub mod column {
    /// 1 if it found the food.
    pub const REACHED: usize = 0;
    /// 1 if it then left the ring; NaN if it had not found the food.
    pub const EXIT: usize = 1;
    /// Cosine of the angle between exit and site; NaN without an exit.
    pub const COSINE: usize = 2;
    /// 1 if the exit is within 45 degrees of the site; NaN without an exit.
    pub const QUADRANT: usize = 3;
    /// Pirouettes and minutes in the first minute of the test, and in the second.
    pub const EVENTS: usize = 4;
}

/// Sites of the food.
const SITES: f64 = 8.0;

impl Protocol for Arena {
    type Life = Life;
    const NUMBER: u32 = 1;
    const SENSES: &'static [&'static str] = &arena::SENSES;
    const MOTORS: &'static [&'static str] = &plate::MOTORS;

    fn longest(&self) -> u32 {
        (self.find + self.eat + self.delay + self.test) as u32
    }

    fn begin(&self, row: &Row, number: u32) -> Life {
        let [site, first, second, _] = row.block(0).map(|word| f64::from(unit_uniform(word)));
        let heading = |share: f64| wrap(TAU * share);
        let site = (SITES * site) as i32;
        Life {
            state: Forager::new(self, site, heading(first), heading(second)),
            draws: Draws::default(),
            site,
            tested: 0,
            events: [[0.0; 2]; 2],
            path: ((number as usize) < PATHS).then(Vec::new),
        }
    }

    fn observe(&self, life: &mut Life, words: [u32; 4], senses: &mut [f32]) -> i32 {
        life.draws = Draws::of(words);
        senses.copy_from_slice(&Arena::observe(self, &mut life.state, &life.draws));
        0
    }

    fn act(&self, life: &mut Life, _: [u32; 4], outputs: &[f32], outcome: &mut Outcomes) -> After {
        let before = life.state.phase;
        let motion = self.step(&mut life.state, outputs[0] - outputs[1], outputs[2], &life.draws);
        if before == Phase::Test {
            let minute = (60.0 / self.plate.dt) as usize;
            if let Some(events) = life.events.get_mut(life.tested / minute) {
                events[0] += f64::from(motion == Motion::Pirouette);
                events[1] += self.plate.dt / 60.0;
            }
            life.tested += 1;
        }
        if before == Phase::Test
            && let Some(path) = &mut life.path
        {
            // Turned so that the food was on the right.
            let (sin, cos) = direction(TAU / SITES * f64::from(life.site));
            let Worm { x, y, .. } = life.state.worm;
            path.push([(x * cos + y * sin) as f32, (y * cos - x * sin) as f32]);
        }
        match (before, life.state.phase) {
            (Phase::Find, Phase::Eat) => {
                life.site = outcome.next(life.site);
                After::Next
            }
            (_, Phase::Done) => After::Over,
            (Phase::Delay, Phase::Test) => After::Forget,
            _ => After::Next,
        }
    }

    fn values(&self, life: &Life) -> Vec<f64> {
        let Life { state, site, events, .. } = life;
        let (reached, left) = (state.reached, !state.exit.is_nan());
        let of_those = |condition: bool, value: f64| if condition { value } else { f64::NAN };
        let cosine = of_those(left, direction(state.exit - TAU / SITES * f64::from(*site)).1);
        let quadrant = f64::from(cosine > std::f64::consts::FRAC_1_SQRT_2);
        let mut values = vec![f64::from(reached), of_those(reached, f64::from(left)), cosine, of_those(left, quadrant)];
        values.extend(events.iter().flatten());
        values
    }

    /// Part for the food and the rest for where it leaves: without the first, nothing would lead to the second.
    fn fitness(&self, life: &Life) -> f32 {
        let Life { state, site, .. } = life;
        let found = if state.reached { 0.3 } else { 0.0 };
        match state.exit {
            exit if exit.is_nan() => found,
            exit => found + direction(exit - TAU / SITES * f64::from(*site)).1 as f32,
        }
    }

    fn path(life: &Life) -> &[[f32; 2]] {
        life.path.as_deref().unwrap_or_default()
    }
}

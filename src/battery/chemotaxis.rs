//! Assay A: does the animal go to salt? A peak at (20, 0) mm, a mirror spot without salt at (-20, 0), ten minutes from the
//! middle of the plate.

use std::f64::consts::TAU;

use super::plate::{self, Draws, Motion, Plate, Source, Worm, angle_of, direction, wrap};
use super::play::{After, Outcomes, PATHS, Protocol};
use crate::rng::{Row, unit_uniform};

/// A plate and how long lives are on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chemotaxis {
    /// Senses and motion.
    pub plate: Plate,
    /// Control steps of a life.
    pub steps: i32,
}

/// Where the peak is; the mirror spot is on the other side.
const PEAK: f64 = 20.0;
/// How close to either counts, mm.
const SPOT: f64 = 10.0;
/// How close to the peak is there, mm.
const REACHED: f64 = 3.0;
/// Starts lie in a disc of this radius, mm.
const START: f64 = 2.0;
/// Curving is measured so far from the wall, mm.
const FROM_WALL: f64 = 1.0;
/// Minutes at which a life is looked at.
pub const MINUTES: usize = 10;
/// Bins of the bearing, from -180 to 180 degrees.
pub const BEARINGS: usize = 12;

impl Default for Chemotaxis {
    fn default() -> Self {
        Self { plate: Plate::default(), steps: 1200 }
    }
}

/// A worm, and what is written down of it.
#[derive(Debug, Clone)]
pub struct Life {
    worm: Worm,
    /// Of the step.
    draws: Draws,
    start: f64,
    distances: f64,
    /// Control steps until it came close; 0 before.
    reached: i32,
    /// 1 near the peak, -1 near the mirror spot, at the end of each minute.
    spots: [i8; MINUTES],
    /// Steps with a curving rate; sums of gradient, rate, their product, squared gradient.
    regression: [f64; 5],
    /// Sum of curving rates and steps, by bearing.
    curving: [[f64; 2]; BEARINGS],
    /// Pirouettes and steps of motion, up the gradient and down.
    events: [[f64; 2]; 2],
    path: Option<Vec<[f32; 2]>>,
}

/// Columns of [`Protocol::values`].
pub mod column {
    use super::{BEARINGS, MINUTES};

    /// First of those of each minute.
    pub const SPOT: usize = 0;
    /// 1 - mean distance from the peak over the distance at the start.
    pub const APPROACH: usize = SPOT + MINUTES;
    /// 1 if it came close.
    pub const REACHED: usize = APPROACH + 1;
    /// Seconds until then; NaN of those that did not.
    pub const LATENCY: usize = REACHED + 1;
    /// First of five: n, sums of gradient, rate, product, square.
    pub const REGRESSION: usize = LATENCY + 1;
    /// First of sums of the curving rate.
    pub const CURVING: usize = REGRESSION + 5;
    /// First of the steps in them.
    pub const CURVED: usize = CURVING + BEARINGS;
    /// Pirouettes up, minutes up, pirouettes down, minutes down.
    pub const EVENTS: usize = CURVED + BEARINGS;
}

impl Chemotaxis {
    fn source() -> Source {
        Source { x: PEAK, y: 0.0, strength: 1.0 }
    }

    /// What a step came to: `before` is where it began.
    fn write_down(&self, life: &mut Life, before: Worm, motion: Motion) {
        if motion == Motion::Paused {
            return;
        }
        let source = Self::source();
        let (across, along) = self.plate.gradient(&source, before.x, before.y);
        let (sin, cos) = direction(before.heading);
        let side = &mut life.events[usize::from(across * cos + along * sin < 0.0)];
        side[1] += 1.0;
        if motion == Motion::Pirouette {
            side[0] += 1.0;
            return;
        }
        if before.distance() > self.plate.radius - FROM_WALL || life.worm.distance() > self.plate.radius - FROM_WALL {
            return;
        }
        let turned = wrap(life.worm.heading - before.heading).to_degrees();
        let rate = turned / (self.plate.speed * self.plate.dt);
        let left = along * cos - across * sin;
        let sums = [1.0, left, rate, left * rate, left * left];
        life.regression.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
        let towards = angle_of(source.y - before.y, source.x - before.x);
        let share = (wrap(towards - before.heading) / TAU + 0.5) * BEARINGS as f64;
        let bin = &mut life.curving[(share as usize).min(BEARINGS - 1)];
        bin[0] += rate;
        bin[1] += 1.0;
    }
}

impl Protocol for Chemotaxis {
    type Life = Life;
    const NUMBER: u32 = 0;
    const SENSES: &'static [&'static str] = &plate::SENSES;
    const MOTORS: &'static [&'static str] = &plate::MOTORS;

    fn longest(&self) -> u32 {
        self.steps as u32
    }

    fn begin(&self, row: &Row, number: u32) -> Life {
        let [radius, angle, heading, _] = row.block(0).map(|word| f64::from(unit_uniform(word)));
        let (sin, cos) = direction(TAU * angle);
        let radius = START * radius.sqrt();
        let worm = Worm::at(radius * cos, radius * sin, wrap(TAU * heading));
        Life {
            worm,
            draws: Draws::default(),
            start: worm.distance_to(&Self::source()),
            distances: 0.0,
            reached: 0,
            spots: [0; MINUTES],
            regression: [0.0; 5],
            curving: [[0.0; 2]; BEARINGS],
            events: [[0.0; 2]; 2],
            path: ((number as usize) < PATHS).then(|| vec![[worm.x as f32, worm.y as f32]]),
        }
    }

    fn observe(&self, life: &mut Life, words: [u32; 4], senses: &mut [f32]) -> i32 {
        life.draws = Draws::of(words);
        senses.copy_from_slice(&self.plate.observe(&mut life.worm, &Self::source(), &life.draws));
        0
    }

    fn act(&self, life: &mut Life, _: [u32; 4], outputs: &[f32], _: &mut Outcomes) -> After {
        let before = life.worm;
        let motion = self.plate.step(&mut life.worm, outputs[0] - outputs[1], outputs[2], &life.draws);
        self.write_down(life, before, motion);
        let (worm, source) = (life.worm, Self::source());
        let distance = worm.distance_to(&source);
        life.distances += distance;
        if life.reached == 0 && distance < REACHED {
            life.reached = worm.step;
        }
        let minute = self.steps / MINUTES as i32;
        if worm.step % minute == 0 {
            let mirror = Source { x: -PEAK, ..source };
            let spot = i8::from(distance < SPOT) - i8::from(worm.distance_to(&mirror) < SPOT);
            if let Some(at) = life.spots.get_mut((worm.step / minute - 1) as usize) {
                *at = spot;
            }
        }
        if let Some(path) = &mut life.path {
            path.push([worm.x as f32, worm.y as f32]);
        }
        if worm.step >= self.steps { After::Over } else { After::Next }
    }

    fn values(&self, life: &Life) -> Vec<f64> {
        let dt = self.plate.dt;
        let mut values: Vec<f64> = life.spots.iter().map(|&spot| f64::from(spot)).collect();
        values.push(1.0 - life.distances / f64::from(life.worm.step) / life.start);
        values.push(f64::from(life.reached > 0));
        values.push(if life.reached > 0 { dt * f64::from(life.reached) } else { f64::NAN });
        values.extend(life.regression);
        values.extend(life.curving.iter().map(|bin| bin[0]));
        values.extend(life.curving.iter().map(|bin| bin[1]));
        values.extend(life.events.iter().flat_map(|&[events, steps]| [events, steps * dt / 60.0]));
        values
    }

    /// The approach: it grows with every step towards the peak.
    fn fitness(&self, life: &Life) -> f32 {
        (1.0 - life.distances / f64::from(life.worm.step) / life.start) as f32
    }

    fn path(life: &Life) -> &[[f32; 2]] {
        life.path.as_deref().unwrap_or_default()
    }
}

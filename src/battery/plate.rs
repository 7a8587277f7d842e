//! A point worm on an agar plate with one source of salt: what the assays of chemotaxis and of food memory are played on.
//!
//! ```text
//! psi  = 2 pi k dt / period                               where the head is in its sweep
//! nose = (x, y) + length (cos a, sin a),  a = phi + sweep sin psi
//! C(p) = base + S peak exp(-|p - source|^2 / (2 spread^2))
//! e    = gain (C - m) / (half + m) + noise eta0;  then m <- m + dt / adaptation (C - m)
//! senses = [clip(e), clip(-e), C / reference, sin psi, cos psi]
//! ```
//!
//! Then the worm acts: turn u in [-1, 1], drive of pirouettes p in [0, 1]. While a pause lasts it rests. Otherwise a pirouette
//! comes with the probability 1 - exp(-rate p dt), which turns it anywhere and makes it pause; or it heads on:
//!
//! ```text
//! phi <- wrap(phi + dt turning u + heading_noise sqrt(dt) eta1);  (x, y) <- (x, y) + speed dt (cos phi, sin phi)
//! ```
//!
//! At the wall it is reflected. One nose: left and right differ in time only, so steering needs the product of e and the
//! head's phase (klinotaxis), and pirouettes the slow part of e (klinokinesis). A step of 0.5 s gives 8 samples a sweep; a
//! coarser one would take steering away.
//!
//! State and concentrations are f64: a life adds up 1,200 steps, whose roundings in f32 would drift by 1e-5 mm in the first 160,
//! and the sense divides a small difference of concentrations by a small sum. Angles are turned into directions in f32, where an
//! error of 1e-7 costs 1e-8 mm. Four numbers are drawn a step, used or not, so that a kernel draws the same ones.

use std::f64::consts::{PI, TAU};

use crate::num::transcendental::{angle, exp};
use crate::num::{clip_unit, sin_cos, sin_cos_pi};
use crate::rng::{normal_pair, unit_uniform};

/// What all worms of an assay share. Lengths in mm, times in s, concentrations in mM, angles in rad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plate {
    /// Time of a control step.
    pub dt: f64,
    /// Of crawling, mm/s.
    pub speed: f64,
    /// Of the plate.
    pub radius: f64,
    /// Largest rate of turning, rad/s.
    pub turning: f64,
    /// Of the heading, rad/sqrt(s).
    pub heading_noise: f64,
    /// Pirouettes a second at full drive.
    pub rate: f64,
    /// Control steps that a pirouette takes.
    pub pause: i32,
    /// Of a head sweep.
    pub period: f64,
    /// Largest angle of the head.
    pub sweep: f64,
    /// From the worm's point to its nose.
    pub length: f64,
    /// Concentration far from the source.
    pub base: f64,
    /// What the source adds at its middle.
    pub peak: f64,
    /// Standard deviation of the source's Gaussian.
    pub spread: f64,
    /// Of the sense of change.
    pub gain: f64,
    /// Concentration that halves the gain.
    pub half: f64,
    /// Time constant of the adaptation.
    pub adaptation: f64,
    /// Of the sense of change.
    pub noise: f64,
    /// Concentration that the tonic sense shows as 1.
    pub reference: f64,
}

impl Default for Plate {
    fn default() -> Self {
        Self {
            dt: 0.5,
            speed: 0.15,
            radius: 45.0,
            turning: 0.3,
            heading_noise: 0.2,
            rate: 0.2,
            pause: 8,
            period: 4.0,
            sweep: 0.7,
            length: 0.2,
            base: 1.0,
            peak: 20.0,
            spread: 15.0,
            gain: 20.0,
            half: 1.0,
            adaptation: 4.0,
            noise: 0.02,
            reference: 20.0,
        }
    }
}

/// Where the salt comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// Of its middle, mm.
    pub x: f64,
    /// Of its middle, mm.
    pub y: f64,
    /// 1 while there is one, 0 when it has been taken away.
    pub strength: f64,
}

/// A worm's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worm {
    /// mm.
    pub x: f64,
    /// mm.
    pub y: f64,
    /// phi, rad, in [-pi, pi).
    pub heading: f64,
    /// m, the concentration that it is adapted to, mM.
    pub adapted: f64,
    /// Control steps left of a pause.
    pub pause: i32,
    /// Control steps since its start.
    pub step: i32,
}

/// What a step draws.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Draws {
    /// Standard normal: noise of the sense.
    pub sense: f32,
    /// Standard normal: noise of the heading.
    pub heading: f32,
    /// In [0, 1): whether a pirouette comes.
    pub event: f32,
    /// In [0, 1): by how much it turns.
    pub turn: f32,
}

/// What a worm's step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// It rested.
    Paused,
    /// A pirouette: it turned where it was.
    Pirouette,
    /// It crawled on.
    Crawled,
}

/// Names of what a worm senses.
pub const SENSES: [&str; 5] = ["on", "off", "tonic", "sin sweep", "cos sweep"];

/// Names of what moves it: it turns to the left by the first less the second.
pub const MOTORS: [&str; 3] = ["left", "right", "pirouette"];

/// The same angle in [-pi, pi).
#[inline(always)]
pub fn wrap(angle: f64) -> f64 {
    angle - TAU * ((angle + PI) / TAU).floor()
}

/// The angle of the point (x, y), in [-pi, pi]; 0 of the origin.
#[inline(always)]
pub fn angle_of(y: f64, x: f64) -> f64 {
    if x == 0.0 && y == 0.0 {
        return 0.0;
    }
    let upper = angle(y.abs(), x);
    if y < 0.0 { -upper } else { upper }
}

/// Sine and cosine of an angle, each with an error below 2e-7.
#[inline(always)]
pub fn direction(angle: f64) -> (f64, f64) {
    let (sin, cos) = sin_cos(angle as f32);
    (sin.into(), cos.into())
}

impl Draws {
    /// From the four words of a block.
    #[inline(always)]
    pub fn of([a, b, c, d]: [u32; 4]) -> Self {
        let (sense, heading) = normal_pair(a, b);
        Self { sense, heading, event: unit_uniform(c), turn: unit_uniform(d) }
    }
}

impl Worm {
    /// At rest at a place, adapted to nothing yet.
    pub fn at(x: f64, y: f64, heading: f64) -> Self {
        Self { x, y, heading, adapted: 0.0, pause: 0, step: 0 }
    }

    /// Its distance from the plate's middle.
    #[inline(always)]
    pub fn distance(&self) -> f64 {
        (self.x * self.x + self.y * self.y).sqrt()
    }

    /// Its distance from a source.
    #[inline(always)]
    pub fn distance_to(&self, source: &Source) -> f64 {
        let (dx, dy) = (self.x - source.x, self.y - source.y);
        (dx * dx + dy * dy).sqrt()
    }
}

impl Plate {
    /// Concentration at a point.
    #[inline(always)]
    pub fn concentration(&self, source: &Source, x: f64, y: f64) -> f64 {
        let (dx, dy) = (x - source.x, y - source.y);
        let fall = exp(-(dx * dx + dy * dy) / (2.0 * self.spread * self.spread));
        self.base + source.strength * self.peak * fall
    }

    /// Slope of the concentration at a point, mM/mm.
    pub fn gradient(&self, source: &Source, x: f64, y: f64) -> (f64, f64) {
        let above = self.concentration(source, x, y) - self.base;
        let scale = -above / (self.spread * self.spread);
        (scale * (x - source.x), scale * (y - source.y))
    }

    /// What a worm senses now; it adapts thereby.
    #[inline(always)]
    pub fn observe(&self, worm: &mut Worm, source: &Source, draws: &Draws) -> [f32; 5] {
        let sweeps = f64::from(worm.step) * (self.dt / self.period);
        let (sin, cos) = sin_cos_pi((2.0 * (sweeps - sweeps.floor())) as f32);
        let (nose_sin, nose_cos) = direction(worm.heading + self.sweep * f64::from(sin));
        let felt = self.concentration(source, worm.x + self.length * nose_cos, worm.y + self.length * nose_sin);
        if worm.step == 0 {
            worm.adapted = felt;
        }
        let change = felt - worm.adapted;
        let e = (self.gain * change / (self.half + worm.adapted) + self.noise * f64::from(draws.sense)) as f32;
        worm.adapted += self.dt / self.adaptation * change;
        [clip_unit(e), clip_unit(-e), (felt / self.reference) as f32, sin, cos]
    }

    /// Turn and drive are clipped to their ranges; NaN is no turn and no drive.
    #[inline(always)]
    pub fn step(&self, worm: &mut Worm, turn: f32, drive: f32, draws: &Draws) -> Motion {
        worm.step += 1;
        let motion = self.act(worm, turn, drive, draws);
        let distance = worm.distance();
        if distance > self.radius {
            let back = self.radius / distance;
            worm.x *= back;
            worm.y *= back;
            worm.heading = wrap(2.0 * angle_of(worm.y, worm.x) + PI - worm.heading);
        }
        motion
    }

    #[inline(always)]
    fn act(&self, worm: &mut Worm, turn: f32, drive: f32, draws: &Draws) -> Motion {
        if worm.pause > 0 {
            worm.pause -= 1;
            return Motion::Paused;
        }
        let drive = if drive > 0.0 { f64::from(drive.min(1.0)) } else { 0.0 };
        if f64::from(draws.event) < 1.0 - exp(-self.rate * drive * self.dt) {
            worm.heading = wrap(worm.heading + PI * (2.0 * f64::from(draws.turn) - 1.0));
            worm.pause = self.pause;
            return Motion::Pirouette;
        }
        let turn = if turn >= -1.0 { turn.min(1.0) } else { -f32::from(turn < -1.0) };
        let noise = self.heading_noise * self.dt.sqrt() * f64::from(draws.heading);
        worm.heading = wrap(worm.heading + self.dt * self.turning * f64::from(turn) + noise);
        let (sin, cos) = direction(worm.heading);
        worm.x += self.speed * self.dt * cos;
        worm.y += self.speed * self.dt * sin;
        Motion::Crawled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_come_back_into_their_range() {
        for turns in -3..=3 {
            for angle in [-3.1f64, -0.5, 0.0, 2.0, 3.1] {
                assert!((wrap(angle + 2.0 * PI * f64::from(turns)) - angle).abs() < 1e-14, "{angle} {turns}");
            }
        }
        for (y, x) in [(1.0f64, 2.0), (-1.0, 2.0), (3.0, -0.5), (-3.0, -0.5), (0.0, -1.0), (0.0, 0.0)] {
            assert!((angle_of(y, x) - y.atan2(x)).abs() < 1e-14, "{y} {x}");
        }
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_concentration() {
        let (plate, source) = (Plate::default(), Source { x: 20.0, y: 0.0, strength: 1.0 });
        let (x, y, step) = (11.0, -7.0, 0.25);
        let slope = |a: f64, b: f64| (a - b) / (2.0 * step);
        let at = |x, y| plate.concentration(&source, x, y);
        let (across, along) = plate.gradient(&source, x, y);
        assert!((across - slope(at(x + step, y), at(x - step, y))).abs() < 1e-3);
        assert!((along - slope(at(x, y + step), at(x, y - step))).abs() < 1e-3);
    }

    #[test]
    fn no_answer_leaves_its_range() {
        let (plate, still) = (Plate::default(), Draws { sense: 0.0, heading: 0.0, event: 0.5, turn: 0.5 });
        for (turn, drive, heading) in [(f32::NAN, f32::NAN, 0.0), (9.0, -1.0, 0.15), (-9.0, 0.0, -0.15)] {
            let mut worm = Worm::at(0.0, 0.0, 0.0);
            assert_eq!(plate.step(&mut worm, turn, drive, &still), Motion::Crawled);
            assert!((worm.heading - heading).abs() < 1e-6, "{turn}: {}", worm.heading);
        }
    }
}

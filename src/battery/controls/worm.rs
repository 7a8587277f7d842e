//! Worms by hand, for the plate and the food-memory arena. Outputs: right minus left turn, and drive of pirouettes.
//!
//! With e = ON - OFF, all averages over 8 samples, one head sweep:
//!
//! ```text
//! z  <- z + (e sin psi - z) / 8       which side is saltier: steer with 40 z
//! es <- es + (e - es) / 8             whether it gets saltier: pirouettes with 0.15 - 2 es
//! ```

use std::f32::consts::TAU;

use crate::battery::play::Behaviour;
use crate::rng::unit_uniform;

/// Drive of pirouettes without any sense: 1.8 a minute, near that of worms without a stimulus.
const BASAL: f32 = 0.15;
const AVERAGE: f32 = 0.125;

/// A reflex without a memory beyond one head sweep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reflex {
    steering: f32,
    pirouettes: f32,
    side: f32,
    change: f32,
}

impl Reflex {
    /// Turns now and then, and senses nothing.
    pub const INDIFFERENT: Self = Self { steering: 0.0, pirouettes: 0.0, side: 0.0, change: 0.0 };
    /// Only pirouettes.
    pub const PIROUETTES: Self = Self { pirouettes: 2.0, ..Self::INDIFFERENT };
    /// Only steering.
    pub const STEERING: Self = Self { steering: 40.0, ..Self::INDIFFERENT };
    /// Both, as a worm does.
    pub const BOTH: Self = Self { steering: 40.0, pirouettes: 2.0, ..Self::INDIFFERENT };
    /// Both, the wrong way round: it must go away from salt.
    pub const INVERTED: Self = Self { steering: -40.0, pirouettes: -2.0, ..Self::INDIFFERENT };

    /// Turn and drive.
    fn answer(&mut self, senses: &[f32]) -> (f32, f32) {
        let e = senses[0] - senses[1];
        self.side += AVERAGE * (e * senses[3] - self.side);
        self.change += AVERAGE * (e - self.change);
        (self.steering * self.side, BASAL - self.pirouettes * self.change)
    }
}

impl Behaviour for Reflex {
    fn act(&mut self, senses: &[f32], _: i32, _: [u32; 4]) -> [f32; 4] {
        let (turn, drive) = self.answer(senses);
        [turn, 0.0, drive, 0.0]
    }
}

/// Turns at random, pirouettes now and then.
#[derive(Debug, Clone, Copy)]
pub struct Wanderer;

impl Behaviour for Wanderer {
    fn act(&mut self, _: &[f32], _: i32, chance: [u32; 4]) -> [f32; 4] {
        [2.0 * unit_uniform(chance[0]) - 1.0, 0.0, BASAL, 0.0]
    }
}

/// Adds up its compass while it moves, keeps the sum at the meal, and follows it when it is let go.
#[derive(Debug, Clone, Copy)]
pub struct Navigator {
    reflex: Reflex,
    sum: (f32, f32),
    /// The sum at the meal.
    kept: Option<(f32, f32)>,
    held: bool,
}

impl Navigator {
    /// At rest. It steers to food and makes no pirouettes, which it would not feel.
    pub const REST: Self = Self { reflex: Reflex::STEERING, sum: (0.0, 0.0), kept: None, held: false };
}

impl Behaviour for Navigator {
    fn act(&mut self, senses: &[f32], _: i32, _: [u32; 4]) -> [f32; 4] {
        let &[.., cos, sin, food, held] = senses else { return [0.0; 4] };
        let (turn, _) = self.reflex.answer(senses);
        if food > 0.0 {
            self.kept = Some(self.sum);
            return [0.0; 4];
        }
        if held > 0.0 {
            self.held = true;
            return [0.0; 4];
        }
        self.sum = (self.sum.0 + cos, self.sum.1 + sin);
        match self.kept {
            // The sine of the angle from its heading to the place, times the distance: it turns the shorter way.
            Some((x, y)) if self.held => {
                let length = (x * x + y * y).sqrt().max(1.0);
                let (along, left) = (x * cos + y * sin, y * cos - x * sin);
                let turn = if along < 0.0 { left.signum() } else { TAU * left / length };
                [turn, 0.0, 0.0, 0.0]
            }
            _ => [turn, 0.0, 0.0, 0.0],
        }
    }
}

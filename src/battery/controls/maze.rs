//! Animals by hand for the T-maze: senses are wall, green and red; outputs forward, left and right.
//!
//! The way to an arm's end: forward until the wall of the crossing, a turn to the arm's side, forward.

use crate::battery::play::Behaviour;
use crate::rng::unit_uniform;

const FORWARD: [f32; 4] = [1.0, 0.0, 0.0, 0.0];
const LEFT: [f32; 4] = [0.0, 1.0, 0.0, 0.0];
const RIGHT: [f32; 4] = [0.0, 0.0, 1.0, 0.0];

/// Forward, left or right, each as likely as the others.
#[derive(Debug, Clone, Copy)]
pub struct RandomWalk;

impl Behaviour for RandomWalk {
    fn act(&mut self, _: &[f32], _: i32, chance: [u32; 4]) -> [f32; 4] {
        match (3.0 * unit_uniform(chance[0])) as u32 {
            0 => FORWARD,
            1 => LEFT,
            _ => RIGHT,
        }
    }
}

/// Which arm a walker wants in the next trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// The first one again.
    Stay,
    /// The same after food, the other one after poison.
    LoseShift,
    /// The other one.
    Alternate,
}

/// Goes to an arm, and knows what it does when it has been told what it ate.
#[derive(Debug, Clone, Copy)]
pub struct Walker {
    habit: Habit,
    /// Turns back where it sees poison.
    peeks: bool,
    right: bool,
    /// Turns still to make on its way back from a peek; with the last one it walks to the other arm.
    back: u32,
    walked: bool,
    /// Where it turned back, the poison is known before it is eaten.
    turned_back: bool,
}

impl Walker {
    /// Always to the same arm.
    pub const HABIT: Self =
        Self { habit: Habit::Stay, peeks: false, right: false, back: 0, walked: false, turned_back: false };
    /// Always first to the same arm, and to the other one if it sees poison there: it eats in every trial.
    pub const PEEKING: Self = Self { peeks: true, ..Self::HABIT };
    /// Win-stay, lose-shift.
    pub const LEARNING: Self = Self { habit: Habit::LoseShift, ..Self::HABIT };
    /// Left and right in turn.
    pub const ALTERNATING: Self = Self { habit: Habit::Alternate, ..Self::HABIT };
    /// Win-stay, lose-shift, and looks before it eats.
    pub const LEARNING_AND_PEEKING: Self = Self { peeks: true, ..Self::LEARNING };

    /// A turn towards the arm that it wants.
    fn turn(&self) -> [f32; 4] {
        if self.right { RIGHT } else { LEFT }
    }
}

impl Behaviour for Walker {
    fn act(&mut self, senses: &[f32], outcome: i32, _: [u32; 4]) -> [f32; 4] {
        let (wall, red) = (senses[0] > 0.0, senses[2] > 0.0);
        if outcome != 0 {
            // A new trial, in the middle of the stem. An animal without memory of its own wants the first arm again.
            self.right = match self.habit {
                Habit::Stay => false,
                Habit::LoseShift => self.right ^ (outcome < 0),
                Habit::Alternate => !self.right,
            };
            (self.back, self.walked, self.turned_back) = (0, false, false);
        }
        if self.back > 0 {
            // Twice the turn that led into the arm: the first meets a wall, the second walks back to the crossing.
            self.back -= 1;
            return if self.right { LEFT } else { RIGHT };
        }
        if self.peeks && red && !self.turned_back {
            (self.right, self.back, self.turned_back) = (!self.right, 1, true);
            return if self.right { LEFT } else { RIGHT };
        }
        if wall && !self.walked {
            self.walked = true;
            return self.turn();
        }
        FORWARD
    }
}

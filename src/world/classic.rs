//! What the three worlds of classic control share: the float that they compute in, and the step of many of them at once.
//!
//! Gymnasium computes them in double precision, and so does a world over `f64`, to the bit. Over `f32` a world is the same
//! equations in the same order, at three to seven times the speed.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{Outcome, World};
use crate::cpu::{InstructionSet, Kernel, LANES, Vector};
use crate::num;

/// `f64`, exact with Gymnasium, or `f32`.
pub trait Float:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Send
    + Sync
    + 'static
{
    /// Whether it gives Gymnasium's bits.
    const IS_EXACT: bool;
    /// The nearest one.
    fn of(x: f64) -> Self;
    /// Rounded to single precision.
    fn to_f32(self) -> f32;
    /// The same number.
    fn to_f64(self) -> f64;
    /// `self * factor + sum` with one rounding.
    fn mul_add(self, factor: Self, sum: Self) -> Self;
    /// Sine and cosine.
    fn sin_cos(self) -> (Self, Self);
    /// The same of a small number, in fewer operations.
    fn small_sin_cos(self) -> (Self, Self);
    /// Whether it is one.
    fn is_small(self) -> bool;
    /// As Python's `x ** 2`.
    fn squared(self) -> Self;

    /// -1, 0, 1 of the actions 0, 1, 2.
    #[inline(always)]
    fn direction(action: i32) -> Self {
        let forth = if action == 2 { Self::of(1.0) } else { Self::of(0.0) };
        if action == 0 { Self::of(-1.0) } else { forth }
    }

    /// The quotient by a constant, correctly rounded: its reciprocal, and a correction by the remainder (Markstein 1990).
    /// Several times as fast as the division. Not for quotients near the smallest numbers; that of -0 is 0.
    #[inline(always)]
    fn over(self, divisor: f64) -> Self {
        let (divisor, reciprocal) = (Self::of(divisor), Self::of(1.0) / Self::of(divisor));
        let quotient = self * reciprocal;
        let remainder = quotient.mul_add(-divisor, self);
        remainder.mul_add(reciprocal, quotient)
    }
}

macro_rules! float {
    ($float:ty, $is_exact:literal, $sin_cos:path, $small_sin_cos:path, $small:expr, |$x:ident| $squared:expr) => {
        impl Float for $float {
            const IS_EXACT: bool = $is_exact;

            #[inline(always)]
            fn of(x: f64) -> Self {
                x as Self
            }

            #[inline(always)]
            fn to_f32(self) -> f32 {
                self as f32
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn mul_add(self, factor: Self, sum: Self) -> Self {
                <$float>::mul_add(self, factor, sum)
            }

            #[inline(always)]
            fn sin_cos(self) -> (Self, Self) {
                $sin_cos(self)
            }

            #[inline(always)]
            fn small_sin_cos(self) -> (Self, Self) {
                $small_sin_cos(self)
            }

            #[inline(always)]
            fn is_small(self) -> bool {
                self.abs() < $small
            }

            #[inline(always)]
            fn squared(self) -> Self {
                let $x = self;
                $squared
            }
        }
    };
}

float!(f64, true, num::double::sin_cos, num::double::small_sin_cos, num::double::SMALL, |x| num::square::square(x));
float!(f32, false, num::sin_cos, num::small_sin_cos, num::SMALL, |x| x * x);

/// A world that is `N` numbers, and whose step is the same operations whatever they are.
pub trait Dynamics<const N: usize>: World<Action = i32> {
    /// What it computes in.
    type Float: Float;

    /// All that there is of it.
    fn numbers(&mut self) -> &mut [Self::Float; N];

    /// Whether [`Dynamics::advance`] may take a shorter way, where there is one.
    #[inline(always)]
    fn is_near(_numbers: &[Self::Float; N]) -> bool {
        false
    }

    /// What `action` makes of the numbers, and whether the episode has ended there. `NEAR` only where [`Dynamics::is_near`] says so; the
    /// bits are the same.
    fn advance<const NEAR: bool>(numbers: &mut [Self::Float; N], action: i32) -> bool;

    /// What such a step brings.
    fn outcome(terminated: bool) -> Outcome;
}

/// The step of one world.
#[inline(always)]
pub(super) fn step<W: Dynamics<N>, const N: usize>(world: &mut W, action: i32) -> Outcome {
    W::outcome(W::advance::<false>(world.numbers(), action))
}

/// The step of many worlds, a row of [`LANES`] at a time.
pub struct StepAll<'a, W> {
    /// The worlds.
    pub worlds: &'a mut [W],
    /// What each is told.
    pub actions: &'a [i32],
    /// What that brings each.
    pub rewards: &'a mut [f64],
    /// Whether its episode has ended there.
    pub terminated: &'a mut [bool],
}

impl<W> StepAll<'_, W> {
    /// As compiled for an instruction set; the bits are the same on all.
    ///
    /// # Panics
    /// When this machine does not have it.
    pub fn on<const N: usize>(self, set: InstructionSet)
    where
        W: Dynamics<N>,
    {
        set.run(Rows::<W, N>(self));
    }
}

/// The work as a kernel.
struct Rows<'a, W, const N: usize>(StepAll<'a, W>);

impl<W: Dynamics<N>, const N: usize> Kernel for Rows<'_, W, N> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self(StepAll { worlds, actions, rewards, terminated }) = self;
        let (worlds, few) = worlds.as_chunks_mut::<LANES>();
        let (actions, few_actions) = actions.as_chunks::<LANES>();
        let (rewards, few_rewards) = rewards.as_chunks_mut::<LANES>();
        let (terminated, few_terminated) = terminated.as_chunks_mut::<LANES>();
        for (((worlds, actions), rewards), terminated) in worlds.iter_mut().zip(actions).zip(rewards).zip(terminated) {
            let are_near = worlds.iter_mut().fold(true, |all, world| all & W::is_near(world.numbers()));
            *terminated = if are_near {
                step_row::<W, N, true>(worlds, actions)
            } else {
                step_row::<W, N, false>(worlds, actions)
            };
            *rewards = terminated.map(|terminated| W::outcome(terminated).reward);
        }
        let outcomes = few_rewards.iter_mut().zip(few_terminated);
        for ((world, &action), (reward, terminated)) in few.iter_mut().zip(few_actions).zip(outcomes) {
            (*reward, *terminated) = step(world, action).into();
        }
    }
}

/// The first loop becomes vectors, as long as it reads under one name and writes under another, begins and ends in memory with
/// numbers that it needs, and hands numbers on one by one or behind a reference: an array of two or four floats would go
/// through a register for integers.
#[inline(always)]
#[expect(clippy::manual_memcpy, reason = "an array may be copied as an integer, its numbers are not")]
fn step_row<W: Dynamics<N>, const N: usize, const NEAR: bool>(
    worlds: &mut [W; LANES],
    actions: &[i32; LANES],
) -> [bool; LANES] {
    let (mut next, mut terminated) = ([[W::Float::default(); N]; LANES], [false; LANES]);
    for lane in 0..LANES {
        let mut numbers = [W::Float::default(); N];
        for i in 0..N {
            numbers[i] = worlds[lane].numbers()[i];
        }
        terminated[lane] = W::advance::<NEAR>(&mut numbers, actions[lane]);
        for i in 0..N {
            next[lane][i] = numbers[i];
        }
    }
    for lane in 0..LANES {
        *worlds[lane].numbers() = next[lane];
    }
    terminated
}

/// Points of a picture, turned about the origin by `angle` (rad) and moved.
pub(super) fn turned(points: [[f32; 2]; 4], angle: f32, [right, up]: [f32; 2]) -> [[f32; 2]; 4] {
    let (sin, cos) = num::sin_cos(angle);
    points.map(|[x, y]| [x * cos - y * sin + right, x * sin + y * cos + up])
}

/// The corners of an upright rectangle.
pub(super) fn rectangle([left, bottom]: [f32; 2], [right, top]: [f32; 2]) -> [[f32; 2]; 4] {
    [[left, bottom], [left, top], [right, top], [right, bottom]]
}

#[cfg(test)]
mod tests {
    use super::Float;
    use crate::rng::{philox, unit_uniform};

    #[test]
    fn quotients_by_a_constant_are_correctly_rounded() {
        for i in 0..1_000_000 {
            let [a, b, c, d] = philox([i, 0, 0, 0], [3, 4]);
            let x = f64::from_bits(0x3f00_0000_0000_0000 | u64::from(a & 0x800f_ffff) << 32 | u64::from(b));
            let y = (2.0 * unit_uniform(c) - 1.0) * (d % 100) as f32;
            for divisor in [1.1, 0.3, 7.0] {
                assert_eq!(x.over(divisor).to_bits(), (x / divisor).to_bits(), "{x:e} / {divisor}");
                assert_eq!(y.over(divisor), y / divisor as f32, "{y:e} / {divisor}");
            }
        }
    }
}

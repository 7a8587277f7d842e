//! Acrobot-v1: two links that hang from a fixed point; a torque T = -1, 0 or 1 N m at the joint between them is to swing the
//! lower end up (Sutton 1996; the equations are those of Sutton & Barto 2018, which Gymnasium calls "book").
//!
//! Links of 1 kg and 1 m, their centres of mass in the middle, moments of inertia 1 kg m^2, g = 9.8 m/s^2:
//!
//!     d1   = 1/4 + (5/4 + cos th2) + 1 + 1            d2 = 1/4 + cos th2 / 2 + 1
//!     p2   = g/2 cos(th1 + th2 - pi/2)
//!     p1   = -1/2 th2'^2 sin th2 - th2' th1' sin th2 + 3/2 g cos(th1 - pi/2) + p2
//!     th2" = (T + d2/d1 p1 - 1/2 th1'^2 sin th2 - p2) / (5/4 - d2^2/d1)
//!     th1" = -(d2 th2" + p1) / d1
//!
//! integrated over 0.2 s in one step of the classical Runge-Kutta method with T constant; then angles are turned into [-pi, pi]
//! and velocities held to +-4 pi and +-9 pi. It ends where -cos th1 - cos(th1 + th2) > 1; every step is worth -1 but that one.

use std::f64::consts::PI;

use super::classic::{Dynamics, Float, StepAll, rectangle, step, turned};
use super::{Actions, Draws, Outcome, Scene, Spec, World};
use crate::cpu::InstructionSet;
use crate::num;

/// Time of a step, s.
const TAU: f64 = 0.2;
/// Highest velocities, rad/s.
const TOP_SPEEDS: [f64; 2] = [4.0 * PI, 9.0 * PI];
/// In one step no angle was seen to get beyond 29.5 rad, five turns from [-pi, pi] (at the highest velocities).
const TURNS: usize = 6;

/// The state of one episode.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Acrobot<F> {
    /// Angle of the upper link from hanging down, rad.
    upper: F,
    /// Angle of the lower link from the upper one, rad.
    lower: F,
    /// Cosine and sine of both: a policy and the end of an episode ask for the same ones.
    seen: [F; 4],
    /// Velocity of the first angle, rad/s.
    upper_spin: F,
    /// Velocity of the second, rad/s.
    lower_spin: F,
}

impl<F: Float> Acrobot<F> {
    /// In a state: the angles and their velocities.
    #[inline(always)]
    pub fn new([upper, lower, upper_spin, lower_spin]: [F; 4]) -> Self {
        let ((upper_sin, upper_cos), (lower_sin, lower_cos)) = (upper.sin_cos(), lower.sin_cos());
        Self { upper, lower, seen: [upper_cos, upper_sin, lower_cos, lower_sin], upper_spin, lower_spin }
    }
}

/// The state's derivative.
#[inline(always)]
fn derivative<F: Float>([upper, lower, upper_spin, lower_spin]: [F; 4], torque: F) -> [F; 4] {
    let c = F::of;
    let cosine = |x: F| x.sin_cos().1;
    let (sin, cos) = lower.sin_cos();
    let d1 = c(0.25) + (c(1.25) + cos) + c(1.0) + c(1.0);
    let d2 = c(0.25) + c(0.5) * cos + c(1.0);
    let phi2 = c(0.5 * 9.8) * cosine(upper + lower - c(PI / 2.0));
    let phi1 = c(-0.5) * lower_spin.squared() * sin - lower_spin * upper_spin * sin
        + c(1.5 * 9.8) * cosine(upper - c(PI / 2.0))
        + phi2;
    let pull = torque + d2 / d1 * phi1 - c(0.5) * upper_spin.squared() * sin - phi2;
    let lower_push = pull / (c(1.25) - d2.squared() / d1);
    let upper_push = -(d2 * lower_push + phi1) / d1;
    [upper_spin, lower_spin, upper_push, lower_push]
}

/// The state after moving along a slope for some time.
#[inline(always)]
fn moved<F: Float>(state: [F; 4], slope: [F; 4], time: f64) -> [F; 4] {
    let ([a, b, c, d], time) = (state, F::of(time));
    [a + time * slope[0], b + time * slope[1], c + time * slope[2], d + time * slope[3]]
}

/// The state after a step of Runge-Kutta.
#[inline(always)]
fn integrate<F: Float>(state: [F; 4], torque: F) -> [F; 4] {
    let k1 = derivative(state, torque);
    let k2 = derivative(moved(state, k1, TAU / 2.0), torque);
    let k3 = derivative(moved(state, k2, TAU / 2.0), torque);
    let k4 = derivative(moved(state, k3, TAU), torque);
    let two = F::of(2.0);
    let sum = [0, 1, 2, 3].map(|i: usize| k1[i] + two * k2[i] + two * k3[i] + k4[i]);
    moved(state, sum, TAU / 6.0)
}

/// The same direction, in [-pi, pi].
#[inline(always)]
fn wrapped<F: Float>(mut angle: F) -> F {
    let c = F::of;
    for _ in 0..TURNS {
        let turn = if angle < c(-PI) { c(-2.0 * PI) } else { c(0.0) };
        angle = angle - if angle > c(PI) { c(2.0 * PI) } else { turn };
    }
    angle
}

impl<F: Float> Dynamics<4> for Acrobot<F> {
    type Float = F;

    #[inline(always)]
    fn state(&self) -> [F; 4] {
        [self.upper, self.lower, self.upper_spin, self.lower_spin]
    }

    #[inline(always)]
    fn advance(state: [F; 4], action: i32) -> (Self, bool) {
        let held = |x: F, limit: f64| {
            let x = if x > F::of(limit) { F::of(limit) } else { x };
            if x < F::of(-limit) { F::of(-limit) } else { x }
        };
        let [upper, lower, upper_spin, lower_spin] = integrate(state, F::direction(action));
        let [upper, lower] = [upper, lower].map(wrapped);
        let spins = [held(upper_spin, TOP_SPEEDS[0]), held(lower_spin, TOP_SPEEDS[1])];
        let next = Self::new([upper, lower, spins[0], spins[1]]);
        let height = -next.seen[0] - (lower + upper).sin_cos().1;
        (next, height > F::of(1.0))
    }

    #[inline(always)]
    fn outcome(terminated: bool) -> Outcome {
        Outcome { reward: if terminated { 0.0 } else { -1.0 }, terminated }
    }
}

impl<F: Float> World for Acrobot<F> {
    const SPEC: Spec = Spec {
        name: if F::IS_EXACT { "acrobot" } else { "acrobot-f32" },
        gymnasium: "Acrobot-v1",
        summary: "swing up two links by a torque at the joint between them",
        observations: 6,
        actions: Actions::Discrete(3),
        limit: 500,
        threshold: Some(-100.0),
        frame_rate: 15,
    };
    type Action = i32;

    fn reset(draws: &mut Draws) -> Self {
        // Gymnasium rounds the first state to single precision.
        Self::new([(); 4].map(|()| F::of(f64::from(draws.between(-0.1, 0.1) as f32))))
    }

    #[inline(always)]
    fn step(&mut self, action: i32, _draws: &mut Draws) -> Outcome {
        step(self, action)
    }

    #[inline(always)]
    fn observe(&self, to: &mut [f32], stride: usize) {
        for (i, x) in self.seen.iter().chain([&self.upper_spin, &self.lower_spin]).enumerate() {
            to[i * stride] = x.to_f32();
        }
    }

    fn draw(&self) -> Scene {
        const SIZE: u32 = 500;
        let centre = SIZE as f32 / 2.0;
        let scale = SIZE as f32 / 4.4;
        let (upper, lower) = (self.upper.to_f32(), self.lower.to_f32());
        let down = std::f32::consts::FRAC_PI_2;
        let (sin, cos) = num::sin_cos(upper);
        let link = rectangle([0.0, -0.1 * scale], [scale, 0.1 * scale]);
        let joints = [[centre, centre], [centre + sin * scale, centre - cos * scale]];
        let mut scene = Scene::new((SIZE, SIZE), [255; 3]);
        scene.line(&[[0.0, centre + scale], [SIZE as f32, centre + scale]], 1.0, [0; 3]);
        for (joint, angle) in joints.into_iter().zip([upper - down, upper + lower - down]) {
            scene.polygon(&turned(link, angle, joint), [0, 204, 204]);
            scene.circle(joint, 0.1 * scale, [204, 204, 0]);
        }
        scene
    }

    fn step_all(worlds: &mut [Self], actions: &[i32], _draws: &mut [Draws], outcomes: &mut [Outcome]) {
        StepAll { worlds, actions, outcomes }.on(InstructionSet::best());
    }
}

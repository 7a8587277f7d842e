//! Acrobot-v1: two links that hang from a fixed point; a torque T = -1, 0 or 1 N m at the joint between them is to swing the
//! lower end up (Sutton 1996; the equations are those of Sutton & Barto 2018, which Gymnasium calls "book").
//!
//! Links of 1 kg and 1 m, their centres of mass in the middle, moments of inertia 1 kg m^2, g = 9.8 m/s^2:
//!
//! ```text
//! d1   = 1/4 + (5/4 + cos th2) + 1 + 1            d2 = 1/4 + cos th2 / 2 + 1
//! p2   = g/2 cos(th1 + th2 - pi/2)
//! p1   = -1/2 th2'^2 sin th2 - th2' th1' sin th2 + 3/2 g cos(th1 - pi/2) + p2
//! th2" = (T + d2/d1 p1 - 1/2 th1'^2 sin th2 - p2) / (5/4 - d2^2/d1)
//! th1" = -(d2 th2" + p1) / d1
//! ```
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
pub struct Acrobot<F> {
    /// Angle of the upper link from hanging down and of the lower one from the upper, rad; cosine and sine of the first and of
    /// the second, which a policy sees and the end of an episode asks for; velocities of both angles, rad/s.
    numbers: [F; 8],
}

impl<F: Float> Acrobot<F> {
    /// In a state: both angles and their velocities.
    pub fn new([upper, lower, upper_spin, lower_spin]: [F; 4]) -> Self {
        let ((upper_sin, upper_cos), (lower_sin, lower_cos)) = (upper.sin_cos(), lower.sin_cos());
        Self { numbers: [upper, lower, upper_cos, upper_sin, lower_cos, lower_sin, upper_spin, lower_spin] }
    }

    /// Both angles and their velocities.
    pub fn state(&self) -> [F; 4] {
        let [upper, lower, .., upper_spin, lower_spin] = self.numbers;
        [upper, lower, upper_spin, lower_spin]
    }
}

/// A number for each link; not an array, see [`super::classic`].
type Pair<F> = (F, F);

/// How the velocities change.
#[inline(always)]
fn pushes<F: Float>((upper, lower): Pair<F>, (upper_spin, lower_spin): Pair<F>, torque: F) -> Pair<F> {
    let c = F::of;
    let (sin, cos) = lower.sin_cos();
    let d1 = c(0.25) + (c(1.25) + cos) + c(1.0) + c(1.0);
    let d2 = c(0.25) + c(0.5) * cos + c(1.0);
    let phi2 = c(0.5 * 9.8) * (upper + lower - c(PI / 2.0)).sin_cos().1;
    let phi1 = c(-0.5) * lower_spin.squared() * sin - lower_spin * upper_spin * sin
        + c(1.5 * 9.8) * (upper - c(PI / 2.0)).sin_cos().1
        + phi2;
    let pull = torque + d2 / d1 * phi1 - c(0.5) * upper_spin.squared() * sin - phi2;
    let lower_push = pull / (c(1.25) - d2.squared() / d1);
    (-(d2 * lower_push + phi1) / d1, lower_push)
}

/// Moved along a slope for some time.
#[inline(always)]
fn moved<F: Float>(from: Pair<F>, slope: Pair<F>, time: f64) -> Pair<F> {
    (from.0 + F::of(time) * slope.0, from.1 + F::of(time) * slope.1)
}

/// The slopes of Runge & Kutta's four stages by their weights, six together.
#[inline(always)]
fn weighted<F: Float>(a: Pair<F>, b: Pair<F>, c: Pair<F>, d: Pair<F>) -> Pair<F> {
    let two = F::of(2.0);
    (a.0 + two * b.0 + two * c.0 + d.0, a.1 + two * b.1 + two * c.1 + d.1)
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

/// `limit` where |x| is more.
#[inline(always)]
fn held<F: Float>(x: F, limit: f64) -> F {
    let x = if x > F::of(limit) { F::of(limit) } else { x };
    if x < F::of(-limit) { F::of(-limit) } else { x }
}

impl<F: Float> Dynamics<8> for Acrobot<F> {
    type Float = F;

    #[inline(always)]
    fn numbers(&mut self) -> &mut [F; 8] {
        &mut self.numbers
    }

    #[inline(always)]
    fn advance<const NEAR: bool>(numbers: &mut [F; 8], action: i32) -> bool {
        let torque = F::direction(action);
        let [upper, lower, .., upper_spin, lower_spin] = *numbers;
        let (angles, first) = ((upper, lower), (upper_spin, lower_spin));
        let first_push = pushes(angles, first, torque);
        let second = moved(first, first_push, TAU / 2.0);
        let second_push = pushes(moved(angles, first, TAU / 2.0), second, torque);
        let third = moved(first, second_push, TAU / 2.0);
        let third_push = pushes(moved(angles, second, TAU / 2.0), third, torque);
        let fourth = moved(first, third_push, TAU);
        let fourth_push = pushes(moved(angles, third, TAU), fourth, torque);
        let (upper, lower) = moved(angles, weighted(first, second, third, fourth), TAU / 6.0);
        let push = weighted(first_push, second_push, third_push, fourth_push);
        let (upper_spin, lower_spin) = moved(first, push, TAU / 6.0);

        let (upper, lower) = (wrapped(upper), wrapped(lower));
        let ((upper_sin, upper_cos), (lower_sin, lower_cos)) = (upper.sin_cos(), lower.sin_cos());
        *numbers = [
            upper,
            lower,
            upper_cos,
            upper_sin,
            lower_cos,
            lower_sin,
            held(upper_spin, TOP_SPEEDS[0]),
            held(lower_spin, TOP_SPEEDS[1]),
        ];
        -upper_cos - (lower + upper).sin_cos().1 > F::of(1.0)
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
        for (i, x) in self.numbers[2..].iter().enumerate() {
            to[i * stride] = x.to_f32();
        }
    }

    fn draw(&self) -> Scene {
        const SIZE: u32 = 500;
        let centre = SIZE as f32 / 2.0;
        let scale = SIZE as f32 / 4.4;
        let [upper, lower, ..] = self.numbers.map(F::to_f32);
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

    fn step_all(
        worlds: &mut [Self],
        actions: &[i32],
        _draws: &mut [Draws],
        rewards: &mut [f64],
        terminated: &mut [bool],
    ) {
        StepAll { worlds, actions, rewards, terminated }.on(InstructionSet::best());
    }
}

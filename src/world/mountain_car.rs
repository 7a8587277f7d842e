//! MountainCar-v0: a car in a valley, too weak for the slope before it has swung up (Moore 1990).
//!
//! With a = 0, 1 or 2 the velocity changes by 0.001 (a - 1) - 0.0025 cos 3x and is held to +-0.07, then the position moves by it
//! and is held to [-1.2, 0.6]; the left wall stops the car. It ends at x >= 0.5; every step is worth -1, the last one too.

use super::classic::{Dynamics, Float, StepAll, rectangle, step, turned};
use super::{Actions, Draws, Outcome, Scene, Spec, World, scene};
use crate::cpu::InstructionSet;
use crate::num;

/// The left wall and the right one.
const WALLS: [f64; 2] = [-1.2, 0.6];
/// Where the flag stands.
const GOAL: f64 = 0.5;
/// Highest velocity, a step.
const TOP_SPEED: f64 = 0.07;

/// The state of one episode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MountainCar<F> {
    /// Position, and velocity a step.
    pub state: [F; 2],
}

impl<F: Float> Dynamics<2> for MountainCar<F> {
    type Float = F;

    #[inline(always)]
    fn numbers(&mut self) -> &mut [F; 2] {
        &mut self.state
    }

    #[inline(always)]
    fn advance<const NEAR: bool>(state: &mut [F; 2], action: i32) -> bool {
        let [position, velocity] = *state;
        let c = F::of;
        let held = |x: F, low: F, high: F| {
            let x = if x < low { low } else { x };
            if x > high { high } else { x }
        };
        let (_, slope) = (c(3.0) * position).sin_cos();
        let push = F::direction(action) * c(0.001);
        let velocity = held(velocity + (push + slope * c(-0.0025)), c(-TOP_SPEED), c(TOP_SPEED));
        let position = held(position + velocity, c(WALLS[0]), c(WALLS[1]));
        let is_stopped = (position == c(WALLS[0])) & (velocity < c(0.0));
        let velocity = if is_stopped { c(0.0) } else { velocity };
        *state = [position, velocity];
        (position >= c(GOAL)) & (velocity >= c(0.0))
    }

    #[inline(always)]
    fn outcome(terminated: bool) -> Outcome {
        Outcome { reward: -1.0, terminated }
    }
}

impl<F: Float> World for MountainCar<F> {
    const SPEC: Spec = Spec {
        name: if F::IS_EXACT { "mountain-car" } else { "mountain-car-f32" },
        gymnasium: "MountainCar-v0",
        summary: "swing a weak car out of a valley",
        observations: 2,
        actions: Actions::Discrete(3),
        limit: 200,
        threshold: Some(-110.0),
        frame_rate: 30,
    };
    type Action = i32;

    fn reset(draws: &mut Draws) -> Self {
        Self { state: [F::of(draws.between(-0.6, -0.4)), F::of(0.0)] }
    }

    #[inline(always)]
    fn step(&mut self, action: i32, _draws: &mut Draws) -> Outcome {
        step(self, action)
    }

    #[inline(always)]
    fn observe(&self, to: &mut [f32], stride: usize) {
        for (i, x) in self.state.iter().enumerate() {
            to[i * stride] = x.to_f32();
        }
    }

    fn draw(&self) -> Scene {
        const BLACK: [u8; 3] = [0; 3];
        let [left, right] = WALLS.map(|x| x as f32);
        let (width, _) = scene::SIZE;
        let scale = width as f32 / (right - left);
        let ground = |x: f32| [(x - left) * scale, (num::sin_cos(3.0 * x).0 * 0.45 + 0.55) * scale];
        let hills: Vec<_> = (0..100).map(|i| ground(left + (right - left) * i as f32 / 99.0)).collect();
        let position = self.state[0].to_f32();
        let slope = num::cos(3.0 * position);
        let [x, y] = ground(position);
        let above = [x, y + 10.0];
        let mut scene = Scene::new(scene::SIZE, [255; 3]);
        scene.line(&hills, 1.0, BLACK);
        scene.polygon(&turned(rectangle([-20.0, 0.0], [20.0, 20.0]), slope, above), BLACK);
        let [right_wheel, left_wheel, ..] = turned([[10.0, 0.0], [-10.0, 0.0], [0.0; 2], [0.0; 2]], slope, above);
        scene.circle(right_wheel, 8.0, [128; 3]);
        scene.circle(left_wheel, 8.0, [128; 3]);
        let [x, y] = ground(GOAL as f32);
        scene.line(&[[x, y], [x, y + 50.0]], 1.0, BLACK);
        scene.polygon(&[[x, y + 50.0], [x, y + 40.0], [x + 25.0, y + 45.0]], [204, 204, 0]);
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

//! CartPole-v1: a pole on a cart that is pushed to the left or to the right (Barto, Sutton & Anderson 1983).
//!
//! With F = -10 or 10 N, M = 1.1 kg of cart and pole, m l = 0.05 kg m of the pole (half length l = 0.5 m), g = 9.8 m/s^2:
//!
//! ```text
//! t   = (F + m l th'^2 sin th) / M
//! th" = (g sin th - t cos th) / (l (4/3 - 0.1 cos^2 th / M))
//! x"  = t - m l th" cos th / M
//! ```
//!
//! and an explicit Euler step of 0.02 s: positions move with the velocities from before. It ends where the cart leaves
//! +-2.4 m or the pole +-12 degrees; every step is worth 1, the last one too.

use super::classic::{Dynamics, Float, StepAll, rectangle, step, turned};
use super::draws::first_four;
use super::{Actions, Draws, Outcome, Scene, Spec, World, scene};
use crate::cpu::InstructionSet;

/// Where the cart leaves the track, m from its middle.
const TRACK: f64 = 2.4;
/// Where the pole has fallen, rad.
const FALLEN: f64 = 12.0 * 2.0 * std::f64::consts::PI / 360.0;
/// Of cart and pole, kg.
const MASS: f64 = 0.1 + 1.0;

/// The state of one episode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CartPole<F> {
    /// Position of the cart (m), its velocity (m/s), angle of the pole (rad), its velocity (rad/s).
    pub state: [F; 4],
}

impl<F: Float> Dynamics<4> for CartPole<F> {
    type Float = F;

    #[inline(always)]
    fn numbers(&mut self) -> &mut [F; 4] {
        &mut self.state
    }

    #[inline(always)]
    fn is_near(state: &[F; 4]) -> bool {
        F::is_small(state[2])
    }

    #[inline(always)]
    fn advance<const NEAR: bool>(state: &mut [F; 4], action: i32) -> bool {
        let [x, velocity, angle, spin] = *state;
        let c = F::of;
        let (moment, tau) = (c(0.1 * 0.5), c(0.02));
        let force = if action == 1 { c(10.0) } else { c(-10.0) };
        let (sin, cos) = if NEAR { angle.small_sin_cos() } else { angle.sin_cos() };
        let pushed = (force + moment * (spin * spin) * sin).over(MASS);
        let inertia = c(0.5) * (c(4.0 / 3.0) - (c(0.1) * (cos * cos)).over(MASS));
        let angular = (c(9.8) * sin - cos * pushed) / inertia;
        let linear = pushed - (moment * angular * cos).over(MASS);
        *state = [x + tau * velocity, velocity + tau * linear, angle + tau * spin, spin + tau * angular];
        let beyond = |x: F, limit: f64| (x < c(-limit)) | (x > c(limit));
        beyond(state[0], TRACK) | beyond(state[2], FALLEN)
    }

    #[inline(always)]
    fn outcome(terminated: bool) -> Outcome {
        Outcome { reward: 1.0, terminated }
    }
}

impl<F: Float> World for CartPole<F> {
    const SPEC: Spec = Spec {
        name: if F::IS_EXACT { "cartpole" } else { "cartpole-f32" },
        gymnasium: "CartPole-v1",
        summary: "keep a pole upright on a cart that is pushed to the left or to the right",
        observations: 4,
        actions: Actions::Discrete(2),
        limit: 500,
        threshold: Some(475.0),
        frame_rate: 50,
    };
    type Action = i32;

    fn reset(draws: &mut Draws) -> Self {
        Self { state: [(); 4].map(|()| F::of(draws.between(-0.05, 0.05))) }
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
        const TOP_OF_CART: f32 = 100.0;
        const BLACK: [u8; 3] = [0; 3];
        let (width, _) = scene::SIZE;
        let width = width as f32;
        let scale = width / (2.0 * TRACK as f32);
        let x = self.state[0].to_f32() * scale + width / 2.0;
        let axle = [x, TOP_OF_CART + 7.5];
        let pole = rectangle([-5.0, -5.0], [5.0, scale - 5.0]);
        let mut scene = Scene::new(scene::SIZE, [255; 3]);
        scene.polygon(&rectangle([x - 25.0, TOP_OF_CART - 15.0], [x + 25.0, TOP_OF_CART + 15.0]), BLACK);
        scene.polygon(&turned(pole, -self.state[2].to_f32(), axle), [202, 152, 101]);
        scene.circle(axle, 5.0, [129, 132, 203]);
        scene.line(&[[0.0, TOP_OF_CART], [width, TOP_OF_CART]], 1.0, BLACK);
        scene
    }

    fn reset_some(worlds: &mut [Self], draws: &mut [Draws], lanes: &[usize]) {
        first_four(draws, lanes, (-0.05, 0.05), |lane, state| worlds[lane].state = state.map(F::of));
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

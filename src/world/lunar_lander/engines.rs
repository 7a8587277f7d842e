//! What acts on the lander before a step's physics: its engines and the wind, in double precision, as Gymnasium's Python
//! computes them.

use super::bodies::{FORMS, LANDER};
use super::geometry::at;
use super::physics::Physics;
use crate::num::double;
use crate::num::hyperbolic::tanh;
use crate::world::Draws;

/// Points a metre.
const SCALE: f64 = 30.0;
/// N s for a metre of offset.
const MAIN_POWER: f64 = 13.0;
const SIDE_POWER: f64 = 0.6;
/// Largest force of the wind, N, and largest torque, N m.
const WIND_POWER: f64 = 15.0;
const TURBULENCE_POWER: f64 = 1.5;

/// How much an action opens the engines: 0, or from a half to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Throttle {
    pub main: f64,
    pub side: f64,
    /// -1 fires to the left, 1 to the right.
    pub direction: f64,
}

impl Throttle {
    /// 0 nothing, 1 the left engine, 2 the main one, 3 the right one; everything else is nothing.
    pub fn discrete(action: i32) -> Self {
        match action {
            1 => Self { side: 1.0, direction: -1.0, main: 0.0 },
            2 => Self { main: 1.0, ..Self::default() },
            3 => Self { side: 1.0, direction: 1.0, main: 0.0 },
            _ => Self::default(),
        }
    }

    /// Main engine above 0, side engines beyond a half on both sides.
    pub fn continuous(action: [f32; 2]) -> Self {
        let [main, side] = action.map(|x| f64::from(x.clamp(-1.0, 1.0)));
        let is_on = side.abs() > 0.5;
        Self {
            main: if main > 0.0 { (main + 1.0) * 0.5 } else { 0.0 },
            side: if is_on { side.abs() } else { 0.0 },
            direction: if is_on { side.signum() } else { 0.0 },
        }
    }

    /// What its fuel takes from the reward.
    pub fn cost(self, reward: f64) -> f64 {
        reward - self.main * 0.30 - self.side * 0.03
    }
}

impl Physics {
    /// Fire the engines, which draws two numbers in any case.
    #[inline]
    pub fn fire(&mut self, throttle: Throttle, draws: &mut Draws) {
        let spread = [0; 2].map(|_| draws.between(-1.0, 1.0) / SCALE);
        if throttle == Throttle::default() {
            return;
        }
        let form = &FORMS[LANDER];
        let lander = &mut self.bodies[LANDER];
        let angle = f64::from(lander.angle);
        let tip = [double::sin(angle), double::cos(angle)];
        let side = [-tip[1], tip[0]];
        let origin = lander.pose(form).origin;
        let origin = [f64::from(origin.x), f64::from(origin.y)];
        let single = |[x, y]: [f64; 2]| at(x as f32, y as f32);
        if throttle.main > 0.0 {
            let down = 4.0 / SCALE + 2.0 * spread[0];
            let x = tip[0] * down + side[0] * spread[1];
            let y = -tip[1] * down - side[1] * spread[1];
            let impulse = [x, y].map(|x| -x * MAIN_POWER * throttle.main);
            lander.push(form, single(impulse), single([origin[0] + x, origin[1] + y]));
        }
        if throttle.side > 0.0 {
            let away = 3.0 * spread[1] + throttle.direction * 12.0 / SCALE;
            let x = tip[0] * spread[0] + side[0] * away;
            let y = -tip[1] * spread[0] - side[1] * away;
            let impulse = [x, y].map(|x| -x * SIDE_POWER * throttle.side);
            // 17 and 14 are Gymnasium's; it seems to have meant 14 twice.
            let point = [origin[0] + x - tip[0] * 17.0 / SCALE, origin[1] + y + tip[1] * 14.0 / SCALE];
            lander.push(form, single(impulse), single(point));
        }
    }

    /// Wind, as long as no leg's flag says that it touches the ground.
    pub fn blow(&mut self, wind: &mut Wind) {
        if self.contacts.legs == [false; 2] {
            self.force.x += (gust(wind.force) * WIND_POWER) as f32;
            self.torque += (gust(wind.torque) * TURBULENCE_POWER) as f32;
            wind.force += 1;
            wind.torque += 1;
        }
    }
}

/// How far the wind has come in its patterns, which never repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wind {
    force: i64,
    torque: i64,
}

impl Wind {
    /// Anywhere.
    pub fn draw(draws: &mut Draws) -> Self {
        Self { force: draws.integer(-9999, 9998), torque: draws.integer(-9999, 9998) }
    }
}

/// From -1 to 1.
fn gust(index: i64) -> f64 {
    let index = index as f64;
    tanh(double::sin(0.02 * index) + double::sin(std::f64::consts::PI * 0.01 * index))
}

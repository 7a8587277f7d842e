//! What a pass does: to a joint (Box2D's `b2RevoluteJoint`), to a contact (`b2ContactSolver`).

use super::numbers::{ContactRows, Impulses, JointRows, Motion, Num, Pressure, num};
use super::{PASSES, SLOTS};
use crate::num::Real;
use crate::world::lunar_lander::bodies::{FORMS, STEP};

/// What a motor can give in a step, N m s.
pub const MOTOR_LIMIT: f32 = STEP * 40.0;
/// At which the motors turn the legs, rad/s.
const MOTOR_SPEED: [f32; 2] = [-0.3, 0.3];

/// Inverse mass and inertia of a body.
#[derive(Clone, Copy)]
pub struct Masses<T> {
    mass: Num<T>,
    inertia: Num<T>,
}

impl<T: Real> Masses<T> {
    #[inline(always)]
    pub fn of(body: usize) -> Self {
        Self { mass: num(FORMS[body].inverse_mass), inertia: num(FORMS[body].inverse_inertia) }
    }
}

impl<T: Real> Motion<Num<T>> {
    /// After an impulse, which turns the body by `turn` besides.
    #[inline(always)]
    fn pushed(self, of: Masses<T>, x: Num<T>, y: Num<T>, turn: Num<T>) -> Self {
        Self { x: self.x + of.mass * x, y: self.y + of.mass * y, spin: self.spin + of.inertia * turn }
    }

    /// After the opposite one.
    #[inline(always)]
    fn pulled(self, of: Masses<T>, x: Num<T>, y: Num<T>, turn: Num<T>) -> Self {
        Self { x: self.x - of.mass * x, y: self.y - of.mass * y, spin: self.spin - of.inertia * turn }
    }
}

impl<T: Real> JointRows<Num<T>> {
    /// A pass: first the motor, then the joint and its limit.
    #[inline(always)]
    pub fn pass(
        &self,
        joint: usize,
        impulses: &mut Impulses<Num<T>>,
        lander: &mut Motion<Num<T>>,
        leg: &mut Motion<Num<T>>,
    ) {
        let (lander_masses, leg_masses) = (Masses::<T>::of(0), Masses::<T>::of(1));
        let k_zz = FORMS[0].inverse_inertia + FORMS[1].inverse_inertia;

        let slip = leg.spin - lander.spin - num(MOTOR_SPEED[joint]);
        let motor = (impulses.motor + num(-(1.0 / k_zz)) * slip).clamp(num(-MOTOR_LIMIT), num(MOTOR_LIMIT));
        let change = motor - impulses.motor;
        impulses.motor = motor;
        lander.spin = lander.spin - lander_masses.inertia * change;
        leg.spin = leg.spin + leg_masses.inertia * change;

        // Velocity error, the third the angle's.
        let error_x = leg.x - leg.spin * self.leg_y - lander.x + lander.spin * self.lander_y;
        let error_y = leg.y + leg.spin * self.leg_x - lander.y - lander.spin * self.lander_x;
        let error = leg.spin - lander.spin;
        let k_zz = num(k_zz);
        let whole_x = self.inverse_3 * (error_x * self.cross_x + error_y * self.cross_y + error * self.cross_z);
        let whole_y = self.inverse_3
            * (self.k_xx * (error_y * k_zz - error * self.k_yz)
                + self.k_xy * (error * self.k_xz - error_x * k_zz)
                + self.k_xz * (error_x * self.k_yz - error_y * self.k_xz));
        let whole_z = self.inverse_3
            * (self.k_xx * (self.k_yy * error - self.k_yz * error_y)
                + self.k_xy * (self.k_yz * error_x - self.k_xy * error)
                + self.k_xz * (self.k_xy * error_y - self.k_yy * error_x));
        let limit = impulses.limit + whole_z;
        let signed = limit * self.sign;
        let (mut x, mut y, mut z) = (whole_x, whole_y, whole_z);
        // Rare enough to ask whether any lane needs it.
        if signed.0.any_less(self.least.0) {
            // Without the limit, or letting go of it.
            let right_x = impulses.limit * self.limit_x - error_x;
            let right_y = impulses.limit * self.limit_y - error_y;
            let part_x = self.inverse_2 * (self.k_yy * right_x - self.k_xy * right_y);
            let part_y = self.inverse_2 * (self.k_xx * right_y - self.k_xy * right_x);
            x = signed.if_less(self.least, part_x, x);
            y = signed.if_less(self.least, part_y, y);
            z = signed.if_less(self.least, -impulses.limit, z);
            impulses.limit = signed.if_less(self.least, num(0.0), limit);
        } else {
            impulses.limit = limit;
        }
        impulses.x = impulses.x + x;
        impulses.y = impulses.y + y;
        *lander = lander.pulled(lander_masses, x, y, self.lander_x * y - self.lander_y * x + z);
        *leg = leg.pushed(leg_masses, x, y, self.leg_x * y - self.leg_y * x + z);
    }
}

impl<T: Real> ContactRows<Num<T>> {
    /// A pass: friction of each point, then what keeps the points from coming nearer. `single` and `double`: some lane has
    /// one point, some has two.
    #[inline(always)]
    pub fn pass(
        &self,
        masses: Masses<T>,
        pressure: &mut Pressure<Num<T>>,
        motion: &mut Motion<Num<T>>,
        (single, double): (bool, bool),
    ) {
        let (before, pressure_before) = (*motion, *pressure);
        let first = [self.first_x, self.first_y];
        let second = [self.second_x, self.second_y];
        let normal = [self.normal_x, self.normal_y];

        (*motion, pressure.first_tangent) =
            self.rub(masses, *motion, first, self.first_tangent_mass, pressure.first_normal, pressure.first_tangent);
        if double {
            let (normal, tangent) = (pressure.second_normal, pressure.second_tangent);
            let (rubbed, tangent) = self.rub(masses, *motion, second, self.second_tangent_mass, normal, tangent);
            *motion = motion.where_less(self.points, num(1.5), rubbed);
            pressure.second_tangent = tangent;
        }

        let rubbed = *motion;
        if single {
            let sum = pressure.first_normal + -self.first_normal_mass * rubbed.at(first, normal);
            let new = Num(T::splat(0.0).at_least(sum.0));
            *motion = rubbed.hit(masses, first, normal, new - pressure.first_normal);
            pressure.first_normal = new;
        }
        if double {
            let old = [pressure_before.first_normal, pressure_before.second_normal];
            let new = self.block(old, [rubbed.at(first, normal), rubbed.at(second, normal)]);
            let change = [new[0] - old[0], new[1] - old[1]];
            let push = [times(change[0], normal), times(change[1], normal)];
            let turn = cross(first, push[0]) + cross(second, push[1]);
            let pushed = rubbed.pushed(masses, push[0][0] + push[1][0], push[0][1] + push[1][1], turn);
            *motion = motion.where_less(self.points, num(1.5), pushed);
            pressure.first_normal = self.points.if_less(num(1.5), pressure.first_normal, new[0]);
            pressure.second_normal = new[1];
        }
        *motion = before.where_less(self.points, num(0.5), *motion);
        *pressure = pressure_before.where_less(self.points, num(0.5), *pressure);
    }

    /// Friction of a point, in a direction at right angles to the normal: at most a part of the normal impulse.
    #[inline(always)]
    fn rub(
        &self,
        masses: Masses<T>,
        motion: Motion<Num<T>>,
        arm: [Num<T>; 2],
        mass: Num<T>,
        normal: Num<T>,
        sum: Num<T>,
    ) -> (Motion<Num<T>>, Num<T>) {
        let tangent = [self.normal_y, -self.normal_x];
        let most = self.friction * normal;
        let new = (sum + mass * -motion.at(arm, tangent)).clamp(-most, most);
        (motion.hit(masses, arm, tangent, new - sum), new)
    }

    /// Two points together: the impulses of a linear complementarity problem, found by trying all four cases in order. If
    /// none fits, the old ones.
    #[inline(always)]
    fn block(&self, old: [Num<T>; 2], velocity: [Num<T>; 2]) -> [Num<T>; 2] {
        let zero = num(0.0);
        let b = [
            velocity[0] - (self.k_11 * old[0] + self.k_12 * old[1]),
            velocity[1] - (self.k_12 * old[0] + self.k_22 * old[1]),
        ];
        let none = choose(b[0], b[1], [zero, zero], old);
        let y = -self.second_normal_mass * b[1];
        let second = choose(y, self.k_12 * y + b[0], [zero, y], none);
        let x = -self.first_normal_mass * b[0];
        let first = choose(x, self.k_12 * x + b[1], [x, zero], second);
        let x = -(self.inverse_11 * b[0] + self.inverse_12 * b[1]);
        let y = -(self.inverse_12 * b[0] + self.inverse_22 * b[1]);
        choose(x, y, [x, y], first)
    }
}

#[inline(always)]
fn times<T: Real>(size: Num<T>, direction: [Num<T>; 2]) -> [Num<T>; 2] {
    [size * direction[0], size * direction[1]]
}

/// `then` where neither x nor y is negative.
#[inline(always)]
fn choose<T: Real>(x: Num<T>, y: Num<T>, then: [Num<T>; 2], otherwise: [Num<T>; 2]) -> [Num<T>; 2] {
    let zero = num(0.0);
    let first = x.if_less(zero, otherwise[0], y.if_less(zero, otherwise[0], then[0]));
    [first, x.if_less(zero, otherwise[1], y.if_less(zero, otherwise[1], then[1]))]
}

#[inline(always)]
fn cross<T: Real>(a: [Num<T>; 2], b: [Num<T>; 2]) -> Num<T> {
    a[0] * b[1] - a[1] * b[0]
}

impl<T: Real> Motion<Num<T>> {
    /// Velocity of a point of the body in a direction.
    #[inline(always)]
    fn at(self, arm: [Num<T>; 2], direction: [Num<T>; 2]) -> Num<T> {
        (self.x - self.spin * arm[1]) * direction[0] + (self.y + self.spin * arm[0]) * direction[1]
    }

    /// After an impulse at a point in a direction.
    #[inline(always)]
    fn hit(self, of: Masses<T>, arm: [Num<T>; 2], direction: [Num<T>; 2], size: Num<T>) -> Self {
        let push = times(size, direction);
        self.pushed(of, push[0], push[1], cross(arm, push))
    }
}

/// All passes over the contacts of one body that moves alone. Impulses begin at 0 and are not kept.
pub fn solve_alone(body: usize, contacts: &[ContactRows<f32>], motion: &mut Motion<f32>) {
    let none = Pressure { first_normal: 0.0, first_tangent: 0.0, second_normal: 0.0, second_tangent: 0.0 };
    let mut state = (Motion::from(*motion), [Pressure::from(none); SLOTS]);
    // The passes soon go round in a circle of a few last bits; a state seen before says where they end (Brent 1980).
    let (mut seen, mut seen_at) = (state, 0);
    let (mut pass, mut end) = (0, PASSES);
    while pass < end {
        let (moving, pressures) = &mut state;
        for (&rows, pressure) in contacts.iter().zip(pressures) {
            let is_double = rows.points > 1.5;
            ContactRows::from(rows).pass(Masses::of(body), pressure, moving, (!is_double, is_double));
        }
        pass += 1;
        if state == seen && end == PASSES {
            end = pass + (PASSES - pass) % (pass - seen_at);
        } else if pass.is_power_of_two() {
            (seen, seen_at) = (state, pass);
        }
    }
    *motion = Motion { x: state.0.x.0, y: state.0.y.0, spin: state.0.spin.0 };
}

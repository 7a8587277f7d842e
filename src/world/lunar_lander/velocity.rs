//! The velocity solver: 180 passes over two joints and the contacts, which is where nearly all of a step's time goes.
//!
//! One source for a float and for registers of them ([`Real`]). Environments lie in lanes and know nothing of each other;
//! what a lane does not have (a second point, a third contact) is computed with it and thrown away by selects, so that
//! company never changes a bit. Equations and the order of operations are Box2D's `b2RevoluteJoint` and `b2ContactSolver`,
//! without fused operations; what its loops compute again and again, constant in a step, is computed before them with the
//! same operations.

use std::ops::{Add, Mul, Neg, Sub};

use super::bodies::{FORMS, STEP};
use crate::cpu::{InstructionSet, Kernel, Pair, Vector};
use crate::num::Real;

/// Passes in a step.
pub const PASSES: usize = 180;
/// Environments solved together: four of the widest registers, so that one's operations fill the others' waiting.
pub const LANES: usize = 64;
/// Contacts that a body can have at once: two neighbouring edges and the base line, and one to spare.
pub const SLOTS: usize = 4;
/// The order in which the bodies' contacts are solved.
const CONTACT_ORDER: [usize; 3] = [2, 0, 1];

/// What a motor can give in a step, N m s.
const MOTOR_LIMIT: f32 = STEP * 40.0;
/// At which the motors turn the legs, rad/s.
const MOTOR_SPEED: [f32; 2] = [-0.3, 0.3];

/// A number, or a register of them, to write equations with.
#[derive(Clone, Copy)]
struct Num<T>(T);

impl<T: Real> Add for Num<T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0))
    }
}

impl<T: Real> Sub for Num<T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0.sub(other.0))
    }
}

impl<T: Real> Mul for Num<T> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0.mul(other.0))
    }
}

impl<T: Real> Neg for Num<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(T::splat(-0.0).sub(self.0))
    }
}

#[inline(always)]
fn num<T: Real>(x: f32) -> Num<T> {
    Num(T::splat(x))
}

impl<T: Real> Num<T> {
    /// `then` where this is less than `bound`, else `otherwise`.
    #[inline(always)]
    fn if_less(self, bound: Self, then: Self, otherwise: Self) -> Self {
        Self(self.0.if_less(bound.0, then.0, otherwise.0))
    }

    /// As `geometry::clamp`.
    #[inline(always)]
    fn clamp(self, low: Self, high: Self) -> Self {
        Self(high.0.at_most(self.0).at_least(low.0))
    }
}

/// The same number of each lane. On cache lines, so that no register is loaded from two of them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub struct Row([f32; LANES]);

impl Row {
    const fn all(x: f32) -> Self {
        Self([x; LANES])
    }
}

/// A struct of numbers that are all alike: of one environment (`f32`), of all lanes ([`Row`]), or of those in a register.
macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $name<T> {
            $($(#[$field_doc])* pub $field: T,)*
        }

        impl $name<Row> {
            const ZERO: Self = Self { $($field: Row::all(0.0),)* };

            /// Write the numbers of a lane.
            #[inline(always)]
            pub fn put(&mut self, lane: usize, from: &$name<f32>) {
                $(self.$field.0[lane] = from.$field;)*
            }

            /// The numbers of a lane.
            #[inline(always)]
            pub fn get(&self, lane: usize) -> $name<f32> {
                $name { $($field: self.$field.0[lane],)* }
            }

            #[inline(always)]
            fn load<V: Vector>(&self, lane: usize) -> $name<Num<V>> {
                $name { $($field: Num(V::load(&self.$field.0[lane..])),)* }
            }

            #[inline(always)]
            fn store<V: Vector>(&mut self, lane: usize, from: &$name<Num<V>>) {
                $(from.$field.0.store(&mut self.$field.0[lane..]);)*
            }
        }

        impl $name<f32> {
            #[inline(always)]
            fn wrapped(self) -> $name<Num<f32>> {
                $name { $($field: Num(self.$field),)* }
            }
        }

        impl $name<Num<f32>> {
            #[inline(always)]
            fn bare(self) -> $name<f32> {
                $name { $($field: self.$field.0,)* }
            }
        }

        impl<T: Real> $name<Num<T>> {
            /// This where `x` is less than `bound`, else `other`.
            #[inline(always)]
            fn where_less(self, x: Num<T>, bound: Num<T>, other: Self) -> Self {
                Self { $($field: x.if_less(bound, self.$field, other.$field),)* }
            }
        }
    };
}

numbers! {
    /// Velocity of a body, m/s and rad/s.
    Motion { x, y, spin, }
}

numbers! {
    /// A joint as it is in a step: arms from the centres of mass to the joint (of the lander, of the leg), the symmetric
    /// matrix of effective inverse masses (x, y, angle) with what its inverses need, and how the limit acts.
    JointRows {
        lander_x, lander_y,
        leg_x, leg_y,
        k_xx, k_xy, k_xz,
        k_yy, k_yz,
        /// Second times third column.
        cross_x, cross_y, cross_z,
        /// Minus one over the determinant of the whole matrix, one over that of its upper left part.
        inverse_3, inverse_2,
        /// `k_xz` and `k_yz`, or -0, which adds nothing, where no limit acts.
        limit_x, limit_y,
        /// 1 at the lower limit, -1 at the upper one.
        sign,
        /// If the limit's impulse times the sign came below this, it is let go: 0 at a limit, infinity where none acts.
        least,
    }
}

numbers! {
    /// Impulses of a joint, N s and N m s.
    Impulses { x, y, limit, motor, }
}

numbers! {
    /// A contact as it is in a step.
    ContactRows {
        /// Points: 0 where there is no contact, 2 where the block solver takes them together.
        points,
        normal_x, normal_y,
        friction,
        /// Arm from the body's centre of mass to the first point, effective masses along normal and tangent.
        first_x, first_y, first_normal_mass, first_tangent_mass,
        second_x, second_y, second_normal_mass, second_tangent_mass,
        /// How each point's impulse changes the other's normal velocity, and the inverse of that matrix.
        k_11, k_12, k_22,
        inverse_11, inverse_12, inverse_22,
    }
}

numbers! {
    /// Impulses of a contact's points, N s.
    Pressure { first_normal, first_tangent, second_normal, second_tangent, }
}

/// Inverse mass and inertia of a body.
#[derive(Clone, Copy)]
struct Masses<T> {
    mass: Num<T>,
    inertia: Num<T>,
}

impl<T: Real> Masses<T> {
    #[inline(always)]
    fn of(body: usize) -> Self {
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
    fn pass(
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
    fn pass(
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

/// What the solver works on, of up to [`LANES`] environments.
pub struct Lanes {
    /// Lander and legs.
    pub motion: [Motion<Row>; 3],
    /// Of leg 0 and leg 1.
    pub joints: [(JointRows<Row>, Impulses<Row>); 2],
    /// Of each body, in the solver's order.
    contacts: [[(ContactRows<Row>, Pressure<Row>); SLOTS]; 3],
    /// Whether a lane has one point there, whether one has two.
    points: [[(bool, bool); SLOTS]; 3],
    /// Whether there are any.
    has_contacts: bool,
    /// Less than 0 in lanes that have left the passes.
    open: Row,
    /// Lanes in use.
    used: usize,
}

impl Lanes {
    /// Nobody is in them.
    pub fn new() -> Self {
        Self {
            motion: [Motion::ZERO; 3],
            joints: [(JointRows::ZERO, Impulses::ZERO); 2],
            contacts: [[(ContactRows::ZERO, Pressure::ZERO); SLOTS]; 3],
            points: [[(false, false); SLOTS]; 3],
            has_contacts: false,
            open: Row::all(1.0),
            used: 0,
        }
    }

    /// Make room for others. What is left in unused lanes is finite and does not matter.
    pub fn clear(&mut self) {
        self.used = 0;
        self.has_contacts = false;
        self.open = Row::all(1.0);
        for (points, (rows, _)) in self.points.as_flattened_mut().iter_mut().zip(self.contacts.as_flattened_mut()) {
            if *points != (false, false) {
                rows.points = Row::all(0.0);
                *points = (false, false);
            }
        }
    }

    /// Use a lane more.
    pub fn take(&mut self) -> usize {
        self.used += 1;
        self.used - 1
    }

    /// Give a lane a contact.
    #[inline]
    pub fn put_contact(
        &mut self,
        lane: usize,
        body: usize,
        slot: usize,
        rows: &ContactRows<f32>,
        pressure: &Pressure<f32>,
    ) {
        self.contacts[body][slot].0.put(lane, rows);
        self.contacts[body][slot].1.put(lane, pressure);
        self.has_contacts = true;
        let points = &mut self.points[body][slot];
        if rows.points < 1.5 {
            points.0 = true;
        } else {
            points.1 = true;
        }
    }

    /// Impulses of a lane's contact, and at how many of its points.
    #[inline]
    pub fn pressure(&self, lane: usize, body: usize, slot: usize) -> (Pressure<f32>, usize) {
        let (rows, pressure) = &self.contacts[body][slot];
        (pressure.get(lane), if rows.points.0[lane] < 1.5 { 1 } else { 2 })
    }

    /// All passes over the lanes from `start` on that fit a register.
    #[inline(always)]
    fn solve<V: Vector, const FAST: bool>(&mut self, start: usize) {
        let [lander, first, second] = &self.motion;
        let mut motion = [lander.load::<V>(start), first.load(start), second.load(start)];
        let [first, second] = &self.joints;
        let rows = [first.0.load::<V>(start), second.0.load(start)];
        let mut impulses = [first.1.load::<V>(start), second.1.load(start)];
        let mut leaving = Leaving::<V>::new();
        for pass in 0..PASSES {
            let before = (motion, impulses);
            let [lander, first, second] = &mut motion;
            rows[1].pass(1, &mut impulses[1], lander, second);
            rows[0].pass(0, &mut impulses[0], lander, first);
            if self.has_contacts {
                for body in CONTACT_ORDER {
                    if self.points[body][0] != (false, false) {
                        self.motion[body].store(start, &motion[body]);
                        V::apart(Press { lanes: self, body, start });
                        motion[body] = self.motion[body].load(start);
                    }
                }
            }
            if FAST {
                leaving.pass(pass, (&before.0, &mut motion), (&before.1, &mut impulses));
                leaving.open.0.store(&mut self.open.0[start..]);
                if leaving.is_over() {
                    break;
                }
            }
        }
        for (to, from) in self.motion.iter_mut().zip(&motion) {
            to.store(start, from);
        }
        for ((_, to), from) in self.joints.iter_mut().zip(&impulses) {
            to.store(start, from);
        }
    }
}

/// Of all bodies.
type Motions<V> = [Motion<Num<V>>; 3];
/// Of both joints.
type JointImpulses<V> = [Impulses<Num<V>>; 2];

/// Lanes that have left the passes early, as only the fast variant lets them: when a pass changes no velocity by more than
/// 1e-6. The motors would have gone on winding up against the limits, so what the last pass changed of a joint's impulses
/// is extrapolated until its motor has come to its end.
struct Leaving<V> {
    /// Less than 0 where a lane has left.
    open: Num<V>,
}

impl<V: Vector> Leaving<V> {
    #[inline(always)]
    fn new() -> Self {
        Self { open: num(1.0) }
    }

    /// See who leaves after this pass.
    #[inline(always)]
    fn pass(
        &mut self,
        pass: usize,
        (motion_before, motion): (&Motions<V>, &mut Motions<V>),
        (impulses_before, impulses): (&JointImpulses<V>, &mut JointImpulses<V>),
    ) {
        const SMALL: f32 = 1e-6;
        let zero = num(0.0);
        let mut largest = zero;
        for (now, was) in motion.iter().zip(motion_before) {
            for change in [now.x - was.x, now.y - was.y, now.spin - was.spin] {
                let size = change.if_less(zero, -change, change);
                largest = largest.if_less(size, size, largest);
            }
        }
        let going = num::<V>(SMALL).if_less(largest, num(1.0), num(-1.0));
        for (now, was) in motion.iter_mut().zip(motion_before) {
            *now = was.where_less(self.open, zero, *now);
        }
        let left = num((PASSES - 1 - pass) as f32);
        for (now, was) in impulses.iter_mut().zip(impulses_before) {
            let change = now.motor - was.motor;
            let end = (now.motor + left * change).clamp(num(-MOTOR_LIMIT), num(MOTOR_LIMIT));
            let size = change.if_less(zero, -change, change);
            // Where the motor stands still, 0 / 1.
            let steps = Num((end - now.motor).0.div(zero.if_less(size, change, num(1.0)).0));
            let drifted = Impulses {
                x: now.x + steps * (now.x - was.x),
                y: now.y + steps * (now.y - was.y),
                limit: now.limit + steps * (now.limit - was.limit),
                motor: end,
            };
            let new = drifted.where_less(going, zero, *now);
            *now = was.where_less(self.open, zero, new);
        }
        self.open = going.if_less(zero, going, self.open);
    }

    /// Whether all have left.
    #[inline(always)]
    fn is_over(&self) -> bool {
        !num::<V>(0.0).0.any_less(self.open.0)
    }
}

/// A pass over the contacts of one body. Apart, since in line it would be most of the solver's code and hardly ever run.
struct Press<'a> {
    lanes: &'a mut Lanes,
    body: usize,
    start: usize,
}

impl Kernel for Press<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { lanes, body, start } = self;
        let masses = Masses::of(body);
        let open = Num(V::load(&lanes.open.0[start..]));
        let mut motion = lanes.motion[body].load::<V>(start);
        let mut slot = 0;
        while slot < SLOTS && lanes.points[body][slot] != (false, false) {
            let (rows, pressure) = &mut lanes.contacts[body][slot];
            let mut rows = rows.load::<V>(start);
            rows.points = open.if_less(num(0.0), num(0.0), rows.points);
            let mut now = pressure.load::<V>(start);
            rows.pass(masses, &mut now, &mut motion, lanes.points[body][slot]);
            pressure.store(start, &now);
            slot += 1;
        }
        lanes.motion[body].store(start, &motion);
    }
}

impl Lanes {
    /// All passes for all lanes in use; `is_fast`: each lane leaves when little changes.
    pub fn run(&mut self, set: InstructionSet, is_fast: bool) {
        if is_fast {
            set.run(Solve::<true>(self));
        } else {
            set.run(Solve::<false>(self));
        }
    }
}

/// As a kernel.
struct Solve<'a, const FAST: bool>(&'a mut Lanes);

impl<const FAST: bool> Kernel for Solve<'_, FAST> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        // Four registers at a time, one of which alone would wait for its own results most of the time; not where registers
        // are arrays, of which the compiler makes what it can.
        let mut start = 0;
        while start < self.0.used {
            if V::TILE >= 16 && self.0.used - start > 2 * V::WIDTH {
                self.0.solve::<Pair<Pair<V>>, FAST>(start);
                start += Pair::<Pair<V>>::WIDTH;
            } else {
                self.0.solve::<V, FAST>(start);
                start += V::WIDTH;
            }
        }
    }
}

/// All passes over the contacts of one body that moves alone. Impulses begin at 0 and are not kept.
pub fn solve_alone(body: usize, contacts: &[ContactRows<f32>], motion: &mut Motion<f32>) {
    let none = Pressure { first_normal: 0.0, first_tangent: 0.0, second_normal: 0.0, second_tangent: 0.0 };
    let mut state = (*motion, [none; SLOTS]);
    // The passes soon go round in a circle of a few last bits; a state seen before says where they end (Brent 1980).
    let (mut seen, mut seen_at) = (state, 0);
    let (mut pass, mut end) = (0, PASSES);
    while pass < end {
        for (rows, pressure) in contacts.iter().zip(&mut state.1) {
            let is_double = rows.points > 1.5;
            let (mut moving, mut pressing) = (state.0.wrapped(), pressure.wrapped());
            rows.wrapped().pass(Masses::of(body), &mut pressing, &mut moving, (!is_double, is_double));
            (state.0, *pressure) = (moving.bare(), pressing.bare());
        }
        pass += 1;
        if state == seen && end == PASSES {
            end = pass + (PASSES - pass) % (pass - seen_at);
        } else if pass.is_power_of_two() {
            (seen, seen_at) = (state, pass);
        }
    }
    *motion = state.0;
}

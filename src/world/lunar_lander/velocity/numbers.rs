//! Numbers to write the solver's equations with, and the structs of them: for one environment, for a row of lanes, for a
//! register.

use std::ops::{Add, Mul, Neg, Sub};

use super::LANES;
use crate::cpu::Vector;
use crate::num::Real;

/// A number, or a register of them, to write equations with.
#[derive(Clone, Copy, PartialEq)]
pub struct Num<T>(pub T);

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
pub fn num<T: Real>(x: f32) -> Num<T> {
    Num(T::splat(x))
}

impl<T: Real> Num<T> {
    /// `then` where this is less than `bound`, else `otherwise`.
    #[inline(always)]
    pub fn if_less(self, bound: Self, then: Self, otherwise: Self) -> Self {
        Self(self.0.if_less(bound.0, then.0, otherwise.0))
    }

    /// As `geometry::clamp`.
    #[inline(always)]
    pub fn clamp(self, low: Self, high: Self) -> Self {
        Self(high.0.at_most(self.0).at_least(low.0))
    }
}

/// The same number of each lane. On cache lines, so that no register is loaded from two of them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub struct Row(pub [f32; LANES]);

impl Row {
    pub const fn all(x: f32) -> Self {
        Self([x; LANES])
    }
}

/// A struct of numbers that are all alike: of one environment (`f32`), of all lanes ([`Row`]), or of those in a register. A
/// `changing` one is what the solver writes.
macro_rules! numbers {
    (changing $(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        numbers! { $(#[$doc])* $name { $($(#[$field_doc])* $field,)* } }

        impl $name<Row> {
            /// The numbers of a lane.
            #[inline(always)]
            pub fn get(&self, lane: usize) -> $name<f32> {
                $name { $($field: self.$field.0[lane],)* }
            }

            #[inline(always)]
            pub fn store<V: Vector>(&mut self, lane: usize, from: &$name<Num<V>>) {
                $(from.$field.0.store(&mut self.$field.0[lane..]);)*
            }
        }

        impl<T: Real> $name<Num<T>> {
            /// This where `x` is less than `bound`, else `other`.
            #[inline(always)]
            pub fn where_less(self, x: Num<T>, bound: Num<T>, other: Self) -> Self {
                Self { $($field: x.if_less(bound, self.$field, other.$field),)* }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $name<T> {
            $($(#[$field_doc])* pub $field: T,)*
        }

        impl $name<Row> {
            pub const ZERO: Self = Self { $($field: Row::all(0.0),)* };

            /// Write the numbers of a lane.
            #[inline(always)]
            pub fn put(&mut self, lane: usize, from: &$name<f32>) {
                $(self.$field.0[lane] = from.$field;)*
            }

            #[inline(always)]
            pub fn load<V: Vector>(&self, lane: usize) -> $name<Num<V>> {
                $name { $($field: Num(V::load(&self.$field.0[lane..])),)* }
            }
        }

        impl From<$name<f32>> for $name<Num<f32>> {
            #[inline(always)]
            fn from(of: $name<f32>) -> Self {
                Self { $($field: Num(of.$field),)* }
            }
        }
    };
}

numbers! { changing
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

numbers! { changing
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

numbers! { changing
    /// Impulses of a contact's points, N s.
    Pressure { first_normal, first_tangent, second_normal, second_tangent, }
}

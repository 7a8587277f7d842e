//! Points, turns, poses and boxes in the plane, one rounding an operation, in Box2D's order of them.

use std::ops::{Add, Mul, Neg, Sub};

use crate::num::single;

/// A vector: metres, or whatever is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Vec2 {
    pub x: f32,
    pub y: f32,
}

/// `Vec2`, short enough for tables.
pub const fn at(x: f32, y: f32) -> Vec2 {
    Vec2 { x, y }
}

impl Add for Vec2 {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        at(self.x + other.x, self.y + other.y)
    }
}

impl Sub for Vec2 {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        at(self.x - other.x, self.y - other.y)
    }
}

impl Mul<Vec2> for f32 {
    type Output = Vec2;
    #[inline]
    fn mul(self, v: Vec2) -> Vec2 {
        at(self * v.x, self * v.y)
    }
}

impl Neg for Vec2 {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        at(-self.x, -self.y)
    }
}

impl Vec2 {
    #[inline]
    pub fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    /// The third component of the product in space.
    #[inline]
    pub fn cross(self, other: Self) -> f32 {
        self.x * other.y - self.y * other.x
    }

    /// A quarter turn clockwise.
    #[inline]
    pub fn clockwise(self) -> Self {
        at(self.y, -self.x)
    }

    /// A quarter turn counter-clockwise.
    #[inline]
    pub fn counter_clockwise(self) -> Self {
        at(-self.y, self.x)
    }

    #[inline]
    pub fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// This over its length, by the reciprocal; unchanged where the length is next to nothing.
    #[inline]
    pub fn normalised(self) -> Self {
        let length = self.length();
        if length < f32::EPSILON { self } else { (1.0 / length) * self }
    }

    #[inline]
    fn least(self, other: Self) -> Self {
        at(least(self.x, other.x), least(self.y, other.y))
    }

    #[inline]
    fn greatest(self, other: Self) -> Self {
        at(greatest(self.x, other.x), greatest(self.y, other.y))
    }
}

/// The lesser; of equals (a zero and its negative) the second.
#[inline]
pub fn least(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The greater; of equals the second.
#[inline]
pub fn greatest(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// `x` within [low, high].
#[inline]
pub fn clamp(x: f32, low: f32, high: f32) -> f32 {
    greatest(low, least(x, high))
}

/// Sine and cosine of an angle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    pub sin: f32,
    pub cos: f32,
}

impl Turn {
    #[inline]
    pub fn by(angle: f32) -> Self {
        let (sin, cos) = single::sin_cos(angle);
        Self { sin, cos }
    }

    #[inline]
    pub fn of(self, v: Vec2) -> Vec2 {
        at(self.cos * v.x - self.sin * v.y, self.sin * v.x + self.cos * v.y)
    }

    /// Turned back.
    #[inline]
    pub fn back(self, v: Vec2) -> Vec2 {
        at(self.cos * v.x + self.sin * v.y, -self.sin * v.x + self.cos * v.y)
    }
}

/// Where a body's frame is in the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    pub origin: Vec2,
    pub turn: Turn,
}

impl Pose {
    /// Of the body whose centre of mass, `local` in its frame, is at `centre`.
    #[inline]
    pub fn around(centre: Vec2, local: Vec2, turn: Turn) -> Self {
        Self { origin: centre - turn.of(local), turn }
    }

    /// A point of the body, in the world.
    #[inline]
    pub fn of(&self, v: Vec2) -> Vec2 {
        self.turn.of(v) + self.origin
    }

    /// A point of the world, in the body's frame.
    #[inline]
    pub fn back(&self, v: Vec2) -> Vec2 {
        self.turn.back(v - self.origin)
    }
}

/// A box along the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub low: Vec2,
    pub high: Vec2,
}

impl Bounds {
    /// Of some points, of which there is at least one, and `skin` around them.
    #[inline]
    pub fn of(points: impl IntoIterator<Item = Vec2>, skin: f32) -> Self {
        let none = Self { low: at(f32::MAX, f32::MAX), high: at(-f32::MAX, -f32::MAX) };
        let exact = points.into_iter().fold(none, |all, p| Self { low: all.low.least(p), high: all.high.greatest(p) });
        exact.grown(skin)
    }

    #[inline]
    pub fn grown(self, by: f32) -> Self {
        Self { low: self.low - at(by, by), high: self.high + at(by, by) }
    }

    /// The smallest that holds both.
    #[inline]
    pub fn with(self, other: Self) -> Self {
        Self { low: self.low.least(other.low), high: self.high.greatest(other.high) }
    }

    /// Further on the side that lies in this direction.
    #[inline]
    pub fn stretched(mut self, by: Vec2) -> Self {
        if by.x < 0.0 {
            self.low.x += by.x;
        } else {
            self.high.x += by.x;
        }
        if by.y < 0.0 {
            self.low.y += by.y;
        } else {
            self.high.y += by.y;
        }
        self
    }

    #[inline]
    pub fn holds(&self, other: &Self) -> bool {
        self.low.x <= other.low.x
            && self.low.y <= other.low.y
            && other.high.x <= self.high.x
            && other.high.y <= self.high.y
    }

    /// Touching counts.
    #[inline]
    pub fn meets(&self, other: &Self) -> bool {
        other.low.x - self.high.x <= 0.0
            && other.low.y - self.high.y <= 0.0
            && self.low.x - other.high.x <= 0.0
            && self.low.y - other.high.y <= 0.0
    }
}

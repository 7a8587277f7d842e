//! The lander and its two legs: what they are made of, and how they move. Numbers are Box2D's for Gymnasium's shapes.

use std::f32::consts::PI;

use super::geometry::{Bounds, Pose, Turn, Vec2, at};

/// Length of a step, s.
pub const STEP: f32 = 0.02;
/// Distance that contacts and joints may be off, m.
pub const SLOP: f32 = 0.005;
/// Angle that joints may be off, and spin below which a body may sleep.
pub const ANGULAR_SLOP: f32 = 2.0 / 180.0 * PI;
/// Radius around every polygon and edge, m.
pub const SKIN: f32 = 2.0 * SLOP;
/// How much a body's wide box is wider than the body, m.
pub const MARGIN: f32 = 0.1;

/// Of the bodies.
pub const LANDER: usize = 0;
/// The lander, then the leg on the right, then the one on the left.
pub const FORMS: [Form; 3] = [LANDER_FORM, LEG_FORM, LEG_FORM];

/// What does not change of a body.
#[derive(Debug)]
pub struct Form {
    /// Corners counter-clockwise, in the body's frame.
    pub vertices: &'static [Vec2],
    /// Outwards, the k-th of the side from corner k to the next.
    pub normals: &'static [Vec2],
    /// Its corners once more, which come in pairs (-x, y) and (x, y).
    pairs: &'static [Vec2],
    /// Centre of mass.
    pub centre: Vec2,
    /// The polygon's own idea of it, which decides from which side it meets an edge.
    pub centroid: Vec2,
    /// 1/kg.
    pub inverse_mass: f32,
    /// About the centre of mass, 1/(kg m^2).
    pub inverse_inertia: f32,
    /// With the terrain and with the base line: the root of the product of both sides' friction.
    pub friction: [f32; 2],
}

const LANDER_FORM: Form = Form {
    vertices: &[
        at(0.566_666_66, -0.333_333_34),
        at(0.566_666_66, 0.0),
        at(0.466_666_67, 0.566_666_66),
        at(-0.466_666_67, 0.566_666_66),
        at(-0.566_666_66, 0.0),
        at(-0.566_666_66, -0.333_333_34),
    ],
    normals: &[
        at(1.0, -0.0),
        at(0.984_783_6, 0.173_785_33),
        at(0.0, 1.0),
        at(-0.984_783_6, 0.173_785_33),
        at(-1.0, -0.0),
        at(0.0, -1.0),
    ],
    pairs: &[at(0.566_666_66, -0.333_333_34), at(0.566_666_66, 0.0), at(0.466_666_67, 0.566_666_66)],
    centre: at(0.0, 0.101_307_19),
    centroid: at(3.867_083e-9, 0.101307176),
    inverse_mass: 0.207_612_45,
    inverse_inertia: 1.275_704_3,
    friction: [0.1, 0.141_421_36],
};

const LEG_FORM: Form = Form {
    vertices: &[
        at(-0.066_666_67, -0.266_666_68),
        at(0.066_666_67, -0.266_666_68),
        at(0.066_666_67, 0.266_666_68),
        at(-0.066_666_67, 0.266_666_68),
    ],
    normals: &[at(0.0, -1.0), at(1.0, 0.0), at(0.0, 1.0), at(-1.0, 0.0)],
    pairs: &[at(0.066_666_67, -0.266_666_68), at(0.066_666_67, 0.266_666_68)],
    centre: at(0.0, 0.0),
    centroid: at(0.0, 0.0),
    inverse_mass: 14.062_498,
    inverse_inertia: 558.363_83,
    friction: [0.141_421_36, 0.2],
};

impl Form {
    /// The box of a body and its skin: of a pair of corners, the coordinates of one are those of the other with one
    /// product's sign turned; and rounding never changes what is larger.
    #[inline]
    pub fn bounds(&self, pose: &Pose) -> Bounds {
        let Turn { sin, cos } = pose.turn;
        let corners = self.pairs.iter().flat_map(|&Vec2 { x, y }| {
            let (x_part, y_part) = ((cos * x).abs(), (sin * x).abs());
            let (x_rest, y_rest) = (-(sin * y), cos * y);
            [at(-x_part + x_rest, -y_part + y_rest), at(x_part + x_rest, y_part + y_rest)]
        });
        let exact = Bounds::of(corners, 0.0);
        Bounds { low: exact.low + pose.origin, high: exact.high + pose.origin }.grown(SKIN)
    }
}

/// A body's motion, and what goes with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Body {
    /// Centre of mass, m.
    pub centre: Vec2,
    /// rad, never wrapped.
    pub angle: f32,
    /// Of the centre of mass, m/s.
    pub velocity: Vec2,
    /// rad/s.
    pub spin: f32,
    /// Sine and cosine of the angle.
    pub turn: Turn,
    /// How long it has been at rest, s.
    pub quiet: f32,
    /// The box of the body and its skin where the last step left it.
    pub bounds: Bounds,
    /// The wide box, by which pairs that may come to touch are found.
    pub wide: Bounds,
}

impl Body {
    /// At rest, its origin here.
    pub fn new(form: &Form, origin: Vec2, angle: f32) -> Self {
        let pose = Pose { origin, turn: Turn::by(angle) };
        let bounds = form.bounds(&pose);
        Self {
            centre: pose.of(form.centre),
            angle,
            velocity: at(0.0, 0.0),
            spin: 0.0,
            turn: pose.turn,
            quiet: 0.0,
            bounds,
            wide: bounds.grown(MARGIN),
        }
    }

    /// Where its frame is.
    #[inline]
    pub fn pose(&self, form: &Form) -> Pose {
        Pose::around(self.centre, form.centre, self.turn)
    }

    /// A change of momentum, N s, at a point of the world.
    #[inline]
    pub fn push(&mut self, form: &Form, impulse: Vec2, point: Vec2) {
        self.velocity = self.velocity + form.inverse_mass * impulse;
        self.spin += form.inverse_inertia * (point - self.centre).cross(impulse);
    }

    /// Go on with the present velocity for `time`, within what Box2D lets a body move in a step.
    #[inline]
    pub fn go(&mut self, time: f32) {
        const FARTHEST: f32 = 2.0;
        const FURTHEST: f32 = 0.5 * PI;
        let path = time * self.velocity;
        if path.dot(path) > FARTHEST * FARTHEST {
            self.velocity = FARTHEST / path.length() * self.velocity;
        }
        let arc = time * self.spin;
        if arc * arc > FURTHEST * FURTHEST {
            self.spin *= FURTHEST / arc.abs();
        }
        self.centre = self.centre + time * self.velocity;
        self.set_angle(self.angle + time * self.spin);
    }

    /// Turn to an angle.
    #[inline]
    pub fn set_angle(&mut self, angle: f32) {
        if angle.to_bits() != self.angle.to_bits() {
            self.angle = angle;
            self.turn = Turn::by(angle);
        }
    }

    /// Correct place and angle by an impulse of position at an arm from the centre of mass, forwards or, with `sign` -1,
    /// backwards.
    #[inline]
    pub fn shift(&mut self, form: &Form, impulse: Vec2, arm: Vec2) {
        self.centre = self.centre + form.inverse_mass * impulse;
        self.set_angle(self.angle + form.inverse_inertia * arm.cross(impulse));
    }

    /// Whether it moves too slowly to count.
    #[inline]
    pub fn is_slow(&self) -> bool {
        const SLOW: f32 = 0.01;
        self.spin * self.spin <= ANGULAR_SLOP * ANGULAR_SLOP && self.velocity.dot(self.velocity) <= SLOW * SLOW
    }

    /// Renew the wide box if the box of a motion, along `path`, has left it. Whether it has.
    #[inline]
    pub fn widen(&mut self, swept: Bounds, path: Vec2) -> bool {
        if self.wide.holds(&swept) {
            return false;
        }
        self.wide = swept.grown(MARGIN).stretched(2.0 * path);
        true
    }
}

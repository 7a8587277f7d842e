//! The legs' joints: a pin with a motor and a limit. What the velocity solver needs to know of them, and the correction of
//! positions after it. After Box2D's `b2RevoluteJoint`.

use std::f32::consts::PI;

use super::bodies::{ANGULAR_SLOP, Body, FORMS, SLOP};
use super::geometry::{Vec2, at, clamp};
use super::velocity::{Impulses, JointRows};

/// Of the pin, in the lander's frame.
const LANDER_ANCHOR: Vec2 = at(0.0, 0.0);
/// In the leg's, of leg 0 and leg 1.
const LEG_ANCHORS: [Vec2; 2] = [at(-0.666_666_7, 0.6), at(0.666_666_7, 0.6)];
/// The angle between leg and lander that counts as 0, rad: what it is at the start.
const REFERENCES: [f32; 2] = [-0.05, 0.05];
/// rad.
const LIMITS: [[f32; 2]; 2] = [[0.4, 0.9], [-0.9, -0.4]];
/// How far angles are corrected in one pass, rad.
const MOST_CORRECTION: f32 = 8.0 / 180.0 * PI;

/// Where the angle was when the step began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Free,
    Lower,
    Upper,
}

/// One leg's joint. Body A in Box2D's terms is the lander, B the leg.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Joint {
    pub impulses: Impulses<f32>,
    limit: Limit,
}

impl Joint {
    pub fn new() -> Self {
        Self { impulses: Impulses { x: 0.0, y: 0.0, limit: 0.0, motor: 0.0 }, limit: Limit::Free }
    }

    /// Whether the leg is held so firmly against its limit that it will not come away in the next step. For sorting only.
    #[inline]
    pub fn is_firm(&self) -> bool {
        self.impulses.limit.abs() > 0.4
    }

    /// Get ready for the velocity solver, and let the bodies feel the last step's impulses. `of`: 0 or 1.
    #[inline]
    pub fn begin(&mut self, of: usize, lander: &mut Body, leg: &mut Body) -> JointRows<f32> {
        let (a, b) = (&FORMS[0], &FORMS[1]);
        let (mass_a, mass_b, inertia_a, inertia_b) =
            (a.inverse_mass, b.inverse_mass, a.inverse_inertia, b.inverse_inertia);
        let arm_a = lander.turn.of(LANDER_ANCHOR - a.centre);
        let arm_b = leg.turn.of(LEG_ANCHORS[of] - b.centre);

        let k_xx = mass_a + mass_b + arm_a.y * arm_a.y * inertia_a + arm_b.y * arm_b.y * inertia_b;
        let k_xy = -arm_a.y * arm_a.x * inertia_a - arm_b.y * arm_b.x * inertia_b;
        let k_xz = -arm_a.y * inertia_a - arm_b.y * inertia_b;
        let k_yy = mass_a + mass_b + arm_a.x * arm_a.x * inertia_a + arm_b.x * arm_b.x * inertia_b;
        let k_yz = arm_a.x * inertia_a + arm_b.x * inertia_b;
        let k_zz = inertia_a + inertia_b;
        let cross_x = k_yy * k_zz - k_yz * k_yz;
        let cross_y = k_yz * k_xz - k_xy * k_zz;
        let cross_z = k_xy * k_yz - k_yy * k_xz;
        let inverse = |determinant: f32| if determinant == 0.0 { 0.0 } else { 1.0 / determinant };

        let angle = leg.angle - lander.angle - REFERENCES[of];
        let limit = match LIMITS[of] {
            [lower, _] if angle <= lower => Limit::Lower,
            [_, upper] if angle >= upper => Limit::Upper,
            _ => Limit::Free,
        };
        if limit != self.limit || limit == Limit::Free {
            self.impulses.limit = 0.0;
        }
        self.limit = limit;

        let Impulses { x, y, limit: stop, motor } = self.impulses;
        let push = at(x, y);
        lander.velocity = lander.velocity - mass_a * push;
        lander.spin -= inertia_a * (arm_a.cross(push) + motor + stop);
        leg.velocity = leg.velocity + mass_b * push;
        leg.spin += inertia_b * (arm_b.cross(push) + motor + stop);

        let is_free = limit == Limit::Free;
        JointRows {
            lander_x: arm_a.x,
            lander_y: arm_a.y,
            leg_x: arm_b.x,
            leg_y: arm_b.y,
            k_xx,
            k_xy,
            k_xz,
            k_yy,
            k_yz,
            cross_x,
            cross_y,
            cross_z,
            inverse_3: -inverse(k_xx * cross_x + k_xy * cross_y + k_xz * cross_z),
            inverse_2: inverse(k_xx * k_yy - k_xy * k_xy),
            limit_x: if is_free { -0.0 } else { k_xz },
            limit_y: if is_free { -0.0 } else { k_yz },
            sign: if limit == Limit::Upper { -1.0 } else { 1.0 },
            least: if is_free { f32::INFINITY } else { 0.0 },
        }
    }

    /// A pass of the position solver. Whether all was as it should be.
    #[inline]
    pub fn correct(&self, of: usize, lander: &mut Body, leg: &mut Body) -> bool {
        let (a, b) = (&FORMS[0], &FORMS[1]);
        let (mass_a, mass_b, inertia_a, inertia_b) =
            (a.inverse_mass, b.inverse_mass, a.inverse_inertia, b.inverse_inertia);

        let angle = leg.angle - lander.angle - REFERENCES[of];
        let [lower, upper] = LIMITS[of];
        let (error, correction) = match self.limit {
            Limit::Free => (0.0, None),
            Limit::Lower => {
                let off = angle - lower;
                (-off, Some(clamp(off + ANGULAR_SLOP, -MOST_CORRECTION, 0.0)))
            }
            Limit::Upper => {
                let off = angle - upper;
                (off, Some(clamp(off - ANGULAR_SLOP, 0.0, MOST_CORRECTION)))
            }
        };
        if let Some(correction) = correction {
            let impulse = -(1.0 / (inertia_a + inertia_b)) * correction;
            lander.set_angle(lander.angle - inertia_a * impulse);
            leg.set_angle(leg.angle + inertia_b * impulse);
        }

        let arm_a = lander.turn.of(LANDER_ANCHOR - a.centre);
        let arm_b = leg.turn.of(LEG_ANCHORS[of] - b.centre);
        let gap = leg.centre + arm_b - lander.centre - arm_a;
        let k_xx = mass_a + mass_b + inertia_a * arm_a.y * arm_a.y + inertia_b * arm_b.y * arm_b.y;
        let k_xy = -inertia_a * arm_a.x * arm_a.y - inertia_b * arm_b.x * arm_b.y;
        let k_yy = mass_a + mass_b + inertia_a * arm_a.x * arm_a.x + inertia_b * arm_b.x * arm_b.x;
        let determinant = k_xx * k_yy - k_xy * k_xy;
        let inverse = if determinant == 0.0 { 0.0 } else { 1.0 / determinant };
        let impulse = -at(inverse * (k_yy * gap.x - k_xy * gap.y), inverse * (k_xx * gap.y - k_xy * gap.x));

        lander.centre = lander.centre - mass_a * impulse;
        lander.set_angle(lander.angle - inertia_a * arm_a.cross(impulse));
        leg.centre = leg.centre + mass_b * impulse;
        leg.set_angle(leg.angle + inertia_b * arm_b.cross(impulse));
        gap.length() <= SLOP && error <= ANGULAR_SLOP
    }
}

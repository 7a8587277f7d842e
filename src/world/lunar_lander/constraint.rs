//! What the solvers need to know of a contact: the velocity solver's numbers, and the correction of positions after it.
//! After Box2D's `b2ContactSolver`, where one side is ground that nothing moves.

use super::bodies::{Body, Form, SLOP};
use super::collide::Manifold;
use super::geometry::{Vec2, at, clamp, least};
use super::velocity::{ContactRows, Pressure};

/// How the correction of positions goes: how much of an error is taken back in a pass, and how deep a point may stay.
#[derive(Clone, Copy)]
pub struct Correction {
    pub part: f32,
    pub depth: f32,
}

/// In a step.
pub const STEP_CORRECTION: Correction = Correction { part: 0.2, depth: -3.0 * SLOP };
/// Where a body has been stopped short of the ground.
pub const STOP_CORRECTION: Correction = Correction { part: 0.75, depth: -1.5 * SLOP };

impl Manifold {
    /// Get ready for the velocity solver with the body here.
    #[inline]
    pub fn begin(&self, form: &Form, edge: usize, body: &Body) -> ContactRows<f32> {
        let pose = body.pose(form);
        let (mass, inertia) = (form.inverse_mass, form.inverse_inertia);
        let inverse = |k: f32| if k > 0.0 { 1.0 / k } else { 0.0 };
        let mut arms = [at(0.0, 0.0); 2];
        let mut across = [0.0; 2];
        let mut masses = [[0.0; 2]; 2];
        let mut normal = at(0.0, 0.0);
        for i in 0..self.count {
            let place = self.place(i, &pose);
            normal = place.normal;
            arms[i] = place.middle - body.centre;
            across[i] = arms[i].cross(normal);
            let slide = arms[i].cross(normal.clockwise());
            masses[i] = [inverse(mass + inertia * across[i] * across[i]), inverse(mass + inertia * slide * slide)];
        }
        let k_11 = mass + inertia * across[0] * across[0];
        let k_22 = mass + inertia * across[1] * across[1];
        let k_12 = mass + inertia * across[0] * across[1];
        let determinant = k_11 * k_22 - k_12 * k_12;
        // Two points too close together are solved as one.
        let is_double = self.count == 2 && k_11 * k_11 < 1000.0 * determinant;
        let inverse = if is_double { 1.0 / determinant } else { 0.0 };
        ContactRows {
            points: if is_double { 2.0 } else { 1.0 },
            normal_x: normal.x,
            normal_y: normal.y,
            friction: form.friction[usize::from(edge == 0)],
            first_x: arms[0].x,
            first_y: arms[0].y,
            first_normal_mass: masses[0][0],
            first_tangent_mass: masses[0][1],
            second_x: arms[1].x,
            second_y: arms[1].y,
            second_normal_mass: masses[1][0],
            second_tangent_mass: masses[1][1],
            k_11,
            k_12,
            k_22,
            inverse_11: inverse * k_22,
            inverse_12: -inverse * k_12,
            inverse_22: inverse * k_11,
        }
    }

    /// Let the body feel the last step's impulses, and give them to the velocity solver.
    #[inline]
    pub fn warm_start(&self, form: &Form, rows: &ContactRows<f32>, body: &mut Body) -> Pressure<f32> {
        let normal = at(rows.normal_x, rows.normal_y);
        let tangent = normal.clockwise();
        let [first, second] = &self.points;
        let mut push = |arm: Vec2, along: f32, across: f32| {
            let push = along * normal + across * tangent;
            body.spin += form.inverse_inertia * arm.cross(push);
            body.velocity = body.velocity + form.inverse_mass * push;
        };
        push(at(rows.first_x, rows.first_y), first.normal_impulse, first.tangent_impulse);
        if rows.points > 1.5 {
            push(at(rows.second_x, rows.second_y), second.normal_impulse, second.tangent_impulse);
        }
        Pressure {
            first_normal: first.normal_impulse,
            first_tangent: first.tangent_impulse,
            second_normal: second.normal_impulse,
            second_tangent: second.tangent_impulse,
        }
    }

    /// Keep the impulses of the points that were solved for the next step.
    #[inline]
    pub fn keep(&mut self, pressure: &Pressure<f32>, points: usize) {
        let [first, second] = &mut self.points;
        (first.normal_impulse, first.tangent_impulse) = (pressure.first_normal, pressure.first_tangent);
        if points > 1 {
            (second.normal_impulse, second.tangent_impulse) = (pressure.second_normal, pressure.second_tangent);
        }
    }

    /// A pass of the position solver over the points. The smallest separation that it met, at most 0.
    #[inline]
    pub fn correct(&self, form: &Form, how: Correction, body: &mut Body) -> f32 {
        const MOST: f32 = 0.2;
        let mut smallest = 0.0;
        for i in 0..self.count {
            let place = self.place(i, &body.pose(form));
            let arm = place.at - body.centre;
            smallest = least(smallest, place.separation);
            let error = clamp(how.part * (place.separation + SLOP), -MOST, 0.0);
            let across = arm.cross(place.normal);
            let k = form.inverse_mass + form.inverse_inertia * across * across;
            let impulse = if k > 0.0 { -error / k } else { 0.0 };
            body.shift(form, impulse * place.normal, arm);
        }
        smallest
    }
}

//! Continuous collision: bodies that a step has carried into the ground are taken back to where they first came to it, and
//! go on from there, each alone. After Box2D's `b2World::SolveTOI`.

use super::bodies::{FORMS, STEP};
use super::constraint::STOP_CORRECTION;
use super::contacts::{Contact, MOST};
use super::geometry::least;
use super::impact::Sweep;
use super::physics::Physics;
use super::velocity::{Motion, SLOTS, solve_alone};

/// How often a contact may stop a body in a step.
const MOST_STOPS: usize = 8;
/// Passes of the position solver.
const POSITION_PASSES: usize = 20;

/// What is known of a contact within one step.
#[derive(Clone, Copy)]
struct Course {
    /// The part of the step at which the body comes to the edge, 1 if it does not; none until it is computed.
    impact: Option<f32>,
    stops: usize,
    /// It was found not to touch after all.
    is_off: bool,
}

impl Course {
    const NEW: Self = Self { impact: None, stops: 0, is_off: false };
}

impl Physics {
    /// `sweeps`: how each body has moved in the step.
    #[inline]
    pub fn stop_in_time(&mut self, sweeps: [Sweep; 3]) {
        let may_come = |contact: &Contact| {
            self.awake[contact.body] && !sweeps[contact.body].misses(self.terrain.edge(contact.edge))
        };
        if self.contacts.all().iter().any(may_come) {
            self.stop_one_by_one(sweeps);
        }
    }

    fn stop_one_by_one(&mut self, mut sweeps: [Sweep; 3]) {
        let mut courses = [Course::NEW; MOST];
        // How far the ground has come, of which only this much shows.
        let mut ground = 0.0;
        while let Some((first, impact)) = self.first_impact(&mut courses, &mut sweeps, &mut ground) {
            let index = self.contacts.all()[first].body;
            let form = &FORMS[index];
            let (before, ground_before, body_before) = (sweeps[index], ground, self.bodies[index]);
            ground = impact;
            sweeps[index].advance(impact);
            sweeps[index].stop(&mut self.bodies[index]);
            self.contacts.update(first, &self.bodies[index].pose(form), &self.terrain);
            let course = &mut courses[first];
            (course.impact, course.is_off) = (None, false);
            course.stops += 1;
            if self.contacts.all()[first].manifold.count == 0 {
                course.is_off = true;
                (sweeps[index], ground, self.bodies[index]) = (before, ground_before, body_before);
                continue;
            }
            // This contact first, then the body's others.
            let mut touching = [first; SLOTS];
            let mut count = 1;
            let known = self.contacts.all().len();
            for (other, course) in courses[..known].iter_mut().enumerate() {
                if other != first && self.contacts.all()[other].body == index {
                    self.contacts.update(other, &self.bodies[index].pose(form), &self.terrain);
                    course.is_off = false;
                    if self.contacts.all()[other].manifold.count > 0 && count < SLOTS {
                        touching[count] = other;
                        count += 1;
                    }
                }
            }
            let is_wide = self.go_on_alone(index, &touching[..count], &mut sweeps[index]);
            for (contact, course) in self.contacts.all().iter().zip(&mut courses) {
                if contact.body == index {
                    course.impact = None;
                }
            }
            let is_new = std::array::from_fn(|body| body == index && is_wide);
            self.contacts.pair(&self.bodies, is_new, &self.terrain, &mut self.awake);
            let added = self.contacts.all().len() - known;
            courses.copy_within(0..known, added);
            courses[..added].fill(Course::NEW);
        }
    }

    /// The first contact to come, and when in the step.
    fn first_impact(&self, courses: &mut [Course], sweeps: &mut [Sweep; 3], ground: &mut f32) -> Option<(usize, f32)> {
        let mut first = None;
        let mut earliest = 1.0;
        for (i, (contact, course)) in self.contacts.all().iter().zip(courses).enumerate() {
            if course.is_off || course.stops > MOST_STOPS || !self.awake[contact.body] {
                continue;
            }
            let impact = match course.impact {
                Some(impact) => impact,
                None => {
                    let sweep = &mut sweeps[contact.body];
                    if sweep.from < *ground {
                        sweep.advance(*ground);
                    } else {
                        *ground = sweep.from;
                    }
                    let edge = self.terrain.edge(contact.edge);
                    let impact = sweep.impact(&FORMS[contact.body], edge).unwrap_or(1.0);
                    course.impact = Some(impact);
                    impact
                }
            };
            if impact < earliest {
                (first, earliest) = (Some(i), impact);
            }
        }
        let first = first?;
        (earliest <= 1.0 - 10.0 * f32::EPSILON).then_some((first, earliest))
    }

    /// The body is put right where it was stopped, meets what touches it there, and moves on for what is left of the step.
    /// Whether its wide box is a new one.
    fn go_on_alone(&mut self, index: usize, touching: &[usize], sweep: &mut Sweep) -> bool {
        let form = &FORMS[index];
        let body = &mut self.bodies[index];
        let contacts = self.contacts.all();
        for _ in 0..POSITION_PASSES {
            let smallest = touching.iter().fold(0.0, |smallest, &contact| {
                least(smallest, contacts[contact].manifold.correct(form, STOP_CORRECTION, body))
            });
            if smallest >= STOP_CORRECTION.depth {
                break;
            }
        }
        let start = body.pose(form);
        sweep.begin(body);
        let mut rows = [contacts[touching[0]].manifold.begin(form, contacts[touching[0]].edge, body); SLOTS];
        for (rows, &contact) in rows.iter_mut().zip(touching) {
            *rows = contacts[contact].manifold.begin(form, contacts[contact].edge, body);
        }
        let mut motion = Motion { x: body.velocity.x, y: body.velocity.y, spin: body.spin };
        solve_alone(index, &rows[..touching.len()], &mut motion);
        (body.velocity.x, body.velocity.y, body.spin) = (motion.x, motion.y, motion.spin);
        body.go((1.0 - sweep.from) * STEP);
        let end = body.pose(form);
        body.bounds = form.bounds(&end);
        let swept = sweep.finish(form.bounds(&start), body);
        body.widen(swept, end.origin - start.origin)
    }
}

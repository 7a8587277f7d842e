//! A step of the world's physics, in Box2D's order (`b2World::Step`), in two halves: what comes before the velocity solver,
//! which fills a lane of it, and what comes after.

use super::bodies::{Body, FORMS, LANDER, STEP};
use super::constraint::STEP_CORRECTION;
use super::contacts::Contacts;
use super::geometry::{Vec2, at, least};
use super::impact::Sweep;
use super::joint::Joint;
use super::terrain::{HEIGHT, Terrain, WIDTH};
use super::velocity::{Lanes, Motion, SLOTS};

/// m/s^2.
const GRAVITY: Vec2 = at(0.0, -10.0);
/// Passes of the position solver, at most.
const POSITION_PASSES: usize = 60;

/// Lander, legs and ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Physics {
    pub bodies: [Body; 3],
    pub joints: [Joint; 2],
    pub terrain: Terrain,
    pub contacts: Contacts,
    /// Bodies that have not come to rest.
    pub awake: [bool; 3],
    /// On the lander in the coming step, N.
    pub force: Vec2,
    /// N m.
    pub torque: f32,
    /// For how many passes of the velocity solver it stayed in the last step.
    passes: u8,
}

impl Physics {
    /// At the top, the legs folded in: the first step snaps them into place.
    pub fn new(terrain: Terrain) -> Self {
        let body = |body: usize, x: f64, angle: f32| Body::new(&FORMS[body], at(x as f32, HEIGHT as f32), angle);
        let middle = WIDTH / 2.0;
        Self {
            bodies: [
                body(LANDER, middle, 0.0),
                body(1, middle + 20.0 / 30.0, -0.05),
                body(2, middle - 20.0 / 30.0, 0.05),
            ],
            joints: [Joint::new(); 2],
            terrain,
            contacts: Contacts::new(),
            awake: [true; 3],
            force: at(0.0, 0.0),
            torque: 0.0,
            passes: 0,
        }
    }

    /// See what touches. No ground is as high as where bodies begin, so a new world has no pairs yet.
    #[inline]
    pub fn collide(&mut self) {
        self.contacts.collide(&self.bodies, &self.terrain);
    }

    /// What decides which parts of the velocity solver are needed. For sorting only.
    #[inline]
    pub fn pattern(&self) -> u64 {
        let is_loose = self.joints.iter().any(|joint| !joint.is_firm());
        // Those that left early will do so again.
        u64::from(self.contacts.pattern()) << 9 | u64::from(is_loose) << 8 | u64::from(self.passes)
    }

    /// Forces act, and the velocity solver is told of joints and contacts.
    pub fn begin(&mut self, lanes: &mut Lanes, lane: usize) {
        self.awake = [true; 3];
        for (i, body) in self.bodies.iter_mut().enumerate() {
            let (force, torque) = if i == LANDER { (self.force, self.torque) } else { (at(0.0, 0.0), 0.0) };
            body.velocity = body.velocity + STEP * (GRAVITY + FORMS[i].inverse_mass * force);
            body.spin += STEP * FORMS[i].inverse_inertia * torque;
        }
        (self.force, self.torque) = (at(0.0, 0.0), 0.0);
        for (i, (body, form)) in self.bodies.iter_mut().zip(&FORMS).enumerate() {
            for (slot, contact) in self.contacts.touching(i).take(SLOTS).enumerate() {
                let rows = contact.manifold.begin(form, contact.edge, body);
                let pressure = contact.manifold.warm_start(form, &rows, body);
                lanes.put_contact(lane, i, slot, &rows, &pressure);
            }
        }
        let [lander, legs @ ..] = &mut self.bodies;
        for i in [1, 0] {
            let rows = self.joints[i].begin(i, lander, &mut legs[i]);
            lanes.joints[i].0.put(lane, &rows);
            lanes.joints[i].1.put(lane, &self.joints[i].impulses);
        }
        for (motion, body) in lanes.motion.iter_mut().zip(&self.bodies) {
            motion.put(lane, &Motion { x: body.velocity.x, y: body.velocity.y, spin: body.spin });
        }
    }

    /// Bodies move as the velocity solver says, positions are corrected, bodies at rest fall asleep, new pairs are found and
    /// what has flown into the ground is stopped in time.
    pub fn end(&mut self, lanes: &Lanes, lane: usize) {
        for i in 0..3 {
            for (slot, contact) in self.contacts.touching_mut(i).take(SLOTS).enumerate() {
                let (pressure, points) = lanes.pressure(lane, i, slot);
                contact.manifold.keep(&pressure, points);
            }
        }
        let [lander, first, second] = &self.bodies;
        let starts = [lander.pose(&FORMS[0]), first.pose(&FORMS[1]), second.pose(&FORMS[2])];
        let bounds = [lander.bounds, first.bounds, second.bounds];
        let mut sweeps = [Sweep::new(lander), Sweep::new(first), Sweep::new(second)];
        for (i, body) in self.bodies.iter_mut().enumerate() {
            let motion = lanes.motion[i].get(lane);
            (body.velocity, body.spin) = (at(motion.x, motion.y), motion.spin);
            body.go(STEP);
        }
        for (i, joint) in self.joints.iter_mut().enumerate() {
            joint.impulses = lanes.joints[i].1.get(lane);
        }
        self.passes = lanes.passes(lane);
        let is_settled = (0..POSITION_PASSES).any(|_| self.correct());
        self.rest(is_settled);

        let mut is_new = [false; 3];
        for (i, body) in self.bodies.iter_mut().enumerate() {
            let end = body.pose(&FORMS[i]);
            body.bounds = FORMS[i].bounds(&end);
            let swept = sweeps[i].finish(bounds[i], body);
            is_new[i] = body.widen(swept, end.origin - starts[i].origin);
        }
        self.contacts.pair(&self.bodies, is_new, &self.terrain, &mut self.awake);
        self.stop_in_time(sweeps);
    }

    /// A pass of the position solver. Whether nothing was far off.
    #[inline]
    fn correct(&mut self) -> bool {
        let mut smallest = 0.0;
        for (i, (body, form)) in self.bodies.iter_mut().zip(&FORMS).enumerate() {
            for contact in self.contacts.touching(i) {
                smallest = least(smallest, contact.manifold.correct(form, STEP_CORRECTION, body));
            }
        }
        let mut is_settled = smallest >= STEP_CORRECTION.depth;
        let [lander, legs @ ..] = &mut self.bodies;
        for i in [1, 0] {
            is_settled &= self.joints[i].correct(i, lander, &mut legs[i]);
        }
        is_settled
    }

    /// All bodies fall asleep together, after half a second without motion.
    #[inline]
    fn rest(&mut self, is_settled: bool) {
        const PATIENCE: f32 = 0.5;
        for body in &mut self.bodies {
            body.quiet = if body.is_slow() { body.quiet + STEP } else { 0.0 };
        }
        if is_settled && self.bodies.iter().all(|body| body.quiet >= PATIENCE) {
            self.awake = [false; 3];
            for body in &mut self.bodies {
                (body.velocity, body.spin, body.quiet) = (at(0.0, 0.0), 0.0, 0.0);
            }
        }
    }
}

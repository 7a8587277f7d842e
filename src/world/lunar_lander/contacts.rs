//! Which pairs of a body and an edge are watched, whether they touch, and what follows from it for the legs' flags.
//!
//! Pairs are found by wide boxes and kept in a list, the newest first, whose order is that of events and of the solver. In
//! Box2D (`b2BroadPhase`, `b2ContactManager`) a tree finds them; of it only this order shows.

use super::bodies::{Body, FORMS, LANDER};
use super::collide::{Manifold, manifold};
use super::geometry::Pose;
use super::terrain::{EDGES, Terrain};
use super::velocity::SLOTS;

/// Pairs that a list holds. More than 7 were never seen: the wide box of a body covers three edges, rarely the base line.
pub const MOST: usize = 12;

/// A body near an edge.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Contact {
    pub body: usize,
    pub edge: usize,
    /// No points where they do not touch.
    pub manifold: Manifold,
}

/// The list, and what its events have set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contacts {
    list: [Contact; MOST],
    count: usize,
    /// Of the legs: an edge began to touch it, and none has ceased to since.
    pub legs: [bool; 2],
    /// The lander has touched the ground.
    pub crashed: bool,
}

impl Contacts {
    pub fn new() -> Self {
        Self { list: [Contact::default(); MOST], count: 0, legs: [false; 2], crashed: false }
    }

    /// All pairs, the newest first.
    #[inline]
    pub fn all(&self) -> &[Contact] {
        &self.list[..self.count]
    }

    #[inline]
    pub fn all_mut(&mut self) -> &mut [Contact] {
        &mut self.list[..self.count]
    }

    /// Those of a body that touch the ground, the newest first.
    #[inline]
    pub fn touching(&self, body: usize) -> impl Iterator<Item = &Contact> {
        self.all().iter().filter(move |contact| contact.body == body && contact.manifold.count > 0)
    }

    /// See [`Contacts::touching`].
    #[inline]
    pub fn touching_mut(&mut self, body: usize) -> impl Iterator<Item = &mut Contact> {
        self.all_mut().iter_mut().filter(move |contact| contact.body == body && contact.manifold.count > 0)
    }

    /// Alike for those that have alike touching contacts: two bits a contact, of leg 1, the lander and leg 0.
    #[inline]
    pub fn pattern(&self) -> u32 {
        if self.count == 0 {
            return 0;
        }
        let touching = [2, LANDER, 1].into_iter().flat_map(|body| {
            (0..SLOTS).map(move |slot| self.touching(body).nth(slot).map_or(0, |contact| contact.manifold.count as u32))
        });
        touching.fold(0, |pattern, count| pattern << 2 | count)
    }

    /// At the beginning of a step: drop pairs that are far apart, and see where the others touch.
    #[inline]
    pub fn collide(&mut self, bodies: &[Body; 3], terrain: &Terrain) {
        let mut i = 0;
        while i < self.count {
            let Contact { body, edge, manifold } = self.list[i];
            if bodies[body].wide.meets(&terrain.wide(edge)) {
                self.update(i, &bodies[body].pose(&FORMS[body]), terrain);
                i += 1;
            } else {
                if manifold.count > 0 {
                    self.ended(body);
                }
                self.list.copy_within(i + 1..self.count, i);
                self.count -= 1;
            }
        }
    }

    /// See where a pair touches with the body here. Points that are known again keep their impulses.
    pub fn update(&mut self, index: usize, pose: &Pose, terrain: &Terrain) {
        let Contact { body, edge, manifold: old } = self.list[index];
        let mut new = manifold(&FORMS[body], pose, terrain.edge(edge));
        for point in &mut new.points[..new.count] {
            if let Some(known) = old.points[..old.count].iter().find(|known| known.identity == point.identity) {
                point.normal_impulse = known.normal_impulse;
                point.tangent_impulse = known.tangent_impulse;
            }
        }
        self.list[index].manifold = new;
        if old.count == 0 && new.count > 0 {
            match body {
                LANDER => self.crashed = true,
                leg => self.legs[leg - 1] = true,
            }
        }
        if old.count > 0 && new.count == 0 {
            self.ended(body);
        }
    }

    /// A leg's flag goes out when any of its edges ceases to touch it, even if another one does.
    fn ended(&mut self, body: usize) {
        if body != LANDER {
            self.legs[body - 1] = false;
        }
    }

    /// Watch the pairs of these bodies, whose wide boxes are new. Bodies of new pairs wake up.
    pub fn pair(&mut self, bodies: &[Body; 3], is_new: [bool; 3], terrain: &Terrain, awake: &mut [bool; 3]) {
        if !(0..3).any(|body| is_new[body] && !terrain.is_below(&bodies[body].wide)) {
            return;
        }
        for edge in 0..EDGES {
            let wide = terrain.wide(edge);
            for body in (0..3).filter(|&body| is_new[body]) {
                let is_known = self.all().iter().any(|contact| (contact.body, contact.edge) == (body, edge));
                if !is_known && self.count < MOST && bodies[body].wide.meets(&wide) {
                    self.list.copy_within(0..self.count, 1);
                    self.list[0] = Contact { body, edge, ..Contact::default() };
                    self.count += 1;
                    awake[body] = true;
                }
            }
        }
    }
}

//! Where an animal finds food once and is asked, after a delay, where it was: a plate of 10 mm with a source at one of eight
//! sites, in phases. Animals have a compass, without which a point that is put back at the middle cannot know a direction.
//!
//! | phase | what happens | ends |
//! |---|---|---|
//! | find | from the middle, the source is there | within `reach` of the site; given up after `find` steps |
//! | eat | no motion, food is felt | after `eat` steps; then put back to the middle, the source is gone |
//! | delay | no motion, held is felt | after `delay` steps |
//! | test | free again, no source | where it crosses the ring of radius `ring`; after `test` steps |
//!
//! While it eats and is held, actions, pirouettes and noise of the heading have no effect; a pause still runs out.

use std::f64::consts::FRAC_PI_4;

use super::plate::{Draws, Motion, Plate, Source, Worm, angle_of, direction};
use crate::num::sin_cos;

/// What all animals of an assay share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arena {
    /// Senses and motion.
    pub plate: Plate,
    /// From the middle to each site, mm.
    pub site_radius: f64,
    /// How close counts as there, mm.
    pub reach: f64,
    /// Where an exit is scored, mm.
    pub ring: f64,
    /// Longest search, control steps.
    pub find: i32,
    /// Length of the meal, control steps.
    pub eat: i32,
    /// Control steps between meal and test.
    pub delay: i32,
    /// Longest test, control steps.
    pub test: i32,
    /// How far from the middle an animal is put back, mm; along its new heading.
    pub offset: f64,
}

impl Default for Arena {
    fn default() -> Self {
        Self {
            plate: Plate { radius: 10.0, spread: 4.0, ..Plate::default() },
            site_radius: 6.0,
            reach: 1.5,
            ring: 6.0,
            find: 480,
            eat: 20,
            delay: 40,
            test: 240,
            offset: 0.0,
        }
    }
}

/// Of a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Phase {
    /// The source is there.
    Find = 0,
    /// At the food.
    Eat = 1,
    /// Held before the test.
    Delay = 2,
    /// Free, without a source.
    Test = 3,
    /// Over.
    Done = 4,
}

/// Names of what an animal senses.
pub const SENSES: [&str; 9] =
    ["on", "off", "tonic", "sin sweep", "cos sweep", "cos compass", "sin compass", "food", "held"];

/// An animal's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forager {
    /// Place, heading and sense.
    pub worm: Worm,
    /// The food's place, and whether it is there.
    pub source: Source,
    /// Where the life is.
    pub phase: Phase,
    /// Control steps of the phase.
    pub steps: i32,
    /// The heading when it is put back, rad.
    pub second_heading: f64,
    /// It found the food.
    pub reached: bool,
    /// Angle at which it left the ring; NaN as long as it has not.
    pub exit: f64,
}

impl Forager {
    /// At the middle, with the food at a site from 0 to 7 and the headings at the start and when put back.
    pub fn new(arena: &Arena, site: i32, first_heading: f64, second_heading: f64) -> Self {
        let (sin, cos) = direction(FRAC_PI_4 * f64::from(site));
        let source = Source { x: arena.site_radius * cos, y: arena.site_radius * sin, strength: 1.0 };
        let worm = Worm::at(0.0, 0.0, first_heading);
        Self { worm, source, phase: Phase::Find, steps: 0, second_heading, reached: false, exit: f64::NAN }
    }

    fn enter(&mut self, phase: Phase) {
        (self.phase, self.steps) = (phase, 0);
    }
}

impl Arena {
    /// What an animal senses now.
    pub fn observe(&self, life: &mut Forager, draws: &Draws) -> [f32; 9] {
        let [on, off, tonic, sweep_sin, sweep_cos] = self.plate.observe(&mut life.worm, &life.source, draws);
        let (sin, cos) = sin_cos(life.worm.heading as f32);
        let is = |phase| f32::from(life.phase == phase);
        [on, off, tonic, sweep_sin, sweep_cos, cos, sin, is(Phase::Eat), is(Phase::Delay)]
    }

    /// One control step; what it did with its body.
    pub fn step(&self, life: &mut Forager, turn: f32, drive: f32, draws: &Draws) -> Motion {
        life.steps += 1;
        let motion = match life.phase {
            Phase::Find | Phase::Test => self.plate.step(&mut life.worm, turn, drive, draws),
            _ => {
                life.worm.step += 1;
                life.worm.pause = (life.worm.pause - 1).max(0);
                Motion::Paused
            }
        };
        match life.phase {
            Phase::Find if life.worm.distance_to(&life.source) < self.reach => {
                life.reached = true;
                life.enter(Phase::Eat);
            }
            Phase::Find if life.steps >= self.find => life.enter(Phase::Done),
            Phase::Eat if life.steps >= self.eat => {
                self.put_back(life);
                life.enter(Phase::Delay);
            }
            Phase::Delay if life.steps >= self.delay => life.enter(Phase::Test),
            Phase::Test => self.test(life),
            _ => {}
        }
        motion
    }

    fn put_back(&self, life: &mut Forager) {
        let (sin, cos) = direction(life.second_heading);
        let Forager { worm, source, second_heading, .. } = life;
        (worm.x, worm.y, worm.heading) = (self.offset * cos, self.offset * sin, *second_heading);
        worm.adapted = self.plate.base;
        worm.pause = 0;
        source.strength = 0.0;
    }

    fn test(&self, life: &mut Forager) {
        if life.worm.distance() >= self.ring {
            life.exit = angle_of(life.worm.y, life.worm.x);
            life.enter(Phase::Done);
        } else if life.steps >= self.test {
            life.enter(Phase::Done);
        }
    }
}

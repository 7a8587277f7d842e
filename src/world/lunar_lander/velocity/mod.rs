//! The velocity solver: 180 passes over two joints and the contacts, which is where nearly all of a step's time goes.
//!
//! One source for a float and for registers of them (`num::Real`). Environments lie in lanes and know nothing of each other;
//! what a lane does not have (a second point, a third contact) is computed with it and thrown away by selects, so that
//! company never changes a bit. Equations and the order of operations are Box2D's `b2RevoluteJoint` and `b2ContactSolver`,
//! without fused operations; what its loops compute again and again, constant in a step, is computed before them with the
//! same operations.

mod leaving;
mod numbers;
mod passes;

use self::leaving::Leaving;
pub use self::numbers::{ContactRows, Impulses, JointRows, Motion, Pressure};
use self::numbers::{Num, Row, num};
use self::passes::Masses;
pub use self::passes::solve_alone;
use crate::cpu::{InstructionSet, Kernel, Pair, Vector};

/// Passes in a step.
pub const PASSES: usize = 180;
/// Environments solved together: four of the widest registers, so that one's operations fill the others' waiting.
pub const LANES: usize = 64;
/// Contacts that a body can have at once: two neighbouring edges and the base line, and one to spare.
pub const SLOTS: usize = 4;
/// The order in which the bodies' contacts are solved.
const CONTACT_ORDER: [usize; 3] = [2, 0, 1];

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
    /// Less than 0 in lanes that have left the passes: minus their number.
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

    /// For how many passes a lane stayed.
    #[inline]
    pub fn passes(&self, lane: usize) -> u8 {
        let open = self.open.0[lane];
        if open < 0.0 { -open as u8 } else { PASSES as u8 }
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

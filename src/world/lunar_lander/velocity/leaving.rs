//! Lanes that leave the passes early.

use super::PASSES;
use super::numbers::{Impulses, Motion, Num, num};
use super::passes::MOTOR_LIMIT;
use crate::cpu::Vector;

/// Of all bodies.
type Motions<V> = [Motion<Num<V>>; 3];
/// Of both joints.
type JointImpulses<V> = [Impulses<Num<V>>; 2];

/// Lanes that have left the passes early, as only the fast variant lets them: when a pass changes no velocity by more than
/// 1e-6. The motors would have gone on winding up against the limits, so what the last pass changed of a joint's impulses
/// is extrapolated until its motor has come to its end.
pub struct Leaving<V> {
    /// Less than 0 where a lane has left: minus the passes it stayed for.
    pub open: Num<V>,
}

impl<V: Vector> Leaving<V> {
    #[inline(always)]
    pub fn new() -> Self {
        Self { open: num(1.0) }
    }

    /// See who leaves after this pass.
    #[inline(always)]
    pub fn pass(
        &mut self,
        pass: usize,
        (motion_before, motion): (&Motions<V>, &mut Motions<V>),
        (impulses_before, impulses): (&JointImpulses<V>, &mut JointImpulses<V>),
    ) {
        const SMALL: f32 = 1e-6;
        let zero = num(0.0);
        let mut largest = zero;
        for (now, was) in motion.iter().zip(motion_before) {
            for change in [now.x - was.x, now.y - was.y, now.spin - was.spin] {
                let size = change.if_less(zero, -change, change);
                largest = largest.if_less(size, size, largest);
            }
        }
        let going = num::<V>(SMALL).if_less(largest, num(1.0), num(-1.0));
        for (now, was) in motion.iter_mut().zip(motion_before) {
            *now = was.where_less(self.open, zero, *now);
        }
        let left = num((PASSES - 1 - pass) as f32);
        for (now, was) in impulses.iter_mut().zip(impulses_before) {
            let change = now.motor - was.motor;
            let end = (now.motor + left * change).clamp(num(-MOTOR_LIMIT), num(MOTOR_LIMIT));
            let size = change.if_less(zero, -change, change);
            // Where the motor stands still, 0 / 1.
            let steps = Num((end - now.motor).0.div(zero.if_less(size, change, num(1.0)).0));
            let drifted = Impulses {
                x: now.x + steps * (now.x - was.x),
                y: now.y + steps * (now.y - was.y),
                limit: now.limit + steps * (now.limit - was.limit),
                motor: end,
            };
            let new = drifted.where_less(going, zero, *now);
            *now = was.where_less(self.open, zero, new);
        }
        let open = going.if_less(zero, num(-(pass as f32 + 1.0)), num(1.0));
        self.open = self.open.if_less(zero, self.open, open);
    }

    /// Whether all have left.
    #[inline(always)]
    pub fn is_over(&self) -> bool {
        !num::<V>(0.0).0.any_less(self.open.0)
    }
}

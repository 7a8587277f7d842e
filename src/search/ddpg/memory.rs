//! What was tried, and what it was worth: the last actions with their rewards, in a ring.

use crate::error::Result;
use crate::search::ask_tell::{count, named, refuse};

/// Rows of an action and its reward.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    rows: Vec<f32>,
    /// Of an action, and 1.
    width: usize,
    capacity: usize,
    /// Where the next one goes.
    next: usize,
}

impl Memory {
    /// Of at most `capacity` actions of `dimensions` numbers; it grows as it is filled.
    pub(super) fn new(capacity: usize, dimensions: usize) -> Self {
        Self { rows: Vec::new(), width: dimensions + 1, capacity, next: 0 }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.rows.len() / self.width
    }

    /// Remember one, in the place of the oldest where there is no room.
    pub(super) fn push(&mut self, action: &[f32], reward: f32) {
        if self.count() < self.capacity {
            self.rows.extend_from_slice(action);
            self.rows.push(reward);
        } else {
            let row = &mut self.rows[self.next * self.width..][..self.width];
            row[..action.len()].copy_from_slice(action);
            row[action.len()] = reward;
        }
        self.next = (self.next + 1) % self.capacity;
    }

    /// The action in place `i`, and its reward.
    #[inline(always)]
    pub(super) fn get(&self, i: usize) -> (&[f32], f32) {
        let row = &self.rows[i * self.width..][..self.width];
        (&row[..self.width - 1], row[self.width - 1])
    }

    /// The lowest reward, if there is any.
    pub(super) fn lowest(&self) -> Option<f32> {
        (0..self.count()).map(|i| self.get(i).1).reduce(f32::min)
    }

    /// See [`crate::search::ask_tell::AskTell::state`].
    pub(super) fn state(&self) -> [(String, Vec<f64>); 2] {
        let rows = self.rows.iter().map(|&x| x.into()).collect();
        [("memory".into(), rows), ("memory_next".into(), vec![self.next as f64])]
    }

    /// From [`Memory::state`].
    pub(super) fn restored(&self, state: &[(String, Vec<f64>)]) -> Result<Self> {
        let (rows, next) = (named(state, "memory")?, count(state, "memory_next")? as usize);
        let held = rows.len() / self.width;
        let expected = if held < self.capacity { held } else { next };
        if rows.len() % self.width != 0 || held > self.capacity || next != expected || next >= self.capacity {
            let why = format!("its `memory` has {} numbers, the next at {next}", rows.len());
            return Err(refuse(format!("{why}, which is no memory of {} actions", self.capacity)));
        }
        Ok(Self { rows: rows.iter().map(|&x| x as f32).collect(), next, ..*self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way() {
        let mut memory = Memory::new(3, 2);
        assert_eq!(memory.lowest(), None);
        for (i, count) in [1, 2, 3, 3, 3].into_iter().enumerate() {
            memory.push(&[i as f32, 0.25], -(i as f32));
            assert_eq!(memory.count(), count);
        }
        assert_eq!([0, 1, 2].map(|i| memory.get(i).1), [-3.0, -4.0, -2.0]);
        assert_eq!(memory.get(1), (&[4.0, 0.25][..], -4.0));
        assert_eq!(memory.lowest(), Some(-4.0));
    }
}

//! Rows that begin on a cache line: a register that lies across two costs half as much again to load.

use std::ops::{Deref, DerefMut};

use super::LANES;

/// Floats on whole cache lines, at first zero.
#[derive(Debug)]
pub struct Aligned {
    /// With room to move to the next line.
    floats: Vec<f32>,
    first: usize,
    length: usize,
}

impl Aligned {
    /// This many.
    pub fn new(length: usize) -> Self {
        let floats = vec![0.0; length + LANES];
        let first = floats.as_ptr().align_offset(LANES * size_of::<f32>()).min(LANES);
        Self { floats, first, length }
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.length);
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for Aligned {
    type Target = [f32];

    #[inline(always)]
    fn deref(&self) -> &[f32] {
        &self.floats[self.first..self.first + self.length]
    }
}

impl DerefMut for Aligned {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.floats[self.first..self.first + self.length]
    }
}

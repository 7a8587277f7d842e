//! Noise of the offspring, regenerated wherever it is needed: to perturb the centre, and to sum over a generation.

use rayon::prelude::*;

use super::{Spread, Sums};
use crate::cpu::{InstructionSet, Kernel, Vector};
use crate::rng::{Row, Stream};

/// Offspring are summed in this many fixed chunks, and the chunks in order: the sum does not depend on threads, launch
/// shape or number of devices.
pub const CHUNKS: usize = 32;

/// Parameters that one task sums over all offspring; its noise stays in cache.
const BLOCK: usize = 128;

/// Where noise comes from: [`Mutation`], or values written down in a test.
pub trait Noise: Sync {
    /// Standard normals of parameters `first ..` of an offspring, sign included; `first` is a multiple of 4.
    /// Implementations are `#[inline(always)]`, so that they are compiled with the caller's instructions.
    fn noise(&self, offspring: usize, first: usize, out: &mut [f32]);
}

/// Mutations of one generation.
#[derive(Debug, Clone, Copy)]
pub struct Mutation {
    /// Of the run.
    pub seed: u64,
    /// The first is 0.
    pub generation: u32,
    /// Offspring 2i and 2i + 1 share their noise with opposite signs.
    pub antithetic: bool,
}

impl Mutation {
    /// Address and sign of an offspring's noise.
    #[inline(always)]
    fn row(&self, offspring: usize) -> (Row, f32) {
        let (index, sign) = match self.antithetic {
            false => (offspring, 1.0),
            true => (offspring / 2, if offspring.is_multiple_of(2) { 1.0 } else { -1.0 }),
        };
        let row = Row { seed: self.seed, stream: Stream::Mutation, generation: self.generation, index: index as u32 };
        (row, sign)
    }

    /// `out = centre + spread * noise`, the parameters of an offspring.
    #[inline(always)]
    pub fn perturb(&self, offspring: usize, centre: &[f32], spread: Spread<'_>, out: &mut [f32]) {
        self.noise(offspring, 0, out);
        match spread {
            Spread::Uniform(sigma) => {
                for (x, c) in out.iter_mut().zip(centre) {
                    *x = x.mul_add(sigma, *c);
                }
            }
            Spread::Each(sigmas) => {
                for ((x, c), sigma) in out.iter_mut().zip(centre).zip(sigmas) {
                    *x = x.mul_add(*sigma, *c);
                }
            }
        }
    }
}

/// [`Mutation::perturb`] as compiled per instruction set, which changes no bit.
pub struct Perturb<'a> {
    /// Of the generation.
    pub mutation: Mutation,
    /// Whose noise.
    pub offspring: usize,
    /// What the offspring is a mutation of.
    pub centre: &'a [f32],
    /// How far it lies from there.
    pub spread: Spread<'a>,
    /// Of the length of the centre: the offspring's.
    pub parameters: &'a mut [f32],
}

impl Kernel for Perturb<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.mutation.perturb(self.offspring, self.centre, self.spread, self.parameters);
    }
}

impl Noise for Mutation {
    #[inline(always)]
    fn noise(&self, offspring: usize, first: usize, out: &mut [f32]) {
        let (row, sign) = self.row(offspring);
        row.normals(first, out);
        if sign < 0.0 {
            out.iter_mut().for_each(|x| *x = -*x);
        }
    }
}

/// The weighted sums over all offspring, with the noise regenerated, parallel over blocks of parameters; `length` is
/// that of the centre. The instruction set changes no bit.
///
/// # Panics
/// When this machine does not have the instruction set, or `utilities` is empty.
pub fn sums<N: Noise>(
    source: &N,
    utilities: &[f32],
    length: usize,
    second: bool,
    instructions: InstructionSet,
) -> Sums {
    let mut sums = Sums { first: vec![0.0; length], second: vec![0.0; if second { length } else { 0 }] };
    let run = |block: usize, first: &mut [f32], second: &mut [f32]| {
        instructions.run(SumBlock { utilities, from: block * BLOCK, source, first, second });
    };
    if second {
        let blocks = sums.first.par_chunks_mut(BLOCK).zip(sums.second.par_chunks_mut(BLOCK));
        blocks.enumerate().for_each(|(block, (first, second))| run(block, first, second));
    } else {
        sums.first.par_chunks_mut(BLOCK).enumerate().for_each(|(block, first)| run(block, first, &mut []));
    }
    sums
}

/// The sums of the parameters `from .. from + first.len()`.
struct SumBlock<'a, N> {
    utilities: &'a [f32],
    from: usize,
    source: &'a N,
    first: &'a mut [f32],
    /// Empty when it is not asked for.
    second: &'a mut [f32],
}

impl<N: Noise> Kernel for SumBlock<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let (mut noise, mut chunk_first, mut chunk_second) = ([0f32; BLOCK], [0f32; BLOCK], [0f32; BLOCK]);
        let noise = &mut noise[..self.first.len()];
        let chunk_length = self.utilities.len().div_ceil(CHUNKS);
        for (chunk, utilities) in self.utilities.chunks(chunk_length).enumerate() {
            chunk_first.fill(0.0);
            chunk_second.fill(0.0);
            for (i, &u) in utilities.iter().enumerate() {
                self.source.noise(chunk * chunk_length + i, self.from, noise);
                for (sum, eps) in chunk_first.iter_mut().zip(noise.iter()) {
                    *sum = eps.mul_add(u, *sum);
                }
                if !self.second.is_empty() {
                    for (sum, eps) in chunk_second.iter_mut().zip(noise.iter()) {
                        *sum = eps.mul_add(*eps, -1.0).mul_add(u, *sum);
                    }
                }
            }
            self.first.iter_mut().zip(&chunk_first).for_each(|(total, chunk)| *total += chunk);
            self.second.iter_mut().zip(&chunk_second).for_each(|(total, chunk)| *total += chunk);
        }
    }
}

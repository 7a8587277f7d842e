//! Optimisers: from the fitness of a generation to the next centre. A file an optimiser.
//!
//! An offspring is `centre + spread * noise`; an optimiser turns fitness into one utility per offspring, and the sums
//! `sum u eps` (and `sum u (eps^2 - 1)`) over the generation into an update. The noise itself is never stored: see
//! [`mutation`].
//!
//! Where evaluations are few and dear, a caller asks for points and tells what they are worth: [`ask_tell`], behind
//! which are these optimisers ([`strategy`]), one with a whole covariance matrix ([`cma_es`]) and one that learns by
//! gradient ([`ddpg`]).

pub mod adam;
pub mod ask_tell;
pub mod cma_es;
pub mod ddpg;
mod eigen;
pub mod es;
pub mod mutation;
pub mod shaping;
pub mod snes;
pub mod strategy;

/// Standard deviation of the mutations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread<'a> {
    /// The same for every parameter.
    Uniform(f32),
    /// One for each parameter.
    Each(&'a [f32]),
}

/// The sums over a generation's offspring that updates are made of, each of the length of the centre.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    /// sum over offspring of u eps.
    pub first: Vec<f32>,
    /// sum over offspring of u (eps^2 - 1); empty unless the optimiser asks for it.
    pub second: Vec<f32>,
}

/// What the engine asks of an optimiser.
pub trait Optimiser: Send + Sync {
    /// Parameters that the offspring of this generation are mutations of.
    fn centre(&self) -> &[f32];

    /// How far from the centre they lie.
    fn spread(&self) -> Spread<'_>;

    /// Offspring 2i and 2i + 1 have opposite noise.
    fn antithetic(&self) -> bool {
        false
    }

    /// Whether [`Optimiser::update`] reads [`Sums::second`].
    fn needs_second(&self) -> bool {
        false
    }

    /// One weight per offspring. Non-finite fitness ranks last.
    fn utilities(&self, fitness: &[f32]) -> Vec<f32>;

    /// Move the centre (and whatever else is adapted).
    fn update(&mut self, sums: &Sums);

    /// Own vectors by name, for checkpoints; the centre is not among them.
    fn vectors(&self) -> Vec<(String, Vec<f32>)>;

    /// Take a centre and the vectors that [`Optimiser::vectors`] gave; they have been checked to have the same names
    /// and lengths.
    fn restore(&mut self, centre: &[f32], vectors: &[(String, Vec<f32>)]);
}

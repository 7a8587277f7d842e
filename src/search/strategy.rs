//! The optimisers of whole generations behind [`AskTell`]: their mutations are drawn here as the engine draws them.

use super::Optimiser;
use super::ask_tell::{AskTell, count, sized};
use super::mutation::{Mutation, Perturb, sums};
use super::shaping::{Ties, order};
use crate::cpu::InstructionSet;
use crate::error::Result;

/// An optimiser with its population. It computes in single precision; its points are its offspring, and it ranks the
/// fitness it is told in double precision.
pub struct Strategy<O> {
    optimiser: O,
    population: usize,
    seed: u64,
    generation: u32,
}

impl<O: Optimiser> Strategy<O> {
    /// With the population that the optimiser was made for.
    pub fn new(optimiser: O, population: usize, seed: u64) -> Self {
        Self { optimiser, population, seed, generation: 0 }
    }

    fn mutation(&self) -> Mutation {
        Mutation { seed: self.seed, generation: self.generation, antithetic: self.optimiser.antithetic() }
    }
}

impl<O: Optimiser> AskTell for Strategy<O> {
    fn ask(&self) -> Vec<Vec<f64>> {
        let (mutation, centre, spread) = (self.mutation(), self.optimiser.centre(), self.optimiser.spread());
        let mut parameters = vec![0.0; centre.len()];
        let mut point = |offspring| {
            let parameters = &mut parameters;
            InstructionSet::best().run(Perturb { mutation, offspring, centre, spread, parameters });
            parameters.iter().map(|&x| x.into()).collect()
        };
        (0..self.population).map(&mut point).collect()
    }

    fn tell(&mut self, fitness: &[f64]) {
        assert!(fitness.len() == self.population, "fitness of {} points, not {}", fitness.len(), self.population);
        if fitness.iter().any(|fitness| fitness.is_finite()) {
            let utilities = self.optimiser.utilities(&places(fitness));
            let (length, second) = (self.optimiser.centre().len(), self.optimiser.needs_second());
            self.optimiser.update(&sums(&self.mutation(), &utilities, length, second, InstructionSet::best()));
        }
        self.generation += 1;
    }

    fn centre(&self) -> Vec<f64> {
        wide(self.optimiser.centre())
    }

    fn state(&self) -> Vec<(String, Vec<f64>)> {
        let own = [("generation".into(), vec![self.generation.into()]), ("centre".into(), self.centre())];
        let vectors = self.optimiser.vectors().into_iter().map(|(name, vector)| (name, wide(&vector)));
        own.into_iter().chain(vectors).collect()
    }

    fn restore(&mut self, state: &[(String, Vec<f64>)]) -> Result<()> {
        let narrow = |name: &str, length| {
            sized(state, name, length).map(|vector| vector.iter().map(|&x| x as f32).collect::<Vec<f32>>())
        };
        let centre = narrow("centre", self.optimiser.centre().len())?;
        let own = self.optimiser.vectors().into_iter();
        let vectors: Result<Vec<_>> =
            own.map(|(name, vector)| Ok((name.clone(), narrow(&name, vector.len())?))).collect();
        let (vectors, generation) = (vectors?, count(state, "generation")?);
        self.optimiser.restore(&centre, &vectors);
        self.generation = generation;
        Ok(())
    }
}

fn wide(vector: &[f32]) -> Vec<f64> {
    vector.iter().map(|&x| x.into()).collect()
}

/// For each value how many different ones are worse, which orders them as they are and fits single precision; what is
/// not finite stays so.
fn places(fitness: &[f64]) -> Vec<f32> {
    let mut places = vec![f32::NAN; fitness.len()];
    let (mut place, mut last) = (0.0, None);
    for index in order(fitness, Ties::LowerIndex).into_iter().rev().filter(|&index| fitness[index].is_finite()) {
        if last.is_some_and(|last| last < fitness[index]) {
            place += 1.0;
        }
        places[index] = place;
        last = Some(fitness[index]);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_keep_order_and_ties() {
        let fitness = [0.5, f64::NAN, 0.5 + f64::EPSILON, 0.5, -1e300, f64::INFINITY, -0.0, 0.0];
        let places = places(&fitness);
        assert_eq!([0, 2, 3, 4, 6, 7].map(|i| places[i]), [2.0, 3.0, 2.0, 0.0, 1.0, 1.0]);
        assert!(places[1].is_nan() && places[5].is_nan());
    }
}

//! The seam between a search and what judges its points: ask for points, tell what each is worth.
//!
//! Evaluations belong to the caller, who may make them in any order and place. A search has no numbers but those of its
//! state: what it draws is addressed by its seed and how far it has come, so asking changes nothing, and a search that
//! goes on from a saved state, in the midst of an evaluation too, goes the same way to the last bit.

use crate::error::{Error, Result};

/// A search that proposes points and is told their fitness.
pub trait AskTell: Send {
    /// The points to be judged next, each of the length of the space: unbounded real numbers, which the caller maps or
    /// clips to where they may lie. The same ones until [`AskTell::tell`].
    fn ask(&self) -> Vec<Vec<f64>>;

    /// Whether the next points are a test: one only, the centre, from whose fitness nothing is learnt.
    fn is_test(&self) -> bool {
        false
    }

    /// The fitness of each of the points, in their order; higher is better, and what is not finite counts as the
    /// lowest. When no value is finite, nothing is learnt, and the next points are others around the same centre.
    ///
    /// # Panics
    /// When there are not as many values as points.
    fn tell(&mut self, fitness: &[f64]);

    /// The point that it would give as its answer now.
    fn centre(&self) -> Vec<f64>;

    /// All that it needs to go on, by name, beside its settings and seed.
    fn state(&self) -> Vec<(String, Vec<f64>)>;

    /// Go on from what [`AskTell::state`] gave, in a search with the same settings, space and seed.
    ///
    /// # Errors
    /// When it is the state of another kind of search, or of another size.
    fn restore(&mut self, state: &[(String, Vec<f64>)]) -> Result<()>;
}

/// The vector with this name in a state.
pub(super) fn named<'a>(state: &'a [(String, Vec<f64>)], name: &str) -> Result<&'a [f64]> {
    let found = state.iter().find(|(key, _)| key == name);
    found.map(|(_, vector)| &vector[..]).ok_or_else(|| refuse(format!("it has no `{name}`")))
}

/// The same, when it has so many numbers.
pub(super) fn sized<'a>(state: &'a [(String, Vec<f64>)], name: &str, length: usize) -> Result<&'a [f64]> {
    let vector = named(state, name)?;
    match vector.len() == length {
        true => Ok(vector),
        false => Err(refuse(format!("its `{name}` has {} numbers, not {length}", vector.len()))),
    }
}

/// The count with this name in a state.
pub(super) fn count(state: &[(String, Vec<f64>)], name: &str) -> Result<u32> {
    let number = sized(state, name, 1)?[0];
    let count = number as u32;
    match f64::from(count) == number {
        true => Ok(count),
        false => Err(refuse(format!("its `{name}` is {number}, not a count"))),
    }
}

pub(super) fn refuse(why: String) -> Error {
    Error::Run(format!(
        "cannot go on with the search from this state: {why}; try: the settings and the space that it was saved with"
    ))
}

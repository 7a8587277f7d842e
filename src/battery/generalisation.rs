//! Assay H, generalisation: is a score the same under other conditions, without further training?

use serde::Serialize;

use super::assays::{Asked, Assay};
use super::judge::{Model, Steps, interval};
use super::scores::Interval;
use crate::error::{Error, Result};

/// A condition of assay H.
#[derive(Debug, Clone, Serialize)]
pub struct Condition {
    /// In a few words.
    pub name: &'static str,
    /// The main score of the models.
    pub model: Interval,
    /// The first null's.
    pub null: f64,
    /// The positive control's.
    pub control: f64,
    /// (score - null) / (score as trained - null as trained); its ends are those of the score.
    pub ratio: Interval,
    /// 0.7, or 0.5 of all factors together.
    pub threshold: f64,
    /// The lower end of the ratio is not below it.
    pub passes: bool,
}

/// Least share of the score that must be left under one factor, and under all of them.
const LEFT: f64 = 0.7;
const LEFT_OF_ALL: f64 = 0.5;

/// The main score under each condition. `trained` are those of models and null as trained.
///
/// # Errors
/// As [`Assay::play`].
pub(super) fn under_conditions(
    assay: &Assay,
    model: &Model,
    trained: [f64; 2],
    asked: Asked<'_>,
    steps: &mut Steps,
) -> Result<Vec<Condition>> {
    let known = [assay.nulls[0], assay.control].map(|known| (known.make)());
    // A null that has no such score leaves nothing to be taken away.
    let or_nothing = |score: f64| if score.is_nan() { 0.0 } else { score };
    let whole = trained[0] - or_nothing(trained[1]);
    let mut judged = Vec::new();
    for (condition, name) in assay.conditions.iter().enumerate().skip(1) {
        let play = |subject| assay.play(condition, subject, asked);
        let played = model.subjects.iter().map(play).collect::<Result<Vec<_>>>()?;
        steps.add(&played);
        let mut of = |subject| {
            let played = play(subject)?;
            steps.others += played.steps;
            Ok::<_, Error>(assay.main.mean(&[&played.values]))
        };
        let (model, null, control) = (interval(assay.main, &played), of(&known[0])?, of(&known[1])?);
        let share = |score: f64| (score - or_nothing(null)) / whole;
        let ratio = Interval { mean: share(model.mean), low: share(model.low), high: share(model.high) };
        let threshold = if condition + 1 == assay.conditions.len() { LEFT_OF_ALL } else { LEFT };
        let passes = whole > 0.0 && ratio.low >= threshold;
        judged.push(Condition { name, model, null, control, ratio, threshold, passes });
    }
    Ok(judged)
}

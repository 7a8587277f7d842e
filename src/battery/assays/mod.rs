//! The list of assays: of each its scores, criteria with the animal's values, nulls, positive control, and the conditions in which
//! it is asked again. Thresholds are this project's; animal values that were not checked in their sources are marked.

mod choices;
mod local;
mod plate;

use serde::Serialize;

use super::gratings::Learner;
use super::play::{Controller, Lives, Played, Protocol, Treatment, Window, play};
use super::scores::{Bound, Sample, Score};
use crate::error::{Error, Result};

/// All of them, in their order.
pub const ASSAYS: [&Assay; 7] = [
    &plate::CHEMOTAXIS,
    &plate::FOOD_MEMORY,
    &choices::AVOIDANCE,
    &choices::REVERSAL,
    &choices::PREFERENCE,
    &choices::TWO_TASKS,
    &local::ORIENTATION,
];

/// What must be passed before what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Answers to what is sensed.
    Reflex,
    /// Answers that outcomes have changed.
    Learning,
    /// Changes that last.
    Memory,
    /// Of the assays passed, under other conditions.
    Generalisation,
    /// Local rules; beside the stages.
    Local,
}

/// Whether an animal's value was checked in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// In its abstract, a caption or code.
    Checked,
    /// From the literature as it is remembered: to be shown as unverified.
    Unverified,
    /// No animal's value is claimed.
    None,
}

/// What an animal does.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Animal {
    /// In words.
    pub value: &'static str,
    /// Who found it.
    pub source: &'static str,
    /// How sure that is.
    pub mark: Mark,
}

impl Animal {
    const NONE: Self = Self { value: "", source: "", mark: Mark::None };

    /// The value as a report shows it.
    pub fn text(&self) -> String {
        match self.mark {
            Mark::Checked => self.value.to_owned(),
            Mark::Unverified => format!("{} (unverified)", self.value),
            Mark::None => "none claimed".to_owned(),
        }
    }
}

/// What must hold of a score.
#[derive(Debug, Clone, Copy)]
pub struct Criterion {
    /// Of this one.
    pub score: &'static Score,
    /// So much.
    pub bound: Bound,
    /// In animals that are treated so.
    pub treatment: Treatment,
    /// Beside an animal's.
    pub animal: Animal,
}

impl Criterion {
    const fn of(score: &'static Score, bound: Bound, animal: Animal) -> Self {
        Self { score, bound, treatment: Treatment::None, animal }
    }

    const fn treated(score: &'static Score, bound: Bound, treatment: Treatment) -> Self {
        Self { score, bound, treatment, animal: Animal::NONE }
    }
}

/// Whoever is judged.
pub enum Subject {
    /// In a world.
    Animal(Box<dyn Controller>),
    /// Neurons with a local rule.
    Learner(Learner),
}

impl Subject {
    fn animal(controller: impl Controller + 'static) -> Self {
        Self::Animal(Box::new(controller))
    }
}

/// A null or a control.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// In a few words.
    pub name: &'static str,
    /// Who it is.
    pub make: fn() -> Subject,
}

/// Something drawn over something else.
#[derive(Debug, Clone, Copy)]
pub struct Curve {
    /// Of the figure.
    pub title: &'static str,
    /// Of the x axis.
    pub x: &'static str,
    /// Of the y axis.
    pub y: &'static str,
    /// Its points.
    pub of: fn(&Sample) -> Vec<(f64, f64)>,
}

/// What paths are drawn on, mm.
#[derive(Debug, Clone, Copy)]
pub struct Ground {
    /// Of the plate.
    pub radius: f64,
    /// Circles on it: x, y and radius.
    pub circles: &'static [(f64, f64, f64)],
    /// What they are, and what the paths are.
    pub caption: &'static str,
}

/// One of the battery.
#[derive(Debug, Clone, Copy)]
pub struct Assay {
    /// As the list of assays has it.
    pub letter: char,
    /// As given on the command line.
    pub name: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// Which it belongs to.
    pub stage: Stage,
    /// Channels that a controller reads beside r+ and r-.
    pub senses: &'static [&'static str],
    /// What it puts out; none where no controller can be.
    pub motors: &'static [&'static str],
    /// Control steps after which every life is over.
    pub longest: fn() -> u32,
    /// What each life of a window is worth to evolution; the control steps of all of them.
    pub evolve: fn(&dyn Controller, Window, &mut [f32]) -> u64,
    /// All that a report shows.
    pub scores: &'static [Score],
    /// All of which must hold.
    pub criteria: &'static [Criterion],
    /// What is asked again under other conditions.
    pub main: &'static Score,
    /// The same of one life, for tests between groups of lives.
    pub of_a_life: fn(&[f64]) -> f64,
    /// Who must fail; the first is the one that reports show.
    pub nulls: &'static [Known],
    /// Who must pass.
    pub control: Known,
    /// The first is the one of everything else; the last has all factors together.
    pub conditions: &'static [&'static str],
    /// Figures.
    pub curves: &'static [Curve],
    /// Of the paths that lives leave, if they do.
    pub ground: Option<Ground>,
    /// Live through it under a condition; none for whoever cannot.
    pub play: fn(usize, &Subject, Lives, Treatment) -> Option<Played>,
}

impl Assay {
    /// The one of this name or letter.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<&'static Self> {
        let is = |assay: &&Self| assay.name == name || assay.letter.to_string().eq_ignore_ascii_case(name);
        ASSAYS.into_iter().find(is).ok_or_else(|| {
            let names: Vec<String> = ASSAYS.iter().map(|assay| format!("{} ({})", assay.letter, assay.name)).collect();
            Error::Config(format!("there is no assay {name:?}; try: one of {}", names.join(", ")))
        })
    }

    /// Whether controllers can be in it.
    pub fn is_for_animals(&self) -> bool {
        !self.motors.is_empty()
    }

    /// All senses, r+ and r- among them.
    pub fn channels(&self) -> usize {
        self.senses.len() + 2
    }
}

/// Animals in a world.
fn lived<P: Protocol>(protocol: &P, subject: &Subject, lives: Lives, treatment: Treatment) -> Option<Played> {
    match subject {
        Subject::Animal(controller) => Some(play(protocol, &**controller, lives, treatment)),
        Subject::Learner(_) => None,
    }
}

/// Means of neighbouring columns over 1, 2, ...
fn over_trials(sample: &Sample, first: usize, count: usize) -> Vec<(f64, f64)> {
    (0..count).map(|trial| (1.0 + trial as f64, sample.mean(first + trial))).filter(|point| !point.1.is_nan()).collect()
}

/// Plain networks of an assay are drawn with this seed.
const PLAIN_SEED: u64 = 1;

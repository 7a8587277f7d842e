//! The list of assays: of each its scores, criteria with the animal's values, nulls, positive control, and the conditions in which
//! it is asked again. Thresholds are this project's; animal values that were not checked in their sources are marked.

/// The [`Game`] of a protocol.
macro_rules! game {
    ($protocol:ty, $make:expr) => {
        $crate::battery::assays::Game {
            number: <$protocol as $crate::battery::play::Protocol>::NUMBER,
            senses: <$protocol as $crate::battery::play::Protocol>::SENSES,
            motors: <$protocol as $crate::battery::play::Protocol>::MOTORS,
            longest: || $crate::battery::play::Protocol::longest(&$make),
            evolve: |controller, window, fitness| $crate::battery::play::fitness(&$make, controller, window, fitness),
            place: |worlds| $crate::battery::gpu::OnDevice::place(&$make, worlds),
        }
    };
}

mod choices;
mod local;
mod plate;
mod variants;

use serde::Serialize;

use super::gpu::{self as on_device, OnDevice, Worlds, at_a_time, played};
use super::gratings::Learner;
use super::play::{Controller, Lives, Played, Treatment, Window, play};
use super::scores::{Bound, Sample, Score};
use crate::error::{Error, Result};
use crate::gpu::Gpu;

/// All of them, in their order; a variant comes after the assay that it is one of.
pub const ASSAYS: [&Assay; 11] = [
    &plate::CHEMOTAXIS,
    &plate::FOOD_MEMORY,
    &choices::AVOIDANCE,
    &choices::REVERSAL,
    &variants::ALTERNATION,
    &choices::PREFERENCE,
    &variants::CONDITIONING,
    &choices::TWO_TASKS,
    &variants::INTERVAL,
    &variants::OVERLAP,
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

impl Stage {
    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reflex => "reflex",
            Self::Learning => "learning",
            Self::Memory => "memory",
            Self::Generalisation => "generalisation",
            Self::Local => "local rules",
        }
    }
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
    /// Its mean and its spread on the criterion's score, where there are such numbers.
    pub number: Option<[f64; 2]>,
}

/// How far from an animal a score is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// (score - animal's) / spread: within 1 of 0 is like an animal, whatever the criterion asks.
    Distance(f64),
    /// The animal's value was not checked, so nothing is held against it.
    Unverified,
    /// There is no number, or none of its spread.
    Unknown,
}

impl Animal {
    const NONE: Self = Self { value: "", source: "", mark: Mark::None, number: None };

    const fn checked(value: &'static str, source: &'static str) -> Self {
        Self { value, source, mark: Mark::Checked, number: None }
    }

    const fn unverified(value: &'static str, source: &'static str) -> Self {
        Self { value, source, mark: Mark::Unverified, number: None }
    }

    /// How far from it a score is.
    pub fn likeness(&self, score: f64) -> Likeness {
        match (self.mark, self.number) {
            (Mark::Unverified, _) => Likeness::Unverified,
            (Mark::Checked, Some([mean, spread])) if !score.is_nan() => Likeness::Distance((score - mean) / spread),
            _ => Likeness::Unknown,
        }
    }

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
    /// Under this condition of the assay.
    pub condition: usize,
    /// Beside an animal's.
    pub animal: Animal,
}

impl Criterion {
    const fn of(score: &'static Score, bound: Bound, animal: Animal) -> Self {
        Self { score, bound, treatment: Treatment::None, condition: 0, animal }
    }

    const fn under(self, condition: usize) -> Self {
        Self { condition, ..self }
    }

    const fn treated(score: &'static Score, bound: Bound, treatment: Treatment) -> Self {
        Self { score, bound, treatment, condition: 0, animal: Animal::NONE }
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

    /// Whether a device can play its lives, or make its populations.
    pub fn can_be_on_device(&self) -> bool {
        match self {
            Self::Animal(controller) => controller.animal().is_some(),
            Self::Learner(_) => true,
        }
    }

    /// That it fits the device, if it would be played on one.
    ///
    /// # Errors
    /// When it does not.
    pub fn check_on(&self, gpu: &Gpu) -> Result<()> {
        match self {
            Self::Animal(controller) => controller.animal().map_or(Ok(()), |animal| on_device::check(gpu, animal)),
            Self::Learner(_) => Ok(()),
        }
    }

    /// Steps of its network in a control step; 0 of whoever is none.
    pub fn network_steps(&self) -> u64 {
        match self {
            Self::Animal(controller) => controller.network_steps(),
            Self::Learner(_) => 0,
        }
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

/// A score over the conditions of a variant.
#[derive(Debug, Clone, Copy)]
pub struct Series {
    /// Of the figure.
    pub title: &'static str,
    /// Of the x axis.
    pub x: &'static str,
    /// On the y axis.
    pub score: &'static Score,
    /// Where a condition is on the x axis, and its number.
    pub at: &'static [(f64, usize)],
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

/// What controllers go through where they are evolved in an assay.
#[derive(Debug, Clone, Copy)]
pub struct Game {
    /// Of the protocol, as the kernels know it.
    pub number: u32,
    /// Channels that a controller reads beside r+ and r-.
    pub senses: &'static [&'static str],
    /// What it puts out; none where no controller can be.
    pub motors: &'static [&'static str],
    /// Control steps after which every life is over.
    pub longest: fn() -> u32,
    /// What each life of a window is worth to evolution; the control steps of all of them.
    pub evolve: fn(&dyn Controller, Window, &mut [f32]) -> u64,
    /// Its sizes among those of the worlds on a device.
    pub place: fn(&mut Worlds),
}

/// Which lives are played, and what is done to the animals.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Computes lives of animals that were evolved, and populations of neurons.
    pub gpu: Option<&'a Gpu>,
    /// These.
    pub lives: Lives,
    /// This.
    pub treatment: Treatment,
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
    /// Of another assay, and asked for by no stage. Its conditions are those of its criteria, not of assay H.
    pub variant: bool,
    /// What controllers go through.
    pub game: Game,
    /// All that a report shows.
    pub scores: &'static [Score],
    /// All of which must hold.
    pub criteria: &'static [Criterion],
    /// What is asked again under other conditions.
    pub main: &'static Score,
    /// The same of one life, for tests between groups of lives.
    pub of_a_life: fn(&[f64]) -> f64,
    /// What an animal does, too, which is not asked for: in a few words, and what must hold to say so.
    pub as_animal: Option<(&'static str, &'static [Criterion])>,
    /// Who must fail; the first is the one that reports show.
    pub nulls: &'static [Known],
    /// Who must pass.
    pub control: Known,
    /// The first is the one of everything else; the last has all factors together, but of a variant.
    pub conditions: &'static [&'static str],
    /// The one with a long delay, in which the stage of memory asks for the assay again.
    pub long_delay: Option<usize>,
    /// Figures.
    pub curves: &'static [Curve],
    /// Figures of a variant.
    pub series: &'static [Series],
    /// Of the paths that lives leave, if they do.
    pub ground: Option<Ground>,
    /// Live through it under a condition; none for whoever cannot.
    play: fn(usize, &Subject, Asked<'_>) -> Result<Option<Played>>,
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

    /// Lives of a subject under a condition, to the same bits on the CPU and on a device. Whoever was not evolved (plain networks, layers,
    /// the battery's own animals) answers on the CPU.
    ///
    /// # Errors
    /// When the device fails, the subject is too large for it, or of a kind that cannot be in this assay.
    pub fn play(&self, condition: usize, subject: &Subject, asked: Asked<'_>) -> Result<Played> {
        (self.play)(condition, subject, asked)?
            .ok_or_else(|| Error::Run(format!("whoever is judged cannot be in assay {}: {}", self.letter, self.title)))
    }

    /// Whether controllers can be in it.
    pub fn is_for_animals(&self) -> bool {
        !self.game.motors.is_empty()
    }

    /// All senses, r+ and r- among them.
    pub fn channels(&self) -> usize {
        self.game.senses.len() + 2
    }
}

/// Animals in a world.
fn lived<P: OnDevice>(protocol: &P, subject: &Subject, asked: Asked<'_>) -> Result<Option<Played>> {
    let Subject::Animal(controller) = subject else { return Ok(None) };
    let Asked { gpu, lives, treatment } = asked;
    Ok(Some(match (gpu, controller.animal()) {
        (Some(gpu), Some(animal)) => played(gpu, protocol, animal, lives, treatment, at_a_time(protocol))?,
        _ => play(protocol, &**controller, lives, treatment),
    }))
}

/// Means of neighbouring columns over 1, 2, ...
fn over_trials(sample: &Sample, first: usize, count: usize) -> Vec<(f64, f64)> {
    (0..count).map(|trial| (1.0 + trial as f64, sample.mean(first + trial))).filter(|point| !point.1.is_nan()).collect()
}

/// Plain networks of an assay are drawn with this seed.
const PLAIN_SEED: u64 = 1;

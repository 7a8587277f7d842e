//! The judgement of a controller in an assay: lives of it, of the nulls and of the positive control, all on the same draws, and
//! what follows from them.
//!
//! A criterion holds if all of the model's 95 % interval is where it should be. A null fails if for one criterion no part of its
//! interval is; the control must meet all criteria by its mean. If a null passes or the control fails, the assay is invalid, whoever is
//! judged.

use std::time::Instant;

use serde::Serialize;

use super::assays::{Animal, Asked, Assay, Criterion, Known, Likeness, Series, Stage, Subject};
use super::controls::replay::replay;
use super::generalisation::{Condition, under_conditions};
use super::play::{Lives, Played, Treatment};
use super::scores::{Bound, Interval, Score};
use crate::error::Result;
use crate::gpu::Gpu;
use crate::report::MannWhitney;

/// Who is judged.
pub struct Model {
    /// For people.
    pub name: String,
    /// One for each that was trained.
    pub subjects: Vec<Subject>,
}

/// How.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Of each model, null and control, under each treatment.
    pub lives: Lives,
    /// Also under the conditions of assay H.
    pub conditions: bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All criteria hold.
    Pass,
    /// One does not.
    Fail,
    /// A null passed, or the control did not: nothing can be said.
    Invalid,
}

impl Verdict {
    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Invalid => "assay invalid",
        }
    }
}

/// A criterion and all who were held against it.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// Of which score.
    pub score: &'static str,
    /// Under this condition of a variant.
    pub condition: &'static str,
    /// Of animals that were treated so.
    pub treatment: &'static str,
    /// What it must be.
    pub bound: Bound,
    /// An animal's.
    pub animal: Animal,
    /// How far the models are from it.
    pub likeness: Likeness,
    /// Of the models.
    pub model: Interval,
    /// Of the first null.
    pub null: Interval,
    /// Of the positive control.
    pub control: Interval,
    /// The models meet it.
    pub passes: bool,
}

impl Judged {
    /// The score, and under what.
    pub fn named(&self) -> String {
        let under = [self.score, self.condition, self.treatment];
        under.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

/// Whether the models do as an animal does, beside what is asked.
#[derive(Debug, Clone, Serialize)]
pub struct AsAnimal {
    /// In a few words.
    pub name: &'static str,
    /// All of it holds.
    pub holds: bool,
    /// What has to.
    pub criteria: Vec<Judged>,
}

/// A score at a level of what a variant varies.
#[derive(Debug, Clone, Serialize)]
pub struct Level {
    /// The level.
    pub x: f64,
    /// Of the models.
    pub model: Interval,
    /// Of the first null.
    pub null: Interval,
    /// Of the positive control.
    pub control: Interval,
}

/// A score over all levels.
#[derive(Debug, Clone, Serialize)]
pub struct Levels {
    /// Of the figure.
    pub title: &'static str,
    /// What varies.
    pub x: &'static str,
    /// The score.
    pub score: &'static str,
    /// In their order.
    pub levels: Vec<Level>,
}

/// A score that nobody is held against, or is.
#[derive(Debug, Clone, Serialize)]
pub struct Scored {
    /// Its name.
    pub name: &'static str,
    /// Of the models.
    pub model: Interval,
    /// Of the positive control.
    pub control: Interval,
    /// Of each null.
    pub nulls: Vec<f64>,
}

/// A null that was played.
#[derive(Debug, Clone, Serialize)]
pub struct Null {
    /// Its name.
    pub name: &'static str,
    /// It fails the assay, as it must.
    pub fails: bool,
    /// Scores whose criteria it fails.
    pub at: Vec<String>,
    /// Whether lives of the positive control score higher than its.
    pub control: MannWhitney,
    /// Whether lives of the models do.
    pub model: MannWhitney,
}

/// An assay, judged.
#[derive(Serialize)]
pub struct Judgement {
    /// Of the assay.
    pub letter: char,
    /// Of the assay.
    pub name: &'static str,
    /// Of the assay.
    pub title: &'static str,
    /// Of the assay.
    pub stage: Stage,
    /// Whoever is judged.
    pub model: String,
    /// How many of them.
    pub models: usize,
    /// Of each.
    pub lives: u32,
    /// Pass, fail, or neither.
    pub verdict: Verdict,
    /// In their order.
    pub criteria: Vec<Judged>,
    /// The positive control meets all criteria.
    pub control_passes: bool,
    /// Its name.
    pub control: &'static str,
    /// Those of the assay, and a replay of one of the control's lives.
    pub nulls: Vec<Null>,
    /// Beside the criteria; none if nothing is known that could be asked.
    pub as_animal: Option<AsAnimal>,
    /// All scores.
    pub scores: Vec<Scored>,
    /// Of a variant: scores over its levels.
    pub series: Vec<Levels>,
    /// Empty if not asked for.
    pub generalisation: Vec<Condition>,
    /// Control steps of all that were played.
    pub steps: u64,
    /// Those of whoever is judged.
    pub model_steps: u64,
    /// Network steps in these; none if it is no network.
    pub network_steps: Option<u64>,
    /// Wall time of all that was played.
    pub seconds: f64,
    /// The assay.
    #[serde(skip)]
    pub assay: &'static Assay,
    /// Lives of the first model, untreated, for figures.
    #[serde(skip)]
    pub model_lives: Played,
    /// Of the first null.
    #[serde(skip)]
    pub null_lives: Played,
    /// Of the control.
    #[serde(skip)]
    pub control_lives: Played,
}

/// The name of a treatment in tables.
fn treated(treatment: Treatment) -> &'static str {
    match treatment {
        Treatment::None => "",
        Treatment::Amnesia => "amnesia",
        Treatment::Shuffled => "shuffled outcomes",
    }
}

/// A condition's number, and what is done to animals.
type Setting = (usize, Treatment);

/// The one of everything that is not said to be otherwise.
const USUAL: Setting = (0, Treatment::None);

/// All that criteria and figures ask for, the usual one first.
fn settings(assay: &Assay) -> Vec<Setting> {
    let mut settings = vec![USUAL];
    let criteria = assay.criteria.iter().map(|criterion| (criterion.condition, criterion.treatment));
    let series = assay.series.iter().flat_map(|series| series.at).map(|&(_, condition)| (condition, Treatment::None));
    for setting in criteria.chain(series) {
        if !settings.contains(&setting) {
            settings.push(setting);
        }
    }
    settings
}

/// Whose lives these are in each setting.
struct Lived {
    /// `[setting][model]`.
    played: Vec<(Setting, Vec<Played>)>,
}

impl Lived {
    fn new(gpu: Option<&Gpu>, assay: &Assay, subjects: &[Subject], lives: Lives, settings: &[Setting]) -> Result<Self> {
        let all = |(condition, treatment)| {
            let asked = Asked { gpu, lives, treatment };
            subjects.iter().map(|subject| assay.play(condition, subject, asked)).collect::<Result<Vec<_>>>()
        };
        let played = settings.iter().map(|&setting| Ok((setting, all(setting)?))).collect::<Result<_>>()?;
        Ok(Self { played })
    }

    fn under(&self, setting: Setting) -> &[Played] {
        self.played.iter().find(|(other, _)| *other == setting).map_or(&[], |(_, played)| played)
    }

    fn interval(&self, criterion: &Criterion) -> Interval {
        interval(criterion.score, self.under((criterion.condition, criterion.treatment)))
    }

    fn steps(&self) -> u64 {
        self.played.iter().flat_map(|(_, played)| played).map(|played| played.steps).sum()
    }

    /// Values of single untreated lives that can be tested, those at all levels of a variant.
    fn each(&self, assay: &Assay) -> Vec<f64> {
        let untreated = self.played.iter().filter(|((_, treatment), _)| *treatment == Treatment::None);
        let lives = untreated.flat_map(|(_, played)| played).flat_map(|played| &played.values);
        lives.map(|life| (assay.of_a_life)(life)).filter(|value| !value.is_nan()).collect()
    }
}

fn lives_of(played: &[Played]) -> Vec<&[Vec<f64>]> {
    played.iter().map(|played| played.values.as_slice()).collect()
}

pub(super) fn interval(score: &Score, played: &[Played]) -> Interval {
    Interval::of(score, &lives_of(played))
}

/// Judge a model in an assay.
///
/// # Errors
/// When it is of a kind that cannot be in it.
pub fn judge(assay: &'static Assay, model: &Model, options: &Options) -> Result<Judgement> {
    judge_on(None, assay, model, options)
}

/// The same with what [`Assay::play`] does on a device, if there is one.
///
/// # Errors
/// As [`judge`], and when the device fails.
pub fn judge_on(gpu: Option<&Gpu>, assay: &'static Assay, model: &Model, options: &Options) -> Result<Judgement> {
    let started = Instant::now();
    let Options { lives, conditions } = *options;
    let settings = settings(assay);
    let untreated: Vec<Setting> = settings.iter().copied().filter(|setting| setting.1 == Treatment::None).collect();
    let mut lived = Lived::new(gpu, assay, &model.subjects, lives, &settings)?;
    let mut control = Lived::new(gpu, assay, &[(assay.control.make)()], lives, &settings)?;
    let mut known: Vec<(&'static str, Lived)> = Vec::new();
    for (number, Known { name, make }) in assay.nulls.iter().enumerate() {
        // The first one is shown beside every criterion.
        let settings = if number == 0 { &settings } else { &untreated };
        known.push((name, Lived::new(gpu, assay, &[make()], lives, settings)?));
    }
    if let Some(replay) = replay(assay, lives) {
        known.push(("a replay of one of the control's lives", Lived::new(gpu, assay, &[replay], lives, &untreated)?));
    }
    let held = |criterion: &Criterion| {
        let model = lived.interval(criterion);
        Judged {
            score: criterion.score.name,
            condition: if assay.variant { assay.conditions[criterion.condition] } else { "" },
            treatment: treated(criterion.treatment),
            bound: criterion.bound,
            animal: criterion.animal,
            likeness: criterion.animal.likeness(model.mean),
            model,
            null: known[0].1.interval(criterion),
            control: control.interval(criterion),
            passes: criterion.bound.holds(&model),
        }
    };
    let criteria: Vec<Judged> = assay.criteria.iter().map(held).collect();
    let as_animal = assay.as_animal.map(|(name, criteria)| {
        let criteria: Vec<Judged> = criteria.iter().map(held).collect();
        AsAnimal { name, holds: criteria.iter().all(|judged| judged.passes), criteria }
    });
    let failed = |lived: &Lived| -> Vec<String> {
        let criteria =
            assay.criteria.iter().zip(&criteria).filter(|(criterion, _)| criterion.treatment == Treatment::None);
        let failed = criteria.filter(|(criterion, _)| criterion.bound.fails(&lived.interval(criterion)));
        failed.map(|(_, judged)| judged.named()).collect()
    };
    let (of_control, of_model) = (control.each(assay), lived.each(assay));
    let nulls: Vec<Null> = known
        .iter()
        .map(|(name, null)| {
            let (at, each) = (failed(null), null.each(assay));
            let (control, model) = (MannWhitney::of(&of_control, &each), MannWhitney::of(&of_model, &each));
            Null { name, fails: !at.is_empty(), at, control, model }
        })
        .collect();
    let control_passes = criteria.iter().all(|judged| judged.bound.contains(judged.control.mean));
    let verdict = match (control_passes && nulls.iter().all(|null| null.fails), criteria.iter().all(|c| c.passes)) {
        (false, _) => Verdict::Invalid,
        (true, true) => Verdict::Pass,
        (true, false) => Verdict::Fail,
    };
    let scores = assay
        .scores
        .iter()
        .map(|score| {
            let of = |lived: &Lived| interval(score, lived.under(USUAL));
            let mean = |null: &Lived| score.mean(&lives_of(null.under(USUAL)));
            let nulls = known.iter().map(|(_, null)| mean(null)).collect();
            Scored { name: score.name, model: of(&lived), control: of(&control), nulls }
        })
        .collect();
    let series = assay.series.iter().map(|series| levels(series, [&lived, &known[0].1, &control])).collect();
    let others = control.steps() + known.iter().map(|(_, null)| null.steps()).sum::<u64>();
    let mut steps = Steps { models: vec![0; model.subjects.len()], others };
    lived.played.iter().for_each(|(_, played)| steps.add(played));
    let generalisation = if conditions && !assay.variant {
        let trained = [&lived, &known[0].1].map(|lived| interval(assay.main, lived.under(USUAL)).mean);
        under_conditions(assay, model, trained, Asked { gpu, lives, treatment: Treatment::None }, &mut steps)?
    } else {
        Vec::new()
    };
    let model_steps: u64 = steps.models.iter().sum();
    let in_networks = steps.models.iter().zip(&model.subjects).map(|(steps, subject)| steps * subject.network_steps());
    let network_steps = Some(in_networks.sum()).filter(|&steps| steps > 0);
    let first = |lived: &mut Lived| lived.played.swap_remove(0).1.swap_remove(0);
    let (model_lives, control_lives) = (first(&mut lived), first(&mut control));
    let null_lives = first(&mut known.swap_remove(0).1);
    Ok(Judgement {
        letter: assay.letter,
        name: assay.name,
        title: assay.title,
        stage: assay.stage,
        model: model.name.clone(),
        models: model.subjects.len(),
        lives: model_lives.values.len() as u32,
        verdict,
        criteria,
        control_passes,
        control: assay.control.name,
        nulls,
        as_animal,
        scores,
        series,
        generalisation,
        steps: model_steps + steps.others,
        model_steps,
        network_steps,
        seconds: started.elapsed().as_secs_f64(),
        assay,
        model_lives,
        null_lives,
        control_lives,
    })
}

/// Control steps that were played.
pub(super) struct Steps {
    /// By each model.
    models: Vec<u64>,
    /// By nulls and control.
    pub(super) others: u64,
}

impl Steps {
    /// Lives of the models.
    pub(super) fn add(&mut self, played: &[Played]) {
        self.models.iter_mut().zip(played).for_each(|(steps, played)| *steps += played.steps);
    }
}

/// What a variant's figure shows, of models, null and control.
fn levels(series: &Series, [model, null, control]: [&Lived; 3]) -> Levels {
    let Series { title, x, score, at } = *series;
    let level = |&(x, condition): &(f64, usize)| {
        let of = |lived: &Lived| interval(score, lived.under((condition, Treatment::None)));
        Level { x, model: of(model), null: of(null), control: of(control) }
    };
    Levels { title, x, score: score.name, levels: at.iter().map(level).collect() }
}

//! The stage that one model has reached: reflex, learning, memory, generalisation.
//!
//! | stage | passes |
//! |---|---|
//! | reflex | A |
//! | learning | C, D, E |
//! | memory | B, F, and the long delay of C, D, E |
//! | generalisation | every condition of H, of A to F |
//!
//! A stage counts only if those before it are passed, and by the same parameters: a separate model for each assay is a
//! specialist, and has no stage. G, local rules, is beside the stages, and variants are not asked for.

use serde::Serialize;

use super::assays::{ASSAYS, Assay, Stage};
use super::judge::{Judgement, Verdict};

/// Whose judgements they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The same parameters in all assays.
    OneModel,
    /// Others in each assay.
    Specialists,
}

/// How far a model has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stages {
    /// The last stage that it has passed after all before it.
    pub reached: Option<Stage>,
    /// The one after that.
    pub next: Option<Stage>,
    /// What it lacks for that one.
    pub lacks: Vec<String>,
    /// It passes G; none if it was not judged there.
    pub local: Option<bool>,
}

/// In their order.
const STAGES: [Stage; 4] = [Stage::Reflex, Stage::Learning, Stage::Memory, Stage::Generalisation];

impl Stages {
    /// Of these judgements; specialists have none.
    pub fn of(judgements: &[Judgement], whose: Whose) -> Option<Self> {
        if whose == Whose::Specialists {
            return None;
        }
        let mut stages = STAGES.into_iter();
        let local = find(judgements, 'G').map(|judgement| judgement.verdict == Verdict::Pass);
        let mut reached = None;
        for stage in &mut stages {
            let lacks = lacks(judgements, stage);
            if !lacks.is_empty() {
                return Some(Self { reached, next: Some(stage), lacks, local });
            }
            reached = Some(stage);
        }
        Some(Self { reached, next: None, lacks: Vec::new(), local })
    }
}

fn find(judgements: &[Judgement], letter: char) -> Option<&Judgement> {
    judgements.iter().find(|judgement| judgement.letter == letter && !judgement.assay.variant)
}

/// Whatever a stage asks for beyond those before it, and the judgements do not show.
fn lacks(judgements: &[Judgement], stage: Stage) -> Vec<String> {
    let assays = || ASSAYS.into_iter().filter(|assay| !assay.variant && assay.stage != Stage::Local);
    let of = |assay: &Assay| find(judgements, assay.letter);
    let mut lacks: Vec<String> = assays()
        .filter(|assay| assay.stage == stage)
        .filter_map(|assay| Some(format!("{} {}: {}", assay.letter, assay.name, missed(of(assay))?)))
        .collect();
    for assay in assays() {
        let asked = match (stage, assay.long_delay) {
            (Stage::Memory, Some(delay)) => &assay.conditions[delay..=delay],
            (Stage::Generalisation, _) => &assay.conditions[1..],
            _ => &[],
        };
        let passes = |name: &str| {
            let conditions = of(assay).map_or(&[][..], |judgement| &judgement.generalisation);
            conditions.iter().any(|condition| condition.name == name && condition.passes)
        };
        let missed = asked.iter().filter(|name| !passes(name));
        lacks.extend(missed.map(|name| format!("{} {}: H, {name}", assay.letter, assay.name)));
    }
    lacks
}

/// Why an assay is not passed.
fn missed(judgement: Option<&Judgement>) -> Option<String> {
    let Some(judgement) = judgement else { return Some("not judged".into()) };
    match judgement.verdict {
        Verdict::Pass => None,
        Verdict::Invalid => Some(judgement.verdict.name().into()),
        Verdict::Fail => {
            let failed = judgement.criteria.iter().filter(|judged| !judged.passes);
            Some(failed.map(|judged| judged.named()).collect::<Vec<_>>().join("; "))
        }
    }
}

//! What came of a search: who is its answer, and how it does with seeds that nothing was chosen by.
//!
//! The best of many candidates that were judged by few seeds was lucky, so the search's centre stands beside it, and a
//! search may have finalists that are judged again. The one with the least error there is the answer. Whatever the test
//! with the held-out seeds says of them changes nothing of that.

use serde::{Deserialize, Serialize};

use super::checkpoint::{Remembered, State};
use super::progress::Progress;
use super::{Judged, Problem, Simulated};
use crate::column::{POPULATIONS, Seeds, steps};
use crate::config;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::search::ask_tell::AskTell;

/// All of it, as `result.json` has it. What is not a number is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// As it was effective.
    pub config: config::Column,
    /// Of the one that searches: `CMA-ES`.
    pub searcher: String,
    /// That were told.
    pub generations: u32,
    /// That were judged.
    pub candidates: u64,
    /// Of the search.
    pub simulations: u64,
    /// Candidates that fired too much.
    pub refused: u64,
    /// Candidates with a parameter that was put back into its range.
    pub clipped: u64,
    /// That the search took.
    pub seconds: f64,
    /// That finalists and centre were judged with; whose they are, `finalists_seeds_are_new` says.
    pub training_seeds: usize,
    /// Finalists and centre were judged with seeds that the search had not seen.
    pub finalists_seeds_are_new: bool,
    /// The best candidates and the centre, the one with the least error first: the answer.
    pub entrants: Vec<Entrant>,
    /// The parameters of the answer.
    pub found: Vec<Found>,
    /// Seeds of the test.
    pub held_out_seeds: usize,
    /// Counted in the test, s.
    pub held_out_seconds: f64,
    /// Where the search began, the best candidate, and the centre, with these seeds.
    pub held_out: Vec<Tested>,
}

/// What may be the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entrant {
    /// Generation and number of a candidate; null for the centre.
    pub candidate: Option<(u32, u32)>,
    /// Of a candidate, as it was judged in the search.
    pub error_in_search: Option<f64>,
    /// Sum of the targets' errors, of mean measures over the seeds.
    pub error: Option<f64>,
    /// Of each target.
    pub measured: Vec<Option<f64>>,
    /// Hz.
    pub rates: [Option<f64>; POPULATIONS],
    /// Parameters that were put back into their range.
    pub clipped: usize,
    /// Actions at the ends of their range or beyond.
    pub saturated: usize,
    /// As they were proposed.
    pub actions: Vec<f64>,
}

/// A parameter of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// `connection L4E < L23E`
    pub name: String,
    /// Where the search began.
    pub base: f64,
    /// Where it ended.
    pub value: f64,
}

/// A point in the test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// `base`, `candidate` or `centre`.
    pub of: String,
    /// Whether it is the answer.
    pub is_answer: bool,
    /// Sum of the targets' errors, of mean measures over the seeds.
    pub error_of_means: Option<f64>,
    /// Mean over seeds of the error with each.
    pub mean_error: Option<f64>,
    /// With each seed.
    pub errors: Vec<Option<f64>>,
    /// Of each target, mean over seeds.
    pub measured: Vec<Option<f64>>,
    /// Mean over seeds, Hz.
    pub rates: [Option<f64>; POPULATIONS],
    /// Standard deviation over seeds (n - 1 in the denominator), Hz.
    pub rates_sd: [Option<f64>; POPULATIONS],
}

fn number(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl Outcome {
    /// The entrant of the least error.
    pub fn answer(&self) -> &Entrant {
        &self.entrants[0]
    }
}

impl Entrant {
    fn new(judged: &Judged, remembered: Option<&Remembered>) -> Self {
        Self {
            candidate: remembered.map(|best| (best.generation, best.candidate)),
            error_in_search: remembered.map(|best| best.error),
            error: number(judged.error),
            measured: judged.measured.iter().map(|&value| number(value)).collect(),
            rates: judged.rates.map(number),
            clipped: judged.clipped,
            saturated: judged.actions.iter().filter(|action| action.abs() >= 1.0).count(),
            actions: judged.actions.clone(),
        }
    }

    /// For people.
    pub fn name(&self) -> String {
        match self.candidate {
            Some((generation, candidate)) => format!("Candidate {candidate} of generation {generation}"),
            None => "The search's centre".into(),
        }
    }

    /// What is not a number is the worst.
    fn rank(&self) -> f64 {
        self.error.unwrap_or(f64::INFINITY)
    }
}

/// Judge the best candidates and the centre, and test them; `None` when it is asked to stop.
///
/// # Errors
/// When no candidate could be judged, or a column cannot be built.
pub fn conclude(
    column: &config::Column,
    search: &config::Search,
    problem: &Problem,
    state: &State,
    searcher: &dyn AskTell,
    gpu: Option<&Gpu>,
    (quiet, is_asked_to_stop): (bool, &dyn Fn() -> bool),
) -> Result<Option<Outcome>> {
    if state.best.is_empty() {
        return Err(Error::Run(format!(
            "no candidate could be judged: all {} fired at more than search.most_rate, or have a measure for which too few \
             spikes were seen; try: a larger search.counted, or other targets",
            state.candidates
        )));
    }
    let seeds_are_new = search.finalists > 0;
    let training = |generation| match seeds_are_new {
        true => problem.of_finalists(search.finalist_seeds),
        false => problem.seeds_of(generation),
    };
    let judgements = (state.best.len() as u64 + 1) * training(0).len() as u64;
    let progress = Progress::start(0, judgements + 3 * u64::from(search.held_out), quiet);
    progress.status("the best candidates and the centre again".into());
    let centre = searcher.centre();
    let asked_to_stop = || {
        let asked = is_asked_to_stop();
        if asked {
            progress.say("stopped before its result was there; try: phylon run --resume and its folder");
        }
        asked
    };
    let judge = |actions: &Vec<f64>, seeds: &[Seeds]| {
        let judged = problem.judge(gpu, std::slice::from_ref(actions), seeds, &|| progress.simulation())?;
        Ok(judged.into_iter().next())
    };
    let points = state.best.iter().map(|best| (&best.actions, Some(best), best.generation));
    let mut entrants = Vec::new();
    for (actions, remembered, generation) in points.chain([(&centre, None, state.generation)]) {
        if asked_to_stop() {
            return Ok(None);
        }
        let judged: Result<Option<Judged>> = judge(actions, &training(generation));
        entrants.extend(judged?.map(|judged| Entrant::new(&judged, remembered)));
    }
    // The candidate stays before the centre where they are equal.
    entrants.sort_by(|a, b| a.rank().total_cmp(&b.rank()));

    let seconds = search.held_out_seconds();
    let longer = Problem { steps: (problem.steps.0, steps(1e3 * seconds)), ..problem.clone() };
    let seeds = problem.held_out(search.held_out);
    let base = vec![0.0; centre.len()];
    let best = entrants.iter().find(|entrant| entrant.candidate.is_some()).map(|entrant| entrant.actions.clone());
    let is_answer = |of: &str| entrants.first().is_some_and(|first| first.candidate.is_some() == (of == "candidate"));
    progress.status("with seeds that nothing was chosen by".into());
    let mut held_out = Vec::new();
    for (of, actions) in [("base", Some(base)), ("candidate", best), ("centre", Some(centre.clone()))] {
        let Some(actions) = actions else { continue };
        if asked_to_stop() {
            return Ok(None);
        }
        let simulated = longer.simulate_all(gpu, std::slice::from_ref(&actions), &seeds, &|| progress.simulation())?;
        let tested = simulated.into_iter().map(|of_seeds| Tested::new(of, &longer, &actions, &of_seeds));
        held_out.extend(tested.map(|tested| Tested { is_answer: of != "base" && is_answer(of), ..tested }));
    }
    let (answer, _) = problem.group.apply(&problem.base, &entrants[0].actions, problem.k);
    let values = problem.group.values(&problem.base).into_iter().zip(problem.group.values(&answer));
    let named = problem.group.names().into_iter().zip(values);
    Ok(Some(Outcome {
        config: column.clone(),
        searcher: search.searcher().map_or("", config::Searcher::name).into(),
        generations: state.generation,
        candidates: state.candidates,
        simulations: state.simulations,
        refused: state.refused,
        clipped: state.clipped,
        seconds: state.seconds,
        training_seeds: training(0).len(),
        finalists_seeds_are_new: seeds_are_new,
        found: named.map(|(name, (base, value))| Found { name, base, value }).collect(),
        entrants,
        held_out_seeds: seeds.len(),
        held_out_seconds: seconds,
        held_out,
    }))
}

impl Tested {
    fn new(of: &str, problem: &Problem, actions: &[f64], of_seeds: &Simulated) -> Self {
        let all = problem.judged(actions, of_seeds);
        let each: Vec<Judged> = of_seeds.chunks(1).map(|one| problem.judged(actions, one)).collect();
        let errors: Vec<f64> = each.iter().map(|judged| judged.error).collect();
        let n = each.len() as f64;
        let sd = |population: usize| {
            let mean = all.rates[population];
            let squares: f64 =
                each.iter().map(|one| (one.rates[population] - mean) * (one.rates[population] - mean)).sum();
            number((squares / (n - 1.0)).sqrt())
        };
        Self {
            of: of.into(),
            is_answer: false,
            error_of_means: number(all.error),
            mean_error: number(errors.iter().sum::<f64>() / n),
            errors: errors.into_iter().map(number).collect(),
            measured: all.measured.iter().map(|&value| number(value)).collect(),
            rates: all.rates.map(number),
            rates_sd: std::array::from_fn(sd),
        }
    }
}

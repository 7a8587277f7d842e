//! The config of a search of a column's parameters: what is moved, how a candidate is judged, and who searches.

use serde::{Deserialize, Serialize};

use super::{Es, Snes};
use crate::column::search::objective::in_vivo;
use crate::column::search::{Group, Reward, Target};
use crate::column::steps;
use crate::plan::{self, Invalid, check, within};
use crate::search::snes::{default_population, default_sigma_rate};
use crate::search::{cma_es, ddpg};

/// Most simulations of a search, and most seeds.
const MOST: u32 = 100_000_000;
/// Longest time that a candidate is simulated, ms.
const LONGEST: f64 = 1e6;

/// `[search]`: what `phylon run` searches. The rates at which populations fire, or other measures of them, are to come
/// near their targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// What is moved: `synapse` (6 parameters), `neuron` (25), `structure` (the 64 connection probabilities) or `all`
    /// (95).
    pub group: Group,
    /// An action of 1 moves a parameter by this part of itself: p becomes p (1 + a / k), a in [-1, 1]. Default 20 for
    /// `structure` and `all`, 5 for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<f64>,
    /// The budget: simulations of the search. Those of the test at its end are not among them.
    pub simulations: u32,
    /// Seeds that every candidate is simulated with; their mean measures are held against the targets. Default 1.
    #[serde(default = "one")]
    pub seeds: u32,
    /// Every generation has seeds of its own; else all candidates have the same ones, which a search may then fit.
    /// Default false.
    #[serde(default)]
    pub fresh_seeds: bool,
    /// Seed of the search, and of the seeds that it simulates with. Default 1.
    #[serde(default = "seed")]
    pub seed: u64,
    /// Time that is simulated first and not counted, ms. Default 500, the thesis's.
    #[serde(default = "window")]
    pub warm_up: f64,
    /// Time that is counted, ms. Default 500, the thesis's.
    #[serde(default = "window")]
    pub counted: f64,
    /// What DDPG is told of a candidate: `root_of_sum` (the default), `sum_of_roots` or `sum` of errors, with a minus.
    /// The others look at the order, which is that of the sum but for `sum_of_roots`.
    #[serde(default)]
    pub reward: Reward,
    /// A candidate of which a population fires at more than this in the first 50 ms is refused: it is not simulated
    /// further and counts as the worst. Default 100 Hz.
    #[serde(default = "most_rate")]
    pub most_rate: f64,
    /// So many of the best candidates are judged again at the end, with `finalist_seeds` more seeds, as is the centre:
    /// the best of many that were judged by few seeds was lucky. Default 0: the best candidate is the one with the
    /// least error in the search.
    #[serde(default)]
    pub finalists: u32,
    /// Seeds that finalists are judged with; the search has not seen them. Default 10.
    #[serde(default = "ten")]
    pub finalist_seeds: u32,
    /// Seeds of the test at the end, with which nothing is chosen. Default 10.
    #[serde(default = "ten")]
    pub held_out: u32,
    /// Time that is counted in that test, s. Default: as in the search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_seconds: Option<f64>,
    /// Where measures should be. Default: the rates in vivo of the four excitatory populations, as the thesis has them.
    #[serde(default = "in_vivo")]
    pub targets: Vec<Target>,
    /// CMA-ES. Exactly one of `[search.cma_es]`, `[search.snes]`, `[search.es]` and `[search.ddpg]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cma_es: Option<cma_es::Settings>,
    /// Separable natural evolution strategy, with the keys of `[snes]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snes: Option<Snes>,
    /// Evolution strategy, with the keys of `[es]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub es: Option<Es>,
    /// Deep deterministic policy gradient, the thesis's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ddpg: Option<ddpg::Settings>,
}

fn one() -> u32 {
    1
}

fn ten() -> u32 {
    10
}

fn seed() -> u64 {
    1
}

fn window() -> f64 {
    500.0
}

fn most_rate() -> f64 {
    100.0
}

/// The one that searches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Searcher<'a> {
    /// `[search.cma_es]`
    CmaEs(&'a cma_es::Settings),
    /// `[search.snes]`
    Snes(&'a Snes),
    /// `[search.es]`
    Es(&'a Es),
    /// `[search.ddpg]`
    Ddpg(&'a ddpg::Settings),
}

impl Searcher<'_> {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CmaEs(_) => "CMA-ES",
            Self::Snes(_) => "SNES",
            Self::Es(_) => "ES",
            Self::Ddpg(_) => "DDPG",
        }
    }
}

impl Search {
    /// The one table that is there; `None` when there are several, or none.
    pub fn searcher(&self) -> Option<Searcher<'_>> {
        match (&self.cma_es, &self.snes, &self.es, &self.ddpg) {
            (Some(settings), None, None, None) => Some(Searcher::CmaEs(settings)),
            (None, Some(settings), None, None) => Some(Searcher::Snes(settings)),
            (None, None, Some(settings), None) => Some(Searcher::Es(settings)),
            (None, None, None, Some(settings)) => Some(Searcher::Ddpg(settings)),
            _ => None,
        }
    }

    /// Parameters that are moved.
    pub fn parameters(&self) -> usize {
        self.group.names().len()
    }

    /// Candidates of a generation; DDPG's tests are one candidate and a generation too.
    pub fn population(&self) -> u32 {
        let default = || default_population(self.parameters()) as u32;
        match self.searcher() {
            Some(Searcher::CmaEs(settings)) => settings.population.unwrap_or_else(default),
            Some(Searcher::Snes(settings)) => settings.population.unwrap_or_else(default),
            Some(Searcher::Es(settings)) => settings.population,
            Some(Searcher::Ddpg(settings)) => settings.proposals,
            None => 0,
        }
    }

    /// k.
    pub fn k(&self) -> f64 {
        self.k.unwrap_or(match self.group {
            Group::Structure | Group::All => 20.0,
            Group::Synapse | Group::Neuron => 5.0,
        })
    }

    /// Time that the test at the end counts, s.
    pub fn held_out_seconds(&self) -> f64 {
        self.held_out_seconds.unwrap_or(1e-3 * self.counted)
    }

    /// Write out the defaults that depend on other keys.
    pub fn complete(&mut self) {
        self.k = Some(self.k());
        self.held_out_seconds = Some(self.held_out_seconds());
        let parameters = self.parameters();
        let default = default_population(parameters) as u32;
        if let Some(settings) = &mut self.cma_es {
            settings.population.get_or_insert(default);
        }
        if let Some(settings) = &mut self.snes {
            settings.population.get_or_insert(default);
            settings.sigma_learning_rate.get_or_insert_with(|| default_sigma_rate(parameters));
        }
        if let Some(es) = self.es.as_mut().filter(|es| es.adam.is_none()) {
            es.momentum.get_or_insert_default();
        }
    }

    /// Check every value.
    ///
    /// # Errors
    /// The first that cannot be.
    pub fn check(&self) -> Result<(), Invalid> {
        let range = |key, value, ends| within("search", key, value, ends);
        let k = self.k();
        check(k >= 1.0 && k.is_finite(), "search.k", || {
            format!("{k} is not a number from 1 on: parameters would change their sign")
        })?;
        range("warm_up", self.warm_up, (0.0, LONGEST))?;
        range("counted", self.counted, (1.0, LONGEST))?;
        range("held_out_seconds", self.held_out_seconds(), (1e-3, 1e-3 * LONGEST))?;
        let rate = self.most_rate;
        check(rate > 0.0, "search.most_rate", || format!("{rate} is not a number above 0"))?;
        within("search", "seeds", self.seeds, (1, MOST))?;
        within("search", "finalists", self.finalists, (0, MOST))?;
        within("search", "finalist_seeds", self.finalist_seeds, (1, MOST))?;
        within("search", "held_out", self.held_out, (1, MOST))?;
        within("search", "simulations", self.simulations, (1, MOST))?;
        check(!self.targets.is_empty(), "search.targets", || "there is none to aim at".into())?;
        for target in &self.targets {
            let Target { population, value, weight, .. } = target;
            let is_known = target.index().is_some();
            check(is_known, "search.targets", || format!("population {population:?} is not one of L23E, ..., L6I"))?;
            check(value.is_finite(), "search.targets", || format!("the value of {population} is {value}"))?;
            check(*weight > 0.0 && weight.is_finite(), "search.targets", || {
                format!("the weight of {population} is {weight}, not a number above 0")
            })?;
        }
        self.check_searcher()?;
        let least = u64::from(self.population()) * u64::from(self.seeds);
        check(least <= u64::from(self.simulations), "search.simulations", || {
            format!("{} is less than one generation takes, {least}", self.simulations)
        })
    }

    fn check_searcher(&self) -> Result<(), Invalid> {
        let inside = |invalid: Invalid| Invalid { key: format!("search.{}", invalid.key), message: invalid.message };
        let tables = "[search.cma_es], [search.snes], [search.es] and [search.ddpg]";
        match self.searcher() {
            Some(Searcher::CmaEs(settings)) => {
                within("search.cma_es", "population", self.population(), (2, plan::MAX_POPULATION))?;
                let sigma = settings.sigma;
                check(sigma > 0.0 && sigma.is_finite(), "search.cma_es.sigma", || {
                    format!("{sigma} is not a finite number above 0")
                })
            }
            Some(Searcher::Snes(snes)) => plan::check_snes(snes, self.parameters()).map(drop).map_err(inside),
            Some(Searcher::Es(es)) => plan::check_es(es).map(drop).map_err(inside),
            Some(Searcher::Ddpg(settings)) => settings.refusal().map_or(Ok(()), |(key, range)| {
                Err(Invalid { key: format!("search.ddpg.{key}"), message: format!("it must be {range}") })
            }),
            None => Err(Invalid { key: "search".into(), message: format!("there must be exactly one of {tables}") }),
        }
    }

    /// Steps of a candidate that are not counted, and those that are.
    pub fn steps(&self) -> (u32, u32) {
        (steps(self.warm_up), steps(self.counted))
    }
}

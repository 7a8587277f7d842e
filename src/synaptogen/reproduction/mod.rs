//! The paper's comparison in one world: agents of profiles trained by gradient, of profiles evolved by SNES, and of
//! lineages (a cell of its tables 1 to 4).
//!
//! Gradient: nine trainings, of which the one whose mean network does best is taken. SNES: nine searches, of which the
//! one whose agents do best is taken. Control: lineages with the rules and conductances of the trained profile. Then
//! 100 agents of each play, and their scores are compared. Every finished training and search is kept in a folder at
//! once; on a device all trainings go side by side and end together.

mod folder;
mod published;
mod report;
mod settings;
mod text;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use folder::Folder;
pub use published::published;
pub use report::{Compared, Group, Report, Searched, TrainedRate};
pub use settings::{Settings, genes_with_rules};

use super::dqn::{self, Training, Validation};
use super::evaluation::{Comparison, EPISODES, Metrics, Solved, mean_and_sd, score};
use super::fitness::{grow, scores};
use super::gpu;
use super::rules::{CoExpression, Neurons};
use super::search::{Found, Generation, Search};
use super::{Profile, RuleMap, Shape, lineage};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::policy::Mlp;
use crate::registry::WorldKind;
use crate::rng::{Row, Stream};
use crate::rollout::Population;
use crate::world::Episode;

/// Neurons of the hidden layer.
const HIDDEN: usize = 128;
/// Environment steps of each training and each search.
pub const STEPS: u32 = 500_000;
/// Agents of each group that are compared.
pub const AGENTS: u32 = 100;
/// Agents that decide which search is taken; and that show what becomes of each training.
const FRESH_AGENTS: u32 = 30;
/// The same of a brief comparison.
const BRIEF_AGENTS: u32 = 20;
const BRIEF_FRESH_AGENTS: u32 = 5;
/// Names of the groups, in their order.
pub const GROUPS: [&str; 3] = ["SynaptoGen", "SNES", "control"];

/// A comparison that can be made.
#[derive(Debug, Clone)]
pub struct Reproduction {
    settings: Settings,
    world: WorldKind,
    solved: Solved,
    shape: Shape,
    rules: RuleMap,
}

/// What is drawn with a seed of its own.
#[derive(Clone, Copy)]
enum Draws {
    /// Episodes of the mean networks that the choice among trainings is made by.
    MeanNetworks,
    /// A search.
    Search,
    /// Agents that the choice among searches is made by, and their episodes.
    FreshAgents,
    /// Agents that are compared, and their episodes.
    Agents,
    /// Lineages.
    Lineages,
    /// Agents of each training, for the report alone, and their episodes.
    TrainedAgents,
}

/// Of a finished training, beside its profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TrainingRecord {
    validations: Vec<Validation>,
    steps: u32,
    updates: u32,
}

/// Of a finished search, beside its profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SearchRecord {
    fitness: f32,
    generations: Vec<Generation>,
}

/// A profile that was found, and mean and spread of its fresh agents' scores.
type Judged = (Profile, SearchRecord, (f64, f64));

impl Reproduction {
    /// From settings.
    ///
    /// # Errors When there is no such world or nothing was published on it, there are no genes or no steps, or the
    /// rules from data are about another number of genes.
    pub fn new(settings: Settings) -> Result<Self> {
        let world = WorldKind::named(&settings.env)?;
        let spec = world.spec();
        let Settings { genes, rules_from_data, steps, seed, .. } = settings;
        if genes == 0 || steps == 0 {
            return Err(Error::Config(format!(
                "there is nothing to learn with {genes} genes in {steps} steps; try: --genes 16 --steps 500000"
            )));
        }
        let rules = if rules_from_data {
            let tests = CoExpression::of(&Neurons::celegans());
            let with_rules = tests.kept().len();
            if genes != with_rules {
                return Err(Error::Config(format!(
                    "the rules from data are about {with_rules} genes, not {genes}; try: --rules-from-data without --genes"
                )));
            }
            RuleMap::TwoSigmoids { coexpressed: tests.mask() }
        } else {
            RuleMap::Sigmoid
        };
        let shape = Shape::new(&[spec.observations, HIDDEN, spec.actions.outputs()], genes);
        let training = Training { world, shape: shape.clone(), rules: rules.clone(), rate: 0.0, seed, steps };
        training.hyperparameters()?;
        let solved = Solved::of(spec.gymnasium)
            .ok_or_else(|| Error::Config(format!("{} has no score that solves it", spec.name)))?;
        Ok(Self { settings: Settings { env: spec.name.into(), ..settings }, world, solved, shape, rules })
    }

    /// What decides its bits, the world by its own name.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// From which score an agent has solved its world.
    pub fn solved(&self) -> Solved {
        self.solved
    }

    /// Agents of each group that are compared, and those that choices are made by.
    fn agents(&self) -> (u32, u32) {
        if self.settings.brief { (BRIEF_AGENTS, BRIEF_FRESH_AGENTS) } else { (AGENTS, FRESH_AGENTS) }
    }

    /// What is less than in the paper's protocol, `steps (500000 -> 1000)`; empty of a whole comparison.
    pub fn scaled(&self) -> Vec<String> {
        let whole = Self { settings: Settings { brief: false, ..self.settings.clone() }, ..self.clone() };
        let sizes = |of: &Self| {
            let ((agents, fresh), steps) = (of.agents(), of.settings.steps);
            [steps, of.trainings().count() as u32, of.searches().count() as u32, agents, fresh]
        };
        let mut paper = sizes(&whole);
        paper[0] = STEPS;
        let names = ["steps", "trainings", "searches", "agents", "agents that choices are made by"];
        let both = names.iter().zip(paper.into_iter().zip(sizes(self)));
        both.filter(|(_, (paper, ours))| paper != ours)
            .map(|(name, (paper, ours))| format!("{name} ({paper} -> {ours})"))
            .collect()
    }

    /// Environment steps of the trainings and searches that the folder does not have yet.
    pub fn steps_left(&self, folder: &Folder) -> u64 {
        let names = self.trainings().map(|(name, _)| name).chain(self.searches().map(|(name, _)| name));
        names.filter(|name| !folder.has(name)).count() as u64 * u64::from(self.settings.steps)
    }

    /// Of all trainings and searches.
    pub fn steps(&self) -> u64 {
        (self.trainings().count() + self.searches().count()) as u64 * u64::from(self.settings.steps)
    }

    /// Steps of the trainings alone that the folder does not have yet.
    pub fn training_steps_left(&self, folder: &Folder) -> u64 {
        self.trainings_left(folder).count() as u64 * u64::from(self.settings.steps)
    }

    /// Learns and searches what the folder does not have yet, and compares, to the same bits on every device. On a GPU
    /// profiles that it has room for are trained, searches judge their offspring and agents play. `progress` is told
    /// how many more environment steps are done.
    ///
    /// # Errors
    /// When a file of the folder cannot be read or written, or the device fails.
    pub fn run(&self, folder: &Folder, device: &Device, progress: &(dyn Fn(u64) + Sync)) -> Result<Report> {
        let gpu = device.open()?;
        let gpu = gpu.as_ref();
        let (trained, searched) =
            rayon::join(|| self.train(folder, gpu, progress), || self.search(folder, gpu, progress));
        let ((profile, trainings), (evolved, searches)) = (trained?, searched?);
        folder.write("profile", &profile)?;
        folder.write("snes", &evolved)?;
        let grown = |profile, group| self.scores(gpu, profile, self.agents().0, self.seeds(Draws::Agents, group));
        let scores = [grown(&profile, 0)?, grown(&evolved, 1)?, self.control(gpu, &profile)?];
        let comparison = |[first, second]: [usize; 2]| {
            let comparison = Comparison::of(&scores[first], &scores[second]);
            Compared { first: GROUPS[first], second: GROUPS[second], comparison, stars: comparison.stars() }
        };
        let comparisons = [[0, 1], [0, 2], [1, 2]].map(comparison).to_vec();
        let gymnasium = self.world.spec().gymnasium;
        let groups = GROUPS.into_iter().zip(scores).map(|(name, scores)| Group {
            name,
            metrics: Metrics::of(&scores, self.solved),
            published: published(gymnasium, self.settings.genes, self.settings.rules_from_data, name),
            scores,
        });
        Ok(Report { settings: self.settings.clone(), trainings, searches, groups: groups.collect(), comparisons })
    }

    fn seeds(&self, of: Draws, index: usize) -> [u64; 2] {
        let (generation, index) = (of as u32, index as u32);
        Row { seed: self.settings.seed, stream: Stream::Parts, generation, index }.seeds()
    }

    /// The published rates and three seeds, with their names.
    fn trainings(&self) -> impl Iterator<Item = (String, Training)> {
        let (world, steps) = (self.world, self.settings.steps);
        let seeds = if self.settings.brief { 1 } else { dqn::SEEDS.len() };
        dqn::RATES.into_iter().flat_map(move |rate| {
            dqn::SEEDS.into_iter().take(seeds).map(move |number| {
                // The first seed stands for the published 1.
                let seed = self.settings.seed.wrapping_add(number - dqn::SEEDS[0]);
                let training =
                    Training { world, shape: self.shape.clone(), rules: self.rules.clone(), rate, seed, steps };
                (format!("dqn-rate-{rate}-seed-{seed}"), training)
            })
        })
    }

    /// Those that the folder does not have yet.
    fn trainings_left(&self, folder: &Folder) -> impl Iterator<Item = (String, Training)> {
        self.trainings().filter(|(name, _)| !folder.has(name))
    }

    /// The published populations and numbers of agents, with their names.
    fn searches(&self) -> impl Iterator<Item = (String, Search)> {
        let most = if self.settings.brief { 1 } else { usize::MAX };
        let settings = Search::populations(&self.shape).into_iter();
        let settings =
            settings.flat_map(|population| Search::AGENTS.into_iter().map(move |agents| (population, agents)));
        settings.take(most).enumerate().map(|(number, (population, agents))| {
            let search = Search {
                world: self.world,
                shape: self.shape.clone(),
                rules: self.rules.clone(),
                population,
                agents,
                seed: self.seeds(Draws::Search, number)[0],
                steps: u64::from(self.settings.steps),
            };
            (format!("snes-population-{population}-agents-{agents}"), search)
        })
    }

    /// The profile with the best mean network, and all trainings.
    fn train(
        &self,
        folder: &Folder,
        gpu: Option<&Gpu>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(Profile, Vec<TrainedRate>)> {
        if let Some(gpu) = gpu {
            train_together(&[(self, folder)], gpu, progress)?;
        }
        let trainings: Vec<_> = self.trainings().collect();
        let train = |(name, training): &(String, Training)| {
            folder.keep(name, || Ok(recorded(training.run(&|more| progress(u64::from(more)))?)))
        };
        let mut trained: Vec<(Profile, TrainingRecord)> =
            trainings.par_iter().with_max_len(1).map(train).collect::<Result<_>>()?;
        let agents: Vec<Mlp> = trained.iter().map(|(profile, _)| profile.mean_agent()).collect();
        let seed = self.seeds(Draws::MeanNetworks, 0)[0];
        let played = self.play(gpu, &agents, seed)?;
        let returns = played.iter().map(|episodes| episodes.iter().map(|episode| episode.reward).collect::<Vec<_>>());
        let judged: Vec<(f64, f64)> = returns.map(|returns| mean_and_sd(&returns)).collect();
        let chosen = best(&judged);
        let agents_of = |(number, (profile, _)): (usize, &(Profile, TrainingRecord))| {
            match self.scores(gpu, profile, self.agents().1, self.seeds(Draws::TrainedAgents, number)) {
                Ok(scores) => Ok(mean_and_sd(&scores)),
                Err(error @ Error::Device(_)) => Err(error),
                // A profile that nothing grows from is no reason to report nothing of the others.
                Err(_) => Ok(mean_and_sd(&[])),
            }
        };
        let grown: Vec<(f64, f64)> = trained.par_iter().enumerate().map(agents_of).collect::<Result<_>>()?;
        let mut rows = Vec::with_capacity(trained.len());
        for (number, ((_, training), (_, record))) in trainings.iter().zip(&trained).enumerate() {
            let ((mean, sd), (agents_mean, agents_sd)) = (judged[number], grown[number]);
            let TrainingRecord { validations, steps, updates } = record.clone();
            let &Training { rate, seed, .. } = training;
            let chosen = number == chosen;
            rows.push(TrainedRate {
                rate,
                seed,
                steps,
                updates,
                mean,
                sd,
                agents_mean,
                agents_sd,
                chosen,
                validations,
            });
        }
        Ok((trained.swap_remove(chosen).0, rows))
    }

    /// The profile with the best fresh agents, and all searches.
    fn search(
        &self,
        folder: &Folder,
        gpu: Option<&Gpu>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(Profile, Vec<Searched>)> {
        let searches: Vec<_> = self.searches().collect();
        let search = |(number, (name, search)): (usize, &(String, Search))| {
            let (profile, record) = folder.keep(name, || {
                let found = gpu.map_or_else(|| search.run(progress), |gpu| search.run_on(gpu, progress));
                let Found { profile, fitness, generations } = found?;
                Ok((profile, SearchRecord { fitness, generations }))
            })?;
            let scores = self.scores(gpu, &profile, self.agents().1, self.seeds(Draws::FreshAgents, number))?;
            Ok((profile, record, mean_and_sd(&scores)))
        };
        let mut found: Vec<Judged> =
            searches.par_iter().enumerate().with_max_len(1).map(search).collect::<Result<_>>()?;
        let chosen = best(&found.iter().map(|(_, _, judged)| *judged).collect::<Vec<_>>());
        let mut rows = Vec::with_capacity(found.len());
        for (number, ((_, search), (_, record, (mean, sd)))) in searches.iter().zip(&found).enumerate() {
            let SearchRecord { fitness, generations } = record.clone();
            let (&Search { population, agents, .. }, &mean, &sd) = (search, mean, sd);
            rows.push(Searched { population, agents, fitness, mean, sd, chosen: number == chosen, generations });
        }
        Ok((found.swap_remove(chosen).0, rows))
    }

    /// Of agents that are all grown from one profile.
    fn scores(&self, gpu: Option<&Gpu>, profile: &Profile, agents: u32, seeds: [u64; 2]) -> Result<Vec<f64>> {
        match gpu {
            None => Ok(scores(profile, self.world, agents, seeds)?.0),
            Some(gpu) => {
                let judged = [gpu::Judged { profile, seeds }];
                Ok(gpu::scores(gpu, &judged, self.world, agents)?.scores.concat())
            }
        }
    }

    /// Episodes of each agent.
    fn play(&self, gpu: Option<&Gpu>, agents: &[Mlp], seed: u64) -> Result<Vec<Vec<Episode>>> {
        let population = Population { world: self.world, agents, episodes: EPISODES, seed };
        gpu.map_or_else(|| population.play(&|_| {}), |gpu| population.play_on(gpu))
    }

    /// Of one agent from each of as many lineages (Algorithm 3).
    fn control(&self, gpu: Option<&Gpu>, trained: &Profile) -> Result<Vec<f64>> {
        let [lineages, _] = self.seeds(Draws::Lineages, 0);
        let [growth, episodes] = self.seeds(Draws::Agents, 2);
        let agent = |number| grow(&lineage::draw(trained, lineages, number), growth, number..number + 1);
        let agents = (0..self.agents().0).into_par_iter().map(agent).collect::<Result<Vec<_>>>()?.concat();
        let played = self.play(gpu, &agents, episodes)?;
        Ok(played.iter().map(|episodes| score(episodes)).collect())
    }
}

/// Trains on a device what the folders do not have yet, of all comparisons side by side, and keeps it there. Profiles
/// that a device has no room for are left to [`Reproduction::run`]. `progress` is told how many more environment steps
/// are done.
///
/// # Errors
/// When the device fails, or a file cannot be written.
pub fn train_together(
    comparisons: &[(&Reproduction, &Folder)],
    gpu: &Gpu,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<()> {
    let (mut places, mut trainings) = (Vec::new(), Vec::new());
    for (reproduction, folder) in comparisons {
        for (name, training) in reproduction.trainings_left(folder) {
            if gpu::fits(gpu, &training)? {
                places.push((folder, name));
                trainings.push(training);
            }
        }
    }
    let trained = gpu::train_all(gpu, &trainings, &|more| progress(u64::from(more)))?;
    for ((folder, name), trained) in places.into_iter().zip(trained) {
        folder.keep(&name, || Ok(recorded(trained)))?;
    }
    Ok(())
}

/// A training as a folder keeps it.
fn recorded(trained: dqn::Trained) -> (Profile, TrainingRecord) {
    let dqn::Trained { profile, validations, steps, updates } = trained;
    (profile, TrainingRecord { validations, steps, updates })
}

/// Of `(mean, sd)` the highest mean; of equal ones the smallest spread, and then the first.
fn best(judged: &[(f64, f64)]) -> usize {
    let is_better = |(mean, sd): (f64, f64), (best, least): (f64, f64)| mean > best || (mean == best && sd < least);
    (0..judged.len()).fold(0, |best, next| if is_better(judged[next], judged[best]) { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_by_mean_then_spread_then_order() {
        assert_eq!(best(&[(1.0, 0.0), (3.0, 5.0), (2.0, 0.0)]), 1);
        assert_eq!(best(&[(3.0, 5.0), (3.0, 4.0), (3.0, 4.0), (2.0, 0.0)]), 1);
    }
}

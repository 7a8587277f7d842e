//! Runs held against each other: their curves in one figure, their best centres on the same fresh episodes, and tests whether
//! they differ.
//!
//! Runs that differ in their seed alone are one group. With at least three runs in each of two groups the test is over runs,
//! and speaks of their settings; with fewer it is over episodes, and speaks of these very parameters only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::{Table, Value};

use super::Evaluation;
use super::html::{self, Figure, count, measured};
use super::summary;
use super::trajectories::{self, Middle, Over, Trajectory};
use crate::config::{self, Task};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::run::{Folder, Metrics, difference, durable};
use crate::sweep::axes::shown;
use crate::synaptogen::evaluation;
use crate::workload;

/// Runs of each group from which on a test is over runs.
const ENOUGH: usize = 3;
/// Keys that make no other group of a run.
const NO_SETTING: [&str; 3] = ["run.name", "run.seed", "run.checkpoint_every"];

/// Runs of one task, judged on the same episodes.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Fresh episodes, and their seed.
    pub episodes: usize,
    /// Of the episodes.
    pub seed: u64,
    /// Keys in which groups differ.
    pub keys: Vec<String>,
    /// In the order in which they were given.
    pub groups: Vec<Group>,
    /// Each with each.
    pub pairs: Vec<Pair>,
    #[serde(skip)]
    task: Task,
    #[serde(skip)]
    subtitle: String,
}

/// Runs that differ in their seed alone.
#[derive(Debug, Serialize)]
pub struct Group {
    /// The folder of a single run; of several, what sets them apart.
    pub name: String,
    /// Of each of the keys in which groups differ; null where it is not set.
    pub values: Vec<Option<String>>,
    /// Its runs.
    pub runs: Vec<Run>,
    /// Of the runs' mean fitness; of a single run, of its episodes.
    pub fitness: Evaluation,
}

/// A run, and how its best centre does.
#[derive(Debug, Serialize)]
pub struct Run {
    /// Its folder.
    pub path: PathBuf,
    /// Its seed.
    pub seed: u64,
    /// Generations that led to the centre: the best one, or the last where there is no best one.
    pub generation: u32,
    /// On fresh episodes.
    pub fitness: Evaluation,
    #[serde(skip)]
    each: Vec<f64>,
    #[serde(skip)]
    rows: Vec<Metrics>,
    /// Environment steps of a generation.
    #[serde(skip)]
    steps: f64,
}

/// Whether two groups differ.
#[derive(Debug, Serialize)]
pub struct Pair {
    /// A group's name.
    pub first: String,
    /// Another's.
    pub second: String,
    /// What the values are that are compared.
    pub over: Values,
    /// Mann-Whitney; its p also corrected for the number of pairs.
    #[serde(flatten)]
    pub comparison: evaluation::Comparison,
    /// From 0.05, 0.01, 0.001 and 0.0001 down.
    pub stars: &'static str,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// The mean fitness of each run.
    Runs,
    /// The fitness of each episode.
    Episodes,
}

/// A run as its folder has it.
struct Read {
    path: PathBuf,
    plan: Plan,
    /// What may tell it from others.
    settings: BTreeMap<String, Value>,
}

impl Comparison {
    /// Judge the runs in these folders; as many episodes as `phylon eval` takes, if none are given.
    ///
    /// # Errors
    /// When there are not two, or one cannot be read, has another task, is a search, or is there twice.
    pub fn of(paths: &[PathBuf], episodes: Option<usize>, seed: u64) -> Result<Self> {
        let mut runs = paths.iter().map(|path| Read::open(path)).collect::<Result<Vec<_>>>()?;
        name_kinds(&mut runs);
        let [first, _, ..] = &runs[..] else {
            return Err(Error::Config("a comparison needs two runs or more; try: phylon eval, for one".into()));
        };
        check_tasks(&runs)?;
        let (task, subtitle) = (first.plan.config.task.clone(), summary::subtitle(&first.plan.config));
        let episodes = episodes.unwrap_or_else(|| super::default_episodes(&first.plan));
        let mut grouped: Vec<Vec<Read>> = Vec::new();
        for run in runs {
            match grouped.iter_mut().find(|group| group[0].settings == run.settings) {
                Some(group) => group.push(run),
                None => grouped.push(vec![run]),
            }
        }
        grouped.iter().try_for_each(|group| check_seeds(group))?;
        let keys = differing(&grouped);
        let mut groups = Vec::new();
        for group in grouped {
            groups.push(Group::new(group, &keys, (episodes, seed))?);
        }
        let pairs = pairs(&groups);
        Ok(Self { episodes, seed, keys, groups, pairs, task, subtitle })
    }

    /// Write the page, or the curves over generations alone where the file ends in `.svg`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let curves = |over| trajectories::figure(&self.curves(), Some(&self.task), over, Middle::Mean);
        let text = match path.extension() {
            Some(ending) if ending == "svg" => curves(Over::Generations)?.0,
            _ => {
                let figure = |id, title: &str, (svg, caption)| Figure {
                    id,
                    title: title.into(),
                    head: String::new(),
                    svg,
                    caption,
                };
                self.page(&[
                    figure("generations", "Fitness over generations", curves(Over::Generations)?),
                    figure("steps", "Fitness over environment steps", curves(Over::Steps)?),
                ])
            }
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| Error::io("create", folder, source))?;
        }
        durable::replace(path, text.as_bytes())
    }

    fn curves(&self) -> Vec<trajectories::Group> {
        let of = |run: &Run| Trajectory { rows: run.rows.clone(), steps: run.steps };
        let group = |group: &Group| trajectories::Group {
            label: group.name.clone(),
            runs: group.runs.iter().map(of).collect(),
        };
        self.groups.iter().map(group).collect()
    }

    fn page(&self, figures: &[Figure]) -> String {
        let runs: usize = self.groups.iter().map(|group| group.runs.len()).sum();
        let title = format!("Comparison of {runs} runs");
        let mut body = format!("<h1>{title}</h1>\n<p class=\"subtitle\">{}</p>\n", html::escape(&self.subtitle));
        body += &format!("<section>\n<h2>Best centres on fresh episodes</h2>\n{}", self.table());
        body += &format!(
            "<p>{} fresh episodes (seed {}), the same for all runs and seen by none. Of several runs: mean over runs, with \
             Student's t for its interval.</p>\n</section>\n",
            count(self.episodes as u64),
            self.seed
        );
        if !self.pairs.is_empty() {
            body += &format!(
                "<section>\n<h2>Do they differ?</h2>\n{}<p>{}</p>\n</section>\n",
                self.tests(),
                html::escape(&self.tested())
            );
        }
        body.extend(figures.iter().map(html::figure));
        body +=
            &format!("<footer>Drawn by phylon {} from the run folders alone.</footer>\n", env!("CARGO_PKG_VERSION"));
        html::document(&title, &body)
    }

    fn table(&self) -> String {
        let mut head = vec!["runs"];
        head.extend(self.keys.iter().map(String::as_str));
        head.extend(["seeds", "generations", "fitness", "95 % CI of mean", "sd"]);
        let between = |(low, high): (f64, f64)| format!("{} to {}", measured(low), measured(high));
        let row = |group: &Group| {
            let Evaluation { mean, ci95, sd, .. } = group.fitness;
            let of = if group.runs.len() > 1 { "of runs" } else { "of episodes" };
            let mut cells = vec![group.name.clone()];
            cells.extend(group.values.iter().map(|value| value.clone().unwrap_or_else(|| "\u{2013}".into())));
            let list = |of: &dyn Fn(&Run) -> String| group.runs.iter().map(of).collect::<Vec<_>>().join(", ");
            let lengths: BTreeSet<usize> = group.runs.iter().map(|run| run.rows.len()).collect();
            let lengths: Vec<String> = lengths.into_iter().map(|length| count(length as u64)).collect();
            cells.extend([list(&|run| run.seed.to_string()), lengths.join(", ")]);
            cells.extend([measured(mean), between(ci95), format!("{} {of}", measured(sd))]);
            cells
        };
        html::table(&head, &self.groups.iter().map(row).collect::<Vec<_>>())
    }

    fn tests(&self) -> String {
        let row = |pair: &Pair| {
            let (test, corrected) = (pair.comparison.test, pair.comparison.corrected_p);
            let over = match pair.over {
                Values::Runs => "runs".into(),
                Values::Episodes => "episodes".into(),
            };
            let groups = format!("{} > {}", pair.first, pair.second);
            vec![groups, test.to_string(), format!("{} {}", probability(corrected), pair.stars), over]
        };
        let head = ["", "how often, p", "p corrected", "over"];
        html::table(&head, &self.pairs.iter().map(row).collect::<Vec<_>>())
    }

    /// What the tests are and what they say.
    pub fn tested(&self) -> String {
        let mut text = format!(
            "Two-sided Mann-Whitney tests by the normal approximation, p corrected for {} (Bonferroni). How often: the share \
             of all pairs of values in which the first is larger, equal ones counted half.",
            if self.pairs.len() == 1 { "one pair".into() } else { format!("{} pairs", self.pairs.len()) }
        );
        let any = |over| self.pairs.iter().any(|pair| pair.over == over);
        if any(Values::Runs) {
            text += " Over runs: the mean fitness of each run is a value, so a test speaks of the settings. With three runs \
                      each no p is below 0.08.";
        }
        if any(Values::Episodes) {
            text += " Over episodes: every fresh episode is a value, so a test speaks of these evolved parameters, not of the \
                      settings that led to them; for that there must be three seeds or more of each.";
        }
        text
    }
}

impl Read {
    fn open(path: &Path) -> Result<Self> {
        let folder = Folder::open(path)?;
        let plan = match config::read(&folder.config_path(), &[])? {
            config::Subject::Evolution(plan) => *plan,
            config::Subject::Column(_) => {
                return Err(Error::Config(format!(
                    "cannot compare {}: it is a search of a column, which has no episodes to be judged on; try: phylon report",
                    path.display()
                )));
            }
        };
        let table: Table = config::to_toml(&plan.config).parse().unwrap_or_default();
        let mut settings = difference::flat(&table);
        NO_SETTING.into_iter().for_each(|key| drop(settings.remove(key)));
        Ok(Self { path: path.to_owned(), plan, settings })
    }
}

/// Where runs have different kinds of unit, the kind is a key of its own, and keys of units do not name it: what differs is then
/// that, and not every key of the one and every key of the other.
fn name_kinds(runs: &mut [Read]) {
    let kinds: BTreeSet<&str> = runs.iter().map(|run| run.plan.unit.kind.name()).collect();
    if kinds.len() < 2 {
        return;
    }
    for run in runs {
        let kind = run.plan.unit.kind.name();
        let table = format!("unit.{kind}.");
        let renamed =
            std::mem::take(&mut run.settings).into_iter().map(|(key, value)| match key.strip_prefix(&table) {
                Some(rest) => (format!("unit.{rest}"), value),
                None => (key, value),
            });
        run.settings = renamed.chain([("unit".into(), Value::String(kind.into()))]).collect();
    }
}

/// What of a task decides fresh episodes and how they are scored: not how many a generation has, and nothing that holds for
/// episodes of evolution only.
fn fresh(task: &Task) -> Task {
    let mut task = task.clone();
    match &mut task {
        Task::Iaf(iaf) => (iaf.environments, iaf.shared, iaf.shared_decay) = (1, 0.0, 1.0),
        Task::Stdp(stdp) | Task::StdpComplex(stdp) => stdp.environments = 1,
        Task::TMaze(maze) | Task::DoubleTMaze(maze) => {
            (maze.environments, maze.dark) = (1, 0.0);
            (maze.poison_reward, maze.poison_decay) = (-1.0, 1.0);
        }
        Task::Assay(assays) => (assays.lives, assays.noise) = (1, 0.0),
    }
    task
}

fn check_tasks(runs: &[Read]) -> Result<()> {
    let Some((first, others)) = runs.split_first() else { return Ok(()) };
    let task = |run: &Read| fresh(&run.plan.config.task);
    let Some(other) = others.iter().find(|other| task(other) != task(first)) else { return Ok(()) };
    let table = |run: &Read| Table::try_from(task(run)).unwrap_or_default();
    let keys = difference::between(&table(first), &table(other), |_| true);
    let (here, there) = (first.path.display(), other.path.display());
    let why: Vec<String> = keys.into_iter().map(|key| format!("task.{key}")).collect();
    let why = why.join(", ");
    Err(Error::Config(format!(
        "cannot compare {here} and {there}: their tasks differ, so there are no episodes to judge both on: {why}"
    )))
}

fn check_seeds(group: &[Read]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for run in group {
        if let Some(other) = seen.insert(run.plan.config.run.seed, &run.path) {
            let (here, there) = (other.display(), run.path.display());
            return Err(Error::Config(format!(
                "{here} and {there} are the same run: config and seed are equal; keep one"
            )));
        }
    }
    Ok(())
}

/// Keys that groups disagree on.
fn differing(groups: &[Vec<Read>]) -> Vec<String> {
    let settings = || groups.iter().map(|group| &group[0].settings);
    let all: BTreeSet<&String> = settings().flat_map(BTreeMap::keys).collect();
    let first = &groups[0][0].settings;
    all.into_iter().filter(|key| settings().any(|other| other.get(*key) != first.get(*key))).cloned().collect()
}

impl Group {
    fn new(runs: Vec<Read>, keys: &[String], (episodes, seed): (usize, u64)) -> Result<Self> {
        let settings = runs[0].settings.clone();
        let values: Vec<Option<String>> = keys.iter().map(|key| settings.get(key).map(shown)).collect();
        let runs = runs.into_iter().map(|run| Run::new(run, (episodes, seed))).collect::<Result<Vec<_>>>()?;
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let set =
            keys.iter().zip(&values).filter_map(|(key, value)| Some(format!("{} {}", last(key), value.as_ref()?)));
        let set: Vec<String> = set.collect();
        let name = match &runs[..] {
            [run] => run.path.file_name().unwrap_or(run.path.as_os_str()).to_string_lossy().into_owned(),
            runs if set.is_empty() => format!("{} seeds", runs.len()),
            _ => set.join(", "),
        };
        let fitness = match &runs[..] {
            [run] => run.fitness,
            runs => Evaluation::of(&runs.iter().map(|run| run.fitness.mean).collect::<Vec<_>>()),
        };
        Ok(Self { name, values, runs, fitness })
    }

    /// Finite values to be tested.
    fn values(&self, over: Values) -> Vec<f64> {
        let all: Vec<f64> = match over {
            Values::Runs => self.runs.iter().map(|run| run.fitness.mean).collect(),
            Values::Episodes => self.runs.iter().flat_map(|run| run.each.iter().copied()).collect(),
        };
        all.into_iter().filter(|value| value.is_finite()).collect()
    }
}

impl Run {
    fn new(Read { path, plan, .. }: Read, (episodes, seed): (usize, u64)) -> Result<Self> {
        let folder = Folder::open(&path)?;
        let (rows, state) = (folder.metrics()?, folder.checkpoint(&plan)?);
        let (generation, parameters) =
            state.best.map_or((state.generation, state.centre), |best| (best.generation, best.parameters));
        let each = workload::fresh_fitness(&plan, &parameters, episodes, seed);
        let (fitness, each) = (Evaluation::of(&each), each.into_iter().map(f64::from).collect());
        let steps = plan.facts().env_steps as f64;
        Ok(Self { path, seed: plan.config.run.seed, generation, fitness, each, rows, steps })
    }
}

/// As people read it.
pub fn probability(p: f64) -> String {
    match p {
        _ if p.is_nan() => "-".into(),
        _ if p < 1e-290 => "< 1e-290".into(),
        _ if p < 0.001 => format!("{p:.1e}"),
        _ => format!("{p:.3}"),
    }
}

fn pairs(groups: &[Group]) -> Vec<Pair> {
    let number = groups.len() * groups.len().saturating_sub(1) / 2;
    let mut pairs = Vec::with_capacity(number);
    for (i, first) in groups.iter().enumerate() {
        for second in &groups[i + 1..] {
            let enough = first.runs.len() >= ENOUGH && second.runs.len() >= ENOUGH;
            let over = if enough { Values::Runs } else { Values::Episodes };
            let comparison = evaluation::Comparison::among(&first.values(over), &second.values(over), number as f64);
            let (names, stars) = ([first, second].map(|group| group.name.clone()), comparison.stars());
            let [first, second] = names;
            pairs.push(Pair { first, second, over, comparison, stars });
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seed: u64, mean: f64, each: &[f64]) -> Run {
        let fitness = Evaluation { mean, ..Evaluation::of(each) };
        let path = format!("runs/{seed}").into();
        Run { path, seed, generation: 1, fitness, each: each.to_vec(), rows: Vec::new(), steps: 1.0 }
    }

    fn group(name: &str, means: &[f64]) -> Group {
        let runs: Vec<Run> = (1..).zip(means).map(|(seed, &mean)| run(seed, mean, &[mean, mean + 1.0])).collect();
        let fitness = Evaluation::of(means);
        Group { name: name.into(), values: vec![None], runs, fitness }
    }

    #[test]
    fn three_runs_each_are_compared_as_runs_and_fewer_by_their_episodes() {
        let groups = [group("a", &[1.0, 2.0, 3.0]), group("b", &[4.0, 5.0, 6.0]), group("c", &[1.0, f64::NAN])];
        let pairs = pairs(&groups);
        let over: Vec<_> = pairs.iter().map(|pair| (pair.first.as_str(), pair.second.as_str(), pair.over)).collect();
        assert_eq!(over, [("a", "b", Values::Runs), ("a", "c", Values::Episodes), ("b", "c", Values::Episodes)]);
        let evaluation::Comparison { test, corrected_p } = pairs[0].comparison;
        // U = 0 of 9: z = 4 / sqrt(5.25), by the tables p = 0.0809.
        assert!(test.larger == 0.0 && (test.p - 0.0809).abs() < 1e-4, "{test:?}");
        assert_eq!(corrected_p, 3.0 * test.p);
        // Six episodes against two finite ones.
        assert_eq!(pairs[1].comparison.test.larger, (0.5 + 0.5 + 4.0 + 4.5) / 12.0 + 0.0 * test.p);
    }

    #[test]
    fn tasks_are_the_same_where_their_fresh_episodes_are() {
        let task = |text: &str| toml::from_str::<Task>(text).unwrap();
        let same = [
            ("[iaf]", "[iaf]\nenvironments = 7\nshared = 0.5\nshared_decay = 0.9"),
            ("[stdp]", "[stdp]\nenvironments = 3"),
            ("[t_maze]", "[t_maze]\nenvironments = 3\ndark = 0.5\npoison_reward = -0.2\npoison_decay = 0.9"),
        ];
        for (a, b) in same {
            assert_eq!(fresh(&task(a)), fresh(&task(b)));
        }
        for (a, b) in
            [("[iaf]", "[iaf]\nsteps = 50"), ("[stdp]", "[stdp_complex]"), ("[t_maze]", "[t_maze]\npoisons = 0")]
        {
            assert_ne!(fresh(&task(a)), fresh(&task(b)));
        }
    }
}

//! `report.html`: one self-contained page with what a run did, drawn from its folder alone.
//!
//! A report must come out of any run folder, also of a run that has just begun or went wrong: what is missing becomes
//! a note on the page. Figures are in `curves` (fitness over generations), `evaluation` (fresh episodes), `iaf`, `stdp`
//! and `maze` (what was learned), `life` (an agent in a maze); their common look is in `plot` and `axis`. The films of
//! `phylon render` are in `film` (a life in a maze) and `gif` (an episode of a world); `scores` compares groups of agents; `column`
//! shows what a cortical column does. `sweep` is the report of a sweep and `compare` holds runs against each other, both with
//! the curves of `trajectories`.

mod axis;
pub mod battery;
mod behaviour;
pub mod column;
pub mod compare;
pub mod connectome;
mod curves;
mod evaluation;
pub mod film;
pub mod gif;
mod heat_map;
mod html;
mod iaf;
mod life;
mod maze;
mod plot;
pub mod scores;
mod statistics;
mod stdp;
mod summary;
mod svg;
pub mod sweep;
mod trajectories;

use std::path::PathBuf;

use crate::config::{self, Subject as Configured, Task};
use crate::engine::State;
use crate::error::Result;
use crate::plan::Plan;
use crate::run::{Folder, Metrics, durable};
use crate::workload;
use crate::workload::maze::MazePlay;
use crate::workload::single_unit::SingleUnit;
use evaluation::Evaluated;
use html::count;

pub use behaviour::{Behaviour, FirstChoice, GROUPS, MazeEvaluation, References, evaluate_maze};
pub use statistics::{Evaluation, MannWhitney, Sample, Share, Welch, percentile};

/// Fresh episodes of the evaluation.
const EPISODES: usize = 1000;
/// Seed of the fresh episodes: the same in all reports, so that those of one task compare.
const SEED: u64 = 1;

/// Environment steps that one figure may simulate and hold: a report must not need more memory than its run did.
const STEPS: usize = 5_000_000;

/// Up to `wanted` episodes of `steps` steps each, at least one.
fn affordable(wanted: usize, steps: usize) -> usize {
    wanted.min(STEPS / steps.max(1)).max(1)
}

/// The unit that figures show.
#[derive(Debug, Clone, Copy)]
struct Subject<'a> {
    parameters: &'a [f32],
    /// A sentence for captions: whose parameters these are.
    described: &'a str,
    /// Of the fresh episodes.
    seed: u64,
}

/// Fresh episodes that are enough to judge parameters: in a maze they are long.
pub fn default_episodes(plan: &Plan) -> usize {
    match plan.config.task {
        Task::TMaze(_) | Task::DoubleTMaze(_) | Task::Assay(_) => 1_000,
        _ => 10_000,
    }
}

/// Fitness of `parameters` over `episodes` fresh episodes drawn from `seed`, which no generation of the run used.
pub fn evaluate(plan: &Plan, parameters: &[f32], episodes: usize, seed: u64) -> Evaluation {
    Evaluation::of(&workload::fresh_fitness(plan, parameters, episodes, seed))
}

/// Draw `report.html` of a run folder, replacing an older one, and return its path.
///
/// # Errors
/// When the folder's config cannot be read or the page cannot be written. Missing or damaged metrics and checkpoints
/// are no errors but notes on the page.
pub fn write(folder: &Folder) -> Result<PathBuf> {
    let plan = match config::read(&folder.config_path(), &[])? {
        Configured::Evolution(plan) => *plan,
        Configured::Column(column) => return column::search::write(folder, &column),
    };
    let mut notes = Vec::new();
    let rows = folder.metrics().unwrap_or_else(|error| {
        notes.push(format!("No fitness curve: {error}"));
        Vec::new()
    });
    let state = folder.checkpoint(&plan).map_err(|error| notes.push(format!("No figures of the unit: {error}"))).ok();
    let page = Page { plan: &plan, rows: &rows, state: state.as_ref(), notes }.html()?;
    let path = folder.report_path();
    durable::replace(&path, page.as_bytes())?;
    Ok(path)
}

/// All that a report is made of.
struct Page<'a> {
    plan: &'a Plan,
    rows: &'a [Metrics],
    state: Option<&'a State>,
    notes: Vec<String>,
}

impl Page<'_> {
    fn html(&self) -> Result<String> {
        let config = &self.plan.config;
        let mut body = format!("<h1>{}</h1>\n", html::escape(&config.run.name));
        body += &format!("<p class=\"subtitle\">{}</p>\n", html::escape(&summary::subtitle(config)));
        body += &html::facts(&summary::rows(self.plan, self.rows, self.state));
        for note in &self.notes {
            body += &html::note(note);
        }
        if self.rows.is_empty() {
            body += &html::note("No generation has been recorded yet.");
        } else {
            body += &html::figure(&curves::fitness(&config.task, self.rows)?);
        }
        if let Some(state) = self.state {
            body += &self.unit(state)?;
        }
        let toml = html::escape(&config::to_toml(config));
        body += &format!(
            "<section>\n<details>\n<summary>Effective config</summary>\n<pre>{toml}</pre>\n</details>\n</section>\n"
        );
        body += &format!("<footer>Drawn by phylon {} from the run folder alone.</footer>\n", env!("CARGO_PKG_VERSION"));
        Ok(html::document(&format!("{} \u{2013} phylon report", config.run.name), &body))
    }

    /// The fresh-episode evaluation and the figures of what the unit does.
    fn unit(&self, state: &State) -> Result<String> {
        let named = parameters(state);
        let fresh = |parameters: &[f32]| {
            workload::fresh_fitness(self.plan, parameters, affordable(EPISODES, self.plan.steps), SEED)
        };
        let all: Vec<_> = named
            .iter()
            .map(|(name, parameters)| Evaluated { name: name.clone(), fitness: fresh(parameters) })
            .collect();
        let mut out = String::new();
        if let Some((name, parameters)) = named.first() {
            out += &html::figure(&evaluation::figure(&all, SEED)?);
            let described = format!("Parameters: {name}.");
            let subject = Subject { parameters, described: &described, seed: SEED };
            let figures = match &self.plan.config.task {
                Task::Iaf(_) | Task::Stdp(_) | Task::StdpComplex(_) => {
                    let unit = SingleUnit::new(self.plan);
                    let iaf = unit.iaf().map(|task| iaf::figures(task, &unit, &subject)).transpose()?;
                    let stdp = unit.stdp().map(|task| stdp::figures(task, &unit, &subject)).transpose()?;
                    iaf.or(stdp).unwrap_or_default()
                }
                Task::TMaze(_) | Task::DoubleTMaze(_) => {
                    let mut figures = maze::figures(self.plan, &subject)?;
                    figures.push(life::figure(&MazePlay::new(self.plan), &subject));
                    figures
                }
                // `phylon battery` judges what it does.
                Task::Assay(_) => Vec::new(),
            };
            out.extend(figures.iter().map(html::figure));
        }
        Ok(out)
    }
}

/// The parameters worth evaluating with their names, the ones that figures show first.
fn parameters(state: &State) -> Vec<(String, &[f32])> {
    let best = state.best.as_ref().map(|best| {
        let generation = count(best.generation.into());
        (format!("best centre (after {generation} generations)"), best.parameters.as_slice())
    });
    let last = (format!("last centre (after {} generations)", count(state.generation.into())), state.centre.as_slice());
    best.into_iter().chain([last]).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Config, Task};
    use crate::engine::Best;
    use crate::workload::maze::Probe;

    fn plan(task: &str) -> Plan {
        let (inputs, outputs) = match task {
            "t_maze" | "double_t_maze" => (6, 6),
            "assay" => (8, 3),
            _ => (4, 1),
        };
        let text = format!(
            "format = 1
            [run]
            name = 'a-run'
            generations = 3
            [unit.enu]
            inputs = {inputs}
            memory = 4
            outputs = {outputs}
            [task.{task}]
            [es]
            population = 4"
        );
        let config: Config = toml::from_str(&text).unwrap();
        Plan::new(config).unwrap()
    }

    fn rows(fitness: &[f32]) -> Vec<Metrics> {
        let row = |(g, &mean): (usize, &f32)| Metrics {
            generation: g as u32,
            best: mean / 2.0,
            mean,
            std: mean.abs() / 10.0,
            centre: mean,
            env_steps_per_s: 1e6,
            seconds: g as f64,
        };
        fitness.iter().enumerate().map(row).collect()
    }

    fn state(plan: &Plan, weight: f32) -> State {
        let parameters: Vec<f32> = (0..plan.parameters()).map(|i| weight * (i as f32).sin()).collect();
        let best = Best { generation: 1, fitness: -50.0, parameters: parameters.clone() };
        State { generation: 3, centre: parameters, optimiser: Vec::new(), best: Some(best) }
    }

    fn html(plan: &Plan, rows: &[Metrics], state: Option<&State>) -> String {
        Page { plan, rows, state, notes: Vec::new() }.html().unwrap()
    }

    /// Every element is closed in order, and no value that is not a number got into a drawing.
    fn assert_sound(page: &str) {
        let mut open = Vec::new();
        for tag in page.split('<').skip(1) {
            let (tag, text) = tag.split_once('>').expect("a tag ends");
            assert!(!text.contains('>'), "stray > after {tag}");
            let name = tag.split_whitespace().next().unwrap_or_default();
            if let Some(closed) = name.strip_prefix('/') {
                assert_eq!(open.pop(), Some(closed), "{tag}");
            } else if !tag.ends_with('/') && !name.starts_with('!') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "never closed: {open:?}");
        assert!(!page.contains("NaN") && !page.contains("\"inf"), "a coordinate is not finite");
        assert!(!page.contains("<script") && !page.contains("<link") && !page.contains(" src="), "self-contained");
    }

    #[test]
    fn every_task_has_its_figures() {
        let cases = [
            ("iaf", vec!["fitness", "evaluation", "episode", "rates"]),
            ("stdp", vec!["fitness", "evaluation", "window", "episode"]),
            ("stdp_complex", vec!["fitness", "evaluation", "window", "episode"]),
            ("t_maze", vec!["fitness", "evaluation", "choice", "reversal", "earnings", "probes", "life"]),
            ("double_t_maze", vec!["fitness", "evaluation", "choice", "reversal", "earnings", "probes", "life"]),
            ("assay", vec!["fitness", "evaluation"]),
        ];
        for (task, figures) in cases {
            let plan = plan(task);
            let page = html(&plan, &rows(&[-900.0, -500.0, -100.0]), Some(&state(&plan, 1.0)));
            assert_sound(&page);
            let found: Vec<&str> =
                page.split("<figure id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            assert_eq!(found, figures, "{task}");
            assert_eq!(page.matches("<svg ").count(), figures.len());
            assert!(page.contains("a-run") && page.contains("population = 4"));
        }
    }

    #[test]
    fn young_and_broken_runs_still_have_a_report() {
        let plan = plan("iaf");
        let nan = f32::NAN;
        for fitness in [vec![], vec![-700.0], vec![nan], vec![nan, -600.0, f32::NEG_INFINITY], vec![0.0, 0.0]] {
            assert_sound(&html(&plan, &rows(&fitness), None));
        }
        assert!(html(&plan, &[], None).contains("No generation has been recorded yet"));
    }

    #[test]
    fn long_episodes_are_drawn_with_fewer_of_them() {
        assert_eq!((affordable(1000, 100), affordable(1000, 100_000), affordable(1000, usize::MAX)), (1000, 50, 1));
        let mut plan = plan("iaf");
        let Task::Iaf(task) = &mut plan.config.task else { unreachable!() };
        (task.steps, task.environments) = (1_000, 1);
        let plan = Plan::new(plan.config).unwrap();
        let unit = SingleUnit::new(&plan);
        let parameters = state(&plan, 1.0).centre;
        let subject = Subject { parameters: &parameters, described: "Of a test.", seed: 1 };
        let figures = iaf::figures(unit.iaf().unwrap(), &unit, &subject).unwrap();
        assert!(figures[0].caption.starts_with("The beginning of one fresh episode"));
    }

    #[test]
    fn a_unit_with_broken_parameters_has_a_report() {
        for task in ["iaf", "stdp", "t_maze"] {
            let plan = plan(task);
            let page = html(&plan, &rows(&[-5.0]), Some(&state(&plan, f32::NAN)));
            assert_sound(&page);
        }
    }

    #[test]
    fn evaluation_is_reproducible_and_depends_on_the_seed() {
        let plan = plan("stdp");
        let parameters = state(&plan, 1.0).centre;
        let first = evaluate(&plan, &parameters, 50, 1);
        assert_eq!(first, evaluate(&plan, &parameters, 50, 1));
        assert_ne!(first.mean, evaluate(&plan, &parameters, 50, 2).mean);
        assert!(first.episodes == 50 && first.ci95.0 < first.mean && first.mean < first.ci95.1);
        assert!(first.min <= first.p5 && first.p5 <= first.median && first.median <= first.p95);
    }

    #[test]
    fn a_maze_is_evaluated_beside_players_and_says_what_shows_learning() {
        let plan = plan("t_maze");
        let parameters = state(&plan, 1.0).centre;
        let evaluated = evaluate_maze(&plan, &parameters, 200, 5, Probe::default());
        assert_eq!(evaluated.agent.fitness, evaluate(&plan, &parameters, 200, 5));
        let References { reflex, win_stay_lose_shift } = evaluated.references;
        // A reflex eats more than a player that learns, and learns nothing.
        assert!(reflex.poison == 0.0 && reflex.fitness.mean > win_stay_lose_shift.fitness.mean);
        let [never, once, ..] = reflex.first_choice.outcomes_met;
        assert!(never == once && never.ci95.0 < 0.5 && 0.5 < never.ci95.1 && never.lives == 200, "{never:?}");
        assert_eq!(reflex.first_choice.one_against_none.p, 1.0);
        let shift = win_stay_lose_shift.first_choice;
        assert!(shift.outcomes_met[0] == never && shift.outcomes_met[1].share == 1.0);
        assert!(shift.one_against_none.p < 1e-20 && shift.one_against_none.larger > 0.7, "{shift:?}");
        assert_eq!(shift.trials_since_move.map(|share| share.share), [0.0, 1.0, 1.0, 1.0]);
        assert!(win_stay_lose_shift.food_against_poison.p < 1e-20);

        let page = html(&plan, &rows(&[0.5]), Some(&state(&plan, 1.0)));
        assert!(page.contains("How much an agent eats does not show whether it learns"));
        for name in ["reflex", "win-stay lose-shift", "evolved agent in the dark", "frozen synapses", "no noise"] {
            assert!(page.contains(&format!("<th scope=\"row\">{name}</th>")), "{name}");
        }
    }

    #[test]
    fn silence_costs_what_it_should_on_fresh_episodes() {
        let plan = plan("stdp");
        let silence = evaluate(&plan, &vec![0.0; plan.parameters()], 2000, 3);
        assert!((silence.mean - -25.2).abs() < 0.5, "{}", silence.mean);
    }

    #[test]
    fn a_folder_without_a_checkpoint_gets_its_page_and_a_note() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &plan("iaf"), false).unwrap();
        let path = write(&folder).unwrap();
        let page = fs::read_to_string(&path).unwrap();
        assert_sound(&page);
        assert!(page.contains("No fitness curve: ") && page.contains("No figures of the unit: "));

        let metrics = "generation,best,mean,std,centre,env_steps_per_s,seconds\n0,-1,-2,0.5,-1.5,1000,0.25\n";
        fs::write(folder.path().join("metrics.csv"), metrics).unwrap();
        assert_eq!(write(&folder).unwrap(), path);
        assert!(fs::read_to_string(&path).unwrap().contains("<figure id=\"fitness\">"));
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
    }
}

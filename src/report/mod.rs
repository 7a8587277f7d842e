//! `report.html`: one self-contained page with what a run did, drawn from its folder alone.
//!
//! A report must come out of any run folder, also of a run that has just begun or went wrong: what is missing becomes
//! a note on the page. Figures are in [`curves`] (fitness over generations), [`evaluation`] (fresh episodes), [`iaf`]
//! and [`stdp`] (what the unit learned); their common look is in [`plot`] and [`axis`].

mod axis;
mod curves;
mod evaluation;
mod html;
mod iaf;
mod plot;
mod statistics;
mod stdp;
mod summary;

use std::path::PathBuf;

use crate::config::{self, Task};
use crate::engine::State;
use crate::error::Result;
use crate::plan::Plan;
use crate::run::{Folder, Metrics, durable};
use crate::workload::SingleUnit;
use evaluation::Evaluated;
use html::count;
pub use statistics::Evaluation;

/// Fresh episodes of the evaluation.
const EPISODES: usize = 1000;
/// Seed of the fresh episodes: the same in all reports, so that those of one task compare.
const SEED: u64 = 1;

/// The unit that figures show.
#[derive(Debug, Clone, Copy)]
struct Subject<'a> {
    parameters: &'a [f32],
    /// A sentence for captions: whose parameters these are.
    described: &'a str,
    /// Of the fresh episodes.
    seed: u64,
}

/// Fitness of `parameters` over `episodes` fresh episodes drawn from `seed`, which no generation of the run used.
pub fn evaluate(plan: &Plan, parameters: &[f32], episodes: usize, seed: u64) -> Evaluation {
    let unit = SingleUnit::new(plan);
    Evaluation::of(&unit.fitness(parameters, &unit.fresh_episodes(episodes, seed)))
}

/// Draw `report.html` of a run folder, replacing an older one, and return its path.
///
/// # Errors
/// When the folder's config cannot be read or the page cannot be written. Missing or damaged metrics and checkpoints
/// are no errors but notes on the page.
pub fn write(folder: &Folder) -> Result<PathBuf> {
    let plan = config::load(&folder.config_path(), &[])?;
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
        body += &format!("<section>\n<details>\n<summary>Effective config</summary>\n<pre>{toml}</pre>\n</details>\n</section>\n");
        body += &format!("<footer>Drawn by phylon {} from the run folder alone.</footer>\n", env!("CARGO_PKG_VERSION"));
        Ok(html::document(&format!("{} \u{2013} phylon report", config.run.name), &body))
    }

    /// The fresh-episode evaluation and the figures of what the unit does.
    fn unit(&self, state: &State) -> Result<String> {
        let unit = SingleUnit::new(self.plan);
        let fresh = unit.fresh_episodes(EPISODES, SEED);
        let named = parameters(state);
        let all: Vec<_> = named
            .iter()
            .map(|(name, parameters)| Evaluated { name: name.clone(), fitness: unit.fitness(parameters, &fresh) })
            .collect();
        let mut out = format!("<section id=\"evaluation\">\n{}</section>\n", evaluation::table(&all));
        if let (Some((name, parameters)), Some(evaluated)) = (named.first(), all.first()) {
            out += &html::figure(&evaluation::histogram(evaluated, SEED)?);
            let described = format!("Parameters: {name}.");
            let subject = Subject { parameters, described: &described, seed: SEED };
            let figures = match (&self.plan.config.task, unit.stdp()) {
                (Task::Iaf(task), _) => iaf::figures(task, &unit, &subject)?,
                (Task::Stdp(stdp) | Task::StdpComplex(stdp), Some(task)) => stdp::figures(stdp, task, &unit, &subject)?,
                (Task::Stdp(_) | Task::StdpComplex(_), None) => Vec::new(),
            };
            for figure in &figures {
                out += &html::figure(figure);
            }
        }
        Ok(out)
    }
}

/// The parameters worth evaluating with their names, the ones that figures show first.
fn parameters(state: &State) -> Vec<(String, &[f32])> {
    let best = state.best.as_ref().map(|best| {
        let generation = count(best.generation.into());
        (format!("best centre (generation {generation})"), best.parameters.as_slice())
    });
    let last = (format!("last centre (after {} generations)", count(state.generation.into())), state.centre.as_slice());
    best.into_iter().chain([last]).collect()
}

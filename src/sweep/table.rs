//! The tables of a sweep: `sweep.csv`, a row a run, and `summary.csv`, a row a cell.

use serde::Serialize;

use super::axes::{Cell, shown};
use super::folder::Folder;
use super::outcome::{Centre, Outcome};
use crate::error::{Error, Result};
use crate::report::Evaluation;

/// A run, finished or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Number of its cell.
    pub cell: usize,
    /// Its seed.
    pub seed: u64,
    /// Of its folder.
    pub name: String,
    /// What came of it.
    pub outcome: Option<Outcome>,
}

/// A cell: over its runs that came to their end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its number.
    pub cell: usize,
    /// A value for each key.
    pub values: Vec<String>,
    /// Runs that it has when all are finished.
    pub runs: usize,
    /// Runs that came to their end.
    pub done: usize,
    /// Runs that could not go on.
    pub failed: usize,
    /// Of each run's best centre the mean fitness on fresh episodes; statistics over runs.
    pub best: Evaluation,
    /// The same of the last centres.
    pub last: Evaluation,
    /// Of a run, on average.
    pub seconds: f64,
    /// Of a run's generation, on average.
    pub seconds_a_generation: f64,
}

/// One for each cell; the rows are those of all cells in their order.
pub fn summaries(cells: &[Cell], rows: &[Row]) -> Vec<Summary> {
    let each = rows.chunk_by(|a, b| a.cell == b.cell);
    cells.iter().zip(each).map(|(cell, rows)| Summary::new(cell, rows)).collect()
}

impl Summary {
    fn new(cell: &Cell, rows: &[Row]) -> Self {
        let outcomes = || rows.iter().filter_map(|row| row.outcome.as_ref());
        let done: Vec<&Outcome> = outcomes().filter(|outcome| outcome.failed.is_none()).collect();
        let over = |of: &dyn Fn(&Outcome) -> Option<Centre>| {
            Evaluation::of(&done.iter().filter_map(|outcome| Some(of(outcome)?.mean)).collect::<Vec<_>>())
        };
        let mean = |of: &dyn Fn(&Outcome) -> f64| Evaluation::of(&done.iter().map(|o| of(o)).collect::<Vec<_>>()).mean;
        Self {
            cell: cell.number,
            values: cell.values.iter().map(shown).collect(),
            runs: rows.len(),
            done: done.len(),
            failed: outcomes().count() - done.len(),
            best: over(&|outcome| outcome.best),
            last: over(&|outcome| outcome.last),
            seconds: mean(&|outcome| outcome.seconds),
            seconds_a_generation: mean(&|outcome| outcome.seconds / f64::from(outcome.generations.max(1))),
        }
    }
}

/// `sweep.csv`: every finished run.
pub(super) fn of_runs(folder: &Folder, rows: &[Row]) -> Result<Vec<u8>> {
    let mut table = Table::new(&["cell"], &folder.spec().keys(), &["seed", "state", "generations", "parameters"]);
    for centre in ["best", "last"] {
        table.head.extend(["generation", "mean", "sd", "ci95_low", "ci95_high"].map(|name| format!("{centre}_{name}")));
    }
    let tail = ["env_steps", "seconds", "env_steps_per_s", "side_by_side", "run", "message"];
    table.head.extend(tail.map(str::to_owned));
    for (row, cell) in rows.iter().zip(folder.cells().iter().flat_map(|cell| folder.seeds().map(move |_| cell))) {
        let Some(outcome) = &row.outcome else { continue };
        let state = if outcome.failed.is_none() { "done" } else { "failed" };
        let mut cells = vec![row.cell.to_string()];
        cells.extend(cell.values.iter().map(shown));
        cells.extend([row.seed.to_string(), state.to_owned()]);
        cells.extend([outcome.generations.to_string(), outcome.parameters.to_string()]);
        for centre in [outcome.best, outcome.last] {
            cells.extend(centre.map_or_else(Default::default, |Centre { generation, mean, sd, ci95, .. }| {
                [generation.to_string(), mean.to_string(), sd.to_string(), ci95.0.to_string(), ci95.1.to_string()]
            }));
        }
        let speed = (outcome.env_steps as f64 / outcome.seconds).round();
        let speed = if speed.is_finite() { speed.to_string() } else { String::new() };
        cells.extend([outcome.env_steps.to_string(), outcome.seconds.to_string(), speed]);
        cells.extend([outcome.side_by_side.to_string(), row.name.clone()]);
        cells.push(outcome.failed.clone().unwrap_or_default());
        table.rows.push(cells);
    }
    table.csv()
}

/// `summary.csv`: every cell.
pub(super) fn of_cells(keys: &[&str], summaries: &[Summary]) -> Result<Vec<u8>> {
    let mut table = Table::new(&["cell"], keys, &["runs", "done", "failed"]);
    for centre in ["best", "last"] {
        table.head.extend(["mean", "sd", "ci95_low", "ci95_high", "min", "max"].map(|name| format!("{centre}_{name}")));
    }
    table.head.extend(["seconds", "seconds_per_generation"].map(str::to_owned));
    for summary in summaries {
        let mut cells = vec![summary.cell.to_string()];
        cells.extend(summary.values.iter().cloned());
        cells.extend([summary.runs, summary.done, summary.failed].map(|number| number.to_string()));
        for Evaluation { mean, sd, ci95, min, max, .. } in [summary.best, summary.last] {
            cells.extend([mean, sd, ci95.0, ci95.1, min, max].map(|number| number.to_string()));
        }
        cells.extend([summary.seconds, summary.seconds_a_generation].map(|number| number.to_string()));
        table.rows.push(cells);
    }
    table.csv()
}

struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(first: &[&str], keys: &[&str], then: &[&str]) -> Self {
        let head = [first, keys, then].concat().into_iter().map(str::to_owned).collect();
        Self { head, rows: Vec::new() }
    }

    fn csv(self) -> Result<Vec<u8>> {
        let failed = |error: &dyn std::fmt::Display| Error::Run(format!("cannot write a table: {error}"));
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.head).chain(&self.rows) {
            writer.write_record(row).map_err(|error| failed(&error))?;
        }
        writer.into_inner().map_err(|error| failed(&error))
    }
}

/// The cells for a terminal: values, runs, fitness of the best centres, time of a run. `running` stands in place of the latter
/// where a cell is at work.
pub fn text(keys: &[&str], summaries: &[Summary], running: &dyn Fn(usize) -> Option<String>) -> String {
    let mut rows = vec![["cell"].iter().chain(keys).chain(&["runs"]).map(|name| (*name).to_owned()).collect()];
    let mut ends = vec!["fitness, mean over runs +- sd (95 % confidence interval)  time of a run".to_owned()];
    for summary in summaries {
        let mut cells: Vec<String> = vec![summary.cell.to_string()];
        cells.extend(summary.values.iter().cloned());
        let failed = if summary.failed > 0 { format!(" {} failed", summary.failed) } else { String::new() };
        cells.push(format!("{}/{}{failed}", summary.done, summary.runs));
        rows.push(cells);
        let Evaluation { mean, sd, ci95: (low, high), .. } = summary.best;
        let spread = if sd.is_finite() { format!(" +- {sd:.4} ({low:.4} to {high:.4})") } else { String::new() };
        let known = (summary.done > 0).then(|| format!("{mean:.4}{spread}  {:.1} s", summary.seconds));
        ends.push(running(summary.cell).or(known).unwrap_or_default());
    }
    let columns = keys.len() + 2;
    let widths: Vec<usize> =
        (0..columns).map(|c| rows.iter().map(|row: &Vec<String>| row[c].chars().count()).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for (row, end) in rows.iter().zip(&ends) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out += format!("{}  {end}", cells.join("  ")).trim_end();
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::*;

    fn outcome(mean: f64) -> Outcome {
        let centre = Centre { generation: 4, mean, sd: 0.5, ci95: (mean - 1.0, mean + 1.0), non_finite: 0 };
        Outcome {
            failed: None,
            generations: 4,
            parameters: 10,
            env_steps: 100,
            seconds: 2.0,
            side_by_side: 1,
            best: Some(centre),
            last: Some(Centre { mean: mean - 1.0, ..centre }),
        }
    }

    fn row(cell: usize, seed: u64, outcome: Option<Outcome>) -> Row {
        Row { cell, seed, name: format!("{cell}-{seed}"), outcome }
    }

    #[test]
    fn a_cell_is_summed_up_over_its_finished_runs() {
        let failed = Outcome { failed: Some("no".into()), best: None, last: None, ..outcome(0.0) };
        let cells = [1, 2].map(|number| Cell { number, values: vec![Value::Integer(number as i64)] });
        let rows = [
            row(1, 1, Some(outcome(-2.0))),
            row(1, 2, Some(outcome(-4.0))),
            row(1, 3, Some(failed)),
            row(2, 1, None),
            row(2, 2, Some(outcome(1.0))),
            row(2, 3, None),
        ];
        let [first, second] = &summaries(&cells, &rows)[..] else { panic!("two cells") };
        assert_eq!((first.runs, first.done, first.failed, first.best.mean, first.last.mean), (3, 2, 1, -3.0, -4.0));
        assert_eq!((first.best.sd, first.seconds, first.seconds_a_generation), (2f64.sqrt(), 2.0, 0.5));
        assert_eq!((second.done, second.failed, second.best.mean), (1, 0, 1.0));
        assert!(second.best.sd.is_nan());

        let shown = text(&["a.b"], &summaries(&cells, &rows), &|cell| (cell == 2).then(|| "generation 1/4".into()));
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].starts_with("cell  a.b  runs"), "{shown}");
        assert!(
            lines[1].starts_with("1     1    2/3 1 failed  -3.0000 +- 1.4142 (-15.7062 to 9.7062)  2.0 s"),
            "{shown}"
        );
        assert!(lines[2].starts_with("2     2    1/3           generation 1/4"), "{shown}");
    }
}

//! What a sweep tells on stderr: a live table of its cells on a terminal, a line a finished run elsewhere, nothing when quiet.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::table::{Summary, text};
use super::{Folder, Outcome};
use crate::device::Device;
use crate::run::Ended;

/// Between two lines where there is no table.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Between two drawings of the table.
const TABLE_INTERVAL: Duration = Duration::from_millis(100);
/// Cells that are shown at once.
const ROWS: usize = 20;

/// Of one call of [`super::Sweep::run`].
pub struct Progress {
    quiet: bool,
    bar: Option<ProgressBar>,
    folder: String,
    keys: Vec<String>,
    summaries: Vec<Summary>,
    /// Runs done by this call, and those it has to do.
    done: usize,
    jobs: usize,
    started: Instant,
    shown: Instant,
    /// The cell at work, from 0, its run, and where that is.
    cell: usize,
    name: String,
    status: String,
}

impl Progress {
    /// Say what there is to do, and begin.
    pub fn start(folder: &Folder, summaries: Vec<Summary>, jobs: usize, device: &Device, quiet: bool) -> Self {
        let bar = (!quiet && stderr().is_terminal()).then(bar);
        let keys = folder.spec().keys().into_iter().map(str::to_owned).collect();
        let runs: usize = summaries.iter().map(|summary| summary.runs).sum();
        let (cells, now) = (summaries.len(), Instant::now());
        let folder = folder.path().display().to_string();
        let mut progress = Self {
            quiet,
            bar,
            folder,
            keys,
            summaries,
            done: 0,
            jobs,
            started: now,
            shown: now,
            cell: 0,
            name: String::new(),
            status: String::new(),
        };
        let folder = &progress.folder;
        progress.say(&format!("{folder}: {cells} cells, {runs} runs, {jobs} of them to do, {}", device.description));
        progress.show();
        progress
    }

    /// A run begins, with others beside it.
    pub fn begin(&mut self, cell: usize, name: &str, together: usize) {
        let others = if together > 1 { format!(" and {} more", together - 1) } else { String::new() };
        (self.cell, self.name, self.status) = (cell, format!("{name}{others}"), "at work".into());
        self.show();
    }

    /// The run has done so many generations.
    pub fn generation(&mut self, done: u32, end: u32, mean: f32) {
        self.status = format!("generation {done}/{end}  mean {mean:.3}");
        match &self.bar {
            Some(_) if self.shown.elapsed() >= TABLE_INTERVAL => self.show(),
            None if self.shown.elapsed() >= LINE_INTERVAL => {
                self.shown = Instant::now();
                self.say(&format!("{}: {}", self.name, self.status));
            }
            _ => {}
        }
    }

    /// A run is finished.
    pub fn finished(&mut self, name: &str, outcome: &Outcome, summaries: Vec<Summary>) {
        (self.done, self.summaries) = (self.done + 1, summaries);
        self.shown = Instant::now();
        let came = match (&outcome.failed, &outcome.best) {
            (Some(why), _) => format!("failed: {why}"),
            (None, Some(best)) => {
                let (low, high) = best.ci95;
                format!("fitness {:.4} ({low:.4} to {high:.4}), {:.1} s", best.mean, outcome.seconds)
            }
            (None, None) => format!("{:.1} s", outcome.seconds),
        };
        if self.bar.is_none() || outcome.failed.is_some() {
            self.say(&format!("run {}/{}  {name}: {came}", self.done, self.jobs));
        }
        self.status.clear();
        self.show();
    }

    /// The last words of a sweep that did not fail as a whole.
    pub fn end(&self, ended: Ended) {
        if ended == Ended::Interrupted {
            self.say(&format!(
                "{}: stopped after {} of {} runs; the same command goes on",
                self.folder, self.done, self.jobs
            ));
        }
    }

    /// A line, beside the table.
    pub fn say(&self, line: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn show(&mut self) {
        if let Some(bar) = &self.bar {
            self.shown = Instant::now();
            bar.set_message(self.table());
        }
    }

    /// The cells around the one at work, and how far all of it is.
    fn table(&self) -> String {
        let first = (self.cell + 3).saturating_sub(ROWS).min(self.summaries.len().saturating_sub(ROWS));
        let rows = &self.summaries[first..self.summaries.len().min(first + ROWS)];
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let running = |cell: usize| (cell == self.cell + 1 && !self.status.is_empty()).then(|| self.status.clone());
        let left = match self.done {
            0 => String::new(),
            done => {
                let left = self.started.elapsed().mul_f64((self.jobs - done) as f64 / done as f64);
                format!("  {} left", HumanDuration(left))
            }
        };
        format!("{}{}/{} runs{left}  {}", text(&keys, rows, &running), self.done, self.jobs, self.name)
    }
}

impl Drop for Progress {
    /// Leaves the screen to whoever writes next, also after an error.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg}").expect("the template is a constant and has been drawn before");
    bar.with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Evaluation;

    #[test]
    fn the_table_shows_the_cells_around_the_one_at_work() {
        bar().finish_and_clear();
        let nothing = Evaluation::of::<f64>(&[]);
        let summary = |cell: usize| Summary {
            cell,
            values: vec![format!("v{cell}")],
            runs: 2,
            done: 0,
            failed: 0,
            best: nothing,
            last: nothing,
            seconds: f64::NAN,
            seconds_a_generation: f64::NAN,
        };
        let now = Instant::now();
        let mut progress = Progress {
            quiet: true,
            bar: None,
            folder: "runs/x".into(),
            keys: vec!["a.b".into()],
            summaries: (1..=50).map(summary).collect(),
            done: 1,
            jobs: 100,
            started: now,
            shown: now,
            cell: 0,
            name: String::new(),
            status: String::new(),
        };
        for (cell, first, last) in [(0, 1, 20), (16, 1, 20), (30, 14, 33), (49, 31, 50)] {
            progress.begin(cell, "name", 3);
            progress.generation(4, 9, -1.5);
            let shown = progress.table();
            let lines: Vec<&str> = shown.lines().collect();
            assert_eq!(lines.len(), ROWS + 2, "{shown}");
            assert!(lines[1].contains(&format!("v{first} ")) && lines[ROWS].contains(&format!("v{last} ")), "{shown}");
            let at_work: Vec<_> = lines.iter().filter(|line| line.contains("generation 4/9  mean -1.500")).collect();
            assert!(at_work.len() == 1 && at_work[0].contains(&format!("v{} ", cell + 1)), "{shown}");
            assert!(lines[ROWS + 1].starts_with("1/100 runs") && shown.ends_with("name and 2 more"), "{shown}");
        }
    }
}

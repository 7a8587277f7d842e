//! What a run tells on stderr: a bar on a terminal, a line now and then elsewhere, nothing when quiet.

use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Ended, Options};
use crate::engine::{Generation, Summary};

/// Between two lines where there is no bar.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

enum Show {
    Nothing,
    Lines { last: Instant },
    Bar(ProgressBar),
}

/// Progress of one call of [`super::evolve`], from generation `first` to `end`.
pub struct Progress {
    show: Show,
    folder: String,
    first: u32,
    end: u32,
    done: u32,
    started: Instant,
    non_finite: u64,
    /// Best and mean of the last generation and its speed, as shown.
    status: String,
}

impl Progress {
    /// Say where the run goes and what it runs on, and begin.
    pub fn start(folder: &Path, first: u32, end: u32, options: &Options) -> Self {
        let started = Instant::now();
        let show = if options.quiet {
            Show::Nothing
        } else if stderr().is_terminal() {
            Show::Bar(bar(first, end))
        } else {
            Show::Lines { last: started }
        };
        let folder = folder.display().to_string();
        let progress = Self { show, folder, first, end, done: first, started, non_finite: 0, status: String::new() };
        progress.say(&format!("{}: generations {first} to {end}, {}", progress.folder, options.device));
        progress
    }

    /// Tell of one more generation done.
    pub fn generation(&mut self, generation: &Generation, summary: Summary) {
        self.done = generation.index + 1;
        self.count_non_finite(generation, summary);
        let rate = generation.env_steps as f64 / generation.seconds;
        self.status = format!("best {:.3}  mean {:.3}  {} env-steps/s", summary.best, summary.mean, thousands(rate));
        match &mut self.show {
            Show::Nothing => {}
            Show::Bar(bar) => {
                bar.set_message(self.status.clone());
                bar.set_position(u64::from(self.done));
            }
            Show::Lines { last } => {
                if last.elapsed() >= LINE_INTERVAL {
                    *last = Instant::now();
                    let (done, end, left) = (self.done, self.end, HumanDuration(self.time_left()));
                    eprintln!("generation {done}/{end}  {}  {left} left", self.status);
                }
            }
        }
    }

    /// The last words of a run that did not fail.
    pub fn end(self, ended: Ended) {
        if self.non_finite > 0 {
            self.say(&format!("{} fitness values were NaN or infinite and ranked last", self.non_finite));
        }
        let Self { folder, done, status, .. } = &self;
        if self.done == self.first {
            self.say(&format!("{folder}: nothing to do, {done} generations are done already"));
            return;
        }
        self.say(&format!("generation {done}/{}  {status}", self.end));
        if ended == Ended::Interrupted {
            self.say(&format!("stopped after {done} generations; try: phylon run --resume {folder}"));
        }
    }

    fn count_non_finite(&mut self, generation: &Generation, summary: Summary) {
        if self.non_finite == 0 && summary.non_finite > 0 {
            self.say(&format!(
                "generation {}: {} of {} fitness values are NaN or infinite; such offspring are ranked last, the \
                 total is told at the end",
                generation.index,
                summary.non_finite,
                generation.fitness.len()
            ));
        }
        self.non_finite += summary.non_finite as u64;
    }

    fn time_left(&self) -> Duration {
        let done = f64::from(self.done - self.first);
        self.started.elapsed().mul_f64(f64::from(self.end - self.done) / done)
    }

    fn say(&self, line: &str) {
        match &self.show {
            Show::Nothing => {}
            Show::Lines { .. } => eprintln!("{line}"),
            Show::Bar(bar) => bar.suspend(|| eprintln!("{line}")),
        }
    }
}

impl Drop for Progress {
    /// Leaves the line to whoever writes next, also after an error.
    fn drop(&mut self) {
        if let Show::Bar(bar) = &self.show {
            bar.finish_and_clear();
        }
    }
}

fn bar(first: u32, end: u32) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(u64::from(end)), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:12} {pos}/{len}  {wide_msg} {eta} left")
        .expect("the template is a constant and has been drawn before");
    bar.set_style(style);
    bar.set_position(u64::from(first));
    // Without this the estimate would take the generations before a resume for work done just now.
    bar.reset_eta();
    bar
}

/// `1234567.0` as `1.23 M`.
fn thousands(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{:.2} G", v / 1e9),
        v if v >= 1e6 => format!("{:.2} M", v / 1e6),
        v if v >= 1e3 => format!("{:.2} k", v / 1e3),
        v => format!("{v:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_one() {
        bar(3, 10).finish_and_clear();
    }

    #[test]
    fn speeds_read_well() {
        let shown = [0.0, 999.0, 1234.0, 5e6, 2.5e9].map(thousands);
        assert_eq!(shown, ["0", "999", "1.23 k", "5.00 M", "2.50 G"]);
    }

    #[test]
    fn non_finite_values_are_counted_over_generations() {
        let mut progress = Progress::start(Path::new("runs/x"), 0, 2, &Options { quiet: true, ..Options::default() });
        for index in 0..2 {
            let fitness = vec![1.0, f32::NAN, f32::INFINITY];
            let generation = Generation { index, fitness, centre: 0.0, env_steps: 1, seconds: 1.0 };
            progress.generation(&generation, generation.summary());
        }
        assert_eq!((progress.non_finite, progress.done), (4, 2));
    }
}

//! What a search tells on stderr: a bar on a terminal, a line now and then elsewhere, nothing when quiet.

use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Between two lines where there is no bar.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Of some simulations, from any thread.
pub struct Progress {
    quiet: bool,
    bar: Option<ProgressBar>,
    first: u64,
    end: u64,
    started: Instant,
    seen: Mutex<Seen>,
}

struct Seen {
    done: u64,
    said: Instant,
    status: String,
}

impl Progress {
    /// From simulation `first` to `end`.
    pub fn start(first: u64, end: u64, quiet: bool) -> Self {
        let started = Instant::now();
        let bar = (!quiet && stderr().is_terminal()).then(|| bar(first, end));
        let seen = Mutex::new(Seen { done: first, said: started, status: String::new() });
        Self { quiet, bar, first, end, started, seen }
    }

    /// Tell of one more simulation.
    pub fn simulation(&self) {
        let mut seen = self.seen();
        seen.done += 1;
        if let Some(bar) = &self.bar {
            bar.set_position(seen.done);
        } else if !self.quiet && seen.said.elapsed() >= LINE_INTERVAL {
            seen.said = Instant::now();
            let left = self.started.elapsed().mul_f64((self.end - seen.done.min(self.end)) as f64)
                / (seen.done - self.first) as u32;
            eprintln!("simulation {}/{}  {}  {} left", seen.done, self.end, seen.status, HumanDuration(left));
        }
    }

    /// What stands beside the count from now on.
    pub fn status(&self, status: String) {
        if let Some(bar) = &self.bar {
            bar.set_message(status.clone());
        }
        self.seen().status = status;
    }

    /// A line, beside the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// A thread that panicked while it held the lock has left a count that is still one.
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Progress {
    /// Leaves the line to whoever writes next, also after an error.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(first: u64, end: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(end), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:12} {pos}/{len} simulations  {wide_msg} {eta} left")
        .expect("the template is a constant and has been drawn before");
    bar.set_style(style);
    bar.set_position(first);
    // Without this the estimate would take the simulations before a resume for work done just now.
    bar.reset_eta();
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_one() {
        bar(3, 10).finish_and_clear();
    }

    #[test]
    fn simulations_are_counted() {
        let progress = Progress::start(2, 9, true);
        progress.status("x".into());
        (0..3).for_each(|_| progress.simulation());
        assert_eq!(progress.seen().done, 5);
    }
}

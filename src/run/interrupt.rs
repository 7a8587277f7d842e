//! Ctrl-C, SIGTERM and SIGHUP: the first asks the run to stop after its generation, the second leaves at once.
//!
//! A process has one set of signal handlers, so what they tell is kept in statics. While no run listens a signal
//! ends the process as if nobody had touched it.

use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

static INSTALL: Once = Once::new();
static LISTENERS: AtomicUsize = AtomicUsize::new(0);
static REQUESTED: AtomicBool = AtomicBool::new(false);
static QUIET: AtomicBool = AtomicBool::new(false);

/// The exit code shells give to a process ended by Ctrl-C.
const LEFT_AT_ONCE: i32 = 130;

/// A run that wants to be asked to stop, until dropped.
pub struct Interrupt(());

impl Interrupt {
    /// Unless `quiet`, the first signal is answered with a line on stderr.
    pub fn listen(quiet: bool) -> Self {
        INSTALL.call_once(|| {
            if let Err(error) = ctrlc::set_handler(answer) {
                tracing::warn!("Ctrl-C will stop the run without a checkpoint: {error}");
            }
        });
        if LISTENERS.fetch_add(1, SeqCst) == 0 {
            REQUESTED.store(false, SeqCst);
            QUIET.store(quiet, SeqCst);
        }
        Self(())
    }

    pub fn requested(&self) -> bool {
        REQUESTED.load(SeqCst)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, SeqCst);
    }
}

fn answer() {
    if LISTENERS.load(SeqCst) == 0 || REQUESTED.swap(true, SeqCst) {
        process::exit(LEFT_AT_ONCE);
    }
    if !QUIET.load(SeqCst) {
        // The line break keeps the progress bar, which may stand on the line, readable.
        eprintln!("\nstopping after this generation with a checkpoint; once more to leave at once without");
    }
}

//! `phylon report`: draws the report of a run or of a sweep again.

use std::path::PathBuf;

use phylon::error::Result;
use phylon::run::Folder;
use phylon::{report, sweep};

use super::output;

/// Draw the report of a run again, or of a sweep with its tables, and print its path.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon report runs/quickstart
  phylon report runs/quickstart-sweep")]
pub struct Args {
    /// The folder of the run or the sweep.
    run: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    let report = if sweep::Folder::is_at(&args.run) {
        report::sweep::write(&sweep::Folder::open(&args.run)?)?
    } else {
        report::write(&Folder::open(&args.run)?)?
    };
    output::print(&format!("{}\n", report.display()))
}

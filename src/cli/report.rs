//! `phylon report`: draws the report of a run again.

use std::path::PathBuf;

use phylon::error::Result;
use phylon::run::Folder;

use super::output;

/// Draw the report of a run again, and print its path.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon report runs/quickstart")]
pub struct Args {
    /// The run folder.
    run: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    let report = phylon::report::write(&Folder::open(&args.run)?)?;
    output::print(&format!("{}\n", report.display()))
}

//! `phylon completions`: a completion script, made from the same definitions as the help.

use clap::CommandFactory;
use clap_complete::Shell;
use phylon::error::Result;

use super::{Cli, output};

/// Print a completion script for a shell.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon completions bash > ~/.local/share/bash-completion/completions/phylon
  phylon completions zsh > ~/.zfunc/_phylon
  phylon completions fish > ~/.config/fish/completions/phylon.fish")]
pub struct Args {
    shell: Shell,
}

pub fn run(args: &Args) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "phylon", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

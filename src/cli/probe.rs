//! The flags of `phylon eval` and `phylon render` that take something from the agents of a maze.

use std::path::Path;

use phylon::error::{Error, Result};
use phylon::workload::maze::Probe;

/// What is taken from the agents to see what they need.
#[derive(clap::Args)]
#[command(next_help_heading = "Probes, for tasks in a maze")]
pub struct Args {
    /// Agents are not told what they ate.
    #[arg(long)]
    no_reward_signal: bool,
    /// Synapses are put back to rest when an agent is back at the start and when it has been told what it ate. A fixed strategy
    /// needs nothing that they carry over: first choices that fall to chance, and the score with them, were made by
    /// what synapses had learned.
    #[arg(long)]
    freeze_synapses: bool,
    /// No noise on the output gates.
    #[arg(long)]
    no_noise: bool,
    /// The colour sensors are dark: only memory tells where the food is.
    #[arg(long)]
    dark: bool,
}

impl Args {
    /// Each flag's name, and whether it was given.
    pub fn named(&self) -> [(&'static str, bool); 4] {
        [
            ("no-reward-signal", self.no_reward_signal),
            ("freeze-synapses", self.freeze_synapses),
            ("no-noise", self.no_noise),
            ("dark", self.dark),
        ]
    }

    pub fn probe(&self) -> Probe {
        let &Self { no_reward_signal, freeze_synapses, no_noise, dark } = self;
        Probe { no_reward_signal, freeze_synapses, no_noise, dark }
    }

    /// For a run whose task is not in a maze.
    pub fn refuse(&self, run: &Path) -> Result<()> {
        let Some((name, _)) = self.named().into_iter().find(|(_, given)| *given) else { return Ok(()) };
        let run = run.display();
        Err(Error::Config(format!("--{name}: {run} has no maze: its task is for a single unit; try: without --{name}")))
    }
}

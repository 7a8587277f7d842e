//! What may be taken from the agents of a maze.

use phylon::workload::maze::Probe;

#[derive(clap::Args)]
pub struct Args {
    /// Mazes: the reward's source stays silent.
    #[arg(long)]
    no_reward_signal: bool,
    /// Mazes: synapses are put back to rest at every return to the start.
    #[arg(long)]
    freeze_synapses: bool,
    /// Mazes: no noise on the units' outputs.
    #[arg(long)]
    no_noise: bool,
    /// Mazes: the colour sensors stay dark.
    #[arg(long)]
    dark: bool,
}

impl Args {
    pub fn probe(&self) -> Probe {
        let Self { no_reward_signal, freeze_synapses, no_noise, dark } = *self;
        Probe { no_reward_signal, freeze_synapses, no_noise, dark }
    }
}

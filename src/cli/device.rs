//! The options that choose where to compute.

use std::path::PathBuf;

use phylon::device::{Device, Wish};
use phylon::error::Result;

// Without a group: it would have the name of that of the command whose arguments these are among.
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    /// Where to compute: auto, cpu, cuda or cuda:<number>. `auto` takes the first CUDA device that can be used, else the
    /// CPU, and says which. `phylon run` takes several, too: cuda:0,cuda:1 or cuda:all.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Wish,
    /// Use the kernels of this file instead of the embedded ones (a .fatbin or .cubin that nvcc made of kernels/all.cu).
    #[arg(long, value_name = "FILE")]
    kernels: Option<PathBuf>,
}

impl Args {
    /// The only device.
    pub fn choose(&self) -> Result<Device> {
        let device = self.choose_for(0)?;
        device.check_one()?;
        Ok(device)
    }

    /// What it comes to is this program's choice.
    pub fn is_auto(&self) -> bool {
        self.device == Wish::Auto
    }

    /// One or several, for the rank that has this number among those of its machine.
    pub fn choose_for(&self, rank: usize) -> Result<Device> {
        Device::choose_for(&self.device, self.kernels.clone(), rank)
    }
}

//! The options that choose where to compute.

use std::path::PathBuf;

use phylon::device::{Device, Wish};
use phylon::error::Result;

// Without a group: it would have the name of that of the command whose arguments these are among.
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    /// Where to compute: auto, cpu, cuda or cuda:<number>. `auto` takes the first CUDA device that can be used, else the
    /// CPU, and says which.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Wish,
    /// Use the kernels of this file instead of the embedded ones (a .fatbin or .cubin that nvcc made of kernels/all.cu).
    #[arg(long, value_name = "FILE")]
    kernels: Option<PathBuf>,
}

impl Args {
    pub fn choose(&self) -> Result<Device> {
        Device::choose(self.device, self.kernels.clone())
    }
}

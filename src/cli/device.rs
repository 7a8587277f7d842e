//! The options that choose where to compute.

use std::path::PathBuf;

use phylon::device::{Backend, Device, Wish};
use phylon::error::{Error, Result};

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

    /// Searches of a column run on the CPU, whatever `auto` would take.
    pub fn refuse_for_search(&self) -> Result<()> {
        if self.insists_on(|backend| backend != Backend::Cpu) {
            return Err(Error::Device("searches of a column run on the CPU alone; try: without --device".into()));
        }
        Ok(())
    }

    /// Whether the user asks for a backend of this kind and no other.
    pub fn insists_on(&self, kind: impl Fn(Backend) -> bool) -> bool {
        matches!(self.device, Wish::Only(backend) if kind(backend))
    }
}

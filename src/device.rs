//! Where a run computes: the CPU, a CUDA device, or the stand-in driver of development builds.

use std::path::PathBuf;
use std::str::FromStr;

use crate::cpu::InstructionSet;
use crate::error::Result;
use crate::gpu::{self, Gpu};

/// What a user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The first CUDA device that can be used, else the CPU.
    Auto,
    /// This backend, or an error.
    Only(Backend),
}

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// This machine's cores.
    Cpu,
    /// A CUDA device, by its number.
    Cuda(usize),
    /// The kernels on the CPU behind the stand-in driver.
    #[cfg(feature = "emu")]
    Emu,
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let cuda = |number: &str| number.parse().map(|n| Self::Only(Backend::Cuda(n)));
        match (text, text.strip_prefix("cuda:").map(cuda)) {
            ("auto", _) => Ok(Self::Auto),
            ("cpu", _) => Ok(Self::Only(Backend::Cpu)),
            ("cuda", _) => Ok(Self::Only(Backend::Cuda(0))),
            #[cfg(feature = "emu")]
            ("emu", _) => Ok(Self::Only(Backend::Emu)),
            #[cfg(not(feature = "emu"))]
            ("emu", _) => Err("this program was built without the feature `emu`".into()),
            (_, Some(Ok(wish))) => Ok(wish),
            _ => Err("not auto, cpu, cuda, cuda:<number> or emu".into()),
        }
    }
}

/// A backend that was chosen, with why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What computes.
    pub backend: Backend,
    /// An image of the kernels in place of the embedded one.
    pub kernels: Option<PathBuf>,
    /// For people: what it is, and for `auto` why no other.
    pub description: String,
}

impl Device {
    /// This machine's cores.
    pub fn cpu() -> Self {
        let (threads, set) = (rayon::current_num_threads(), InstructionSet::best().name());
        let plural = if threads == 1 { "" } else { "s" };
        Self { backend: Backend::Cpu, kernels: None, description: format!("cpu, {threads} thread{plural}, {set}") }
    }

    /// What `wish` comes to on this machine.
    ///
    /// # Errors
    /// When one backend was asked for and it cannot be used; `auto` always finds one.
    pub fn choose(wish: Wish, kernels: Option<PathBuf>) -> Result<Self> {
        let chosen = |backend| {
            let gpu = Self { backend, kernels: kernels.clone(), description: String::new() };
            let opened = gpu.open()?;
            let description = opened.map_or_else(|| Self::cpu().description, |gpu| describe(&gpu));
            Ok(Self { description, ..gpu })
        };
        match wish {
            Wish::Only(backend) => chosen(backend),
            Wish::Auto => chosen(Backend::Cuda(0)).or_else(|why| {
                let cpu = Self::cpu();
                Ok(Self { description: format!("{} (CUDA is not used: {why})", cpu.description), ..cpu })
            }),
        }
    }

    /// The GPU of this backend; `None` for the CPU.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open(&self) -> Result<Option<Gpu>> {
        match self.backend {
            Backend::Cpu => Ok(None),
            Backend::Cuda(ordinal) => Gpu::open(ordinal, self.kernels.as_deref()).map(Some),
            #[cfg(feature = "emu")]
            Backend::Emu => {
                gpu::emu::load()?;
                Gpu::open(0, self.kernels.as_deref()).map(Some)
            }
        }
    }
}

fn describe(gpu: &Gpu) -> String {
    let gpu::DeviceFacts { ordinal, name, capability: (major, minor), memory, .. } = &gpu.facts;
    format!("cuda:{ordinal}, {name} (sm_{major}{minor}, {:.0} GiB)", *memory as f64 / f64::from(1 << 30))
}

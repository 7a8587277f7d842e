//! Where a run computes: the CPU, a CUDA device, or the stand-in driver of development builds.

use std::path::PathBuf;
use std::str::FromStr;

use crate::cpu::InstructionSet;
use crate::error::{Error, Result};
use crate::gpu::{self, Gpu};

/// What a user asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The first CUDA device that can be used, else the CPU.
    Auto,
    /// This machine's cores.
    Cpu,
    /// Devices of a driver, or an error.
    Gpu(Driver, Which),
}

/// Whose devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// NVIDIA's.
    Cuda,
    /// The kernels on the CPU behind the stand-in driver.
    #[cfg(feature = "emu")]
    Emu,
}

/// Which devices of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// One: the first. Of several ranks on one machine each takes the next, and begins again where there are no more.
    Own,
    /// Those of these numbers.
    These(Vec<usize>),
    /// Every one.
    All,
}

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// This machine's cores.
    Cpu,
    /// A CUDA device, by its number.
    Cuda(usize),
    /// A device of the stand-in driver.
    #[cfg(feature = "emu")]
    Emu(usize),
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let name = text.split([':', ',']).next().unwrap_or_default();
        let driver = match (text, name) {
            ("auto", _) => return Ok(Self::Auto),
            ("cpu", _) => return Ok(Self::Cpu),
            (_, "cuda") => Driver::Cuda,
            #[cfg(feature = "emu")]
            (_, "emu") => Driver::Emu,
            #[cfg(not(feature = "emu"))]
            (_, "emu") => return Err("this program was built without the feature `emu`".into()),
            _ => return Err("not auto, cpu, cuda, cuda:<number>, cuda:<number>,cuda:<number> or cuda:all".into()),
        };
        let number = |device: &str| device.strip_prefix(name)?.strip_prefix(':')?.parse().ok();
        let which = match text.strip_prefix(name) {
            Some("") => Which::Own,
            Some(":all") => Which::All,
            _ => {
                let numbers: Option<Vec<usize>> = text.split(',').map(number).collect();
                Which::These(numbers.ok_or_else(|| format!("not {name}, {name}:all or {name}:<number>, or several"))?)
            }
        };
        if let Which::These(numbers) = &which
            && let Some(twice) = numbers.iter().enumerate().find(|(i, n)| numbers[..*i].contains(n))
        {
            return Err(format!("{name}:{} is there twice", twice.1));
        }
        Ok(Self::Gpu(driver, which))
    }
}

/// A backend that was chosen, with why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What computes.
    pub backend: Backend,
    /// What else computes beside it.
    pub others: Vec<Backend>,
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
        let description = format!("cpu, {threads} thread{plural}, {set}");
        Self { backend: Backend::Cpu, others: Vec::new(), kernels: None, description }
    }

    /// This machine's cores, where `auto` cannot take a CUDA device.
    pub fn cpu_because(why: &Error) -> Self {
        let cpu = Self::cpu();
        Self { description: format!("{} (CUDA is not used: {why})", cpu.description), ..cpu }
    }

    /// What `wish` comes to on this machine.
    ///
    /// # Errors
    /// When a backend was asked for and it cannot be used; `auto` always finds one.
    pub fn choose(wish: &Wish, kernels: Option<PathBuf>) -> Result<Self> {
        Self::choose_for(wish, kernels, 0)
    }

    /// As [`Device::choose`], for the rank that has this number among those of its machine.
    ///
    /// # Errors
    /// As there.
    pub fn choose_for(wish: &Wish, kernels: Option<PathBuf>, rank: usize) -> Result<Self> {
        let (driver, which) = match wish {
            Wish::Cpu => return Ok(Self::cpu()),
            Wish::Auto => (Driver::Cuda, &Which::Own),
            Wish::Gpu(driver, which) => (*driver, which),
        };
        let gpus = Self::gpus(driver, which, kernels, rank);
        match (gpus, wish) {
            (Err(why), Wish::Auto) => Ok(Self::cpu_because(&why)),
            (gpus, _) => gpus,
        }
    }

    fn gpus(driver: Driver, which: &Which, kernels: Option<PathBuf>, rank: usize) -> Result<Self> {
        let numbers = match which {
            Which::These(numbers) => numbers.clone(),
            Which::Own => vec![rank % driver.devices()?.max(1)],
            Which::All => (0..driver.devices()?.max(1)).collect(),
        };
        let mut others: Vec<Backend> = numbers.into_iter().map(|number| driver.backend(number)).collect();
        let backend = others.remove(0);
        let chosen = Self { backend, others, kernels, description: String::new() };
        let described: Vec<String> = chosen.open_all()?.iter().map(describe).collect();
        let description = match described.len() {
            1 => described.concat(),
            several => format!("{several} devices: {}", described.join(", ")),
        };
        Ok(Self { description, ..chosen })
    }

    /// The GPU of this backend; `None` for the CPU.
    ///
    /// # Errors
    /// When it cannot be used, or when there are several.
    pub fn open(&self) -> Result<Option<Gpu>> {
        self.check_one()?;
        Ok(self.open_all()?.pop())
    }

    /// That there is no other backend beside this one.
    ///
    /// # Errors
    /// When there is.
    pub fn check_one(&self) -> Result<()> {
        if self.others.is_empty() {
            return Ok(());
        }
        let several = self.others.len() + 1;
        Err(Error::Config(format!(
            "--device gives {several} devices and this takes one; try: --device cuda:0, and in a sweep a --shard for each"
        )))
    }

    /// The GPUs of all backends; none for the CPU.
    ///
    /// # Errors
    /// When one cannot be used.
    pub fn open_all(&self) -> Result<Vec<Gpu>> {
        let mut gpus = Vec::new();
        for backend in std::iter::once(&self.backend).chain(&self.others) {
            let ordinal = match *backend {
                Backend::Cpu => continue,
                Backend::Cuda(ordinal) => ordinal,
                #[cfg(feature = "emu")]
                Backend::Emu(ordinal) => {
                    gpu::emu::load()?;
                    ordinal
                }
            };
            gpus.push(Gpu::open(ordinal, self.kernels.as_deref())?);
        }
        Ok(gpus)
    }
}

impl Driver {
    fn devices(self) -> Result<usize> {
        #[cfg(feature = "emu")]
        if self == Self::Emu {
            gpu::emu::load()?;
        }
        Ok(gpu::devices()?.len())
    }

    fn backend(self, number: usize) -> Backend {
        match self {
            Self::Cuda => Backend::Cuda(number),
            #[cfg(feature = "emu")]
            Self::Emu => Backend::Emu(number),
        }
    }
}

fn describe(gpu: &Gpu) -> String {
    let gpu::DeviceFacts { ordinal, name, capability: (major, minor), memory, .. } = &gpu.facts;
    format!("cuda:{ordinal}, {name} (sm_{major}{minor}, {:.0} GiB)", *memory as f64 / f64::from(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read() {
        let these = |numbers: &[usize]| Ok(Wish::Gpu(Driver::Cuda, Which::These(numbers.to_vec())));
        assert_eq!("auto".parse(), Ok(Wish::Auto));
        assert_eq!("cpu".parse(), Ok(Wish::Cpu));
        assert_eq!("cuda".parse(), Ok(Wish::Gpu(Driver::Cuda, Which::Own)));
        assert_eq!("cuda:all".parse(), Ok(Wish::Gpu(Driver::Cuda, Which::All)));
        assert_eq!("cuda:3".parse(), these(&[3]));
        assert_eq!("cuda:1,cuda:0".parse(), these(&[1, 0]));
        for wrong in
            ["", "gpu", "cuda:", "cuda:x", "cuda,cuda:1", "cuda:0,1", "cuda:0,cpu", "cuda:all,cuda:0", "cuda:2,cuda:2"]
        {
            assert!(wrong.parse::<Wish>().is_err(), "{wrong}");
        }
    }
}

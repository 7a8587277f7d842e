//! What this machine makes of every kernel and task, each held against ceilings measured in the same run.
//!
//! A case is a piece of work of a published size; a row of its result is a rate. [`Record`] is what is kept of a machine, and
//! what a later one is compared with. Cases come from the registry, so that a new task, unit or world is in by itself.

mod column;
mod evolution;
mod record;
mod rollout;
mod synaptogen;

use std::fmt;

use crate::device::Device;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::profile::{Ceilings, Work, median};
use crate::registry::{UNITS, UnitKind, WorldKind, likeness};

pub use record::{Record, Row};

/// A piece of work that can be timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Generations of a task of the registry.
    Evolution {
        /// As in a config.
        task: &'static str,
        /// Of which the task's agents are made.
        unit: UnitKind,
        /// On tensor cores; for devices.
        fast: bool,
    },
    /// Episodes of a world.
    Rollout {
        /// Which.
        world: WorldKind,
        /// With a network of 128 hidden units instead of random actions.
        policy: bool,
    },
    /// Mean networks of SynaptoGen's profiles.
    Assembly,
    /// Synapses of SynaptoGen's agents, binomial by binomial or by their law.
    Growth {
        /// Genes of the profile.
        genes: usize,
        /// By the law of each neuron pair.
        law: bool,
    },
    /// Episodes of SynaptoGen's agents, each with weights of its own.
    Agents,
    /// Deep Q-learning of SynaptoGen's profiles in a world.
    Learning(WorldKind),
    /// Synapses of cortical columns, drawn.
    Wiring,
    /// Cortical columns in time.
    Columns {
        /// One, by all threads or multiprocessors together; otherwise as many as fill the device, side by side.
        together: bool,
    },
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evolution { task, unit, fast } => {
                write!(f, "evolution/{task}-{}{}", unit.name(), if *fast { "-fast" } else { "" })
            }
            Self::Rollout { world, policy } => {
                write!(f, "rollout/{}-{}", world.spec().name, if *policy { "policy" } else { "random" })
            }
            Self::Assembly => write!(f, "synaptogen/assembly"),
            Self::Growth { genes, law } => {
                write!(f, "synaptogen/growth-{}-{genes}", if *law { "law" } else { "direct" })
            }
            Self::Agents => write!(f, "synaptogen/agents"),
            Self::Learning(world) => write!(f, "synaptogen/dqn-{}", world.spec().name),
            Self::Wiring => write!(f, "column/wiring"),
            Self::Columns { together } => write!(f, "column/{}", if *together { "one" } else { "many" }),
        }
    }
}

impl Case {
    /// Every case that such a device can do.
    pub fn all(on_gpu: bool) -> Vec<Self> {
        let tasks = crate::registry::TASKS.iter().map(|task| (task.name, UnitKind::Enu));
        // What a unit costs shows in one task.
        let units = UnitKind::ALL.into_iter().skip(1).map(|unit| ("iaf", unit));
        let mut cases = Vec::new();
        for (task, unit) in tasks.chain(units) {
            cases.push(Self::Evolution { task, unit, fast: false });
            if on_gpu && task != "assay" {
                cases.push(Self::Evolution { task, unit, fast: true });
            }
        }
        for &world in WorldKind::ALL {
            cases.extend([false, true].map(|policy| Self::Rollout { world, policy }));
        }
        cases.push(Self::Assembly);
        cases
            .extend([(16, false), (16, true), (64, false), (64, true)].map(|(genes, law)| Self::Growth { genes, law }));
        cases.push(Self::Agents);
        cases.extend([WorldKind::CartPole, WorldKind::LunarLander].map(Self::Learning));
        cases.push(Self::Wiring);
        cases.extend([false, true].map(|together| Self::Columns { together }));
        cases
    }

    /// Those whose name begins with one of `names`; all of them if there are no names.
    ///
    /// # Errors
    /// When a name is the beginning of none, with the nearest.
    pub fn named(names: &[String], on_gpu: bool) -> Result<Vec<Self>> {
        let all = Self::all(on_gpu);
        for name in names {
            if !all.iter().any(|case| case.to_string().starts_with(name.as_str())) {
                let known = all.iter().map(Self::to_string);
                let nearest = known.max_by(|a, b| likeness(a, name).total_cmp(&likeness(b, name))).unwrap_or_default();
                return Err(Error::Config(format!(
                    "there is no case `{name}`; try: `{nearest}`, or phylon bench --list"
                )));
            }
        }
        let is_asked =
            |case: &Self| names.is_empty() || names.iter().any(|name| case.to_string().starts_with(name.as_str()));
        Ok(all.into_iter().filter(is_asked).collect())
    }

    /// What is done and how much of it, for people.
    pub fn summary(&self) -> String {
        match self {
            Self::Evolution { task, unit, fast } => {
                let numerics = if *fast { ", half precision on tensor cores" } else { "" };
                format!("generations of {task}, {}, the paper's sizes{numerics}", UNITS[*unit as usize].name)
            }
            Self::Rollout { world, policy } => {
                let who = if *policy { "a policy of 128 tanh units" } else { "random actions" };
                format!("episodes of {}, {who}", world.spec().name)
            }
            Self::Assembly => "mean networks of 1,024 profiles of 16 genes, 8-128-4 neurons".into(),
            Self::Growth { genes, law } => {
                let how = if *law { "by the law of each neuron pair" } else { "one binomial after the other" };
                format!("synapses of agents of {genes} genes, 4-128-2 neurons, {how}")
            }
            Self::Agents => "ten episodes of cartpole of each of many agents of 16 genes".into(),
            Self::Learning(world) => format!("deep Q-learning in {}, profiles of 16 genes", world.spec().name),
            Self::Wiring => "synapses of cortical columns of 7,717 neurons, drawn".into(),
            Self::Columns { together: false } => "a tenth of a second of columns of 7,717 neurons, side by side".into(),
            Self::Columns { together: true } => {
                "a tenth of a second of one column by all threads (7,717 neurons) or multiprocessors (77,169)".into()
            }
        }
    }
}

/// A device, with what it can do at most.
pub struct Bench<'a> {
    device: &'a Device,
    gpu: Option<Gpu>,
    ceilings: Ceilings,
}

impl<'a> Bench<'a> {
    /// Measures the ceilings.
    ///
    /// # Errors
    /// When the device cannot be used.
    pub fn new(device: &'a Device) -> Result<Self> {
        let gpu = device.open()?;
        let ceilings = Ceilings::of(gpu.as_ref())?;
        Ok(Self { device, gpu, ceilings })
    }

    /// The ceilings as rows, so that machines can be compared in them, too.
    pub fn ceilings(&self) -> Vec<Row> {
        let Ceilings { copy_bytes, f32_flops, tensor_flops, functions } = self.ceilings;
        let rates = [
            ("copy", "B/s", Some(copy_bytes)),
            ("f32", "FLOP/s", Some(f32_flops)),
            ("tensor", "FLOP/s", tensor_flops),
            ("functions", "functions/s", functions),
        ];
        let row =
            |(part, unit, rate): (&str, &str, Option<f64>)| rate.map(|rate| Row::new("ceiling", part, unit, rate));
        rates.into_iter().filter_map(row).collect()
    }

    /// Time a case.
    ///
    /// # Errors
    /// When the device fails or has no room.
    pub fn time(&self, case: Case) -> Result<Vec<Row>> {
        match case {
            Case::Evolution { task, unit, fast } => self.evolution(case, task, unit, fast),
            Case::Rollout { world, policy } => self.rollout(case, world, policy),
            Case::Assembly => self.assembly(case),
            Case::Growth { genes, law } => self.growth(case, genes, law),
            Case::Agents => self.agents(case),
            Case::Learning(world) => self.learning(case, world),
            Case::Wiring => self.wiring(case),
            Case::Columns { together } => self.columns(case, together),
        }
    }

    fn is_emulated(&self) -> bool {
        self.gpu.as_ref().is_some_and(Gpu::is_emulated)
    }

    /// A row about calls that took these seconds each (median), with this work and so much done.
    fn row(&self, case: Case, part: &str, unit: &str, measured: &Measured, work: Work) -> Row {
        let mut row = Row::new(&case.to_string(), part, unit, measured.amount / measured.seconds);
        row.seconds = Some(measured.seconds);
        (row.of_ceiling, row.ceiling) = match self.ceilings.held_against(&work, measured.seconds) {
            Some((part, name)) => (Some(part), Some(name.into())),
            None => (None, None),
        };
        row
    }

    /// Find an amount that takes long enough to be timed, from `first` up to `most`, and take the median of five calls with it;
    /// of one call with `first` where the device is emulated. `call` gives the seconds of a call.
    fn steady(&self, first: u32, most: u32, mut call: impl FnMut(u32) -> Result<Called>) -> Result<Measured> {
        let mut amount = first;
        let mut called = call(amount)?;
        if self.is_emulated() {
            return Ok(Measured { seconds: called.seconds, amount: called.amount });
        }
        while called.seconds < LONG_ENOUGH && amount < most {
            amount = amount.saturating_mul(4).min(most);
            called = call(amount)?;
        }
        let mut seconds = vec![called.seconds];
        for _ in 1..5 {
            seconds.push(call(amount)?.seconds);
        }
        Ok(Measured { seconds: median(seconds), amount: called.amount })
    }
}

/// Seconds of a call that the clock and the start of threads do not blur.
const LONG_ENOUGH: f64 = 0.1;

/// One call.
struct Called {
    seconds: f64,
    /// What was done, in the unit of the row.
    amount: f64,
}

/// The median of some calls.
struct Measured {
    seconds: f64,
    /// Of each.
    amount: f64,
}

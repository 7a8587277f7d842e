//! Config -> Plan: everything derived and checked once, before anything runs.

use crate::config::{Config, Task, Unit, UnitSize};
use crate::registry::{self, UnitKind};

/// A config that can run, with the sizes that follow from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub config: Config,
    pub unit: UnitShape,
    /// Input channels that the task drives; the unit's other inputs stay zero.
    pub channels: usize,
    /// Episodes per offspring and generation.
    pub environments: usize,
    /// Steps of an episode.
    pub steps: usize,
    /// Offspring per generation.
    pub population: usize,
}

/// Kind and sizes of a unit: all that its matrices follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitShape {
    pub kind: UnitKind,
    pub inputs: usize,
    pub memory: usize,
    pub outputs: usize,
}

/// Why a config cannot run: the key to mend and what its value must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Invalid {
    /// Path of the key, for example `es.population`.
    pub key: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

//! The config of a cortical column: what it is made of, how long it is simulated, what its thalamus does, and what is searched.
//!
//! A file with a table `[column]` is of this kind. Parameters of the model are documented where they are used, in
//! [`crate::column`].

use serde::{Deserialize, Serialize};

use super::Search;
use crate::column::{Parameters, Seeds, Thalamus, steps};
use crate::plan::Invalid;

/// Longest warm-up and longest time that is recorded, s.
const LONGEST: f64 = 1e5;

/// A column that can be simulated: one file in `configs/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Version of this format; 1.
    pub format: u32,
    /// How long, and its random numbers.
    #[serde(default)]
    pub simulation: Simulation,
    /// What the column is made of.
    pub column: Parameters,
    /// Pulses of thalamic input; without the table there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thalamus: Option<Thalamus>,
    /// What `phylon run` searches; `phylon simulate` does not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
}

/// `[simulation]`: how long `phylon simulate` simulates, and from which seeds; a search has its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Simulation {
    /// Seed of the synapses, and of the noise too where that has none of its own. Default 1.
    pub seed: u64,
    /// Seed of the first potentials, of the spikes from outside and of the thalamus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_seed: Option<u64>,
    /// Time that is simulated first and not recorded, ms. Default 1000.
    pub warm_up: f64,
    /// Time that is recorded, s. Default 10.
    pub seconds: f64,
}

impl Default for Simulation {
    fn default() -> Self {
        Self { seed: 1, noise_seed: None, warm_up: 1000.0, seconds: 10.0 }
    }
}

impl Simulation {
    /// Of the `k`-th of some columns side by side; the first is 0.
    pub fn seeds(&self, k: u64) -> Seeds {
        let wiring = self.seed.wrapping_add(k);
        Seeds { wiring, noise: self.noise_seed.map_or(wiring, |seed| seed.wrapping_add(k)) }
    }

    /// Steps before anything is recorded.
    pub fn warm_up_steps(&self) -> u32 {
        steps(self.warm_up)
    }

    /// Steps that are recorded.
    pub fn recorded_steps(&self) -> u32 {
        steps(1e3 * self.seconds)
    }
}

impl Column {
    /// Check every value.
    ///
    /// # Errors
    /// The first that cannot be.
    pub fn check(&self) -> Result<(), Invalid> {
        let refuse = |key: &str, message| Err(Invalid { key: key.into(), message });
        if self.format != 1 {
            return refuse("format", format!("{} is not a known format; this program reads format 1", self.format));
        }
        let Simulation { warm_up, seconds, .. } = self.simulation;
        if !(0.0..=1e3 * LONGEST).contains(&warm_up) {
            return refuse("simulation.warm_up", format!("{warm_up} is not in 0 to {} ms", 1e3 * LONGEST));
        }
        if !(1e-3..=LONGEST).contains(&seconds) {
            return refuse("simulation.seconds", format!("{seconds} is not in 0.001 to {LONGEST} s"));
        }
        let within = |table: &str, invalid: crate::column::parameters::Invalid| Invalid {
            key: format!("{table}.{}", invalid.key),
            message: invalid.message,
        };
        self.column.check().map_err(|invalid| within("column", invalid))?;
        if let Some(search) = &self.search {
            search.check()?;
        }
        let Some(thalamus) = &self.thalamus else { return Ok(()) };
        if self.search.is_some() {
            return refuse("thalamus", "a search looks at columns without one; remove [thalamus] or [search]".into());
        }
        thalamus.check(&self.column).map_err(|invalid| within("thalamus", invalid))?;
        if thalamus.start >= 1e3 * seconds {
            let message = format!("{} ms is not within the {seconds} s that are recorded", thalamus.start);
            return refuse("thalamus.start", message);
        }
        Ok(())
    }
}

//! Generations of evolving units.

use super::{Bench, Case, Measured, Row};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::profile::{Part, Work};
use crate::registry::UnitKind;
use crate::workload;

impl Bench<'_> {
    pub(super) fn evolution(&self, case: Case, task: &str, unit: UnitKind, fast: bool) -> Result<Vec<Row>> {
        let is_maze = task.ends_with("maze");
        // A network takes as long as a hundred units; and where kernels are emulated a few offspring will do.
        let population = match (&self.gpu, is_maze) {
            _ if self.is_emulated() => 2,
            (None, true) => 64,
            _ => 1024,
        };
        let profile = workload::profile(&plan(task, unit, fast, population)?, self.device, 1, &self.ceilings)?;
        let whole = Measured {
            seconds: profile.generation_seconds,
            amount: profile.env_steps_per_second * profile.generation_seconds,
        };
        let mut rows = vec![self.row(case, "generation", "env-steps/s", &whole, Work::default())];
        for Part { name, seconds, of_ceiling, ceiling, .. } in profile.parts {
            let once = Measured { seconds, amount: 1.0 };
            let row = self.row(case, &name, "calls/s", &once, Work::default());
            rows.push(Row { of_ceiling: Some(of_ceiling), ceiling: Some(ceiling.into()), ..row });
        }
        Ok(rows)
    }
}

/// The paper's sizes, with energy for all of a maze's actions: nobody dies, so that all that is counted is computed.
fn plan(task: &str, unit: UnitKind, fast: bool, population: u32) -> Result<Plan> {
    let (unit, numerics) = (unit.name(), if fast { "fast" } else { "exact" });
    let sizes = if task.ends_with("maze") {
        "environments = 8\nactions = 100\nenergy = 100"
    } else {
        "environments = 32\nsteps = 100"
    };
    let text = format!(
        "format = 1\n[run]\nname = \"bench\"\ngenerations = 1\nnumerics = \"{numerics}\"\n\
         [unit.{unit}]\ninputs = 16\nmemory = 32\noutputs = 16\n[task.{task}]\n{sizes}\n[es]\npopulation = {population}\n"
    );
    let config: Config = toml::from_str(&text).map_err(|e| Error::Config(format!("the bench's config: {e}")))?;
    Plan::new(config).map_err(|invalid| Error::Config(format!("the bench's config: {invalid}")))
}

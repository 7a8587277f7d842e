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
        let (is_maze, is_assay) = (task.ends_with("maze"), task == "assay");
        // A network takes as long as a hundred units, and a life is a dozen episodes.
        let population = if self.gpu.is_none() && (is_maze || is_assay) { 64 } else { 1024 };
        let sizes = match (is_maze, is_assay) {
            // Emulated kernels are only tried.
            (true, _) if self.is_emulated() => "environments = 1\nactions = 2\nticks_per_action = 2\nenergy = 2",
            (_, true) if self.is_emulated() => "assays = [\"preference\"]\nlives = 1",
            _ if self.is_emulated() => "environments = 2\nsteps = 4",
            // The paper's, with energy for all actions: nobody dies, so that all that is counted is computed.
            (true, _) => "environments = 8\nactions = 100\nenergy = 100",
            // Of chemotaxis.
            (_, true) => "lives = 32",
            _ => "environments = 32\nsteps = 100",
        };
        let (population, run) = if self.is_emulated() { (2, "validation_episodes = 2") } else { (population, "") };
        let (unit, numerics) = (unit.name(), if fast { "fast" } else { "exact" });
        let config = format!(
            "format = 1\n[run]\nname = \"bench\"\ngenerations = 1\nnumerics = \"{numerics}\"\n\
             {run}\n[unit.{unit}]\ninputs = 16\nmemory = 32\n\
             outputs = 16\n[task.{task}]\n{sizes}\n[es]\npopulation = {population}\n"
        );
        let plan = plan(&config)?;
        let profile = workload::profile(&plan, self.device, 1, &self.ceilings)?;
        let whole = Measured {
            seconds: profile.generation_seconds,
            amount: profile.env_steps_per_second * profile.generation_seconds,
        };
        let mut rows = vec![self.row(case, "generation", "env-steps/s", &whole, Work::default())];
        if is_assay {
            let lives = Measured { amount: ((plan.population + 1) * plan.environments) as f64, ..whole };
            rows.push(self.row(case, "lives", "lives/s", &lives, Work::default()));
        }
        for Part { name, seconds, of_ceiling, ceiling, .. } in profile.parts {
            let once = Measured { seconds, amount: 1.0 };
            let row = self.row(case, &name, "calls/s", &once, Work::default());
            rows.push(Row { of_ceiling: Some(of_ceiling), ceiling: Some(ceiling.into()), ..row });
        }
        Ok(rows)
    }
}

fn plan(config: &str) -> Result<Plan> {
    let config: Config = toml::from_str(config).map_err(|e| Error::Config(format!("the bench's config: {e}")))?;
    Plan::new(config).map_err(|invalid| Error::Config(format!("the bench's config: {invalid}")))
}

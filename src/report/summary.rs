//! The facts at the head of the page.

use serde::Serialize;

use super::html::{count, duration, measured};
use crate::config::Config;
use crate::engine::State;
use crate::network::Rule;
use crate::network::plastic::Constant;
use crate::plan::Plan;
use crate::registry::{self, Entry};
use crate::run::Metrics;

/// What was evolved to do what.
pub fn subtitle(config: &Config) -> String {
    let (unit, task) = (chosen(&config.unit), chosen(&config.task));
    format!("{unit} on {task} \u{2013} {}", about(&task, registry::TASKS))
}

/// Names and values, in reading order; what is not known yet is left out.
pub fn rows(plan: &Plan, metrics: &[Metrics], state: Option<&State>) -> Vec<(&'static str, String)> {
    let mut rows = setting(plan);
    rows.extend(progress(plan, metrics, state));
    rows.push(("seed", plan.config.run.seed.to_string()));
    rows
}

fn setting(plan: &Plan) -> Vec<(&'static str, String)> {
    let (config, shape) = (&plan.config, plan.unit);
    let sizes = format!("inputs {}, memory {}, outputs {}", shape.inputs, shape.memory, shape.outputs);
    let episodes = format!("{} episodes of {} steps per offspring and generation", plan.environments, plan.steps);
    let mut rows = vec![
        ("task", format!("{}; {episodes}", chosen(&config.task))),
        ("unit", format!("{}; {sizes}", chosen(&config.unit))),
    ];
    if let Some(rule) = plan.rule() {
        rows.push(("synapses", format!("{} \u{2013} {}", rule.name(), about(rule.name(), registry::RULES))));
    }
    rows.extend([
        ("parameters", count(plan.parameters() as u64)),
        ("optimiser", format!("{}; {} offspring", chosen(&config.optimiser()), count(plan.population as u64))),
    ]);
    rows
}

/// The constants of a rule as parameters make them.
fn constants(rule: Rule, parameters: &[f32]) -> String {
    let mut rule = rule.with(parameters);
    let named = |Constant { name, value, .. }| format!("{name} {}", measured(f64::from(*value)));
    rule.constants().into_iter().map(named).collect::<Vec<_>>().join(", ")
}

fn progress(plan: &Plan, metrics: &[Metrics], state: Option<&State>) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    let recorded = metrics.last().map_or(0, |row| row.generation + 1);
    let done = state.map_or(0, |state| state.generation).max(recorded);
    rows.push(("generations done", format!("{} of {}", count(done.into()), count(plan.config.run.generations.into()))));
    let at = |fitness: f32, generation: u32| {
        format!("{} (generation {})", measured(fitness.into()), count(generation.into()))
    };
    let finite = metrics.iter().filter(|row| row.best.is_finite());
    if let Some(row) = finite.max_by(|a, b| a.best.total_cmp(&b.best)) {
        rows.push(("best offspring", at(row.best, row.generation)));
    }
    if let Some(best) = state.and_then(|state| state.best.as_ref()) {
        let (fitness, generations) = (measured(best.fitness.into()), count(best.generation.into()));
        rows.push(("best centre", format!("{fitness} on validation episodes (after {generations} generations)")));
        if let Some(rule) = plan.rule() {
            rows.push(("its synapses", constants(rule, &best.parameters)));
        }
    }
    if let Some(last) = metrics.last() {
        let (centre, mean) = (measured(last.centre.into()), measured(last.mean.into()));
        rows.push(("last generation", format!("centre {centre}, mean of offspring {mean}")));
        rows.push(("wall time", duration(last.seconds)));
        let steps = plan.facts().env_steps as f64 * metrics.len() as f64;
        rows.push(("environment steps per second", format!("{} million", measured(steps / last.seconds / 1e6))));
    }
    rows
}

/// Name of the table chosen in the config: the key of an enum's only variant.
fn chosen(choice: &impl Serialize) -> String {
    let value = serde_json::to_value(choice).unwrap_or_default();
    value.as_object().and_then(|table| table.keys().next().cloned()).unwrap_or_default()
}

fn about(name: &str, entries: &[Entry]) -> &'static str {
    entries.iter().find(|entry| entry.name == name).map_or("", |entry| entry.summary)
}

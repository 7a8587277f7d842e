//! Small plans of every kind, and what a run computes as bits; for the tests that compare runs.

// Every test file takes from this what it needs.
#![allow(dead_code)]

use phylon::config::{Config, Task};
use phylon::cpu::InstructionSet;
use phylon::engine::{Engine, Generation, State};
use phylon::plan::Plan;
use phylon::registry::{TASKS, UNITS};
use phylon::workload;

pub const GENERATIONS: u32 = 4;

/// Optimiser tables that between them take every path of an update. 34 offspring fill more than the 32 chunks of a sum,
/// so that some chunks hold two offspring and some none. Sigma is large: a unit whose first output is clipped to 0 is
/// silent whatever small mutations do, and silence is too easy to repeat.
pub const OPTIMISER_TABLES: &[&str] = &[
    "[es]\npopulation = 34\nsigma = 0.5\n[es.momentum]\nmomentum = 0.8",
    "[es]\npopulation = 34\nsigma = 0.5\nantithetic = true\nsigma_decay = 0.9\nsigma_min = 0.42\nweight_decay = 0.01",
    "[es]\npopulation = 35\nsigma = 0.5\nrank_exponent = 1\n[es.adam]",
    "[es]\npopulation = 34\nsigma = 0.5\nantithetic = true\nsigma_decay = 0.9\nweight_decay = 0.01\n[es.adam]\nbeta1 = 0.5",
    "[snes]\nsigma = 0.5",
    "[snes]\npopulation = 34\nlearning_rate = 0.5\nsigma_learning_rate = 0.1",
];

/// Unit and episodes of a task, few and short; for some tasks more than one window, the last of them not full. In the mazes
/// some agents die early.
fn sizes(task: &str) -> (&'static str, &'static str) {
    const UNIT: &str = "inputs = 5\nmemory = 7\noutputs = 3";
    const NETWORK: &str = "inputs = 6\nmemory = 5\noutputs = 6\ninitial_scale = 3.0\n\
                           [network]\nneurons = 3\nsynapses = 4\nrandom.seed = 2";
    match task {
        "iaf" => (UNIT, "environments = 37\nsteps = 24"),
        "assay" => ("inputs = 17\nmemory = 7\noutputs = 4", "assays = ['avoidance', 'preference']\nlives = 3"),
        "t_maze" => (NETWORK, "environments = 17\nactions = 16\nticks_per_action = 2\nenergy = 12\nswap_after = 1"),
        "double_t_maze" => (NETWORK, "environments = 4\nactions = 24\nticks_per_action = 1\nenergy = 20\npoisons = 2"),
        _ => (UNIT, "environments = 5\nsteps = 24"),
    }
}

pub fn plan(unit: &str, task: &str, optimiser: &str, seed: u64) -> Plan {
    let (sizes, episodes) = sizes(task);
    let text = format!(
        "format = 1\n[run]\nname = 'x'\ngenerations = {GENERATIONS}\nvalidation_episodes = 18\nseed = {seed}\n\
         [unit.{unit}]\n{sizes}\n[task.{task}]\n{episodes}\n{optimiser}\n"
    );
    let config: Config = toml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    Plan::new(config).unwrap_or_else(|e| panic!("{e:?}\n{text}"))
}

/// Every unit with every task and every optimiser table.
pub fn plans() -> Vec<(String, Plan)> {
    let mut plans = Vec::new();
    for unit in UNITS {
        for task in TASKS {
            // Optimisers know nothing of tasks: two of them are enough for a world.
            let in_world = task.name.ends_with("t_maze") || task.name == "assay";
            let tables = OPTIMISER_TABLES.iter().enumerate().filter(|(i, _)| !in_world || [1, 4].contains(i));
            for (_, optimiser) in tables {
                let name = format!("[unit.{}] [task.{}] {}", unit.name, task.name, optimiser.replace('\n', " "));
                let mut plan = plan(unit.name, task.name, optimiser, 11);
                if let Task::Iaf(iaf) = &mut plan.config.task {
                    (iaf.shared, iaf.shared_decay) = (0.4, 0.7);
                }
                plans.push((name, plan));
            }
        }
    }
    plans
}

/// The reference.
pub fn cpu(plan: &Plan) -> Box<dyn Engine> {
    workload::cpu_engine(plan, InstructionSet::best())
}

/// All that a run computes, as bits: NaN is equal to itself and 0 differs from -0.
#[derive(Debug, PartialEq, Clone)]
pub struct Trace {
    /// Of each generation: fitness of the offspring, then of the centre.
    pub fitness: Vec<Vec<u32>>,
    pub state: Vec<(String, Vec<u32>)>,
}

pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// Every field of a state, by name.
pub fn state_bits(state: &State) -> Vec<(String, Vec<u32>)> {
    let State { generation, centre, optimiser, best } = state;
    let mut all = vec![("generation".to_owned(), vec![*generation]), ("centre".to_owned(), bits(centre))];
    all.extend(optimiser.iter().map(|(name, vector)| (name.clone(), bits(vector))));
    if let Some(best) = best {
        all.push(("best".to_owned(), [vec![best.generation, best.fitness.to_bits()], bits(&best.parameters)].concat()));
    }
    all
}

pub fn advance(engine: &mut dyn Engine, generations: u32) -> Vec<Generation> {
    let mut out = Vec::new();
    engine.advance(generations, &mut out).expect("finite fitness");
    out
}

pub fn trace(generations: &[Generation], state: &State) -> Trace {
    let fitness = generations.iter().map(|g| [bits(&g.fitness), vec![g.centre.to_bits()]].concat()).collect();
    Trace { fitness, state: state_bits(state) }
}

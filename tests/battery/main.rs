//! The battery: its worlds and rules against reference data, its nulls and controls against the figures they must have, and the
//! program that judges.

mod by_hand;
mod commands;
mod goldens;
mod judgements;
mod lives;
#[path = "../program/mod.rs"]
mod program;
#[path = "../trajectories/mod.rs"]
mod trajectories;

use phylon::battery::assays::{Asked, Assay, Subject};
use phylon::battery::play::{Controller, Lives, Treatment};
use phylon::plan::Plan;
use phylon::rng::{Row, Stream};

/// Lives of every figure below.
const LIVES: Lives = Lives { seed: 1, count: 1000 };

fn assay(letter: &str) -> &'static Assay {
    Assay::named(letter).unwrap()
}

/// On the CPU.
fn asked(lives: Lives, treatment: Treatment) -> Asked<'static> {
    Asked { gpu: None, lives, treatment }
}

fn animal(controller: impl Controller + 'static) -> Subject {
    Subject::Animal(Box::new(controller))
}

/// A plan in which the animal of these assays is evolved, with other tables.
fn evolving(assays: &str, tables: &str) -> Plan {
    let text = format!(
        "format = 1\n[run]\nname = 'x'\ngenerations = 3\nvalidation_episodes = 7\nvalidate_every = 2\n[task.assay]\n\
         assays = {assays}\nlives = 5\n[es]\npopulation = 6\nsigma = 0.3\n{tables}"
    );
    Plan::new(toml::from_str(&text).expect("toml")).expect("a plan")
}

const NETWORK: &str = "[unit.enu]\ninputs = 6\nmemory = 5\noutputs = 6\ninitial_scale = 3.0\n[network]\nneurons = 5\n\
                       synapses = 9\n[network.random]";

fn parameters(plan: &Plan) -> Vec<f32> {
    let mut parameters = vec![0.0; plan.parameters()];
    Row { seed: 3, stream: Stream::Initial, generation: 0, index: 0 }.normals(0, &mut parameters);
    parameters
}

//! Trainings of the paper's tables 1 to 4 by deep Q-learning on a device, side by side:
//!
//!     cargo run --release --example dqn_batch -- cuda steps=20000 all cartpole lunar-lander-16 acrobot-39
//!
//! Each argument behind the device is a batch: `all` 144 trainings, a world its 36, a world and a number of genes (39: with rules
//! from data) the 9 of a cell. Prints a line of JSON for each: seconds for setting up and for all of it, by the clock on the wall,
//! those of the kernels, also launch by launch, and steps and updates a second of the kernels. Without `steps=` a training has
//! its published 500,000 steps.

use std::error::Error;
use std::time::Instant;

use phylon::device::Device;
use phylon::registry::WorldKind;
use phylon::synaptogen::dqn::{RATES, SEEDS, STEPS, Training};
use phylon::synaptogen::gpu::Learners;
use phylon::synaptogen::rules::{CoExpression, Neurons};
use phylon::synaptogen::{RuleMap, Shape};
use serde_json::json;

const WORLDS: [WorldKind; 4] =
    [WorldKind::CartPole, WorldKind::MountainCar, WorldKind::Acrobot, WorldKind::LunarLander];
/// Steps of a launch.
const STRIDE: u32 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1).peekable();
    let device = Device::choose(&args.next().as_deref().unwrap_or("auto").parse()?, None)?;
    let steps = match args.peek().and_then(|arg| arg.strip_prefix("steps=")).map(str::parse) {
        Some(steps) => {
            args.next();
            steps?
        }
        None => STEPS,
    };
    let Some(gpu) = device.open()? else { return Err("batches of learners are for devices".into()) };
    let all = trainings(steps);
    for batch in args {
        let of_batch = |(name, training): &(String, Training)| {
            let is_in = batch == "all" || batch == *name || batch == training.world.spec().name;
            is_in.then(|| training.clone())
        };
        let trainings: Vec<Training> = all.iter().filter_map(of_batch).collect();
        if trainings.is_empty() {
            return Err(format!("there is no batch `{batch}`; try: all, cartpole or cartpole-16").into());
        }
        let started = Instant::now();
        let mut learners = Learners::new(&gpu, &trainings)?;
        let setting_up = started.elapsed().as_secs_f64();
        let mut launches = Vec::new();
        while !learners.are_done() {
            launches.push(learners.advance(STRIDE)?);
        }
        let trained = learners.finish()?;
        let seconds = started.elapsed().as_secs_f64();
        let kernels: f64 = launches.iter().sum();
        let steps: u64 = trained.iter().map(|trained| u64::from(trained.steps)).sum();
        let updates: u64 = trained.iter().map(|trained| u64::from(trained.updates)).sum();
        let line = json!({
            "batch": batch,
            "trainings": trainings.len(),
            "steps": steps,
            "updates": updates,
            "setting_up_seconds": setting_up,
            "seconds": seconds,
            "kernel_seconds": kernels,
            "launch_seconds": launches,
            "steps_per_second": steps as f64 / kernels,
            "updates_per_second": updates as f64 / kernels,
        });
        println!("{line}");
    }
    Ok(())
}

/// All of the tables, each with the name of its cell.
fn trainings(steps: u32) -> Vec<(String, Training)> {
    let from_data = CoExpression::of(&Neurons::celegans());
    let genes = from_data.kept().len();
    let with_data = (genes, RuleMap::TwoSigmoids { coexpressed: from_data.mask() });
    let cells = [(16, RuleMap::Sigmoid), with_data, (32, RuleMap::Sigmoid), (64, RuleMap::Sigmoid)];
    let mut trainings = Vec::new();
    for world in WORLDS {
        let spec = world.spec();
        for (genes, rules) in &cells {
            let shape = Shape::new(&[spec.observations, 128, spec.actions.outputs()], *genes);
            for (rate, seed) in RATES.into_iter().flat_map(|rate| SEEDS.map(|seed| (rate, seed))) {
                let training = Training { world, shape: shape.clone(), rules: rules.clone(), rate, seed, steps };
                trainings.push((format!("{}-{genes}", spec.name), training));
            }
        }
    }
    trainings
}

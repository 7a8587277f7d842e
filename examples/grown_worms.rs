//! Evolves genes for worms that go to salt (assay A of the battery): SynaptoGen's profiles, judged by agents that are grown from them,
//! each with synapses of its own; and grows one more agent, which the program judges.
//!
//!     cargo run --release --example grown_worms -- 1 worm-1.npz
//!     phylon battery worm-1.npz --assay A
//!
//! An agent is a network without state, so of the assays with animals A is the one that it can pass.

use phylon::battery::assays::Assay;
use phylon::battery::plain::Plain;
use phylon::battery::play::Window;
use phylon::config;
use phylon::error::Result;
use phylon::search::ask_tell::AskTell;
use phylon::search::snes::Snes;
use phylon::search::strategy::Strategy;
use phylon::synaptogen::{Profile, RuleMap, Shape, fitness};
use rayon::prelude::*;

const GENES: usize = 8;
const HIDDEN: usize = 16;
const GENERATIONS: u64 = 200;
const POPULATION: usize = 32;
/// That are grown from an offspring.
const AGENTS: u32 = 4;
/// Of each of them.
const LIVES: usize = 8;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let seed: u64 = args.next().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let path = args.next().unwrap_or(format!("worm-{seed}.npz"));
    let assay = Assay::named("A")?;
    let shape = Shape::new(&[assay.channels(), HIDDEN, assay.game.motors.len()], GENES);
    let first = Profile::initial(shape, RuleMap::Sigmoid, seed);
    let profile = |point: &[f64]| {
        let parameters = point.iter().map(|&x| x as f32).collect();
        Profile { parameters, ..first.clone() }
    };
    let snes = Snes::new(&config::Snes { sigma: 0.3, ..Default::default() }, POPULATION, first.parameters.clone());
    let mut search = Strategy::new(snes, POPULATION, seed);
    for generation in 0..GENERATIONS {
        // All offspring live the same lives, others in each generation.
        let window = Window { seed: seed << 32 | generation, first: 0, count: LIVES as u32, noise: 0.0, noisy: 0 };
        let judge = |point: &Vec<f64>| -> Result<f64> {
            let agents = fitness::grow(&profile(point), generation, 0..AGENTS)?;
            let mut lives = vec![0.0; agents.len() * LIVES];
            for (agent, lives) in agents.into_iter().zip(lives.chunks_exact_mut(LIVES)) {
                (assay.game.evolve)(&Plain::new(agent), window, lives);
            }
            Ok(lives.iter().map(|&life| f64::from(life)).sum::<f64>() / lives.len() as f64)
        };
        let fitness = search.ask().par_iter().map(judge).collect::<Result<Vec<f64>>>()?;
        search.tell(&fitness);
        if generation % 20 == 19 {
            let mean = fitness.iter().sum::<f64>() / POPULATION as f64;
            println!("generation {:3}: approach {mean:.2}", generation + 1);
        }
    }
    // An agent that the search has not seen.
    let agent = fitness::grow(&profile(&search.centre()), u64::MAX, 0..1)?.remove(0);
    agent.write(path.as_ref())?;
    println!("{path}: one agent of the centre");
    Ok(())
}

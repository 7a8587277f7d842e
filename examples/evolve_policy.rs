//! Evolves a policy for a world of Gymnasium, with nothing but the library, and writes it to a file.
//!
//!     cargo run --release --example evolve_policy -- lunar-lander policy.npz
//!     phylon rollout --env lunar-lander --policy policy.npz --gymnasium-seeds --render landing.gif
//!
//! The search is a separable natural evolution strategy: the offspring of a generation are mutations of one centre, all play
//! the same few episodes, and their ranks move the centre. The next generation plays other episodes, so that what is found
//! is a policy and not the answer to some draws.

use phylon::config;
use phylon::cpu::InstructionSet;
use phylon::device::Device;
use phylon::error::Result;
use phylon::policy::{Activation, Mlp};
use phylon::registry::WorldKind;
use phylon::rollout::{Policy, Rollout};
use phylon::search::Optimiser;
use phylon::search::mutation::{self, Mutation};
use phylon::search::snes::Snes;
use phylon::world::Seeds;
use rayon::prelude::*;

const HIDDEN: usize = 16;
const GENERATIONS: u32 = 150;
const POPULATION: usize = 128;
/// That every offspring plays.
const EPISODES: u32 = 8;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let world = WorldKind::named(&args.next().unwrap_or("lunar-lander".into()))?;
    let path = args.next().unwrap_or("policy.npz".into());

    let spec = world.spec();
    let mut policy = Mlp::new(&[spec.observations, HIDDEN, spec.actions.outputs()], Activation::Tanh);
    let length = policy.parameters().len();
    let mut search = Snes::new(&config::Snes::default(), POPULATION, vec![0.0; length]);

    for generation in 0..GENERATIONS {
        let mutation = Mutation { seed: 1, generation, antithetic: search.antithetic() };
        let play = |offspring| {
            let mut policy = policy.clone();
            mutation.perturb(offspring, search.centre(), search.spread(), policy.parameters_mut());
            mean_return(world, policy, Seeds::Phylon(generation.into()), EPISODES).map(|mean| mean as f32)
        };
        let fitness: Vec<f32> = (0..POPULATION).into_par_iter().map(play).collect::<Result<_>>()?;
        let utilities = search.utilities(&fitness);
        let second = search.needs_second();
        search.update(&mutation::sums(&mutation, &utilities, length, second, InstructionSet::best()));
        if generation % 10 == 9 {
            let mean = fitness.iter().sum::<f32>() / POPULATION as f32;
            println!("generation {:3}: mean return {mean:7.1}", generation + 1);
        }
    }

    policy.parameters_mut().copy_from_slice(search.centre());
    policy.write(path.as_ref())?;
    let mean = mean_return(world, policy, Seeds::Gymnasium(0), 1000)?;
    let solved = spec.threshold.map_or(String::new(), |threshold| format!(", solved from {threshold}"));
    println!(
        "{path}: mean return {mean:.1} over the episodes that {} plays after reset(seed=0..999){solved}",
        spec.gymnasium
    );
    Ok(())
}

fn mean_return(world: WorldKind, policy: Mlp, seeds: Seeds, episodes: u32) -> Result<f64> {
    let rollout = Rollout { world, policy: Policy::Mlp(policy), seeds, episodes };
    let played = rollout.play(&Device::cpu(), &|_| ())?.episodes;
    Ok(played.iter().map(|episode| episode.reward).sum::<f64>() / played.len() as f64)
}

//! SynaptoGen on the CPU: assembly of a population and episodes of grown agents on all threads, and deep Q-learning on one.
//!
//! Throughput is given in offspring, and in steps of the environment.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use phylon::policy::{Activation, Mlp};
use phylon::registry::WorldKind;
use phylon::rng::{Row, Stream};
use phylon::rollout::Population;
use phylon::synaptogen::dqn::Training;
use phylon::synaptogen::{Assembly, RuleMap, Shape};
use rayon::prelude::*;

const POPULATION: usize = 1024;

/// Every offspring's weights from its own raw parameters, 8-128-4 neurons.
fn assembly(c: &mut Criterion) {
    let mut group = c.benchmark_group("assembly");
    for genes in [16, 32, 64] {
        let shape = Shape::new(&[8, 128, 4], genes);
        let mut parameters = vec![0.0; POPULATION * shape.parameters()];
        Row { seed: 1, stream: Stream::Fresh, generation: 0, index: 0 }.normals(0, &mut parameters);
        group.throughput(Throughput::Elements(POPULATION as u64));
        group.bench_function(format!("{POPULATION}_of_{genes}_genes"), |b| {
            b.iter(|| {
                let workspace = || Assembly::new(&shape, &RuleMap::Sigmoid);
                let offspring = parameters.par_chunks_exact(shape.parameters()).with_min_len(64);
                offspring.for_each_init(workspace, |assembly, parameters| {
                    assembly.assemble(parameters);
                    black_box(assembly.weights_of(1));
                });
            });
        });
    }
}

/// Learners with the published schedule. The share of steps before the first update is that of a short run.
fn learning(c: &mut Criterion) {
    let mut group = c.benchmark_group("dqn");
    let cases = [(WorldKind::CartPole, 16), (WorldKind::CartPole, 64), (WorldKind::LunarLander, 16)];
    for (world, genes) in cases {
        let spec = world.spec();
        let shape = Shape::new(&[spec.observations, 128, spec.actions.outputs()], genes);
        let training = Training { world, shape, rules: RuleMap::Sigmoid, rate: 0.003, seed: 1, steps: 20_000 };
        group.sample_size(10).throughput(Throughput::Elements(u64::from(training.steps)));
        group.bench_function(format!("{}_{genes}_genes", spec.name), |b| {
            b.iter(|| training.run(&|_| {}).expect("a world with hyperparameters"));
        });
    }
}

/// 100 agents that keep the pole up, 10 episodes each: hidden neurons 0 and 1 see k x and -k x.
fn evaluation(c: &mut Criterion) {
    let mut balancer = Mlp::new(&[4, 128, 2], Activation::Selu);
    let (hidden, outputs) = balancer.parameters_mut().split_at_mut(5 * 128);
    for (input, k) in [0.1, 0.5, 5.0, 1.0].into_iter().enumerate() {
        hidden[input * 128..][..2].copy_from_slice(&[k, -k]);
    }
    outputs[..4].copy_from_slice(&[-1.0, 1.0, 1.0, -1.0]);
    let agents = vec![balancer; 100];
    let population = Population { world: WorldKind::CartPole, agents: &agents, episodes: 10, seed: 1 };
    let mut group = c.benchmark_group("evaluation");
    group.throughput(Throughput::Elements(100 * 10 * 500));
    group.bench_function("100_agents_of_cartpole", |b| {
        b.iter(|| {
            let played = population.play(&|_| {}).expect("agents that fit");
            assert!(played.iter().flatten().all(|episode| episode.length == 500));
        });
    });
}

criterion_group!(benches, assembly, learning, evaluation);
criterion_main!(benches);

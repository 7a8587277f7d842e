//! Whole generations on the CPU, one per task and size; `benches/README.md` says how to read the figures.
//!
//! Throughput is given in floating-point operations: two for every multiply-add of the units' matrices as executed.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use phylon::config::{Config, Es, Iaf, Maze, Numerics, Run, Stdp, Task, Unit, UnitSize};
use phylon::cpu::InstructionSet;
use phylon::plan::Plan;
use phylon::rng::{Row, Stream};
use phylon::search::mutation::{Mutation, sums};
use phylon::task::Episodes;
use phylon::workload::single_unit::SingleUnit;
use phylon::workload::{self, Workload};
use rayon::prelude::*;

const POPULATION: u32 = 1024;

fn plan(population: u32, inputs: u32, outputs: u32, task: Task) -> Plan {
    let es = Es { population, ..Es::default() };
    let run = Run {
        name: "bench".into(),
        generations: 1,
        seed: 1,
        checkpoint_every: 1,
        validate_every: u32::MAX,
        validation_episodes: 1,
        first_centres: 1,
        start: None,
        numerics: Numerics::Exact,
    };
    let unit = Unit::Enu(UnitSize { inputs, memory: 32, outputs, ..UnitSize::default() });
    Plan::new(Config { format: 1, run, unit, network: None, task, es: Some(es), snes: None })
        .expect("a plan that can run")
}

/// A generation of each task: mutate, play, rank, sum the noise, update.
fn generations(c: &mut Criterion) {
    let cases = [
        ("iaf_16_32_16", plan(POPULATION, 16, 16, Task::Iaf(Iaf::default()))),
        ("iaf_1_32_1", plan(POPULATION, 1, 1, Task::Iaf(Iaf::default()))),
        ("stdp_4_32_1", plan(POPULATION, 4, 1, Task::Stdp(Stdp::default()))),
        ("stdp_complex_4_32_1", plan(POPULATION, 4, 1, Task::StdpComplex(Stdp::default()))),
        // 400 network steps. With energy for all of them nobody dies, so that everything counted is computed.
        ("t_maze_64", plan(64, 16, 16, Task::TMaze(Maze { actions: 100, energy: 100, ..Maze::default() }))),
        // As the first generations are: agents that find no food die after 40 actions of 400.
        ("t_maze_64_starving", plan(64, 16, 16, Task::TMaze(Maze::default()))),
    ];
    let mut group = c.benchmark_group("generation");
    for (name, plan) in cases {
        let mut engine = workload::cpu_engine(&plan, InstructionSet::best());
        group.sample_size(10).throughput(Throughput::Elements(engine.facts().flops));
        group.bench_function(name, |b| {
            let mut out = Vec::new();
            b.iter(|| {
                out.clear();
                engine.advance(1, &mut out).expect("finite fitness");
            });
        });
    }
    group.finish();
}

/// The play of a generation with all sixteen inputs read, zero or not: the arithmetic of the programs compared with.
fn dense(c: &mut Criterion) {
    let plan = plan(POPULATION, 16, 16, Task::Iaf(Iaf::default()));
    let unit = SingleUnit::new(&plan);
    let drawn = unit.generation_episodes(plan.environments, 1, 0);
    let mut episodes = Episodes::silent(plan.environments, plan.steps, plan.unit.inputs);
    episodes.target.clone_from(&drawn.target);
    for step in 0..plan.steps {
        let (to, from) = (episodes.input_at(step, 0, 0), drawn.input_at(step, 0, 0));
        episodes.inputs[to..to + drawn.lanes].copy_from_slice(&drawn.inputs[from..from + drawn.lanes]);
    }
    let mut parameters = vec![0.0; plan.parameters()];
    Row { seed: 1, stream: Stream::Initial, generation: 0, index: 0 }.normals(0, &mut parameters);
    parameters.iter_mut().for_each(|x| *x /= 8.0);
    let steps = u64::from(POPULATION) * (plan.environments * plan.steps) as u64;
    let mut group = c.benchmark_group("play");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(steps * 2 * plan.unit.multiply_adds(plan.unit.inputs) as u64));
    group.bench_function("iaf_16_32_16_dense", |b| {
        b.iter(|| {
            let total: f32 = (0..POPULATION)
                .into_par_iter()
                .map(|_| unit.fitness(black_box(&parameters), &episodes).iter().sum::<f32>())
                .sum();
            black_box(total)
        });
    });
    group.finish();
}

/// Regenerating the noise of a whole generation and summing it.
fn update(c: &mut Criterion) {
    let (population, parameters) = (POPULATION as usize, 6_656);
    let utilities = vec![1.0 / population as f32; population];
    let mut group = c.benchmark_group("update");
    group.sample_size(10).throughput(Throughput::Elements((population * parameters) as u64));
    group.bench_function("noise_sums_6656", |b| {
        let mutation = Mutation { seed: 1, generation: 0, antithetic: false };
        b.iter(|| sums(&mutation, black_box(&utilities), parameters, false, InstructionSet::best()));
    });
    group.finish();
}

criterion_group!(benches, generations, dense, update);
criterion_main!(benches);

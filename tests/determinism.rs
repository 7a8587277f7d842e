//! The same config and seed give the same bits, whatever the number of threads and the instruction set, in one go or
//! restored halfway, simulated or replayed from the fitness log: for every unit, task and optimiser there is.

mod common;

use common::*;
use phylon::cpu::InstructionSet;
use phylon::engine::State;
use phylon::hash::fnv1a;
use phylon::plan::Plan;
use phylon::registry::OPTIMISERS;
use phylon::workload;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

fn run(plan: &Plan, instructions: InstructionSet) -> Trace {
    let mut engine = workload::cpu_engine(plan, instructions);
    let generations = advance(engine.as_mut(), GENERATIONS);
    trace(&generations, &engine.state().expect("the CPU keeps its state"))
}

/// Every plan in turn; the plans share the threads, and each is compared with itself only.
fn for_each_plan(check: impl Fn(&str, &Plan) + Sync) {
    plans().par_iter().for_each(|(name, plan)| check(name, plan));
}

#[test]
fn the_tables_name_every_optimiser() {
    for entry in OPTIMISERS {
        assert!(OPTIMISER_TABLES.iter().any(|table| table.starts_with(&format!("[{}]", entry.name))), "{}", entry.name);
    }
}

#[test]
fn any_number_of_threads() {
    let runs: Vec<Vec<Trace>> = [1, 2, 3, 16]
        .into_iter()
        .map(|threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| plans().iter().map(|(_, plan)| run(plan, InstructionSet::best())).collect())
        })
        .collect();
    for (i, (name, _)) in plans().iter().enumerate() {
        assert!(runs.iter().all(|run| run[i] == runs[0][i]), "{name}");
    }
}

#[test]
fn every_instruction_set() {
    for_each_plan(|name, plan| {
        let best = run(plan, InstructionSet::best());
        for set in InstructionSet::available() {
            assert!(run(plan, set) == best, "{name}: {} differs from {}", set.name(), InstructionSet::best().name());
        }
    });
}

#[test]
fn a_restored_run_goes_on_as_if_nothing_had_happened() {
    for_each_plan(|name, plan| {
        let straight = run(plan, InstructionSet::best());
        for halfway in 1..GENERATIONS {
            let mut first = cpu(plan);
            let mut generations = advance(first.as_mut(), halfway);
            let mut second = cpu(plan);
            // Anything the second engine did before must be forgotten.
            advance(second.as_mut(), 1);
            second.restore(&first.state().expect("the CPU keeps its state")).expect("the state of the same plan");
            assert_eq!(
                state_bits(&first.state().expect("the CPU keeps its state")),
                state_bits(&second.state().expect("the CPU keeps its state")),
                "{name}"
            );
            generations.extend(advance(second.as_mut(), GENERATIONS - halfway));
            assert!(
                trace(&generations, &second.state().expect("the CPU keeps its state")) == straight,
                "{name}: restored at {halfway}"
            );
        }
    });
}

#[test]
fn replaying_the_fitness_gives_the_same_parameters() {
    for_each_plan(|name, plan| {
        let mut simulated = cpu(plan);
        let generations = advance(simulated.as_mut(), GENERATIONS);
        let mut replayed = cpu(plan);
        for generation in &generations {
            replayed.replay(&generation.fitness).expect("a finite fitness");
        }
        // Fitness of the centres is not in the log, so the best one is not rebuilt.
        let expected = State { best: None, ..simulated.state().expect("the CPU keeps its state") };
        assert!(state_bits(&replayed.state().expect("the CPU keeps its state")) == state_bits(&expected), "{name}");
    });
}

/// The comparisons above would also hold if nothing ever moved.
#[test]
fn runs_learn_something_and_seeds_matter() {
    for_each_plan(|name, plan| {
        let one = run(plan, InstructionSet::best());
        let start = cpu(plan).state().expect("the CPU keeps its state");
        assert_ne!(one.state[1].1, bits(&start.centre), "{name}: the centre did not move");
        assert!(one.fitness.windows(2).all(|pair| pair[0] != pair[1]), "{name}: generations alike");
        let first = &one.fitness[0];
        assert!(first.iter().any(|f| f != &first[0]), "{name}: offspring alike");
        let mut config = plan.config.clone();
        config.run.seed += 1;
        let other = run(&Plan::new(config).expect("a seed"), InstructionSet::best());
        assert!(one.fitness != other.fitness && one.state != other.state, "{name}: seeds alike");
    });
}

/// Fingerprints of the final parameters of some small runs: they notice a change of the bits that nobody meant.
///
/// When a change is meant (another order of sums, another polynomial, another draw), old runs can no longer be resumed
/// or replayed bit for bit by the new version. Say so in the change log, then put the fingerprints that the failing
/// test prints here.
const FINGERPRINTS: [(&str, &str, usize, u64); 4] = [
    ("enu", "iaf", 0, 0x286b_34b2_03fe_2d4e),
    ("nfenu", "stdp", 1, 0xe735_96c1_2a2c_fd11),
    ("gru", "stdp_complex", 3, 0x87e9_a2a7_4c51_5fe0),
    ("lstm", "iaf", 4, 0x8d60_8ec8_4bb6_ee7c),
];

#[test]
fn the_bits_are_those_of_earlier_versions() {
    let seen = FINGERPRINTS.map(|(unit, task, optimiser, _)| {
        let mut engine = cpu(&plan(unit, task, OPTIMISER_TABLES[optimiser], 11));
        advance(engine.as_mut(), GENERATIONS);
        (
            unit,
            task,
            optimiser,
            fnv1a(engine.state().expect("the CPU keeps its state").centre.into_iter().flat_map(f32::to_le_bytes)),
        )
    });
    assert!(seen == FINGERPRINTS, "the bits have changed: {seen:#x?}");
}

//! Properties over random sizes and values: fitness shaping, the sums over offspring, the matrix product, and what a
//! step may not depend on.

use phylon::config::Config;
use phylon::cpu::{InstructionSet, Kernel, LANES, Vector, product};
use phylon::plan::Plan;
use phylon::registry::{TASKS, UNITS, UnitKind};
use phylon::rng::{Row, Stream};
use phylon::search::mutation::{CHUNKS, Mutation, Noise, sums};
use phylon::search::shaping::{Ties, by_rank, nes_utilities, order, power_weights};
use phylon::unit::{Instances, Shape};
use phylon::workload::Workload;
use phylon::workload::maze::MazePlay;
use phylon::workload::single_unit::SingleUnit;
use proptest::prelude::*;

/// Unit roundoff of single precision.
const ROUNDOFF: f64 = 1.0 / 16_777_216.0;

/// The same bits, or both NaN: which NaN comes out of an operation is not fixed by IEEE 754.
fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Reproducible standard normals for values that proptest need not shrink one by one.
fn normals(seed: u64, n: usize) -> Vec<f32> {
    let mut out = vec![0.0; n];
    Row { seed, stream: Stream::Fresh, generation: 0, index: 0 }.normals(0, &mut out);
    out
}

// ---------------------------------------------------------------------------------------------------------------------
// Shaping.

/// Fitness with many ties and now and then something that is no number.
fn fitness() -> impl Strategy<Value = Vec<f32>> {
    let value = prop_oneof![
        8 => (-20i32..20).prop_map(|x| x as f32),
        4 => -1e3f32..1e3,
        1 => prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, f32::MAX, f32::MIN]),
    ];
    prop::collection::vec(value, 2..200)
}

fn ties() -> impl Strategy<Value = Ties> {
    prop_oneof![Just(Ties::LowerIndex), Just(Ties::HigherIndex)]
}

/// Whether offspring `i` must rank before `j`.
fn precedes(fitness: &[f32], ties: Ties, i: usize, j: usize) -> bool {
    match (fitness[i].is_finite(), fitness[j].is_finite()) {
        (true, true) if fitness[i] != fitness[j] => fitness[i] > fitness[j],
        (true, false) => true,
        (false, true) => false,
        _ => (i < j) == (ties == Ties::LowerIndex),
    }
}

proptest! {
    #[test]
    fn order_is_by_fitness_then_by_the_rule_for_ties_and_non_finite_last(fitness in fitness(), ties in ties()) {
        let order = order(&fitness, ties);
        let mut all = order.clone();
        all.sort_unstable();
        prop_assert!(all.into_iter().eq(0..fitness.len()), "not a permutation");
        for two in order.windows(2) {
            prop_assert!(precedes(&fitness, ties, two[0], two[1]), "{} before {}", two[0], two[1]);
        }
    }

    #[test]
    fn power_weights_sum_to_one_and_fall_from_best_to_worst(population in 2usize..3000, exponent in 0u32..=64) {
        let weights = power_weights(population, exponent);
        let sum: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        // Each weight is rounded once.
        prop_assert!((sum - 1.0).abs() < 2.0 * ROUNDOFF, "sum {}", sum);
        prop_assert!(weights.is_sorted_by(|a, b| a >= b));
        let worst = if exponent == 0 { weights[0] } else { 0.0 };
        prop_assert!(weights[0] > 0.0 && weights[population - 1] == worst);
    }

    #[test]
    fn nes_utilities_sum_to_zero_and_give_the_worse_half_the_same(population in 2usize..3000) {
        let utilities = nes_utilities(population);
        let sum: f64 = utilities.iter().map(|&u| f64::from(u)).sum();
        // The sum of their magnitudes is below 2.
        prop_assert!(sum.abs() < 2.0 * ROUNDOFF, "sum {:e}", sum);
        prop_assert!(utilities.is_sorted_by(|a, b| a >= b));
        let worse = -(1.0 / population as f64) as f32;
        prop_assert!(utilities[population / 2 + 1..].iter().all(|&u| u == worse));
        prop_assert!(utilities[0] > 0.0);
    }

    #[test]
    fn weights_rise_with_fitness(fitness in fitness(), ties in ties(), exponent in 0u32..8) {
        let weights = by_rank(&fitness, ties, &power_weights(fitness.len(), exponent));
        for i in 0..fitness.len() {
            for j in 0..fitness.len() {
                prop_assert!(!precedes(&fitness, ties, i, j) || weights[i] >= weights[j]);
            }
        }
    }

    #[test]
    fn offspring_of_distinct_fitness_take_their_weights_with_them(
        (fitness, shuffled) in prop::collection::btree_set(-1000i32..1000, 2..100).prop_flat_map(|values| {
            let order: Vec<usize> = (0..values.len()).collect();
            let values: Vec<f32> = values.into_iter().map(|x| x as f32 / 8.0).collect();
            (Just(values), Just(order).prop_shuffle())
        }),
        ties in ties(),
    ) {
        let by_position = power_weights(fitness.len(), 3);
        let weights = by_rank(&fitness, ties, &by_position);
        let moved: Vec<f32> = shuffled.iter().map(|&i| fitness[i]).collect();
        let expected: Vec<f32> = shuffled.iter().map(|&i| weights[i]).collect();
        prop_assert_eq!(by_rank(&moved, ties, &by_position), expected);
    }

    #[test]
    fn only_the_order_of_fitness_counts(
        fitness in prop::collection::vec(-2000i16..2000, 2..200), ties in ties(), scale in -30i32..30,
    ) {
        let fitness: Vec<f32> = fitness.into_iter().map(f32::from).collect();
        let before = order(&fitness, ties);
        // Each keeps integers up to 2000 apart in single precision.
        let rising: [&dyn Fn(f32) -> f32; 4] =
            [&|x| x * 2f32.powi(scale), &|x| x * x * x, &|x| (x / 100.0).exp(), &|x| 3.0 * x - 5e3];
        for (which, rise) in rising.into_iter().enumerate() {
            let risen: Vec<f32> = fitness.iter().map(|&x| rise(x)).collect();
            prop_assert_eq!(&order(&risen, ties), &before, "transform {}", which);
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Mutations.

fn mutation() -> impl Strategy<Value = Mutation> {
    (any::<u64>(), any::<u32>(), any::<bool>()).prop_map(|(seed, generation, antithetic)| Mutation {
        seed,
        generation,
        antithetic,
    })
}

/// Every offspring's noise.
fn noise(mutation: &Mutation, population: usize, length: usize) -> Vec<Vec<f32>> {
    let of = |offspring| {
        let mut out = vec![0.0; length];
        mutation.noise(offspring, 0, &mut out);
        out
    };
    (0..population).map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sums_are_those_of_a_double_loop_in_double_precision(
        mutation in mutation(), population in 2usize..150, length in 1usize..400, second: bool,
    ) {
        let utilities = normals(mutation.seed ^ 1, population);
        let noise = noise(&mutation, population, length);
        let seen = sums(&mutation, &utilities, length, second, InstructionSet::best());
        prop_assert_eq!((seen.first.len(), seen.second.len()), (length, if second { length } else { 0 }));
        // One rounding per fused term of a chunk, one per chunk, one of eps^2 - 1; each of at most the sum of all
        // magnitudes. 1.01 covers the terms of second order.
        let roundings = (population.div_ceil(CHUNKS) + CHUNKS + 1) as f64 * ROUNDOFF * 1.01;
        let check = |what: &str, seen: &[f32], term: fn(f64) -> f64| {
            for (e, &seen) in seen.iter().enumerate() {
                let products = noise.iter().zip(&utilities).map(|(eps, &u)| f64::from(u) * term(eps[e].into()));
                let (exact, size) = products.fold((0.0, 0.0), |(sum, size), p| (sum + p, size + p.abs()));
                let error = (f64::from(seen) - exact).abs();
                prop_assert!(error <= roundings * size, "{what}[{e}]: {seen} against {exact}");
            }
            Ok(())
        };
        check("first", &seen.first, |e| e)?;
        check("second", &seen.second, |e| e * e - 1.0)?;
    }

    #[test]
    fn sums_are_the_same_in_any_window_and_with_any_instructions(
        mutation in mutation(), population in 2usize..150, length in 1usize..400, window in 1usize..400,
    ) {
        let window = window.min(length);
        let utilities = normals(mutation.seed ^ 1, population);
        let whole = sums(&mutation, &utilities, length, true, InstructionSet::best());
        for set in InstructionSet::available() {
            let part = sums(&mutation, &utilities, window, true, set);
            prop_assert_eq!(&part.first, &whole.first[..window], "{}", set.name());
            prop_assert_eq!(&part.second, &whole.second[..window], "{}", set.name());
        }
        // The first sums do not depend on whether the second ones are asked for.
        prop_assert_eq!(sums(&mutation, &utilities, length, false, InstructionSet::best()).first, whole.first);
    }

    #[test]
    fn noise_is_the_same_in_any_window(
        mutation in mutation(), offspring in 0usize..1 << 24, block in 0usize..100, length in 0usize..300,
    ) {
        let first = 4 * block;
        let (mut whole, mut part) = (vec![0.0; first + length], vec![0.0; length]);
        mutation.noise(offspring, 0, &mut whole);
        mutation.noise(offspring, first, &mut part);
        prop_assert_eq!(&part, &whole[first..]);
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// The matrix product.

struct Multiply<'a> {
    weights: &'a [f32],
    columns: usize,
    parts: [&'a [f32]; 2],
    lanes: usize,
    out: &'a mut [f32],
}

impl Kernel for Multiply<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(self) {
        product::<V>(self.weights, self.columns, self.parts, self.lanes, self.out);
    }
}

/// The definition: every output adds its products in the order of the rows, each with one rounding.
fn multiply(weights: &[f32], columns: usize, inputs: &[f32], lanes: usize) -> Vec<f32> {
    let at = |m: usize, lane: usize| {
        let rows = inputs.chunks_exact(lanes).zip(weights.chunks_exact(columns));
        rows.fold(0.0f32, |sum, (row, weights)| row[lane].mul_add(weights[m], sum))
    };
    (0..columns * lanes).map(|i| at(i / lanes, i % lanes)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn product_is_the_naive_loop_bit_for_bit(
        rows in (0usize..=40, 0usize..=40), unused in 0usize..3, columns in 1usize..=40, vectors in 1usize..=7,
        seed: u64, special in prop::collection::vec((any::<prop::sample::Index>(), any::<f32>()), 0..4),
    ) {
        let lanes = vectors * LANES;
        let mut weights = normals(seed, (rows.0 + rows.1 + unused) * columns);
        let mut inputs = normals(seed ^ 1, (rows.0 + rows.1) * lanes);
        // Zeros, subnormals, infinities and NaN anywhere.
        for (i, (index, value)) in special.into_iter().enumerate() {
            let values = if i % 2 == 0 { &mut weights } else { &mut inputs };
            if !values.is_empty() {
                let at = index.index(values.len());
                values[at] = value;
            }
        }
        let expected = multiply(&weights, columns, &inputs, lanes);
        let (first, second) = inputs.split_at(rows.0 * lanes);
        for set in InstructionSet::available() {
            // What was there before must be overwritten.
            let mut out = vec![f32::NAN; columns * lanes];
            let parts = [first, second];
            set.run(Multiply { weights: &weights, columns, parts, lanes, out: &mut out });
            for (i, (&seen, &expected)) in out.iter().zip(&expected).enumerate() {
                prop_assert!(same(seen, expected), "{} [{}]: {} against {}", set.name(), i, seen, expected);
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Units and episodes.

struct Step<'a> {
    instances: &'a mut Instances,
    weights: &'a [f32],
    live: usize,
}

impl Kernel for Step<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(self) {
        self.instances.step::<V>(self.weights, self.live, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn inputs_that_are_zero_may_be_left_out(
        kind in prop::sample::select(UnitKind::ALL.to_vec()), live in 0usize..6, silent in 0usize..6,
        memory in 1usize..20, outputs in 1usize..9, count in 1usize..40, seed: u64,
    ) {
        let inputs = (live + silent).max(1);
        let shape = Shape { kind, inputs, memory, outputs };
        let weights = normals(seed, shape.parameters());
        for set in InstructionSet::available() {
            let (mut short, mut full) = (Instances::new(shape, count), Instances::new(shape, count));
            for step in 0..4 {
                let values = normals(seed ^ (step + 1), live * short.lanes);
                for (instances, live) in [(&mut short, live), (&mut full, inputs)] {
                    instances.inputs_mut()[..values.len()].copy_from_slice(&values);
                    set.run(Step { instances, weights: &weights, live });
                }
                let states = |i: &Instances| [&i.memory, &i.cell, i.outputs()].concat();
                let (short, full) = (states(&short), states(&full));
                prop_assert!(short.iter().zip(&full).all(|(&a, &b)| same(a, b)), "{} step {}", set.name(), step);
            }
        }
    }

    #[test]
    fn draws_stay_between_their_ends(low in -100f32..100.0, width in 0f32..100.0, seed: u64, task in 0..3usize) {
        let plan = plan("gru", TASKS[task].name, &format!("input_min = {low:?}\ninput_max = {:?}", low + width));
        let episodes = SingleUnit::new(&plan).generation_episodes(3, seed, 0);
        for step in 0..episodes.steps {
            for environment in 0..3 {
                let x = episodes.inputs[episodes.input_at(step, 0, environment)];
                prop_assert!((low..=low + width).contains(&x), "{} is not in {} to {}", x, low, low + width);
            }
        }
    }
}

fn plan(unit: &str, task: &str, settings: &str) -> Plan {
    let text = format!(
        "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.{unit}]\ninputs = 6\nmemory = 9\noutputs = 3\n\
         [task.{task}]\nsteps = 40\n{settings}\n[es]\n"
    );
    let config: Config = toml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    Plan::new(config).unwrap_or_else(|e| panic!("{e:?}\n{text}"))
}

/// An environment's episode, outputs and fitness are its own: how many others there are, and so in which window and
/// lane it is stepped, changes no bit.
#[test]
fn environments_do_not_depend_on_how_many_there_are() {
    const COUNTS: [usize; 6] = [1, 5, 31, 32, 33, 100];
    for unit in UNITS {
        for task in TASKS.iter().filter(|task| task.name == "iaf" || task.name.starts_with("stdp")) {
            let plan = plan(unit.name, task.name, "");
            let parameters = normals(8, plan.parameters());
            let unit = SingleUnit::new(&plan);
            let seen = COUNTS.map(|environments| {
                let episodes = unit.fresh_episodes(environments, 3);
                let fitness = unit.fitness(&parameters, &episodes);
                assert_eq!(fitness.len(), environments);
                (fitness, unit.outputs(&parameters, &episodes), episodes)
            });
            let (all, all_outputs, all_episodes) = &seen[COUNTS.len() - 1];
            assert!(all.iter().any(|f| *f != all[0]), "{} {}: environments alike", plan.unit.kind.name(), task.name);
            for (fitness, outputs, episodes) in &seen {
                let what = format!("{} {}, {} environments", plan.unit.kind.name(), task.name, fitness.len());
                assert!(fitness.iter().zip(all).all(|(&a, &b)| same(a, b)), "{what}");
                for step in 0..plan.steps {
                    let row = |values: &[f32], lanes: usize| values[step * lanes..][..episodes.environments].to_vec();
                    assert_eq!(
                        row(outputs, episodes.lanes),
                        row(all_outputs, all_episodes.lanes),
                        "{what} step {step}"
                    );
                }
            }
        }
    }
}

/// The same for networks in a maze, whose agents die one by one: the lanes of the living move together, and windows hold
/// sixteen.
#[test]
fn lives_do_not_depend_on_how_many_there_are() {
    const COUNTS: [usize; 5] = [1, 3, 16, 17, 50];
    for (task, unit) in [("t_maze", "enu"), ("double_t_maze", "lstm"), ("t_maze", "gru"), ("t_maze", "nfenu")] {
        let concat = "neurons = 5\nsynapses = 3\nrandom.seed = 4\nsynapse_input = \"concat\"";
        for network in ["", concat, "shared = true", "rule.bcm = {}", "rule.rewarded_stdp = { rate = 5 }"] {
            let text = format!(
                "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.{unit}]\ninputs = 6\nmemory = 5\noutputs = 6\n\
                 [network]\n{network}\n[task.{task}]\nactions = 60\nticks_per_action = 2\nenergy = 40\n[es]\n"
            );
            let plan = Plan::new(toml::from_str(&text).unwrap()).unwrap_or_else(|e| panic!("{e}\n{text}"));
            let play = MazePlay::new(&plan);
            let fitness = |parameters: &[f32], count| play.fitness(parameters, &play.fresh_episodes(count, 3));
            // Many a random network does the same in all its lives, which shows nothing.
            let differs = |lives: &[f32]| lives.iter().any(|f| *f != lives[0]);
            let parameters = (9..200)
                .map(|seed| normals(seed, plan.parameters()))
                .find(|parameters| differs(&fitness(parameters, 50)))
                .unwrap_or_else(|| panic!("{text}: lives alike"));
            let seen = COUNTS.map(|count| fitness(&parameters, count));
            let all = &seen[COUNTS.len() - 1];
            for fitness in &seen {
                assert!(fitness.iter().zip(all).all(|(&a, &b)| same(a, b)), "{text}: {} lives", fitness.len());
            }
        }
    }
}

/// A life costs the steps that it lasts: an agent that stands still dies when its energy is spent, and nothing is computed
/// for it any more.
#[test]
fn the_dead_cost_nothing() {
    let text =
        "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.enu]\n[task.t_maze]\nactions = 400\nenergy = 40\n[es]\n";
    let play = MazePlay::new(&Plan::new(toml::from_str(text).expect("toml")).expect("a plan"));
    let episodes = play.fresh_episodes(10, 1);
    let silent = vec![0.0; 2 * 6_656];
    // Noise may move the agents, but no network without weights finds the food.
    let steps = play.play(&mut play.workspace(10), &silent, &episodes, 0, &mut [0.0; 10]);
    assert_eq!(steps, 10 * 40 * 4);
}

//! SynaptoGen's kernels against the CPU, to the bit: on the stand-in driver, or on what PHYLON_TEST_DEVICE names.
#![cfg(feature = "emu")]

mod device;
mod growth_profile;

use std::ops::Range;
use std::path::Path;

use device::{gpu, on_gpu};
use growth_profile::Assembled;
use phylon::gpu::Gpu;
use phylon::gpu::emu::{self, Order};
use phylon::policy::{Activation, Mlp};
use phylon::registry::WorldKind;
use phylon::rng::{Row, Stream, philox};
use phylon::rollout::Population;
use phylon::synaptogen::agents::{Agents, Growth, Sampler};
use phylon::synaptogen::fitness;
use phylon::synaptogen::gpu::{Judged, Kept, Sample, Scored, assemble, grow, grow_of, scores};
use phylon::synaptogen::growth::law::Law;
use phylon::synaptogen::growth::{Connectome, LayerPair, direct};
use phylon::synaptogen::search::Search;
use phylon::synaptogen::{Assembly, Profile, RuleMap, Shape};
use statrs::distribution::{ChiSquared, ContinuousCDF};

const ORDERS: [Order; 3] = [Order::Forward, Order::Reverse, Order::Shuffled(3)];

/// In every order of threads, where they can be told one.
fn in_orders(test: impl Fn(&Gpu)) {
    for order in &ORDERS[..if on_gpu() { 1 } else { 3 }] {
        if !on_gpu() {
            emu::set_order(*order).expect("the stand-in driver");
        }
        test(&gpu());
    }
}

fn check(shape: &Shape, map: &RuleMap, profiles: u64) {
    let profiles: Vec<Profile> = (0..profiles).map(|seed| Profile::initial(shape.clone(), map.clone(), seed)).collect();
    let mut parameters: Vec<f32> = profiles.iter().flat_map(|profile| &profile.parameters).copied().collect();
    // Some genes are too faint to be expressed, and some rules are saturated.
    for (i, x) in parameters.iter_mut().enumerate() {
        match i % 97 {
            0 => *x *= 1e-11,
            1 => *x *= 60.0,
            _ => {}
        }
    }
    let mut cpu = Assembly::new(shape, map);
    let seen = assemble(&gpu(), shape, map, &parameters).unwrap_or_else(|e| panic!("{e}"));
    let of_profile = seen.weights.len() / profiles.len();
    for (k, raw) in parameters.chunks(shape.parameters()).enumerate() {
        cpu.assemble(raw);
        let mut at = k * of_profile;
        for pair in 0..shape.connections() {
            let length = cpu.numbers(pair).len();
            for (what, expected, seen) in [
                ("N", cpu.numbers(pair), &seen.numbers),
                ("G", cpu.conductances(pair), &seen.conductances),
                ("W", cpu.weights_of(pair), &seen.weights),
            ] {
                let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert!(
                    bits(expected) == bits(&seen[at..at + length]),
                    "{shape:?}, profile {k}: {what} of pair {pair} differs"
                );
            }
            at += length;
        }
    }
}

#[test]
fn profiles_assembled_on_a_device_have_the_bits_of_the_cpu() {
    let every_third =
        |genes: usize| RuleMap::TwoSigmoids { coexpressed: (0..genes * genes).map(|i| i % 3 == 0).collect() };
    for (i, order) in ORDERS.into_iter().enumerate() {
        if !on_gpu() {
            emu::set_order(order).expect("the stand-in driver");
        }
        check(&Shape::new(&[4, 128, 2], 16), &RuleMap::Sigmoid, 3);
        check(&Shape::new(&[8, 128, 4], 39), &every_third(39), 2);
        // Narrow layers on either side, one of everything, more than one hidden layer.
        check(&Shape { layers: vec![5, 1, 33, 33, 3], genes: 7, neurotransmitters: 2 }, &RuleMap::Sigmoid, 4);
        check(&Shape { layers: vec![1, 1], genes: 1, neurotransmitters: 1 }, &every_third(1), 1 + i as u64);
    }
}

#[test]
fn a_profile_of_too_many_genes_is_refused_in_words() {
    let shape = Shape::new(&[2, 3], 400);
    let error = assemble(&gpu(), &shape, &RuleMap::Sigmoid, &vec![0.0; shape.parameters()]).expect_err("too large");
    assert!(error.to_string().contains("a profile of 400 genes needs"), "{error}");
}

const SAMPLERS: [Sampler; 2] = [Sampler::Law, Sampler::Direct];

fn on_cpu(connectome: &Connectome, sampler: Sampler, seed: u64, agents: Range<u32>) -> Vec<u32> {
    match sampler {
        Sampler::Law => Law::new(connectome).synapses(seed, agents),
        Sampler::Direct => direct::synapses(connectome, seed, agents),
    }
}

/// Numbers of synapses, their sums and the networks, of two samples that share nothing but their shape.
fn check_growth(gpu: &Gpu, connectomes: &[Connectome; 2], sampler: Sampler, agents: Range<u32>) {
    let sizes: Vec<usize> = [connectomes[0].layers[0].pre]
        .into_iter()
        .chain(connectomes[0].layers.iter().map(|layer| layer.post))
        .map(|expression| expression.len() / connectomes[0].genes)
        .collect();
    let biases: Vec<f32> = (0..sizes[1..].iter().sum::<usize>()).map(|i| i as f32 - 3.5).collect();
    let samples: Vec<Sample> = connectomes
        .iter()
        .zip([5, 1 << 40])
        .map(|(connectome, seed)| Sample { connectome, biases: &biases, seed })
        .collect();
    let grown = grow(gpu, &samples, sampler, agents.clone(), Kept { weights: true, synapses: true, totals: true });
    let grown = grown.unwrap_or_else(|e| panic!("{e}"));
    let cpu: Vec<u32> = samples.iter().flat_map(|s| on_cpu(s.connectome, sampler, s.seed, agents.clone())).collect();
    let what = format!("{sampler:?}, {agents:?}, alpha {}", connectomes[0].alpha);
    assert!(grown.synapses(gpu).unwrap() == cpu, "{what}: numbers of synapses");
    let pairs = connectomes[0].pairs();
    let totals: Vec<u64> = cpu.chunks(pairs).map(|counts| counts.iter().map(|&n| u64::from(n)).sum()).collect();
    assert_eq!(grown.totals(gpu).unwrap(), totals, "{what}");
    let parameters = grown.parameters(gpu).unwrap();
    assert_eq!(parameters.len(), 2 * agents.len(), "{what}");
    for (number, (parameters, counts)) in parameters.iter().zip(cpu.chunks(pairs)).enumerate() {
        let weights = connectomes[number / agents.len()].weights(counts);
        let (mut weights, mut biases) = (&weights[..], &biases[..]);
        let mut expected = Vec::new();
        for layer in sizes.windows(2) {
            expected.extend(weights.split_off(..layer[0] * layer[1]).expect("weights"));
            expected.extend(biases.split_off(..layer[1]).expect("biases"));
        }
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert!(bits(parameters) == bits(&expected), "{what}: network of agent {number}");
    }
    // No weights: numbers of synapses have columns of their own.
    let counted = grow(gpu, &samples, sampler, agents.clone(), Kept { synapses: true, ..Kept::default() });
    let counted = counted.unwrap_or_else(|e| panic!("{e}"));
    assert!(counted.synapses(gpu).unwrap() == cpu, "{what}: numbers of synapses alone");
    assert!(counted.parameters(gpu).unwrap().is_empty() && counted.totals(gpu).unwrap().is_empty());
}

#[test]
fn agents_grown_on_a_device_have_the_bits_of_the_cpu() {
    let (first, second) = (Assembled::initial(&[4, 9, 3], 5, 4), Assembled::initial(&[4, 9, 3], 5, 9));
    let mut rules = first.rules.clone();
    (rules[3], rules[7], rules[11], rules[12]) = (0.0, 1.0, 1e-3, f32::NAN);
    in_orders(|gpu| {
        // The second is of trials in all tables, the third of trials far beyond them, and of laws too wide for shared memory.
        for factor in [0.01, 1.0, 300.0] {
            let mut connectomes = [first.connectome(), second.connectome()];
            connectomes[0].rules = &rules;
            connectomes.iter_mut().for_each(|connectome| connectome.alpha *= factor);
            check_growth(gpu, &connectomes, Sampler::Direct, 6..139);
            // The law takes no NaN.
            let mut sound = rules.clone();
            sound[12] = 0.5;
            connectomes[0].rules = &sound;
            check_growth(gpu, &connectomes, Sampler::Law, 6..139);
        }
    });
}

/// Enough agents for blocks that draw several times, and as few as one.
#[test]
fn any_number_of_agents_is_grown() {
    let profile = Assembled::initial(&[1, 2], 2, 1);
    let connectomes = [profile.connectome(), profile.connectome()];
    for sampler in SAMPLERS {
        for agents in [0..1, 3..4, 127..129, 0..12_000] {
            check_growth(&gpu(), &connectomes, sampler, agents);
        }
    }
}

/// A random word on the threshold: where its upper half is the threshold's, the lower half decides.
#[test]
fn a_word_that_meets_a_threshold_is_told_by_its_lower_half() {
    const SEED: u64 = 8;
    let word = |agent: u32| philox([0, agent / 4, 0, Stream::Synapses as u32], [SEED as u32, 0])[agent as usize % 4];
    // One trial fails with probability 1 - p, whose upper 32 bits can be any that begin with eight ones.
    let agent = (0..10_000).find(|&agent| word(agent) > u32::MAX << 24).expect("one of 256 is");
    let p = (1u64 << 32).wrapping_sub(u64::from(word(agent))) as f32 / (1u64 << 32) as f32;
    let rules = [p];
    let layers = vec![LayerPair { pre: &[1.0], post: &[1.0], conductance: &[1.0] }];
    let connectome = Connectome { genes: 1, rules: &rules, layers, alpha: 1.0 };
    let sample = Sample { connectome: &connectome, biases: &[0.0], seed: SEED };
    let kept = Kept { synapses: true, ..Kept::default() };
    let counts = grow(&gpu(), &[sample], Sampler::Direct, 0..agent + 1, kept).unwrap().synapses(&gpu()).unwrap();
    assert_eq!(counts, direct::synapses(&connectome, SEED, 0..agent + 1));
    assert_eq!(counts[agent as usize], 1, "the threshold itself is a success");
}

/// Binomial laws of `tests/golden/synaptogen`, drawn by both kernels: Pearson's test on the bins of the file.
#[test]
fn numbers_drawn_on_a_device_follow_their_golden_laws() {
    let agents = if on_gpu() { 40_000 } else { 4_000 };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/synaptogen/binomial_a.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("passed over: there is no {}", path.display());
        return;
    };
    let cases: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let numbers = |of: &serde_json::Value| -> Vec<f64> {
        of.as_array().expect("numbers").iter().map(|x| x.as_f64().expect("a number")).collect()
    };
    let (gpu, mut tested) = (gpu(), 0);
    for (seed, case) in cases.as_array().expect("cases").iter().enumerate() {
        let (n, p) = (case["n"].as_f64().expect("n") as f32, case["p"].as_f64().expect("p") as f32);
        let (edges, probability) = (numbers(&case["upper_edges"]), numbers(&case["bin_probability"]));
        let (pre, rules) = ([n], [p]);
        let layers = vec![LayerPair { pre: &pre, post: &[1.0], conductance: &[1.0] }];
        let connectome = Connectome { genes: 1, rules: &rules, layers, alpha: 1.0 };
        for sampler in SAMPLERS {
            let sample = Sample { connectome: &connectome, biases: &[0.0], seed: seed as u64 };
            let kept = Kept { synapses: true, ..Kept::default() };
            let counts = grow(&gpu, &[sample], sampler, 0..agents, kept).unwrap().synapses(&gpu).unwrap();
            assert!(counts == on_cpu(&connectome, sampler, seed as u64, 0..agents), "n = {n}, p = {p}, {sampler:?}");
            let mut bins = vec![[0.0; 2]; probability.len()];
            for count in counts {
                bins[edges.iter().filter(|&&edge| f64::from(count) > edge).count()][0] += 1.0;
            }
            bins.iter_mut().zip(&probability).for_each(|(bin, p)| bin[1] = p * f64::from(agents));
            // Bins of few are one.
            let (few, mut bins): (Vec<_>, Vec<_>) = bins.into_iter().partition(|bin| bin[1] < 20.0);
            let few = few.iter().fold([0.0; 2], |sum, bin| [sum[0] + bin[0], sum[1] + bin[1]]);
            if few[1] >= 5.0 {
                bins.push(few);
            }
            if bins.len() < 2 {
                continue;
            }
            let statistic: f64 = bins.iter().map(|[seen, expected]| (seen - expected).powi(2) / expected).sum();
            let value = ChiSquared::new(bins.len() as f64 - 1.0).expect("bins").sf(statistic);
            // A fixed seed, so this always says the same; 1e-6 as on the CPU.
            assert!(value > 1e-6, "n = {n}, p = {p}, {sampler:?}: {value:e}");
            tested += 1;
        }
    }
    assert!(tested > 20, "{tested} laws");
}

#[test]
fn whole_agents_are_equal() {
    let profile = Profile::initial(Shape::new(&[3, 6, 2], 4), RuleMap::Sigmoid, 2);
    for sampler in SAMPLERS {
        let growth = Growth { sampler, seed: 3, degree: 1e4 };
        let (gpu, agents) = (gpu(), Agents::grow(&profile, growth, 1..7).unwrap());
        let kept = Kept { synapses: true, ..Kept::default() };
        let grown = grow_of(&gpu, &profile, growth, 1..7, kept).unwrap();
        assert_eq!((grown.alphas[0], Agents::read(&gpu, &profile, growth, &grown).unwrap()), (agents.alpha, agents));
    }
}

fn random_agents(world: WorldKind, hidden: &[usize], count: u32) -> Vec<Mlp> {
    let sizes = [&[world.spec().observations], hidden, &[world.spec().actions.outputs()]].concat();
    let agent = |index| {
        let mut mlp = Mlp::new(&sizes, Activation::Selu);
        Row { seed: 4, stream: Stream::Initial, generation: 0, index }.normals(0, mlp.parameters_mut());
        mlp
    };
    (0..count).map(agent).collect()
}

#[test]
fn populations_on_a_device_have_the_bits_of_the_cpu() {
    let check = |gpu: &Gpu, world, hidden: &[usize], agents, episodes| {
        let agents = random_agents(world, hidden, agents);
        let population = Population { world, agents: &agents, episodes, seed: 8 };
        let (cpu, seen) = (population.play(&|_| {}).unwrap(), population.play_on(gpu).unwrap());
        assert!(cpu == seen, "{world:?}, {hidden:?}, {} agents, {episodes} episodes", agents.len());
    };
    in_orders(|gpu| {
        use WorldKind::{CartPole, LunarLander};
        // Three seats of ten lanes, one seat of 32 that is filled again, more seats than are wanted, no hidden layer, several.
        check(gpu, CartPole, &[20], 50, 10);
        check(gpu, CartPole, &[], 3, 70);
        check(gpu, CartPole, &[7, 9, 5], 40, 1);
        check(gpu, LunarLander, &[3], 2, 2);
    });
    for world in WorldKind::ALL.iter().copied().filter(|world| !world.spec().name.starts_with("lunar")) {
        check(&gpu(), world, &[4], 4, 2);
    }
    for (agents, episodes) in [(0, 3), (2, 0)] {
        check(&gpu(), WorldKind::CartPole, &[2], agents, episodes);
    }
}

#[test]
fn populations_that_cannot_be_played_are_refused_in_words() {
    let mut agents = random_agents(WorldKind::CartPole, &[5], 3);
    agents[2] = random_agents(WorldKind::CartPole, &[6], 1).remove(0);
    let play = |agents: &[Mlp], episodes| {
        let population = Population { world: WorldKind::CartPole, agents, episodes, seed: 8 };
        population.play_on(&gpu()).expect_err("refused").to_string()
    };
    assert!(play(&agents, 1).starts_with("agent 2 has other layers or another activation"), "{}", play(&agents, 1));
    assert!(play(&agents[..2], u32::MAX).contains("try: at most 1 agents"), "{}", play(&agents[..2], u32::MAX));
    let large = random_agents(WorldKind::CartPole, &[10_000], 1);
    assert!(play(&large, 1).contains("an agent needs 280012 bytes of shared memory"), "{}", play(&large, 1));
    agents[0] = random_agents(WorldKind::Acrobot, &[5], 1).remove(0);
    assert!(play(&agents, 1).starts_with("agent 0: W1 is [6, 5], but cartpole"), "{}", play(&agents, 1));
}

#[test]
fn profiles_have_the_scores_of_the_cpu() {
    let shape = Shape::new(&[4, 12, 2], 3);
    let profiles = [1, 2, 3].map(|seed| Profile::initial(shape.clone(), RuleMap::Sigmoid, seed));
    // Fewer are drawn directly, more from their laws.
    for agents in [2, 11] {
        let judged: Vec<Judged> =
            profiles.iter().zip(5..).map(|(profile, seed)| Judged { profile, seeds: [seed, 70 + seed] }).collect();
        let Scored { scores, steps, .. } = scores(&gpu(), &judged, WorldKind::CartPole, agents).unwrap();
        assert_eq!((scores.len(), steps.len()), (3, 3));
        for ((Judged { profile, seeds }, scores), steps) in judged.into_iter().zip(scores).zip(steps) {
            assert_eq!(fitness::scores(profile, WorldKind::CartPole, agents, seeds).unwrap(), (scores, steps));
        }
    }
    let judged = [Judged { profile: &profiles[0], seeds: [1, 2] }];
    let error = scores(&gpu(), &judged, WorldKind::Acrobot, 2).expect_err("no acrobat").to_string();
    assert!(error.starts_with("agent 0: W1 is [4, 12], but acrobot"), "{error}");
    let nothing = Profile { parameters: vec![0.0; shape.parameters()], ..profiles[0].clone() };
    let judged = [Judged { profile: &nothing, seeds: [1, 2] }];
    let error = scores(&gpu(), &judged, WorldKind::CartPole, 2).expect_err("nothing grows").to_string();
    assert_eq!(error, fitness::scores(&nothing, WorldKind::CartPole, 2, [1, 2]).expect_err("as there").to_string());
}

#[test]
fn a_search_on_a_device_finds_what_the_cpu_finds() {
    let shape = Shape::new(&[4, 12, 2], 3);
    for agents in [2, 10] {
        let (world, rules) = (WorldKind::CartPole, RuleMap::Sigmoid);
        let search = Search { world, shape: shape.clone(), rules, population: 5, agents, seed: 6, steps: 8_000 };
        let (found, seen) = (search.run(&|_| {}).unwrap(), search.run_on(&gpu(), &|_| {}).unwrap());
        assert!(found.generations.len() > 1 && found == seen, "{agents} agents: {:?}", seen.generations);
    }
}

//! Grown agents against reference data (`tests/golden/synaptogen`, or that folder of what `PHYLON_GOLDEN` names; its README
//! says what is in the files) and against the exact laws of what is drawn.
//!
//! A statistical test draws with a fixed seed, so it always says the same. Its bounds are those of tests on a level of 1e-4
//! or less.

mod growth_profile;
mod npz;

use std::path::PathBuf;

use growth_profile::Assembled;
use npz::Npz;
use phylon::cpu::InstructionSet;
use phylon::rng::{Row, Stream};
use phylon::synaptogen::evaluation::{Comparison, Metrics, Solved};
use phylon::synaptogen::growth::binomial::{Binomial, Words};
use phylon::synaptogen::growth::law::Law;
use phylon::synaptogen::growth::{Connectome, LayerPair, direct, trials};
use phylon::synaptogen::rules::{CoExpression, Neurons};
use rayon::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// The files whose names start with `prefix` and end with `suffix`; none when another golden folder lacks them.
fn files(prefix: &str, suffix: &str) -> Vec<PathBuf> {
    let given = std::env::var_os("PHYLON_GOLDEN").map(PathBuf::from);
    let own = given.is_none();
    let root = given.unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("tests/golden")
    });
    let Ok(entries) = std::fs::read_dir(root.join("synaptogen")) else {
        eprintln!("passed over: no folder {}", root.join("synaptogen").display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable folder").path()).collect();
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(prefix) && name.ends_with(suffix)
    });
    paths.sort();
    assert!(!paths.is_empty() || !own, "tests/golden/synaptogen holds no file {prefix}*{suffix}");
    paths
}

fn json(path: &PathBuf) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("golden file")).expect("JSON")
}

fn numbers(of: &serde_json::Value) -> Vec<f64> {
    of.as_array().expect("numbers").iter().map(|x| x.as_f64().expect("a number")).collect()
}

/// That of a file `model_*.npz`: expression from its raw parameters, the rest as it is there.
fn assembled(npz: &Npz) -> Assembled {
    let layers: Vec<usize> = npz.i64("sizes").into_iter().map(|n| n as usize).collect();
    let genes = npz.i64("genes")[0] as usize;
    let single = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let (theta, mut at, mut expression) = (npz.f64("theta"), 0, Vec::new());
    for n in &layers {
        expression.push(theta[at..at + n * genes].iter().map(|x| (x * x) as f32).collect());
        at += n * genes;
    }
    let each = |key: &str| (1..layers.len()).map(|l| single(&npz.f64(&format!("{key}{l}")))).collect();
    let (degree, rules) = (npz.f64("degree")[0] as f32, single(&npz.f64("rule_probability")));
    Assembled { genes, degree, expression, rules, conductance: each("G"), numbers: each("N"), layers }
}

/// p-value of Pearson's test, and the number of its bins: neighbours are merged until `least` counts are expected in each.
fn chi_square(seen: &[u64], probability: &[f64], least: f64) -> (f64, usize) {
    let total = seen.iter().sum::<u64>() as f64;
    let mut bins: Vec<(f64, f64)> = Vec::new();
    for (&seen, &probability) in seen.iter().zip(probability) {
        match bins.last_mut() {
            Some(last) if last.1 < least => *last = (last.0 + seen as f64, last.1 + probability * total),
            _ => bins.push((seen as f64, probability * total)),
        }
    }
    if let (true, Some(last)) = (bins.len() > 1, bins.pop_if(|last| last.1 < least)) {
        let before = bins.last_mut().expect("another bin");
        *before = (before.0 + last.0, before.1 + last.1);
    }
    let statistic: f64 = bins.iter().map(|(seen, expected)| (seen - expected).powi(2) / expected).sum();
    match ChiSquared::new(bins.len() as f64 - 1.0) {
        Ok(law) => (law.sf(statistic), bins.len()),
        Err(_) => (1.0, bins.len()),
    }
}

/// p-value of Kolmogorov's test (asymptotic) that the values are uniform in [0, 1].
fn kolmogorov(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let distance =
        values.iter().enumerate().fold(0.0, |d: f64, (i, v)| d.max((i as f64 + 1.0) / n - v).max(v - i as f64 / n));
    let t = distance * n.sqrt();
    let term = |k: i32| f64::from(2 * (k % 2) - 1) * (-2.0 * f64::from(k * k) * t * t).exp();
    (2.0 * (1..100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// A million draws of every law, in repetitions of fifty thousand.
#[test]
fn synaptogen_binomials_follow_their_laws() {
    const REPETITIONS: u32 = 20;
    const DRAWS: u32 = 50_000;
    for path in files("binomial_", ".json") {
        let cases = json(&path);
        let cases = cases.as_array().expect("cases");
        let mut values: Vec<f64> = cases
            .par_iter()
            .enumerate()
            .flat_map_iter(|(number, case)| {
                let n = case["n"].as_u64().expect("n") as u32;
                let law = Binomial::new(n, case["p"].as_f64().expect("p"));
                let (edges, probability) = (numbers(&case["upper_edges"]), numbers(&case["bin_probability"]));
                let mut all = vec![0; probability.len()];
                let mut values = Vec::new();
                for repetition in 0..REPETITIONS {
                    let mut seen = vec![0u64; probability.len()];
                    let row = Row { seed: 1, stream: Stream::Synapses, generation: number as u32, index: repetition };
                    for element in 0..DRAWS {
                        let k = f64::from(law.draw(&mut Words::new(&row, element)));
                        seen[edges.iter().filter(|&&edge| k > edge).count()] += 1;
                    }
                    let (p, bins) = chi_square(&seen, &probability, 20.0);
                    values.extend((bins > 3).then_some(p));
                    all.iter_mut().zip(seen).for_each(|(all, seen)| *all += seen);
                }
                let (p, _) = chi_square(&all, &probability, 5.0);
                assert!(p > 1e-6, "{}: n = {n}, p = {}: {p:e}", path.display(), case["p"]);
                values
            })
            .collect();
        let p = kolmogorov(&mut values);
        eprintln!("{}: {} repetitions, Kolmogorov p = {p:.3}", path.display(), values.len());
        assert!(values.len() > 500 && p > 1e-4, "{}: {} repetitions, {p:e}", path.display(), values.len());
    }
}

/// A neuron pair and a gene pair whose only number of trials is n: direct draws are then binomial, and so is the law.
#[test]
fn synaptogen_single_gene_pairs_follow_their_laws() {
    const AGENTS: u32 = 40_000;
    for path in files("binomial_", ".json") {
        let cases = json(&path);
        let mut values = Vec::new();
        for (seed, case) in cases.as_array().expect("cases").iter().enumerate() {
            let (n, p) = (case["n"].as_f64().expect("n"), case["p"].as_f64().expect("p"));
            // Single precision cannot hold every p of the file.
            let probability = f64::from(p as f32);
            let edges = numbers(&case["upper_edges"]);
            let exact = Binomial::new(n as u32, probability);
            let (pre, post, rules) = ([n as f32], [1.0], [p as f32]);
            let layers = vec![LayerPair { pre: &pre, post: &post, conductance: &[1.0] }];
            let connectome = Connectome { genes: 1, rules: &rules, layers, alpha: 1.0 };
            let law = Law::new(&connectome);
            let mut expected = vec![0.0; edges.len() + 1];
            for k in 0..=n as u32 {
                let mass = exact.probability(k);
                expected[edges.iter().filter(|&&edge| f64::from(k) > edge).count()] += mass;
                assert!((law.probability(0, k) - mass).abs() < 1e-12, "n = {n}, p = {p}, k = {k}");
            }
            for synapses in
                [direct::synapses(&connectome, seed as u64, 0..AGENTS), law.synapses(seed as u64, 0..AGENTS)]
            {
                let mut seen = vec![0u64; expected.len()];
                for k in synapses {
                    assert!(f64::from(k) <= n, "{k} of {n}");
                    seen[edges.iter().filter(|&&edge| f64::from(k) > edge).count()] += 1;
                }
                let (value, bins) = chi_square(&seen, &expected, 20.0);
                assert!(value > 1e-6, "{}: n = {n}, p = {p}: {value:e}", path.display());
                values.extend((bins > 3).then_some(value));
            }
        }
        let p = kolmogorov(&mut values);
        eprintln!("{}: {} samples, Kolmogorov p = {p:.3}", path.display(), values.len());
        assert!(values.len() > 40 && p > 1e-4, "{}: {} samples, {p:e}", path.display(), values.len());
    }
}

/// Numbers of trials, alpha, and the mean and variance of weights of grown agents.
#[test]
fn synaptogen_agents_have_the_moments_of_their_profile() {
    const AGENTS: u32 = 1000;
    for path in files("model_", ".npz") {
        let (name, npz) = (path.display(), Npz::open(&path));
        let profile = assembled(&npz);
        let connectome = profile.connectome();
        let alpha = npz.f64("alpha")[0];
        assert!((f64::from(connectome.alpha) / alpha - 1.0).abs() < 1e-7, "{name}: alpha {} {alpha}", connectome.alpha);
        let (mut mean, mut variance) = (Vec::new(), Vec::new());
        let (mut all, mut moved) = (0, 0.0);
        for (l, layer) in connectome.layers.iter().enumerate() {
            let key = |of: &str| npz.f64(&format!("{of}{}", l + 1));
            let (expected, zero, count_mean) = (key("trials"), key("zero_pairs"), key("count_mean"));
            let posts = layer.post.len() / profile.genes;
            for pair in 0..expected.len() {
                let pre = &layer.pre[pair / posts * profile.genes..][..profile.genes];
                let post = &layer.post[pair % posts * profile.genes..][..profile.genes];
                let tried: Vec<u32> =
                    pre.iter().flat_map(|pre| post.iter().map(|post| trials(connectome.alpha, *pre, *post))).collect();
                all += tried.len();
                moved += (tried.iter().map(|&n| f64::from(n)).sum::<f64>() - expected[pair]).abs();
                moved += (tried.iter().filter(|n| **n == 0).count() as f64 - zero[pair]).abs();
                let seen: f64 = tried.iter().zip(&profile.rules).map(|(&n, &p)| f64::from(n) * f64::from(p)).sum();
                assert!((seen / count_mean[pair] - 1.0).abs() < 1e-4, "{name}: {seen} for {}", count_mean[pair]);
            }
            mean.extend(key("w_mean"));
            variance.extend(key("w_var"));
        }
        eprintln!("{name}: {moved} of {all} numbers of trials moved");
        assert!(moved <= (2e-6 * all as f64).ceil(), "{name}: {moved} of {all} numbers of trials moved");
        let grown = [direct::synapses(&connectome, 3, 0..AGENTS), Law::new(&connectome).synapses(3, 0..AGENTS)];
        for (method, synapses) in ["direct", "law"].into_iter().zip(grown) {
            let weights = connectome.weights(&synapses);
            for (pair, (mean, variance)) in mean.iter().zip(&variance).enumerate() {
                let of_pair = || weights.iter().skip(pair).step_by(connectome.pairs()).map(|&w| f64::from(w));
                let m = f64::from(AGENTS);
                let seen = of_pair().sum::<f64>() / m;
                let bound = 5.0 * (variance / m).sqrt() + 2e-5 * mean.abs();
                assert!((seen - mean).abs() <= bound, "{name}, {method}, {pair}: mean {seen} for {mean}");
                // The variance of a sample's variance, of a law that is nearly normal.
                let spread = of_pair().map(|w| (w - seen).powi(2)).sum::<f64>() / (m - 1.0);
                let bound = 6.0 * (2.0 / m).sqrt() * variance;
                assert!(
                    (spread - variance).abs() <= bound,
                    "{name}, {method}, {pair}: variance {spread} for {variance}"
                );
            }
        }
    }
}

/// Profiles whose genes, rules and sizes span those of the experiments.
fn profiles() -> Vec<(String, Assembled)> {
    let named = ["model_cartpole_g16", "model_cartpole_rules39", "model_lunarlander_g32"];
    let mut profiles: Vec<(String, Assembled)> = files("model_", ".npz")
        .iter()
        .map(|path| (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), path))
        .filter(|(name, _)| named.contains(&name.as_str()))
        .map(|(name, path)| (name, assembled(&Npz::open(path))))
        .collect();
    profiles.push(("first, 16 genes".into(), Assembled::initial(&[4, 128, 2], 16, 1)));
    profiles.push(("first, 64 genes".into(), Assembled::initial(&[4, 128, 2], 64, 2)));
    profiles
}

/// Every binomial law of a neuron pair convolved with the others: probabilities of 0, 1, ..
fn convolved(connectome: &Connectome, pair: usize) -> Vec<f64> {
    let (mut pair, mut layers) = (pair, connectome.layers.iter());
    let mut layer = layers.next().expect("a layer");
    while pair >= layer.conductance.len() {
        pair -= layer.conductance.len();
        layer = layers.next().expect("the pair's layer");
    }
    let (genes, posts) = (connectome.genes, layer.post.len() / connectome.genes);
    // Masses below 1e-30 are cut at both ends: the law is kept as its first value and what follows.
    let (mut first, mut law) = (0, vec![1.0]);
    for (gene_pair, &p) in connectome.rules.iter().enumerate() {
        let pre = layer.pre[pair / posts * genes + gene_pair / genes];
        let post = layer.post[pair % posts * genes + gene_pair % genes];
        let binomial = Binomial::new(trials(connectome.alpha, pre, post), f64::from(p));
        let n = trials(connectome.alpha, pre, post);
        let masses: Vec<(usize, f64)> =
            (0..=n).map(|k| (k as usize, binomial.probability(k))).filter(|(_, mass)| *mass > 1e-30).collect();
        let least = masses[0].0;
        let mut next = vec![0.0; law.len() + masses.len() - 1];
        for (k, mass) in masses {
            law.iter().enumerate().for_each(|(i, before)| next[k - least + i] += mass * before);
        }
        let begin = next.iter().position(|mass| *mass > 1e-30).expect("some mass");
        let end = next.iter().rposition(|mass| *mass > 1e-30).expect("some mass");
        first += least + begin;
        law = next[begin..=end].to_vec();
    }
    [vec![0.0; first], law].concat()
}

#[test]
fn synaptogen_laws_are_those_of_convolution() {
    let mut worst: f64 = 0.0;
    for (name, profile) in profiles() {
        let connectome = profile.connectome();
        let law = Law::new(&connectome);
        let numbers = profile.numbers.concat();
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
        // The smallest, the largest and some between.
        for place in 0..=6 {
            let pair = order[place * (order.len() - 1) / 6];
            let expected = convolved(&connectome, pair);
            let distance: f64 =
                expected.iter().enumerate().map(|(k, mass)| (law.probability(pair, k as u32) - mass).abs()).sum();
            assert!(distance / 2.0 < 1e-13, "{name}, neuron pair {pair}: {:e} apart", distance / 2.0);
            worst = worst.max(distance / 2.0);
        }
    }
    eprintln!("largest total variation distance {worst:e}");
}

/// A million synapse numbers of a profile by each method, against their laws: a test for each neuron pair, and their values
/// must be uniform.
#[test]
fn synaptogen_direct_draws_and_laws_agree() {
    for (name, profile) in profiles() {
        let connectome = profile.connectome();
        let law = Law::new(&connectome);
        let pairs = connectome.pairs();
        let agents = 1_000_000_u32.div_ceil(pairs as u32);
        let grown = [direct::synapses(&connectome, 11, 0..agents), law.synapses(11, 0..agents)];
        for (method, synapses) in ["direct", "law"].into_iter().zip(grown) {
            let test = |pair: usize| {
                let of_pair = || synapses.iter().skip(pair).step_by(pairs).copied();
                let (least, most) = (of_pair().min().expect("agents"), of_pair().max().expect("agents"));
                let mut seen = vec![0; (most - least) as usize + 3];
                of_pair().for_each(|count| seen[(count - least) as usize + 1] += 1);
                let mut expected: Vec<f64> = (least..=most).map(|count| law.probability(pair, count)).collect();
                let below: f64 = (0..least).map(|count| law.probability(pair, count)).sum();
                expected.insert(0, below);
                expected.push((1.0 - expected.iter().sum::<f64>()).max(0.0));
                chi_square(&seen, &expected, 20.0)
            };
            let mut values: Vec<f64> =
                (0..pairs).into_par_iter().map(test).filter(|(_, bins)| *bins > 5).map(|(p, _)| p).collect();
            let least = values.iter().copied().fold(1.0, f64::min);
            let p = kolmogorov(&mut values);
            eprintln!("{name}, {method}: {} counts, least p {least:.1e}, Kolmogorov p = {p:.3}", synapses.len());
            assert!(values.len() > pairs / 2 && p > 1e-4 && least > 1e-7, "{name}, {method}: {p:e}, least {least:e}");
        }
    }
}

/// Any instruction set, number of threads and group of agents gives the same numbers of synapses.
#[test]
fn synaptogen_agents_are_a_function_of_seed_and_number() {
    let profile = Assembled::initial(&[4, 18, 3], 5, 4);
    let mut connectome = profile.connectome();
    let mut rules = profile.rules.clone();
    (rules[3], rules[7], rules[11]) = (0.0, 1.0, 1e-3);
    connectome.rules = &rules;
    // The second is of trials far beyond the tables.
    for alpha in [connectome.alpha, 1000.0 * connectome.alpha] {
        connectome.alpha = alpha;
        let grow = |set, agents: std::ops::Range<u32>| {
            [
                direct::synapses_with(set, &connectome, 5, agents.clone()),
                Law::with(set, &connectome).synapses(5, agents),
            ]
        };
        let all = grow(InstructionSet::best(), 0..13);
        for set in InstructionSet::available() {
            assert_eq!(grow(set, 0..13), all, "{set:?}");
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            assert_eq!(pool.install(|| grow(InstructionSet::best(), 0..13)), all, "{threads} threads");
        }
        let pairs = connectome.pairs();
        for (some, all) in grow(InstructionSet::best(), 6..11).iter().zip(&all) {
            assert_eq!(some[..], all[6 * pairs..11 * pairs]);
        }
        let [direct, law] = &all;
        assert!(direct[..pairs] != direct[pairs..2 * pairs] && law[..pairs] != law[pairs..2 * pairs]);
    }
}

#[test]
fn synaptogen_rules_from_data() {
    for path in files("ndge_", ".npz") {
        let (name, npz) = (path.display(), Npz::open(&path));
        let genes = npz.shape("expression")[1];
        let tests = CoExpression::of(&Neurons {
            genes: (0..genes).map(|gene| gene.to_string()).collect(),
            expression: npz.f64("expression"),
            synapse: npz.bools("synapse"),
            contact: npz.bools("contact"),
        });
        for (key, seen) in [("beta", &tests.difference), ("t", &tests.t), ("p", &tests.p)] {
            for (i, (seen, expected)) in seen.iter().zip(npz.f64(key)).enumerate() {
                // Both are double precision; p is a tail that statrs has to about 1e-12.
                let is_close = (seen - expected).abs() <= 1e-10 * expected.abs() + 1e-14;
                assert!(is_close || seen.is_nan() && expected.is_nan(), "{name}: {key}[{i}] = {seen} for {expected}");
            }
        }
        assert_eq!(tests.rules, npz.bools("rules"), "{name}");
        assert_eq!(tests.kept().iter().map(|&gene| gene as i64).collect::<Vec<_>>(), npz.i64("kept"), "{name}");
    }
    for path in files("model_cartpole_rules", ".npz") {
        let mask = CoExpression::of(&Neurons::celegans()).mask();
        assert_eq!(mask, Npz::open(&path).bools("mask"), "{}", path.display());
    }
}

#[test]
fn synaptogen_metrics_of_groups() {
    let close = |seen: f64, expected: &serde_json::Value| {
        let expected = expected.as_f64().expect("a number");
        (seen - expected).abs() <= 1e-9 * expected.abs()
    };
    for path in files("metrics_", ".json") {
        let (name, file) = (path.display(), json(&path));
        let solved = Solved::of(file["environment"].as_str().expect("an id")).expect("a world of the paper");
        let scores = |group: &serde_json::Value| numbers(&file["rewards"][group.as_str().expect("a group")]);
        for (group, expected) in file["metrics"].as_object().expect("groups") {
            let metrics = Metrics::of(&numbers(&file["rewards"][group]), solved);
            let seen = [
                ("mean", metrics.mean),
                ("std", metrics.sd),
                ("top10_mean", metrics.top10_mean),
                ("top10_std", metrics.top10_sd),
                ("solved_percent", metrics.solved_percent),
            ];
            for (key, seen) in seen {
                assert!(close(seen, &expected[key]), "{name}, {group}: {key} = {seen} for {}", expected[key]);
            }
        }
        for test in file["tests"].as_array().expect("tests") {
            let (first, second) = (scores(&test["a"]), scores(&test["b"]));
            let Comparison { test: seen, corrected_p } = Comparison::of(&first, &second);
            assert!(
                close(seen.larger * (first.len() * second.len()) as f64, &test["U"]),
                "{name}: {seen:?} for {test}"
            );
            assert!(
                close(seen.p, &test["p"]) && close(corrected_p, &test["p_bonferroni"]),
                "{name}: {seen:?} for {test}"
            );
        }
    }
}

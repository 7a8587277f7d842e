//! Grown agents against reference data (`tests/golden/synaptogen`, or that folder of what `PHYLON_GOLDEN` names; its README
//! says what is in the files) and against the exact laws of what is drawn.
//!
//! A statistical test draws with a fixed seed, so it always says the same. Its bounds are those of tests on a level of 1e-4
//! or less.

mod npz;

use std::path::PathBuf;

use phylon::rng::{Row, Stream};
use phylon::synaptogen::growth::binomial::{Binomial, Words};
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
    let distance = values.iter().enumerate().fold(0.0, |d: f64, (i, v)| d.max((i as f64 + 1.0) / n - v).max(v - i as f64 / n));
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

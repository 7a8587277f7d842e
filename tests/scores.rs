//! What recorded policies earn in the real Gymnasium, seed by seed and in distribution, against every world that has its id.
//! Policies and scores are those of the golden folder `envs`, or of `$PHYLON_GOLDEN/envs`, whatever there is.

use std::path::PathBuf;

use phylon::device::Device;
use phylon::policy::{Activation, Mlp};
use phylon::registry::WorldKind;
use phylon::rollout::{Policy, Rollout};
use phylon::world::{Episode, Seeds};

mod npz;
use npz::Npz;

/// Episodes with seeds of our own, and at most so many with Gymnasium's; few where nothing is optimised.
const EPISODES: u32 = if cfg!(debug_assertions) { 100 } else { 4096 };

/// Worlds that are not to the bit what their exact sibling is.
const INEXACT: [&str; 2] = ["-f32", "-fast"];

fn folder() -> PathBuf {
    let root = std::env::var_os("PHYLON_GOLDEN").map_or_else(|| "tests/golden".into(), PathBuf::from);
    root.join("envs")
}

/// A file of the folder. Only another folder than our own may lack it.
fn open(name: &str) -> Option<Npz> {
    let path = folder().join(name);
    if std::env::var_os("PHYLON_GOLDEN").is_some() && !path.exists() {
        eprintln!("passed over: no {}", path.display());
        return None;
    }
    Some(Npz::open(&path))
}

/// Who plays, as the scores name it, and in which worlds: `lunar_lander_good` in all variants with the same rules.
fn players() -> Vec<(String, WorldKind, Policy)> {
    let mut players = Vec::new();
    let Some(scores) = open("scores.npz") else { return players };
    for key in scores.keys() {
        let Some(name) = key.strip_suffix("_returns") else { continue };
        for &world in WorldKind::ALL {
            let spec = world.spec();
            let base = INEXACT.iter().find_map(|variant| spec.name.strip_suffix(variant)).unwrap_or(spec.name);
            let base = base.replace('-', "_");
            let policy = match name.strip_prefix(&base) {
                Some("_random") => Policy::Random { seed: 5 },
                // All outputs are 0, and of equal ones the first counts.
                Some("_noop") => Policy::Mlp(Mlp::new(&[spec.observations, spec.actions.outputs()], Activation::Relu)),
                Some(other) if other.is_empty() || other.starts_with('_') => {
                    let path = folder().join(format!("policy_{name}.npz"));
                    Policy::Mlp(Mlp::read(&path, spec).unwrap_or_else(|e| panic!("{e}")))
                }
                _ => continue,
            };
            players.push((name.to_owned(), world, policy));
        }
    }
    players
}

fn recorded(name: &str) -> (Vec<f64>, Vec<i64>) {
    let scores = Npz::open(&folder().join("scores.npz"));
    (scores.f64(&format!("{name}_returns")), scores.i64(&format!("{name}_lengths")))
}

fn play(world: WorldKind, policy: Policy, seeds: Seeds, episodes: u32) -> Vec<Episode> {
    let rollout = Rollout { world, policy, seeds, episodes };
    rollout.play(&Device::cpu(), &|_| {}).unwrap_or_else(|e| panic!("{e}")).episodes
}

fn mean_and_variance(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    (mean, x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (x.len() - 1) as f64)
}

/// Share of episodes that must be equal. In single precision rounding decides when a pole that is hardly held falls; the fast
/// lander is another trajectory from the first touch on.
fn equal_share(name: &str, world: WorldKind) -> f64 {
    match (world.spec().name, name) {
        ("cartpole-f32", "cartpole_weak") | ("lunar-lander-fast", _) => 0.0,
        ("acrobot-f32", _) => 0.95,
        _ => 1.0,
    }
}

#[test]
fn envs_every_seed_earns_what_it_earns_in_gymnasium() {
    for (name, world, policy) in players() {
        // Gymnasium's random actions are not recorded.
        if matches!(policy, Policy::Random { .. }) {
            continue;
        }
        let (returns, lengths) = recorded(&name);
        let ours = play(world, policy, Seeds::Gymnasium(0), EPISODES.min(returns.len() as u32));
        let pairs = || ours.iter().zip(returns.iter().zip(&lengths));
        let equal = pairs().filter(|(our, (reward, length))| {
            (our.reward - **reward).abs() <= 1e-6 && i64::from(our.length) == **length
        });
        let share = equal.count() as f64 / ours.len() as f64;
        let differences: Vec<f64> = pairs().map(|(our, (reward, _))| our.reward - reward).collect();
        let (mean, variance) = mean_and_variance(&differences);
        let error = (variance / ours.len() as f64).sqrt();
        let what = format!(
            "{}, {name}: {share} of the episodes are equal, mean difference {mean} +- {error}",
            world.spec().name
        );
        assert!(share >= equal_share(&name, world), "{what}");
        assert!(mean.abs() <= 3.0 * error, "{what}");
    }
}

/// The largest distance between the two distribution functions.
fn kolmogorov_smirnov(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let below = |x: &[f64], value: f64| x.partition_point(|&x| x <= value) as f64 / x.len() as f64;
    a.iter().chain(&b).map(|&value| (below(&a, value) - below(&b, value)).abs()).fold(0.0, f64::max)
}

#[test]
fn envs_scores_have_the_distribution_of_gymnasium() {
    for (name, world, policy) in players() {
        let (theirs, _) = recorded(&name);
        let ours: Vec<f64> = play(world, policy, Seeds::Phylon(3), EPISODES).iter().map(|e| e.reward).collect();
        let (n, m) = (ours.len() as f64, theirs.len() as f64);
        let ((mean, variance), (their_mean, their_variance)) = (mean_and_variance(&ours), mean_and_variance(&theirs));
        let bound = 3.0 * (variance / n + their_variance / m).sqrt();
        let what = format!("{}, {name}: mean {mean} against {their_mean}, within {bound}", world.spec().name);
        assert!((mean - their_mean).abs() <= bound, "{what}");
        let distance = kolmogorov_smirnov(ours, theirs);
        let limit = 1.63 * ((n + m) / (n * m)).sqrt();
        assert!(distance <= limit, "{what}; Kolmogorov-Smirnov distance {distance}, limit {limit}");
    }
}

#[test]
fn envs_generators_of_the_seeds_are_those_of_numpy() {
    let Some(seeds) = open("seeds.npz") else { return };
    let first = seeds.i64("first_seed")[0] as u64;
    let wide = |key: &str| -> Vec<u128> {
        seeds.u64(key).chunks(2).map(|halves| u128::from(halves[0]) << 64 | u128::from(halves[1])).collect()
    };
    for (k, (state, increment)) in wide("state").into_iter().zip(wide("inc")).enumerate() {
        let seeded = phylon::world::draws::Pcg64::seeded(first + k as u64);
        assert_eq!((seeded.state, seeded.increment), (state, increment), "seed {k}");
    }
}

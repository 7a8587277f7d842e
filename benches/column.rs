//! What a cortical column takes: to be built, to be stepped, and many different ones side by side. A line of JSON each.
//!
//!     cargo bench --bench column [-- build|column|batch|full]
//!
//! `RAYON_NUM_THREADS` is the number of threads. `batch` includes the building of its 64 columns, which differ in all of their
//! connection probabilities; `full` is the column at full scale and wants 6 GB.

use std::time::Instant;

use phylon::column::search::{Group, Problem, Reward, objective};
use phylon::column::{Network, Parameters, Seeds, Simulation, steps};
use phylon::rng::{Row, Stream};
use serde_json::json;

const WARM_UP: f64 = 1000.0;
const COUNTED: f64 = 5000.0;
const BATCH: usize = 64;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_asked = |name: &str| asked.iter().any(|arg| arg == name) || (asked.is_empty() && name != "full");
    let threads = rayon::current_num_threads();
    if is_asked("build") {
        let mut seconds: Vec<f64> = (1..=7).map(|seed| build(&Parameters::default(), seed, threads).1).collect();
        seconds.sort_by(f64::total_cmp);
        println!("{}", json!({"what": "build", "threads": threads, "seconds": seconds[3], "all": seconds}));
    }
    if is_asked("column") {
        column("column", &Parameters::default(), threads, (WARM_UP, COUNTED));
    }
    if is_asked("batch") {
        batch(threads);
    }
    if is_asked("full") {
        let parameters = Parameters { neuron_scale: 1.0, synapse_scale: 1.0, ..Parameters::default() };
        column("full", &parameters, threads, (100.0, 300.0));
    }
}

fn build(parameters: &Parameters, seed: u64, parts: usize) -> (Network<f32>, f64) {
    let start = Instant::now();
    let network = Network::column(parameters, Seeds::both(seed), parts).expect("a column");
    (network, start.elapsed().as_secs_f64())
}

/// One column over all threads.
fn column(what: &str, parameters: &Parameters, threads: usize, (warm_up, counted): (f64, f64)) {
    let (network, built) = build(parameters, 1, threads);
    let mut simulation = Simulation::new(&network);
    let mut spikes = Vec::new();
    simulation.advance(steps(warm_up), &mut spikes);
    spikes.clear();
    let start = Instant::now();
    simulation.advance(steps(counted), &mut spikes);
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({"what": what, "threads": threads, "build_s": built, "model_s": counted * 1e-3, "sim_s": seconds,
            "rtf": seconds / (counted * 1e-3), "spikes": spikes.len(), "synapses": network.synapses()})
    );
}

/// Different columns, one a thread, a second each.
fn batch(threads: usize) {
    let problem = Problem {
        base: Parameters::default(),
        group: Group::Structure,
        k: 20.0,
        steps: (steps(500.0), steps(500.0)),
        targets: objective::in_vivo(),
        reward: Reward::Sum,
        seeds: 1,
        fresh_seeds: false,
        seed: 1,
        most_rate: 1e3,
    };
    let points: Vec<Vec<f64>> = (0..BATCH as u32)
        .map(|index| {
            let mut normals = vec![0.0; 64];
            Row { seed: 1, stream: Stream::Candidates, generation: 0, index }.normals(0, &mut normals);
            normals.into_iter().map(|normal| 0.5 * f64::from(normal)).collect()
        })
        .collect();
    let start = Instant::now();
    let judged = problem.judge(None, &points, &problem.seeds_of(0), &|| ()).expect("columns");
    let seconds = start.elapsed().as_secs_f64();
    let rate = judged.iter().map(|judged| judged.rates[2]).sum::<f64>() / BATCH as f64;
    println!(
        "{}",
        json!({"what": "batch", "threads": threads, "columns": BATCH, "seconds": seconds,
            "column_seconds_per_s": BATCH as f64 / seconds, "mean_l4e_hz": rate})
    );
}

//! How fast agents are grown: binomial draws a second of the direct sampler, and agents a second of it and of the law, set-up
//! included. One line of JSON for each case; `cargo bench --bench growth [-- GENES ..]`.
//!
//! Profiles are first ones (4-128-2), every figure the median of repetitions over about two seconds.

use std::hint::black_box;
use std::time::Instant;

use phylon::synaptogen::fitness::DEGREE;
use phylon::synaptogen::growth::{Connectome, direct, law};
use phylon::synaptogen::{Assembly, Profile, RuleMap, Shape};

/// Median seconds of a call.
fn seconds(mut call: impl FnMut(u64)) -> f64 {
    call(0);
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || begin.elapsed().as_secs_f64() < 2.0 {
        let start = Instant::now();
        call(1 + times.len() as u64);
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let given: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let genes = if given.is_empty() { vec![16, 32, 64] } else { given };
    let threads = rayon::current_num_threads();
    for genes in genes {
        let shape = Shape::new(&[4, 128, 2], genes);
        let mut assembly = Assembly::new(&shape, &RuleMap::Sigmoid);
        assembly.assemble(&Profile::initial(shape, RuleMap::Sigmoid, 12).parameters);
        let connectome = Connectome::of(&assembly, DEGREE);
        let draws = (connectome.pairs() * genes * genes) as f64;
        let report = |method: &str, agents: u32, time: f64| {
            let each = f64::from(agents) / time;
            let draws = draws * each;
            println!(
                r#"{{"bench": "growth", "method": "{method}", "genes": {genes}, "agents": {agents}, "threads": {threads}, "ms": {:.3}, "agents_per_s": {each:.1}, "draws_per_s": {draws:.4e}}}"#,
                1e3 * time
            );
        };
        for agents in [1, 100] {
            report("direct", agents, seconds(|seed| drop(black_box(direct::synapses(&connectome, seed, 0..agents)))));
        }
        for agents in [1, 100, 1000] {
            let grow = |seed| drop(black_box(law::Law::new(&connectome).synapses(seed, 0..agents)));
            report("law", agents, seconds(grow));
        }
    }
}

//! The cortical column against NEST's golden files: derived numbers, single neurons, small networks spike for spike, and the
//! rates of whole columns. `PHYLON_GOLDEN` names another folder of files.

mod columns;
mod npz;

use columns::{constants, file, json, numbers, of_neuron};
use npz::Npz;
use phylon::column::network::Connection;
use phylon::column::precision::Precision;
use phylon::column::statistics::{Statistics, by_population};
use phylon::column::{
    Background, NAMES, Network, POPULATIONS, Parameters, Population, Seeds, Simulation, delay, steps,
};
use phylon::cpu::InstructionSet;
use rayon::prelude::*;
use serde_json::Value;

fn eight(value: &Value) -> [f64; POPULATIONS] {
    numbers(value).try_into().expect("a number for each population")
}

/// The base column with a set's differences.
fn parameters(overrides: &Value) -> Parameters {
    let mut p = Parameters::default();
    for (key, value) in overrides.as_object().expect("an object") {
        let number = || value.as_f64().unwrap_or_else(|| panic!("{key} is not a number"));
        match key.as_str() {
            "bg_input" => p.background = if value == "dc" { Background::Dc } else { Background::Poisson },
            "bg_rate" => p.background_rate = number(),
            "g" => p.g = number(),
            "K_scaling" => p.synapse_scale = number(),
            "N_scaling" => p.neuron_scale = number(),
            "delay_i" => p.delay_inhibitory = number(),
            "full_mean_rates" => p.full_rates = eight(value),
            "V0_mean" => p.v0_mean = eight(value),
            "V0_sd" => p.v0_sd = eight(value),
            "conn_factor" => {
                for (pair, factor) in value.as_object().expect("an object") {
                    let (target, source) = pair.split_once(',').expect("target,source");
                    let of = |name| NAMES.iter().position(|n| *n == name).expect("a population");
                    p.connection[of(target)][of(source)] *= factor.as_f64().expect("a factor");
                }
            }
            _ => panic!("unknown parameter {key}"),
        }
    }
    p
}

#[track_caller]
fn assert_near(what: &str, seen: f64, expected: f64, relative: f64) {
    assert!((seen - expected).abs() <= relative * expected.abs(), "{what}: {seen}, not {expected}");
}

#[test]
fn column_derived_numbers_are_those_of_the_files() {
    let Some(file) = json("derived.json") else { return };
    for (name, set) in file["sets"].as_object().expect("sets") {
        let parameters = parameters(&set["override"]);
        let derived = parameters.derive();
        let integers = |value: &Value| numbers(value).into_iter().map(|x| x as u64).collect::<Vec<_>>();
        assert_eq!(derived.neurons.map(u64::from).to_vec(), integers(&set["N"]), "{name}: neurons");
        for (y, row) in set["Q"].as_array().expect("rows").iter().enumerate() {
            assert_eq!(derived.synapses[y].to_vec(), integers(row), "{name}: synapses onto {}", NAMES[y]);
        }
        assert_eq!(derived.total_synapses(), set["n_synapses"].as_u64().expect("a number"), "{name}");
        assert_eq!(derived.total_neurons(), set["n_neurons"].as_u64().expect("a number"), "{name}");
        for (y, row) in set["w_mean_pA"].as_array().expect("rows").iter().enumerate() {
            for (x, expected) in numbers(row).into_iter().enumerate() {
                assert_near(&format!("{name}: weight"), derived.weight[y][x], expected, 1e-12);
            }
        }
        assert_near(name, derived.external_weight, set["w_ext_pA"].as_f64().expect("a number"), 1e-12);
        assert_near(name, derived.psc_of_psp, set["psc_over_psp_pA_per_mV"].as_f64().expect("a number"), 1e-12);
        for (p, expected) in eight(&set["I_dc_pA"]).into_iter().enumerate() {
            // Sums of terms 30 times as large that cancel, formed from synapse numbers of which eight digits are sure.
            assert_near(&format!("{name}: current of {}", NAMES[p]), derived.current[p], expected, 1e-12);
        }
        for (p, expected) in eight(&set["ext_rate_hz"]).into_iter().enumerate() {
            assert_near(&format!("{name}: rate from outside"), derived.external_rate[p], expected, 1e-12);
        }
        let (propagators, neuron) = (&set["propagators"], derived.neuron);
        let of = |key: &str| propagators[key].as_f64().expect("a number");
        assert_near("P22", 1.0 - neuron.leak, of("P22"), 1e-12);
        assert_near("P20", neuron.constant, of("P20_mV_per_pA"), 1e-12);
        for channel in neuron.channels {
            assert_near("P11", channel.decay, of("P11"), 1e-12);
            assert_near("P21", channel.gain, of("P21_mV_per_pA"), 1e-12);
        }
        let laws = [
            ("delay_step_pmf_exc", parameters.delay_excitatory, parameters.delay_relative_sd_excitatory),
            ("delay_step_pmf_inh", parameters.delay_inhibitory, parameters.delay_relative_sd_inhibitory),
        ];
        for (key, mean, relative_sd) in laws {
            let law = delay::probabilities(mean, mean * relative_sd);
            for (k, expected) in numbers(&set[key]).into_iter().enumerate() {
                // The files' law goes on beyond the longest delay, with 2e-11 of its probability.
                assert!((law[k] - expected).abs() < 1e-10, "{name}: {key}[{k}]: {} not {expected}", law[k]);
            }
        }
    }
}

/// Largest differences of potential (mV) and of currents (relative to the largest) from a trace, after the spikes were found equal.
fn single_neuron<P: Precision>(name: &str, case: &Value, trace: &[f64]) -> (f64, f64) {
    let params = &case["params"];
    let neuron = constants(params, 0);
    let population =
        Population { neurons: 1, constants: neuron, current: of_neuron(&params["I_e"], 0), background: None };
    // An input is a generator that fires a step before.
    let (at, weights) = (numbers(&case["input"]["step"]), numbers(&case["input"]["w_pA"]));
    let connections: Vec<Connection> = weights
        .iter()
        .enumerate()
        .map(|(i, &weight)| Connection { source: 1 + i as u32, target: 0, weight, delay: 1 })
        .collect();
    let schedule = at.iter().enumerate().map(|(i, &step)| (step as u32 - 1, i as u32)).collect();
    let first = case["V0_mV"].as_f64().expect("a number") - neuron.e_l;
    let network =
        Network::<P>::written(vec![population], &[first], &connections, (weights.len(), schedule), 1).unwrap();
    let mut simulation = Simulation::with_three_channels(&network);
    let n = case["n_steps"].as_u64().expect("a number") as usize;
    let (mut spikes, mut potential, mut current) = (Vec::new(), 0f64, 0f64);
    let largest = trace[n..].iter().fold(1f64, |largest, x| largest.max(x.abs()));
    for step in 0..n {
        simulation.advance(1, &mut spikes);
        potential = potential.max((simulation.potentials(0)[0] - trace[step]).abs());
        for (channel, currents) in simulation.currents(0).iter().enumerate() {
            current = current.max((currents[0] - trace[(channel + 1) * n + step]).abs() / largest);
        }
    }
    let expected: Vec<u32> = numbers(&case["out_spike_step"]).into_iter().map(|step| step as u32).collect();
    assert_eq!(spikes.iter().map(|spike| spike.step).collect::<Vec<_>>(), expected, "{name}: spikes");
    (potential, current)
}

#[test]
fn column_single_neurons_follow_nest() {
    let (Some(file), Some(traces)) = (json("single_neuron.json"), file("single_neuron_traces.npz")) else { return };
    let traces = Npz::open(&traces);
    for (name, case) in file["cases"].as_object().expect("cases") {
        let trace = traces.f64(name);
        let (potential, current) = single_neuron::<f64>(name, case, &trace);
        assert!(potential < 1e-9 && current < 1e-12, "{name} in f64: {potential} mV, {current} of the current");
        let (potential, current) = single_neuron::<f32>(name, case, &trace);
        assert!(potential < 1e-4 && current < 1e-5, "{name} in f32: {potential} mV, {current} of the current");
    }
}

#[test]
fn column_tiny_networks_fire_as_in_nest() {
    for name in ["tiny_network_0.json", "tiny_network_1.json"] {
        let Some(golden) = columns::tiny(name) else { continue };
        for parts in [1, 3] {
            assert_eq!(golden.simulated::<f64>(parts), golden.expected, "{name} in f64, {parts} parts");
            assert_eq!(golden.simulated::<f32>(parts), golden.expected, "{name} in f32, {parts} parts");
        }
    }
}

#[test]
fn column_medium_network_fires_as_in_nest() {
    let Some(golden) = columns::medium() else { return };
    for parts in [1, 2] {
        assert_eq!(golden.simulated::<f64>(parts), golden.expected, "in f64, {parts} parts");
    }
    // A chaotic network leaves any other rounding behind, but not at once.
    let seen = golden.simulated::<f32>(1);
    let until = |raster: &[(u32, u32)]| raster.iter().copied().filter(|spike| spike.0 <= 500).collect::<Vec<_>>();
    assert_eq!(until(&seen), until(&golden.expected), "the first 500 steps in f32");
    let mut first = 0;
    for (p, population) in golden.populations.iter().enumerate() {
        let range = first..first + population.neurons as u32;
        first = range.end;
        let rate = |raster: &[(u32, u32)]| raster.iter().filter(|spike| range.contains(&spike.1)).count() as f64;
        // Counts below a thousand may differ by more than 3 % by chance.
        let (seen, expected) = (rate(&seen), rate(&golden.expected));
        assert!((seen - expected).abs() <= 0.03 * expected + expected.sqrt(), "{}: {seen}, not {expected}", NAMES[p]);
    }
}

/// By run and population.
type Runs = Vec<Vec<Statistics>>;

/// Statistics of a column of each seed.
fn columns(parameters: &Parameters, seeds: &[u64], warm: f64, counted: f64) -> Runs {
    let run = |&seed: &u64| {
        let network = Network::<f32>::column(parameters, Seeds::both(seed), 1).unwrap();
        let mut spikes = Vec::new();
        Simulation::new(&network).advance(steps(warm + counted), &mut spikes);
        by_population(&spikes, steps(warm), POPULATIONS, |lane| network.place(lane))
            .iter()
            .zip(network.sizes())
            .map(|(spikes, size)| Statistics::new(size, spikes, steps(warm), steps(counted)))
            .collect()
    };
    seeds.par_iter().map(run).collect()
}

#[test]
fn column_rates_irregularity_and_synchrony_are_those_of_nest() {
    let Some(file) = json("rates.json") else { return };
    let base_sd = eight(&file["sets"]["base_poisson"]["sd_across_seeds"]["rate_hz"]);
    let base_mean = eight(&file["sets"]["base_poisson"]["mean"]["rate_hz"]);
    let mut done: Option<((Parameters, usize), Runs)> = None;
    let mut sets: Vec<(&String, &Value)> = file["sets"].as_object().expect("sets").iter().collect();
    sets.sort_by_key(|(name, _)| (!name.contains("base_poisson"), name.len()));
    for (name, set) in sets {
        let number = |key: &str| set[key].as_f64().expect("a number");
        let (warm, duration) = (number("warm_ms"), number("sim_ms"));
        let reference_seeds = set["seeds"].as_array().expect("seeds").len();
        let is_base = name.contains("base_poisson");
        let seeds: Vec<u64> = (1..=if is_base { 4 } else { 2 }).collect();
        let parameters = parameters(&set["override"]);
        // Two programs have run the base column.
        if done.as_ref().is_none_or(|(last, _)| *last != (parameters.clone(), seeds.len())) {
            done = Some(((parameters.clone(), seeds.len()), columns(&parameters, &seeds, warm, duration)));
        }
        let runs = &done.as_ref().expect("just run").1;
        let mean = |of: &dyn Fn(&Statistics) -> f64, p: usize| {
            runs.iter().map(|run| of(&run[p])).sum::<f64>() / runs.len() as f64
        };
        let (m, n) = (reference_seeds as f64, seeds.len() as f64);
        for p in 0..POPULATIONS {
            let reference = eight(&set["mean"]["rate_hz"])[p];
            let sd = match set["sd_across_seeds"]["rate_hz"][p].as_f64() {
                Some(sd) if reference_seeds >= 5 => sd,
                // Of few seeds: that of the base column in parts of the rate; and the chance of counts, which is that of a Poisson
                // number times the synchrony where neurons fire together.
                _ => {
                    let neuron_seconds = f64::from(parameters.derive().neurons[p]) * duration * 1e-3;
                    let synchrony = set["mean"]["fano_3ms"][p].as_f64().unwrap_or(1.0);
                    (base_sd[p] / base_mean[p] * reference).hypot((synchrony * reference / neuron_seconds).sqrt())
                }
            };
            // As the files' README has it.
            let allowed = 4.0 * sd * (1.0 / m + 1.0 / n).sqrt() + 0.01;
            let rate = mean(&|run| run.rate, p);
            eprintln!("{name} {}: {rate:.4} Hz, reference {reference:.4} +- {allowed:.4}", NAMES[p]);
            assert!(
                (rate - reference).abs() <= allowed,
                "{name} {}: {rate} Hz, not {reference} +- {allowed}",
                NAMES[p]
            );
            if is_base {
                let of = |key: &str| eight(&set["mean"][key])[p];
                let cv = mean(&|run| run.cv.expect("spikes enough"), p);
                assert!(
                    (cv - of("cv_isi_mean")).abs() <= 0.03,
                    "{name} {}: CV {cv}, not {}",
                    NAMES[p],
                    of("cv_isi_mean")
                );
                let synchrony = mean(&|run| run.synchrony.expect("spikes"), p);
                let expected = of("fano_3ms");
                assert!(
                    (synchrony / expected - 1.0).abs() <= 0.15,
                    "{name} {}: synchrony {synchrony}, not {expected}",
                    NAMES[p]
                );
                let correlation = mean(&|run| run.correlation.expect("spikes"), p);
                // Five standard deviations over seeds, of the means' difference.
                let spread = 5.0 * eight(&set["sd_across_seeds"]["corr_2ms_mean"])[p] * (1.0 / m + 2.0 / n).sqrt();
                let expected = of("corr_2ms_mean");
                assert!(
                    (correlation - expected).abs() <= spread.max(3e-4),
                    "{name} {}: correlation {correlation}, not {expected} +- {spread}",
                    NAMES[p]
                );
            }
        }
    }
}

#[test]
fn column_is_the_same_in_parts_and_with_every_instruction_set() {
    let parameters = Parameters { neuron_scale: 0.05, ..Parameters::default() };
    let run = |parts, instructions| {
        let network = Network::<f32>::column(&parameters, Seeds { wiring: 3, noise: 4 }, parts).unwrap();
        let mut spikes = Vec::new();
        let mut simulation = Simulation::new(&network).with_instructions(instructions);
        simulation.advance(700, &mut spikes);
        simulation.advance(1300, &mut spikes);
        (spikes, (0..POPULATIONS).map(|p| simulation.potentials(p)).collect::<Vec<_>>())
    };
    let reference = run(1, InstructionSet::best());
    assert!(reference.0.len() > 1000, "{} spikes", reference.0.len());
    for parts in [2, 3] {
        assert_eq!(run(parts, InstructionSet::best()), reference, "{parts} parts");
    }
    for instructions in InstructionSet::available() {
        assert_eq!(run(1, instructions), reference, "{instructions:?}");
    }
}

#[test]
fn column_synapses_follow_their_law() {
    let parameters = Parameters { neuron_scale: 0.05, psp_relative_sd: 0.5, ..Parameters::default() };
    let derived = parameters.derive();
    let network = Network::<f32>::column(&parameters, Seeds::both(9), 2).unwrap();
    assert_eq!(network.synapses() as u64, derived.total_synapses());
    for (source, name) in NAMES.iter().enumerate() {
        let inhibitory = source % 2 == 1;
        let mut to = [0u64; POPULATIONS];
        let mut delays = [0u64; delay::LONGEST];
        let (mut out, mut sums) = (vec![0u64; derived.neurons[source] as usize], [[0.0; 2]; POPULATIONS]);
        for (neuron, lane, delay, weight) in network.synapses_from(source) {
            let (target, _) = network.place(lane);
            to[target] += 1;
            out[neuron as usize] += 1;
            delays[delay as usize - 1] += 1;
            assert!(weight == 0.0 || (weight < 0.0) == inhibitory, "a weight of {weight} pA from {name}");
            sums[target][0] += weight;
            sums[target][1] += weight * weight;
        }
        let total: u64 = to.iter().sum();
        for target in 0..POPULATIONS {
            assert_eq!(to[target], derived.synapses[target][source], "{name} to {}", NAMES[target]);
            if to[target] < 1000 {
                continue;
            }
            // A normal law with sd = mean / 2, cut off at 0: mean 1.0276, sd 0.4698 in parts of the mean (phi(2) = 0.05399,
            // Phi(2) = 0.97725).
            let (n, mean) = (to[target] as f64, derived.weight[target][source]);
            let (first, second) = (sums[target][0] / n / mean, sums[target][1] / n / (mean * mean));
            assert!((first - 1.027_62).abs() < 5.0 * 0.47 / n.sqrt(), "{target} {source}: mean weight {first}");
            let sd = (second - first * first).sqrt();
            assert!((sd - 0.469_82).abs() < 5.0 * 0.47 / n.sqrt(), "{target} {source}: sd of weights {sd}");
        }
        // Out-degrees are binomial: variance over mean is 1 - 1/N, to 5 standard errors.
        let mean = total as f64 / out.len() as f64;
        let variance = out.iter().map(|&k| (k as f64 - mean).powi(2)).sum::<f64>() / (out.len() - 1) as f64;
        let ratio = variance / mean;
        assert!((ratio - 1.0).abs() < 5.0 * (2.0 / out.len() as f64).sqrt(), "{name}: variance {ratio} of the mean");
        let mean_delay = if inhibitory { parameters.delay_inhibitory } else { parameters.delay_excitatory };
        let law = delay::probabilities(mean_delay, mean_delay * 0.5);
        let mut chi_square = 0.0;
        let mut bins = 0.0;
        for (&seen, p) in delays.iter().zip(law) {
            let expected = p * total as f64;
            if expected >= 10.0 {
                chi_square += (seen as f64 - expected).powi(2) / expected;
                bins += 1.0;
            }
        }
        assert!(chi_square < bins + 5.0 * (2.0f64 * bins).sqrt(), "{name}: chi-square {chi_square} of {bins} delays");
    }
}

#[test]
fn column_refuses_what_cannot_be() {
    let refused = |change: &dyn Fn(&mut Parameters)| {
        let mut parameters = Parameters::default();
        change(&mut parameters);
        Network::<f32>::column(&parameters, Seeds::both(1), 1).expect_err("a mistake").to_string()
    };
    type Change<'a> = &'a dyn Fn(&mut Parameters);
    let cases: [(Change, &str); 7] = [
        (&|p| p.tau_m = 0.0, "`tau_m`: 0 is not a positive number"),
        (&|p| p.g = 4.0, "`g`: 4 is not a negative number"),
        (&|p| p.connection[1][2] = 1.0, "`connection`: 1 is not a probability"),
        (&|p| p.v_reset = -50.0, "`v_reset`: -50 mV is not below the threshold"),
        (&|p| p.neuron_scale = 1e-4, "`neuron_scale`: 0.0001 leaves no neuron of L5E"),
        (&|p| p.v0_sd[3] = f64::NAN, "`v0_sd`: NaN is not a number"),
        (&|p| p.background_rate = 8000.0, "`background_rate`: L23E gets"),
    ];
    for (change, message) in cases {
        let seen = refused(change);
        assert!(seen.contains(message), "{seen:?} lacks {message:?}");
    }
}

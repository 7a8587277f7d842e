//! Columns on a device against the CPU, to the bit: their synapses, and every spike. On the stand-in driver (feature `emu`), or on
//! a GPU, with PHYLON_TEST_DEVICE=cuda.
#![cfg(feature = "emu")]

mod columns;
mod device;
mod npz;

use device::{gpu, on_gpu};
use phylon::column::gpu::{Columns, Counted, Sizes, simulate, simulate_in};
use phylon::column::statistics::by_population;
use phylon::column::{Background, Network, POPULATIONS, Parameters, Seeds, Simulation, Spike, delay};
use phylon::gpu::emu::{self, Order};

fn order(order: Order) {
    if !on_gpu() {
        emu::set_order(order).expect("the stand-in driver");
    }
}

/// So small that the stand-in driver has it done in a second; a third fires in the first step.
fn small() -> Parameters {
    let base = Parameters::default();
    Parameters { neuron_scale: 0.012, synapse_scale: 0.05, background_rate: 9.0, v0_mean: [-52.0; POPULATIONS], ..base }
}

/// Columns that differ in all that the kernels tell apart.
fn many() -> Vec<(Parameters, Seeds)> {
    let base = small();
    let mut connection = base.connection;
    connection[0][1] = 0.0;
    connection[6][6] = 0.2;
    let columns = [
        base.clone(),
        // Other sizes, weights and an in-degree of none.
        Parameters { neuron_scale: 0.02, synapse_scale: 0.03, g: -4.4, connection, ..base.clone() },
        // Weights of the wrong sign are drawn again, some more than once.
        Parameters { psp_relative_sd: 1.5, synapse_scale: 0.02, ..base.clone() },
        // One delay, the longest; and the first spikes from outside in the middle of eight steps.
        Parameters {
            delay_excitatory: 9.0,
            delay_inhibitory: 0.1,
            delay_relative_sd_excitatory: 0.0,
            delay_relative_sd_inhibitory: 0.0,
            background_delay: 3.1,
            ..base.clone()
        },
        Parameters { background: Background::Dc, background_rate: 11.0, ..base.clone() },
        // More spikes from outside than four bits count, and neurons that never rest.
        Parameters { background_rate: 300.0, background_delay: 1.3, psp: 0.02, t_refractory: 0.0, ..base.clone() },
        // A current for each kind.
        Parameters { tau_syn_inhibitory: 2.0, tau_syn_external: 1.0, background_delay: 0.0, ..base.clone() },
        Parameters {
            tau_syn_excitatory: 0.7,
            background: Background::Dc,
            neuron_scale: 0.015,
            t_refractory: 5.05,
            ..base.clone()
        },
        // More neurons than the narrow kernel has lanes for.
        Parameters { neuron_scale: 0.107, synapse_scale: 0.003, ..base },
    ];
    let seeds = |i: u64| Seeds { wiring: 0x0123_4567_89AB_CDEF ^ i, noise: u64::MAX - i };
    columns.into_iter().enumerate().map(|(i, parameters)| (parameters, seeds(i as u64))).collect()
}

fn on_cpu(network: &Network<f32>, steps: u32) -> Vec<Spike> {
    let mut spikes = Vec::new();
    Simulation::new(network).advance(steps, &mut spikes);
    spikes
}

/// What a device must say of a network that has fired so.
fn check(what: &str, seen: &Counted, network: &Network<f32>, spikes: &[Spike], warm: u32) {
    let expected: Vec<Spike> = spikes.iter().filter(|spike| spike.step > warm).copied().collect();
    let sorted = by_population(spikes, warm, network.sizes().len(), |lane| network.place(lane));
    let counts: Vec<u32> = sorted.iter().map(|spikes| spikes.len() as u32).collect();
    if let Some(spikes) = &seen.spikes {
        let differs = spikes.iter().zip(&expected).position(|(a, b)| a != b);
        assert!(
            *spikes == expected,
            "{what}: {} spikes, not {}; they differ from number {differs:?} on: {:?}, not {:?}",
            spikes.len(),
            expected.len(),
            differs.map(|i| spikes[i]),
            differs.map(|i| expected[i])
        );
        assert!(spikes.iter().all(|spike| seen.place(spike.lane as usize) == network.place(spike.lane as usize)));
    }
    assert_eq!(seen.counts, counts, "{what}");
}

fn networks(columns: &[(Parameters, Seeds)]) -> Vec<Network<f32>> {
    columns.iter().map(|(p, seeds)| Network::column(p, *seeds, 1).unwrap_or_else(|e| panic!("{e}"))).collect()
}

#[test]
fn column_synapses_are_those_of_the_cpu() {
    let (gpu, columns) = (gpu(), many());
    let networks = networks(&columns);
    for which in [Order::Forward, Order::Reverse, Order::Shuffled(4)] {
        order(which);
        let drawn = Columns::drawn(&gpu, &columns).unwrap_or_else(|e| panic!("{e}"));
        for (i, network) in networks.iter().enumerate() {
            let mut longest = 0;
            for population in 0..POPULATIONS {
                let mut seen = drawn.synapses_from(i, population).unwrap_or_else(|e| panic!("{e}"));
                let mut expected: Vec<_> = network.synapses_from(population).collect();
                let sort =
                    |all: &mut Vec<(u32, usize, u32, f64)>| all.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
                sort(&mut seen);
                sort(&mut expected);
                let differs = seen.iter().zip(&expected).position(|(a, b)| a != b);
                assert!(
                    seen == expected,
                    "column {i}, population {population}, {which:?}: {} synapses, not {}; {:?}, not {:?}",
                    seen.len(),
                    expected.len(),
                    differs.map(|i| seen[i]),
                    differs.map(|i| expected[i])
                );
                longest = expected.iter().map(|synapse| synapse.2).fold(longest, u32::max);
            }
            assert!(i != 3 || longest == delay::LONGEST as u32, "the longest delay is {longest}");
        }
    }
}

#[test]
fn column_spikes_are_those_of_the_cpu() {
    let (gpu, columns) = (gpu(), many());
    let (warm, counted) = (35, 265);
    let networks = networks(&columns);
    let expected: Vec<Vec<Spike>> = networks.iter().map(|network| on_cpu(network, warm + counted)).collect();
    for (i, spikes) in expected.iter().enumerate() {
        assert!(spikes.len() > 200, "column {i} fires {} times", spikes.len());
    }
    // Threads of a block, spikes in shared memory, spikes that there is room for, columns at once.
    let all = [
        (Order::Forward, Sizes::default()),
        (Order::Reverse, Sizes { threads: 64, list: 1024, spikes: Some(40), ..Sizes::default() }),
        (Order::Shuffled(9), Sizes { threads: 160, list: 2048, columns: 4, ..Sizes::default() }),
    ];
    for (which, sizes) in all {
        order(which);
        let seen = simulate_in(&gpu, &columns, warm, counted, true, sizes).unwrap_or_else(|e| panic!("{e}"));
        for (i, seen) in seen.iter().enumerate() {
            check(&format!("column {i}, {which:?}, {sizes:?}"), seen, &networks[i], &expected[i], warm);
        }
    }
    // Counts alone; and nothing at all.
    let seen = simulate(&gpu, &columns[..2], warm, counted, false).unwrap_or_else(|e| panic!("{e}"));
    for (i, seen) in seen.iter().enumerate() {
        assert_eq!(seen.spikes, None);
        check(&format!("column {i}, counted"), seen, &networks[i], &expected[i], warm);
    }
    assert_eq!(simulate(&gpu, &[], 1, 1, true).unwrap_or_else(|e| panic!("{e}")), []);
}

/// Lists far too small for the first volley, from which some come back when fewer spikes act, and all others never.
#[test]
fn column_spikes_beyond_shared_memory_are_not_lost() {
    let (gpu, columns) = (gpu(), [(small(), Seeds::both(3)), (many().remove(6).0, Seeds::both(4))]);
    let networks = networks(&columns);
    let steps = 500;
    let expected: Vec<Vec<Spike>> = networks.iter().map(|network| on_cpu(network, steps)).collect();
    // In windows of twenty steps, each of which is shorter than the longest delay.
    let busiest = |spikes: &[Spike]| {
        let in_window = |window: u32| spikes.iter().filter(|spike| spike.step / 20 == window).count();
        (0..steps / 20).map(in_window).fold((usize::MAX, 0), |(least, most), n| (least.min(n), most.max(n)))
    };
    for list in [1, 32, 128, 256] {
        order(Order::Shuffled(u64::from(list)));
        let sizes = Sizes { list, threads: 96, ..Sizes::default() };
        let seen = simulate_in(&gpu, &columns, 0, steps, true, sizes).unwrap_or_else(|e| panic!("{e}"));
        for (i, seen) in seen.iter().enumerate() {
            let (least, most) = busiest(&expected[i]);
            assert!(most > 128 && least < 64, "column {i}: from {least} to {most} spikes in 20 steps");
            check(&format!("column {i}, a list of {list}"), seen, &networks[i], &expected[i], 0);
        }
    }
}

#[test]
fn column_written_networks_fire_as_on_the_cpu() {
    let gpu = gpu();
    let mut all = Vec::new();
    for name in ["tiny_network_0.json", "tiny_network_1.json"] {
        all.extend(columns::tiny(name).map(|golden| (name, golden)));
    }
    all.extend(columns::medium().map(|golden| ("medium_network", golden)));
    // In parts, which a device puts together again.
    let networks: Vec<Network<f32>> = all.iter().map(|(_, golden)| golden.network(2)).collect();
    let steps: Vec<u32> = all.iter().map(|(_, golden)| golden.steps()).collect();
    let whole = Columns::of_networks(&gpu, &networks.iter().collect::<Vec<_>>()).unwrap_or_else(|e| panic!("{e}"));
    let most = steps.iter().copied().max().unwrap_or(0);
    order(Order::Reverse);
    let sizes = Sizes { threads: 128, ..Sizes::default() };
    let seen = whole.run(0, most, true, sizes).unwrap_or_else(|e| panic!("{e}"));
    for (((name, golden), network), seen) in all.iter().zip(&networks).zip(&seen) {
        check(name, seen, network, &on_cpu(network, most), 0);
        if name.starts_with("tiny") {
            let spikes = seen.spikes.as_deref().unwrap_or_default();
            assert_eq!(golden.raster(network, spikes), golden.expected, "{name}: against NEST");
        }
    }
}

#[test]
fn column_refused_on_a_device_says_why() {
    let gpu = gpu();
    let refused = |parameters: Parameters| {
        let columns = [(small(), Seeds::both(1)), (parameters, Seeds::both(1))];
        simulate(&gpu, &columns, 0, 1, false).expect_err("a mistake").to_string()
    };
    let base = || Parameters { synapse_scale: 1e-3, ..Parameters::default() };
    let cases = [
        (Parameters { tau_m: 0.0, ..base() }, "`tau_m`: 0 is not a positive number"),
        (Parameters { neuron_scale: 0.3, ..base() }, " neurons are more than a multiprocessor holds"),
        (
            Parameters { neuron_scale: 0.15, tau_syn_external: 1.0, ..base() },
            "with currents of different time constants",
        ),
        (Parameters { t_refractory: 1e6, ..base() }, "`t_refractory`: 10000000 steps are more than a device counts"),
        (Parameters { psp: 1e38, ..base() }, "too large, or too close together, for single precision"),
        (Parameters { background: Background::Dc, synapse_scale: 150.0, ..base() }, "synapses of one column are more"),
    ];
    for (parameters, message) in cases {
        let seen = refused(parameters);
        assert!(seen.contains(message), "{seen:?} lacks {message:?}");
    }
}

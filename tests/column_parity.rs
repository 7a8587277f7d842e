//! Columns on a device against the CPU, to the bit: their synapses, and every spike. On the stand-in driver (feature `emu`), or on
//! a GPU, with PHYLON_TEST_DEVICE=cuda.
#![cfg(feature = "emu")]

mod columns;
mod device;
mod npz;

use device::{gpu, on_gpu};
use phylon::column::gpu::{Columns, Counted, Sizes, Span, simulate};
use phylon::column::network::Connection;
use phylon::column::statistics::{Limit, by_population};
use phylon::column::{Background, Network, POPULATIONS, Parameters, Seeds, Simulation, Spike, Thalamus, delay};
use phylon::gpu::Gpu;
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

fn span(warm: u32, counted: u32, record: bool) -> Span {
    Span { warm, counted, record, limit: None }
}

/// What all columns do, by their numbers.
fn simulated(
    gpu: &Gpu,
    columns: &[(Parameters, Seeds)],
    thalamus: Option<&Thalamus>,
    span: Span,
    sizes: Sizes,
) -> Vec<Option<Counted>> {
    let mut all = Vec::new();
    let then = |first, batch| {
        assert_eq!(first, all.len());
        all.extend::<Vec<_>>(batch);
        Ok(())
    };
    simulate(gpu, columns, thalamus, span, sizes, then).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(all.len(), columns.len());
    all
}

/// Of columns that nothing stops.
fn all_of(gpu: &Gpu, columns: &[(Parameters, Seeds)], span: Span, sizes: Sizes) -> Vec<Counted> {
    simulated(gpu, columns, None, span, sizes).into_iter().map(|counted| counted.expect("no limit")).collect()
}

/// Columns in several blocks each, with no more threads than it takes, as threads of the stand-in driver cost time.
fn in_blocks(blocks: u32) -> Sizes {
    Sizes { blocks: Some(blocks), threads: 96, ..Sizes::default() }
}

fn networks(columns: &[(Parameters, Seeds)]) -> Vec<Network<f32>> {
    columns.iter().map(|(p, seeds)| Network::column(p, *seeds, 1).unwrap_or_else(|e| panic!("{e}"))).collect()
}

#[test]
fn column_synapses_are_those_of_the_cpu() {
    let (gpu, columns) = (gpu(), many());
    let networks = networks(&columns);
    // In a block each, and in several.
    let all = [
        (Order::Forward, Sizes::default()),
        (Order::Reverse, Sizes::default()),
        (Order::Shuffled(4), Sizes::default()),
        (Order::Forward, in_blocks(16)),
        (Order::Shuffled(5), in_blocks(23)),
    ];
    for (which, sizes) in all {
        order(which);
        let drawn = Columns::drawn(&gpu, &columns, None, sizes).unwrap_or_else(|e| panic!("{e}"));
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
                    "column {i}, population {population}, {which:?}, {sizes:?}: {} synapses, not {}; {:?}, not {:?}",
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
        // In several blocks, one of which fires more than a word of mail tells of; lists that one step does not fit.
        (Order::Reverse, Sizes { list: 16, spikes: Some(40), threads: 64, columns: 3, ..in_blocks(16) }),
        (Order::Shuffled(3), Sizes { list: 64, threads: 512, ..in_blocks(31) }),
    ];
    for (which, sizes) in all {
        order(which);
        let seen = all_of(&gpu, &columns, span(warm, counted, true), sizes);
        for (i, seen) in seen.iter().enumerate() {
            check(&format!("column {i}, {which:?}, {sizes:?}"), seen, &networks[i], &expected[i], warm);
        }
    }
    // Counts alone; and nothing at all.
    for sizes in [Sizes::default(), in_blocks(16)] {
        for (i, seen) in all_of(&gpu, &columns[..2], span(warm, counted, false), sizes).iter().enumerate() {
            assert_eq!(seen.spikes, None);
            check(&format!("column {i}, counted"), seen, &networks[i], &expected[i], warm);
        }
    }
    assert_eq!(all_of(&gpu, &[], span(1, 1, true), Sizes::default()), []);
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
        let seen = all_of(&gpu, &columns, span(0, steps, true), sizes);
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
    let most = steps.iter().copied().max().unwrap_or(0);
    for (which, sizes) in [
        (Order::Reverse, Sizes { threads: 128, ..Sizes::default() }),
        (Order::Forward, in_blocks(5)),
        (Order::Shuffled(2), in_blocks(20)),
    ] {
        order(which);
        let drawn = Columns::of_networks(&gpu, &networks.iter().collect::<Vec<_>>(), sizes);
        let seen = drawn.and_then(|columns| columns.run(span(0, most, true))).unwrap_or_else(|e| panic!("{e}"));
        for (((name, golden), network), seen) in all.iter().zip(&networks).zip(seen.iter().flatten()) {
            check(&format!("{name}, {sizes:?}"), seen, network, &on_cpu(network, most), 0);
            if name.starts_with("tiny") {
                let spikes = seen.spikes.as_deref().unwrap_or_default();
                assert_eq!(golden.raster(network, spikes), golden.expected, "{name}, {sizes:?}: against NEST");
            }
        }
    }
}

/// More than a block holds, so that it takes several by itself where the device has enough of them.
#[test]
fn column_larger_than_a_block_takes_several() {
    let gpu = gpu();
    let column = [(Parameters { neuron_scale: 0.25, synapse_scale: 0.002, ..small() }, Seeds::both(11))];
    // The stand-in driver has two multiprocessors, which hold up to 27 strips of neurons each.
    let sizes = if on_gpu() { Sizes::default() } else { in_blocks(30) };
    let network = &networks(&column)[0];
    let expected = on_cpu(network, 70);
    assert!(expected.len() > 1000, "{} spikes", expected.len());
    check("a quarter", &all_of(&gpu, &column, span(10, 60, true), sizes)[0], network, &expected, 10);
}

#[test]
fn column_pulses_are_those_of_the_cpu() {
    let gpu = gpu();
    let base = Thalamus { neurons: 9000, ..Thalamus::default() };
    let thalamus = Thalamus { start: 2.0, duration: 3.0, interval: Some(8.0), rate: 900.0, ..base };
    let (warm, counted) = (35, 200);
    let mut columns = many();
    columns.truncate(7);
    let cpu = |thalamus: Option<&Thalamus>| -> Vec<(Network<f32>, Vec<Spike>)> {
        let of = |((parameters, seeds), mut network): (&(Parameters, Seeds), Network<f32>)| {
            if let Some(thalamus) = thalamus {
                network = network
                    .with_thalamus(parameters, thalamus, *seeds, (warm, counted))
                    .unwrap_or_else(|e| panic!("{e}"));
            }
            let spikes = on_cpu(&network, warm + counted);
            (network, spikes)
        };
        columns.iter().zip(networks(&columns)).map(of).collect()
    };
    let (with, without) = (cpu(Some(&thalamus)), cpu(None));
    for (i, (with, without)) in with.iter().zip(&without).enumerate() {
        assert!(with.1 != without.1, "column {i} does not notice its thalamus");
    }
    // Lists that the generators' spikes alone overflow, too.
    for (which, sizes) in [
        (Order::Forward, Sizes::default()),
        (Order::Shuffled(5), Sizes { list: 16, threads: 96, ..Sizes::default() }),
        (Order::Reverse, in_blocks(16)),
        (Order::Shuffled(6), Sizes { list: 4, ..in_blocks(21) }),
    ] {
        order(which);
        let seen = simulated(&gpu, &columns, Some(&thalamus), span(warm, counted, true), sizes);
        for (i, (seen, (network, expected))) in seen.iter().zip(&with).enumerate() {
            let seen = seen.as_ref().expect("no limit");
            assert_eq!(seen.synapses, network.synapses());
            check(&format!("column {i} with a thalamus, {sizes:?}"), seen, network, expected, warm);
        }
    }
}

#[test]
fn column_generators_of_written_networks_fire() {
    let (gpu, golden) = (gpu(), columns::tiny("tiny_network_0.json"));
    let Some(golden) = golden else { return };
    let neurons: u32 = golden.populations.iter().map(|population| population.neurons as u32).sum();
    let connections: Vec<Connection> = (0..40 * neurons)
        .map(|i| Connection {
            source: neurons + i % 7,
            target: i * 13 % neurons,
            weight: 100.0 + f64::from(i % 5),
            delay: 1 + i % delay::LONGEST as u32,
        })
        .collect();
    let schedule: Vec<(u32, u32)> =
        (1..400).flat_map(|step| (0..step % 4).map(move |i| (step, (step + i) % 7))).collect();
    let first = vec![0.0; neurons as usize];
    let network: Network<f32> =
        Network::written(golden.populations, &first, &connections, (7, schedule), 1).unwrap_or_else(|e| panic!("{e}"));
    let expected = on_cpu(&network, 500);
    assert!(expected.len() > 100, "{} spikes", expected.len());
    for sizes in [Sizes::default(), Sizes { list: 4, ..Sizes::default() }, in_blocks(3), in_blocks(20)] {
        let seen = Columns::of_networks(&gpu, &[&network], sizes).and_then(|columns| columns.run(span(0, 500, true)));
        let seen = seen.unwrap_or_else(|e| panic!("{e}")).remove(0).expect("no limit");
        check(&format!("generators, {sizes:?}"), &seen, &network, &expected, 0);
    }
}

/// Exactly those that the CPU's judge stops.
#[test]
fn column_that_fires_too_much_is_stopped() {
    let (gpu, columns) = (gpu(), [many().remove(0), many().remove(1), many().remove(6)]);
    let networks = networks(&columns);
    let early = 60;
    let most = |network: &Network<f32>| {
        let spikes = by_population(&on_cpu(network, early), 0, POPULATIONS, |lane| network.place(lane));
        let rate = |(spikes, size): (&Vec<_>, usize)| spikes.len() as f64 / (size as f64 * f64::from(early) * 1e-4);
        spikes.iter().zip(network.sizes()).map(rate).fold(0.0, f64::max)
    };
    let rates: Vec<f64> = networks.iter().map(most).collect();
    // Their own rates are not above themselves; the next number below is.
    for rate in rates.iter().flat_map(|&rate| [rate, rate.next_down(), rate / 2.0]) {
        for sizes in [Sizes::default(), in_blocks(16)] {
            let span = Span { limit: Some(Limit { steps: early, rate }), ..span(20, 100, true) };
            let seen = simulated(&gpu, &columns, None, span, sizes);
            for (i, seen) in seen.iter().enumerate() {
                assert_eq!(seen.is_none(), rates[i] > rate, "column {i}: {} Hz, at most {rate}, {sizes:?}", rates[i]);
                if let Some(seen) = seen {
                    check(&format!("column {i}, limited"), seen, &networks[i], &on_cpu(&networks[i], 120), 20);
                }
            }
        }
    }
}

#[test]
fn column_refused_on_a_device_says_why() {
    let gpu = gpu();
    let refused = |parameters: Parameters| {
        let columns = [(small(), Seeds::both(1)), (parameters, Seeds::both(1))];
        let refused = simulate(&gpu, &columns, None, span(0, 1, false), Sizes::default(), |_, _| Ok(()));
        refused.expect_err("a mistake").to_string()
    };
    let base = || Parameters { synapse_scale: 1e-3, ..Parameters::default() };
    let cases = [
        (Parameters { tau_m: 0.0, ..base() }, "`tau_m`: 0 is not a positive number"),
        (Parameters { neuron_scale: 6.0, ..base() }, " neurons are more than the device holds"),
        (
            Parameters { neuron_scale: 3.0, tau_syn_external: 1.0, ..base() },
            "with currents of different time constants",
        ),
        (Parameters { t_refractory: 1e6, ..base() }, "`t_refractory`: 10000000 steps are more than a device counts"),
        (Parameters { psp: 1e38, ..base() }, "too large, or too close together, for single precision"),
        (Parameters { background: Background::Dc, synapse_scale: 150.0, ..base() }, "synapses of one column are more"),
        // As on the CPU.
        (crowded(), "a neuron has more than 65,535 synapses"),
    ];
    for (parameters, message) in cases {
        let seen = refused(parameters);
        assert!(seen.contains(message), "{seen:?} lacks {message:?}");
    }
}

/// Of one population's hundred neurons onto another: 67,000 from each.
fn crowded() -> Parameters {
    let mut connection = [[0.0; POPULATIONS]; POPULATIONS];
    connection[0][5] = 0.95;
    let background = Background::Dc;
    Parameters { neuron_scale: 0.02, synapse_scale: 55.0, psp: 1e-4, connection, background, ..Parameters::default() }
}

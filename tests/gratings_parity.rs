//! Neurons with local rules on a device: golden trajectories, and whole populations of assay G to the bits of the CPU, however many
//! threads a block has and in whatever order they run. On the stand-in driver (feature `emu`), or on a GPU, with
//! PHYLON_TEST_DEVICE=cuda.
#![cfg(feature = "emu")]

mod common;
mod device;
mod trajectories;

use std::collections::BTreeSet;

use common::bits;
use device::{gpu, on_gpu};
use phylon::abi::{GRATING_NEURONS, LifMovesArgs, RULE_INPUTS, RuleMovesArgs, THREADS};
use phylon::battery::assays::Assay;
use phylon::battery::gpu as on_device;
use phylon::battery::gratings::{self, Input, Learner, Phases, RESPONSES, Rule};
use phylon::battery::judge::{Judgement, Model, Options, judge, judge_on};
use phylon::battery::play::Lives;
use phylon::gpu::emu::{self, Order};
use phylon::gpu::{Buffer, Gpu, KernelArgs, Shape, blocks};
use phylon::network::rules::{Bcm, Lif, Membrane, Neurons};
use phylon::rng::{Row, Stream};
use trajectories::{NEURONS, STATE, WEIGHED, bcm, close, golden};

/// What `out` holds after a kernel with a thread a neuron.
fn moved<A: KernelArgs>(gpu: &Gpu, kernel: &str, neurons: usize, out: &Buffer<f32>, args: &A) -> Vec<f32> {
    let shape = Shape { grid: [blocks(neurons, THREADS), 1, 1], block: THREADS, shared: 0 };
    unsafe { gpu.launch(kernel, shape, args) }.unwrap();
    out.read_all(gpu).unwrap()
}

/// Rows of the kernel's length: channels that are not there are 0.
fn padded(rows: &[f32], length: usize) -> Vec<f32> {
    let row = |row: &[f32]| [row, &vec![0.0; RULE_INPUTS as usize - length]].concat();
    rows.chunks_exact(length).flat_map(row).collect()
}

/// Neurons on the device with given inputs, `[step][inputs]`, to the bits of the CPU. Output, trace, threshold and weights of each after
/// each step.
fn learnt(
    gpu: &Gpu,
    rule: &Bcm,
    threshold: f32,
    first: &[f32],
    given: &[f32],
    inputs: usize,
) -> Vec<[f32; 3 + RULE_INPUTS as usize]> {
    let mut neurons = Neurons::new(first.to_vec(), inputs, threshold);
    let (count, steps) = (neurons.count(), given.len() / inputs);
    let weights_there = Buffer::of(gpu, &padded(first, inputs)).unwrap();
    let given_there = Buffer::of(gpu, &padded(given, inputs)).unwrap();
    let out = Buffer::zeros(gpu, steps * count * (3 + RULE_INPUTS as usize)).unwrap();
    let args = RuleMovesArgs {
        weights: weights_there.pointer(),
        given: given_there.pointer(),
        out: out.pointer(),
        neurons: count as u32,
        steps: steps as u32,
        threshold,
        rule: rule.into(),
    };
    let seen = moved(gpu, "rule_moves", count, &out, &args);
    let seen: Vec<[f32; 3 + RULE_INPUTS as usize]> = seen.as_chunks().0.to_vec();
    for (at, seen) in seen.iter().enumerate() {
        let (step, neuron) = (at / count, at % count);
        if neuron == 0 {
            neurons.step(rule, &given[step * inputs..][..inputs]);
        }
        let state = [neurons.outputs[neuron], neurons.traces[neuron], neurons.thresholds[neuron]];
        let weights = padded(&neurons.weights[neuron * inputs..][..inputs], inputs);
        assert_eq!(bits(seen), bits(&[&state[..], &weights].concat()), "{rule:?} step {step} neuron {neuron}");
    }
    seen
}

/// Membranes on the device with given currents, `[step][neuron]`, to the bits of the CPU. Potential, and 1 at a spike.
fn spiked(gpu: &Gpu, lif: &Lif, currents: &[f32], neurons: usize) -> Vec<[f32; 2]> {
    let given = Buffer::of(gpu, currents).unwrap();
    let out = Buffer::zeros(gpu, 2 * currents.len()).unwrap();
    let args = LifMovesArgs {
        given: given.pointer(),
        out: out.pointer(),
        neurons: neurons as u32,
        steps: (currents.len() / neurons) as u32,
        lif: lif.into(),
    };
    let seen = moved(gpu, "lif_moves", neurons, &out, &args);
    let mut membranes = vec![Membrane::default(); neurons];
    for (at, (seen, &current)) in seen.chunks_exact(2).zip(currents).enumerate() {
        let membrane = &mut membranes[at % neurons];
        let spikes = lif.step(membrane, current);
        assert_eq!(bits(seen), bits(&[membrane.potential, f32::from(spikes)]), "{lif:?} {at} of {neurons} a step");
    }
    seen.as_chunks().0.to_vec()
}

#[test]
fn battery_rules_follow_their_trajectories() {
    let Some(file) = golden("bcm.npz") else { return };
    let gpu = gpu();
    for name in NEURONS {
        let get = |key: &str| file.f64(&format!("{name}_{key}"));
        let [x, y, traces, thresholds, weights] = ["x", "y", "yb", "th", "w"].map(get);
        let inputs = file.shape(&format!("{name}_x"))[1];
        let (first, threshold) = (file.f32(&format!("{name}_w0")), file.f64("theta0")[0] as f32);
        let (count, given) = (first.len() / inputs, x.iter().map(|&x| x as f32).collect::<Vec<_>>());
        let seen = learnt(&gpu, &bcm(&file, name), threshold, &first, &given, inputs);
        for (at, [output, trace, threshold, seen @ ..]) in seen.into_iter().enumerate() {
            let (step, what) = (at / count, format!("{name} step {}", at / count));
            close(output, y[at], STATE, &what);
            close(trace, traces[at], STATE, &what);
            close(threshold, thresholds[at], STATE, &what);
            if let Some(kept) = WEIGHED.iter().position(|&kept| kept == step + 1) {
                let expected = &weights[(kept * count + at % count) * inputs..][..inputs];
                seen.iter().zip(expected).for_each(|(&seen, &to)| close(seen, to, STATE, &what));
            }
        }
    }
}

#[test]
fn battery_spikes_are_at_their_steps() {
    let Some(file) = golden("bcm.npz") else { return };
    let (potentials, spikes) = (file.f64("lif_V"), file.bools("lif_spike"));
    let currents: Vec<f32> = file.f64("lif_I").iter().map(|&current| current as f32).collect();
    let steps = potentials.len() / currents.len();
    let seen = spiked(&gpu(), &Lif::default(), &currents.repeat(steps), currents.len());
    assert_eq!(seen.len(), spikes.len());
    for (at, [potential, spike]) in seen.into_iter().enumerate() {
        let what = format!("neuron {} step {}", at % currents.len(), at / currents.len());
        assert_eq!(spike == 1.0, spikes[at], "{what}");
        close(potential, potentials[at], STATE, &what);
    }
}

/// Where no trajectory and no grating leads: every limit of outputs and weights, and the threshold itself.
#[test]
fn battery_neurons_have_the_bits_of_the_cpu_at_their_limits() {
    let (gpu, inputs, steps) = (gpu(), 7, 60);
    let drawn = |index: u32, count: usize| {
        let mut values = vec![0.0; count];
        Row { seed: 5, stream: Stream::Initial, generation: 0, index }.normals(0, &mut values);
        values
    };
    for signed in [false, true] {
        let rule = Bcm { rate: 0.3, tau: 3.0, goal: 0.7, trace: 0.6, signed, most: 4.0 };
        let [first, given] = [drawn(0, 200 * inputs), drawn(1, steps * inputs)]
            .map(|values| values.iter().map(|x| 3.0 * x).collect::<Vec<_>>());
        let seen = learnt(&gpu, &rule, 0.1, &first, &given, inputs);
        let reached = |column: std::ops::Range<usize>, limit: f32| {
            assert!(
                seen.iter().any(|seen| seen[column.clone()].contains(&limit)),
                "{signed}: {column:?} never {limit}"
            );
        };
        reached(0..1, 20.0);
        reached(0..1, if signed { -20.0 } else { 0.0 });
        reached(3..3 + inputs, 4.0);
        // Of both signs they have no least.
        let least = seen.iter().flat_map(|seen| seen[3..3 + inputs].iter().copied()).fold(0.0, f32::min);
        assert!(if signed { least < -4.0 } else { least == 0.0 }, "{signed}: the least weight is {least}");
    }
    let lif = Lif { tau: 8.0, refractory: 3 };
    let mut currents: Vec<f32> = drawn(2, 200 * steps).iter().map(|current| 6.0 * current + 2.0).collect();
    // The first potential is 1.
    currents[0] = 8.0;
    let seen = spiked(&gpu, &lif, &currents, 200);
    assert_eq!(seen[0], [0.0, 1.0]);
    assert!(seen.iter().any(|&[potential, _]| potential < 0.0) && seen.iter().any(|&[_, spike]| spike == 0.0));
}

/// Orders of threads, and threads of a block; some blocks begin within a population.
fn in_every_shape(check: impl Fn(&str, u32)) {
    for (order, threads) in [(Order::Forward, 32), (Order::Reverse, 128), (Order::Shuffled(3), 40)] {
        if !on_gpu() {
            emu::set_order(order).expect("the stand-in driver");
        }
        check(&format!("{order:?}, {threads} threads"), threads);
    }
    if !on_gpu() {
        emu::set_order(Order::Forward).expect("the stand-in driver");
    }
}

#[test]
fn battery_populations_have_the_bits_of_the_cpu() {
    let gpu = gpu();
    // Whatever a kernel mixes up of two of these shows.
    let mut all = BTreeSet::new();
    let mut learners: u32 = 0;
    for input in [Input::Linear, Input::Simple, Input::Energy] {
        for rule in [Rule::Fixed, Rule::Bcm, Rule::Trace] {
            for phases in [Phases::Fixed, Phases::Random, Phases::Drift] {
                for spiking in [false, true] {
                    let learner = Learner { input, rule, phases, spiking };
                    let lives = Lives { seed: (1 << 40) + u64::from(learners), count: if on_gpu() { 200 } else { 5 } };
                    let presentations = learner.presentations().min(480);
                    let expected = gratings::responses(&learner, lives, presentations);
                    all.extend(expected.chunks_exact(RESPONSES).map(bits));
                    learners += 1;
                    if rule != Rule::Fixed {
                        let before = gratings::responses(&learner, lives, 0);
                        assert_ne!(bits(&expected), bits(&before), "{learner:?}: nothing is learnt");
                    }
                    in_every_shape(|shape, threads| {
                        let seen = on_device::responses(&gpu, &learner, lives, presentations, threads);
                        let seen = seen.unwrap_or_else(|e| panic!("{e}"));
                        let differs = (0..expected.len()).find(|&i| seen[i].to_bits() != expected[i].to_bits());
                        if let Some(i) = differs {
                            let (neuron, grating) = (
                                i / (RESPONSES / GRATING_NEURONS as usize),
                                i % (RESPONSES / GRATING_NEURONS as usize),
                            );
                            let what = format!("{learner:?}, {shape}, neuron {neuron}, grating {grating}");
                            panic!("{what}: {}, not {}", seen[i], expected[i]);
                        }
                        assert_eq!(seen.len(), expected.len());
                    });
                }
            }
        }
    }
    assert_eq!(all.len(), 5 * learners as usize * if on_gpu() { 40 } else { 1 }, "populations are alike");
}

/// As long as populations learn in the assay, and through its scores.
#[test]
fn battery_orientation_is_judged_as_on_the_cpu() {
    let (gpu, assay) = (gpu(), Assay::named("G").unwrap());
    let model = Model { name: "control".into(), subjects: vec![(assay.control.make)()] };
    let options = Options { lives: Lives { seed: 9, count: 2 }, conditions: true };
    let figures = |judgement: Judgement| {
        let played = [&judgement.model_lives, &judgement.null_lives, &judgement.control_lives];
        let values: Vec<Vec<u64>> =
            played.iter().flat_map(|p| &p.values).map(|life| life.iter().map(|x| x.to_bits()).collect()).collect();
        let mut said = serde_json::to_value(&judgement).unwrap();
        said["seconds"].take();
        (values, said)
    };
    let expected = figures(judge(assay, &model, &options).unwrap());
    let seen = figures(judge_on(Some(&gpu), assay, &model, &options).unwrap_or_else(|e| panic!("{e}")));
    assert_eq!(expected, seen);
    assert_eq!(
        expected.0.iter().collect::<BTreeSet<_>>().len(),
        4,
        "model and control are the same, the null is another"
    );
}

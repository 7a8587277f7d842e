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
use phylon::abi::{LifMovesArgs, RULE_INPUTS, RuleMovesArgs, THREADS};
use phylon::battery::assays::Assay;
use phylon::battery::gpu as on_device;
use phylon::battery::gratings::{self, Input, Learner, Phases, RESPONSES, Rule};
use phylon::battery::judge::{Judgement, Model, Options, judge, judge_on};
use phylon::battery::play::Lives;
use phylon::battery::rules::{Lif, Membrane, Neurons};
use phylon::gpu::emu::{self, Order};
use phylon::gpu::{Buffer, Gpu, KernelArgs, Shape, blocks};
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

#[test]
fn battery_rules_follow_their_trajectories() {
    let Some(file) = golden("bcm.npz") else { return };
    let gpu = gpu();
    for name in NEURONS {
        let get = |key: &str| file.f64(&format!("{name}_{key}"));
        let [x, y, traces, thresholds, weights] = ["x", "y", "yb", "th", "w"].map(get);
        let (first, shape) = (file.f32(&format!("{name}_w0")), file.shape(&format!("{name}_x")));
        let ([steps, inputs], rule, threshold) = ([shape[0], shape[1]], bcm(&file, name), file.f64("theta0")[0] as f32);
        let given: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        let mut neurons = Neurons::new(first.clone(), inputs, threshold);
        let (count, columns) = (neurons.count(), 3 + RULE_INPUTS as usize);
        let weights_there = Buffer::of(&gpu, &padded(&first, inputs)).unwrap();
        let given_there = Buffer::of(&gpu, &padded(&given, inputs)).unwrap();
        let out = Buffer::zeros(&gpu, steps * count * columns).unwrap();
        let args = RuleMovesArgs {
            weights: weights_there.pointer(),
            given: given_there.pointer(),
            out: out.pointer(),
            neurons: count as u32,
            steps: steps as u32,
            threshold,
            rule: (&rule).into(),
        };
        let seen = moved(&gpu, "rule_moves", count, &out, &args);
        for (step, seen) in seen.chunks_exact(count * columns).enumerate() {
            neurons.step(&rule, &given[step * inputs..][..inputs]);
            let what = format!("{name} step {step}");
            for (neuron, seen) in seen.chunks_exact(columns).enumerate() {
                let at = step * count + neuron;
                close(seen[0], y[at], STATE, &what);
                close(seen[1], traces[at], STATE, &what);
                close(seen[2], thresholds[at], STATE, &what);
                if let Some(kept) = WEIGHED.iter().position(|&kept| kept == step + 1) {
                    let expected = &weights[(kept * count + neuron) * inputs..][..inputs];
                    seen[3..].iter().zip(expected).for_each(|(&seen, &to)| close(seen, to, STATE, &what));
                }
                let state = [neurons.outputs[neuron], neurons.traces[neuron], neurons.thresholds[neuron]];
                let weights = padded(&neurons.weights[neuron * inputs..][..inputs], inputs);
                assert_eq!(bits(seen), bits(&[&state[..], &weights].concat()), "{what} neuron {neuron}");
            }
        }
    }
}

#[test]
fn battery_spikes_are_at_their_steps() {
    let Some(file) = golden("bcm.npz") else { return };
    let (gpu, lif) = (gpu(), Lif::default());
    let (potentials, spikes) = (file.f64("lif_V"), file.bools("lif_spike"));
    let currents: Vec<f32> = file.f64("lif_I").iter().map(|&current| current as f32).collect();
    let (neurons, steps) = (currents.len(), potentials.len() / currents.len());
    let given = Buffer::of(&gpu, &currents.repeat(steps)).unwrap();
    let out = Buffer::zeros(&gpu, 2 * potentials.len()).unwrap();
    let args = LifMovesArgs {
        given: given.pointer(),
        out: out.pointer(),
        neurons: neurons as u32,
        steps: steps as u32,
        lif: (&lif).into(),
    };
    let seen = moved(&gpu, "lif_moves", neurons, &out, &args);
    let mut membranes = vec![Membrane::default(); neurons];
    for (at, seen) in seen.chunks_exact(2).enumerate() {
        let (neuron, what) = (at % neurons, format!("neuron {} step {}", at % neurons, at / neurons));
        assert_eq!(seen[1] == 1.0, spikes[at], "{what}");
        close(seen[0], potentials[at], STATE, &what);
        let spiked = lif.step(&mut membranes[neuron], currents[neuron]);
        assert_eq!(bits(seen), bits(&[membranes[neuron].potential, f32::from(spiked)]), "{what}");
    }
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
                            let (neuron, grating) = (i / (RESPONSES / 16), i % (RESPONSES / 16));
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

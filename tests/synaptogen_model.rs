//! SynaptoGen's model against the golden files: assembly, network, gradient, optimiser, and the lineages of the control; and
//! against a plain f64 program with shapes that the files lack. `PHYLON_GOLDEN` names another folder of files.

mod npz;

use std::path::PathBuf;

use npz::Npz;
use phylon::cpu::{InstructionSet, Kernel, LANES, Vector};
use phylon::policy::{Mlp, Scratch};
use phylon::registry::WorldKind;
use phylon::rng::{Row, Stream};
use phylon::search::adam::Adam;
use phylon::synaptogen::dqn::{self, Training};
use phylon::synaptogen::gradient::Gradient;
use phylon::synaptogen::lineage;
use phylon::synaptogen::network::Batch;
use phylon::synaptogen::{Assembly, Layout, Profile, RuleMap, Shape};

/// Relative to the largest entry of a matrix: some tens of roundings of single precision. As the files' README has it.
const MATRIX: f64 = 2e-5;
/// The same for gradients.
const GRADIENT: f64 = 1e-4;

/// The files whose names start with `prefix`; none when another golden folder lacks them.
fn files(prefix: &str) -> Vec<(String, Npz)> {
    let given = std::env::var_os("PHYLON_GOLDEN").map(PathBuf::from);
    let own = given.is_none();
    let root = given.unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("tests/golden")
    });
    let folder = root.join("synaptogen");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("passed over: no folder {}", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable folder").path()).collect();
    paths.sort();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.retain(|path| name(path).starts_with(prefix) && path.extension().is_some_and(|e| e == "npz"));
    assert!(!paths.is_empty() || !own, "tests/golden/synaptogen holds no file {prefix}*.npz");
    paths.iter().map(|path| (name(path), Npz::open(path))).collect()
}

fn size(npz: &Npz, key: &str) -> usize {
    npz.i64(key)[0] as usize
}

fn shape_of(npz: &Npz) -> Shape {
    let layers: Vec<usize> = npz.i64("sizes").into_iter().map(|n| n as usize).collect();
    Shape { layers, genes: size(npz, "genes"), neurotransmitters: size(npz, "neurotransmitters") }
}

fn map_of(npz: &Npz) -> RuleMap {
    match npz.has("mask") {
        true => RuleMap::TwoSigmoids { coexpressed: npz.bools("mask") },
        false => RuleMap::Sigmoid,
    }
}

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// Largest |seen - expected|, in parts of the largest |expected|, must not pass `tolerance`, and nothing may be NaN.
#[track_caller]
fn assert_close(what: &str, seen: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(seen.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    for (i, (&seen, expected)) in seen.iter().zip(expected).enumerate() {
        let error = (f64::from(seen) - expected).abs();
        assert!(error <= tolerance * largest, "{what}[{i}]: {seen} against {expected}, of up to {largest}");
    }
}

/// Each block of the flat vector for itself.
#[track_caller]
fn assert_blocks_close(what: &str, layout: &Layout, seen: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(seen.len(), expected.len(), "{what}: length");
    let Layout { expression, neurotransmitters, receptors, biases, rules, conductances } = layout;
    let layers = [("X", expression), ("T", neurotransmitters), ("R", receptors), ("b", biases)];
    let layers = layers.into_iter().flat_map(|(name, ranges)| ranges.iter().map(move |range| (name, range)));
    for (name, range) in layers.chain([("O", rules), ("K", conductances)]) {
        assert_close(&format!("{what} {name}"), &seen[range.clone()], &expected[range.clone()], tolerance);
    }
}

/// Forward, and where there are cotangents or actions with targets, backward.
struct Pass<'a> {
    assembly: &'a mut Assembly,
    parameters: &'a [f32],
    /// `[example][input]`.
    inputs: &'a [f32],
    loss: Loss<'a>,
}

#[derive(Clone, Copy)]
enum Loss<'a> {
    /// Sum of output times cotangent.
    Linear(&'a [f32]),
    SmoothL1(&'a [usize], &'a [f32]),
}

/// `[example][output]`, the loss where it was asked for, and the gradient of raw parameters.
type Passed = (Vec<f32>, f32, Vec<f32>);

impl Kernel for Pass<'_> {
    type Output = Passed;

    #[inline(always)]
    fn run<V: Vector>(self) -> Passed {
        let Self { assembly, parameters, inputs, loss } = self;
        let layers = assembly.shape().layers.clone();
        let examples = inputs.len() / layers[0];
        assembly.assemble_with::<V>(parameters);
        let mut batch = Batch::new(assembly.shape(), examples);
        for (i, inputs) in inputs.chunks_exact(layers[0]).enumerate() {
            batch.input_mut(i).copy_from_slice(inputs);
        }
        batch.forward::<V>(assembly.weights(), examples);
        let outputs = (0..examples).flat_map(|i| batch.output(i).to_vec()).collect();
        let loss = match loss {
            Loss::Linear(cotangents) => {
                for (i, cotangents) in cotangents.chunks_exact(layers[layers.len() - 1]).enumerate() {
                    batch.cotangent_mut(i).copy_from_slice(cotangents);
                }
                0.0
            }
            Loss::SmoothL1(actions, targets) => batch.smooth_l1(actions, targets),
        };
        let mut gradient = Gradient::new(assembly.shape());
        batch.backward::<V>(assembly.weights(), examples, &mut gradient);
        let mut out = vec![f32::NAN; parameters.len()];
        gradient.finish::<V>(assembly, parameters, &mut out);
        (outputs, loss, out)
    }
}

#[test]
fn synaptogen_models_are_assembled() {
    for (name, npz) in files("model_") {
        let (shape, theta) = (shape_of(&npz), single(&npz.f64("theta")));
        assert_eq!(shape.parameters(), theta.len(), "{name}");
        let mut assembly = Assembly::new(&shape, &map_of(&npz));
        assembly.assemble(&theta);
        assert_close(&format!("{name} P"), assembly.rules(), &npz.f64("rule_probability"), MATRIX);
        let conductance = npz.f64("conductance");
        let receptors = shape.receptors();
        let of_receptor: Vec<f64> = (0..receptors).map(|c| conductance[c / 2 * receptors + c]).collect();
        assert_close(&format!("{name} C"), assembly.receptor_conductances(), &of_receptor, MATRIX);
        for pair in 0..shape.connections() {
            let l = pair + 1;
            assert_close(&format!("{name} N{l}"), assembly.numbers(pair), &npz.f64(&format!("N{l}")), MATRIX);
            assert_close(&format!("{name} G{l}"), assembly.conductances(pair), &npz.f64(&format!("G{l}")), MATRIX);
            assert_close(&format!("{name} W{l}"), assembly.weights_of(pair), &npz.f64(&format!("W{l}")), MATRIX);
        }
    }
}

#[test]
fn synaptogen_outputs_and_gradients_are_those_of_autograd_on_every_instruction_set() {
    for (name, npz) in files("model_") {
        let (shape, theta) = (shape_of(&npz), single(&npz.f64("theta")));
        let layout = Layout::new(&shape);
        let mut assembly = Assembly::new(&shape, &map_of(&npz));
        let (inputs, cotangents) = (single(&npz.f64("x")), single(&npz.f64("cotangent")));
        let actions: Vec<usize> = npz.i64("action").into_iter().map(|action| action as usize).collect();
        let targets = single(&npz.f64("target"));
        let mut first: Option<Vec<u32>> = None;
        for set in InstructionSet::available() {
            let mut bits = Vec::new();
            let cases = [("linear", Loss::Linear(&cotangents)), ("huber", Loss::SmoothL1(&actions, &targets))];
            for (case, loss) in cases {
                let what = format!("{name} {case} {}", set.name());
                let pass = Pass { assembly: &mut assembly, parameters: &theta, inputs: &inputs, loss };
                let (outputs, loss, gradient) = set.run(pass);
                assert_close(&format!("{what} y"), &outputs, &npz.f64("y"), MATRIX);
                if case == "huber" {
                    assert_close(&what, &[loss], &npz.f64("loss_huber"), MATRIX);
                }
                let expected = npz.f64(&format!("grad_{case}"));
                assert_blocks_close(&what, &layout, &gradient, &expected, GRADIENT);
                bits.extend(outputs.into_iter().chain([loss]).chain(gradient).map(f32::to_bits));
            }
            assert_eq!(*first.get_or_insert(bits.clone()), bits, "{name} {}", set.name());
        }
    }
}

struct Step<'a>(&'a mut Adam, &'a mut [f32], &'a [f32]);

impl Kernel for Step<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        self.0.step::<V>(self.1, self.2)
    }
}

#[test]
fn synaptogen_adam_descends_as_the_reference() {
    for (name, npz) in files("model_") {
        if !npz.has("adam_theta") {
            continue;
        }
        let shape = shape_of(&npz);
        let mut assembly = Assembly::new(&shape, &map_of(&npz));
        let actions: Vec<usize> = npz.i64("action").into_iter().map(|action| action as usize).collect();
        let (inputs, targets) = (single(&npz.f64("x")), single(&npz.f64("target")));
        let rate = npz.f64("adam_lr")[0];
        let mut descend = |set: InstructionSet| {
            let mut theta = single(&npz.f64("theta"));
            let mut adam = Adam::new(rate, npz.f64("adam_clip")[0] as f32, theta.len());
            let mut norm = 0.0;
            for _ in 0..size(&npz, "adam_steps") {
                let loss = Loss::SmoothL1(&actions, &targets);
                let pass = Pass { assembly: &mut assembly, parameters: &theta, inputs: &inputs, loss };
                let (.., gradient) = set.run(pass);
                norm = set.run(Step(&mut adam, &mut theta, &gradient));
            }
            (theta, norm)
        };
        let (theta, norm) = descend(InstructionSet::best());
        for set in InstructionSet::available() {
            assert_eq!(descend(set), (theta.clone(), norm), "{name} {}", set.name());
        }
        assert_close(&format!("{name} norm"), &[norm], &npz.f64("adam_last_norm"), GRADIENT);
        // A step is as large as the rate whatever the gradient, so only entries of gradients that are no rounding errors say
        // anything: nearly all.
        let expected = npz.f64("adam_theta");
        let apart = theta.iter().zip(&expected).map(|(x, expected)| (f64::from(*x) - expected).abs() / rate);
        let mut apart: Vec<f64> = apart.collect();
        apart.sort_by(f64::total_cmp);
        let (most, worst) = (apart[apart.len() * 999 / 1000], apart[apart.len() - 1]);
        eprintln!("{name}: {most:e} {worst:e} of a step apart");
        assert!(most < 1e-3 && worst < 2e-2, "{name}: {most:e} and {worst:e} of a step apart");
    }
}

/// The equations in double precision, as they are written down: outputs for each example.
fn plainly(shape: &Shape, map: &RuleMap, theta: &[f64], inputs: &[f32]) -> Vec<f64> {
    let layout = Layout::new(shape);
    let (g, v, r) = (shape.genes, shape.neurotransmitters, shape.receptors());
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let o = &theta[layout.rules.clone()];
    let p: Vec<f64> = match map {
        RuleMap::Sigmoid => o.iter().map(|o| sigmoid(o / 0.1)).collect(),
        RuleMap::TwoSigmoids { coexpressed } => {
            let rule = |(o, &is): (&f64, &bool)| match is {
                true => 0.5 + 0.5 * sigmoid((o + 3.0 / g as f64) / 0.1),
                false => 0.5 * sigmoid((o - 3.0 / g as f64) / 0.1),
            };
            o.iter().zip(coexpressed).map(rule).collect()
        }
    };
    let softmax = |row: &[f64]| {
        let sum: f64 = row.iter().map(|x| x.exp()).sum();
        row.iter().map(|x| x.exp() / sum).collect::<Vec<_>>()
    };
    let row = |range: &std::ops::Range<usize>, i: usize, width: usize| &theta[range.start + i * width..][..width];
    let k = &theta[layout.conductances.clone()];
    let c = |a: usize, receptor: usize| match receptor {
        _ if receptor / 2 != a => 0.0,
        _ if receptor.is_multiple_of(2) => sigmoid(k[a * r + receptor]),
        _ => -sigmoid(k[a * r + receptor]),
    };
    let mut outputs = Vec::new();
    for inputs in inputs.chunks_exact(shape.layers[0]) {
        let mut h: Vec<f64> = inputs.iter().map(|&x| f64::from(x)).collect();
        for l in 0..shape.connections() {
            let mut z = theta[layout.biases[l].clone()].to_vec();
            for (j, z) in z.iter_mut().enumerate() {
                let (post, received) = (row(&layout.expression[l + 1], j, g), softmax(row(&layout.receptors[l], j, r)));
                for (i, h) in h.iter().enumerate() {
                    let (pre, sent) =
                        (row(&layout.expression[l], i, g), softmax(row(&layout.neurotransmitters[l], i, v)));
                    let pairs = (0..g * g).map(|uw| pre[uw / g].powi(2) * p[uw] * post[uw % g].powi(2));
                    let kinds = (0..v * r).map(|ac| sent[ac / r] * c(ac / r, ac % r) * received[ac % r]);
                    *z += h * pairs.sum::<f64>() * kinds.sum::<f64>();
                }
            }
            let selu = |z: f64| 1.0507009873554805 * if z > 0.0 { z } else { 1.6732632423543772 * z.exp_m1() };
            h = if l + 1 < shape.connections() { z.into_iter().map(selu).collect() } else { z };
        }
        outputs.extend(h);
    }
    outputs
}

fn normals(count: usize, index: u32) -> Vec<f32> {
    let mut values = vec![0.0; count];
    Row { seed: 11, stream: Stream::Fresh, generation: 0, index }.normals(0, &mut values);
    values
}

/// Layers that narrow and widen, beyond a register or not, and as wide as the next. Rules begin at 1 / genes, so with one or
/// two genes all may be so near to 1 that single precision knows their slopes no better than to a thousandth.
fn profiles() -> Vec<Profile> {
    let shapes: [(&[usize], usize, usize); 5] =
        [(&[20, 3, 17], 5, 3), (&[5, 5, 5], 3, 2), (&[2, 33, 19, 3], 7, 3), (&[3, 1, 2], 4, 1), (&[18, 2], 17, 4)];
    let each = shapes.into_iter().zip(1..).flat_map(|((layers, genes, neurotransmitters), seed)| {
        let shape = Shape { layers: layers.to_vec(), genes, neurotransmitters };
        let coexpressed = (0..genes * genes).map(|pair| pair % 3 == 0).collect();
        [RuleMap::Sigmoid, RuleMap::TwoSigmoids { coexpressed }].map(|map| Profile::initial(shape.clone(), map, seed))
    });
    each.collect()
}

#[test]
fn synaptogen_gradients_are_differences_of_a_plain_program() {
    for Profile { shape, rules, parameters } in profiles() {
        let inputs = normals(3 * shape.layers[0], 0);
        let cotangents = normals(3 * shape.layers[shape.connections()], 1);
        let mut assembly = Assembly::new(&shape, &rules);
        // A second pass must not see the first.
        let other: Vec<f32> = parameters.iter().map(|x| x + 0.25).collect();
        let mut run = |parameters: &[f32]| {
            let loss = Loss::Linear(&cotangents);
            InstructionSet::best().run(Pass { assembly: &mut assembly, parameters, inputs: &inputs, loss })
        };
        let first = run(&parameters);
        run(&other);
        let (outputs, _, gradient) = run(&parameters);
        assert_eq!((&outputs, &gradient), (&first.0, &first.2));
        let what = format!("{:?}, {} genes", shape.layers, shape.genes);
        let mut theta: Vec<f64> = parameters.iter().map(|&x| f64::from(x)).collect();
        assert_close(&what, &outputs, &plainly(&shape, &rules, &theta, &inputs), MATRIX);
        let mut loss = |i: usize, step: f64| {
            let here = theta[i];
            theta[i] += step;
            let outputs = plainly(&shape, &rules, &theta, &inputs);
            theta[i] = here;
            outputs.iter().zip(&cotangents).map(|(y, &cotangent)| y * f64::from(cotangent)).sum::<f64>()
        };
        // The error of a central difference is of the order of its square: 1e-10 of the third derivative.
        const STEP: f64 = 1e-5;
        let slope = |i: usize| (loss(i, STEP) - loss(i, -STEP)) / (2.0 * STEP);
        let expected: Vec<f64> = (0..parameters.len()).map(slope).collect();
        assert_blocks_close(&what, &Layout::new(&shape), &gradient, &expected, GRADIENT);
    }
}

struct Answer<'a> {
    policy: &'a Mlp,
    observations: &'a [f32],
}

impl Kernel for Answer<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Vec<f32> {
        let mut out = vec![f32::NAN; self.policy.sizes()[self.policy.sizes().len() - 1] * LANES];
        self.policy.outputs::<V>(LANES, self.observations, &mut Scratch::new(self.policy), &mut out);
        out
    }
}

#[test]
fn synaptogen_mean_agents_answer_with_the_bits_of_the_batch() {
    for profile in profiles() {
        let (inputs, outputs) = (profile.shape.layers[0], profile.shape.layers[profile.shape.connections()]);
        let seen = normals(LANES * inputs, 2);
        let policy = profile.mean_agent();
        let mut rows = vec![0.0; seen.len()];
        for (lane, seen) in seen.chunks_exact(inputs).enumerate() {
            seen.iter().enumerate().for_each(|(i, x)| rows[i * LANES + lane] = *x);
        }
        let answers = InstructionSet::best().run(Answer { policy: &policy, observations: &rows });
        let mut assembly = Assembly::new(&profile.shape, &profile.rules);
        let loss = Loss::Linear(&[]);
        let pass = Pass { assembly: &mut assembly, parameters: &profile.parameters, inputs: &seen, loss };
        let (batch, ..) = InstructionSet::best().run(pass);
        for (i, output) in batch.iter().enumerate() {
            let answer = answers[i % outputs * LANES + i / outputs];
            assert_eq!(output.to_bits(), answer.to_bits(), "{:?}, {i}", profile.shape);
        }
    }
}

/// Genes that training has let fade leave no subnormal numbers behind, and change nothing that can be seen.
#[test]
fn synaptogen_faded_genes_are_not_expressed() {
    let Profile { shape, rules, parameters: mut faded } = profiles().swap_remove(4);
    let (inputs, cotangents) = (normals(shape.layers[0], 3), normals(shape.layers[shape.connections()], 4));
    let mut assembly = Assembly::new(&shape, &rules);
    let mut run = |parameters: &[f32]| {
        let loss = Loss::Linear(&cotangents);
        InstructionSet::best().run(Pass { assembly: &mut assembly, parameters, inputs: &inputs, loss })
    };
    let first = Layout::new(&shape).expression[1].start;
    let sizes = [1e-10, -1e-15, 1e-25, -1e-33, 1e-41];
    faded[first..first + sizes.len()].fill(0.0);
    let (outputs, ..) = run(&faded);
    faded[first..first + sizes.len()].copy_from_slice(&sizes);
    let (same, _, gradient) = run(&faded);
    assert_eq!(outputs, same);
    assert!(gradient.iter().all(|slope| *slope == 0.0 || slope.is_normal()));
    let slopes = &gradient[first..first + sizes.len()];
    assert!(slopes[..3].iter().all(|&slope| slope != 0.0) && slopes[3..] == [0.0; 2], "{slopes:?}");
}

#[test]
fn synaptogen_profiles_begin_with_their_deviations() {
    let profile = Profile::initial(Shape::new(&[400, 300, 200], 50), RuleMap::Sigmoid, 4);
    let layout = Layout::new(&profile.shape);
    let (two_in_50, third) = ((2.0f64 / 50.0).sqrt(), (1.0f64 / 3.0).sqrt());
    let cases = [
        (layout.expression[0].clone(), two_in_50),
        (layout.expression[2].clone(), two_in_50),
        (layout.neurotransmitters[1].clone(), (2.0f64 / 3.0).sqrt()),
        (layout.receptors[0].clone(), third),
        (layout.biases[0].clone(), (2.0f64 / 401.0).sqrt()),
        (layout.biases[1].clone(), (2.0f64 / 301.0).sqrt()),
        (layout.rules.clone(), 0.02),
        (layout.conductances.clone(), (1.0f64 / 18.0).sqrt()),
    ];
    for (range, deviation) in cases {
        let values = &profile.parameters[range.clone()];
        let count = values.len() as f64;
        let squares: f64 = values.iter().map(|&x| (f64::from(x) / deviation).powi(2)).sum();
        // The sum of squares of normals is chi-square: within 5 of its deviations.
        assert!((squares - count).abs() < 5.0 * (2.0 * count).sqrt(), "{range:?}: {squares} of {count}");
    }
    let other = Profile::initial(profile.shape.clone(), RuleMap::Sigmoid, 5);
    assert!(other.parameters.iter().zip(&profile.parameters).all(|(a, b)| a != b));
}

#[test]
fn synaptogen_lineages_are_divided_shifted_and_laid_out() {
    for (name, npz) in files("lineage_") {
        let trained =
            Profile { shape: shape_of(&npz), rules: RuleMap::Sigmoid, parameters: single(&npz.f64("theta_trained")) };
        let (zygote, deltas) = (single(&npz.f64("zygote")), single(&npz.f64("deltas")));
        let agent = lineage::profile(&zygote, &deltas, size(&npz, "shift"), &trained);
        let layout = Layout::new(&trained.shape);
        assert_blocks_close(&name, &layout, &agent.parameters, &npz.f64("theta"), 1e-6);
        let (inputs, loss) = (single(&npz.f64("x")), Loss::Linear(&[]));
        let mut assembly = Assembly::new(&agent.shape, &agent.rules);
        let pass = Pass { assembly: &mut assembly, parameters: &agent.parameters, inputs: &inputs, loss };
        assert_close(&format!("{name} y"), &InstructionSet::best().run(pass).0, &npz.f64("y"), MATRIX);
    }
}

#[test]
fn synaptogen_lineages_of_other_agents_and_seeds_differ() {
    let trained = Profile::initial(Shape::new(&[4, 128, 2], 16), RuleMap::Sigmoid, 1);
    let layout = Layout::new(&trained.shape);
    let agents = [(0, 0), (0, 1), (1, 0)].map(|(seed, agent)| lineage::draw(&trained, seed, agent).parameters);
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        assert!(
            agents[a][layout.expression[1].clone()]
                .iter()
                .zip(&agents[b][layout.expression[1].clone()])
                .all(|(a, b)| a != b)
        );
        assert_eq!(agents[a][layout.rules.start..], agents[b][layout.rules.start..]);
    }
    // A cell is its zygote and seven divisions more, at least: eight to nine normal numbers.
    let x = &agents[0][layout.expression[1].clone()];
    let variance = x.iter().map(|&x| f64::from(x * x)).sum::<f64>() / x.len() as f64;
    assert!((3.0..20.0).contains(&variance), "{variance}");
}

fn training(rate: f64, seed: u64, steps: u32) -> Training {
    let shape = Shape::new(&[4, 128, 2], 16);
    Training { world: WorldKind::CartPole, shape, rules: RuleMap::Sigmoid, rate, seed, steps }
}

#[test]
fn synaptogen_learners_keep_the_schedule_of_the_reference() {
    // Rounds of 256 steps; the first with more than 1,000 steps is the fourth.
    let trained = training(0.003, 1, 2000).run(&|_| {}).expect("a learner");
    assert_eq!((trained.steps, trained.updates, trained.validations.len()), (2048, 5 * 128, 0));
    let hyper = dqn::CART_POLE;
    let chances = [0, 40_000, 80_000, 80_001, 500_000].map(|steps| hyper.exploration(steps, 500_000));
    for (chance, expected) in chances.into_iter().zip([1.0, 0.52, 0.04, 0.04, 0.04]) {
        assert!((chance - expected).abs() < 1e-12, "{chances:?}");
    }
    let wrong = Training { shape: Shape::new(&[4, 128, 3], 16), ..training(0.003, 1, 1) };
    assert!(wrong.run(&|_| {}).unwrap_err().to_string().contains("try: [4, 128, 2]"));
    let continuous = Training { world: WorldKind::LunarLanderContinuous, ..training(0.003, 1, 1) };
    assert!(continuous.run(&|_| {}).unwrap_err().to_string().contains("no hyperparameters"));
}

/// Returns of deep Q-learning swing, and some seeds learn nothing, of an independent program's as of these (2 of 10 and 2 of 8
/// after 20,000 steps at this rate); who acts at random gets 22.
#[test]
fn synaptogen_learners_balance_a_pole_the_same_way_beside_others() {
    let trainings = [1, 2, 3].map(|seed| training(0.0003, seed, 20_000));
    let together = dqn::train_all(&trainings, &|_| {}).expect("learners");
    let best = |trained: &dqn::Trained| trained.validations.iter().map(|v| v.mean).fold(0.0, f64::max);
    let bests: Vec<f64> = together.iter().map(best).collect();
    assert!(bests.iter().filter(|&&best| best >= 195.0).count() >= 2, "{bests:?}");
    let alone = trainings[2].run(&|_| {}).expect("a learner");
    assert_eq!(alone, together[2]);
    assert_ne!(together[0].profile.parameters, together[1].profile.parameters);
}

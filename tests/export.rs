//! What `phylon export` writes: matrices that are the parameters to the bit, and models of ONNX that compute the equations. The
//! models are read and computed by code of the tests' own, and held against an independent program's files and against a step of
//! the library. `scripts/check_export.py` lets ONNX Runtime do the same.

mod npz;
mod onnx;
mod program;
mod wire;

use std::fs;
use std::path::{Path, PathBuf};

use npz::Npz;
use onnx::{Matrix, Model};
use phylon::cpu::{InstructionSet, Kernel, Vector};
use phylon::export;
use phylon::policy::{Activation, Mlp};
use phylon::registry::{UnitKind, WorldKind};
use phylon::run::checkpoint;
use phylon::unit::{Instances, Shape};
use phylon::world::Actions;
use program::{fail, succeed};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Between two computations of one step in double precision, from numbers near 1: a few roundings of sums of a hundred.
const DOUBLE: f64 = 1e-12;
/// Between double and single precision over 20 steps from rest, for weights of about 1/sqrt(rows): forty roundings a step of
/// numbers near 1, which the units forget.
const SINGLE: f64 = 1e-5;

fn golden(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder)
}

/// Numbers in [-1, 1] that look like drawn ones.
fn numbers(count: usize, scale: f32) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / 8_388_608.0 - 1.0) * scale
    };
    (0..count).map(|_| next()).collect()
}

fn in_double(values: &[f32]) -> impl Iterator<Item = f64> {
    values.iter().map(|&value| f64::from(value))
}

fn assert_close(what: &str, seen: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(seen.len(), expected.len(), "{what}");
    for (i, (seen, expected)) in seen.iter().zip(expected).enumerate() {
        assert!((seen - expected).abs() <= tolerance, "{what}[{i}]: {seen} against {expected}");
    }
}

/// Rows of `parts`, side by side: `[instance][channels of all]`.
fn beside(parts: &[(&[f64], usize)]) -> Matrix {
    let instances = parts[0].0.len() / parts[0].1;
    let row = |i: usize| parts.iter().flat_map(move |(part, columns)| part[i * columns..][..*columns].iter().copied());
    Matrix::new(parts.iter().map(|(_, columns)| columns).sum(), (0..instances).flat_map(row))
}

/// Every step of the files `cell_*`, from the states that they have before it, to those that they have after it.
#[test]
fn models_of_units_make_the_steps_of_an_independent_program() {
    let (mut files, mut kinds) = (0, Vec::new());
    for entry in fs::read_dir(golden("enu")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(cell) = name.strip_prefix("cell_").and_then(|name| name.strip_suffix(".npz")) else { continue };
        let parts: Vec<&str> = cell.split('_').collect();
        let size = |i: usize| parts[i].parse().unwrap();
        let kind = UnitKind::ALL.into_iter().find(|kind| kind.name() == parts[0]).unwrap();
        let shape = Shape { kind, inputs: size(1), memory: size(2), outputs: size(3) };
        let npz = Npz::open(&golden("enu").join(&name));
        let bytes = export::onnx::unit(shape, &npz.f32("theta"), &[]);
        // For `scripts/check_export.py`.
        fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cell_{cell}.onnx")), &bytes).unwrap();
        let model = Model::read(&bytes);
        let (x, b, h) = (npz.f32("x"), npz.f32("b"), npz.f64("h"));
        // The files add a constant to the read-out, inside the clip, which a unit by itself does not have.
        let outputs = |pre: &[f64]| -> Vec<f64> {
            let sums = pre.iter().zip(in_double(&b)).map(|(pre, b)| pre - b);
            if shape.is_clipped() { sums.map(|sum| sum.clamp(0.0, 1.0)).collect() } else { sums.collect() }
        };
        let batch = npz.shape("x")[1];
        let of =
            |values: &[f64], columns: usize, step: usize| values[step * batch * columns..][..batch * columns].to_vec();
        for step in 1..npz.shape("x")[0] {
            let what = format!("{name} step {step}");
            let y = outputs(&of(&npz.f64("pre"), shape.outputs, step));
            // What is fed back was the file's output before this step, and is this model's behind it.
            let state = |step: usize, fed_back: &[f64]| {
                let h = of(&h, shape.memory, step);
                match kind {
                    UnitKind::Enu => beside(&[(&h, shape.memory), (fed_back, shape.outputs)]),
                    UnitKind::Lstm => {
                        beside(&[(&h, shape.memory), (&of(&npz.f64("c"), shape.memory, step), shape.memory)])
                    }
                    UnitKind::Nfenu | UnitKind::Gru => Matrix::new(shape.memory, h),
                }
            };
            let x = Matrix::new(shape.inputs, in_double(&x[step * batch * shape.inputs..][..batch * shape.inputs]));
            let before = state(step - 1, &of(&npz.f64("o"), shape.outputs, step - 1));
            let values = model.run(&[("x", x), ("state", before)]);
            assert_close(&format!("{what} y"), &values["y"].values, &y, DOUBLE);
            assert_close(&format!("{what} state"), &values["new_state"].values, &state(step, &y).values, DOUBLE);
        }
        files += 1;
        kinds.push(kind);
    }
    assert!(files >= 4 && UnitKind::ALL.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
}

struct UnitStep<'a>(&'a mut Instances, &'a [f32]);

impl Kernel for UnitStep<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(self) {
        let inputs = self.0.shape.inputs;
        self.0.step::<V>(self.1, inputs, None);
    }
}

/// From rest, each with its own state.
#[test]
fn models_of_units_follow_the_library() {
    let set = InstructionSet::available().next().unwrap();
    for kind in UnitKind::ALL {
        for (inputs, memory, outputs) in [(1, 1, 1), (3, 8, 2), (16, 32, 16)] {
            let shape = Shape { kind, inputs, memory, outputs };
            let what = format!("{shape:?}");
            let weights = numbers(shape.parameters(), 2.0 / (shape.gate_rows() as f32).sqrt());
            let model = Model::read(&export::onnx::unit(shape, &weights, &[("about", "x"), ("unit", "synapse")]));
            assert_eq!((model.notes["about"].as_str(), model.notes["unit"].as_str()), ("x", "synapse"));
            let inputs_of = model.inputs();
            let state = inputs_of[1].2[0];
            let second = if kind == UnitKind::Lstm { memory } else { shape.feedback() };
            assert_eq!(state, (memory + second) as i64);
            assert_eq!(inputs_of, [("x".into(), 1, vec![inputs as i64]), ("state".into(), 1, vec![state])]);
            assert_eq!(model.outputs(), [("y".into(), 1, vec![outputs as i64]), ("new_state".into(), 1, vec![state])]);

            const BATCH: usize = 3;
            let mut instances = Instances::new(shape, BATCH);
            let lanes = instances.lanes;
            let mut state = Matrix::new(state as usize, vec![0.0; BATCH * state as usize]);
            let drawn = numbers(20 * BATCH * inputs, 1.0);
            for x in drawn.chunks(BATCH * inputs) {
                for (i, &x) in x.iter().enumerate() {
                    instances.inputs_mut()[i % inputs * lanes + i / inputs] = x;
                }
                set.run(UnitStep(&mut instances, &weights));
                let mut values = model.run(&[("x", Matrix::new(inputs, in_double(x))), ("state", state)]);
                let y = instances.outputs();
                let y: Vec<f64> = (0..BATCH * outputs).map(|i| y[i % outputs * lanes + i / outputs].into()).collect();
                assert_close(&what, &values["y"].values, &y, SINGLE);
                state = values.remove("new_state").unwrap();
            }
        }
    }
}

#[test]
fn models_of_policies_act_as_their_layers_say() {
    for &world in WorldKind::ALL {
        let spec = world.spec();
        for activation in Activation::ALL {
            let sizes = [spec.observations, 7, 5, spec.actions.outputs()];
            let mut policy = Mlp::new(&sizes, activation);
            let parameters = numbers(policy.parameters().len(), 1.0);
            policy.parameters_mut().copy_from_slice(&parameters);
            let model = Model::read(&export::onnx::policy(&policy, spec, &[]));
            let observations = numbers(9 * spec.observations, 2.0);
            let values = model.run(&[("observations", Matrix::new(spec.observations, in_double(&observations)))]);
            let mut expected = Vec::new();
            for row in observations.chunks(spec.observations) {
                expected.extend(layers(&policy, in_double(row).collect()));
            }
            let what = format!("{} {}", spec.name, activation.name());
            assert_close(&what, &values["outputs"].values, &expected, DOUBLE);
            let count = spec.actions.outputs();
            let (kind, lengths, action): (_, _, Vec<f64>) = match spec.actions {
                Actions::Discrete(_) => {
                    let first_highest =
                        |row: &[f64]| (0..count).fold(0, |best, i| if row[i] > row[best] { i } else { best });
                    (7, vec![], expected.chunks(count).map(|row| first_highest(row) as f64).collect())
                }
                Actions::Continuous(_) => {
                    (1, vec![count as i64], expected.iter().map(|x| x.clamp(-1.0, 1.0)).collect())
                }
            };
            assert_close(&what, &values["action"].values, &action, DOUBLE);
            assert_eq!(model.inputs(), [("observations".into(), 1, vec![spec.observations as i64])]);
            assert_eq!(model.outputs()[1], ("action".into(), kind, lengths));
        }
    }
}

/// x W + b through all layers, by hand.
fn layers(policy: &Mlp, mut x: Vec<f64>) -> Vec<f64> {
    let mut rest = policy.parameters();
    for layer in policy.sizes().windows(2) {
        let (weights, behind) = rest.split_at(layer[0] * layer[1]);
        let (bias, behind) = behind.split_at(layer[1]);
        rest = behind;
        let sum = |j: usize| {
            f64::from(bias[j]) + (0..layer[0]).map(|i| x[i] * f64::from(weights[i * layer[1] + j])).sum::<f64>()
        };
        let function = |x: f64| match policy.activation() {
            Activation::Relu => x.max(0.0),
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::Identity => x,
            Activation::Selu if x > 0.0 => 1.050_700_987_355_480_5 * x,
            Activation::Selu => 1.050_700_987_355_480_5 * 1.673_263_242_354_377_2 * (x.exp() - 1.0),
        };
        let is_last = rest.is_empty();
        x = (0..layer[1]).map(sum).map(|x| if is_last { x } else { function(x) }).collect();
    }
    x
}

const TINY: &str = "
format = 1
[run]
name = 'tiny'
generations = 6
validate_every = 2
validation_episodes = 4
[unit.enu]
inputs = 3
memory = 4
outputs = 2
[task.iaf]
environments = 2
steps = 20
[es]
population = 4
";

/// A maze that is over after a few actions.
const MAZE: &str = "
format = 1
[run]
name = 'maze'
generations = 2
validate_every = 2
validation_episodes = 2
[unit.enu]
inputs = 6
memory = 3
outputs = 6
[task.t_maze]
environments = 2
actions = 4
[es]
population = 2
";

fn ran(config: &str, arguments: &str) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("x.toml"), config).unwrap();
    succeed(place.path(), &format!("run x.toml --quiet --no-report {arguments}"));
    place
}

/// Names, shapes and values of the matrices of an .npz, in the order of names.
fn of_npz(path: &Path, names: &[&str]) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let npz = Npz::open(path);
    let mut all: Vec<&str> = names.iter().copied().chain(["about"]).collect();
    all.sort_unstable();
    assert_eq!(npz.keys().collect::<Vec<_>>(), all);
    names.iter().map(|name| ((*name).to_owned(), npz.shape(name), npz.f32(name))).collect()
}

#[test]
fn every_format_has_the_parameters_to_the_bit() {
    for (kind, names, rows) in [
        ("enu", &["Wz", "Wr", "Wc", "Wo"][..], [4, 2, 3]),
        ("nfenu", &["Wz", "Wr", "Wc", "Wo"], [4, 0, 3]),
        ("gru", &["Wz", "Wr", "Wc", "Wo"], [4, 0, 3]),
        ("lstm", &["Wi", "Wf", "Wg", "Wy", "Wo"], [4, 0, 3]),
    ] {
        let place = ran(&TINY.replace("unit.enu", &format!("unit.{kind}")), "");
        let run = place.path().join("runs/tiny");
        let last = checkpoint::read(&run.join("checkpoint.safetensors")).unwrap().state;
        let best = last.best.as_ref().unwrap();
        for (which, generation, parameters) in [("best", best.generation, &best.parameters), ("last", 6, &last.centre)]
        {
            let flag = if which == "best" { String::new() } else { format!(" --which {which}") };
            let printed = succeed(place.path(), &format!("export runs/tiny --to npz{flag}"));
            assert_eq!(printed, format!("runs/tiny/parameters.npz\n{which} centre (after {generation} generations)\n"));
            let matrices = of_npz(&run.join("parameters.npz"), names);
            let flat: Vec<f32> = matrices.iter().flat_map(|(_, _, values)| values.clone()).collect();
            assert_eq!(flat, *parameters);
            let height = rows.iter().sum();
            for (name, shape, _) in &matrices {
                assert_eq!(*shape, if name == "Wo" { [4, 2] } else { [height, 4] }, "{kind} {name}");
            }
            let about: Value =
                serde_json::from_str(&Npz::open(&run.join("parameters.npz")).strings("about")[0]).unwrap();
            let unit = json!({
                "name": "", "kind": kind, "inputs": 3, "memory": 4, "outputs": 2, "matrices": names,
                "gate_rows": { "memory": rows[0], "fed_back_outputs": rows[1], "inputs": rows[2] },
            });
            let expected = json!({
                "run": "tiny", "which": which, "generation": generation, "units": [unit], "network": null, "rule": null,
            });
            assert_eq!(about, expected);

            succeed(place.path(), &format!("export runs/tiny --to csv --out table.csv{flag}"));
            let mut table = csv::Reader::from_path(place.path().join("table.csv")).unwrap();
            assert_eq!(table.headers().unwrap(), vec!["name", "row", "column", "value"]);
            let rows: Vec<(String, usize, usize, f32)> = table.deserialize().map(Result::unwrap).collect();
            let expected = matrices.iter().flat_map(|(name, shape, values)| {
                values.iter().enumerate().map(|(i, &value)| (name.clone(), i / shape[1], i % shape[1], value))
            });
            assert_eq!(rows, expected.collect::<Vec<_>>());

            succeed(place.path(), &format!("export runs/tiny --to safetensors{flag}"));
            let bytes = fs::read(run.join("parameters.safetensors")).unwrap();
            let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            assert_eq!(file.len(), names.len());
            for (name, shape, values) in &matrices {
                let tensor = file.tensor(name).unwrap();
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                assert_eq!((tensor.shape(), tensor.data()), (&shape[..], &bytes[..]));
            }

            let answer = succeed(place.path(), &format!("export runs/tiny --to onnx --json{flag}"));
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let files = ["runs/tiny/parameters.onnx"];
            assert_eq!(answer, json!({ "files": files, "which": which, "generation": generation }));
            // The program's file is the library's.
            let model = fs::read(run.join("parameters.onnx")).unwrap();
            let kind = UnitKind::ALL.into_iter().find(|of| of.name() == kind).unwrap();
            let notes = Model::read(&model).notes;
            let notes: Vec<(&str, &str)> = notes.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            let shape = Shape { kind, inputs: 3, memory: 4, outputs: 2 };
            assert_eq!(model, export::onnx::unit(shape, parameters, &notes));
        }
        // A run in its place does not keep what was written of this one.
        succeed(place.path(), "run x.toml --quiet --no-report --force");
        for ending in ["npz", "onnx", "safetensors"] {
            assert!(!run.join(format!("parameters.{ending}")).exists(), "{ending}");
        }
    }
}

#[test]
fn networks_have_their_two_units_and_who_reads_whom() {
    let place = ran(MAZE, "");
    let folder = place.path();
    assert_eq!(
        succeed(folder, "export runs/maze --to onnx --out models.onnx --which last"),
        "models-synapse.onnx\nmodels-neuron.onnx\nlast centre (after 2 generations)\n"
    );
    succeed(folder, "export runs/maze --to npz --out maze.npz --which last");
    let names =
        ["synapse_Wz", "synapse_Wr", "synapse_Wc", "synapse_Wo", "neuron_Wz", "neuron_Wr", "neuron_Wc", "neuron_Wo"];
    let flat: Vec<f32> =
        of_npz(&folder.join("maze.npz"), &names).into_iter().flat_map(|(_, _, values)| values).collect();
    let run = folder.join("runs/maze");
    let last = checkpoint::read(&run.join("checkpoint.safetensors")).unwrap().state;
    assert_eq!(flat, last.centre);
    let shape = Shape { kind: UnitKind::Enu, inputs: 6, memory: 3, outputs: 6 };
    for (name, own) in [("synapse", 0), ("neuron", 1)] {
        let bytes = fs::read(folder.join(format!("models-{name}.onnx"))).unwrap();
        let model = Model::read(&bytes);
        assert_eq!(model.notes["unit"], name);
        let notes: Vec<(&str, &str)> = model.notes.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let parameters = &last.centre[own * shape.parameters()..][..shape.parameters()];
        assert_eq!(bytes, export::onnx::unit(shape, parameters, &notes));
    }
    let about: Value = serde_json::from_str(&Npz::open(&folder.join("maze.npz")).strings("about")[0]).unwrap();
    let network = &about["network"];
    assert_eq!((&network["synapse_input"], &network["sensors"]), (&"split".into(), &4.into()));
    // The paper's wiring: hidden neuron 0 reads two sensors, its hidden siblings, two output neurons, the reward and itself.
    assert_eq!(
        (network["sources"].as_array().unwrap().len(), &network["sources"][0]),
        (6, &json!([0, 1, 5, 6, 7, 8, 3, 4]))
    );

    let shared = ran(MAZE, "--set network.shared=true");
    assert!(succeed(shared.path(), "export runs/maze --to onnx").starts_with("runs/maze/parameters-shared.onnx\n"));
    succeed(shared.path(), "export runs/maze --to npz");
    let names = ["shared_Wz", "shared_Wr", "shared_Wc", "shared_Wo"];
    assert_eq!(of_npz(&shared.path().join("runs/maze/parameters.npz"), &names).len(), 4);
}

#[test]
fn a_rule_is_exported_as_its_constants_beside_the_neurons() {
    let place = ran(MAZE, "--set network.rule.rewarded_stdp.tau_tag=20");
    let folder = place.path();
    succeed(folder, "export runs/maze --to npz --which last");
    let constants = ["weight", "tau_pre", "tau_post", "tau_tag", "potentiation", "depression", "rate", "most"];
    let names: Vec<String> = constants.iter().map(|name| format!("rule_{name}")).collect();
    let names = names.iter().map(String::as_str).chain(["neuron_Wz", "neuron_Wr", "neuron_Wc", "neuron_Wo"]);
    let path = folder.join("runs/maze/parameters.npz");
    let arrays = of_npz(&path, &names.collect::<Vec<_>>());
    let last = checkpoint::read(&folder.join("runs/maze/checkpoint.safetensors")).unwrap().state.centre;
    // As it is in the config, times e^parameter.
    let expected = 20.0 * f64::from(last[3]).exp();
    assert!((f64::from(arrays[3].2[0]) / expected - 1.0).abs() < 1e-6, "{:?} for {expected}", arrays[3]);
    let flat: Vec<f32> = arrays[8..].iter().flat_map(|(_, _, values)| values.clone()).collect();
    assert_eq!(flat, last[8..]);
    let about: Value = serde_json::from_str(&Npz::open(&path).strings("about")[0]).unwrap();
    assert_eq!((&about["rule"], about["units"].as_array().unwrap().len()), (&"rewarded_stdp".into(), 1));
    let why = fail(folder, "export runs/maze --to onnx", 2);
    assert!(why.contains("synapses follow a rule") && why.contains("--to npz"), "{why}");
}

#[test]
fn policies_become_models_tables_and_each_other() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let source = golden("envs").join("policy_lunar_lander_good.npz");
    fs::copy(&source, folder.join("good.npz")).unwrap();
    let world = WorldKind::named("lunar-lander").unwrap().spec();
    let policy = Mlp::read(&source, world).unwrap();
    assert_eq!(succeed(folder, "export good.npz --env LunarLander-v3 --to onnx"), "good.onnx\n");
    let notes = [("activation", policy.activation().name()), ("world", world.name)];
    assert_eq!(
        fs::read(folder.join("good.onnx")).unwrap(),
        export::onnx::policy(&policy, world, &[notes[1], notes[0]])
    );
    succeed(folder, "export good.npz --env lunar-lander --to safetensors");
    assert_eq!(Mlp::read(&folder.join("good.safetensors"), world).unwrap(), policy);
    succeed(folder, "export good.safetensors --env lunar-lander --to npz --out again.npz");
    assert_eq!(Mlp::read(&folder.join("again.npz"), world).unwrap(), policy);
    succeed(folder, "export good.npz --env lunar-lander --to csv");
    let mut table = csv::Reader::from_path(folder.join("good.csv")).unwrap();
    let rows: Vec<(String, usize, usize, f32)> = table.deserialize().map(Result::unwrap).collect();
    let values: Vec<f32> = rows.iter().map(|row| row.3).collect();
    assert_eq!(values, policy.parameters());
    let [first, hidden] = [policy.sizes()[0], policy.sizes()[1]];
    assert_eq!((rows[hidden].0.as_str(), rows[hidden].1, rows[hidden].2), ("W1", 1, 0));
    assert_eq!((rows[first * hidden].0.as_str(), rows[first * hidden].1, rows[first * hidden].2), ("b1", 0, 0));

    let why = fail(folder, "export good.npz --to onnx", 2);
    assert!(why.contains("cannot export good.npz") && why.contains("try: --env"), "{why}");
    let why = fail(folder, "export good.npz --env lunar-lander --to npz", 2);
    assert!(why.contains("onto itself") && why.contains("--out"), "{why}");
    let why = fail(folder, "export good.npz --env cartpole --to onnx", 1);
    assert!(why.contains("cartpole has 4 observations"), "{why}");
    assert!(
        fail(folder, "export good.npz --env lunar-lander --to onnx --which best", 2).contains("try: without --which")
    );
}

#[test]
fn what_cannot_be_exported_says_so_and_what_to_try() {
    let place = ran(&TINY.replace("validate_every = 2", "validate_every = 100"), "");
    let folder = place.path();
    for (arguments, code, told) in [
        ("runs/nothing --to npz", 2, "there is no such run folder"),
        ("runs --to npz", 2, "is no run folder"),
        ("runs/tiny --to npz --out tiny.onnx", 2, "try: --out tiny.npz"),
        ("runs/tiny --to npz --out nowhere/tiny.npz", 1, "nowhere/tiny.npz"),
        ("runs/tiny --to npz --which best", 1, "try: --which last"),
        ("runs/tiny --to npz --env cartpole", 2, "try: without --env"),
        ("runs/tiny --to tensorboard --out x", 2, "try: without --out"),
        ("runs/tiny --to tensorboard --which last", 2, "try: without --which"),
        ("runs/tiny --to pickle", 2, "[possible values: npz, csv, safetensors, onnx, tensorboard]"),
        ("runs/tiny", 2, "--to"),
    ] {
        let why = fail(folder, &format!("export {arguments}"), code);
        assert!(why.starts_with("error: ") && why.contains(told), "{arguments}: {why}");
    }
    succeed(folder, "sweep x.toml --seeds 1 --quiet --no-report --episodes 5");
    let why = fail(folder, "export runs/tiny-sweep --to npz", 2);
    assert!(why.contains("folder of a sweep") && why.contains("runs/tiny-sweep/cells/..."), "{why}");

    // A search's answer is a file that there is already.
    let search = folder.join("runs/search");
    fs::create_dir(&search).unwrap();
    fs::write(
        search.join("config.toml"),
        "format = 1\n[column]\n[search]\ngroup = 'synapse'\nsimulations = 20\n[search.cma_es]\n",
    )
    .unwrap();
    let why = fail(folder, "export runs/search --to onnx", 2);
    assert!(why.contains("best.toml") && why.contains("try: phylon simulate runs/search/best.toml"), "{why}");
    // And a simulation has nothing to show.
    fs::write(search.join("config.toml"), "format = 1\n[column]\n").unwrap();
    assert!(fail(folder, "export runs/search --to tensorboard", 1).contains("no table [search]"));
    fs::remove_dir_all(folder.join("runs")).unwrap();
}

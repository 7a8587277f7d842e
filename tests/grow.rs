//! `phylon grow` with the real binary: its files read back, agree with the library and with reference data
//! (`tests/golden/synaptogen`, or that folder of what `PHYLON_GOLDEN` names), and mistakes are named.

mod npz;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use npz::Npz;
use phylon::policy::{Activation, Mlp};
use phylon::registry::WorldKind;
use phylon::synaptogen::agents::{Agents, Growth, Sampler};
use phylon::synaptogen::file::{self, Provenance};
use phylon::synaptogen::{Profile, RuleMap, Shape, fitness};
use safetensors::tensor::{Dtype, SafeTensors};
use serde_json::Value;
use tempfile::TempDir;

const SIZES: [usize; 3] = [4, 6, 2];

fn profile() -> Profile {
    Profile::initial(Shape::new(&SIZES, 5), RuleMap::Sigmoid, 9)
}

/// A fresh folder with `run/profile.safetensors`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("run")).unwrap();
    let notes = Provenance::from([("env".into(), "CartPole-v1".into())]);
    file::write(&folder.path().join("run/profile.safetensors"), &profile(), &notes).unwrap();
    folder
}

/// Exit code, stdout and stderr; `arguments` are separated by blanks.
fn phylon(folder: &Path, arguments: &str) -> (Option<i32>, String, String) {
    let binary = env!("CARGO_BIN_EXE_phylon");
    let output = Command::new(binary).args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Stdout of a command that must succeed.
fn succeed(folder: &Path, arguments: &str) -> String {
    let (code, stdout, stderr) = phylon(folder, arguments);
    assert_eq!(code, Some(0), "phylon {arguments}: {stderr}");
    stdout
}

fn json(folder: &Path, arguments: &str) -> Value {
    serde_json::from_str(&succeed(folder, arguments)).unwrap()
}

/// A tensor's shape and its words.
fn tensor(file: &SafeTensors, name: &str, dtype: Dtype) -> (Vec<usize>, Vec<u32>) {
    let tensor = file.tensor(name).unwrap();
    assert_eq!(tensor.dtype(), dtype, "{name}");
    (tensor.shape().to_vec(), tensor.data().as_chunks().0.iter().map(|&four| u32::from_le_bytes(four)).collect())
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn files_hold_what_the_library_grows() {
    const AGENTS: usize = 7;
    let folder = folder();
    let options = "--agents 7 --degree 300 --seed 5 --sampler direct --out out/deep --edges 2 --policy 3 --json";
    let answer = json(folder.path(), &format!("grow run {options}"));
    let growth = Growth { sampler: Sampler::Direct, seed: 5, degree: 300.0 };
    let agents = Agents::grow(&profile(), growth, 0..AGENTS as u32).unwrap();
    let out = |name: &str| folder.path().join("out/deep").join(name);
    let read = |name: &str| fs::read_to_string(out(name)).unwrap();

    let bytes = fs::read(out("agents.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), 6);
    for (pair, sizes) in SIZES.windows(2).enumerate() {
        let of = |letter: &str, dtype| tensor(&file, &format!("{letter}{}", pair + 1), dtype);
        let all = || 0..AGENTS;
        let shape = vec![AGENTS, sizes[0], sizes[1]];
        let synapses = all().flat_map(|agent| agents.synapses(agent, pair).to_vec()).collect();
        assert_eq!(of("N", Dtype::U32), (shape.clone(), synapses));
        assert_eq!(of("W", Dtype::F32), (shape, all().flat_map(|agent| bits(agents.weights(agent, pair))).collect()));
        assert_eq!(of("b", Dtype::F32), (vec![sizes[1]], bits(agents.biases(pair))));
    }

    for agent in 0..2 {
        let table = read(&format!("agent-000{agent}.csv"));
        let mut lines = table.lines();
        assert_eq!(lines.next(), Some("pre,post,layer,synapses,conductance,weight"));
        let mut seen = [vec![0; 24], vec![0; 12]];
        for line in lines {
            let fields: Vec<&str> = line.split(',').collect();
            let [pre, post, layer, synapses] = [0, 1, 2, 3].map(|field| fields[field].parse::<usize>().unwrap());
            let (pair, first) = if layer == 1 { (0, 0) } else { (1, 4) };
            let at = (pre - first) * SIZES[layer] + post - first - SIZES[pair];
            seen[pair][at] = synapses as u32;
            assert_eq!(fields[4].parse(), Ok(agents.conductances(pair)[at]));
            assert_eq!(fields[5].parse(), Ok(agents.weights(agent, pair)[at]));
        }
        assert_eq!(seen, [0, 1].map(|pair| agents.synapses(agent, pair).to_vec()));

        let text = read(&format!("agent-000{agent}.graphml"));
        let graph = roxmltree::Document::parse(&text).unwrap();
        let count = |tag: &str| graph.descendants().filter(|node| node.has_tag_name(tag)).count();
        assert_eq!((count("node"), count("edge")), (12, table.lines().count() - 1));
        let of_synapses =
            |node: &roxmltree::Node| node.attribute("key") == Some("synapses") && node.has_tag_name("data");
        let synapses = graph.descendants().filter(of_synapses).map(|node| node.text().unwrap().parse::<u64>().unwrap());
        assert_eq!(synapses.sum::<u64>(), agents.totals()[agent]);
    }
    for picture in ["connectome.svg", "rules.svg"] {
        let text = read(picture);
        assert!(roxmltree::Document::parse(&text).is_ok() && !text.contains("NaN"), "{picture}");
    }

    let policy = Mlp::read(&out("policy-0003.npz"), WorldKind::named("cartpole").unwrap().spec()).unwrap();
    assert_eq!((policy.activation(), policy.sizes()), (Activation::Selu, &SIZES[..]));
    let parameters: Vec<f32> =
        [0, 1].into_iter().flat_map(|pair| [agents.weights(3, pair), agents.biases(pair)].concat()).collect();
    assert_eq!(bits(policy.parameters()), bits(&parameters));
    let played = json(folder.path(), "rollout --env cartpole --policy out/deep/policy-0003.npz --episodes 8 --json");
    assert!(played["mean"].as_f64().unwrap() >= 8.0, "{played}");

    let totals = agents.totals();
    assert_eq!(answer["synapses"]["max"].as_f64(), totals.iter().max().map(|&most| most as f64));
    assert_eq!(answer["synapses"]["mean"].as_f64(), Some(totals.iter().sum::<u64>() as f64 / AGENTS as f64));
    assert_eq!((&answer["neurons"], &answer["genes"], &answer["agents"]), (&12.into(), &5.into(), &7.into()));
    assert_eq!(answer["alpha"].as_f64().map(|alpha| alpha as f32), Some(agents.alpha));
    assert_eq!(answer["provenance"]["env"], "CartPole-v1");
    let files = answer["files"].as_array().unwrap();
    assert_eq!((files.len(), fs::read_dir(out("")).unwrap().count()), (8, 8));
    assert!(files.iter().all(|file| folder.path().join(file.as_str().unwrap()).exists()));
}

/// Equal files for any number of threads, and agents that do not depend on how many there are.
#[test]
fn agents_are_a_function_of_seed_and_number() {
    let folder = folder();
    for sampler in ["law", "direct"] {
        let grow = |more: &str| {
            succeed(folder.path(), &format!("grow run --degree 500 --sampler {sampler} --out out {more}"));
            fs::read(folder.path().join("out/agents.safetensors")).unwrap()
        };
        let first = grow("--agents 9 --threads 1");
        assert!(first == grow("--agents 9 --threads 3"), "{sampler}");
        assert!(first != grow("--agents 9 --seed 2"), "{sampler}");
        let fewer = grow("--agents 5");
        let synapses = |bytes| tensor(&SafeTensors::deserialize(bytes).unwrap(), "N1", Dtype::U32).1;
        assert_eq!(synapses(&fewer), synapses(&first)[..5 * 24], "{sampler}");
    }
}

#[test]
fn a_summary_says_what_was_grown() {
    let folder = folder();
    let text = succeed(folder.path(), "grow run/profile.safetensors --agents 3 --seed 4");
    let lines: Vec<&str> = text.lines().collect();
    let profile = "profile   run/profile.safetensors: 12 neurons in layers 4-6-2, 5 genes (env CartPole-v1)";
    assert_eq!((lines[0], lines.len()), (profile, 4));
    assert!(lines[1].starts_with("agents    3 of seed 4, drawn from their laws; mean degree 100000, alpha "), "{text}");
    assert!(lines[2].starts_with("synapses  ") && lines[2].ends_with(" (sd) an agent"), "{text}");
    assert!(lines[3].starts_with("time      ") && lines[3].ends_with("agents/s"), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no file is asked for");
}

/// Scores are those of the library, and the summary says them.
#[test]
fn agents_play_where_they_are_asked_to() {
    let folder = folder();
    let answer = json(folder.path(), "grow run --agents 12 --seed 4 --play cartpole --json");
    let (scores, steps) = fitness::scores(&profile(), WorldKind::CartPole, 12, [4, 4]).unwrap();
    let played = &answer["played"];
    assert_eq!((played["env"].as_str(), played["steps"].as_u64()), (Some("cartpole"), Some(steps)));
    assert_eq!(played["max"].as_f64(), scores.iter().copied().reduce(f64::max));
    assert!((played["mean"].as_f64().unwrap() - scores.iter().sum::<f64>() / 12.0).abs() < 1e-9, "{played}");
    let text = succeed(folder.path(), "grow run --agents 12 --seed 4 --play cartpole");
    assert!(text.lines().nth(3).unwrap().starts_with("scores    cartpole: "), "{text}");
}

/// The same files and scores, in whichever memory agents were grown.
#[cfg(feature = "emu")]
#[test]
fn agents_of_a_device_are_those_of_the_cpu() {
    let folder = folder();
    for sampler in ["law", "direct"] {
        let grow = |device: &str, more: &str| {
            let options = format!("--agents 12 --sampler {sampler} --play cartpole --json --device {device} {more}");
            let mut answer = json(folder.path(), &format!("grow run {options}"));
            assert_eq!(answer["kernel_seconds"].is_null(), device == "cpu");
            let fields = answer.as_object_mut().unwrap();
            for field in ["seconds", "agents_per_s", "kernel_seconds", "device", "files"] {
                fields.remove(field).unwrap();
            }
            let played = fields["played"].as_object_mut().unwrap();
            for field in ["seconds", "kernel_seconds"] {
                played.remove(field).unwrap();
            }
            answer
        };
        let (cpu, device) = (grow("cpu", "--out cpu --edges 12"), grow("emu", "--out emu --edges 12"));
        assert_eq!(cpu, device, "{sampler}");
        assert_eq!(grow("emu", ""), device, "{sampler}: without files");
        for file in fs::read_dir(folder.path().join("cpu")).unwrap() {
            let file = file.unwrap();
            let other = folder.path().join("emu").join(file.file_name());
            assert!(fs::read(file.path()).unwrap() == fs::read(&other).unwrap(), "{sampler}: {}", other.display());
        }
    }
}

#[test]
fn mistakes_are_named() {
    let folder = folder();
    let fail = |arguments: &str, code: i32, expected: &str| {
        let (seen, stdout, stderr) = phylon(folder.path(), arguments);
        assert_eq!((seen, stdout.as_str()), (Some(code), ""), "phylon {arguments}: {stderr}");
        assert!(stderr.contains(expected), "phylon {arguments}: {stderr}\nexpected: {expected}");
    };
    fail("grow nowhere", 1, "cannot read nowhere: ");
    fail("grow .", 1, "cannot read ./profile.safetensors: ");
    fs::write(folder.path().join("text"), "X0").unwrap();
    fail("grow text", 1, "text is not usable: it is no .safetensors, or is truncated: ");
    fail(
        "grow run --agents 4 --out out --policy 4",
        2,
        "--policy 4: there are 4 agents and the first is 0; try: --agents 5",
    );
    fail("grow run --agents 4 --out out --edges 5", 2, "--edges 5: there are 4 agents; try: --agents 5");
    fail("grow run --policy 1", 2, "--out <DIR>");
    fail("grow run --degree=-3", 2, "expected a positive number of synapses");
    fail("grow run --degree 0", 2, "expected a positive number of synapses");
    fail("grow run --degree nan", 2, "expected a positive number of synapses");
    fail("grow run --agents 0", 2, "--agents");
    fail("grow run --sampler poisson", 2, "[possible values: law, direct]");
    fail("grow run --play chess", 2, "chess");
    fail("grow run --play acrobot", 2, "agent 0: W1 is [4, 6], but acrobot has 6 observations");
    fail("grow run --device cuda:99", 3, "");
    fail("grow run --out text", 1, "cannot make the folder text: ");
    let mut silent = profile();
    silent.parameters.fill(0.0);
    silent.save(&folder.path().join("silent")).unwrap();
    fail("grow silent", 1, "cannot grow agents: the profile's mean numbers of synapses add up to 0");
    assert!(!folder.path().join("out").exists());
}

/// Profiles through their files: the correction factor and the mean weights of their agents.
#[test]
fn synaptogen_grown_files_have_the_moments_of_their_profile() {
    let given = std::env::var_os("PHYLON_GOLDEN").map(PathBuf::from);
    let own = given.is_none();
    let root = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
    let entries = fs::read_dir(root.join("synaptogen")).into_iter().flatten().map(|entry| entry.unwrap().path());
    let is_model = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("model_") && name.ends_with(".npz")
    };
    let paths: Vec<PathBuf> = entries.filter(is_model).collect();
    assert!(!paths.is_empty() || !own, "tests/golden/synaptogen holds no model_*.npz");
    for path in paths {
        moments_are_those_of(&path);
    }
}

fn moments_are_those_of(path: &Path) {
    const AGENTS: usize = 1000;
    let (folder, npz, name) = (tempfile::tempdir().unwrap(), Npz::open(path), path.display());
    let layers: Vec<usize> = npz.i64("sizes").into_iter().map(|size| size as usize).collect();
    let [genes, neurotransmitters] = ["genes", "neurotransmitters"].map(|key| npz.i64(key)[0] as usize);
    let shape = Shape { layers, genes, neurotransmitters };
    let rules = match npz.has("mask") {
        true => RuleMap::TwoSigmoids { coexpressed: npz.bools("mask") },
        false => RuleMap::Sigmoid,
    };
    let parameters = npz.f64("theta").into_iter().map(|parameter| parameter as f32).collect();
    let connections = shape.connections();
    Profile { shape, rules, parameters }.save(&folder.path().join("profile.safetensors")).unwrap();
    let degree = npz.f64("degree")[0];
    let options = format!("--agents {AGENTS} --degree {degree} --seed 3 --out . --json");
    let answer = json(folder.path(), &format!("grow . {options}"));
    let alpha = npz.f64("alpha")[0];
    assert!((answer["alpha"].as_f64().unwrap() / alpha - 1.0).abs() < 2e-5, "{name}: alpha {}", answer["alpha"]);

    let bytes = fs::read(folder.path().join("agents.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for pair in 1..=connections {
        let (_, weights) = tensor(&file, &format!("W{pair}"), Dtype::F32);
        let (means, variances) = (npz.f64(&format!("w_mean{pair}")), npz.f64(&format!("w_var{pair}")));
        for (at, (mean, variance)) in means.iter().zip(&variances).enumerate() {
            let of_pair = weights.iter().skip(at).step_by(means.len()).map(|&bits| f64::from(f32::from_bits(bits)));
            let seen = of_pair.sum::<f64>() / AGENTS as f64;
            let bound = 5.0 * (variance / AGENTS as f64).sqrt() + 2e-5 * mean.abs();
            assert!((seen - mean).abs() <= bound, "{name}, W{pair}, {at}: {seen} for {mean}");
        }
    }
}

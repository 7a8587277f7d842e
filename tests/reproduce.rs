//! `phylon reproduce synaptogen` with the real program: what it prints and leaves, the same on any number of threads, that
//! nothing finished is computed again, also after SIGKILL, and what it refuses.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

/// Two genes, few steps: all 18 parts in seconds.
const TINY: &str = "reproduce synaptogen --env cartpole --genes 2 --steps 3000 --out r --json";

/// A folder in which [`TINY`] has run without interruption, and what it printed.
static STRAIGHT: LazyLock<(TempDir, Value)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let answer = answer(folder.path(), 2);
    (folder, answer)
});

fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_phylon"));
    command.args(arguments.split_whitespace()).current_dir(folder).stdin(Stdio::null());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What [`TINY`] prints on so many threads, without the time that it took.
fn answer(folder: &Path, threads: usize) -> Value {
    let output = command(folder, &format!("{TINY} --threads {threads}")).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer.as_object_mut().unwrap().remove("seconds").unwrap().as_f64().unwrap() > 0.0);
    answer
}

/// Finished trainings and searches: when they were written, and their bytes.
fn parts(folder: &Path) -> BTreeMap<String, (SystemTime, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder.join("r")) else { return BTreeMap::new() };
    let part = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_part = (name.starts_with("dqn-") || name.starts_with("snes-")) && name.ends_with(".safetensors");
        is_part.then(|| (name, (fs::metadata(&path).unwrap().modified().unwrap(), fs::read(&path).unwrap())))
    };
    entries.filter_map(part).collect()
}

fn bytes(parts: &BTreeMap<String, (SystemTime, Vec<u8>)>) -> BTreeMap<&String, &Vec<u8>> {
    parts.iter().map(|(name, (_, bytes))| (name, bytes)).collect()
}

/// Stderr of a call that must fail with `code`, and print nothing.
fn fail(folder: &Path, arguments: &str, code: i32) -> String {
    let output = command(folder, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments}: {}", stderr(&output));
    assert!(output.stdout.is_empty(), "{arguments}");
    stderr(&output)
}

#[test]
fn the_answer_has_every_part_and_every_agent() {
    let (folder, answer) = &*STRAIGHT;
    assert_eq!((answer["env"].as_str(), answer["genes"].as_u64()), (Some("cartpole"), Some(2)));
    for list in ["trainings", "searches"] {
        let rows = answer[list].as_array().unwrap();
        let chosen: Vec<_> = rows.iter().filter(|row| row["chosen"] == true).collect();
        let highest = rows.iter().map(|row| row["mean"].as_f64().unwrap()).fold(f64::NEG_INFINITY, f64::max);
        assert_eq!((rows.len(), chosen.len()), (9, 1), "{list}");
        assert_eq!(chosen[0]["mean"].as_f64(), Some(highest), "{list}");
    }
    let agents_mean = |training: &Value| training["agents_mean"].as_f64().unwrap();
    assert!(answer["trainings"].as_array().unwrap().iter().all(|t| (8.0..=500.0).contains(&agents_mean(t))));
    for (group, name) in answer["groups"].as_array().unwrap().iter().zip(["SynaptoGen", "SNES", "control"]) {
        let scores: Vec<f64> = group["scores"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
        let mean = scores.iter().sum::<f64>() / 100.0;
        assert_eq!((group["name"].as_str(), scores.len()), (Some(name), 100));
        assert!((group["mean"].as_f64().unwrap() - mean).abs() < 1e-9 && group["published"].is_null(), "{name}");
    }
    let pairs = answer["comparisons"].as_array().unwrap();
    assert_eq!(pairs.len(), 3);
    assert!(pairs.iter().all(|pair| pair["corrected_p"].as_f64().unwrap() >= pair["test"]["p"].as_f64().unwrap()));
    assert_eq!(parts(folder.path()).len(), 18);
    let profile = phylon::synaptogen::Profile::open(&folder.path().join("r/profile.safetensors")).unwrap();
    assert_eq!((profile.shape.genes, &profile.shape.layers[..]), (2, &[4, 128, 2][..]));
    let figure = fs::read_to_string(folder.path().join("r/scores.svg")).unwrap();
    let drawing = roxmltree::Document::parse(&figure).unwrap();
    // An agent a point, and one of the key.
    assert_eq!(drawing.descendants().filter(|node| node.has_tag_name("circle")).count(), 301);
    let mut kept: Value = serde_json::from_slice(&fs::read(folder.path().join("r/result.json")).unwrap()).unwrap();
    kept.as_object_mut().unwrap().remove("seconds");
    assert_eq!(kept, *answer);
}

/// Every training, search and score, to the bit.
#[cfg(feature = "emu")]
#[test]
fn a_device_finds_what_the_cpu_finds() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), &format!("{TINY} --device emu")).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer.as_object_mut().unwrap().remove("seconds");
    assert_eq!(answer, STRAIGHT.1);
    assert_eq!(bytes(&parts(folder.path())), bytes(&parts(STRAIGHT.0.path())));
}

#[test]
fn what_is_finished_is_not_computed_again_but_what_is_lost_is() {
    let folder = tempfile::tempdir().unwrap();
    let first = answer(folder.path(), 1);
    let written = parts(folder.path());
    assert_eq!((&first, parts(folder.path()).len()), (&STRAIGHT.1, 18));
    assert_eq!(answer(folder.path(), 3), first);
    assert_eq!(parts(folder.path()), written, "not even written again");
    let lost = "dqn-rate-0.003-seed-2.safetensors";
    fs::remove_file(folder.path().join("r").join(lost)).unwrap();
    assert_eq!(answer(folder.path(), 3), first);
    let again = parts(folder.path());
    assert_eq!(bytes(&again), bytes(&written));
    assert!(again.iter().all(|(name, part)| (*part == written[name]) != (name == lost)));
}

#[test]
fn nothing_finished_is_lost_by_sigkill() {
    let (straight, expected) = &*STRAIGHT;
    for least in [1, 5, 12] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command(folder.path(), TINY).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while parts(folder.path()).len() < least {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
            sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        let finished = parts(folder.path());
        assert!(!folder.path().join("r/result.json").exists());
        assert_eq!(answer(folder.path(), least), *expected);
        let all = parts(folder.path());
        assert_eq!(bytes(&all), bytes(&parts(straight.path())));
        assert!(finished.iter().all(|(name, part)| all[name] == *part), "what was finished is untouched");
    }
}

#[test]
fn another_setting_or_a_foreign_folder_is_refused() {
    let (folder, _) = &*STRAIGHT;
    let before = parts(folder.path());
    let refused = [
        (TINY.replace("3000", "4000"), "r has other settings: steps 3000, not 4000; try: another folder, with --out"),
        (TINY.replace("cartpole", "acrobot") + " --seed 2", "env cartpole, not acrobot; seed 1, not 2"),
    ];
    for (arguments, why) in refused {
        let stderr = fail(folder.path(), &arguments, 2);
        assert!(stderr.contains(why), "{stderr}");
    }
    assert_eq!(parts(folder.path()), before);
    let foreign = tempfile::tempdir().unwrap();
    fs::create_dir(foreign.path().join("r")).unwrap();
    fs::write(foreign.path().join("r/thesis.tex"), "x").unwrap();
    assert!(fail(foreign.path(), TINY, 2).contains("r holds other files, and no settings.json"));
    assert_eq!(fs::read_dir(foreign.path().join("r")).unwrap().count(), 1);
}

#[test]
fn damage_is_named() {
    let (straight, _) = &*STRAIGHT;
    let copy = |names: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("r")).unwrap();
        for name in names {
            fs::copy(straight.path().join("r").join(name), folder.path().join("r").join(name)).unwrap();
        }
        folder
    };
    let part = "snes-population-8-agents-10.safetensors";
    let folder = copy(&["settings.json", part]);
    let path = folder.path().join("r").join(part);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let stderr = fail(folder.path(), TINY, 1);
    assert!(stderr.contains(part) && stderr.contains("is not usable"), "{stderr}");

    // A part of other settings, which someone copied here.
    let folder = copy(&[]);
    let other = TINY.replace("3000", "2000");
    assert!(fail(copy(&[part]).path(), &other, 2).contains("other files"));
    let seeded = TINY.to_owned() + " --seed 5";
    let mut child = command(folder.path(), &seeded).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !folder.path().join("r/settings.json").exists() {
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    fs::write(folder.path().join("r").join(part), &whole).unwrap();
    let stderr = fail(folder.path(), &seeded, 1);
    assert!(stderr.contains("it is of other settings than its folder; try: remove it"), "{stderr}");

    let folder = copy(&["settings.json"]);
    let path = folder.path().join("r/settings.json");
    let text = fs::read_to_string(&path).unwrap();
    for damaged in [text.replace("\"format\":1", "\"format\":0"), text.replace("3000", "2000"), "{".into()] {
        fs::write(&path, damaged).unwrap();
        let stderr = fail(folder.path(), TINY, 1);
        assert!(stderr.contains("settings.json is not usable"), "{stderr}");
    }
}

#[test]
fn wrong_arguments_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("--env cartpol", "there is no world `cartpol`; try: `cartpole`"),
        ("--env cartpole --genes 0", "there is nothing to learn with 0 genes"),
        ("--env cartpole --steps 0", "in 0 steps; try: --genes 16 --steps 500000"),
        ("--env lunar-lander-continuous", "there are no hyperparameters for lunar-lander-continuous; try: cartpole"),
        ("--env cartpole --rules-from-data --genes 16", "the rules from data are about 39 genes, not 16"),
        ("--genes 16", "--env <WORLD>"),
        ("--all --genes 16", "cannot be used with"),
    ];
    for (arguments, why) in cases {
        let stderr = fail(folder.path(), &format!("reproduce synaptogen {arguments}"), 2);
        assert!(stderr.contains(why), "{arguments}: {stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

/// The first cell of the tables ends, and the second begins, each in a folder of its own.
#[test]
fn all_tables_are_cells_in_folders() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "reproduce synaptogen --all --steps 1 --out tables";
    let mut child = command(folder.path(), arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let cell = |name: &str| folder.path().join("tables").join(name);
    while !cell("mountain-car-16/settings.json").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended after the first cell");
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let result: Value = serde_json::from_slice(&fs::read(cell("cartpole-16/result.json")).unwrap()).unwrap();
    assert_eq!(result["groups"][0]["published"]["mean"], 456.05);
    assert!(cell("cartpole-16/scores.svg").exists());
}

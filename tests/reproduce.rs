//! `phylon reproduce` with the real program: what it prints and leaves, the same on any number of threads, that nothing
//! finished is computed again, also after SIGKILL, and what it refuses; and that the tables of the docs are those of
//! kept results.
#![cfg(unix)]

mod program;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use phylon::reproduction::{Reproduced, TABLES, markdown};
use program::{fail, json, succeed};
use serde_json::Value;
use tempfile::TempDir;

/// Two genes, few steps: all 18 parts in seconds.
const TINY: &str = "reproduce synaptogen-table1 --rows cartpole --genes 2 --steps 3000 --out r --json";
/// The folder of its only cell.
const CELL: &str = "r/synaptogen-table1/cartpole-2";

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

/// What [`TINY`] leaves of its cell on so many threads, without the time that it took; it must print the rows of that.
fn answer(folder: &Path, threads: usize) -> Value {
    let output = command(folder, &format!("{TINY} --threads {threads}")).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let answer = cell(folder);
    for (row, group) in printed["rows"].as_array().unwrap().iter().zip(answer["groups"].as_array().unwrap()) {
        assert_eq!((&row["name"], row["n"].as_u64()), (&group["name"], Some(100)));
        // The group's mean is taken in another order.
        assert!((row["mean"].as_f64().unwrap() - group["mean"].as_f64().unwrap()).abs() < 1e-9, "{row}");
    }
    assert_eq!(printed["rows"].as_array().unwrap().len(), 3);
    answer
}

fn cell(folder: &Path) -> Value {
    let kept = fs::read(folder.join(CELL).join("result.json")).unwrap();
    let mut answer: Value = serde_json::from_slice(&kept).unwrap();
    assert!(answer.as_object_mut().unwrap().remove("seconds").unwrap().as_f64().unwrap() > 0.0);
    answer
}

/// Finished trainings and searches: when they were written, and their bytes.
fn parts(folder: &Path) -> BTreeMap<String, (SystemTime, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder.join(CELL)) else { return BTreeMap::new() };
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
    let profile = phylon::synaptogen::Profile::open(&folder.path().join(CELL).join("profile.safetensors")).unwrap();
    assert_eq!((profile.shape.genes, &profile.shape.layers[..]), (2, &[4, 128, 2][..]));
    let figure = fs::read_to_string(folder.path().join(CELL).join("scores.svg")).unwrap();
    let drawing = roxmltree::Document::parse(&figure).unwrap();
    // An agent a point, and one of the key.
    assert_eq!(drawing.descendants().filter(|node| node.has_tag_name("circle")).count(), 301);
    let summary = fs::read_to_string(folder.path().join(CELL).join("summary.txt")).unwrap();
    assert!(summary.contains("* rate ") && summary.contains("* population "), "{summary}");
}

/// Every training, search and score, to the bit.
#[cfg(feature = "emu")]
#[test]
fn a_device_finds_what_the_cpu_finds() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), &format!("{TINY} --device emu")).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(cell(folder.path()), STRAIGHT.1);
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
    fs::remove_file(folder.path().join(CELL).join(lost)).unwrap();
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
        assert!(!folder.path().join(CELL).join("result.json").exists());
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
        (
            TINY.replace("3000", "4000"),
            "cartpole-2 has other settings: steps 3000, not 4000; try: another folder, with --out",
        ),
        (TINY.to_owned() + " --seed 2", "seed 1, not 2"),
        // Another row: the one that is there would be lost from the result.
        (TINY.replace("cartpole", "acrobot") + " --seed 2", "seed 1, not 2"),
    ];
    for (arguments, why) in refused {
        let stderr = fail(folder.path(), &arguments, 2);
        assert!(stderr.contains(why), "{stderr}");
    }
    assert_eq!(parts(folder.path()), before);
    let foreign = tempfile::tempdir().unwrap();
    fs::create_dir_all(foreign.path().join(CELL)).unwrap();
    fs::write(foreign.path().join(CELL).join("thesis.tex"), "x").unwrap();
    assert!(fail(foreign.path(), TINY, 2).contains("cartpole-2 holds other files, and no settings.json"));
    assert_eq!(fs::read_dir(foreign.path().join(CELL)).unwrap().count(), 1);
}

#[test]
fn damage_is_named() {
    let (straight, _) = &*STRAIGHT;
    let copy = |names: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(CELL)).unwrap();
        for name in names {
            fs::copy(straight.path().join(CELL).join(name), folder.path().join(CELL).join(name)).unwrap();
        }
        folder
    };
    let part = "snes-population-8-agents-10.safetensors";
    let folder = copy(&["settings.json", part]);
    let path = folder.path().join(CELL).join(part);
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
    while !folder.path().join(CELL).join("settings.json").exists() {
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    fs::write(folder.path().join(CELL).join(part), &whole).unwrap();
    let stderr = fail(folder.path(), &seeded, 1);
    assert!(stderr.contains("it is of other settings than its folder; try: remove it"), "{stderr}");

    let folder = copy(&["settings.json"]);
    let path = folder.path().join(CELL).join("settings.json");
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
        ("synaptogen-table5", "there is no table `synaptogen-table5`; try: `synaptogen-table"),
        (
            "synaptogen-table1 --rows cartpol",
            "--rows cartpol: synaptogen-table1 has no such row; try: one of cartpole, ",
        ),
        ("synaptogen-table1 --genes 0", "--genes"),
        ("synaptogen-table1 --steps 0", "--steps"),
        ("synaptogen-table2 --genes 16", "the rules from data are about 39 genes, not 16"),
        ("synaptogen-table1 --trials 3", "try: --seed S for others"),
        ("synaptogen-table1 --ours", "no settings that do better than the paper's"),
        ("synaptogen-table1 --set es.sigma=1", "has no config; try: --genes N or --steps N"),
        ("enu-table1 --genes 16", "is not of grown agents; try: synaptogen-table1"),
        ("enu-table1 --steps 16", "try: --set KEY=VALUE"),
        ("enu-table1 --ours --rows t-labyrinth", "enu-table1 has no such row"),
        ("enu-table1 --rows iaf-enu --set es.sigm=1", "unknown key `es.sigm`"),
        ("enu-table1 --rows iaf-enu --set es.sigma=1,2", "expected a number"),
        ("column-structure --set search.simulations=0", "simulations"),
        ("", "<TABLE>"),
        ("enu-table1 --list", "cannot be used with"),
    ];
    for (arguments, why) in cases {
        let stderr = fail(folder.path(), &format!("reproduce {arguments}"), 2);
        assert!(stderr.contains(why), "{arguments}: {stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

/// The first cell of the tables ends, and the second begins, each in a folder of its own.
#[test]
fn all_tables_are_cells_in_folders() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "reproduce synaptogen --quick --steps 1 --out tables";
    let mut child = command(folder.path(), arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let cell = |name: &str| folder.path().join("tables/synaptogen-table1-quick").join(name);
    while !cell("mountain-car-16/settings.json").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended after the first cell");
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let result: Value = serde_json::from_slice(&fs::read(cell("cartpole-16/result.json")).unwrap()).unwrap();
    assert_eq!(result["groups"][0]["published"]["mean"], 456.05);
    assert_eq!((result["trainings"].as_array().unwrap().len(), result["searches"].as_array().unwrap().len()), (3, 1));
    assert_eq!(result["groups"][2]["scores"].as_array().unwrap().len(), 20);
    assert!(cell("cartpole-16/scores.svg").exists());
}

#[test]
fn every_table_is_listed_and_quick_ones_say_what_is_scaled_down() {
    let folder = tempfile::tempdir().unwrap();
    let listed: Value = json(folder.path(), "reproduce --list --json");
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|table| table["name"].as_str().unwrap()).collect();
    assert_eq!(names, TABLES.iter().map(|table| table.name).collect::<Vec<_>>());
    assert!(succeed(folder.path(), "reproduce --list").contains("  rows: iaf-enu, iaf-gru, "));
    for ours in ["", " --ours"] {
        for table in TABLES.iter().filter(|table| ours.is_empty() || !table.name.starts_with("synaptogen")) {
            let told = succeed(folder.path(), &format!("reproduce {} --quick --dry-run{ours}", table.name));
            let scaled = told.lines().filter(|line| line.contains(", SCALED DOWN: ") && line.contains(" -> ")).count();
            assert_eq!(scaled, table.parts().len(), "{told}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

/// Tiny: what is measured here is not what comes out.
const UNITS: &str = "reproduce enu-table1 --rows iaf-enu,iaf-gru --trials 3 --set es.population=4 \
                     --set run.generations=2 --set run.validate_every=1 --set run.validation_episodes=4 --out r --json";

/// Of every trial that is finished: when that was written, and what it is but for the time that it took.
fn trials(folder: &Path) -> BTreeMap<String, (SystemTime, String)> {
    let mut found = BTreeMap::new();
    for part in ["iaf-enu", "iaf-gru"] {
        let Ok(cells) = fs::read_dir(folder.join("r/enu-table1").join(part).join("cells")) else { continue };
        for path in cells.map(|cell| cell.unwrap().path().join("outcome.toml")).filter(|path| path.exists()) {
            let text = fs::read_to_string(&path).unwrap();
            let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("seconds")).collect();
            let written = fs::metadata(&path).unwrap().modified().unwrap();
            found.insert(path.strip_prefix(folder).unwrap().display().to_string(), (written, kept.join("\n")));
        }
    }
    found
}

/// Without the times.
fn units(folder: &Path, arguments: &str) -> Value {
    let mut result: Value = json(folder, arguments);
    for row in result["rows"].as_array_mut().unwrap() {
        assert!(row.as_object_mut().unwrap().remove("seconds").unwrap().as_f64().unwrap() > 0.0);
    }
    result
}

#[test]
fn rows_of_units_are_over_trials_and_nothing_is_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let result = units(folder.path(), UNITS);
    let written = trials(folder.path());
    assert_eq!(written.len(), 6);
    let rows = result["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for (row, (name, paper)) in rows.iter().zip([("ENU", -18.22), ("GRU", -47.73)]) {
        let values: Vec<f64> = row["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        let mean = values.iter().sum::<f64>() / 3.0;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        assert_eq!((row["name"].as_str(), row["n"].as_u64(), values.len()), (Some(name), Some(3), 3));
        assert!((row["mean"].as_f64().unwrap() - mean).abs() < 1e-9, "{row}");
        assert!((row["sd"].as_f64().unwrap() - (squares / 2.0).sqrt()).abs() < 1e-9, "{row}");
        assert_eq!((&row["paper"]["mean"], &row["paper"]["n"]), (&Value::from(paper), &Value::from(30)));
        assert!(row["test"].is_null(), "it is not the paper's protocol");
        let scaled = row["scaled"].to_string();
        assert!(
            scaled.contains("es.population (1024 -> 4)") && scaled.contains("run.generations (3000 -> 2)"),
            "{scaled}"
        );
    }
    assert_eq!(result["comparisons"][0]["first"], "ENU");
    let hash = rows[0]["config"].as_str().unwrap();
    assert!(hash.len() == 16 && rows[1]["config"] != hash);

    assert_eq!(units(folder.path(), UNITS), result);
    assert_eq!(trials(folder.path()), written, "nothing is done again");
    let more = units(folder.path(), &UNITS.replace("iaf-enu,iaf-gru --trials 3", "iaf-gru --trials 4"));
    assert_eq!((&more["rows"][0], more["rows"][1]["n"].as_u64()), (&result["rows"][0], Some(4)));
    let all = trials(folder.path());
    assert!(all.len() == 7 && written.iter().all(|(name, trial)| all[name] == *trial));
    let stderr = fail(folder.path(), &UNITS.replace("population=4", "population=6"), 2);
    assert!(stderr.contains("iaf-enu: it has other settings: ") && stderr.contains("--out DIR"), "{stderr}");
}

#[test]
fn an_override_of_one_task_leaves_the_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    let told = succeed(folder.path(), "reproduce enu-table1 --rows iaf --quick --dry-run --set task.iaf.steps=10");
    assert_eq!(told.matches("task.iaf.steps (100 -> 10)").count(), 4, "{told}");
    let stderr = fail(folder.path(), "reproduce enu-table1 --quick --dry-run --set task.iaf.steps=10", 2);
    assert!(stderr.contains("two choices in `task`"), "{stderr}");
}

#[test]
fn a_table_of_units_goes_on_after_sigkill() {
    let straight = tempfile::tempdir().unwrap();
    let expected = units(straight.path(), UNITS);
    let folder = tempfile::tempdir().unwrap();
    for least in [1, 4] {
        let mut child = command(folder.path(), UNITS).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while trials(folder.path()).len() < least {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
            sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }
    let finished = trials(folder.path());
    assert_eq!(units(folder.path(), UNITS), expected);
    let all = trials(folder.path());
    assert!(finished.iter().all(|(name, trial)| all[name] == *trial), "what was finished is untouched");
}

#[test]
fn rows_of_a_column_are_what_its_searches_found() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "reproduce column-structure --ours --trials 2 --set search.simulations=8 \
                     --set search.cma_es.population=4 --set column.neuron_scale=0.01 \
                     --set search.held_out=2 --out r --json";
    let result: Value = json(folder.path(), arguments);
    let rows = result["rows"].as_array().unwrap();
    let paper: Vec<Option<f64>> = rows.iter().map(|row| row["paper"]["mean"].as_f64()).collect();
    assert_eq!(paper, [Some(9.26), Some(0.031), None, Some(0.29), Some(1.4), Some(2.52), Some(0.5)]);
    let found = ["0001-seed-1", "0001-seed-2"].map(|name| {
        let at = folder.path().join("r/column-structure-ours/structure/cells").join(name).join("result.json");
        serde_json::from_slice::<Value>(&fs::read(at).unwrap()).unwrap()
    });
    let values =
        |row: &Value| -> Vec<f64> { row["values"].as_array().unwrap().iter().filter_map(Value::as_f64).collect() };
    let of_answers =
        |of: &dyn Fn(&Value) -> f64| found.iter().map(|found| of(&found["entrants"][0])).collect::<Vec<_>>();
    assert_eq!(values(&rows[1]), of_answers(&|answer| answer["error"].as_f64().unwrap()));
    assert_eq!(values(&rows[5]), of_answers(&|answer| answer["rates"][4].as_f64().unwrap()), "L5E");
    assert!(rows[1]["notes"].to_string().contains("no spread to test against") && rows[1]["test"].is_null());
}

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn kept() -> Vec<Reproduced> {
    markdown::read_all(&repository("docs/results/tables")).unwrap()
}

/// No figure of these tables is typed.
#[test]
fn tables_in_the_docs_are_those_of_the_kept_results() {
    for path in ["README.md", "docs/results/tables.md"] {
        let text = fs::read_to_string(repository(path)).unwrap();
        assert!(text.contains("<!-- /tables -->"), "{path} has no block for tables");
        assert!(
            markdown::update(&text, &kept()).unwrap() == text,
            "{path} is not what the results in docs/results/tables say; mend it with: phylon reproduce --markdown \
             docs/results/tables --into {path}"
        );
    }
}

/// What was there before these tables were is still what it was taken from.
#[test]
fn kept_results_are_those_of_their_sources() {
    let lines = |path: &str| -> Vec<Value> {
        let text = fs::read_to_string(repository(path)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut checked = 0;
    for result in kept() {
        for row in result.rows {
            let Some(source) = &row.source else { continue };
            let expected: Vec<f64> = match source.as_str() {
                "docs/results/evaluations.jsonl" => {
                    let config = match row.part.as_str() {
                        "iaf-enu" => "enu-iaf",
                        "stdp-enu" => "enu-stdp",
                        "stdp-complex-enu" => "enu-stdp-complex",
                        other => panic!("{other} is of no run in {source}"),
                    };
                    let of_it = |line: &&Value| line["config"] == config && line["which"] == "best";
                    lines(source).iter().filter(of_it).map(|line| line["mean"].as_f64().unwrap()).collect()
                }
                "docs/results/synaptogen.jsonl" => {
                    let genes = match result.table.as_str() {
                        "synaptogen-table1" => 16,
                        "synaptogen-table2" => 39,
                        "synaptogen-table3" => 32,
                        _ => 64,
                    };
                    let is_it = |line: &&Value| line["env"] == row.part && line["genes"] == genes && line["seed"] == 1;
                    let cells = lines(source);
                    let cell = cells.iter().find(is_it).unwrap();
                    let groups = cell["groups"].as_array().unwrap();
                    let group = groups.iter().find(|group| group["name"] == row.name).unwrap();
                    group["scores"].as_array().unwrap().iter().map(|score| score.as_f64().unwrap()).collect()
                }
                _ => {
                    let found: Value = serde_json::from_slice(&fs::read(repository(source)).unwrap()).unwrap();
                    let rate = |population: usize| found["entrants"][0]["rates"][population].as_f64().unwrap();
                    let tested = |of: &dyn Fn(&Value) -> bool| {
                        let tests = found["held_out"].as_array().unwrap();
                        tests.iter().find(|test| of(test)).unwrap()["error_of_means"].as_f64().unwrap()
                    };
                    vec![match row.name.as_str() {
                        "error of its answer, Hz" => found["entrants"][0]["error"].as_f64().unwrap(),
                        "error where the search begins, Hz" => tested(&|test| test["of"] == "base"),
                        "the same with other networks, Hz" => tested(&|test| test["is_answer"] == true),
                        "rate of L2/3, Hz" => rate(0),
                        "rate of L4, Hz" => rate(2),
                        "rate of L5, Hz" => rate(4),
                        "rate of L6, Hz" => rate(6),
                        other => panic!("{other} is in no search"),
                    }]
                }
            };
            let mean = expected.iter().sum::<f64>() / expected.len() as f64;
            assert_eq!(row.n, expected.len(), "{} {}", row.part, row.name);
            assert!((row.mean - mean).abs() <= 1e-9 * mean.abs().max(1.0), "{} {}: {mean}", row.part, row.name);
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

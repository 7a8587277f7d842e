//! Sweeps and comparisons with the real program: what they leave, that they go on after any kill to the same tables, and what
//! they refuse.
#![cfg(unix)]

mod browser;
mod program;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use program::{fail, json, phylon, succeed, text};
use serde_json::Value;
use tempfile::TempDir;

const CONFIG: &str = "
format = 1
[run]
name = 'tiny'
generations = 6
validate_every = 2
validation_episodes = 4
checkpoint_every = 2
[unit.enu]
inputs = 2
memory = 3
outputs = 2
[task.iaf]
environments = 2
steps = 20
[es]
population = 4
";

const GRID: &str = "sweep tiny.toml --set es.population=4,6 --set es.sigma=0.01,0.1 --set es.rank_exponent=3 --seeds 2 \
                    --episodes 50 --device cpu";

fn place() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tiny.toml"), CONFIG).unwrap();
    folder
}

/// Head and rows of a table.
fn table(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let head = cells(reader.headers().unwrap());
    (head, reader.records().map(|record| cells(&record.unwrap())).collect())
}

/// Both tables without the times.
fn tables(sweep: &Path) -> [Vec<Vec<String>>; 2] {
    ["sweep.csv", "summary.csv"].map(|name| {
        let (head, rows) = table(&sweep.join(name));
        let kept: Vec<usize> = (0..head.len())
            .filter(|&i| !["seconds", "seconds_per_generation", "env_steps_per_s"].contains(&head[i].as_str()))
            .collect();
        std::iter::once(&head).chain(&rows).map(|row| kept.iter().map(|&i| row[i].clone()).collect()).collect()
    })
}

fn column(path: &Path, name: &str) -> Vec<String> {
    let (head, rows) = table(path);
    let at = head.iter().position(|column| column == name).unwrap_or_else(|| panic!("no {name} in {head:?}"));
    rows.into_iter().map(|mut row| row.swap_remove(at)).collect()
}

#[test]
fn a_grid_leaves_runs_tables_and_a_report() {
    let place = place();
    let shown = succeed(place.path(), GRID);
    assert!(shown.ends_with("sweep: runs/tiny-sweep  report: runs/tiny-sweep/report.html\n"), "{shown}");
    assert!(shown.starts_with("cell  es.population  es.sigma  runs  fitness"), "{shown}");
    let sweep = place.path().join("runs/tiny-sweep");
    let runs = sweep.join("sweep.csv");
    assert_eq!(column(&runs, "cell"), ["1", "1", "2", "2", "3", "3", "4", "4"]);
    assert_eq!(column(&runs, "es.population"), ["4", "4", "4", "4", "6", "6", "6", "6"]);
    assert_eq!(column(&runs, "es.sigma"), ["0.01", "0.01", "0.1", "0.1", "0.01", "0.01", "0.1", "0.1"]);
    assert_eq!(column(&runs, "seed"), ["1", "2", "1", "2", "1", "2", "1", "2"]);
    // Offspring and the centre, environments, steps, generations.
    assert_eq!(column(&runs, "env_steps")[4], (7 * 2 * 20 * 6).to_string());

    // Every run is one, and what the table says of it is what `phylon eval` says.
    let names = column(&runs, "run");
    assert_eq!(names[3], "0002-population-4-sigma-0.1-seed-2");
    for (centre, which) in [("best", ""), ("last", " --which last")] {
        for (row, name) in names.iter().enumerate() {
            let run = format!("runs/tiny-sweep/cells/{name}");
            let evaluated = succeed(place.path(), &format!("eval {run} --episodes 50 --json{which}"));
            let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
            for (column_, value) in
                [("mean", &evaluated["mean"]), ("sd", &evaluated["sd"]), ("ci95_low", &evaluated["ci95"][0])]
            {
                let told: f64 = column(&runs, &format!("{centre}_{column_}"))[row].parse().unwrap();
                // serde_json reads a number to within a bit or so.
                assert!(
                    (told - value.as_f64().unwrap()).abs() <= 1e-14 * told.abs(),
                    "{name} {centre} {column_}: {told} {value}"
                );
            }
            let generation = &column(&runs, &format!("{centre}_generation"))[row];
            assert_eq!(*generation, evaluated["generation"].to_string());
        }
    }
    let straight = "run tiny.toml --set es.population=4 --set es.sigma=0.1 --set es.rank_exponent=3 --set run.seed=2 --quiet \
                    --no-report --name straight";
    succeed(place.path(), straight);
    for file in ["fitness.f32", "best.safetensors"] {
        let here = fs::read(sweep.join("cells").join(&names[3]).join(file)).unwrap();
        assert_eq!(here, fs::read(place.path().join("runs/straight").join(file)).unwrap(), "{file}");
    }

    let cells = sweep.join("summary.csv");
    assert_eq!(column(&cells, "done"), ["2"; 4]);
    let means: Vec<f64> = column(&runs, "best_mean").iter().map(|mean| mean.parse().unwrap()).collect();
    let mean: f64 = column(&cells, "best_mean")[1].parse().unwrap();
    assert!((mean - (means[2] + means[3]) / 2.0).abs() < 1e-12 * mean.abs());

    let report = fs::read_to_string(sweep.join("report.html")).unwrap();
    for figure in ["keys", "heat", "curves"] {
        assert!(report.contains(&format!("<figure id=\"{figure}\">")), "{figure}");
    }
    fs::remove_file(sweep.join("report.html")).unwrap();
    fs::remove_file(&runs).unwrap();
    assert_eq!(succeed(place.path(), "report runs/tiny-sweep"), "runs/tiny-sweep/report.html\n");
    assert_eq!(column(&runs, "run"), names);

    // Once more there is nothing to do.
    let before = fs::read(&runs).unwrap();
    let again = phylon(place.path(), GRID);
    assert!(text(&again.stderr).contains("4 cells, 8 runs, 0 of them to do"), "{}", text(&again.stderr));
    assert_eq!((text(&again.stdout), fs::read(&runs).unwrap()), (shown, before));

    let json: Value = json(place.path(), &format!("{GRID} --quiet --json"));
    assert_eq!(
        (&json["sweep"], &json["keys"]),
        (&"runs/tiny-sweep".into(), &serde_json::json!(["es.population", "es.sigma"]))
    );
    assert_eq!((&json["cells"][3]["values"], &json["cells"][3]["done"]), (&serde_json::json!(["6", "0.1"]), &2.into()));
}

/// 20 times SIGKILL at a random moment, each time the same command again; then the tables of a sweep that nobody killed.
#[test]
fn killed_at_random_moments_a_sweep_ends_with_the_same_tables() {
    let (straight, killed) = (place(), place());
    let command =
        format!("{GRID} --set run.generations=150 --set run.first_centres=3 --set es.population=32,64 --quiet")
            .replace("--set es.population=4,6 ", "");
    succeed(straight.path(), &command);
    let mut kills = 0;
    // Milliseconds by a linear congruential generator (Knuth's): the same moments in every run of the test.
    let mut random = 1u64;
    while kills < 20 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_phylon"))
            .args(command.split_whitespace())
            .current_dir(killed.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        sleep(Duration::from_millis(random >> 58));
        if child.try_wait().unwrap().is_some() {
            // It was done before it could be killed: from the beginning.
            fs::remove_dir_all(killed.path().join("runs")).unwrap();
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    succeed(killed.path(), &command);
    let [here, there] = [&straight, &killed].map(|place| tables(&place.path().join("runs/tiny-sweep")));
    assert_eq!(here, there);
    assert_eq!(here[0].len(), 9);
}

#[test]
fn ctrl_c_leaves_with_130_and_a_checkpoint() {
    let place = place();
    let command = "sweep tiny.toml --set es.sigma=0.1,0.01 --set run.generations=100000000 --episodes 5 --quiet";
    let mut child = Command::new(env!("CARGO_BIN_EXE_phylon"))
        .args(command.split_whitespace())
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let run = place.path().join("runs/tiny-sweep/cells/0001-sigma-0.1-seed-1");
    let rows =
        || fs::read_to_string(run.join("metrics.csv")).unwrap_or_default().matches('\n').count().saturating_sub(1);
    while rows() < 3 {
        assert!(child.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(2));
    }
    // A second process finds the run at work and leaves it; the other cell of its shard is none of its own.
    let second = phylon(place.path(), &format!("{command} --shard 1/2").replace(" --quiet", ""));
    assert!(text(&second.stderr).contains("another process is at work on it"), "{}", text(&second.stderr));
    assert_eq!(second.status.code(), Some(0));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let checkpoint = phylon::run::checkpoint::read(&run.join("checkpoint.safetensors")).unwrap();
    assert_eq!(checkpoint.state.generation as usize, rows());
    assert!(!place.path().join("runs/tiny-sweep/cells/0002-sigma-0.01-seed-1").exists());
    assert!(place.path().join("runs/tiny-sweep/report.html").exists());
}

#[test]
fn shards_together_are_the_whole() {
    let (whole, parts) = (place(), place());
    let random = "sweep tiny.toml --range es.sigma=0.001..0.1 --range es.rank_exponent=1..4 --random 3 --set unit.enu.memory=2,3 \
                  --seeds 2 --episodes 20 --quiet --device cpu";
    succeed(whole.path(), random);
    for shard in ["2/3", "3/3", "1/3"] {
        succeed(parts.path(), &format!("{random} --shard {shard}"));
    }
    let [here, there] = [&whole, &parts].map(|place| tables(&place.path().join("runs/tiny-sweep")));
    assert_eq!(here, there);
    assert_eq!(here[0].len(), 13);
    // At once, in one folder; and more draws and seeds only add runs.
    let together = place();
    let command = format!("{random} --name x --no-report");
    let children: Vec<_> = (0..3)
        .map(|_| {
            let mut command_ = Command::new(env!("CARGO_BIN_EXE_phylon"));
            command_.args(command.split_whitespace()).current_dir(together.path());
            command_.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    succeed(together.path(), &command);
    assert_eq!(tables(&together.path().join("runs/x")), here);
    succeed(together.path(), &command.replace("--random 3", "--random 4").replace("--seeds 2", "--seeds 3"));
    let more = tables(&together.path().join("runs/x"));
    assert_eq!(more[0].len(), 1 + 4 * 2 * 3);
    assert!(here[0].iter().all(|row| more[0].contains(row)), "what was there is still there");
}

#[test]
fn a_run_that_fails_is_recorded_and_the_sweep_goes_on() {
    let place = place();
    let command = "sweep tiny.toml --set es.sigma=3e38,0.1 --seeds 2 --episodes 20";
    let output = phylon(place.path(), command);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("error: 2 of the runs in runs/tiny-sweep failed") && stderr.contains("--retry"),
        "{stderr}"
    );
    assert!(text(&output.stdout).contains("0/2 2 failed"), "{}", text(&output.stdout));
    let runs = place.path().join("runs/tiny-sweep/sweep.csv");
    assert_eq!(column(&runs, "state"), ["failed", "failed", "done", "done"]);
    assert!(
        column(&runs, "message")[0].contains("no offspring has a finite fitness"),
        "{:?}",
        column(&runs, "message")
    );
    let report = fs::read_to_string(place.path().join("runs/tiny-sweep/report.html")).unwrap();
    assert!(report.contains("no offspring has a finite fitness") && !report.contains("NaN"));

    let again = phylon(place.path(), command);
    assert!(text(&again.stderr).contains("0 of them to do") && again.status.code() == Some(1));
    let retried = phylon(place.path(), &format!("{command} --retry"));
    assert!(text(&retried.stderr).contains("2 of them to do") && retried.status.code() == Some(1));
}

#[test]
fn what_cannot_be_is_refused_before_anything_runs() {
    let place = place();
    for (arguments, expected) in [
        ("--set es.population=4,3 --set es.antithetic=true", "error: cell 2 of 2 (es.population = 3): "),
        ("--set es.population=4,1", "error: cell 2 of 2 (es.population = 1): --set es.population=1: `es.population`: "),
        ("--set es.populaton=4,6", "unknown key `es.populaton`\ntry: `es.population`"),
        ("--set es.populaton=4 --set es.sigma=1,2", "error: --set es.populaton=4: unknown key"),
        ("--set es.sigma=1,,2", "error: --set es.sigma=1,,2: a value is missing"),
        ("--set es.sigma", "expected key=value"),
        ("--set run.seed=1,2", "try: --seeds N"),
        ("--set run.name=a,b", "`run.name` has a value of its own"),
        ("--set es.sigma=0.1 --range es.sigma=0.1..1 --random 2", "`es.sigma` is given twice"),
        ("--range es.sigma=0.1..1", "--random"),
        ("--random 3", "--range"),
        ("--range es.sigma=1..0.1 --random 2", "error: --range es.sigma=1..0.1: 1 is not below 0.1"),
        ("--shard 0/2", "expected I/N"),
        ("--name a/b", "error: --name a/b: "),
        (
            "--set run.numerics=exact,fast --device cpu",
            "cell 2 (run.numerics = fast): `run.numerics`: the CPU computes",
        ),
    ] {
        let stderr = fail(place.path(), &format!("sweep tiny.toml {arguments}"), 2);
        assert!(stderr.contains(expected), "{arguments}: {stderr}");
        assert!(!place.path().join("runs").exists(), "{arguments}");
    }
    let shown = succeed(place.path(), "sweep tiny.toml --set es.population=4,6 --seeds 3 --dry-run");
    assert!(shown.contains("2     6              0/3") && shown.ends_with("2 cells, 6 runs\n"), "{shown}");
    assert!(!place.path().join("runs").exists());
}

#[test]
fn another_sweep_of_the_same_name_is_refused_unless_forced() {
    let place = place();
    let sweep = |more: &str| format!("sweep tiny.toml --episodes 5 --quiet --no-report {more}");
    succeed(place.path(), &sweep("--set es.population=4,6"));
    let stderr = fail(place.path(), &sweep("--set es.population=4,8"), 2);
    assert!(stderr.contains("runs/tiny-sweep: it is another sweep: axis (") && stderr.contains("--force"), "{stderr}");
    let stderr = fail(place.path(), &sweep("--set es.population=4,6 --set run.generations=3"), 2);
    assert!(stderr.contains("run.generations=3"), "{stderr}");
    let note = place.path().join("runs/tiny-sweep/cells/0001-population-4-seed-1/note.txt");
    fs::write(&note, "mine").unwrap();
    succeed(place.path(), &sweep("--set es.population=4,8 --force"));
    let runs = place.path().join("runs/tiny-sweep");
    assert_eq!(column(&runs.join("sweep.csv"), "es.population"), ["4", "8"]);
    assert!(note.exists() && !runs.join("cells/0002-population-6-seed-1").exists());
    fs::create_dir(place.path().join("runs/other")).unwrap();
    fs::write(place.path().join("runs/other/thesis.txt"), "years of work").unwrap();
    let stderr = fail(place.path(), &sweep("--name other --force"), 2);
    assert!(stderr.contains("sweep.toml is missing"), "{stderr}");
}

#[test]
fn searches_of_columns_are_swept_one_after_the_other() {
    let place = place();
    let config = "format = 1\n[column]\nneuron_scale = 0.02\nsynapse_scale = 0.1\n[search]\ngroup = 'neuron'\nsimulations = 8\nwarm_up = 50\ncounted = 50\n\
                  held_out = 3\n[search.cma_es]\npopulation = 4\n";
    fs::write(place.path().join("column.toml"), config).unwrap();
    let command = "sweep column.toml --set search.k=5,10 --seeds 2";
    succeed(place.path(), &format!("{command} --quiet"));
    let runs = place.path().join("runs/column-sweep/sweep.csv");
    assert_eq!(column(&runs, "env_steps"), ["8"; 4]);
    let name = &column(&runs, "run")[1];
    let result =
        fs::read_to_string(place.path().join("runs/column-sweep/cells").join(name).join("result.json")).unwrap();
    let result: Value = serde_json::from_str(&result).unwrap();
    let answer = result["held_out"].as_array().unwrap().iter().find(|tested| tested["is_answer"] == true).unwrap();
    let mean: f64 = column(&runs, "best_mean")[1].parse().unwrap();
    assert!((mean + answer["mean_error"].as_f64().unwrap()).abs() < 1e-12 * mean.abs());
    let report = fs::read_to_string(place.path().join("runs/column-sweep/report.html")).unwrap();
    assert!(report.contains("<figure id=\"curves\">") && report.contains("minus the error with held-out seeds"));
    assert!(fail(place.path(), &format!("{command} --episodes 5"), 2).contains("search.held_out"));
    let stderr = fail(place.path(), "compare runs/column-sweep", 2);
    assert!(stderr.contains("it is a search of a column"), "{stderr}");
}

#[test]
fn runs_are_compared_in_groups_of_seeds() {
    let place = place();
    succeed(place.path(), "sweep tiny.toml --set es.sigma=0.001,0.3 --seeds 3 --episodes 20 --quiet --no-report");
    succeed(place.path(), "run tiny.toml --quiet --no-report --set run.seed=9");
    let shown = succeed(place.path(), "compare runs/tiny-sweep runs/tiny --episodes 100");
    assert!(shown.contains("sigma 0.001") && shown.contains("es.sigma: 0.001, 0.3, 0.01"), "{shown}");
    assert!(shown.contains("sigma 0.001 > sigma 0.3: ") && shown.contains("(over runs)"), "{shown}");
    assert!(shown.contains("sigma 0.3 > tiny: ") && shown.ends_with("\nwritten: runs/compare.html\n"), "{shown}");
    let page = fs::read_to_string(place.path().join("runs/compare.html")).unwrap();
    assert!(page.matches("<svg ").count() == 2 && page.contains("Comparison of 7 runs") && !page.contains("NaN"));
    assert!(page.contains("Over runs: ") && page.contains("Over episodes: "));

    let json: Value = json(place.path(), "compare runs/tiny-sweep runs/tiny --episodes 100 --out curves.svg --json");
    assert!(fs::read_to_string(place.path().join("curves.svg")).unwrap().starts_with("<svg"));
    assert_eq!(json["groups"].as_array().unwrap().len(), 3);
    let tiny = &json["groups"][2];
    let evaluated = succeed(place.path(), "eval runs/tiny --episodes 100 --json");
    let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
    assert_eq!((&tiny["fitness"]["mean"], &tiny["values"][0]), (&evaluated["mean"], &"0.01".into()));
    let pairs = json["pairs"].as_array().unwrap();
    assert_eq!(
        pairs.iter().map(|pair| pair["over"].as_str().unwrap()).collect::<Vec<_>>(),
        ["runs", "episodes", "episodes"]
    );
    for pair in pairs {
        let (p, corrected) = (pair["test"]["p"].as_f64().unwrap(), pair["corrected_p"].as_f64().unwrap());
        assert!((corrected - (3.0 * p).min(1.0)).abs() < 1e-12, "{pair}");
    }

    succeed(place.path(), "run tiny.toml --quiet --no-report --set task.iaf.steps=30 --name longer");
    let stderr = fail(place.path(), "compare runs/tiny runs/longer", 2);
    assert!(stderr.contains("their tasks differ") && stderr.contains("task.iaf.steps (20 -> 30)"), "{stderr}");
    assert!(fail(place.path(), "compare runs/tiny runs/tiny", 2).contains("are the same run"));
    assert!(fail(place.path(), "compare runs/tiny", 2).contains("two runs or more"));
    assert!(fail(place.path(), "compare runs/tiny runs/nothing", 2).contains("no such run folder"));
}

#[test]
fn kinds_of_unit_are_compared_by_their_names() {
    let place = place();
    fs::write(place.path().join("gru.toml"), CONFIG.replace("unit.enu", "unit.gru")).unwrap();
    let mut runs = Vec::new();
    for (config, kind) in [("tiny.toml", "enu"), ("gru.toml", "gru")] {
        for seed in [1, 2] {
            let run = format!("{kind}-{seed}");
            succeed(place.path(), &format!("run {config} --set run.seed={seed} --name {run} --quiet --no-report"));
            runs.push(format!("runs/{run}"));
        }
    }
    let answer = succeed(place.path(), &format!("compare {} --episodes 20 --json", runs.join(" ")));
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["keys"], serde_json::json!(["unit"]), "{answer}");
    let names: Vec<_> =
        answer["groups"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["unit enu", "unit gru"]);
}

#[test]
fn pages_open_in_a_browser_without_complaint() {
    let place = place();
    succeed(place.path(), &format!("{GRID} --quiet"));
    succeed(place.path(), "compare runs/tiny-sweep --episodes 20");
    browser::open(&place.path().join("runs/tiny-sweep/report.html"), 4);
    browser::open(&place.path().join("runs/compare.html"), 2);
}

#[cfg(feature = "emu")]
#[test]
fn side_by_side_on_a_device_runs_have_the_bits_of_single_ones() {
    let (device, cpu) = (place(), place());
    let command = "sweep tiny.toml --set es.sigma=0.01,0.1 --seeds 3 --episodes 20 --quiet --no-report";
    succeed(cpu.path(), &format!("{command} --device cpu"));
    // A part of one cell first, so that its runs are at different generations.
    succeed(device.path(), &format!("{command} --device emu --shard 2/6"));
    succeed(device.path(), &format!("{command} --device emu"));
    let runs = device.path().join("runs/tiny-sweep/sweep.csv");
    assert_eq!(column(&runs, "side_by_side"), ["2", "1", "2", "3", "3", "3"]);
    for name in column(&runs, "run") {
        for file in ["fitness.f32", "checkpoint.safetensors", "best.safetensors"] {
            let [here, there] = [&device, &cpu]
                .map(|place| fs::read(place.path().join("runs/tiny-sweep/cells").join(&name).join(file)).unwrap());
            assert!(here == there, "{name}/{file} differs");
        }
    }
    // One that fails does not take the others with it: of these six three do, at different generations.
    let command = "sweep gru.toml --set es.sigma=1e15 --set es.momentum.learning_rate=1e9 --set es.momentum.momentum=1.0 --seeds 6 \
                   --set run.generations=3 --episodes 20 --quiet --no-report";
    for (place, on) in [(&device, "emu"), (&cpu, "cpu")] {
        fs::write(place.path().join("gru.toml"), CONFIG.replace("unit.enu", "unit.gru")).unwrap();
        let output = phylon(place.path(), &format!("{command} --name fails --device {on}"));
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    }
    let states = column(&device.path().join("runs/fails/sweep.csv"), "state");
    assert_eq!(states, ["done", "failed", "failed", "done", "failed", "done"]);
    let [here, there] = [&device, &cpu].map(|place| {
        let [runs, _] = tables(&place.path().join("runs/fails"));
        let at = runs[0].iter().position(|column| column == "side_by_side").unwrap();
        let without = |mut row: Vec<String>| {
            row.remove(at);
            row
        };
        runs.into_iter().map(without).collect::<Vec<_>>()
    });
    assert_eq!(here, there);
}

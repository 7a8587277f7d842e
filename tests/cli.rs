//! The real binary, as a user meets it: what it prints where, what it leaves in the folder, and its exit codes.

mod program;

use std::fs;
use std::process::Command;

use phylon::policy::{Activation, Mlp};
use program::{fail, json, phylon, succeed, text};
use tempfile::TempDir;

const TINY: &str = r#"format = 1

[run]
name = "tiny"
generations = 2

[unit.enu]
memory = 4

[task.iaf]
environments = 2
steps = 20

[es]
population = 4
"#;

/// A fresh folder with `tiny.toml`.
fn tiny() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tiny.toml"), TINY).unwrap();
    folder
}

/// A fresh folder with a finished run, `runs/tiny`.
fn ran() -> TempDir {
    let folder = tiny();
    succeed(folder.path(), "run tiny.toml --quiet --no-report");
    folder
}

/// Stderr of `phylon check` for [`TINY`] with `from` replaced by `to`.
fn mistake(from: &str, to: &str) -> String {
    assert!(TINY.contains(from));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tiny.toml"), TINY.replacen(from, to, 1)).unwrap();
    let stderr = fail(folder.path(), "check tiny.toml", 2);
    assert_eq!(fail(folder.path(), "run tiny.toml", 2), stderr);
    assert!(!folder.path().join("runs").exists());
    stderr
}

#[test]
fn config_mistakes_name_place_key_and_what_is_right() {
    let key = mistake("steps", "stepz");
    let start = "error: tiny.toml:12:1: unknown key `task.iaf.stepz`\n   |\n12 | stepz = 20\n   | ^^^^^\n\
                 try: `task.iaf.steps`\nkeys in [task.iaf]: ";
    assert!(key.starts_with(start), "{key}");
    let choice = mistake("[unit.enu]", "[unit.enuu]");
    let start = "error: tiny.toml:7:7: unknown choice `unit.enuu`\n  |\n7 | [unit.enuu]\n  |       ^^^^\n\
                 try: `unit.enu`\nchoices in [unit]: ";
    assert!(choice.starts_with(start) && choice.ends_with('\n'), "{choice}");
    assert_eq!(
        mistake("population = 4", "population = \"four\""),
        "error: tiny.toml:15:14: `es.population`: expected a whole number from 0 to 4294967295, found string \"four\"\n\
         \x20  |\n15 | population = \"four\"\n   |              ^^^^^^\n"
    );
    assert!(mistake("population = 4", "population = 0").starts_with("error: tiny.toml:15:14: `es.population`: "));
    assert_eq!(
        mistake("[run]", "[run"),
        "error: tiny.toml:3:5: unclosed table, expected `]`\n  |\n3 | [run\n  |     ^\n"
    );
    let missing = mistake("[unit.enu]\nmemory = 4\n", "");
    let start = "error: tiny.toml:1:1: missing table `[unit.<kind>]`: <kind> is one of ";
    assert!(missing.starts_with(start), "{missing}");
    let two = mistake("[task.iaf]", "[unit.gru]\n[task.iaf]");
    let start = "error: tiny.toml:10:7: two choices in `unit`: `unit.enu` and `unit.gru`\n   |\n10 | [unit.gru]\n   |       ^^^\n\
                 expected exactly one table `[unit.<kind>]`: ";
    assert!(two.starts_with(start), "{two}");
}

#[test]
fn override_mistakes_name_the_override() {
    let folder = tiny();
    let stderr = fail(folder.path(), "check tiny.toml --set es.populaton=8", 2);
    assert!(stderr.starts_with("error: --set es.populaton=8: unknown key `es.populaton`\ntry: `es.population`\n"));
    let stderr = fail(folder.path(), "run tiny.toml --set es.population=0", 2);
    assert!(stderr.starts_with("error: --set es.population=0: `es.population`: "), "{stderr}");
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn wrong_usage_leaves_with_2() {
    let folder = tiny();
    for arguments in [
        "",
        "evolve",
        "run",
        "run --resume runs/tiny tiny.toml",
        "run tiny.toml --threads 0",
        "list words",
        "replay runs/tiny",
        "eval runs/tiny --episodes 0",
        "check nowhere.toml",
        "run tiny.toml --name a/b",
        "report runs/nothing",
        "run --resume runs/nothing",
    ] {
        let stderr = fail(folder.path(), arguments, 2);
        assert!(!stderr.is_empty(), "{arguments}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the config");
}

#[test]
fn every_command_has_help_with_examples() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        "",
        "run",
        "check",
        "list",
        "eval",
        "report",
        "sweep",
        "compare",
        "replay",
        "rollout",
        "grow",
        "reproduce",
        "simulate",
        "battery",
        "completions",
    ] {
        for help in ["--help", "-h"] {
            let shown = succeed(folder.path(), &format!("{command} {help}"));
            assert!(shown.contains("Examples:\n  phylon "), "{shown}");
        }
    }
    assert!(succeed(folder.path(), "--help").contains("130  interrupted"));
    assert!(succeed(folder.path(), "--version").starts_with("phylon 0."));
}

#[test]
fn list_shows_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    for (what, names) in [
        ("units", &["enu", "nfenu", "gru", "lstm"][..]),
        ("tasks", &["iaf", "stdp", "stdp_complex"]),
        ("optimisers", &["es", "snes"]),
        ("worlds", &["cartpole", "mountain-car-f32", "acrobot", "lunar-lander", "lunar-lander-continuous-wind"]),
        ("assays", &["chemotaxis", "food-memory", "two-tasks", "orientation"]),
    ] {
        let shown = succeed(folder.path(), &format!("list {what}"));
        let rows = json(folder.path(), &format!("list {what} --json"));
        let rows = rows.as_array().unwrap();
        // Worlds and assays have a line above their columns.
        assert_eq!(shown.lines().count(), rows.len() + usize::from(["worlds", "assays"].contains(&what)));
        for name in names {
            assert!(shown.lines().any(|line| line.starts_with(&format!("{name} "))), "{name} in {shown}");
            assert!(rows.iter().any(|row| row["name"] == *name && row["summary"].is_string()), "{name} in {rows:?}");
        }
    }
}

#[test]
fn nobody_reading_is_no_failure() {
    use std::process::Stdio;
    for arguments in [&["list", "units"][..], &["list", "tasks", "--json"], &["completions", "zsh"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_phylon"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn check_prints_a_config_and_what_follows_from_it() {
    let folder = tiny();
    let shown = succeed(folder.path(), "check tiny.toml --set es.population=6");
    assert!(shown.contains("population = 6\nsigma = 0.01\n") && shown.contains("input_max = 0.11\n"), "{shown}");
    for (name, value) in [("parameters", "496"), ("population", "6"), ("environments", "2"), ("steps", "20")] {
        let row = shown.lines().find(|line| line.starts_with(&format!("# {name} "))).unwrap();
        assert_eq!(row.split_whitespace().nth(2), Some(value), "{row}");
    }
    assert!(shown.lines().any(|line| line.starts_with("# memory ") && line.contains(" KiB ")), "{shown}");
    assert!(!folder.path().join("runs").exists());

    // What it prints is a config that means the same.
    fs::write(folder.path().join("full.toml"), &shown).unwrap();
    assert_eq!(succeed(folder.path(), "check full.toml"), shown);
}

#[test]
fn check_json() {
    let folder = tiny();
    let checked = json(folder.path(), "check tiny.toml --set unit.enu.memory=32 --json");
    assert_eq!(checked["config"]["unit"]["enu"]["memory"], 32);
    let derived = &checked["derived"];
    // Equation (1) of the paper with its sizes.
    assert_eq!(derived["parameters"], 6656);
    assert_eq!(
        (&derived["population"], &derived["environments"], &derived["steps"]),
        (&4.into(), &2.into(), &20.into())
    );
    // Four offspring and the centre.
    assert_eq!(derived["env_steps"], 5 * 2 * 20);
    // Two operations a parameter and step, less the rows of the inputs that the task does not drive.
    let all = 2 * 6656 * 5 * 2 * 20;
    assert!((all / 2..all).contains(&derived["flops"].as_u64().unwrap()), "{derived}");
    assert!(derived["memory_bytes"].as_u64() > Some(4 * 6656));
}

#[test]
fn run_leaves_a_whole_folder() {
    let folder = tiny();
    let shown = succeed(folder.path(), "run tiny.toml");
    assert_eq!(shown, "run: runs/tiny  report: runs/tiny/report.html\n");
    let run = folder.path().join("runs/tiny");
    for file in ["config.toml", "metrics.csv", "fitness.f32", "checkpoint.safetensors", "report.html"] {
        assert!(run.join(file).metadata().unwrap().len() > 0, "{file}");
    }
    let metrics = fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert!(metrics.starts_with("generation,best,mean,std,centre,env_steps_per_s,seconds\n0,"), "{metrics}");
    assert_eq!(metrics.lines().count(), 3);
    assert_eq!(run.join("fitness.f32").metadata().unwrap().len(), 2 * 4 * 4, "generations x population x f32");
    succeed(folder.path(), "check runs/tiny/config.toml");

    fs::remove_file(run.join("report.html")).unwrap();
    assert_eq!(succeed(folder.path(), "report runs/tiny"), "runs/tiny/report.html\n");
    assert!(fs::read_to_string(run.join("report.html")).unwrap().contains("<svg"));
}

#[test]
fn quiet_is_quiet_and_verbose_logs_on_stderr() {
    let folder = tiny();
    let output = phylon(folder.path(), "run tiny.toml --quiet --no-report");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), "run: runs/tiny  report: none\n");
    assert!(!folder.path().join("runs/tiny/report.html").exists());
    let output = phylon(folder.path(), "-vv run tiny.toml --quiet --no-report --name loud");
    assert!(text(&output.stderr).contains("DEBUG"), "{}", text(&output.stderr));
}

#[test]
fn an_existing_run_is_not_overwritten() {
    let folder = ran();
    let path = folder.path().join("runs/tiny/fitness.f32");
    let before = fs::read(&path).unwrap();
    let stderr = fail(folder.path(), "run tiny.toml --set run.seed=2", 2);
    assert!(stderr.contains("runs/tiny") && stderr.contains("--resume") && stderr.contains("--force"), "{stderr}");
    assert_eq!(fs::read(&path).unwrap(), before);
    // Before anything that takes long, as a device may.
    let stderr = fail(folder.path(), "run tiny.toml --device cuda:99", 2);
    assert!(stderr.contains("exists already"), "{stderr}");

    succeed(folder.path(), "run tiny.toml --set run.seed=2 --quiet --no-report --name other");
    assert_eq!(fs::read(&path).unwrap(), before);
    let other = fs::read(folder.path().join("runs/other/fitness.f32")).unwrap();
    succeed(folder.path(), "run tiny.toml --set run.seed=2 --quiet --no-report --force");
    assert_eq!(fs::read(&path).unwrap(), other);
}

#[test]
fn force_spares_what_is_no_run_and_what_cannot_be_replaced() {
    let folder = tiny();
    let precious = folder.path().join("runs/tiny/thesis.txt");
    fs::create_dir_all(precious.parent().unwrap()).unwrap();
    fs::write(&precious, "years of work").unwrap();
    fail(folder.path(), "run tiny.toml --force", 2);
    assert_eq!(fs::read_to_string(&precious).unwrap(), "years of work");

    let folder = ran();
    let before = fs::read(folder.path().join("runs/tiny/fitness.f32")).unwrap();
    fail(folder.path(), "run tiny.toml --force --set es.population=1", 2);
    assert_eq!(fs::read(folder.path().join("runs/tiny/fitness.f32")).unwrap(), before);
}

#[test]
fn threads_do_not_change_the_bits() {
    let folder = tiny();
    for threads in ["1", "2", "5"] {
        let name = format!("with-{threads}");
        succeed(folder.path(), &format!("run tiny.toml --quiet --no-report --threads {threads} --name {name}"));
    }
    let fitness = |name: &str| fs::read(folder.path().join("runs").join(name).join("fitness.f32")).unwrap();
    assert_eq!(fitness("with-1"), fitness("with-2"));
    assert_eq!(fitness("with-1"), fitness("with-5"));
}

#[test]
fn a_resumed_run_is_the_straight_one() {
    let folder = ran();
    let shown = succeed(folder.path(), "run --resume runs/tiny --set run.generations=5 --quiet");
    assert_eq!(shown, "run: runs/tiny  report: runs/tiny/report.html\n");
    succeed(folder.path(), "run tiny.toml --set run.generations=5 --quiet --no-report --name straight");
    let read = |run: &str| fs::read(folder.path().join("runs").join(run).join("fitness.f32")).unwrap();
    assert_eq!(read("tiny").len(), 5 * 4 * 4);
    assert_eq!(read("tiny"), read("straight"));
    let replayed = |run: &str| succeed(folder.path(), &format!("replay runs/{run} --generation 5"));
    assert_eq!(replayed("tiny"), replayed("straight"));

    // Once more there is nothing left to do.
    succeed(folder.path(), "run --resume runs/tiny --quiet --no-report");
    assert_eq!(read("tiny"), read("straight"));
}

#[test]
fn resume_changes_only_the_length() {
    let folder = ran();
    for setting in ["es.sigma=1", "run.seed=2", "run.name=x", "unit.gru.memory=3"] {
        let stderr = fail(folder.path(), &format!("run --resume runs/tiny --set {setting}"), 2);
        assert!(stderr.starts_with(&format!("error: --set {setting}: ")), "{stderr}");
        assert!(stderr.contains("only run.generations and run.checkpoint_every may change"), "{stderr}");
    }
}

#[test]
fn a_run_starts_from_another_and_needs_it_no_more() {
    let folder = ran();
    let start = "run tiny.toml --quiet --no-report --start runs/tiny";
    succeed(folder.path(), &format!("{start} --name next --set task.iaf.steps=30 --set run.first_centres=9"));
    let centre = |run: &str, generation: u32| {
        let shown = succeed(folder.path(), &format!("replay runs/{run} --generation {generation}"));
        shown.lines().next().unwrap().split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(centre("next", 0), centre("tiny", 2));
    assert_ne!(centre("tiny", 0), centre("tiny", 2));
    fs::remove_dir_all(folder.path().join("runs/tiny")).unwrap();
    succeed(folder.path(), "run --resume runs/next --quiet --no-report --set run.generations=4");
    succeed(folder.path(), "run runs/next/config.toml --quiet --no-report --name again --set run.generations=4");
    assert_eq!(centre("next", 4), centre("again", 4));

    let other = fail(folder.path(), "run tiny.toml --set unit.enu.memory=5 --start runs/next", 2);
    assert!(other.contains("enu 16/4/16") && other.contains("enu 16/5/16") && other.contains("try: "), "{other}");
    let none = fail(folder.path(), "run tiny.toml --start runs/none", 2);
    assert!(none.contains("there is no such run folder"), "{none}");
    let both = fail(folder.path(), "check runs/next/config.toml --set run.first_centres=2", 2);
    assert!(both.contains("`run.first_centres`") && both.contains("run.start"), "{both}");
    for (start, why) in [("[1]", "1 numbers, and there are"), ("[nan]", "1 numbers")] {
        let stderr = fail(folder.path(), &format!("check tiny.toml --set run.start={start}"), 2);
        assert!(stderr.contains("`run.start`") && stderr.contains(why), "{stderr}");
    }
}

#[test]
fn replay_is_equal_to_the_checkpoint_to_the_last_bit() {
    let folder = ran();
    let at_end = succeed(folder.path(), "replay runs/tiny --generation 2 --out end.safetensors");
    assert!(at_end.ends_with("\nequal to the checkpoint to the last bit\n"), "{at_end}");
    let fingerprint = |shown: &str| shown.lines().next().unwrap().split_whitespace().last().unwrap().to_owned();
    let middle = succeed(folder.path(), "replay runs/tiny --generation 1");
    assert_eq!(middle.lines().count(), 1, "no checkpoint to compare with: {middle}");
    assert_eq!(fingerprint(&middle).len(), 16);
    assert_ne!(fingerprint(&middle), fingerprint(&at_end));

    let saved = fs::read(folder.path().join("end.safetensors")).unwrap();
    let saved = safetensors::SafeTensors::deserialize(&saved).unwrap();
    let checkpoint = fs::read(folder.path().join("runs/tiny/checkpoint.safetensors")).unwrap();
    let checkpoint = safetensors::SafeTensors::deserialize(&checkpoint).unwrap();
    assert_eq!(saved.tensor("parameters").unwrap().data(), checkpoint.tensor("centre").unwrap().data());

    fail(folder.path(), "replay runs/tiny --generation 3", 1);
}

#[test]
fn replay_of_an_altered_log_is_noticed() {
    let folder = ran();
    let log = folder.path().join("runs/tiny/fitness.f32");
    let good = fs::read(&log).unwrap();
    // At most one of two opposite rankings of the first generation's offspring can be the true one.
    let differs = [[0f32, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0, 0.0]].map(|first| {
        let record: Vec<u8> = first.iter().flat_map(|f| f.to_le_bytes()).chain(good[16..].iter().copied()).collect();
        fs::write(&log, record).unwrap();
        let output = phylon(folder.path(), "replay runs/tiny --generation 2");
        let different = text(&output.stdout).contains("NOT equal to the checkpoint");
        assert_eq!(output.status.code(), Some(i32::from(different)));
        different
    });
    assert!(differs.contains(&true));
}

#[test]
fn eval_on_fresh_episodes() {
    let folder = tiny();
    succeed(folder.path(), "run tiny.toml --quiet --no-report --set run.validate_every=1");
    let shown = succeed(folder.path(), "eval runs/tiny --episodes 100");
    assert!(shown.starts_with("fitness ") && shown.contains("95 % confidence interval"), "{shown}");
    assert!(shown.contains("; best centre (after "), "{shown}");

    let evaluated = json(folder.path(), "eval runs/tiny --episodes 100 --json");
    assert_eq!((&evaluated["run"], &evaluated["which"]), (&"tiny".into(), &"best".into()));
    assert_eq!((&evaluated["episodes"], &evaluated["seed"]), (&100.into(), &1.into()));
    let (low, mean) = (evaluated["ci95"][0].as_f64().unwrap(), evaluated["mean"].as_f64().unwrap());
    assert!(low <= mean && mean <= evaluated["ci95"][1].as_f64().unwrap(), "{evaluated}");
    assert!(evaluated["sd"].as_f64().unwrap() >= 0.0);

    assert_eq!(json(folder.path(), "eval runs/tiny --episodes 100 --json"), evaluated);
    assert_ne!(json(folder.path(), "eval runs/tiny --episodes 100 --seed 2 --json")["mean"], evaluated["mean"]);
    let last = json(folder.path(), "eval runs/tiny --episodes 100 --which last --json");
    assert_eq!((&last["which"], &last["generation"]), (&"last".into(), &2.into()));
}

#[test]
fn eval_of_a_run_without_a_best_centre_says_what_it_takes() {
    // Too short a run for its first validation.
    let folder = ran();
    let shown = succeed(folder.path(), "eval runs/tiny --episodes 10");
    assert!(shown.ends_with("; last centre (after 2 generations), for there is no best one yet\n"), "{shown}");
    assert_eq!(json(folder.path(), "eval runs/tiny --episodes 10 --json")["which"], "last");
    assert!(
        succeed(folder.path(), "eval runs/tiny --episodes 10 --which last")
            .ends_with("; last centre (after 2 generations)\n")
    );
    let refused = fail(folder.path(), "eval runs/tiny --episodes 10 --which best", 1);
    assert!(refused.contains("no best centre") && refused.contains("try: --which last"), "{refused}");
}

#[test]
fn what_is_for_mazes_is_refused_where_there_is_none() {
    let folder = ran();
    for flag in ["--no-reward-signal", "--freeze-synapses", "--no-noise", "--dark"] {
        let stderr = fail(folder.path(), &format!("eval runs/tiny {flag}"), 2);
        assert_eq!(
            stderr,
            format!("error: {flag}: runs/tiny has no maze: its task is for a single unit; try: without {flag}\n")
        );
    }
    assert_eq!(json(folder.path(), "eval runs/tiny --json")["episodes"], 10_000);
    let stderr = fail(folder.path(), "render runs/tiny", 2);
    assert!(stderr.starts_with("error: cannot render runs/tiny: its task is no maze"), "{stderr}");
}

#[test]
fn completions_for_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = succeed(folder.path(), &format!("completions {shell}"));
        assert!(script.contains("phylon") && script.contains("replay"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn interrupted_leaves_with_130_and_can_go_on() {
    let folder = tiny();
    let mut child = Command::new(env!("CARGO_BIN_EXE_phylon"))
        .args("run tiny.toml --quiet --set run.generations=4000000000 --set run.checkpoint_every=1".split(' '))
        .current_dir(folder.path())
        .spawn()
        .unwrap();
    // The second checkpoint shows that generations are running and signals are listened to.
    while !folder.path().join("runs/tiny/checkpoint.previous.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let last = json(folder.path(), "eval runs/tiny --episodes 10 --which last --json");
    let more = last["generation"].as_u64().unwrap() + 2;
    succeed(folder.path(), &format!("run --resume runs/tiny --quiet --no-report --set run.generations={more}"));
    let replayed = succeed(folder.path(), &format!("replay runs/tiny --generation {more}"));
    assert!(replayed.ends_with("equal to the checkpoint to the last bit\n"), "{replayed}");
}

#[test]
fn list_devices_says_what_there_is_and_why_the_rest_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let shown = succeed(folder.path(), "list devices");
    let devices = json(folder.path(), "list devices --json");
    assert!(shown.starts_with("cpu ") && devices["cpu"].is_string(), "{shown}");
    let cuda = devices["cuda"].as_array().unwrap();
    assert_eq!(cuda.is_empty(), devices["cuda_unavailable"].is_string());
    assert_eq!(cuda.is_empty(), shown.contains("cuda     not available: "), "{shown}");
    assert_eq!(devices["kernels"].as_array().unwrap().is_empty(), shown.contains("kernels  none: "), "{shown}");
}

#[test]
fn a_device_that_is_not_there_is_an_error_and_auto_says_what_it_took() {
    let folder = tiny();
    let stderr = fail(folder.path(), "run tiny.toml --device cuda:77", 3);
    assert!(!stderr.contains("panicked") && stderr.starts_with("error: "), "{stderr}");
    assert!(!folder.path().join("runs").exists());
    let stderr = fail(folder.path(), "run tiny.toml --device gpu", 2);
    assert!(stderr.contains("not auto, cpu, cuda, cuda:<number>"), "{stderr}");
    let output = phylon(folder.path(), "run tiny.toml --no-report");
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("cuda:0, ") || stderr.contains("cpu, ") && stderr.contains("CUDA is not used: "),
        "{stderr}"
    );
}

#[test]
fn fast_numerics_are_refused_on_the_cpu() {
    let folder = tiny();
    let stderr = fail(folder.path(), "run tiny.toml --device cpu --set run.numerics=fast", 2);
    assert!(stderr.contains("run.numerics") && stderr.contains("--device cuda"), "{stderr}");
    let stderr = fail(folder.path(), "check tiny.toml --set run.numerics=fat", 2);
    assert!(stderr.contains("exact") && stderr.contains("fast") && stderr.contains("check"), "{stderr}");
}

#[test]
fn profile_prints_a_table_and_json() {
    let folder = tiny();
    let shown = succeed(folder.path(), "profile tiny.toml --device cpu");
    for part in ["rollout ", "update ", "validation ", "ceilings: copy "] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let profile = json(folder.path(), "profile tiny.toml --device cpu --json");
    let shares: f64 = profile["parts"].as_array().unwrap().iter().map(|part| part["share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{profile}");
    assert!(profile["ceilings"]["f32_flops"].as_f64().unwrap() > 1e9, "{profile}");
    fail(folder.path(), "profile tiny.toml --device cpu --trials 2", 2);
}

#[cfg(feature = "emu")]
mod emulated {
    use super::*;

    #[test]
    fn a_run_on_the_device_leaves_the_files_of_the_cpu() {
        let folder = tiny();
        succeed(folder.path(), "run tiny.toml --quiet --no-report --device cpu --name cpu --set run.generations=5");
        succeed(folder.path(), "run tiny.toml --quiet --no-report --device emu --name emu --set run.generations=5");
        for file in ["fitness.f32", "best.safetensors"] {
            let [cpu, emu] = ["cpu", "emu"].map(|run| fs::read(folder.path().join("runs").join(run).join(file)).ok());
            assert!(cpu == emu, "{file} differs");
        }
        let replayed = succeed(folder.path(), "replay runs/cpu --generation 5 --device emu");
        assert!(replayed.contains("equal to the checkpoint to the last bit"), "{replayed}");
    }

    #[test]
    fn profile_times_every_kernel() {
        let folder = tiny();
        let profile = json(folder.path(), "profile tiny.toml --device emu --trials 2 --json");
        let names: Vec<_> =
            profile["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["draw_iaf", "rollout_exact_enu_iaf_8", "mean_fitness", "rank", "update", "validation"]);
        assert!(profile["idle_seconds"].as_f64().unwrap() >= 0.0, "{profile}");
    }

    #[test]
    fn check_mode_logs_fast_and_exact() {
        let folder = tiny();
        let arguments = "run tiny.toml -v --no-report --device emu --set run.numerics=check --set run.validate_every=1";
        let stderr = text(&phylon(folder.path(), arguments).stderr);
        let logged: Vec<_> = stderr.lines().filter(|line| line.contains("fast=") && line.contains("exact=")).collect();
        assert_eq!(logged.len(), 2, "{stderr}");
    }

    #[test]
    fn kernels_from_a_file_that_is_not_there_are_an_error() {
        let folder = tiny();
        let stderr = fail(folder.path(), "run tiny.toml --device emu --kernels none.fatbin", 1);
        assert!(stderr.contains("none.fatbin"), "{stderr}");
    }
}

#[test]
fn rollouts_print_the_returns_of_an_exact_world() {
    let folder = tempfile::tempdir().unwrap();
    let command = "rollout --env cartpole --episodes 300 --device cpu";
    let shown = succeed(folder.path(), command);
    for part in ["cartpole, random: return ", "95 % confidence interval", "percentiles", "300 of seed 1", "env-steps/s"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let answer = json(folder.path(), &format!("{command} --json --returns --threads 1"));
    let (returns, lengths) = (answer["returns"].as_array().unwrap(), answer["lengths"].as_array().unwrap());
    assert_eq!((returns.len(), lengths.len()), (300, 300));
    assert!(returns.iter().zip(lengths).all(|(reward, length)| reward.as_f64() == length.as_f64()));
    assert_eq!(answer["terminated"].as_u64().unwrap() + answer["truncated"].as_u64().unwrap(), 300);
    assert!((answer["steps"].as_f64().unwrap() / 300.0 - answer["mean"].as_f64().unwrap()).abs() < 1e-9);
    assert!(answer["percentiles"]["50"].as_f64().unwrap() > 10.0);

    // The first of many is the one alone, on any number of threads; Gymnasium's episode 5 is the first from 5 on.
    let again = json(folder.path(), "rollout --env CartPole-v1 --episodes 4 --device cpu --json --returns --threads 2");
    assert_eq!(again["returns"].as_array().unwrap()[..], returns[..4]);
    let seeds = |option: &str, episodes: u32| {
        let command = format!(
            "rollout --env acrobot --policy p.npz --episodes {episodes} {option} --json --returns --device cpu"
        );
        json(folder.path(), &command)["returns"].clone()
    };
    fs::copy("tests/golden/envs/policy_acrobot.npz", folder.path().join("p.npz")).unwrap();
    assert_eq!(seeds("--gymnasium-seeds", 6)[5], seeds("--gymnasium-seeds=5", 1)[0]);
    assert_ne!(seeds("--gymnasium-seeds", 6), seeds("--seed 2", 6));
}

#[test]
fn rollouts_refuse_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = fail(folder.path(), "rollout --env lunar-landr", 2);
    assert!(wrong.contains("there is no world `lunar-landr`") && wrong.contains("try: `lunar-lander`"), "{wrong}");
    fs::copy("tests/golden/envs/policy_cartpole_weak.npz", folder.path().join("p.npz")).unwrap();
    let wrong = fail(folder.path(), "rollout --env lunar-lander --policy p.npz", 1);
    assert!(wrong.contains("W1 is [4, 2], but lunar-lander has 8 observations"), "{wrong}");
    let wrong = fail(folder.path(), "rollout --env mountain-car --policy missing.npz", 1);
    assert!(wrong.contains("cannot read missing.npz"), "{wrong}");

    let mut policy = Mlp::new(&[2, 3, 3], Activation::Relu);
    policy.parameters_mut()[4] = f32::NAN;
    policy.write(&folder.path().join("nan.npz")).unwrap();
    let wrong = fail(folder.path(), "rollout --env mountain-car --policy nan.npz", 1);
    assert!(wrong.contains("W1") && wrong.contains("NaN"), "{wrong}");
}

#[test]
fn a_rollout_is_shown_as_a_gif() {
    let folder = tempfile::tempdir().unwrap();
    for world in ["cartpole", "mountain-car", "acrobot", "lunar-lander"] {
        succeed(
            folder.path(),
            &format!("rollout --env {world} --episodes 1 --render film.gif --episode 2 --device cpu"),
        );
        let film = fs::read(folder.path().join("film.gif")).unwrap();
        assert!(film.starts_with(b"GIF89a") && film.len() > 2000, "{world}: {} bytes", film.len());
    }
}

//! One run over several processes of `mpirun` and several devices, with the real program: for any number of them it
//! must end in the bits of one process, and where one of them fails all must end.
//!
//! Without the feature `mpi`, or without `mpirun`, the tests that need them say so and pass; with PHYLON_MPI=require
//! they fail.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use phylon::run::Folder;
use program::{fail, succeed, text};
use tempfile::TempDir;

mod program;

const PROGRAM: &str = env!("CARGO_BIN_EXE_phylon");

/// 37 offspring and the centre: two ranks and devices get 19 players, three get 12 and 13.
const IAF: &str = "
format = 1
[run]
name = 'iaf'
generations = 12
seed = 5
checkpoint_every = 5
validate_every = 4
validation_episodes = 40
[unit.enu]
inputs = 2
memory = 4
outputs = 2
[task.iaf]
environments = 16
steps = 30
[es]
population = 37
antithetic = false
sigma = 0.5
[es.adam]
";

/// Agents that die early, so that the steps of the ranks differ.
const MAZE: &str = "
format = 1
[run]
name = 'maze'
generations = 4
checkpoint_every = 3
validate_every = 2
validation_episodes = 5
[unit.gru]
inputs = 6
memory = 5
outputs = 6
initial_scale = 3.0
[network]
neurons = 3
synapses = 4
random.seed = 2
[task.t_maze]
environments = 5
actions = 16
ticks_per_action = 2
energy = 12
[snes]
sigma = 0.5
population = 11
";

/// A folder of its own for one test.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for (name, config) in [("iaf.toml", IAF), ("maze.toml", MAZE)] {
        fs::write(place.path().join(name), config).unwrap();
    }
    place
}

/// Whether `mpirun` can start this program.
fn have_mpi() -> bool {
    let lacks = if !cfg!(feature = "mpi") {
        "the feature `mpi`"
    } else if Command::new("mpirun").arg("--version").output().is_err() {
        "mpirun"
    } else {
        return true;
    };
    let required = std::env::var("PHYLON_MPI").is_ok_and(|wish| wish == "require");
    assert!(!required, "the tests of ranks need {lacks}");
    eprintln!("not tested: this needs {lacks}");
    false
}

/// `mpirun` with more ranks than there may be cores, also as root, as in a container.
fn mpirun(folder: &Path, ranks: usize) -> Command {
    let mut command = Command::new("mpirun");
    command.args(["-n", &ranks.to_string()]).current_dir(folder).stdin(Stdio::null());
    for (name, value) in [
        ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
        ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
        ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
        ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
    ] {
        command.env(name, value);
    }
    command
}

/// `phylon` on so many ranks; `arguments` are separated by blanks.
fn ranks(folder: &Path, ranks: usize, arguments: &str) -> Output {
    mpirun(folder, ranks).arg(PROGRAM).args(arguments.split_whitespace()).output().unwrap()
}

fn ended_well(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

/// All that a run leaves but its times.
fn outcome(run: &Path) -> Vec<Vec<u8>> {
    let rows = Folder::open(run).unwrap().metrics().unwrap();
    let names = ["config.toml", "fitness.f32", "checkpoint.safetensors", "best.safetensors"];
    let mut files: Vec<_> = names.map(|name| fs::read(run.join(name)).unwrap()).into();
    let values = rows.iter().flat_map(|r| [r.generation as f32, r.best, r.mean, r.std, r.centre]);
    files.push(values.flat_map(f32::to_le_bytes).collect());
    files
}

fn assert_same(place: &TempDir, one: &str, other: &str) {
    let [one, other] = [one, other].map(|run| outcome(&place.path().join(run)));
    assert!(
        one == other,
        "files that are alike: {:?}",
        one.iter().zip(&other).map(|(a, b)| a == b).collect::<Vec<_>>()
    );
}

/// Start ranks that would run for long, and wait until they have done some generations.
fn start(place: &TempDir, size: usize, arguments: &str) -> Child {
    let mut command = mpirun(place.path(), size);
    command.arg(PROGRAM).args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let metrics = place.path().join("runs/iaf/metrics.csv");
    while fs::read_to_string(&metrics).unwrap_or_default().lines().count() < 10 {
        assert!(child.try_wait().unwrap().is_none(), "mpirun has ended");
        sleep(Duration::from_millis(1));
    }
    child
}

/// The processes of this program that `mpirun` has started, in the order of their ranks.
fn processes(mpirun: &Child) -> Vec<String> {
    let id = mpirun.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    children.split_whitespace().map(str::to_owned).collect()
}

fn signal(name: &str, process: &str) {
    assert!(Command::new("kill").args([name, process]).status().unwrap().success());
}

#[test]
fn any_number_of_ranks_ends_in_the_bits_of_one() {
    if !have_mpi() {
        return;
    }
    let place = place();
    for config in ["iaf", "maze"] {
        let arguments = format!("run {config}.toml --no-report --quiet --device cpu");
        succeed(place.path(), &arguments);
        for size in [2, 3] {
            ended_well(&ranks(place.path(), size, &format!("{arguments} --runs-dir runs{size} --threads 1")));
            assert_same(&place, &format!("runs/{config}"), &format!("runs{size}/{config}"));
        }
    }
}

#[test]
fn only_fitness_travels_and_one_rank_speaks() {
    if !have_mpi() {
        return;
    }
    let place = place();
    let output = ranks(place.path(), 3, "-v run iaf.toml --no-report --device cpu");
    ended_well(&output);
    assert_eq!(text(&output.stdout), "run: runs/iaf  report: none\n");
    let said = text(&output.stderr);
    assert_eq!(said.matches("generations 0 to 12, 3 ranks").count(), 1, "{said}");
    // The first of 38 players' slices has 12, of four bytes. Ranks meet for the config, twice to share, for the state,
    // twice a generation, and at the end. No state is told where the run is new.
    let config = fs::metadata(place.path().join("runs/iaf/config.toml")).unwrap().len();
    let told = format!(
        "told the other ranks generations=12 fitness_bytes={} meetings={} other_bytes={config}",
        12 * 12 * 4,
        4 + 2 * 12 + 1
    );
    assert!(said.contains(&told), "{said}");
}

#[test]
fn stopped_on_three_ranks_and_resumed_on_two_and_on_one_ends_like_straight() {
    if !have_mpi() {
        return;
    }
    let place = place();
    let long = "run iaf.toml --no-report --quiet --device cpu --threads 1 --set run.generations=1000000";
    let mut child = start(&place, 3, long);
    // Any rank may get the signal.
    signal("-TERM", processes(&child).last().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let done = Folder::open(&place.path().join("runs/iaf")).unwrap().metrics().unwrap().len();

    let go_on =
        |more: usize| format!("run --resume runs/iaf --no-report --device cpu --set run.generations={}", done + more);
    let output = ranks(place.path(), 2, &go_on(5));
    ended_well(&output);
    assert!(text(&output.stderr).contains(&format!("generations {done} to {}, 2 ranks", done + 5)));
    succeed(place.path(), &go_on(9));
    let straight = format!("run iaf.toml --no-report --quiet --runs-dir straight --set run.generations={}", done + 9);
    succeed(place.path(), &straight);
    assert_same(&place, "straight/iaf", "runs/iaf");
}

#[test]
fn a_killed_rank_ends_all_and_the_run_can_be_resumed() {
    if !have_mpi() {
        return;
    }
    let place = place();
    let mut child = start(&place, 2, "run iaf.toml --no-report --quiet --device cpu --set run.generations=1000000");
    let processes = processes(&child);
    signal("-KILL", processes.last().unwrap());
    assert!(!child.wait().unwrap().success());
    // Killed by mpirun, which does not wait for that; who then reaps them is another matter.
    let lives =
        |process: &String| fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    let patience = Instant::now() + Duration::from_secs(60);
    while processes.iter().any(lives) {
        assert!(Instant::now() < patience, "a rank goes on without the others");
        sleep(Duration::from_millis(10));
    }

    let checkpoint = place.path().join("runs/iaf/checkpoint.safetensors");
    let done = phylon::run::checkpoint::read(&checkpoint).unwrap().state.generation + 7;
    succeed(place.path(), &format!("run --resume runs/iaf --no-report --quiet --set run.generations={done}"));
    succeed(
        place.path(),
        &format!("run iaf.toml --no-report --quiet --runs-dir straight --set run.generations={done}"),
    );
    assert_same(&place, "straight/iaf", "runs/iaf");
}

#[test]
fn the_failure_of_a_rank_is_told_once_and_ends_all() {
    if !have_mpi() {
        return;
    }
    let place = place();
    let failed = |output: Output, code: i32, message: &str| {
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.matches("error: ").count(), 1, "{said}");
        assert!(said.contains(message), "{said}");
        assert_eq!(text(&output.stdout), "");
    };
    // Of the first rank: nothing to read; a folder that is there already.
    failed(ranks(place.path(), 2, "run absent.toml"), 2, "error: cannot read the config absent.toml");
    fs::create_dir_all(place.path().join("runs/iaf")).unwrap();
    failed(ranks(place.path(), 2, "run iaf.toml --device cpu"), 2, "runs/iaf exists already");
    // Of another alone.
    let one_without = format!(
        "test $OMPI_COMM_WORLD_RANK = 1 && device=cuda:99 || device=cpu; exec {PROGRAM} run \
                               iaf.toml --name other --device $device"
    );
    let output = mpirun(place.path(), 2).args(["sh", "-c", &one_without]).output().unwrap();
    failed(output, 3, "error: rank 1: ");
    assert!(!place.path().join("runs/other").exists());
    // Of all of them.
    let message = "4 ranks are more than there is to play: 2 offspring and their centre";
    failed(ranks(place.path(), 4, "run iaf.toml --name few --device cpu --set es.population=2"), 2, message);
    // In the middle, where the disk of the first is full. A limit on the size of files stands in for that.
    let full = format!(
        "trap '' XFSZ; ulimit -f 20; exec {PROGRAM} run iaf.toml --name full --device cpu --quiet \
                        --set run.generations=1000000"
    );
    failed(mpirun(place.path(), 3).args(["sh", "-c", &full]).output().unwrap(), 1, "fitness.f32");
    succeed(place.path(), "run --resume runs/full --no-report --quiet --set run.generations=500");
}

#[test]
fn a_program_that_cannot_talk_to_the_others_is_not_run_several_times() {
    let place = place();
    let started = |rank: &str, arguments: &str| {
        let mut command = Command::new(PROGRAM);
        command.args(arguments.split_whitespace()).current_dir(&place);
        command.env("SLURM_STEP_NUM_TASKS", "2").env("SLURM_PROCID", rank).output().unwrap()
    };
    let run = "run iaf.toml --no-report --quiet --device cpu";
    let first = started("0", run);
    let said = text(&first.stderr);
    assert_eq!(first.status.code(), Some(2), "{said}");
    assert!(said.contains("error: srun started 2 processes, and ") && said.contains("try: "), "{said}");
    let second = started("1", run);
    assert_eq!(
        (second.status.code(), text(&second.stderr), text(&second.stdout)),
        (Some(0), String::new(), String::new())
    );
    assert!(!place.path().join("runs").exists());

    ended_well(&started("1", &format!("{run} --alone")));
    assert!(place.path().join("runs/iaf/checkpoint.safetensors").exists());
}

#[test]
fn a_search_of_a_column_is_one_process() {
    if !have_mpi() {
        return;
    }
    let place = place();
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/column-structure.toml");
    let output = ranks(place.path(), 2, &format!("run {config}"));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is a search, which runs in one process"));
}

#[test]
fn devices_that_nobody_can_mean_are_refused() {
    for (devices, why) in [("cuda:0,cuda:0", "cuda:0 is there twice"), ("cuda:0,cpu", "not cuda, cuda:all or")] {
        let said = fail(place().path(), &format!("run iaf.toml --device {devices}"), 2);
        assert!(said.contains(why), "{said}");
    }
}

/// The stand-in driver with two devices, whose memories are apart.
#[cfg(feature = "emu")]
mod devices {
    use super::*;

    fn on_two(mut command: Command, arguments: &str) -> Output {
        command.args(arguments.split_whitespace()).env("PHYLON_EMU_DEVICES", "2").output().unwrap()
    }

    fn alone(place: &TempDir) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(place);
        command
    }

    #[test]
    fn several_devices_end_in_the_bits_of_the_cpu() {
        let place = place();
        for config in ["iaf", "maze"] {
            let arguments = format!("run {config}.toml --no-report --quiet");
            succeed(place.path(), &format!("{arguments} --device cpu"));
            for (folder, devices) in [("two", "emu:0,emu:1"), ("all", "emu:all")] {
                let arguments = format!("{arguments} --runs-dir {folder} --device {devices}");
                ended_well(&on_two(alone(&place), &arguments));
                assert_same(&place, &format!("runs/{config}"), &format!("{folder}/{config}"));
            }
        }
        // The same fitness leads to the same parameters, and a run goes on on other devices.
        ended_well(&on_two(alone(&place), "replay two/iaf --generation 12 --device emu:1,emu:0"));
        let go_on = "--no-report --quiet --set run.generations=15";
        ended_well(&on_two(alone(&place), &format!("run --resume two/iaf --device emu:all {go_on}")));
        succeed(place.path(), &format!("run --resume runs/iaf --device cpu {go_on}"));
        assert_same(&place, "runs/iaf", "two/iaf");
    }

    #[test]
    fn ranks_take_a_device_each_or_several() {
        if !have_mpi() {
            return;
        }
        let place = place();
        let run = "run iaf.toml --no-report --set run.generations=6";
        succeed(place.path(), &format!("{run} --device cpu"));
        for (folder, size, devices) in [("each", 2, "emu"), ("both", 2, "emu:all")] {
            let mut command = mpirun(place.path(), size);
            command.arg(PROGRAM);
            let output = on_two(command, &format!("{run} --runs-dir {folder} --device {devices}"));
            ended_well(&output);
            assert_same(&place, "runs/iaf", &format!("{folder}/iaf"));
        }
    }

    #[test]
    fn devices_that_are_not_there_or_not_wanted_are_named() {
        let place = place();
        let said = fail(place.path(), "run iaf.toml --device emu:0,emu:1", 3);
        assert!(said.contains("there is no device 1"), "{said}");
        let output = on_two(alone(&place), "rollout --env cartpole --episodes 2 --device emu:all");
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("2 devices and this takes one"));
    }
}

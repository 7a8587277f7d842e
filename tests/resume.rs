//! Runs that are killed, asked to stop, damaged or out of disk, and resumed, with the real program: they must end in
//! the bits of a run that nothing happened to.
#![cfg(unix)]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::Duration;

use phylon::run::{Folder, checkpoint};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_phylon");
const POPULATION: usize = 128;
const GENERATIONS: usize = 400;
/// Long enough that a run is still going when a test that waited for its first rows kills it.
const CONFIG: &str = "
format = 1
[run]
name = 'x'
generations = 400
seed = 5
checkpoint_every = 7
[unit.enu]
inputs = 2
memory = 4
outputs = 2
[task.iaf]
environments = 16
steps = 50
[es]
population = 128
";

/// A folder of its own for one test, with the config and the run `runs/x` in it.
struct Place(TempDir);

/// Everything about a finished run that must not depend on what happened on the way.
#[derive(PartialEq)]
struct Outcome {
    files: Vec<(&'static str, Vec<u8>)>,
    /// Generation, and bits of best, mean, std and centre.
    rows: Vec<(u32, [u32; 4])>,
}

/// The run that nothing happens to, on one thread.
static STRAIGHT: LazyLock<Outcome> = LazyLock::new(|| {
    let place = Place::new();
    place.succeed(&["run", "config.toml", "--quiet", "--threads", "1"]);
    place.outcome()
});

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.0.path().join("config.toml"), CONFIG).unwrap();
        place
    }

    /// A path in the run folder.
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("runs/x").join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> Output {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        output
    }

    fn resume(&self) -> Output {
        self.succeed(&["run", "--resume", "runs/x", "--quiet"])
    }

    /// Whole rows of metrics.csv; 0 before there is one.
    fn rows(&self) -> usize {
        let text = fs::read_to_string(self.path("metrics.csv")).unwrap_or_default();
        text.matches('\n').count().saturating_sub(1)
    }

    /// Start the program and wait until the run has this many rows.
    fn start_and_wait(&self, arguments: &[&str], rows: usize) -> Child {
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while self.rows() < rows {
            assert!(child.try_wait().unwrap().is_none(), "{arguments:?} ended at {} rows", self.rows());
            sleep(Duration::from_millis(1));
        }
        child
    }

    fn kill_at(&self, arguments: &[&str], rows: usize) {
        let mut child = self.start_and_wait(arguments, rows);
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9), "the run ended before it could be killed");
    }

    fn outcome(&self) -> Outcome {
        let names = ["config.toml", "fitness.f32", "checkpoint.safetensors", "best.safetensors"];
        let rows = Folder::open(&self.path("")).unwrap().metrics().unwrap();
        Outcome {
            files: names.map(|name| (name, fs::read(self.path(name)).unwrap())).into(),
            rows: rows.iter().map(|r| (r.generation, [r.best, r.mean, r.std, r.centre].map(f32::to_bits))).collect(),
        }
    }

    fn assert_like_straight(&self) {
        let outcome = self.outcome();
        for (here, there) in outcome.files.iter().zip(&STRAIGHT.files) {
            assert!(here == there, "{} differs", here.0);
        }
        assert!(outcome.rows == STRAIGHT.rows, "metrics.csv differs");
        assert_eq!(outcome.rows.len(), GENERATIONS);
        assert_eq!(outcome.files[1].1.len(), GENERATIONS * POPULATION * 4);
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn generation_of(checkpoint: &Path) -> usize {
    checkpoint::read(checkpoint).unwrap().state.generation as usize
}

#[test]
fn killed_twice_and_resumed_ends_like_straight() {
    let place = Place::new();
    place.kill_at(&["run", "config.toml", "--quiet", "--threads", "2"], 3);
    place.kill_at(&["run", "--resume", "runs/x", "--quiet"], 40);
    place.resume();
    place.assert_like_straight();
}

#[test]
fn half_the_run_killed_and_resumed_to_the_whole_ends_like_straight() {
    let place = Place::new();
    place.kill_at(&["run", "config.toml", "--quiet", "--set", "run.generations=200"], 50);
    place.resume();
    assert_eq!(place.rows(), 200);
    place.succeed(&["run", "--resume", "runs/x", "--quiet", "--set", "run.generations=400"]);
    place.assert_like_straight();
}

#[test]
fn sigterm_leaves_a_checkpoint_of_the_last_generation() {
    let place = Place::new();
    let mut child = place.start_and_wait(&["run", "config.toml", "--quiet"], 4);
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));

    let rows = place.rows();
    assert!(rows < GENERATIONS);
    assert_eq!(generation_of(&place.path("checkpoint.safetensors")), rows);
    assert_eq!(fs::metadata(place.path("fitness.f32")).unwrap().len(), (rows * POPULATION * 4) as u64);
    place.resume();
    place.assert_like_straight();
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_previous_one_with_a_warning() {
    let place = Place::new();
    place.kill_at(&["run", "config.toml", "--quiet"], 30);
    let path = place.path("checkpoint.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    let output = place.resume();
    assert!(stderr(&output).contains("checkpoint.previous.safetensors"), "{}", stderr(&output));
    place.assert_like_straight();
}

#[test]
fn no_room_for_the_logs_stops_the_run_and_leaves_a_good_checkpoint() {
    let place = Place::new();
    // A limit on the size of files stands in for a full disk: 48 units of 512 or 1024 bytes, reached by fitness.f32
    // after 48 or 96 generations. Ignoring the signal turns it into a failing write.
    let script = format!("trap '' XFSZ; ulimit -f 48; exec '{PROGRAM}' run config.toml --quiet");
    let output = Command::new("sh").args(["-c", &script]).current_dir(&place.0).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("fitness.f32"), "{}", stderr(&output));
    let generation = generation_of(&place.path("checkpoint.safetensors"));
    assert!(generation > 0 && generation < GENERATIONS, "{generation}");
    place.resume();
    place.assert_like_straight();
}

#[test]
fn a_second_writer_is_turned_away() {
    let place = Place::new();
    let mut child = place.start_and_wait(&["run", "config.toml", "--quiet"], 1);
    let second = place.output(&["run", "--resume", "runs/x", "--quiet"]);
    let forced = place.output(&["run", "config.toml", "--force", "--quiet"]);
    assert!(child.wait().unwrap().success());
    for output in [second, forced] {
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("another process"), "{}", stderr(&output));
    }
    place.assert_like_straight();
}

#[test]
fn replay_gives_the_parameters_of_the_checkpoints() {
    let place = Place::new();
    place.kill_at(&["run", "config.toml", "--quiet"], 30);
    for name in ["checkpoint.safetensors", "checkpoint.previous.safetensors"] {
        let saved = checkpoint::read(&place.path(name)).unwrap().state;
        let generation = saved.generation.to_string();
        place.succeed(&["replay", "runs/x", "--generation", &generation, "--out", "runs/x/out.safetensors"]);
        let bytes = fs::read(place.path("out.safetensors")).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let expected: Vec<u8> = saved.centre.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(tensors.tensor("parameters").unwrap().data(), expected);
    }
}

/// The emulated device is slow, so it does the beginning.
#[cfg(feature = "emu")]
#[test]
fn killed_on_one_backend_and_resumed_on_another_ends_like_straight() {
    let place = Place::new();
    place.kill_at(&["run", "config.toml", "--quiet", "--device", "emu"], 10);
    place.kill_at(&["run", "--resume", "runs/x", "--quiet", "--device", "cpu"], 60);
    place.kill_at(&["run", "--resume", "runs/x", "--quiet", "--device", "emu"], 75);
    place.succeed(&["run", "--resume", "runs/x", "--quiet", "--device", "cpu"]);
    place.assert_like_straight();
}

/// docs/results/mazes.md says how to go on with it: what is written there must stay true when configs get new keys.
#[test]
fn the_run_that_is_kept_can_be_gone_on_with() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results/enu-tmaze-paper");
    let folder = Folder::open(&path).expect("a run folder");
    let plan = phylon::config::load(&folder.config_path(), &[]).expect("a config");
    let state = folder.checkpoint(&plan).expect("a checkpoint of this config");
    assert_eq!((state.generation, state.centre.len()), (5100, plan.parameters()));
}

//! The promises of a run folder, with a fake engine; `tests/resume.rs` makes the same demands of the real program.

use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::fake::{Fake, plan};
use super::*;

fn quiet() -> Options {
    Options { quiet: true, ..Options::default() }
}

/// Bring a fresh engine to where the run stopped.
fn resume(plan: &Plan, engine: &mut Fake, folder: &Folder) -> Result<()> {
    stopped(plan, folder)?.map_or(Ok(()), |state| engine.restore(&state))
}

/// Evolve in `root/x` from where it stands, as `phylon run` and `phylon run --resume` do.
fn go(root: &Path, plan: &Plan, engine: &mut Fake) -> Result<Ended> {
    let path = root.join("x");
    let folder = if path.exists() { Folder::open(&path)? } else { Folder::create(root, plan, false)? };
    resume(plan, engine, &folder)?;
    evolve_until(plan, engine, &folder, &quiet(), &|| Ok(false))
}

fn go_fresh(root: &Path, plan: &Plan) -> Result<Ended> {
    go(root, plan, &mut Fake::new(plan))
}

/// Evolve until the process "is killed" when it comes to `generation`.
fn go_and_die(root: &Path, plan: &Plan, generation: u32) {
    let mut engine = Fake::new(plan);
    engine.dies_at = Some(generation);
    assert!(catch_unwind(AssertUnwindSafe(|| go(root, plan, &mut engine))).is_err());
}

fn finished(plan: &Plan) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(go_fresh(root.path(), plan).unwrap(), Ended::Finished);
    root
}

fn file(root: &TempDir, name: &str) -> std::path::PathBuf {
    root.path().join("x").join(name)
}

fn assert_same_run(left: &TempDir, right: &TempDir) {
    for name in ["config.toml", "fitness.f32", "checkpoint.safetensors", "best.safetensors"] {
        assert!(fs::read(file(left, name)).unwrap() == fs::read(file(right, name)).unwrap(), "{name} differs");
    }
    let rows = |root: &TempDir| -> Vec<_> {
        let rows = Folder::open(&root.path().join("x")).unwrap().metrics().unwrap();
        assert!(rows.is_sorted_by(|a, b| a.seconds <= b.seconds));
        rows.iter().map(|r| (r.generation, [r.best, r.mean, r.std, r.centre].map(f32::to_bits))).collect()
    };
    assert_eq!(rows(left), rows(right));
}

#[test]
fn a_run_leaves_its_files() {
    let plan = plan(1, 12, 5);
    let root = finished(&plan);
    let folder = Folder::open(&root.path().join("x")).unwrap();
    assert_eq!(fs::read_to_string(folder.config_path()).unwrap(), config::to_toml(&plan.config));
    assert_eq!(folder.metrics().unwrap().len(), 12);
    assert_eq!(fs::metadata(file(&root, "fitness.f32")).unwrap().len(), 12 * 6 * 4);
    assert!(folder.fitness(1, 6).unwrap()[2].is_nan());
    assert!(folder.fitness(12, 6).is_err());

    let state = folder.checkpoint(&plan).unwrap();
    assert_eq!(state.generation, 12);
    let previous = checkpoint::read(&file(&root, "checkpoint.previous.safetensors")).unwrap();
    assert_eq!(previous.state.generation, 10);
    let best = checkpoint::read(&folder.best_path()).unwrap().state;
    let expected = state.best.unwrap();
    assert_eq!((best.generation, best.centre), (expected.generation, expected.parameters));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_killed_run_ends_like_one_that_was_not(
        seed: u64, every in 1u32..8, first in 0u32..19, later in 0u32..19, half_row: bool,
    ) {
        let plan = plan(seed, 19, every);
        let root = tempfile::tempdir().unwrap();
        go_and_die(root.path(), &plan, first);
        if half_row {
            let append = |name: &str, bytes: &[u8]| {
                let old = fs::read(file(&root, name)).unwrap();
                fs::write(file(&root, name), [&old, bytes].concat()).unwrap();
            };
            append("metrics.csv", b"17,-0.3");
            append("fitness.f32", &[1, 2, 3, 4, 5]);
        }
        go_and_die(root.path(), &plan, later.max(first));
        go_fresh(root.path(), &plan).unwrap();
        assert_same_run(&root, &finished(&plan));
    }
}

#[test]
fn a_longer_run_is_the_shorter_one_and_then_some() {
    let root = finished(&plan(1, 7, 5));
    let longer = plan(1, 15, 4);
    go_fresh(root.path(), &longer).unwrap();
    assert_same_run(&root, &finished(&longer));
}

#[test]
fn an_interrupt_stops_after_the_generation_with_a_checkpoint() {
    let plan = plan(1, 10, 50);
    let root = tempfile::tempdir().unwrap();
    let folder = Folder::create(root.path(), &plan, false).unwrap();
    let asked = Cell::new(0);
    let third = || Ok(asked.replace(asked.get() + 1) == 2);
    let ended = evolve_until(&plan, &mut Fake::new(&plan), &folder, &quiet(), &third).unwrap();
    assert_eq!(ended, Ended::Interrupted);
    assert_eq!(folder.checkpoint(&plan).unwrap().generation, 3);
    assert_eq!(folder.metrics().unwrap().len(), 3);
    drop(folder);
    go_fresh(root.path(), &plan).unwrap();
    assert_same_run(&root, &finished(&plan));
}

#[test]
fn an_interrupt_in_the_last_generation_changes_nothing() {
    let plan = plan(1, 1, 50);
    let root = tempfile::tempdir().unwrap();
    let folder = Folder::create(root.path(), &plan, false).unwrap();
    let ended = evolve_until(&plan, &mut Fake::new(&plan), &folder, &quiet(), &|| Ok(true)).unwrap();
    assert_eq!(ended, Ended::Finished);
}

#[test]
fn a_failing_generation_keeps_what_was_done() {
    let plan = plan(1, 10, 50);
    let root = tempfile::tempdir().unwrap();
    let mut engine = Fake::new(&plan);
    engine.fails_at = Some(6);
    assert_eq!(go(root.path(), &plan, &mut engine).unwrap_err().to_string(), "no finite fitness");
    let folder = Folder::open(&root.path().join("x")).unwrap();
    assert_eq!(folder.checkpoint(&plan).unwrap().generation, 6);
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_previous_one() {
    let plan = plan(1, 12, 5);
    let straight = finished(&plan);
    let damages: [fn(&mut Vec<u8>); 3] =
        [|bytes| bytes.truncate(bytes.len() / 2), |bytes| *bytes.last_mut().unwrap() ^= 1, |bytes| bytes.clear()];
    for damage in damages {
        let root = finished(&plan);
        let path = file(&root, "checkpoint.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let folder = Folder::open(&root.path().join("x")).unwrap();
        let (state, warning) = folder.newest_checkpoint(&plan).unwrap().unwrap();
        assert_eq!(state.generation, 10);
        let warning = warning.unwrap();
        assert!(warning.contains("checkpoint.safetensors is not usable") && warning.contains("10"), "{warning}");
        go_fresh(root.path(), &plan).unwrap();
        assert_same_run(&root, &straight);
        // The damaged file has not pushed out the good previous one.
        let previous = checkpoint::read(&file(&root, "checkpoint.previous.safetensors")).unwrap();
        assert_eq!(previous.state.generation, 10);
    }
}

#[test]
fn a_kill_between_the_renames_loses_nothing() {
    let plan = plan(1, 12, 5);
    let root = finished(&plan);
    let (current, previous) = (file(&root, "checkpoint.safetensors"), file(&root, "checkpoint.previous.safetensors"));
    fs::rename(&current, file(&root, "checkpoint.safetensors.tmp")).unwrap();
    assert_eq!(checkpoint::read(&previous).unwrap().state.generation, 10);
    go_fresh(root.path(), &plan).unwrap();
    assert_same_run(&root, &finished(&plan));
}

#[test]
fn no_good_checkpoint_is_an_error_that_names_both() {
    let plan = plan(1, 12, 5);
    let root = finished(&plan);
    fs::write(file(&root, "checkpoint.safetensors"), "x").unwrap();
    fs::write(file(&root, "checkpoint.previous.safetensors"), "y").unwrap();
    let error = go_fresh(root.path(), &plan).unwrap_err().to_string();
    assert!(error.contains("checkpoint.safetensors") && error.contains("checkpoint.previous"), "{error}");
}

#[test]
fn a_run_killed_before_its_first_checkpoint_starts_again() {
    let plan = plan(1, 5, 5);
    let root = tempfile::tempdir().unwrap();
    drop(Folder::create(root.path(), &plan, false).unwrap());
    let folder = Folder::open(&root.path().join("x")).unwrap();
    assert!(folder.checkpoint(&plan).unwrap_err().to_string().contains("no checkpoint yet"));
    drop(folder);
    assert_eq!(go_fresh(root.path(), &plan).unwrap(), Ended::Finished);
}

#[test]
fn logs_shorter_than_the_checkpoint_are_refused() {
    let plan = plan(1, 12, 5);
    for (name, length) in [("fitness.f32", 12 * 24 - 1), ("metrics.csv", 200)] {
        let root = finished(&plan);
        fs::File::options().write(true).open(file(&root, name)).unwrap().set_len(length).unwrap();
        let error = go_fresh(root.path(), &plan).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("after 12"), "{error}");
    }
}

#[test]
fn another_config_is_refused_by_its_keys() {
    let root = finished(&plan(1, 12, 5));
    let error = go_fresh(root.path(), &plan(2, 24, 3)).unwrap_err().to_string();
    assert!(error.contains("run.seed (1 -> 2)") && !error.contains("generations"), "{error}");
}

#[test]
fn an_engine_that_was_not_restored_is_refused() {
    let plan = plan(1, 12, 5);
    let root = finished(&plan);
    let folder = Folder::open(&root.path().join("x")).unwrap();
    let error = evolve(&plan, &mut Fake::new(&plan), &folder, &quiet()).unwrap_err().to_string();
    assert!(error.contains("after 12") && error.contains("done 0"), "{error}");
    assert_eq!(folder.metrics().unwrap().len(), 12);
}

#[test]
fn one_writer_at_a_time_and_any_readers() {
    let plan = plan(1, 3, 5);
    let root = tempfile::tempdir().unwrap();
    let writer = Folder::create(root.path(), &plan, false).unwrap();
    let other = Folder::open(writer.path()).unwrap();
    for error in [
        evolve(&plan, &mut Fake::new(&plan), &other, &quiet()).unwrap_err(),
        resume(&plan, &mut Fake::new(&plan), &other).unwrap_err(),
        Folder::create(root.path(), &plan, true).unwrap_err(),
    ] {
        assert!(error.to_string().contains("another process"), "{error}");
    }
    evolve(&plan, &mut Fake::new(&plan), &writer, &quiet()).unwrap();
    assert_eq!(other.metrics().unwrap().len(), 3);
    drop(writer);
    go_fresh(root.path(), &plan).unwrap();
}

#[test]
fn an_existing_folder_is_only_replaced_by_force_and_only_if_a_run_made_it() {
    let old = plan(1, 3, 5);
    let root = finished(&old);
    fs::write(file(&root, "notes.txt"), "mine").unwrap();
    let error = Folder::create(root.path(), &old, false).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let text = error.to_string();
    assert!(text.contains("--resume") && text.contains("--force") && text.contains("--name"), "{text}");

    let new = plan(2, 4, 5);
    drop(Folder::create(root.path(), &new, true).unwrap());
    assert!(!file(&root, "fitness.f32").exists() && !file(&root, "checkpoint.previous.safetensors").exists());
    assert_eq!(fs::read_to_string(file(&root, "notes.txt")).unwrap(), "mine");
    go_fresh(root.path(), &new).unwrap();
    assert_same_run(&root, &finished(&new));

    fs::remove_file(file(&root, "run.lock")).unwrap();
    let before = fs::read(file(&root, "fitness.f32")).unwrap();
    assert!(Folder::create(root.path(), &old, true).unwrap_err().to_string().contains("not a folder made by a run"));
    assert_eq!(fs::read(file(&root, "fitness.f32")).unwrap(), before);
}

#[test]
fn a_folder_that_is_not_there_or_no_run_is_said_so() {
    let root = tempfile::tempdir().unwrap();
    assert!(Folder::open(&root.path().join("y")).unwrap_err().to_string().contains("no such run folder"));
    assert!(Folder::open(root.path()).unwrap_err().to_string().contains("no config.toml"));
}

#[test]
fn replay_rebuilds_any_generation_from_the_fitness_alone() {
    let whole = plan(1, 12, 1);
    let root = finished(&whole);
    let folder = Folder::open(&root.path().join("x")).unwrap();
    for generation in [0, 1, 7, 12] {
        let rebuilt = replay(&whole, &mut Fake::new(&whole), &folder, generation).unwrap();
        let short = plan(1, generation.max(1), 50);
        let mut engine = Fake::new(&short);
        if generation > 0 {
            go(tempfile::tempdir().unwrap().path(), &short, &mut engine).unwrap();
        }
        let ran = engine.state().expect("the CPU keeps its state");
        assert_eq!(
            (rebuilt.generation, rebuilt.centre, rebuilt.optimiser),
            (ran.generation, ran.centre, ran.optimiser)
        );
    }
    let error = replay(&whole, &mut Fake::new(&whole), &folder, 13).unwrap_err().to_string();
    assert!(error.contains("record of 12"), "{error}");
    assert!(replay(&plan(2, 12, 1), &mut Fake::new(&whole), &folder, 3).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_run_and_leaves_the_last_checkpoint() {
    let short = plan(1, 5, 5);
    let root = finished(&short);
    let long = plan(1, 20, 5);
    // Every write of the next checkpoint now meets "No space left on device".
    std::os::unix::fs::symlink("/dev/full", file(&root, "checkpoint.safetensors.tmp")).unwrap();
    let error = go_fresh(root.path(), &long).unwrap_err().to_string();
    assert!(error.contains("No space left"), "{error}");
    let folder = Folder::open(&root.path().join("x")).unwrap();
    assert_eq!(folder.checkpoint(&long).unwrap().generation, 5);
    drop(folder);
    go_fresh(root.path(), &long).unwrap();
    assert_same_run(&root, &finished(&long));
}

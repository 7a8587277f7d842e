//! Event files of the real program, read by other code than writes them: what TensorBoard would show is what the logs have, no
//! point twice and none missing, whatever stopped the run.
#![cfg(unix)]

mod program;
mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use phylon::export;
use phylon::run::Folder;
use program::{fail, succeed};
use tempfile::TempDir;
use wire::{Message, records};

const CONFIG: &str = "
format = 1
[run]
name = 'tiny'
generations = 12
checkpoint_every = 5
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

/// A fiftieth of the neurons for 0.15 s, 20 candidates.
const SEARCH: &str = "
format = 1
[search]
group = 'structure'
simulations = 20
warm_up = 50
counted = 100
held_out = 2
held_out_seconds = 0.1
[search.cma_es]
population = 4
[column]
neuron_scale = 0.02
";

fn place(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tiny.toml"), config).unwrap();
    folder
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// The one event file of a run.
fn events(run: &Path) -> PathBuf {
    let files = fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path());
    // As TensorBoard knows them.
    let mut files = files.filter(|path| path.file_name().unwrap().to_str().unwrap().contains("tfevents"));
    let file = files.next().unwrap_or_else(|| panic!("no event file in {}", run.display()));
    assert_eq!(files.next(), None);
    file
}

/// What an event file shows.
#[derive(Debug, PartialEq)]
struct Shown {
    config: String,
    /// Step, time, and values by the names of their curves.
    points: Vec<(i64, f64, BTreeMap<String, f32>)>,
}

impl Shown {
    fn of(run: &Path) -> Self {
        let records: Vec<Message> =
            records(&fs::read(events(run)).unwrap()).iter().map(|record| Message::read(record)).collect();
        let [version, session, config, points @ ..] = &records[..] else { panic!("{} records", records.len()) };
        assert_eq!((session.message(7).int(1), session.int(2)), (1, 0));
        assert_eq!(version.text(3), "brain.Event:2");
        let value = config.message(5).message(1);
        let metadata = value.message(9);
        assert_eq!((value.text(1), metadata.message(1).text(1), metadata.int(4)), ("config".into(), "text".into(), 2));
        let tensor = value.message(8);
        assert_eq!((tensor.int(1), tensor.message(2)), (7, Message::read(&[])));
        let point = |event: &Message| {
            let values = event.message(5).messages(1);
            let curves: BTreeMap<_, _> = values.iter().map(|value| (value.text(1), value.float(2))).collect();
            assert_eq!(curves.len(), values.len(), "a curve has two points at a step");
            (event.int(2), event.double(1), curves)
        };
        Self { config: tensor.text(8), points: points.iter().map(point).collect() }
    }

    fn steps(&self) -> Vec<i64> {
        self.points.iter().map(|(step, ..)| *step).collect()
    }

    fn times(&self) -> Vec<f64> {
        self.points.iter().map(|(_, time, _)| *time).collect()
    }

    /// Without the times, as bits.
    fn values(&self) -> Vec<BTreeMap<String, u32>> {
        let bits =
            |curves: &BTreeMap<String, f32>| curves.iter().map(|(name, x)| (name.clone(), x.to_bits())).collect();
        self.points.iter().map(|(_, _, curves)| bits(curves)).collect()
    }
}

/// That a run's event file has the points of its metrics.csv, each once.
fn assert_like_metrics(run: &Path) -> Shown {
    let shown = Shown::of(run);
    let rows = Folder::open(run).unwrap().metrics().unwrap();
    let expected: Vec<BTreeMap<String, u32>> = rows
        .iter()
        .map(|row| {
            let curves = [
                ("fitness/best", row.best),
                ("fitness/mean", row.mean),
                ("fitness/std", row.std),
                ("fitness/centre", row.centre),
                ("speed/env_steps_per_s", row.env_steps_per_s as f32),
            ];
            curves.map(|(name, value)| (name.to_owned(), value.to_bits())).into()
        })
        .collect();
    assert_eq!(shown.values(), expected);
    assert_eq!(shown.steps(), (0..rows.len() as i64).collect::<Vec<_>>());
    shown
}

#[test]
fn a_run_shows_its_metrics_its_config_and_honest_times() {
    let place = place(CONFIG);
    let run = place.path().join("runs/tiny");
    let before = now();
    succeed(place.path(), "run tiny.toml --quiet --no-report --tensorboard");
    let shown = assert_like_metrics(&run);
    assert_eq!(shown.points.len(), 12);
    let times = shown.times();
    assert!(times.is_sorted() && times[0] >= before && times[11] <= now(), "{before} {times:?}");
    // A block of code in Markdown.
    let config: String = shown.config.lines().map(|line| format!("{}\n", line.strip_prefix("    ").unwrap())).collect();
    assert_eq!(config, fs::read_to_string(run.join("config.toml")).unwrap());

    // A run in its place has a file of its own; one without curves has none.
    sleep(Duration::from_millis(1100));
    let first = events(&run);
    succeed(place.path(), "run tiny.toml --quiet --no-report --tensorboard --force --set run.seed=2");
    assert_ne!(events(&run), first);
    assert_ne!(assert_like_metrics(&run).values(), shown.values());
    succeed(place.path(), "run tiny.toml --quiet --no-report --force");
    let left = fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!left.into_iter().any(|name| name.contains("tfevents")));
}

/// Start the program, and kill it once its run has this many rows.
fn kill_at(place: &Path, arguments: &str, rows: usize) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_phylon"));
    command.args(arguments.split_whitespace()).current_dir(place).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let metrics = place.join("runs/tiny/metrics.csv");
    while fs::read_to_string(&metrics).unwrap_or_default().matches('\n').count() <= rows {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9), "the run ended before it could be killed");
}

#[test]
fn killed_and_resumed_shows_every_generation_once_and_keeps_the_times_of_the_first_half() {
    let long = CONFIG
        .replace("generations = 12", "generations = 400")
        .replace("checkpoint_every = 5", "checkpoint_every = 50");
    let place =
        place(&long.replace("environments = 2", "environments = 16").replace("population = 4", "population = 64"));
    let run = place.path().join("runs/tiny");
    kill_at(place.path(), "run tiny.toml --quiet --no-report --tensorboard", 70);
    let first = fs::read(events(&run)).unwrap();
    let file = events(&run);
    // Without the flag: a run that has the file goes on with it.
    kill_at(place.path(), "run --resume runs/tiny --quiet --no-report", 150);
    succeed(place.path(), "run --resume runs/tiny --quiet --no-report --set run.generations=300");
    assert_eq!(events(&run), file);
    let shown = assert_like_metrics(&run);
    assert_eq!(shown.points.len(), 300);
    assert!(shown.times().is_sorted());
    // Version, session, config, and the generations before the checkpoint at 50: nothing of that was touched.
    let size = |records: &[Vec<u8>]| records.iter().map(|record| record.len() + 16).sum::<usize>();
    let all = fs::read(&file).unwrap();
    let kept = size(&records(&all)[..53]);
    assert_eq!(all[..kept], first[..kept]);
    // A reader that has read on to generation 69 goes on where a record begins.
    let whole = first.len().min(size(&records(&all)[..73]));
    assert_eq!(whole, size(&records(&all)[..73]));
}

#[test]
fn whatever_is_damaged_or_missing_is_made_again_and_the_rest_stays() {
    let place = place(CONFIG);
    let run = place.path().join("runs/tiny");
    succeed(place.path(), "run tiny.toml --quiet --no-report --tensorboard");
    let file = events(&run);
    let whole = fs::read(&file).unwrap();
    let shown = Shown::of(&run);
    let folder = || Folder::open(&run).unwrap();
    // Records are the same bytes up to the one with the damage.
    let check = |damaged: &[u8], at: usize, what: &str| {
        fs::write(&file, damaged).unwrap();
        assert_eq!(export::tensorboard(&folder()).unwrap(), file, "{what}");
        let now = assert_like_metrics(&run);
        assert_eq!((now.config, now.points.len()), (shown.config.clone(), 12), "{what}");
        let mut kept = 0;
        for record in records(&whole) {
            let end = kept + record.len() + 16;
            if end > at {
                break;
            }
            kept = end;
        }
        // Without its first three records a file is begun again.
        let begun: usize = records(&whole)[..3].iter().map(|record| record.len() + 16).sum();
        let kept = if kept < begun { 0 } else { kept };
        assert_eq!(fs::read(&file).unwrap()[..kept], whole[..kept], "{what}");
    };
    for at in (0..whole.len()).step_by(37) {
        check(&whole[..at], at, &format!("cut at {at}"));
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        check(&damaged, at, &format!("changed at {at}"));
    }
    check(&[&whole[..], b"more"].concat(), whole.len(), "rubbish behind");
    let last: usize = records(&whole).last().unwrap().len() + 16;
    check(&[&whole[..], &whole[whole.len() - last..]].concat(), whole.len(), "the last record twice");
    // A record that claims to be as long as can be.
    check(&[&whole[..], &[0xff; 8]].concat(), whole.len(), "a huge length");
}

#[test]
fn a_run_without_curves_gets_them_afterwards_with_times_as_far_apart() {
    let place = place(CONFIG);
    let run = place.path().join("runs/tiny");
    let before = now();
    succeed(place.path(), "run tiny.toml --quiet --no-report");
    let printed = succeed(place.path(), "export runs/tiny --to tensorboard");
    assert_eq!(printed.trim_end(), format!("runs/tiny/{}", events(&run).file_name().unwrap().to_str().unwrap()));
    let shown = assert_like_metrics(&run);
    let times = shown.times();
    let rows = Folder::open(&run).unwrap().metrics().unwrap();
    // Seconds are written to the millisecond; times are kept as seconds since 1970, of which a double has a quarter microsecond.
    let apart = |i: usize| (times[11] - times[i]) - (rows[11].seconds - rows[i].seconds);
    assert!((0..12).all(|i| apart(i).abs() < 1e-5), "{times:?}");
    // A file's time may be as coarse as a tick of the kernel, 10 ms at most.
    assert!(times[11] >= before - 0.02 && times[11] <= now() + 0.02, "{before} {times:?}");
    // Again, and there is nothing to do.
    let bytes = fs::read(events(&run)).unwrap();
    succeed(place.path(), "export runs/tiny --to tensorboard");
    assert_eq!(fs::read(events(&run)).unwrap(), bytes);

    // A run that goes on with curves has all of them.
    succeed(place.path(), "run tiny.toml --quiet --no-report --name more");
    succeed(place.path(), "run --resume runs/more --quiet --no-report --tensorboard --set run.generations=15");
    assert_eq!(assert_like_metrics(&place.path().join("runs/more")).points.len(), 15);
}

#[test]
fn nobody_writes_curves_of_a_run_that_evolves() {
    let place = place(CONFIG);
    succeed(place.path(), "run tiny.toml --quiet --no-report");
    let folder = Folder::open(&place.path().join("runs/tiny")).unwrap();
    let _writer = export::tensorboard(&folder).unwrap();
    let refused = fail(place.path(), "export runs/tiny --to tensorboard", 1);
    assert!(refused.contains("another process"), "{refused}");
}

#[test]
fn a_sweep_shows_a_line_a_run() {
    let place = place(CONFIG);
    succeed(
        place.path(),
        "sweep tiny.toml --set es.population=4,6 --seeds 2 --quiet --no-report --episodes 5 --tensorboard",
    );
    let runs = |sweep: &str| {
        let cells = fs::read_dir(place.path().join("runs").join(sweep).join("cells")).unwrap();
        cells.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    assert_eq!(runs("tiny-sweep").len(), 4);
    for run in runs("tiny-sweep") {
        assert_eq!(assert_like_metrics(&run).points.len(), 12);
    }
    let without = "sweep tiny.toml --set es.population=4,6 --quiet --no-report --episodes 5 --name later";
    succeed(place.path(), without);
    let printed = succeed(place.path(), "export runs/later --to tensorboard");
    assert_eq!(printed.lines().count(), 2, "{printed}");
    for run in runs("later") {
        assert_like_metrics(&run);
    }
    // A sweep in its place removes them with the rest.
    succeed(place.path(), &format!("{without} --force"));
    assert!(!succeed(place.path(), "export runs/later --to tensorboard").is_empty());
}

#[test]
fn a_search_shows_its_errors_and_rates() {
    let place = place(SEARCH);
    let run = place.path().join("runs/tiny");
    succeed(place.path(), "run tiny.toml --quiet --no-report --tensorboard");
    let shown = Shown::of(&run);
    let mut reader = csv::Reader::from_path(run.join("candidates.csv")).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().skip(5).take(8).map(str::to_owned).collect();
    let rows: Vec<Vec<f64>> =
        reader.records().map(|row| row.unwrap().iter().map(|field| field.parse().unwrap()).collect()).collect();
    assert_eq!((rows.len(), shown.points.len()), (20, 5));
    let mut least = f64::INFINITY;
    for (generation, (step, _, curves)) in rows.chunks(4).zip(&shown.points) {
        assert!(generation.iter().all(|row| row[0] == *step as f64 && row[2].is_finite()));
        let best = generation.iter().min_by(|a, b| a[2].total_cmp(&b[2])).unwrap();
        least = least.min(best[2]);
        let mut expected = BTreeMap::from([
            ("error/best".to_owned(), best[2] as f32),
            ("error/best_so_far".to_owned(), least as f32),
            ("error/mean".to_owned(), (generation.iter().map(|row| row[2]).sum::<f64>() / 4.0) as f32),
        ]);
        expected.extend(names.iter().zip(&best[5..]).map(|(name, rate)| (format!("rate/{name}"), *rate as f32)));
        assert_eq!(*curves, expected);
    }
    // Afterwards there are the same, and a search that goes on has them all.
    let file = events(&run);
    fs::remove_file(&file).unwrap();
    succeed(place.path(), "export runs/tiny --to tensorboard");
    let again = Shown::of(&run);
    assert_eq!((again.values(), &again.config), (shown.values(), &shown.config));
    assert!(again.times().is_sorted());
    succeed(place.path(), "run --resume runs/tiny --quiet --no-report --set search.simulations=28");
    let longer = Shown::of(&run);
    assert_eq!(longer.steps(), (0..7).collect::<Vec<_>>());
    assert_eq!(longer.points[..5], again.points[..]);
}

//! `phylon simulate` with the real program: what it prints and writes, the same on any number of threads, what it refuses; and
//! the thalamus of a column.

mod npz;
mod program;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use npz::Npz;
use phylon::column::statistics::Psth;
use phylon::column::{NAMES, Network, POPULATIONS, Parameters, Seeds, Simulation, Spike, Thalamus, experiment};
use phylon::config::Column;
use phylon::hash::fnv1a;
use phylon::report::column::published;
use program::{fail, succeed};
use serde_json::Value;
use tempfile::TempDir;

/// A fiftieth of the neurons for half a second. On one thread: those of a column wait for each other in every step, which on
/// a busy machine takes long.
const SMALL: &str = "simulate column.toml --set column.neuron_scale=0.02 --seconds 0.5 --warm-up 200 --threads 1";
/// The same for a fiftieth of a second.
const SHORT: &str = "simulate column.toml --set column.neuron_scale=0.02 --seconds 0.02 --warm-up 10 --threads";

/// A folder in which [`SMALL`] has run, and what it printed.
static RAN: LazyLock<(TempDir, String)> = LazyLock::new(|| {
    let folder = folder();
    let shown = succeed(folder.path(), SMALL);
    (folder, shown)
});

/// A fresh folder with the shipped config of a column.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("configs/column.toml");
    fs::copy(shipped, folder.path().join("column.toml")).unwrap();
    folder
}

fn json(folder: &Path, arguments: &str) -> Value {
    serde_json::from_str(&succeed(folder, &format!("{arguments} --json"))).unwrap()
}

/// (step, population, neuron) of every spike.
fn spikes(path: &Path) -> Vec<(u32, u32, u32)> {
    let arrays = Npz::open(path);
    let (steps, neurons) = (arrays.u32("step"), arrays.u32("neuron"));
    let populations = arrays.unsigned("population");
    assert!(steps.len() == populations.len() && steps.len() == neurons.len());
    steps.into_iter().zip(populations).zip(neurons).map(|((step, p), neuron)| (step, p, neuron)).collect()
}

/// Names of the files in a folder, in their order.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn populations_are_printed_beside_what_is_known_of_them() {
    let (_, shown) = &*RAN;
    // 2 % of every population, rounded half to even; 1544 in all, as in the golden file of that size.
    let first = "column   1,544 neurons, 597,761 synapses, seed 1\ntime     0.5 s after 200 ms in ";
    assert!(shown.starts_with(first), "{shown}");
    for (p, (name, neurons)) in NAMES.iter().zip([414, 117, 438, 110, 97, 21, 288, 59]).enumerate() {
        let row = shown.lines().find(|line| line.starts_with(name)).unwrap();
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells[1], neurons.to_string(), "{row}");
        // The last is the published rate, or the target behind it.
        let published = format!("{:.2}", published::full_rates()[p]);
        let at = if p % 2 == 0 { cells.len() - 2 } else { cells.len() - 1 };
        assert_eq!(cells[at], published, "{row}");
    }
    assert!(!shown.contains("NEST"), "NEST's rates are of other parameters: {shown}");
    assert!(shown.ends_with("wrote    runs/column/result.json\n"), "{shown}");
}

#[test]
fn nest_stands_beside_the_default_parameters_alone() {
    let base = Parameters::default();
    assert_eq!(published::reference(&base), Some(published::NEST));
    assert_eq!(published::reference(&Parameters { g: -4.1, ..base.clone() }), None);
    let full = published::reference(&Parameters { neuron_scale: 1.0, synapse_scale: 1.0, ..base }).unwrap();
    assert_eq!((full.label, full.rate), ("published", published::full_rates()));
}

#[test]
fn the_table_of_nest_is_the_golden_file() {
    let root = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("tests/golden/column");
    let file: Value = serde_json::from_str(&fs::read_to_string(root.join("rates.json")).unwrap()).unwrap();
    let set = &file["sets"]["base_poisson"];
    let of = |value: &Value| -> Vec<f64> { value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
    let nest = published::NEST;
    for (ours, key) in [
        (Some(nest.rate), "rate_hz"),
        (nest.cv, "cv_isi_mean"),
        (nest.synchrony, "fano_3ms"),
        (nest.correlation, "corr_2ms_mean"),
    ] {
        assert_eq!(ours.unwrap().to_vec(), of(&set["mean"][key]), "{key}");
    }
    assert_eq!(nest.rate_sd.unwrap().to_vec(), of(&set["sd_across_seeds"]["rate_hz"]));
}

#[test]
fn files_hold_what_was_seen() {
    let (folder, _) = &*RAN;
    let out = folder.path().join("runs/column");
    assert_eq!(files(&out), ["config.toml", "raster.svg", "result.json", "spikes.npz"]);
    let result: Value = serde_json::from_slice(&fs::read(out.join("result.json")).unwrap()).unwrap();
    let seen = spikes(&out.join("spikes.npz"));
    assert!(seen.len() > 1000 && seen.is_sorted(), "{} spikes", seen.len());
    let arrays = Npz::open(&out.join("spikes.npz"));
    assert_eq!(arrays.strings("names"), NAMES);
    let sizes = arrays.u32("sizes");
    assert_eq!(sizes, [414, 117, 438, 110, 97, 21, 288, 59]);
    for ((step, population, neuron), time) in seen.iter().zip(arrays.f64("time_ms")) {
        assert!((1..=5000).contains(step) && *neuron < sizes[*population as usize]);
        assert_eq!(time, f64::from(*step) / 10.0);
    }
    for (p, population) in result["populations"].as_array().unwrap().iter().enumerate() {
        let count = seen.iter().filter(|spike| spike.1 == p as u32).count();
        assert_eq!(result["per_seed"][0][p]["spikes"], count);
        let rate = count as f64 / (f64::from(sizes[p]) * 0.5);
        assert!((population["rate"]["mean"].as_f64().unwrap() - rate).abs() < 1e-9, "{population}");
        assert!(population["rate"]["sd"].is_null(), "one seed");
    }
    // What is written is the config again.
    let config = fs::read_to_string(out.join("config.toml")).unwrap();
    fs::write(folder.path().join("again.toml"), &config).unwrap();
    let again = json(folder.path(), "simulate again.toml --out again --threads 1");
    assert_eq!(again["config"], result["config"]);
    assert_eq!(again["per_seed"], result["per_seed"]);
    let figure = fs::read_to_string(out.join("raster.svg")).unwrap();
    assert!(roxmltree::Document::parse(&figure).is_ok() && !figure.contains("NaN") && !figure.contains("inf\""));
}

#[test]
fn a_table_has_the_spikes_of_the_archive() {
    let (ran, _) = &*RAN;
    let folder = folder();
    succeed(folder.path(), &format!("{SMALL} --spikes csv --out table"));
    assert_eq!(files(&folder.path().join("table")), ["config.toml", "raster.svg", "result.json", "spikes.csv"]);
    let table = fs::read_to_string(folder.path().join("table/spikes.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("step,time_ms,population,neuron"));
    let read: Vec<(u32, u32, u32)> = lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [step, time, population, neuron] = cells[..] else { panic!("{line}") };
            let step: u32 = step.parse().unwrap();
            assert_eq!(time.parse::<f64>().unwrap(), f64::from(step) / 10.0);
            let population = NAMES.iter().position(|name| *name == population).unwrap();
            (step, population as u32, neuron.parse().unwrap())
        })
        .collect();
    assert_eq!(read, spikes(&ran.path().join("runs/column/spikes.npz")));
}

#[test]
fn threads_and_columns_side_by_side_do_not_change_spikes() {
    let (ran, _) = &*RAN;
    let folder = folder();
    let reference = fs::read(ran.path().join("runs/column/spikes.npz")).unwrap();
    let [one, three] = [1, 3].map(|threads| {
        succeed(folder.path(), &format!("{SHORT} {threads} --out short"));
        fs::read(folder.path().join("short/spikes.npz")).unwrap()
    });
    assert_eq!(one, three, "on three threads");
    assert!(spikes(&folder.path().join("short/spikes.npz")).len() > 30);
    let answer = json(folder.path(), &format!("{SMALL} --seeds 2 --out two"));
    let two = folder.path().join("two");
    assert_eq!(files(&two), ["config.toml", "raster.svg", "result.json", "spikes-1.npz", "spikes-2.npz"]);
    assert_eq!(fs::read(two.join("spikes-1.npz")).unwrap(), reference);
    assert_ne!(fs::read(two.join("spikes-2.npz")).unwrap(), reference);
    let [a, b] = [0, 1].map(|seed| answer["per_seed"][seed][2]["rate"].as_f64().unwrap());
    let rate = &answer["populations"][2]["rate"];
    assert!((rate["mean"].as_f64().unwrap() - 0.5 * (a + b)).abs() < 1e-12);
    assert!((rate["sd"].as_f64().unwrap() - (a - b).abs() / 2f64.sqrt()).abs() < 1e-12);

    // The second column is the one of the second seed; noise of its own is another column with the same synapses.
    succeed(folder.path(), &format!("{SMALL} --seed 2 --out seed-2"));
    let second = fs::read(folder.path().join("seed-2/spikes.npz")).unwrap();
    assert_eq!(fs::read(two.join("spikes-2.npz")).unwrap(), second);
    succeed(folder.path(), &format!("{SMALL} --set simulation.noise_seed=9 --out noise"));
    assert_ne!(fs::read(folder.path().join("noise/spikes.npz")).unwrap(), reference);
}

#[test]
fn a_pulse_is_shown() {
    let folder = folder();
    let pulse = format!("{SMALL} --set thalamus.start=200 --set thalamus.rate=600 --out pulse");
    let shown = succeed(folder.path(), &pulse);
    assert!(shown.contains("pulse    highest rate in a ms after its beginning, Hz (at ms): L23E "), "{shown}");
    let out = folder.path().join("pulse");
    assert_eq!(files(&out), ["config.toml", "psth.svg", "raster.svg", "result.json", "spikes.npz"]);
    let result: Value = serde_json::from_slice(&fs::read(out.join("result.json")).unwrap()).unwrap();
    let psth = &result["psth"];
    assert_eq!((&psth["bin_ms"], &psth["from_ms"][50]), (&1.0.into(), &0.0.into()));
    let seen = spikes(&out.join("spikes.npz"));
    for p in 0..POPULATIONS {
        let rates = psth["rates"][p].as_array().unwrap();
        assert_eq!(rates.len(), 150);
        // The 8th ms of the pulse.
        let count = seen.iter().filter(|spike| spike.1 == p as u32 && (2071..=2080).contains(&spike.0)).count();
        let rate = count as f64 / (result["populations"][p]["neurons"].as_f64().unwrap() * 1e-3);
        assert!((rates[57].as_f64().unwrap() - rate).abs() < 1e-9, "{p}");
    }
    for name in ["psth.svg", "raster.svg"] {
        let figure = fs::read_to_string(out.join(name)).unwrap();
        assert!(roxmltree::Document::parse(&figure).is_ok() && !figure.contains("NaN"), "{name}");
    }

    // The next simulation in the folder leaves nothing of this one, and what the user put there.
    fs::write(out.join("notes.txt"), "mine").unwrap();
    succeed(folder.path(), &format!("{SMALL} --spikes none --out pulse"));
    assert_eq!(files(&out), ["config.toml", "notes.txt", "raster.svg", "result.json"]);
}

#[test]
fn mistakes_are_explained() {
    let folder = folder();
    let refused = |arguments: &str, code: i32, why: &str| {
        let stderr = fail(folder.path(), arguments, code);
        assert!(stderr.contains(why), "{arguments}: {stderr}");
    };
    let at = |setting: &str| format!("simulate column.toml --set {setting}");
    refused(&at("column.tau=3"), 2, "--set column.tau=3: unknown key `column.tau`\ntry: `column.tau_m`");
    refused(&at("column.g=4"), 2, "--set column.g=4: `column.g`: 4 is not a negative number");
    refused(&at("column.background=ac"), 2, "unknown choice `column.ac`");
    refused(&at("column.psp=big"), 2, "`column.psp`: expected a number, found string \"big\"");
    refused(&at("column.full_rates=[1,2]"), 2, "`column.full_rates`: invalid length 2");
    refused(&at("column.v0_sd=[1,2,3,4,\"x\",6,7,8]"), 2, "`column.v0_sd`: expected a number, found string \"x\"");
    refused(&at("thalamus.start=20000"), 2, "`thalamus.start`: 20000 ms is not within the 10 s that are recorded");
    refused(&at("thalamus.interval=5"), 2, "`thalamus.interval`: a pulse has 10 ms");
    refused(&at("thalamus.connection=[0,0,0,0,0,0,0,1]"), 2, "`thalamus.connection`: 1 is not a probability");
    refused(&at("thalamus.rate=1e6"), 2, "`thalamus.rate`: 1000000 Hz is more than can be drawn");
    refused(&at("simulation.warm_up=-1"), 2, "`simulation.warm_up`: -1 is not in 0 to");
    refused("simulate column.toml --seconds 0", 2, "`simulation.seconds`: 0 is not in 0.001 to");
    refused("simulate column.toml --seconds x", 2, "invalid value 'x' for '--seconds <S>'");
    refused("simulate column.toml --seeds 0", 2, "--seeds");
    refused("simulate nowhere.toml", 2, "cannot read the config nowhere.toml");
    refused(
        "run column.toml",
        2,
        "column.toml has a table [column] and no [search]: there is nothing to search; try: phylon simulate column.toml",
    );
    fs::write(folder.path().join("wrong.toml"), "format = 1\n[column]\nneuron_scal = 0.1\n").unwrap();
    let shown = fail(folder.path(), "simulate wrong.toml", 2);
    let start = "error: wrong.toml:3:1: unknown key `column.neuron_scal`\n  |\n3 | neuron_scal = 0.1\n  | ^^^^^^^^^^^\n\
                 try: `column.neuron_scale`\nkeys in [column]: ";
    assert!(shown.starts_with(start), "{shown}");
    assert_eq!(fail(folder.path(), "check wrong.toml", 2), shown);
    fs::write(
        folder.path().join("unit.toml"),
        "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.enu]\n[task.iaf]\n[es]\n",
    )
    .unwrap();
    refused("simulate unit.toml", 2, "unit.toml has no table [column]");
    assert_eq!(files(folder.path()), ["column.toml", "unit.toml", "wrong.toml"], "nothing is left behind");

    // What is found only when the network is made leaves what was there.
    succeed(folder.path(), SMALL);
    let out = folder.path().join("runs/column");
    let before = fs::read(out.join("result.json")).unwrap();
    refused(&at("column.background_rate=8000"), 2, "`background_rate`: L23E gets");
    assert_eq!(files(&out), ["config.toml", "raster.svg", "result.json", "spikes.npz"]);
    assert_eq!(fs::read(out.join("result.json")).unwrap(), before);

    fs::write(folder.path().join("file"), "").unwrap();
    refused(&format!("{SMALL} --out file"), 1, "cannot create file: ");
    fs::create_dir(folder.path().join("foreign")).unwrap();
    fs::write(folder.path().join("foreign/result.json"), "{}").unwrap();
    refused(&format!("{SMALL} --out foreign"), 2, "foreign holds files that are of no simulation; try: ");
    assert_eq!(fs::read_to_string(folder.path().join("foreign/result.json")).unwrap(), "{}");
    assert_eq!(files(&folder.path().join("foreign")), ["result.json"]);
}

#[test]
fn check_shows_a_column() {
    let folder = folder();
    let shown = succeed(folder.path(), "check column.toml");
    assert!(shown.contains("tau_m = 10.0\n") && shown.contains("background = \"poisson\"\n"), "{shown}");
    for (name, value) in [("neurons", "7,717"), ("synapses", "2,988,807"), ("steps", "110,000"), ("thalamus", "0")] {
        let row = shown.lines().find(|line| line.starts_with(&format!("# {name} "))).unwrap();
        assert_eq!(row.split_whitespace().nth(2), Some(value), "{row}");
    }
    fs::write(folder.path().join("full.toml"), &shown).unwrap();
    assert_eq!(succeed(folder.path(), "check full.toml"), shown);
    let checked = json(folder.path(), "check column.toml --set thalamus.start=100");
    assert_eq!(checked["derived"]["thalamus_neurons"], 90);
    // ln(1 - C) / ln(1 - 1/(902 N)), a hundredth of it, for the four populations that get input.
    let full = [(21915.0, 0.0983), (5479.0, 0.0619), (14395.0, 0.0512), (2948.0, 0.0196f64)];
    let of = |(neurons, c): (f64, f64)| ((1.0 - c).ln() / (1.0 - 1.0 / (902.0 * neurons)).ln() * 0.01).round() as u64;
    assert_eq!(checked["derived"]["synapses"], 2_988_807 + full.map(of).iter().sum::<u64>());
}

fn fired(network: &Network<f32>, steps: u32) -> Vec<Spike> {
    let mut spikes = Vec::new();
    Simulation::new(network).advance(steps, &mut spikes);
    spikes
}

/// A fingerprint, as those of `tests/determinism.rs`: who means to change the bits of columns changes it in the same commit.
#[test]
fn a_column_without_a_pulse_keeps_its_bits() {
    let folder = folder();
    let short = "simulate column.toml --set column.neuron_scale=0.02 --seconds 0.2 --warm-up 0 --threads 1 --out bits";
    succeed(folder.path(), &format!("{short} --seed 3 --set simulation.noise_seed=4"));
    let seen = spikes(&folder.path().join("bits/spikes.npz"));
    let words = seen.iter().flat_map(|&(step, population, neuron)| [step, population, neuron]);
    let hash = fnv1a(words.flat_map(u32::to_le_bytes));
    assert_eq!((seen.len(), hash), (972, 0xfa07_c762_f7d5_c7cd), "{hash:#018x}");
}

#[test]
fn a_column_is_itself_until_the_first_thalamic_spike_arrives() {
    let parameters = Parameters { neuron_scale: 0.02, ..Parameters::default() };
    let thalamus = Thalamus { start: 20.0, rate: 600.0, ..Thalamus::default() };
    let seeds = Seeds { wiring: 5, noise: 6 };
    let column = |parts| Network::<f32>::column(&parameters, seeds, parts).unwrap();
    let with = |parts| column(parts).with_thalamus(&parameters, &thalamus, seeds, (100, 500)).unwrap();
    let (without, pulsed) = (fired(&column(1), 600), fired(&with(1), 600));
    // The pulse begins after step 300, a delay has a step at least, and a current moves the potential a step later.
    let before = |spikes: &[Spike]| spikes.iter().copied().filter(|spike| spike.step <= 302).collect::<Vec<_>>();
    assert_eq!(before(&without), before(&pulsed));
    assert_ne!(without, pulsed);
    assert!(pulsed.starts_with(&fired(&with(3), 320)), "in three parts");
    let synapses = thalamus.synapses(&parameters);
    assert_eq!(with(2).synapses() as u64 - column(2).synapses() as u64, synapses.iter().sum::<u64>());
    let mut to = [0u64; POPULATIONS];
    let whole = with(1);
    for (source, lane, delay, weight) in with(2).synapses_from(POPULATIONS) {
        assert!(source < 18 && (1..=64).contains(&delay) && weight > 0.0);
        to[whole.place(lane).0] += 1;
    }
    assert_eq!(to, synapses);
    let twice = column(1).with_thalamus(&parameters, &Thalamus { neurons: 0, ..thalamus.clone() }, seeds, (100, 500));
    assert!(twice.unwrap_err().to_string().contains("`thalamus`: `neurons`: 0 times a scale of 0.02"));
}

/// Layers 4 and 6, which the thalamus reaches, answer within 5 ms; layers 2/3 and 5 after them (the order of Fig. 10 of Potjans &
/// Diesmann 2014), and all are silenced afterwards.
#[test]
fn a_pulse_reaches_layers_4_and_6_first() {
    let text =
        "format = 1\n[simulation]\nwarm_up = 300\nseconds = 4\n[column]\n[thalamus]\nstart = 100\ninterval = 200\n";
    let config: Column = toml::from_str(text).unwrap();
    config.check().unwrap();
    let recording = experiment::run(&config, Seeds::both(1), 1, |_| {}).unwrap();
    let rates: Vec<Vec<f64>> =
        recording.psth.iter().map(|psth| psth.rates().into_iter().map(|rate| rate.unwrap()).collect()).collect();
    let baseline = |p: usize| rates[p][..Psth::BEFORE].iter().sum::<f64>() / Psth::BEFORE as f64;
    // The ms with twice the rate of before, of 20 pulses.
    let rises = |p: usize| (0..20).find(|ms| rates[p][Psth::BEFORE + ms] > 2.0 * baseline(p)).unwrap();
    let seen: Vec<usize> = (0..POPULATIONS).map(rises).collect();
    let [l23e, l23i, l4e, _, l5e, l5i, l6e, _] = seen[..] else { panic!("{seen:?}") };
    assert!(l4e < 5 && l6e < 5, "{seen:?}");
    assert!([l23e, l23i, l5e, l5i].iter().all(|&ms| ms > l4e), "{seen:?}");
    assert!(l23e.min(l5e) >= l6e, "{seen:?}");
    for p in [0, 2, 4] {
        let after = rates[p][Psth::BEFORE + 15..Psth::BEFORE + 20].iter().sum::<f64>() / 5.0;
        assert!(after < 0.5 * baseline(p), "{}: {after} Hz after the pulse", NAMES[p]);
    }
}

/// Seeds side by side, with pulses.
#[cfg(feature = "emu")]
#[test]
fn a_device_writes_the_files_of_the_cpu() {
    let folder = folder();
    let pulses = "--set thalamus.start=3 --set thalamus.duration=5 --set thalamus.neurons=9000";
    let run = |device: &str| {
        let out = format!("--spikes csv --seeds 2 --out {device} --device {device}");
        json(folder.path(), &format!("{SHORT} 1 {pulses} {out}"))
    };
    let (cpu, emu) = (run("cpu"), run("emu"));
    for key in ["config", "seed", "neurons", "synapses", "populations", "per_seed", "psth", "files"] {
        assert_eq!(cpu[key], emu[key], "{key}");
    }
    assert!(emu["device"].as_str().unwrap().starts_with("cuda:0, "), "{}", emu["device"]);
    for file in ["spikes-1.csv", "spikes-2.csv", "raster.svg", "psth.svg", "config.toml"] {
        let read = |device: &str| fs::read_to_string(folder.path().join(device).join(file)).unwrap();
        assert_eq!(read("cpu"), read("emu"), "{file}");
        assert!(file.ends_with("toml") || read("emu").lines().count() > 30, "{file}");
    }
}

//! `phylon simulate`: a cortical column in time, beside what is known of it.

use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use phylon::column::experiment::{self, Recording};
use phylon::column::folder::{Folder, RESULT};
use phylon::column::statistics::{Psth, Statistics};
use phylon::column::{DT, NAMES, POPULATIONS, spikes};
use phylon::config::{self, Column};
use phylon::error::{Error, Result};
use phylon::report::column::published;
use phylon::report::column::{self as report, Population, Response, Spread};
use serde::Serialize;

use super::{device, output};

/// Simulate a cortical column, and print what its populations do beside what is known of them.
///
/// The column is that of Potjans & Diesmann (2014), every parameter a key of the config. Spikes are the same for any number of
/// threads and on any device. One seed is simulated by all threads together, several side by side.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon simulate configs/column.toml                          10 s of model time; then open runs/column/raster.svg
  phylon simulate configs/column.toml --seeds 10 --json
  phylon simulate configs/column.toml --seeds 200 --device cuda
  phylon simulate configs/column.toml --seconds 2 --set thalamus.start=700 --out runs/pulse
  phylon simulate configs/column.toml --set column.g=-4.5 --set column.background_rate=9 --spikes csv
  phylon simulate configs/column.toml --set column.neuron_scale=1 --set column.synapse_scale=1 --seconds 1
                                                               the full column: 300 million synapses, 6 GB

Files of --out, replacing those of an earlier simulation and no others:
  spikes.npz    of every recorded spike step, time_ms (both from the end of the warm-up), population (0 is L23E) and
                neuron (its number in the population); of every population names and sizes
  result.json   what --json prints
  raster.svg    spikes of all populations; rate, irregularity and synchrony of each
  psth.svg      with a thalamus: rates around its pulses
  config.toml   the effective config
With --seeds there are spikes-SEED.npz, and the raster is of the first seed.")]
pub struct Args {
    /// The config file, with a table [column].
    config: PathBuf,
    /// Model time to record, s, instead of simulation.seconds.
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Model time to simulate before, ms, instead of simulation.warm_up.
    #[arg(long, value_name = "MS")]
    warm_up: Option<f64>,
    /// Seed, instead of simulation.seed.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Columns to simulate, with this seed and those that follow.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: u32,
    /// Override a key, for example column.g=-4.5. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Folder for files [default: runs/ and the name of the config file].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How spikes are written.
    #[arg(long, value_enum, default_value_t = Format::Npz)]
    spikes: Format,
    /// Print one object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: device::Args,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For numpy.load.
    Npz,
    /// A spike in each line.
    Csv,
    /// Not at all.
    None,
}

/// What is printed and kept as JSON.
#[derive(Serialize)]
struct Answer {
    config: Column,
    /// Of the first column; the others have those that follow.
    seed: u64,
    seeds: u32,
    neurons: usize,
    /// Of the first column, as all that is about synapses.
    synapses: usize,
    populations: Vec<Population>,
    /// `[seed][population]`
    per_seed: Vec<Vec<Statistics>>,
    /// Hz, of every population.
    published: Published,
    /// Rates around the pulses of the thalamus; null without them.
    psth: Option<Response>,
    /// Of drawing synapses, mean over seeds.
    building_seconds: f64,
    /// Of all columns, from the first synapse to the last spike.
    seconds: f64,
    /// Seconds that a second of model time took, warm-up included, all columns together.
    real_time_factor: f64,
    device: String,
    out: PathBuf,
    files: Vec<String>,
}

/// Rates to compare with.
#[derive(Serialize)]
struct Published {
    full_column: [f64; POPULATIONS],
    /// Where the parameters are the default ones.
    nest: Option<[f64; POPULATIONS]>,
    nest_sd: Option<[f64; POPULATIONS]>,
    in_vivo: [Option<f64>; POPULATIONS],
}

/// What is left of a column when its spikes are in their file.
struct Done {
    sizes: Vec<usize>,
    synapses: usize,
    statistics: Vec<Statistics>,
    psth: Vec<Psth>,
    building_seconds: f64,
    file: Option<String>,
    /// Of the first one, for the raster.
    spikes: Vec<Vec<(u32, u32)>>,
}

pub fn run(args: &Args) -> Result<()> {
    let config = config::load_column(&args.config, &args.overrides())?;
    let (device, out) = (args.device.choose()?, args.out());
    let gpu = device.open()?;
    let folder = Folder::open(&out, &config)?;
    let bar = bar(steps(&config, args.seeds));
    let started = Instant::now();
    let tell = |steps: u32| {
        bar.inc(u64::from(steps) / 10);
        let model = bar.position() as f64 * 1e-3;
        bar.set_message(format!("{:.2}", started.elapsed().as_secs_f64() / model));
    };
    let keep = |k, recording| args.keep(&folder, k, recording);
    let columns = experiment::run_all(&config, gpu.as_ref(), args.seeds, tell, keep);
    let seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let columns = columns?;
    let mut answer = Answer::new(config, &columns, seconds, (device.description, out));
    answer.draw(&folder, &columns[0].spikes)?;
    answer.files.extend(columns.into_iter().filter_map(|column| column.file).chain([RESULT.into()]));
    let text = serde_json::to_string_pretty(&answer).map_err(|e| Error::Run(format!("cannot write JSON: {e}")))?;
    folder.finish(&(text + "\n"))?;
    if args.json { output::json(&answer) } else { output::print(&answer.text()) }
}

impl Args {
    /// Options of their own are overrides like others, and the last.
    fn overrides(&self) -> Vec<String> {
        let of = |key: &str, value: Option<String>| value.map(|value| format!("simulation.{key}={value}"));
        let own = [
            of("seconds", self.seconds.map(|seconds| format!("{seconds:?}"))),
            of("warm_up", self.warm_up.map(|ms| format!("{ms:?}"))),
            of("seed", self.seed.map(|seed| seed.to_string())),
        ];
        self.overrides.iter().cloned().chain(own.into_iter().flatten()).collect()
    }

    fn out(&self) -> PathBuf {
        let stem = || PathBuf::from("runs").join(self.config.file_stem().unwrap_or_default());
        self.out.clone().unwrap_or_else(stem)
    }

    /// Write the spikes of column `k`; gives the rest.
    fn keep(&self, folder: &Folder, k: u32, recording: Recording) -> Result<Done> {
        let name = if self.seeds == 1 { "spikes".into() } else { format!("spikes-{}", recording.seeds.wiring) };
        let file = match self.spikes {
            Format::Npz => Some((name + ".npz", spikes::npz(&recording)?)),
            Format::Csv => Some((name + ".csv", spikes::csv(&recording).into_bytes())),
            Format::None => None,
        };
        if let Some((name, bytes)) = &file {
            folder.put(name.clone(), bytes)?;
        }
        let file = file.map(|(name, _)| name);
        let Recording { sizes, synapses, spikes, statistics, psth, building_seconds, .. } = recording;
        let spikes = if k == 0 { spikes } else { Vec::new() };
        Ok(Done { sizes, synapses, statistics, psth, building_seconds, file, spikes })
    }
}

impl Answer {
    /// Without its files.
    fn new(config: Column, columns: &[Done], seconds: f64, (device, out): (String, PathBuf)) -> Self {
        let seeds = columns.len() as u32;
        let per_seed: Vec<_> = columns.iter().map(|column| column.statistics.clone()).collect();
        let psth: Vec<Vec<Psth>> = columns.iter().map(|column| column.psth.clone()).collect();
        let first = &columns[0];
        let nest = published::reference(&config.column).filter(|reference| *reference == published::NEST);
        Self {
            seed: config.simulation.seed,
            seeds,
            neurons: first.sizes.iter().sum(),
            synapses: first.synapses,
            populations: report::populations(&first.sizes, &per_seed),
            per_seed,
            published: Published {
                full_column: published::full_rates(),
                nest: nest.map(|nest| nest.rate),
                nest_sd: nest.and_then(|nest| nest.rate_sd),
                in_vivo: published::IN_VIVO,
            },
            psth: Response::of(&psth),
            building_seconds: columns.iter().map(|column| column.building_seconds).sum::<f64>() / f64::from(seeds),
            seconds,
            real_time_factor: seconds / (steps(&config, seeds) as f64 * DT * 1e-3),
            config,
            device,
            out,
            files: Vec::new(),
        }
    }

    /// Write the figures; the raster is of the first column's spikes.
    fn draw(&mut self, folder: &Folder, spikes: &[Vec<(u32, u32)>]) -> Result<()> {
        let Self { config, seed, seeds, populations, psth, .. } = self;
        let title = match seeds {
            1 => format!("Cortical column, seed {seed}"),
            _ => format!("Cortical column: spikes of seed {seed}, bars of {seeds} seeds"),
        };
        let recorded = config.simulation.recorded_steps();
        let reference = published::reference(&config.column);
        let thalamus = config.thalamus.as_ref();
        let raster = report::raster(&title, spikes, recorded, populations, reference.as_ref(), thalamus);
        let mut figures = vec![("raster.svg", raster)];
        if let (Some(response), Some(thalamus)) = (psth, thalamus) {
            figures.push(("psth.svg", report::psth(response, thalamus)?));
        }
        for (name, figure) in figures {
            folder.put(name.into(), figure.as_bytes())?;
            self.files.push(name.into());
        }
        Ok(())
    }
}

/// Of so many columns, warm-ups included.
fn steps(config: &Column, columns: u32) -> u64 {
    let each = config.simulation.warm_up_steps() + config.simulation.recorded_steps();
    u64::from(columns) * u64::from(each)
}

/// In ms of model time.
fn bar(steps: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(steps / 10), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:12} {human_pos}/{human_len} ms  real-time factor {msg}  {eta} left")
        .expect("the template is a constant and has been drawn before");
    bar.with_style(style)
}

impl Answer {
    fn text(&self) -> String {
        let simulation = &self.config.simulation;
        let (seed, several) = (self.seed, self.seeds > 1);
        let whose = if several {
            format!("seeds {seed} to {}", seed.wrapping_add(u64::from(self.seeds) - 1))
        } else {
            format!("seed {seed}")
        };
        let mut out = format!(
            "column   {} neurons, {} synapses, {whose}\n\
             time     {} s after {} ms in {:.2} s: {:.2} s for 1 s of model time ({:.2} s for a column's synapses)\n\
             device   {}\n\n",
            output::grouped(self.neurons as u64),
            output::grouped(self.synapses as u64),
            simulation.seconds,
            simulation.warm_up,
            self.seconds,
            self.real_time_factor,
            self.building_seconds,
            self.device,
        );
        out += &self.table();
        if let Some(psth) = &self.psth {
            out += &psth_text(psth);
        }
        for file in &self.files {
            out += &format!("wrote    {}\n", self.out.join(file).display());
        }
        out
    }

    fn table(&self) -> String {
        let Published { full_column, nest, nest_sd, in_vivo } = &self.published;
        let known = nest.zip(*nest_sd);
        let width = if self.seeds > 1 { 15 } else { 8 };
        let mut out = format!(
            "{:<4} {:>8} {:>width$} {:>width$} {:>width$} {:>w2$}   {:>11}{} {:>8}\n",
            "",
            "neurons",
            "rate",
            "CV",
            "synchrony",
            "correlation",
            "full column",
            if known.is_some() { format!(" {:>14}", "NEST, 1/10") } else { String::new() },
            "in vivo",
            w2 = width + 6,
        );
        for (p, population) in self.populations.iter().enumerate() {
            let Population { name, neurons, rate, cv, synchrony, correlation, .. } = population;
            let nest =
                known.map_or(String::new(), |(mean, sd)| format!(" {:>14}", format!("{:.2} +- {:.2}", mean[p], sd[p])));
            let in_vivo = in_vivo[p].map_or(String::new(), |rate| format!("{rate:.2}"));
            let row = format!(
                "{name:<4} {neurons:>8} {:>width$} {:>width$} {:>width$} {:>w2$}   {:>11.2}{nest} {in_vivo:>8}",
                shown(*rate, 2),
                shown(*cv, 2),
                shown(*synchrony, 2),
                shown(*correlation, 4),
                full_column[p],
                w2 = width + 6,
            );
            out += row.trim_end();
            out.push('\n');
        }
        out + "rates in Hz; CV of intervals; synchrony: variance over mean of the count in 3 ms; correlation of counts in 2 ms\n\n"
    }
}

/// Mean and standard deviation over seeds; a dash where nothing was seen.
fn shown(spread: Spread, decimals: usize) -> String {
    match (spread.mean.is_finite(), spread.sd.is_finite()) {
        (false, _) => "-".into(),
        (true, false) => format!("{:.decimals$}", spread.mean),
        (true, true) => format!("{:.decimals$} +- {:.decimals$}", spread.mean, spread.sd),
    }
}

/// The highest rate after the beginning of a pulse, of every population.
fn psth_text(psth: &Response) -> String {
    let mut out = String::from("pulse    highest rate in a ms after its beginning, Hz (at ms):");
    for (name, rates) in NAMES.iter().zip(&psth.rates) {
        let after = psth.from_ms.iter().zip(rates).filter(|(from, _)| **from >= 0.0);
        let seen = after.filter_map(|(from, rate)| Some((*from, (*rate)?)));
        if let Some((from, rate)) = seen.reduce(|best, next| if next.1 > best.1 { next } else { best }) {
            out += &format!(" {name} {rate:.0} ({from:.0})");
        }
    }
    out + "\n\n"
}

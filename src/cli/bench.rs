//! `phylon bench`: what this machine makes of every kernel and task, beside other machines and earlier versions.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use phylon::bench::{Case, Record, Row};
use phylon::error::Result;
use serde::Serialize;

use super::{device, output};

/// Time every kernel and task, each against what this machine can do at most.
///
/// Ceilings are measured first: a copy, f32 multiply-adds (on the CPU a small matrix product), and on a GPU tensor cores and
/// hardware functions. Every rate is the median of some calls. Run it on a machine that does nothing else; it takes a minute or two.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon bench                                    everything
  phylon bench evolution rollout/cartpole         the cases whose names begin so
  phylon bench --list
  phylon bench --out before.json                  then, after a change or on another machine:
  phylon bench --vs before.json --vs h200.json    a column for each: this machine's rate over that one's")]
pub struct Args {
    /// Beginnings of the names of cases [default: all].
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// Compare with what --out wrote earlier or elsewhere. May be repeated.
    #[arg(long, value_name = "FILE")]
    vs: Vec<PathBuf>,
    /// Keep the result in this file, replacing an older one.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the cases, and time nothing.
    #[arg(long)]
    list: bool,
    /// Print one object; seconds, and rates per second.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: device::Args,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    record: &'a Record,
    vs: Vec<Comparison>,
}

/// With a file of `--vs`.
#[derive(Serialize)]
struct Comparison {
    file: String,
    device: String,
    phylon: String,
    date: String,
    /// For each row; null where the file has none.
    ratios: Vec<Option<f64>>,
}

pub fn run(args: &Args) -> Result<()> {
    let device = args.device.choose()?;
    let cases = Case::named(&args.cases, device.open()?.is_some())?;
    if args.list {
        return list(&cases, args.json);
    }
    // A file that cannot be read is found before the minutes of measuring.
    let others: Vec<Record> = args.vs.iter().map(|path| Record::read(path)).collect::<Result<_>>()?;
    let bar = ProgressBar::with_draw_target(Some(cases.len() as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:12} {pos}/{len}  {msg}")
        .expect("the template is a constant and has been drawn before");
    bar.set_style(style);
    bar.set_message("ceilings");
    let record = Record::of(&device, &cases, &|number, case| {
        bar.set_position(number as u64);
        bar.set_message(case.to_string());
    });
    bar.finish_and_clear();
    let record = record?;
    if let Some(path) = &args.out {
        record.write(path)?;
    }
    if args.json {
        let compare = |(path, other): (&PathBuf, &Record)| {
            let Record { device, phylon, date, .. } = other.clone();
            let ratios = record.rows.iter().map(|row| Record::ratio(row, other)).collect();
            Comparison { file: path.display().to_string(), device, phylon, date, ratios }
        };
        let vs = args.vs.iter().zip(&others).map(compare).collect();
        return output::json(&Answer { record: &record, vs });
    }
    output::print(&text(&record, &args.vs, &others))
}

fn list(cases: &[Case], json: bool) -> Result<()> {
    let named: Vec<(String, String)> = cases.iter().map(|case| (case.to_string(), case.summary())).collect();
    if json {
        let rows: Vec<_> =
            named.iter().map(|(name, summary)| serde_json::json!({"name": name, "summary": summary})).collect();
        return output::json(&rows);
    }
    let width = named.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    output::print(&named.iter().map(|(name, summary)| format!("{name:width$}  {summary}\n")).collect::<String>())
}

fn text(record: &Record, files: &[PathBuf], others: &[Record]) -> String {
    let mut text = format!("{}\n{}, phylon {}, {}\n", record.device, record.processor, record.phylon, record.date);
    for (number, (file, Record { device, phylon, date, .. })) in files.iter().zip(others).enumerate() {
        text += &format!("vs {}  {}: {device}, phylon {phylon}, {date}\n", number + 1, file.display());
    }
    let width = |of: &dyn Fn(&Row) -> usize| record.rows.iter().map(of).max().unwrap_or(0);
    let (case_width, part_width) = (width(&|row| row.case.len()).max(4), width(&|row| row.part.len()).max(4));
    text += &format!(
        "\n{:case_width$}  {:part_width$}  {:>28}  {:>9}  {:>16}",
        "case", "part", "rate", "a call", "of ceiling"
    );
    for number in 1..=others.len() {
        text += &format!("  {:>7}", format!("vs {number}"));
    }
    text += "\n";
    for row in &record.rows {
        let Row { case, part, rate, unit, seconds, of_ceiling, ceiling } = row;
        let rate = format!("{}{unit}", output::si(*rate));
        let seconds = seconds.map_or(String::new(), |seconds| format!("{}s", output::si(seconds)));
        let held = match (of_ceiling, ceiling) {
            (Some(part), Some(name)) => format!("{:.1} % {name:9}", 100.0 * part),
            _ => String::new(),
        };
        text += &format!("{case:case_width$}  {part:part_width$}  {rate:>28}  {seconds:>9}  {held:>16}");
        for other in others {
            let ratio = Record::ratio(row, other).map_or("-".into(), |ratio| format!("{ratio:.2}x"));
            text += &format!("  {ratio:>7}");
        }
        text.truncate(text.trim_end().len());
        text += "\n";
    }
    text
}

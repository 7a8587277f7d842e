//! `phylon reproduce`: the papers' tables, done again from the beginning.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;

use phylon::device::Device;
use phylon::error::{Error, Result};
use phylon::report::compare::probability;
use phylon::reproduction::markdown::{self, duration, spread};
use phylon::reproduction::{Reproduced, Reproduction, Request, TABLES, Table, Whose, train_ahead};
use phylon::run::{Ended, durable};
use serde::Serialize;

use super::{device, output};

/// Do a table of the papers again, and print our figures beside the paper's.
///
/// TABLE is a name of `--list` or its beginning: `synaptogen` is four tables, `all` every one. Each row shows our mean
/// and standard deviation over trials (the best centre of each on fresh episodes) or over grown agents, the paper's,
/// and a Welch test of the two where their scales and protocols allow for one; units and groups are tested against each
/// other by Mann-Whitney tests, corrected for their pairs.
///
/// The paper's own settings are the default, and take days in places: what is left to do is estimated first. With
/// --ours units and columns have settings that were found to learn, and with --quick all is scaled down to minutes on
/// two cores; what was is told and kept with the figures. Nothing that is finished is done again: the same command goes
/// on after any kill, and does more --trials.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon reproduce --list
  phylon reproduce enu-table1 --quick
  phylon reproduce enu-table1 --ours --rows iaf,stdp --trials 10
  phylon reproduce synaptogen --device cuda               the four tables, their trainings side by side
  phylon reproduce synaptogen-table1 --rows cartpole --genes 24 --seed 4
  phylon reproduce column-structure --dry-run             what it would take
  phylon reproduce --markdown docs/results/tables --into README.md docs/results/tables.md

A table's folder, DIR/TABLE (with -ours, -quick), gets result.json (all of its rows that are there), and a folder for \
each part: of units and columns a sweep (as of phylon sweep), of agents the trainings, searches and profiles (which \
phylon grow reads), summary.txt, result.json and scores.svg.")]
pub struct Args {
    /// The tables.
    #[arg(value_name = "TABLE", required_unless_present_any = ["list", "markdown"])]
    tables: Vec<String>,
    /// Show all tables, their rows and what they take.
    #[arg(long, conflicts_with_all = ["tables", "markdown"])]
    list: bool,
    /// Scale everything down to minutes on two cores, and say what was.
    #[arg(long)]
    quick: bool,
    /// Settings that learn, where those of the paper were not seen to: of single units (configs/enu-iaf.toml and
    /// others) and of searches of a column (CMA-ES).
    #[arg(long)]
    ours: bool,
    /// Runs of each row of units [default: 30; with --quick 2 or 3] and of columns [default: 3].
    #[arg(long, value_name = "N")]
    trials: Option<NonZeroU32>,
    /// Only these rows: names of --list, or words of them: iaf, gru, cartpole. Others that are there stay in the
    /// result.
    #[arg(long, value_name = "ROW,...", value_delimiter = ',')]
    rows: Vec<String>,
    /// Seed of the first trial or training; the others have those that follow.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Of units and columns: override a key of their configs. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Of agents: genes of a profile, in place of the table's.
    #[arg(long, value_name = "N")]
    genes: Option<NonZeroUsize>,
    /// Of agents: environment steps of each training and each search [default: 500000; with --quick 5000].
    #[arg(long, value_name = "N")]
    steps: Option<NonZeroU32>,
    /// Folder of the folders of tables.
    #[arg(long, value_name = "DIR", default_value = "runs/tables")]
    out: PathBuf,
    /// Print what is left to do and what it would take, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// No progress on stderr.
    #[arg(short, long)]
    quiet: bool,
    /// Print one object; of several tables an array of them.
    #[arg(long)]
    json: bool,
    /// Print the results that are kept in a folder as tables in Markdown.
    #[arg(long, value_name = "DIR", conflicts_with = "tables")]
    markdown: Option<PathBuf>,
    /// Put them into these files instead, between <!-- tables --> (a line a table) or <!-- tables: all --> and <!--
    /// /tables -->.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "markdown")]
    into: Vec<PathBuf>,
    #[command(flatten)]
    device: device::Args,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    if args.list {
        return list(args.json).map(|()| ExitCode::SUCCESS);
    }
    if let Some(folder) = &args.markdown {
        return in_markdown(folder, &args.into).map(|()| ExitCode::SUCCESS);
    }
    let reproductions = args.reproductions()?;
    let device = args.device.choose()?;
    announce(args, &reproductions, &device)?;
    if args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    train_ahead(&reproductions, &device, args.quiet)?;
    let mut results = Vec::new();
    for reproduction in &reproductions {
        let ended = reproduction.run(&device, args.quiet)?;
        let result = reproduction.conclude(&device)?;
        if ended == Ended::Interrupted {
            return Ok(ExitCode::from(130));
        }
        if !args.json {
            output::print(&format!("{}written: {}\n\n", text(&result), reproduction.result_path().display()))?;
        }
        results.push(result);
    }
    if args.json {
        match &results[..] {
            [result] => output::json(result)?,
            several => output::json(&several)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn reproductions(&self) -> Result<Vec<Reproduction>> {
        let mut tables: Vec<&'static Table> = Vec::new();
        for name in &self.tables {
            for table in Table::named(name)? {
                if !tables.iter().any(|other| other.name == table.name) {
                    tables.push(table);
                }
            }
        }
        let request = |table| Request {
            table,
            whose: if self.ours { Whose::Ours } else { Whose::Paper },
            quick: self.quick,
            trials: self.trials.map(NonZeroU32::get),
            rows: self.rows.clone(),
            seed: self.seed,
            overrides: self.overrides.clone(),
            genes: self.genes.map(NonZeroUsize::get),
            steps: self.steps.map(NonZeroU32::get),
            out: self.out.clone(),
        };
        tables.into_iter().map(|table| Reproduction::new(request(table))).collect()
    }
}

/// Say what is otherwise than in the paper, and what is left to do. A dry run says it on stdout.
fn announce(args: &Args, reproductions: &[Reproduction], device: &Device) -> Result<()> {
    if args.quiet && !args.dry_run {
        return Ok(());
    }
    let mut text = String::new();
    for reproduction in reproductions {
        let table = reproduction.table();
        text += &format!("{}: {}\n", table.name, table.summary);
        text += &format!("  in {}, on {}\n", reproduction.folder().display(), device.description);
        for (part, scaled) in reproduction.scaled() {
            if !scaled.is_empty() {
                text += &format!("  {part}, SCALED DOWN: {}\n", scaled.join(", "));
            }
        }
        if args.quick {
            continue;
        }
        text += &format!("  the whole table takes: {}\n", table.whole);
        let mut all = (0.0, 0.0);
        for (part, cost) in reproduction.costs(device)? {
            let time = cost.seconds.map_or_else(String::new, |seconds| format!(": {}", between(seconds)));
            text += &format!("  {part}: {}{time}\n", cost.told);
            let (least, most) = cost.seconds.unwrap_or((0.0, 0.0));
            all = (all.0 + least, all.1 + most);
        }
        if all.1 > 0.0 {
            text += &format!("  in all, at the pace of a short timing: {}\n", between(all));
        }
    }
    if args.dry_run {
        return output::print(&text);
    }
    eprint!("{text}");
    Ok(())
}

/// `12 min`, `2 to 20 h`
fn between((least, most): (f64, f64)) -> String {
    let (from, to) = (duration(least), duration(most));
    if from == to { format!("about {from}") } else { format!("about {from} to {to}, as agents learn to live") }
}

/// What `--list --json` prints of a table.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    summary: &'static str,
    rows: Vec<String>,
    takes: &'static str,
}

fn list(json: bool) -> Result<()> {
    let listed = TABLES.iter().map(|table| Listed {
        name: table.name,
        summary: table.summary,
        rows: table.parts(),
        takes: table.whole,
    });
    if json {
        return output::json(&listed.collect::<Vec<_>>());
    }
    let lines = listed.map(|Listed { name, summary, rows, takes }| {
        format!("{name}\n  {summary}\n  rows: {}\n  takes: {takes}\n", rows.join(", "))
    });
    output::print(&(lines.collect::<String>() + "With --quick all of them together take minutes on two cores.\n"))
}

fn in_markdown(folder: &std::path::Path, into: &[PathBuf]) -> Result<()> {
    let results = markdown::read_all(folder)?;
    if into.is_empty() {
        return output::print(&markdown::all(&results));
    }
    for path in into {
        let text = std::fs::read_to_string(path).map_err(|source| Error::io("read", path, source))?;
        let updated = markdown::update(&text, &results).map_err(|why| Error::bad_file(path, why.to_string()))?;
        if updated != text {
            durable::replace(path, updated.as_bytes())?;
        }
    }
    Ok(())
}

fn text(result: &Reproduced) -> String {
    let mut text = format!("{}: {}\n", result.table, result.described());
    let width = |of: &dyn Fn(&phylon::reproduction::Row) -> usize| result.rows.iter().map(of).max().unwrap_or(0).max(4);
    let (columns, names) = (width(&|row| row.column.chars().count()), width(&|row| row.name.chars().count()));
    text += &format!(
        "{:columns$}  {:names$}  {:>20}  {:>10}  {:>18}  {:>10}  {:>8}  config\n",
        "", "", "ours, mean +- sd", "over", "paper", "p (Welch)", "time"
    );
    for row in &result.rows {
        text += &format!(
            "{:columns$}  {:names$}  {:>20}  {:>10}  {:>18}  {:>10}  {:>8}  {}\n",
            row.column,
            row.name,
            spread(row.mean, row.sd),
            row.over(),
            row.paper.map_or("-".into(), |paper| spread(paper.mean, paper.sd)),
            row.test.map_or("-".into(), |test| probability(test.p)),
            row.seconds.map_or("-".into(), duration),
            row.config
        );
    }
    let mut said: Vec<String> = Vec::new();
    for row in &result.rows {
        for note in &row.notes {
            let line = format!("  {}: {note}\n", row.column);
            if !said.contains(&line) {
                said.push(line);
            }
        }
    }
    text += &said.concat();
    if !result.comparisons.is_empty() {
        text += "Mann-Whitney, p corrected for the pairs of a column: how often the first is larger\n";
    }
    for pair in &result.comparisons {
        text += &format!(
            "  {}: {} > {} {:.2}, p {} {}\n",
            pair.column,
            pair.first,
            pair.second,
            pair.larger,
            probability(pair.corrected_p),
            pair.stars
        );
    }
    text
}

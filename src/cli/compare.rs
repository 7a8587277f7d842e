//! `phylon compare`: runs of one task beside each other, and whether they differ.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use phylon::error::Result;
use phylon::report::Evaluation;
use phylon::report::compare::{Comparison, Pair, Values, probability};
use phylon::sweep;

use super::output;

/// Compare runs of one task: curves in one figure, and tests whether they differ.
///
/// The best centre of each run (the last, where there is no best one yet) plays the same fresh episodes, and a page is drawn
/// with the runs' curves over generations and over environment steps. Runs that differ in their seed alone are one group. Groups
/// are compared by two-sided Mann-Whitney tests, corrected for their number: over the runs' mean fitness where both groups have
/// three runs or more, else over episodes, which tells whether these very parameters differ.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon compare runs/enu runs/gru
  phylon compare runs/enu-seed-* runs/gru-seed-* --out runs/enu-gru.html
  phylon compare runs/quickstart-sweep                   all finished runs of a sweep
  phylon compare runs/enu runs/gru --episodes 100000 --json")]
pub struct Args {
    /// Run folders, and folders of sweeps, which stand for their finished runs.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Where to write the page; the curves alone where it ends in .svg.
    #[arg(long, value_name = "FILE", default_value = "runs/compare.html")]
    out: PathBuf,
    /// Episodes to compare on; none of them was used by a run [default: 10000; in a maze, where they are long, 1000].
    #[arg(long, value_name = "N")]
    episodes: Option<NonZeroUsize>,
    /// Seed of the fresh episodes.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Print one object with the groups and the pairs.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let mut paths = Vec::new();
    for path in &args.runs {
        if sweep::Folder::is_at(path) {
            paths.extend(sweep::Folder::open(path)?.finished()?);
        } else {
            paths.push(path.clone());
        }
    }
    let comparison = Comparison::of(&paths, args.episodes.map(NonZeroUsize::get), args.seed)?;
    comparison.write(&args.out)?;
    if args.json {
        return output::json(&comparison);
    }
    output::print(&format!("{}written: {}\n", text(&comparison), args.out.display()))
}

fn text(comparison: &Comparison) -> String {
    let Comparison { groups, pairs, episodes, seed, keys, .. } = comparison;
    let longest = |names: &mut dyn Iterator<Item = usize>| names.max().unwrap_or(0).max(4);
    let width = longest(&mut groups.iter().map(|group| group.name.chars().count()));
    let mut text =
        format!("{:<width$}  runs  fitness of best centres on {episodes} fresh episodes of seed {seed}\n", "");
    for group in groups {
        let Evaluation { mean, ci95: (low, high), .. } = group.fitness;
        let over = if group.runs.len() > 1 { "runs" } else { "episodes" };
        text += &format!(
            "{:<width$}  {:>4}  {mean:.4} (95 % confidence interval {low:.4} to {high:.4}, over {over})\n",
            group.name,
            group.runs.len()
        );
    }
    if !keys.is_empty() {
        text += "\nwhat differs\n";
    }
    for (k, key) in keys.iter().enumerate() {
        let values = groups.iter().map(|group| group.values[k].clone().unwrap_or_else(|| "-".into()));
        text += &format!("  {key}: {}\n", values.collect::<Vec<_>>().join(", "));
    }
    if !pairs.is_empty() {
        text += "\nMann-Whitney: how often the first is larger, p, and p corrected for all pairs\n";
    }
    for pair in pairs {
        let over = if pair.over == Values::Runs { "runs" } else { "episodes" };
        let (test, corrected) = (pair.comparison.test, pair.comparison.corrected_p);
        let stars = if pair.stars.is_empty() { String::new() } else { format!(" {}", pair.stars) };
        let Pair { first, second, .. } = pair;
        text += &format!("  {first} > {second}: {test}, corrected {}{stars} (over {over})\n", probability(corrected));
    }
    text + "\n"
}

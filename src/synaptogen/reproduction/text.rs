//! What came of a reproduction, for people: every group, training and search.

use super::{Report, Settings};
use crate::synaptogen::evaluation::Metrics;

impl Report {
    /// Tables in plain text.
    pub fn text(&self) -> String {
        let Self { settings, trainings, searches, groups, comparisons } = self;
        let Settings { env, genes, rules_from_data, steps, seed, .. } = settings;
        let rules = if *rules_from_data { " with rules from data" } else { "" };
        let agents = groups.first().map_or(0, |group| group.scores.len());
        let mut text =
            format!("{env}, {genes} genes{rules}, {steps} steps, seed {seed}: scores of {agents} agents\n\n");
        text += "                   mean       sd  top-10 mean       sd   solved\n";
        for group in groups {
            text += &row(group.name, &group.metrics);
            match &group.published {
                Some(published) => text += &row("  paper", published),
                None => text += "  paper             -\n",
            }
        }
        text += "\nMann-Whitney, p corrected for three pairs; which is larger how often\n";
        for pair in comparisons {
            let (p, larger) = (pair.comparison.corrected_p, pair.comparison.test.larger);
            text += &format!("  {:<10} > {:<10} {larger:.2}  p = {p:.2e} {}\n", pair.first, pair.second, pair.stars);
        }
        text += "\ntrainings    mean network over 10 episodes, by which * is taken; fresh agents\n";
        for t in trainings {
            let mark = if t.chosen { '*' } else { ' ' };
            text += &format!(
                "{mark} rate {:<7} seed {:<3} {:>9.2} +- {:<7.2} {:>9.2} +- {:.2}\n",
                t.rate, t.seed, t.mean, t.sd, t.agents_mean, t.agents_sd
            );
        }
        text += "searches     fresh agents, by which * is taken\n";
        for s in searches {
            let (mark, generations) = (if s.chosen { '*' } else { ' ' }, s.generations.len());
            text += &format!(
                "{mark} population {:<3} agents {:<3} {:>9.2} +- {:.2} after {generations} generations\n",
                s.population, s.agents, s.mean, s.sd
            );
        }
        text
    }
}

fn row(name: &str, metrics: &Metrics) -> String {
    let Metrics { mean, sd, top10_mean, top10_sd, solved_percent } = *metrics;
    format!("{name:<12} {mean:>10.2} {sd:>8.2} {top10_mean:>12.2} {top10_sd:>8.2} {solved_percent:>6.0} %\n")
}

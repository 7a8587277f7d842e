//! The published figures to compare with: tables 1 to 4 of the paper, in `data/synaptogen_results.json`.

use serde::Deserialize;

use super::super::evaluation::Metrics;
use super::GROUPS;

/// The paper's names of the groups.
const NAMES: [&str; 3] = ["SynaptoGen", "SNES", "bio-plausible"];

#[derive(Deserialize)]
struct Results {
    tables: Vec<Table>,
}

#[derive(Deserialize)]
struct Table {
    genes: usize,
    rules_from_data: bool,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    environment: String,
    model: String,
    #[serde(flatten)]
    metrics: Metrics,
}

/// The row of a group in a world, by Gymnasium's id of any version; none where the paper has no such table.
pub fn published(gymnasium: &str, genes: usize, rules_from_data: bool, group: &str) -> Option<Metrics> {
    let results: Results = serde_json::from_str(include_str!("../../../data/synaptogen_results.json"))
        .expect("the file is part of the program, and a test reads it");
    let family = |id: &str| id.rsplit_once("-v").map_or_else(|| id.to_owned(), |(family, _)| family.to_owned());
    let model = GROUPS.iter().zip(NAMES).find(|(name, _)| **name == group)?.1;
    let table = results.tables.into_iter().find(|t| t.genes == genes && t.rules_from_data == rules_from_data)?;
    let row = table.rows.into_iter().find(|row| family(&row.environment) == family(gymnasium) && row.model == model)?;
    Some(row.metrics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_every_world_and_group() {
        for (genes, from_data) in [(16, false), (39, true), (32, false), (64, false)] {
            for world in ["CartPole-v1", "MountainCar-v0", "LunarLander-v3", "Acrobot-v1"] {
                for group in GROUPS {
                    let metrics = published(world, genes, from_data, group);
                    assert!(metrics.is_some_and(|m| m.top10_mean >= m.mean), "{world}, {genes} genes: {group}");
                }
            }
        }
        let mean = |genes, from_data, group| published("LunarLander-v3", genes, from_data, group).map(|m| m.mean);
        assert_eq!(mean(16, false, "SynaptoGen"), Some(197.92));
        assert_eq!(mean(39, true, "control"), Some(-499.67));
        assert_eq!((mean(39, false, "SNES"), mean(17, false, "SNES"), mean(16, false, "GA")), (None, None, None));
    }
}

//! What the papers report, from `data/`: each file names its source. (Those of grown agents are in
//! [`crate::synaptogen::reproduction`].)

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::column::search::Group;

/// A published figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The figure, or the mean.
    pub mean: f64,
    /// Standard deviation over what was repeated.
    pub sd: Option<f64>,
    /// How many these were.
    pub n: Option<u32>,
}

/// A unit of a table of [`Experiment`](super::tables::Experiment)s, by the paper's names.
pub fn of_unit(table: &str, task: &str, model: &str) -> Option<Published> {
    let results = parse(include_str!("../../data/enu_results.json"));
    let table = results["tables"].as_array()?.iter().find(|of| of["name"] == table)?;
    let cell = &table["rows"].as_array()?.iter().find(|row| row["model"] == model)?[task];
    let n = results["trials"].as_u64().and_then(|n| u32::try_from(n).ok());
    Some(Published { mean: cell["mean"].as_f64()?, sd: cell["sd"].as_f64(), n })
}

/// What the thesis reports of a search of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct OfSearch {
    /// Where it begins, Hz.
    pub base: f64,
    /// Of the best candidate, Hz; none where it is only told in words.
    pub error: Option<f64>,
    /// These words.
    pub told: Option<String>,
    /// Of the excitatory populations of each layer, Hz.
    pub rates: Option<Vec<f64>>,
}

/// Of the search of a group of parameters.
pub fn of_search(group: Group) -> OfSearch {
    let results = parse(include_str!("../../data/column_results.json"));
    let name = match group {
        Group::Neuron => "neuron parameters",
        Group::Synapse => "synapse parameters",
        Group::Structure => "structure parameters",
        Group::All => "all parameters",
    };
    let experiment = results["experiments"].as_array().and_then(|all| all.iter().find(|of| of["name"] == name));
    let error = experiment.map_or(&Value::Null, |of| &of["best_error"]);
    let rates = (group == Group::Structure).then(|| results["table_1"]["results"].as_array()).flatten();
    OfSearch {
        base: results["baseline_error_stated"].as_f64().unwrap_or(f64::NAN),
        error: error.as_f64(),
        told: error.as_str().map(str::to_owned),
        rates: rates.map(|rates| rates.iter().filter_map(Value::as_f64).collect()),
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("the file is part of the program, and a test reads it")
}

#[cfg(test)]
mod tests {
    use super::super::tables::{Subject, TABLES};
    use super::*;

    #[test]
    fn every_row_of_units_is_there() {
        for table in &TABLES[..2] {
            let Subject::Units(experiments) = &table.subject else { panic!("{} is of units", table.name) };
            for experiment in *experiments {
                for model in experiment.models {
                    let published = of_unit(table.name, experiment.title, model.title());
                    assert!(
                        published.is_some_and(|of| of.sd > Some(0.0) && of.n == Some(30)),
                        "{} {}",
                        experiment.title,
                        model.title()
                    );
                }
            }
        }
        let of = |table, task, model| of_unit(table, task, model).map(|of| of.mean);
        assert_eq!(of("enu-table1", "IAF", "ENU"), Some(-18.22));
        assert_eq!(of("enu-extended1", "Double T-Maze", "SHAREDENU"), Some(12.35));
        assert_eq!(of("enu-table1", "IAF", "SHAREDENU"), None);
    }

    #[test]
    fn every_search_is_there() {
        let errors = [Group::Structure, Group::Synapse, Group::Neuron].map(|group| of_search(group).error);
        assert_eq!(errors, [Some(0.031), Some(1.96), Some(2.2)]);
        let all = of_search(Group::All);
        assert_eq!((all.error, all.base), (None, 9.26));
        assert!(all.told.is_some_and(|told| told.contains("0.01 above")));
        assert_eq!(of_search(Group::Structure).rates, Some(vec![0.29, 1.4, 2.52, 0.5]));
    }
}

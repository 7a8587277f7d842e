//! What came of a table: its rows with the paper's figures and the tests, as `result.json` and the committed results
//! have it.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Whose;
use super::published::Published;
use crate::error::{Error, Result};
use crate::report::{Evaluation, Sample, Welch};
use crate::synaptogen::evaluation::Comparison;

/// Values of each group from which on groups are tested against each other: that of [`crate::report::compare`].
const ENOUGH: usize = 3;
/// More values than these are left where they are, with the parts.
const FEW: usize = 30;

/// A table, done again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reproduced {
    /// Which.
    pub table: String,
    /// The paper's settings, or ours.
    pub settings: Whose,
    /// Scaled down to minutes.
    pub quick: bool,
    /// Those of its parts that are there, in the table's order.
    pub rows: Vec<Row>,
    /// Groups of the same column against each other.
    pub comparisons: Vec<Compared>,
}

/// A figure of ours beside the paper's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What it is done in: `iaf-enu`.
    pub part: String,
    /// The paper's column, world or group of parameters.
    pub column: String,
    /// The unit, group of agents or measure.
    pub name: String,
    /// Mean over `n`.
    pub mean: f64,
    /// Standard deviation over them, n - 1 in the denominator; null of one.
    pub sd: Option<f64>,
    /// How many.
    pub n: usize,
    /// Of what: `trials` or `agents`.
    pub of: String,
    /// Of each, unless they are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f64>,
    /// The paper's.
    pub paper: Option<Published>,
    /// Whether the two differ.
    pub test: Option<Welch>,
    /// What there is to say of the figures, such as why they are not tested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What is otherwise than in these settings: `es.population (1024 -> 64)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scaled: Vec<String>,
    /// Of the part, without the pauses before resumes; null where it is not known.
    pub seconds: Option<f64>,
    /// What decides the bits of the part, of the first trial.
    pub config: String,
    /// What computed when the row was made.
    pub device: String,
    /// Where a figure was taken from that had been there before this table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Two groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Both are of this column.
    pub column: String,
    /// One.
    pub first: String,
    /// The other.
    pub second: String,
    /// How likely a value of the first is larger, equal ones counted half.
    pub larger: f64,
    /// Mann-Whitney, two-sided, times the pairs of the column (Bonferroni).
    pub corrected_p: f64,
    /// From 0.05, 0.01, 0.001 and 0.0001 down.
    pub stars: String,
}

impl Row {
    /// Of values, beside the paper's figure, with the test where there is one to make; without config and time.
    pub(super) fn new(
        [part, column, name]: [&str; 3],
        values: &[f64],
        of: &str,
        paper: Option<Published>,
        untested: Option<&str>,
    ) -> Self {
        let Evaluation { mean, sd, .. } = Evaluation::of(values);
        let n = values.len();
        let mut notes = Vec::new();
        let against = paper.and_then(|paper| {
            let (sd, n) = (paper.sd?, f64::from(paper.n?));
            Some(Sample { mean: paper.mean, sd, n })
        });
        let test = match (untested, against) {
            (Some(why), _) => {
                notes.push(why.to_owned());
                None
            }
            (None, Some(against)) => Welch::of(Sample { mean, sd, n: n as f64 }, against),
            (None, None) => None,
        };
        if untested.is_none() && against.is_some() && test.is_none() {
            notes.push(format!("{} too few for a test", if n == 1 { "one is" } else { "these are" }));
        }
        Self {
            part: part.to_owned(),
            column: column.to_owned(),
            name: name.to_owned(),
            mean,
            sd: sd.is_finite().then_some(sd),
            n,
            of: of.to_owned(),
            values: if n <= FEW { values.to_vec() } else { Vec::new() },
            paper,
            test,
            notes,
            scaled: Vec::new(),
            seconds: None,
            config: String::new(),
            device: String::new(),
            source: None,
        }
    }

    /// `3 trials`
    pub fn over(&self) -> String {
        let of = if self.n == 1 { self.of.trim_end_matches('s') } else { &self.of };
        format!("{} {of}", self.n)
    }
}

impl Reproduced {
    /// Read one.
    ///
    /// # Errors
    /// When the file cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|source| Error::io("read", path, source))?;
        serde_json::from_str(&text)
            .map_err(|error| Error::bad_file(path, format!("it is no result of phylon reproduce: {error}")))
    }

    /// As [`Reproduced::read`] has it.
    ///
    /// # Errors
    /// When a number cannot be written.
    pub fn to_json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Error::Run(format!("cannot write JSON: {e}")))?;
        Ok(text + "\n")
    }

    /// In words: `the paper's settings, SCALED DOWN`.
    pub fn described(&self) -> String {
        let settings = match self.settings {
            Whose::Paper => "the paper's settings",
            Whose::Ours => "settings of ours",
        };
        let scaled = self.rows.iter().any(|row| !row.scaled.is_empty());
        format!("{settings}{}", if scaled { ", SCALED DOWN" } else { "" })
    }
}

/// Every two groups of a column, with the values that belong to them.
pub(super) fn compare(groups: &[(&str, &str, Vec<f64>)]) -> Vec<Compared> {
    let mut compared = Vec::new();
    for column in groups.chunk_by(|a, b| a.0 == b.0) {
        let pairs: Vec<(usize, usize)> =
            (0..column.len()).flat_map(|first| (first + 1..column.len()).map(move |second| (first, second))).collect();
        for &(first, second) in &pairs {
            let [(name, first, values), (_, second, others)] = [&column[first], &column[second]];
            if values.len().min(others.len()) < ENOUGH {
                continue;
            }
            let comparison = Comparison::among(values, others, pairs.len() as f64);
            compared.push(Compared {
                column: (*name).to_owned(),
                first: (*first).to_owned(),
                second: (*second).to_owned(),
                larger: comparison.test.larger,
                corrected_p: comparison.corrected_p,
                stars: comparison.stars().to_owned(),
            });
        }
    }
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: Published = Published { mean: -18.22, sd: Some(2.44), n: Some(30) };

    fn row(values: &[f64], paper: Option<Published>, untested: Option<&str>) -> Row {
        Row::new(["iaf-enu", "IAF", "ENU"], values, "trials", paper, untested)
    }

    #[test]
    fn a_row_is_tested_where_it_can_be_and_says_why_where_not() {
        let tested = row(&[-18.0, -19.0, -17.0], Some(PAPER), None);
        assert!(tested.test.is_some_and(|test| test.p > 0.1) && tested.notes.is_empty(), "{tested:?}");
        assert_eq!((tested.mean, tested.sd, tested.n), (-18.0, Some(1.0), 3));
        let apart = row(&[-58.0, -59.0, -57.0], Some(PAPER), None);
        assert!(apart.test.is_some_and(|test| test.p < 1e-3 && test.difference < -39.0), "{apart:?}");
        let one = row(&[-18.0], Some(PAPER), None);
        assert_eq!((one.test, one.sd, &one.notes[..]), (None, None, &["one is too few for a test".to_owned()][..]));
        let untested = row(&[1.0, 2.0], Some(PAPER), Some("another scale"));
        assert_eq!((untested.test, &untested.notes[..]), (None, &["another scale".to_owned()][..]));
        assert!(row(&[1.0, 2.0], None, None).notes.is_empty());
        assert_eq!([one.over(), tested.over()], ["1 trial", "3 trials"]);
    }

    #[test]
    fn groups_of_a_column_are_compared_with_a_correction_for_its_pairs() {
        let low: Vec<f64> = (0..10).map(f64::from).collect();
        let high: Vec<f64> = (100..110).map(f64::from).collect();
        let groups = [
            ("IAF", "ENU", high.clone()),
            ("IAF", "GRU", low.clone()),
            ("IAF", "LSTM", low.clone()),
            ("STDP", "ENU", high),
            ("STDP", "GRU", vec![1.0, 2.0]),
        ];
        let compared = compare(&groups);
        assert_eq!(compared.len(), 3, "two values are too few");
        assert_eq!((compared[0].second.as_str(), compared[0].larger, compared[0].stars.as_str()), ("GRU", 1.0, "***"));
        let alone = Comparison::among(&groups[0].2, &groups[1].2, 1.0).corrected_p;
        assert!((compared[0].corrected_p / alone - 3.0).abs() < 1e-12);
        assert_eq!((compared[2].corrected_p, compared[2].stars.as_str()), (1.0, ""));
    }

    #[test]
    fn results_come_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        // Numbers of few digits: JSON is read to within a last bit.
        let paper = Published { mean: 2.0, sd: Some(0.0), n: Some(30) };
        let rows = vec![row(&[2.0, 2.0], Some(paper), None), row(&[0.25], None, None)];
        let result = Reproduced {
            table: "enu-table1".into(),
            settings: Whose::Ours,
            quick: true,
            comparisons: compare(&[("a", "b", vec![1.0, 2.0, 3.0]), ("a", "c", vec![1.0, 2.0, 3.0])]),
            rows,
        };
        fs::write(&path, result.to_json().unwrap()).unwrap();
        assert_eq!(Reproduced::read(&path).unwrap(), result);
        fs::write(&path, "{}").unwrap();
        assert!(Reproduced::read(&path).unwrap_err().to_string().contains("no result of phylon reproduce"));
    }
}

//! Rules from data (Algorithm 4, appendix I of the paper): which genes, expressed in one neuron and another, go with a synapse
//! between the two.
//!
//! For each ordered pair of genes, `ln(1 + e_iu e_jw)` over neuron pairs with a synapse is compared with the same over pairs
//! that have either a contact or a synapse but not both. The pair is co-expressed where a two-sided t-test of equal variances,
//! its p multiplied by the number of gene pairs, is significant and the mean over synapses is the larger one.

use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::num::transcendental::ln_1p;

/// Level of significance after the correction for the number of tests.
const LEVEL: f64 = 0.05;

/// Expression and connectivity of a nervous system.
#[derive(Debug, Clone)]
pub struct Neurons {
    /// Names of the genes.
    pub genes: Vec<String>,
    /// Expression, at least 0: `[neuron][gene]`.
    pub expression: Vec<f64>,
    /// Whether there are synapses: `[pre][post]`.
    pub synapse: Vec<bool>,
    /// Whether membranes touch: `[pre][post]`.
    pub contact: Vec<bool>,
}

impl Neurons {
    /// The nerve ring of C. elegans: 84 classes of neurons, 141 genes of cell adhesion. `data/celegans/README.md` says where the
    /// tables come from and their licence.
    pub fn celegans() -> Self {
        let (genes, expression) = table(include_str!("../../data/celegans/expression_cam.csv"));
        let is_there = |text| table(text).1.into_iter().map(|value| value > 0.0).collect();
        Self {
            genes,
            expression,
            synapse: is_there(include_str!("../../data/celegans/synapse.csv")),
            contact: is_there(include_str!("../../data/celegans/contact.csv")),
        }
    }
}

/// Names of the columns and all values, row by row. The first column holds names of rows.
fn table(text: &str) -> (Vec<String>, Vec<f64>) {
    let mut lines = text.lines();
    let names = lines.next().unwrap_or_default().split(',').skip(1).map(str::to_owned).collect();
    let number = |field: &str| field.parse().expect("the tables are part of the program, and a test reads them");
    (names, lines.flat_map(|line| line.split(',').skip(1)).map(number).collect())
}

/// The tests of all ordered gene pairs, `[pre gene][post gene]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CoExpression {
    /// Number of genes.
    pub genes: usize,
    /// Mean over synapses less mean over the other pairs.
    pub difference: Vec<f64>,
    /// Student's t; NaN where no value differs from another.
    pub t: Vec<f64>,
    /// Two-sided p of one test, not corrected; NaN with t.
    pub p: Vec<f64>,
    /// Whether the pair is co-expressed.
    pub rules: Vec<bool>,
}

impl CoExpression {
    /// Of these neurons.
    pub fn of(neurons: &Neurons) -> Self {
        let genes = neurons.genes.len();
        let count = neurons.expression.len() / genes.max(1);
        let pairs = |is_of: &dyn Fn(usize) -> bool| -> Vec<(usize, usize)> {
            (0..count * count).filter(|&pair| is_of(pair)).map(|pair| (pair / count, pair % count)).collect()
        };
        let connected = pairs(&|pair| neurons.synapse[pair]);
        let apart = pairs(&|pair| neurons.synapse[pair] != neurons.contact[pair]);
        let freedom = (connected.len() + apart.len()) as f64 - 2.0;
        let student = StudentsT::new(0.0, 1.0, freedom).ok();
        let test = |gene_pair: usize| {
            let (u, w) = (gene_pair / genes, gene_pair % genes);
            let product = |&(i, j): &(usize, usize)| {
                let both = neurons.expression[i * genes + u] * neurons.expression[j * genes + w];
                // Most are.
                if both == 0.0 { 0.0 } else { ln_1p(both) }
            };
            let (first, second) = (Sample::of(&connected, product), Sample::of(&apart, product));
            let difference = first.mean - second.mean;
            let pooled = (first.squares + second.squares) / freedom;
            let t = if pooled > 0.0 {
                difference / (pooled * (1.0 / connected.len() as f64 + 1.0 / apart.len() as f64)).sqrt()
            } else {
                f64::NAN
            };
            let p = if t.is_nan() { t } else { student.map_or(f64::NAN, |law| 2.0 * law.sf(t.abs())) };
            (difference, t, p)
        };
        let tests: Vec<(f64, f64, f64)> = (0..genes * genes).into_par_iter().map(test).collect();
        let is_rule = |&(difference, _, p): &(f64, f64, f64)| p * (genes * genes) as f64 <= LEVEL && difference > 0.0;
        Self {
            genes,
            difference: tests.iter().map(|test| test.0).collect(),
            t: tests.iter().map(|test| test.1).collect(),
            p: tests.iter().map(|test| test.2).collect(),
            rules: tests.iter().map(is_rule).collect(),
        }
    }

    /// Genes that have a part in any rule, in their order.
    pub fn kept(&self) -> Vec<usize> {
        let has_rule =
            |&g: &usize| (0..self.genes).any(|o| self.rules[g * self.genes + o] || self.rules[o * self.genes + g]);
        (0..self.genes).filter(has_rule).collect()
    }

    /// The rules among the kept genes, `[pre gene][post gene]`: the mask of a profile with rules from data.
    pub fn mask(&self) -> Vec<bool> {
        let kept = self.kept();
        kept.iter().flat_map(|&u| kept.iter().map(move |&w| self.rules[u * self.genes + w])).collect()
    }
}

/// Mean, and sum of squared distances from it.
struct Sample {
    mean: f64,
    squares: f64,
}

impl Sample {
    fn of(pairs: &[(usize, usize)], value: impl Fn(&(usize, usize)) -> f64) -> Self {
        let values: Vec<f64> = pairs.iter().map(value).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Self { mean, squares: values.iter().map(|v| (v - mean) * (v - mean)).sum() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `data/celegans/rules.csv` holds the published rules, computed by another program.
    #[test]
    fn the_worm_has_47_rules_among_39_genes() {
        let neurons = Neurons::celegans();
        assert_eq!((neurons.genes.len(), neurons.expression.len()), (141, 84 * 141));
        assert_eq!((neurons.synapse.len(), neurons.contact.len()), (84 * 84, 84 * 84));
        let tests = CoExpression::of(&neurons);
        let mut published = 0;
        for line in include_str!("../../data/celegans/rules.csv").lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let gene = |name: &str| neurons.genes.iter().position(|gene| gene == name).expect("a gene of the table");
            let pair = gene(fields[0]) * 141 + gene(fields[1]);
            assert!(tests.rules[pair], "{line}");
            let seen = [tests.difference[pair], tests.t[pair], tests.p[pair] * 141.0 * 141.0];
            for (seen, field) in seen.into_iter().zip(&fields[2..]) {
                let expected: f64 = field.parse().expect("a number");
                assert!((seen / expected - 1.0).abs() < 1e-9, "{line}: {seen}");
            }
            published += 1;
        }
        assert_eq!((published, tests.rules.iter().filter(|rule| **rule).count()), (47, 47));
        assert_eq!((tests.kept().len(), tests.mask().len()), (39, 39 * 39));
        assert_eq!(tests.mask().iter().filter(|rule| **rule).count(), 47);
        assert_eq!(tests.p.iter().filter(|p| p.is_nan()).count(), 569);
    }
}

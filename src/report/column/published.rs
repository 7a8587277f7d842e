//! What other programs and experiments know of the column, in the order of its populations.

use crate::column::{POPULATIONS, Parameters};

/// What a simulation can be set beside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reference {
    /// Who says so.
    pub label: &'static str,
    /// Mean over seeds, Hz.
    pub rate: [f64; POPULATIONS],
    /// Standard deviation over seeds.
    pub rate_sd: Option<[f64; POPULATIONS]>,
    /// Mean over seeds.
    pub cv: Option<[f64; POPULATIONS]>,
    /// Mean over seeds.
    pub synchrony: Option<[f64; POPULATIONS]>,
    /// Mean over seeds.
    pub correlation: Option<[f64; POPULATIONS]>,
}

/// NEST 3.10 with the default parameters (a tenth of the neurons and of the in-degrees): 10 s after 1 s, seeds 1 to 10.
/// `tests/golden/column/rates.json` has every seed.
pub const NEST: Reference = Reference {
    label: "NEST",
    rate: [0.47013, 2.09902, 3.97284, 5.00582, 6.62239, 7.79764, 0.83674, 7.00861],
    rate_sd: Some([0.01874, 0.02511, 0.04614, 0.01625, 0.18812, 0.04293, 0.03276, 0.02701]),
    cv: Some([0.85581, 0.86661, 0.85543, 0.84995, 0.81793, 0.7917, 0.86412, 0.80246]),
    synchrony: Some([4.95862, 2.90243, 5.94024, 2.28105, 5.5207, 1.19537, 1.90264, 1.11504]),
    correlation: Some([0.00138, 0.00223, 0.00157, 0.00188, 0.00671, 0.00267, 0.00045, 0.00075]),
};

/// Rates in the living animal that excitatory populations are wished to have, Hz: what a search of parameters aims at.
pub const IN_VIVO: [Option<f64>; POPULATIONS] = [Some(0.3), None, Some(1.4), None, Some(2.5), None, Some(0.5), None];

/// Spontaneous rates of the full column (Potjans & Diesmann 2014, Fig. 6; as its authors publish them for NEST), Hz.
pub fn full_rates() -> [f64; POPULATIONS] {
    Parameters::default().full_rates
}

/// What a column of these parameters should do, if that is known.
pub fn reference(parameters: &Parameters) -> Option<Reference> {
    let base = Parameters::default();
    let full = Parameters { neuron_scale: 1.0, synapse_scale: 1.0, ..base.clone() };
    if *parameters == base {
        Some(NEST)
    } else if *parameters == full {
        let rate = full_rates();
        Some(Reference { label: "published", rate, rate_sd: None, cv: None, synchrony: None, correlation: None })
    } else {
        None
    }
}

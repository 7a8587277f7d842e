//! Fitness shaping: ranks instead of raw values. Ties and non-finite values have a fixed place.

/// Which of two equal fitness values ranks higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// The earlier offspring.
    LowerIndex,
    /// The later offspring.
    HigherIndex,
}

/// Indices from best to worst, of floats of either width. NaN and infinities of either sign rank last: no number can be
/// trusted that came out of an overflow.
pub fn order<F: Copy + Into<f64>>(fitness: &[F], ties: Ties) -> Vec<usize> {
    let mut order: Vec<usize> = (0..fitness.len()).collect();
    let key = |i: usize| Some(fitness[i].into()).filter(|x| x.is_finite()).unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|&a, &b| {
        // `+ 0.0` makes -0 and 0 one value.
        let by_fitness = (key(b) + 0.0).total_cmp(&(key(a) + 0.0));
        by_fitness.then(match ties {
            Ties::LowerIndex => a.cmp(&b),
            Ties::HigherIndex => b.cmp(&a),
        })
    });
    order
}

/// Give the i-th best offspring the i-th value of `by_rank` (best first).
///
/// # Panics
/// When `by_rank` is shorter than `fitness`.
pub fn by_rank(fitness: &[f32], ties: Ties, by_rank: &[f32]) -> Vec<f32> {
    let mut utilities = vec![0.0; fitness.len()];
    for (rank, index) in order(fitness, ties).into_iter().enumerate() {
        utilities[index] = by_rank[rank];
    }
    utilities
}

/// Weights of Bertens & Lee, best first: r^alpha / sum r^alpha with r linear from 1 (best) to 0 (worst).
///
/// `population` is at least 2. With an exponent of 5 the best fifth carries about 3/4 of the weight.
pub fn power_weights(population: usize, exponent: u32) -> Vec<f32> {
    let power = |position: usize| {
        let rank = (population - 1 - position) as f64 / (population - 1) as f64;
        (0..exponent).fold(1.0, |product, _| product * rank)
    };
    let total: f64 = (0..population).map(power).sum();
    (0..population).map(|position| (power(position) / total) as f32).collect()
}

/// Utilities of natural evolution strategies, best first: max(0, ln(n/2 + 1) - ln rank) / their sum - 1/n.
pub fn nes_utilities(population: usize) -> Vec<f32> {
    let n = population as f32;
    let raw = |position: usize| (crate::num::ln(n / 2.0 + 1.0) - crate::num::ln((position + 1) as f32)).max(0.0);
    let total: f64 = (0..population).map(|position| f64::from(raw(position))).sum();
    (0..population).map(|position| (f64::from(raw(position)) / total - 1.0 / f64::from(n)) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_and_non_finite_values_have_their_place() {
        let fitness = [1.0, f32::NAN, 2.0, 1.0, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0];
        assert_eq!(order(&fitness, Ties::LowerIndex), [2, 0, 3, 6, 7, 1, 4, 5]);
        assert_eq!(order(&fitness, Ties::HigherIndex), [2, 3, 0, 7, 6, 5, 4, 1]);
        // What single precision would take for equal.
        assert_eq!(order(&[1.0, 1.0 + f64::EPSILON], Ties::LowerIndex), [1, 0]);
    }

    #[test]
    fn best_fifth_carries_three_quarters() {
        let weights = power_weights(1000, 5);
        let top: f32 = weights[..200].iter().sum();
        assert!((0.72..0.75).contains(&top), "{top}");
    }
}

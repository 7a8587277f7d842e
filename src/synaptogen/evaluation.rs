//! How good grown agents are: the metrics of the paper's table 1, and the tests between groups of agents. An agent's score is
//! its mean return over some episodes.

use serde::{Deserialize, Serialize};

use crate::report::MannWhitney;
use crate::world::Episode;

/// Episodes that an agent is scored by.
pub const EPISODES: u32 = 10;

/// Agents that count as the top ones.
const TOP: usize = 10;
/// Pairs of the three groups: gradient, SNES and control.
const COMPARISONS: f64 = 3.0;

/// An agent's mean return; NaN of no episodes.
pub fn score(episodes: &[Episode]) -> f64 {
    episodes.iter().map(|episode| episode.reward).sum::<f64>() / episodes.len() as f64
}

/// From which score an agent has solved its world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Solved {
    /// At this score or above.
    From(f64),
    /// Above this score.
    Above(f64),
}

impl Solved {
    /// That of a world, by Gymnasium's id of any version; none for worlds that the paper does not have.
    pub fn of(gymnasium: &str) -> Option<Self> {
        match gymnasium.rsplit_once("-v").map_or(gymnasium, |(family, _)| family) {
            "CartPole" => Some(Self::From(195.0)),
            "LunarLander" => Some(Self::From(200.0)),
            "MountainCar" => Some(Self::Above(-200.0)),
            "Acrobot" => Some(Self::Above(-500.0)),
            _ => None,
        }
    }

    fn is_by(self, score: f64) -> bool {
        match self {
            Self::From(least) => score >= least,
            Self::Above(bound) => score > bound,
        }
    }
}

/// Of a group of agents. Standard deviations have n - 1 in the denominator; NaN (`null` in JSON) where there are too few
/// agents.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Of all scores.
    pub mean: f64,
    /// Of all scores.
    pub sd: f64,
    /// Of the ten best.
    pub top10_mean: f64,
    /// Of the ten best.
    pub top10_sd: f64,
    /// Agents that solved the world.
    pub solved_percent: f64,
}

impl Metrics {
    /// Of the agents' scores, which have no NaN.
    pub fn of(scores: &[f64], solved: Solved) -> Self {
        let mut best_first = scores.to_vec();
        best_first.sort_by(|a, b| b.total_cmp(a));
        let (mean, sd) = mean_and_sd(&best_first);
        let (top10_mean, top10_sd) = mean_and_sd(&best_first[..TOP.min(scores.len())]);
        let count = scores.iter().filter(|&&score| solved.is_by(score)).count();
        Self { mean, sd, top10_mean, top10_sd, solved_percent: 100.0 * count as f64 / scores.len() as f64 }
    }
}

/// Mean and sample standard deviation; NaN where there are too few values.
pub fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { f64::NAN })
}

/// Two groups compared: a two-sided Mann-Whitney test, corrected for the number of pairs; of agents, the three pairs of groups
/// in a world.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// The test as it is.
    pub test: MannWhitney,
    /// Its p times the number of pairs, at most 1 (Bonferroni).
    pub corrected_p: f64,
}

impl Comparison {
    /// The scores of the first group of agents against those of the second.
    pub fn of(first: &[f64], second: &[f64]) -> Self {
        Self::among(first, second, COMPARISONS)
    }

    /// Values of the first group against those of the second, as one of `pairs` that are compared.
    pub fn among(first: &[f64], second: &[f64], pairs: f64) -> Self {
        let test = MannWhitney::of(first, second);
        let corrected = pairs * test.p;
        Self { test, corrected_p: if corrected > 1.0 { 1.0 } else { corrected } }
    }

    /// `*`, `**`, `***` and `****` from 0.05, 0.01, 0.001 and 0.0001 down; empty where the groups do not differ.
    pub fn stars(&self) -> &'static str {
        match self.corrected_p {
            p if p <= 1e-4 => "****",
            p if p <= 1e-3 => "***",
            p if p <= 1e-2 => "**",
            p if p <= 0.05 => "*",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_begin_at_their_levels() {
        let levels =
            [(1.0, ""), (0.051, ""), (0.05, "*"), (0.01, "**"), (1e-3, "***"), (1.1e-4, "***"), (1e-4, "****")];
        for (corrected_p, stars) in levels {
            let comparison = Comparison { test: MannWhitney { larger: 0.5, p: corrected_p / 3.0 }, corrected_p };
            assert_eq!(comparison.stars(), stars, "{corrected_p}");
        }
        assert_eq!(Comparison::of(&[], &[1.0]).stars(), "");
    }

    #[test]
    fn bounds_of_solving() {
        let percent = |id, score| Metrics::of(&[score], Solved::of(id).expect("a world of the paper")).solved_percent;
        assert_eq!([percent("CartPole-v1", 195.0), percent("CartPole-v1", 194.9)], [100.0, 0.0]);
        assert_eq!([percent("LunarLander-v3", 200.0), percent("LunarLander-v2", 199.0)], [100.0, 0.0]);
        assert_eq!([percent("MountainCar-v0", -200.0), percent("MountainCar-v0", -199.9)], [0.0, 100.0]);
        assert_eq!([percent("Acrobot-v1", -500.0), percent("Acrobot-v1", -499.0)], [0.0, 100.0]);
        assert!(Solved::of("Pendulum-v1").is_none());
    }
}

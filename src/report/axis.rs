//! Where a value lies on an axis: range, scale and ticks.
//!
//! Fitness is never positive in the tasks of single units and rises over orders of magnitude, so besides the linear
//! scale there is a mirrored logarithmic one: -1000, -100, -10 at equal distances, and better still means higher.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::html::number;

/// Least ratio between the worst and the best negative fitness for which the logarithmic scale reads better.
const LOGARITHMIC_FROM: f64 = 5.0;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    Linear,
    /// `-log10(-value)`, for negative values.
    Negative,
    /// `log10(value)`, for positive values.
    Positive,
}

/// One axis of a chart. Positions are in axis coordinates, which the scale makes linear.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub label: String,
    scale: Scale,
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Linear from `low` to `high` exactly, with about `count` ticks.
    pub fn linear(label: &str, low: f64, high: f64, count: usize) -> Self {
        let (low, high) = if low < high { (low, high) } else { (low - 0.5, low + 0.5) };
        Self { label: label.into(), scale: Scale::Linear, low, high, ticks: round_ticks(low, high, count) }
    }

    /// A place for each name, at 0, 1, 2, ...
    pub fn named(names: &[&str]) -> Self {
        let ticks = names.iter().enumerate().map(|(i, name)| (i as f64, (*name).to_owned())).collect();
        Self { ticks, ..Self::linear("", -0.5, names.len() as f64 - 0.5, 1) }
    }

    /// Linear over the finite ones of `values`, with a little room on both sides.
    pub fn around(label: &str, values: impl IntoIterator<Item = f64>, count: usize) -> Self {
        let (low, high) = extent(values).unwrap_or((0.0, 1.0));
        let room = if low < high { 0.05 * (high - low) } else { (0.1 * low.abs()).max(1e-3) };
        Self::linear(label, low - room, high + room, count)
    }

    /// Fitness: logarithmic where the finite values are negative and far apart, otherwise linear. Values of zero and
    /// above do not decide the range of a logarithmic axis; they lie on its upper end.
    pub fn fitness(label: &str, values: impl IntoIterator<Item = f64> + Clone) -> Self {
        let negative = extent(values.clone().into_iter().filter(|v| *v < 0.0));
        let positive = extent(values.clone()).is_some_and(|(_, high)| high > 0.0);
        match negative {
            Some((worst, best)) if !positive && worst / best >= LOGARITHMIC_FROM => Self::negative(label, worst, best),
            _ => Self::around(label, values, 6),
        }
    }

    /// Logarithmic over the positive ones of `values`; what is not positive lies on the lower end.
    pub fn logarithmic(label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (least, most) = extent(values.into_iter().filter(|value| *value > 0.0)).unwrap_or((1.0, 10.0));
        let (low, high) = (least.log10() - 0.05, most.log10() + 0.05);
        let multiples: &[f64] = if high - low > 3.2 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let decades = low.floor() as i32..=high.ceil() as i32;
        let ticks = decades
            .flat_map(|decade| multiples.iter().map(move |m| m * 10f64.powi(decade)))
            .map(|size| (size.log10(), number(size)))
            .filter(|(at, _)| (low..=high).contains(at))
            .collect();
        Self { label: format!("{label} (log scale)"), scale: Scale::Positive, low, high, ticks }
    }

    fn negative(label: &str, worst: f64, best: f64) -> Self {
        let (low, high) = (-(-worst).log10() - 0.05, -(-best).log10() + 0.08);
        let multiples: &[f64] = if high - low > 3.2 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let decades = (-high).floor() as i32..=(-low).ceil() as i32;
        let ticks = decades
            .flat_map(|decade| multiples.iter().map(move |m| m * 10f64.powi(decade)))
            .map(|size| (-size.log10(), number(-size)))
            .filter(|(at, _)| (low..=high).contains(at))
            .collect();
        Self { label: format!("{label} (log scale)"), scale: Scale::Negative, low, high, ticks }
    }

    /// Axis coordinate of a value, moved to the nearest end when it lies outside; none for NaN and infinities.
    pub fn at(&self, value: f64) -> Option<f64> {
        let position = match self.scale {
            Scale::Linear => value,
            Scale::Negative if value < 0.0 => -(-value).log10(),
            Scale::Negative => self.high,
            Scale::Positive if value > 0.0 => value.log10(),
            Scale::Positive => self.low,
        };
        value.is_finite().then(|| position.clamp(self.low, self.high))
    }

    /// Lower and upper end in axis coordinates.
    pub fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Axis coordinates of the ticks with their labels.
    pub fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// The same axis with ticks at these values.
    pub fn with_ticks(mut self, values: &[f64]) -> Self {
        self.ticks = values.iter().filter_map(|&v| Some((self.at(v)?, number(v)))).collect();
        self
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, at: &f64, pixels: (i32, i32)) -> i32 {
        let share = (at - self.low) / (self.high - self.low);
        pixels.0 + (share * f64::from(pixels.1 - pixels.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Light points are unlabelled lines between the ticks, of which there are none.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.iter().map(|(at, _)| *at).collect() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(at: &f64) -> String {
        at.to_string()
    }

    fn format_ext(&self, at: &f64) -> String {
        self.ticks.iter().find(|(tick, _)| tick == at).map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

/// Smallest and largest finite value.
pub fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|v| v.is_finite()).fold(None, |extent, v| match extent {
        None => Some((v, v)),
        Some((low, high)) => Some((v.min(low), v.max(high))),
    })
}

/// Multiples of 1, 2 or 5 times a power of ten within the range, about `count` of them.
fn round_ticks(low: f64, high: f64, count: usize) -> Vec<(f64, String)> {
    let rough = (high - low) / count.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = power * [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| rough <= m * power * 1.001).unwrap_or(10.0);
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    // An end that was rounded to f32 still gets its tick.
    let slack = 1e-6 * (high - low);
    let (first, last) = (((low - slack) / step).ceil() as i64, ((high + slack) / step).floor() as i64);
    (first..=last)
        .map(|k| (k as f64 * step).clamp(low, high))
        .map(|v| (v, format!("{:.decimals$}", v + 0.0).replace('-', "\u{2212}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn linear_ticks_are_round_and_inside() {
        assert_eq!(labels(&Axis::linear("", 0.0, 3000.0, 6)), ["0", "500", "1000", "1500", "2000", "2500", "3000"]);
        assert_eq!(labels(&Axis::linear("", 0.01, 0.11, 5)), ["0.02", "0.04", "0.06", "0.08", "0.10"]);
        assert_eq!(labels(&Axis::linear("", -20.0, 20.0, 4)), ["−20", "−10", "0", "10", "20"]);
    }

    #[test]
    fn a_wide_negative_fitness_is_logarithmic_and_better_is_higher() {
        let axis = Axis::fitness("fitness", [-1000.0, -20.0, f64::NAN, f64::NEG_INFINITY]);
        assert_eq!(
            labels(&axis),
            ["−1000", "−500", "−200", "−100", "−50", "−20"].into_iter().rev().collect::<Vec<_>>()
        );
        assert!(axis.label.contains("log"));
        assert!(axis.at(-20.0) > axis.at(-1000.0));
        assert_eq!(axis.at(0.0), Some(axis.ends().1), "a perfect score lies on the upper end");
        assert_eq!(axis.at(f64::NAN), None);
        assert_eq!(axis.at(f64::INFINITY), None);
    }

    #[test]
    fn errors_are_logarithmic_and_nothing_is_the_lower_end() {
        let axis = Axis::logarithmic("error", [0.02, 8.0, f64::NAN, 0.0]);
        assert_eq!(labels(&axis), ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5"]);
        assert_eq!([axis.at(0.1), axis.at(0.0), axis.at(f64::NAN)], [Some(-1.0), Some(axis.ends().0), None]);
        let (low, high) = Axis::logarithmic("", [f64::NAN]).ends();
        assert!(low < high);
    }

    #[test]
    fn a_narrow_or_positive_fitness_is_linear() {
        for values in [[-10.0, -9.0], [-5.0, 3.0], [4.0, 4.0], [f64::NAN, f64::NAN]] {
            let axis = Axis::fitness("fitness", values);
            assert!(!axis.label.contains("log"), "{values:?}");
            let (low, high) = axis.ends();
            assert!(low < high && low.is_finite() && high.is_finite(), "{values:?}");
        }
    }
}

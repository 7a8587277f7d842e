//! A column's answer to pulses of its thalamus (Potjans & Diesmann 2014, Fig. 10): rates of all populations around them.

use super::Response;
use crate::column::Thalamus;
use crate::error::Result;
use crate::report::axis::Axis;
use crate::report::plot::{self, Chart, EXCITATORY, Frame, INHIBITORY, Key, Mark, REFERENCE};

const LAYERS: [&str; 4] = ["Layer 2/3: rate (Hz)", "Layer 4", "Layer 5", "Layer 6"];
/// Time shown, ms from the beginning of a pulse.
const SHOWN: (f64, f64) = (-20.0, 60.0);

/// The `<svg>` element.
///
/// # Errors
/// When it cannot be drawn.
pub fn figure(response: &Response, thalamus: &Thalamus) -> Result<String> {
    const CHART: f64 = 124.0;
    plot::figure(4 * CHART as u32 + 32, |canvas| {
        let panels = canvas.split_by_breakpoints([0; 0], [1.0, 2.0, 3.0].map(|layer| plot::px(layer * CHART)));
        for (layer, panel) in panels.iter().enumerate() {
            let keys = [
                Key { mark: Mark::Line, colour: EXCITATORY, label: "excitatory" },
                Key { mark: Mark::Line, colour: INHIBITORY, label: "inhibitory" },
                Key { mark: Mark::Band, colour: REFERENCE, label: "pulse" },
            ];
            let is_last = layer + 1 == LAYERS.len();
            let keys = if layer == 0 { &keys[..] } else { &[] };
            let frame = Frame { title: LAYERS[layer], keys, shared_x: !is_last, ..Frame::default() };
            let curves = [2 * layer, 2 * layer + 1].map(|population| curve(response, population));
            let most = curves.iter().flatten().map(|point| point.1).filter(|rate| rate.is_finite()).fold(1.0, f64::max);
            let x = Axis::linear("time from the beginning of the pulse (ms)", SHOWN.0, SHOWN.1, 8);
            let mut chart = Chart::new(panel, &frame, x, Axis::linear("", 0.0, 1.05 * most, 3))?;
            let end = thalamus.duration.min(SHOWN.1);
            chart.band(&[(0.0, 0.0, 1.05 * most), (end, 0.0, 1.05 * most)], REFERENCE)?;
            for (curve, colour) in curves.iter().zip([EXCITATORY, INHIBITORY]) {
                chart.line(curve, colour, 1.5)?;
            }
        }
        Ok(())
    })
}

/// Middles of bins with their rates; NaN where nothing was recorded.
fn curve(response: &Response, population: usize) -> Vec<(f64, f64)> {
    let middles = response.from_ms.iter().map(|from| from + 0.5 * response.bin_ms);
    let rates = response.rates[population].iter().map(|rate| rate.unwrap_or(f64::NAN));
    middles.zip(rates).filter(|(x, _)| (SHOWN.0..=SHOWN.1).contains(x)).collect()
}

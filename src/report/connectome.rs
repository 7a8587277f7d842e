//! Pictures of a connectome: an agent's numbers of synapses, and the rules that its profile grows them by.

use super::axis::Axis;
use super::heat_map::{DIVERGING, HeatMap, SEQUENTIAL};
use crate::synaptogen::{Agents, graph};

/// The SVG of an agent's numbers of synapses between all neurons, `[pre][post]`. Grey where layers do not meet.
///
/// # Panics
/// When there is no such agent.
pub fn synapses(agents: &Agents, agent: usize, title: &str) -> String {
    let neurons = agents.shape.neurons();
    let mut values = vec![f32::NAN; neurons * neurons];
    let (mut ticks, mut borders, mut first) = (Vec::new(), Vec::new(), 0);
    for (layer, &size) in agents.shape.layers.iter().enumerate() {
        ticks.push((first as f64 + size as f64 / 2.0, layer.to_string()));
        let behind = first + size;
        if let Some(after) = agents.shape.layers.get(layer + 1) {
            values.chunks_mut(neurons).take(behind).skip(first).for_each(|row| row[behind..behind + after].fill(0.0));
            borders.push(behind);
        }
        first = behind;
    }
    let mut most = 0.0f32;
    for edge in graph::edges(agents, agent) {
        values[edge.pre * neurons + edge.post] = edge.synapses as f32;
        most = most.max(edge.synapses as f32);
    }
    HeatMap {
        title,
        rows: "neuron before, by layer",
        columns: "neuron behind, by layer",
        values: &values,
        side: neurons,
        ticks: [ticks.clone(), ticks],
        borders,
        colours: SEQUENTIAL,
        scale: Axis::linear("synapses", 0.0, f64::from(most), 6),
    }
    .svg()
}

/// The SVG of the probabilities P of synapses, `[gene before][gene behind]`.
pub fn rules(genes: usize, probabilities: &[f32], title: &str) -> String {
    let step = genes.div_ceil(16).next_power_of_two();
    let ticks: Vec<_> = (0..genes).step_by(step).map(|gene| (gene as f64 + 0.5, gene.to_string())).collect();
    HeatMap {
        title,
        rows: "gene before",
        columns: "gene behind",
        values: probabilities,
        side: genes,
        ticks: [ticks.clone(), ticks],
        borders: Vec::new(),
        colours: DIVERGING,
        scale: Axis::linear("P", 0.0, 1.0, 5),
    }
    .svg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synaptogen::agents::{Growth, Sampler};
    use crate::synaptogen::{Profile, RuleMap, Shape};

    /// Deep layers: the drawing is a document, and has the sizes of all layers.
    #[test]
    fn pictures_are_documents() {
        let profile = Profile::initial(Shape::new(&[3, 5, 4, 2], 6), RuleMap::Sigmoid, 1);
        let growth = Growth { sampler: Sampler::Law, seed: 1, degree: 100.0 };
        let agents = Agents::grow(&profile, growth, 0..2).unwrap();
        for svg in [synapses(&agents, 1, "agent 1"), rules(6, &[0.25; 36], "rules")] {
            assert!(roxmltree::Document::parse(&svg).is_ok() && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    /// One gene, and a profile that grows nothing but rounding away.
    #[test]
    fn pictures_of_next_to_nothing() {
        let profile = Profile::initial(Shape::new(&[1, 1], 1), RuleMap::Sigmoid, 1);
        let growth = Growth { sampler: Sampler::Law, seed: 1, degree: 1e-6 };
        let agents = Agents::grow(&profile, growth, 0..1).unwrap();
        assert_eq!(agents.totals(), [0]);
        for svg in [synapses(&agents, 0, ""), rules(1, &[1.0], "")] {
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}

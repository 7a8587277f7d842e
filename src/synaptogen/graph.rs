//! A grown agent as a graph, for programs that analyse networks: an edge for every neuron pair with synapses. Neurons are
//! numbered through all layers.

use std::fmt::Write as _;

use super::agents::Agents;

/// From one neuron to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// Number of the neuron before, among those of all layers.
    pub pre: usize,
    /// Number of the neuron behind.
    pub post: usize,
    /// Layer of the neuron behind, from 1.
    pub layer: usize,
    /// How many, at least 1.
    pub synapses: u32,
    /// Mean conductance of one of them, G.
    pub conductance: f32,
    /// Of all of them.
    pub weight: f32,
}

/// The edges of an agent, from the first layer to the last, ordered by pre and then post neuron.
///
/// # Panics
/// When there is no such agent, as in all that follow.
pub fn edges(agents: &Agents, agent: usize) -> Vec<Edge> {
    let (mut edges, mut first) = (Vec::new(), 0);
    for (pair, sizes) in agents.shape.layers.windows(2).enumerate() {
        let (before, behind) = (sizes[0], sizes[1]);
        let (conductances, weights) = (agents.conductances(pair), agents.weights(agent, pair));
        for (at, &synapses) in agents.synapses(agent, pair).iter().enumerate().filter(|(_, count)| **count > 0) {
            edges.push(Edge {
                pre: first + at / behind,
                post: first + before + at % behind,
                layer: pair + 1,
                synapses,
                conductance: conductances[at],
                weight: weights[at],
            });
        }
        first += before;
    }
    edges
}

/// The edges as a table: `pre,post,layer,synapses,conductance,weight`. Floats are written so that they read back to the
/// same bits.
pub fn csv(agents: &Agents, agent: usize) -> String {
    let mut out = String::from("pre,post,layer,synapses,conductance,weight\n");
    for Edge { pre, post, layer, synapses, conductance, weight } in edges(agents, agent) {
        let _ = writeln!(out, "{pre},{post},{layer},{synapses},{conductance:?},{weight:?}");
    }
    out
}

/// The agent as GraphML, a directed graph: nodes n0, n1, .. with their layer and bias (0 in the first layer, which has none),
/// edges with synapses, conductance and weight.
pub fn graphml(agents: &Agents, agent: usize) -> String {
    const KEYS: [(&str, &str, &str); 5] = [
        ("layer", "node", "long"),
        ("bias", "node", "double"),
        ("synapses", "edge", "long"),
        ("conductance", "edge", "double"),
        ("weight", "edge", "double"),
    ];
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
    );
    for (name, of, kind) in KEYS {
        let _ = writeln!(out, "<key id=\"{name}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>");
    }
    out += "<graph edgedefault=\"directed\">\n";
    let mut neuron = 0;
    for (layer, &neurons) in agents.shape.layers.iter().enumerate() {
        let biases = if layer == 0 { &[] } else { agents.biases(layer - 1) };
        for number in 0..neurons {
            let bias = biases.get(number).copied().unwrap_or(0.0);
            let _ = writeln!(
                out,
                "<node id=\"n{neuron}\"><data key=\"layer\">{layer}</data><data key=\"bias\">{bias:?}</data></node>"
            );
            neuron += 1;
        }
    }
    for Edge { pre, post, synapses, conductance, weight, .. } in edges(agents, agent) {
        let _ = writeln!(
            out,
            "<edge source=\"n{pre}\" target=\"n{post}\"><data key=\"synapses\">{synapses}</data>\
             <data key=\"conductance\">{conductance:?}</data><data key=\"weight\">{weight:?}</data></edge>"
        );
    }
    out + "</graph>\n</graphml>\n"
}

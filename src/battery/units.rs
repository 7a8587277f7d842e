//! Networks of units as controllers, stepped as those in the mazes of [`crate::workload::maze`]: some network steps a control step
//! with the senses as they are, and the outputs are channel 0 of the last neurons.
//!
//! Every sense, r+ and r- is a source of its own, which shows on channel 0; so a network of an assay has
//! [`Assay::channels`](super::assays::Assay::channels) sensors. An output is the mean over the network steps, within what a unit's
//! output can be: the highest is also the highest sum, which acts in the mazes.

use super::play::{Controller, Moment, Seat};
use crate::cpu::InstructionSet;
use crate::network::{Layout, Network};
use crate::workload::maze::{Sense, Tick};

/// Network steps of a control step, as in the mazes.
pub const TICKS: usize = 4;

/// A network with its parameters.
#[derive(Debug, Clone)]
pub struct Units {
    layout: Layout,
    parameters: Vec<f32>,
    outputs: usize,
    instructions: InstructionSet,
}

impl Units {
    /// A network that answers with its last `outputs` neurons; `parameters` is the flat vector of its chromosomes.
    ///
    /// # Panics
    /// When there are fewer neurons than outputs, or other parameters than the chromosomes have.
    pub fn new(layout: Layout, parameters: Vec<f32>, outputs: usize) -> Self {
        let expected: usize = layout.chromosomes().iter().map(|shape| shape.parameters()).sum();
        assert_eq!(parameters.len(), expected, "parameters of the chromosomes");
        assert!(layout.wiring.neurons >= outputs, "{} neurons for {outputs} outputs", layout.wiring.neurons);
        Self { layout, parameters, outputs, instructions: InstructionSet::best() }
    }
}

impl Controller for Units {
    fn seat(&self, lanes: usize) -> Box<dyn Seat + '_> {
        Box::new(Networks { units: self, network: Network::new(&self.layout, lanes) })
    }
}

/// A network for each lane.
struct Networks<'a> {
    units: &'a Units,
    network: Network,
}

impl Seat for Networks<'_> {
    fn reset(&mut self, lane: usize) {
        self.network.rest(lane);
    }

    fn step(&mut self, moment: &Moment, outputs: &mut [f32]) {
        let Self { units, network } = self;
        let Units { parameters, outputs: count, instructions, .. } = units;
        for (sensor, shown) in moment.senses.chunks_exact(moment.lanes).enumerate() {
            network.sensor_mut(sensor, 0).copy_from_slice(shown);
        }
        instructions.run(Sense { network, parameters });
        outputs.fill(0.0);
        let first = (network.wiring().neurons - count) * moment.lanes;
        for _ in 0..TICKS {
            instructions.run(Tick { network, parameters });
            let fired = &network.neurons.outputs()[first..][..count * moment.lanes];
            outputs.iter_mut().zip(fired).for_each(|(sum, output)| *sum += output / TICKS as f32);
        }
    }
}

//! Plain networks as controllers: multilayer perceptrons, which have no state. They can pass assays of reflexes; of all others
//! they are the structural null, for what they answer depends on what they sense now alone.

use std::path::Path;

use super::assays::Assay;
use super::play::{Controller, Moment, Seat};
use crate::cpu::{InstructionSet, Kernel, Vector};
use crate::error::Result;
use crate::policy::{Activation, Mlp, Scratch};
use crate::rng::{Row, Stream};
use crate::world::{Actions, Spec};

/// A perceptron that reads the senses, r+ and r-.
#[derive(Debug, Clone)]
pub struct Plain {
    mlp: Mlp,
    instructions: InstructionSet,
}

/// Hidden neurons of random networks.
const HIDDEN: usize = 16;

impl Plain {
    /// Whatever a file held.
    pub fn new(mlp: Mlp) -> Self {
        Self { mlp, instructions: InstructionSet::best() }
    }

    /// A file's, for an assay.
    ///
    /// # Errors
    /// When it cannot be read, or has other numbers of inputs or outputs.
    pub fn read(path: &Path, assay: &Assay) -> Result<Self> {
        let spec = Spec {
            name: assay.name,
            gymnasium: "",
            summary: assay.title,
            observations: assay.channels(),
            actions: Actions::Continuous(assay.game.motors.len()),
            limit: 0,
            threshold: None,
            frame_rate: 1,
        };
        Ok(Self::new(Mlp::read(path, &spec)?))
    }

    /// With weights that are drawn: normals over the square root of the inputs.
    pub fn random(channels: usize, outputs: usize, seed: u64) -> Self {
        let mut mlp = Mlp::new(&[channels, HIDDEN, outputs], Activation::Tanh);
        let row = Row { seed, stream: Stream::PlainWeights, generation: 0, index: 0 };
        row.normals(0, mlp.parameters_mut());
        let first = (channels + 1) * HIDDEN;
        let scales = [(0..first, channels), (first..mlp.parameters().len(), HIDDEN)];
        for (range, inputs) in scales {
            let scale = 1.0 / (inputs as f32).sqrt();
            mlp.parameters_mut()[range].iter_mut().for_each(|weight| *weight *= scale);
        }
        Self::new(mlp)
    }
}

impl Controller for Plain {
    fn seat(&self, _: usize) -> Box<dyn Seat + '_> {
        Box::new(Stateless { plain: self, scratch: Scratch::new(&self.mlp) })
    }
}

struct Stateless<'a> {
    plain: &'a Plain,
    scratch: Scratch,
}

impl Seat for Stateless<'_> {
    fn reset(&mut self, _: usize) {}

    fn step(&mut self, moment: &Moment, outputs: &mut [f32]) {
        let Self { plain, scratch } = self;
        plain.instructions.run(Answer { mlp: &plain.mlp, moment, scratch, outputs });
    }
}

struct Answer<'a> {
    mlp: &'a Mlp,
    moment: &'a Moment<'a>,
    scratch: &'a mut Scratch,
    outputs: &'a mut [f32],
}

impl Kernel for Answer<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.mlp.outputs::<V>(self.moment.lanes, self.moment.senses, self.scratch, self.outputs);
    }
}

//! What is measured and tested of a device itself.

use super::*;

abi! {
    constants {}

    /// `noise`: normals of one row, four a thread; for the tests.
    struct NoiseArgs {
        /// Out.
        out: Pointer<f32>,
        /// Of the run.
        seed: u64,
        /// [`crate::rng::Stream`].
        stream: u32,
        /// Of the row.
        generation: u32,
        /// Of the row.
        index: u32,
        /// Elements.
        length: u32,
    }

    /// `ceiling_*`: what the device can do at most.
    struct CeilingArgs {
        /// At least 32 elements; all that is copied.
        from: Pointer<f32>,
        /// Out: one for each thread, or the copy.
        to: Pointer<f32>,
        /// Elements to copy.
        length: u64,
        /// Of the chains.
        iterations: u32,
    }

    /// `functions`: `out[f][i] = f(x[i])` for tanh, sigmoid, exp, ln, sin(pi x), cos(pi x), cos; for the tests.
    struct FunctionsArgs {
        /// Arguments.
        x: Pointer<f32>,
        /// Out: `[7][length]`.
        out: Pointer<f32>,
        /// Arguments.
        length: u32,
    }
}

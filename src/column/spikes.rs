//! Spikes in files that other programs read: an archive for NumPy, or a table.

use zip::CompressionMethod;

use super::NAMES;
use super::experiment::Recording;
use crate::error::{Error, Result};
use crate::npz::{archive, npy, npy_text};

/// All spikes of a recording, in the order of steps, populations and neurons: (step, population, number of the neuron in it).
fn in_order(recording: &Recording) -> Vec<(u32, u8, u32)> {
    let populations = recording.spikes.iter().enumerate();
    let of = |(p, spikes): (usize, &Vec<(u32, u32)>)| {
        spikes.iter().map(|&(step, neuron)| (step, p as u8, neuron)).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = populations.flat_map(of).collect();
    all.sort_unstable();
    all
}

/// A time in ms: the nearest number to a multiple of a tenth.
fn milliseconds(step: u32) -> f64 {
    f64::from(step) / 10.0
}

/// An `.npz`: of every spike `step` (u32), `time_ms` (f64), `population` (u8) and `neuron` (u32, its number in the population);
/// of every population `names` and `sizes` (u32).
///
/// # Errors
/// When there is more than an archive can hold.
pub fn npz(recording: &Recording) -> Result<Vec<u8>> {
    let spikes = in_order(recording);
    let column = |kind: &str, bytes: Vec<u8>| npy(kind, &[spikes.len()], &bytes);
    let sizes: Vec<u8> = recording.sizes.iter().flat_map(|&size| (size as u32).to_le_bytes()).collect();
    let members = [
        ("step", column("<u4", spikes.iter().flat_map(|spike| spike.0.to_le_bytes()).collect())),
        ("time_ms", column("<f8", spikes.iter().flat_map(|spike| milliseconds(spike.0).to_le_bytes()).collect())),
        ("population", column("|u1", spikes.iter().map(|spike| spike.1).collect())),
        ("neuron", column("<u4", spikes.iter().flat_map(|spike| spike.2.to_le_bytes()).collect())),
        ("sizes", npy("<u4", &[recording.sizes.len()], &sizes)),
        ("names", npy_text(&[NAMES.len()], &NAMES)),
    ];
    archive(members, CompressionMethod::Deflated)
        .map_err(|why| Error::Run(format!("cannot make an archive of spikes: {why}")))
}

/// A table with a spike in each line: step, time in ms, population by name, number of the neuron in it.
pub fn csv(recording: &Recording) -> String {
    let mut text = String::from("step,time_ms,population,neuron\n");
    for (step, population, neuron) in in_order(recording) {
        text += &format!("{step},{:.1},{},{neuron}\n", milliseconds(step), NAMES[usize::from(population)]);
    }
    text
}

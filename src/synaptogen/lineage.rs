//! The control: profiles whose genes come from a lineage of dividing cells instead of evolution (Algorithm 3, after Kerstjens
//! 2022).
//!
//! A zygote of normal numbers divides level by level into cells that differ from their mothers by normal numbers of their own
//! (equations 20 to 22), until there is one for every neuron. A cell's genes are the raw parameters of its neuron: X, T where
//! its layer is before another, R and b where it is behind one. Rules and conductances are those of a trained profile, and
//! the biases get the mean and the standard deviation of its biases.

use super::profile::Profile;
use super::shape::{Layout, Shape};
use crate::rng::{Row, Stream};

/// Genes of a cell: g + v + r + 1.
pub fn cell_genes(shape: &Shape) -> usize {
    shape.genes + shape.neurotransmitters + shape.receptors() + 1
}

/// Levels of cells below the zygote, of which the last has at least one for every neuron.
pub fn levels(shape: &Shape) -> u32 {
    shape.neurons().next_power_of_two().trailing_zeros()
}

/// Numbers that daughters of all levels differ from their mothers by: for each gene of 2^(levels + 1) - 2 cells.
pub fn differences(shape: &Shape) -> usize {
    ((2 << levels(shape)) - 2) * cell_genes(shape)
}

/// The profile of one lineage. `zygote` are the genes of its first cell; `deltas`, `[cell][gene]` level by level, what the
/// daughters add to their mothers', those of cell j in rows 2j and 2j + 1 of their level. The cells then move on by `shift`
/// places around, and fill the layers in their order.
///
/// # Panics
/// When `zygote` or `deltas` is not as long as [`cell_genes`] and [`differences`] say.
pub fn profile(zygote: &[f32], deltas: &[f32], shift: usize, trained: &Profile) -> Profile {
    let (shape, layout) = (&trained.shape, Layout::new(&trained.shape));
    let (width, neurons) = (cell_genes(shape), shape.neurons());
    assert!(zygote.len() == width && deltas.len() == differences(shape), "genes of a lineage");
    let mut cells = zygote.to_vec();
    let mut rest = deltas;
    for _ in 0..levels(shape) {
        let (deltas, below) = rest.split_at(2 * cells.len());
        rest = below;
        let mothers = cells.chunks_exact(width).flat_map(|cell| [cell, cell]).flatten();
        cells = mothers.zip(deltas).map(|(mother, delta)| mother + delta).collect();
    }
    cells.truncate(neurons * width);
    cells.rotate_right(shift % neurons * width);
    give_biases(&mut cells, width, &biases(trained, &layout));

    let (genes, transmitters) = (shape.genes, shape.neurotransmitters);
    let mut parameters = trained.parameters.clone();
    let mut cells = cells.chunks_exact(width);
    for (l, &neurons) in shape.layers.iter().enumerate() {
        for (neuron, cell) in cells.by_ref().take(neurons).enumerate() {
            let (expression, cell) = cell.split_at(genes);
            let (transmitted, cell) = cell.split_at(transmitters);
            let (received, bias) = cell.split_at(shape.receptors());
            let mut put = |range: &std::ops::Range<usize>, values: &[f32]| {
                parameters[range.start + neuron * values.len()..][..values.len()].copy_from_slice(values);
            };
            put(&layout.expression[l], expression);
            if let Some(range) = layout.neurotransmitters.get(l) {
                put(range, transmitted);
            }
            if l > 0 {
                put(&layout.receptors[l - 1], received);
                put(&layout.biases[l - 1], bias);
            }
        }
    }
    Profile { shape: shape.clone(), rules: trained.rules.clone(), parameters }
}

/// The profile of the lineage of an agent, all of it drawn.
pub fn draw(trained: &Profile, seed: u64, agent: u32) -> Profile {
    let row = |part: u32| Row { seed, stream: Stream::Lineage, generation: part, index: agent };
    let mut zygote = vec![0.0; cell_genes(&trained.shape)];
    row(0).normals(0, &mut zygote);
    let mut deltas = vec![0.0; differences(&trained.shape)];
    row(1).normals(0, &mut deltas);
    let [word, ..] = row(2).block(0);
    let shift = (u64::from(word) * trained.shape.neurons() as u64) >> 32;
    profile(&zygote, &deltas, shift as usize, trained)
}

/// Of all layers.
fn biases(trained: &Profile, layout: &Layout) -> Vec<f32> {
    layout.biases.iter().flat_map(|range| &trained.parameters[range.clone()]).copied().collect()
}

/// The last gene of all cells, moved and scaled to the mean and the standard deviation of the biases.
fn give_biases(cells: &mut [f32], width: usize, biases: &[f32]) {
    let last: Vec<f32> = cells.chunks_exact(width).map(|cell| cell[width - 1]).collect();
    let (mean, deviation) = moments(&last);
    let (trained_mean, trained_deviation) = moments(biases);
    for cell in cells.chunks_exact_mut(width) {
        let standard = (f64::from(cell[width - 1]) - mean) / deviation;
        cell[width - 1] = (trained_mean + trained_deviation * standard) as f32;
    }
}

/// Mean and sample standard deviation.
fn moments(values: &[f32]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let squares: f64 = values.iter().map(|&x| (f64::from(x) - mean) * (f64::from(x) - mean)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}

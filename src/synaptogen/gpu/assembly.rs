//! Assembly of whole populations on a device: the bits of [`crate::synaptogen::Assembly`].

use crate::abi::{AssembleArgs, Pointer, ProfileLayer, THREADS};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape as Launch};
use crate::synaptogen::{Layout, RuleMap, Shape};

/// What profiles come to: `[profile][pair of neurons]`, pairs of layers one after the other, each `[pre][post]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembled {
    /// N (equation 7).
    pub numbers: Vec<f32>,
    /// G (equation 10).
    pub conductances: Vec<f32>,
    /// W (equation 11).
    pub weights: Vec<f32>,
}

/// All matrices of many profiles of one shape and map of rules; `parameters` are their raw ones, one profile after the other.
///
/// # Errors
/// When the device fails, or a profile does not fit into the shared memory of a block.
///
/// # Panics
/// When the shape is not usable, the map has not an entry for every pair of genes, or `parameters` are not of whole profiles.
pub fn assemble(gpu: &Gpu, shape: &Shape, map: &RuleMap, parameters: &[f32]) -> Result<Assembled> {
    shape.assert_usable();
    let layout = Layout::new(shape);
    let profiles = parameters.len() / layout.parameters();
    assert!(profiles > 0 && parameters.len() == profiles * layout.parameters(), "raw parameters of whole profiles");
    let layers: Vec<ProfileLayer> = (0..shape.layers.len())
        .map(|l| ProfileLayer {
            neurons: shape.layers[l] as u32,
            expression: layout.expression[l].start as u32,
            neurotransmitters: layout.neurotransmitters.get(l).map_or(0, |range| range.start as u32),
            receptors: l.checked_sub(1).map_or(0, |l| layout.receptors[l].start as u32),
        })
        .collect();
    let widest = shape.layers.iter().copied().max().unwrap_or_default();
    let narrowest = shape.layers.windows(2).map(|pair| pair[0].min(pair[1])).max().unwrap_or_default();
    let shared = size_of::<f32>()
        * (shape.genes * shape.genes + shape.receptors() + narrowest * shape.genes + 2 * widest * shape.receptors());
    if shared > gpu.shared_limit() as usize {
        let limit = gpu.shared_limit();
        return Err(Error::Device(format!(
            "a profile of {} genes needs {shared} bytes of shared memory, and a block has at most {limit}; try: --device cpu",
            shape.genes
        )));
    }
    let coexpressed = match map {
        RuleMap::Sigmoid => None,
        RuleMap::TwoSigmoids { coexpressed } => {
            assert_eq!(coexpressed.len(), shape.genes * shape.genes, "pairs of genes that are co-expressed or not");
            Some(Buffer::of(gpu, &coexpressed.iter().map(|&is| u32::from(is)).collect::<Vec<_>>())?)
        }
    };
    let pairs: usize = shape.layers.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let (parameters, layers) = (Buffer::of(gpu, parameters)?, Buffer::of(gpu, &layers)?);
    let out = || Buffer::<f32>::zeros(gpu, profiles * pairs);
    let (numbers, conductances, weights) = (out()?, out()?, out()?);
    let args = AssembleArgs {
        parameters: parameters.pointer(),
        layers: layers.pointer(),
        coexpressed: coexpressed.as_ref().map_or(Pointer::NULL, Buffer::pointer),
        numbers: numbers.pointer(),
        conductances: conductances.pointer(),
        weights: weights.pointer(),
        parameter_count: layout.parameters() as u32,
        rules: layout.rules.start as u32,
        receptor_strengths: layout.conductances.start as u32,
        pairs: pairs as u32,
        layer_count: shape.layers.len() as u32,
        genes: shape.genes as u32,
        neurotransmitters: shape.neurotransmitters as u32,
        widest: widest as u32,
        narrowest: narrowest as u32,
    };
    let launch = Launch { grid: [profiles as u32, 1, 1], block: THREADS, shared: shared as u32 };
    // SAFETY: the buffers are as long as the arguments say, and live until the results are read.
    unsafe { gpu.launch("assemble", launch, &args) }?;
    Ok(Assembled {
        numbers: numbers.read_all(gpu)?,
        conductances: conductances.read_all(gpu)?,
        weights: weights.read_all(gpu)?,
    })
}

//! Safetensors: the tensors by their names, and the activation in the metadata.

use std::collections::HashMap;

use ::safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use super::file::{Checked, Contents, Tensor, from_half, is_of_a_layer};

pub(super) fn decode(bytes: &[u8]) -> Checked<Contents> {
    let broken = |error| format!("it is no .safetensors: {error}");
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let activation = header.metadata().as_ref().and_then(|entries| entries.get("activation")).cloned();
    let mut contents = Contents { activation, ..Contents::default() };
    for (name, view) in file.iter() {
        if is_of_a_layer(name) {
            contents.tensors.insert(name.to_owned(), tensor(&view).map_err(|why| format!("{name}: {why}"))?);
        } else {
            contents.others.push(name.to_owned());
        }
    }
    Ok(contents)
}

fn tensor(view: &TensorView<'_>) -> Checked<Tensor> {
    let bytes = view.data();
    let values = match view.dtype() {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        Dtype::F64 => bytes.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|&bytes| from_half(u16::from_le_bytes(bytes))).collect(),
        // The upper half of a float.
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|&[low, high]| f32::from_le_bytes([0, 0, low, high])).collect(),
        kind => return Err(format!("its type is {kind}, and weights are floats; try: F32")),
    };
    Ok(Tensor { shape: view.shape().to_vec(), values })
}

/// Tensors and a text, each by its name; the text is in the metadata.
pub(crate) fn encode(tensors: &[(String, Tensor)], (name, text): (&str, &str)) -> Checked<Vec<u8>> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, tensor)| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(|error| error.to_string())?;
        Ok((name.as_str(), view))
    });
    let metadata = HashMap::from([(name.to_owned(), text.to_owned())]);
    serialize(views.collect::<Checked<Vec<_>>>()?, Some(metadata)).map_err(|error| error.to_string())
}

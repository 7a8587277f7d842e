//! Policies as NumPy's archives, see [`crate::npz`].
//!
//! A file is not trusted, so its dictionary is not parsed as Python but searched for the three entries that there are.

use std::io::Cursor;

use zip::CompressionMethod;

use super::file::{Checked, Contents, LARGEST, Tensor, from_half, is_of_a_layer, read_all, transposed};
use crate::npz::{MAGIC, archive, npy, npy_text};

pub(super) fn decode(bytes: &[u8]) -> Checked<Contents> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| format!("it is no .npz: {error}"))?;
    let mut contents = Contents::default();
    let mut left = LARGEST;
    for i in 0..archive.len() {
        let mut member = archive.by_index(i).map_err(|error| format!("its member {i}: {error}"))?;
        let name = member.name().map_err(|error| format!("its member {i}: {error}"))?;
        let name = name.strip_suffix(".npy").unwrap_or(&name).to_owned();
        if !is_of_a_layer(&name) && name != "activation" {
            contents.others.push(name);
            continue;
        }
        let wrong = |why: String| format!("{name}: {why}");
        let bytes = read_all(&mut member, left).map_err(|error| wrong(error.to_string()))?;
        left -= bytes.len();
        let array = Array::decode(&bytes).map_err(wrong)?;
        if name == "activation" {
            contents.activation = Some(array.text().map_err(wrong)?);
        } else {
            let tensor = array.tensor().map_err(wrong)?;
            contents.tensors.insert(name, tensor);
        }
    }
    Ok(contents)
}

/// Tensors and a text, each by its name.
pub(crate) fn encode(tensors: &[(String, Tensor)], (name, text): (&str, &str)) -> Checked<Vec<u8>> {
    let arrays = tensors.iter().map(|(name, tensor)| {
        let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
        (name.as_str(), npy("<f4", &tensor.shape, &bytes))
    });
    archive(arrays.chain([(name, npy_text(&[], &[text]))]), CompressionMethod::Stored)
}

/// A `.npy` file taken apart; its values are as long as type and shape say.
struct Array<'a> {
    /// Such as `<f4`.
    kind: &'a str,
    /// The first axis is the fastest.
    is_fortran: bool,
    shape: Vec<usize>,
    values: &'a [u8],
}

impl<'a> Array<'a> {
    fn decode(bytes: &'a [u8]) -> Checked<Self> {
        let parts = bytes.strip_prefix(MAGIC).and_then(|rest| {
            let (version, rest) = rest.split_at_checked(2)?;
            // The header's length is a number of two bytes, and of four since version 2.
            let (length, rest) = rest.split_at_checked(if version[0] == 1 { 2 } else { 4 })?;
            let length = length.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
            let (header, values) = rest.split_at_checked(length)?;
            Some((str::from_utf8(header).ok()?, values))
        });
        let (header, values) = parts.ok_or("it is no .npy file")?;
        let (kind, is_fortran, shape) =
            entries(header).ok_or_else(|| format!("its header is not usable: {}", header.trim()))?;
        let bytes_each = match kind.split_at_checked(2) {
            Some(("<f", bytes)) => bytes.parse().ok(),
            Some(("<U", letters)) => letters.parse::<usize>().ok().and_then(|letters| letters.checked_mul(4)),
            _ => None,
        };
        let bytes_each =
            bytes_each.ok_or_else(|| format!("its type is {kind}; try: numpy.asarray(..., dtype=\"<f4\")"))?;
        let size = shape.iter().try_fold(bytes_each, |size: usize, &length| size.checked_mul(length));
        if size != Some(values.len()) {
            return Err(format!("{kind} of shape {shape:?} in {} bytes", values.len()));
        }
        Ok(Self { kind, is_fortran, shape, values })
    }

    fn tensor(self) -> Checked<Tensor> {
        let values: Vec<f32> = match self.kind {
            "<f4" => self.each().map(f32::from_le_bytes).collect(),
            "<f8" => self.each().map(|bytes| f64::from_le_bytes(bytes) as f32).collect(),
            "<f2" => self.each().map(|bytes| from_half(u16::from_le_bytes(bytes))).collect(),
            kind => {
                return Err(format!(
                    "its type is {kind}, and weights are floats; try: numpy.asarray(..., dtype=\"<f4\")"
                ));
            }
        };
        let values = match &self.shape[..] {
            // Stored as its transpose would be in the other order.
            &[rows, columns] if self.is_fortran && !values.is_empty() => transposed(&values, columns, rows),
            _ => values,
        };
        Ok(Tensor { shape: self.shape, values })
    }

    /// The one string in it.
    fn text(self) -> Checked<String> {
        let letters = self.each().map(|bytes| char::from_u32(u32::from_le_bytes(bytes)));
        match letters.collect::<Option<String>>() {
            Some(text) if self.kind.starts_with("<U") && self.shape.is_empty() => {
                Ok(text.trim_end_matches('\0').to_owned())
            }
            _ => Err(format!("its type is {}, and it is a string", self.kind)),
        }
    }

    fn each<const N: usize>(&self) -> impl Iterator<Item = [u8; N]> {
        self.values.as_chunks().0.iter().copied()
    }
}

/// Type, order and shape out of a header.
fn entries(header: &str) -> Option<(&str, bool, Vec<usize>)> {
    let entry = |name: &str| header.split_once(&format!("'{name}':")).map(|(_, rest)| rest.trim_start());
    let (kind, _) = entry("descr")?.strip_prefix('\'')?.split_once('\'')?;
    let is_fortran = entry("fortran_order")?.starts_with("True");
    let (shape, _) = entry("shape")?.strip_prefix('(')?.split_once(')')?;
    let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
    Some((kind, is_fortran, lengths.map(|length| length.parse().ok()).collect::<Option<_>>()?))
}

//! Arrays as NumPy's archives: a zip of `.npy` files, each a magic number, a version, the length of its header, a Python
//! dictionary as text, and the values (numpy.lib.format; <https://numpy.org/neps/nep-0001-npy-format.html>).

use std::io::{Cursor, Write};

use zip::CompressionMethod;

pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";
/// The values begin at a multiple of so many bytes.
const ALIGNMENT: usize = 64;

/// An array as a `.npy` file: a type such as `<f4`, and values in the order of C, little-endian.
pub(crate) fn npy(kind: &str, shape: &[usize], values: &[u8]) -> Vec<u8> {
    // A tuple of one ends in a comma.
    let shape: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    let begins = MAGIC.len() + 4;
    let length = (begins + header.len() + 1).next_multiple_of(ALIGNMENT) - begins;
    header = format!("{header:<width$}\n", width = length - 1);
    [MAGIC, &[1, 0], &(length as u16).to_le_bytes(), header.as_bytes(), values].concat()
}

/// Texts as a `.npy` file: all as long as the longest, 32 bits a letter.
pub(crate) fn npy_text(shape: &[usize], texts: &[&str]) -> Vec<u8> {
    let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let padded =
        |text: &&str| text.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest).collect::<Vec<_>>();
    let bytes: Vec<u8> = texts.iter().flat_map(padded).flat_map(u32::to_le_bytes).collect();
    npy(&format!("<U{longest}"), shape, &bytes)
}

/// `.npy` files by their names in one archive, the same bytes at any time.
pub(crate) fn archive<'a>(
    members: impl IntoIterator<Item = (&'a str, Vec<u8>)>,
    compression: CompressionMethod,
) -> Result<Vec<u8>, String> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(compression);
    for (name, bytes) in members {
        archive.start_file(format!("{name}.npy"), options).map_err(|error| error.to_string())?;
        archive.write_all(&bytes).map_err(|error| error.to_string())?;
    }
    Ok(archive.finish().map_err(|error| error.to_string())?.into_inner())
}

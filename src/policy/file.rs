//! Policies in files: NumPy's `.npz` or `.safetensors`, with tensors W1, b1, W2, ... and the name of the activation.
//!
//! The reader takes what is found in the wild: a bias may be missing, an activation too (relu), and matrices may be
//! `[output, input]` as PyTorch has them, where the world's numbers of observations and actions tell. It does not trust the
//! file: whatever is wrong with it is an error that says what and where.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Activation, Mlp, npz, safetensors};
use crate::error::{Error, Result};
use crate::run::durable;
use crate::world::Spec;

/// No policy is larger, and no more bytes are read of a file or unpacked of it.
pub(super) const LARGEST: usize = 1 << 28;

/// Why a file is not usable; the caller adds its path.
pub(super) type Checked<T> = std::result::Result<T, String>;

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    /// Lengths of its axes.
    pub(crate) shape: Vec<usize>,
    /// The last axis is the fastest.
    pub(crate) values: Vec<f32>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Those that [`is_of_a_layer`].
    pub(super) tensors: BTreeMap<String, Tensor>,
    pub(super) activation: Option<String>,
    /// Names of what else there is.
    pub(super) others: Vec<String>,
}

/// Whether a tensor of this name, such as W1, is a policy's; all others are passed over.
pub(super) fn is_of_a_layer(name: &str) -> bool {
    let number = name.strip_prefix(['W', 'b']).unwrap_or("");
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The kinds of file, by their ending.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Npz,
    Safetensors,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("npz") => Ok(Self::Npz),
            Some("safetensors") => Ok(Self::Safetensors),
            _ => Err(Error::bad_file(
                path,
                "a policy is a file that ends in .npz or .safetensors; try: \
                 numpy.savez(\"policy.npz\", W1=..., b1=..., W2=..., b2=..., activation=\"tanh\")",
            )),
        }
    }

    pub(super) fn decode(self, bytes: &[u8]) -> Checked<Contents> {
        match self {
            Self::Npz => npz::decode(bytes),
            Self::Safetensors => safetensors::decode(bytes),
        }
    }
}

impl Mlp {
    /// Read a policy of a world.
    ///
    /// # Errors
    /// When the file cannot be read, is none of a policy, or the policy is one of another world.
    pub fn read(path: &Path, world: &Spec) -> Result<Self> {
        let format = Format::of(path)?;
        let file = File::open(path).map_err(|source| Error::io("read", path, source))?;
        let bytes = read_all(file, LARGEST).map_err(|source| Error::io("read", path, source))?;
        format.decode(&bytes).and_then(|contents| contents.policy(world)).map_err(|why| Error::bad_file(path, why))
    }

    /// Write the policy, as `.npz` or `.safetensors`; both are read by [`Mlp::read`] to the same bits.
    ///
    /// # Errors
    /// When the path ends in neither, or writing fails; a file that was there is then unchanged.
    pub fn write(&self, path: &Path) -> Result<()> {
        let bytes = match Format::of(path)? {
            Format::Npz => npz::encode(&self.tensors(), self.note()),
            Format::Safetensors => safetensors::encode(&self.tensors(), self.note()),
        };
        let bytes = bytes.map_err(|why| Error::Run(format!("cannot write the policy {}: {why}", path.display())))?;
        durable::replace(path, &bytes)
    }

    /// What files hold beside the tensors.
    pub(crate) fn note(&self) -> (&'static str, &'static str) {
        ("activation", self.activation.name())
    }

    /// W1, b1, W2, ... as files hold them.
    pub(crate) fn tensors(&self) -> Vec<(String, Tensor)> {
        let mut rest = &self.parameters[..];
        let mut tensors = Vec::new();
        for (number, layer) in (1..).zip(self.sizes.windows(2)) {
            for (name, shape) in [("W", layer), ("b", &layer[1..])] {
                let (values, behind) = rest.split_at(shape.iter().product());
                tensors.push((format!("{name}{number}"), Tensor { shape: shape.to_vec(), values: values.to_vec() }));
                rest = behind;
            }
        }
        tensors
    }
}

/// All of a file or of a part of it, if it is not longer than `limit`.
pub(super) fn read_all(from: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::Error::other(format!("it is too large for a policy, more than {} MiB", LARGEST >> 20)));
    }
    Ok(bytes)
}

impl Contents {
    pub(super) fn policy(mut self, world: &Spec) -> Checked<Mlp> {
        if let Some(name) = self.others.iter().find(|name| ["obs_mean", "obs_std"].contains(&name.as_str())) {
            return Err(format!("observations are not scaled, and it has {name}; try: put that into W1 and b1"));
        }
        let activation = self.activation()?;
        let mut layers = Vec::new();
        while let Some(layer) = self.take_layer(layers.len() + 1)? {
            layers.push(layer);
        }
        self.is_used_up(layers.len())?;
        if !fits(&layers, world) {
            let turned: Vec<_> = layers.iter().map(Layer::turned).collect();
            if fits(&turned, world) {
                layers = turned;
            }
        }
        let policy = join(layers, activation)?;
        policy.check(world)?;
        Ok(policy)
    }

    fn activation(&self) -> Checked<Activation> {
        let Some(name) = &self.activation else { return Ok(Activation::default()) };
        Activation::ALL.into_iter().find(|activation| activation.name() == name).ok_or_else(|| {
            let names = Activation::ALL.map(Activation::name).join(", ");
            format!("its activation is {name:?}; try: one of {names}")
        })
    }

    /// W and b of this number.
    fn take_layer(&mut self, number: usize) -> Checked<Option<Layer>> {
        let name = format!("W{number}");
        let Some(Tensor { shape, values }) = self.tensors.remove(&name) else { return Ok(None) };
        let &[rows, columns] = &shape[..] else {
            return Err(format!("{name} is {shape:?}, and a matrix has two axes; try: [inputs, outputs]"));
        };
        if rows == 0 || columns == 0 {
            return Err(format!("{name} is {shape:?}, which is empty"));
        }
        is_finite(&name, &shape, &values)?;
        let name = format!("b{number}");
        let bias = self.tensors.remove(&name);
        if let Some(bias) = &bias {
            is_finite(&name, &bias.shape, &bias.values)?;
        }
        Ok(Some(Layer { rows, columns, weights: values, bias }))
    }

    /// Whether the file held these layers and no others.
    fn is_used_up(&self, layers: usize) -> Checked<()> {
        let rest: Vec<_> = self.tensors.keys().chain(&self.others).map(String::as_str).collect();
        if layers == 0 {
            let rest = rest.join(", ");
            return Err(format!(
                "there is no W1 among its tensors ({rest}); try: W1 [inputs, outputs], b1, W2, b2, ..."
            ));
        }
        match self.tensors.keys().next() {
            Some(name) => Err(format!("it has {name}, but the layers end with W{layers}")),
            None => Ok(()),
        }
    }
}

/// A layer as its file has it.
struct Layer {
    rows: usize,
    columns: usize,
    weights: Vec<f32>,
    bias: Option<Tensor>,
}

impl Layer {
    /// With rows and columns exchanged.
    fn turned(&self) -> Self {
        let Self { rows, columns, weights, bias } = self;
        Self { rows: *columns, columns: *rows, weights: transposed(weights, *rows, *columns), bias: bias.clone() }
    }
}

/// `[column][row]` of `[row][column]`.
pub(super) fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}

/// Whether the matrices, as `[input, output]`, lead from the observations to the actions of a world.
fn fits(layers: &[Layer], world: &Spec) -> bool {
    let ends = layers.first().map(|layer| layer.rows).zip(layers.last().map(|layer| layer.columns));
    ends == Some((world.observations, world.actions.outputs()))
        && layers.windows(2).all(|two| two[0].columns == two[1].rows)
}

/// The policy of these layers.
fn join(layers: Vec<Layer>, activation: Activation) -> Checked<Mlp> {
    let mut sizes: Vec<usize> = layers.iter().take(1).map(|layer| layer.rows).collect();
    let mut parameters = Vec::new();
    for (number, layer) in (1..).zip(layers) {
        let Layer { rows, columns, weights, bias } = layer;
        if sizes.last() != Some(&rows) {
            let before = number - 1;
            return Err(format!(
                "W{number} is [{rows}, {columns}], but W{before} is {:?}; try: matrices [inputs, outputs], each with as \
                 many rows as the one before has columns",
                &sizes[before - 1..]
            ));
        }
        let bias = match bias {
            Some(bias) if bias.shape != [columns] => {
                return Err(format!(
                    "b{number} is {:?}, but W{number} is [{rows}, {columns}]; try: [{columns}]",
                    bias.shape
                ));
            }
            Some(bias) => bias.values,
            None => vec![0.0; columns],
        };
        sizes.push(columns);
        parameters.extend(weights.into_iter().chain(bias));
    }
    Ok(Mlp { activation, sizes, parameters })
}

/// Whether all values of a tensor are, or the place of one that is not.
pub(crate) fn is_finite(name: &str, shape: &[usize], values: &[f32]) -> Checked<()> {
    let Some(mut at) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let value = values[at];
    let mut place = Vec::new();
    for length in shape.iter().rev() {
        place.insert(0, at % length);
        at /= length;
    }
    Err(format!("{name}{place:?} is {value}, and parameters are finite numbers"))
}

/// A half-precision float; infinities come out as NaN.
pub(super) fn from_half(bits: u16) -> f32 {
    /// 2^112, what the exponents of the two formats differ by.
    const UP: f32 = f32::from_bits((112 + 127) << 23);
    let magnitude = f32::from_bits(u32::from(bits & 0x7fff) << 13) * UP;
    let magnitude = if bits & 0x7c00 == 0x7c00 { f32::NAN } else { magnitude };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

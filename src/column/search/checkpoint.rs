//! How far a search has come, as a safetensors file in double precision that proves itself whole.
//!
//! Tensors: `searcher.<name>` for each vector of [`AskTell::state`](crate::search::ask_tell::AskTell::state),
//! `best_error` and `best_actions` of the candidates that are remembered, best first, and `seconds`. The record in the
//! metadata is as that of a run's checkpoints ([`crate::run::checkpoint`]), whose checksum it has.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, View, serialize};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::run::checkpoint::{ENTRY, NO_CHECKSUM, check_seal, seal};
use crate::run::durable;

const FORMAT: u32 = 1;

/// All that a search needs to go on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// Generations that were told.
    pub generation: u32,
    /// Done of the budget.
    pub simulations: u64,
    /// Rows of the log.
    pub candidates: u64,
    /// Candidates that fired too much.
    pub refused: u64,
    /// Candidates with a parameter that was put back into its range.
    pub clipped: u64,
    /// Time that the search took so far; the one number that differs from time to time.
    pub seconds: f64,
    /// The candidates of the least errors, best first.
    pub best: Vec<Remembered>,
    /// Of the one that searches.
    pub searcher: Vec<(String, Vec<f64>)>,
}

/// A candidate that may be the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    /// When it was judged.
    pub generation: u32,
    /// In its generation.
    pub candidate: u32,
    /// As it was judged then.
    pub error: f64,
    /// As it was proposed.
    pub actions: Vec<f64>,
}

/// The metadata beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    /// Of the config, in hexadecimal.
    config: String,
    generation: u32,
    simulations: u64,
    candidates: u64,
    refused: u64,
    clipped: u64,
    /// Generation and number of each remembered candidate.
    best: Vec<(u32, u32)>,
    /// Names of the searcher's vectors in the order of the state; safetensors sorts its tensors.
    searcher: Vec<String>,
    checksum: String,
}

/// Write a state of a search whose config has this hash, atomically.
///
/// # Errors
/// When writing fails; a file that was there is then unchanged.
pub fn write(path: &Path, config: u64, state: &State) -> Result<()> {
    durable::replace(path, &encode(config, state).map_err(|why| Error::Run(format!("cannot save the state: {why}")))?)
}

/// Read and verify a state, and the hash of its config; `None` when there is no file.
///
/// # Errors
/// When the file cannot be read, or was truncated, altered, or written in another format.
pub fn read(path: &Path) -> Result<Option<(State, u64)>> {
    match fs::read(path) {
        Ok(bytes) => decode(&bytes).map(Some).map_err(|why| Error::bad_file(path, why)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::io("read", path, source)),
    }
}

struct Vector(Vec<f64>, [usize; 1]);

impl Vector {
    fn new(values: Vec<f64>) -> Self {
        let length = values.len();
        Self(values, [length])
    }
}

impl View for Vector {
    fn dtype(&self) -> Dtype {
        Dtype::F64
    }
    fn shape(&self) -> &[usize] {
        &self.1
    }
    fn data(&self) -> Cow<'_, [u8]> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
    fn data_len(&self) -> usize {
        size_of_val(&self.0[..])
    }
}

fn encode(config: u64, state: &State) -> std::result::Result<Vec<u8>, String> {
    let header = Header {
        format: FORMAT,
        config: format!("{config:016x}"),
        generation: state.generation,
        simulations: state.simulations,
        candidates: state.candidates,
        refused: state.refused,
        clipped: state.clipped,
        best: state.best.iter().map(|best| (best.generation, best.candidate)).collect(),
        searcher: state.searcher.iter().map(|(name, _)| name.clone()).collect(),
        checksum: NO_CHECKSUM.to_owned(),
    };
    let record = serde_json::to_string(&header).map_err(|error| error.to_string())?;
    let own = [
        ("seconds", vec![state.seconds]),
        ("best_error", state.best.iter().map(|best| best.error).collect()),
        ("best_actions", state.best.iter().flat_map(|best| best.actions.clone()).collect()),
    ];
    let own = own.into_iter().map(|(name, values)| (name.to_owned(), Vector::new(values)));
    let searcher = state.searcher.iter().map(|(name, values)| (tensor(name), Vector::new(values.clone())));
    let metadata = HashMap::from([(ENTRY.to_owned(), record)]);
    let mut bytes = serialize(own.chain(searcher), Some(metadata)).map_err(|error| error.to_string())?;
    seal(&mut bytes)?;
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> std::result::Result<(State, u64), String> {
    check_seal(bytes)?;
    let wrong = |error: safetensors::SafeTensorError| error.to_string();
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(wrong)?;
    let record = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY)).ok_or("it has no phylon entry")?;
    let header: Header = serde_json::from_str(record).map_err(|error| format!("it is of no search: {error}"))?;
    if header.format != FORMAT {
        return Err(format!("it was written in format {}, this version reads {FORMAT}", header.format));
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(wrong)?;
    let vector = |name: &str| -> std::result::Result<Vec<f64>, String> {
        let tensor = tensors.tensor(name).map_err(wrong)?;
        if tensor.dtype() != Dtype::F64 {
            return Err(format!("its tensor {name} is not f64"));
        }
        Ok(tensor.data().as_chunks().0.iter().map(|&eight| f64::from_le_bytes(eight)).collect())
    };
    let (errors, actions) = (vector("best_error")?, vector("best_actions")?);
    let each = actions.len() / errors.len().max(1);
    if errors.len() != header.best.len() || each * errors.len() != actions.len() {
        return Err("its best candidates are not whole".to_owned());
    }
    let remembered = |(i, (&(generation, candidate), &error)): (usize, (&(u32, u32), &f64))| Remembered {
        generation,
        candidate,
        error,
        actions: actions[i * each..(i + 1) * each].to_vec(),
    };
    let state = State {
        generation: header.generation,
        simulations: header.simulations,
        candidates: header.candidates,
        refused: header.refused,
        clipped: header.clipped,
        seconds: *vector("seconds")?.first().ok_or("its seconds are empty")?,
        best: header.best.iter().zip(&errors).enumerate().map(remembered).collect(),
        searcher: (header.searcher.iter())
            .map(|name| Ok((name.clone(), vector(&tensor(name))?)))
            .collect::<std::result::Result<_, String>>()?,
    };
    let config = u64::from_str_radix(&header.config, 16).map_err(|error| error.to_string())?;
    Ok((state, config))
}

fn tensor(name: &str) -> String {
    format!("searcher.{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(remembered: usize) -> State {
        let best = |i: usize| Remembered {
            generation: i as u32,
            candidate: 3,
            error: 0.1 + i as f64,
            actions: vec![1.0 / 3.0, -0.0, i as f64],
        };
        State {
            generation: 7,
            simulations: 1 << 40,
            candidates: 12,
            refused: 1,
            clipped: 2,
            seconds: 0.7,
            best: (0..remembered).map(best).collect(),
            searcher: vec![("mean".into(), vec![1e-300, 5.0]), ("empty".into(), vec![]), ("a".into(), vec![2.0])],
        }
    }

    #[test]
    fn states_come_back() {
        for remembered in 0..3 {
            let state = state(remembered);
            assert_eq!(decode(&encode(u64::MAX - 1, &state).unwrap()).unwrap(), (state, u64::MAX - 1));
        }
    }

    #[test]
    fn a_changed_byte_or_a_missing_one_is_refused() {
        let bytes = encode(5, &state(2)).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            assert!(decode(&changed).is_err(), "byte {at}");
            assert!(decode(&bytes[..at]).is_err(), "{at} bytes");
        }
        assert!(decode(&[&bytes[..], b"more"].concat()).is_err());
    }
}

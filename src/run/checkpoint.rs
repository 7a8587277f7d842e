//! A [`State`] as a safetensors file that proves itself whole, and the two of them that a run folder keeps.
//!
//! Tensors (f32, one dimension): `centre`, `optimiser.<name>` for each vector of the optimiser, and, when there is a
//! best centre, `best` and `best_fitness`. The header's metadata has one entry, `phylon`, a JSON record: one entry so
//! that the same state always gives the same bytes. Its `checksum` is the FNV-1a hash of the whole file with the
//! checksum's own digits read as zeros: no byte can change without being noticed, in the header or in the tensors.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, View, serialize};
use serde::{Deserialize, Serialize};

use super::durable;
use crate::engine::{Best, State};
use crate::error::{Error, Result};
use crate::hash::fnv1a;
use crate::plan::Plan;

const FORMAT: u32 = 1;
/// The one entry of the metadata.
pub(crate) const ENTRY: &str = "phylon";
/// What stands before the checksum in the file; the quotes are escaped because the record is a string in JSON.
const MARK: &[u8] = br#"\"checksum\":\""#;
/// The checksum of a record that is not sealed yet.
pub(crate) const NO_CHECKSUM: &str = "0000000000000000";

/// The metadata beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    /// [`Plan::hash`] in hexadecimal.
    plan: String,
    seed: u64,
    generation: u32,
    /// Names of the optimiser's vectors in the order of the state; safetensors sorts its tensors.
    optimiser: Vec<String>,
    best_generation: Option<u32>,
    checksum: String,
}

/// A state read back, and which plan it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// As it was written.
    pub state: State,
    /// [`Plan::hash`] of the run that wrote it.
    pub plan: u64,
    /// The run's seed, for the reader of the file; the hash covers it.
    pub seed: u64,
}

/// Write one state to any path, atomically.
///
/// # Errors
/// When writing fails; a file that was there is then unchanged.
pub fn write(path: &Path, plan: &Plan, state: &State) -> Result<()> {
    durable::replace(path, &encode(plan, state).map_err(|why| Error::Run(format!("cannot save the state: {why}")))?)
}

/// Read and verify one state.
///
/// # Errors
/// When the file cannot be read, or was truncated, altered, or written in another format.
pub fn read(path: &Path) -> Result<Saved> {
    let bytes = fs::read(path).map_err(|source| Error::io("read", path, source))?;
    decode(&bytes).map_err(|why| Error::bad_file(path, why))
}

/// Make `state` the newest checkpoint and keep the one before it.
///
/// A kill at any point leaves a good one: the new file is whole and on the disk before the old one moves, and
/// [`newest`] looks for both names. A damaged checkpoint is never kept as the previous one, for that would throw
/// away the only good one.
///
/// # Errors
/// When writing fails; the checkpoints that were there are then still there.
pub fn save(current: &Path, previous: &Path, plan: &Plan, state: &State) -> Result<()> {
    let bytes = encode(plan, state).map_err(|why| Error::Run(format!("cannot save the state: {why}")))?;
    let temporary = durable::write_temporary(current, &bytes)?;
    if read(current).is_ok() {
        durable::rename(current, previous)?;
    }
    durable::rename(&temporary, current)?;
    durable::sync_folder_of(current)
}

/// The newest good checkpoint, and why it is not the current one if it is not; `None` when neither file exists.
///
/// # Errors
/// When there are checkpoints but none can be used.
pub fn newest(current: &Path, previous: &Path) -> Result<Option<(Saved, Option<String>)>> {
    let why = match read(current) {
        Ok(saved) => return Ok(Some((saved, None))),
        Err(why) => why,
    };
    match read(previous) {
        Ok(saved) => {
            let (generation, previous) = (saved.state.generation, previous.display());
            let warning = format!("{why}; going on from generation {generation} with {previous}");
            Ok(Some((saved, Some(warning))))
        }
        Err(error) if is_missing(&error) && is_missing(&why) => Ok(None),
        Err(error) if is_missing(&error) => Err(why),
        Err(error) => Err(Error::Run(format!("no good checkpoint: {why}; {error}"))),
    }
}

fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}

struct Vector<'a>(&'a [f32], [usize; 1]);

impl<'a> Vector<'a> {
    fn new(values: &'a [f32]) -> Self {
        Self(values, [values.len()])
    }
}

impl View for Vector<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.1
    }
    fn data(&self) -> Cow<'_, [u8]> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
    fn data_len(&self) -> usize {
        size_of_val(self.0)
    }
}

/// The file's bytes.
pub(super) fn encode(plan: &Plan, state: &State) -> std::result::Result<Vec<u8>, String> {
    let header = Header {
        format: FORMAT,
        plan: format!("{:016x}", plan.hash()),
        seed: plan.config.run.seed,
        generation: state.generation,
        optimiser: state.optimiser.iter().map(|(name, _)| name.clone()).collect(),
        best_generation: state.best.as_ref().map(|best| best.generation),
        checksum: NO_CHECKSUM.to_owned(),
    };
    let record = serde_json::to_string(&header).map_err(|error| error.to_string())?;

    let mut tensors = vec![("centre".to_owned(), Vector::new(&state.centre))];
    tensors.extend(state.optimiser.iter().map(|(name, values)| (optimiser_tensor(name), Vector::new(values))));
    if let Some(best) = &state.best {
        tensors.push(("best".to_owned(), Vector::new(&best.parameters)));
        tensors.push(("best_fitness".to_owned(), Vector::new(std::slice::from_ref(&best.fitness))));
    }
    let metadata = HashMap::from([(ENTRY.to_owned(), record)]);
    let mut bytes = serialize(tensors, Some(metadata)).map_err(|error| error.to_string())?;

    seal(&mut bytes)?;
    Ok(bytes)
}

/// Put the checksum into a file whose record has [`NO_CHECKSUM`] for it.
pub(crate) fn seal(bytes: &mut [u8]) -> std::result::Result<(), String> {
    let at = checksum_position(bytes).ok_or("its header has no place for the checksum")?;
    let sum = checksum(bytes, at);
    bytes[at..at + NO_CHECKSUM.len()].copy_from_slice(sum.as_bytes());
    Ok(())
}

/// That a file is as it was sealed.
pub(crate) fn check_seal(bytes: &[u8]) -> std::result::Result<(), String> {
    let at = checksum_position(bytes).ok_or("it is no checkpoint, or is truncated")?;
    match checksum(bytes, at).as_bytes() == &bytes[at..at + NO_CHECKSUM.len()] {
        true => Ok(()),
        false => Err("its checksum does not match, it is truncated or was altered".to_owned()),
    }
}

/// What [`encode`] was given.
pub(super) fn decode(bytes: &[u8]) -> std::result::Result<Saved, String> {
    check_seal(bytes)?;
    let wrong = |error: safetensors::SafeTensorError| error.to_string();
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(wrong)?;
    let record = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY)).ok_or("it has no phylon entry")?;
    let header: Header = serde_json::from_str(record).map_err(|error| error.to_string())?;
    if header.format != FORMAT {
        return Err(format!("it was written in format {}, this version reads {FORMAT}", header.format));
    }

    let tensors = SafeTensors::deserialize(bytes).map_err(wrong)?;
    let vector = |name: &str| -> std::result::Result<Vec<f32>, String> {
        let tensor = tensors.tensor(name).map_err(wrong)?;
        if tensor.dtype() != Dtype::F32 {
            return Err(format!("its tensor {name} is not f32"));
        }
        Ok(tensor.data().as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect())
    };
    let best = |generation| -> std::result::Result<Best, String> {
        let fitness = *vector("best_fitness")?.first().ok_or("its best_fitness is empty")?;
        Ok(Best { generation, fitness, parameters: vector("best")? })
    };
    let state = State {
        generation: header.generation,
        centre: vector("centre")?,
        optimiser: (header.optimiser.iter())
            .map(|name| Ok((name.clone(), vector(&optimiser_tensor(name))?)))
            .collect::<std::result::Result<_, String>>()?,
        best: header.best_generation.map(best).transpose()?,
    };
    let plan = u64::from_str_radix(&header.plan, 16).map_err(|error| error.to_string())?;
    Ok(Saved { state, plan, seed: header.seed })
}

fn optimiser_tensor(name: &str) -> String {
    format!("optimiser.{name}")
}

/// Where the checksum's digits begin; they are all inside the file.
fn checksum_position(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    (at + NO_CHECKSUM.len() <= bytes.len()).then_some(at)
}

/// The hash of the file with zeros for the digits at `at`.
fn checksum(bytes: &[u8], at: usize) -> String {
    let parts = [&bytes[..at], NO_CHECKSUM.as_bytes(), &bytes[at + NO_CHECKSUM.len()..]];
    format!("{:016x}", fnv1a(parts.into_iter().flatten().copied()))
}

#[cfg(test)]
mod tests {
    use proptest::collection::{hash_map, vec};
    use proptest::num::f32::ANY;
    use proptest::prelude::*;

    use super::*;
    use crate::run::fake::plan;

    fn states() -> impl Strategy<Value = State> {
        let best = (any::<u32>(), ANY, vec(ANY, 0..20));
        let optimiser = hash_map("[a-z_]{1,9}", vec(ANY, 0..20), 0..4);
        (any::<u32>(), vec(ANY, 0..20), optimiser, proptest::option::of(best)).prop_map(
            |(generation, centre, optimiser, best)| State {
                generation,
                centre,
                optimiser: optimiser.into_iter().collect(),
                best: best.map(|(generation, fitness, parameters)| Best { generation, fitness, parameters }),
            },
        )
    }

    /// NaN is not equal to itself, so states are compared by their bits.
    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    fn assert_same(left: &State, right: &State) {
        assert_eq!((left.generation, bits(&left.centre)), (right.generation, bits(&right.centre)));
        let optimiser = |s: &State| s.optimiser.iter().map(|(n, v)| (n.clone(), bits(v))).collect::<Vec<_>>();
        assert_eq!(optimiser(left), optimiser(right));
        let best = |s: &State| s.best.as_ref().map(|b| (b.generation, b.fitness.to_bits(), bits(&b.parameters)));
        assert_eq!(best(left), best(right));
    }

    proptest! {
        #[test]
        fn states_come_back(state in states(), seed: u64) {
            let plan = plan(seed, 1, 1);
            let bytes = encode(&plan, &state).unwrap();
            let saved = decode(&bytes).unwrap();
            assert_same(&saved.state, &state);
            prop_assert_eq!((saved.plan, saved.seed), (plan.hash(), seed));
            prop_assert_eq!(encode(&plan, &saved.state).unwrap(), bytes);
        }

        #[test]
        fn a_changed_byte_is_refused(state in states(), at: prop::sample::Index, change in 1u8..) {
            let mut bytes = encode(&plan(1, 1, 1), &state).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            prop_assert!(decode(&bytes).is_err());
        }

        #[test]
        fn a_shorter_or_longer_file_is_refused(state in states(), at: prop::sample::Index, more in vec(any::<u8>(), 1..9)) {
            let bytes = encode(&plan(1, 1, 1), &state).unwrap();
            prop_assert!(decode(&bytes[..at.index(bytes.len())]).is_err());
            prop_assert!(decode(&[bytes, more].concat()).is_err());
        }

        #[test]
        fn anything_else_is_refused(bytes in vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&bytes).is_err());
        }
    }

    #[test]
    fn another_format_is_refused_by_its_number() {
        let state = State { generation: 3, centre: vec![1.0], optimiser: Vec::new(), best: None };
        let mut later = encode(&plan(1, 1, 1), &state).unwrap();
        let format = br#"format\":1"#;
        let at = later.windows(format.len()).position(|window| window == format).unwrap();
        later[at + format.len() - 1] = b'2';
        let at = checksum_position(&later).unwrap();
        let sum = checksum(&later, at);
        later[at..at + 16].copy_from_slice(sum.as_bytes());
        assert_eq!(decode(&later).unwrap_err(), "it was written in format 2, this version reads 1");
    }
}

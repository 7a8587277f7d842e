//! Profiles in files: `.safetensors` with the raw parameters by their names.
//!
//! Tensors (f32): X0, X1, .. `[neuron][gene]`, T0, .. `[neuron][neurotransmitter]`, R1, .. `[neuron][receptor]`, b1, ..
//! `[neuron]`, O `[gene before][gene behind]` and K `[neurotransmitter][receptor]`; with rules from data also `co_expressed`
//! (u8, 0 or 1), `[gene before][gene behind]`. The header's metadata has one entry, `profile`, a JSON record of the sizes
//! and of where the profile comes from: one entry so that the same profile always gives the same bytes.
//!
//! The reader does not trust the file: whatever is wrong with it is an error that says what and where.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::ops::Range;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};

use super::profile::{Profile, RuleMap};
use super::shape::{Layout, Shape};
use crate::error::{Error, Result};
use crate::policy::is_finite;
use crate::run::durable;

/// Where a profile comes from, such as its environment, seed and steps, for the reader of the file.
pub type Provenance = BTreeMap<String, String>;

const FORMAT: u32 = 1;
const ENTRY: &str = "profile";
const CO_EXPRESSED: &str = "co_expressed";
/// No size of a profile is larger, so that products of three of them are 64-bit numbers.
const LARGEST: usize = 1 << 20;

/// Why a file is not usable; the caller adds its path.
type Checked<T> = std::result::Result<T, String>;

/// The metadata beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    layers: Vec<usize>,
    genes: usize,
    neurotransmitters: usize,
    #[serde(default)]
    provenance: Provenance,
}

impl Profile {
    /// Write the profile as `.safetensors`, atomically; [`Profile::open`] reads it to the same bits.
    ///
    /// # Errors
    /// When writing fails; a file that was there is then unchanged.
    pub fn save(&self, path: &Path) -> Result<()> {
        write(path, self, &Provenance::new())
    }

    /// Read a profile.
    ///
    /// # Errors
    /// When the file cannot be read, or is no profile or a damaged one.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(read(path)?.0)
    }
}

/// [`Profile::save`] with a note of where the profile comes from.
///
/// # Errors
/// When writing fails; a file that was there is then unchanged.
pub fn write(path: &Path, profile: &Profile, provenance: &Provenance) -> Result<()> {
    let bytes = encode(profile, provenance)
        .map_err(|why| Error::Run(format!("cannot write the profile {}: {why}", path.display())))?;
    durable::replace(path, &bytes)
}

/// [`Profile::open`], and where the profile comes from.
///
/// # Errors
/// When the file cannot be read, or is no profile or a damaged one.
pub fn read(path: &Path) -> Result<(Profile, Provenance)> {
    let bytes = fs::read(path).map_err(|source| Error::io("read", path, source))?;
    decode(&bytes).map_err(|why| Error::bad_file(path, why))
}

/// A tensor's name, the lengths of its axes, and which parameters it holds.
type Place = (String, Vec<usize>, Range<usize>);

/// All tensors of parameters, in the order of their vector.
fn places(shape: &Shape) -> Vec<Place> {
    let layout = Layout::new(shape);
    let (layers, behind) = (&shape.layers, &shape.layers[1..]);
    let (genes, transmitters, receptors) = (shape.genes, shape.neurotransmitters, shape.receptors());
    let named =
        |letter: &'static str, first: usize, ranges: Vec<Range<usize>>, rows: &[usize], columns: Option<usize>| {
            let place = |((number, range), rows): ((usize, Range<usize>), &usize)| {
                (format!("{letter}{number}"), [*rows].into_iter().chain(columns).collect(), range)
            };
            (first..).zip(ranges).zip(rows).map(place).collect::<Vec<Place>>()
        };
    let mut places = named("X", 0, layout.expression, layers, Some(genes));
    places.extend(named("T", 0, layout.neurotransmitters, layers, Some(transmitters)));
    places.extend(named("R", 1, layout.receptors, behind, Some(receptors)));
    places.extend(named("b", 1, layout.biases, behind, None));
    places.push(("O".into(), vec![genes, genes], layout.rules));
    places.push(("K".into(), vec![transmitters, receptors], layout.conductances));
    places
}

fn encode(profile: &Profile, provenance: &Provenance) -> Checked<Vec<u8>> {
    let Profile { shape, rules, parameters } = profile;
    let header = Header {
        format: FORMAT,
        layers: shape.layers.clone(),
        genes: shape.genes,
        neurotransmitters: shape.neurotransmitters,
        provenance: provenance.clone(),
    };
    let (held, wanted) = (parameters.len(), shape.parameters());
    if held != wanted {
        return Err(format!("it has {held} parameters, and its shape {wanted}"));
    }
    let record = serde_json::to_string(&header).map_err(|error| error.to_string())?;
    let values: Vec<u8> = parameters.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mask: Vec<u8> = match rules {
        RuleMap::Sigmoid => Vec::new(),
        RuleMap::TwoSigmoids { coexpressed } => coexpressed.iter().map(|&is| u8::from(is)).collect(),
    };
    let view =
        |dtype, shape: Vec<usize>, bytes| TensorView::new(dtype, shape, bytes).map_err(|error| error.to_string());
    let mut tensors = Vec::new();
    for (name, lengths, range) in places(shape) {
        tensors.push((name, view(Dtype::F32, lengths, &values[4 * range.start..4 * range.end])?));
    }
    if let RuleMap::TwoSigmoids { .. } = rules {
        tensors.push((CO_EXPRESSED.into(), view(Dtype::U8, vec![shape.genes; 2], &mask)?));
    }
    serialize(tensors, Some(HashMap::from([(ENTRY.to_owned(), record)]))).map_err(|error| error.to_string())
}

fn decode(bytes: &[u8]) -> Checked<(Profile, Provenance)> {
    let broken = |error| format!("it is no .safetensors, or is truncated: {error}; try: another copy of the file");
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
    let record = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
    let record = record.ok_or_else(|| {
        format!("its metadata has no entry {ENTRY:?}, so it is no profile; try: a file that a search of profiles wrote")
    })?;
    let header: Header =
        serde_json::from_str(record).map_err(|error| format!("its metadata's entry {ENTRY:?} is damaged: {error}"))?;
    let shape = header.shape()?;

    let places = places(&shape);
    // A tensor at a time: sizes that the file does not hold ask for no memory.
    let mut parameters = Vec::new();
    for (name, lengths, range) in &places {
        let data = tensor(&tensors, name, Dtype::F32, lengths)?;
        parameters.extend(data.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)));
        is_finite(name, lengths, &parameters[range.start..])?;
    }
    let mut rules = RuleMap::Sigmoid;
    for name in tensors.names() {
        if name == CO_EXPRESSED {
            let mask = tensor(&tensors, name, Dtype::U8, &[shape.genes; 2])?;
            if let Some(at) = mask.iter().position(|&is| is > 1) {
                let (u, w) = (at / shape.genes, at % shape.genes);
                return Err(format!("{name}[{u}, {w}] is {}, and a pair of genes has 0 or 1", mask[at]));
            }
            rules = RuleMap::TwoSigmoids { coexpressed: mask.iter().map(|&is| is == 1).collect() };
        } else if !places.iter().any(|place| place.0 == name) {
            return Err(format!("it has a tensor {name:?}, which no profile of its sizes has"));
        }
    }
    Ok((Profile { shape, rules, parameters }, header.provenance))
}

impl Header {
    /// The sizes, if there can be a profile of them.
    fn shape(&self) -> Checked<Shape> {
        let Self { format, layers, genes, neurotransmitters, .. } = self;
        if *format != FORMAT {
            return Err(format!("it was written in format {format}, this version reads {FORMAT}"));
        }
        let is_size = |size: &usize| (1..=LARGEST).contains(size);
        if !(2..=LARGEST).contains(&layers.len()) || ![genes, neurotransmitters].into_iter().chain(layers).all(is_size)
        {
            return Err(format!(
                "its metadata has layers of {layers:?} neurons, {genes} genes and {neurotransmitters} neurotransmitters; \
                 try: two layers or more, and sizes from 1 to {LARGEST}"
            ));
        }
        Ok(Shape { layers: layers.clone(), genes: *genes, neurotransmitters: *neurotransmitters })
    }
}

/// The bytes of a tensor that has this type and shape.
fn tensor<'a>(tensors: &SafeTensors<'a>, name: &str, dtype: Dtype, lengths: &[usize]) -> Checked<&'a [u8]> {
    let found = tensors.tensor(name).map_err(|_| {
        format!("it lacks the tensor {name}, {lengths:?} by its metadata; try: another copy of the file")
    })?;
    if (found.dtype(), found.shape()) != (dtype, lengths) {
        let (dtype_found, found) = (found.dtype(), found.shape());
        return Err(format!("{name} is {found:?} of {dtype_found}, but by its metadata {lengths:?} of {dtype}"));
    }
    Ok(found.data())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn profile(genes: usize, has_mask: bool) -> Profile {
        let coexpressed = (0..genes * genes).map(|pair| pair % 3 == 1).collect();
        let rules = if has_mask { RuleMap::TwoSigmoids { coexpressed } } else { RuleMap::Sigmoid };
        Profile::initial(Shape::new(&[3, 5, 4, 2], genes), rules, 7)
    }

    /// A tensor: name, type, lengths of its axes, bytes.
    type Owned = (String, Dtype, Vec<usize>, Vec<u8>);

    /// The file of other tensors and another record; `change` has them as they would be written.
    fn altered(change: impl FnOnce(&mut Vec<Owned>, &mut serde_json::Value)) -> Vec<u8> {
        let bytes = encode(&profile(2, true), &Provenance::new()).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let owned = |(name, view): (&str, TensorView)| {
            (name.to_owned(), view.dtype(), view.shape().to_vec(), view.data().to_vec())
        };
        let mut tensors: Vec<_> = file.iter().map(owned).collect();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let mut record = serde_json::from_str(&metadata.metadata().as_ref().unwrap()[ENTRY]).unwrap();
        change(&mut tensors, &mut record);
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, data)| (name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
        serialize(views, Some(HashMap::from([(ENTRY.to_owned(), record.to_string())]))).unwrap()
    }

    #[test]
    fn profiles_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.safetensors");
        let notes = Provenance::from([("env".into(), "CartPole-v1".into()), ("seed".into(), "3".into())]);
        for (genes, has_mask) in [(1, false), (6, false), (6, true)] {
            let profile = profile(genes, has_mask);
            profile.save(&path).unwrap();
            assert_eq!(read(&path).unwrap(), (profile.clone(), Provenance::new()));
            write(&path, &profile, &notes).unwrap();
            assert_eq!(read(&path).unwrap(), (profile.clone(), notes.clone()));
            assert_eq!(Profile::open(&path).unwrap(), profile);
            assert_eq!(encode(&profile, &notes).unwrap(), fs::read(&path).unwrap());
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    /// The names of the specification, and its shapes.
    #[test]
    fn tensors_have_their_names_and_shapes() {
        let bytes = encode(&profile(6, true), &Provenance::new()).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let mut names: Vec<String> = file.iter().map(|(name, view)| format!("{name}{:?}", view.shape())).collect();
        names.sort_unstable();
        let expected = "K[3, 6] O[6, 6] R1[5, 6] R2[4, 6] R3[2, 6] T0[3, 3] T1[5, 3] T2[4, 3] X0[3, 6] X1[5, 6] X2[4, 6] \
                        X3[2, 6] b1[5] b2[4] b3[2] co_expressed[6, 6]";
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn damage_is_named() {
        let told = |bytes: &[u8], expected: &str| {
            let said = decode(bytes).unwrap_err();
            assert!(said.contains(expected), "said: {said}\nexpected: {expected}");
        };
        let whole = altered(|_, _| ());
        assert!(decode(&whole).is_ok());
        told(b"X0 = [[0.5]]", "it is no .safetensors, or is truncated: ");
        told(&whole[..whole.len() - 1], "it is no .safetensors, or is truncated: ");
        told(&serialize(Vec::<(&str, TensorView)>::new(), None).unwrap(), "no entry \"profile\", so it is no profile");
        told(&altered(|_, record| record["genes"] = "two".into()), "entry \"profile\" is damaged: invalid type");
        told(&altered(|_, record| record["format"] = 2.into()), "written in format 2, this version reads 1");
        told(&altered(|_, record| record["layers"] = vec![3].into()), "layers of [3] neurons, 2 genes");
        told(&altered(|_, record| record["layers"][1] = 0.into()), "sizes from 1 to 1048576");
        told(&altered(|_, record| record["genes"] = u64::MAX.into()), "sizes from 1 to 1048576");
        told(&altered(|_, record| record["genes"] = 3.into()), "X0 is [3, 2] of F32, but by its metadata [3, 3]");
        told(&altered(|_, record| record["layers"] = vec![3, 5].into()), "it has a tensor \"");
        told(&altered(|tensors, _| tensors.retain(|tensor| tensor.0 != "b2")), "it lacks the tensor b2, [4]");
        let tensor = |name: &'static str, change: fn(&mut Owned)| {
            altered(move |tensors, _| tensors.iter_mut().filter(|tensor| tensor.0 == name).for_each(change))
        };
        told(&tensor("O", |tensor| tensor.1 = Dtype::I32), "O is [2, 2] of I32, but by its metadata [2, 2] of F32");
        told(&tensor("X1", |tensor| tensor.2 = vec![2, 5]), "X1 is [2, 5] of F32, but by its metadata [5, 2]");
        told(&tensor("X1", |tensor| tensor.3[16..20].fill(255)), "X1[2, 0] is NaN");
        told(&tensor("co_expressed", |tensor| tensor.3[2] = 7), "co_expressed[1, 0] is 7");
        told(&tensor("T0", |tensor| tensor.0 = "W1".into()), "it lacks the tensor T0");
        let short = Profile { parameters: vec![0.5; 7], ..profile(2, false) };
        assert_eq!(encode(&short, &Provenance::new()).unwrap_err(), "it has 7 parameters, and its shape 163");
        let missing = Profile::open(Path::new("no/profile.safetensors")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read no/profile.safetensors: "), "{missing}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// Whatever a file holds, reading it comes to an end, and what comes out of it can be used.
        #[test]
        fn damaged_files_are_refused_or_give_usable_profiles(
            has_mask: bool,
            cut in prop::option::of(0.0..1.0),
            places in prop::collection::vec((0.0..1.0, any::<u8>()), 0..4),
        ) {
            let mut bytes = encode(&profile(2, has_mask), &Provenance::new()).unwrap();
            for (place, byte) in places {
                let place = (place * bytes.len() as f64) as usize;
                bytes[place] = byte;
            }
            bytes.truncate((cut.unwrap_or(1.0) * bytes.len() as f64) as usize);
            if let Ok((profile, _)) = decode(&bytes) {
                prop_assert!(profile.parameters.iter().all(|parameter| parameter.is_finite()));
                let agent = profile.mean_agent();
                prop_assert_eq!(agent.sizes(), profile.shape.layers);
            }
        }
    }
}

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::file::{Format, from_half};
use super::{Activation, Mlp, Scratch};
use crate::cpu::{InstructionSet, Kernel, LANES, Vector};
use crate::num;
use crate::rng::{Row, Stream};
use crate::world::{Actions, Spec};

/// A world of so many observations and actions.
fn world(observations: usize, actions: usize) -> Spec {
    Spec {
        name: "lander",
        gymnasium: "Lander-v0",
        summary: "",
        observations,
        actions: Actions::Discrete(actions),
        limit: 1,
        threshold: None,
        frame_rate: 1,
    }
}

fn normals(count: usize, index: u32) -> Vec<f32> {
    let mut values = vec![0.0; count];
    Row { seed: 7, stream: Stream::Initial, generation: 0, index }.normals(0, &mut values);
    values
}

fn policy(sizes: &[usize], activation: Activation) -> Mlp {
    let mut policy = Mlp::new(sizes, activation);
    let values = normals(policy.parameters().len(), 0);
    policy.parameters_mut().copy_from_slice(&values);
    policy
}

struct Answer<'a> {
    policy: &'a Mlp,
    lanes: usize,
    observations: &'a [f32],
}

impl Kernel for Answer<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Vec<f32> {
        let Self { policy, lanes, observations } = self;
        let mut out = vec![f32::NAN; policy.sizes[policy.sizes.len() - 1] * lanes];
        policy.outputs::<V>(lanes, observations, &mut Scratch::new(policy), &mut out);
        out
    }
}

/// One lane, as the head of the module has it.
fn plainly(policy: &Mlp, observations: Vec<f32>) -> Vec<f32> {
    let mut rest = policy.parameters();
    let mut x = observations;
    for (layer, sizes) in policy.sizes().windows(2).enumerate() {
        let (weights, behind) = rest.split_at(sizes[0] * sizes[1]);
        let (bias, behind) = behind.split_at(sizes[1]);
        rest = behind;
        let sum =
            |m: usize| x.iter().enumerate().fold(bias[m], |sum, (k, x)| x.mul_add(weights[k * sizes[1] + m], sum));
        let sums: Vec<f32> = (0..sizes[1]).map(sum).collect();
        let f = match policy.activation() {
            _ if layer + 2 == policy.sizes().len() => |x| x,
            Activation::Relu => |x| if x < 0.0 { 0.0 } else { x },
            Activation::Tanh => num::tanh::<f32>,
            Activation::Sigmoid => num::sigmoid::<f32>,
            Activation::Identity => |x| x,
            Activation::Selu => num::selu,
        };
        x = sums.into_iter().map(f).collect();
    }
    x
}

#[test]
fn outputs_are_those_of_a_plain_loop_on_every_instruction_set_for_any_number_of_lanes() {
    let sizes: [&[usize]; 5] = [&[4, 2], &[8, 32, 4], &[6, 17, 3], &[8, 64, 40, 2], &[3, 1, 5, 7, 1]];
    for (sizes, activation) in sizes.into_iter().flat_map(|sizes| Activation::ALL.map(|activation| (sizes, activation)))
    {
        let policy = policy(sizes, activation);
        let &[inputs, .., outputs] = sizes else { unreachable!() };
        for lanes in [1, 2, 3, 7].map(|rows| rows * LANES) {
            let observations = normals(inputs * lanes, 1);
            let mut expected = vec![0; outputs * lanes];
            for lane in 0..lanes {
                let seen = (0..inputs).map(|i| observations[i * lanes + lane]).collect();
                for (i, output) in plainly(&policy, seen).into_iter().enumerate() {
                    expected[i * lanes + lane] = output.to_bits();
                }
            }
            for set in InstructionSet::available() {
                let outputs = set.run(Answer { policy: &policy, lanes, observations: &observations });
                let bits: Vec<u32> = outputs.iter().map(|output| output.to_bits()).collect();
                assert_eq!(bits, expected, "{sizes:?} {activation:?} {lanes} lanes {}", set.name());
            }
        }
    }
}

#[test]
fn a_policy_comes_back_from_a_file_of_either_kind() {
    let folder = tempfile::tempdir().unwrap();
    for (sizes, activation) in [(&[8, 12, 5, 4][..], Activation::Sigmoid), (&[8, 4], Activation::Relu)] {
        let policy = policy(sizes, activation);
        for name in ["policy.npz", "policy.safetensors"] {
            let path = folder.path().join(name);
            policy.write(&path).unwrap();
            assert_eq!(Mlp::read(&path, &world(8, 4)).unwrap(), policy, "{name}");
        }
    }
    let refused = policy(&[8, 4], Activation::Relu).write(Path::new("policy.pt")).unwrap_err();
    assert!(refused.to_string().contains(".npz or .safetensors"), "{refused}");
}

/// A `.npy` file with this dictionary.
fn npy(header: &str, values: &[u8]) -> Vec<u8> {
    [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), values].concat()
}

/// As NumPy writes them, in type, order and shape.
fn array(kind: &str, order: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    npy(&format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}      \n"), values)
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn floats(shape: &[usize], values: &[f32]) -> Vec<u8> {
    let lengths: String = shape.iter().map(|length| format!("{length}, ")).collect();
    array("<f4", "False", &format!("({lengths})"), &bytes(values))
}

/// Name and bytes of an array.
type Member = (&'static str, Vec<u8>);

fn zip(members: &[Member]) -> Vec<u8> {
    use std::io::Write;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let deflated = zip::write::SimpleFileOptions::default();
        archive.start_file(format!("{name}.npy"), deflated).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn read_npz(members: &[Member], world: &Spec) -> Result<Mlp, String> {
    Format::Npz.decode(&zip(members)).and_then(|contents| contents.policy(world))
}

#[test]
fn arrays_are_read_in_any_type_and_order_and_either_layout() {
    let text: Vec<u8> = "tanh".chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect();
    let activation = ("activation", array("<U4", "False", "()", &text));
    let doubles: Vec<u8> = [1.0f64, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let halves: Vec<u8> =
        [0x3c00u16, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600].iter().flat_map(|x| x.to_le_bytes()).collect();
    let in_order = bytes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let exchanged = bytes(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let mut expected = Mlp::new(&[2, 3], Activation::Tanh);
    expected.parameters_mut().copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0, 0.0, 0.0]);
    for (what, weights) in [
        ("f32", array("<f4", "False", "(2, 3)", &in_order)),
        ("f64", array("<f8", "False", "(2, 3)", &doubles)),
        ("f16", array("<f2", "False", "(2, 3)", &halves)),
        ("Fortran's order", array("<f4", "True", "(2, 3)", &exchanged)),
        ("[output, input]", array("<f4", "False", "(3, 2)", &exchanged)),
        ("[output, input] in Fortran's order", array("<f4", "True", "(3, 2)", &in_order)),
    ] {
        let other = ("notes", npy("{'descr': '|O', 'fortran_order': False, 'shape': (), }\n", b"\x80\x04N."));
        assert_eq!(
            read_npz(&[("W1", weights), activation.clone(), other], &world(2, 3)),
            Ok(expected.clone()),
            "{what}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let fine = floats(&[8, 4], &[0.5; 32]);
    let with = |name: &'static str, bytes: &[u8]| vec![("W1", fine.clone()), (name, bytes.to_vec())];
    let mut nan = [0.5; 32];
    nan[4 * 3 + 2] = f32::NAN;
    let cases: &[(Vec<Member>, &str)] = &[
        (
            vec![("W1", floats(&[4, 16], &[0.0; 64])), ("W2", floats(&[16, 4], &[0.0; 64]))],
            "W1 is [4, 16], but lander has 8",
        ),
        (
            vec![("W1", floats(&[8, 2], &[0.0; 16])), ("W2", floats(&[2, 3], &[0.0; 6]))],
            "W2 is [2, 3], but lander takes 4",
        ),
        (
            vec![("W1", floats(&[8, 2], &[0.0; 16])), ("W2", floats(&[3, 4], &[0.0; 12]))],
            "W2 is [3, 4], but W1 is [8, 2]",
        ),
        (vec![("W1", floats(&[8], &[0.0; 8]))], "W1 is [8], and a matrix has two axes"),
        (vec![("W1", floats(&[8, 0], &[]))], "W1 is [8, 0], which is empty"),
        (vec![("W1", floats(&[8, 4], &nan))], "W1[3, 2] is NaN"),
        (with("b1", &floats(&[4], &[0.0, 0.0, f32::NEG_INFINITY, 0.0])), "b1[2] is -inf"),
        (with("b1", &floats(&[3], &[0.0; 3])), "b1 is [3], but W1 is [8, 4]; try: [4]"),
        (with("b1", &array("<i4", "False", "(4,)", &[0; 16])), "b1: its type is <i4"),
        (with("b1", &npy("{'descr': '|O', 'fortran_order': False, 'shape': (4,), }\n", &[0; 9])), "b1: its type is |O"),
        (with("b1", &array("<f4", "False", "(4, 9223372036854775807)", &[0; 16])), "b1: <f4 of shape [4, 92233720"),
        (with("b1", &array("<f4", "True", "(9223372036854775807, 0)", &[])), "b1: <f4 of shape [92233720"),
        (with("b1", &array("<f4", "True", "(0, 9223372036854775807)", &[])), "b1 is [0, 92233720"),
        (with("b1", &floats(&[4], &[0.0; 3])), "b1: <f4 of shape [4] in 12 bytes"),
        (with("b1", &npy("[[[[[[{'descr': (", &[])), "b1: its header is not usable"),
        (with("b1", b"GIF89a"), "b1: it is no .npy file"),
        (with("W3", &fine), "it has W3, but the layers end with W1"),
        (with("b2", &fine), "it has b2, but the layers end with W1"),
        (with("obs_mean", &fine), "it has obs_mean"),
        (
            with("activation", &array("<U4", "False", "()", &bytes(&[0.0; 4]))),
            "its activation is \"\"; try: one of relu, tanh",
        ),
        (with("activation", &floats(&[], &[0.0])), "activation: its type is <f4, and it is a string"),
        (
            vec![("fc1.weight", fine.clone())],
            "there is no W1 among its tensors (fc1.weight); try: W1 [inputs, outputs]",
        ),
        (vec![], "there is no W1 among its tensors ()"),
    ];
    for (members, expected) in cases {
        let said = read_npz(members, &world(8, 4)).unwrap_err();
        assert!(said.contains(expected), "said: {said}\nexpected: {expected}");
    }
    for format in [Format::Npz, Format::Safetensors] {
        let said = format.decode(b"W1 = [[0.5]]").unwrap_err();
        assert!(said.starts_with("it is no ."), "{said}");
    }
    let missing = Mlp::read(&PathBuf::from("no/policy.npz"), &world(8, 4)).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read no/policy.npz: "), "{missing}");
}

#[test]
fn a_file_that_unpacks_to_more_than_a_policy_is_not_read_to_its_end() {
    let bomb = vec![0; super::file::LARGEST + 1];
    let said = read_npz(&[("W1", bomb)], &world(8, 4)).unwrap_err();
    assert!(said.contains("too large for a policy"), "{said}");
}

#[test]
fn half_precision() {
    let cases =
        [(0x0001, 5.960_464_5e-8), (0x03ff, 6.097_555e-5), (0x3555, 0.333_251_95), (0x7bff, 65504.0), (0xc000, -2.0)];
    for (bits, value) in cases {
        assert_eq!(from_half(bits), value);
    }
    assert!(from_half(0x7c00).is_nan() && from_half(0xfe00).is_nan());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Whatever a file holds, reading it comes to an end, and what comes out of it can be used.
    #[test]
    fn damaged_files_are_refused_or_give_finite_weights(
        kind in 0..3,
        cut in prop::option::of(0.0..1.0),
        places in prop::collection::vec((0.0..1.0, any::<u8>()), 0..4),
    ) {
        let damage = |mut bytes: Vec<u8>| {
            for (place, byte) in places {
                let place = (place * bytes.len() as f64) as usize;
                bytes[place] = byte;
            }
            bytes.truncate((cut.unwrap_or(1.0) * bytes.len() as f64) as usize);
            bytes
        };
        let world = world(3, 2);
        let tensors = policy(&[3, 4, 2], Activation::Tanh).tensors();
        let (format, bytes) = match kind {
            0 => (Format::Npz, damage(super::npz::encode(&tensors, ("activation", "tanh")).unwrap())),
            1 => (Format::Safetensors, damage(super::safetensors::encode(&tensors, ("activation", "tanh")).unwrap())),
            // The checksums of a zip keep damage from the arrays in it.
            _ => (Format::Npz, zip(&[("W1", damage(floats(&[3, 2], &[0.5; 6])))])),
        };
        if let Ok(policy) = format.decode(&bytes).and_then(|contents| contents.policy(&world)) {
            prop_assert!(policy.parameters().iter().all(|weight| weight.is_finite()));
            prop_assert_eq!(policy.check(&world), Ok(()));
        }
    }
}

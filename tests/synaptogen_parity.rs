//! SynaptoGen's kernels against the CPU, to the bit: on the stand-in driver, or on what PHYLON_TEST_DEVICE names.
#![cfg(feature = "emu")]

mod device;

use device::{gpu, on_gpu};
use phylon::gpu::emu::{self, Order};
use phylon::synaptogen::{Assembly, Profile, RuleMap, Shape, gpu::assemble};

fn check(shape: &Shape, map: &RuleMap, profiles: u64) {
    let profiles: Vec<Profile> = (0..profiles).map(|seed| Profile::initial(shape.clone(), map.clone(), seed)).collect();
    let mut parameters: Vec<f32> = profiles.iter().flat_map(|profile| &profile.parameters).copied().collect();
    // Some genes are too faint to be expressed, and some rules are saturated.
    for (i, x) in parameters.iter_mut().enumerate() {
        match i % 97 {
            0 => *x *= 1e-11,
            1 => *x *= 60.0,
            _ => {}
        }
    }
    let mut cpu = Assembly::new(shape, map);
    let seen = assemble(&gpu(), shape, map, &parameters).unwrap_or_else(|e| panic!("{e}"));
    let of_profile = seen.weights.len() / profiles.len();
    for (k, raw) in parameters.chunks(shape.parameters()).enumerate() {
        cpu.assemble(raw);
        let mut at = k * of_profile;
        for pair in 0..shape.connections() {
            let length = cpu.numbers(pair).len();
            for (what, expected, seen) in [
                ("N", cpu.numbers(pair), &seen.numbers),
                ("G", cpu.conductances(pair), &seen.conductances),
                ("W", cpu.weights_of(pair), &seen.weights),
            ] {
                let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert!(
                    bits(expected) == bits(&seen[at..at + length]),
                    "{shape:?}, profile {k}: {what} of pair {pair} differs"
                );
            }
            at += length;
        }
    }
}

#[test]
fn profiles_assembled_on_a_device_have_the_bits_of_the_cpu() {
    let every_third =
        |genes: usize| RuleMap::TwoSigmoids { coexpressed: (0..genes * genes).map(|i| i % 3 == 0).collect() };
    for (i, order) in [Order::Forward, Order::Reverse, Order::Shuffled(3)].into_iter().enumerate() {
        if !on_gpu() {
            emu::set_order(order).expect("the stand-in driver");
        }
        check(&Shape::new(&[4, 128, 2], 16), &RuleMap::Sigmoid, 3);
        check(&Shape::new(&[8, 128, 4], 39), &every_third(39), 2);
        // Narrow layers on either side, one of everything, more than one hidden layer.
        check(&Shape { layers: vec![5, 1, 33, 33, 3], genes: 7, neurotransmitters: 2 }, &RuleMap::Sigmoid, 4);
        check(&Shape { layers: vec![1, 1], genes: 1, neurotransmitters: 1 }, &every_third(1), 1 + i as u64);
    }
}

#[test]
fn a_profile_of_too_many_genes_is_refused_in_words() {
    let shape = Shape::new(&[2, 3], 400);
    let error = assemble(&gpu(), &shape, &RuleMap::Sigmoid, &vec![0.0; shape.parameters()]).expect_err("too large");
    assert!(error.to_string().contains("a profile of 400 genes needs"), "{error}");
}

//! Rollouts of every world on the device against the CPU: the same episodes, to the last bit, whoever acts, whatever the
//! world draws from, and however many threads a block has and in whatever order they run. On the stand-in driver (feature
//! `emu`), or on a GPU, with PHYLON_TEST_DEVICE=cuda.
#![cfg(feature = "emu")]

mod device;

use std::collections::BTreeSet;

use device::{gpu, on_gpu};
use phylon::device::Device;
use phylon::gpu::Gpu;
use phylon::gpu::emu::{self, Order};
use phylon::policy::{Activation, Mlp};
use phylon::registry::WorldKind;
use phylon::rng::{Row, Stream};
use phylon::rollout::{Policy, Rollout};
use phylon::world::Seeds;

/// Looks at everything and acts in more than one way.
fn mlp(inputs: usize, hidden: &[usize], outputs: usize, activation: Activation) -> Policy {
    let sizes = [&[inputs], hidden, &[outputs]].concat();
    let mut mlp = Mlp::new(&sizes, activation);
    let index = sizes.len() as u32;
    Row { seed: 9, stream: Stream::Initial, generation: 0, index }.normals(0, mlp.parameters_mut());
    Policy::Mlp(mlp)
}

fn policies(world: WorldKind) -> Vec<Policy> {
    let (inputs, outputs) = (world.spec().observations, world.spec().actions.outputs());
    let mlp = |hidden: &[usize], activation| mlp(inputs, hidden, outputs, activation);
    let mut policies = vec![
        Policy::Random { seed: 0xFEDC_BA98_7654_3210 },
        mlp(&[5], Activation::Relu),
        mlp(&[], Activation::Relu),
        mlp(&[7, 3], Activation::Tanh),
        mlp(&[3, 9, 4], Activation::Sigmoid),
        mlp(&[4], Activation::Identity),
        mlp(&[6, 5], Activation::Selu),
    ];
    // Who lands and comes to rest. It comes along where the test goes without its folder.
    if (inputs, outputs) == (8, 4) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("good.npz");
        std::fs::write(&path, include_bytes!("golden/envs/policy_lunar_lander_good.npz")).expect("room");
        policies.push(Policy::Mlp(Mlp::read(&path, world.spec()).unwrap_or_else(|e| panic!("{e}"))));
    }
    policies
}

fn check(gpu: &Gpu, world: WorldKind) {
    let name = world.spec().name;
    // Steps of the lander take the stand-in driver a hundred times as long as those of a cart.
    let few = if name.starts_with("lunar-lander") { 100 } else { 60_000 / world.spec().limit };
    // A real device must be filled.
    let episodes = if on_gpu() { 100 * few } else { few };
    // Threads of a block, and blocks: in one small block threads play several episodes.
    let orders = [(Order::Forward, 128, u32::MAX), (Order::Reverse, 64, u32::MAX), (Order::Shuffled(5), 32, 1)];
    let mut lengths = BTreeSet::new();
    for (i, policy) in policies(world).into_iter().enumerate() {
        for seeds in [Seeds::Phylon(0x0123_4567_89AB_CDEF), Seeds::Gymnasium(u64::MAX - 5)] {
            let rollout = Rollout { world, policy: policy.clone(), seeds, episodes };
            let expected = rollout.play(&Device::cpu(), &|_| {}).unwrap_or_else(|e| panic!("{e}")).episodes;
            lengths.extend(expected.iter().map(|episode| episode.length));
            // One shape for most policies: it matters to the queue, not to them.
            for &(order, threads, blocks) in if i == 0 { &orders[..] } else { &orders[2..] } {
                if !on_gpu() {
                    emu::set_order(order).expect("the stand-in driver");
                }
                let seen = rollout.play_in_blocks(gpu, blocks, threads).unwrap_or_else(|e| panic!("{e}")).episodes;
                let what = format!("{name}, policy {i}, {seeds:?}, {order:?}, {blocks} blocks of {threads}");
                for (k, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
                    let sums = [seen, expected].map(|played| (played.reward.to_bits(), played.last_reward.to_bits()));
                    assert!(seen == expected && sums[0] == sums[1], "{what}, episode {k}: {seen:?}, not {expected:?}");
                }
                assert_eq!(seen.len(), expected.len(), "{what}");
            }
        }
    }
    // Nobody here gets out of the valley or swings up.
    let has_limit_alone = ["mountain-car", "acrobot"].iter().any(|world| name.starts_with(world));
    assert!(has_limit_alone || lengths.len() > 1, "{name}: all episodes alike");
}

#[test]
fn worlds_on_a_device_have_the_bits_of_the_cpu() {
    let gpu = gpu();
    for &world in WorldKind::ALL {
        check(&gpu, world);
    }
}

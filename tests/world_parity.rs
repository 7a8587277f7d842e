//! Rollouts of every world on the device against the CPU: the same episodes, to the last bit, whoever acts, whatever the
//! world draws from, and however many threads a block has and in whatever order they run. On the stand-in driver (feature
//! `emu`), or on a GPU, with PHYLON_TEST_DEVICE=cuda.
#![cfg(feature = "emu")]

use phylon::abi::{ACTIVATION_IDENTITY, ACTIVATION_RELU, ACTIVATION_SIGMOID, ACTIVATION_TANH};
use phylon::device::{Device, Wish};
use phylon::gpu::Gpu;
use phylon::gpu::emu::{self, Order};
use phylon::num;
use phylon::rng::{Row, Stream};
use phylon::rollout::gpu::{Actor, Episodes, Played};
use phylon::world::acrobot::Acrobot;
use phylon::world::cart_pole::CartPole;
use phylon::world::mountain_car::MountainCar;
use phylon::world::{Action, Seeds, World};

fn on_gpu() -> bool {
    std::env::var("PHYLON_TEST_DEVICE").is_ok_and(|device| device.starts_with("cuda"))
}

fn gpu() -> Gpu {
    let wish: Wish = std::env::var("PHYLON_TEST_DEVICE").as_deref().unwrap_or("emu").parse().expect("a device");
    let device = Device::choose(wish, None).unwrap_or_else(|e| panic!("{e}"));
    device.open().unwrap_or_else(|e| panic!("{e}")).expect("no CPU")
}

/// Weights that look at everything and act in more than one way.
fn weights(sizes: &[usize]) -> Vec<f32> {
    let count = sizes.windows(2).map(|layer| (layer[0] + 1) * layer[1]).sum();
    let mut weights = vec![0.0; count];
    Row { seed: 9, stream: Stream::Initial, generation: 0, index: sizes.len() as u32 }.normals(0, &mut weights);
    weights
}

/// The outputs of a perceptron, sum by sum.
fn outputs(sizes: &[usize], mut parameters: &[f32], activation: u32, seen: &[f32]) -> Vec<f32> {
    let mut x = seen.to_vec();
    for (i, layer) in sizes.windows(2).enumerate() {
        let (weights, rest) = parameters.split_at(layer[0] * layer[1]);
        let (biases, rest) = rest.split_at(layer[1]);
        parameters = rest;
        let mut sums = biases.to_vec();
        for (x, row) in x.iter().zip(weights.chunks_exact(layer[1])) {
            for (sum, w) in sums.iter_mut().zip(row) {
                *sum = x.mul_add(*w, *sum);
            }
        }
        let activate = |x: f32| match activation {
            ACTIVATION_RELU => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            ACTIVATION_TANH => num::tanh(x),
            ACTIVATION_SIGMOID => num::sigmoid(x),
            _ => x,
        };
        let is_last = i + 2 == sizes.len();
        x = sums.into_iter().map(|x| if is_last { x } else { activate(x) }).collect();
    }
    x
}

fn play<W: World>(episodes: &Episodes<'_>, number: u32) -> Played {
    let count = W::SPEC.actions.outputs();
    let mut draws = episodes.seeds.episode(number);
    let mut world = W::reset(&mut draws);
    let mut seen = vec![0.0; W::SPEC.observations];
    let mut played = Played { reward: 0.0, last_reward: 0.0, length: 0, terminated: false };
    while !played.terminated && played.length < W::SPEC.limit {
        let action = match episodes.actor {
            Actor::Random { seed } => {
                let row = Row { seed, stream: Stream::Action, generation: 0, index: number };
                let word = row.block(played.length / 4)[played.length as usize % 4];
                W::Action::random([word, 0], count)
            }
            Actor::Mlp { sizes, parameters, activation } => {
                world.observe(&mut seen, 1);
                W::Action::from_outputs(&outputs(sizes, parameters, activation, &seen), 1, count)
            }
        };
        let outcome = world.step(action, &mut draws);
        played.reward += outcome.reward;
        played.last_reward = outcome.reward;
        played.length += 1;
        played.terminated = outcome.terminated;
    }
    played
}

fn check<W: World>(gpu: &Gpu, count: u32) {
    let (inputs, outputs) = (W::SPEC.observations, W::SPEC.actions.outputs());
    let nets: [(Vec<usize>, u32); 5] = [
        (vec![inputs, 5, outputs], ACTIVATION_RELU),
        (vec![inputs, outputs], ACTIVATION_RELU),
        (vec![inputs, 7, 3, outputs], ACTIVATION_TANH),
        (vec![inputs, 3, 9, 4, outputs], ACTIVATION_SIGMOID),
        (vec![inputs, 4, outputs], ACTIVATION_IDENTITY),
    ];
    let weights: Vec<_> = nets.iter().map(|(sizes, _)| weights(sizes)).collect();
    let mut actors = vec![Actor::Random { seed: 0xFEDC_BA98_7654_3210 }];
    actors.extend(nets.iter().zip(&weights).map(|((sizes, activation), parameters)| Actor::Mlp {
        sizes,
        parameters,
        activation: *activation,
    }));
    let orders = [(Order::Forward, 128), (Order::Reverse, 64), (Order::Shuffled(5), 32)];
    let mut lengths = std::collections::BTreeSet::new();
    for (i, &actor) in actors.iter().enumerate() {
        for seeds in [Seeds::Phylon(0x0123_4567_89AB_CDEF), Seeds::Gymnasium(u64::MAX - 20)] {
            let episodes = Episodes { world: &W::SPEC, seeds, first: 13, count, actor };
            let expected: Vec<_> = (13..13 + count).map(|number| play::<W>(&episodes, number)).collect();
            lengths.extend(expected.iter().map(|played| played.length));
            // One shape for most actors: it matters to the queue, not to them.
            for &(order, threads) in if i == 0 { &orders[..] } else { &orders[2..] } {
                if !on_gpu() {
                    emu::set_order(order).expect("the stand-in driver");
                }
                let seen = episodes.play_in_blocks(gpu, threads).unwrap_or_else(|e| panic!("{e}"));
                let what = format!("{}, actor {i}, {seeds:?}, {order:?}, blocks of {threads}", W::SPEC.name);
                for (k, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
                    let sums = [seen, expected].map(|played| (played.reward.to_bits(), played.last_reward.to_bits()));
                    assert!(seen == expected && sums[0] == sums[1], "{what}, episode {k}: {seen:?}, not {expected:?}");
                }
                assert_eq!(seen.len(), expected.len(), "{what}");
            }
        }
    }
    assert!(W::SPEC.limit == 200 || lengths.len() > 1, "{}: all episodes alike", W::SPEC.name);
}

#[test]
fn worlds_on_a_device_have_the_bits_of_the_cpu() {
    let gpu = gpu();
    check::<CartPole<f64>>(&gpu, 300);
    check::<CartPole<f32>>(&gpu, 300);
    check::<MountainCar<f64>>(&gpu, 100);
    check::<MountainCar<f32>>(&gpu, 100);
    check::<Acrobot<f64>>(&gpu, 70);
    check::<Acrobot<f32>>(&gpu, 70);
}

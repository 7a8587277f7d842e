//! The kernels against the CPU backend, exact mode: equal to the last bit. On the stand-in driver (feature `emu`), where
//! the threads of a block also run in other orders; or on a GPU, with PHYLON_TEST_DEVICE=cuda.
#![cfg(feature = "emu")]

mod common;

use common::*;
use phylon::abi::{FunctionsArgs, NoiseArgs, THREADS};
use phylon::config::Config;
use phylon::device::{Device, Wish};
use phylon::engine::Engine;
use phylon::gpu::emu::{self, Order};
use phylon::gpu::{Buffer, Gpu, Shape, blocks};
use phylon::num;
use phylon::plan::Plan;
use phylon::rng::{Row, Stream};
use phylon::workload::single_unit::{CpuEngine, GpuEngine, Pack};

const ORDERS: [Order; 3] = [Order::Forward, Order::Reverse, Order::Shuffled(5)];

fn on_gpu() -> bool {
    std::env::var("PHYLON_TEST_DEVICE").is_ok_and(|device| device.starts_with("cuda"))
}

fn gpu() -> Gpu {
    let wish: Wish = std::env::var("PHYLON_TEST_DEVICE").as_deref().unwrap_or("emu").parse().expect("a device");
    let device = Device::choose(wish, None).unwrap_or_else(|e| panic!("{e}"));
    device.open().unwrap_or_else(|e| panic!("{e}")).expect("no CPU")
}

/// Once in every order of threads that there is.
fn in_every_order(check: impl Fn(&str)) {
    if on_gpu() {
        return check("on the device");
    }
    for order in ORDERS {
        emu::set_order(order).expect("the stand-in driver");
        check(&format!("{order:?}"));
    }
    emu::set_order(Order::Forward).expect("the stand-in driver");
}

/// A plan that validates within the generations of a test.
fn validated(plan: &Plan) -> Plan {
    let mut config: Config = plan.config.clone();
    (config.run.validate_every, config.run.validation_episodes, config.run.checkpoint_every) = (2, 40, 2);
    config.run.generations = GENERATIONS;
    Plan::new(config).expect("still a plan")
}

fn traced(engine: &mut dyn Engine, generations: u32) -> Trace {
    let generations = advance(engine, generations);
    trace(&generations, &engine.state().expect("a state"))
}

fn compare(name: &str, cpu: &Trace, gpu: &Trace) {
    for (generation, (cpu, gpu)) in cpu.fitness.iter().zip(&gpu.fitness).enumerate() {
        let differs: Vec<_> = (0..cpu.len()).filter(|&i| cpu[i] != gpu[i]).take(8).collect();
        let of = |bits: &[u32]| differs.iter().map(|&i| f32::from_bits(bits[i])).collect::<Vec<_>>();
        assert!(differs.is_empty(), "{name}: fitness of generation {generation}, offspring {differs:?}: {:?} on the CPU, {:?} on the GPU", of(cpu), of(gpu));
    }
    for ((vector, cpu), (_, gpu)) in cpu.state.iter().zip(&gpu.state) {
        let differs = (0..cpu.len()).find(|&i| cpu[i] != gpu[i]);
        assert!(differs.is_none(), "{name}: {vector} from element {differs:?}");
    }
    assert_eq!(cpu, gpu, "{name}");
}

#[test]
fn functions_and_normals_have_the_bits_of_the_cpu() {
    let gpu = gpu();
    in_every_order(|order| {
        let x: Vec<f32> = (0..20_011u32)
            .map(|i| if i % 7 == 0 { f32::from_bits(i.wrapping_mul(0x9E37_79B9)) } else { (i as f32 - 1e4) * 1.7e-3 })
            .filter(|x| x.is_finite() && (*x == 0.0 || x.abs() > f32::MIN_POSITIVE))
            .collect();
        let (input, output) = (Buffer::of(&gpu, &x).unwrap(), Buffer::<f32>::zeros(&gpu, 7 * x.len()).unwrap());
        let args = FunctionsArgs { x: input.pointer(), out: output.pointer(), length: x.len() as u32 };
        let shape = Shape { grid: [blocks(x.len(), THREADS), 1, 1], block: THREADS, shared: 0 };
        unsafe { gpu.launch("functions", shape, &args) }.unwrap();
        let seen = output.read_all(&gpu).unwrap();
        let functions: [(&str, fn(f32) -> f32); 7] = [
            ("tanh", num::tanh),
            ("sigmoid", num::sigmoid),
            ("exp", num::exp),
            ("ln", |x| num::ln(x.abs())),
            ("sin", |x| num::sin_cos_pi(x).0),
            ("cos_pi", |x| num::sin_cos_pi(x).1),
            ("cos", num::cos),
        ];
        for ((name, f), seen) in functions.into_iter().zip(seen.chunks_exact(x.len())) {
            for (&x, &seen) in x.iter().zip(seen) {
                let same = seen.to_bits() == f(x).to_bits() || seen.is_nan() && f(x).is_nan();
                assert!(same, "{order}: {name}({x:e}) = {seen:e}, on the CPU {:e}", f(x));
            }
        }

        let row = Row { seed: 0xABCD_EF01_2345_6789, stream: Stream::Mutation, generation: 7, index: 5 };
        let mut expected = vec![0.0; 100_003];
        row.normals(0, &mut expected);
        let out = Buffer::<f32>::zeros(&gpu, expected.len()).unwrap();
        let Row { seed, stream, generation, index } = row;
        let args = NoiseArgs {
            out: out.pointer(),
            seed,
            stream: stream as u32,
            generation,
            index,
            length: expected.len() as u32,
        };
        let grid = [blocks(expected.len().div_ceil(4), THREADS), 1, 1];
        unsafe { gpu.launch("noise", Shape { grid, block: THREADS, shared: 0 }, &args) }.unwrap();
        assert!(bits(&out.read_all(&gpu).unwrap()) == bits(&expected), "{order}: normals");
    });
}

#[test]
fn every_unit_task_and_optimiser_has_the_bits_of_the_cpu() {
    for (name, plan) in plans() {
        let plan = validated(&plan);
        let expected = traced(&mut CpuEngine::new(&plan), GENERATIONS);
        in_every_order(|order| {
            let mut engine = GpuEngine::new(&plan, gpu()).unwrap_or_else(|e| panic!("{name}: {e}"));
            compare(&format!("{name} {order}"), &expected, &traced(&mut engine, GENERATIONS));
        });
    }
}

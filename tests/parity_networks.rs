//! Networks in mazes: the kernels against the CPU backend, exact mode, equal to the last bit. As tests/parity.rs, which has
//! them too, but over what only networks have: wirings, inputs of synapses, sizes around those of the tiles, mazes.
#![cfg(feature = "emu")]

mod common;

use common::*;
use phylon::abi::{MAZE_DOUBLE, MAZE_MOTORS, MAZE_SENSORS, MAZE_SINGLE, MazeMovesArgs, THREADS};
use phylon::device::{Device, Wish};
use phylon::engine::{Engine, Generation};
use phylon::gpu::emu::{self, Order};
use phylon::gpu::{Buffer, Gpu, Shape, blocks};
use phylon::plan::Plan;
use phylon::registry::UNITS;
use phylon::rng::{Row, Stream};
use phylon::workload::{self, Pack};
use phylon::world::t_maze::{Action, Layout, Rules, TMaze};

fn on_gpu() -> bool {
    std::env::var("PHYLON_TEST_DEVICE").is_ok_and(|device| device.starts_with("cuda"))
}

fn gpu() -> Gpu {
    let wish: Wish = std::env::var("PHYLON_TEST_DEVICE").as_deref().unwrap_or("emu").parse().expect("a device");
    let device = Device::choose(wish, None).unwrap_or_else(|e| panic!("{e}"));
    device.open().unwrap_or_else(|e| panic!("{e}")).expect("no CPU")
}

fn on_cpu(plan: &Plan) -> Box<dyn Engine> {
    let device = Device::choose("cpu".parse().expect("a device"), None).expect("a CPU");
    workload::open(plan, &device).expect("an engine")
}

fn plan_of(text: &str) -> Plan {
    Plan::new(toml::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"))).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Generations of one trial, with the state behind them.
fn played(plan: &Plan, warps: Option<usize>, generations: u32) -> (Vec<Generation>, Trace) {
    let pack = Pack::new(plan, gpu(), &[plan.config.run.seed]).unwrap_or_else(|e| panic!("{e}"));
    let mut pack = match warps {
        Some(warps) => pack.reshaped(warps).unwrap_or_else(|e| panic!("{e}")),
        None => pack,
    };
    let mut all = Vec::new();
    pack.advance(generations, &mut |_, generation| all.push(generation)).unwrap_or_else(|e| panic!("{e}"));
    let trace = trace(&all, &pack.state(0).expect("a state"));
    (all, trace)
}

fn compare(name: &str, (cpu, cpu_trace): &(Vec<Generation>, Trace), (gpu, gpu_trace): &(Vec<Generation>, Trace)) {
    for (cpu, gpu) in cpu.iter().zip(gpu) {
        let at = cpu.index;
        assert_eq!(
            bits(&cpu.fitness),
            bits(&gpu.fitness),
            "{name}: generation {at}\n{:?}\n{:?}",
            cpu.fitness,
            gpu.fitness
        );
        assert_eq!(cpu.env_steps, gpu.env_steps, "{name}: steps of generation {at}");
    }
    assert!(cpu_trace == gpu_trace, "{name}: state");
}

fn check(text: &str, generations: u32) {
    let plan = plan_of(text);
    let mut engine = on_cpu(&plan);
    let cpu = advance(engine.as_mut(), generations);
    let trace = trace(&cpu, &engine.state().expect("a state"));
    // Agents that differ, or the comparison shows little.
    assert!(cpu.iter().any(|g| g.env_steps < plan.facts().env_steps), "nobody dies: {text}");
    let cpu = (cpu, trace);
    if on_gpu() {
        return compare(text, &cpu, &played(&plan, None, generations));
    }
    for (order, warps) in [(Order::Forward, None), (Order::Reverse, Some(1)), (Order::Shuffled(3), Some(3))] {
        emu::set_order(order).expect("the stand-in driver");
        compare(&format!("{text}\n{order:?} {warps:?}"), &cpu, &played(&plan, warps, generations));
    }
    emu::set_order(Order::Forward).expect("the stand-in driver");
}

#[test]
fn networks_of_awkward_sizes_have_the_bits_of_the_cpu() {
    // (memory, outputs, network): the paper's; one of everything that may be one; one more than a tile of synapses, of
    // neurons, of columns; halves of a split input that are no quads; neurons without the same number of synapses.
    let edges = "neurons = 4\nedges = ['wall > n0', 'n1 > n1', 'reward > n1', 'green > n2', 'n3 > n2', 'n0 > n2', 'red > n3', \
                 'n2 > n3', 'n3 > n0', 'wall > n1', 'n0 > n3']";
    let networks = [
        (32, 16, "output_noise = 0.1"),
        (32, 16, "shared = true"),
        (1, 3, "neurons = 3\nsynapses = 2\nsynapse_input = 'sum'\nrandom.seed = 3"),
        (5, 6, edges),
        (9, 10, "neurons = 7\nsynapses = 8\nrandom.seed = 4"),
        (17, 8, "synapse_input = 'concat'"),
        (33, 7, "synapse_input = 'sum'\nneurons = 3\nsynapses = 6\nrandom.seed = 4\noutput_noise = 0.0"),
        (6, 18, "synapse_input = 'concat'\nneurons = 13\nsynapses = 5\nrandom.seed = 9"),
    ];
    for (i, (memory, outputs, network)) in networks.into_iter().enumerate() {
        for (j, unit) in UNITS.iter().enumerate() {
            let unit = unit.name;
            let maze = if (i + j) % 2 == 0 {
                "[task.t_maze]\nenvironments = 4\nswap_after = 1\nshuffle_outputs = false"
            } else {
                "[task.double_t_maze]\nenvironments = 3\npoisons = 2\nshuffle_inputs = false"
            };
            let optimiser = if (i + j) % 3 == 0 {
                "[snes]\npopulation = 3"
            } else {
                "[es]\nantithetic = true\nsigma = 0.4\npopulation = 4"
            };
            check(
                &format!(
                    "format = 1\n[run]\nname = 'x'\ngenerations = 2\nvalidate_every = 1\nvalidation_episodes = 5\n\
                     [unit.{unit}]\ninputs = {outputs}\nmemory = {memory}\noutputs = {outputs}\ninitial_scale = 3.0\n\
                     [network]\n{network}\n{maze}\nactions = 7\nticks_per_action = 2\nenergy = 6\n{optimiser}\n"
                ),
                2,
            );
        }
    }
}

#[test]
fn mazes_answer_every_action_as_on_the_cpu() {
    const AGENTS: usize = 2000;
    const MOVES: usize = 120;
    let gpu = gpu();
    for (layout, number) in [(Layout::Single, MAZE_SINGLE), (Layout::Double, MAZE_DOUBLE)] {
        let places = layout.places().len() as u32;
        for (poisons, swap_after) in [(places as i32 - 1, 1), (1, 3), (0, 2)] {
            let rules = Rules { layout, energy: 100, swap_after, poisons };
            let row = Row { seed: 5, stream: Stream::Fresh, generation: number, index: poisons as u32 };
            let mut uniforms = vec![0.0; AGENTS * MOVES * 2];
            row.uniforms(0, &mut uniforms);
            let (choices, draws) = uniforms.split_at(AGENTS * MOVES);
            // Forward is likelier, or an agent goes nowhere.
            let actions: Vec<u32> = choices.iter().map(|u| [0, 0, 0, 0, 1, 2, 3, 0][(u * 8.0) as usize]).collect();
            let mazes: Vec<u32> = (0..AGENTS as u32)
                .map(|i| i % places | 0b10_01_00 << MAZE_SENSORS | 0b10_01_00 << MAZE_MOTORS)
                .collect();
            let out = Buffer::<i32>::zeros(&gpu, AGENTS * MOVES * 10).unwrap();
            let (mazes_there, actions_there, draws_there) = (
                Buffer::of(&gpu, &mazes).unwrap(),
                Buffer::of(&gpu, &actions).unwrap(),
                Buffer::of(&gpu, draws).unwrap(),
            );
            let args = MazeMovesArgs {
                mazes: mazes_there.pointer(),
                actions: actions_there.pointer(),
                draws: draws_there.pointer(),
                out: out.pointer(),
                agents: AGENTS as u32,
                moves: MOVES as u32,
                layout: number,
                energy: rules.energy as u32,
                swap_after: rules.swap_after as u32,
                poisons: rules.poisons as u32,
            };
            let shape = Shape { grid: [blocks(AGENTS, THREADS), 1, 1], block: THREADS, shared: 0 };
            unsafe { gpu.launch("maze_moves", shape, &args) }.unwrap();
            let seen = out.read_all(&gpu).unwrap();
            let (mut eaten, mut moved, mut dead) = (0, 0, 0);
            for (agent, seen) in seen.chunks_exact(MOVES * 10).enumerate() {
                let mut maze = TMaze::new(&rules, (mazes[agent] & 3) as i32);
                for (i, seen) in seen.chunks_exact(10).enumerate() {
                    let (action, draw) = (actions[agent * MOVES + i], draws[agent * MOVES + i]);
                    let food = maze.food;
                    maze.step(&rules, Action::from_index(if action < 3 { action as i32 } else { -1 }), draw);
                    let senses = maze.observe(&rules).values().map(i32::from);
                    let TMaze { x, y, direction, food: at, energy, meals, reward } = maze;
                    let expected = [&[x, y, direction, at, energy, meals, reward][..], &senses].concat();
                    assert_eq!(expected, seen, "{rules:?}, agent {agent}, move {i}, action {action}, draw {draw}");
                    eaten += i32::from(reward > 0);
                    moved += i32::from(food != at);
                    dead += i32::from(i + 1 == MOVES && energy == 0);
                }
            }
            assert!(eaten > 100 && moved > 20 && dead > 100, "{eaten} meals, {moved} swaps, {dead} deaths show little");
        }
    }
}

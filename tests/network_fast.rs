//! The fast rollout of networks in mazes, tick by tick and by the fitness of whole episodes, against the reference data
//! and the CPU backend: on the stand-in driver (feature `emu`), or on a GPU, with PHYLON_TEST_DEVICE=cuda.
#![cfg(feature = "emu")]

mod device;
mod npz;

use std::path::Path;

use device::gpu;
use npz::Npz;
use phylon::abi::{self, NetworkArgs, NetworkTicksArgs, Pointer, Step};
use phylon::config::Numerics;
use phylon::config::SynapseInput;
use phylon::cpu::{InstructionSet, Kernel, Vector};
use phylon::device::Device;
use phylon::engine::Generation;
use phylon::gpu::emu::{self, Order};
use phylon::gpu::{Buffer, Gpu, Shape as LaunchShape};
use phylon::network::{Layout, Network, Synapse, Wiring};
use phylon::plan::Plan;
use phylon::registry::{UNITS, UnitKind};
use phylon::rng::{Row, Stream};
use phylon::unit::Shape;
use phylon::workload::{self, Pack};

const SENSORS: usize = abi::SENSORS as usize;

/// Networks of one offspring on given sensors.
struct Case {
    layout: Layout,
    parameters: Vec<f32>,
    environments: usize,
    ticks: usize,
    /// `[environment][unit][channel]`.
    noise: Vec<f32>,
    /// `[tick][environment][sensor][channel]`.
    sensors: Vec<f32>,
}

struct Ticks<'a>(&'a Case);

impl Kernel for Ticks<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Vec<f32> {
        let Case { layout, parameters, environments, ticks, noise, sensors } = self.0;
        let (channels, neurons) = (layout.neuron.outputs, layout.wiring.neurons);
        let synapses = layout.wiring.sources.len();
        let mut network = Network::new(layout, *environments);
        let lanes = (network.synapses.lanes(), network.neurons.lanes);
        for (i, &value) in noise.iter().enumerate() {
            let (environment, unit, channel) =
                (i / ((synapses + neurons) * channels), i / channels % (synapses + neurons), i % channels);
            match unit.checked_sub(synapses) {
                None => network.synapse_noise[channel * lanes.0 + unit * environments + environment] = value,
                Some(neuron) => network.neuron_noise[channel * lanes.1 + neuron * environments + environment] = value,
            }
        }
        let mut outputs = Vec::new();
        for sensors in sensors.chunks_exact(environments * SENSORS * channels).take(*ticks) {
            for (i, &value) in sensors.iter().enumerate() {
                let (environment, sensor, channel) = (i / (SENSORS * channels), i / channels % SENSORS, i % channels);
                network.sensor_mut(sensor, channel)[environment] = value;
            }
            network.sense::<V>(parameters);
            network.step::<V>(parameters);
            for environment in 0..*environments {
                for neuron in 0..neurons {
                    let at = |channel| channel * network.neurons.lanes + neuron * environments + environment;
                    outputs.extend((0..channels).map(|channel| network.neurons.outputs()[at(channel)]));
                }
            }
        }
        outputs
    }
}

impl Case {
    /// `[tick][environment][neuron][channel]`.
    fn exact(&self) -> Vec<f32> {
        InstructionSet::best().run(Ticks(self))
    }

    /// The same of the fast kernel, with blocks of so many warps; `groups` of them share the environments.
    fn fast(&self, gpu: &Gpu, warps: u32, groups: u32) -> Vec<f32> {
        let Layout { neuron, ref wiring, .. } = self.layout;
        let memory = Memory::new(gpu, self, &vec![0; self.environments], &[]);
        let inputs = Buffer::of(gpu, &self.sensors).unwrap();
        let length = self.ticks * self.environments * wiring.neurons * neuron.outputs;
        let outputs = Buffer::<f32>::zeros(gpu, length).unwrap();
        let args = NetworkTicksArgs {
            network: memory.args(self, 0, 0),
            inputs: inputs.pointer(),
            outputs: outputs.pointer(),
            ticks: self.ticks as u32,
        };
        let (name, shape) = self.kernel("ticks_", warps, groups);
        unsafe { gpu.launch(&name, shape, &args) }.unwrap();
        outputs.read_all(gpu).unwrap()
    }

    fn kernel(&self, what: &str, warps: u32, groups: u32) -> (String, LaunchShape) {
        let Layout { neuron, ref wiring, input, .. } = self.layout;
        let tiles = if input == SynapseInput::Split && wiring.neurons <= 8 { 1 } else { 2 };
        let (gates, fed_back) = (neuron.gates(), usize::from(neuron.feedback() > 0));
        let synapse_blocks = gates * 4 * (2 + fed_back + tiles).div_ceil(2) + 2;
        let block = (synapse_blocks + gates * 2 * (3 + fed_back) + 2 + 3 + tiles) * 128 + 4;
        let warp = 384 + 256 + 16 + 384 * tiles + 16;
        let shared = 4 * (block + warps as usize * warp) as u32;
        let name = format!("network_fast_{what}{}_{}", neuron.kind.name(), 8 * tiles);
        (name, LaunchShape { grid: [groups, 1, 1], block: 32 * warps, shared })
    }
}

/// A case on the device.
struct Memory {
    seeds: Buffer<u64>,
    steps: Buffer<Step>,
    centre: Buffer<f32>,
    noise: Buffer<f32>,
    mazes: Buffer<u32>,
    swaps: Buffer<f32>,
    sources: Buffer<u32>,
    first: Buffer<u32>,
    fitness: Buffer<f32>,
    lived: Buffer<u32>,
    halted: Buffer<u32>,
}

impl Memory {
    fn new(gpu: &Gpu, case: &Case, mazes: &[u32], swaps: &[f32]) -> Self {
        let words = |values: &[usize]| Buffer::of(gpu, &values.iter().map(|&x| x as u32).collect::<Vec<_>>()).unwrap();
        let mut centre = case.parameters.clone();
        centre.resize(centre.len().next_multiple_of(4), 0.0);
        Self {
            seeds: Buffer::of(gpu, &[0]).unwrap(),
            steps: Buffer::of(gpu, &[Step::default()]).unwrap(),
            centre: Buffer::of(gpu, &centre).unwrap(),
            noise: Buffer::of(gpu, &case.noise).unwrap(),
            mazes: Buffer::of(gpu, mazes).unwrap(),
            swaps: Buffer::of(gpu, if swaps.is_empty() { &[0.0] } else { swaps }).unwrap(),
            sources: words(&case.layout.wiring.sources),
            first: words(&case.layout.wiring.first),
            fitness: Buffer::zeros(gpu, case.environments).unwrap(),
            lived: Buffer::zeros(gpu, case.environments).unwrap(),
            halted: Buffer::zeros(gpu, 1).unwrap(),
        }
    }

    /// The centre alone, in the paper's maze.
    fn args(&self, case: &Case, actions: u32, ticks: u32) -> NetworkArgs {
        let Layout { neuron, ref wiring, input, shared, synapse } = case.layout;
        NetworkArgs {
            seeds: self.seeds.pointer(),
            step: self.steps.pointer(),
            centre: self.centre.pointer(),
            sigmas: Pointer::NULL,
            mazes: self.mazes.pointer(),
            swaps: self.swaps.pointer(),
            noise: self.noise.pointer(),
            sources: self.sources.pointer(),
            first: self.first.pointer(),
            fitness: self.fitness.pointer(),
            lived: self.lived.pointer(),
            halted: self.halted.pointer(),
            population: 0,
            first_player: 0,
            players: 1,
            antithetic: 0,
            parameters: case.parameters.len() as u32,
            neuron_parameters: if shared { 0 } else { synapse.parameters() as u32 },
            memory: neuron.memory as u32,
            channels: neuron.outputs as u32,
            synapses: wiring.sources.len() as u32,
            neurons: wiring.neurons as u32,
            synapse_input: input as u32,
            environments: case.environments as u32,
            actions,
            ticks,
            layout: abi::MAZE_SINGLE,
            energy: 40,
            swap_after: 4,
            poisons: 1,
            evolution: 0,
        }
    }
}

fn numbers(count: usize, index: u32, scale: f32) -> Vec<f32> {
    let mut values = vec![0.0; count];
    Row { seed: 7, stream: Stream::Initial, generation: 0, index }.normals(0, &mut values);
    values.iter_mut().for_each(|x| *x *= scale);
    values
}

/// Weights of spread 1 / sqrt(rows): sums of about 1, which use the whole of tanh, and the networks still forget.
fn random(layout: Layout, environments: usize, ticks: usize) -> Case {
    let mut parameters = Vec::new();
    for unit in layout.chromosomes() {
        for (rows, columns) in unit.matrices() {
            let index = parameters.len() as u32;
            parameters.extend(numbers(rows * columns, index, 1.0 / (rows as f32).sqrt()));
        }
    }
    let channels = layout.neuron.outputs;
    let units = layout.wiring.sources.len() + layout.wiring.neurons;
    let noise = numbers(environments * units * channels, 1 << 20, 0.05);
    let sensors = numbers(ticks * environments * SENSORS * channels, 2 << 20, 1.0);
    Case { layout, parameters, environments, ticks, noise, sensors }
}

fn layout(kind: UnitKind, memory: usize, outputs: usize, input: SynapseInput, shared: bool, wiring: Wiring) -> Layout {
    let neuron = Shape { kind, inputs: outputs, memory, outputs };
    let inputs = if input == SynapseInput::Concat { 2 * outputs } else { outputs };
    Layout { synapse: Synapse::Unit(Shape { inputs, ..neuron }), neuron, shared, input, wiring }
}

/// Largest difference up to a tick, of all so far.
fn largest(seen: &[f32], expected: &[f32], ticks: usize) -> Vec<f32> {
    let size = seen.len() / ticks;
    let mut largest = 0.0;
    let difference = |(s, e): (&f32, &f32)| if s.is_finite() { (s - e).abs() } else { f32::INFINITY };
    (0..ticks)
        .map(|tick| {
            let now = tick * size..(tick + 1) * size;
            largest = seen[now.clone()].iter().zip(&expected[now]).map(difference).fold(largest, f32::max);
            largest
        })
        .collect()
}

#[test]
fn networks_follow_the_reference_data() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/enu");
    for (file, input) in [
        ("net_split.npz", SynapseInput::Split),
        ("net_sum.npz", SynapseInput::Sum),
        ("net_concat.npz", SynapseInput::Concat),
    ] {
        let path = folder.join(file);
        if !path.is_file() {
            eprintln!("passed over: {} is not here", path.display());
            continue;
        }
        let npz = Npz::open(&path);
        let [ticks, environments, _, _] = npz.shape("X")[..] else { panic!("{file}: X") };
        let connected: Vec<usize> = npz.i64("conn").iter().map(|&s| s as usize).collect();
        let neurons: Vec<Vec<usize>> = connected.chunks_exact(npz.shape("conn")[1]).map(<[usize]>::to_vec).collect();
        let (bs, bn) = (npz.f32("bs"), npz.f32("bn"));
        let parts = bs.chunks_exact(bs.len() / environments).zip(bn.chunks_exact(bn.len() / environments));
        let case = Case {
            layout: layout(UnitKind::Enu, 32, 16, input, false, Wiring::new(SENSORS, &neurons)),
            parameters: npz.f32("theta"),
            environments,
            ticks,
            noise: parts.flat_map(|(bs, bn)| [bs, bn].concat()).collect(),
            sensors: npz.f32("X"),
        };
        let expected: Vec<f32> = npz.f64("on").iter().map(|&x| x as f32).collect();
        let largest = largest(&case.fast(&gpu(), 2, 1), &expected, ticks);
        println!("{file}: {:e} after a tick, {:e} after {ticks}", largest[0], largest[ticks - 1]);
        assert!(largest[0] < 4e-3 && largest[ticks - 1] < 2e-2, "{file}: {largest:?}");
    }
}

#[test]
fn every_unit_input_and_size_is_near_the_exact_arithmetic() {
    // In-degrees that differ; one tile of synapses and all three; channels that do not halve.
    let uneven = |neurons: usize, most: usize| {
        let sources = |n: usize| (0..1 + (3 * n + 1) % most).map(|j| (5 * n + 3 * j) % (SENSORS + neurons)).collect();
        Wiring::new(SENSORS, &(0..neurons).map(sources).collect::<Vec<_>>())
    };
    let inputs = [SynapseInput::Split, SynapseInput::Sum, SynapseInput::Concat];
    for kind in UnitKind::ALL {
        for (i, (memory, outputs, wiring)) in
            [(32, 16, Wiring::paper()), (32, 5, uneven(8, 6)), (9, 3, uneven(3, 4)), (17, 16, uneven(12, 4))]
                .into_iter()
                .enumerate()
        {
            for (j, input) in inputs.into_iter().enumerate() {
                // A shared chromosome has one number of inputs.
                let shared = input != SynapseInput::Concat && (i + j) % 2 == 1;
                let case = random(layout(kind, memory, outputs, input, shared, wiring.clone()), 3, 12);
                if kind == UnitKind::Lstm && (input != SynapseInput::Split || wiring.neurons > 8) {
                    continue; // only episodes are compiled of these
                }
                let largest = largest(&case.fast(&gpu(), 2, 1), &case.exact(), case.ticks);
                let what = format!("{} {memory}/{outputs} {input:?}", kind.name());
                println!("{what}: {:e} after a tick, {:e} after {}", largest[0], largest[case.ticks - 1], case.ticks);
                // Halves have 11 bits: an output that sums 32 cells of about 1/2 with weights of 1 / sqrt(32) is wrong by
                // some 2^-11, and hardware tanh adds as much. That grows from tick to tick, most where nothing is clipped.
                let unclipped = if kind == UnitKind::Gru { 4.0 } else { 1.0 };
                assert!(largest[0] < 2e-3 && largest[case.ticks - 1] < unclipped * 2e-2, "{what}: {largest:?}");
            }
        }
    }
}

#[test]
fn orders_shapes_and_groups_change_no_bit() {
    let layout = layout(UnitKind::Enu, 32, 16, SynapseInput::Split, false, Wiring::paper());
    let case = random(layout, 7, 4);
    let gpu = gpu();
    let expected = case.fast(&gpu, 1, 1);
    for (warps, groups) in [(1, 3), (2, 1), (4, 1), (4, 2), (3, 7)] {
        for order in [Order::Forward, Order::Reverse, Order::Shuffled(5)] {
            if gpu.is_emulated() {
                emu::set_order(order).expect("the stand-in driver");
            }
            let seen = case.fast(&gpu, warps, groups);
            assert!(seen == expected, "{warps} warps, {groups} groups, {order:?}");
        }
    }
    if gpu.is_emulated() {
        emu::set_order(Order::Forward).expect("the stand-in driver");
    }
}

fn plan_of(text: &str, numerics: Numerics) -> Plan {
    let mut config: phylon::config::Config = toml::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    config.run.numerics = numerics;
    Plan::new(config).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The first generation on the CPU.
fn exact_generation(text: &str) -> Generation {
    let device = Device::choose(&"cpu".parse().expect("a device"), None).expect("a CPU");
    let mut engine = workload::open(&plan_of(text, Numerics::Exact), &device).expect("an engine");
    let mut generations = Vec::new();
    engine.advance(1, &mut generations).expect("a generation");
    generations.remove(0)
}

fn fast_generation(text: &str, numerics: Numerics, warps: usize) -> Generation {
    let plan = plan_of(text, numerics);
    let pack = Pack::new(&plan, gpu(), &[plan.config.run.seed]).and_then(|pack| pack.reshaped(warps));
    let mut generations = Vec::new();
    pack.unwrap_or_else(|e| panic!("{e}")).advance(1, &mut |_, generation| generations.push(generation)).expect("one");
    generations.remove(0)
}

#[test]
fn agents_in_mazes_earn_what_the_reference_data_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/enu/tmaze_closed.npz");
    if !path.is_file() {
        return eprintln!("passed over: {} is not here", path.display());
    }
    let npz = Npz::open(&path);
    let [offspring, actions, environments] = npz.shape("action")[..] else { panic!("action") };
    let (bs, bn) = (npz.f32("bs"), npz.f32("bn"));
    let parts = bs.chunks_exact(bs.len() / environments).zip(bn.chunks_exact(bn.len() / environments));
    let noise: Vec<f32> = parts.flat_map(|(bs, bn)| [bs, bn].concat()).collect();
    let (side, perm, motor) = (npz.i64("side"), npz.i64("perm"), npz.i64("motor"));
    let order = |three: &[i64]| three.iter().enumerate().map(|(i, &at)| (at as u32) << (2 * i)).sum::<u32>();
    let maze = |e: usize| {
        let orders = order(&perm[3 * e..][..3]) << abi::MAZE_SENSORS | order(&motor[3 * e..][..3]) << abi::MAZE_MOTORS;
        side[e] as u32 | orders
    };
    let mazes: Vec<u32> = (0..environments).map(maze).collect();
    let gpu = gpu();
    let (mut seen, mut lived) = (Vec::new(), Vec::new());
    for parameters in npz.f32("theta").chunks_exact(npz.shape("theta")[1]) {
        let case = Case {
            layout: layout(UnitKind::Enu, 32, 16, SynapseInput::Split, false, Wiring::paper()),
            parameters: parameters.to_vec(),
            environments,
            ticks: 0,
            noise: noise.clone(),
            sensors: Vec::new(),
        };
        let memory = Memory::new(&gpu, &case, &mazes, &npz.f32("u"));
        let (name, shape) = case.kernel("", 4, 1);
        unsafe { gpu.launch(&name, shape, &memory.args(&case, actions as u32, 4)) }.unwrap();
        seen.extend(memory.fitness.read_all(&gpu).unwrap());
        lived.extend(memory.lived.read_all(&gpu).unwrap());
    }
    let expected: Vec<f32> = npz.f64("fitness").iter().map(|&f| f as f32).collect();
    println!("{offspring} offspring: {seen:?}, {expected:?} in the reference data; steps lived {lived:?}");
    // Decisions in the data are as close as 1e-3, so an agent or two may go another way.
    let same = seen.iter().zip(&expected).filter(|(s, e)| s == e).count();
    assert!(4 * same >= 3 * seen.len(), "{same} of {} the same: {seen:?}, {expected:?}", seen.len());
    // Who finds no food is dead after 40 actions of 4 ticks, and nothing more is computed.
    let starved = lived.iter().filter(|&&ticks| ticks == 40 * 4).count();
    let without_food = expected.iter().filter(|f| **f <= 0.0).count();
    assert!(4 * starved >= 3 * without_food && lived.iter().all(|ticks| (160..=400).contains(ticks)), "{lived:?}");
}

#[test]
fn episodes_have_the_fitness_of_the_exact_ones() {
    let narrow = ("", 32, 16, "t_maze");
    let wide = ("synapse_input = 'concat'", 20, 6, "double_t_maze");
    let many = ("neurons = 9\nsynapses = 5\nrandom.seed = 4", 32, 8, "t_maze");
    for (unit, networks) in UNITS.iter().zip([[narrow, wide], [narrow, many], [many, narrow], [wide, narrow]]) {
        for (network, memory, outputs, task) in networks {
            let name = unit.name;
            let text = format!(
                "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.{name}]\ninputs = {outputs}\nmemory = {memory}\n\
                 outputs = {outputs}\ninitial_scale = 1.5\n[network]\noutput_noise = 0.3\n{network}\n\
                 [task.{task}]\nenvironments = 6\nactions = 30\nticks_per_action = 2\nenergy = 15\n\
                 [es]\nsigma = 0.2\npopulation = 15"
            );
            let (exact, fast) = (exact_generation(&text), fast_generation(&text, Numerics::Fast, 4));
            let same = exact.fitness.iter().zip(&fast.fitness).filter(|(e, f)| e == f).count();
            let mean = |fitness: &[f32]| fitness.iter().sum::<f32>() / fitness.len() as f32;
            let some = exact.fitness.iter().filter(|f| **f != 0.0).count();
            let all = plan_of(&text, Numerics::Exact).facts().env_steps;
            println!(
                "{name} {task} {network:?}: {same} of {} the same, {some} not zero, mean {} and {}, steps {} and {} of {all}",
                exact.fitness.len(),
                mean(&exact.fitness),
                mean(&fast.fitness),
                exact.env_steps,
                fast.env_steps
            );
            // Most agents decide alike through a whole life, and those that do not are no better or worse for it.
            assert!(2 * same >= exact.fitness.len(), "{text}: {:?} {:?}", exact.fitness, fast.fitness);
            assert!((mean(&exact.fitness) - mean(&fast.fitness)).abs() < 0.1, "{text}");
            assert!(exact.env_steps.abs_diff(fast.env_steps) < all / 20 && fast.env_steps < all * 3 / 4, "{text}");
        }
    }
}

#[test]
fn episodes_have_the_same_bits_in_every_order_and_shape() {
    for (unit, network) in [("enu", ""), ("lstm", "synapse_input = 'sum'")] {
        let text = format!(
            "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.{unit}]\ninitial_scale = 1.5\n\
             [network]\noutput_noise = 0.3\n{network}\n[task.t_maze]\nenvironments = 5\nactions = 12\nenergy = 6\n\
             ticks_per_action = 2\n[es]\nsigma = 0.2\npopulation = 4"
        );
        let expected = fast_generation(&text, Numerics::Fast, 4);
        assert!(expected.env_steps < plan_of(&text, Numerics::Fast).facts().env_steps, "nobody dies");
        for (numerics, warps, order) in [
            (Numerics::Fast, 1, Order::Reverse),
            (Numerics::Fast, 3, Order::Shuffled(5)),
            (Numerics::Check, 2, Order::Forward),
        ] {
            if gpu().is_emulated() {
                emu::set_order(order).expect("the stand-in driver");
            }
            let seen = fast_generation(&text, numerics, warps);
            assert_eq!((&seen.fitness, seen.env_steps), (&expected.fitness, expected.env_steps), "{warps} {order:?}");
        }
    }
}

#[test]
fn networks_too_large_for_the_fast_kernels_are_refused_in_words() {
    for (unit, network) in [
        ("memory = 33", ""),
        ("outputs = 18\ninputs = 18", ""),
        ("", "neurons = 7\nrandom.seed = 1"),
        ("", "neurons = 13\nsynapses = 3\nrandom.seed = 1"),
    ] {
        let text = format!(
            "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.enu]\n{unit}\n[network]\n{network}\n[task.t_maze]\n[es]\npopulation = 4"
        );
        let message = Pack::new(&plan_of(&text, Numerics::Fast), gpu(), &[1]).err().expect("too large").to_string();
        assert!(message.contains("run.numerics=exact"), "{message}");
    }
}

#[test]
fn networks_whose_synapses_follow_a_rule_are_refused_in_words() {
    let text = "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.enu]\n[network.rule.bcm]\n[task.t_maze]\n[es]\npopulation = 4";
    for numerics in [Numerics::Fast, Numerics::Check] {
        let message = Pack::new(&plan_of(text, numerics), gpu(), &[1]).err().expect("no kernel").to_string();
        assert!(message.contains("synapses that follow a rule\ntry: --set run.numerics=exact"), "{message}");
    }
}

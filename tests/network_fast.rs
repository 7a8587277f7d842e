//! The fast network kernel, tick by tick, against the reference data and the CPU's networks: on the stand-in driver
//! (feature `emu`), or on a GPU, with PHYLON_TEST_DEVICE=cuda.
#![cfg(feature = "emu")]

mod npz;

use std::path::Path;

use npz::Npz;
use phylon::abi::{self, NetworkArgs, NetworkTicksArgs, Pointer, Step};
use phylon::config::SynapseInput;
use phylon::cpu::{InstructionSet, Kernel, Vector};
use phylon::device::{Device, Wish};
use phylon::gpu::emu::{self, Order};
use phylon::gpu::{Buffer, Gpu, Shape as LaunchShape};
use phylon::network::{Layout, Network, Wiring};
use phylon::registry::UnitKind;
use phylon::rng::{Row, Stream};
use phylon::unit::Shape;

const SENSORS: usize = abi::SENSORS as usize;

fn gpu() -> Gpu {
    let wish: Wish = std::env::var("PHYLON_TEST_DEVICE").as_deref().unwrap_or("emu").parse().expect("a device");
    Device::choose(wish, None).unwrap_or_else(|e| panic!("{e}")).open().expect("a device").expect("no CPU")
}

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
        let lanes = (network.synapses.lanes, network.neurons.lanes);
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
        let Layout { neuron, ref wiring, input, shared, synapse } = self.layout;
        let words = |values: &[usize]| Buffer::of(gpu, &values.iter().map(|&x| x as u32).collect::<Vec<_>>()).unwrap();
        let (sources, first) = (words(&wiring.sources), words(&wiring.first));
        let mut centre = self.parameters.clone();
        centre.resize(centre.len().next_multiple_of(4), 0.0);
        let (centre, noise) = (Buffer::of(gpu, &centre).unwrap(), Buffer::of(gpu, &self.noise).unwrap());
        let (seeds, steps) = (Buffer::of(gpu, &[0u64]).unwrap(), Buffer::of(gpu, &[Step::default()]).unwrap());
        let mazes = Buffer::of(gpu, &vec![0u32; self.environments]).unwrap();
        let inputs = Buffer::of(gpu, &self.sensors).unwrap();
        let length = self.ticks * self.environments * wiring.neurons * neuron.outputs;
        let outputs = Buffer::<f32>::zeros(gpu, length).unwrap();
        let network = NetworkArgs {
            seeds: seeds.pointer(),
            step: steps.pointer(),
            centre: centre.pointer(),
            sigmas: Pointer::NULL,
            mazes: mazes.pointer(),
            swaps: Pointer::NULL,
            noise: noise.pointer(),
            sources: sources.pointer(),
            first: first.pointer(),
            fitness: Pointer::NULL,
            lived: Pointer::NULL,
            queue: Pointer::NULL,
            halted: Pointer::NULL,
            population: 0,
            antithetic: 0,
            parameters: self.parameters.len() as u32,
            neuron_parameters: if shared { 0 } else { synapse.parameters() as u32 },
            memory: neuron.memory as u32,
            channels: neuron.outputs as u32,
            synapses: wiring.sources.len() as u32,
            neurons: wiring.neurons as u32,
            synapse_input: input as u32,
            environments: self.environments as u32,
            actions: 0,
            ticks: 0,
            layout: abi::MAZE_SINGLE,
            energy: 1,
            swap_after: 1,
            poisons: 1,
        };
        let args =
            NetworkTicksArgs { network, inputs: inputs.pointer(), outputs: outputs.pointer(), ticks: self.ticks as u32 };
        let wide = input != SynapseInput::Split || wiring.neurons > 8;
        let tiles = if wide { 2 } else { 1 };
        let (gates, fed_back) = (neuron.gates(), usize::from(neuron.feedback() > 0));
        let synapse_blocks = gates * 4 * (2 + fed_back + tiles).div_ceil(2) + 2;
        let block = (synapse_blocks + gates * 2 * (3 + fed_back) + 2 + 3 + tiles) * 128 + 4;
        let warp = 384 + 256 + 16 + 384 * tiles + 16;
        let shape = LaunchShape {
            grid: [groups, 1, 1],
            block: 32 * warps,
            shared: 4 * (block + warps as usize * warp) as u32,
        };
        let name = format!("network_fast_ticks_{}_{}", neuron.kind.name(), 8 * tiles);
        unsafe { gpu.launch(&name, shape, &args) }.unwrap();
        outputs.read_all(gpu).unwrap()
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
    Layout { synapse: Shape { inputs, ..neuron }, neuron, shared, input, wiring }
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
        let neurons: Vec<Vec<usize>> =
            connected.chunks_exact(npz.shape("conn")[1]).map(<[usize]>::to_vec).collect();
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
                let largest = largest(&case.fast(&gpu(), 2, 1), &case.exact(), case.ticks);
                let what = format!("{} {memory}/{outputs} {input:?}", kind.name());
                println!("{what}: {:e} after a tick, {:e} after {}", largest[0], largest[case.ticks - 1], case.ticks);
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

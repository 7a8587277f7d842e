//! Reference data: every file under the golden folder that a test knows how to read, whatever its name or seed.
//!
//! The folder is `tests/golden`, or what `PHYLON_GOLDEN` names. A subfolder that is not there is passed over. The files
//! hold float64 results of an independent program; the README beside them says what is in them and which tolerance is
//! honest for single precision.

mod npz;

use std::path::PathBuf;

use npz::Npz;
use phylon::config::{self, Iaf, Stdp, SynapseInput};
use phylon::cpu::{InstructionSet, Kernel, Vector};
use phylon::network::{self, Network, Synapse, Synapses, Wiring};
use phylon::plan::Plan;
use phylon::registry::UnitKind;
use phylon::search::mutation::{Noise, sums};
use phylon::search::{Optimiser, es, shaping, snes};
use phylon::task::stdp::{Pair, Rule, StdpTask};
use phylon::task::{Answer, Episodes, Task};
use phylon::unit::{Instances, Shape};
use phylon::workload::Workload;
use phylon::workload::maze::{self, MazePlay, Watch};
use phylon::world::t_maze::{Action, Layout, Rules, TMaze};

/// Absolute difference allowed over 50 steps: about forty roundings of numbers near 1. Plain single precision was seen
/// to stray by 3e-7 in these files.
const TRAJECTORY: f64 = 1e-5;
/// The same for one step with strong weights, whose sums reach hundreds.
const STRONG_STEP: f64 = 1e-4;
/// Relative difference allowed for a vector that was summed in single precision over a population.
const SUMMED: f64 = 2e-6;

/// The files of a subfolder whose names start with `prefix`; none when another golden folder lacks them.
fn files(folder: &str, prefix: &str) -> Vec<(String, Npz)> {
    let given = std::env::var_os("PHYLON_GOLDEN").map(PathBuf::from);
    let own = given.is_none();
    let root = given.unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("tests/golden")
    });
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        eprintln!("passed over: no folder {}", root.join(folder).display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable folder").path()).collect();
    paths.sort();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.retain(|path| name(path).starts_with(prefix) && path.extension().is_some_and(|e| e == "npz"));
    assert!(!paths.is_empty() || !own, "tests/golden/{folder} holds no file {prefix}*.npz");
    paths.iter().map(|path| (name(path), Npz::open(path))).collect()
}

/// Largest |seen - expected| must not pass `tolerance`, and nothing may be NaN.
#[track_caller]
fn assert_close(what: &str, seen: impl IntoIterator<Item = f32>, expected: &[f64], tolerance: f64) {
    let mut count = 0;
    for (i, seen) in seen.into_iter().enumerate() {
        let error = (f64::from(seen) - expected[i]).abs();
        assert!(error <= tolerance, "{what}[{i}]: {seen} against {}, {error:e} apart", expected[i]);
        count += 1;
    }
    assert_eq!(count, expected.len(), "{what}: length");
}

/// Every instruction set of this machine in turn: each must reproduce the files.
fn each_instruction_set(mut run: impl FnMut(InstructionSet)) {
    for set in InstructionSet::available() {
        run(set);
    }
}

/// A step of some instances, as a kernel.
struct UnitStep<'a> {
    instances: &'a mut Instances,
    weights: &'a [f32],
    noise: &'a [f32],
}

impl Kernel for UnitStep<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(self) {
        self.instances.step::<V>(self.weights, self.instances.shape.inputs, Some(self.noise));
    }
}

/// `[instance][channel]` values into rows of lanes.
fn to_lanes(values: &[f32], channels: usize, rows: &mut [f32], lanes: usize) {
    for (instance, values) in values.chunks_exact(channels).enumerate() {
        for (channel, &value) in values.iter().enumerate() {
            rows[channel * lanes + instance] = value;
        }
    }
}

/// Rows of lanes back into `[instance][channel]`.
fn from_lanes(rows: &[f32], channels: usize, lanes: usize, instances: usize) -> Vec<f32> {
    (0..instances * channels).map(|i| rows[(i % channels) * lanes + i / channels]).collect()
}

/// The kind and sizes in a name like `cell_gru_16_32_16.npz`.
fn shape_of(name: &str) -> Shape {
    let parts: Vec<&str> = name.trim_end_matches(".npz").split('_').collect();
    let size = |i: usize| parts[i].parse().expect("a size in the file's name");
    let kind = UnitKind::ALL.into_iter().find(|kind| kind.name() == parts[1]).expect("a known unit");
    Shape { kind, inputs: size(2), memory: size(3), outputs: size(4) }
}

#[test]
fn enu_cells_follow_their_trajectories() {
    for (name, npz) in files("enu", "cell_") {
        let shape = shape_of(&name);
        let (steps, batch) = (npz.shape("x")[0], npz.shape("x")[1]);
        each_instruction_set(|set| {
            let (theta, x) = (npz.f32("theta"), npz.f32("x"));
            assert_eq!(theta.len(), shape.parameters(), "{name}");
            let mut instances = Instances::new(shape, batch);
            let lanes = instances.lanes;
            let mut noise = vec![0.0; shape.outputs * lanes];
            to_lanes(&npz.f32("b"), shape.outputs, &mut noise, lanes);
            for step in 0..steps {
                let x = &x[step * batch * shape.inputs..][..batch * shape.inputs];
                to_lanes(x, shape.inputs, instances.inputs_mut(), lanes);
                set.run(UnitStep { instances: &mut instances, weights: &theta, noise: &noise });
                let mut states =
                    vec![("h", &instances.memory[..], shape.memory), ("o", instances.outputs(), shape.outputs)];
                if npz.has("c") {
                    states.push(("c", &instances.cell, shape.memory));
                }
                for (key, rows, channels) in states {
                    let expected = &npz.f64(key)[step * batch * channels..][..batch * channels];
                    let what = format!("{name} {set:?} step {step} {key}");
                    assert_close(&what, from_lanes(rows, channels, lanes, batch), expected, TRAJECTORY);
                }
            }
        });
    }
}

#[test]
fn enu_single_steps_from_given_states() {
    for (name, npz) in files("enu", "onestep_") {
        let (batch, memory) = (npz.shape("h0")[0], npz.shape("h0")[1]);
        let shape = Shape { kind: UnitKind::Enu, inputs: npz.shape("x")[1], memory, outputs: npz.shape("o0")[1] };
        each_instruction_set(|set| {
            let mut instances = Instances::new(shape, batch);
            let lanes = instances.lanes;
            let mut noise = vec![0.0; shape.outputs * lanes];
            to_lanes(&npz.f32("b"), shape.outputs, &mut noise, lanes);
            to_lanes(&npz.f32("h0"), memory, &mut instances.memory, lanes);
            to_lanes(&npz.f32("o0"), shape.outputs, instances.outputs_mut(), lanes);
            to_lanes(&npz.f32("x"), shape.inputs, instances.inputs_mut(), lanes);
            set.run(UnitStep { instances: &mut instances, weights: &npz.f32("theta"), noise: &noise });
            let (h, o) = (from_lanes(&instances.memory, memory, lanes, batch), instances.outputs());
            assert_close(&format!("{name} h"), h, &npz.f64("h1"), STRONG_STEP);
            let o = from_lanes(o, shape.outputs, lanes, batch);
            assert_close(&format!("{name} o"), o, &npz.f64("o1"), STRONG_STEP);
        });
    }
}

/// The paper's sizes; a synapse that reads pre and post side by side has twice the inputs.
fn network_shapes(input: SynapseInput) -> (Shape, Shape) {
    let neuron = Shape { kind: UnitKind::Enu, inputs: 16, memory: 32, outputs: 16 };
    let inputs = if input == SynapseInput::Concat { 32 } else { 16 };
    (Shape { inputs, ..neuron }, neuron)
}

struct NetworkStep<'a> {
    network: &'a mut Network,
    weights: &'a [f32],
}

impl Kernel for NetworkStep<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(self) {
        self.network.sense::<V>(self.weights);
        self.network.step::<V>(self.weights);
    }
}

/// `[environment][unit][channel]` into rows of lanes, lane = unit * environments + environment.
fn units_to_lanes(values: &[f32], units: usize, channels: usize, lanes: usize) -> Vec<f32> {
    let environments = values.len() / (units * channels);
    let mut rows = vec![0.0; channels * lanes];
    for (i, &value) in values.iter().enumerate() {
        let (environment, unit, channel) = (i / (units * channels), i / channels % units, i % channels);
        rows[channel * lanes + unit * environments + environment] = value;
    }
    rows
}

/// The reverse of [`units_to_lanes`].
fn units_from_lanes(rows: &[f32], units: usize, channels: usize, lanes: usize, environments: usize) -> Vec<f32> {
    let at = |i: usize| (i / (units * channels), i / channels % units, i % channels);
    (0..environments * units * channels)
        .map(|i| {
            let (environment, unit, channel) = at(i);
            rows[channel * lanes + unit * environments + environment]
        })
        .collect()
}

/// `[environment][step]` into `[step][environment]`.
fn steps_first(values: &[f32], steps: usize) -> Vec<f32> {
    let environments = values.len() / steps;
    (0..values.len()).map(|i| values[(i % environments) * steps + i / environments]).collect()
}

#[test]
fn enu_networks_follow_their_trajectories() {
    for (name, npz) in files("enu", "net_") {
        let input = match name.trim_start_matches("net_").trim_end_matches(".npz") {
            mode if mode.starts_with("split") => SynapseInput::Split,
            mode if mode.starts_with("sum") => SynapseInput::Sum,
            mode if mode.starts_with("concat") => SynapseInput::Concat,
            mode => panic!("{name}: unknown synapse input {mode}"),
        };
        let (synapse, neuron) = network_shapes(input);
        let [steps, environments, sensors, channels] = npz.shape("X")[..] else { panic!("{name}: X") };
        let neurons = npz.shape("conn")[0];
        let sources: Vec<usize> = npz.i64("conn").iter().map(|&s| s as usize).collect();
        let synapses = sources.len();
        let sources: Vec<_> = sources.chunks(synapses / neurons).map(<[_]>::to_vec).collect();
        let wiring = Wiring::new(sensors, &sources);
        let layout = network::Layout { synapse: Synapse::Unit(synapse), neuron, shared: false, input, wiring };
        each_instruction_set(|set| {
            let mut network = Network::new(&layout, environments);
            let theta = npz.f32("theta");
            let synapse_noise = units_to_lanes(&npz.f32("bs"), synapses, synapse.outputs, network.synapses.lanes());
            let neuron_noise = units_to_lanes(&npz.f32("bn"), neurons, neuron.outputs, network.neurons.lanes);
            network.synapse_noise[..synapse_noise.len()].copy_from_slice(&synapse_noise);
            network.neuron_noise.copy_from_slice(&neuron_noise);
            for step in 0..steps {
                let size = environments * sensors * channels;
                for (i, x) in npz.f32("X")[step * size..][..size].iter().enumerate() {
                    let (environment, sensor) = (i / (sensors * channels), i / channels % sensors);
                    network.sensor_mut(sensor, i % channels)[environment] = *x;
                }
                set.run(NetworkStep { network: &mut network, weights: &theta });
                let n = &network.neurons;
                for (key, rows, channels) in [("on", n.outputs(), neuron.outputs), ("hn", &n.memory[..], neuron.memory)]
                {
                    let seen = units_from_lanes(rows, neurons, channels, n.lanes, environments);
                    let expected = &npz.f64(key)[step * seen.len()..][..seen.len()];
                    assert_close(&format!("{name} {set:?} step {step} {key}"), seen, expected, TRAJECTORY);
                }
                let Synapses::Units(units) = &network.synapses else { panic!("synapses are units") };
                let s = &units.instances;
                let states = [("os", s.outputs(), synapse.outputs), ("hs", &s.memory[..], synapse.memory)];
                for (key, rows, channels) in states {
                    let key = format!("{key}_{}", step + 1);
                    if npz.has(&key) {
                        let seen = units_from_lanes(rows, synapses, channels, s.lanes, environments);
                        assert_close(&format!("{name} {set:?} {key}"), seen, &npz.f64(&key), TRAJECTORY);
                    }
                }
            }
        });
    }
}

#[test]
fn enu_evolution_strategy() {
    for (name, npz) in files("enu", "es") {
        for (key, exponent) in npz.keys().filter_map(|key| Some((key, key.split_once("_alpha")?.1))) {
            let count = key.trim_start_matches("w_").split('_').next().expect("a count");
            let weights = shaping::power_weights(npz.shape(key)[0], exponent.parse().expect("an exponent"));
            let seen = shaping::by_rank(&npz.f32(&format!("fit_{count}")), shaping::Ties::LowerIndex, &weights);
            assert_close(&format!("{name} {key}"), seen, &npz.f64(key), 1e-7);
        }
        let [generations, population, length] = npz.shape("eps")[..] else { panic!("{name}: eps") };
        let start = npz.f64("theta_0").iter().map(|&x| x as f32).collect();
        let mut optimiser = es::Es::new(&paper_es(population), population, start);
        for generation in 0..generations {
            let noise = Given { values: &npz.f32("eps")[generation * population * length..], length };
            let utilities = optimiser.utilities(&npz.f32("fit")[generation * population..][..population]);
            optimiser.update(&sums(&noise, &utilities, length, false, InstructionSet::best()));
            let expected = |key: &str| npz.f64(key)[generation * length..][..length].to_vec();
            let what = format!("{name} generation {generation}");
            assert_close(&what, optimiser.centre().to_vec(), &expected("theta"), SUMMED);
            let vectors = optimiser.vectors();
            let (_, velocity) = vectors.iter().find(|(name, _)| name == "velocity").expect("momentum");
            assert_close(&what, velocity.clone(), &expected("vel"), SUMMED * 0.01);
        }
    }
}

/// The values of the paper.
fn paper_es(population: usize) -> config::Es {
    config::Es { population: population as u32, sigma: 0.01, rank_exponent: 5, ..config::Es::default() }
}

/// Noise written down, `[offspring][parameter]`.
struct Given<'a> {
    values: &'a [f32],
    length: usize,
}

impl Noise for Given<'_> {
    #[inline(always)]
    fn noise(&self, offspring: usize, first: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.values[offspring * self.length + first..][..out.len()]);
    }
}

#[test]
fn enu_integrate_and_fire() {
    for (name, npz) in files("enu", "iaf") {
        let (environments, steps) = (npz.shape("x")[0], npz.shape("x")[1]);
        let task = Iaf::default();
        let episodes = task.episodes(environments, steps, &steps_first(&npz.f32("x"), steps));
        let spikes = from_lanes(&episodes.target, steps, episodes.lanes, environments);
        assert_close(&format!("{name} y"), spikes, &npz.f64("y"), 0.0);
        for case in 0..npz.shape("yhat")[0] {
            let answers = &npz.f32("yhat")[case * environments * steps..][..environments * steps];
            let fitness = score(&task, &episodes, answers);
            let expected = &npz.f64("fitness")[case * environments..][..environments];
            // Intervals are whole numbers; only the heights are rounded.
            assert_close(&format!("{name} fitness {case}"), fitness, expected, 1e-3);
        }
        let parameters = npz.shape("theta")[1];
        let shape = Shape { kind: UnitKind::Enu, inputs: 1, memory: 32, outputs: 1 };
        assert_eq!(parameters, shape.parameters());
        for (unit, theta) in npz.f32("theta").chunks_exact(parameters).enumerate() {
            each_instruction_set(|set| {
                let outputs = play(set, shape, theta, &episodes);
                let seen = from_lanes(&outputs, steps, episodes.lanes, environments);
                let size = environments * steps;
                let what = format!("{name} unit {unit} {set:?}");
                assert_close(&what, seen.clone(), &npz.f64("unit_out")[unit * size..][..size], 5e-5);
                let fitness = score(&task, &episodes, &seen);
                let expected = &npz.f64("unit_fitness")[unit * environments..][..environments];
                assert_close(&what, fitness, expected, 1e-2);
            });
        }
    }
}

/// Fitness of answers `[environment][step]`.
fn score(task: &impl Task, episodes: &Episodes, answers: &[f32]) -> Vec<f32> {
    let mut outputs = vec![0.0; episodes.steps * episodes.lanes];
    to_lanes(answers, episodes.steps, &mut outputs, episodes.lanes);
    let mut fitness = vec![0.0; episodes.environments];
    task.fitness(episodes, Answer { outputs: &outputs, lanes: episodes.lanes, first: 0 }, &mut fitness);
    fitness
}

/// Output channel 0 of a unit through whole episodes, `[step][lane]`.
fn play(set: InstructionSet, shape: Shape, theta: &[f32], episodes: &Episodes) -> Vec<f32> {
    let mut instances = Instances::new(shape, episodes.environments);
    let lanes = instances.lanes;
    let silence = vec![0.0; shape.outputs * lanes];
    let mut outputs = Vec::new();
    for inputs in episodes.inputs.chunks_exact(episodes.channels * lanes) {
        instances.inputs_mut()[..inputs.len()].copy_from_slice(inputs);
        set.run(UnitStep { instances: &mut instances, weights: theta, noise: &silence });
        outputs.extend_from_slice(&instances.outputs()[..lanes]);
    }
    outputs
}

#[test]
fn enu_plasticity() {
    for (name, npz) in files("enu", "stdp") {
        let (environments, steps) = (npz.shape("x")[0], npz.shape("x")[1]);
        let (pre, post, nt) = (npz.i64("tpre"), npz.i64("tpost"), npz.f32("nt"));
        let pairs: Vec<Pair> = (0..environments)
            .map(|e| Pair { pre: pre[e] as usize, post: post[e] as usize, modulator: nt[e] > 0.0 })
            .collect();
        let graded = steps_first(&npz.f32("x"), steps);
        for (rule, suffix) in [(Rule::Plain, "stdp"), (Rule::Complex, "complex")] {
            let task = StdpTask { config: Stdp::default(), rule };
            let episodes = task.from_pairs(steps, &graded, &pairs);
            let target = from_lanes(&episodes.target, steps, episodes.lanes, environments);
            assert_close(&format!("{name} y_{suffix}"), target, &npz.f64(&format!("y_{suffix}")), 1e-6);
            let fitness = score(&task, &episodes, &npz.f32("yhat"));
            let key = format!("fitness_{suffix}");
            assert_close(&format!("{name} {key}"), fitness, &npz.f64(&key), 1e-4);
        }
        let delays = npz.i64("dt");
        let curve = |rule, modulator| {
            let task = StdpTask { config: Stdp::default(), rule };
            delays.iter().map(|&delay| task.weight_change(delay as i32, modulator)).collect::<Vec<f32>>()
        };
        assert_close("omega", curve(Rule::Plain, true), &npz.f64("omega"), 1e-6);
        assert_close("with modulator", curve(Rule::Complex, true), &npz.f64("omega_complex_nt"), 1e-6);
        assert_close("without modulator", curve(Rule::Complex, false), &npz.f64("omega_complex_no_nt"), 1e-6);
    }
}

#[test]
fn enu_t_maze_moves() {
    for (name, npz) in files("enu", "tmaze_env") {
        let rules = Rules { layout: Layout::Single, energy: 40, swap_after: 2, poisons: 1 };
        let (steps, environments) = (npz.shape("action")[0], npz.shape("action")[1]);
        let perm = npz.i64("perm");
        let mut agents: Vec<TMaze> = npz.i64("side").iter().map(|&side| TMaze::new(&rules, side as i32)).collect();
        let seen = |agent: &TMaze, e: usize| {
            let sensors = agent.observe(&rules);
            let mut channels = [0; 3];
            for (j, on) in sensors.values().into_iter().enumerate() {
                channels[perm[e * 3 + j] as usize] = i64::from(on);
            }
            channels
        };
        for (e, agent) in agents.iter().enumerate() {
            let first: Vec<i64> = (0..3).map(|source| npz.i64("obs_0")[(e * 4 + source) * 16]).collect();
            assert_eq!(seen(agent, e)[..], first[..], "{name}: first observation of {e}");
        }
        for step in 0..steps {
            for (e, agent) in agents.iter_mut().enumerate() {
                let i = step * environments + e;
                agent.step(&rules, Action::from_index(npz.i64("action")[i] as i32), npz.f32("u")[i]);
                let state = [
                    ("x", agent.x),
                    ("y", agent.y),
                    ("d", agent.direction),
                    ("energy", agent.energy),
                    ("alive", i32::from(agent.is_alive())),
                    ("side_after", agent.food),
                    ("count", agent.meals),
                    ("reward", agent.reward),
                ];
                for (key, value) in state {
                    assert_eq!(i64::from(value), npz.i64(key)[i], "{name}: step {step}, agent {e}, {key}");
                }
                assert_eq!(seen(agent, e)[..], npz.i64("sensors")[i * 3..][..3], "{name}: step {step}, agent {e}");
                let paid = [agent.reward > 0 && agent.is_alive(), agent.reward < 0 && agent.is_alive()].map(i64::from);
                assert_eq!(paid[..], npz.i64("reward_channels")[i * 2..][..2], "{name}: step {step}, agent {e}");
            }
        }
    }
}

/// What the watched lives of the closed loop must have been.
struct Closed<'a> {
    name: String,
    npz: &'a Npz,
    offspring: usize,
    /// Outputs of the neurons after an action, as recorded, and how many actions have them.
    recorded: usize,
    ticks: usize,
    actions: Vec<usize>,
}

impl Watch for Closed<'_> {
    fn ticked(&mut self, network: &Network, environments: &[usize]) {
        self.ticks += 1;
        let action = self.ticks / 4 - 1;
        if self.ticks.is_multiple_of(4) && action < self.recorded {
            let neurons = &network.neurons;
            let seen = units_from_lanes(neurons.outputs(), 6, 16, neurons.lanes, environments.len());
            let all = self.npz.shape("on_first12")[2];
            let size = 6 * 16;
            let at = (self.offspring * self.recorded + action) * all * size;
            let expected: Vec<f64> = environments
                .iter()
                .flat_map(|e| self.npz.f64("on_first12")[at + e * size..][..size].to_vec())
                .collect();
            assert_close(
                &format!("{} offspring {} action {action}", self.name, self.offspring),
                seen,
                &expected,
                TRAJECTORY,
            );
        }
    }

    fn acted(&mut self, environment: usize, _: &TMaze, sums: &[f32; 3], action: Action, _: &TMaze) {
        let [_, actions, environments] = self.npz.shape("action")[..] else { panic!("{}: action", self.name) };
        let at = (self.offspring * actions + self.actions[environment]) * environments + environment;
        let expected = Action::from_index(self.npz.i64("action")[at] as i32);
        assert_eq!(action, expected, "{} offspring {} environment {environment}: {sums:?}", self.name, self.offspring);
        self.actions[environment] += 1;
    }
}

#[test]
fn enu_t_maze_in_closed_loop() {
    for (name, npz) in files("enu", "tmaze_closed") {
        let [offspring, actions, environments] = npz.shape("action")[..] else { panic!("{name}: action") };
        let text = format!(
            "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.enu]\n[network]\n\
             [task.t_maze]\nenvironments = {environments}\nactions = {actions}\n[es]\n"
        );
        let play = MazePlay::new(&Plan::new(toml::from_str(&text).expect("toml")).expect("a plan"));
        let threes = |key| npz.i64(key).chunks_exact(3).map(|row| [0, 1, 2].map(|i| row[i] as usize)).collect();
        let (synapses, neurons) = (npz.f32("bs"), npz.f32("bn"));
        let noise = synapses.chunks(48 * 16).zip(neurons.chunks(6 * 16)).flat_map(|(s, n)| [s, n].concat()).collect();
        let episodes = maze::Episodes {
            food: npz.i64("side").iter().map(|&side| side as i32).collect(),
            senses: threes("perm"),
            motors: threes("motor"),
            dark: vec![false; environments],
            poison_reward: -1.0,
            draws: npz.f32("u"),
            noise,
        };
        let parameters = npz.shape("theta")[1];
        for i in 0..offspring {
            let theta = &npz.f32("theta")[i * parameters..][..parameters];
            let mut fitness = vec![0.0; environments];
            let recorded = npz.shape("on_first12")[1];
            let name = name.clone();
            let mut closed =
                Closed { name, npz: &npz, offspring: i, recorded, ticks: 0, actions: vec![0; environments] };
            let steps =
                play.play_watched(&mut play.workspace(environments), theta, &episodes, 0, &mut fitness, &mut closed);
            assert_eq!(steps, 4 * closed.actions.iter().sum::<usize>() as u64);
            assert_close(&closed.name, fitness, &npz.f64("fitness")[i * environments..][..environments], 0.0);
        }
    }
}

#[test]
fn synaptogen_snes() {
    for (name, npz) in files("synaptogen", "snes_") {
        let [steps, population, length] = npz.shape("noise")[..] else { panic!("{name}: noise") };
        let rate = npz.f64("lr_sigma")[0];
        assert!((f64::from(snes::default_sigma_rate(length)) - rate).abs() < 1e-6 * rate, "{name}: rate of sigma");
        assert_eq!(snes::default_population(length) as i64, npz.i64("default_population")[0], "{name}: population");
        let rows = |key: &str, i: usize, n: usize| -> Vec<f64> { npz.f64(key)[i * n..][..n].to_vec() };
        let single = |values: Vec<f64>| -> Vec<f32> { values.into_iter().map(|x| x as f32).collect() };
        let config = config::Snes {
            population: Some(population as u32),
            sigma: npz.f64("sigmas")[0] as f32,
            learning_rate: npz.f64("lr_center")[0] as f32,
            ..config::Snes::default()
        };
        let mut optimiser = snes::Snes::new(&config, population, single(rows("centers", 0, length)));
        optimiser.restore(&single(rows("centers", 0, length)), &[("sigma".into(), single(rows("sigmas", 0, length)))]);
        for step in 0..steps {
            let utilities = optimiser.utilities(&single(rows("fitness", step, population)));
            let what = format!("{name} step {step}");
            assert_close(&what, utilities.clone(), &rows("utilities", step, population), 2e-7);
            let noise = single(rows("noise", step, population * length));
            let noise = Given { values: &noise, length };
            optimiser.update(&sums(&noise, &utilities, length, true, InstructionSet::best()));
            assert_close(&what, optimiser.centre().to_vec(), &rows("centers", step + 1, length), 1e-5);
            assert_close(&what, optimiser.vectors()[0].1.clone(), &rows("sigmas", step + 1, length), 1e-5);
        }
    }
}

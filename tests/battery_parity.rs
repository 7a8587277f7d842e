//! Lives in the battery's assays on a device against the CPU: the same senses, answers and fitness, to the last bit, whoever is the
//! controller and however many threads a block has and in whatever order they run. On the stand-in driver (feature `emu`), or on a GPU,
//! with PHYLON_TEST_DEVICE=cuda.
#![cfg(feature = "emu")]

mod common;
mod device;
mod trajectories;

use common::*;
use device::{gpu, on_gpu};
use phylon::abi::{ArenaMovesArgs, PlateMovesArgs, THREADS, TRACED};
use phylon::battery::arena::{Arena, Forager};
use phylon::battery::assays::{ASSAYS, Asked, Assay, Subject};
use phylon::battery::body::{Body, Evolved};
use phylon::battery::chemotaxis::Chemotaxis;
use phylon::battery::conditioning::Conditioning;
use phylon::battery::cues::{Interval, Rules, Swap, TwoTasks};
use phylon::battery::gpu::{self as on_device, Kept, Lived, Treated, Worlds};
use phylon::battery::overlap::Overlap;
use phylon::battery::plain::Plain;
use phylon::battery::plate::{Motion, Plate, Source, Worm};
use phylon::battery::play::{After, Controller, Lives, Outcomes, Played, Protocol, Treatment, play};
use phylon::battery::reversal::Reversal;
use phylon::battery::step_through::StepThrough;
use phylon::gpu::emu::{self, Order};
use phylon::gpu::{Buffer, Gpu, Shape, blocks};
use phylon::plan::Plan;
use phylon::policy::{Activation, Mlp};
use phylon::registry::UNITS;
use phylon::rng::{Row, Stream};
use phylon::workload::{GpuEngine, Pack};
use trajectories::{Inputs, SENSE, STATE, arena, close, close_angle, golden, plate};

/// Worms and foragers with given actions and draws: what they are on the device after each step, `[step][life][columns]`.
fn moved<A: phylon::gpu::KernelArgs>(gpu: &Gpu, kernel: &str, lives: usize, out: &Buffer<f64>, args: &A) -> Vec<f64> {
    let shape = Shape { grid: [blocks(lives, THREADS), 1, 1], block: THREADS, shared: 0 };
    unsafe { gpu.launch(kernel, shape, args) }.unwrap();
    out.read_all(gpu).unwrap()
}

/// `[step][life][6]`.
fn given(inputs: &Inputs, count: usize) -> Vec<f32> {
    let each = |i| {
        let (turn, drive, draws) = inputs.at(i);
        [turn, drive, draws.sense, draws.heading, draws.event, draws.turn]
    };
    (0..count).flat_map(each).collect()
}

fn interleaved(columns: [Vec<f32>; 3]) -> Vec<f32> {
    (0..columns[0].len()).flat_map(|life| [0, 1, 2].map(|column| columns[column][life])).collect()
}

#[test]
fn battery_plates_follow_their_trajectories() {
    let gpu = gpu();
    for name in ["plate_default.npz", "plate_walls.npz"] {
        let Some(file) = golden(name) else { continue };
        let (plate, inputs) = (plate(&file), Inputs::of(&file));
        let source = Source { x: file.f64("P_gx")[0], y: file.f64("P_gy")[0], strength: 1.0 };
        let (steps, lives) = (file.shape("x")[0], file.shape("x")[1]);
        let starts = interleaved(["x0", "y0", "phi0"].map(|key| file.f32(key)));
        let given = Buffer::of(&gpu, &given(&inputs, steps * lives)).unwrap();
        let (starts_there, out) =
            (Buffer::of(&gpu, &starts).unwrap(), Buffer::zeros(&gpu, steps * lives * 11).unwrap());
        let args = PlateMovesArgs {
            starts: starts_there.pointer(),
            given: given.pointer(),
            out: out.pointer(),
            lives: lives as u32,
            steps: steps as u32,
            source_x: source.x,
            source_y: source.y,
            plate: (&plate).into(),
        };
        let seen = moved(&gpu, "plate_moves", lives, &out, &args);
        let [obs, m, x, y, phi] = ["obs", "m", "x", "y", "phi"].map(|key| file.f64(key));
        let (pause, event) = (file.i64("pause"), file.bools("event"));
        for life in 0..lives {
            let [x0, y0, phi0] = [0, 1, 2].map(|i| f64::from(starts[3 * life + i]));
            let mut worm = Worm::at(x0, y0, phi0);
            for step in 0..steps {
                let at = step * lives + life;
                let what = format!("{name} life {life} step {step}");
                let seen = &seen[11 * at..][..11];
                seen[..5].iter().zip(&obs[5 * at..]).for_each(|(&seen, &to)| close(seen, to, SENSE, &what));
                close(seen[5], m[at], STATE, &what);
                close(seen[6], x[at], STATE, &what);
                close(seen[7], y[at], STATE, &what);
                close_angle(seen[8], phi[at], &what);
                assert_eq!((seen[9] as i64, seen[10] == 1.0), (pause[at], event[at]), "{what}");

                let (turn, drive, draws) = inputs.at(at);
                let mut expected: Vec<f64> = plate.observe(&mut worm, &source, &draws).map(f64::from).into();
                expected.push(worm.adapted);
                let motion = plate.step(&mut worm, turn, drive, &draws);
                let number = [Motion::Paused, Motion::Pirouette, Motion::Crawled].iter().position(|&m| m == motion);
                expected.extend([worm.x, worm.y, worm.heading, worm.pause.into(), number.unwrap() as f64]);
                assert_eq!(double_bits(seen), double_bits(&expected), "{what}");
            }
        }
    }
}

fn double_bits(values: &[f64]) -> Vec<u64> {
    // There is one NaN.
    values.iter().map(|x| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }).collect()
}

#[test]
fn battery_foragers_follow_their_trajectories() {
    let Some(file) = golden("memory.npz") else { return };
    let (gpu, arena, inputs) = (gpu(), arena(&file), Inputs::of(&file));
    let (steps, lives) = (file.shape("x")[0], file.shape("x")[1]);
    let sites: Vec<f32> = file.i64("site").iter().map(|&site| site as f32).collect();
    let starts = interleaved([sites, file.f32("phi0"), file.f32("phi1")]);
    let given = Buffer::of(&gpu, &given(&inputs, steps * lives)).unwrap();
    let (starts_there, out) = (Buffer::of(&gpu, &starts).unwrap(), Buffer::zeros(&gpu, steps * lives * 15).unwrap());
    let args = ArenaMovesArgs {
        starts: starts_there.pointer(),
        given: given.pointer(),
        out: out.pointer(),
        lives: lives as u32,
        steps: steps as u32,
        arena: (&arena).into(),
    };
    let seen = moved(&gpu, "arena_moves", lives, &out, &args);
    let [obs, x, y, phi, exit] = ["obs", "x", "y", "phi", "exit"].map(|key| file.f64(key));
    let (phase, reached) = (file.i64("phase"), file.bools("reached"));
    for life in 0..lives {
        let [site, first, second] = [0, 1, 2].map(|i| f64::from(starts[3 * life + i]));
        let mut forager = Forager::new(&arena, site as i32, first, second);
        for step in 0..steps {
            let at = step * lives + life;
            let what = format!("life {life} step {step}");
            let seen = &seen[15 * at..][..15];
            seen[..9].iter().zip(&obs[9 * at..]).for_each(|(&seen, &to)| close(seen, to, SENSE, &what));
            close(seen[9], x[at], STATE, &what);
            close(seen[10], y[at], STATE, &what);
            close_angle(seen[11], phi[at], &what);
            assert_eq!(seen[12] as i64, phase[at], "{what}");

            let (turn, drive, draws) = inputs.at(at);
            let mut expected: Vec<f64> = arena.observe(&mut forager, &draws).map(f64::from).into();
            arena.step(&mut forager, turn, drive, &draws);
            let Forager { worm, phase, reached, exit, .. } = forager;
            expected.extend([worm.x, worm.y, worm.heading, f64::from(phase as i32), f64::from(reached), exit]);
            assert_eq!(double_bits(seen), double_bits(&expected), "{what}");
        }
        let last = &seen[15 * ((steps - 1) * lives + life)..][..15];
        assert_eq!((last[13] == 1.0, last[14].is_nan()), (reached[life], exit[life].is_nan()), "life {life}");
        if !exit[life].is_nan() {
            close_angle(last[14], exit[life], "exit");
        }
    }
}

/// A protocol whose values of a life are its fitness, and what it was shown and answered.
struct Traced<'a, P>(&'a P);

impl<P: Protocol> Protocol for Traced<'_, P> {
    type Life = (P::Life, Vec<f32>);
    const NUMBER: u32 = P::NUMBER;
    const SENSES: &'static [&'static str] = P::SENSES;
    const MOTORS: &'static [&'static str] = P::MOTORS;

    fn longest(&self) -> u32 {
        self.0.longest()
    }

    fn begin(&self, row: &Row, number: u32) -> Self::Life {
        (self.0.begin(row, number), Vec::new())
    }

    fn observe(&self, (life, trace): &mut Self::Life, words: [u32; 4], senses: &mut [f32]) -> i32 {
        let told = self.0.observe(life, words, senses);
        trace.extend(senses.iter().copied().chain([f32::from(told > 0), f32::from(told < 0)]));
        told
    }

    fn act(&self, (life, trace): &mut Self::Life, words: [u32; 4], outputs: &[f32], outcome: &mut Outcomes) -> After {
        trace.extend(outputs);
        self.0.act(life, words, outputs, outcome)
    }

    fn values(&self, (life, trace): &Self::Life) -> Vec<f64> {
        [self.0.fitness(life)].iter().chain(trace).map(|&x| x.into()).collect()
    }

    fn fitness(&self, (life, _): &Self::Life) -> f32 {
        self.0.fitness(life)
    }
}

/// f of the protocol of this name.
macro_rules! of_protocol {
    ($worlds:expr, $name:expr, $f:expr) => {
        match $name {
            "A" => $f(&$worlds.chemotaxis),
            "B" => $f(&$worlds.arena),
            "C" => $f(&$worlds.step_through),
            "D" => $f(&$worlds.reversal),
            "E" => $f(&$worlds.swap),
            "F" => $f(&$worlds.two_tasks),
            "conditioning" => $f(&$worlds.conditioning),
            _ => $f(&$worlds.overlap),
        }
    };
}

/// Lives on the CPU: of each its fitness, then a row a step of senses, r+, r- and outputs.
fn expected(worlds: &Worlds, name: &str, controller: &dyn Controller, lives: Lives) -> Vec<Vec<f64>> {
    of_protocol!(worlds, name, |protocol| play(&Traced(protocol), controller, lives, Treatment::None).values)
}

/// The longest life of a world, control steps.
fn longest(worlds: &Worlds, name: &str) -> u32 {
    of_protocol!(worlds, name, Protocol::longest)
}

/// Lives of a body in these assays on a device; the first `traced` steps are kept.
#[expect(clippy::too_many_arguments, reason = "who, where, which lives, and how")]
fn animal(
    gpu: &Gpu,
    worlds: &Worlds,
    body: &Body,
    parameters: &[f32],
    assays: &[&Assay],
    lives: Lives,
    warps: usize,
    traced: u32,
) -> Lived {
    let game = |assay: &&Assay| (assay.game.number, body.adapter(assay).expect("a body for it"));
    let games: Vec<_> = assays.iter().map(game).collect();
    let treated = Treated::not(Kept::All(traced));
    on_device::animal(gpu, worlds, body, parameters, &games, (0, lives), warps, treated)
        .unwrap_or_else(|e| panic!("{e}"))
}

/// The same lives, from number `first` of `seen` on.
#[track_caller]
fn compare(what: &str, assay: &Assay, expected: &[Vec<f64>], seen: &Lived, first: usize) {
    let columns = assay.channels() + assay.game.motors.len();
    for (life, expected) in expected.iter().enumerate() {
        let (what, at) = (format!("{what}, life {life}"), first + life);
        for (step, expected) in expected[1..].chunks_exact(columns).enumerate() {
            let seen = |column: usize| seen.trace[(step * TRACED as usize + column) * seen.lanes + at];
            let differs = |&column: &usize| f64::from(seen(column)).to_bits() != expected[column].to_bits();
            if let Some(column) = (0..columns).find(differs) {
                panic!("{what}, step {step}, column {column}: {}, not {}", seen(column), expected[column]);
            }
        }
        assert_eq!(seen.steps[at] as usize, (expected.len() - 1) / columns, "{what}: steps");
        assert_eq!(f64::from(seen.fitness[at]).to_bits(), expected[0].to_bits(), "{what}: fitness {}", expected[0]);
    }
}

/// As they are, and with all sizes others.
fn worlds() -> [Worlds; 2] {
    let plate =
        Plate { spread: 10.0, gain: 10.0, peak: 10.0, speed: 0.2, noise: 0.1, rate: 0.4, pause: 3, ..Plate::default() };
    let rules = Rules { reward: 0.8, gap: 2, blends: true };
    let between = Interval { blank: 2, filled: 3 };
    let arena = Arena::default();
    let other = Worlds {
        chemotaxis: Chemotaxis { plate: Plate { radius: 6.0, period: 3.0, ..plate }, steps: 300 },
        arena: Arena {
            plate: Plate { speed: 0.3, base: 0.7, length: 0.3, half: 2.0, ..arena.plate },
            site_radius: 4.0,
            ring: 5.0,
            reach: 2.0,
            find: 300,
            eat: 5,
            delay: 10,
            test: 120,
            offset: 4.0,
        },
        step_through: StepThrough { cutoff: 9, delay: 4, blends: true },
        reversal: Reversal { block: 2..=5, dark: 0.4, gap: 3, alternation: true },
        swap: Swap { rules, before: 3..=5, after: 6 },
        two_tasks: TwoTasks { rules, trials: 5, between },
        conditioning: Conditioning { presentations: 2..=5, delay: 3 },
        overlap: Overlap { tasks: TwoTasks { trials: 6, between, ..TwoTasks::default() }, shared: 4 },
    };
    [Worlds::default(), other]
}

/// The body of one unit in these assays, and how many parameters it has.
fn body(unit: &str, memory: usize, assays: &str, more: &str) -> (Body, usize) {
    let inputs = if assays.contains("overlap") { 48 } else { 30 };
    made(&format!("[unit.{unit}]\ninputs = {inputs}\nmemory = {memory}\noutputs = 9"), assays, more)
}

/// The body of these tables.
fn made(tables: &str, assays: &str, more: &str) -> (Body, usize) {
    let text = format!(
        "format = 1\n[run]\nname = 'x'\ngenerations = 1\n{tables}\n[task.assay]\nassays = {assays}\nlives = 1\n{more}\n\
         [es]\npopulation = 4"
    );
    let plan = Plan::new(toml::from_str(&text).expect("toml")).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (Body::of(&plan).expect("a body"), plan.parameters())
}

fn drawn(count: usize, index: u32, scale: f32) -> Vec<f32> {
    let mut parameters = vec![0.0; count];
    Row { seed: 17, stream: Stream::Initial, generation: 0, index }.normals(0, &mut parameters);
    parameters.iter_mut().for_each(|x| *x *= scale);
    parameters
}

/// Orders of threads, and warps of a block.
fn in_every_shape(check: impl Fn(&str, usize)) {
    for (order, warps) in [(Order::Forward, 4), (Order::Reverse, 1), (Order::Shuffled(3), 3)] {
        if !on_gpu() {
            emu::set_order(order).expect("the stand-in driver");
        }
        check(&format!("{order:?}, {warps} warps"), warps);
    }
    if !on_gpu() {
        emu::set_order(Order::Forward).expect("the stand-in driver");
    }
}

/// Protocols by the assay that they are of.
const NAMES: [&str; 8] = ["A", "B", "C", "D", "E", "F", "conditioning", "overlap"];

fn assay(name: &str) -> &'static Assay {
    Assay::named(name).unwrap()
}

/// This assay behind others.
fn several(name: &str) -> String {
    let others = ["F", "D", "B", "C", "A", "overlap"].into_iter().filter(|&other| other != name);
    format!("{:?}", others.chain([name]).collect::<Vec<_>>())
}

/// Lives that come to different fitness, of all that an assay's test plays.
#[derive(Default)]
struct Variety(std::collections::BTreeSet<u64>);

impl Variety {
    fn see(&mut self, lives: &[Vec<f64>]) {
        self.0.extend(lives.iter().map(|life| life[0].to_bits()));
    }

    #[track_caller]
    fn check(&self, name: &str) {
        // In the dark a network without memory can do three things in a maze.
        assert!(self.0.len() > 2, "{name}: lives of {} kinds show little", self.0.len());
    }
}

#[test]
fn battery_lives_of_units_have_the_bits_of_the_cpu() {
    let gpu = gpu();
    for (w, worlds) in worlds().iter().enumerate() {
        for name in NAMES {
            let (assay, traced, mut variety) = (assay(name), longest(worlds, name), Variety::default());
            for (i, unit) in UNITS.iter().enumerate() {
                let memory = [5, 9, 17, 8][(i + w) % 4];
                // One in several assays, whose senses and motors are in other places, and with several steps.
                let (assays, more) = match (i + w) % 4 {
                    3 => (several(name), "ticks_per_step = 2"),
                    _ => (format!("['{name}']"), ""),
                };
                let (body, count) = body(unit.name, memory, &assays, more);
                let lives = Lives { seed: 3 + i as u64, count: if on_gpu() { 2000 } else { 75 } };
                let parameters = drawn(count, (10 * w + i) as u32, 0.8);
                let controller = Evolved::new(&body, &parameters, assay).expect("a body for it");
                let expected = expected(worlds, name, &controller, lives);
                let ticks = if more.is_empty() { 1 } else { 2 };
                variety.see(&expected);
                in_every_shape(|shape, warps| {
                    let mut seen = animal(&gpu, worlds, &body, &parameters, &[assay], lives, warps, traced);
                    seen.steps.iter_mut().for_each(|steps| *steps /= ticks);
                    compare(&format!("{} {w} {name} {shape}", unit.name), assay, &expected, &seen, 0);
                });
            }
            variety.check(name);
        }
    }
}

/// Units, sizes, how synapses read or by which rule they learn, noise, and wiring.
const NETWORKS: [&str; 7] = [
    "[unit.enu]\ninputs = 6\nmemory = 5\noutputs = 6\n[network]\nneurons = 5\nsynapses = 7\nrandom.seed = 1",
    "[unit.gru]\ninputs = 3\nmemory = 9\noutputs = 3\n[network]\nneurons = 6\nsynapses = 4\nrandom.seed = 2\n\
     synapse_input = 'concat'\noutput_noise = 0.0",
    "[unit.lstm]\ninputs = 4\nmemory = 7\noutputs = 4\n[network]\nneurons = 5\nsynapses = 5\nrandom.seed = 3\nshared = true",
    "[unit.nfenu]\ninputs = 5\nmemory = 17\noutputs = 5\n[network]\nneurons = 6\nsynapses = 3\nrandom.seed = 4\n\
     synapse_input = 'sum'\noutput_noise = 0.5",
    "[unit.enu]\ninputs = 4\nmemory = 4\noutputs = 4\n[network]\nneurons = 5\nsynapses = 8\nrandom.seed = 5\n\
     rule.rewarded_stdp = { rate = 1.5 }",
    "[unit.gru]\ninputs = 1\nmemory = 3\noutputs = 1\n[network]\nneurons = 7\nsynapses = 6\nrandom.seed = 6\n\
     output_noise = 0.2\nrule.bcm = { trace = 0.4 }",
    "[unit.lstm]\ninputs = 3\nmemory = 8\noutputs = 3\n[network]\nneurons = 5\nsynapses = 4\nrandom.seed = 7\n\
     rule.rewarded_stdp = {}",
];

#[test]
fn battery_lives_of_networks_have_the_bits_of_the_cpu() {
    let (gpu, worlds) = (gpu(), worlds());
    for (l, name) in NAMES.into_iter().enumerate() {
        let mut variety = Variety::default();
        for (n, network) in NETWORKS.into_iter().enumerate() {
            // The other worlds are the shorter ones.
            let (assay, worlds) = (assay(name), &worlds[usize::from(n > 0 || "AD".contains(name))]);
            let traced = longest(worlds, name);
            // In several assays a body has more senses and motors than it uses.
            let assays = if n % 2 == 0 { format!("['{name}']") } else { several(name) };
            let (body, count) = made(network, &assays, &format!("ticks_per_step = {}", 1 + n % 3));
            let lives = Lives { seed: 40 + n as u64, count: if on_gpu() { 700 } else { 39 } };
            let parameters = drawn(count, (100 + 10 * l + n) as u32, 1.2);
            let controller = Evolved::new(&body, &parameters, assay).expect("a body for it");
            let expected = expected(worlds, name, &controller, lives);
            variety.see(&expected);
            in_every_shape(|shape, warps| {
                let mut seen = animal(&gpu, worlds, &body, &parameters, &[assay], lives, warps, traced);
                seen.steps.iter_mut().for_each(|steps| *steps /= 1 + n as u32 % 3);
                compare(&format!("network {n} {name} {shape}"), assay, &expected, &seen, 0);
            });
        }
        variety.check(name);
    }
}

#[test]
fn battery_lives_of_plain_networks_have_the_bits_of_the_cpu() {
    let gpu = gpu();
    for worlds in worlds() {
        for name in NAMES {
            let (assay, traced, mut variety) = (assay(name), longest(&worlds, name), Variety::default());
            let networks: [(&[usize], Activation); 4] = [
                (&[9], Activation::Tanh),
                (&[], Activation::Identity),
                (&[5, 7], Activation::Relu),
                (&[8], Activation::Sigmoid),
            ];
            // Most that are drawn do the same in every life.
            for (i, (hidden, activation)) in networks.into_iter().cycle().take(16).enumerate() {
                let sizes = [&[assay.channels()], hidden, &[assay.game.motors.len()]].concat();
                let mut mlp = Mlp::new(&sizes, activation);
                let weights = drawn(mlp.parameters().len(), i as u32, 1.0);
                mlp.parameters_mut().copy_from_slice(&weights);
                let lives = Lives { seed: 90 + i as u64, count: if on_gpu() { 1000 } else { 75 } };
                let expected = expected(&worlds, name, &Plain::new(mlp.clone()), lives);
                variety.see(&expected);
                for threads in [128, 32] {
                    let seen = on_device::plain(&gpu, &worlds, assay, &mlp, lives, threads, traced);
                    let seen = seen.unwrap_or_else(|e| panic!("{e}"));
                    compare(&format!("plain {i} {name}, {threads} threads"), assay, &expected, &seen, 0);
                }
            }
            variety.check(name);
        }
    }
}

/// Those of all assays side by side, many of them in one warp.
#[test]
fn battery_lives_in_several_assays_are_those_in_each() {
    let (gpu, worlds) = (gpu(), Worlds::default());
    let (body, count) = body("enu", 6, "['A', 'B', 'C', 'D', 'E', 'F', 'overlap']", "");
    let (parameters, lives) = (drawn(count, 5, 1.0), Lives { seed: 8, count: 7 });
    let all = NAMES.map(assay);
    let traced = NAMES.map(|name| longest(&worlds, name)).into_iter().max().unwrap();
    let expected = NAMES.map(|name| {
        let controller = Evolved::new(&body, &parameters, assay(name)).expect("a body for it");
        expected(&worlds, name, &controller, lives)
    });
    in_every_shape(|shape, warps| {
        let seen = animal(&gpu, &worlds, &body, &parameters, &all, lives, warps, traced);
        for (i, (assay, expected)) in all.into_iter().zip(&expected).enumerate() {
            compare(&format!("{} {shape}", assay.letter), assay, expected, &seen, i * lives.count as usize);
        }
    });
}

#[test]
fn battery_evolution_has_the_bits_of_the_cpu() {
    // Units, assays, lives and optimisers; validation lives that are no multiple of the assays.
    let units = [
        ("gru", 8, "['A']\nnoise = 0.3", 3, "[snes]\npopulation = 5"),
        ("enu", 4, "['C']", 40, "[es]\npopulation = 8\nsigma = 1.0\nantithetic = true\n[es.adam]"),
        ("lstm", 9, "['D']", 5, "[es]\npopulation = 6\nsigma = 0.9"),
        (
            "nfenu",
            7,
            "['E']\nnoise = 0.5\nnoisy = 0.4",
            33,
            "[es]\npopulation = 35\nsigma = 1.0\nrank_exponent = 1\n[es.adam]",
        ),
        ("enu", 20, "['B', 'F']", 4, "[es]\npopulation = 4\nsigma = 0.8"),
        ("gru", 5, "['D', 'C']\nticks_per_step = 3", 6, "[snes]\npopulation = 6"),
        ("lstm", 6, "['alternation', 'conditioning']", 5, "[es]\npopulation = 5\nsigma = 0.9"),
        ("enu", 5, "['overlap', 'interval']", 7, "[snes]\npopulation = 5"),
    ];
    let units = units.map(|(unit, memory, assays, lives, optimiser)| {
        let unit = format!("[unit.{unit}]\ninputs = 28\nmemory = {memory}\noutputs = 6\ninitial_scale = 3.0");
        (unit, assays, lives, optimiser)
    });
    let networks = [
        (NETWORKS[0].to_owned(), "['C', 'E']", 20, "[es]\npopulation = 6\nsigma = 1.0\nantithetic = true"),
        (NETWORKS[4].to_owned(), "['E', 'F']\nnoise = 0.5", 18, "[snes]\npopulation = 7"),
        (NETWORKS[5].to_owned(), "['C']", 33, "[es]\npopulation = 5\nsigma = 1.0\n[es.adam]"),
    ];
    for (animal, assays, lives, optimiser) in units.into_iter().chain(networks) {
        let text = format!(
            "format = 1\n[run]\nname = 'x'\ngenerations = 3\nvalidate_every = 1\nvalidation_episodes = 5\nfirst_centres = 3\n\
             {animal}\n[task.assay]\nassays = {assays}\nlives = {lives}\n{optimiser}\n"
        );
        let plan = Plan::new(toml::from_str(&text).expect("toml")).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let mut engine = cpu(&plan);
        let generations = advance(engine.as_mut(), 3);
        let expected = trace(&generations, &engine.state().expect("a state"));
        let steps: Vec<u64> = generations.iter().map(|generation| generation.env_steps).collect();
        assert!(expected.fitness.iter().flatten().collect::<std::collections::BTreeSet<_>>().len() > 3, "{text}");
        in_every_shape(|shape, warps| {
            let pack = Pack::new(&plan, gpu(), &[plan.config.run.seed]).and_then(|pack| pack.reshaped(warps));
            let (mut pack, mut generations) = (pack.unwrap_or_else(|e| panic!("{e}\n{text}")), Vec::new());
            pack.advance(3, &mut |_, generation| generations.push(generation)).expect("a run");
            let seen = trace(&generations, &pack.state(0).expect("a state"));
            assert_eq!(expected, seen, "{text}\n{shape}");
            assert_eq!(steps, generations.iter().map(|g| g.env_steps).collect::<Vec<_>>(), "{text}\n{shape}: steps");
        });
    }
}

#[test]
fn battery_large_networks_one_world_of_two_sizes_and_fast_mode_are_refused_in_words() {
    let refused = |numerics: &str, network: &str, assays: &str| {
        let text = format!(
            "format = 1\n[run]\nname = 'x'\ngenerations = 1\nnumerics = '{numerics}'\n[unit.enu]\ninputs = 12\nmemory = 4\noutputs = 12\n\
             {network}[task.assay]\nassays = [{assays}]\n[es]\npopulation = 4"
        );
        let plan = Plan::new(toml::from_str(&text).expect("toml")).unwrap_or_else(|e| panic!("{e}\n{text}"));
        GpuEngine::new(&plan, gpu()).err().expect("no kernel for it").to_string()
    };
    let message = refused("exact", "[network]\nneurons = 40\nsynapses = 40\nrandom.seed = 1\n", "'A'");
    assert!(message.contains("too large") && message.contains("--device cpu"), "{message}");
    let message = refused("exact", "", "'reversal', 'C', 'alternation'");
    assert!(
        message.contains("reversal and alternation are one world") && message.contains("--device cpu"),
        "{message}"
    );
    let message = refused("fast", "", "'A'");
    assert!(message.contains("try: --set run.numerics=exact"), "{message}");
}

/// Of the values of each life, of each path, and the steps.
fn bits(played: &Played) -> (Vec<Vec<u64>>, u64) {
    let paths = played.paths.iter().map(|path| path.as_flattened().iter().map(|&x| x.into()).collect());
    let values: Vec<Vec<f64>> = played.values.iter().cloned().chain(paths).collect();
    (values.iter().map(|values| double_bits(values)).collect(), played.steps)
}

/// What the judges are given is the same: in every assay and variant, under every condition, whatever is done to animals.
#[test]
fn battery_judgements_on_a_device_have_the_bits_of_the_cpu() {
    let gpu = gpu();
    let units = [("enu", 5), ("lstm", 7)];
    let units = units.map(|(unit, memory)| format!("[unit.{unit}]\ninputs = 30\nmemory = {memory}\noutputs = 9"));
    let bodies = units.into_iter().chain([0, 2, 4].map(|n| NETWORKS[n].to_owned()));
    let mut differ = std::collections::BTreeSet::new();
    for (n, tables) in bodies.enumerate() {
        for assay in ASSAYS.into_iter().filter(|assay| assay.is_for_animals()) {
            let ticks = format!("ticks_per_step = {}", 1 + n % 2);
            let (body, count) = made(&tables, &format!("['{}']", assay.name), &ticks);
            let parameters = drawn(count, 200 + n as u32, 1.5);
            let subject = Subject::Animal(Box::new(Evolved::new(&body, &parameters, assay).expect("a body for it")));
            assert!(subject.can_be_on_device());
            // The last of an odd number has no neighbour.
            let lives = Lives { seed: 9, count: if on_gpu() { 301 } else { 35 } };
            let of = |gpu, (condition, treatment)| {
                let played = assay.play(condition, &subject, Asked { gpu, lives, treatment });
                bits(&played.unwrap_or_else(|e| panic!("{e}")))
            };
            // All that is done to animals, and every condition once.
            let treatments = [Treatment::Amnesia, Treatment::Shuffled].map(|treatment| (0, treatment));
            let conditions = (0..assay.conditions.len()).map(|condition| (condition, Treatment::None));
            let conditions = conditions.take(if n == 0 { usize::MAX } else { 1 });
            let untreated = of(None, (0, Treatment::None));
            for (condition, treatment) in conditions.chain(treatments) {
                let what = format!("body {n}, {}, {}, {treatment:?}", assay.name, assay.conditions[condition]);
                let on_cpu = of(None, (condition, treatment));
                assert_eq!(on_cpu, of(Some(&gpu), (condition, treatment)), "{what}");
                if on_cpu != untreated {
                    differ.insert((assay.name, format!("{treatment:?}")));
                }
            }
        }
    }
    // Nothing is remembered in A.
    for assay in ASSAYS.into_iter().filter(|assay| assay.is_for_animals() && assay.letter != 'A') {
        for treatment in ["Amnesia", "Shuffled"] {
            assert!(
                differ.contains(&(assay.name, treatment.to_owned())),
                "{}: {treatment} changed no life",
                assay.name
            );
        }
    }
}

/// Many lives are played a part at a time.
#[test]
fn battery_judgements_are_the_same_in_parts() {
    let gpu = gpu();
    let (body, count) = made(NETWORKS[4], "['E']", "");
    let (assay, parameters) = (assay("E"), drawn(count, 3, 1.5));
    let controller = Evolved::new(&body, &parameters, assay).expect("a body for it");
    let lives = Lives { seed: 2, count: 139 };
    for treatment in [Treatment::None, Treatment::Amnesia, Treatment::Shuffled] {
        let whole = bits(&play(&Swap::default(), &controller, lives, treatment));
        for most in [32, 64, 1000] {
            let animal = controller.animal().expect("an animal");
            let seen = on_device::played(&gpu, &Swap::default(), animal, lives, treatment, most);
            assert_eq!(whole, bits(&seen.unwrap_or_else(|e| panic!("{e}"))), "{treatment:?}, {most} at a time");
        }
    }
}

//! The battery: its worlds and rules against reference data, its nulls and controls against the figures they must have.
//!
//! Reference data are in `tests/golden/battery`, or that folder of what `PHYLON_GOLDEN` names; a folder that is absent is passed
//! over.

mod npz;

use std::path::PathBuf;

use npz::Npz;
use phylon::battery::arena::{Arena, Forager};
use phylon::battery::plate::{Draws, Motion, Plate, Source, Worm, wrap};
use phylon::battery::rules::{Bcm, Lif, Membrane, Neurons};

/// Absolute difference allowed: plain single precision was seen to stray by 1.4e-6 in these files.
const STATE: f64 = 1e-5;
/// The same of senses, which divide by small concentrations.
const SENSE: f64 = 2e-5;

fn golden(name: &str) -> Option<Npz> {
    let given = std::env::var_os("PHYLON_GOLDEN").map(PathBuf::from);
    let root = given.clone().unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
    let path = root.join("battery").join(name);
    if given.is_some() && !path.exists() {
        eprintln!("passed over: no file {}", path.display());
        return None;
    }
    Some(Npz::open(&path))
}

fn close(seen: impl Into<f64>, expected: f64, tolerance: f64, what: &str) {
    let seen = seen.into();
    let error = (seen - expected).abs();
    assert!(error <= tolerance, "{what}: {seen} against {expected}, {error:e} apart");
}

/// The same angle may be written in two ways.
fn close_angle(seen: f64, expected: f64, what: &str) {
    close(wrap(seen - expected), 0.0, STATE, what);
}

fn plate(file: &Npz) -> Plate {
    let p = |name: &str| file.f64(&format!("P_{name}"))[0];
    Plate {
        dt: p("dt"),
        speed: p("v"),
        radius: p("R"),
        turning: p("wmax"),
        heading_noise: p("sphi"),
        rate: p("lam"),
        pause: file.i64("P_pause")[0] as i32,
        period: p("Ts"),
        sweep: p("am"),
        length: p("l"),
        base: p("Cb"),
        peak: p("Cp"),
        spread: p("sc"),
        gain: p("g"),
        half: p("Ch"),
        adaptation: p("tm"),
        noise: p("ss"),
        reference: p("Cref"),
    }
}

/// Turn, drive and draws of a life at a step.
struct Inputs([Vec<f32>; 6]);

impl Inputs {
    fn of(file: &Npz) -> Self {
        Self(["turn", "pir", "eta0", "eta1", "U1", "U2"].map(|name| file.f32(&format!("in_{name}"))))
    }

    fn at(&self, i: usize) -> (f32, f32, Draws) {
        let [turn, drive, sense, heading, event, angle] = &self.0;
        (turn[i], drive[i], Draws { sense: sense[i], heading: heading[i], event: event[i], turn: angle[i] })
    }
}

#[test]
fn battery_plates_follow_their_trajectories() {
    for name in ["plate_default.npz", "plate_walls.npz"] {
        let Some(file) = golden(name) else { continue };
        let (plate, inputs) = (plate(&file), Inputs::of(&file));
        let source = Source { x: file.f64("P_gx")[0], y: file.f64("P_gy")[0], strength: 1.0 };
        let starts = ["x0", "y0", "phi0"].map(|key| file.f32(key));
        let (steps, lives) = (file.shape("x")[0], file.shape("x")[1]);
        let [obs, m, x, y, phi] = ["obs", "m", "x", "y", "phi"].map(|key| file.f64(key));
        let (pause, event) = (file.i64("pause"), file.bools("event"));
        for life in 0..lives {
            let mut worm = Worm::at(starts[0][life].into(), starts[1][life].into(), starts[2][life].into());
            for step in 0..steps {
                let at = step * lives + life;
                let what = format!("{name} life {life} step {step}");
                let (turn, drive, draws) = inputs.at(at);
                let senses = plate.observe(&mut worm, &source, &draws);
                senses.iter().zip(&obs[5 * at..]).for_each(|(&seen, &to)| close(seen, to, SENSE, &what));
                close(worm.adapted, m[at], STATE, &what);
                let motion = plate.step(&mut worm, turn, drive, &draws);
                assert_eq!((motion == Motion::Pirouette, i64::from(worm.pause)), (event[at], pause[at]), "{what}");
                close(worm.x, x[at], STATE, &what);
                close(worm.y, y[at], STATE, &what);
                close_angle(worm.heading, phi[at], &what);
            }
        }
    }
}

#[test]
fn battery_foragers_follow_their_trajectories() {
    let Some(file) = golden("memory.npz") else { return };
    let p = |name: &str| file.f64(&format!("P_{name}"))[0];
    let n = |name: &str| file.i64(&format!("P_{name}"))[0] as i32;
    let arena = Arena {
        plate: plate(&file),
        site_radius: p("rf"),
        reach: p("eat_r"),
        ring: p("r_out"),
        find: n("find"),
        eat: n("eat"),
        delay: n("delay"),
        test: n("test"),
        offset: 0.0,
    };
    let (inputs, sites) = (Inputs::of(&file), file.i64("site"));
    let [first, second] = ["phi0", "phi1"].map(|key| file.f32(key));
    let [obs, x, y, phi, exit] = ["obs", "x", "y", "phi", "exit"].map(|key| file.f64(key));
    let (phase, reached) = (file.i64("phase"), file.bools("reached"));
    let (steps, lives) = (file.shape("x")[0], file.shape("x")[1]);
    for life in 0..lives {
        let mut forager = Forager::new(&arena, sites[life] as i32, first[life].into(), second[life].into());
        for step in 0..steps {
            let at = step * lives + life;
            let what = format!("life {life} step {step}");
            let (turn, drive, draws) = inputs.at(at);
            let senses = arena.observe(&mut forager, &draws);
            senses.iter().zip(&obs[9 * at..]).for_each(|(&seen, &to)| close(seen, to, SENSE, &what));
            arena.step(&mut forager, turn, drive, &draws);
            assert_eq!(forager.phase as i64, phase[at], "{what}");
            close(forager.worm.x, x[at], STATE, &what);
            close(forager.worm.y, y[at], STATE, &what);
            close_angle(forager.worm.heading, phi[at], &what);
        }
        assert_eq!((forager.reached, forager.exit.is_nan()), (reached[life], exit[life].is_nan()), "life {life}");
        if forager.reached {
            close_angle(forager.exit, exit[life], "exit");
        }
    }
}

#[test]
fn battery_rules_follow_their_trajectories() {
    let Some(file) = golden("bcm.npz") else { return };
    let scalar = |name: &str| file.f64(name)[0] as f32;
    for name in ["linear_bcm", "simple_bcm", "energy_bcm", "simple_trace"] {
        let get = |key: &str| file.f64(&format!("{name}_{key}"));
        let (inputs, steps) = (file.shape(&format!("{name}_x"))[1], file.shape(&format!("{name}_x"))[0]);
        let rule = Bcm {
            rate: scalar("eta"),
            tau: scalar("tau_theta"),
            goal: scalar("y0"),
            trace: if name == "simple_trace" { scalar("delta_trace") } else { 1.0 },
            signed: name == "linear_bcm",
            ..Bcm::default()
        };
        let mut neurons = Neurons::new(file.f32(&format!("{name}_w0")), inputs, scalar("theta0"));
        let [x, y, traces, thresholds, weights] = ["x", "y", "yb", "th", "w"].map(get);
        let count = neurons.count();
        for step in 0..steps {
            let input: Vec<f32> = x[step * inputs..][..inputs].iter().map(|&x| x as f32).collect();
            neurons.step(&rule, &input);
            let what = format!("{name} step {step}");
            for neuron in 0..count {
                let at = step * count + neuron;
                close(neurons.outputs[neuron], y[at], STATE, &what);
                close(neurons.traces[neuron], traces[at], STATE, &what);
                close(neurons.thresholds[neuron], thresholds[at], STATE, &what);
            }
            if let Some(kept) = [1, 2, 10, 40].iter().position(|&kept| kept == step + 1) {
                let expected = &weights[kept * count * inputs..][..count * inputs];
                neurons.weights.iter().zip(expected).for_each(|(&seen, &to)| close(seen, to, STATE, &what));
            }
        }
    }
}

#[test]
fn battery_spikes_are_at_their_steps() {
    let Some(file) = golden("bcm.npz") else { return };
    let (currents, potentials, spikes) = (file.f64("lif_I"), file.f64("lif_V"), file.bools("lif_spike"));
    let lif = Lif::default();
    for (neuron, &current) in currents.iter().enumerate() {
        let mut membrane = Membrane::default();
        for step in 0..potentials.len() / currents.len() {
            let (at, what) = (step * currents.len() + neuron, format!("neuron {neuron} step {step}"));
            assert_eq!(lif.step(&mut membrane, current as f32), spikes[at], "{what}");
            close(membrane.potential, potentials[at], STATE, &what);
        }
    }
}

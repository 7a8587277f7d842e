//! Worlds and rules against reference data, in `tests/golden/battery` or that folder of what `PHYLON_GOLDEN` names; a folder that is
//! absent is passed over.

use phylon::battery::arena::Forager;
use phylon::battery::plate::{Motion, Source, Worm};
use phylon::network::rules::{Lif, Membrane, Neurons};

use crate::trajectories::{Inputs, NEURONS, SENSE, STATE, WEIGHED, arena, bcm, close, close_angle, golden, plate};

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
        let starts = starts[0].iter().zip(&starts[1]).zip(&starts[2]);
        for (life, ((&x0, &y0), &phi0)) in starts.enumerate() {
            let mut worm = Worm::at(x0.into(), y0.into(), phi0.into());
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
    let arena = arena(&file);
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
    for name in NEURONS {
        let get = |key: &str| file.f64(&format!("{name}_{key}"));
        let (inputs, steps) = (file.shape(&format!("{name}_x"))[1], file.shape(&format!("{name}_x"))[0]);
        let rule = bcm(&file, name);
        let mut neurons = Neurons::new(file.f32(&format!("{name}_w0")), inputs, file.f64("theta0")[0] as f32);
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
            if let Some(kept) = WEIGHED.iter().position(|&kept| kept == step + 1) {
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

//! Reference trajectories of worms on plates and of neurons that learn, as assays A, B and G must follow them. In `tests/golden/battery`, or that
//! folder of what `PHYLON_GOLDEN` names; a file that is absent there is passed over.

// Every test file takes from this what it needs.
#![allow(dead_code)]

#[path = "../npz/mod.rs"]
mod npz;

use std::path::PathBuf;

pub use npz::Npz;
use phylon::battery::arena::Arena;
use phylon::battery::plate::{Draws, Plate, wrap};
use phylon::network::rules::Bcm;

/// Absolute difference allowed: plain single precision was seen to stray by 1.4e-6 in these files.
pub const STATE: f64 = 1e-5;
/// The same of senses, which divide by small concentrations.
pub const SENSE: f64 = 2e-5;

pub fn golden(name: &str) -> Option<Npz> {
    let given = std::env::var_os("PHYLON_GOLDEN").map(PathBuf::from);
    let root = given.clone().unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
    let path = root.join("battery").join(name);
    if given.is_some() && !path.exists() {
        eprintln!("passed over: no file {}", path.display());
        return None;
    }
    Some(Npz::open(&path))
}

pub fn close(seen: impl Into<f64>, expected: f64, tolerance: f64, what: &str) {
    let seen = seen.into();
    let error = (seen - expected).abs();
    assert!(error <= tolerance, "{what}: {seen} against {expected}, {error:e} apart");
}

/// The same angle may be written in two ways.
pub fn close_angle(seen: f64, expected: f64, what: &str) {
    close(wrap(seen - expected), 0.0, STATE, what);
}

pub fn plate(file: &Npz) -> Plate {
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

pub fn arena(file: &Npz) -> Arena {
    let p = |name: &str| file.f64(&format!("P_{name}"))[0];
    let n = |name: &str| file.i64(&format!("P_{name}"))[0] as i32;
    Arena {
        plate: plate(file),
        site_radius: p("rf"),
        reach: p("eat_r"),
        ring: p("r_out"),
        find: n("find"),
        eat: n("eat"),
        delay: n("delay"),
        test: n("test"),
        offset: 0.0,
    }
}

/// Neurons of `bcm.npz`, by what they are shown and how they learn.
pub const NEURONS: [&str; 4] = ["linear_bcm", "simple_bcm", "energy_bcm", "simple_trace"];

/// The settings of one of [`NEURONS`].
pub fn bcm(file: &Npz, name: &str) -> Bcm {
    let scalar = |name: &str| file.f64(name)[0] as f32;
    Bcm {
        rate: scalar("eta"),
        tau: scalar("tau_theta"),
        goal: scalar("y0"),
        trace: if name == "simple_trace" { scalar("delta_trace") } else { 1.0 },
        signed: name == "linear_bcm",
        ..Bcm::default()
    }
}

/// After so many steps their weights are known.
pub const WEIGHED: [usize; 4] = [1, 2, 10, 40];

/// Turn, drive and draws of a life at a step.
pub struct Inputs(pub [Vec<f32>; 6]);

impl Inputs {
    pub fn of(file: &Npz) -> Self {
        Self(["turn", "pir", "eta0", "eta1", "U1", "U2"].map(|name| file.f32(&format!("in_{name}"))))
    }

    pub fn at(&self, i: usize) -> (f32, f32, Draws) {
        let [turn, drive, sense, heading, event, angle] = &self.0;
        (turn[i], drive[i], Draws { sense: sense[i], heading: heading[i], event: event[i], turn: angle[i] })
    }
}

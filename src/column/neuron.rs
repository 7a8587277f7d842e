//! The leaky integrate-and-fire neuron with exponential currents, integrated exactly over a step (`iaf_psc_exp` of NEST; Rotter
//! & Diesmann 1999, Biological Cybernetics 81):
//!
//! ```text
//! dV/dt = -(V - E_L) / tau_m + (I_ex + I_in + I_ext + I_e) / C_m        dI/dt = -I / tau_syn
//! ```
//!
//! A step from t to t + dt, with U = V - E_L: U moves by what the currents were at t, unless the neuron is refractory; currents
//! decay; what arrives at t + dt is added to them; a U at or above the threshold is a spike at t + dt.

use super::{DT, Parameters, steps};
use crate::num::transcendental::{exp, ln};

/// Factors of a step, and where a spike is; for neurons that share them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constants {
    /// Part of U that a step loses: 1 - exp(-dt / tau_m).
    pub leak: f64,
    /// U that a step of a constant pA adds, mV: tau_m / C_m leak.
    pub constant: f64,
    /// Of the currents: excitatory, inhibitory, from outside.
    pub channels: [Channel; 3],
    /// U at which it fires, mV.
    pub threshold: f64,
    /// U after a spike, mV.
    pub reset: f64,
    /// Steps that U rests after a spike.
    pub refractory: u32,
    /// Resting potential, mV: V is U and this.
    pub e_l: f64,
}

/// A synaptic current over a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channel {
    /// exp(-dt / tau_syn).
    pub decay: f64,
    /// U that a pA at the beginning of a step adds, mV.
    pub gain: f64,
}

impl Constants {
    /// Of a column's neurons.
    pub fn new(p: &Parameters) -> Self {
        let leak = -exp_m1(-DT / p.tau_m);
        let taus = [p.tau_syn_excitatory, p.tau_syn_inhibitory, p.tau_syn_external];
        Self {
            leak,
            constant: p.tau_m / p.c_m * leak,
            channels: taus.map(|tau| Channel { decay: exp(-DT / tau), gain: gain(p.c_m, p.tau_m, tau) }),
            threshold: p.v_threshold - p.e_l,
            reset: p.v_reset - p.e_l,
            refractory: steps(p.t_refractory),
            e_l: p.e_l,
        }
    }

    /// Whether all currents decay alike: one, with signs, is then enough.
    pub fn is_one_channel(&self) -> bool {
        let [a, b, c] = self.channels;
        a == b && b == c
    }
}

/// beta / C_m exp(-dt / tau_syn) (exp(dt / beta) - 1), beta = tau_syn tau_m / (tau_m - tau_syn); in the limit of equal time
/// constants dt / C_m exp(-dt / tau_m).
fn gain(c_m: f64, tau_m: f64, tau_syn: f64) -> f64 {
    // dt / beta, which vanishes in the limit.
    let x = DT * (tau_m - tau_syn) / (tau_m * tau_syn);
    let slope = if x == 0.0 { 1.0 } else { exp_m1(x) / x };
    DT / c_m * exp(-DT / tau_syn) * slope
}

/// e^x - 1 without the digits that cancel near 0.
fn exp_m1(x: f64) -> f64 {
    if x.abs() > 0.5 {
        return exp(x) - 1.0;
    }
    // Taylor; the 18th term is below 2^-70.
    (1..=18).rev().fold(0.0, |sum, n| (sum + 1.0) * x / f64::from(n))
}

/// Amplitude of an exponential current, pA, whose potential peaks at 1 mV.
pub fn psc_of_psp(c_m: f64, tau_m: f64, tau_syn: f64) -> f64 {
    let difference = tau_m - tau_syn;
    if difference.abs() < 1e-9 * tau_m {
        // The limit: a potential t / C_m e^(-t/tau), largest at t = tau.
        return c_m / tau_m * exp(1.0);
    }
    let ratio = ln(tau_m / tau_syn);
    let (a, b) = (exp(-ratio * tau_m / difference), exp(-ratio * tau_syn / difference));
    // R tau_s / (tau_s - tau_m) (a - b), R = tau_m / C_m.
    c_m / tau_m * -difference / tau_syn / (a - b)
}

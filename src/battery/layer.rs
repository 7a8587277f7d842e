//! Layers of spiking neurons that learn from reward while the animal lives, written down by hand in a file: a leaky integrate-and-fire
//! neuron for each motor, and synapses from senses that change by reward-modulated STDP ([`RewardedStdp`]).
//!
//! A control step is `ticks` steps of 1 ms. In each of them, p and q the rule's traces of before:
//!
//! ```text
//! s_c  spikes when the sum over time of drive x_c passes another whole number         x_c: sense c, nothing below 0
//! I_m  = gain sum_c w_mc p_mc - inhibition sum_(n != m) q_n
//! V_m  <- V_m + (I_m - V_m) / tau, a spike at 1
//! w_mc by the rule, whose surprise is r+ - r-, the whole control step long
//! ```
//!
//! A motor's output is its share of the steps with a spike. Nothing is drawn. Inhibition is what tells the synapses apart: where all
//! neurons fire, a reward would strengthen whatever was not chosen too.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::assays::{ASSAYS, Assay};
use super::body::{INNER, anatomy};
use super::play::{Controller, Moment, Seat};
use crate::error::{Error, Result};
use crate::network::rules::{Lif, Membrane, RewardedStdp, Tagged};

/// What a file says: an animal for every assay whose motors it has synapses to.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Steps of 1 ms in a control step.
    ticks: u32,
    /// Spikes a step of a sense that is 1.
    drive: f32,
    /// Current of a synapse of weight 1 after one spike.
    gain: f32,
    /// Current that a neuron takes from each other after one spike of its own.
    inhibition: f32,
    #[serde(default)]
    membrane: Lif,
    #[serde(default)]
    rule: RewardedStdp,
    projections: Vec<Projection>,
}

/// Synapses to a motor, one from each of some senses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Projection {
    from: Vec<String>,
    to: String,
    /// When a life begins.
    weight: f32,
    /// Whether they learn.
    #[serde(default = "learns")]
    plastic: bool,
}

fn learns() -> bool {
    true
}

/// A layer in an assay.
#[derive(Debug, Clone, PartialEq)]
pub struct InAssay {
    layer: Layer,
    motors: usize,
    wires: Vec<Wire>,
}

/// Of a synapse, what does not change.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wire {
    /// Channel of the assay: its senses, r+, r-, and behind them what is always 1.
    from: usize,
    to: usize,
    weight: f32,
    plastic: bool,
}

impl Layer {
    /// From a TOML file.
    ///
    /// # Errors
    /// When it cannot be read, holds a number that cannot be, or names what no assay has.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|source| Error::io("read", path, source))?;
        let layer: Self = toml::from_str(&text).map_err(|error| Error::bad_file(path, error.to_string()))?;
        layer.check().map_err(|why| Error::bad_file(path, why))?;
        Ok(layer)
    }

    fn check(&self) -> std::result::Result<(), String> {
        let Self { ticks, drive, gain, inhibition, membrane, rule, projections } = self;
        let within = |key: &str, value: f32, low: f32, high: f32| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(format!("{key} = {value} is not in {low} to {high}"))
            }
        };
        within("ticks", *ticks as f32, 1.0, 10_000.0)?;
        within("drive", *drive, 0.0, 1.0)?;
        within("gain", *gain, 0.0, 1e6)?;
        within("inhibition", *inhibition, 0.0, 1e6)?;
        for (key, tau) in [
            ("membrane.tau", membrane.tau),
            ("rule.tau_pre", rule.tau_pre),
            ("rule.tau_post", rule.tau_post),
            ("rule.tau_tag", rule.tau_tag),
        ] {
            within(key, tau, 1.0, 1e6)?;
        }
        within("membrane.refractory", membrane.refractory as f32, 0.0, 1e6)?;
        for (key, value) in [
            ("rule.potentiation", rule.potentiation),
            ("rule.depression", rule.depression),
            ("rule.rate", rule.rate),
            ("rule.most", rule.most),
        ] {
            within(key, value, 0.0, 1e6)?;
        }
        let (senses, motors) = anatomy(&ASSAYS);
        for Projection { from, to, weight, .. } in projections {
            within(&format!("weight of the synapses to {to:?}"), *weight, 0.0, rule.most)?;
            if !motors.contains(&to.as_str()) {
                return Err(format!("no assay has a motor {to:?}; try: {}", motors.join(", ")));
            }
            if let Some(name) =
                from.iter().find(|&name| !senses.contains(&name.as_str()) && !INNER.contains(&name.as_str()))
            {
                return Err(format!("no assay has a sense {name:?}; `phylon list assays --json` has their names"));
            }
        }
        Ok(())
    }

    /// As it is in an assay: with the synapses whose senses and motors are there.
    ///
    /// # Errors
    /// The motors that have none.
    pub fn subject(&self, assay: &Assay) -> std::result::Result<InAssay, Vec<&'static str>> {
        let (senses, motors) = (assay.game.senses, assay.game.motors);
        let mut wires = Vec::new();
        for &Projection { ref from, ref to, weight, plastic } in &self.projections {
            let Some(to) = motors.iter().position(|motor| motor == to) else { continue };
            let channels = from.iter().filter_map(|name| senses.iter().chain(&INNER).position(|sense| sense == name));
            wires.extend(channels.map(|from| Wire { from, to, weight, plastic }));
        }
        let lonely = (0..motors.len()).filter(|&motor| wires.iter().all(|wire| wire.to != motor));
        let lonely: Vec<_> = lonely.map(|motor| motors[motor]).collect();
        if motors.is_empty() || !lonely.is_empty() {
            return Err(lonely);
        }
        Ok(InAssay { layer: self.clone(), motors: motors.len(), wires })
    }
}

impl Controller for InAssay {
    fn seat(&self, lanes: usize) -> Box<dyn Seat + '_> {
        Box::new(Living { animal: self, lives: vec![self.at_rest(); lanes] })
    }

    fn network_steps(&self) -> u64 {
        self.layer.ticks.into()
    }
}

/// A life's state.
#[derive(Debug, Clone)]
struct State {
    weights: Vec<f32>,
    /// What each synapse keeps beside its weight.
    kept: Vec<Tagged>,
    membranes: Vec<Membrane>,
    /// q of each neuron.
    traces: Vec<f32>,
    /// Of each channel, what its next spike lacks is the rest to 1.
    phases: Vec<f32>,
}

impl InAssay {
    fn at_rest(&self) -> State {
        let channels = self.wires.iter().map(|wire| wire.from + 1).max().unwrap_or(0);
        State {
            weights: self.wires.iter().map(|wire| wire.weight).collect(),
            kept: vec![Tagged::default(); self.wires.len()],
            membranes: vec![Membrane::default(); self.motors],
            traces: vec![0.0; self.motors],
            phases: vec![0.0; channels],
        }
    }

    /// A millisecond: `spikes` are of channels, `fired` of motors.
    fn tick(&self, life: &mut State, spikes: &[bool], surprise: f32, fired: &mut [bool]) {
        let Self { layer: Layer { gain, inhibition, membrane, rule, .. }, wires, .. } = self;
        let all: f32 = life.traces.iter().sum();
        for (motor, fired) in fired.iter_mut().enumerate() {
            let excited: f32 = wires
                .iter()
                .zip(life.weights.iter().zip(&life.kept))
                .filter(|(wire, _)| wire.to == motor)
                .map(|(_, (weight, kept))| weight * kept.pre)
                .sum();
            let current = gain * excited - inhibition * (all - life.traces[motor]);
            *fired = membrane.step(&mut life.membranes[motor], current);
        }
        for (trace, &fired) in life.traces.iter_mut().zip(&*fired) {
            *trace += f32::from(fired) - *trace / rule.tau_post;
        }
        for ((wire, weight), kept) in wires.iter().zip(&mut life.weights).zip(&mut life.kept) {
            let surprise = if wire.plastic { surprise } else { 0.0 };
            let [pre, post] = [spikes[wire.from], fired[wire.to]].map(f32::from);
            *weight = (*weight + rule.follow(kept, pre, post, surprise)).clamp(0.0, rule.most);
        }
    }
}

struct Living<'a> {
    animal: &'a InAssay,
    lives: Vec<State>,
}

impl Seat for Living<'_> {
    fn reset(&mut self, lane: usize) {
        self.lives[lane] = self.animal.at_rest();
    }

    fn step(&mut self, moment: &Moment, outputs: &mut [f32]) {
        let Self { animal, lives } = self;
        let Layer { ticks, drive, .. } = animal.layer;
        let (lanes, told) = (moment.lanes, moment.channels() - 2);
        let mut spikes = vec![false; lives[0].phases.len()];
        let mut fired = vec![false; animal.motors];
        outputs.fill(0.0);
        for &lane in moment.live {
            let shown = |channel: usize| moment.senses.get(channel * lanes + lane).map_or(1.0, |x| x.max(0.0));
            let surprise = shown(told) - shown(told + 1);
            let life = &mut lives[lane];
            for _ in 0..ticks {
                for (channel, (spike, phase)) in spikes.iter_mut().zip(&mut life.phases).enumerate() {
                    *phase += drive * shown(channel);
                    *spike = *phase >= 1.0;
                    *phase -= f32::from(*spike);
                }
                animal.tick(life, &spikes, surprise, &mut fired);
                for (motor, &fired) in fired.iter().enumerate() {
                    outputs[motor * lanes + lane] += f32::from(fired) / ticks as f32;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(projections: &str) -> std::result::Result<Layer, String> {
        let text = format!("ticks = 100\ndrive = 0.2\ngain = 4.0\ninhibition = 2.0\n{projections}");
        let layer: Layer = toml::from_str(&text).map_err(|error| error.to_string())?;
        layer.check().map(|()| layer)
    }

    fn projection(from: &str, to: &str, weight: f32) -> String {
        format!("[[projections]]\nfrom = [{from:?}]\nto = {to:?}\nweight = {weight:?}\n")
    }

    #[test]
    fn names_that_no_assay_has_and_numbers_that_cannot_be_are_refused() {
        let refused = |text: &str| layer(text).unwrap_err();
        assert!(refused(&projection("left cue 5", "left", 0.5)).contains("left cue 5"));
        assert!(
            refused(&projection("left cue 1", "up", 0.5)).contains("no assay has a motor \"up\"; try: left, right")
        );
        assert!(refused(&projection("left cue 1", "left", 1.5)).contains("1.5 is not in 0 to 1"));
        assert!(refused("[membrane]\ntau = 0.5\nrefractory = 2\n").contains("projections"));
        assert!(
            refused(&format!("[membrane]\ntau = 0.5\n{}", projection("one", "go", 0.1))).contains("membrane.tau = 0.5")
        );
    }

    #[test]
    fn a_layer_is_in_the_assays_to_whose_motors_it_has_synapses() {
        let layer = layer(&(projection("left cue 1", "left", 0.5) + &projection("one", "right", 0.5))).unwrap();
        let wires = layer.subject(Assay::named("E").unwrap()).unwrap().wires;
        assert_eq!(wires.iter().map(|wire| (wire.from, wire.to)).collect::<Vec<_>>(), [(0, 0), (10, 1)]);
        assert_eq!(layer.subject(Assay::named("C").unwrap()).unwrap_err(), ["go", "stay"]);
        assert!(layer.subject(Assay::named("G").unwrap()).is_err());
    }

    /// A sense at 1 for a control step: what its motor puts out, and its weight afterwards.
    fn once(told: [f32; 2]) -> (f32, f32) {
        let layer = layer(&(projection("cue 1", "go", 0.5) + &projection("one", "stay", 0.0))).unwrap();
        let animal = layer.subject(Assay::named("C").unwrap()).unwrap();
        let mut living = Living { animal: &animal, lives: vec![animal.at_rest()] };
        let [good, bad] = told;
        let senses = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, good, bad];
        let moment = Moment { seed: 1, number: 2, step: 0, first: 0, lanes: 1, live: &[0], senses: &senses };
        let mut outputs = [0.0; 2];
        living.step(&moment, &mut outputs);
        assert_eq!(outputs[1], 0.0, "nothing reaches the other motor");
        (outputs[0], living.lives[0].weights[0])
    }

    #[test]
    fn reward_strengthens_what_was_active_and_punishment_weakens_it() {
        let (output, weight) = once([0.0, 0.0]);
        assert!(output > 0.05 && weight == 0.5, "{output} {weight}");
        assert!(once([1.0, 0.0]).1 > 0.55 && once([0.0, 1.0]).1 < 0.45);
    }
}

//! What a search may change of a column: groups of parameters, as the thesis has them.
//!
//! A parameter p becomes p (1 + a / k) by its action a in [-1, 1], and so keeps its sign; what is 0 stays 0. The thesis
//! counts 26 parameters of neurons and names what comes to 25; it counts 6 of synapses, which they are when both kinds
//! of delays share the spread in parts of their mean.

use serde::{Deserialize, Serialize};

use crate::column::{NAMES, POPULATIONS, Parameters};

/// Parameters that are searched together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Amplitude of excitatory potentials and its spread, g, delays and their spread: 6.
    Synapse,
    /// First potentials and their spread, potentials and time constants of the membrane, of currents and of rest: 25.
    Neuron,
    /// Connection probabilities: 64.
    Structure,
    /// All of them: 95.
    All,
}

/// A connection may at most be this likely: at 1 no number of synapses would do.
const MOST_LIKELY: f64 = 0.999;
/// Between the threshold and the potential after a spike, at least, mV.
const LEAST_GAP: f64 = 0.1;

/// A searched parameter: its name, and what it moves.
struct Moved<'p> {
    name: String,
    values: Vec<&'p mut f64>,
}

impl Group {
    /// Parameters by name, in the order of their actions: `g`, `connection L4E < L23E`.
    pub fn names(self) -> Vec<String> {
        self.moved(&mut Parameters::default()).into_iter().map(|moved| moved.name).collect()
    }

    /// Values of the parameters, in the order of their names.
    pub fn values(self, parameters: &Parameters) -> Vec<f64> {
        let mut parameters = parameters.clone();
        self.moved(&mut parameters).iter().filter_map(|moved| moved.values.first().map(|value| **value)).collect()
    }

    /// The parameters that actions make of `base`, and how many of them had to be put back into their physical range.
    /// Actions beyond [-1, 1] are taken as its ends.
    ///
    /// # Panics
    /// When there are not as many actions as names.
    pub fn apply(self, base: &Parameters, actions: &[f64], k: f64) -> (Parameters, usize) {
        let mut parameters = base.clone();
        let moved = self.moved(&mut parameters);
        assert_eq!(moved.len(), actions.len(), "an action for each parameter");
        for (moved, action) in moved.into_iter().zip(actions) {
            for value in moved.values {
                *value *= 1.0 + action.clamp(-1.0, 1.0) / k;
            }
        }
        let mut clipped = 0;
        for probability in parameters.connection.iter_mut().flatten() {
            if *probability > MOST_LIKELY {
                *probability = MOST_LIKELY;
                clipped += 1;
            }
        }
        if parameters.v_reset > parameters.v_threshold - LEAST_GAP {
            parameters.v_reset = parameters.v_threshold - LEAST_GAP;
            clipped += 1;
        }
        (parameters, clipped)
    }

    fn moved(self, p: &mut Parameters) -> Vec<Moved<'_>> {
        let Parameters {
            connection,
            psp,
            psp_relative_sd,
            g,
            delay_excitatory,
            delay_inhibitory,
            delay_relative_sd_excitatory,
            delay_relative_sd_inhibitory,
            e_l,
            v_threshold,
            v_reset,
            c_m,
            tau_m,
            tau_syn_excitatory,
            tau_syn_inhibitory,
            tau_syn_external,
            t_refractory,
            v0_mean,
            v0_sd,
            ..
        } = p;
        fn one<'p>(name: &str, value: &'p mut f64) -> Moved<'p> {
            Moved { name: name.into(), values: vec![value] }
        }
        fn each<'p>(name: &str, values: &'p mut [f64; POPULATIONS]) -> impl Iterator<Item = Moved<'p>> {
            let named = move |(value, of)| Moved { name: format!("{name} {of}"), values: vec![value] };
            values.iter_mut().zip(NAMES).map(named)
        }
        let mut synapse = vec![
            one("psp", psp),
            one("psp_relative_sd", psp_relative_sd),
            one("g", g),
            one("delay_excitatory", delay_excitatory),
            one("delay_inhibitory", delay_inhibitory),
            Moved {
                name: "delay_relative_sd".into(),
                values: vec![delay_relative_sd_excitatory, delay_relative_sd_inhibitory],
            },
        ];
        let mut neuron: Vec<Moved> = each("v0_mean", v0_mean).chain(each("v0_sd", v0_sd)).collect();
        neuron.extend([
            one("e_l", e_l),
            one("v_threshold", v_threshold),
            one("v_reset", v_reset),
            one("c_m", c_m),
            one("tau_m", tau_m),
            one("tau_syn_excitatory", tau_syn_excitatory),
            one("tau_syn_inhibitory", tau_syn_inhibitory),
            one("tau_syn_external", tau_syn_external),
            one("t_refractory", t_refractory),
        ]);
        let structure = connection.iter_mut().zip(NAMES).flat_map(|(row, target)| {
            let named = move |(value, source)| one(&format!("connection {target} < {source}"), value);
            row.iter_mut().zip(NAMES).map(named)
        });
        match self {
            Self::Synapse => synapse,
            Self::Neuron => neuron,
            Self::Structure => structure.collect(),
            Self::All => {
                neuron.append(&mut synapse);
                neuron.extend(structure);
                neuron
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_move_their_parameter_and_no_other() {
        let base = Parameters::default();
        for (group, count) in [(Group::Synapse, 6), (Group::Neuron, 25), (Group::Structure, 64), (Group::All, 95)] {
            let names = group.names();
            assert_eq!(names.len(), count, "{group:?}");
            assert_eq!(group.apply(&base, &vec![0.0; count], 5.0), (base.clone(), 0));
            for i in 0..count {
                let mut actions = vec![0.0; count];
                actions[i] = -3.0;
                let (moved, clipped) = group.apply(&base, &actions, 5.0);
                let expected = |value: f64| value * 0.8;
                let is_zero = names[i].ends_with("< L23I") || moved == base;
                match names[i].as_str() {
                    "g" => assert_eq!(moved.g, expected(base.g)),
                    "connection L4E < L23I" => assert_eq!(moved.connection[2][1], expected(base.connection[2][1])),
                    "v0_sd L6I" => assert_eq!(moved.v0_sd[7], expected(base.v0_sd[7])),
                    // -65 mV becomes -52, which is still below the threshold.
                    "v_reset" => assert_eq!((moved.v_reset, clipped), (-52.0, 0)),
                    _ => assert!(moved != base || is_zero, "{} moves nothing", names[i]),
                }
            }
        }
        // A threshold of -60 mV, and a reset of -52.
        let mut actions = vec![0.0; 25];
        (actions[17], actions[18]) = (1.0, -1.0);
        let (moved, clipped) = Group::Neuron.apply(&base, &actions, 5.0);
        assert_eq!((moved.v_threshold, moved.v_reset, clipped), (-60.0, -60.1, 1));
    }
}

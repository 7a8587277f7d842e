//! The files of `tests/golden/column` and the networks that are written in them. `PHYLON_GOLDEN` names another folder of files.

// Every test file takes from this what it needs.
#![allow(dead_code)]

use std::path::PathBuf;

use phylon::column::network::Connection;
use phylon::column::neuron::Constants;
use phylon::column::precision::Precision;
use phylon::column::{Network, Parameters, Population, Simulation, Spike, steps};
use serde_json::Value;

use crate::npz::Npz;

/// A file of the golden folder; `None` when another golden folder lacks it.
pub fn file(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("PHYLON_GOLDEN").map(PathBuf::from);
    let own = given.is_none();
    let root = given.unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("tests/golden")
    });
    let path = root.join("column").join(name);
    assert!(path.exists() || !own, "tests/golden/column/{name} is missing");
    if !path.exists() {
        eprintln!("passed over: no {}", path.display());
    }
    path.exists().then_some(path)
}

pub fn json(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(file(name)?).expect("a readable file");
    Some(serde_json::from_str(&text).expect("a JSON file"))
}

pub fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap_or_else(|| panic!("not a list: {value}"));
    list.iter().map(|x| x.as_f64().unwrap_or_else(|| panic!("not a number: {x}"))).collect()
}

/// A number that all neurons share, or neuron `i`'s own.
pub fn of_neuron(value: &Value, i: usize) -> f64 {
    value.as_f64().unwrap_or_else(|| numbers(value)[i])
}

/// Constants of neuron `i` by the names of NEST.
pub fn constants(params: &Value, i: usize) -> Constants {
    let of = |key: &str| of_neuron(&params[key], i);
    Constants::new(&Parameters {
        e_l: of("E_L"),
        v_threshold: of("V_th"),
        v_reset: of("V_reset"),
        c_m: of("C_m"),
        tau_m: of("tau_m"),
        tau_syn_excitatory: of("tau_syn_ex"),
        tau_syn_inhibitory: of("tau_syn_in"),
        tau_syn_external: of("tau_syn_ex"),
        t_refractory: of("t_ref"),
        ..Parameters::default()
    })
}

/// A network with every synapse and first potential, and its spikes in NEST as (step, neuron).
pub struct Golden {
    pub populations: Vec<Population>,
    first: Vec<f64>,
    connections: Vec<Connection>,
    pub expected: Vec<(u32, u32)>,
    /// ms
    duration: f64,
}

impl Golden {
    pub fn network<P: Precision>(&self, parts: usize) -> Network<P> {
        let Self { populations, first, connections, .. } = self;
        Network::written(populations.clone(), first, connections, (0, vec![]), parts).unwrap_or_else(|e| panic!("{e}"))
    }

    pub fn steps(&self) -> u32 {
        steps(self.duration)
    }

    /// Spikes of its network as NEST numbers them, up to its duration.
    pub fn raster<P: Precision>(&self, network: &Network<P>, spikes: &[Spike]) -> Vec<(u32, u32)> {
        let mut firsts = vec![0];
        for size in network.sizes() {
            firsts.push(firsts[firsts.len() - 1] + size);
        }
        let number = |spike: &Spike| {
            let (population, number) = network.place(spike.lane as usize);
            (spike.step, (firsts[population] + number) as u32)
        };
        spikes.iter().filter(|spike| spike.step <= self.steps()).map(number).collect()
    }

    /// The same of the CPU's simulation in `parts` parts.
    pub fn simulated<P: Precision>(&self, parts: usize) -> Vec<(u32, u32)> {
        let (network, mut spikes) = (self.network::<P>(parts), Vec::new());
        Simulation::new(&network).advance(self.steps(), &mut spikes);
        self.raster(&network, &spikes)
    }
}

/// Twenty neurons, each a population.
pub fn tiny(name: &str) -> Option<Golden> {
    let file = json(name)?;
    let params = &file["params"];
    let n = file["n"].as_u64().expect("a number") as usize;
    let populations = (0..n).map(|i| Population {
        neurons: 1,
        constants: constants(params, i),
        current: of_neuron(&params["I_e"], i),
        background: None,
    });
    let list = |key: &str| numbers(&file["conn"][key]);
    let connections =
        list("src").into_iter().zip(list("tgt")).zip(list("w_pA").into_iter().zip(list("delay_steps"))).map(
            |((source, target), (weight, delay))| Connection {
                source: source as u32,
                target: target as u32,
                weight,
                delay: delay as u32,
            },
        );
    Some(Golden {
        populations: populations.collect(),
        first: (0..n).map(|i| of_neuron(&file["V0_mV"], i) - of_neuron(&params["E_L"], i)).collect(),
        connections: connections.collect(),
        expected: pairs(&numbers(&file["raster"]["step"]), &numbers(&file["raster"]["id"])),
        duration: file["T_ms"].as_f64().expect("a number"),
    })
}

/// A column of two parts in a hundred.
pub fn medium() -> Option<Golden> {
    let (file, arrays) = (json("medium_network.json")?, Npz::open(&file("medium_network.npz")?));
    let (params, current) = (&file["params"], arrays.f64("I_e_pA"));
    let mut begin = 0;
    let populations = arrays.i64("pop_size").into_iter().map(|neurons| {
        let (neurons, current) = (neurons as usize, current[begin]);
        begin += neurons;
        Population { neurons, constants: constants(params, 0), current, background: None }
    });
    let e_l = params["E_L"].as_f64().expect("a number");
    let unsigned = |key: &str| arrays.unsigned(key);
    let connections = unsigned("src")
        .into_iter()
        .zip(unsigned("tgt"))
        .zip(arrays.f32("w_pA").into_iter().zip(unsigned("delay_steps")))
        .map(|((source, target), (weight, delay))| Connection { source, target, weight: f64::from(weight), delay });
    Some(Golden {
        populations: populations.collect(),
        first: arrays.f64("V0_mV").into_iter().map(|v| v - e_l).collect(),
        connections: connections.collect(),
        expected: unsigned("raster_step").into_iter().zip(unsigned("raster_id")).collect(),
        duration: file["T_ms"].as_f64().expect("a number"),
    })
}

fn pairs(steps: &[f64], ids: &[f64]) -> Vec<(u32, u32)> {
    steps.iter().zip(ids).map(|(&step, &id)| (step as u32, id as u32)).collect()
}

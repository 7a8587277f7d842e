//! What was evolved, and how, in files of other programs: parameters as matrices for NumPy, for a spreadsheet, or as models of
//! ONNX; curves for TensorBoard.

pub mod onnx;
pub(crate) mod protobuf;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::column::search::{candidates, checkpoint, run::checkpoint_path};
use crate::config::{self, Subject, SynapseInput};
use crate::error::{Error, Result};
use crate::network::plastic::Constant;
use crate::network::{Layout, Rule, Synapse};
use crate::plan::Plan;
use crate::policy::{Mlp, Tensor, npz, safetensors};
use crate::run::folder::CANDIDATES;
use crate::run::tensorboard::{self, Events};
use crate::run::{Folder, durable, metrics};
use crate::unit::Shape;
use crate::world::Spec;

/// How parameters are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An archive of NumPy, with an array for each matrix.
    Npz,
    /// A table with a row for each parameter: name of the matrix, row and column from 0, value.
    Csv,
    /// The arrays of [`Format::Npz`] as safetensors.
    Safetensors,
    /// A model for each kind of unit, or the one of a policy, see [`onnx`].
    Onnx,
}

impl Format {
    /// Ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Npz => "npz",
            Self::Csv => "csv",
            Self::Safetensors => "safetensors",
            Self::Onnx => "onnx",
        }
    }
}

/// Parameters on their way into a file.
#[derive(Debug)]
pub struct Export {
    /// By their names.
    tensors: Vec<(String, Tensor)>,
    /// A text for the reader of the file, and its name.
    note: (&'static str, String),
    /// What is appended to the name of its file, and the model.
    models: Vec<(&'static str, Vec<u8>)>,
}

/// What the matrices are, as JSON.
#[derive(Serialize)]
struct About<'a> {
    run: &'a str,
    which: &'a str,
    /// That led to the parameters.
    generation: u32,
    /// That synapses follow which are no units.
    rule: Option<&'static str>,
    /// With a chromosome each.
    units: Vec<Unit>,
    /// Of a task in a maze.
    network: Option<Network>,
}

#[derive(Serialize)]
struct Unit {
    /// Empty where there is only one unit.
    name: &'static str,
    kind: &'static str,
    inputs: usize,
    memory: usize,
    outputs: usize,
    /// Rows of a gate's matrix, in their order.
    gate_rows: GateRows,
    /// Names in the file.
    matrices: Vec<String>,
}

#[derive(Serialize)]
struct GateRows {
    memory: usize,
    fed_back_outputs: usize,
    inputs: usize,
}

#[derive(Serialize)]
struct Network {
    synapse_input: SynapseInput,
    sensors: usize,
    /// Sources of each neuron's synapses: sensors, then neurons.
    sources: Vec<Vec<usize>>,
}

impl Export {
    /// The centre of a run, as `which` says, after so many generations.
    ///
    /// # Panics
    /// When they are not as many parameters as the plan's.
    pub fn of_run(plan: &Plan, which: &str, generation: u32, parameters: &[f32]) -> Self {
        assert_eq!(parameters.len(), plan.parameters(), "parameters of the plan");
        let units = units(plan);
        let network = plan.network.as_ref().map(|layout| Network {
            synapse_input: layout.input,
            sensors: layout.wiring.sensors,
            sources: (0..layout.wiring.neurons)
                .map(|neuron| layout.wiring.synapses_of(neuron).map(|synapse| layout.wiring.sources[synapse]).collect())
                .collect(),
        });
        let described = units.iter().map(|(name, shape)| Unit::new(name, shape)).collect();
        let rule = plan.rule();
        let named = rule.as_ref().map(Rule::name);
        let about = About { run: &plan.config.run.name, which, generation, rule: named, units: described, network };
        let about = serde_json::to_string(&about).expect("a tree of numbers and texts");
        let (mut tensors, mut models, mut rest) = (Vec::new(), Vec::new(), parameters);
        if let Some(rule) = rule {
            let (own, behind) = rest.split_at(rule.parameters());
            rest = behind;
            let of_rule = |Constant { name, value, .. }| {
                (format!("rule_{name}"), Tensor { shape: vec![1, 1], values: vec![*value] })
            };
            tensors.extend(rule.with(own).constants().into_iter().map(of_rule));
        }
        for (name, shape) in units {
            let (own, behind) = rest.split_at(shape.parameters());
            rest = behind;
            models.push((name, onnx::unit(shape, own, &[("about", &about), ("unit", name)])));
            let mut own = own;
            for (matrix, (rows, columns)) in matrices(name, &shape).into_iter().zip(shape.matrices()) {
                let (values, behind) = own.split_at(rows * columns);
                tensors.push((matrix, Tensor { shape: vec![rows, columns], values: values.to_vec() }));
                own = behind;
            }
        }
        Self { tensors, note: ("about", about), models }
    }

    /// A policy of a world.
    pub fn of_policy(policy: &Mlp, world: &Spec) -> Self {
        let (name, activation) = policy.note();
        let model = onnx::policy(policy, world, &[("world", world.name), (name, activation)]);
        Self { tensors: policy.tensors(), note: (name, activation.to_owned()), models: vec![("", model)] }
    }

    /// Write the parameters to a file, or where there are several models to one each, `PATH-synapse.onnx`; older ones are replaced.
    /// Returns the paths.
    ///
    /// # Errors
    /// When writing fails; a file that was there is then unchanged.
    pub fn write(&self, format: Format, path: &Path) -> Result<Vec<PathBuf>> {
        let failed = |why: String| Error::Run(format!("cannot write {}: {why}", path.display()));
        let note = (self.note.0, self.note.1.as_str());
        let files = match format {
            Format::Npz => vec![(path.to_owned(), npz::encode(&self.tensors, note).map_err(failed)?)],
            Format::Safetensors => vec![(path.to_owned(), safetensors::encode(&self.tensors, note).map_err(failed)?)],
            Format::Csv => vec![(path.to_owned(), self.table().into_bytes())],
            Format::Onnx => self.models.iter().map(|(suffix, model)| (suffixed(path, suffix), model.clone())).collect(),
        };
        files.iter().try_for_each(|(path, bytes)| durable::replace(path, bytes))?;
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }

    /// Values are as short as they can be and still be read to the same bits.
    fn table(&self) -> String {
        let mut table = String::from("name,row,column,value\n");
        for (name, Tensor { shape, values }) in &self.tensors {
            // A bias is a row.
            let columns = shape.last().copied().unwrap_or(1);
            for (i, value) in values.iter().enumerate() {
                table += &format!("{name},{},{},{value:?}\n", i / columns, i % columns);
            }
        }
        table
    }
}

impl Unit {
    fn new(name: &'static str, shape: &Shape) -> Self {
        let &Shape { kind, inputs, memory, outputs } = shape;
        Self {
            name,
            kind: kind.name(),
            inputs,
            memory,
            outputs,
            gate_rows: GateRows { memory, fed_back_outputs: shape.feedback(), inputs },
            matrices: matrices(name, shape),
        }
    }
}

/// The units that have a chromosome each, in the order of the flat parameter vector, with their names.
fn units(plan: &Plan) -> Vec<(&'static str, Shape)> {
    match &plan.network {
        None => vec![("", plan.unit)],
        Some(layout) if layout.shared => vec![("shared", layout.neuron)],
        Some(Layout { synapse: Synapse::Unit(synapse), neuron, .. }) => {
            vec![("synapse", *synapse), ("neuron", *neuron)]
        }
        Some(layout) => vec![("neuron", layout.neuron)],
    }
}

/// `synapse_Wz`
fn matrices(unit: &str, shape: &Shape) -> Vec<String> {
    let named = |matrix: &&str| if unit.is_empty() { (*matrix).to_owned() } else { format!("{unit}_{matrix}") };
    shape.matrix_names().iter().map(named).collect()
}

/// `maze-synapse.onnx` of `maze.onnx`
fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    match (path.file_stem(), path.extension()) {
        (Some(stem), Some(ending)) if !suffix.is_empty() => {
            let (stem, ending) = (stem.to_string_lossy(), ending.to_string_lossy());
            path.with_file_name(format!("{stem}-{suffix}.{ending}"))
        }
        _ => path.to_owned(),
    }
}

/// Make the event file for TensorBoard of a run that nobody is evolving agree with its logs, or write one, and return its path.
/// Points that no process has written when they came to be get estimated times.
///
/// # Errors
/// When a process is evolving the run, a log cannot be read, or the file not be written.
pub fn tensorboard(folder: &Folder) -> Result<PathBuf> {
    let subject = config::read(&folder.config_path(), &[])?;
    folder.lock()?;
    let (config, past) = match subject {
        Subject::Evolution(plan) => {
            let written = tensorboard::written(&folder.metrics_path());
            (config::to_toml(&plan.config), metrics::points(&folder.metrics()?, written))
        }
        Subject::Column(column) => {
            if column.search.is_none() {
                let why = "its config has no table [search]: nothing was searched, so there are no curves";
                return Err(Error::bad_file(folder.path(), why));
            }
            let path = folder.path().join(CANDIDATES);
            let seconds = checkpoint::read(&checkpoint_path(folder))?.map_or(0.0, |(state, _)| state.seconds);
            let past = candidates::points(&candidates::read(&path)?, seconds, tensorboard::written(&path));
            (config::to_toml(&column), past)
        }
    };
    Events::open(folder, &config, &past).map(|events| events.path().to_owned())
}

//! One step of a unit, or a policy, as a model of ONNX (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>), for any
//! number of instances at once.
//!
//! A unit's model has the inputs `x` `[batch, inputs]` and `state`, and the outputs `y` `[batch, outputs]` and `new_state`. What
//! the state is depends on the kind, that whoever steps it need not know it: it begins as zeros, and the new one of a step is the
//! state of the next.
//!
//! | kind | state |
//! |---|---|
//! | enu | memory h, then the outputs y that are fed back |
//! | nfenu, gru | memory h |
//! | lstm | memory h, then the cell c |
//!
//! A policy's model has the input `observations` `[batch, observations]`, and the outputs `outputs` and `action`: `[batch]`, the
//! number of the highest output, or for a world with continuous actions `[batch, actions]`, the outputs clipped to [-1, 1].
//!
//! The noise that a network's units have on their outputs (`network.output_noise`) is not in their models.
//!
//! Numbers are those of the equations in f32. A runtime adds up in an order of its own, and has its own tanh and logistic
//! function, so its last bits are not those of this crate.

use super::protobuf::Message;
use crate::policy::{Activation, Mlp};
use crate::registry::UnitKind;
use crate::unit::Shape;
use crate::world::{Actions, Spec};

/// Version of the format of the file, and of the operators: the first with a `Split` as it is used here is 13.
const IR_VERSION: i64 = 8;
const OPERATORS: i64 = 17;
/// Enumerators of the schema: types of tensors, and of an attribute.
const FLOAT: i64 = 1;
const INT64: i64 = 7;
const INT_ATTRIBUTE: i64 = 2;
/// The name of the first axis of all inputs and outputs.
const BATCH: &str = "batch";

/// A model of one step of a unit; `notes` are texts by their names that the file carries.
///
/// # Panics
/// When there are not as many parameters as the shape says.
pub fn unit(shape: Shape, parameters: &[f32], notes: &[(&str, &str)]) -> Vec<u8> {
    assert_eq!(parameters.len(), shape.parameters(), "parameters of {shape:?}");
    let mut graph = Graph::new("step");
    let mut rest = parameters;
    for (name, (rows, columns)) in shape.matrix_names().iter().zip(shape.matrices()) {
        let (values, behind) = rest.split_at(rows * columns);
        graph.tensor(name, &[rows, columns], values);
        rest = behind;
    }
    let second = if shape.kind == UnitKind::Lstm { shape.memory } else { shape.feedback() };
    graph.input("x", shape.inputs);
    graph.input("state", shape.memory + second);
    graph.output("y", FLOAT, &[shape.outputs]);
    graph.output("new_state", FLOAT, &[shape.memory + second]);
    match shape.kind {
        UnitKind::Enu => {
            graph.split("state", ["h", "o"], [shape.memory, second]);
            graph.gated_memory("state", &["o", "x"]);
        }
        UnitKind::Nfenu | UnitKind::Gru => {
            graph.node("Identity", &["state"], "h");
            graph.gated_memory("h", &["x"]);
        }
        UnitKind::Lstm => {
            graph.split("state", ["h", "c"], [shape.memory, second]);
            graph.long_short_term_memory();
        }
    }
    if shape.is_clipped() {
        graph.tensor("zero", &[], &[0.0]);
        graph.tensor("one", &[], &[1.0]);
        graph.node("MatMul", &["new_h", "Wo"], "sums");
        graph.node("Clip", &["sums", "zero", "one"], "y");
    } else {
        graph.node("MatMul", &["new_h", "Wo"], "y");
    }
    match shape.kind {
        UnitKind::Enu => graph.concat(&["new_h", "y"], "new_state"),
        UnitKind::Nfenu | UnitKind::Gru => graph.node("Identity", &["new_h"], "new_state"),
        UnitKind::Lstm => graph.concat(&["new_h", "new_c"], "new_state"),
    }
    graph.model(notes)
}

/// A model of a policy of a world.
pub fn policy(policy: &Mlp, world: &Spec, notes: &[(&str, &str)]) -> Vec<u8> {
    let mut graph = Graph::new("policy");
    let (sizes, mut rest) = (policy.sizes(), policy.parameters());
    graph.input("observations", sizes[0]);
    let mut shown = "observations".to_owned();
    for (number, layer) in (1..).zip(sizes.windows(2)) {
        let (weights, behind) = rest.split_at(layer[0] * layer[1]);
        let (bias, behind) = behind.split_at(layer[1]);
        rest = behind;
        let [w, b, sums, x] = ["W", "b", "sums", "x"].map(|name| format!("{name}{number}"));
        graph.tensor(&w, layer, weights);
        graph.tensor(&b, &layer[1..], bias);
        let is_last = rest.is_empty();
        graph.node("Gemm", &[&shown, &w, &b], if is_last { "outputs" } else { &sums });
        if !is_last {
            graph.node(operator(policy.activation()), &[&sums], &x);
        }
        shown = x;
    }
    graph.output("outputs", FLOAT, &[world.actions.outputs()]);
    match world.actions {
        Actions::Discrete(_) => {
            graph.node_with("ArgMax", &["outputs"], &["action"], &[("axis", 1), ("keepdims", 0)]);
            graph.output("action", INT64, &[]);
        }
        Actions::Continuous(count) => {
            graph.tensor("least", &[], &[-1.0]);
            graph.tensor("most", &[], &[1.0]);
            graph.node("Clip", &["outputs", "least", "most"], "action");
            graph.output("action", FLOAT, &[count]);
        }
    }
    graph.model(notes)
}

/// Of ONNX.
fn operator(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "Relu",
        Activation::Tanh => "Tanh",
        Activation::Sigmoid => "Sigmoid",
        Activation::Identity => "Identity",
        // Its constants, where none are given, are those of `num::selu`.
        Activation::Selu => "Selu",
    }
}

/// A graph as it grows; nodes are in the order in which they can be computed.
struct Graph {
    name: &'static str,
    nodes: Vec<Message>,
    tensors: Vec<Message>,
    inputs: Vec<Message>,
    outputs: Vec<Message>,
}

impl Graph {
    fn new(name: &'static str) -> Self {
        Self { name, nodes: Vec::new(), tensors: Vec::new(), inputs: Vec::new(), outputs: Vec::new() }
    }

    fn node(&mut self, operator: &str, inputs: &[&str], output: &str) {
        self.node_with(operator, inputs, &[output], &[]);
    }

    fn node_with(&mut self, operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, i64)]) {
        let attribute =
            |(name, value): &(&str, i64)| Message::new().text(1, name).int(3, *value).int(20, INT_ATTRIBUTE);
        let node = inputs.iter().fold(Message::new(), |node, input| node.text(1, input));
        let node = outputs.iter().fold(node, |node, output| node.text(2, output));
        // What a node is called matters to nobody, but programs that draw the graph show it.
        let node = node.text(3, outputs.first().unwrap_or(&operator)).text(4, operator);
        self.nodes.push(node.messages(5, attributes.iter().map(attribute)));
    }

    fn concat(&mut self, inputs: &[&str], output: &str) {
        self.node_with("Concat", inputs, &[output], &[("axis", 1)]);
    }

    fn split(&mut self, input: &str, outputs: [&str; 2], sizes: [usize; 2]) {
        let raw: Vec<u8> = sizes.iter().flat_map(|&size| (size as i64).to_le_bytes()).collect();
        self.tensors.push(Message::new().int(1, 2).int(2, INT64).text(8, "sizes").bytes(9, &raw));
        self.node_with("Split", &[input, "sizes"], &outputs, &[("axis", 1)]);
    }

    /// f(u W)
    fn gate(&mut self, function: &str, rows: &str, matrix: &str, output: &str) {
        let sums = format!("{output}_sums");
        self.node("MatMul", &[rows, matrix], &sums);
        self.node(function, &[&sums], output);
    }

    /// As in `unit/gru.rs`. `state` is all that u begins with, `behind` what the gates read behind the memory.
    fn gated_memory(&mut self, state: &str, behind: &[&str]) {
        self.concat(&[state, "x"], "u");
        self.gate("Sigmoid", "u", "Wz", "z");
        self.gate("Sigmoid", "u", "Wr", "r");
        self.node("Mul", &["r", "h"], "kept");
        self.concat(&[&["kept"], behind].concat(), "v");
        self.gate("Tanh", "v", "Wc", "candidate");
        self.node("Sub", &["candidate", "h"], "difference");
        self.node("Mul", &["z", "difference"], "step");
        self.node("Add", &["h", "step"], "new_h");
    }

    /// As in `unit/lstm.rs`.
    fn long_short_term_memory(&mut self) {
        self.concat(&["h", "x"], "u");
        self.gate("Sigmoid", "u", "Wi", "i");
        self.gate("Sigmoid", "u", "Wf", "f");
        self.gate("Tanh", "u", "Wg", "g");
        self.gate("Sigmoid", "u", "Wy", "exposed");
        self.node("Mul", &["f", "c"], "old");
        self.node("Mul", &["i", "g"], "new");
        self.node("Add", &["old", "new"], "new_c");
        self.node("Tanh", &["new_c"], "squashed");
        self.node("Mul", &["exposed", "squashed"], "new_h");
    }

    fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let tensor = shape.iter().fold(Message::new(), |tensor, &length| tensor.int(1, length as i64));
        self.tensors.push(tensor.int(2, FLOAT).text(8, name).bytes(9, &raw));
    }

    fn input(&mut self, name: &str, channels: usize) {
        self.inputs.push(value(name, FLOAT, &[channels]));
    }

    fn output(&mut self, name: &str, kind: i64, behind_batch: &[usize]) {
        self.outputs.push(value(name, kind, behind_batch));
    }

    /// The file.
    fn model(self, notes: &[(&str, &str)]) -> Vec<u8> {
        let graph = Message::new()
            .messages(1, self.nodes)
            .text(2, self.name)
            .messages(5, self.tensors)
            .messages(11, self.inputs)
            .messages(12, self.outputs);
        let note = |(name, text): &(&str, &str)| Message::new().text(1, name).text(2, text);
        Message::new()
            .int(1, IR_VERSION)
            .text(2, "phylon")
            .text(3, env!("CARGO_PKG_VERSION"))
            .message(7, graph)
            .message(8, Message::new().text(1, "").int(2, OPERATORS))
            .messages(14, notes.iter().map(note))
            .into_bytes()
    }
}

/// Name, type and shape of an input or output.
fn value(name: &str, kind: i64, behind_batch: &[usize]) -> Message {
    let lengths = behind_batch.iter().map(|&length| Message::new().int(1, length as i64));
    let shape = Message::new().message(1, Message::new().text(2, BATCH)).messages(1, lengths);
    let tensor = Message::new().int(1, kind).message(2, shape);
    Message::new().text(1, name).message(2, Message::new().message(1, tensor))
}

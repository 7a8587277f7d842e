//! Models of ONNX, computed in double precision from the file alone, as far as the tests need it.

use std::collections::BTreeMap;

use crate::wire::Message;

/// Rows one after the other; a scalar has one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub columns: usize,
    pub values: Vec<f64>,
}

impl Matrix {
    pub fn new(columns: usize, values: impl IntoIterator<Item = f64>) -> Self {
        Self { columns, values: values.into_iter().collect() }
    }

    fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self::new(self.columns, self.values.iter().map(|&x| f(x)))
    }

    fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        assert_eq!((self.columns, self.values.len()), (other.columns, other.values.len()));
        Self::new(self.columns, self.values.iter().zip(&other.values).map(|(&a, &b)| f(a, b)))
    }

    fn times(&self, other: &Self) -> Self {
        assert_eq!(self.columns * other.columns, other.values.len(), "{} columns", self.columns);
        let entry = |row: &[f64], j: usize| {
            row.iter().zip(other.values[j..].iter().step_by(other.columns)).map(|(a, b)| a * b).sum()
        };
        let rows = self.values.chunks(self.columns);
        Self::new(other.columns, rows.flat_map(|row| (0..other.columns).map(move |j| entry(row, j))))
    }
}

pub struct Model {
    graph: Message,
    /// By its name.
    pub notes: BTreeMap<String, String>,
}

impl Model {
    pub fn read(bytes: &[u8]) -> Self {
        let model = Message::read(bytes);
        assert_eq!((model.int(1), model.text(2)), (8, "phylon".into()));
        let operators = model.message(8);
        assert_eq!((operators.texts(1), operators.int(2)), (vec![String::new()], 17));
        let notes = model.messages(14).iter().map(|note| (note.text(1), note.text(2))).collect();
        Self { graph: model.message(7), notes }
    }

    /// Names, element types and lengths behind the batch, of the inputs or the outputs.
    fn values(&self, field: u64) -> Vec<(String, i64, Vec<i64>)> {
        let value = |value: Message| {
            let tensor = value.message(2).message(1);
            let lengths = tensor.message(2).messages(1);
            assert_eq!(lengths[0].text(2), "batch");
            (value.text(1), tensor.int(1), lengths[1..].iter().map(|length| length.int(1)).collect())
        };
        self.graph.messages(field).into_iter().map(value).collect()
    }

    pub fn inputs(&self) -> Vec<(String, i64, Vec<i64>)> {
        self.values(11)
    }

    pub fn outputs(&self) -> Vec<(String, i64, Vec<i64>)> {
        self.values(12)
    }

    /// All values by their names, from those of the inputs.
    pub fn run(&self, inputs: &[(&str, Matrix)]) -> BTreeMap<String, Matrix> {
        let mut values: BTreeMap<String, Matrix> = self.graph.messages(5).iter().map(tensor).collect();
        values.extend(inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        for node in self.graph.messages(1) {
            let given: Vec<&Matrix> = node.texts(1).iter().map(|name| &values[name]).collect();
            let attributes: BTreeMap<String, i64> =
                node.messages(5).iter().inspect(|a| assert_eq!(a.int(20), 2)).map(|a| (a.text(1), a.int(3))).collect();
            let results = compute(&node.text(4), &given, &attributes);
            let names = node.texts(2);
            assert_eq!(names.len(), results.len());
            for (name, result) in names.into_iter().zip(results) {
                assert!(values.insert(name, result).is_none(), "a value is computed twice");
            }
        }
        values
    }
}

fn tensor(tensor: &Message) -> (String, Matrix) {
    let [raw] = &tensor.bytes(9)[..] else { panic!("no raw data") };
    let values: Vec<f64> = match tensor.int(2) {
        1 => raw.as_chunks().0.iter().map(|&four| f64::from(f32::from_le_bytes(four))).collect(),
        7 => raw.as_chunks().0.iter().map(|&eight| i64::from_le_bytes(eight) as f64).collect(),
        kind => panic!("type {kind}"),
    };
    let shape = tensor.ints(1);
    assert_eq!(shape.iter().product::<i64>() as usize, values.len());
    (tensor.text(8), Matrix::new(shape.last().map_or(1, |&columns| columns as usize), values))
}

fn compute(operator: &str, given: &[&Matrix], attributes: &BTreeMap<String, i64>) -> Vec<Matrix> {
    let keys: Vec<(&str, i64)> = attributes.iter().map(|(name, &value)| (name.as_str(), value)).collect();
    let expected: &[(&str, i64)] = match operator {
        "Concat" | "Split" => &[("axis", 1)],
        "ArgMax" => &[("axis", 1), ("keepdims", 0)],
        _ => &[],
    };
    assert_eq!(keys, expected, "{operator}");
    let one = match (operator, given) {
        ("Identity", [x]) => (*x).clone(),
        ("Sigmoid", [x]) => x.map(|x| 1.0 / (1.0 + (-x).exp())),
        ("Tanh", [x]) => x.map(f64::tanh),
        ("Relu", [x]) => x.map(|x| x.max(0.0)),
        // Klambauer et al. 2017, which is what the operator has where no constants are given.
        ("Selu", [x]) => {
            x.map(|x| 1.050_700_987_355_480_5 * if x > 0.0 { x } else { 1.673_263_242_354_377_2 * x.exp_m1() })
        }
        ("Add", [a, b]) => a.zip(b, |a, b| a + b),
        ("Sub", [a, b]) => a.zip(b, |a, b| a - b),
        ("Mul", [a, b]) => a.zip(b, |a, b| a * b),
        ("MatMul", [a, b]) => a.times(b),
        ("Gemm", [a, b, c]) => {
            let product = a.times(b);
            let biased = product.values.iter().enumerate().map(|(i, x)| x + c.values[i % c.columns]);
            Matrix::new(product.columns, biased)
        }
        ("Clip", [x, least, most]) => x.map(|x| x.max(least.values[0]).min(most.values[0])),
        ("ArgMax", [x]) => {
            let best = |row: &[f64]| (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap() as f64;
            Matrix::new(1, x.values.chunks(x.columns).map(best))
        }
        ("Concat", parts) => {
            let rows = parts[0].values.len() / parts[0].columns;
            let row =
                |i: usize| parts.iter().flat_map(move |part| part.values[i * part.columns..][..part.columns].to_vec());
            Matrix::new(parts.iter().map(|part| part.columns).sum(), (0..rows).flat_map(row))
        }
        ("Split", [x, sizes]) => {
            let mut first = 0;
            let mut parts = Vec::new();
            for size in sizes.values.iter().map(|&size| size as usize) {
                let rows = x.values.chunks(x.columns);
                parts.push(Matrix::new(size, rows.flat_map(|row| row[first..first + size].to_vec())));
                first += size;
            }
            assert_eq!(first, x.columns);
            return parts;
        }
        _ => panic!("{operator} of {} inputs", given.len()),
    };
    vec![one]
}

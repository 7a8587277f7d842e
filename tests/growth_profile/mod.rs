//! A profile's mean connectome, computed in double precision with the system's functions: what growth is tested on, without
//! the library's own assembly.

use phylon::rng::{Row, Stream};
use phylon::synaptogen::growth::{Connectome, LayerPair, correction};

const NEUROTRANSMITTERS: usize = 3;
const RECEPTORS: usize = 2 * NEUROTRANSMITTERS;

/// Arrays of a connectome.
pub struct Assembled {
    pub genes: usize,
    /// Target average degree.
    pub degree: f32,
    pub layers: Vec<usize>,
    pub expression: Vec<Vec<f32>>,
    pub rules: Vec<f32>,
    pub conductance: Vec<Vec<f32>>,
    pub numbers: Vec<Vec<f32>>,
}

impl Assembled {
    /// Drawn as a first profile (section 4 of the model: all normal), every part from its own row.
    pub fn initial(layers: &[usize], genes: usize, seed: u64) -> Self {
        let last = layers.len() - 1;
        let mut part = 0;
        let mut draw = |length: usize, sd: f64| {
            let mut normals = vec![0.0; length];
            Row { seed, stream: Stream::Initial, generation: 0, index: part }.normals(0, &mut normals);
            part += 1;
            normals.into_iter().map(|x| f64::from(x) * sd).collect::<Vec<f64>>()
        };
        let sd = |width: usize| (2.0 / width as f64).sqrt();
        let x = layers.iter().flat_map(|n| draw(n * genes, sd(genes))).collect::<Vec<f64>>();
        let t = layers[..last]
            .iter()
            .flat_map(|n| draw(n * NEUROTRANSMITTERS, sd(NEUROTRANSMITTERS)))
            .collect::<Vec<f64>>();
        let r = layers[1..].iter().flat_map(|n| draw(n * RECEPTORS, sd(RECEPTORS))).collect::<Vec<f64>>();
        let o = draw(genes * genes, 1.0 / genes as f64);
        let k = draw(NEUROTRANSMITTERS * RECEPTORS, 1.0 / ((NEUROTRANSMITTERS * RECEPTORS) as f64).sqrt());
        let rules = o.iter().map(|o| sigmoid(o / 0.1)).collect();
        Self::of(layers, genes, &x, &t, &r, rules, &k)
    }

    fn of(layers: &[usize], genes: usize, x: &[f64], t: &[f64], r: &[f64], rules: Vec<f64>, k: &[f64]) -> Self {
        let (mut expression, mut conductance, mut numbers, mut at) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for n in layers {
            expression.push(x[at..at + n * genes].iter().map(|x| x * x).collect::<Vec<f64>>());
            at += n * genes;
        }
        let (mut t, mut r) = (t, r);
        for (pre, post) in expression.iter().zip(&expression[1..]) {
            let (pre, post): (Vec<&[f64]>, Vec<&[f64]>) = (pre.chunks(genes).collect(), post.chunks(genes).collect());
            let transmitters: Vec<_> = t.chunks(NEUROTRANSMITTERS).take(pre.len()).map(softmax).collect();
            let receptors: Vec<_> = r.chunks(RECEPTORS).take(post.len()).map(softmax).collect();
            (t, r) = (&t[pre.len() * NEUROTRANSMITTERS..], &r[post.len() * RECEPTORS..]);
            let (mut n, mut g) = (Vec::new(), Vec::new());
            for (pre, q) in pre.iter().zip(&transmitters) {
                let reached: Vec<f64> = (0..genes)
                    .map(|w| pre.iter().zip(rules[w..].iter().step_by(genes)).map(|(e, p)| e * p).sum())
                    .collect();
                for (post, r) in post.iter().zip(&receptors) {
                    n.push(reached.iter().zip(*post).map(|(a, b)| a * b).sum::<f64>() as f32);
                    let conducts = |a: usize, c: usize| q[a] * sigmoid(k[a * RECEPTORS + c]) * r[c];
                    g.push(
                        (0..NEUROTRANSMITTERS).map(|a| conducts(a, 2 * a) - conducts(a, 2 * a + 1)).sum::<f64>() as f32
                    );
                }
            }
            numbers.push(n);
            conductance.push(g);
        }
        let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect::<Vec<f32>>();
        let expression = expression.into_iter().map(single).collect();
        // 1e5 as in the reported evaluations.
        Self { genes, degree: 1e5, layers: layers.to_vec(), expression, rules: single(rules), conductance, numbers }
    }

    pub fn connectome(&self) -> Connectome<'_> {
        let layers = (0..self.numbers.len())
            .map(|l| LayerPair {
                pre: &self.expression[l],
                post: &self.expression[l + 1],
                conductance: &self.conductance[l],
            })
            .collect();
        let alpha = correction(self.numbers.iter().map(Vec::as_slice), self.layers.iter().sum(), self.degree);
        Connectome { genes: self.genes, rules: &self.rules, layers, alpha }
    }
}

fn sigmoid(x: f64) -> f64 {
    0.5 + 0.5 * (0.5 * x).tanh()
}

fn softmax(row: &[f64]) -> Vec<f64> {
    let sum: f64 = row.iter().map(|x| x.exp()).sum();
    row.iter().map(|x| x.exp() / sum).collect()
}

//! Where a run starts: a centre that the config holds, or random ones and the choice of the best of them.

use rayon::prelude::*;

use super::{Workload, mean_fitness};
use crate::plan::Plan;
use crate::rng::{Row, Stream};
use crate::search::shaping::{Ties, order};

/// `run.start`, or the best of `run.first_centres` random centres on the same episodes, the first of equals.
pub(super) fn first_centre<W: Workload>(workload: &W, plan: &Plan, seed: u64) -> Vec<f32> {
    if let Some(start) = &plan.config.run.start {
        return start.clone();
    }
    let count = plan.config.run.first_centres;
    if count == 1 {
        return random_centre(plan, seed, 0);
    }
    let episodes = workload.draw(plan.environments, seed, Stream::Start, 0);
    let fitness: Vec<f32> = (0..count)
        .into_par_iter()
        .map_init(
            || (vec![0.0; plan.environments], workload.workspace(plan.environments)),
            |(fitness, workspace), index| {
                let centre = random_centre(plan, seed, index);
                mean_fitness(workload, (fitness, workspace), &centre, &episodes).0
            },
        )
        .collect();
    let best = order(&fitness, Ties::LowerIndex)[0];
    tracing::info!(seed, first_centres = count, fitness = fitness[best], "first centre");
    random_centre(plan, seed, best as u32)
}

/// A random centre: N(0, initial_scale^2 / rows) for every matrix, the gates' input rows times `input_scale`; N(0, spread^2) for
/// the constants of a rule.
fn random_centre(plan: &Plan, seed: u64, index: u32) -> Vec<f32> {
    let (_, size) = plan.config.unit.kind_and_size();
    let mut centre = vec![0.0; plan.parameters()];
    Row { seed, stream: Stream::Initial, generation: 0, index }.normals(0, &mut centre);
    let constants = plan.rule().map_or(0, |rule| rule.parameters());
    let spread = plan.config.network.as_ref().and_then(|network| network.rule).map_or(0.0, |rule| rule.spread());
    let (first, mut rest) = centre.split_at_mut(constants);
    first.iter_mut().for_each(|constant| *constant *= spread);
    for unit in plan.chromosomes() {
        for (matrix, (rows, columns)) in unit.matrices().enumerate() {
            let (weights, behind) = rest.split_at_mut(rows * columns);
            let scale = size.initial_scale / (rows as f32).sqrt();
            weights.iter_mut().for_each(|weight| *weight *= scale);
            if matrix < unit.gates() {
                let inputs = &mut weights[(rows - unit.inputs) * columns..];
                inputs.iter_mut().for_each(|weight| *weight *= size.input_scale);
            }
            rest = behind;
        }
    }
    centre
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::mean;
    use crate::workload::single_unit::SingleUnit;

    #[test]
    fn a_run_starts_from_the_best_of_its_first_centres_on_any_number_of_threads() {
        let text = "format = 1\n[run]\nname = 'x'\ngenerations = 1\nfirst_centres = 40\n[unit.enu]\nmemory = 5\noutputs = 3\n\
                    initial_scale = 3.0\ninput_scale = 4.0\n[task.iaf]\nenvironments = 5\nsteps = 30\n[es]\npopulation = 4";
        let plan = Plan::new(toml::from_str(text).expect("toml")).expect("a plan");
        let unit = SingleUnit::new(&plan);
        let episodes = unit.draw(5, 7, Stream::Start, 0);
        let fitness: Vec<f32> = (0..40).map(|i| mean(&unit.fitness(&random_centre(&plan, 7, i), &episodes))).collect();
        let best = (0..40).max_by(|&a, &b| fitness[a].total_cmp(&fitness[b])).expect("forty");
        assert!(fitness[best] > fitness[0], "the first is the best, which shows nothing");
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            assert_eq!(pool.install(|| first_centre(&unit, &plan, 7)), random_centre(&plan, 7, best as u32));
        }
    }

    #[test]
    fn first_weights_have_their_scales() {
        let text = "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.enu]\ninputs = 100\nmemory = 200\noutputs = 100\n\
                    initial_scale = 2.0\ninput_scale = 3.0\n[task.iaf]\n[es]";
        let plan = Plan::new(toml::from_str(text).expect("toml")).expect("a plan");
        let centre = random_centre(&plan, 1, 0);
        let sd = |weights: &[f32]| (weights.iter().map(|w| w * w).sum::<f32>() / weights.len() as f32).sqrt();
        // Of 20,000 weights the deviation has a standard error of 0.5 %.
        let (gate, of_inputs) = (2.0 / 400f32.sqrt(), 6.0 / 400f32.sqrt());
        let size = 400 * 200;
        for matrix in centre[..3 * size].chunks_exact(size) {
            assert!((sd(&matrix[..300 * 200]) / gate - 1.0).abs() < 0.02);
            assert!((sd(&matrix[300 * 200..]) / of_inputs - 1.0).abs() < 0.03);
        }
        assert!((sd(&centre[3 * size..]) / (2.0 / 200f32.sqrt()) - 1.0).abs() < 0.03);
    }
}

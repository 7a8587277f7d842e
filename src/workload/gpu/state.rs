//! What is saved of a run and where it lies on the device.

use super::{Mark, Pack, Snapshot};
use crate::abi::BestSoFar;
use crate::engine::{Best, State};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};

impl Pack {
    /// Where a trial is, as reported.
    ///
    /// # Errors
    /// When the device fails.
    pub fn state(&self, trial: usize) -> Result<State> {
        let snapshot = &self.halves[self.current].snapshot;
        let Mark { generation, schedule } = self.reported;
        // The snapshot was complete before its batch was reported, so nothing is waited for.
        let vector = |buffer: &Buffer<f32>| buffer.read(&self.gpu.aside, trial * self.stride, self.plan.parameters());
        let centre = vector(&snapshot.centre)?;
        let first = vector(&snapshot.first)?;
        let sigma = || ("sigma".to_owned(), vec![schedule.sigma]);
        let optimiser = match (&self.plan.config.es, &snapshot.second) {
            (None, _) => vec![("sigma".to_owned(), first)],
            (Some(_), None) => vec![sigma(), ("velocity".to_owned(), first)],
            (Some(_), Some(second)) => vec![
                sigma(),
                ("adam_mean".to_owned(), first),
                ("adam_square".to_owned(), vector(second)?),
                ("adam_powers".to_owned(), schedule.powers.to_vec()),
            ],
        };
        let best = snapshot.best.read(&self.gpu.aside, trial, 1)?[0];
        let best = if best.present == 0 {
            None
        } else {
            let parameters = vector(&snapshot.best_parameters)?;
            Some(Best { generation: best.generation, fitness: best.fitness, parameters })
        };
        Ok(State { generation, centre, optimiser, best })
    }

    /// Go on from these states, one a trial, all of the same generation.
    ///
    /// # Errors
    /// When their names or lengths are not this plan's, or the device fails.
    pub fn restore(&mut self, states: &[State]) -> Result<()> {
        let own = self.state(0)?;
        let generation = states.first().map_or(0, |state| state.generation);
        if states.len() != self.seeds.len() || states.iter().any(|state| state.generation != generation) {
            return Err(Error::Run("packed trials go on together: their states must be of one generation".into()));
        }
        states.iter().try_for_each(|state| own.check_fits(state))?;
        self.gpu.wait()?;
        let live = &self.buffers.live;
        let mut mark = Mark { generation, ..self.reported };
        for (trial, state) in states.iter().enumerate() {
            let write = |buffer: &Buffer<f32>, values: &[f32]| buffer.write(&self.gpu, trial * self.stride, values);
            write(&live.centre, &state.centre)?;
            for (name, vector) in &state.optimiser {
                match (name.as_str(), &self.plan.config.es) {
                    ("sigma", Some(_)) => mark.schedule.sigma = vector[0],
                    ("adam_powers", _) => mark.schedule.powers.copy_from_slice(vector),
                    ("sigma", None) | ("velocity" | "adam_mean", _) => write(&live.first, vector)?,
                    ("adam_square", _) => live.second.as_ref().map_or(Ok(()), |second| write(second, vector))?,
                    _ => {}
                }
            }
            let best = state.best.as_ref().map_or_else(BestSoFar::default, |best| BestSoFar {
                fitness: best.fitness,
                generation: best.generation,
                present: 1,
            });
            live.best.write(&self.gpu, trial, &[best])?;
            if let Some(best) = &state.best {
                write(&live.best_parameters, &best.parameters)?;
            }
        }
        live.copy_to(&self.gpu, &self.halves[self.current].snapshot)?;
        (self.reported, self.launched, self.ahead) = (mark, mark, None);
        self.gpu.wait()
    }
}

impl Snapshot {
    pub(super) fn copy_to(&self, gpu: &Gpu, to: &Self) -> Result<()> {
        self.centre.copy_to(gpu, &to.centre)?;
        self.first.copy_to(gpu, &to.first)?;
        if let (Some(from), Some(to)) = (&self.second, &to.second) {
            from.copy_to(gpu, to)?;
        }
        self.best.copy_to(gpu, &to.best)?;
        self.best_parameters.copy_to(gpu, &to.best_parameters)
    }
}

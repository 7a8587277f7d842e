//! An engine for the tests of the run loop: no simulation, but state that depends on every bit that went before.

use crate::config::Config;
use crate::engine::{Best, Engine, Facts, Generation, State};
use crate::error::{Error, Result};
use crate::plan::Plan;

const PARAMETERS: usize = 5;

pub fn plan(seed: u64, generations: u32, checkpoint_every: u32) -> Plan {
    let text = format!(
        "format = 1
        [run]
        name = 'x'
        seed = {seed}
        generations = {generations}
        checkpoint_every = {checkpoint_every}
        [unit.enu]
        inputs = 2
        memory = 2
        outputs = 2
        [task.iaf]
        environments = 1
        steps = 20
        [es]
        population = 6
        [es.momentum]"
    );
    let config: Config = toml::from_str(&text).unwrap();
    Plan::new(config).unwrap()
}

pub struct Fake {
    seed: u64,
    population: usize,
    state: State,
    /// Panics when it comes to this generation: the nearest thing to a SIGKILL inside a process.
    pub dies_at: Option<u32>,
    /// Gives the error of a generation with no finite fitness.
    pub fails_at: Option<u32>,
}

impl Fake {
    pub fn new(plan: &Plan) -> Self {
        let state = State {
            generation: 0,
            centre: (0..PARAMETERS).map(|i| i as f32 * 0.1).collect(),
            optimiser: vec![("velocity".to_owned(), vec![0.0; PARAMETERS]), ("sigma".to_owned(), vec![1.0])],
            best: None,
        };
        Self { seed: plan.config.run.seed, population: plan.population, state, dies_at: None, fails_at: None }
    }

    fn noise(&self, offspring: usize, element: usize) -> f32 {
        let counter = (u64::from(self.state.generation) << 32) + ((offspring as u64) << 8) + element as u64;
        let mixed = (counter ^ self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)) as u16) as f32 / 65536.0 - 0.5
    }

    fn update(&mut self, fitness: &[f32]) {
        let usable: Vec<f32> = fitness.iter().map(|f| if f.is_finite() { *f } else { -9.0 }).collect();
        for element in 0..PARAMETERS {
            let pull: f32 = usable.iter().enumerate().map(|(i, f)| f * self.noise(i, element)).sum();
            let velocity = &mut self.state.optimiser[0].1[element];
            *velocity = 0.9 * *velocity + pull;
            self.state.centre[element] += 0.1 * *velocity;
        }
        self.state.optimiser[1].1[0] *= 0.99;
        self.state.generation += 1;
    }
}

impl Engine for Fake {
    fn advance(&mut self, generations: u32, out: &mut Vec<Generation>) -> Result<()> {
        for _ in 0..generations {
            let index = self.state.generation;
            assert_ne!(self.dies_at, Some(index), "dies as told");
            if self.fails_at == Some(index) {
                return Err(Error::Run("no finite fitness".to_owned()));
            }
            let weight = |i: usize| (0..PARAMETERS).map(|j| (self.state.centre[j] + self.noise(i, j)).sin()).sum();
            let mut fitness: Vec<f32> = (0..self.population).map(weight).collect();
            if index % 3 == 1 {
                fitness[2] = f32::NAN;
            }
            let centre = self.state.centre.iter().map(|c| c.sin()).sum();
            if self.state.best.as_ref().is_none_or(|best| centre > best.fitness) {
                let parameters = self.state.centre.clone();
                self.state.best = Some(Best { generation: index, fitness: centre, parameters });
            }
            self.update(&fitness);
            out.push(Generation { index, fitness, centre, env_steps: 1000, seconds: 0.001 });
        }
        Ok(())
    }

    fn replay(&mut self, fitness: &[f32]) -> Result<()> {
        self.update(fitness);
        Ok(())
    }

    fn state(&self) -> Result<State> {
        Ok(self.state.clone())
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        self.state = state.clone();
        Ok(())
    }

    fn facts(&self) -> Facts {
        Facts { population: self.population as u32, parameters: PARAMETERS, env_steps: 1000, flops: 0 }
    }
}

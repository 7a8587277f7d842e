//! Rollouts of a population: every agent plays a few episodes of its own in one world.
//!
//! On the CPU an agent's episodes are lanes of one thread, for all of them have the same weights; agents are shared out among the
//! threads.

use rayon::prelude::*;

use super::packed::Packing;
use super::play_alone;
use super::population_gpu::{self, Agents, Games};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};
use crate::policy::Mlp;
use crate::registry::{WorldKind, WorldVisitor};
use crate::rng::{Row, Stream};
use crate::world::{Episode, Seeds, World};

/// Agents, and the episodes that each of them is to play.
#[derive(Debug, Clone, Copy)]
pub struct Population<'a> {
    /// Where.
    pub world: WorldKind,
    /// Who acts.
    pub agents: &'a [Mlp],
    /// Of each agent.
    pub episodes: u32,
    /// Of all that the world draws.
    pub seed: u64,
}

impl Population<'_> {
    /// What the world draws for an agent: episode k of agent a depends on the seed, a and k alone.
    pub fn seeds(&self, agent: usize) -> Seeds {
        let row = Row { seed: self.seed, stream: Stream::AgentEpisodes, generation: 0, index: agent as u32 };
        Seeds::Phylon(row.seeds()[0])
    }

    /// Plays all of them: `[agent][episode]`. `progress` is told, from any thread, how many more are over.
    ///
    /// # Errors
    /// When an agent does not fit the world.
    pub fn play(&self, progress: &(dyn Fn(u32) + Sync)) -> Result<Vec<Vec<Episode>>> {
        self.check()?;
        Ok(self.world.visit(Play { population: self, progress }))
    }

    /// The same on a device, to the same bits; of agents of one shape.
    ///
    /// # Errors
    /// As [`Population::play`]; when agents differ in their layers or activation; when the device fails or a block has no room
    /// for an agent.
    pub fn play_on(&self, gpu: &Gpu) -> Result<Vec<Vec<Episode>>> {
        self.check()?;
        let (Some(first), true) = (self.agents.first(), self.episodes > 0) else {
            return Ok(vec![Vec::new(); self.agents.len()]);
        };
        let is_alike = |agent: &Mlp| (agent.sizes(), agent.activation()) == (first.sizes(), first.activation());
        if let Some(number) = self.agents.iter().position(|agent| !is_alike(agent)) {
            return Err(Error::Config(format!(
                "agent {number} has other layers or another activation than agent 0; try: --device cpu"
            )));
        }
        let packing = Packing::of(first.sizes(), first.activation());
        let parameters: Vec<f32> = self.agents.iter().flat_map(|agent| packing.pack(agent.parameters())).collect();
        let agents = Agents {
            packing: &packing,
            stride: packing.places.len(),
            count: self.agents.len(),
            parameters: &Buffer::of(gpu, &parameters)?,
        };
        let games = Games { world: self.world, episodes: self.episodes, seeds: &[self.seed] };
        let (played, _) = population_gpu::play(gpu, &agents, &games)?;
        Ok(played.chunks(self.episodes as usize).map(<[Episode]>::to_vec).collect())
    }

    fn check(&self) -> Result<()> {
        for (number, agent) in self.agents.iter().enumerate() {
            agent.check(self.world.spec()).map_err(|why| Error::Config(format!("agent {number}: {why}")))?;
        }
        Ok(())
    }
}

struct Play<'a> {
    population: &'a Population<'a>,
    progress: &'a (dyn Fn(u32) + Sync),
}

impl WorldVisitor for Play<'_> {
    type Output = Vec<Vec<Episode>>;

    fn visit<W: World>(self) -> Vec<Vec<Episode>> {
        let Self { population, progress } = self;
        let play = |(number, agent)| {
            let episodes = play_alone::<W>(agent, population.seeds(number), 0..population.episodes);
            progress(population.episodes);
            episodes
        };
        population.agents.par_iter().enumerate().map(play).collect()
    }
}

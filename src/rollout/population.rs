//! Rollouts of a population on the CPU: every agent plays a few episodes of its own in one world.
//!
//! An agent's episodes are lanes of one thread, for all of them have the same weights; agents are shared out among the
//! threads.

use rayon::prelude::*;

use super::play_alone;
use crate::error::{Error, Result};
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
        for (number, agent) in self.agents.iter().enumerate() {
            agent.check(self.world.spec()).map_err(|why| Error::Config(format!("agent {number}: {why}")))?;
        }
        Ok(self.world.visit(Play { population: self, progress }))
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

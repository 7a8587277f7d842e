//! Rollouts of a population on a device, whose agents each have weights of their own: see `kernels/synaptogen_population.cu`.

use super::gpu::{BLOCKS, Outcomes, kernel_name};
use super::packed::Packing;
use crate::abi::{LANES, PopulationArgs, WorldArgs};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape, blocks};
use crate::registry::WorldKind;
use crate::world::Episode;

/// Agents of a warp at a time, at most: what is read of their weights at once lies in different banks of shared memory.
const SEATS: u32 = 4;

/// Agents on a device.
pub(crate) struct Agents<'a> {
    /// How the parameters of each lie.
    pub(crate) packing: &'a Packing,
    /// `[agent][stride]`.
    pub(crate) parameters: &'a Buffer<f32>,
    /// From one agent's parameters to the next.
    pub(crate) stride: usize,
    /// Number of them.
    pub(crate) count: usize,
}

/// What they are to play.
pub(crate) struct Games<'a> {
    /// Where.
    pub(crate) world: WorldKind,
    /// Of each agent, at least one.
    pub(crate) episodes: u32,
    /// Of all that the world draws, for as many agents each, which are counted from 0 on.
    pub(crate) seeds: &'a [u64],
}

/// Plays all of them: `[agent][episode]`, one after the other, and what the kernel took.
pub(crate) fn play(gpu: &Gpu, agents: &Agents, games: &Games) -> Result<(Vec<Episode>, f64)> {
    let Agents { packing, parameters, stride, count } = *agents;
    let all = (count as u64 * u64::from(games.episodes)).try_into().map_err(|_| {
        let most = u32::MAX / games.episodes;
        Error::Config(format!("{count} agents with {} episodes each; try: at most {most} agents", games.episodes))
    })?;
    let all: u32 = all;
    let spec = games.world.spec();
    let length = packing.places.len() as u32;
    let room = Room::of(packing, games.episodes, gpu.shared_limit())?;
    let outcomes = Outcomes::new(gpu, all as usize)?;
    let (widths, queue) = (packing.widths(gpu)?, Buffer::<u32>::zeros(gpu, 1)?);
    let seeds = Buffer::of(gpu, games.seeds)?;
    let world = packing.args(&widths, &queue, &outcomes);
    let args = PopulationArgs {
        world: WorldArgs { policy: parameters.at(0, count * stride), limit: spec.limit, ..world },
        seeds: seeds.pointer(),
        agents: count as u32,
        stride: stride as u32,
        episodes: games.episodes,
        together: count.div_ceil(games.seeds.len()) as u32,
        lanes: room.lanes,
        seats: room.seats,
        pitch: length | 1,
    };
    let warps = blocks(count, room.seats);
    let grid = warps.div_ceil(room.threads / LANES).min(gpu.multiprocessors() * BLOCKS);
    let kernel = kernel_name("population", spec);
    let shape = Shape { grid: [grid, 1, 1], block: room.threads, shared: room.shared };
    // Loaded before it is timed.
    gpu.kernel(&kernel, shape.shared)?;
    // SAFETY: the kernels of this name take these arguments; the buffers are as long as they say, and live until the
    // results are read.
    let seconds = gpu.time(|| unsafe { gpu.launch(&kernel, shape, &args) })?;
    Ok((outcomes.read(gpu)?, seconds))
}

/// How a block is shared out.
struct Room {
    /// Of an agent.
    lanes: u32,
    /// Of a warp.
    seats: u32,
    threads: u32,
    /// Bytes.
    shared: u32,
}

impl Room {
    /// As many seats as there are lanes for, then as many warps as there is memory for.
    fn of(packing: &Packing, episodes: u32, limit: u32) -> Result<Self> {
        let lanes = episodes.min(LANES);
        let pitch = packing.places.len() | 1;
        let bytes = |seats: u32, threads: u32| {
            size_of::<f32>() * (pitch * (seats * threads / LANES) as usize + packing.neurons(threads))
        };
        let warps = [4, 2, 1].map(|warps| warps * LANES);
        let seats = (1..=(LANES / lanes).min(SEATS)).rev();
        let fits = |&(threads, seats): &(u32, u32)| bytes(seats, threads) <= limit as usize;
        let mut all = seats.flat_map(|seats| warps.map(|threads| (threads, seats)));
        match all.find(fits) {
            Some((threads, seats)) => Ok(Self { lanes, seats, threads, shared: bytes(seats, threads) as u32 }),
            None => Err(Error::Device(format!(
                "an agent needs {} bytes of shared memory, and a block has at most {limit}; try: --device cpu",
                bytes(1, LANES)
            ))),
        }
    }
}

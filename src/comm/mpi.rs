//! The ranks of an MPI job. Only the thread that began calls MPI. An error of MPI itself ends all ranks, which is MPI's
//! default.

use std::thread;

use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Root};
use mpi::{Count, Rank, Threading};

use super::Comm;

/// Bytes of one broadcast, at most: MPI counts them in 32 bits.
const PIECE: usize = 1 << 30;

/// Exit code of a process that panicked, as Rust gives it.
const PANICKED: i32 = 101;

/// All processes of the job. MPI ends when this is dropped.
pub struct Mpi {
    world: SimpleCommunicator,
    local: (usize, usize),
    /// The last field: communicators have to be gone when it is dropped.
    _universe: Universe,
}

impl Mpi {
    /// Begin; `None` when MPI has begun already.
    pub fn begin() -> Option<Self> {
        let (universe, _) = mpi::initialize_with_threading(Threading::Funneled)?;
        let world = universe.world();
        let machine = world.split_shared(world.rank());
        let local = (machine.rank() as usize, machine.size() as usize);
        Some(Self { world, local, _universe: universe })
    }
}

impl Comm for Mpi {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    fn local(&self) -> (usize, usize) {
        self.local
    }

    fn all_gather(&self, mine: &[u8], lengths: &[usize]) -> Vec<u8> {
        let mut all = vec![0; lengths.iter().sum()];
        let counts: Vec<Count> = lengths.iter().map(|&length| length as Count).collect();
        let starts: Vec<Count> = (0..counts.len()).map(|rank| counts[..rank].iter().sum()).collect();
        self.world.all_gather_varcount_into(mine, &mut PartitionMut::new(&mut all[..], counts, starts));
        all
    }

    fn broadcast(&self, root: usize, bytes: &mut [u8]) {
        let root = self.world.process_at_rank(root as Rank);
        bytes.chunks_mut(PIECE).for_each(|piece| root.broadcast_into(piece));
    }
}

impl Drop for Mpi {
    fn drop(&mut self) {
        if thread::panicking() {
            // The others wait for this rank and would wait for ever.
            self.world.abort(PANICKED);
        }
    }
}

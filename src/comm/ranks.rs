//! The ranks of a run, and how they stay together.
//!
//! Whatever ranks do together begins with a *meeting*: every rank tells in 16 bytes what it has come for and one number.
//! A rank that has failed comes to the next meeting to say so, whatever that is about, and all ranks then have its error:
//! none waits for a rank that is not coming, and the error is told once. A rank that dies without a word is the
//! launcher's to notice.

use std::cell::Cell;

use super::{Comm, launcher, slice};
use crate::error::{Error, Result};
use crate::hash::fnv1a;
use crate::plan::Plan;

/// All ranks of a run, seen by one of them.
pub struct Ranks {
    /// None of a process by itself.
    comm: Option<Box<dyn Comm>>,
    /// A failure has been told, and there are no more meetings.
    is_over: Cell<bool>,
    traffic: Cell<Traffic>,
}

/// What this rank has told the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Generations whose fitness it told.
    pub generations: u64,
    /// Bytes of fitness.
    pub fitness_bytes: u64,
    /// Times that all ranks met; each is [`Traffic::MEETING_BYTES`].
    pub meetings: u64,
    /// Bytes of all else: the config, the state that a resumed run goes on from.
    pub other_bytes: u64,
}

impl Traffic {
    /// Of each rank at each meeting.
    pub const MEETING_BYTES: usize = 16;
}

/// What a rank comes to a meeting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To say that it has failed; its number holds the exit code and the length of the message.
    Failure,
    HandOut,
    Share,
    Compare,
    Gather,
    Agree,
    Conclude,
}

/// The parts that the generations of a run are cut into, and which of them are a rank's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares {
    /// Of each rank in order, how many.
    parts: Vec<usize>,
    rank: usize,
    players: usize,
}

impl Ranks {
    /// A process by itself.
    pub fn alone() -> Self {
        Self { comm: None, is_over: Cell::new(false), traffic: Cell::default() }
    }

    /// Ranks whose bytes `comm` moves.
    pub fn of(comm: Box<dyn Comm>) -> Self {
        Self { comm: Some(comm), ..Self::alone() }
    }

    /// Those that this process was started with.
    ///
    /// # Errors
    /// When it is one of several and cannot talk to the others.
    pub fn join() -> Result<Self> {
        let Some(launch) = launcher::launch() else { return Ok(Self::alone()) };
        #[cfg(feature = "mpi")]
        {
            let ranks = super::mpi::Mpi::begin().map(|mpi| Self::of(Box::new(mpi)));
            let found = ranks.as_ref().map_or(0, Self::size);
            let launcher::Launch { by, size, .. } = launch;
            ranks.filter(|_| found == size).ok_or_else(|| {
                Error::Config(format!(
                    "{by} started {size} processes, and MPI finds {found} of them: this program was built with another MPI \
                     than that {by} belongs to; try: the {by} of that MPI (with srun, see srun --mpi=list), or build again"
                ))
            })
        }
        #[cfg(not(feature = "mpi"))]
        Err(Error::Config(format!(
            "{} started {} processes, and this program was built without MPI: each would do the whole run; try: \
             cargo build --release --features mpi, or --alone where each process is to have a run of its own",
            launch.by, launch.size
        )))
    }

    /// The number of this rank.
    pub fn rank(&self) -> usize {
        self.comm.as_ref().map_or(0, |comm| comm.rank())
    }

    /// How many ranks there are.
    pub fn size(&self) -> usize {
        self.comm.as_ref().map_or(1, |comm| comm.size())
    }

    /// The number of this rank among those of its machine, and how many they are.
    pub fn local(&self) -> (usize, usize) {
        self.comm.as_ref().map_or((0, 1), |comm| comm.local())
    }

    /// Whether this rank has the run's folder and speaks with its user.
    pub fn leads(&self) -> bool {
        self.rank() == 0
    }

    /// What this rank has told the others until now.
    pub fn traffic(&self) -> Traffic {
        self.traffic.get()
    }

    /// What the first rank has, on all ranks.
    ///
    /// # Errors
    /// When a rank has failed.
    pub fn hand_out(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let lengths = self.meet(Purpose::HandOut, bytes.len() as u64)?;
        let Some(comm) = &self.comm else { return Ok(bytes) };
        let mut all = if self.leads() { bytes } else { vec![0; lengths[0] as usize] };
        comm.broadcast(0, &mut all);
        if self.leads() {
            self.count(|traffic| traffic.other_bytes += all.len() as u64);
        }
        Ok(all)
    }

    /// Cut the generations of `plan` into the parts of all ranks, of which this one brings so many.
    ///
    /// # Errors
    /// When there are more parts than players, when ranks have different plans or versions of this program, or when one has
    /// failed.
    pub fn share(&self, plan: &Plan, parts: usize) -> Result<Shares> {
        let identity = fnv1a(format!("{} {:016x}", env!("CARGO_PKG_VERSION"), plan.hash()).into_bytes());
        let identities = self.meet(Purpose::Compare, identity)?;
        if identities.iter().any(|&other| other != identity) {
            return Err(Error::Config(
                "the ranks do not have the same program: what they make of the config differs; try: the same build of \
                 phylon on all machines"
                    .into(),
            ));
        }
        let parts: Vec<usize> = self.meet(Purpose::Share, parts as u64)?.iter().map(|&parts| parts as usize).collect();
        // The centre is a player.
        let (all, players) = (parts.iter().sum::<usize>(), plan.population + 1);
        if all > players {
            let what = match self.size() {
                1 => "devices",
                ranks if ranks == all => "ranks",
                _ => "devices of all ranks",
            };
            return Err(Error::Config(format!(
                "{all} {what} are more than there is to play: {} offspring and their centre; try: fewer of them, or a larger \
                 population",
                plan.population
            )));
        }
        Ok(Shares { parts, rank: self.rank(), players })
    }

    /// The fitness of all players and the steps simulated by all ranks, from those of this rank's players.
    ///
    /// # Errors
    /// When a rank has failed.
    pub fn gather(&self, shares: &Shares, mine: Vec<f32>, steps: u64) -> Result<(Vec<f32>, u64)> {
        let steps = self.meet(Purpose::Gather, steps)?.iter().sum();
        let Some(comm) = &self.comm else { return Ok((mine, steps)) };
        let bytes: Vec<u8> = mine.iter().flat_map(|fitness| fitness.to_le_bytes()).collect();
        let lengths: Vec<usize> = (0..self.size()).map(|rank| shares.of_rank(rank).len() * size_of::<f32>()).collect();
        let all = comm.all_gather(&bytes, &lengths);
        self.count(|traffic| {
            traffic.generations += 1;
            traffic.fitness_bytes += bytes.len() as u64;
        });
        Ok((all.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(), steps))
    }

    /// Whether any rank says so.
    ///
    /// # Errors
    /// When a rank has failed.
    pub fn any(&self, says: bool) -> Result<bool> {
        Ok(self.meet(Purpose::Agree, u64::from(says))?.contains(&1))
    }

    /// The end of all that ranks do together: the first failure of any of them, or what this one has.
    ///
    /// # Errors
    /// When a rank has failed.
    pub fn conclude<T>(&self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Ok(outcome) => self.meet(Purpose::Conclude, 0).map(|_| outcome),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Tell the others; what all of them then have.
    fn fail(&self, error: Error) -> Error {
        let Some(comm) = self.comm.as_ref().filter(|_| !self.is_over.get()) else { return error };
        let message = error.to_string().into_bytes();
        let number = u64::from(error.exit_code()) << 32 | message.len() as u64;
        self.end(comm.as_ref(), self.exchange(comm.as_ref(), Purpose::Failure, number), message)
    }

    /// The numbers that all ranks have come with.
    fn meet(&self, purpose: Purpose, number: u64) -> Result<Vec<u64>> {
        let Some(comm) = &self.comm else { return Ok(vec![number]) };
        if self.is_over.get() {
            return Err(Error::Run("a rank has failed already".into()));
        }
        let told = self.exchange(comm.as_ref(), purpose, number);
        if told.iter().all(|&(theirs, _)| theirs == purpose as u64) {
            return Ok(told.into_iter().map(|(_, number)| number).collect());
        }
        Err(self.end(comm.as_ref(), told, Vec::new()))
    }

    /// Purpose and number of every rank.
    fn exchange(&self, comm: &dyn Comm, purpose: Purpose, number: u64) -> Vec<(u64, u64)> {
        let words = [purpose as u64, number].map(u64::to_le_bytes);
        let all = comm.all_gather(words.as_flattened(), &vec![Traffic::MEETING_BYTES; comm.size()]);
        self.count(|traffic| traffic.meetings += 1);
        let words: Vec<u64> = all.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        words.as_chunks().0.iter().map(|&[purpose, number]| (purpose, number)).collect()
    }

    /// The error that the first rank that failed has, `message` where that is this one.
    fn end(&self, comm: &dyn Comm, told: Vec<(u64, u64)>, mut message: Vec<u8>) -> Error {
        self.is_over.set(true);
        let failure = |&(purpose, _): &(u64, u64)| purpose == Purpose::Failure as u64;
        let Some(first) = told.iter().position(failure) else {
            return Error::Run(format!("the ranks are not in step, which is a mistake of this program: {told:?}"));
        };
        let number = told[first].1;
        if first != comm.rank() {
            message = vec![0; number as u32 as usize];
        }
        comm.broadcast(first, &mut message);
        let message = String::from_utf8_lossy(&message);
        let message = if first == 0 { message.into_owned() } else { format!("rank {first}: {message}") };
        match number >> 32 {
            2 => Error::Config(message),
            3 => Error::Device(message),
            _ => Error::Run(message),
        }
    }

    fn count(&self, add: impl Fn(&mut Traffic)) {
        let mut traffic = self.traffic.get();
        add(&mut traffic);
        self.traffic.set(traffic);
    }
}

impl Shares {
    /// A generation in one part.
    pub fn whole(plan: &Plan) -> Self {
        Self { parts: vec![1], rank: 0, players: plan.population + 1 }
    }

    /// Players of a part of this rank's, by its number among them.
    pub fn of_part(&self, part: usize) -> std::ops::Range<usize> {
        let before: usize = self.parts[..self.rank].iter().sum();
        slice(self.players, self.parts.iter().sum(), before + part)
    }

    /// Players of this rank.
    pub fn mine(&self) -> std::ops::Range<usize> {
        self.of_rank(self.rank)
    }

    fn of_rank(&self, rank: usize) -> std::ops::Range<usize> {
        let (all, before) = (self.parts.iter().sum(), self.parts[..rank].iter().sum::<usize>());
        let (first, last) = (slice(self.players, all, before), before + self.parts[rank]);
        first.start..slice(self.players, all, last - 1).end
    }
}

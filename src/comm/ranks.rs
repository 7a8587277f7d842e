//! The ranks of a run, and how they stay together.
//!
//! Whatever ranks do together begins with a *meeting*: every rank tells in 16 bytes what it has come for and one
//! number. A rank that has failed comes to the next meeting to say so, whatever that is about, and all ranks then have
//! its error: none waits for a rank that is not coming, and the error is told once. A rank that dies without a word is
//! the launcher's to notice.

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
    /// When there are more parts than players, when ranks have different plans or versions of this program, or when one
    /// has failed.
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use super::*;

    /// Two ranks, of which the other says what is written down here.
    struct Other {
        rank: usize,
        says: RefCell<VecDeque<Vec<u8>>>,
    }

    impl Comm for Other {
        fn rank(&self) -> usize {
            1 - self.rank
        }

        fn size(&self) -> usize {
            2
        }

        fn local(&self) -> (usize, usize) {
            (0, 1)
        }

        fn all_gather(&self, mine: &[u8], lengths: &[usize]) -> Vec<u8> {
            let theirs = self.says.borrow_mut().pop_front().expect("no further meeting");
            assert_eq!((mine.len(), theirs.len()), (lengths[self.rank()], lengths[self.rank]));
            if self.rank == 0 { [&theirs, mine].concat() } else { [mine, &theirs].concat() }
        }

        fn broadcast(&self, root: usize, bytes: &mut [u8]) {
            if root == self.rank {
                bytes.copy_from_slice(&self.says.borrow_mut().pop_front().expect("no further word"));
            }
        }
    }

    fn beside(rank: usize, says: Vec<Vec<u8>>) -> Ranks {
        Ranks::of(Box::new(Other { rank, says: RefCell::new(says.into()) }))
    }

    fn comes(purpose: Purpose, number: u64) -> Vec<u8> {
        [purpose as u64, number].map(u64::to_le_bytes).as_flattened().to_vec()
    }

    fn fails(message: &str) -> Vec<Vec<u8>> {
        vec![comes(Purpose::Failure, 3 << 32 | message.len() as u64), message.as_bytes().to_vec()]
    }

    fn shares(rank: usize) -> Shares {
        Shares { parts: vec![1, 2], rank, players: 7 }
    }

    #[test]
    fn fitness_comes_in_the_order_of_the_players_and_steps_are_added() {
        let theirs: Vec<u8> = [5.0, f32::NAN].iter().flat_map(|x| x.to_le_bytes()).collect();
        let ranks = beside(0, vec![comes(Purpose::Gather, 1 << 40), theirs]);
        let (fitness, steps) = ranks.gather(&shares(1), vec![1.0, 2.0, 3.0, 4.0, 0.5], 7).expect("both are there");
        assert_eq!(
            fitness.iter().map(|x| x.to_bits()).collect::<Vec<_>>()[2..],
            [1.0f32, 2.0, 3.0, 4.0, 0.5].map(f32::to_bits)
        );
        assert!(fitness[0] == 5.0 && fitness[1].is_nan());
        assert_eq!(steps, (1 << 40) + 7);
        assert_eq!(ranks.traffic(), Traffic { generations: 1, fitness_bytes: 20, meetings: 1, other_bytes: 0 });
    }

    #[test]
    fn parts_of_a_rank_lie_together() {
        assert_eq!((shares(0).mine(), shares(0).of_part(0)), (0..2, 0..2));
        assert_eq!((shares(1).mine(), shares(1).of_part(0), shares(1).of_part(1)), (2..7, 2..4, 4..7));
    }

    #[test]
    fn whoever_fails_first_is_heard_whatever_the_others_came_for() {
        let ranks = beside(1, fails("the device is gone"));
        let error = ranks.gather(&shares(0), vec![1.0, 2.0], 7).expect_err("the other has failed");
        assert_eq!((error.to_string().as_str(), error.exit_code()), ("rank 1: the device is gone", 3));
        // There is no further meeting, in which nobody would be.
        let again = ranks.conclude::<()>(Err(error)).expect_err("it has failed");
        assert_eq!(again.to_string(), "rank 1: the device is gone");
        assert!(ranks.any(true).is_err());

        let mine = || Err::<(), _>(Error::Config("here".into()));
        let both = beside(0, fails("there")).conclude(mine()).expect_err("both have failed");
        assert_eq!((both.to_string().as_str(), both.exit_code()), ("there", 3));
        let here = beside(1, vec![comes(Purpose::Agree, 0)]).conclude(mine()).expect_err("this one has failed");
        assert_eq!((here.to_string().as_str(), here.exit_code()), ("here", 2));
        let lost = beside(1, vec![comes(Purpose::Agree, 0)]).conclude(Ok(())).expect_err("not in step");
        assert!(lost.to_string().contains("not in step"));
    }
}

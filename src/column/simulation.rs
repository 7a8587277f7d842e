//! A network in time.
//!
//! A step of a part: what arrives is added up ([`Rows::arriving`] of every spike that is not too old), all its neurons move
//! (`Move`), and those that fire are listed. Parts that threads step side by side then tell each other who fired, and that is
//! all they share.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use super::background::{self, Counts, PoissonLaw, TOGETHER};
use super::network::{Network, Part, Population};
use super::neuron::{Channel, Constants};
use super::precision::{Precision, Register};
use super::synapses::Rows;
use crate::cpu::{InstructionSet, Kernel, LANES, Vector, prefetch};

/// A spike of a neuron.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spike {
    /// Its time in steps; the first step is 1.
    pub step: u32,
    /// Of the neuron, see [`Network::place`].
    pub lane: u32,
}

/// The state of a network's neurons, and how far it is.
#[derive(Debug)]
pub struct Simulation<'n, P: Precision> {
    network: &'n Network<P>,
    parts: Vec<State<P>>,
    step: u32,
    instructions: InstructionSet,
}

impl<'n, P: Precision> Simulation<'n, P> {
    /// At its beginning: first potentials, no currents, nobody refractory.
    pub fn new(network: &'n Network<P>) -> Self {
        // With equal time constants one current will do.
        let is_one = network.populations.iter().all(|population| population.constants.is_one_channel());
        Self::with_channels(network, is_one)
    }

    /// The same with a current for each sign of weights, and one for what comes from outside, whether or not it takes them.
    pub fn with_three_channels(network: &'n Network<P>) -> Self {
        Self::with_channels(network, false)
    }

    fn with_channels(network: &'n Network<P>, is_one: bool) -> Self {
        let parts = network.parts.iter().map(|part| State::new(network, part, is_one)).collect();
        Self { network, parts, step: 0, instructions: InstructionSet::best() }
    }

    /// The same, run with another instruction set of this machine: the bits must not change.
    pub fn with_instructions(self, instructions: InstructionSet) -> Self {
        Self { instructions, ..self }
    }

    /// Steps done.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// Move on by some steps; spikes are pushed in the order of steps and lanes. A network of several parts takes a thread for
    /// each.
    pub fn advance(&mut self, steps: u32, spikes: &mut Vec<Spike>) {
        let (first, last) = (self.step + 1, self.step + steps);
        self.step = last;
        let (network, instructions) = (self.network, self.instructions);
        if let [part] = &mut self.parts[..] {
            for step in first..=last {
                part.step(network, step, instructions);
                let fired = part.fired.iter().map(|&lane| Spike { step, lane });
                spikes.extend(fired);
                let fired = std::mem::take(&mut part.fired);
                part.remember(step, network, std::iter::once(&fired));
                part.fired = fired;
            }
            return;
        }
        let exchange = Exchange::new(self.parts.len());
        let begin = spikes.len();
        let run = |number: usize, part: &mut State<P>| {
            let (mut own, mut patience) = (Vec::new(), Exchange::PATIENCE.end);
            for step in first..=last {
                part.step(network, step, instructions);
                own.extend(part.fired.iter().map(|&lane| Spike { step, lane }));
                exchange.tell(step, number, &part.fired);
                exchange.wait(&mut patience);
                exchange.hear(step, |all| part.remember(step, network, all));
            }
            own
        };
        let run = &run;
        let recorded: Vec<Vec<Spike>> = std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .parts
                .iter_mut()
                .enumerate()
                .map(|(number, part)| scope.spawn(move || run(number, part)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        recorded.into_iter().for_each(|own| spikes.extend(own));
        spikes[begin..].sort_unstable();
    }

    /// Potential of every neuron of a population, mV.
    pub fn potentials(&self, population: usize) -> Vec<f64> {
        let e_l = self.network.populations[population].constants.e_l;
        self.numbers(population, |state| &state.u).map(|u| u + e_l).collect()
    }

    /// Currents of every neuron of a population, pA: the sum of all, or with three channels the excitatory and the inhibitory.
    pub fn currents(&self, population: usize) -> Vec<Vec<f64>> {
        let channels = self.parts[0].currents.len().min(2);
        (0..channels).map(|c| self.numbers(population, move |state| &state.currents[c]).collect()).collect()
    }

    fn numbers<'s>(
        &'s self,
        population: usize,
        of: impl Fn(&'s State<P>) -> &'s Vec<P> + 's,
    ) -> impl Iterator<Item = f64> + 's {
        let first = self.network.lanes[population];
        let lanes = self.parts.iter().flat_map(move |state| of(state).iter().map(|x| x.to_f64()));
        lanes.skip(first).take(self.network.populations[population].neurons)
    }
}

/// Spikes that threads tell each other, and where they wait for each other.
struct Exchange {
    /// `[parity of the step][part]`: a part that is a step ahead does not overwrite what others still read.
    fired: [Vec<Mutex<Vec<u32>>>; 2],
    arrived: AtomicUsize,
    round: AtomicUsize,
    /// Threads that have given up waiting for the next round, and where they sleep.
    asleep: AtomicUsize,
    bed: (Mutex<()>, Condvar),
}

impl Exchange {
    /// Turns of waiting after which a thread goes to sleep: at most what some hundred steps of a column at a tenth take.
    const PATIENCE: Range<u32> = 100..20_000;

    fn new(parts: usize) -> Self {
        let lists = || (0..parts).map(|_| Mutex::default()).collect();
        Self {
            fired: [lists(), lists()],
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            asleep: AtomicUsize::new(0),
            bed: (Mutex::new(()), Condvar::new()),
        }
    }

    fn tell(&self, step: u32, part: usize, fired: &[u32]) {
        let mut list = self.fired[step as usize % 2][part].lock().unwrap_or_else(PoisonError::into_inner);
        list.clear();
        list.extend_from_slice(fired);
    }

    fn hear(&self, step: u32, then: impl FnOnce(&mut dyn Iterator<Item = &Vec<u32>>)) {
        let lists = &self.fired[step as usize % 2];
        let held: Vec<_> = lists.iter().map(|list| list.lock().unwrap_or_else(PoisonError::into_inner)).collect();
        then(&mut held.iter().map(|list| &**list));
    }

    /// Until all parts have come here. Waiting turns are cheaper than sleep while all threads have a core; where other programs want
    /// the cores, the thread that is waited for may have none, and turns only keep it from one. So a thread has the less patience the
    /// more often it was in vain: a simulation beside two busy programs on two cores takes a twentieth of the time.
    fn wait(&self, patience: &mut u32) {
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.fired[0].len() {
            self.arrived.store(0, Ordering::Relaxed);
            // In one order with what sleepers do: they are seen here, or see this.
            self.round.store(round + 1, Ordering::SeqCst);
            if self.asleep.load(Ordering::SeqCst) > 0 {
                drop(self.bed.0.lock());
                self.bed.1.notify_all();
            }
            return;
        }
        for _ in 0..*patience {
            if self.round.load(Ordering::Acquire) != round {
                *patience = (*patience + *patience / 16).min(Self::PATIENCE.end);
                return;
            }
            std::hint::spin_loop();
        }
        *patience = (*patience / 2).max(Self::PATIENCE.start);
        self.asleep.fetch_add(1, Ordering::SeqCst);
        let bed = self.bed.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_here = |_: &mut ()| self.round.load(Ordering::SeqCst) == round;
        drop(self.bed.1.wait_while(bed, is_here).unwrap_or_else(PoisonError::into_inner));
        self.asleep.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A spike whose synapses have not all acted yet.
#[derive(Debug, Clone, Copy)]
struct Acting {
    step: u32,
    population: u32,
    source: u32,
}

/// Neurons of a population in a part.
#[derive(Debug, Clone)]
struct Segment {
    population: usize,
    /// In the part, whole vectors.
    lanes: Range<usize>,
    /// Number of its first neuron, through the lanes of the network.
    first: usize,
    /// Neurons; the lanes after them are empty.
    neurons: usize,
}

/// The neurons of a part. Arrays by lane.
#[derive(Debug)]
struct State<P: Precision> {
    segments: Vec<Segment>,
    number: usize,
    /// Potential above rest, mV.
    u: Vec<P>,
    /// One for all, or excitatory, inhibitory and from outside, pA.
    currents: Vec<Vec<P>>,
    /// Steps for which a neuron still rests.
    resting: Vec<P>,
    /// What arrives in this step: all, or the positive and the negative weights.
    arriving: Vec<Vec<P::Weight>>,
    /// Spikes from outside, for each vector of neurons.
    counts: Vec<Counts>,
    acting: VecDeque<Acting>,
    longest: u32,
    /// Next of the schedule.
    scheduled: usize,
    /// Lanes that fired in this step, through the network.
    fired: Vec<u32>,
}

impl<P: Precision> State<P> {
    fn new(network: &Network<P>, part: &Part<P>, is_one: bool) -> Self {
        let lanes = part.lanes.len();
        let segments = network.lanes.windows(2).enumerate().filter_map(|(population, range)| {
            let (from, to) = (range[0].max(part.lanes.start), range[1].min(part.lanes.end));
            let end = range[0] + network.populations[population].neurons;
            (from < to).then(|| Segment {
                population,
                lanes: from - part.lanes.start..to - part.lanes.start,
                first: from,
                neurons: end.min(to).saturating_sub(from),
            })
        });
        let (channels, signs) = if is_one { (1, 1) } else { (3, 2) };
        Self {
            segments: segments.collect(),
            number: network.parts.iter().position(|other| other.lanes == part.lanes).unwrap_or(0),
            u: network.first[part.lanes.clone()].iter().map(|&u| P::of(u)).collect(),
            currents: vec![vec![P::default(); lanes]; channels],
            resting: vec![P::default(); lanes],
            arriving: vec![vec![P::Weight::default(); lanes]; signs],
            counts: vec![Counts::default(); lanes / LANES],
            acting: VecDeque::new(),
            longest: part.rows.iter().map(Rows::longest).max().unwrap_or(0),
            scheduled: 0,
            fired: Vec::new(),
        }
    }

    /// From `step - 1` to `step`.
    fn step(&mut self, network: &Network<P>, step: u32, instructions: InstructionSet) {
        self.receive(&network.parts[self.number], step);
        self.fired.clear();
        let is_quiet = step <= network.quiet_steps;
        if !is_quiet && ((step - 1).is_multiple_of(TOGETHER) || step == network.quiet_steps + 1) {
            self.draw(network, (step - 1) / TOGETHER, instructions);
        }
        for segment in &self.segments {
            let population = &network.populations[segment.population];
            let counts = if is_quiet || population.background.is_none() { &[] } else { &self.counts[..] };
            let of = Move {
                segment,
                population,
                unit: P::unit(network.fraction_bits),
                external_weight: P::of(network.external_weight),
                step: (step - 1) % TOGETHER,
                u: &mut self.u,
                currents: &mut self.currents,
                resting: &mut self.resting,
                arriving: &mut self.arriving,
                counts,
                fired: &mut self.fired,
            };
            instructions.run(of);
        }
    }

    /// Add up what arrives in this step.
    #[inline(never)]
    fn receive(&mut self, part: &Part<P>, step: u32) {
        while self.acting.front().is_some_and(|spike| step - spike.step > self.longest) {
            self.acting.pop_front();
        }
        for spike in &self.acting {
            let rows = &part.rows[spike.population as usize];
            let delay = step - spike.step;
            if delay > rows.longest() {
                continue;
            }
            let (arriving, next) = rows.arriving(spike.source, delay);
            // What arrives with the next step.
            prefetch(next);
            match &mut self.arriving[..] {
                [all] => {
                    for synapse in arriving {
                        let sum = &mut all[synapse.target as usize];
                        *sum = P::add(*sum, synapse.weight);
                    }
                }
                signs => {
                    for synapse in arriving {
                        let sign = usize::from(synapse.weight < P::Weight::default());
                        let sum = &mut signs[sign][synapse.target as usize];
                        *sum = P::add(*sum, synapse.weight);
                    }
                }
            }
        }
    }

    /// The spikes from outside of the next steps.
    #[inline(never)]
    fn draw(&mut self, network: &Network<P>, eight_steps: u32, instructions: InstructionSet) {
        for segment in &self.segments {
            if let Some(law) = &network.populations[segment.population].background {
                let counts = &mut self.counts[segment.lanes.start / LANES..segment.lanes.end / LANES];
                instructions.run(Draw { law, seed: network.noise, eight_steps, first: segment.first, counts });
            }
        }
    }

    /// Spikes of this step, by part, that will act on this part from the next step on.
    fn remember<'a>(&mut self, step: u32, network: &Network<P>, fired: impl Iterator<Item = &'a Vec<u32>>) {
        for &lane in fired.flatten() {
            let (population, source) = network.place(lane as usize);
            self.acting.push_back(Acting { step, population: population as u32, source: source as u32 });
            network.parts[self.number].rows[population].prefetch(source as u32);
        }
        while let Some(&(at, source)) = network.schedule.get(self.scheduled).filter(|(at, _)| *at <= step) {
            self.acting.push_back(Acting { step: at, population: network.populations.len() as u32, source });
            self.scheduled += 1;
        }
    }
}

/// Draws the background of a segment, see [`super::background`].
struct Draw<'a> {
    law: &'a PoissonLaw,
    seed: u64,
    eight_steps: u32,
    first: usize,
    counts: &'a mut [Counts],
}

impl Kernel for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for (vector, counts) in self.counts.iter_mut().enumerate() {
            self.law.draw(self.seed, self.eight_steps, (self.first + vector * LANES) as u32, counts);
        }
    }
}

/// Moves the neurons of a segment by a step, see [`super::neuron`].
struct Move<'a, P: Precision> {
    segment: &'a Segment,
    population: &'a Population,
    unit: P,
    external_weight: P,
    /// Which of the steps drawn together this is.
    step: u32,
    u: &'a mut [P],
    currents: &'a mut [Vec<P>],
    resting: &'a mut [P],
    arriving: &'a mut [Vec<P::Weight>],
    /// Empty where nothing comes from outside.
    counts: &'a [Counts],
    fired: &'a mut Vec<u32>,
}

impl<P: Precision> Kernel for Move<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        if self.currents.len() == 1 { self.one::<P::Register<V>>() } else { self.three::<P::Register<V>>() }
    }
}

impl<P: Precision> Move<'_, P> {
    /// With one current.
    #[inline(always)]
    fn one<R: Register<P>>(self) {
        let Self { segment, population, unit, external_weight, step, counts, fired, .. } = self;
        let firing = Firing::<R>::new(&population.constants);
        let Channel { decay, gain } = population.constants.channels[0];
        let (decay, gain) = (R::splat(P::of(decay)), R::splat(P::of(gain)));
        let (leak, constant) = leak::<P, R>(population);
        let (unit, external_weight) = (R::splat(unit), R::splat(external_weight));
        let (half, shift) = (step as usize / 4, background::shift(step));
        // Slices of one length, which is then looked at once.
        let (range, n) = (segment.lanes.clone(), segment.lanes.len());
        let u = &mut self.u[range.clone()][..n];
        let current = &mut self.currents[0][range.clone()][..n];
        let arriving = &mut self.arriving[0][range.clone()][..n];
        let resting = &mut self.resting[range.clone()][..n];
        for first in (0..n).step_by(R::WIDTH) {
            let coming = match counts.get((range.start + first) / LANES) {
                Some(counts) => R::of_bytes(&counts[half][first % LANES..], shift),
                None => R::splat(P::default()),
            };
            let (before, flowing) = (R::load(&u[first..]), R::load(&current[first..]));
            let sums = &mut arriving[first..first + R::WIDTH];
            let input = coming.mul_add(external_weight, R::of_sums(sums).mul(unit));
            sums.fill(P::Weight::default());
            decay.mul_add(flowing, input).store(&mut current[first..]);
            let next = before.add(leak.mul_add(before, gain.mul_add(flowing, constant)));
            if let Some(moved) = firing.fire(before, next, &mut u[first..], &mut resting[first..]) {
                segment.list(first, population, moved, fired);
            }
        }
    }

    /// With an excitatory current, an inhibitory one, and one from outside.
    #[inline(always)]
    fn three<R: Register<P>>(self) {
        let Self { segment, population, unit, external_weight, step, counts, fired, .. } = self;
        let firing = Firing::<R>::new(&population.constants);
        let decay = population.constants.channels.map(|channel| R::splat(P::of(channel.decay)));
        let gain = population.constants.channels.map(|channel| R::splat(P::of(channel.gain)));
        let (leak, constant) = leak::<P, R>(population);
        let (unit, external_weight) = (R::splat(unit), R::splat(external_weight));
        let (half, shift) = (step as usize / 4, background::shift(step));
        let (range, n) = (segment.lanes.clone(), segment.lanes.len());
        let u = &mut self.u[range.clone()][..n];
        let resting = &mut self.resting[range.clone()][..n];
        for first in (0..n).step_by(R::WIDTH) {
            let lane = range.start + first;
            let before = R::load(&u[first..]);
            let mut next = constant;
            for channel in [2, 1, 0] {
                let input = match self.arriving.get_mut(channel) {
                    Some(sums) => {
                        let sums = &mut sums[lane..lane + R::WIDTH];
                        let inside = R::of_sums(sums).mul(unit);
                        sums.fill(P::Weight::default());
                        inside
                    }
                    None => match counts.get(lane / LANES) {
                        Some(counts) => R::of_bytes(&counts[half][first % LANES..], shift).mul(external_weight),
                        None => R::splat(P::default()),
                    },
                };
                let current = &mut self.currents[channel][lane..];
                let flowing = R::load(current);
                decay[channel].mul_add(flowing, input).store(current);
                next = gain[channel].mul_add(flowing, next);
            }
            let next = before.add(leak.mul_add(before, next));
            if let Some(moved) = firing.fire(before, next, &mut u[first..], &mut resting[first..]) {
                segment.list(first, population, moved, fired);
            }
        }
    }
}

/// What leaks rather than what stays, which single precision holds a hundred times as well; and what a step adds.
#[inline(always)]
fn leak<P: Precision, R: Register<P>>(population: &Population) -> (R, R) {
    let constants = &population.constants;
    (R::splat(P::of(-constants.leak)), R::splat(P::of(constants.constant * population.current)))
}

impl Segment {
    /// Lanes from `first` on whose potentials are at the threshold have fired.
    #[cold]
    #[inline(never)]
    fn list<P: Precision>(&self, first: usize, population: &Population, potentials: [P; LANES], fired: &mut Vec<u32>) {
        let threshold = P::of(population.constants.threshold);
        for (lane, potential) in (first..self.neurons).zip(potentials) {
            if potential >= threshold {
                fired.push((self.first + lane) as u32);
            }
        }
    }
}

/// What firing goes by.
struct Firing<R> {
    threshold: R,
    /// The largest number that is not at the threshold.
    below: R,
    reset: R,
    refractory: R,
    one: R,
    minus_one: R,
}

impl<R> Firing<R> {
    #[inline(always)]
    fn new<P: Precision>(constants: &Constants) -> Self
    where
        R: Register<P>,
    {
        let threshold = P::of(constants.threshold);
        let splat = |x: f64| R::splat(P::of(x));
        Self {
            threshold: R::splat(threshold),
            below: R::splat(threshold.below()),
            reset: splat(constants.reset),
            refractory: splat(f64::from(constants.refractory)),
            one: splat(1.0),
            minus_one: splat(-1.0),
        }
    }

    /// Neurons that do not rest move to `next`, and those that are then at the threshold fire. If any did: where all had moved,
    /// the rest of the array being below any threshold.
    #[inline(always)]
    fn fire<P: Precision>(&self, before: R, next: R, u: &mut [P], resting: &mut [P]) -> Option<[P; LANES]>
    where
        R: Register<P>,
    {
        let rest = R::load(resting);
        let moved = rest.if_less(self.one, next, before);
        moved.if_less(self.threshold, moved, self.reset).store(u);
        let rest = rest.add(self.minus_one).at_least_zero();
        moved.if_less(self.threshold, rest, self.refractory).store(resting);
        self.below.any_less(moved).then(|| {
            let mut potentials = [P::of(f64::NEG_INFINITY); LANES];
            moved.store(&mut potentials);
            potentials
        })
    }
}

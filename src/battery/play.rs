//! How any controller lives through any protocol: windows of lives side by side, on all threads, to the same bits.
//!
//! What a life draws is a function of the seed, the assay, the life's number and the step; what it answers depends on its own
//! state alone. So a life is the same in any window, on any thread, and beside any others.

use std::ops::Range;

use rayon::prelude::*;

use super::body::Animal;
use crate::cpu::{InstructionSet, LANES};
use crate::rng::{Row, Stream, normal_pair};

/// Lives side by side: several registers of lanes, few enough to share out well.
pub const WINDOW: usize = 4 * LANES;
/// Lives whose paths are kept for figures.
pub const PATHS: usize = 12;
/// As many channels as any world shows, r+ and r- among them.
const MOST: usize = 18;

/// What an assay's animals go through, control step by control step.
///
/// A kernel does the same with a thread a life: `Life` is what it keeps, the words are those that it draws.
pub trait Protocol: Sync {
    /// State of a life, and what is written down of it.
    type Life: Clone + Send;

    /// Number of the assay: it draws other numbers than all others.
    const NUMBER: u32;
    /// It needs the words of its control steps.
    const DRAWS: bool = true;
    /// Channels that a controller is shown, reward apart. Worlds that share a name share the sense.
    const SENSES: &'static [&'static str];
    /// What a controller puts out; at most four.
    const MOTORS: &'static [&'static str];
    /// Control steps after which every life is over.
    fn longest(&self) -> u32;

    /// Life number `number` begins. Whatever holds for all of it is drawn from the blocks of `row`.
    fn begin(&self, row: &Row, number: u32) -> Self::Life;

    /// What the animal is shown, and the outcome it is told: 1, -1 or 0.
    fn observe(&self, life: &mut Self::Life, words: [u32; 4], senses: &mut [f32]) -> i32;

    /// It has answered. `outcome` says what it gets where the world would give it something: that, or another life's.
    fn act(&self, life: &mut Self::Life, words: [u32; 4], outputs: &[f32], outcome: &mut Outcomes) -> After;

    /// What is kept of a life: the columns that scores are made of.
    fn values(&self, life: &Self::Life) -> Vec<f64>;

    /// What a life is worth to evolution. Not the score that it is judged by: it must lead there from nothing.
    fn fitness(&self, life: &Self::Life) -> f32;

    /// Places it went through, for figures.
    fn path(life: &Self::Life) -> &[[f32; 2]] {
        let _ = life;
        &[]
    }
}

/// What follows a control step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The next one.
    Next,
    /// The next one; an amnesic animal has forgotten everything by then.
    Forget,
    /// Nothing: the life is over.
    Over,
}

/// What is done to animals to see what they need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Treatment {
    /// Nothing.
    #[default]
    None,
    /// Their state is put back to rest just before the test.
    Amnesia,
    /// They get the outcomes of another life, in their order.
    Shuffled,
}

/// What a life got, and what it gets.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    own: Vec<i8>,
    given: Option<Vec<i8>>,
}

impl Outcomes {
    /// What the animal is told where the world would tell it `own`.
    pub fn next(&mut self, own: i32) -> i32 {
        let number = self.own.len();
        self.own.push(own as i8);
        match &self.given {
            // A donor that lived through fewer outcomes begins again.
            Some(given) => given.get(number % given.len().max(1)).map_or(0, |&other| i32::from(other)),
            None => own,
        }
    }
}

/// Whoever answers: fixed parameters, and seats for lives.
pub trait Controller: Sync {
    /// Seats for `lanes` lives, all at rest.
    fn seat(&self, lanes: usize) -> Box<dyn Seat + '_>;

    /// Steps of its network in a control step; 0 of one that is no network.
    fn network_steps(&self) -> u64 {
        0
    }

    /// Whose lives a device can play; none of whoever answers on the CPU alone.
    fn animal(&self) -> Option<Animal<'_>> {
        None
    }
}

/// The state of some lives' controllers.
pub trait Seat {
    /// Everything of a lane at rest: no memory of anything.
    fn reset(&mut self, lane: usize);

    /// One control step of all lanes: `outputs[output * lanes + lane]`. Lanes that are over may be left out.
    fn step(&mut self, moment: &Moment, outputs: &mut [f32]);
}

/// What the lanes are shown in a control step.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Whoever acts at random draws from the blocks of these.
    pub seed: u64,
    /// The assay's.
    pub number: u32,
    /// Since the lives began.
    pub step: u32,
    /// Number of the first lane's life; the others follow.
    pub first: u32,
    /// A multiple of [`LANES`].
    pub lanes: usize,
    /// Lanes whose lives go on.
    pub live: &'a [usize],
    /// `[channel][lane]`: senses, then r+ and r-, each 0 or 1.
    pub senses: &'a [f32],
}

impl Moment<'_> {
    /// Channels, those of the reward among them.
    pub fn channels(&self) -> usize {
        self.senses.len() / self.lanes
    }

    /// Four words for whoever acts at random in a lane.
    pub fn chance(&self, lane: usize) -> [u32; 4] {
        let index = self.first + lane as u32;
        Row { seed: self.seed, stream: Stream::Behaviour, generation: self.number, index }.block(self.step)
    }
}

/// A controller by hand: the state of one animal, and its answer.
pub trait Behaviour: Clone + Send + Sync {
    /// The answer to what is sensed, the outcome that is told (1, -1 or 0), and four random words.
    fn act(&mut self, senses: &[f32], outcome: i32, chance: [u32; 4]) -> [f32; 4];
}

/// A behaviour at rest, which every life begins with a copy of.
#[derive(Debug, Clone, Copy)]
pub struct Each<B>(pub B);

struct Copies<'a, B> {
    rest: &'a B,
    lives: Vec<B>,
}

impl<B: Behaviour> Controller for Each<B> {
    fn seat(&self, lanes: usize) -> Box<dyn Seat + '_> {
        Box::new(Copies { rest: &self.0, lives: vec![self.0.clone(); lanes] })
    }
}

impl<B: Behaviour> Seat for Copies<'_, B> {
    fn reset(&mut self, lane: usize) {
        self.lives[lane] = self.rest.clone();
    }

    fn step(&mut self, moment: &Moment, outputs: &mut [f32]) {
        let (lanes, senses) = (moment.lanes, moment.channels() - 2);
        let mut shown = [0.0; MOST];
        for &lane in moment.live {
            let at = |channel: usize| moment.senses[channel * lanes + lane];
            (0..senses).for_each(|channel| shown[channel] = at(channel));
            let outcome = at(senses) as i32 - at(senses + 1) as i32;
            let answer = self.lives[lane].act(&shown[..senses], outcome, moment.chance(lane));
            outputs[lane..].iter_mut().step_by(lanes).zip(answer).for_each(|(to, answer)| *to = answer);
        }
    }
}

/// Which lives are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lives {
    /// Of all that they draw.
    pub seed: u64,
    /// How many, from number 0 on.
    pub count: u32,
}

/// Lives that have been played.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// `[life][column]`.
    pub values: Vec<Vec<f64>>,
    /// Of the first lives.
    pub paths: Vec<Vec<[f32; 2]>>,
    /// Control steps of all of them.
    pub steps: u64,
}

/// A life that is over, with what it got.
struct Over {
    values: Vec<f64>,
    path: Vec<[f32; 2]>,
    outcomes: Vec<i8>,
    steps: u64,
}

/// Play lives of a protocol.
pub fn play<P: Protocol>(protocol: &P, controller: &dyn Controller, lives: Lives, treatment: Treatment) -> Played {
    let mut played = Played { values: Vec::with_capacity(lives.count as usize), paths: Vec::new(), steps: 0 };
    play_some(protocol, controller, lives.seed, 0..lives.count, treatment, &mut played);
    played
}

/// The same of lives of these numbers, the first of which is even; they join those that have been played.
pub(super) fn play_some<P: Protocol>(
    protocol: &P,
    controller: &dyn Controller,
    seed: u64,
    numbers: Range<u32>,
    treatment: Treatment,
    played: &mut Played,
) {
    let window = |first: u32, treatment: Treatment, given: Option<&[Over]>| {
        let count = (numbers.end - first).min(WINDOW as u32);
        let lived =
            live(protocol, controller, Window { seed, first, count, noise: 0.0, noisy: 0 }, treatment, given, true);
        let over = |((life, outcomes), steps): ((P::Life, Outcomes), u64)| Over {
            values: protocol.values(&life),
            path: P::path(&life).to_vec(),
            outcomes: outcomes.own,
            steps,
        };
        let Lived { lives, outcomes, steps } = lived;
        lives.into_iter().zip(outcomes).zip(steps).map(over).collect::<Vec<_>>()
    };
    let starts: Vec<u32> = numbers.clone().step_by(WINDOW).collect();
    let over: Vec<Over> = starts
        .par_iter()
        .flat_map_iter(|&first| match treatment {
            Treatment::Shuffled => {
                // A life and its donor are neighbours, so they are in one window. The last of an odd number has none, and
                // is told nothing.
                let donors = window(first, Treatment::None, None);
                window(first, treatment, Some(&donors))
            }
            _ => window(first, treatment, None),
        })
        .collect();
    for Over { values, path, steps, .. } in over {
        played.steps += steps;
        played.values.push(values);
        if played.paths.len() < PATHS && !path.is_empty() {
            played.paths.push(path);
        }
    }
}

/// Lives that are played side by side, from number `first` on; at most [`WINDOW`].
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Of all that they draw.
    pub seed: u64,
    /// Number of the first.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Standard deviation of what is added to each output, anew in every control step ...
    pub noise: f32,
    /// ... of lives whose number is below this one.
    pub noisy: u32,
}

/// What each life of a window is worth to evolution. Returns the control steps of all of them.
pub fn fitness<P: Protocol>(protocol: &P, controller: &dyn Controller, window: Window, fitness: &mut [f32]) -> u64 {
    let Lived { lives, steps, .. } = live(protocol, controller, window, Treatment::None, None, false);
    fitness.iter_mut().zip(&lives).for_each(|(fitness, life)| *fitness = protocol.fitness(life));
    steps.iter().sum()
}

/// Lives at their ends, and the control steps of each.
struct Lived<L> {
    lives: Vec<L>,
    outcomes: Vec<Outcomes>,
    steps: Vec<u64>,
}

fn live<P: Protocol>(
    protocol: &P,
    controller: &dyn Controller,
    Window { seed, first, count, noise, noisy }: Window,
    treatment: Treatment,
    donors: Option<&[Over]>,
    is_shown: bool,
) -> Lived<P::Life> {
    let row = |stream, lane: usize| Row { seed, stream, generation: P::NUMBER, index: first + lane as u32 };
    // Of a network every lane of every unit costs: no more than fill a register.
    let lanes = (count as usize).next_multiple_of(InstructionSet::best().width());
    let mut seat = controller.seat(lanes);
    // Figures show the first lives; of those that nobody looks at none is.
    let number = |lane: usize| if is_shown { first + lane as u32 } else { u32::MAX };
    let mut lives: Vec<P::Life> =
        (0..count as usize).map(|lane| protocol.begin(&row(Stream::AssayLife, lane), number(lane))).collect();
    let given =
        |lane: usize| donors.map(|donors| donors.get(lane ^ 1).map_or_else(Vec::new, |donor| donor.outcomes.clone()));
    let mut outcomes: Vec<Outcomes> =
        (0..lives.len()).map(|lane| Outcomes { own: Vec::new(), given: given(lane) }).collect();
    let mut steps = vec![0; lives.len()];
    let mut live: Vec<usize> = (0..lives.len()).collect();
    let (channels, motors) = (P::SENSES.len(), P::MOTORS.len());
    let mut senses = vec![0.0; (channels + 2) * lanes];
    let mut outputs = vec![0.0; motors * lanes];
    let (mut shown, mut answer) = ([0.0; MOST], [0.0; MOST]);
    let mut step = 0;
    while !live.is_empty() {
        let draw = |&lane: &usize| if P::DRAWS { row(Stream::AssayStep, lane).block(step) } else { [0; 4] };
        let words: Vec<[u32; 4]> = live.iter().map(draw).collect();
        for (&lane, &words) in live.iter().zip(&words) {
            let told = protocol.observe(&mut lives[lane], words, &mut shown[..channels]);
            shown[channels] = f32::from(told > 0);
            shown[channels + 1] = f32::from(told < 0);
            senses[lane..].iter_mut().step_by(lanes).zip(shown).for_each(|(to, sense)| *to = sense);
        }
        let moment = Moment { seed, number: P::NUMBER, step, first, lanes, live: &live, senses: &senses };
        seat.step(&moment, &mut outputs);
        let mut still = Vec::with_capacity(live.len());
        for (&lane, &words) in live.iter().zip(&words) {
            outputs[lane..].iter().step_by(lanes).zip(&mut answer).for_each(|(&output, to)| *to = output);
            if noise > 0.0 && first + (lane as u32) < noisy {
                let [a, b, c, d] = row(Stream::MotorNoise, lane).block(step);
                let (first, second) = (normal_pair(a, b), normal_pair(c, d));
                let normals = [first.0, first.1, second.0, second.1];
                answer[..motors].iter_mut().zip(normals).for_each(|(answer, normal)| *answer += noise * normal);
            }
            let after = protocol.act(&mut lives[lane], words, &answer[..motors], &mut outcomes[lane]);
            steps[lane] += 1;
            if after == After::Forget && treatment == Treatment::Amnesia {
                seat.reset(lane);
            }
            if after != After::Over {
                still.push(lane);
            }
        }
        live = still;
        step += 1;
    }
    Lived { lives, outcomes, steps }
}

//! Assays on the plate: A, salt, and B, where the food was.

use super::{Animal, Assay, Criterion, Curve, Ground, Known, PLAIN_SEED, Stage, Subject, lived};
use crate::battery::arena::Arena;
use crate::battery::chemotaxis::{self, BEARINGS, Chemotaxis, MINUTES};
use crate::battery::controls::Random;
use crate::battery::controls::worm::{Navigator, Reflex, Wanderer};
use crate::battery::memory;
use crate::battery::plain::Plain;
use crate::battery::plate::Plate;
use crate::battery::play::{Each, Treatment};
use crate::battery::scores::{Bound, Sample, Score};

use chemotaxis::column as a;
use memory::column as b;

const INDEX: Score = Score { name: "chemotaxis index at 600 s", of: |lives| lives.mean(a::SPOT + MINUTES - 1) };
const APPROACH: Score = Score { name: "approach, 1 - d/d(0)", of: |lives| lives.mean(a::APPROACH) };
const REACH: Score = Score { name: "share that came within 3 mm", of: |lives| lives.mean(a::REACHED) };
const LATENCY: Score = Score { name: "median time to that, s", of: |lives| lives.median(a::LATENCY) };
const SLOPE: Score = Score { name: "weathervane slope, deg/mm per mM/mm", of: slope };
const RATIO: Score = Score { name: "pirouettes a minute, down over up", of: |lives| rate(lives, 2) / rate(lives, 0) };
const FALL: Score = Score { name: "largest fall of the index in a minute", of: fall };
const UP: Score = Score { name: "pirouettes a minute up the gradient", of: |lives| rate(lives, 0) };
const DOWN: Score = Score { name: "pirouettes a minute down the gradient", of: |lives| rate(lives, 2) };

/// Least squares of the curving rate on the gradient to the left, over all steps of all lives.
fn slope(lives: &Sample) -> f64 {
    let [n, x, y, xy, xx] = std::array::from_fn(|i| lives.sum(a::REGRESSION + i));
    (n * xy - x * y) / (n * xx - x * x)
}

fn rate(lives: &Sample, side: usize) -> f64 {
    lives.sum(a::EVENTS + side) / lives.sum(a::EVENTS + side + 1)
}

/// Of the curve's points, one after the other; below 0 if it always rises.
fn fall(lives: &Sample) -> f64 {
    let index = |minute: usize| lives.mean(a::SPOT + minute);
    (1..MINUTES).map(|minute| index(minute - 1) - index(minute)).fold(f64::NEG_INFINITY, f64::max)
}

fn bearings(lives: &Sample) -> Vec<(f64, f64)> {
    let middle = |bin: usize| 360.0 * ((bin as f64 + 0.5) / BEARINGS as f64 - 0.5);
    (0..BEARINGS).map(|bin| (middle(bin), lives.sum(a::CURVING + bin) / lives.sum(a::CURVED + bin))).collect()
}

/// The assay of a reflex.
pub const CHEMOTAXIS: Assay = Assay {
    letter: 'A',
    name: "chemotaxis",
    title: "salt chemotaxis of a worm on a plate",
    stage: Stage::Reflex,
    variant: false,
    game: game!(Chemotaxis, Chemotaxis::default()),
    scores: &[INDEX, APPROACH, REACH, LATENCY, SLOPE, RATIO, UP, DOWN, FALL],
    criteria: &[
        Criterion::of(
            &INDEX,
            Bound::AtLeast(0.6),
            Animal::unverified("0.6 to 0.9, many labs", "population assays with NaCl"),
        ),
        Criterion::of(&APPROACH, Bound::AtLeast(0.3), Animal::NONE),
    ],
    main: &INDEX,
    of_a_life: |life| life[a::APPROACH],
    as_animal: Some((
        "as the worm does",
        &[
            Criterion::of(&SLOPE, Bound::AtLeast(0.0), Animal::unverified("of the order of 10", "Iino & Yoshida 2009")),
            Criterion::of(
                &RATIO,
                Bound::AtLeast(1.5),
                Animal::checked("more down the gradient than up", "Pierce-Shimomura et al. 1999"),
            ),
            // Monotone within noise: of 1,000 lives a minute's change has a standard error of 0.01 or so, and this is the largest of 9.
            Criterion::of(&FALL, Bound::AtMost(0.05), Animal::NONE),
        ],
    )),
    nulls: &[
        Known { name: "pirouettes at a constant rate", make: || Subject::animal(Each(Reflex::INDIFFERENT)) },
        Known { name: "turns at random", make: || Subject::animal(Each(Wanderer)) },
        Known { name: "the reflex inverted", make: || Subject::animal(Each(Reflex::INVERTED)) },
    ],
    control: Known { name: "steering and pirouettes", make: || Subject::animal(Each(Reflex::BOTH)) },
    conditions: &[
        "as trained",
        "spread 10 mm",
        "spread 25 mm",
        "plate of 30 mm",
        "gain 10",
        "gain 40",
        "peak 10 mM",
        "speed 0.1 mm/s",
        "noise 0.1",
        "all together: 10 mm, 30 mm, gain 10, 10 mM, 0.1 mm/s, noise 0.1",
    ],
    long_delay: None,
    curves: &[
        Curve {
            title: "Chemotaxis index over time",
            x: "minutes",
            y: "index",
            of: |lives| super::over_trials(lives, a::SPOT, MINUTES),
        },
        Curve {
            title: "Curving by bearing",
            x: "bearing of the peak, degrees to the left",
            y: "curving, deg/mm",
            of: bearings,
        },
    ],
    series: &[],
    ground: Some(Ground {
        radius: 45.0,
        circles: &[(20.0, 0.0, 10.0), (20.0, 0.0, 1.0), (-20.0, 0.0, 10.0)],
        caption: "Paths of ten minutes; dots are where they end. Right: the peak and the 10 mm around it that count; left: \
                  the mirror spot, where there is no salt.",
    }),
    play: |condition, subject, asked| {
        let usual = Plate::default();
        let plate = match condition {
            1 => Plate { spread: 10.0, ..usual },
            2 => Plate { spread: 25.0, ..usual },
            3 => Plate { radius: 30.0, ..usual },
            4 => Plate { gain: 10.0, ..usual },
            5 => Plate { gain: 40.0, ..usual },
            6 => Plate { peak: 10.0, ..usual },
            7 => Plate { speed: 0.1, ..usual },
            8 => Plate { noise: 0.1, ..usual },
            9 => Plate { spread: 10.0, radius: 30.0, gain: 10.0, peak: 10.0, speed: 0.1, noise: 0.1, ..usual },
            _ => usual,
        };
        lived(&Chemotaxis { plate, ..Chemotaxis::default() }, subject, asked)
    },
};

const FOUND: Score = Score { name: "share that found the food", of: |lives| lives.mean(b::REACHED) };
const MEMORY: Score = Score { name: "memory index, mean cos(exit - site)", of: |lives| lives.mean(b::COSINE) };
const QUADRANT: Score = Score { name: "share in the right quadrant", of: |lives| lives.mean(b::QUADRANT) };
const EXITS: Score = Score { name: "share that left the ring", of: |lives| lives.mean(b::EXIT) };
const SEARCH: Score = Score {
    name: "pirouettes in the first minute over the second",
    of: |lives| {
        let rate = |first: usize| lives.sum(first) / lives.sum(first + 1);
        rate(b::EVENTS) / rate(b::EVENTS + 2)
    },
};

/// The assay of a place.
pub const FOOD_MEMORY: Assay = Assay {
    letter: 'B',
    name: "food-memory",
    title: "where the food was, after a delay",
    stage: Stage::Memory,
    variant: false,
    game: game!(Arena, Arena::default()),
    scores: &[FOUND, MEMORY, QUADRANT, EXITS, SEARCH],
    criteria: &[
        Criterion::of(&FOUND, Bound::AtLeast(0.8), Animal::NONE),
        Criterion::of(
            &MEMORY,
            Bound::AtLeast(0.5),
            Animal::checked(
                "rodents and insects remember places; whether worms do is contested",
                "Gourgou et al. 2021; Law 2009",
            ),
        ),
        Criterion::treated(&MEMORY, Bound::Within(-0.1, 0.1), Treatment::Amnesia),
        Criterion::treated(&MEMORY, Bound::Within(-0.1, 0.1), Treatment::Shuffled),
    ],
    main: &MEMORY,
    of_a_life: |life| life[b::COSINE],
    as_animal: None,
    nulls: &[
        Known { name: "the reflex, without memory", make: || Subject::animal(Each(Reflex::BOTH)) },
        Known { name: "turns at random", make: || Subject::animal(Each(Wanderer)) },
        Known {
            name: "a plain network with random weights",
            make: || Subject::animal(Plain::random(11, 3, PLAIN_SEED)),
        },
        Known { name: "random answers", make: || Subject::animal(Each(Random)) },
    ],
    control: Known { name: "adds up its compass", make: || Subject::animal(Each(Navigator::REST)) },
    conditions: &[
        "as trained",
        "sites at 4 mm",
        "sites at 8 mm, plate of 12 mm",
        "delay of 10 steps",
        "delay of 160 steps",
        "put back 4 mm off",
        "all together: 8 mm, 160 steps, 4 mm off",
    ],
    long_delay: None,
    curves: &[],
    series: &[],
    ground: Some(Ground {
        radius: 10.0,
        circles: &[(0.0, 0.0, 6.0), (6.0, 0.0, 1.5)],
        caption: "Paths of the test, when there is no food any more, turned so that it had been on the right; the large circle is \
                  the ring at which an exit is scored.",
    }),
    play: |condition, subject, asked| {
        let usual = Arena::default();
        let wide = Arena { plate: Plate { radius: 12.0, ..usual.plate }, site_radius: 8.0, ring: 8.0, ..usual };
        let arena = match condition {
            1 => Arena { site_radius: 4.0, ring: 4.0, ..usual },
            2 => wide,
            3 => Arena { delay: 10, ..usual },
            4 => Arena { delay: 160, ..usual },
            5 => Arena { offset: 4.0, ..usual },
            6 => Arena { delay: 160, offset: 4.0, ..wide },
            _ => usual,
        };
        lived(&arena, subject, asked)
    },
};

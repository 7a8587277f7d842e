//! Assays of choices that outcomes change: C, one shock; D, the reversal of a T-maze; E, a preference and its swap; F, two tasks.

use super::{Animal, Assay, Criterion, Curve, Known, PLAIN_SEED, Stage, Subject, lived, over_trials};
use crate::battery::controls::choices::{
    Avoider, Careless, Coin, DeltaRule, Freezer, Leftist, OneSlot, SideKeeper, Taste,
};
use crate::battery::controls::maze::{RandomWalk, Walker};
use crate::battery::cues::{CURVE, Rules, Swap, TwoTasks, swap_column as e, tasks_column as f};
use crate::battery::plain::Plain;
use crate::battery::play::{Each, Treatment};
use crate::battery::reversal::{self, Reversal, column as d};
use crate::battery::scores::{Bound, Sample, Score};
use crate::battery::step_through::{StepThrough, column as c};

const NAIVE: Score = Score { name: "naive latency, median s", of: |lives| lives.median(c::LATENCY) };
const SHOCKED: Score =
    Score { name: "latency where it was shocked, median s", of: |lives| lives.median(c::LATENCY_SHOCKED) };
const OTHER: Score = Score { name: "latency elsewhere, median s", of: |lives| lives.median(c::LATENCY_OTHER) };
const UNSHOCKED: Score =
    Score { name: "latency of the unshocked, median s", of: |lives| lives.median(c::LATENCY_UNSHOCKED) };
const AVOIDANCE_INDEX: Score =
    Score { name: "avoidance index", of: |lives| lives.mean(c::AVOIDS_SHOCKED) - lives.mean(c::AVOIDS_UNSHOCKED) };
const SPECIFICITY: Score =
    Score { name: "specificity index", of: |lives| lives.mean(c::AVOIDS_SHOCKED) - lives.mean(c::AVOIDS_OTHER) };
const GOOD: Score = Score { name: "share that avoids", of: |lives| lives.mean(c::AVOIDS_SHOCKED) };

/// One shock.
pub const AVOIDANCE: Assay = Assay {
    letter: 'C',
    name: "avoidance",
    title: "one-shot avoidance in a step-through box",
    stage: Stage::Learning,
    variant: false,
    game: game!(StepThrough, StepThrough::default()),
    scores: &[NAIVE, SHOCKED, OTHER, UNSHOCKED, AVOIDANCE_INDEX, SPECIFICITY, GOOD],
    criteria: &[
        Criterion::of(&NAIVE, Bound::AtMost(60.0), Animal::unverified("rodents: 10 to 30 s", "step-through protocols")),
        Criterion::of(
            &AVOIDANCE_INDEX,
            Bound::AtLeast(0.5),
            // The spread is the standard error of 21 of 50.
            Animal {
                number: Some([0.42, 0.07]),
                ..Animal::checked("snails: 0.42, 21 of 50 (mice about 0.8, unverified)", "Sugai et al. 2007")
            },
        ),
        Criterion::of(&SPECIFICITY, Bound::AtLeast(0.5), Animal::NONE),
        Criterion::treated(&AVOIDANCE_INDEX, Bound::Within(-0.1, 0.1), Treatment::Amnesia),
        Criterion::treated(&AVOIDANCE_INDEX, Bound::AtMost(0.3), Treatment::Shuffled),
    ],
    main: &SPECIFICITY,
    of_a_life: |life| life[c::AVOIDS_SHOCKED] - life[c::AVOIDS_OTHER],
    as_animal: None,
    nulls: &[
        Known { name: "goes in now and then", make: || Subject::animal(Each(Careless::EAGER)) },
        Known { name: "goes in rarely", make: || Subject::animal(Each(Careless::RELUCTANT)) },
        Known { name: "freezes after any shock", make: || Subject::animal(Each(Freezer::default())) },
        Known {
            name: "a plain network with random weights",
            make: || Subject::animal(Plain::random(8, 2, PLAIN_SEED)),
        },
    ],
    control: Known { name: "remembers each cue", make: || Subject::animal(Each(Avoider::default())) },
    conditions: &[
        "as trained",
        "delay of 5 steps",
        "delay of 80 steps",
        "cut off after 120 steps",
        "new cues: blends of two",
        "all together: 80, 120, blends",
    ],
    long_delay: Some(2),
    curves: &[],
    series: &[],
    ground: None,
    play: |condition, subject, asked| {
        let usual = StepThrough::default();
        let protocol = match condition {
            1 => StepThrough { delay: 5, ..usual },
            2 => StepThrough { delay: 80, ..usual },
            3 => StepThrough { cutoff: 120, ..usual },
            4 => StepThrough { blends: true, ..usual },
            5 => StepThrough { delay: 80, cutoff: 120, blends: true },
            _ => usual,
        };
        lived(&protocol, subject, asked)
    },
};

const FIRST: Score = Score { name: "first choice right", of: |lives| lives.mean(d::RIGHT) };
const FOOD: Score = Score { name: "trials with food", of: |lives| lives.mean(d::FOOD) };
const LAST: Score = Score { name: "right in the last 4 of a block", of: |lives| lives.mean(d::LAST) };
const ERRORS: Score = Score { name: "errors a reversal", of: |lives| lives.mean(d::ERRORS) };
const SLOWER: Score =
    Score { name: "errors a reversal, late less early", of: |lives| lives.mean(d::LATE) - lives.mean(d::EARLY) };
const ACTIONS: Score = Score { name: "actions a trial", of: |lives| lives.mean(d::ACTIONS) };

/// The T-maze.
pub const REVERSAL: Assay = Assay {
    letter: 'D',
    name: "reversal",
    title: "reversal in the T-maze, by the first choice",
    stage: Stage::Learning,
    variant: false,
    game: game!(Reversal, Reversal::evolving()),
    scores: &[FIRST, FOOD, LAST, ERRORS, SLOWER, ACTIONS],
    criteria: &[
        Criterion::of(
            &LAST,
            Bound::AtLeast(0.8),
            Animal::unverified("rodents: 0.8 and more in rewarded alternation", "Deacon & Rawlins 2006 for the method"),
        ),
        Criterion::of(
            &ERRORS,
            Bound::AtMost(3.0),
            Animal::unverified("rats near 1 after many reversals", "serial reversal"),
        ),
        // No worse: half an error is what five reversals of chance could make of none.
        Criterion::of(&SLOWER, Bound::AtMost(0.5), Animal::NONE),
        Criterion::treated(&LAST, Bound::Within(0.4, 0.6), Treatment::Amnesia),
        Criterion::treated(&LAST, Bound::AtMost(0.7), Treatment::Shuffled),
    ],
    main: &LAST,
    of_a_life: |life| life[d::LAST],
    as_animal: None,
    nulls: &[
        Known { name: "peeks, without memory", make: || Subject::animal(Each(Walker::PEEKING)) },
        Known { name: "always to the same arm", make: || Subject::animal(Each(Walker::HABIT)) },
        Known { name: "random actions", make: || Subject::animal(Each(RandomWalk)) },
        Known {
            name: "a plain network with random weights",
            make: || Subject::animal(Plain::random(5, 3, PLAIN_SEED)),
        },
    ],
    control: Known { name: "win-stay, lose-shift", make: || Subject::animal(Each(Walker::LEARNING)) },
    conditions: &[
        "as trained",
        "blocks of 6",
        "blocks of 24",
        "dark",
        "20 blank steps",
        "all together: 24, dark, 20 blank steps",
    ],
    long_delay: Some(4),
    curves: &[Curve {
        title: "First choices after a reversal",
        x: "trial since the reversal",
        y: "share right",
        of: |lives| over_trials(lives, d::CURVE_FROM, reversal::CURVE),
    }],
    series: &[],
    ground: None,
    play: |condition, subject, asked| {
        let usual = Reversal::default();
        let protocol = match condition {
            1 => Reversal { block: 6..=6, ..usual },
            2 => Reversal { block: 24..=24, ..usual },
            3 => Reversal { dark: 1.0, ..usual },
            4 => Reversal { gap: 20, ..usual },
            5 => Reversal { block: 24..=24, dark: 1.0, gap: 20, ..usual },
            _ => usual,
        };
        lived(&protocol, subject, asked)
    },
};

const BEFORE: Score = Score { name: "naive preference", of: |lives| lives.mean(e::PREFERENCE) };
const LEARNT: Score = Score { name: "preference for A after its trials", of: |lives| lives.mean(e::PREFERENCE + 1) };
const SWAPPED: Score = Score { name: "preference for B after the swap", of: |lives| lives.mean(e::PREFERENCE + 2) };
const ERRORS_A: Score = Score { name: "errors in the trials of A", of: |lives| lives.mean(e::ERRORS) };
const ERRORS_B: Score = Score { name: "errors in the 20 trials after the swap", of: |lives| lives.mean(e::ERRORS + 1) };

/// What blank steps, unsure rewards and new cues make of the trials.
fn rules(condition: usize) -> Rules {
    let usual = Rules::default();
    match condition {
        1 => Rules { reward: 0.8, ..usual },
        2 => Rules { gap: 2, ..usual },
        3 => Rules { gap: 8, ..usual },
        4 => Rules { blends: true, ..usual },
        5 => Rules { reward: 0.8, gap: 8, blends: true },
        _ => usual,
    }
}

const CUE_CONDITIONS: &[&str] = &[
    "as trained",
    "rewarded in 0.8",
    "2 blank steps",
    "8 blank steps",
    "new cues: blends of two",
    "all together: 0.8, 8 blank steps, blends",
];

pub(super) fn plain_of_cues() -> Subject {
    Subject::animal(Plain::random(10, 2, PLAIN_SEED))
}

/// Trials of a curve.
pub(super) fn trials(lives: &Sample, first: usize) -> Vec<(f64, f64)> {
    over_trials(lives, first, CURVE)
}

/// A preference.
pub const PREFERENCE: Assay = Assay {
    letter: 'E',
    name: "preference",
    title: "conditioned preference, and the swap of what is rewarded",
    stage: Stage::Learning,
    variant: false,
    game: game!(Swap, Swap::default()),
    scores: &[BEFORE, LEARNT, SWAPPED, ERRORS_A, ERRORS_B],
    criteria: &[
        Criterion::of(&BEFORE, Bound::Within(-0.1, 0.1), Animal::NONE),
        Criterion::of(
            &LEARNT,
            Bound::AtLeast(0.5),
            Animal::checked(
                "flies: 95 % avoid the shocked odour; worms: an index 0.6 higher for butanone",
                "Tully & Quinn 1985; Kauffman et al. 2011",
            ),
        ),
        Criterion::of(&SWAPPED, Bound::AtLeast(0.5), Animal::NONE),
        Criterion::treated(&LEARNT, Bound::Within(-0.1, 0.1), Treatment::Amnesia),
        Criterion::treated(&SWAPPED, Bound::AtMost(0.3), Treatment::Shuffled),
    ],
    main: &SWAPPED,
    of_a_life: |life| life[e::PREFERENCE + 2],
    as_animal: None,
    nulls: &[
        Known { name: "left or right by chance", make: || Subject::animal(Each(Coin)) },
        Known { name: "always left", make: || Subject::animal(Each(Leftist)) },
        Known { name: "keeps to the rewarded side", make: || Subject::animal(Each(SideKeeper::default())) },
        Known { name: "an innate order of cues", make: || Subject::animal(Each(Taste)) },
        Known { name: "a plain network with random weights", make: plain_of_cues },
    ],
    control: VALUES,
    conditions: CUE_CONDITIONS,
    long_delay: Some(3),
    curves: &[
        Curve { title: "Trials of A", x: "trial", y: "share right", of: |lives| trials(lives, e::BEFORE) },
        Curve { title: "Trials after the swap", x: "trial", y: "share right", of: |lives| trials(lives, e::AFTER) },
    ],
    series: &[],
    ground: None,
    play: |condition, subject, asked| lived(&Swap { rules: rules(condition), ..Swap::default() }, subject, asked),
};

pub(super) const FIRST_BEFORE: Score =
    Score { name: "right in A and B before C and D", of: |lives| lives.mean(f::RIGHT) };
pub(super) const FIRST_AFTER: Score =
    Score { name: "right in A and B after C and D", of: |lives| lives.mean(f::RIGHT + 2) };
pub(super) const SECOND: Score = Score { name: "preference for C", of: |lives| 2.0 * lives.mean(f::RIGHT + 1) - 1.0 };
pub(super) const RETENTION: Score = Score { name: "retention", of: |lives| retention(lives, f::RIGHT, f::RIGHT + 2) };

/// What is left of the first lesson; what was not learnt cannot be kept.
pub(super) fn retention(lives: &Sample, before: usize, after: usize) -> f64 {
    let (before, after) = (lives.mean(before), lives.mean(after));
    if before >= 0.7 { (after - 0.5) / (before - 0.5) } else { f64::NAN }
}

pub(super) const NULLS_OF_TASKS: &[Known] = &[
    Known { name: "remembers one cue", make: || Subject::animal(Each(OneSlot::default())) },
    Known { name: "left or right by chance", make: || Subject::animal(Each(Coin)) },
    Known { name: "a plain network with random weights", make: plain_of_cues },
];

pub(super) const VALUES: Known =
    Known { name: "a value for each cue", make: || Subject::animal(Each(DeltaRule::default())) };

pub(super) const CURVES_OF_TASKS: &[Curve] = &[
    Curve { title: "Trials of A and B", x: "trial", y: "share right", of: |lives| trials(lives, f::FIRST) },
    Curve { title: "Trials of C and D", x: "trial", y: "share right", of: |lives| trials(lives, f::SECOND) },
];

/// Two tasks in a row.
pub const TWO_TASKS: Assay = Assay {
    letter: 'F',
    name: "two-tasks",
    title: "two tasks in a row without forgetting the first",
    stage: Stage::Memory,
    variant: false,
    game: game!(TwoTasks, TwoTasks::default()),
    scores: &[FIRST_BEFORE, SECOND, FIRST_AFTER, RETENTION],
    criteria: &[
        Criterion::of(&FIRST_BEFORE, Bound::AtLeast(0.7), Animal::NONE),
        Criterion::of(&SECOND, Bound::AtLeast(0.5), Animal::NONE),
        Criterion::of(
            &RETENTION,
            Bound::AtLeast(0.7),
            Animal::checked(
                "snails keep both if different circuits hold them, and lose the first in its labile phase",
                "Crossley et al. 2019",
            ),
        ),
        Criterion::treated(&RETENTION, Bound::Within(-0.2, 0.2), Treatment::Amnesia),
        Criterion::treated(&FIRST_AFTER, Bound::AtMost(0.7), Treatment::Shuffled),
    ],
    main: &RETENTION,
    of_a_life: |life| life[f::RIGHT + 2],
    as_animal: None,
    nulls: NULLS_OF_TASKS,
    control: VALUES,
    conditions: CUE_CONDITIONS,
    long_delay: None,
    curves: CURVES_OF_TASKS,
    series: &[],
    ground: None,
    play: |condition, subject, asked| {
        lived(&TwoTasks { rules: rules(condition), ..TwoTasks::default() }, subject, asked)
    },
};

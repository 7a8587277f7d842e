//! Variants of assays of choices: D, alternation; E, classical conditioning; F, time between the tasks, and cues that look alike. Each
//! is asked at several levels of what it varies, as criteria of its own.

use super::choices::{
    CURVES_OF_TASKS, FIRST_AFTER, FIRST_BEFORE, NULLS_OF_TASKS, RETENTION, SECOND, VALUES, plain_of_cues, retention,
};
use super::{Animal, Assay, Criterion, Known, PLAIN_SEED, Series, Stage, Subject, lived};
use crate::battery::conditioning::{Conditioning, column as k};
use crate::battery::controls::choices::{Coin, DeltaRule, Familiar, Leftist, OneSlot, Taste, Tracer};
use crate::battery::controls::maze::{RandomWalk, Walker};
use crate::battery::cues::{Interval, TwoTasks, tasks_column as f};
use crate::battery::overlap::{Overlap, column as o};
use crate::battery::plain::Plain;
use crate::battery::play::{Each, Treatment};
use crate::battery::reversal::{Reversal, column as d};
use crate::battery::scores::{Bound, Score};

const ALTERNATES: Score = Score { name: "alternation", of: |lives| lives.mean(d::LATER) };
const FOOD: Score = Score { name: "trials with food", of: |lives| lives.mean(d::FOOD) };
const ACTIONS: Score = Score { name: "actions a trial", of: |lives| lives.mean(d::ACTIONS) };

/// The T-maze, with food where it was not.
pub const ALTERNATION: Assay = Assay {
    letter: 'D',
    name: "alternation",
    title: "variant, rewarded alternation in the T-maze",
    stage: Stage::Learning,
    variant: true,
    game: game!(Reversal, Reversal { alternation: true, ..Reversal::default() }),
    scores: &[ALTERNATES, FOOD, ACTIONS],
    criteria: &[
        Criterion::of(
            &ALTERNATES,
            Bound::AtLeast(0.75),
            Animal::unverified("rodents: 0.8 and more if rewarded", "Deacon & Rawlins 2006 for the method"),
        ),
        Criterion::of(&ALTERNATES, Bound::AtLeast(0.75), Animal::NONE).under(1),
        // An animal of habit, which is what is left without memory, never alternates.
        Criterion::treated(&ALTERNATES, Bound::AtMost(0.6), Treatment::Amnesia),
        Criterion::treated(&ALTERNATES, Bound::AtMost(0.6), Treatment::Amnesia).under(1),
    ],
    main: &ALTERNATES,
    of_a_life: |life| life[d::LATER],
    as_animal: None,
    nulls: &[
        Known { name: "random actions", make: || Subject::animal(Each(RandomWalk)) },
        Known { name: "win-stay, lose-shift", make: || Subject::animal(Each(Walker::LEARNING)) },
        Known { name: "peeks, without memory", make: || Subject::animal(Each(Walker::PEEKING)) },
        Known {
            name: "a plain network with random weights",
            make: || Subject::animal(Plain::random(5, 3, PLAIN_SEED)),
        },
    ],
    control: Known { name: "left and right in turn", make: || Subject::animal(Each(Walker::ALTERNATING)) },
    conditions: &["no blank steps", "20 blank steps"],
    long_delay: None,
    curves: &[],
    series: &[Series {
        title: "Alternation after a delay",
        x: "blank steps between trials",
        score: &ALTERNATES,
        at: &[(0.0, 0), (20.0, 1)],
    }],
    ground: None,
    play: |condition, subject, asked| {
        let gap = if condition == 1 { 20 } else { 0 };
        lived(&Reversal { gap, alternation: true, ..Reversal::default() }, subject, asked)
    },
};

const NAIVE: Score = Score { name: "naive preference", of: |lives| lives.mean(k::PREFERENCE) };
const CONDITIONED: Score = Score { name: "preference for A", of: |lives| lives.mean(k::PREFERENCE + 1) };

/// One cue with a reward, one without.
pub const CONDITIONING: Assay = Assay {
    letter: 'E',
    name: "conditioning",
    title: "variant, classical conditioning without a choice",
    stage: Stage::Learning,
    variant: true,
    game: game!(Conditioning, Conditioning::default()),
    scores: &[NAIVE, CONDITIONED],
    criteria: &[
        Criterion::of(&NAIVE, Bound::Within(-0.1, 0.1), Animal::NONE),
        Criterion::of(
            &CONDITIONED,
            Bound::AtLeast(0.5),
            Animal::checked("flies: 95 % avoid the shocked odour", "Tully & Quinn 1985"),
        ),
        Criterion::of(&CONDITIONED, Bound::AtLeast(0.5), Animal::NONE).under(1),
        Criterion::of(&CONDITIONED, Bound::AtLeast(0.5), Animal::NONE).under(2),
        Criterion::treated(&CONDITIONED, Bound::Within(-0.1, 0.1), Treatment::Amnesia).under(2),
        Criterion::treated(&CONDITIONED, Bound::AtMost(0.3), Treatment::Shuffled),
    ],
    main: &CONDITIONED,
    of_a_life: |life| life[k::PREFERENCE + 1],
    as_animal: None,
    nulls: &[
        Known { name: "left or right by chance", make: || Subject::animal(Each(Coin)) },
        Known { name: "always left", make: || Subject::animal(Each(Leftist)) },
        Known { name: "an innate order of cues", make: || Subject::animal(Each(Taste)) },
        Known { name: "takes what it saw last", make: || Subject::animal(Each(Familiar::default())) },
        Known { name: "a value for each cue, no trace", make: || Subject::animal(Each(DeltaRule::default())) },
        Known { name: "a plain network with random weights", make: plain_of_cues },
    ],
    control: Known { name: "a value for each cue, and a trace", make: || Subject::animal(Each(Tracer::default())) },
    conditions: &["no delay", "reward 2 blank steps later", "reward 8 blank steps later"],
    long_delay: None,
    curves: &[],
    series: &[Series {
        title: "Trace conditioning",
        x: "blank steps between cue and reward",
        score: &CONDITIONED,
        at: &[(0.0, 0), (2.0, 1), (8.0, 2)],
    }],
    ground: None,
    play: |condition, subject, asked| {
        let delay = [0, 2, 8][condition];
        lived(&Conditioning { delay, ..Conditioning::default() }, subject, asked)
    },
};

const REMEMBERS: Criterion = Criterion::of(&RETENTION, Bound::AtLeast(0.7), Animal::NONE);

/// Two tasks, and what lies between them.
pub const INTERVAL: Assay = Assay {
    letter: 'F',
    name: "interval",
    title: "variant, two tasks in a row with time or other trials between",
    stage: Stage::Memory,
    variant: true,
    game: game!(TwoTasks, TwoTasks::default()),
    scores: &[FIRST_BEFORE, SECOND, FIRST_AFTER, RETENTION],
    criteria: &[
        Criterion::of(&FIRST_BEFORE, Bound::AtLeast(0.7), Animal::NONE),
        REMEMBERS.under(1),
        REMEMBERS.under(2),
        REMEMBERS.under(3),
        REMEMBERS.under(4),
        REMEMBERS.under(5),
        REMEMBERS.under(6),
        Criterion::of(&SECOND, Bound::AtLeast(0.5), Animal::NONE).under(3),
        Criterion::of(&SECOND, Bound::AtLeast(0.5), Animal::NONE).under(6),
        Criterion::treated(&RETENTION, Bound::Within(-0.2, 0.2), Treatment::Amnesia).under(3),
        Criterion::treated(&RETENTION, Bound::Within(-0.2, 0.2), Treatment::Amnesia).under(6),
    ],
    main: &RETENTION,
    of_a_life: |life| life[f::RIGHT + 2],
    as_animal: None,
    nulls: NULLS_OF_TASKS,
    control: VALUES,
    conditions: &[
        "nothing between",
        "2 blank trials between",
        "4 blank trials between",
        "8 blank trials between",
        "2 filled trials between",
        "4 filled trials between",
        "8 filled trials between",
    ],
    long_delay: None,
    curves: &[],
    series: &[
        Series {
            title: "Retention over blank trials",
            x: "blank trials between the tasks",
            score: &RETENTION,
            at: &[(0.0, 0), (2.0, 1), (4.0, 2), (8.0, 3)],
        },
        Series {
            title: "Retention over filled trials",
            x: "filled trials between the tasks",
            score: &RETENTION,
            at: &[(0.0, 0), (2.0, 4), (4.0, 5), (8.0, 6)],
        },
    ],
    ground: None,
    play: |condition, subject, asked| {
        let [blank, filled] = [[0, 0], [2, 0], [4, 0], [8, 0], [0, 2], [0, 4], [0, 8]][condition];
        let between = Interval { blank, filled };
        lived(&TwoTasks { between, ..TwoTasks::default() }, subject, asked)
    },
};

const IN_CONFLICT: Score =
    Score { name: "retention in conflict", of: |lives| retention(lives, o::CONFLICT, o::CONFLICT + 1) };
const HELPED: Score = Score { name: "retention with help", of: |lives| retention(lives, o::HELP, o::HELP + 1) };

const LEARNS: Criterion = Criterion::of(&SECOND, Bound::AtLeast(0.5), Animal::NONE);
const KEEPS: Criterion = Criterion::of(&IN_CONFLICT, Bound::AtLeast(0.7), Animal::NONE);

/// Channels that the likeness shares with A, by condition.
const SHARED: [u32; 3] = [0, 4, 6];

/// Two tasks whose cues are alike.
pub const OVERLAP: Assay = Assay {
    letter: 'F',
    name: "overlap",
    title: "variant, two tasks in a row with cues that look alike",
    stage: Stage::Memory,
    variant: true,
    game: game!(Overlap, Overlap::default()),
    scores: &[FIRST_BEFORE, SECOND, FIRST_AFTER, RETENTION, IN_CONFLICT, HELPED],
    criteria: &[
        Criterion::of(&FIRST_BEFORE, Bound::AtLeast(0.7), Animal::NONE),
        LEARNS,
        LEARNS.under(1),
        LEARNS.under(2),
        KEEPS,
        KEEPS.under(1),
        KEEPS.under(2),
        Criterion::treated(&IN_CONFLICT, Bound::Within(-0.2, 0.2), Treatment::Amnesia).under(2),
        Criterion::treated(&FIRST_AFTER, Bound::AtMost(0.7), Treatment::Shuffled),
    ],
    main: &IN_CONFLICT,
    of_a_life: |life| life[f::RIGHT + 2],
    as_animal: None,
    nulls: &[
        Known { name: "remembers one cue", make: || Subject::animal(Each(OneSlot::default())) },
        Known { name: "left or right by chance", make: || Subject::animal(Each(Coin)) },
        Known {
            name: "a plain network with random weights",
            make: || Subject::animal(Plain::random(18, 2, PLAIN_SEED)),
        },
    ],
    control: VALUES,
    conditions: &["no sign shared", "4 of 8 signs shared", "6 of 8 signs shared"],
    long_delay: None,
    curves: CURVES_OF_TASKS,
    series: &[
        Series {
            title: "Retention in conflict",
            x: "signs that A shares with its likeness, which is not rewarded",
            score: &IN_CONFLICT,
            at: &[(0.0, 0), (4.0, 1), (6.0, 2)],
        },
        Series {
            title: "Retention with help",
            x: "signs that A shares with its likeness, which is rewarded",
            score: &HELPED,
            at: &[(0.0, 0), (4.0, 1), (6.0, 2)],
        },
    ],
    ground: None,
    play: |condition, subject, asked| {
        lived(&Overlap { shared: SHARED[condition], ..Overlap::default() }, subject, asked)
    },
};

//! Assay G: orientation tuning by local rules. It asks for no world and no controller, and stands beside the stages.

use super::{Animal, Assay, Criterion, Curve, Game, Known, Stage, Subject};
use crate::battery::gpu as on_device;
use crate::battery::gratings::{self, Input, Learner, NUMBER, ORIENTATIONS, Phases, Rule, column as g};
use crate::battery::play::Lives;
use crate::battery::scores::{Bound, Score};

const SELECTIVITY: Score = Score { name: "selectivity gOSI, median", of: |lives| lives.median(g::SELECTIVITY) };
const MODULATION: Score = Score { name: "modulation F1/F0, median", of: |lives| lives.median(g::MODULATION) };
const WORST: Score = Score { name: "worst over best phase, median", of: |lives| lives.median(g::WORST) };
const RESPONSE: Score = Score { name: "largest response, median", of: |lives| lives.median(g::RESPONSE) };
const PREFERENCES: Score = Score { name: "preferences of 8, mean", of: |lives| lives.mean(g::PREFERENCES) };

/// Populations that are ever made: a life of this assay takes as long as thousands of the others.
pub const MOST: u32 = 16;
/// Of a block on a device: few populations are best on many multiprocessors.
const THREADS: u32 = 32;

const fn rates(input: Input, rule: Rule, phases: Phases) -> Learner {
    Learner { input, rule, phases, spiking: false }
}

/// The assay of local rules.
pub const ORIENTATION: Assay = Assay {
    letter: 'G',
    name: "orientation",
    title: "orientation tuning by local rules, whatever the phase",
    stage: Stage::Local,
    variant: false,
    game: Game { number: NUMBER, senses: &[], motors: &[], longest: || 0, evolve: |_, _, _| 0, place: |_| {} },
    scores: &[SELECTIVITY, MODULATION, WORST, RESPONSE, PREFERENCES],
    criteria: &[
        Criterion::of(
            &SELECTIVITY,
            Bound::AtLeast(0.4),
            Animal::checked("mouse V1: 135 of 182 responsive units are selective", "Niell & Stryker 2008"),
        ),
        Criterion::of(
            &MODULATION,
            Bound::AtMost(1.0),
            Animal::checked(
                "both kinds in macaque V1; complex below 1, simple above (unverified)",
                "Ringach et al. 2002",
            ),
        ),
        Criterion::of(&RESPONSE, Bound::AtLeast(0.5), Animal::NONE),
        Criterion::of(&PREFERENCES, Bound::AtLeast(3.0), Animal::NONE),
    ],
    main: &SELECTIVITY,
    of_a_life: |life| life[g::SELECTIVITY] - life[g::MODULATION],
    as_animal: None,
    nulls: &[
        Known {
            name: "BCM on simple inputs, random phase",
            make: || Subject::Learner(rates(Input::Simple, Rule::Bcm, Phases::Random)),
        },
        Known {
            name: "BCM on linear inputs, random phase",
            make: || Subject::Learner(rates(Input::Linear, Rule::Bcm, Phases::Random)),
        },
        Known {
            name: "random weights that stay",
            make: || Subject::Learner(rates(Input::Simple, Rule::Fixed, Phases::Random)),
        },
    ],
    control: Known {
        name: "BCM on energy inputs, random phase",
        make: || Subject::Learner(rates(Input::Energy, Rule::Bcm, Phases::Random)),
    },
    conditions: &["as trained"],
    long_delay: None,
    curves: &[Curve {
        title: "Tuning",
        x: "degrees from the preferred orientation",
        y: "share of the response there",
        of: |lives| {
            let step = 180.0 / ORIENTATIONS as f64;
            (0..ORIENTATIONS).map(|at| (step * at as f64, lives.mean(g::TUNING + at))).collect()
        },
    }],
    series: &[],
    ground: None,
    play: |_, subject, asked| {
        let Subject::Learner(learner) = subject else { return Ok(None) };
        let lives = Lives { count: asked.lives.count.min(MOST), ..asked.lives };
        Ok(Some(match asked.gpu {
            Some(gpu) => {
                let responses = on_device::responses(gpu, learner, lives, learner.presentations(), THREADS)?;
                gratings::scored(learner, &responses)
            }
            None => gratings::play(learner, lives),
        }))
    },
};

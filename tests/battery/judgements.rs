//! Verdicts: who passes, who fails, and which stage is reached.

use phylon::battery::assays::{ASSAYS, Assay, Stage};
use phylon::battery::body::{Body, Evolved};
use phylon::battery::controls::choices::DeltaRule;
use phylon::battery::judge::{Judgement, Model, Options, Verdict, judge};
use phylon::battery::play::{Each, Lives};
use phylon::battery::stages::{Stages, Whose};

use crate::{LIVES, NETWORK, animal, assay, evolving, parameters};

#[test]
fn stages_count_in_their_order_and_of_one_model() {
    let judgements = |change: &dyn Fn(&mut Judgement)| -> Vec<Judgement> {
        let judged = |assay: &'static Assay| {
            let model = Model { name: "control".into(), subjects: vec![(assay.control.make)()] };
            let lives = Lives { seed: 1, count: 4 };
            let mut judgement = judge(assay, &model, &Options { lives, conditions: true }).unwrap();
            // Four lives tell nothing: what is tested here is what follows from verdicts.
            judgement.verdict = Verdict::Pass;
            judgement.generalisation.iter_mut().for_each(|condition| condition.passes = true);
            change(&mut judgement);
            judgement
        };
        ASSAYS.into_iter().filter(|assay| assay.letter != 'G').map(judged).collect()
    };
    let stages = |change: &dyn Fn(&mut Judgement)| Stages::of(&judgements(change), Whose::OneModel).unwrap();
    let verdict = |letter: char, verdict: Verdict| {
        move |judgement: &mut Judgement| {
            if judgement.letter == letter && !judgement.assay.variant {
                judgement.verdict = verdict;
            }
        }
    };
    let condition = |letter: char, number: usize| {
        move |judgement: &mut Judgement| {
            if judgement.letter == letter && !judgement.assay.variant {
                judgement.generalisation[number - 1].passes = false;
            }
        }
    };
    let all = stages(&|_| {});
    assert_eq!((all.reached, all.next, all.lacks, all.local), (Some(Stage::Generalisation), None, vec![], None));
    // Neither a variant nor a condition that the stage of memory does not ask for takes it away.
    let variant = |judgement: &mut Judgement| {
        if judgement.assay.variant {
            judgement.verdict = Verdict::Fail;
        }
    };
    assert_eq!(stages(&variant).reached, Some(Stage::Generalisation));
    let other = stages(&condition('A', 5));
    assert_eq!((other.reached, &other.lacks[..]), (Some(Stage::Memory), &["A chemotaxis: H, gain 40".to_owned()][..]));
    for (letter, number, lacks) in [
        ('C', 2, "C avoidance: H, delay of 80 steps"),
        ('D', 4, "D reversal: H, 20 blank steps"),
        ('E', 3, "E preference: H, 8 blank steps"),
    ] {
        let without = stages(&condition(letter, number));
        assert_eq!((without.reached, without.next), (Some(Stage::Learning), Some(Stage::Memory)));
        assert_eq!(without.lacks, [lacks]);
    }
    let invalid = stages(&verdict('D', Verdict::Invalid));
    assert_eq!(
        (invalid.reached, &invalid.lacks[..]),
        (Some(Stage::Reflex), &["D reversal: assay invalid".to_owned()][..])
    );
    // Whatever else is passed.
    let none = stages(&verdict('A', Verdict::Invalid));
    assert_eq!((none.reached, none.next), (None, Some(Stage::Reflex)));
    let judged = judgements(&|_| {});
    assert_eq!(Stages::of(&judged, Whose::Specialists), None);
    let without_f = Stages::of(&judged[..judged.len() - 3], Whose::OneModel).unwrap();
    assert_eq!(without_f.lacks, ["F two-tasks: not judged"]);
}

#[test]
fn a_judgement_says_what_it_cost() {
    let assay = assay("E");
    let lives = Lives { seed: 1, count: 16 };
    let judged = |subject| {
        let model = Model { name: "network".into(), subjects: vec![subject] };
        judge(assay, &model, &Options { lives, conditions: false }).unwrap()
    };
    let plan = evolving("['E']", NETWORK);
    let network = judged(animal(Evolved::new(&Body::of(&plan).unwrap(), &parameters(&plan), assay).unwrap()));
    // Two steps a trial, 32 trials and 6 to 14; untreated, amnesic and shuffled.
    assert!((3 * 16 * 76..=3 * 16 * 92).contains(&network.model_steps), "{}", network.model_steps);
    assert_eq!(network.network_steps, Some(4 * network.model_steps));
    assert!(network.steps > 3 * network.model_steps);
    assert_eq!(judged(animal(Each(DeltaRule::default()))).network_steps, None);
}

/// The verdicts that make all others worth something: 1,000 lives each.
#[test]
fn nulls_fail_and_controls_pass() {
    for assay in ASSAYS {
        // The plates take seconds a condition; they have a test of their own.
        let conditions = !matches!(assay.letter, 'A' | 'B');
        let model = Model { name: "control".into(), subjects: vec![(assay.control.make)()] };
        let judgement = judge(assay, &model, &Options { lives: LIVES, conditions }).unwrap();
        for null in &judgement.nulls {
            assert!(null.fails, "{}: {} passes", assay.letter, null.name);
            // Lives, or 16 populations of neurons, which cannot be told apart better than by 1.5e-6.
            assert!(null.control.p < 1e-5, "{}: {} {}", assay.letter, null.name, null.control);
        }
        for judged in &judgement.criteria {
            assert!(judged.passes, "{}: {judged:?}", assay.letter);
        }
        for condition in &judgement.generalisation {
            assert!(condition.passes, "{}: {condition:?}", assay.letter);
        }
        assert_eq!(judgement.verdict, Verdict::Pass, "{}", assay.letter);
    }
}

#[test]
fn worms_by_hand_are_as_good_under_other_conditions() {
    for letter in ["A", "B"] {
        let assay = assay(letter);
        let model = Model { name: "control".into(), subjects: vec![(assay.control.make)()] };
        let lives = Lives { seed: 2, count: 40 };
        let judgement = judge(assay, &model, &Options { lives, conditions: true }).unwrap();
        assert_eq!(judgement.generalisation.len() + 1, assay.conditions.len());
        for condition in &judgement.generalisation {
            assert!(condition.passes, "{letter}: {condition:?}");
        }
    }
}

/// A controller whose parameters are those of a null is judged as one.
#[test]
fn a_null_that_is_judged_fails() {
    for assay in ASSAYS {
        let model = Model { name: "null".into(), subjects: vec![(assay.nulls[0].make)()] };
        let lives = Lives { seed: 3, count: 200 };
        let judgement = judge(assay, &model, &Options { lives, conditions: false }).unwrap();
        assert_ne!(judgement.verdict, Verdict::Pass, "{}", assay.letter);
        assert!(!judgement.criteria.iter().all(|judged| judged.passes), "{}", assay.letter);
    }
}

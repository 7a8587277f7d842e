//! Lives of animals, by hand and of units: the same in any company, forgotten when told to, and as evolution sees them.

use phylon::battery::assays::{ASSAYS, Subject};
use phylon::battery::body::{Body, Evolved};
use phylon::battery::controls::choices::DeltaRule;
use phylon::battery::cues::{Swap, swap_column};
use phylon::battery::play::{Controller, Each, Lives, Moment, Played, Protocol, Seat, Treatment, play};
use phylon::cpu::InstructionSet;
use phylon::rng::Stream;
use phylon::workload::{self, Workload};

use crate::trajectories::close;
use crate::{NETWORK, asked, assay, evolving, parameters};

/// Bits of the values, for NaN is one of them.
fn bits(played: &Played) -> Vec<Vec<u64>> {
    played.values.iter().map(|life| life.iter().map(|value| value.to_bits()).collect()).collect()
}

#[test]
fn a_life_depends_neither_on_threads_nor_on_others() {
    for assay in ASSAYS.iter().filter(|assay| assay.is_for_animals()) {
        for make in [assay.control.make, assay.nulls[1].make] {
            for treatment in [Treatment::None, Treatment::Amnesia, Treatment::Shuffled] {
                let lived = |threads: usize, count: u32| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| assay.play(0, &make(), asked(Lives { seed: 5, count }, treatment)).unwrap())
                };
                // More than a window, and less.
                let many = lived(3, 70);
                assert_eq!(bits(&lived(1, 70)), bits(&many), "{} {treatment:?}", assay.letter);
                assert_eq!(bits(&lived(2, 18))[..], bits(&many)[..18], "{} {treatment:?}", assay.letter);
                assert_ne!(bits(&many)[64..], bits(&many)[..6], "{} {treatment:?}: the second window", assay.letter);
            }
        }
    }
}

const GRU: &str = "[unit.gru]\ninputs = 20\nmemory = 5\noutputs = 5\ninitial_scale = 2.0";

/// The network with synapses that follow a rule, and neurons that are never silent.
fn with_rule(rule: &str) -> String {
    format!("{}\n[network.rule.{rule}]", NETWORK.replace("enu", "gru"))
}

#[test]
fn bodies_live_the_same_life_in_any_window_and_forget_all() {
    let assay = assay("E");
    // With a second assay the senses lie elsewhere, and there are more motors than the assay has.
    let [bcm, stdp] = ["bcm", "rewarded_stdp"].map(with_rule);
    let both = [GRU, NETWORK].into_iter().flat_map(|tables| [("['E']", tables), ("['C', 'E']", tables)]);
    for (assays, tables) in both.chain([("['C', 'E']", &bcm[..]), ("['E']", &stdp), ("['C', 'E']", &stdp)]) {
        let plan = evolving(assays, tables);
        let body = Body::of(&plan).expect("a body");
        let animal = || Evolved::new(&body, &parameters(&plan), assay).expect("it fits");
        let lived = |count, treatment| {
            let subject = Subject::Animal(Box::new(animal()));
            assay.play(0, &subject, asked(Lives { seed: 4, count }, treatment)).unwrap()
        };
        for treatment in [Treatment::None, Treatment::Amnesia] {
            let many = lived(70, treatment);
            assert_eq!(bits(&lived(18, treatment))[..], bits(&many)[..18]);
            assert!(many.values.iter().any(|life| life != &many.values[0]), "they all live the same life");
        }
        // A lane that has forgotten answers as one that has never lived, and its neighbours as before.
        let (lanes, animal) = (16, animal());
        let senses: Vec<f32> = (0..assay.channels() * lanes).map(|i| (i * 7 % 5) as f32 / 5.0).collect();
        let live: Vec<usize> = (0..lanes).collect();
        let moment = Moment { seed: 0, number: 0, step: 0, first: 0, lanes, live: &live, senses: &senses };
        let answers = |seat: &mut dyn Seat| {
            let mut outputs = vec![0.0; 2 * lanes];
            seat.step(&moment, &mut outputs);
            outputs
        };
        let (mut seat, mut other) = (animal.seat(lanes), animal.seat(lanes));
        let fresh = answers(&mut *seat);
        answers(&mut *other);
        seat.reset(5);
        let (forgotten, lived) = (answers(&mut *seat), answers(&mut *other));
        assert_ne!(lived, fresh);
        for (i, answer) in forgotten.iter().enumerate() {
            assert_eq!(*answer, if i % lanes == 5 { fresh[i] } else { lived[i] }, "output {i}");
        }
    }
}

#[test]
fn a_body_is_in_the_assays_whose_senses_and_motors_it_has() {
    let fits = |assays: &str| -> String {
        let body = Body::of(&evolving(assays, "[unit.gru]\ninputs = 40\nmemory = 2\noutputs = 9")).expect("a body");
        let fit = ASSAYS.iter().filter(|assay| !assay.variant && body.adapter(assay).is_some());
        fit.map(|assay| assay.letter).collect()
    };
    assert_eq!([fits("['E']"), fits("['food-memory']"), fits("['A']")], ["EF", "AB", "A"]);
    // A variant shows what its assay shows, but for cues of its own.
    assert_eq!([fits("['alternation']"), fits("['overlap']")], ["D", ""]);
    assert_eq!(fits("['A', 'B', 'C', 'D', 'E']"), "ABCDEF");
}

#[test]
fn evolution_sees_the_same_lives_on_any_number_of_threads_and_as_the_battery_plays_them() {
    for tables in [GRU, NETWORK, &with_rule("rewarded_stdp")] {
        let plan = evolving("['C', 'two-tasks', 'E']", tables);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut engine = workload::cpu_engine(&plan, InstructionSet::best());
                let mut generations = Vec::new();
                engine.advance(3, &mut generations).unwrap();
                let fitness: Vec<_> = generations.into_iter().map(|g| (g.fitness, g.centre)).collect();
                (fitness, engine.state().unwrap().centre)
            })
        };
        let first = run(1);
        assert_eq!(first, run(3));
        assert!(first.0[0].0.iter().any(|fitness| *fitness != first.0[0].1), "all offspring are alike");
    }
    // Of the second of two assays, those behind the first's.
    let plan = evolving("['C', 'E']", GRU);
    let lives = workload::lives::Lives::new(&plan);
    let episodes = lives.fresh_episodes(10, 9);
    let fitness = lives.fitness(&parameters(&plan), &episodes);
    let animal = Evolved::new(&Body::of(&plan).unwrap(), &parameters(&plan), assay("E")).unwrap();
    let played = play(&Swap::default(), &animal, Lives { seed: episodes.seed, count: 5 }, Treatment::None);
    for (fitness, life) in fitness[5..].iter().zip(&played.values) {
        let share = |preference: f64| (preference + 1.0) / 2.0;
        let trials = life[swap_column::BEFORE..][..14].iter().filter(|right| !right.is_nan()).count() as f64;
        let blocks = [
            1.0 - life[swap_column::ERRORS] / trials,
            share(life[1]),
            1.0 - life[swap_column::ERRORS + 1] / 20.0,
            share(life[2]),
        ];
        close(*fitness, blocks.iter().sum::<f64>() / 4.0, 1e-6, "rightness");
    }
}

#[test]
fn noise_on_motors_is_for_lives_of_evolution_alone() {
    let lives = |noise: &str| workload::lives::Lives::new(&evolving(&format!("['A', 'E']\nnoise = {noise}"), GRU));
    let (quiet, noisy, some) = (lives("0.0"), lives("1.5"), lives("1.5\nnoisy = 0.4"));
    let parameters = parameters(&evolving("['A', 'E']", GRU));
    let of = |lives: &workload::lives::Lives, stream| lives.fitness(&parameters, &lives.draw(10, 1, stream, 4));
    for stream in [Stream::Validation, Stream::Fresh, Stream::Start] {
        assert_eq!(of(&quiet, stream), of(&noisy, stream));
    }
    let [quiet, noisy, some] = [quiet, noisy, some].map(|lives| of(&lives, Stream::Episode));
    for assay in [0..5, 5..10] {
        let [quiet, noisy, some] = [&quiet, &noisy, &some].map(|fitness| &fitness[assay.clone()]);
        assert_ne!(quiet, noisy);
        assert_eq!((&some[..2], &some[2..]), (&noisy[..2], &quiet[2..]), "two of five lives");
    }
}

#[test]
fn other_seeds_are_other_lives() {
    let lived = |seed| play(&Swap::default(), &Each(DeltaRule::default()), Lives { seed, count: 64 }, Treatment::None);
    assert_ne!(lived(1).values, lived(2).values);
    assert_eq!(Swap::SENSES, assay("E").game.senses);
}

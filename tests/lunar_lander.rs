//! LunarLander against Gymnasium itself, to the bit: recorded episodes with all of the solver's state, the scores of two
//! policies seed by seed, the options; and that neither company nor instruction set changes a bit.
//!
//! The files lie in `tests/golden/envs`, or in `envs` under what `PHYLON_GOLDEN` names; their README defines them.

mod npz;

use std::path::PathBuf;

use npz::Npz;
use phylon::cpu::InstructionSet;
use phylon::rng::{Row, Stream};
use phylon::world::draws::Pcg64;
use phylon::world::lunar_lander::{Continuous, ContinuousWindy, Fast, Kind, Lander, LunarLander, Plain, Windy};
use phylon::world::{Action, Draws, Outcome, World};

/// A golden file of the environments, if this golden folder has it.
fn golden(name: &str) -> Option<Npz> {
    let root = std::env::var_os("PHYLON_GOLDEN").map(PathBuf::from).unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("tests/golden")
    });
    let path = root.join("envs").join(name);
    if !path.exists() {
        eprintln!("passed over: no file {}", path.display());
        return None;
    }
    Some(Npz::open(&path))
}

fn observation<W: World>(world: &W) -> [f32; 8] {
    let mut seen = [0.0; 8];
    world.observe(&mut seen, 1);
    seen
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn every_recorded_step_is_reproduced_with_all_of_its_state() {
    let Some(file) = golden("lunar_lander.npz") else { return };
    let (obs, body, joint) = (file.f32("obs"), file.f32("body"), file.f32("joint"));
    let (action, reward, terminated) = (file.i64("action"), file.f64("reward"), file.bools("terminated"));
    let (contacts, contact_n, width) = (file.i64("contact_i"), file.i64("contact_n"), file.shape("contact_i")[2]);
    let kinds = file.strings("kind");
    let (mut state, mut step) = (0, 0);
    for (episode, (&seed, length)) in file.i64("seed").iter().zip(file.i64("length")).enumerate() {
        // The recorded draws are those of a generator seeded like this; the terrain shows it.
        let mut draws = Draws::Pcg(Pcg64::seeded(seed as u64));
        let mut world = LunarLander::reset(&mut draws);
        assert_eq!(bits(&world.terrain()), bits(&file.f32("terrain_y")[episode * 11..][..11]), "episode {episode}");
        for i in 0..=length {
            let what = format!("episode {episode} ({}) after step {i}", kinds[episode]);
            assert_eq!(bits(world.bodies().as_flattened()), bits(&body[state * 18..][..18]), "{what}: bodies");
            assert_eq!(bits(world.joints().as_flattened()), bits(&joint[state * 8..][..8]), "{what}: joints");
            let seen: Vec<_> = world.contacts().map(|(b, e, n)| [b as i64, e as i64, n as i64]).collect();
            let recorded: Vec<_> = (0..contact_n[state] as usize)
                .map(|i| &contacts[(state * 7 + i) * width..][..width])
                .map(|contact| [contact[0], contact[1], contact[3]])
                .collect();
            assert_eq!(seen, recorded, "{what}: contacts");
            assert_eq!(bits(&observation(&world)), bits(&obs[state * 8..][..8]), "{what}: observation");
            state += 1;
            if i < length {
                let outcome = world.step(action[step] as i32, &mut draws);
                let recorded = Outcome { reward: reward[step], terminated: terminated[step] };
                assert_eq!(outcome, recorded, "{what}: action {}", action[step]);
                step += 1;
            }
        }
    }
    assert_eq!((state, step), (file.shape("obs")[0], action.len()));
}

/// Episodes of one of Gymnasium's options, replayed from their seeds and actions.
fn replay_option<K: Kind>(option: &str, actions: impl Fn(&Npz, &str) -> Vec<K::Action>) {
    let Some(file) = golden("lunar_lander_options.npz") else { return };
    let key = |name: &str| format!("{option}_{name}");
    let (obs, reward, terminated) = (file.f32(&key("obs")), file.f64(&key("reward")), file.bools(&key("terminated")));
    let actions = actions(&file, &key("action"));
    let (mut state, mut step) = (0, 0);
    for (&seed, length) in file.i64(&key("seed")).iter().zip(file.i64(&key("length"))) {
        let mut draws = Draws::Pcg(Pcg64::seeded(seed as u64));
        let mut world = Lander::<K>::reset(&mut draws);
        for i in 0..=length {
            assert_eq!(
                bits(&observation(&world)),
                bits(&obs[state * 8..][..8]),
                "{option}, seed {seed}, after step {i}"
            );
            state += 1;
            if i < length {
                let outcome = world.step(actions[step], &mut draws);
                let recorded = Outcome { reward: reward[step], terminated: terminated[step] };
                assert_eq!(outcome, recorded, "{option}, seed {seed}, step {i}");
                step += 1;
            }
        }
    }
    assert_eq!((state, step), (obs.len() / 8, reward.len()));
}

fn discrete(file: &Npz, key: &str) -> Vec<i32> {
    file.i64(key).into_iter().map(|action| action as i32).collect()
}

fn continuous(file: &Npz, key: &str) -> Vec<[f32; 2]> {
    file.f32(key).as_chunks().0.to_vec()
}

#[test]
fn wind_and_continuous_actions_are_gymnasiums() {
    replay_option::<Windy>("wind", discrete);
    replay_option::<Continuous>("continuous", continuous);
    replay_option::<ContinuousWindy>("continuous_wind", continuous);
}

/// Worlds at all stages: high up, at touchdown, standing, crashed.
fn mixed<K: Kind>(count: usize) -> (Vec<Lander<K>>, Vec<Draws>, Vec<K::Action>) {
    let mut draws: Vec<_> = (0..count).map(|seed| Draws::Pcg(Pcg64::seeded(seed as u64))).collect();
    let mut worlds: Vec<_> = draws.iter_mut().map(Lander::<K>::reset).collect();
    let mut actions = vec![K::Action::default(); count];
    for (i, (world, draws)) in worlds.iter_mut().zip(&mut draws).enumerate() {
        let row = Row { seed: 1, stream: Stream::Action, generation: 0, index: i as u32 };
        for step in 0..(i * 190 / count) as u32 {
            actions[i] = K::Action::random(&row, step, <Lander<K> as World>::SPEC.actions.outputs());
            world.step(actions[i], draws);
        }
    }
    (worlds, draws, actions)
}

fn company_changes_nothing<K: Kind>() {
    let (worlds, draws, actions) = mixed::<K>(190);
    let alone: Vec<_> = worlds
        .iter()
        .zip(&draws)
        .zip(&actions)
        .map(|((world, draws), &action)| {
            let (mut world, mut draws) = (*world, *draws);
            let outcome = world.step(action, &mut draws);
            (
                world.bodies().map(|body| body.map(f32::to_bits)),
                world.joints().map(|joint| joint.map(f32::to_bits)),
                outcome,
            )
        })
        .collect();
    for set in InstructionSet::available() {
        for size in [1, 2, 7, 16, 17, 33, 64, 65, 190] {
            let (mut worlds, mut draws) = (worlds.clone(), draws.clone());
            let (mut rewards, mut terminated) = (vec![0.0; worlds.len()], vec![false; worlds.len()]);
            for start in (0..worlds.len()).step_by(size) {
                let end = (start + size).min(worlds.len());
                Lander::step_with(
                    set,
                    &mut worlds[start..end],
                    &actions[start..end],
                    &mut draws[start..end],
                    (&mut rewards[start..end], &mut terminated[start..end]),
                );
            }
            for (i, world) in worlds.iter().enumerate() {
                let outcome = Outcome { reward: rewards[i], terminated: terminated[i] };
                let bodies = world.bodies().map(|body| body.map(f32::to_bits));
                let joints = world.joints().map(|joint| joint.map(f32::to_bits));
                assert_eq!((bodies, joints, outcome), alone[i], "world {i}, {size} together, {}", set.name());
            }
        }
    }
}

#[test]
fn neither_company_nor_instruction_set_changes_a_bit() {
    company_changes_nothing::<Plain>();
    company_changes_nothing::<ContinuousWindy>();
    company_changes_nothing::<Fast>();
}

#[test]
fn many_resets_are_as_one() {
    let mut draws: Vec<_> = (0..70).map(|seed| Draws::Pcg(Pcg64::seeded(seed))).collect();
    let (mut others, mut worlds) = (draws.clone(), vec![LunarLander::reset(&mut draws[0].clone()); 70]);
    let (first, lanes) = (worlds[0], Vec::from_iter((0..70).rev().filter(|lane| lane % 3 > 0)));
    LunarLander::reset_some(&mut worlds, &mut draws, &lanes);
    for (i, (world, other)) in worlds.iter().zip(&mut others).enumerate() {
        let expected = if lanes.contains(&i) { LunarLander::reset(other) } else { first };
        assert_eq!(*world, expected, "world {i}");
    }
    assert_eq!(draws, others);
}

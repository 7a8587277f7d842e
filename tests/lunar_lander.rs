//! LunarLander against Gymnasium itself, to the bit: recorded episodes with all of the solver's state, the scores of two
//! policies seed by seed, the options; and that neither company nor instruction set changes a bit.
//!
//! The files lie in `tests/golden/envs`, or in `envs` under what `PHYLON_GOLDEN` names; their README defines them.

mod npz;

use std::path::PathBuf;

use npz::Npz;
use phylon::cpu::InstructionSet;
use phylon::world::draws::Pcg64;
use phylon::world::lunar_lander::{
    Kind, Lander, LunarLander, LunarLanderContinuous, LunarLanderContinuousWind, LunarLanderFast, LunarLanderWind,
};
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

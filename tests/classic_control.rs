//! CartPole, MountainCar and Acrobot against what Gymnasium did: single transitions, and recorded actions in open loop
//! (`scores.rs` closes the loop). `tests/golden/envs/README.md` defines the files and says which
//! tolerances are honest for single precision; in double precision all is equal to the bit.
//!
//! The folder is that of `tests/golden.rs`, and `PHYLON_GOLDEN` names another.

mod npz;

use std::path::PathBuf;

use npz::Npz;
use phylon::cpu::InstructionSet;
use phylon::rng::{Row, Stream};
use phylon::world::acrobot::Acrobot;
use phylon::world::cart_pole::CartPole;
use phylon::world::classic::{Dynamics, Float, StepAll};
use phylon::world::mountain_car::MountainCar;
use phylon::world::{Action, Outcome, Seeds, World};

/// Steps in open loop within which single precision is compared.
const OPEN_LOOP: usize = 100;

/// A file of the golden folder, if the folder has it.
fn open(name: &str) -> Option<Npz> {
    let given = std::env::var_os("PHYLON_GOLDEN").map(PathBuf::from);
    let own = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("tests/golden");
    let path = given.clone().unwrap_or(own).join("envs").join(name);
    if given.is_some() && !path.exists() {
        eprintln!("passed over: no {}", path.display());
        return None;
    }
    Some(Npz::open(&path))
}

/// What differs from world to world in these tests.
trait Golden<const N: usize>: World<Action = i32> {
    type Float: Float;
    /// The name of its files.
    const FILE: &str;
    /// Components of the state that are angles, compared modulo 2 pi.
    const ANGLES: usize = 0;
    /// Allowed in one step in single precision, for each component of the state.
    const STEP: [f64; N];
    /// The same within [`OPEN_LOOP`] steps.
    const DRIFT: [f64; N];
    /// Episodes of less than 200 steps that may end in another step in single precision.
    const STRAYS: usize;

    fn at(state: [Self::Float; N]) -> Self;

    fn state(&self) -> [Self::Float; N];

    fn from_row(row: &[f64]) -> Self {
        Self::at(std::array::from_fn(|i| Self::Float::of(row[i])))
    }

    /// Its state as far as it is from `row`.
    fn distance(&self, row: &[f64]) -> [f64; N] {
        std::array::from_fn(|i| {
            let away = (self.state()[i].to_f64() - row[i]).abs();
            if i < Self::ANGLES { away.min((away - 2.0 * std::f64::consts::PI).abs()) } else { away }
        })
    }

    /// To the last bit.
    #[track_caller]
    fn assert_equal(&self, what: &str, row: &[f64], seen: &[f32]) {
        let bits = |x: &f64| x.to_bits();
        let state = self.state().map(Self::Float::to_f64);
        assert!(state.iter().map(bits).eq(row.iter().map(bits)), "{what}: {state:?}, not {row:?}");
        assert_eq!(self.seen(), seen[..Self::SPEC.observations], "{what}");
    }

    fn seen(&self) -> Vec<f32> {
        let mut seen = vec![0.0; Self::SPEC.observations];
        self.observe(&mut seen, 1);
        seen
    }
}

impl<F: Float> Golden<4> for CartPole<F> {
    type Float = F;
    const FILE: &str = "cartpole";
    const STEP: [f64; 4] = [2e-6; 4];
    const DRIFT: [f64; 4] = [1.3e-3; 4];
    const STRAYS: usize = 1;
    fn at(state: [F; 4]) -> Self {
        Self { state }
    }
    fn state(&self) -> [F; 4] {
        self.state
    }
}

impl<F: Float> Golden<2> for MountainCar<F> {
    type Float = F;
    const FILE: &str = "mountain_car";
    const STEP: [f64; 2] = [1e-6; 2];
    const DRIFT: [f64; 2] = [5e-5; 2];
    const STRAYS: usize = 0;
    fn at(state: [F; 2]) -> Self {
        Self { state }
    }
    fn state(&self) -> [F; 2] {
        self.state
    }
}

impl<F: Float> Golden<4> for Acrobot<F> {
    type Float = F;
    const FILE: &str = "acrobot";
    const ANGLES: usize = 2;
    const STEP: [f64; 4] = [5e-5, 5e-5, 2e-3, 2e-3];
    const DRIFT: [f64; 4] = [6e-2; 4];
    const STRAYS: usize = 1;
    fn at(state: [F; 4]) -> Self {
        Self::new(state)
    }
    fn state(&self) -> [F; 4] {
        Acrobot::state(self)
    }
}

#[track_caller]
fn assert_within<const N: usize>(what: &str, distance: [f64; N], tolerance: [f64; N]) {
    // Written so that NaN fails.
    let all = distance.iter().zip(tolerance).all(|(&away, allowed)| away <= allowed);
    assert!(all, "{what}: {distance:?} away, {tolerance:?} allowed");
}

/// Single steps from states all over the space.
fn transitions<W: Golden<N>, const N: usize>() {
    let Some(npz) = open(&format!("{}.npz", W::FILE)) else { return };
    let name = W::SPEC.name;
    let (before, after, seen) = (npz.f64("tr_state"), npz.f64("tr_next_state"), npz.f32("tr_obs"));
    let (actions, rewards, ends) = (npz.i64("tr_action"), npz.f64("tr_reward"), npz.bools("tr_terminated"));
    let mut draws = Seeds::Phylon(0).episode(0);
    let mut other_ends = 0;
    for (i, (before, after)) in before.chunks_exact(N).zip(after.chunks_exact(N)).enumerate() {
        let mut world = W::from_row(before);
        let outcome = world.step(actions[i] as i32, &mut draws);
        let what = format!("{name}, transition {i}");
        if W::Float::IS_EXACT {
            world.assert_equal(&what, after, &seen[i * W::SPEC.observations..]);
        } else {
            assert_within(&what, world.distance(after), W::STEP);
        }
        other_ends += usize::from(outcome.terminated != ends[i]);
        if outcome.terminated == ends[i] {
            assert_eq!(outcome.reward, rewards[i], "{what}");
        }
    }
    assert!(other_ends <= if W::Float::IS_EXACT { 0 } else { 2 }, "{name}: {other_ends} ends differ");
}

/// Recorded actions from the recorded first states.
fn open_loop<W: Golden<N>, const N: usize>() {
    let Some(npz) = open(&format!("{}.npz", W::FILE)) else { return };
    let name = W::SPEC.name;
    let (states, seen) = (npz.f64("state"), npz.f32("obs"));
    let (actions, rewards, ends) = (npz.i64("action"), npz.f64("reward"), npz.bools("terminated"));
    let mut draws = Seeds::Phylon(0).episode(0);
    let (mut at, mut strays) = (0, 0);
    for (episode, length) in npz.i64("length").into_iter().enumerate() {
        let length = length as usize;
        let row = |t: usize| &states[(at + episode + t) * N..][..N];
        let mut world = W::from_row(row(0));
        let mut end = None;
        for t in 0..length {
            let outcome = world.step(actions[at + t] as i32, &mut draws);
            let what = format!("{name}, episode {episode}, step {t}");
            if W::Float::IS_EXACT {
                world.assert_equal(&what, row(t + 1), &seen[(at + episode + t + 1) * W::SPEC.observations..]);
                assert_eq!((outcome.terminated, outcome.reward), (ends[at + t], rewards[at + t]), "{what}");
            } else if t < OPEN_LOOP || N == 2 {
                assert_within(&what, world.distance(row(t + 1)), W::DRIFT);
            }
            end = end.or(outcome.terminated.then_some(t));
        }
        let expected = ends[at + length - 1].then_some(length - 1);
        strays += usize::from((length < 200 || N == 2) && end != expected);
        at += length;
    }
    assert!(strays <= W::STRAYS, "{name}: {strays} episodes end in another step");
}

#[test]
fn envs_transitions_are_those_of_gymnasium() {
    transitions::<CartPole<f64>, 4>();
    transitions::<CartPole<f32>, 4>();
    transitions::<MountainCar<f64>, 2>();
    transitions::<MountainCar<f32>, 2>();
    transitions::<Acrobot<f64>, 4>();
    transitions::<Acrobot<f32>, 4>();
}

#[test]
fn envs_episodes_in_open_loop_are_those_of_gymnasium() {
    open_loop::<CartPole<f64>, 4>();
    open_loop::<CartPole<f32>, 4>();
    open_loop::<MountainCar<f64>, 2>();
    open_loop::<MountainCar<f32>, 2>();
    open_loop::<Acrobot<f64>, 4>();
    open_loop::<Acrobot<f32>, 4>();
}

/// Random actions for some steps, one world at a time and all at once.
fn together<W: Dynamics<N> + PartialEq, const N: usize>() {
    let row = |index| Row { seed: 6, stream: Stream::Action, generation: 0, index };
    for set in InstructionSet::available() {
        for count in [0, 1, 15, 16, 17, 63, 100] {
            let mut draws: Vec<_> = (0..count).map(|k| Seeds::Phylon(5).episode(k)).collect();
            let mut alone: Vec<W> = draws.iter_mut().map(W::reset).collect();
            let mut all = alone.clone();
            let (mut rewards, mut terminated) = (vec![0.0; count as usize], vec![false; count as usize]);
            for t in 0..60 {
                let actions: Vec<_> = (0..count).map(|k| i32::random(&row(k), t, W::SPEC.actions.outputs())).collect();
                StepAll { worlds: &mut all, actions: &actions, rewards: &mut rewards, terminated: &mut terminated }
                    .on(set);
                for (k, world) in alone.iter_mut().enumerate() {
                    let outcome = world.step(actions[k], &mut draws[k]);
                    let together = Outcome { reward: rewards[k], terminated: terminated[k] };
                    assert!(outcome == together && *world == all[k], "{} {set:?} {k} of {count}", W::SPEC.name);
                }
            }
        }
    }
}

#[test]
fn worlds_step_together_as_they_do_alone() {
    together::<CartPole<f64>, 4>();
    together::<CartPole<f32>, 4>();
    together::<MountainCar<f64>, 2>();
    together::<MountainCar<f32>, 2>();
    together::<Acrobot<f64>, 8>();
    together::<Acrobot<f32>, 8>();
}

//! A network made by hand, what probes take from it, and what trials make of a fixed strategy.

use super::*;
use crate::world::players::Strategy;

/// Forward, left, right; the reward is heard by the first and changes nothing.
const EDGES: &str = "['wall > n1', 'green > n0', 'reward > n0', 'n2 > n2']";
const REWARD_SYNAPSE: usize = 1;
/// The synapses' output that shows what they remember of a reward.
const REMEMBERED: usize = 5;

fn play(layout: &str) -> MazePlay {
    let text = format!(
        "format = 1\n[run]\nname = 'left'\ngenerations = 1\n[unit.enu]\ninputs = 8\nmemory = 8\noutputs = 8\n\
         [network]\nneurons = 3\nedges = {EDGES}\n[task.{layout}]\nshuffle_inputs = false\nshuffle_outputs = false\n[es]"
    );
    MazePlay::new(&Plan::new(toml::from_str(&text).unwrap()).unwrap())
}

/// Walks on, and turns left at a wall: always to the same arm. Only agents whose noise is greatest, and above zero, at the
/// neuron of the first motor walk on at all.
fn left_turner() -> Vec<f32> {
    const SIZE: usize = 8;
    const INPUTS: usize = 2 * SIZE;
    let gates = 3 * SIZE * SIZE;
    // Of a unit: memory 0 follows input 0 at once; memory 1 takes inputs 1 and 2 in and forgets half a step.
    let mut unit = vec![0.0; 3 * gates + SIZE * SIZE];
    let (update, candidate, read_out) = (0, 2 * gates, 3 * gates);
    unit[update] = 20.0;
    unit[candidate + INPUTS * SIZE] = 5.0;
    unit[candidate + (INPUTS + 1) * SIZE + 1] = 5.0;
    unit[candidate + (INPUTS + 2) * SIZE + 1] = 5.0;
    unit[read_out] = 1.0;
    let mut synapse = unit.clone();
    synapse[read_out + SIZE + REMEMBERED] = 1.0;
    [synapse, unit].concat()
}

/// Whether anything of a reward, and of green light, is left in a synapse in actions that do not show it.
#[derive(Default)]
struct Traces {
    shows_reward: [bool; LANES],
    reward_shown: bool,
    reward_kept: bool,
    green: bool,
    meals: u32,
}

impl Watch for Traces {
    fn ticked(&mut self, network: &Network, environments: &[usize]) {
        let synapse = |channel: usize, synapse: usize, slot: usize| {
            network.synapses.outputs()[channel * network.synapses.lanes() + synapse * network.environments() + slot]
        };
        for (slot, &environment) in environments.iter().enumerate() {
            // Far above the noise.
            let heard = synapse(REMEMBERED, REWARD_SYNAPSE, slot) > 0.3;
            *(if self.shows_reward[environment] { &mut self.reward_shown } else { &mut self.reward_kept }) |= heard;
            self.green |= synapse(0, 0, slot) > 0.5;
        }
    }

    fn acted(&mut self, environment: usize, _: &TMaze, _: &[f32; Action::MOTORS], _: Action, after: &TMaze) {
        self.shows_reward[environment] = after.reward != 0;
        self.meals += u32::from(after.reward != 0);
    }
}

#[test]
fn probes_take_what_they_say_and_nothing_else() {
    let none = Probe::default();
    let traces = |probe: Probe| {
        let play = play("t_maze").with_probe(probe);
        let mut traces = Traces::default();
        let episodes = play.fresh_episodes(LANES, 1);
        let mut workspace = play.workspace(LANES);
        play.play_watched(&mut workspace, &left_turner(), &episodes, 0, &mut [0.0; LANES], &mut traces);
        let Traces { reward_shown, reward_kept, green, meals, .. } = traces;
        (reward_shown, reward_kept, green, meals)
    };
    let (reward_shown, reward_kept, green, meals) = traces(none);
    assert!(reward_shown && reward_kept && green && meals > 20, "{reward_shown} {reward_kept} {green} {meals}");
    // The strategy needs none of these.
    assert_eq!(traces(Probe { no_reward_signal: true, ..none }), (false, false, true, meals));
    assert_eq!(traces(Probe { freeze_synapses: true, ..none }), (true, false, true, meals));
    assert_eq!(traces(Probe { dark: true, ..none }), (true, true, false, meals));
    // Without noise it walks no further.
    assert_eq!(traces(Probe { no_noise: true, ..none }).3, 0);
}

#[test]
fn a_life_earns_its_fitness_and_the_threads_do_not_matter() {
    for layout in ["t_maze", "double_t_maze"] {
        let play = play(layout);
        let episodes = play.fresh_episodes(100, 3);
        let lives = Trials::of(&play, &left_turner(), &episodes);
        let fitness: Vec<f32> = lives.iter().map(Life::fitness).collect();
        assert_eq!(fitness, play.fitness(&left_turner(), &episodes));
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert!(lives == alone.install(|| Trials::of(&play, &left_turner(), &episodes)));
    }
}

#[test]
fn a_fixed_strategy_does_not_seem_to_learn() {
    let play = play("t_maze");
    let lives = Trials::of(&play, &left_turner(), &play.fresh_episodes(1000, 1));
    let right = |from: u32, to: u32| {
        let shares: Vec<f64> = lives.iter().filter_map(|life| life.right(|trial| Some(trial.met), from..=to)).collect();
        assert_eq!(shares.len(), lives.len(), "no life is cut before");
        shares.iter().sum::<f64>() / shares.len() as f64
    };
    let never = right(0, 0);
    assert!((0.1..0.25).contains(&never), "those that walk on are right half the time: {never}");
    assert_eq!(never, right(1, 1));
    assert!(right(3, u32::MAX) < never && right(12, 12) < never);
    // Poison feeds nobody: who still enters an arm after eight meals is one of those that were right.
    let late = |trial: &&Trial| trial.met >= 8;
    assert!(
        lives.iter().flat_map(|life| life.trials.iter().filter(late)).any(|trial| trial.first_choice == Some(true))
    );
}

#[test]
fn players_score_what_is_known_of_them() {
    for (layout, places) in [("t_maze", 2), ("double_t_maze", 4)] {
        let play = play(layout);
        let episodes = play.fresh_episodes(400, 1);
        let finished = |strategy| {
            let lives = Trials::of_player(&play, strategy, &episodes);
            assert!(lives.iter().all(|life| !life.starved), "{layout}: {strategy:?}");
            lives.into_iter().map(|life| life.trials.into_iter().filter(|t| t.reward != 0).collect::<Vec<_>>())
        };
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let right = |trial: &Trial| trial.first_choice == Some(true);

        let reflex: Vec<Trial> = finished(Strategy::Reflex).flatten().collect();
        assert!(reflex.iter().all(|trial| trial.reward == 1), "{layout}: food in every trial");
        // In whole lives, those with the food in the first arm have more trials.
        let early = reflex.iter().filter(|trial| trial.met < 10);
        let chance = mean(early.map(|trial| f64::from(u8::from(right(trial)))).collect());
        assert!((chance - 1.0 / f64::from(places)).abs() < 0.02, "{layout}: {chance}");

        let mut moves = 0;
        for life in finished(Strategy::WinStayLoseShift) {
            assert!(life.iter().all(|trial| (trial.reward == 1) == right(trial)), "{layout}: it does not look");
            for [before, trial] in life.array_windows() {
                moves += u32::from(trial.moved && trial.since_move == 0);
                match (before.reward, trial.since_move) {
                    (1, 0) => assert!(!right(trial), "{layout}: it goes where the food was"),
                    (1, _) => assert!(right(trial), "{layout}: win, stay"),
                    (_, since) if since + 1 >= places => assert!(right(trial), "{layout}: it has been everywhere else"),
                    _ => {}
                }
            }
        }
        assert!(moves > 1000, "{moves}");
        // Actions a trial: those of section 6 of the note on behavioural assays, and the double maze's arm ends are six away.
        let actions = |strategy| mean(finished(strategy).flatten().map(|trial| f64::from(trial.actions)).collect());
        let shift = actions(Strategy::WinStayLoseShift);
        assert_eq!(shift, if places == 2 { 5.0 } else { 6.0 }, "{layout}");
        let reflex = actions(Strategy::Reflex);
        assert!(if places == 2 { (reflex - 6.5).abs() < 0.1 } else { (11.0..14.0).contains(&reflex) }, "{reflex}");
    }
}

/// As an agent would see its trials: (place that it has entered an arm to, outcome), then the end.
#[test]
fn no_choice_is_wrong_but_where_the_episode_ends() {
    let trial =
        |met, first_choice, reward| Trial { met, since_move: met, moved: true, first_choice, reward, actions: 5 };
    let (right, wrong) = (trial(0, Some(true), 1), trial(0, Some(false), 1));
    let life = |last: Trial, starved| Life { trials: vec![right, trial(1, Some(false), -1), last], starved };
    let met = |life: &Life, n: u32| life.right(|trial| Some(trial.met), n..=n);
    for (life, at_2, at_3) in [
        // The end of the episode cuts the third trial, before and after it entered an arm.
        (life(trial(2, None, 0), false), None, None),
        (life(trial(2, Some(true), 0), false), Some(1.0), None),
        // Hunger ends it.
        (life(trial(2, None, 0), true), Some(0.0), Some(0.0)),
        (life(trial(2, Some(true), 0), true), Some(1.0), Some(0.0)),
    ] {
        assert_eq!([0, 1, 2, 3].map(|n| met(&life, n)), [Some(1.0), Some(0.0), at_2, at_3], "{life:?}");
        assert_eq!((life.meals(1), life.meals(-1), life.fitness()), (1, 1, 0.0));
    }
    // A life's share is over its trials; before a move there is none to count from.
    let life = Life { trials: vec![right, wrong, wrong, trial(1, Some(true), 1)], starved: false };
    assert_eq!((met(&life, 0), life.right(|trial| Some(trial.met), 0..=u32::MAX)), (Some(1.0 / 3.0), Some(0.5)));
    let unmoved = Life { trials: vec![Trial { moved: false, ..right }], starved: true };
    assert_eq!((unmoved.right(Trial::since_a_move, 0..=0), unmoved.right(Trial::since_a_move, 1..=1)), (None, None));
}

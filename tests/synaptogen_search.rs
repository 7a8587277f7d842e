//! Rollouts of populations, agents grown from profiles, and the search of profiles by SNES: the same bits on any number of
//! threads, and each of the rules of Algorithm 2.

use std::sync::atomic::{AtomicU64, Ordering};

use phylon::device::Device;
use phylon::policy::{Activation, Mlp};
use phylon::registry::WorldKind;
use phylon::rng::{Row, Stream};
use phylon::rollout::{Policy, Population, Rollout};
use phylon::search::Spread;
use phylon::search::mutation::Mutation;
use phylon::synaptogen::fitness::{self, DEGREE};
use phylon::synaptogen::growth::law::Law;
use phylon::synaptogen::growth::{Connectome, direct};
use phylon::synaptogen::search::{Found, Search};
use phylon::synaptogen::{Assembly, Layout, Profile, RuleMap, Shape};

const WORLDS: [WorldKind; 4] =
    [WorldKind::CartPole, WorldKind::MountainCar, WorldKind::Acrobot, WorldKind::LunarLander];

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads").install(work)
}

fn random_agents(world: WorldKind, count: u32) -> Vec<Mlp> {
    let (inputs, outputs) = (world.spec().observations, world.spec().actions.outputs());
    let agent = |index| {
        let mut mlp = Mlp::new(&[inputs, 20, outputs], Activation::Selu);
        Row { seed: 4, stream: Stream::Initial, generation: 0, index }.normals(0, mlp.parameters_mut());
        mlp
    };
    (0..count).map(agent).collect()
}

#[test]
fn a_population_plays_the_episodes_of_single_rollouts() {
    for world in WORLDS {
        let agents = random_agents(world, 5);
        let population = Population { world, agents: &agents, episodes: 3, seed: 8 };
        let told = AtomicU64::new(0);
        let count = |more: u32| {
            told.fetch_add(u64::from(more), Ordering::Relaxed);
        };
        let played = on_threads(1, || population.play(&count)).unwrap();
        assert_eq!(told.into_inner(), 15, "{world:?}");
        assert_eq!(played, on_threads(3, || population.play(&|_| {})).unwrap(), "{world:?}");
        for (number, (agent, played)) in agents.iter().zip(&played).enumerate() {
            let policy = Policy::Mlp(agent.clone());
            let rollout = Rollout { world, policy, seeds: population.seeds(number), episodes: 3 };
            assert_eq!(*played, rollout.play(&Device::cpu(), &|_| {}).unwrap().episodes, "{world:?}: agent {number}");
        }
        // In the others every return of these agents is that of the time limit.
        if matches!(world, WorldKind::CartPole | WorldKind::LunarLander) {
            assert!(played[0] != played[1] && played[0][0] != played[0][1], "{world:?}: agents and episodes differ");
            let other = Population { seed: 9, ..population }.play(&|_| {}).unwrap();
            assert!(other[0] != played[0], "{world:?}: the seed decides");
        }
    }
}

/// More episodes than a thread has lanes, so that lanes take others in turn; and fewer agents.
#[test]
fn an_episode_depends_on_neither_the_number_of_agents_nor_of_episodes() {
    let agents = random_agents(WorldKind::CartPole, 3);
    let few = Population { world: WorldKind::CartPole, agents: &agents, episodes: 7, seed: 1 };
    let many = Population { agents: &agents[..2], episodes: 600, ..few };
    let (few, many) = (few.play(&|_| {}).unwrap(), many.play(&|_| {}).unwrap());
    assert_eq!(many[1].len(), 600);
    for agent in 0..2 {
        assert_eq!(few[agent], many[agent][..7]);
    }
}

#[test]
fn agents_that_do_not_fit_are_refused() {
    let mut agents = random_agents(WorldKind::CartPole, 2);
    agents[1] = random_agents(WorldKind::Acrobot, 1).remove(0);
    let population = Population { world: WorldKind::CartPole, agents: &agents, episodes: 1, seed: 1 };
    let error = population.play(&|_| {}).unwrap_err().to_string();
    assert!(error.starts_with("agent 1: W1 is [6, 20], but cartpole has 4 observations"), "{error}");
}

/// Weights that were drawn and the profile's biases lie where a policy has them, whichever sampler drew.
#[test]
fn grown_agents_have_drawn_weights_and_the_biases_of_their_profile() {
    let shape = Shape::new(&[3, 5, 4, 2], 6);
    let profile = Profile::initial(shape.clone(), RuleMap::Sigmoid, 3);
    let mut assembly = Assembly::new(&shape, &RuleMap::Sigmoid);
    assembly.assemble(&profile.parameters);
    let connectome = Connectome::of(&assembly, DEGREE);
    let total: f64 = (0..3).flat_map(|pair| assembly.numbers(pair)).map(|&n| f64::from(n)).sum();
    let alpha = 1e5 * 14.0 / (2.0 * total);
    assert!((f64::from(connectome.alpha) / alpha - 1.0).abs() < 1e-6, "{} is not {alpha}", connectome.alpha);
    for count in [3, 40] {
        let synapses = match count {
            3 => direct::synapses(&connectome, 11, 0..count),
            _ => Law::new(&connectome).synapses(11, 0..count),
        };
        let weights = connectome.weights(&synapses);
        let grown = fitness::grow(&profile, 11, 0..count).unwrap();
        assert_eq!(grown.len(), count as usize);
        for (agent, weights) in grown.iter().zip(weights.chunks_exact(15 + 20 + 8)) {
            let biases = Layout::new(&shape).biases.into_iter().map(|range| &profile.parameters[range]);
            let layers = [&weights[..15], &weights[15..35], &weights[35..]].into_iter().zip(biases);
            let expected: Vec<f32> =
                layers.flat_map(|(weights, biases)| [weights, biases]).flatten().copied().collect();
            assert_eq!((agent.parameters(), agent.activation()), (&expected[..], Activation::Selu));
        }
    }
}

/// A profile whose mean network has two hidden neurons, one for each sign of k x; `sign` of its actions.
fn balancer(sign: f32) -> Profile {
    const SURE: f32 = 20.0;
    let shape = Shape::new(&[4, 128, 2], 2);
    let layout = Layout::new(&shape);
    let mut profile = Profile { parameters: vec![0.0; layout.parameters()], shape, rules: RuleMap::Sigmoid };
    let mut set = |range: &std::ops::Range<usize>, index: usize, value: f32| {
        profile.parameters[range.start + index] = value;
    };
    // Gene 0 joins inputs and hidden neurons, gene 1 these and outputs.
    for (input, k) in [0.1f32, 0.5, 5.0, 1.0].into_iter().enumerate() {
        set(&layout.expression[0], 2 * input, k.sqrt());
        set(&layout.neurotransmitters[0], 3 * input, SURE);
    }
    for neuron in 0..2 {
        for gene in 0..2 {
            set(&layout.expression[1], 2 * neuron + gene, 1.0);
        }
        set(&layout.expression[2], 2 * neuron + 1, 1.0);
        // The first hidden neuron is excited, the second inhibited by the inputs; they have transmitters of their own.
        set(&layout.receptors[0], 6 * neuron + neuron, SURE);
        set(&layout.neurotransmitters[1], 3 * neuron + neuron, SURE);
    }
    // Output 1 is excited by the first hidden neuron and inhibited by the second, output 0 the other way round.
    let [first, second] = if sign > 0.0 { [[1, 2], [0, 3]] } else { [[0, 3], [1, 2]] };
    for (output, receptors) in [first, second].into_iter().enumerate() {
        receptors.into_iter().for_each(|receptor| set(&layout.receptors[1], 6 * output + receptor, SURE));
    }
    for (rule, raw) in [1.0, -1.0, -1.0, 1.0].into_iter().enumerate() {
        set(&layout.rules, rule, SURE * raw);
    }
    profile
}

#[test]
fn agents_of_a_profile_that_balances_are_fit() {
    let scores = |sign: f32, agents| fitness::scores(&balancer(sign), WorldKind::CartPole, agents, [1, 2]).unwrap();
    for agents in [5, 20] {
        let (balanced, steps) = scores(1.0, agents);
        assert_eq!((balanced, steps), (vec![500.0; agents as usize], 5000 * u64::from(agents)));
        let (fallen, steps) = scores(-1.0, agents);
        assert!(fallen.iter().all(|&score| score < 12.0), "{fallen:?}");
        assert_eq!(steps as f64, (10.0 * fallen.iter().sum::<f64>()).round());
    }
}

fn search(world: WorldKind, steps: u64) -> Search {
    let shape = Shape::new(&[world.spec().observations, 12, world.spec().actions.outputs()], 3);
    Search { world, shape, rules: RuleMap::Sigmoid, population: 5, agents: 2, seed: 6, steps }
}

#[test]
fn a_search_ends_with_the_generation_that_uses_its_steps_up() {
    for budget in [1, 1_000, 5_000] {
        let told = AtomicU64::new(0);
        let count = |more: u64| {
            told.fetch_add(more, Ordering::Relaxed);
        };
        let Found { generations, .. } = search(WorldKind::CartPole, budget).run(&count).unwrap();
        let (last, before) = generations.split_last().unwrap();
        assert!(last.steps >= budget && before.iter().all(|generation| generation.steps < budget), "{generations:?}");
        assert_eq!(told.into_inner(), budget);
        let first = generations[0].steps;
        assert!(first >= 5 * 2 * 10 * 8, "an episode has 8 steps at least: {first}");
    }
}

#[test]
fn a_search_is_the_same_on_any_number_of_threads() {
    let search = search(WorldKind::CartPole, 4_000);
    let found = on_threads(1, || search.run(&|_| {})).unwrap();
    assert!(found.generations.len() > 2);
    assert_eq!(found, on_threads(3, || search.run(&|_| {})).unwrap());
    assert_ne!(found.profile, Search { seed: 7, ..search }.run(&|_| {}).unwrap().profile);
}

/// The profile that comes out has, with the agents and episodes that it was judged by, the highest fitness there was.
#[test]
fn the_best_offspring_of_all_generations_is_kept() {
    let search = search(WorldKind::CartPole, 6_000);
    let Found { profile, fitness, generations } = search.run(&|_| {}).unwrap();
    let best = generations.iter().map(|generation| generation.best).fold(0.0, f32::max);
    assert_eq!(fitness, best);
    assert!(generations.iter().all(|generation| generation.best >= generation.mean));
    let is_it = |generation: usize, offspring: u32| {
        let row = Row { seed: 6, stream: Stream::Judges, generation: generation as u32, index: offspring };
        let (scores, _) = fitness::scores(&profile, search.world, search.agents, row.seeds()).unwrap();
        generations[generation].best == best && (scores.iter().sum::<f64>() / 2.0) as f32 == best
    };
    assert!((0..generations.len()).any(|generation| (0..5).any(|offspring| is_it(generation, offspring))));
}

/// Nobody gets anywhere in a few steps of the mountain car, so all offspring are equal.
#[test]
fn of_equal_offspring_the_latest_is_kept() {
    let search = search(WorldKind::MountainCar, 1);
    let Found { profile, fitness, generations } = search.run(&|_| {}).unwrap();
    assert_eq!((fitness, generations.len(), generations[0].mean), (-200.0, 1, -200.0));
    let first = Profile::initial(search.shape.clone(), RuleMap::Sigmoid, 6).parameters;
    let mut last = vec![0.0; first.len()];
    let mutation = Mutation { seed: 6, generation: 0, antithetic: false };
    mutation.perturb(4, &first, Spread::Uniform(1.0), &mut last);
    assert_eq!(profile.parameters, last);
}

#[test]
fn a_search_without_offspring_or_agents_is_refused() {
    for (population, agents) in [(0, 2), (5, 0)] {
        let search = Search { population, agents, ..search(WorldKind::CartPole, 1) };
        let error = search.run(&|_| {}).unwrap_err().to_string();
        assert!(error.contains("try: at least 1 of both"), "{error}");
    }
}

#[test]
fn populations_are_the_published_ones() {
    assert_eq!(Search::populations(&Shape::new(&[4, 128, 2], 16)), [8, 16, 28]);
}

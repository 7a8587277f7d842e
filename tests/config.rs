//! The config file: every mistake is one message that names the place and the key, and what `to_toml` writes loads
//! back to the same config.

use std::path::PathBuf;

use phylon::config::{
    self, Adam, Bcm, Config, Es, Iaf, Maze, Momentum, Network, Numerics, Paper, Random, RewardedStdp, Rule, Run, Snes,
    Stdp, SynapseInput, Task, Unit, UnitSize,
};
use phylon::plan::Plan;
use phylon::registry::{Entry, OPTIMISERS, RULES, TASKS, UNITS, UnitKind};
use proptest::prelude::*;
use serde::de::DeserializeOwned;

const GOOD: &str = r#"format = 1

[run]
name = "tiny"
generations = 2

[unit.enu]
memory = 8

[task.iaf]

[es]
population = 4
"#;

/// Loads `file` with overrides; the path in messages is shortened to `x.toml`.
fn load(file: &str, overrides: &[&str]) -> Result<Plan, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    std::fs::write(&path, file).unwrap();
    let overrides: Vec<String> = overrides.iter().map(|&s| s.to_owned()).collect();
    config::load(&path, &overrides).map_err(|e| {
        assert_eq!(e.exit_code(), 2, "{e}");
        e.to_string().replace(&path.display().to_string(), "x.toml")
    })
}

/// The message about [`GOOD`] with `from` replaced by `to`.
fn mistake(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from:?} is not in the file");
    load(&GOOD.replacen(from, to, 1), &[]).unwrap_err()
}

fn override_mistake(setting: &str) -> String {
    load(GOOD, &[setting]).unwrap_err()
}

/// Names separated as messages show them, in the order of the config's own.
fn names(entries: &[Entry]) -> String {
    entries.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

/// What is said where a table of [`Unit`] is expected.
fn one_unit() -> String {
    format!("`[unit.<kind>]`: <kind> is one of {}", names(UNITS))
}

#[test]
fn defaults_are_the_documented_ones() {
    let config = load(GOOD, &[]).unwrap().config;
    assert_eq!((config.run.seed, config.run.checkpoint_every), (1, 50));
    assert_eq!(
        config.unit,
        Unit::Enu(UnitSize { inputs: 16, memory: 8, outputs: 16, initial_scale: 1.0, input_scale: 1.0 })
    );
    assert_eq!(config.task, Task::Iaf(Iaf::default()));
    let es = config.es.unwrap();
    assert_eq!((es.population, es.sigma, es.rank_exponent, es.antithetic), (4, 0.01, 5, false));
    assert_eq!((es.momentum, es.adam), (Some(Momentum::default()), None));
}

/// The keys or variants that serde knows, from what it says about one that it does not know.
fn known<T: DeserializeOwned>() -> Vec<String> {
    let error = toml::from_str::<T>("nothing = {}").err().expect("nothing is no name");
    let message = error.message();
    assert!(message.starts_with("unknown ") && message.contains("`nothing`, expected "), "{message}");
    message.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

#[test]
fn a_config_can_name_what_is_listed_and_nothing_else() {
    assert_eq!(known::<Unit>().join(", "), names(UNITS));
    assert_eq!(known::<Rule>().join(", "), names(RULES));
    assert_eq!(known::<Task>().join(", "), names(TASKS));
    let top = known::<Config>();
    let optimisers = top.iter().position(|key| key == "task").expect("a config has a task") + 1;
    assert_eq!(top[optimisers..].join(", "), names(OPTIMISERS));
}

#[test]
fn every_unit_has_its_kind() {
    let kind = |name: &str| toml::from_str::<Unit>(&format!("[{name}]")).expect("a unit").kind_and_size().0;
    let kinds: Vec<UnitKind> = UNITS.iter().map(|entry| kind(entry.name)).collect();
    assert_eq!(kinds, UnitKind::ALL);
    assert!(UNITS.iter().zip(UnitKind::ALL).all(|(entry, kind)| kind.name() == entry.name));
}

#[test]
fn unknown_key() {
    // The message about the key, and the keys of the table that it ends with.
    let parts = |message: &str, table: &str| {
        let (about, keys) = message.split_once(&format!("\nkeys {table}: ")).expect(message);
        (about.to_owned(), keys.split(", ").map(str::to_owned).collect::<Vec<_>>())
    };
    let (about, keys) = parts(&mistake("population = 4", "populaton = 4"), "in [es]");
    assert_eq!(
        about,
        "x.toml:13:1: unknown key `es.populaton`\n   |\n13 | populaton = 4\n   | ^^^^^^^^^\ntry: `es.population`"
    );
    assert!(["population", "sigma", "adam"].iter().all(|key| keys.contains(&(*key).to_owned())), "{keys:?}");
    let (about, keys) = parts(&mistake("[es]", "[ess]"), "at the top");
    assert_eq!(about, "x.toml:12:2: unknown key `ess`\n   |\n12 | [ess]\n   |  ^^^\ntry: `es`");
    assert!(["format", "run", "snes"].iter().all(|key| keys.contains(&(*key).to_owned())), "{keys:?}");
    let far = mistake("population = 4", "zzz = 4");
    assert!(far.contains("unknown key `es.zzz`") && far.contains("keys in [es]: population") && !far.contains("try:"));
}

#[test]
fn unknown_choice() {
    assert_eq!(
        mistake("[unit.enu]", "[unit.enuu]"),
        format!(
            "x.toml:7:7: unknown choice `unit.enuu`\n  |\n7 | [unit.enuu]\n  |       ^^^^\ntry: `unit.enu`\n\
             choices in [unit]: {}",
            names(UNITS)
        )
    );
    let task = mistake("[task.iaf]", "[task.ifa]");
    assert!(task.ends_with(&format!("try: `task.iaf`\nchoices in [task]: {}", names(TASKS))), "{task}");
    assert!(mistake("[unit.enu]", "[unit]").starts_with("x.toml:8:1: unknown choice `unit.memory`"));
}

#[test]
fn wrong_type() {
    assert_eq!(
        mistake("population = 4", "population = \"many\""),
        "x.toml:13:14: `es.population`: expected a whole number from 0 to 4294967295, found string \"many\"\n\
         \x20  |\n13 | population = \"many\"\n   |              ^^^^^^"
    );
    assert!(
        mistake("population = 4", "antithetic = 1").contains("`es.antithetic`: expected true or false, found integer")
    );
    assert!(mistake("population = 4", "sigma = \"x\"").contains("`es.sigma`: expected a number, found string"));
    assert!(mistake("name = \"tiny\"", "name = 3").contains("`run.name`: expected text in quotes, found integer `3`"));
    assert!(mistake("[es]", "[[es]]").contains("x.toml:12:1: `es` is a list: expected one value, or one table `[es]`"));
    assert!(
        mistake("[es]\npopulation = 4", "[es.momentum.learning_rate]").contains("expected a number, found a table")
    );
    let unit =
        load(&GOOD.replace("format = 1", "format = 1\nunit = \"gru\"").replace("[unit.enu]\nmemory = 8", ""), &[]);
    assert!(unit.unwrap_err().starts_with("x.toml:2:8: `unit` is not a table\n"));
}

#[test]
fn out_of_range() {
    assert!(mistake("population = 4", "population = -1").starts_with(
        "x.toml:13:14: `es.population`: expected a whole number from 0 to 4294967295, found integer `-1`"
    ));
    assert!(mistake("generations = 2", "generations = 99999999999").starts_with("x.toml:5:15: `run.generations`: "));
    let zero = mistake("population = 4", "population = 0");
    assert!(zero.starts_with("x.toml:13:14: `es.population`: 0 is not in 2 to 16777216\n"), "{zero}");
    let odd = mistake("population = 4", "population = 5\nantithetic = true");
    assert!(odd.starts_with("x.toml:13:14: `es.population`: "), "{odd}");
    for ends in ["2.0\ninput_max = 1.0", "nan", "-inf", "-3e38\ninput_max = 3e38", "0.0\ninput_max = inf"] {
        let interval = mistake("[task.iaf]", &format!("[task.iaf]\ninput_min = {ends}"));
        assert!(interval.starts_with("x.toml:11:13: `task.iaf.input_min`: "), "{interval}");
    }
    let format = mistake("format = 1", "format = 2");
    assert!(format.starts_with("x.toml:1:10: `format`: "), "{format}");
}

#[test]
fn missing() {
    assert_eq!(mistake("name = \"tiny\"\n", ""), "x.toml:3:1: missing key `run.name`\n  |\n3 | [run]\n  | ^^^^^");
    assert_eq!(mistake("format = 1", ""), "x.toml:1:1: missing key `format`: add `format = 1` at the top");
    assert_eq!(mistake("[unit.enu]\nmemory = 8", ""), format!("x.toml:1:1: missing table {}", one_unit()));
    assert_eq!(mistake("[run]\nname = \"tiny\"\ngenerations = 2", ""), "x.toml:1:1: missing table `[run]`");
    assert!(mistake("[unit.enu]\nmemory = 8", "[unit]").contains("no choice in `unit`"));
    let neither = mistake("[es]\npopulation = 4", "");
    assert!(neither.starts_with("x.toml:1:1: `es`: ") && neither.contains("snes"), "{neither}");
}

#[test]
fn two_choices() {
    assert_eq!(
        mistake("[task.iaf]", "[unit.gru]\n\n[task.iaf]"),
        format!(
            "x.toml:10:7: two choices in `unit`: `unit.enu` and `unit.gru`\n   |\n10 | [unit.gru]\n   |       ^^^\n\
             expected exactly one table {}",
            one_unit()
        )
    );
    let rules = load(&format!("{MAZE}\n[network.rule.bcm]\n[network.rule.rewarded_stdp]"), &[]).unwrap_err();
    assert!(
        rules.contains("two choices in `network.rule`: `network.rule.bcm` and `network.rule.rewarded_stdp`"),
        "{rules}"
    );
    assert!(
        rules.contains("exactly one table `[network.rule.<kind>]`: <kind> is one of bcm, rewarded_stdp"),
        "{rules}"
    );
    let optimisers = mistake("[es]", "[es.adam]\n[es.momentum]\n[es]");
    assert!(optimisers.starts_with("x.toml:1") && optimisers.contains("`es"), "{optimisers}");
    let strategies = mistake("[es]", "[snes]\n[es]");
    assert!(strategies.starts_with("x.toml:1") && strategies.contains("es"), "{strategies}");
}

#[test]
fn syntax() {
    assert_eq!(mistake("[run]", "[run"), "x.toml:3:5: unclosed table, expected `]`\n  |\n3 | [run\n  |     ^");
    assert!(mistake("population = 4", "population = 4\npopulation = 5").starts_with("x.toml:14:1: duplicate key"));
    assert!(mistake("name = \"tiny\"", "name = tiny").starts_with("x.toml:4:8: "));
    assert!(load("", &[]).unwrap_err().starts_with("x.toml:1:1: missing key `format`"));
}

#[test]
fn the_caret_counts_characters_and_keeps_tabs() {
    let text = mistake("name = \"tiny\"\n", "\tname = \"ü\"; x\n");
    assert!(text.starts_with("x.toml:4:12: "), "{text}");
    assert!(text.contains("\n4 | \tname = \"ü\"; x\n  | \t          ^"), "{text}");
    assert!(load(&GOOD.replace('\n', "\r\n").replace("= 4", "= x"), &[]).unwrap_err().contains("population = x\n"));
}

#[test]
fn a_file_that_is_not_there() {
    let error = config::load(&PathBuf::from("nowhere/x.toml"), &[]).unwrap_err();
    assert!(error.to_string().starts_with("cannot read the config nowhere/x.toml: "), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn overrides_set_values() {
    let config = load(
        GOOD,
        &[
            "run.name=other",
            "es.population=64",
            "es.population = 128",
            "es.adam.learning_rate=0.5",
            "unit.enu.outputs=4",
        ],
    )
    .unwrap()
    .config;
    assert_eq!(config.run.name, "other");
    let es = config.es.unwrap();
    assert_eq!((es.population, es.adam.unwrap().learning_rate), (128, 0.5));
    assert_eq!(config.unit, Unit::Enu(UnitSize { memory: 8, outputs: 4, ..UnitSize::default() }));
    assert_eq!(load(GOOD, &["run.name=\"quoted\""]).unwrap().config.run.name, "quoted");
}

const MAZE: &str = "format = 1\n[run]\nname = \"x\"\ngenerations = 2\n[unit.enu]\n[task.t_maze]\n[es]\n";

#[test]
fn a_maze_has_the_papers_network_unless_another_is_given() {
    let plan = load(MAZE, &[]).unwrap();
    let network = plan.network.as_ref().expect("a network");
    assert_eq!((network.wiring.neurons, network.wiring.sources.len(), plan.parameters()), (6, 48, 13_312));
    // Late defaults are written out: a run folder says all that was used.
    let Task::TMaze(maze) = &plan.config.task else { panic!("{:?}", plan.config.task) };
    assert_eq!((maze.swap_after, maze.poisons), (Some(4), Some(1)));
    assert!(plan.config.network.as_ref().is_some_and(|network| network.paper.is_some()));
    let double = load(&MAZE.replace("t_maze", "double_t_maze"), &[]).unwrap();
    let Task::DoubleTMaze(maze) = &double.config.task else { panic!("{:?}", double.config.task) };
    assert_eq!((maze.swap_after, maze.poisons), (Some(1), Some(3)));
    assert_eq!(load(MAZE, &["network.shared=true"]).unwrap().parameters(), 6_656);
    let concat = load(MAZE, &["network.synapse_input=concat"]).unwrap();
    assert_eq!(concat.parameters(), 8_192 + 6_656);
}

#[test]
fn networks_that_cannot_be_are_named() {
    for (settings, why) in [
        (&["unit.enu.outputs=8"][..], "`unit.enu.inputs`: 16 is not the number of outputs, 8: in a network"),
        (&["unit.enu.inputs=4", "unit.enu.outputs=4"], "`unit.enu.outputs`: 4 is not an even number, at least 6"),
        (&["network.neurons=7"], "`network.neurons`: 7 is not the paper's; for other sizes add [network.random]"),
        (&["network.random.seed=1", "network.synapses=30"], "`network.synapses`: 30 is not in 2 to 10"),
        (&["network.edges=[\"wal > n0\"]"], "`network.edges`: synapse 1 of 1, \"wal > n0\": `wal` is not a source"),
        (&["network.random.seed=1", "network.edges=[]"], "`network.edges`: both network.random and network.edges"),
        (&["network.edges_file=none.txt"], "`network.edges_file`: cannot read "),
        (&["network.shared=true", "network.synapse_input=concat"], "`network.shared`: one chromosome needs"),
        (&["network.rule.bcm.trace=2"], "`network.rule.bcm.trace`: 2 is not in 0 to 1"),
        (&["network.rule.stdp.rate=1"], "unknown choice `network.rule.stdp`"),
        (
            &["network.rule.rewarded_stdp.rate=1", "network.shared=true"],
            "`network.shared`: synapses that follow a rule",
        ),
        (
            &["network.rule.bcm.rate=1", "network.synapse_input=sum"],
            "`network.synapse_input`: is of synapses that are units",
        ),
        (&["network.output_noise=-1"], "`network.output_noise`: -1 is not a finite number"),
        (&["task.t_maze.poisons=2"], "`task.t_maze.poisons`: 2 is not in 0 to 1"),
        (&["task.t_maze.ticks_per_action=1000"], "`task.t_maze.ticks_per_action`: 1000 is not in 1 to 250"),
    ] {
        let message = load(MAZE, settings).unwrap_err();
        assert!(message.contains(why), "{settings:?}: {message}");
    }
    let single = load(GOOD, &["network.neurons=3"]).unwrap_err();
    assert!(single.contains("`network`: this task is for a single unit"), "{single}");
}

#[test]
fn a_file_of_edges_lies_beside_the_config_and_becomes_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    std::fs::write(&path, MAZE.replace("[task", "[network]\nneurons = 3\nedges_file = \"wiring.txt\"\n[task")).unwrap();
    std::fs::write(folder.path().join("wiring.txt"), "# the reflex\nwall > n0\nred > n1 # colours\n\nn0 > n2\n")
        .unwrap();
    let plan = config::load(&path, &[]).unwrap();
    assert_eq!(plan.network.as_ref().expect("a network").wiring.sources, [0, 2, 4]);
    let again = load(&config::to_toml(&plan.config), &[]).unwrap();
    assert_eq!(again, plan);
}

#[test]
fn override_mistakes_name_the_override() {
    assert!(
        override_mistake("es.populaton=3")
            .starts_with("--set es.populaton=3: unknown key `es.populaton`\ntry: `es.population`\nkeys in [es]: ")
    );
    assert!(override_mistake("es.adam.lr=3").starts_with(
        "--set es.adam.lr=3: unknown key `es.adam.lr`\ntry: `es.adam.learning_rate`\nkeys in [es.adam]: "
    ));
    assert!(override_mistake("es.population=many").starts_with(
        "--set es.population=many: `es.population`: expected a whole number from 0 to 4294967295, found string \"many\""
    ));
    assert!(override_mistake("es.population=0").starts_with("--set es.population=0: `es.population`: "));
    assert_eq!(
        override_mistake("unit.gru.memory=8"),
        format!(
            "--set unit.gru.memory=8: two choices in `unit`: `unit.enu` and `unit.gru`\n\
             expected exactly one table {}",
            one_unit()
        )
    );
    assert_eq!(override_mistake("unit=gru"), "--set unit=gru: `unit` is a table: set the keys in it one by one");
    assert_eq!(override_mistake("es={}"), "--set es={}: `es` is a table: set the keys in it one by one");
    assert_eq!(override_mistake("run.name.x=1"), "--set run.name.x=1: `name` holds a value, it has no keys below it");
    assert_eq!(override_mistake("run.name"), "--set run.name: expected key=value, for example es.population=64");
    assert_eq!(override_mistake("run..name=1"), "--set run..name=1: `run..name` is not a key");
}

#[test]
fn a_mistake_in_the_file_comes_first() {
    let broken = GOOD.replace("population = 4", "population = \"many\"");
    assert!(load(&broken, &["es.population=4"]).unwrap_err().starts_with("x.toml:13:14: "));
    assert!(load(&broken, &["es.populaton=4"]).unwrap_err().starts_with("x.toml:13:14: "));
}

fn number() -> impl Strategy<Value = f32> {
    any::<f32>().prop_filter("TOML has no signalling NaN, and NaN is equal to nothing", |x| !x.is_nan())
}

fn size() -> impl Strategy<Value = UnitSize> {
    (any::<[u32; 3]>(), number(), number()).prop_map(|([inputs, memory, outputs], initial_scale, input_scale)| {
        UnitSize { inputs, memory, outputs, initial_scale, input_scale }
    })
}

fn unit() -> impl Strategy<Value = Unit> {
    prop_oneof![
        size().prop_map(Unit::Enu),
        size().prop_map(Unit::Nfenu),
        size().prop_map(Unit::Gru),
        size().prop_map(Unit::Lstm)
    ]
}

prop_compose! {
    fn iaf()(
        environments: u32, steps: u32, input_min in number(), input_max in number(), threshold in number(),
        spike_threshold in number(), shared in number(), shared_decay in number(),
    ) -> Iaf {
        Iaf { environments, steps, input_min, input_max, threshold, spike_threshold, shared, shared_decay }
    }
}

prop_compose! {
    fn stdp()(
        environments: u32, steps: u32, input_min in number(), input_max in number(), amplitude in number(),
        tau in number(), max_delay: u32,
    ) -> Stdp {
        Stdp { environments, steps, input_min, input_max, amplitude, tau, max_delay }
    }
}

prop_compose! {
    fn es()(
        population: u32, sigma in number(), sigma_decay in number(), sigma_min in number(), rank_exponent: u32,
        antithetic: bool, weight_decay in number(), momentum in proptest::option::of(momentum()),
        adam in proptest::option::of(adam()),
    ) -> Es {
        Es { population, sigma, sigma_decay, sigma_min, rank_exponent, antithetic, weight_decay, momentum, adam }
    }
}

prop_compose! {
    fn momentum()(learning_rate in number(), momentum in number()) -> Momentum {
        Momentum { learning_rate, momentum }
    }
}

prop_compose! {
    fn adam()(learning_rate in number(), beta1 in number(), beta2 in number(), epsilon in number()) -> Adam {
        Adam { learning_rate, beta1, beta2, epsilon }
    }
}

prop_compose! {
    fn snes()(
        population in proptest::option::of(any::<u32>()), sigma in number(), learning_rate in number(),
        sigma_learning_rate in proptest::option::of(number()),
    ) -> Snes {
        Snes { population, sigma, learning_rate, sigma_learning_rate }
    }
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        prop::array::uniform7(number())
            .prop_map(|[weight, rate, tau, goal, trace, most, spread]| Bcm {
                weight,
                rate,
                tau,
                goal,
                trace,
                most,
                spread
            })
            .prop_map(Rule::Bcm),
        prop::array::uniform9(number()).prop_map(
            |[weight, tau_pre, tau_post, tau_tag, potentiation, depression, rate, most, spread]| {
                Rule::RewardedStdp(RewardedStdp {
                    weight,
                    tau_pre,
                    tau_post,
                    tau_tag,
                    potentiation,
                    depression,
                    rate,
                    most,
                    spread,
                })
            }
        ),
    ]
}

prop_compose! {
    fn network()(
        neurons: u32, synapses: u32, shared: bool, output_noise in number(),
        synapse_input in prop_oneof![Just(SynapseInput::Split), Just(SynapseInput::Sum), Just(SynapseInput::Concat)],
        paper in proptest::option::of(Just(Paper {})), seed in proptest::option::of(any::<u64>()),
        rule in proptest::option::of(rule()), edges in proptest::option::of(any::<Vec<String>>()), edges_file in proptest::option::of("[a-z/.]{1,9}"),
    ) -> Network {
        let (random, edges_file) = (seed.map(|seed| Random { seed }), edges_file.map(Into::into));
        Network { neurons, synapses, synapse_input, shared, output_noise, rule, paper, random, edges, edges_file }
    }
}

prop_compose! {
    fn maze()(
        sizes: [u32; 4], swap_after in proptest::option::of(any::<u32>()), poisons in proptest::option::of(any::<u32>()),
        shuffles: [bool; 3], dark in number(), poison_reward in number(), poison_decay in number(),
    ) -> Maze {
        let [environments, actions, ticks_per_action, energy] = sizes;
        let [shuffle_inputs, shuffle_outputs, shuffle_together] = shuffles;
        Maze {
            environments, actions, ticks_per_action, energy, swap_after, poisons, shuffle_inputs, shuffle_outputs,
            shuffle_together, dark, poison_reward, poison_decay,
        }
    }
}

prop_compose! {
    fn any_config()(
        format: u32, name: String, generations: u32, seed: u64, every: [u32; 4], unit in unit(),
        numerics in prop_oneof![Just(Numerics::Exact), Just(Numerics::Fast), Just(Numerics::Check)],
        network in proptest::option::of(network()),
        task in prop_oneof![
            iaf().prop_map(Task::Iaf), stdp().prop_map(Task::Stdp), stdp().prop_map(Task::StdpComplex),
            maze().prop_map(Task::TMaze), maze().prop_map(Task::DoubleTMaze)
        ],
        es in proptest::option::of(es()), snes in proptest::option::of(snes()),
    ) -> Config {
        let [checkpoint_every, validate_every, validation_episodes, first_centres] = every;
        let start = None;
        let run = Run { name, generations, seed, checkpoint_every, validate_every, validation_episodes, first_centres, start, numerics };
        Config { format, run, unit, network, task, es, snes }
    }
}

proptest! {
    #[test]
    fn to_toml_loads_back_to_an_equal_config(config in any_config()) {
        let text = config::to_toml(&config);
        let back: Config = toml::from_str(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(back, config, "{}", text);
    }

    #[test]
    fn a_plan_survives_its_effective_config(
        population in 1u32..1000, memory in 1u32..40, seed: u64, sigma in 1e-6f32..10.0,
    ) {
        let settings = [
            format!("es.population={}", 2 * population),
            format!("unit.enu.memory={memory}"),
            format!("run.seed={seed}"),
            format!("es.sigma={sigma}"),
        ];
        let plan = load(GOOD, &settings.each_ref().map(String::as_str)).map_err(TestCaseError::fail)?;
        let again = load(&config::to_toml(&plan.config), &[]).map_err(TestCaseError::fail)?;
        prop_assert_eq!(again, plan);
    }
}

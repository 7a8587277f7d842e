//! Config -> Plan: everything derived and checked once, before anything runs.

mod network;

use crate::battery::assays::Assay;
use crate::battery::body;
use crate::config::{self, Assays, Config, Es, Maze, Optimiser, Run, Snes, Task, Unit, UnitSize};
use crate::engine::Facts;
use crate::hash::fnv1a;
use crate::network::{Layout, Rule};
use crate::search::snes;
use crate::task::stdp::StdpTask;
use crate::unit::Shape;
use crate::workload;
use crate::world::t_maze as world;

/// A config that can run, with the sizes that follow from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// As given, with the defaults that depend on other keys written out.
    pub config: Config,
    /// Kind and sizes of the unit; in a network, of a neuron.
    pub unit: Shape,
    /// The network, for tasks that one plays.
    pub network: Option<Layout>,
    /// Input channels that a single unit's task drives; its other inputs stay zero and are skipped.
    pub channels: usize,
    /// Episodes per offspring and generation.
    pub environments: usize,
    /// Steps of an episode: those of the units. In a world, where an agent may die earlier, at most.
    pub steps: usize,
    /// Offspring per generation.
    pub population: usize,
}

/// Why a config cannot run: the key to mend and what its value must be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{key}`: {message}")]
pub struct Invalid {
    /// Path of the key, for example `es.population`.
    pub key: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

pub(crate) type Checked = Result<(), Invalid>;

/// The error for `key` unless `good`.
pub(crate) fn check(good: bool, key: &str, message: impl FnOnce() -> String) -> Checked {
    if good { Ok(()) } else { Err(Invalid { key: key.to_owned(), message: message() }) }
}

/// `low <= value <= high`, which NaN is not.
pub(crate) fn within<T: PartialOrd + std::fmt::Display>(
    table: &str,
    key: &str,
    value: T,
    (low, high): (T, T),
) -> Checked {
    check(low <= value && value <= high, &format!("{table}.{key}"), || format!("{value} is not in {low} to {high}"))
}

/// A finite number above zero.
fn positive(table: &str, key: &str, value: f32) -> Checked {
    let good = value > 0.0 && value.is_finite();
    check(good, &format!("{table}.{key}"), || format!("{value} is not a finite number above 0"))
}

/// The two ends of an interval that is not empty and of finite width, so that a draw can be scaled to it.
fn ordered(table: &str, low: (&str, f32), high: (&str, f32)) -> Checked {
    let good = low.1 <= high.1 && (high.1 - low.1).is_finite();
    check(good, &format!("{table}.{}", low.0), || {
        format!("{} to {} = {} is not an interval of finite width", low.1, high.0, high.1)
    })
}

/// Largest sizes accepted: far beyond any published use, small enough that no product of them overflows.
const MAX_CHANNELS: u32 = 4_096;
const MAX_ENVIRONMENTS: u32 = 65_536;
const MAX_STEPS: u32 = 100_000;
/// A counter word addresses the offspring; the rest is room for the centre.
pub(crate) const MAX_POPULATION: u32 = 1 << 24;

impl Plan {
    /// Check a config, write out the defaults that depend on other keys, and derive the sizes.
    ///
    /// # Errors
    /// The first key whose value cannot be.
    pub fn new(mut config: Config) -> Result<Self, Invalid> {
        check(config.format == 1, "format", || {
            format!("{} is not a known format; this program reads format 1", config.format)
        })?;
        check_run(&config.run)?;
        let unit = check_unit(&config.unit)?;
        let is_network = config.network.is_some();
        let (channels, environments, steps) = check_task(&mut config.task, is_network)?;
        check(unit.inputs >= channels, &format!("unit.{}.inputs", unit.kind.name()), || {
            format!("{} is too few: the task drives {channels} input channels", unit.inputs)
        })?;
        let network = network::check_network(&mut config, unit)?;
        let parameters = parameters(unit, network.as_ref());
        check_start(&config.run, parameters)?;
        let population = check_optimiser(&config, parameters)?;
        if let Some(es) = config.es.as_mut().filter(|es| es.adam.is_none()) {
            es.momentum.get_or_insert_default();
        }
        if let Some(snes) = &mut config.snes {
            snes.population = Some(population as u32);
            snes.sigma_learning_rate.get_or_insert_with(|| snes::default_sigma_rate(parameters));
        }
        Ok(Self { unit, network, channels, environments, steps, population, config })
    }

    /// The units that have parameters of their own, in the order in which the flat vector holds them, behind the constants of
    /// [`Plan::rule`].
    pub fn chromosomes(&self) -> Vec<Shape> {
        self.network.as_ref().map_or_else(|| vec![self.unit], Layout::chromosomes)
    }

    /// The rule that a network's synapses follow, if they are not units.
    pub fn rule(&self) -> Option<Rule> {
        self.network.as_ref().and_then(Layout::rule)
    }

    /// Length of the flat parameter vector.
    pub fn parameters(&self) -> usize {
        parameters(self.unit, self.network.as_ref())
    }

    /// The plan of a run that starts from this centre.
    ///
    /// # Errors
    /// When it is not one of this plan's.
    pub fn starting_from(&self, centre: Vec<f32>) -> Result<Self, Invalid> {
        let run = Run { start: Some(centre), first_centres: 1, ..self.config.run.clone() };
        Self::new(Config { run, ..self.config.clone() })
    }

    /// The same for a run that goes on: it needs no first centre of its own, and many random ones may take minutes to play.
    ///
    /// # Panics
    /// Never: a plan may start anywhere.
    pub fn without_first_centres(&self) -> Self {
        self.starting_from(vec![0.0; self.parameters()]).expect("a plan may start anywhere")
    }

    /// Work of one generation: every offspring and the centre.
    pub fn facts(&self) -> Facts {
        let env_steps = ((self.population + 1) * self.environments * self.steps) as u64;
        Facts {
            population: self.population as u32,
            parameters: self.parameters(),
            env_steps,
            flops: env_steps * 2 * self.multiply_adds() as u64,
        }
    }

    /// Multiply-adds of one step of one environment.
    fn multiply_adds(&self) -> usize {
        match &self.network {
            Some(network) => network.multiply_adds(),
            None => self.unit.multiply_adds(self.channels),
        }
    }

    /// Bytes that the engine holds on this machine: parameters and optimiser, a generation's fitness and episodes, and
    /// the working set of every thread. Perturbed parameters exist only for the offspring in work.
    pub fn memory_bytes(&self) -> u64 {
        let parameters = self.parameters();
        // Centre, best, update sums and at most three vectors of the optimiser.
        let search = 8 * parameters;
        let environments = self.environments + self.config.run.validation_episodes as usize;
        let (episode, thread) = match &self.network {
            _ if matches!(self.config.task, Task::Assay(_)) => workload::lives::floats(self),
            Some(network) => workload::maze::floats(self, network),
            None => workload::single_unit::floats(self),
        };
        let generation = 3 * self.population + environments * episode;
        let threads = rayon::current_num_threads() * (parameters + self.environments + thread);
        (4 * (search + generation + threads)) as u64
    }

    /// FNV-1a over everything that decides the bits of a run: not its name, length or checkpoint interval. Of the effective config as
    /// text, in which optional keys that are not there leave no trace: a new one does not part runs from their checkpoints.
    pub fn hash(&self) -> u64 {
        let run = Run { name: String::new(), generations: 0, checkpoint_every: 0, ..self.config.run.clone() };
        let decisive = Config { run, ..self.config.clone() };
        fnv1a(config::to_toml(&decisive).into_bytes())
    }
}

fn parameters(unit: Shape, network: Option<&Layout>) -> usize {
    network.map_or_else(|| unit.parameters(), Layout::parameters)
}

/// That a run can be called so: its folder has this name.
pub(crate) fn check_name(name: &str) -> Checked {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let good = !name.is_empty() && name.chars().all(allowed) && !name.starts_with('.');
    check(good, "run.name", || {
        format!("{name:?} is not a folder name of letters, digits, `-`, `_` and `.` that does not start with `.`")
    })
}

fn check_run(run: &Run) -> Checked {
    check_name(&run.name)?;
    within("run", "generations", run.generations, (1, u32::MAX))?;
    within("run", "checkpoint_every", run.checkpoint_every, (1, u32::MAX))?;
    within("run", "validate_every", run.validate_every, (1, u32::MAX))?;
    within("run", "validation_episodes", run.validation_episodes, (1, MAX_ENVIRONMENTS))?;
    within("run", "first_centres", run.first_centres, (1, MAX_POPULATION))
}

fn check_start(run: &Run, parameters: usize) -> Checked {
    let Some(start) = &run.start else { return Ok(()) };
    let has = start.len();
    check(has == parameters, "run.start", || format!("{has} numbers, and there are {parameters} parameters"))?;
    let bad = start.iter().position(|number| !number.is_finite());
    check(bad.is_none(), "run.start", || format!("number {} is not finite", bad.unwrap_or_default()))?;
    check(run.first_centres == 1, "run.first_centres", || {
        "there is run.start too, and a run starts from one place; keep one".into()
    })
}

fn check_unit(unit: &Unit) -> Result<Shape, Invalid> {
    let (kind, &UnitSize { inputs, memory, outputs, initial_scale, input_scale }) = unit.kind_and_size();
    let table = format!("unit.{}", kind.name());
    for (key, value) in [("inputs", inputs), ("memory", memory), ("outputs", outputs)] {
        within(&table, key, value, (1, MAX_CHANNELS))?;
    }
    positive(&table, "initial_scale", initial_scale)?;
    positive(&table, "input_scale", input_scale)?;
    Ok(Shape { kind, inputs: inputs as usize, memory: memory as usize, outputs: outputs as usize })
}

/// (channels, environments, steps) of the task.
fn check_task(task: &mut Task, is_network: bool) -> Result<(usize, usize, usize), Invalid> {
    use crate::task::Task as _;
    let sizes = |table: &str, environments: u32, steps: u32| {
        within(table, "environments", environments, (1, MAX_ENVIRONMENTS))?;
        within(table, "steps", steps, (1, MAX_STEPS))?;
        Ok((environments as usize, steps as usize))
    };
    let stdp = |table: &str, task: &crate::config::Stdp| {
        let (environments, steps) = sizes(table, task.environments, task.steps)?;
        ordered(table, ("input_min", task.input_min), ("input_max", task.input_max))?;
        check(task.amplitude.is_finite(), &format!("{table}.amplitude"), || "must be a finite number".into())?;
        positive(table, "tau", task.tau)?;
        within(table, "max_delay", task.max_delay, (0, MAX_STEPS))?;
        Ok((StdpTask::CHANNELS, environments, steps))
    };
    match task {
        Task::Iaf(iaf) => {
            let (environments, steps) = sizes("task.iaf", iaf.environments, iaf.steps)?;
            ordered("task.iaf", ("input_min", iaf.input_min), ("input_max", iaf.input_max))?;
            positive("task.iaf", "threshold", iaf.threshold)?;
            check(iaf.spike_threshold.is_finite(), "task.iaf.spike_threshold", || "must be a finite number".into())?;
            within("task.iaf", "shared", iaf.shared, (0.0, 1.0))?;
            within("task.iaf", "shared_decay", iaf.shared_decay, (0.0, 1.0))?;
            Ok((crate::config::Iaf::CHANNELS, environments, steps))
        }
        Task::Stdp(task) => stdp("task.stdp", task),
        Task::StdpComplex(task) => stdp("task.stdp_complex", task),
        Task::TMaze(maze) => check_maze("task.t_maze", maze, world::Layout::Single, 4),
        Task::DoubleTMaze(maze) => check_maze("task.double_t_maze", maze, world::Layout::Double, 1),
        Task::Assay(task) => check_assays(task, is_network),
    }
}

fn check_maze(
    table: &str,
    maze: &mut Maze,
    layout: world::Layout,
    swap_after: u32,
) -> Result<(usize, usize, usize), Invalid> {
    let others = layout.places().len() as u32 - 1;
    let poisons = *maze.poisons.get_or_insert(others);
    let swap_after = *maze.swap_after.get_or_insert(swap_after);
    within(table, "environments", maze.environments, (1, MAX_ENVIRONMENTS))?;
    within(table, "actions", maze.actions, (1, MAX_STEPS))?;
    within(table, "ticks_per_action", maze.ticks_per_action, (1, MAX_STEPS / maze.actions))?;
    within(table, "energy", maze.energy, (1, MAX_STEPS))?;
    within(table, "swap_after", swap_after, (1, MAX_STEPS))?;
    within(table, "poisons", poisons, (0, others))?;
    within(table, "dark", maze.dark, (0.0, 1.0))?;
    within(table, "poison_reward", maze.poison_reward, (-1.0, 0.0))?;
    within(table, "poison_decay", maze.poison_decay, (0.0, 1.0))?;
    Ok((0, maze.environments as usize, (maze.actions * maze.ticks_per_action) as usize))
}

/// Of a network no channels: each of its sources has its own.
fn check_assays(task: &mut Assays, is_network: bool) -> Result<(usize, usize, usize), Invalid> {
    const TABLE: &str = "task.assay";
    let key = "task.assay.assays";
    let mut assays = Vec::new();
    for name in &task.assays {
        let assay = Assay::named(name).map_err(|why| Invalid { key: key.into(), message: why.to_string() })?;
        check(assay.is_for_animals(), key, || format!("in {name} no animal moves, so none can be evolved in it"))?;
        check(!assays.contains(&assay.name), key, || format!("{name} is there twice"))?;
        assays.push(assay.name);
    }
    check(!assays.is_empty(), key, || "none is named".into())?;
    within(TABLE, "lives", task.lives, (1, MAX_ENVIRONMENTS / assays.len() as u32))?;
    let ticks = *task.ticks_per_step.get_or_insert(if is_network { 4 } else { 1 });
    within(TABLE, "ticks_per_step", ticks, (1, MAX_STEPS))?;
    check(task.noise >= 0.0 && task.noise.is_finite(), "task.assay.noise", || {
        format!("{} is not a finite number of at least 0", task.noise)
    })?;
    check((0.0..=1.0).contains(&task.noisy), "task.assay.noisy", || format!("{} is not in 0 to 1", task.noisy))?;
    let assays = task.assays();
    let longest = assays.iter().map(|assay| (assay.game.longest)()).max().unwrap_or_default();
    let (senses, _) = body::anatomy(&assays);
    let channels = if is_network { 0 } else { senses.len() + body::INNER.len() };
    Ok((channels, assays.len() * task.lives as usize, (longest * ticks) as usize))
}

/// The population that the one optimiser table asks for.
fn check_optimiser(config: &Config, parameters: usize) -> Result<usize, Invalid> {
    match config.optimiser() {
        Some(Optimiser::Es(es)) => check_es(es),
        Some(Optimiser::Snes(snes)) => check_snes(snes, parameters),
        None if config.es.is_some() => {
            Err(Invalid { key: "snes".into(), message: "both [es] and [snes] are there; keep one".into() })
        }
        None => Err(Invalid { key: "es".into(), message: "no optimiser: add a table [es] or [snes]".into() }),
    }
}

pub(crate) fn check_es(es: &Es) -> Result<usize, Invalid> {
    within("es", "population", es.population, (2, MAX_POPULATION))?;
    let pairs = !es.antithetic || es.population.is_multiple_of(2);
    check(pairs, "es.population", || format!("{} is odd, and antithetic offspring come in pairs", es.population))?;
    positive("es", "sigma", es.sigma)?;
    within("es", "sigma_decay", es.sigma_decay, (0.0, 1.0))?;
    within("es", "sigma_min", es.sigma_min, (0.0, es.sigma))?;
    within("es", "rank_exponent", es.rank_exponent, (0, 64))?;
    within("es", "weight_decay", es.weight_decay, (0.0, 1.0))?;
    if let (Some(_), Some(_)) = (&es.momentum, &es.adam) {
        return Err(Invalid {
            key: "es.adam".into(),
            message: "both [es.momentum] and [es.adam] are there; keep one".into(),
        });
    }
    if let Some(momentum) = &es.momentum {
        positive("es.momentum", "learning_rate", momentum.learning_rate)?;
        within("es.momentum", "momentum", momentum.momentum, (0.0, 1.0))?;
    }
    if let Some(adam) = &es.adam {
        positive("es.adam", "learning_rate", adam.learning_rate)?;
        within("es.adam", "beta1", adam.beta1, (0.0, 0.999_999))?;
        within("es.adam", "beta2", adam.beta2, (0.0, 0.999_999))?;
        positive("es.adam", "epsilon", adam.epsilon)?;
    }
    Ok(es.population as usize)
}

pub(crate) fn check_snes(snes: &Snes, parameters: usize) -> Result<usize, Invalid> {
    let population = snes.population.map_or_else(|| snes::default_population(parameters), |p| p as usize);
    within("snes", "population", population as u32, (2, MAX_POPULATION))?;
    positive("snes", "sigma", snes.sigma)?;
    positive("snes", "learning_rate", snes.learning_rate)?;
    if let Some(rate) = snes.sigma_learning_rate {
        positive("snes", "sigma_learning_rate", rate)?;
    }
    Ok(population)
}

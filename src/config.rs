//! The typed TOML configuration: what a user may write, with units, defaults and meaning.
//!
//! The doc comments here are the user documentation of every key. A choice is a table named after it
//! (`[unit.enu]`, `[task.iaf]`, `[es.momentum]`), so that a mistake is reported under the exact key. Checks that
//! need more than one field are made in [`crate::plan`].

mod column;
mod load;
mod search;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::battery::assays::Assay;
use crate::registry::UnitKind;
pub use column::{Column, Simulation};
pub use load::{Subject, load, load_column, read, read_text, to_toml};
pub use search::{Search, Searcher};

/// A whole experiment: one file in `configs/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Version of this format; 1.
    pub format: u32,
    /// Length, seed and name.
    pub run: Run,
    /// What is evolved: exactly one of the tables in [`Unit`].
    pub unit: Unit,
    /// How units are joined, for the tasks that a network of them plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// What gives fitness: exactly one of the tables in [`Task`].
    pub task: Task,
    /// Evolution strategy of Bertens & Lee (Algorithm 1). Exactly one of `[es]` and `[snes]` must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub es: Option<Es>,
    /// Separable natural evolution strategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snes: Option<Snes>,
}

/// The optimiser's table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimiser<'a> {
    /// `[es]`
    Es(&'a Es),
    /// `[snes]`
    Snes(&'a Snes),
}

impl Config {
    /// The table `[es]` or `[snes]`; `None` unless exactly one of them is there, which it is in a [`crate::plan::Plan`].
    pub fn optimiser(&self) -> Option<Optimiser<'_>> {
        match (&self.es, &self.snes) {
            (Some(es), None) => Some(Optimiser::Es(es)),
            (None, Some(snes)) => Some(Optimiser::Snes(snes)),
            _ => None,
        }
    }
}

/// `[run]`: length, seed and where the results go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Name of the run folder, `runs/<name>/`. Letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Generations to evolve, at least 1.
    pub generations: u32,
    /// Seed of every random draw of the run. Default 1.
    #[serde(default = "default::seed")]
    pub seed: u64,
    /// Write a checkpoint each time this many generations have passed. Default 50.
    #[serde(default = "default::checkpoint_every")]
    pub checkpoint_every: u32,
    /// Judge the centre each time this many generations have passed, to keep the best one. Default 20.
    #[serde(default = "default::validate_every")]
    pub validate_every: u32,
    /// Episodes that it is judged on: the same throughout the run, and never those of a generation. Default 512.
    #[serde(default = "default::validation_episodes")]
    pub validation_episodes: u32,
    /// Random first centres, of which the run starts from the one that does best on episodes of its own. Drawn and played
    /// on the CPU. Default 1.
    #[serde(default = "default::first_centres")]
    pub first_centres: u32,
    /// The first centre, in the place of random ones: as many numbers as there are parameters. `phylon run --start RUN` writes those
    /// of another run here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Vec<f32>>,
    /// How the units are computed: `exact`, `fast` or `check`. Default `exact`.
    #[serde(default)]
    pub numerics: Numerics,
}

/// `run.numerics`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numerics {
    /// f32 in a fixed order: the same bits on every device. The only one that the CPU has.
    #[default]
    Exact,
    /// Half-precision operands on tensor cores, sums and state in f32. On CUDA devices.
    Fast,
    /// As `fast`, and whenever the centre is judged it is also judged in `exact`, with both values in the log (`-v`).
    Check,
}

/// `[unit.<kind>]`: the small recurrent network whose parameters are evolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Unit {
    /// Evolvable neural unit, equation (1): update, reset, cell and output gates; output clipped to [0, 1] and fed back.
    Enu(UnitSize),
    /// ENU without the output feedback ("no feedback").
    Nfenu(UnitSize),
    /// Gated recurrent unit with a linear read-out.
    Gru(UnitSize),
    /// Long short-term memory with a linear read-out.
    Lstm(UnitSize),
}

impl Unit {
    /// Which kind it is, and its sizes.
    pub fn kind_and_size(&self) -> (UnitKind, &UnitSize) {
        match self {
            Self::Enu(size) => (UnitKind::Enu, size),
            Self::Nfenu(size) => (UnitKind::Nfenu, size),
            Self::Gru(size) => (UnitKind::Gru, size),
            Self::Lstm(size) => (UnitKind::Lstm, size),
        }
    }
}

/// Sizes of a unit and the spread of its first weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnitSize {
    /// Input channels; channels the task does not drive stay zero. Default 16, the paper's.
    pub inputs: u32,
    /// Memory size (hidden state). Default 32, the paper's.
    pub memory: u32,
    /// Output channels; the tasks read channel 0. Default 16, the paper's.
    pub outputs: u32,
    /// First weights are N(0, (initial_scale^2)/K), K the number of rows of their matrix. Default 1.
    pub initial_scale: f32,
    /// Those of the gates' input rows are this many times larger. Default 1.
    pub input_scale: f32,
}

impl Default for UnitSize {
    fn default() -> Self {
        Self { inputs: 16, memory: 32, outputs: 16, initial_scale: 1.0, input_scale: 1.0 }
    }
}

/// `[network]`: synapses and neurons are units; for tasks in a world. A network's units all have the sizes of `[unit.<kind>]`,
/// whose `inputs` must equal its `outputs`: the channels of every neuron and synapse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Neurons; the last ones drive the world's motors, one each. Default 6.
    pub neurons: u32,
    /// Synapses of each neuron. Default 8.
    pub synapses: u32,
    /// How the outputs of the source (pre) and of the synapse's own neuron (post) become a synapse's input. Default `split`.
    pub synapse_input: SynapseInput,
    /// One chromosome for synapses and neurons (SHAREDENU) instead of one each. Default false.
    pub shared: bool,
    /// Standard deviation of the noise on the output gate: one constant per unit and output channel, drawn at the start of an
    /// episode and added before the clip. Default 0.05.
    pub output_noise: f32,
    /// Synapses are weights that change by this local rule, in place of units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Wiring of the paper: every neuron reads two sensors, two hidden neurons, two output neurons, the reward, itself. The
    /// default, for 6 neurons with 8 synapses in a world with three sensors and three motors. At most one of `[network.paper]`,
    /// `[network.random]` and `network.edges`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paper: Option<Paper>,
    /// Sources drawn at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random: Option<Random>,
    /// A synapse each, `"source > neuron"`: sources are the world's sensors by name, `reward`, and the neurons `n0`, `n1`, ...
    /// Neurons may differ in their number of synapses; `synapses` is then not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edges: Option<Vec<String>>,
    /// A file with such lines, relative to the config; `#` starts a comment. The effective config holds them as `edges`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edges_file: Option<PathBuf>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            neurons: 6,
            synapses: 8,
            synapse_input: SynapseInput::Split,
            shared: false,
            output_noise: 0.05,
            rule: None,
            paper: None,
            random: None,
            edges: None,
            edges_file: None,
        }
    }
}

/// `[network.rule.<name>]`: how synapses learn that are no units. All of them begin a life with the same weight; what a network
/// evolves is its neurons, and the constants of the rule: those written here are where evolution begins. The equations are in
/// docs/enu.md. Each reads channel 0 of its source and of its own neuron, and its weight scales all channels of its source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Rule {
    /// BCM with a sliding threshold; with `trace` below 1 the trace rule. No reward.
    Bcm(Bcm),
    /// Reward-modulated STDP: what coincides leaves a tag, and the reward (r+ - r-) that comes makes it a change.
    RewardedStdp(RewardedStdp),
}

/// `[network.rule.bcm]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bcm {
    /// First weight of every synapse. Default 0.5.
    pub weight: f32,
    /// Of learning. Default 0.1.
    pub rate: f32,
    /// Time constant of the threshold, network steps. Default 20.
    pub tau: f32,
    /// The threshold is the mean square of the output over this. Default 0.5.
    pub goal: f32,
    /// Share of a step's output in the trace that learns: 1 is plain BCM. Default 1.
    pub trace: f32,
    /// No weight is larger. Default 2.
    pub most: f32,
    /// Standard deviation of the logarithm of each constant in a first centre. Default 0.5.
    pub spread: f32,
}

impl Default for Bcm {
    fn default() -> Self {
        Self { weight: 0.5, rate: 0.1, tau: 20.0, goal: 0.5, trace: 1.0, most: 2.0, spread: 0.5 }
    }
}

/// `[network.rule.rewarded_stdp]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RewardedStdp {
    /// First weight of every synapse. Default 0.5.
    pub weight: f32,
    /// Time constant of what pre leaves, network steps. Default 4.
    pub tau_pre: f32,
    /// Time constant of what post leaves, network steps. Default 4.
    pub tau_post: f32,
    /// Time constant of the tag, network steps. Default 8.
    pub tau_tag: f32,
    /// Pre before post. Default 1.
    pub potentiation: f32,
    /// Post before pre. Default 0.2.
    pub depression: f32,
    /// Of learning. Default 0.1.
    pub rate: f32,
    /// No weight is larger. Default 2.
    pub most: f32,
    /// Standard deviation of the logarithm of each constant in a first centre. Default 0.5.
    pub spread: f32,
}

impl Default for RewardedStdp {
    fn default() -> Self {
        Self {
            weight: 0.5,
            tau_pre: 4.0,
            tau_post: 4.0,
            tau_tag: 8.0,
            potentiation: 1.0,
            depression: 0.2,
            rate: 0.1,
            most: 2.0,
            spread: 0.5,
        }
    }
}

impl Rule {
    /// Of the first constants.
    pub fn spread(&self) -> f32 {
        match self {
            Self::Bcm(bcm) => bcm.spread,
            Self::RewardedStdp(stdp) => stdp.spread,
        }
    }
}

/// `network.synapse_input`. The paper gives a synapse 16 inputs and two vectors of 16 to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SynapseInput {
    /// The first half of pre's channels, then the second half of post's; each channel keeps its place. It keeps the paper's
    /// number of parameters, and pre and post apart, which spike-timing dependence needs.
    Split,
    /// pre + post.
    Sum,
    /// pre, then post: twice the inputs, more parameters than the paper counts.
    Concat,
}

/// `[network.paper]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {}

/// `[network.random]`: every neuron reads the reward, itself, and other sources drawn without replacement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Random {
    /// Of the wiring; the run's seed does not change it. Default 1.
    pub seed: u64,
}

impl Default for Random {
    fn default() -> Self {
        Self { seed: 1 }
    }
}

/// `[task.<kind>]`: the behaviour that is rewarded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Task {
    /// Mimic an integrate-and-fire neuron; fitness equation (3).
    Iaf(Iaf),
    /// Reproduce neuromodulated spike-timing dependent plasticity; rule equation (4), fitness equation (5).
    Stdp(Stdp),
    /// The same with the cosine-transformed rule of the paper's extended data.
    StdpComplex(Stdp),
    /// Find the food in a T-maze and remember where it is; without a table `[network]` the paper's network.
    TMaze(Maze),
    /// The same in a maze with two turns and four places.
    DoubleTMaze(Maze),
    /// Behave in assays of the battery. Without a table `[network]` the animal is one unit, which reads all it senses and whose
    /// first outputs move it.
    Assay(Assays),
}

/// `[task.iaf]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Iaf {
    /// Episodes per offspring and generation, the same ones for all offspring. Default 32.
    pub environments: u32,
    /// Steps of an episode. Default 100.
    pub steps: u32,
    /// Lower end of the uniform input current per step. Default 0.01.
    pub input_min: f32,
    /// Upper end of the uniform input current per step. Default 0.11.
    pub input_max: f32,
    /// Potential at which the model neuron spikes and is reset to 0. Default 0.5.
    pub threshold: f32,
    /// The unit spikes when its output is greater than this. Default 0.
    pub spike_threshold: f32,
    /// Share of an evolution episode's currents that is drawn once for the whole episode: with 0 all episodes have nearly the
    /// same mean, and a clock answers them well; with 1 each has one constant current. Validation and fresh episodes
    /// have none of it. Default 0, the paper's.
    pub shared: f32,
    /// `shared` is multiplied by this after every generation. Default 1 (constant).
    pub shared_decay: f32,
}

impl Default for Iaf {
    fn default() -> Self {
        Self {
            environments: 32,
            steps: 100,
            input_min: 0.01,
            input_max: 0.11,
            threshold: 0.5,
            spike_threshold: 0.0,
            shared: 0.0,
            shared_decay: 1.0,
        }
    }
}

/// `[task.stdp]` and `[task.stdp_complex]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stdp {
    /// Episodes per offspring and generation, the same ones for all offspring. Default 32.
    pub environments: u32,
    /// Steps of an episode. Default 100.
    pub steps: u32,
    /// Lower end of the uniform graded input. Default 0.45.
    pub input_min: f32,
    /// Upper end of the uniform graded input. Default 0.55.
    pub input_max: f32,
    /// Largest weight change, A of equation (4). Default 0.5.
    pub amplitude: f32,
    /// Time constant of equation (4), steps. Default 10.
    pub tau: f32,
    /// The postsynaptic spike comes within this many steps before or after the presynaptic one. Default 20.
    pub max_delay: u32,
}

impl Default for Stdp {
    fn default() -> Self {
        Self {
            environments: 32,
            steps: 100,
            input_min: 0.45,
            input_max: 0.55,
            amplitude: 0.5,
            tau: 10.0,
            max_delay: 20,
        }
    }
}

/// `[task.t_maze]` and `[task.double_t_maze]`. A source's channel 0 shows a sensor; of the reward's source, channel 1 shows food
/// just eaten and channel 2 poison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Maze {
    /// Episodes per offspring and generation, the same ones for all offspring. Default 8.
    pub environments: u32,
    /// Actions of an episode. Default 400. The paper's "400 time steps" can also be read as 400 network steps, so 100 actions; but
    /// food lies five actions from the start, which would allow for 20 meals, and the paper reports 36.65.
    pub actions: u32,
    /// Network steps for each action: the motor with the highest sum over them acts. Default 4.
    pub ticks_per_action: u32,
    /// Actions that an agent lives without food. Default 40.
    pub energy: u32,
    /// From this many meals since the food last moved on, each meal moves it with probability 1/2. The paper: "several times"
    /// (default 4) in the T-maze, each time in the double one (default 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_after: Option<u32>,
    /// Places with poison, of those without food. Default all: 1 in the T-maze, 3 in the double one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poisons: Option<u32>,
    /// Which sensor drives which source is drawn anew for every episode. Default true, the paper's.
    pub shuffle_inputs: bool,
    /// Which output neuron drives which motor is drawn anew for every episode. Default true, the paper's.
    pub shuffle_outputs: bool,
    /// What is shuffled is the same in all episodes of a generation. "Shuffled each generation" can be read so; the default,
    /// false, asks more of an agent's offspring in each generation.
    pub shuffle_together: bool,
    /// Share of the episodes of evolution and validation in which the colour sensors are dark, so that only memory tells where
    /// the food is. Fresh episodes have none of it. Default 0, the paper's.
    pub dark: f32,
    /// What poison earns in the first generation. As long as it costs little, agents learn to walk to the arms' ends, where half
    /// the time there is food; only when it costs something does it pay to remember where. In validation and fresh
    /// episodes it is always -1. Default -1, the paper's.
    pub poison_reward: f32,
    /// The distance of what poison earns from -1 is multiplied by this after every generation. Default 1 (constant).
    pub poison_decay: f32,
}

impl Default for Maze {
    fn default() -> Self {
        Self {
            environments: 8,
            actions: 400,
            ticks_per_action: 4,
            energy: 40,
            swap_after: None,
            poisons: None,
            shuffle_inputs: true,
            shuffle_outputs: true,
            shuffle_together: false,
            dark: 0.0,
            poison_reward: -1.0,
            poison_decay: 1.0,
        }
    }
}

/// `[task.assay]`. An animal has the senses and motors of all its assays, reads r+ and r- and a 1, because units have no biases; in a
/// network each of these is a source, by name (`phylon list assays --json` has the names), and the last neurons move it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Assays {
    /// Names or letters of one or more of them. Fitness is the mean over all lives. Default chemotaxis.
    pub assays: Vec<String>,
    /// Lives in each assay per offspring and generation, the same ones for all offspring. Default 16.
    pub lives: u32,
    /// Steps of the units in a control step. Default 1 for one unit, 4 for a network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks_per_step: Option<u32>,
    /// Standard deviation of what is added to each motor, anew in every control step of evolution: an answer then shows in fitness by how
    /// clear it is, and not only once it is the largest. Validation and fresh lives have none of it. Default 0.
    pub noise: f32,
    /// Share of the lives that have `noise`. Those without it must be lived, too: an animal whose motors are weak would have its noise
    /// act for it. Default 1.
    pub noisy: f32,
}

impl Default for Assays {
    fn default() -> Self {
        Self { assays: vec!["chemotaxis".into()], lives: 16, ticks_per_step: None, noise: 0.0, noisy: 1.0 }
    }
}

impl Assays {
    /// Lives of an assay that have `noise`, the first ones, of so many.
    pub fn noisy_lives(&self, lives: usize) -> u32 {
        (self.noisy * lives as f32).round() as u32
    }

    /// Those that are named.
    ///
    /// # Panics
    /// When one is not, which a [`crate::plan::Plan`] has checked.
    pub fn assays(&self) -> Vec<&'static Assay> {
        self.assays.iter().map(|name| Assay::named(name).expect("a plan names assays")).collect()
    }

    /// Steps of the units in a control step.
    ///
    /// # Panics
    /// When a plan has not filled the default in.
    pub fn ticks(&self) -> u32 {
        self.ticks_per_step.expect("a plan has its defaults")
    }
}

/// `[es]`: offspring `centre + sigma * noise`, weighted by rank^alpha (Algorithm 1 of Bertens & Lee).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Es {
    /// Offspring per generation, at least 2. Default 1024.
    pub population: u32,
    /// Standard deviation of the mutations. Default 0.01.
    pub sigma: f32,
    /// Sigma is multiplied by this after every generation. Default 1 (constant).
    pub sigma_decay: f32,
    /// Sigma never falls below this. Default 0.
    pub sigma_min: f32,
    /// alpha: an offspring's weight is its linear rank (best 1, worst 0) to this power. Default 5.
    pub rank_exponent: u32,
    /// Offspring come in pairs with opposite mutations; the population must then be even. Default false.
    pub antithetic: bool,
    /// Parameters shrink by this fraction in every generation. Default 0.
    pub weight_decay: f32,
    /// Plain momentum, the paper's. Exactly one of `[es.momentum]` and `[es.adam]`; neither means momentum with its defaults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<Momentum>,
    /// Adam on the same gradient estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adam: Option<Adam>,
}

impl Default for Es {
    fn default() -> Self {
        Self {
            population: 1024,
            sigma: 0.01,
            sigma_decay: 1.0,
            sigma_min: 0.0,
            rank_exponent: 5,
            antithetic: false,
            weight_decay: 0.0,
            momentum: None,
            adam: None,
        }
    }
}

/// `[es.momentum]`: `v = momentum * v + G; centre += learning_rate * v`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Momentum {
    /// Default 1.
    pub learning_rate: f32,
    /// Default 0.9.
    pub momentum: f32,
}

impl Default for Momentum {
    fn default() -> Self {
        Self { learning_rate: 1.0, momentum: 0.9 }
    }
}

/// `[es.adam]`: Kingma & Ba 2014, with bias correction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Step size per parameter and generation. Default 0.01.
    pub learning_rate: f32,
    /// Default 0.9.
    pub beta1: f32,
    /// Default 0.999.
    pub beta2: f32,
    /// Default 1e-8.
    pub epsilon: f32,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// `[snes]`: separable natural evolution strategy; a step size per parameter adapts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Snes {
    /// Offspring per generation. Default: 4 + floor(3 ln d), d the number of parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<u32>,
    /// First standard deviation of every parameter. Default 1.
    pub sigma: f32,
    /// Step of the mean, in standard deviations. Default 1.
    pub learning_rate: f32,
    /// Step of the log standard deviations. Default: 0.6 (3 + ln d) / (3 sqrt d).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma_learning_rate: Option<f32>,
}

impl Default for Snes {
    fn default() -> Self {
        Self { population: None, sigma: 1.0, learning_rate: 1.0, sigma_learning_rate: None }
    }
}

/// Of `[run]`, which as a whole can have no default: a run needs a name and a length.
mod default {
    pub fn seed() -> u64 {
        1
    }
    pub fn checkpoint_every() -> u32 {
        50
    }
    pub fn validate_every() -> u32 {
        20
    }
    pub fn validation_episodes() -> u32 {
        512
    }
    pub fn first_centres() -> u32 {
        1
    }
}

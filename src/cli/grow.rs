//! `phylon grow`: agents of a SynaptoGen profile, in files that other programs read.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;
use phylon::error::{Error, Result};
use phylon::gpu::Gpu;
use phylon::policy::Mlp;
use phylon::registry::WorldKind;
use phylon::report::{Evaluation, connectome};
use phylon::rollout;
use phylon::run::durable;
use phylon::synaptogen::agents::{self, Agents, Growth};
use phylon::synaptogen::evaluation::{EPISODES, Metrics, Solved, score};
use phylon::synaptogen::file::{self, Provenance};
use phylon::synaptogen::gpu::{self, Kept};
use phylon::synaptogen::{Profile, graph};
use serde::Serialize;

use super::{device, output};

/// Grow agents from a profile by simulated synaptogenesis, and print what they are.
///
/// An agent's numbers of synapses are drawn from the profile's genes and rules; agent k is the same whatever the number of
/// threads and agents.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon grow profile.safetensors                              how many synapses agents have
  phylon grow runs/cartpole --agents 100 --out agents          and their files
  phylon grow profile.safetensors --out agents --policy 3
  phylon rollout --env cartpole --policy agents/policy-0003.npz
  phylon grow runs/cartpole --agents 1000000 --play cartpole --device cuda

Files of --out, replacing older ones:
  agents.safetensors   of each pair of layers N1, W1, ..: numbers of synapses (u32) and weights (f32),
                       [agent][pre][post]; and the biases b1, .. [post]
  agent-0000.csv       edges: pre, post, layer, synapses, conductance, weight
  agent-0000.graphml   the same, for networkx, igraph, Gephi, ..
  connectome.svg       the first agent's numbers of synapses between all neurons
  rules.svg            probabilities P of a synapse for every pair of genes
  policy-0003.npz      with --policy: a policy for phylon rollout, W1, b1, W2, .., activation selu")]
pub struct Args {
    /// A profile, or a folder with profile.safetensors.
    profile: PathBuf,
    /// Agents to grow.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    agents: u32,
    /// Mean number of synapses of a neuron, on its way in and out.
    #[arg(long, value_name = "D", default_value_t = 1e5, value_parser = parse_degree)]
    degree: f32,
    /// How numbers of synapses are drawn: each at once from its exact law, or gene pair by gene pair, which is slower and has
    /// the same law.
    #[arg(long, value_enum, default_value_t = Sampler::Law)]
    sampler: Sampler,
    /// Seed of the draws.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Folder for files; without it there are none.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Agents, from the first on, that get edge lists.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "out")]
    edges: u32,
    /// Also write agent N as a policy; the first is 0.
    #[arg(long, value_name = "N", requires = "out")]
    policy: Option<u32>,
    /// Let every agent play 10 episodes in this world, with draws of the same seed; an agent's score is its mean return.
    #[arg(long, value_name = "WORLD")]
    play: Option<String>,
    /// Print one object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: device::Args,
}

#[derive(Clone, Copy, ValueEnum)]
enum Sampler {
    Law,
    Direct,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer {
    profile: PathBuf,
    provenance: Provenance,
    layers: Vec<usize>,
    genes: usize,
    neurons: usize,
    agents: u32,
    #[serde(flatten)]
    growth: Growth,
    alpha: f32,
    synapses: Synapses,
    /// Of growing, files and play not counted.
    seconds: f64,
    agents_per_s: f64,
    /// Of the draws alone, without set-up; null on the CPU.
    kernel_seconds: Option<f64>,
    played: Option<Played>,
    device: String,
    files: Vec<PathBuf>,
}

/// What came of --play.
#[derive(Serialize)]
struct Played {
    env: &'static str,
    /// Of each agent.
    episodes: u32,
    mean: f64,
    sd: f64,
    min: f64,
    max: f64,
    /// Agents that solved the world; null where nothing is published on that.
    solved_percent: Option<f64>,
    steps: u64,
    seconds: f64,
    /// Of the rollout alone; null on the CPU.
    kernel_seconds: Option<f64>,
}

/// Agents that were grown, in device memory or in this program's.
struct Population {
    alpha: f32,
    totals: Vec<u64>,
    /// Where files are asked for, and on the CPU.
    agents: Option<Agents>,
    seconds: f64,
    kernel_seconds: Option<f64>,
    played: Option<Played>,
}

/// Numbers of synapses of an agent.
#[derive(Serialize)]
struct Synapses {
    mean: f64,
    sd: f64,
    min: f64,
    max: f64,
}

pub fn run(args: &Args) -> Result<()> {
    args.check()?;
    let path = if args.profile.is_dir() { args.profile.join("profile.safetensors") } else { args.profile.clone() };
    let (profile, provenance) = file::read(&path)?;
    let sampler = match args.sampler {
        Sampler::Law => agents::Sampler::Law,
        Sampler::Direct => agents::Sampler::Direct,
    };
    let growth = Growth { sampler, seed: args.seed, degree: args.degree };
    let world = args.play.as_deref().map(WorldKind::named).transpose()?;
    let device = args.device.choose()?;
    let Population { alpha, totals, agents, seconds, kernel_seconds, played } = match device.open()? {
        Some(gpu) => args.grow_on(&gpu, &profile, growth, world)?,
        None => args.grow(&profile, growth, world)?,
    };
    let files = match (args.out.as_deref(), &agents) {
        (Some(folder), Some(agents)) => args.write(folder, &profile, agents)?,
        _ => Vec::new(),
    };
    let totals: Vec<f64> = totals.into_iter().map(|total| total as f64).collect();
    let Evaluation { mean, sd, min, max, .. } = Evaluation::of(&totals);
    let answer = Answer {
        profile: path,
        provenance,
        layers: profile.shape.layers.clone(),
        genes: profile.shape.genes,
        neurons: profile.shape.neurons(),
        agents: args.agents,
        growth,
        alpha,
        synapses: Synapses { mean, sd, min, max },
        seconds,
        agents_per_s: f64::from(args.agents) / seconds,
        kernel_seconds,
        played,
        device: device.description,
        files,
    };
    if args.json { output::json(&answer) } else { output::print(&answer.text()) }
}

impl Args {
    /// Whether all agents that are asked for are grown.
    fn check(&self) -> Result<()> {
        let Self { agents, edges, policy, .. } = *self;
        if let Some(policy) = policy.filter(|policy| *policy >= agents) {
            let why = format!("there are {agents} agents and the first is 0; try: --agents {}", policy + 1);
            return Err(Error::Config(format!("--policy {policy}: {why}")));
        }
        if edges > agents {
            return Err(Error::Config(format!("--edges {edges}: there are {agents} agents; try: --agents {edges}")));
        }
        Ok(())
    }

    /// On all threads.
    fn grow(&self, profile: &Profile, growth: Growth, world: Option<WorldKind>) -> Result<Population> {
        let started = Instant::now();
        let agents = Agents::grow(profile, growth, 0..self.agents)?;
        let seconds = started.elapsed().as_secs_f64();
        let play = |world: WorldKind| {
            let started = Instant::now();
            let policies: Vec<Mlp> = (0..agents.len()).map(|agent| agents.policy(agent)).collect();
            let population = rollout::Population { world, agents: &policies, episodes: EPISODES, seed: growth.seed };
            let played = population.play(&|_| {})?;
            let steps = played.iter().flatten().map(|episode| u64::from(episode.length)).sum();
            let scores: Vec<f64> = played.iter().map(|episodes| score(episodes)).collect();
            Ok(Played::of(world, &scores, steps, started, None))
        };
        let played = world.map(play).transpose()?;
        Ok(Population {
            alpha: agents.alpha,
            totals: agents.totals(),
            agents: Some(agents),
            seconds,
            kernel_seconds: None,
            played,
        })
    }

    /// On a device, where they stay but for what is asked for.
    fn grow_on(&self, gpu: &Gpu, profile: &Profile, growth: Growth, world: Option<WorldKind>) -> Result<Population> {
        let started = Instant::now();
        let kept = Kept { weights: world.is_some(), synapses: self.out.is_some(), totals: true };
        let grown = gpu::grow_of(gpu, profile, growth, 0..self.agents, kept)?;
        let seconds = started.elapsed().as_secs_f64();
        let play = |world| {
            let started = Instant::now();
            let scored = gpu::scores_of(gpu, &grown, world, &[growth.seed])?;
            Ok(Played::of(world, &scored.scores[0], scored.steps[0], started, Some(scored.kernel_seconds)))
        };
        Ok(Population {
            alpha: grown.alphas[0],
            totals: grown.totals(gpu)?,
            agents: self.out.is_some().then(|| Agents::read(gpu, profile, growth, &grown)).transpose()?,
            seconds,
            kernel_seconds: Some(grown.kernel_seconds),
            played: world.map(play).transpose()?,
        })
    }

    /// Write all files; gives their paths.
    fn write(&self, folder: &Path, profile: &Profile, agents: &Agents) -> Result<Vec<PathBuf>> {
        fs::create_dir_all(folder).map_err(|source| Error::io("make the folder", folder, source))?;
        let mut files = vec![folder.join("agents.safetensors")];
        agents.save(&files[0])?;
        let mut put = |name: String, content: String| {
            let path = folder.join(name);
            durable::replace(&path, content.as_bytes())?;
            files.push(path);
            Ok(())
        };
        for agent in 0..self.edges as usize {
            put(format!("agent-{agent:04}.csv"), graph::csv(agents, agent))?;
            put(format!("agent-{agent:04}.graphml"), graph::graphml(agents, agent))?;
        }
        let (neurons, total) = (agents.shape.neurons(), output::si(agents.totals()[0] as f64));
        let title = format!("Agent 0: {neurons} neurons, {} synapses", total.trim_end());
        put("connectome.svg".into(), connectome::synapses(agents, 0, &title))?;
        let title = "Probability P of a synapse for each pair of genes";
        put("rules.svg".into(), connectome::rules(profile.shape.genes, profile.assembled().rules(), title))?;
        if let Some(agent) = self.policy {
            let path = folder.join(format!("policy-{agent:04}.npz"));
            agents.policy(agent as usize).write(&path)?;
            files.push(path);
        }
        Ok(files)
    }
}

impl Played {
    fn of(world: WorldKind, scores: &[f64], steps: u64, started: Instant, kernel_seconds: Option<f64>) -> Self {
        let Evaluation { mean, sd, min, max, .. } = Evaluation::of(scores);
        let spec = world.spec();
        let solved_percent = Solved::of(spec.gymnasium).map(|solved| Metrics::of(scores, solved).solved_percent);
        let seconds = started.elapsed().as_secs_f64();
        Self { env: spec.name, episodes: EPISODES, mean, sd, min, max, solved_percent, steps, seconds, kernel_seconds }
    }

    fn text(&self) -> String {
        let Self { env, episodes, mean, sd, min, max, solved_percent, steps, seconds, .. } = self;
        let solved = solved_percent.map_or(String::new(), |percent| format!(", {percent:.1} % solve it"));
        format!(
            "scores    {env}: {mean:.2} +- {sd:.2} (sd), {min:.2} to {max:.2}{solved}; {episodes} episodes each, {} steps in \
             {seconds:.3} s\n",
            output::si(*steps as f64).trim_end()
        )
    }
}

impl Answer {
    fn text(&self) -> String {
        let layers: Vec<_> = self.layers.iter().map(usize::to_string).collect();
        let notes: Vec<_> = self.provenance.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
        let sampler = match self.growth.sampler {
            agents::Sampler::Law => "drawn from their laws",
            agents::Sampler::Direct => "drawn gene pair by gene pair",
        };
        let sd = if self.agents > 1 {
            format!(" +- {} (sd)", output::si(self.synapses.sd).trim_end())
        } else {
            String::new()
        };
        let mut out = format!(
            "profile   {}: {} neurons in layers {}, {} genes{notes}\n\
             agents    {} of seed {}, {sampler}; mean degree {}, alpha {}\n\
             synapses  {}{sd} an agent\n\
             {}time      {:.3} s on {}: {} agents/s\n",
            self.profile.display(),
            self.neurons,
            layers.join("-"),
            self.genes,
            self.agents,
            self.growth.seed,
            self.growth.degree,
            self.alpha,
            output::si(self.synapses.mean).trim_end(),
            self.played.as_ref().map_or(String::new(), Played::text),
            self.seconds,
            self.device,
            output::si(self.agents_per_s).trim_end(),
        );
        for file in &self.files {
            out += &format!("wrote     {}\n", file.display());
        }
        out
    }
}

/// A positive finite number.
fn parse_degree(text: &str) -> std::result::Result<f32, String> {
    let degree: f32 = text.parse().map_err(|_| "expected a number of synapses")?;
    if degree.is_normal() && degree > 0.0 { Ok(degree) } else { Err("expected a positive number of synapses".into()) }
}

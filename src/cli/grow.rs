//! `phylon grow`: agents of a SynaptoGen profile, in files that other programs read.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;
use phylon::error::{Error, Result};
use phylon::report::{Evaluation, connectome};
use phylon::run::durable;
use phylon::synaptogen::agents::{self, Agents, Growth};
use phylon::synaptogen::file::{self, Provenance};
use phylon::synaptogen::{Assembly, Profile, graph};
use serde::Serialize;

use super::output;

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
    /// Print one object.
    #[arg(long)]
    json: bool,
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
    /// Of growing, files not counted.
    seconds: f64,
    agents_per_s: f64,
    files: Vec<PathBuf>,
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
    let started = Instant::now();
    let agents = Agents::grow(&profile, growth, 0..args.agents)?;
    let seconds = started.elapsed().as_secs_f64();
    let files = args.out.as_deref().map_or(Ok(Vec::new()), |folder| args.write(folder, &profile, &agents))?;
    let totals: Vec<f64> = agents.totals().into_iter().map(|total| total as f64).collect();
    let Evaluation { mean, sd, min, max, .. } = Evaluation::of(&totals);
    let answer = Answer {
        profile: path,
        provenance,
        layers: profile.shape.layers.clone(),
        genes: profile.shape.genes,
        neurons: profile.shape.neurons(),
        agents: args.agents,
        growth,
        alpha: agents.alpha,
        synapses: Synapses { mean, sd, min, max },
        seconds,
        agents_per_s: f64::from(args.agents) / seconds,
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
        let mut assembly = Assembly::new(&profile.shape, &profile.rules);
        assembly.assemble(&profile.parameters);
        let title = "Probability P of a synapse for each pair of genes";
        put("rules.svg".into(), connectome::rules(profile.shape.genes, assembly.rules(), title))?;
        if let Some(agent) = self.policy {
            let path = folder.join(format!("policy-{agent:04}.npz"));
            agents.policy(agent as usize).write(&path)?;
            files.push(path);
        }
        Ok(files)
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
             time      {:.3} s: {} agents/s\n",
            self.profile.display(),
            self.neurons,
            layers.join("-"),
            self.genes,
            self.agents,
            self.growth.seed,
            self.growth.degree,
            self.alpha,
            output::si(self.synapses.mean).trim_end(),
            self.seconds,
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

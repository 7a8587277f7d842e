//! `phylon rollout`: what a policy earns in a world, and a film of one of its episodes.

use std::path::PathBuf;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use phylon::error::Result;
use phylon::policy::Mlp;
use phylon::registry::WorldKind;
use phylon::report::{Evaluation, gif, percentile};
use phylon::rollout::{Played, Policy, Rollout};
use phylon::world::Seeds;
use serde::Serialize;

use super::{device, output};

/// Play whole episodes of a world with a policy, and print what it earns.
///
/// The worlds are Gymnasium's, and exact: the same draws and actions give the same observations and rewards. Episode k is the
/// same whatever the number of threads and episodes.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  phylon rollout --env cartpole --episodes 100000             actions at random
  phylon rollout --env lunar-lander --policy P.npz --episodes 10000 --gymnasium-seeds
  phylon rollout --env lunar-lander --policy P.npz --render landing.gif --episode 3
  phylon rollout --env acrobot --policy P.safetensors --json --returns
  phylon list worlds

A policy file is an .npz or .safetensors with W1 [in, out], b1, W2, b2, ...: a multilayer perceptron. Its `activation` is
relu (the default), tanh, sigmoid, identity or selu, and its action the highest output.")]
pub struct Args {
    /// The world: a name of `phylon list worlds`, or an id of Gymnasium.
    #[arg(long, value_name = "WORLD")]
    env: String,
    /// The policy's file, or `random`: every action alike.
    #[arg(long, value_name = "FILE", default_value = "random")]
    policy: PathBuf,
    /// Episodes to play.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    episodes: u32,
    /// Seed of the episodes, and of a policy that acts at random.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Draw what Gymnasium draws: episode k is that after env.reset(seed=FIRST + k); FIRST is 0 if it is not given.
    #[arg(long, value_name = "FIRST", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    gymnasium_seeds: Option<u64>,
    /// Write a film of one episode, an animated GIF, replacing an older one; without --episodes nothing else is played.
    #[arg(long, value_name = "FILE.gif")]
    render: Option<PathBuf>,
    /// Which episode the film shows; the first is 0.
    #[arg(long, value_name = "K", default_value_t = 0, requires = "render")]
    episode: u32,
    /// Print one object.
    #[arg(long)]
    json: bool,
    /// With --json: also the return and length of every episode.
    #[arg(long, requires = "json")]
    returns: bool,
    #[command(flatten)]
    device: device::Args,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    env: &'static str,
    policy: String,
    /// phylon or gymnasium.
    seeds: &'static str,
    #[serde(flatten)]
    returns: Evaluation,
    percentiles: Percentiles,
    length: Lengths,
    /// Episodes that came to an end of their own.
    terminated: usize,
    /// Episodes that only the time limit ended.
    truncated: usize,
    /// Of all episodes.
    steps: u64,
    seconds: f64,
    steps_per_second: f64,
    /// Of the kernel alone; null on the CPU.
    kernel_seconds: Option<f64>,
    kernel_steps_per_second: Option<f64>,
    device: &'a str,
    #[serde(flatten)]
    episodes: Option<Episodes>,
    #[serde(skip)]
    limit: u32,
}

const PERCENTILES: [u32; 7] = [1, 5, 25, 50, 75, 95, 99];

/// Returns below which so many of a hundred episodes lie.
#[derive(Serialize)]
#[serde(transparent)]
struct Percentiles(std::collections::BTreeMap<u32, f64>);

#[derive(Serialize)]
struct Lengths {
    mean: f64,
    sd: f64,
    min: f64,
    max: f64,
}

/// Every one.
#[derive(Serialize)]
struct Episodes {
    #[serde(rename = "returns")]
    rewards: Vec<f64>,
    lengths: Vec<u32>,
}

pub fn run(args: &Args) -> Result<()> {
    let world = WorldKind::named(&args.env)?;
    let policy = if args.policy.as_os_str() == "random" {
        Policy::Random { seed: args.seed }
    } else {
        Policy::Mlp(Mlp::read(&args.policy, world.spec())?)
    };
    let seeds = args.gymnasium_seeds.map_or(Seeds::Phylon(args.seed), Seeds::Gymnasium);
    let rollout = Rollout { world, policy, seeds, episodes: args.episodes };
    let device = args.device.choose()?;
    if let Some(path) = &args.render {
        film(&rollout, args.episode, path)?;
    }
    let bar = bar(args.episodes);
    let started = Instant::now();
    let played = rollout.play(&device, &|more| bar.inc(u64::from(more)));
    let seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let answer = Answer::of(args, world, &played?, seconds, &device.description);
    if args.json { output::json(&answer) } else { output::print(&answer.text(args)) }
}

fn film(rollout: &Rollout, episode: u32, path: &std::path::Path) -> Result<()> {
    let scenes = rollout.watch(episode)?;
    gif::write(path, &scenes, rollout.world.spec().frame_rate)?;
    let (steps, seconds) = (scenes.len() - 1, scenes.len() as u32 / rollout.world.spec().frame_rate);
    eprintln!("{}: episode {episode}, {steps} steps, {seconds} s", path.display());
    Ok(())
}

fn bar(episodes: u32) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(u64::from(episodes)), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:12} {pos}/{len} episodes  {per_sec}  {eta} left")
        .expect("the template is a constant and has been drawn before");
    bar.with_style(style)
}

impl<'a> Answer<'a> {
    fn of(args: &Args, world: WorldKind, played: &Played, seconds: f64, device: &'a str) -> Self {
        let Played { episodes, kernel_seconds } = played;
        let rewards: Vec<f64> = episodes.iter().map(|episode| episode.reward).collect();
        let lengths: Vec<u32> = episodes.iter().map(|episode| episode.length).collect();
        let mut sorted = rewards.clone();
        sorted.sort_by(f64::total_cmp);
        let of_hundred = |p| (p, percentile(&sorted, f64::from(p) / 100.0));
        let Evaluation { mean, sd, min, max, .. } = Evaluation::of(&lengths);
        let steps: u64 = lengths.iter().map(|&length| u64::from(length)).sum();
        let terminated = episodes.iter().filter(|episode| episode.terminated).count();
        Self {
            env: world.spec().name,
            policy: args.policy.display().to_string(),
            seeds: if args.gymnasium_seeds.is_some() { "gymnasium" } else { "phylon" },
            returns: Evaluation::of(&rewards),
            percentiles: Percentiles(PERCENTILES.map(of_hundred).into()),
            length: Lengths { mean, sd, min, max },
            terminated,
            truncated: episodes.len() - terminated,
            steps,
            seconds,
            steps_per_second: steps as f64 / seconds,
            kernel_seconds: *kernel_seconds,
            kernel_steps_per_second: kernel_seconds.map(|seconds| steps as f64 / seconds),
            device,
            episodes: args.returns.then_some(Episodes { rewards, lengths }),
            limit: world.spec().limit,
        }
    }

    fn text(&self, args: &Args) -> String {
        let Evaluation { episodes, mean, sd, ci95: (low, high), min, max, .. } = self.returns;
        let Lengths { mean: length, min: shortest, max: longest, .. } = self.length;
        let whose = match args.gymnasium_seeds {
            Some(first) => format!("Gymnasium's seeds from {first} on"),
            None => format!("seed {}", args.seed),
        };
        let percentiles: Vec<_> = self.percentiles.0.iter().map(|(p, value)| format!("{p} %: {value:.2}")).collect();
        let share = |count: usize| 100.0 * count as f64 / episodes as f64;
        let kernel = self
            .kernel_steps_per_second
            .map_or(String::new(), |rate| format!(", {}a second of the kernel alone", output::si(rate)));
        let spread = if episodes > 1 {
            format!(" +- {sd:.2} (sd), 95 % confidence interval of the mean {low:.2} to {high:.2}")
        } else {
            String::new()
        };
        format!(
            "{}, {}: return {mean:.2}{spread}\n\
             percentiles  {}\n\
             range        {min:.2} to {max:.2}\n\
             length       {length:.1} steps, {shortest} to {longest}\n\
             ended        {:.1} % of their own, {:.1} % at the limit of {} steps\n\
             episodes     {episodes} of {whose}; {} steps in {:.2} s: {}env-steps/s{kernel} ({})\n",
            self.env,
            self.policy,
            percentiles.join("  "),
            share(self.terminated),
            share(self.truncated),
            self.limit,
            self.steps,
            self.seconds,
            output::si(self.steps_per_second),
            self.device,
        )
    }
}

//! Thousands of environments stepped together, with actions drawn at random: what a learner of your own would call.
//!
//!     cargo run --release --example random_agents -- lunar-lander 4096
//!
//! prints the mean return of the episodes that were over within three seconds, and the environment steps per second,
//! observations included.

use std::error::Error;
use std::time::Instant;

use phylon::registry::{WorldKind, WorldVisitor};
use phylon::rng::{Row, Stream};
use phylon::world::{Action, Environments, Seeds, World};

const SECONDS: f64 = 3.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or("cartpole".into());
    let count = args.next().map_or(Ok(4096), |count| count.parse())?;
    WorldKind::named(&name)?.visit(Agents { count });
    Ok(())
}

/// A world is a type; its name is turned into one by a visit.
struct Agents {
    count: usize,
}

impl WorldVisitor for Agents {
    type Output = ();

    fn visit<W: World>(self) {
        // Some rounds of actions, drawn beforehand, so that only the environments are timed.
        let choices = W::SPEC.actions.outputs();
        let row = |index| Row { seed: 2, stream: Stream::Action, generation: 0, index };
        let round = |step| (0..self.count).map(|i| W::Action::random(&row(i as u32), step, choices)).collect();
        let actions: Vec<Vec<W::Action>> = (0..64).map(round).collect();

        let mut environments = Environments::<W>::new(self.count, Seeds::Phylon(1));
        let (mut episodes, mut sum, mut rounds) = (0u64, 0.0, 0);
        let started = Instant::now();
        while started.elapsed().as_secs_f64() < SECONDS {
            environments.step(&actions[rounds % actions.len()]);
            for (_, finished) in environments.finished() {
                episodes += 1;
                sum += finished.episode.reward;
            }
            rounds += 1;
        }
        let rate = (rounds * self.count) as f64 / started.elapsed().as_secs_f64();
        println!("{}: {episodes} episodes, mean return {:.2}, {rate:.4e} steps/s", W::SPEC.name, sum / episodes as f64);
    }
}

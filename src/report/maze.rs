//! Mazes: whether agents learn within their life. `choice` has the first arm entered, which shows it, `earnings` what they earn
//! while they live, and `probes` what they earn with something taken from them.

mod choice;
mod earnings;
mod probes;

use plotters::style::RGBColor;

use super::behaviour::Behaviour;
use super::html::{Figure, measured};
use super::plot::{LESIONED, MODEL, REFERENCE, UNIT};
use super::{EPISODES, Subject, affordable};
use crate::error::Result;
use crate::plan::Plan;
use crate::workload::Workload;
use crate::workload::maze::{Episodes, Life, MazePlay, Probe, Trials};
use crate::world::players::Strategy;

/// The lives of one kind of player.
struct Player {
    name: &'static str,
    colour: RGBColor,
    lives: Vec<Life>,
    behaviour: Behaviour,
}

impl Player {
    fn new(name: &'static str, colour: RGBColor, lives: Vec<Life>) -> Self {
        Self { name, colour, behaviour: Behaviour::of(&lives), lives }
    }

    fn reference(play: &MazePlay, strategy: Strategy, episodes: &Episodes) -> Self {
        let colour = match strategy {
            Strategy::Reflex => REFERENCE,
            Strategy::WinStayLoseShift => MODEL,
        };
        Self::new(strategy.name(), colour, Trials::of_player(play, strategy, episodes))
    }
}

/// Figures of one agent.
///
/// # Errors
/// When they cannot be drawn.
pub fn figures(plan: &Plan, subject: &Subject) -> Result<Vec<Figure>> {
    let play = MazePlay::new(plan);
    let episodes = play.fresh_episodes(affordable(EPISODES, plan.steps), subject.seed);
    let agent = |name, colour, probe| {
        let probed = play.clone().with_probe(probe);
        Player::new(name, colour, Trials::of(&probed, subject.parameters, &episodes))
    };
    let none = Probe::default();
    let intact = agent("evolved agent", UNIT, none);
    let dark = agent("evolved agent in the dark", LESIONED, Probe { dark: true, ..none });
    let lesioned = [
        agent("no reward signal", LESIONED, Probe { no_reward_signal: true, ..none }),
        agent("frozen synapses", LESIONED, Probe { freeze_synapses: true, ..none }),
        agent("no noise", LESIONED, Probe { no_noise: true, ..none }),
    ];
    let [reflex, shift] = Strategy::ALL.map(|strategy| Player::reference(&play, strategy, &episodes));
    let choosers = [&intact, &dark, &reflex, &shift];
    let [no_reward, frozen, no_noise] = &lesioned;
    let probed = [("intact", &intact), ("no reward signal", no_reward), ("frozen synapses", frozen)]
        .into_iter()
        .chain([("no noise", no_noise), ("dark", &dark)]);
    Ok(vec![
        choice::after_outcomes(&choosers, play.rules(), subject)?,
        choice::after_a_move(&choosers, play.rules(), subject)?,
        earnings::figure(&choosers, plan, subject)?,
        probes::figure(&probed.collect::<Vec<_>>(), &[&reflex, &shift], subject)?,
    ])
}

/// A share in a table.
fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.0} %", 100.0 * share) } else { measured(share) }
}

/// How often the first choice was right.
fn right(behaviour: &Behaviour, group: usize) -> String {
    behaviour.first_choice.outcomes_met.get(group).map_or_else(String::new, |share| percent(share.share))
}

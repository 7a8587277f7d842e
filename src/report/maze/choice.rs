//! The first arm entered: by outcomes already met, and since the food was moved.

use std::ops::RangeInclusive;

use super::super::axis::Axis;
use super::super::behaviour::{self, Behaviour, GROUPS};
use super::super::html::{self, Figure, measured};
use super::super::plot::{self, Chart, Frame, Key, Mark, REFERENCE};
use super::super::statistics::Share;
use super::{Player, Subject, right};
use crate::error::Result;
use crate::workload::maze::Life;
use crate::world::t_maze::Rules;

/// Outcomes met that are shown: by then the food may have moved twice.
const OUTCOMES: u32 = 12;
/// Trials since a move that are shown: later on most lives whose choices were right have had the next one.
const SINCE: u32 = 6;

/// Right first choices against outcomes met, with the table of all players.
pub fn after_outcomes(players: &[&Player], rules: &Rules, subject: &Subject) -> Result<Figure> {
    let svg = draw(players, rules, behaviour::after_outcomes, ("outcomes met before in the life", OUTCOMES))?;
    let lives = players.first().map_or(0, |player| player.lives.len());
    let caption = format!(
        "How much an agent eats does not show whether it learns: the reflex, which has no memory, tries the arms in the same \
         order every time, sees the poison from one cell away, turns back, and finds the food in every trial. What shows it is \
         the first arm that it enters in a trial (from the start to the next meal). An agent that learns enters the right one \
         more often after it has met food or poison than before, when no one can know; win-stay lose-shift goes where the food \
         was last, or else on to the next place. Bars: 95 % confidence intervals (Wilson); dashed: chance. The food may be moved at \
         meal {} at a place and at each later one, so that right choices then become fewer. A life counts once for each number: one that starved before counts as wrong, or \
         dying of wrong choices would look like learning; one that the end of the episode cut before is left out. The table has the first choices that were right, by outcomes met; a \
         > b is how likely a value of a is the larger one, with the p of the two-sided Mann-Whitney test. {lives} fresh episodes \
         (seed {}), the same for all. {}",
        rules.swap_after, subject.seed, subject.described,
    );
    let title = "First arm entered, by outcomes already met".into();
    Ok(Figure { id: "choice", title, head: table(players), svg, caption })
}

/// What players eat, and their first choices.
fn table(players: &[&Player]) -> String {
    let groups = GROUPS.map(|group| format!("{group} met"));
    let meals = ["", "food", "poison", "food > poison"];
    let head: Vec<&str> = meals.into_iter().chain(groups.iter().map(String::as_str)).chain(["1 met > 0"]).collect();
    let row = |player: &&Player| {
        let behaviour = &player.behaviour;
        let Behaviour { food, poison, food_against_poison, first_choice, .. } = behaviour;
        let meals = [player.name.to_owned(), measured(*food), measured(*poison), food_against_poison.to_string()];
        let choices = (0..GROUPS.len()).map(|group| right(behaviour, group));
        meals.into_iter().chain(choices).chain([first_choice.one_against_none.to_string()]).collect()
    };
    html::table(&head, &players.iter().map(row).collect::<Vec<_>>())
}

/// Right first choices against trials since the food was moved.
pub fn after_a_move(players: &[&Player], rules: &Rules, subject: &Subject) -> Result<Figure> {
    let svg = draw(players, rules, behaviour::after_a_move, ("trials since the food was moved", SINCE))?;
    let moved = players.first().map_or(0, |player| behaviour::after_a_move(&player.lives, 0..=0).len());
    let caption = format!(
        "The same by trials since the food was last moved, in lives in which it was: at 0 the agent has met no outcome at \
         the new place, and one that remembers goes to the old one. A life's value is the share right over all its moves. \
         From trial {} on, lives whose food was moved again drop out, and these are the ones that chose well. The food was moved in {moved} of the evolved agent's lives. {}",
        rules.swap_after, subject.described,
    );
    let title = "First arm entered, after the food was moved".into();
    Ok(Figure { id: "reversal", title, head: String::new(), svg, caption })
}

/// A curve a player with a bar at each number from 0 to the last.
fn draw(
    players: &[&Player],
    rules: &Rules,
    right: fn(&[Life], RangeInclusive<u32>) -> Vec<f64>,
    (label, last): (&str, u32),
) -> Result<String> {
    let chance = 100.0 / rules.layout.places().len() as f64;
    let numbers: Vec<f64> = (0..=last).map(f64::from).collect();
    let ends = (-0.4, f64::from(last) + 0.4);
    let keys: Vec<Key> = players.iter().map(|p| Key { mark: Mark::Line, colour: p.colour, label: p.name }).collect();
    plot::figure(300, |canvas| {
        let x = Axis::linear(label, ends.0, ends.1, 1).with_ticks(&numbers);
        let y = Axis::linear("first arm right, % of lives", -3.0, 103.0, 5).with_ticks(&[0.0, 25.0, 50.0, 75.0, 100.0]);
        let mut chart = Chart::new(canvas, &Frame { keys: &keys, ..Frame::default() }, x, y)?;
        chart.dashes((ends.0, chance), (ends.1, chance), REFERENCE, 1.0)?;
        // The evolved agents come first, and are drawn last, above the others.
        for (i, player) in players.iter().enumerate().rev() {
            let aside = 0.07 * (i as f64 - 0.5 * (players.len() - 1) as f64);
            let shares = (0..=last).map(|n| (f64::from(n) + aside, Share::of(&right(&player.lives, n..=n))));
            let shares: Vec<_> = shares.filter(|(_, share)| share.lives > 0).collect();
            let points: Vec<_> = shares.iter().map(|(x, share)| (*x, 100.0 * share.share)).collect();
            let bars: Vec<_> =
                shares.iter().map(|(x, share)| (*x, 100.0 * share.ci95.0, 100.0 * share.ci95.1)).collect();
            chart.stems(&bars, player.colour, 1.0)?;
            chart.line(&points, player.colour, 1.5)?;
            chart.dots(&points, player.colour, 2.5)?;
        }
        Ok(())
    })
}

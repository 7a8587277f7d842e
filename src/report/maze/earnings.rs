//! What agents have earned by each action of their life, food less poison.

use super::super::axis::Axis;
use super::super::html::Figure;
use super::super::plot::{self, Chart, Frame, Key, Mark};
use super::super::statistics::Evaluation;
use super::{Player, Subject};
use crate::error::Result;
use crate::plan::Plan;
use crate::workload::maze::Life;

/// Points of a curve at most.
const POINTS: usize = 200;

/// Mean over lives against actions.
pub fn figure(players: &[&Player], plan: &Plan, subject: &Subject) -> Result<Figure> {
    let actions = players.iter().flat_map(|player| &player.lives).map(length).max().unwrap_or(1);
    let curves: Vec<Curve> = players.iter().map(|player| Curve::of(player, actions)).collect();
    let keys: Vec<Key> = players.iter().map(|p| Key { mark: Mark::Line, colour: p.colour, label: p.name }).collect();
    let svg = plot::figure(320, |canvas| {
        let values = curves.iter().flat_map(|curve| &curve.mean).map(|point| point.1);
        let x = Axis::linear("action", 0.0, actions as f64, 8);
        let y = Axis::around("food less poison so far", values, 6);
        let mut chart = Chart::new(canvas, &Frame { keys: &keys, ..Frame::default() }, x, y)?;
        for (player, curve) in players.iter().zip(&curves).rev() {
            chart.band(&curve.ci95, player.colour)?;
            chart.line(&curve.mean, player.colour, 1.5)?;
        }
        Ok(())
    })?;
    let caption = format!(
        "What is earned in the course of a life of {actions} actions, {} network steps: mean over lives, with the 95 % confidence \
         interval of the mean. A life that starved keeps what it had. {}",
        plan.steps, subject.described,
    );
    Ok(Figure { id: "earnings", title: "Earned within a life".into(), head: String::new(), svg, caption })
}

/// `(action, value)` of one kind of player.
struct Curve {
    mean: Vec<(f64, f64)>,
    ci95: Vec<(f64, f64, f64)>,
}

impl Curve {
    fn of(player: &Player, actions: usize) -> Self {
        let earned: Vec<Vec<i32>> = player.lives.iter().map(|life| earned(life, actions)).collect();
        let at = |action: usize| Evaluation::of(&earned.iter().map(|earned| earned[action] as f32).collect::<Vec<_>>());
        let shown = (0..=actions).step_by(actions.div_ceil(POINTS).max(1));
        let points: Vec<_> = shown.map(|action| (action as f64, at(action))).collect();
        Self {
            mean: points.iter().map(|(action, e)| (*action, e.mean)).collect(),
            ci95: points.iter().map(|(action, e)| (*action, e.ci95.0, e.ci95.1)).collect(),
        }
    }
}

/// Actions of a life.
fn length(life: &Life) -> usize {
    life.trials.iter().map(|trial| trial.actions as usize).sum()
}

/// Earned before the first action, after the first, and so on; what a life has earned at its end it keeps.
fn earned(life: &Life, actions: usize) -> Vec<i32> {
    let (mut earned, mut sum) = (vec![0], 0);
    for trial in &life.trials {
        earned.resize(earned.len() + trial.actions as usize, sum);
        sum += trial.reward;
        if let Some(last) = earned.last_mut().filter(|_| trial.actions > 0) {
            *last = sum;
        }
    }
    earned.resize(actions + 1, sum);
    earned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::maze::Trial;

    #[test]
    fn a_meal_counts_from_the_action_that_ate_it() {
        let trial =
            |actions, reward| Trial { met: 0, since_move: 0, moved: false, first_choice: None, reward, actions };
        let life = Life { trials: vec![trial(2, 1), trial(1, -1), trial(3, 1), trial(0, 0)], starved: false };
        assert_eq!((length(&life), earned(&life, 8)), (6, vec![0, 0, 1, 0, 0, 0, 1, 1, 1]));
    }
}

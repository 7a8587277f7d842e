//! `phylon eval` of a task in a maze: probes, and tables that show whether agents learn within their life.

use phylon::plan::Plan;
use phylon::report::{self, Behaviour, Evaluation, GROUPS, MazeEvaluation, References, Share};
use phylon::workload::maze::Probe;
use phylon::world::players::Strategy;
use serde::Serialize;

use super::super::probe;

/// How an agent fares, with what was taken from it.
#[derive(Serialize)]
pub struct Probed {
    probe: Probe,
    #[serde(flatten)]
    evaluation: MazeEvaluation,
    #[serde(skip)]
    taken: Vec<&'static str>,
}

pub fn evaluate(plan: &Plan, parameters: &[f32], (episodes, seed): (usize, u64), probes: &probe::Args) -> Probed {
    let probe = probes.probe();
    let taken = probes.named().into_iter().filter_map(|(name, given)| given.then_some(name)).collect();
    Probed { probe, evaluation: report::evaluate_maze(plan, parameters, episodes, seed, probe), taken }
}

impl Probed {
    /// Of the agent.
    pub fn fitness(&self) -> &Evaluation {
        &self.evaluation.agent.fitness
    }

    /// What was taken from the agent; meals; and first choices.
    pub fn tables(&self) -> String {
        let MazeEvaluation { agent, references: References { reflex, win_stay_lose_shift } } = &self.evaluation;
        let agent_name =
            if self.taken.is_empty() { "agent".into() } else { format!("agent, {}", self.taken.join(", ")) };
        let [reflex_name, shift_name] = Strategy::ALL.map(|strategy| strategy.name().to_owned());
        let players = [(agent_name, agent), (reflex_name, reflex), (shift_name, win_stay_lose_shift)];

        let mut meals = vec![row("a life", ["fitness", "food", "poison", "starved", "food > poison"])];
        let mut met = vec![row("outcomes met", GROUPS.into_iter().chain(["1 > 0"]))];
        let mut moved = vec![row("trials since a move", GROUPS)];
        for (name, Behaviour { fitness, food, poison, food_against_poison, starved, first_choice }) in players {
            let numbers = [fitness.mean, *food, *poison].map(|number| format!("{number:.2}"));
            let rest = [format!("{:.0} %", 100.0 * starved), food_against_poison.to_string()];
            meals.push(row(&name, numbers.into_iter().chain(rest)));
            let test = first_choice.one_against_none.to_string();
            met.push(row(&name, first_choice.outcomes_met.iter().map(percent).chain([test])));
            moved.push(row(&name, first_choice.trials_since_move.iter().map(percent)));
        }
        format!(
            "\n{}\nfirst arm entered leads to the food, % of lives (95 % CI)\n{}\n{}\n\
             a > b: how likely a value of a is the larger one, ties halved; p of the two-sided Mann-Whitney test.\n\
             Food eaten does not show learning, for the reflex has no memory; the first arm entered does.\n",
            aligned(&meals),
            aligned(&met),
            aligned(&moved)
        )
    }
}

fn row<C: Into<String>>(name: &str, cells: impl IntoIterator<Item = C>) -> Vec<String> {
    [name.to_owned()].into_iter().chain(cells.into_iter().map(Into::into)).collect()
}

fn percent(share: &Share) -> String {
    let (low, high) = share.ci95;
    if share.lives == 0 {
        return "-".into();
    }
    format!("{:.1} ({:.1} to {:.1})", 100.0 * share.share, 100.0 * low, 100.0 * high)
}

/// A line a row: the first column to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            text += &if column == 0 { format!("{cell:width$}") } else { format!("  {cell:>width$}") };
        }
        text.push('\n');
    }
    text
}

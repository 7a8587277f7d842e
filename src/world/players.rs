//! Players that need no network, to compare agents with: what an agent earns without learning, and what the simplest learning
//! earns. They know where they stand and walk shortest ways; what lies at a place they see, as agents do, from one cell away.
//!
//! One that sees poison and turns back eats in every trial without remembering anything, so food eaten does not show
//! that an agent learns; the first arm that it enters does.

use serde::Serialize;

use super::t_maze::{Action, Layout, Rules, TMaze};

/// What a player makes of what it sees and eats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Tries the places in their order in every trial, and turns back where it sees poison. It remembers nothing from one
    /// trial for the next.
    Reflex,
    /// Goes to the place that gave food last; after poison, or where there is nothing, on to the next one. It does not look.
    WinStayLoseShift,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Reflex, Self::WinStayLoseShift];

    /// As a reader is shown it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reflex => "reflex",
            Self::WinStayLoseShift => "win-stay lose-shift",
        }
    }
}

/// A player in one life.
#[derive(Debug, Clone)]
pub struct Player {
    strategy: Strategy,
    rules: Rules,
    /// To each place.
    ways: Vec<Way>,
    /// Place that it goes to.
    target: usize,
}

impl Player {
    /// At the start of a life.
    pub fn new(strategy: Strategy, rules: &Rules) -> Self {
        let ways = rules.layout.places().iter().map(|&place| Way::to(rules, place)).collect();
        Self { strategy, rules: *rules, ways, target: 0 }
    }

    /// What it does next, as the agent that it moves now is.
    pub fn act(&mut self, agent: &TMaze) -> Action {
        let places = self.rules.layout.places();
        let next = (self.target + 1) % places.len();
        let nothing_here = places[self.target] == (agent.x, agent.y);
        self.target = match self.strategy {
            Strategy::Reflex if agent.reward != 0 => 0,
            Strategy::Reflex if nothing_here || agent.observe(&self.rules).red => next,
            Strategy::WinStayLoseShift if nothing_here || agent.reward < 0 => next,
            _ => self.target,
        };
        self.ways[self.target].action(agent)
    }
}

const DIRECTIONS: usize = 4;

/// The first action of a shortest way to a place, from every pose: a cell and where the agent looks.
#[derive(Debug, Clone)]
struct Way {
    layout: Layout,
    actions: Vec<Option<Action>>,
}

impl Way {
    /// Breadth first, from the place outwards: each round finds the poses that are one action further away.
    fn to(rules: &Rules, place: (i32, i32)) -> Self {
        let (columns, rows) = rules.layout.size();
        let at = |(x, y, direction)| TMaze { x, y, direction, ..TMaze::new(rules, 0) };
        let mut far: Vec<TMaze> = (0..columns)
            .flat_map(|x| (0..rows).flat_map(move |y| (0..DIRECTIONS as i32).map(move |direction| (x, y, direction))))
            .filter(|&(x, y, _)| rules.layout.is_open(x, y) && (x, y) != place)
            .map(at)
            .collect();
        let poses = (columns * rows) as usize * DIRECTIONS;
        let mut way = Self { layout: rules.layout, actions: vec![None; poses] };
        loop {
            let leads_on = |from: &TMaze, action: Action| {
                let mut to = *from;
                to.walk(rules, action);
                (to.x, to.y) == place || way.actions[way.pose(&to)].is_some()
            };
            let first = |from: &TMaze| {
                [Action::Forward, Action::Left, Action::Right].into_iter().find(|&action| leads_on(from, action))
            };
            let found: Vec<_> = far.iter().map(|from| (way.pose(from), first(from))).collect();
            for (pose, action) in &found {
                way.actions[*pose] = *action;
            }
            let before = far.len();
            far.retain(|from| way.actions[way.pose(from)].is_none());
            if far.len() == before {
                return way;
            }
        }
    }

    fn pose(&self, agent: &TMaze) -> usize {
        let (_, rows) = self.layout.size();
        (agent.x * rows + agent.y) as usize * DIRECTIONS + agent.direction as usize
    }

    /// Nothing where the agent has arrived.
    fn action(&self, agent: &TMaze) -> Action {
        self.actions[self.pose(agent)].unwrap_or(Action::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The actions of a player in a life that begins with food at a place, until it has eaten twice.
    fn played(strategy: Strategy, rules: &Rules, food: i32) -> Vec<(u32, i32)> {
        let (mut player, mut agent) = (Player::new(strategy, rules), TMaze::new(rules, food));
        let (mut eaten, mut actions) = (Vec::new(), 0);
        while eaten.len() < 2 && actions < 100 {
            agent.step(rules, player.act(&agent.clone()), 0.9);
            actions += 1;
            if agent.reward != 0 {
                eaten.push((actions, agent.reward));
                actions = 0;
            }
        }
        eaten
    }

    #[test]
    fn players_walk_shortest_ways() {
        use Strategy::{Reflex, WinStayLoseShift};
        let single = Rules { layout: Layout::Single, energy: 40, swap_after: 4, poisons: 1 };
        assert_eq!(played(Reflex, &single, 0), [(5, 1), (5, 1)]);
        // Four actions to see the poison, two to turn and leave the arm, two through the other.
        assert_eq!(played(Reflex, &single, 1), [(8, 1), (8, 1)]);
        assert_eq!(played(WinStayLoseShift, &single, 0), [(5, 1), (5, 1)]);
        assert_eq!(played(WinStayLoseShift, &single, 1), [(5, -1), (5, 1)]);

        let double = Rules { layout: Layout::Double, energy: 40, swap_after: 1, poisons: 3 };
        assert_eq!(played(Reflex, &double, 0), [(6, 1), (6, 1)]);
        // Five to see it at place 0, two to turn, two to place 1.
        assert_eq!(played(Reflex, &double, 1), [(9, 1), (9, 1)]);
        assert_eq!(played(WinStayLoseShift, &double, 1), [(6, -1), (6, 1)]);
        assert_eq!(played(WinStayLoseShift, &double, 3), [(6, -1), (6, -1)]);
    }

    #[test]
    fn where_there_is_nothing_players_go_on() {
        // Food at place 2, poison at 3, nothing at 0 and 1.
        let rules = Rules { layout: Layout::Double, energy: 100, swap_after: 9, poisons: 1 };
        for strategy in Strategy::ALL {
            let eaten = played(strategy, &rules, 2);
            assert_eq!(eaten.iter().map(|meal| meal.1).collect::<Vec<_>>(), [1, 1], "{strategy:?}");
            assert!(eaten[0].0 > 12, "{strategy:?}: by way of 0 and 1");
            assert_eq!(eaten[1].0 == 6, strategy == Strategy::WinStayLoseShift, "{strategy:?}");
        }
    }
}

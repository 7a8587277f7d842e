//! The mazes of Bertens & Lee 2020: food at one arm's end, poison at the others, and every so often the food moves.
//!
//! An agent starts at (2, 0) facing north. In a step it turns, then moves one cell if that is open; at an arm's end it
//! eats what lies there and is back at the start. It sees the cell in front of it. What the paper leaves open (when the
//! food moves, what energy means, the double maze's plan) is decided here and in the reference data under
//! `tests/golden/enu`.
//!
//! ```text
//! single: 0 . . . 1      double: 1 . . . 2
//!             .                  .       .
//!             .                  . . . . .
//!             S                  .   .   .
//!                                0   S   3
//! ```

/// One cell on, by direction.
const AHEAD: [(i32, i32); 4] = [(0, 1), (1, 0), (0, -1), (-1, 0)];

/// What an agent does in one maze step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Stay.
    Nothing,
    /// Move on.
    Forward,
    /// Turn left, then move.
    Left,
    /// Turn right, then move.
    Right,
}

impl Action {
    /// Those that take a motor; [`Action::Nothing`] is what happens without one.
    pub const MOTORS: usize = 3;

    /// 0 forward, 1 left, 2 right, anything else nothing.
    pub fn from_index(index: i32) -> Self {
        match index {
            0 => Self::Forward,
            1 => Self::Left,
            2 => Self::Right,
            _ => Self::Nothing,
        }
    }
}

/// Which cells are open, and at which of them food may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A stem of four cells and two arms: 5 x 4.
    Single,
    /// A stem of three cells, two arms, and two more at the end of each: 5 x 5.
    Double,
}

impl Layout {
    /// Arm ends by number.
    pub fn places(self) -> &'static [(i32, i32)] {
        match self {
            Self::Single => &[(0, 3), (4, 3)],
            Self::Double => &[(0, 0), (0, 4), (4, 4), (4, 0)],
        }
    }

    /// Whether an agent can stand on (x, y).
    pub fn is_open(self, x: i32, y: i32) -> bool {
        let across = (0..=4).contains(&x);
        match self {
            Self::Single => (x == 2 && (0..=3).contains(&y)) || (y == 3 && across),
            Self::Double => {
                (x == 2 && (0..=2).contains(&y)) || (y == 2 && across) || ((x == 0 || x == 4) && (0..=4).contains(&y))
            }
        }
    }

    /// The place that lies one cell on from (x, y): where an agent can see what lies there.
    pub fn leads_to(self, x: i32, y: i32) -> Option<usize> {
        let next_to = |&(px, py): &(i32, i32)| (px - x).abs() + (py - y).abs() == 1;
        self.is_open(x, y).then(|| self.places().iter().position(next_to)).flatten()
    }

    /// Columns and rows of cells.
    pub fn size(self) -> (i32, i32) {
        match self {
            Self::Single => (5, 4),
            Self::Double => (5, 5),
        }
    }
}

/// Names of a network's sources in a maze: the sensors in their order, then the reward.
pub const SOURCES: [&str; 4] = ["wall", "green", "red", "reward"];

/// Names of the motors, in the order of [`Action::from_index`].
pub const MOTORS: [&str; Action::MOTORS] = ["forward", "left", "right"];

/// The reward's source.
pub const REWARD: usize = 3;

/// Settings that all agents share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Plan of the maze.
    pub layout: Layout,
    /// Steps an agent lives after its start or a meal.
    pub energy: i32,
    /// From this many meals since the food last moved on, each meal moves it with probability 1/2.
    pub swap_after: i32,
    /// How many of the places that follow the food's hold poison; any others are empty.
    pub poisons: i32,
}

/// One agent in its maze.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TMaze {
    /// Cells to the east of the western end.
    pub x: i32,
    /// Cells to the north of the start.
    pub y: i32,
    /// Where it looks: 0 north (+y), 1 east (+x), 2 south, 3 west.
    pub direction: i32,
    /// Number of the place where the food lies.
    pub food: i32,
    /// Steps left to live; 0 is dead. A dead agent does not move, earn or sense.
    pub energy: i32,
    /// Meals (of food) since the food last moved.
    pub meals: i32,
    /// Of the last step: 1 food, -1 poison, 0 neither. An agent that dies of hunger on the poison still earns its -1.
    pub reward: i32,
}

/// What lies at an arm's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meal {
    /// Earns 1.
    Food,
    /// Earns -1.
    Poison,
}

/// What an agent sees in the cell in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sensors {
    /// The cell is not open.
    pub wall: bool,
    /// Food.
    pub green: bool,
    /// Poison.
    pub red: bool,
}

impl Sensors {
    /// How many there are.
    pub const COUNT: usize = 3;

    /// Wall, green, red: their order everywhere.
    pub fn values(self) -> [bool; Self::COUNT] {
        [self.wall, self.green, self.red]
    }
}

impl TMaze {
    /// An agent at the start, with the food at place `food`.
    pub fn new(rules: &Rules, food: i32) -> Self {
        Self { x: 2, y: 0, direction: 0, food, energy: rules.energy, meals: 0, reward: 0 }
    }

    /// Whether it has energy left.
    pub fn is_alive(&self) -> bool {
        self.energy > 0
    }

    /// What lies at (x, y).
    pub fn meal_at(&self, rules: &Rules, x: i32, y: i32) -> Option<Meal> {
        let places = rules.layout.places();
        let place = places.iter().position(|&at| at == (x, y))? as i32;
        let count = places.len() as i32;
        match (place + count - self.food) % count {
            0 => Some(Meal::Food),
            behind if behind <= rules.poisons => Some(Meal::Poison),
            _ => None,
        }
    }

    fn in_front(&self) -> (i32, i32) {
        let (dx, dy) = AHEAD[self.direction as usize];
        (self.x + dx, self.y + dy)
    }

    /// One maze step; `draw` in [0, 1) decides, where the food may move, whether it does (below 1/2) and whereto.
    pub fn step(&mut self, rules: &Rules, action: Action, draw: f32) {
        self.reward = 0;
        if !self.is_alive() {
            return;
        }
        self.walk(rules, action);
        self.energy -= 1;
        if let Some(meal) = self.meal_at(rules, self.x, self.y) {
            self.eat(rules, meal, draw);
        }
    }

    /// Turn and move, without the rest of a step: where an agent has got to before what it eats takes it back to the start.
    pub fn walk(&mut self, rules: &Rules, action: Action) {
        self.direction = match action {
            Action::Nothing => return,
            Action::Forward => self.direction,
            Action::Left => (self.direction + 3) % 4,
            Action::Right => (self.direction + 1) % 4,
        };
        let (x, y) = self.in_front();
        if rules.layout.is_open(x, y) {
            (self.x, self.y) = (x, y);
        }
    }

    fn eat(&mut self, rules: &Rules, meal: Meal, draw: f32) {
        (self.x, self.y, self.direction) = (2, 0, 0);
        if meal == Meal::Poison {
            self.reward = -1;
            return;
        }
        self.reward = 1;
        self.energy = rules.energy;
        self.meals += 1;
        if self.meals >= rules.swap_after && draw < 0.5 {
            let places = rules.layout.places().len() as i32;
            let onward = (2.0 * draw * (places - 1) as f32) as i32;
            self.food = (self.food + 1 + onward) % places;
            self.meals = 0;
        }
    }

    /// What it senses where it now is; nothing when dead.
    pub fn observe(&self, rules: &Rules) -> Sensors {
        if !self.is_alive() {
            return Sensors::default();
        }
        let (x, y) = self.in_front();
        let meal = self.meal_at(rules, x, y);
        Sensors { wall: !rules.layout.is_open(x, y), green: meal == Some(Meal::Food), red: meal == Some(Meal::Poison) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Forward, Left, Right};

    const DOUBLE: Rules = Rules { layout: Layout::Double, energy: 40, swap_after: 1, poisons: 2 };

    #[test]
    fn every_end_of_the_double_maze_is_six_steps_away_and_holds_what_it_should() {
        let ways = [(Left, Left), (Left, Right), (Right, Left), (Right, Right)];
        for (place, (first, second)) in ways.into_iter().enumerate() {
            for food in 0..4 {
                let mut agent = TMaze::new(&DOUBLE, food);
                for action in [Forward, Forward, first, Forward, second] {
                    agent.step(&DOUBLE, action, 0.9);
                    assert_eq!(agent.reward, 0);
                }
                let behind = (place as i32 + 4 - food) % 4;
                let seen = agent.observe(&DOUBLE);
                assert_eq!((seen.wall, seen.green, seen.red), (false, behind == 0, behind == 1 || behind == 2));
                agent.step(&DOUBLE, Forward, 0.9);
                assert_eq!(agent.reward, [1, -1, -1, 0][behind as usize]);
                assert_eq!(agent.energy, if behind == 0 { 40 } else { 34 });
                assert_eq!((agent.x, agent.y) == (2, 0), behind != 3);
            }
        }
    }

    #[test]
    fn food_moves_to_each_other_place_as_often() {
        let mut seen = [[0; 4]; 4];
        for (food, seen) in seen.iter_mut().enumerate() {
            for draw in 0..1200 {
                let mut agent = TMaze::new(&DOUBLE, food as i32);
                agent.eat(&DOUBLE, Meal::Food, draw as f32 / 1200.0);
                seen[agent.food as usize] += 1;
            }
        }
        for (food, seen) in seen.iter().enumerate() {
            for (place, &count) in seen.iter().enumerate() {
                assert_eq!(count, if place == food { 600 } else { 200 });
            }
        }
    }
}

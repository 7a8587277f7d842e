//! The T-maze of Bertens & Lee 2020: food in one arm, poison in the other, and a swap every so often.
//!
//! Open cells are the stem (2, 0) to (2, 3) and the arms (0, 3) to (4, 3). An agent starts at (2, 0) facing north. In a
//! step it turns, then moves one cell if that is open; at an arm's end it eats what lies there and is back at the start.
//! It sees the cell in front of it. What the paper leaves open (when the sides swap, what energy means) is decided as
//! in the reference data under `tests/golden/enu`.

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

/// Settings that all agents share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Steps an agent lives after its start or a meal.
    pub energy: i32,
    /// From this many meals since the last swap on, each meal swaps food and poison with probability 1/2.
    pub swap_after: i32,
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
    /// 0: food at (0, 3), poison at (4, 3); 1: the reverse.
    pub side: i32,
    /// Steps left to live; 0 is dead. A dead agent does not move, earn or sense.
    pub energy: i32,
    /// Meals (of food) since the last swap.
    pub meals: i32,
    /// Of the last step: 1 food, -1 poison, 0 neither. An agent that dies of hunger on the poison still earns its -1.
    pub reward: i32,
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

fn is_open(x: i32, y: i32) -> bool {
    (x == 2 && (0..=3).contains(&y)) || (y == 3 && (0..=4).contains(&x))
}

impl TMaze {
    /// An agent at the start, its food on `side` (0 or 1, see [`TMaze::side`]).
    pub fn new(rules: &Rules, side: i32) -> Self {
        Self { x: 2, y: 0, direction: 0, side, energy: rules.energy, meals: 0, reward: 0 }
    }

    /// Whether it has energy left.
    pub fn is_alive(&self) -> bool {
        self.energy > 0
    }

    /// Whether (x, y) is an arm's end, and if so whether the food lies there.
    fn food_at(&self, x: i32, y: i32) -> Option<bool> {
        (y == 3 && (x == 0 || x == 4)).then_some((x == 4) == (self.side == 1))
    }

    fn in_front(&self) -> (i32, i32) {
        let (dx, dy) = AHEAD[self.direction as usize];
        (self.x + dx, self.y + dy)
    }

    /// One maze step; `swap` in [0, 1) is the draw for the sides: where a swap is due, one below 1/2 makes it.
    pub fn step(&mut self, rules: &Rules, action: Action, swap: f32) {
        self.reward = 0;
        if !self.is_alive() {
            return;
        }
        self.walk(action);
        self.energy -= 1;
        if let Some(food) = self.food_at(self.x, self.y) {
            self.eat(rules, food, swap);
        }
    }

    fn walk(&mut self, action: Action) {
        self.direction = match action {
            Action::Nothing => return,
            Action::Forward => self.direction,
            Action::Left => (self.direction + 3) % 4,
            Action::Right => (self.direction + 1) % 4,
        };
        let (x, y) = self.in_front();
        if is_open(x, y) {
            (self.x, self.y) = (x, y);
        }
    }

    fn eat(&mut self, rules: &Rules, food: bool, swap: f32) {
        (self.x, self.y, self.direction) = (2, 0, 0);
        if !food {
            self.reward = -1;
            return;
        }
        self.reward = 1;
        self.energy = rules.energy;
        self.meals += 1;
        if self.meals >= rules.swap_after && swap < 0.5 {
            self.side = 1 - self.side;
            self.meals = 0;
        }
    }

    /// What it senses where it now is; nothing when dead.
    pub fn observe(&self) -> Sensors {
        if !self.is_alive() {
            return Sensors::default();
        }
        let (x, y) = self.in_front();
        let food = self.food_at(x, y);
        Sensors { wall: !is_open(x, y), green: food == Some(true), red: food == Some(false) }
    }
}

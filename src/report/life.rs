//! A life over time (Fig. 4 of Bertens & Lee 2020): what the agent is shown, what its neurons put out, what it does and
//! eats. The report draws the beginning of one life; in a film the same strips move past.

use std::ops::Range;

use plotters::style::RGBColor;

use super::Subject;
use super::axis::extent;
use super::html::{Figure, number};
use super::plot::{BEST, FONT, OFFSPRING, REFERENCE, WIDTH};
use super::svg::{Anchor, cross, disc, hex, line, px, rect, text};
use crate::workload::Workload;
use crate::workload::maze::{MazePlay, Moment, Recording};
use crate::world::t_maze::{Action, Layout, SOURCES, Sensors};

/// Food, and the sensor that sees it.
pub const FOOD: RGBColor = BEST;
/// Poison, and the sensor that sees it.
pub const POISON: RGBColor = RGBColor(204, 37, 41);
/// The agent, and what its neurons put out.
pub const AGENT: RGBColor = OFFSPRING;
pub const TEXT: RGBColor = RGBColor(28, 28, 28);
pub const QUIET: RGBColor = RGBColor(92, 92, 92);
const RULE: RGBColor = RGBColor(216, 216, 212);
/// Behind an output neuron while it decides.
const DECIDES: RGBColor = RGBColor(214, 230, 242);
const FOOD_BAND: RGBColor = RGBColor(208, 238, 228);

/// Room for the names of the strips, left of them.
pub const NAMES: f64 = 112.0;
/// Hidden neurons that are shown; the paper's network has 3.
const HIDDEN: usize = 9;
/// Actions of the report's figure.
const SHOWN: usize = 50;

/// The figure of the first fresh episode.
pub fn figure(play: &MazePlay, subject: &Subject) -> Figure {
    let life = Recording::of(play, subject.parameters, &play.fresh_episodes(1, subject.seed), 0);
    let actions = 0..life.moments.len().min(SHOWN);
    let strips = Strips::new(&life, actions.clone(), (f64::from(WIDTH) - NAMES - 14.0) / SHOWN as f64);
    let height = strips.height() + 10.0;
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{0}\" viewBox=\"0 0 {WIDTH} {0}\" \
         font-family=\"{FONT}\">\n<g transform=\"translate({NAMES} 6)\">\n{1}{2}</g>\n</svg>\n",
        px(height),
        strips.names(),
        strips.drawing(),
    );
    let (food, poison) = life.meals(usize::MAX);
    let caption = format!(
        "The first {} actions of one fresh episode (seed {}): what the sensors show, the reward of the action before, channel \
         0 of each neuron, all on one scale, and what the agent does: forward, left, right, or a dot for nothing. An output \
         neuron is shaded while its action is done. Where the agent eats, a line goes through all strips: food (disc) or \
         poison (cross); in the lowest strip, where the food lies. {} {}In the {} actions of its whole life it ate food {food} \
         times and poison {poison} times.",
        actions.len(),
        subject.seed,
        subject.described,
        strips.left_out(),
        life.moments.len(),
    );
    Figure { id: "life", title: "A life: senses, neurons and actions".into(), head: String::new(), svg, caption }
}

/// What a strip shows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Content {
    /// A sensor by its number.
    Sensor(usize),
    Reward,
    Neuron(usize),
    Action,
    Meal,
    /// Where the food lies.
    Food,
}

impl Content {
    fn height(self) -> f64 {
        match self {
            Self::Sensor(_) | Self::Meal => 16.0,
            Self::Reward => 26.0,
            Self::Neuron(_) => 38.0,
            Self::Action => 20.0,
            Self::Food => 18.0,
        }
    }
}

/// Strips one above the other, over some actions of a life. Time 0 of the drawing is the first of them, the top is 0.
pub struct Strips<'a> {
    life: &'a Recording,
    actions: Range<usize>,
    /// Pixels of an action.
    width: f64,
    /// From the top, each with its upper edge.
    strips: Vec<(Content, f64)>,
    /// Where the last one ends.
    bottom: f64,
    /// Of all neurons.
    scale: (f64, f64),
    hidden_left_out: usize,
}

impl<'a> Strips<'a> {
    /// `width` is that of an action.
    pub fn new(life: &'a Recording, actions: Range<usize>, width: f64) -> Self {
        let hidden = life.neurons - Action::MOTORS;
        let shown = shown_neurons(life);
        let groups = [
            (0..Sensors::COUNT).map(Content::Sensor).chain([Content::Reward]).collect(),
            shown.iter().filter(|&&n| n < hidden).map(|&n| Content::Neuron(n)).collect(),
            shown.iter().filter(|&&n| n >= hidden).map(|&n| Content::Neuron(n)).collect(),
            vec![Content::Action, Content::Meal, Content::Food],
        ];
        let (mut strips, mut bottom) = (Vec::new(), 0.0);
        for group in groups {
            for content in group {
                strips.push((content, bottom));
                bottom += content.height();
            }
            bottom += 8.0;
        }
        let values = shown.iter().flat_map(|&neuron| life.trace(neuron)).map(f64::from);
        let (low, high) = extent(values.chain([0.0])).unwrap_or_default();
        let scale = if low < high { (low, high) } else { (0.0, 1.0) };
        let hidden_left_out = hidden.saturating_sub(HIDDEN);
        Self { life, actions, width, strips, bottom, scale, hidden_left_out }
    }

    /// With the axis below.
    pub fn height(&self) -> f64 {
        self.bottom + 32.0
    }

    /// A sentence on the neurons that there is no room for; mostly empty.
    pub fn left_out(&self) -> String {
        match self.hidden_left_out {
            0 => String::new(),
            more => format!("{more} more hidden neurons are not shown. "),
        }
    }

    /// The names of the strips and their scales, which end at 0.
    pub fn names(&self) -> String {
        let mut out = String::new();
        for &(content, top) in &self.strips {
            let middle = top + 0.5 * content.height();
            let name = match content {
                Content::Sensor(sensor) => SOURCES[sensor].into(),
                Content::Reward => "reward".into(),
                Content::Neuron(neuron) => neuron_name(self.life, neuron),
                Content::Action => "action".into(),
                Content::Meal => "eats".into(),
                Content::Food => "food at".into(),
            };
            let scale = match content {
                Content::Neuron(_) => {
                    [(self.scale.1, self.level(self.scale.1)), (self.scale.0, self.level(self.scale.0))]
                        .map(|(value, y)| (number(value), y))
                }
                Content::Reward => [("+1".into(), 5.0), ("\u{2212}1".into(), content.height() - 5.0)],
                _ => Default::default(),
            };
            out += &text((-30.0, middle), Anchor::End, 12.0, TEXT, &name);
            for (label, y) in scale.iter().filter(|(label, _)| !label.is_empty()) {
                out += &text((-5.0, top + y), Anchor::End, 9.0, QUIET, label);
            }
        }
        out + &text((-30.0, self.bottom + 12.0), Anchor::End, 11.0, QUIET, "time in actions")
    }

    /// All strips and the axis below them.
    pub fn drawing(&self) -> String {
        let mut out = String::new();
        for &(content, top) in &self.strips {
            out += &match content {
                Content::Sensor(sensor) => self.sensor(sensor, top),
                Content::Reward => self.reward(top),
                Content::Neuron(neuron) => self.neuron(neuron, top),
                Content::Action => self.acts(top),
                Content::Meal => self.eats(top),
                Content::Food => self.places(top),
            };
        }
        out + &self.axis()
    }

    /// Where the time at the end of an action of the drawing lies.
    fn x(&self, actions: usize) -> f64 {
        actions as f64 * self.width
    }

    fn moments(&self) -> &[Moment] {
        self.life.moments.get(self.actions.clone()).unwrap_or_default()
    }

    /// A rectangle over a run of actions.
    fn block(&self, run: &Range<usize>, (top, height): (f64, f64), colour: RGBColor) -> String {
        rect((self.x(run.start), top), (self.x(run.len()), height), colour, "")
    }

    fn rule(&self, y: f64) -> String {
        line((0.0, y), (self.x(self.actions.len()), y), RULE, 1.0, "")
    }

    fn sensor(&self, sensor: usize, top: f64) -> String {
        let colour = [REFERENCE, FOOD, POISON][sensor];
        let lit = runs(self.moments().iter().map(|moment| moment.shown.values()[sensor]));
        let blocks = lit.iter().filter(|(_, lit)| *lit).map(|(run, _)| self.block(run, (top + 3.0, 10.0), colour));
        self.rule(top + 13.0) + &blocks.collect::<String>()
    }

    fn reward(&self, top: f64) -> String {
        let middle = top + 0.5 * Content::Reward.height();
        let shown = runs(self.moments().iter().map(|moment| moment.reward_shown));
        let blocks = shown.iter().map(|(run, reward)| match reward {
            0 => String::new(),
            1.. => self.block(run, (middle - 10.0, 10.0), FOOD),
            _ => self.block(run, (middle, 10.0), POISON),
        });
        self.rule(middle) + &blocks.collect::<String>()
    }

    /// Height of an output within its strip.
    fn level(&self, value: f64) -> f64 {
        let (low, high) = self.scale;
        let room = Content::Neuron(0).height() - 10.0;
        5.0 + room * (high - value) / (high - low)
    }

    fn neuron(&self, neuron: usize, top: f64) -> String {
        let mut out = String::new();
        if let Some(motor) = self.life.motor(neuron) {
            let decides = runs(self.moments().iter().map(|moment| moment.action == motor));
            let all = (top + 1.0, Content::Neuron(neuron).height() - 2.0);
            out.extend(decides.iter().filter(|(_, it)| *it).map(|(run, _)| self.block(run, all, DECIDES)));
        }
        out += &self.rule(top + self.level(0.0));
        let ticks = self.life.ticks_per_action;
        let values = self.life.trace(neuron).skip(self.actions.start * ticks).take(self.actions.len() * ticks);
        let points = values.enumerate().map(|(tick, value)| {
            let value = f64::from(value);
            let x = (tick + 1) as f64 / ticks as f64 * self.width;
            value.is_finite().then(|| format!("{} {}", px(x), px(top + self.level(value))))
        });
        let points: Vec<_> = points.collect();
        let runs: Vec<String> = points
            .split(Option::is_none)
            .map(|run| run.iter().flatten().map(String::as_str).collect::<Vec<_>>().join("L"))
            .filter(|run| !run.is_empty())
            .collect();
        if !runs.is_empty() {
            let colour = hex(AGENT);
            out += &format!(
                "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\" stroke-linejoin=\"round\"/>\n",
                runs.join("M")
            );
        }
        out
    }

    fn acts(&self, top: f64) -> String {
        let (y, size) = (top + 10.0, (0.4 * self.width).min(6.0));
        let glyph = |(number, moment): (usize, &Moment)| {
            let x = self.x(number) + 0.5 * self.width;
            let turn = match moment.action {
                Action::Nothing => return disc((x, y), 1.2, QUIET),
                Action::Forward => "",
                Action::Left => " rotate(-90)",
                Action::Right => " rotate(90)",
            };
            let (x, y, s, h, colour) = (px(x), px(y), px(size), px(0.7 * size), hex(TEXT));
            format!(
                "<path d=\"M0 {s}V-{s}M-{h} -{z}L0 -{s}L{h} -{z}\" transform=\"translate({x} {y}){turn}\" fill=\"none\" \
                 stroke=\"{colour}\" stroke-width=\"1.4\"/>\n",
                z = px(0.2 * size)
            )
        };
        self.moments().iter().enumerate().map(glyph).collect()
    }

    /// What is eaten, with a line through all strips where the reward comes.
    fn eats(&self, top: f64) -> String {
        let mut out = String::new();
        for (number, moment) in self.moments().iter().enumerate().filter(|(_, moment)| moment.after.reward != 0) {
            let (x, y) = (self.x(number + 1), top + 0.5 * Content::Meal.height());
            let colour = if moment.after.reward > 0 { FOOD } else { POISON };
            out += &line((x, 0.0), (x, y), colour, 1.0, " stroke-opacity=\"0.5\"");
            out += &if moment.after.reward > 0 { disc((x, y), 5.0, colour) } else { cross((x, y), 5.5, colour) };
        }
        out
    }

    fn places(&self, top: f64) -> String {
        let layout = self.life.rules.layout;
        let mut out = String::new();
        for (run, food) in runs(self.moments().iter().map(|moment| moment.before.food)) {
            out += &rect((self.x(run.start) + 0.5, top + 1.0), (self.x(run.len()) - 1.0, 16.0), FOOD_BAND, "");
            let name = place_name(layout, food as usize);
            // Again and again, for in a film they move out of sight. A letter takes less than 7 pixels.
            for start in run.clone().step_by(20).filter(|start| self.x(run.end - start) > 7.0 * name.len() as f64) {
                out += &text((self.x(start) + 5.0, top + 9.0), Anchor::Start, 11.0, TEXT, name);
            }
        }
        out
    }

    fn axis(&self) -> String {
        let y = self.bottom;
        let mut out = line((0.0, y), (self.x(self.actions.len()), y), TEXT, 1.0, "");
        for tick in self.actions.clone().chain([self.actions.end]).filter(|action| action.is_multiple_of(10)) {
            let x = self.x(tick - self.actions.start);
            out += &line((x, y), (x, y + 4.0), TEXT, 1.0, "");
            // What is left of the first action is cut off in a film.
            let anchor = if tick == self.actions.start { Anchor::Start } else { Anchor::Middle };
            out += &text((x, y + 12.0), anchor, 11.0, TEXT, &tick.to_string());
        }
        out
    }
}

/// Hidden neurons as far as there is room, then those of the motors.
pub fn shown_neurons(life: &Recording) -> Vec<usize> {
    let hidden = life.neurons - Action::MOTORS;
    let mut outputs: Vec<usize> = (hidden..life.neurons).collect();
    outputs.sort_by_key(|neuron| life.motors[neuron - hidden]);
    (0..hidden.min(HIDDEN)).chain(outputs).collect()
}

/// What a neuron does, and its number as in a written-down wiring.
fn neuron_name(life: &Recording, neuron: usize) -> String {
    let role = match life.motor(neuron) {
        None => "hidden",
        Some(Action::Left) => "left",
        Some(Action::Right) => "right",
        Some(_) => "forward",
    };
    format!("{role} n{neuron}")
}

/// Where in the maze a place is.
fn place_name(layout: Layout, place: usize) -> &'static str {
    match (layout, place) {
        (Layout::Single, 0) => "left",
        (Layout::Single, _) => "right",
        (Layout::Double, 0) => "lower left",
        (Layout::Double, 1) => "upper left",
        (Layout::Double, 2) => "upper right",
        (Layout::Double, _) => "lower right",
    }
}

/// Equal values that follow each other, with their positions.
fn runs<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<(Range<usize>, T)> {
    let mut runs: Vec<(Range<usize>, T)> = Vec::new();
    for (position, value) in values.enumerate() {
        match runs.last_mut() {
            Some((run, last)) if *last == value => run.end += 1,
            _ => runs.push((position..position + 1, value)),
        }
    }
    runs
}

#[cfg(test)]
pub(super) mod tests {
    use roxmltree::Document;

    use super::*;
    use crate::plan::Plan;
    use crate::rng::{Row, Stream};

    fn play(maze: &str) -> (MazePlay, Vec<f32>) {
        let text = format!(
            "format = 1\n[run]\nname = 'x'\ngenerations = 1\n[unit.enu]\ninputs = 8\nmemory = 6\noutputs = 8\n\
             [network]\nneurons = 7\nsynapses = 5\nrandom.seed = 3\n[task.{maze}]\nactions = 150\nticks_per_action = 3\n\
             swap_after = 1\nenergy = 25\n[es]\npopulation = 4"
        );
        let plan = Plan::new(toml::from_str(&text).unwrap()).unwrap();
        let mut parameters = vec![0.0; plan.parameters()];
        Row { seed: 1, stream: Stream::Initial, generation: 0, index: 0 }.normals(0, &mut parameters);
        (MazePlay::new(&plan), parameters)
    }

    /// A life in each maze in which food and poison are eaten and the food moves.
    pub fn recordings() -> [Recording; 2] {
        ["t_maze", "double_t_maze"].map(|maze| {
            let (play, parameters) = play(maze);
            let episodes = play.fresh_episodes(60, 1);
            let mut lives = (0..60).map(|environment| Recording::of(&play, &parameters, &episodes, environment));
            let full = |life: &Recording| {
                let moves = runs(life.moments.iter().map(|moment| moment.before.food)).len() > 1;
                moves && life.meals(150).0 > 1 && life.meals(150).1 > 0
            };
            lives.find(full).unwrap()
        })
    }

    /// The life of an agent whose neurons put out no numbers.
    pub fn broken() -> [Recording; 1] {
        let (play, parameters) = play("t_maze");
        [Recording::of(&play, &vec![f32::NAN; parameters.len()], &play.fresh_episodes(1, 1), 0)]
    }

    #[test]
    fn a_life_is_drawn_as_it_was() {
        for life in recordings() {
            let (from, to) = (5, life.moments.len());
            let strips = Strips::new(&life, from..to, 10.0);
            let text = format!("<svg>{}{}</svg>", strips.names(), strips.drawing());
            let document = Document::parse(&text).unwrap();
            let filled = |colour: RGBColor| {
                let colour = hex(colour);
                let rects = document.descendants().filter(|node| node.attribute("fill") == Some(&colour));
                let width = |node: roxmltree::Node| node.attribute("width").map_or(0.0, |w| w.parse::<f64>().unwrap());
                (rects.map(width).sum::<f64>() / 10.0).round() as usize
            };
            let count = |of: fn(&Moment) -> bool| life.moments[from..].iter().filter(|moment| of(moment)).count();
            assert_eq!(filled(REFERENCE), count(|m| m.shown.wall));
            assert_eq!(filled(FOOD), count(|m| m.shown.green) + count(|m| m.reward_shown > 0));
            assert_eq!(filled(POISON), count(|m| m.shown.red) + count(|m| m.reward_shown < 0));
            assert_eq!(filled(DECIDES), count(|m| m.action != Action::Nothing));
            let shapes = |name, colour: &str| {
                document.descendants().filter(|n| n.has_tag_name(name) && n.attribute("fill") == Some(colour)).count()
            };
            assert_eq!(shapes("circle", &hex(FOOD)), count(|m| m.after.reward > 0));
            let traces: Vec<_> =
                document.descendants().filter(|n| n.attribute("stroke") == Some(&hex(AGENT))).collect();
            assert_eq!(traces.len(), 7);
            // The traces' order is that of their names, whatever motors the output neurons drive.
            let names: Vec<_> =
                document.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text()).collect();
            for (motor, name) in ["forward", "left", "right"].into_iter().enumerate() {
                let neuron = 4 + life.motors.iter().position(|m| *m == motor).unwrap();
                assert!(names.contains(&format!("{name} n{neuron}").as_str()), "{names:?}");
                let path = traces[4 + motor].attribute("d").unwrap();
                let top = strips.strips.iter().find(|strip| strip.0 == Content::Neuron(neuron)).unwrap().1;
                let heights =
                    path[1..].split('L').map(|point| point.split_once(' ').unwrap().1.parse::<f64>().unwrap());
                let expected = life.trace(neuron).skip(from * 3).map(|y| top + strips.level(f64::from(y)));
                assert!(heights.clone().count() == (to - from) * 3);
                assert!(heights.zip(expected).all(|(a, b)| (a - b).abs() < 0.06), "{name}");
            }
        }
    }

    #[test]
    fn the_figure_survives_nan_and_says_what_it_leaves_out() {
        let (play, parameters) = play("double_t_maze");
        for parameters in [parameters.clone(), vec![f32::NAN; parameters.len()]] {
            let subject = Subject { parameters: &parameters, described: "Of a test.", seed: 7 };
            let figure = figure(&play, &subject);
            Document::parse(&figure.svg).unwrap();
            assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf"));
            assert!(figure.caption.contains("seed 7") && !figure.caption.contains("not shown"), "{}", figure.caption);
        }
        let [mut life, _] = recordings();
        life.neurons = 21;
        assert_eq!(Strips::new(&life, 0..1, 10.0).left_out(), "9 more hidden neurons are not shown. ");
        assert_eq!(shown_neurons(&life).len(), HIDDEN + 3);
    }

    #[test]
    fn places_are_named_by_where_they_are() {
        for layout in [Layout::Single, Layout::Double] {
            for (place, &(x, y)) in layout.places().iter().enumerate() {
                let name = place_name(layout, place);
                assert!(name.ends_with(if x < 2 { "left" } else { "right" }), "{name}");
                assert_eq!(name.starts_with("upper"), layout == Layout::Double && y > 2);
                assert_eq!(name.starts_with("lower"), layout == Layout::Double && y < 2);
            }
        }
    }
}

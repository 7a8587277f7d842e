//! An agent in its maze beside the strips of its life, as an SVG that moves by itself: no script, so that it also plays
//! where a picture is all that is allowed.
//!
//! Everything moves by SMIL: values and times stand in the element that they move, where keyframes of CSS have names, which
//! must differ between the films of a page. Time is counted in actions from the first one shown. During an action the agent
//! stands where it is while its network makes its steps, then turns, then moves.

use std::ops::Range;
use std::path::Path;

use plotters::style::{RGBColor, WHITE};

use super::html::escape;
use super::life::{AGENT, FOOD, NAMES, POISON, QUIET, Strips, TEXT, shown_neurons};
use super::plot::FONT;
use super::svg::{Anchor, cross, disc, hex, line, px, rect, text};
use crate::error::Result;
use crate::run::durable;
use crate::workload::maze::{Moment, Recording};
use crate::world::t_maze::{Action, Meal, TMaze};

/// As fast as a reader can follow.
const SECONDS_PER_ACTION: f64 = 0.35;
/// Actions that the last picture stays.
const REST: f64 = 4.0;
/// Parts of an action after which the agent turns, and moves.
const TURNS: f64 = 0.5;
const MOVES: f64 = 0.65;
/// How long it is seen where it ate, before it is back at the start.
const STAYS: f64 = 0.4;
/// How long a jump takes: not all players take two values at the same time.
const JUMP: f64 = 0.01;

const MARGIN: f64 = 20.0;
/// Height of title and subtitle.
const HEAD: f64 = 62.0;
const CELL: f64 = 56.0;
const WALL: f64 = 8.0;
/// Height of the counters below the maze, and of one of their lines.
const COUNTERS: f64 = 120.0;
const LINE: f64 = 30.0;
/// Width of the strips, of an action in them, and where the present is.
const WINDOW: f64 = 528.0;
const PER_ACTION: f64 = 17.0;
const NOW: f64 = 24.0 * PER_ACTION;

const STONE: RGBColor = RGBColor(88, 92, 98);
const GRID: RGBColor = RGBColor(228, 228, 228);
const DEAD: RGBColor = RGBColor(150, 150, 150);

/// Actions that a film shows if nothing else is said: at most 40 s of them, and a file of less than a megabyte.
pub fn default_length(life: &Recording) -> usize {
    const LENGTH: usize = 120;
    const POINTS: usize = 60_000;
    LENGTH.min(POINTS / (life.ticks_per_action * shown_neurons(life).len())).max(1)
}

/// Write the film of some actions of a life, all of which it has; `title` and `subtitle` say whose life it is.
///
/// # Errors
/// When the file cannot be written; one that is there already is then as it was.
pub fn write(path: &Path, life: &Recording, actions: Range<usize>, title: &str, subtitle: &str) -> Result<()> {
    durable::replace(path, svg(life, actions, title, subtitle).as_bytes())
}

fn svg(life: &Recording, actions: Range<usize>, title: &str, subtitle: &str) -> String {
    let film = Film { life, end: actions.len() as f64 + REST, actions: actions.clone() };
    let strips = Strips::new(life, actions, PER_ACTION);
    let (plan_width, plan_height) = film.plan();
    let left = MARGIN + plan_width + 16.0 + NAMES;
    let width = left + WINDOW + MARGIN;
    let height = HEAD + strips.height().max(plan_height + COUNTERS) + 8.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
         font-family=\"{FONT}\">\n<title>{2}</title>\n",
        px(width),
        px(height),
        escape(title)
    );
    out += &rect((0.0, 0.0), (width, height), WHITE, "");
    out += &text((MARGIN, 22.0), Anchor::Start, 17.0, TEXT, title);
    out += &text((MARGIN, 43.0), Anchor::Start, 12.0, QUIET, subtitle);
    out += &group((MARGIN + WALL, HEAD + WALL), "", &film.maze());
    out += &group((MARGIN, HEAD + plan_height + 24.0), "", &film.counters(plan_width));
    out += &group((left, HEAD), "", &film.strips(&strips));
    out + "</svg>\n"
}

/// Elements moved to a place; `attributes` begin with a blank.
fn group((x, y): (f64, f64), attributes: &str, inner: &str) -> String {
    format!("<g transform=\"translate({} {})\"{attributes}>\n{inner}</g>\n", px(x), px(y))
}

/// Elements cut off at the edges of a rectangle.
fn window((x, y): (f64, f64), (width, height): (f64, f64), inner: &str) -> String {
    let [x, y, width, height] = [x, y, width, height].map(px);
    format!("<svg x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" overflow=\"hidden\">\n{inner}</svg>\n")
}

/// Values with the times at which they are reached; where an attribute moves in steps, from which on they hold.
type Keys = Vec<(f64, String)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Motion {
    Smooth,
    Steps,
}

struct Film<'a> {
    life: &'a Recording,
    actions: Range<usize>,
    /// When it starts again.
    end: f64,
}

impl Film<'_> {
    fn moments(&self) -> &[Moment] {
        self.life.moments.get(self.actions.clone()).unwrap_or_default()
    }

    /// States of the agent with the times from which on they are shown, the last one after all actions.
    fn states(&self) -> Vec<(f64, TMaze)> {
        let moments = self.moments();
        let first = moments.iter().take(1).map(|moment| (0.0, moment.before));
        let later = moments.iter().enumerate().map(|(number, moment)| {
            let stays = if moment.after.reward == 0 { 0.0 } else { STAYS };
            ((number + 1) as f64 + stays, moment.after)
        });
        first.chain(later).collect()
    }

    /// Meals of one kind with the times at which they are eaten.
    fn meals(&self, reward: i32) -> impl Iterator<Item = (f64, &Moment)> {
        let times = self.moments().iter().enumerate().map(|(number, moment)| ((number + 1) as f64, moment));
        times.filter(move |(_, moment)| moment.after.reward == reward)
    }

    /// The attributes that move something, or none if it stays as it is.
    fn timing(&self, motion: Motion, keys: &Keys) -> Option<String> {
        let differs = |a: usize, b: usize| keys.get(a).map(|key| &key.1) != keys.get(b).map(|key| &key.1);
        let turning = |&i: &usize| {
            let after = motion == Motion::Smooth && i + 1 < keys.len() && differs(i, i + 1);
            i == 0 || differs(i - 1, i) || after
        };
        let mut kept: Vec<(f64, &str)> =
            (0..keys.len()).filter(turning).map(|i| (keys[i].0, keys[i].1.as_str())).collect();
        if kept.len() < 2 {
            return None;
        }
        let mode = match motion {
            Motion::Steps => " calcMode=\"discrete\"",
            Motion::Smooth => {
                kept.extend(kept.last().map(|key| (self.end, key.1)));
                ""
            }
        };
        let share =
            |time: f64| format!("{:.6}", time / self.end).trim_end_matches('0').trim_end_matches('.').to_owned();
        let values: Vec<&str> = kept.iter().map(|key| key.1).collect();
        let times: Vec<String> = kept.iter().map(|key| share(key.0)).collect();
        Some(format!(
            "{mode} dur=\"{}s\" repeatCount=\"indefinite\" values=\"{}\" keyTimes=\"{}\"/>\n",
            px(self.end * SECONDS_PER_ACTION),
            values.join(";"),
            times.join(";")
        ))
    }

    /// Moves an attribute of the element around it.
    fn animate(&self, attribute: &str, motion: Motion, keys: &Keys) -> String {
        self.timing(motion, keys).map_or_else(String::new, |t| format!("<animate attributeName=\"{attribute}\"{t}"))
    }

    /// Elements with a transformation that moves.
    fn moved(&self, transformation: &str, motion: Motion, keys: &Keys, inner: &str) -> String {
        let first = keys.first().map_or("0", |key| &key.1);
        let animation = self.timing(motion, keys).map_or_else(String::new, |timing| {
            format!("<animateTransform attributeName=\"transform\" type=\"{transformation}\"{timing}")
        });
        format!("<g transform=\"{transformation}({first})\">\n{animation}{inner}</g>\n")
    }

    /// Elements with an opacity that changes; nothing where they are never seen.
    fn faded(&self, motion: Motion, keys: &Keys, inner: &str) -> String {
        if keys.iter().all(|key| key.1 == "0") {
            return String::new();
        }
        let first = keys.first().map_or("1", |key| &key.1);
        format!("<g opacity=\"{first}\">\n{}{inner}</g>\n", self.animate("opacity", motion, keys))
    }

    /// Size of the maze with the wall around it.
    fn plan(&self) -> (f64, f64) {
        let (columns, rows) = self.life.rules.layout.size();
        (f64::from(columns) * CELL + 2.0 * WALL, f64::from(rows) * CELL + 2.0 * WALL)
    }

    /// The middle of a cell.
    fn cell(&self, x: i32, y: i32) -> (f64, f64) {
        let (_, rows) = self.life.rules.layout.size();
        ((f64::from(x) + 0.5) * CELL, (f64::from(rows - 1 - y) + 0.5) * CELL)
    }

    fn maze(&self) -> String {
        let layout = self.life.rules.layout;
        let (columns, rows) = layout.size();
        let (width, height) = self.plan();
        let mut out = rect((-WALL, -WALL), (width, height), STONE, " rx=\"6\"");
        for (x, y) in (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))).filter(|&(x, y)| layout.is_open(x, y)) {
            let (left, top) = (self.cell(x, y).0 - 0.5 * CELL, self.cell(x, y).1 - 0.5 * CELL);
            out += &rect((left, top), (CELL, CELL), WHITE, &format!(" stroke=\"{}\"", hex(GRID)));
        }
        for &(x, y) in layout.places() {
            let at = self.cell(x, y);
            for (meal, shape) in
                [(Meal::Food, disc(at, 0.26 * CELL, FOOD)), (Meal::Poison, cross(at, 0.26 * CELL, POISON))]
            {
                let lies = |agent: &TMaze| agent.meal_at(&self.life.rules, x, y) == Some(meal);
                let keys =
                    self.states().iter().map(|(time, agent)| (*time, u8::from(lies(agent)).to_string())).collect();
                out += &self.faded(Motion::Steps, &keys, &shape);
            }
            out += &self.flash((x, y), 1, FOOD);
            out += &self.flash((x, y), -1, POISON);
        }
        // On stone in both mazes.
        out + &self.agent() + &self.death(self.cell(1, 0))
    }

    /// A ring that grows around a place where something is eaten.
    fn flash(&self, (x, y): (i32, i32), reward: i32, colour: RGBColor) -> String {
        let here = |moment: &Moment| {
            let eats = moment.reached(&self.life.rules);
            (eats.x, eats.y) == (x, y)
        };
        let (mut opacity, mut radius): (Keys, Keys) = (vec![(0.0, "0".into())], vec![(0.0, "0".into())]);
        for (time, _) in self.meals(reward).filter(|(_, moment)| here(moment)) {
            for (later, seen, size) in [(-JUMP, "0", "0"), (0.0, "1", "14"), (0.9, "0", "40")] {
                opacity.push((time + later, seen.into()));
                radius.push((time + later, size.into()));
            }
        }
        let (cx, cy) = self.cell(x, y);
        let ring = format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"0\" fill=\"none\" stroke=\"{}\" stroke-width=\"6\">\n{}</circle>\n",
            px(cx),
            px(cy),
            hex(colour),
            self.animate("r", Motion::Smooth, &radius)
        );
        self.faded(Motion::Smooth, &opacity, &ring)
    }

    /// A triangle that points where the agent looks.
    fn agent(&self) -> String {
        let at = |agent: &TMaze| {
            let (x, y) = self.cell(agent.x, agent.y);
            format!("{} {}", px(x), px(y))
        };
        let Some(start) = self.moments().first().map(|moment| moment.before) else { return String::new() };
        let mut angle = 90 * start.direction;
        let (mut places, mut angles): (Keys, Keys) = (vec![(0.0, at(&start))], vec![(0.0, angle.to_string())]);
        for (number, ((back, before), moment)) in self.states().into_iter().zip(self.moments()).enumerate() {
            let time = number as f64;
            if back > time {
                angle = 90 * before.direction;
                places.push((back + JUMP, at(&before)));
                angles.push((back + JUMP, angle.to_string()));
            }
            places.push((time + MOVES, at(&before)));
            angles.push((time + TURNS, angle.to_string()));
            angle += match moment.action {
                Action::Left => -90,
                Action::Right => 90,
                Action::Forward | Action::Nothing => 0,
            };
            let reached = moment.reached(&self.life.rules);
            angles.push((time + MOVES, angle.to_string()));
            places.push((time + 1.0, at(&reached)));
            if moment.after.reward != 0 {
                places.push((time + 1.0 + STAYS, at(&reached)));
                angles.push((time + 1.0 + STAYS, angle.to_string()));
            }
        }
        if let Some((back, last)) = self.states().last().filter(|(_, last)| last.reward != 0) {
            places.push((back + JUMP, at(last)));
            angles.push((back + JUMP, (90 * last.direction).to_string()));
        }
        let alive = |agent: &TMaze| hex(if agent.is_alive() { AGENT } else { DEAD });
        let fill: Keys = self.states().iter().map(|(time, agent)| (*time, alive(agent))).collect();
        let triangle = format!(
            "<path d=\"M0 -19L14 15L0 8L-14 15Z\" fill=\"{}\" stroke=\"#fff\" stroke-width=\"1.5\">\n{}</path>\n",
            hex(AGENT),
            self.animate("fill", Motion::Steps, &fill)
        );
        let turning = self.moved("rotate", Motion::Smooth, &angles, &triangle);
        self.moved("translate", Motion::Smooth, &places, &turning)
    }

    /// Says so where the agent dies.
    fn death(&self, at: (f64, f64)) -> String {
        let keys = self.states().iter().map(|(time, agent)| (*time, u8::from(!agent.is_alive()).to_string())).collect();
        self.faded(Motion::Steps, &keys, &text(at, Anchor::Middle, 13.0, WHITE, "starved"))
    }

    /// Action, energy, food and poison, one below the other.
    fn counters(&self, width: f64) -> String {
        const NAME: f64 = 64.0;
        let states = self.states();
        let acts: Vec<_> = self.actions.clone().enumerate().map(|(time, action)| (time as f64, action + 1)).collect();
        let mut out = text((0.0, 0.0), Anchor::Start, 13.0, TEXT, "action");
        out += &self.counter((NAME, 0.0), &acts);
        let of = format!("of {}", self.life.moments.len());
        out += &text((NAME + 46.0, 0.0), Anchor::Start, 13.0, QUIET, &of);

        let full = f64::from(self.life.rules.energy.max(1));
        let bar = width - NAME - 46.0;
        let lengths: Keys = states.iter().map(|(time, a)| (*time, px(bar * f64::from(a.energy) / full))).collect();
        out += &text((0.0, LINE), Anchor::Start, 13.0, TEXT, "energy");
        out += &rect((NAME, LINE - 6.0), (bar, 12.0), GRID, " rx=\"2\"");
        out += &format!(
            "<rect x=\"{NAME}\" y=\"{}\" width=\"{}\" height=\"12\" rx=\"2\" fill=\"{}\">\n{}</rect>\n",
            px(LINE - 6.0),
            lengths.first().map_or("0", |key| &key.1),
            hex(AGENT),
            self.animate("width", Motion::Steps, &lengths)
        );
        let energies: Vec<_> = states.iter().map(|(time, agent)| (*time, agent.energy as usize)).collect();
        out += &self.counter((NAME + bar + 8.0, LINE), &energies);

        let (food, poison) = self.life.meals(self.actions.start);
        for (row, (name, reward, before)) in [("food", 1, food), ("poison", -1, poison)].into_iter().enumerate() {
            let y = (row + 2) as f64 * LINE;
            let at = (NAME + 9.0, y);
            let eaten = self.meals(reward).enumerate().map(|(number, (time, _))| (time, before + number + 1));
            out += &text((0.0, y), Anchor::Start, 13.0, TEXT, name);
            out += &if reward > 0 { disc(at, 8.0, FOOD) } else { cross(at, 8.0, POISON) };
            out += &self.counter((NAME + 30.0, y), &[(0.0, before)].into_iter().chain(eaten).collect::<Vec<_>>());
        }
        out
    }

    /// A number that changes: all that there are below each other, moved behind a window, for text cannot be animated.
    fn counter(&self, (x, y): (f64, f64), values: &[(f64, usize)]) -> String {
        const HEIGHT: f64 = 20.0;
        let mut numbers: Vec<usize> = values.iter().map(|value| value.1).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let column: String = numbers
            .iter()
            .enumerate()
            .map(|(row, number)| format!("<tspan x=\"0\" y=\"{}\">{number}</tspan>", px(row as f64 * HEIGHT + 15.0)))
            .collect();
        let shift = |number| px(-(numbers.partition_point(|n| *n < number) as f64) * HEIGHT);
        let keys = values.iter().map(|&(time, number)| (time, format!("0 {}", shift(number)))).collect();
        let column = format!("<text font-size=\"15\" font-weight=\"bold\" fill=\"{}\">{column}</text>\n", hex(TEXT));
        let moving = self.moved("translate", Motion::Steps, &keys, &column);
        window((x, y - 0.5 * HEIGHT), (60.0, HEIGHT), &moving)
    }

    /// The strips; what is to come is pale. The present goes to its place in the window and stays there, and from then on the
    /// strips move.
    fn strips(&self, strips: &Strips) -> String {
        const ABOVE: f64 = 6.0;
        let length = self.actions.len() as f64;
        let stops = length.min(NOW / PER_ACTION);
        let keys = |places: [f64; 3]| {
            let times = [0.0, stops, length];
            times.into_iter().zip(places).map(|(time, x)| (time, format!("{} {ABOVE}", px(x)))).collect()
        };
        let height = strips.height();
        let mut pale = rect((0.0, -ABOVE), (WINDOW, height + ABOVE), WHITE, " fill-opacity=\"0.65\"");
        pale += &line((0.0, -ABOVE), (0.0, height - 22.0), TEXT, 1.5, "");
        let passed = PER_ACTION * stops;
        let moving = [
            self.moved("translate", Motion::Smooth, &keys([0.0, 0.0, passed - length * PER_ACTION]), &strips.drawing()),
            self.moved("translate", Motion::Smooth, &keys([0.0, passed, passed]), &pale),
        ];
        strips.names() + &window((0.0, -ABOVE), (WINDOW, height + ABOVE), &moving.concat())
    }
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;
    use crate::report::life::tests::{broken, recordings};

    /// Share of the film at which a time is.
    fn share(life: &Recording, time: f64) -> f64 {
        time / (life.moments.len() as f64 + REST)
    }

    fn numbers(text: &str) -> Vec<f64> {
        text.split(' ').map(|number| number.parse().unwrap_or(f64::NAN)).collect()
    }

    /// Values and times of an animation.
    fn keys<'a>(animation: &Node<'a, '_>) -> (Vec<&'a str>, Vec<f64>) {
        let of = |name| animation.attribute(name).unwrap_or_default().split(';');
        (of("values").collect(), of("keyTimes").map(|time| time.parse().unwrap()).collect())
    }

    /// What an attribute of an element is at a share of the film.
    fn at(element: &Node, attribute: &str, share: f64) -> Vec<f64> {
        let animation = element.children().find(|child| child.attribute("attributeName") == Some(attribute));
        let Some(animation) = animation else {
            let still = element.attribute(attribute).unwrap();
            return numbers(still.split_once('(').map_or(still, |(_, inner)| inner.trim_end_matches(')')));
        };
        let (values, times) = keys(&animation);
        let next = times.partition_point(|time| *time <= share);
        let before = numbers(values[next - 1]);
        if animation.attribute("calcMode") == Some("discrete") || next == times.len() {
            return before;
        }
        let part = (share - times[next - 1]) / (times[next] - times[next - 1]);
        before.iter().zip(numbers(values[next])).map(|(a, b)| a + part * (b - a)).collect()
    }

    /// The number that a counter shows.
    fn counted(film: &Document, which: usize, share: f64) -> usize {
        let counters =
            film.descendants().filter(|node| node.has_tag_name("text") && node.children().any(|c| c.is_element()));
        let text = counters.clone().nth(which).unwrap();
        let row = -at(&text.parent().unwrap(), "transform", share)[1] / 20.0;
        text.children().filter(Node::is_element).nth(row as usize).unwrap().text().unwrap().parse().unwrap()
    }

    fn near(a: &[f64], b: (f64, f64)) -> bool {
        (a[0] - b.0).abs() < 1e-3 && (a[1] - b.1).abs() < 1e-3
    }

    #[test]
    fn a_film_is_an_xml_file_in_which_everything_can_move() {
        for life in recordings().into_iter().chain(broken()) {
            let lived = life.moments.len();
            for actions in [0..lived, 0..1, lived / 2..lived, 3..lived.min(9)] {
                let text = svg(&life, actions, "a < b & \"c\"", "it's");
                let film = Document::parse(&text).unwrap();
                assert!(!text.contains("NaN") && !text.contains("inf") && !text.contains("script"), "{text}");
                for animation in film
                    .descendants()
                    .filter(|node| node.has_tag_name("animate") || node.has_tag_name("animateTransform"))
                {
                    let (values, times) = keys(&animation);
                    assert_eq!(values.len(), times.len());
                    assert!(
                        times.is_sorted_by(|a, b| a < b) && times[0] == 0.0 && times.iter().all(|t| *t <= 1.0),
                        "{times:?}"
                    );
                    let smooth = animation.attribute("calcMode") != Some("discrete");
                    assert!(!smooth || times.last() == Some(&1.0), "{times:?}");
                    let colour = animation.attribute("attributeName") == Some("fill");
                    assert!(colour || values.iter().flat_map(|v| numbers(v)).all(f64::is_finite), "{values:?}");
                }
            }
        }
    }

    #[test]
    fn the_agent_is_where_it_was_and_looks_where_it_looked() {
        for life in recordings() {
            let text = svg(&life, 0..life.moments.len(), "x", "y");
            let document = Document::parse(&text).unwrap();
            let film = Film { life: &life, actions: 0..life.moments.len(), end: 0.0 };
            let triangle =
                document.descendants().find(|node| node.attribute("d").is_some_and(|d| d.starts_with("M0 -19L")));
            let turning = triangle.unwrap().parent().unwrap();
            let moving = turning.parent().unwrap();
            let looks = |time: f64| at(&turning, "transform", share(&life, time))[0].rem_euclid(360.0) / 90.0;
            let stands = |time: f64| at(&moving, "transform", share(&life, time));
            for (number, moment) in life.moments.iter().enumerate() {
                let (time, reached) = (number as f64, moment.reached(&life.rules));
                assert!(near(&stands(time + TURNS - 0.01), film.cell(moment.before.x, moment.before.y)), "{number}");
                assert!((looks(time + TURNS - 0.01) - f64::from(moment.before.direction)).abs() < 1e-3, "{number}");
                assert!(
                    near(&stands(time + 1.0 + 1e-3), film.cell(reached.x, reached.y)) || moment.after.reward == 0,
                    "{number}"
                );
                assert!((looks(time + MOVES + 0.01) - f64::from(reached.direction)).abs() < 1e-3, "{number}");
            }
            let (last, end) = (life.moments.last().unwrap().after, life.moments.len() as f64 + STAYS + 0.1);
            assert!(near(&stands(end), film.cell(last.x, last.y)));
            // Every place it goes through, with those it jumps from and to.
            let animation = moving.children().find(|child| child.has_tag_name("animateTransform")).unwrap();
            let open: Vec<_> = (0..5)
                .flat_map(|x| (0..5).map(move |y| (x, y)))
                .filter(|&(x, y)| life.rules.layout.is_open(x, y))
                .collect();
            for place in keys(&animation).0 {
                assert!(open.iter().any(|&(x, y)| near(&numbers(place), film.cell(x, y))), "{place}");
            }
        }
    }

    #[test]
    fn counters_energy_and_food_are_those_of_the_life() {
        for life in recordings() {
            let (from, lived) = (7, life.moments.len());
            let text = svg(&life, from..lived, "x", "y");
            let document = Document::parse(&text).unwrap();
            let film = Film { life: &life, actions: from..lived, end: 0.0 };
            let bar = document
                .descendants()
                .filter(|node| node.has_tag_name("rect"))
                .find(|node| node.has_children())
                .unwrap();
            let full = bar.prev_sibling_element().unwrap().attribute("width").unwrap().parse::<f64>().unwrap();
            let discs: Vec<_> = document.descendants().filter(|node| node.attribute("r") == Some("14.6")).collect();
            for (number, moment) in life.moments.iter().enumerate().skip(from) {
                let share = ((number - from) as f64 + TURNS) / ((lived - from) as f64 + REST);
                let (food, poison) = life.meals(number);
                let energy = moment.before.energy as usize;
                let counted = [0, 1, 2, 3].map(|which| counted(&document, which, share));
                assert_eq!(counted, [number + 1, energy, food, poison]);
                let width = full * f64::from(moment.before.energy) / f64::from(life.rules.energy);
                assert!((at(&bar, "width", share)[0] - width).abs() < 0.1, "{number}");
                let seen: Vec<_> =
                    discs.iter().filter(|disc| at(&disc.parent().unwrap(), "opacity", share) == [1.0]).collect();
                let (x, y) = life.rules.layout.places()[moment.before.food as usize];
                let place =
                    [seen[0].attribute("cx").unwrap(), seen[0].attribute("cy").unwrap()].map(|c| c.parse().unwrap());
                assert!(seen.len() == 1 && near(&place, film.cell(x, y)), "{number}: {seen:?}");
            }
        }
    }

    #[test]
    fn films_stay_below_a_megabyte() {
        for (neurons, ticks) in [(6, 4), (6, 250), (300, 250), (4096, 1)] {
            let [mut life, ..] = recordings();
            life.moments = life.moments.iter().cycle().take(400).copied().collect();
            (life.neurons, life.ticks_per_action) = (neurons, ticks);
            life.outputs = (0..400 * ticks * neurons).map(|i| (i as f32).sin().abs()).collect();
            let length = default_length(&life);
            assert!((1..=120).contains(&length));
            let size = svg(&life, 0..length, "x", "y").len();
            assert!(size < 1_000_000, "{size} bytes for {length} actions of {neurons} neurons with {ticks} steps");
        }
    }
}

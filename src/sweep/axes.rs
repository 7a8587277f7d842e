//! The cells of a sweep: every combination of listed values, with numbers drawn from ranges.
//!
//! Draws are by counter, so a cell is the same on every machine and in every shard. They are the outermost of all: more of
//! them, or more seeds, leave the cells that there were as they were.

use serde::{Deserialize, Serialize};
use toml::Value;

use crate::error::{Error, Result};
use crate::num::transcendental::{exp, ln};
use crate::rng::{Row, Stream};

/// Most cells: more would be a mistake.
const MOST: usize = 1_000_000;
/// From which ratio of its ends on a range is drawn from by its logarithm, if it does not say how.
const FAR: f64 = 10.0;

/// A key and the values that it takes in turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// `es.population`
    pub key: String,
    /// In their order, no two the same.
    pub values: Vec<Value>,
}

/// A key and the range that its values are drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// `es.sigma`
    pub key: String,
    /// The least value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
    /// What is uniform.
    pub scale: Scale,
    /// Values are whole numbers, both ends among them.
    pub whole: bool,
}

/// What of a drawn value is uniform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The value.
    Linear,
    /// Its logarithm.
    Log,
}

/// How many values are drawn, and from which ranges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Random {
    /// Of each range, for each combination of the axes.
    pub draws: u32,
    /// Of the draws.
    pub seed: u64,
    /// In their order, which decides the draws.
    pub range: Vec<Range>,
}

/// One setting of all keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The first is 1.
    pub number: usize,
    /// A value for each key, those of the axes first.
    pub values: Vec<Value>,
}

/// What the arguments of the form `KEY=VALUE` and `KEY=VALUE,VALUE` are: overrides as they are, and axes.
///
/// # Errors
/// When one has no key or no value, or a key comes twice.
pub fn settings(arguments: &[String]) -> Result<(Vec<String>, Vec<Axis>)> {
    let (mut overrides, mut axes) = (Vec::new(), Vec::<Axis>::new());
    let mut seen = Vec::new();
    for argument in arguments {
        let refuse = |why: &str| Error::Config(format!("--set {argument}: {why}"));
        let (key, list) =
            argument.split_once('=').ok_or_else(|| refuse("expected key=value, for example es.population=64,256"))?;
        let key = key.trim();
        if seen.contains(&key) {
            return Err(refuse(&format!("`{key}` is set twice; keep one")));
        }
        seen.push(key);
        let texts = split(list);
        if texts.iter().any(|text| text.is_empty()) {
            return Err(refuse("a value is missing"));
        }
        let values: Vec<Value> = texts.into_iter().map(value).collect();
        match &values[..] {
            [_] => overrides.push(format!("{key}={}", list.trim())),
            _ => {
                let twice = values.iter().enumerate().find(|(i, value)| values[..*i].contains(value));
                if let Some((_, value)) = twice {
                    return Err(refuse(&format!("{value} is there twice")));
                }
                axes.push(Axis { key: key.to_owned(), values });
            }
        }
    }
    Ok((overrides, axes))
}

/// At the commas that are in no brackets and no quotes, without the blanks around each part.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0usize, None);
    for (at, c) in list.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(list[start..at].trim());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(list[start..].trim());
    parts
}

/// A TOML value; what is none is text, as in `phylon run --set`.
fn value(text: &str) -> Value {
    text.parse().unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// A value as people read it: text without its quotes, a number as short as it can be.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(number) => format!("{number:?}"),
        _ => value.to_string(),
    }
}

/// A value on an axis of a figure.
pub fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64)).filter(|number| number.is_finite())
}

impl Range {
    /// Of an argument `KEY=LOW..HIGH`, `KEY=log:LOW..HIGH` or `KEY=linear:LOW..HIGH`.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(argument: &str) -> Result<Self> {
        let refuse = |why: &str| Error::Config(format!("--range {argument}: {why}"));
        let form =
            "expected key=low..high, for example es.sigma=0.001..0.1, or key=log:low..high, or key=linear:low..high";
        let (key, rest) = argument.split_once('=').ok_or_else(|| refuse(form))?;
        let (scale, ends) = match rest.trim().split_once(':') {
            Some(("log", ends)) => (Some(Scale::Log), ends),
            Some(("linear", ends)) => (Some(Scale::Linear), ends),
            Some(_) => return Err(refuse(form)),
            None => (None, rest),
        };
        let (low, high) = ends.split_once("..").ok_or_else(|| refuse(form))?;
        let (low, high) = (value(low.trim()), value(high.trim()));
        let whole = low.is_integer() && high.is_integer();
        let (Some(low), Some(high)) = (number(&low), number(&high)) else { return Err(refuse(form)) };
        if low >= high {
            return Err(refuse(&format!("{low} is not below {high}")));
        }
        let far = low > 0.0 && high > FAR * low;
        let scale = scale.unwrap_or(if far { Scale::Log } else { Scale::Linear });
        if scale == Scale::Log && low <= 0.0 {
            return Err(refuse(&format!("{low} has no logarithm; try: linear:")));
        }
        Ok(Self { key: key.trim().to_owned(), low, high, scale, whole })
    }

    /// The value of a draw; `place` is that of the range among all.
    fn draw(&self, seed: u64, place: u32, draw: u32) -> Value {
        let [a, b, ..] = Row { seed, stream: Stream::Sweep, generation: place, index: draw }.block(0).map(u64::from);
        // 53 bits, in [0, 1).
        let share = (a << 21 | b >> 11) as f64 / (1u64 << 53) as f64;
        // Every whole number has a piece of the same length, of the logarithm one that is its own.
        let end = if self.whole { self.high + 1.0 } else { self.high };
        let drawn = match self.scale {
            Scale::Linear => self.low + share * (end - self.low),
            Scale::Log => exp(ln(self.low) + share * (ln(end) - ln(self.low))),
        };
        if self.whole {
            return Value::Integer(drawn.floor().clamp(self.low, self.high) as i64);
        }
        // Six digits: short in tables, and nothing hangs on the last bit of a function.
        let short = format!("{drawn:.5e}").parse().unwrap_or(drawn);
        Value::Float(f64::clamp(short, self.low, self.high))
    }
}

/// The keys of all cells, those of the axes first.
pub fn keys<'s>(axes: &'s [Axis], random: Option<&'s Random>) -> Vec<&'s str> {
    let drawn = random.into_iter().flat_map(|random| &random.range).map(|range| range.key.as_str());
    axes.iter().map(|axis| axis.key.as_str()).chain(drawn).collect()
}

/// All cells: for each draw every combination of the axes, of which the last moves fastest.
///
/// # Errors
/// When there are too many.
pub fn cells(axes: &[Axis], random: Option<&Random>) -> Result<Vec<Cell>> {
    let draws = random.map_or(1, |random| random.draws);
    let grid = axes.iter().try_fold(1usize, |product, axis| product.checked_mul(axis.values.len()));
    let all = grid.and_then(|grid| grid.checked_mul(draws as usize)).filter(|&all| all <= MOST);
    let all = all.ok_or_else(|| Error::Config(format!("there are more than {MOST} cells; try: fewer values")))?;
    let grid = all / (draws.max(1) as usize);
    let cell = |index: usize| {
        let (draw, mut rest) = (index / grid, index % grid);
        let mut values = Vec::new();
        for axis in axes.iter().rev() {
            values.push(axis.values[rest % axis.values.len()].clone());
            rest /= axis.values.len();
        }
        values.reverse();
        if let Some(random) = random {
            let ranges = random.range.iter().zip(0..);
            values.extend(ranges.map(|(range, place)| range.draw(random.seed, place, draw as u32)));
        }
        Cell { number: index + 1, values }
    };
    Ok((0..all).map(cell).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(argument: &str) -> Axis {
        settings(&[argument.to_owned()]).unwrap().1.remove(0)
    }

    fn random(range: &str, draws: u32, seed: u64) -> Vec<f64> {
        let random = Random { draws, seed, range: vec![Range::new(range).unwrap()] };
        cells(&[], Some(&random)).unwrap().iter().map(|cell| number(&cell.values[0]).unwrap()).collect()
    }

    #[test]
    fn lists_are_split_where_no_bracket_and_no_quote_is_open() {
        let cases: [(&str, &[&str]); 7] = [
            ("1", &["1"]),
            ("64, 256,1024", &["64", "256", "1024"]),
            ("[1,2],[3,[4,5]]", &["[1,2]", "[3,[4,5]]"]),
            ("'a,b',\"c,'d\",e", &["'a,b'", "\"c,'d\"", "e"]),
            ("{a = 1, b = 2},3", &["{a = 1, b = 2}", "3"]),
            ("1,,2", &["1", "", "2"]),
            ("", &[""]),
        ];
        for (list, parts) in cases {
            assert_eq!(split(list), parts, "{list}");
        }
    }

    #[test]
    fn one_value_is_an_override_and_several_are_an_axis() {
        let arguments =
            ["es.alpha=5", "network.edges=['a > n0','b > n1']", " es.sigma = 0.1, 1e-2", "run.numerics=exact,fast"];
        let (overrides, axes) = settings(&arguments.map(str::to_owned)).unwrap();
        assert_eq!(overrides, ["es.alpha=5", "network.edges=['a > n0','b > n1']"]);
        assert_eq!(axes[0], Axis { key: "es.sigma".into(), values: vec![Value::Float(0.1), Value::Float(0.01)] });
        let texts = ["exact", "fast"].map(|text| Value::String(text.into()));
        assert_eq!(axes[1], Axis { key: "run.numerics".into(), values: texts.into() });
        for (wrong, why) in [
            (&["es.sigma"][..], "expected key=value"),
            (&["es.sigma=0.1,,0.2"], "a value is missing"),
            (&["es.sigma="], "a value is missing"),
            (&["es.sigma=0.1,0.10"], "0.1 is there twice"),
            (&["es.sigma=0.1", "es.sigma=1,2"], "`es.sigma` is set twice"),
        ] {
            let wrong: Vec<String> = wrong.iter().map(|argument| (*argument).to_owned()).collect();
            let error = settings(&wrong).unwrap_err().to_string();
            assert!(error.starts_with("--set ") && error.contains(why), "{error}");
        }
    }

    #[test]
    fn the_last_axis_moves_fastest_and_draws_slowest() {
        let axes = [axis("a=1,2"), axis("b=x,y,z")];
        let texts = |cells: &[Cell]| -> Vec<String> {
            cells.iter().map(|cell| cell.values.iter().map(shown).collect::<Vec<_>>().join("")).collect()
        };
        let grid = cells(&axes, None).unwrap();
        assert_eq!(texts(&grid), ["1x", "1y", "1z", "2x", "2y", "2z"]);
        assert_eq!(grid.iter().map(|cell| cell.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);

        let random = |draws| Random { draws, seed: 3, range: vec![Range::new("c=0..9").unwrap()] };
        let (few, many) = (random(2), random(5));
        let (few, many) = (cells(&axes, Some(&few)).unwrap(), cells(&axes, Some(&many)).unwrap());
        assert_eq!((few.len(), many.len()), (12, 30));
        assert_eq!(few, many[..12], "more draws change none");
        assert!(few[..6].iter().all(|cell| cell.values[2] == few[0].values[2]), "the combinations share a draw");
        assert_eq!(cells(&[], None).unwrap(), [Cell { number: 1, values: vec![] }]);
    }

    #[test]
    fn too_many_cells_are_refused() {
        let long = Axis { key: "a".into(), values: (0..2000).map(Value::Integer).collect() };
        assert!(cells(&[long.clone(), long], None).unwrap_err().to_string().contains("more than 1000000"));
    }

    #[test]
    fn ranges_say_or_show_what_is_uniform() {
        let scale = |argument: &str| Range::new(argument).unwrap().scale;
        assert_eq!(scale("es.sigma=0.001..0.1"), Scale::Log);
        assert_eq!(scale("es.sigma=0.01..0.1"), Scale::Linear, "not more than a factor of ten apart");
        assert_eq!(scale("es.sigma=0..5"), Scale::Linear);
        assert_eq!(scale("es.sigma=-1.5..5"), Scale::Linear);
        assert_eq!(scale("es.sigma=linear:0.001..0.1"), Scale::Linear);
        assert_eq!(scale("es.sigma=log:0.01..0.02"), Scale::Log);
        assert!(Range::new("es.population=16..64").unwrap().whole && !Range::new("es.sigma=1.0..2").unwrap().whole);
        for wrong in [
            "es.sigma",
            "es.sigma=1",
            "es.sigma=2..1",
            "es.sigma=1..1",
            "es.sigma=ln:1..2",
            "es.sigma=a..2",
            "x=log:0..1",
        ] {
            let error = Range::new(wrong).unwrap_err().to_string();
            assert!(error.starts_with(&format!("--range {wrong}: ")), "{error}");
        }
    }

    /// Bounds are those of 4 standard errors of a share of 1000 draws.
    #[test]
    fn draws_are_even_within_their_ranges_and_known() {
        let linear = random("a=2.0..4.0", 1000, 1);
        assert!(linear.iter().all(|a| (2.0..=4.0).contains(a)));
        let below = |values: &[f64], bound: f64| values.iter().filter(|v| **v < bound).count();
        assert!((437..=563).contains(&below(&linear, 3.0)), "{}", below(&linear, 3.0));
        let log = random("a=0.001..0.1", 1000, 1);
        assert!(log.iter().all(|a| (0.001..=0.1).contains(a)));
        assert!((437..=563).contains(&below(&log, 0.01)), "{}", below(&log, 0.01));
        let whole = random("a=1..4", 1000, 1);
        for value in 1..=4 {
            let count = whole.iter().filter(|v| **v == f64::from(value)).count();
            assert!((195..=305).contains(&count), "{value}: {count}");
        }
        assert_ne!(linear, random("a=2.0..4.0", 1000, 2));
        // Of Philox with 64-bit arithmetic in Python: these may never change, or sweeps would not go on.
        assert_eq!(random("a=0.0..1.0", 3, 1), [0.393246, 0.119244, 0.0974096]);
    }
}

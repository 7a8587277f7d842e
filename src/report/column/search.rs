//! `report.html` of a search of a column's parameters: how its error fell, whose rates came of it, and which parameters
//! moved.

use std::path::PathBuf;

use plotters::style::text_anchor::HPos;

use super::published;
use crate::column::search::candidates::{self, Row};
use crate::column::search::outcome::{Entrant, Found, Outcome, Tested};
use crate::column::search::{Target, objective::Measure};
use crate::column::{NAMES, POPULATIONS};
use crate::config::{self, Column, Search, Searcher};
use crate::error::{Error, Result};
use crate::report::axis::{Axis, extent};
use crate::report::heat_map::{DIVERGING, HeatMap};
use crate::report::html::{self, Figure, count, measured, number};
use crate::report::plot::{
    self, AXIS, BEST, Chart, FONT, Frame, INPUT, Key, MODEL, Mark, OFFSPRING, REFERENCE, UNIT, WIDTH,
};
use crate::report::svg::{Anchor, line, px, rect, text};
use crate::run::folder::{CANDIDATES, RESULT};
use crate::run::{Folder, durable};

/// Points of a curve at most.
const POINTS: usize = 350;
/// Above the bars of parameters, and of one of them.
const HEAD: f64 = 30.0;
const ROW: f64 = 18.0;

/// Draw the report of a search's folder, replacing an older one, and return its path.
///
/// # Errors
/// When the page cannot be written. What is missing or damaged becomes a note on it.
pub fn write(folder: &Folder, column: &Column) -> Result<PathBuf> {
    let Some(search) = &column.search else {
        let why = "its config has no table [search]; try: phylon simulate, whose folders have figures of their own";
        return Err(Error::bad_file(folder.path(), why));
    };
    let mut notes = Vec::new();
    let rows = candidates::read(&folder.path().join(CANDIDATES)).unwrap_or_else(|error| {
        notes.push(format!("No curve of the error: {error}"));
        Vec::new()
    });
    let at = folder.path().join(RESULT);
    let outcome = match std::fs::read_to_string(&at) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| notes.push(format!("No result: {error}"))).ok(),
        Err(_) => {
            notes.push("The search has not come to its end yet.".into());
            None
        }
    };
    let name = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let page = Page { name: &name, column, search, rows: &rows, outcome: outcome.as_ref(), notes: &notes }.html()?;
    let path = folder.report_path();
    durable::replace(&path, page.as_bytes())?;
    Ok(path)
}

/// All that a report is made of.
struct Page<'a> {
    name: &'a str,
    column: &'a Column,
    search: &'a Search,
    rows: &'a [Row],
    outcome: Option<&'a Outcome>,
    notes: &'a [String],
}

impl Page<'_> {
    fn html(&self) -> Result<String> {
        let searcher = self.search.searcher().map_or("", Searcher::name);
        let subtitle = format!("{searcher} searches {} parameters of a cortical column", self.search.parameters());
        let mut body = format!("<h1>{}</h1>\n", html::escape(self.name));
        body += &format!("<p class=\"subtitle\">{}</p>\n", html::escape(&subtitle));
        body += &html::facts(&self.facts());
        for note in self.notes {
            body += &html::note(note);
        }
        if !self.rows.is_empty() {
            body += &html::figure(&errors(self.rows, self.search)?);
        }
        if let Some(outcome) = self.outcome {
            body += &html::figure(&rates(outcome, self.search)?);
            body += &self.tests(outcome);
            body += &parameters(outcome);
        }
        let toml = html::escape(&config::to_toml(self.column));
        body += &format!(
            "<section>\n<details>\n<summary>Effective config</summary>\n<pre>{toml}</pre>\n</details>\n</section>\n"
        );
        body += &format!("<footer>Drawn by phylon {} from the run folder alone.</footer>\n", env!("CARGO_PKG_VERSION"));
        Ok(html::document(&format!("{} \u{2013} phylon report", self.name), &body))
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let each = u64::from(self.search.seeds);
        let best = self.rows.iter().map(|row| row.error).filter(|error| error.is_finite()).reduce(f64::min);
        let mut facts = vec![
            ("candidates", format!("{}, each with {}", count(self.rows.len() as u64), seeds(each))),
            (
                "simulations",
                format!("{} of {}", count(self.rows.len() as u64 * each), count(self.search.simulations.into())),
            ),
            ("least error in the search", measured(best.unwrap_or(f64::NAN))),
        ];
        let Some(outcome) = self.outcome else { return facts };
        let answer = outcome.answer();
        let whose = if outcome.finalists_seeds_are_new { "that chose among finalists" } else { "of the search" };
        facts.extend([
            ("refused, clipped", format!("{}, {}", count(outcome.refused), count(outcome.clipped))),
            ("time", html::duration(outcome.seconds)),
            ("answer", answer.name()),
            ("its error", format!("{} with {} {whose}", shown(answer.error), seeds(outcome.training_seeds as u64))),
        ]);
        if let Some(tested) = outcome.held_out.iter().find(|tested| tested.is_answer) {
            let seeds = seeds(outcome.held_out_seeds as u64);
            facts.extend([
                ("held-out error of mean measures", format!("{} over {seeds}", shown(tested.error_of_means))),
                ("held-out error of a seed", format!("{} on average", shown(tested.mean_error))),
            ]);
        }
        facts
    }

    /// A table of the test, and one of finalists.
    fn tests(&self, outcome: &Outcome) -> String {
        let targets = &self.search.targets;
        let mut head = vec!["held-out seeds"];
        let names: Vec<String> = targets.iter().map(Target::name).collect();
        head.extend(names.iter().map(String::as_str));
        head.extend(["error of means", "of a seed, mean"]);
        let row = |tested: &Tested| {
            let name = if tested.is_answer { format!("{} (answer)", tested.of) } else { tested.of.clone() };
            let cells = targets.iter().zip(&tested.measured).map(|(target, value)| {
                let sd = target.index().filter(|_| target.measure == Measure::Rate).and_then(|p| tested.rates_sd[p]);
                sd.map_or_else(|| shown(*value), |sd| format!("{} ± {}", shown(*value), measured(sd)))
            });
            let errors = [shown(tested.error_of_means), shown(tested.mean_error)];
            std::iter::once(name).chain(cells).chain(errors).collect()
        };
        let aims = std::iter::once("target".to_owned()).chain(targets.iter().map(|target| number(target.value)));
        let mut rows: Vec<Vec<String>> = vec![aims.chain([String::new(), String::new()]).collect()];
        rows.extend(outcome.held_out.iter().map(row));
        let entrant = |entrant: &Entrant| {
            let name = entrant.name();
            let errors = [shown(entrant.error_in_search), shown(entrant.error)];
            let counts = [count(entrant.saturated as u64), count(entrant.clipped as u64)];
            std::iter::once(name).chain(errors).chain(counts).collect()
        };
        let entrants: Vec<Vec<String>> = outcome.entrants.iter().map(entrant).collect();
        let head_of_entrants = ["judged at the end", "error in the search", "error", "actions at an end", "clipped"];
        format!("<section>\n{}{}</section>\n", html::table(&head, &rows), html::table(&head_of_entrants, &entrants))
    }
}

fn shown(value: Option<f64>) -> String {
    measured(value.unwrap_or(f64::NAN))
}

fn seeds(number: u64) -> String {
    if number == 1 { "one seed".into() } else { format!("{} seeds", count(number)) }
}

/// The best error so far, and the mean of candidates, both of whole generations.
fn errors(rows: &[Row], search: &Search) -> Result<Figure> {
    let simulations = f64::from(search.seeds);
    let generation = search.population().max(1) as usize;
    let each = rows.len().div_ceil(POINTS).next_multiple_of(generation);
    let (mut best, mut bests, mut means) = (f64::INFINITY, Vec::new(), Vec::new());
    for (i, some) in rows.chunks(each).enumerate() {
        let finite: Vec<f64> = some.iter().map(|row| row.error).filter(|error| error.is_finite()).collect();
        best = finite.iter().copied().fold(best, f64::min);
        let at = simulations * (i * each + some.len()) as f64;
        bests.push((at, best));
        means.push((at, finite.iter().sum::<f64>() / finite.len() as f64));
    }
    let end = simulations * rows.len() as f64;
    let values: Vec<f64> = bests.iter().chain(&means).map(|point| point.1).collect();
    let keys = [
        Key { mark: Mark::Line, colour: BEST, label: "best candidate so far" },
        Key { mark: Mark::Line, colour: OFFSPRING, label: "mean of candidates" },
    ];
    let svg = plot::figure(340, |canvas| {
        let x = Axis::linear("simulations", 0.0, end, 6);
        let y = Axis::logarithmic("sum of errors", values.iter().copied());
        let mut chart = Chart::new(canvas, &Frame { keys: &keys, ..Frame::default() }, x, y)?;
        chart.line(&means, OFFSPRING, 1.0)?;
        chart.line(&bests, BEST, 1.8)
    })?;
    let of = match each {
        1 => "of each candidate".into(),
        _ if each == generation => format!("mean of each generation of {each}"),
        _ => format!("mean of {each} that follow each other"),
    };
    let caption = format!(
        "Sum over targets of the weighted distance between the candidate's measure, mean over {}, and the target. \
         Blue: {of}. Candidates that could not be judged are left out.",
        seeds(u64::from(search.seeds))
    );
    Ok(Figure { id: "error", title: "Error over simulations".into(), head: String::new(), svg, caption })
}

/// Rates of all populations: before, after, and where they should be.
fn rates(outcome: &Outcome, search: &Search) -> Result<Figure> {
    let find = |of: &dyn Fn(&&Tested) -> bool| outcome.held_out.iter().find(of);
    let (base, answer) = (find(&|tested| tested.of == "base"), find(&|tested| tested.is_answer));
    let rates =
        |tested: Option<&Tested>| tested.map_or([f64::NAN; POPULATIONS], |t| t.rates.map(|r| r.unwrap_or(f64::NAN)));
    let (before, after) = (rates(base), rates(answer));
    let training = outcome.answer().rates.map(|rate| rate.unwrap_or(f64::NAN));
    let spread = answer.map_or([f64::NAN; POPULATIONS], |tested| tested.rates_sd.map(|sd| sd.unwrap_or(f64::NAN)));
    let targets: Vec<(usize, f64)> = search
        .targets
        .iter()
        .filter(|target| target.measure == Measure::Rate)
        .filter_map(|target| Some((target.index()?, target.value)))
        .collect();
    let reference = published::full_rates();
    let values = before.iter().chain(&after).chain(&training).chain(&reference).copied();
    let (_, most) = extent(values.chain(targets.iter().map(|target| target.1))).unwrap_or((0.0, 1.0));
    let keys = [
        Key { mark: Mark::Column, colour: REFERENCE, label: "base" },
        Key { mark: Mark::Column, colour: INPUT, label: "found, seeds it was chosen by" },
        Key { mark: Mark::Column, colour: UNIT, label: "held-out seeds ± sd" },
        Key { mark: Mark::Dashes, colour: MODEL, label: "target" },
    ];
    let svg = plot::figure(320, |canvas| {
        let (x, y) = (Axis::named(&NAMES), Axis::linear("rate (Hz)", 0.0, 1.12 * most, 6));
        let mut chart = Chart::new(canvas, &Frame { keys: &keys, ..Frame::default() }, x, y)?;
        for (rates, colour, from) in [(&before, REFERENCE, -0.36), (&training, INPUT, -0.12), (&after, UNIT, 0.12)] {
            let column = |(p, rate): (usize, &f64)| (p as f64 + from, p as f64 + from + 0.22, *rate);
            chart.columns(&rates.iter().enumerate().map(column).collect::<Vec<_>>(), colour)?;
        }
        let stem = |p: usize| (p as f64 + 0.23, (after[p] - spread[p]).max(0.0), after[p] + spread[p]);
        chart.stems(&(0..POPULATIONS).map(stem).collect::<Vec<_>>(), MODEL, 1.0)?;
        for (population, value) in &targets {
            let at = *population as f64;
            chart.dashes((at - 0.42, *value), (at + 0.42, *value), MODEL, 1.6)?;
            chart.note((at, value + 0.05 * most), &number(*value), HPos::Center, MODEL)?;
        }
        Ok(())
    })?;
    let caption = format!(
        "Base and held-out: mean rates over {} that nothing was chosen by, {} s of each; found: the answer with {} that chose it.",
        seeds(outcome.held_out_seeds as u64),
        number(outcome.held_out_seconds),
        seeds(outcome.training_seeds as u64)
    );
    Ok(Figure { id: "rates", title: "Rates of the populations".into(), head: String::new(), svg, caption })
}

/// How far the found parameters are from the base, as pictures and in a table.
fn parameters(outcome: &Outcome) -> String {
    let (structure, others): (Vec<&Found>, Vec<&Found>) =
        outcome.found.iter().partition(|found| found.name.starts_with("connection "));
    let k = outcome.config.search.as_ref().map_or(1.0, Search::k);
    let mut out = String::new();
    if !structure.is_empty() {
        out += &html::figure(&connections(&structure, 100.0 / k));
    }
    if !others.is_empty() {
        out += &html::figure(&bars(&others, 100.0 / k));
    }
    let row = |found: &Found| {
        vec![found.name.clone(), number(found.base), measured(found.value), format!("{} %", measured(change(found)))]
    };
    let rows: Vec<Vec<String>> = outcome.found.iter().map(row).collect();
    let table = html::table(&["parameter", "base", "found", "change"], &rows);
    out + &format!("<section>\n<details>\n<summary>All parameters</summary>\n{table}</details>\n</section>\n")
}

/// In percent of the base; NaN where that is 0.
fn change(found: &Found) -> f64 {
    if found.base == 0.0 { f64::NAN } else { 100.0 * (found.value / found.base - 1.0) }
}

fn connections(found: &[&Found], most: f64) -> Figure {
    let values: Vec<f32> = found.iter().map(|found| change(found) as f32).collect();
    let ticks: Vec<_> = NAMES.iter().enumerate().map(|(p, name)| (p as f64 + 0.5, (*name).to_owned())).collect();
    let svg = HeatMap {
        title: "",
        rows: "target",
        columns: "source",
        values: &values,
        side: POPULATIONS,
        ticks: [ticks.clone(), ticks],
        borders: (2..POPULATIONS).step_by(2).collect(),
        colours: DIVERGING,
        scale: Axis::linear("%", -most, most, 5),
    }
    .svg();
    let caption = "Probability that two neurons are connected, found against the base, in percent; the ends of the scale are \
                   those of the search. Grey: 0 in both.";
    let title = "Change of the connection probabilities".into();
    Figure { id: "connections", title, head: String::new(), svg, caption: caption.into() }
}

/// A bar for each parameter, from no change to its own.
fn bars(found: &[&Found], most: f64) -> Figure {
    let (width, height) = (f64::from(WIDTH), HEAD + ROW * found.len() as f64 + 8.0);
    let (left, right) = (230.0, width - 90.0);
    let middle = 0.5 * (left + right);
    let at = |percent: f64| middle + percent.clamp(-most, most) / most * (right - middle);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
         font-family=\"{FONT}\">\n",
        px(width),
        px(height)
    );
    for percent in [-most, 0.0, most] {
        svg += &line((at(percent), HEAD), (at(percent), height - 8.0), plot::GRID, 1.0, "");
        svg += &text((at(percent), HEAD - 12.0), Anchor::Middle, 11.0, AXIS, &format!("{} %", number(percent)));
    }
    for (i, found) in found.iter().enumerate() {
        let y = HEAD + ROW * (i as f64 + 0.5);
        let change = change(found);
        svg += &text((left - 12.0, y), Anchor::End, 11.0, AXIS, &found.name);
        svg += &text((right + 10.0, y), Anchor::Start, 11.0, AXIS, &measured(found.value));
        if change.is_finite() {
            let (from, to) = (middle.min(at(change)), middle.max(at(change)));
            svg +=
                &rect((from, y - 0.35 * ROW), (to - from, 0.7 * ROW), if change < 0.0 { OFFSPRING } else { UNIT }, "");
        }
    }
    svg += "</svg>\n";
    let caption = "Found against the base, in percent; the ends of the scale are those of the search. At the right the found value.";
    let title = "Change of the parameters".into();
    Figure { id: "parameters", title, head: String::new(), svg, caption: caption.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::search::Group;

    fn found(group: Group) -> Vec<Found> {
        let base = group.values(&crate::column::Parameters::default());
        let each = group.names().into_iter().zip(base);
        each.map(|(name, base)| Found { name, base, value: 1.03 * base }).collect()
    }

    fn column(group: &str) -> Column {
        let text = format!("format = 1\n[search]\ngroup = '{group}'\nsimulations = 20\n[search.cma_es]\n[column]\n");
        toml::from_str(&text).unwrap()
    }

    fn outcome(group: Group, column: &Column, rate: Option<f64>) -> Outcome {
        let entrant = Entrant {
            candidate: Some((3, 1)),
            error_in_search: rate,
            error: rate,
            measured: vec![rate; 4],
            rates: [rate; POPULATIONS],
            clipped: 1,
            saturated: 2,
            actions: vec![],
        };
        let tested = |of: &str| Tested {
            of: of.into(),
            is_answer: of == "candidate",
            error_of_means: rate,
            mean_error: rate,
            errors: vec![rate; 2],
            measured: vec![rate; 4],
            rates: [rate; POPULATIONS],
            rates_sd: [rate; POPULATIONS],
        };
        Outcome {
            config: column.clone(),
            searcher: "CMA-ES".into(),
            generations: 1,
            candidates: 4,
            simulations: 4,
            refused: 1,
            clipped: 0,
            seconds: 1.0,
            training_seeds: 1,
            finalists_seeds_are_new: false,
            entrants: vec![entrant],
            found: found(group),
            held_out_seeds: 2,
            held_out_seconds: 0.5,
            held_out: vec![tested("base"), tested("candidate"), tested("centre")],
        }
    }

    /// Well-formed, figures as expected, and no coordinate that is none; also of a search that has just begun, and of
    /// numbers that are none.
    #[test]
    fn pages_have_their_figures() {
        let row = |candidate, error| Row { generation: 0, candidate, error, rates: [0.0; POPULATIONS] };
        let rows = [row(0, 8.0), row(1, f64::NAN), row(2, 0.02), row(3, 0.0)];
        for (group, name, figures) in [
            (Group::Synapse, "synapse", &["error", "rates", "parameters"][..]),
            (Group::Neuron, "neuron", &["error", "rates", "parameters"]),
            (Group::Structure, "structure", &["error", "rates", "connections"]),
            (Group::All, "all", &["error", "rates", "connections", "parameters"]),
        ] {
            let column = column(name);
            let search = column.search.as_ref().unwrap();
            for (rows, outcome, figures) in [
                (&rows[..], Some(outcome(group, &column, Some(0.25))), figures),
                (&rows[1..2], Some(outcome(group, &column, None)), figures),
                (&rows[..], None, &figures[..1]),
                (&[], None, &[]),
            ] {
                let notes = ["a <note>".to_owned()];
                let page =
                    Page { name: "x&y", column: &column, search, rows, outcome: outcome.as_ref(), notes: &notes };
                let html = page.html().unwrap();
                let found: Vec<&str> =
                    html.split("<figure id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
                assert_eq!(found, figures, "{name}");
                assert!(!html.contains("NaN") && !html.contains("\"inf"), "a coordinate is not finite");
                assert!(html.contains("x&amp;y") && html.contains("a &lt;note&gt;"));
                let document = html.replacen("<!DOCTYPE html>", "", 1);
                roxmltree::Document::parse(&document).unwrap();
            }
        }
    }
}

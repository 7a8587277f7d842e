//! `report.html` of a sweep: its cells in a table, what each key does to fitness and to time, and how the cells' fitness rose.
//! Made from the runs' outcomes and metrics alone.

use std::path::PathBuf;

use toml::Value;

use super::axis::{Axis, extent};
use super::curves;
use super::heat_map::{HeatMap, SEQUENTIAL};
use super::html::{self, Figure, count, duration, measured, number};
use super::plot::{self, Canvas, Chart, Frame, REFERENCE};
use super::summary;
use super::trajectories::{self, Group, Middle, Over, ROOM, Trajectory, are_few, colour, short};
use crate::column::search::candidates;
use crate::config::{self, Subject, Task};
use crate::error::Result;
use crate::run::folder::CANDIDATES;
use crate::run::{self, Metrics, durable};
use crate::sweep::axes::{number as numeric, shown};
use crate::sweep::{Cell, Folder, Row, Scale, Summary};

/// From which ratio of its values on an axis is logarithmic.
const FAR: f64 = 10.0;
/// Pairs of keys that are drawn as heat maps.
const PAIRS: usize = 3;

/// Make the tables anew, draw the report, replacing an older one, and return its path.
///
/// # Errors
/// When an outcome cannot be read, or the page not be written. Metrics that are missing are no error.
pub fn write(folder: &Folder) -> Result<PathBuf> {
    let summaries = folder.write_tables()?;
    let rows = folder.rows()?;
    let page = Page::new(folder, &rows, &summaries).html()?;
    let path = folder.report_path();
    durable::replace(&path, page.as_bytes())?;
    Ok(path)
}

/// All that the report is made of.
struct Page<'a> {
    folder: &'a Folder,
    keys: Vec<&'a str>,
    rows: &'a [Row],
    summaries: &'a [Summary],
    /// Of a run that has begun.
    subject: Option<Subject>,
}

/// A key whose values differ: its place among all, and what lies on its axis.
#[derive(Debug, Clone, Copy)]
struct Key<'a> {
    place: usize,
    name: &'a str,
    /// Its values come from a list.
    listed: bool,
}

impl<'a> Page<'a> {
    fn new(folder: &'a Folder, rows: &'a [Row], summaries: &'a [Summary]) -> Self {
        let configs = rows.iter().map(|row| folder.run_path(&row.name).join("config.toml"));
        let subject = configs.filter(|path| path.is_file()).find_map(|path| config::read(&path, &[]).ok());
        Self { folder, keys: folder.spec().keys(), rows, summaries, subject }
    }

    fn task(&self) -> Option<&Task> {
        match &self.subject {
            Some(Subject::Evolution(plan)) => Some(&plan.config.task),
            _ => None,
        }
    }

    fn html(&self) -> Result<String> {
        let name = self.folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut body = format!("<h1>{}</h1>\n", html::escape(&name));
        body += &format!("<p class=\"subtitle\">{}</p>\n", html::escape(&self.subtitle()));
        body += &html::facts(&self.facts());
        body += &self.failures();
        body += &format!("<section>\n<h2>Cells</h2>\n{}</section>\n", self.cells());
        if self.summaries.iter().all(|summary| summary.done == 0) {
            body += &html::note("No run has come to its end yet.");
        } else {
            let keys = self.differing();
            if !keys.is_empty() {
                body += &html::figure(&self.over_keys(&keys)?);
            }
            let maps = self.heat_maps(&keys);
            if !maps.is_empty() {
                body += &html::figure(&self.heat_figure(maps));
            }
        }
        if let Some(figure) = self.curves()? {
            body += &html::figure(&figure);
        }
        body += &format!(
            "<footer>Drawn by phylon {} from the folder of the sweep alone.</footer>\n",
            env!("CARGO_PKG_VERSION")
        );
        Ok(html::document(&format!("{name} \u{2013} phylon sweep"), &body))
    }

    fn subtitle(&self) -> String {
        let about = match &self.subject {
            Some(Subject::Evolution(plan)) => summary::subtitle(&plan.config),
            Some(Subject::Column(_)) => {
                "searches of a cortical column; fitness is minus the error with held-out seeds".into()
            }
            None => "nothing has run yet".into(),
        };
        format!("Sweep of {} cells: {about}", count(self.summaries.len() as u64))
    }

    fn facts(&self) -> Vec<(&'a str, String)> {
        let spec = self.folder.spec();
        let mut facts: Vec<(&str, String)> = Vec::new();
        for axis in &spec.axis {
            facts.push((&axis.key, axis.values.iter().map(shown).collect::<Vec<_>>().join(", ")));
        }
        if let Some(random) = &spec.random {
            for range in &random.range {
                let scale = if range.scale == Scale::Log { "its logarithm is uniform" } else { "uniform" };
                let (low, high) = (number(range.low), number(range.high));
                let draws = count(random.draws.into());
                facts.push((&range.key, format!("{draws} draws from {low} to {high}, {scale} (seed {})", random.seed)));
            }
        }
        let sum = |of: fn(&Summary) -> usize| self.summaries.iter().map(of).sum::<usize>() as u64;
        let failed = match sum(|summary| summary.failed) {
            0 => String::new(),
            failed => format!(", {} failed", count(failed)),
        };
        let (done, runs) = (count(sum(|summary| summary.done)), count(sum(|summary| summary.runs)));
        let last = spec.first_seed + u64::from(spec.seeds) - 1;
        let judges = match self.subject {
            Some(Subject::Column(_)) => "held-out seeds of each search",
            _ => "fresh episodes, the same for all runs",
        };
        facts.extend([
            ("runs done", format!("{done} of {runs}{failed}")),
            ("seeds", format!("{} to {last}", spec.first_seed)),
            ("judged on", format!("{} {judges}", count(spec.episodes as u64))),
        ]);
        let seconds = self.rows.iter().filter_map(|row| row.outcome.as_ref()).map(|outcome| outcome.seconds);
        facts.push(("time of all runs", duration(seconds.sum())));
        facts
    }

    /// Why runs failed.
    fn failures(&self) -> String {
        let failed = |row: &Row| Some(vec![row.name.clone(), row.outcome.as_ref()?.failed.clone()?]);
        let rows: Vec<Vec<String>> = self.rows.iter().filter_map(failed).collect();
        if rows.is_empty() { String::new() } else { html::table(&["failed run", "why"], &rows) }
    }

    fn cells(&self) -> String {
        let mut head = vec!["cell"];
        head.extend(&self.keys);
        head.extend([
            "runs",
            "fitness of best centres",
            "sd",
            "95 % CI of mean",
            "of last centres",
            "time",
            "a generation",
        ]);
        let row = |summary: &Summary| {
            let mut cells = vec![summary.cell.to_string()];
            cells.extend(summary.values.iter().cloned());
            let (low, high) = summary.best.ci95;
            let between =
                if low.is_finite() { format!("{} to {}", measured(low), measured(high)) } else { measured(low) };
            cells.extend([
                format!("{} of {}", summary.done, summary.runs),
                measured(summary.best.mean),
                measured(summary.best.sd),
                between,
                measured(summary.last.mean),
                duration(summary.seconds),
                seconds(summary.seconds_a_generation),
            ]);
            cells
        };
        html::table(&head, &self.summaries.iter().map(row).collect::<Vec<_>>())
    }

    /// Keys that take more than one value.
    fn differing(&self) -> Vec<Key<'a>> {
        let listed = self.folder.spec().axis.len();
        let keys = self.keys.iter().enumerate().map(|(place, name)| Key { place, name, listed: place < listed });
        let cells = self.folder.cells();
        keys.filter(|key| cells.iter().any(|cell| cell.values[key.place] != cells[0].values[key.place])).collect()
    }

    /// For each key fitness and time over its values.
    fn over_keys(&self, keys: &[Key]) -> Result<Figure> {
        let mut svg = String::new();
        for key in keys {
            svg += &plot::figure(440, |canvas| self.draw_key(canvas, key))?;
        }
        let mut caption = "Above: fitness of the best centres on fresh episodes, a cell's mean over its runs with its 95 % \
                           confidence interval (Student's t), cut off at the frame; small dots are runs. Below: seconds of a \
                           generation, mean over the runs. "
            .to_owned();
        caption += match keys.iter().all(|key| self.are_lined(key, &self.series(key))) {
            true => "Lines join cells that differ in this key alone.",
            false => {
                "Where values are drawn, or there are many settings of the other keys, cells are dots of one colour."
            }
        };
        if self.rows.iter().filter_map(|row| row.outcome.as_ref()).any(|outcome| outcome.side_by_side > 1) {
            caption += " Runs that a device moved side by side all took the time of all of them.";
        }
        let title = "Fitness and time over each key".into();
        Ok(Figure { id: "keys", title, head: String::new(), svg, caption })
    }

    /// Cells that differ in this key alone, in the order of its values, with what they share.
    fn series(&self, key: &Key) -> Vec<(String, Vec<usize>)> {
        let mut series: Vec<(Vec<&Value>, Vec<usize>)> = Vec::new();
        for (index, cell) in self.folder.cells().iter().enumerate() {
            let others: Vec<&Value> =
                (cell.values.iter().enumerate()).filter(|(k, _)| *k != key.place).map(|(_, v)| v).collect();
            match series.iter_mut().find(|(shared, _)| *shared == others) {
                Some((_, cells)) => cells.push(index),
                None => series.push((others, vec![index])),
            }
        }
        let differing = self.differing();
        let named = |cells: &[usize]| {
            let cell = &self.folder.cells()[cells[0]];
            let others = differing.iter().filter(|other| other.place != key.place);
            others.map(|other| told(other.name, &cell.values[other.place])).collect::<Vec<_>>().join(", ")
        };
        series.into_iter().map(|(_, cells)| (named(&cells), cells)).collect()
    }

    /// Whether lines through them show something.
    fn are_lined(&self, key: &Key, series: &[(String, Vec<usize>)]) -> bool {
        key.listed && are_few(series.len()) && series.iter().any(|(_, cells)| cells.len() > 1)
    }

    fn draw_key(&self, canvas: &Canvas, key: &Key) -> plot::Drawn {
        let panels = canvas.split_by_breakpoints([0; 0], [plot::px(260.0)]);
        let [above, below] = &panels[..] else { return Ok(()) };
        let cells = self.folder.cells();
        let places = Places::of(key, cells);
        let mut series = self.series(key);
        let at = |cell: usize| places.at(&cells[cell].values[key.place]);
        series.iter_mut().for_each(|(_, cells)| cells.sort_by(|a, b| at(*a).total_cmp(&at(*b))));
        let lined = self.are_lined(key, &series);
        let right = if lined && series.len() > 1 { ROOM } else { 0.0 };

        let runs: Vec<(usize, f64)> =
            self.rows.iter().filter_map(|row| Some((row.cell - 1, row.outcome.as_ref()?.best?.mean))).collect();
        // Intervals of two or three runs are so long that they would squeeze all else.
        let values: Vec<f64> = runs.iter().map(|run| run.1).collect();
        let y = curves::axis(self.task(), "fitness", &values);
        let frame = Frame { title: key.name, right, shared_x: true, ..Frame::default() };
        let mut chart = Chart::new(above, &frame, places.axis(""), y)?;
        chart.dots(&runs.iter().map(|&(cell, mean)| (at(cell), mean)).collect::<Vec<_>>(), REFERENCE, 1.6)?;
        let mut labels = Vec::new();
        let names: Vec<String> = series.iter().map(|(name, _)| short(name)).collect();
        for (i, (_, cells)) in series.iter().enumerate() {
            let colour = if lined { colour(i, series.len()) } else { colour(0, 1) };
            let of = |cell: &usize| (at(*cell), &self.summaries[*cell].best);
            let stems: Vec<_> = cells.iter().map(of).map(|(x, best)| (x, best.ci95.0, best.ci95.1)).collect();
            chart.stems(&stems, colour, 1.2)?;
            let means: Vec<_> = cells.iter().map(of).map(|(x, best)| (x, best.mean)).collect();
            chart.dots(&means, colour, 3.0)?;
            if lined {
                chart.line(&means, colour, 1.5)?;
                labels.extend(means.last().map(|last| (last.1, names[i].as_str(), colour)));
            }
        }
        if right > 0.0 {
            chart.coloured_labels(&labels)?;
        }

        let times: Vec<f64> = self.summaries.iter().map(|summary| summary.seconds_a_generation).collect();
        let mut chart =
            Chart::new(below, &Frame { right, ..Frame::default() }, places.axis(key.name), over_time(&times))?;
        for (i, (_, cells)) in series.iter().enumerate() {
            let colour = if lined { colour(i, series.len()) } else { colour(0, 1) };
            let points: Vec<_> = cells.iter().map(|&cell| (at(cell), times[cell])).collect();
            chart.dots(&points, colour, 3.0)?;
            if lined {
                chart.line(&points, colour, 1.5)?;
            }
        }
        Ok(())
    }

    /// For pairs of listed keys, the mean fitness of the cells with these values.
    fn heat_maps(&self, keys: &[Key]) -> Vec<String> {
        let listed: Vec<&Key> = keys.iter().filter(|key| key.listed).collect();
        let pairs =
            listed.iter().enumerate().flat_map(|(i, down)| listed[i + 1..].iter().map(move |across| (*down, *across)));
        pairs.take(PAIRS).map(|(down, across)| self.heat_map(down, across)).collect()
    }

    fn heat_map(&self, down: &Key, across: &Key) -> String {
        let axes = &self.folder.spec().axis;
        let (rows, columns) = (&axes[down.place].values, &axes[across.place].values);
        let mut values = Vec::new();
        for row in rows {
            for column in columns {
                let here = |cell: &Cell| cell.values[down.place] == *row && cell.values[across.place] == *column;
                let cells = self.folder.cells().iter().zip(self.summaries).filter(|(cell, _)| here(cell));
                let means: Vec<f64> =
                    cells.map(|(_, summary)| summary.best.mean).filter(|mean| mean.is_finite()).collect();
                values.push((means.iter().sum::<f64>() / means.len() as f64) as f32);
            }
        }
        let ticks = |values: &[Value]| {
            (values.iter().enumerate()).map(|(i, value)| (i as f64 + 0.5, shorter(&shown(value)))).collect()
        };
        HeatMap {
            title: "",
            rows: down.name,
            columns: across.name,
            values: &values,
            side: columns.len(),
            ticks: [ticks(rows), ticks(columns)],
            borders: Vec::new(),
            colours: SEQUENTIAL,
            scale: curves::axis(self.task(), "fitness", &values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>()),
        }
        .svg()
    }

    fn heat_figure(&self, maps: Vec<String>) -> Figure {
        let caption = "Fitness of the best centres on fresh episodes: mean over runs, and over the cells that share these two \
                       values. Darker is better. Grey: no run is finished yet.";
        let title = "Fitness over two keys".into();
        Figure { id: "heat", title, head: String::new(), svg: maps.concat(), caption: caption.into() }
    }

    /// How each cell's fitness rose.
    fn curves(&self) -> Result<Option<Figure>> {
        let differing = self.differing();
        let mut groups = Vec::new();
        for (cell, rows) in self.folder.cells().iter().zip(self.rows.chunk_by(|a, b| a.cell == b.cell)) {
            let runs: Vec<Trajectory> = rows.iter().filter_map(|row| self.trajectory(row)).collect();
            let label =
                differing.iter().map(|key| told(key.name, &cell.values[key.place])).collect::<Vec<_>>().join(", ");
            groups.push(Group { label, runs });
        }
        if groups.iter().all(|group| group.runs.is_empty()) {
            return Ok(None);
        }
        let (svg, mut caption) = trajectories::figure(&groups, self.task(), Over::Generations, Middle::Median)?;
        if matches!(self.subject, Some(Subject::Column(_))) {
            caption = "Minus the mean error of each generation's candidates, median over seeds.".into();
        }
        let title = "Fitness over generations".into();
        Ok(Some(Figure { id: "curves", title, head: String::new(), svg, caption }))
    }

    /// What a run has recorded, also one that is not finished; `None` where it has recorded nothing.
    fn trajectory(&self, row: &Row) -> Option<Trajectory> {
        let path = self.folder.run_path(&row.name);
        let rows = match self.subject.as_ref()? {
            Subject::Evolution(_) => run::Folder::open(&path).ok()?.metrics().ok()?,
            Subject::Column(_) => of_candidates(&candidates::read(&path.join(CANDIDATES)).ok()?),
        };
        (!rows.is_empty()).then_some(Trajectory { rows, steps: 0.0 })
    }
}

/// A row for each generation of a search: minus the mean error of its candidates that could be judged.
fn of_candidates(candidates: &[candidates::Row]) -> Vec<Metrics> {
    let generations = candidates.chunk_by(|a, b| a.generation == b.generation);
    let row = |rows: &[candidates::Row]| {
        let finite: Vec<f64> = rows.iter().map(|row| row.error).filter(|error| error.is_finite()).collect();
        let centre = -(finite.iter().sum::<f64>() / finite.len() as f64) as f32;
        let generation = rows.first().map_or(0, |row| row.generation);
        Metrics {
            generation,
            best: centre,
            mean: centre,
            std: f32::NAN,
            centre,
            env_steps_per_s: f64::NAN,
            seconds: f64::NAN,
        }
    };
    generations.map(row).collect()
}

/// Where values of a key lie: numbers at their own place, others one after the other.
struct Places {
    listed: bool,
    numbers: bool,
    values: Vec<Value>,
}

impl Places {
    fn of(key: &Key, cells: &[Cell]) -> Self {
        let mut values: Vec<Value> = Vec::new();
        for cell in cells {
            let value = &cell.values[key.place];
            // Of drawn values there are many, and their places need no list.
            if key.listed && !values.contains(value) {
                values.push(value.clone());
            }
        }
        let all = || cells.iter().map(|cell| &cell.values[key.place]);
        let numbers = all().all(|value| numeric(value).is_some());
        if !key.listed {
            values = all().cloned().collect();
        }
        Self { listed: key.listed, numbers, values }
    }

    fn at(&self, value: &Value) -> f64 {
        let place = || self.values.iter().position(|other| other == value).map_or(f64::NAN, |place| place as f64);
        if self.numbers { numeric(value).unwrap_or(f64::NAN) } else { place() }
    }

    fn axis(&self, label: &str) -> Axis {
        if !self.numbers {
            let names: Vec<String> = self.values.iter().map(|value| shorter(&shown(value))).collect();
            let mut named = Axis::named(&names.iter().map(String::as_str).collect::<Vec<_>>());
            named.label = label.to_owned();
            return named;
        }
        let numbers: Vec<f64> = self.values.iter().filter_map(numeric).collect();
        let (low, high) = extent(numbers.iter().copied()).unwrap_or((0.0, 1.0));
        let mut axis = if low > 0.0 && high > FAR * low {
            Axis::logarithmic(label, numbers.iter().copied())
        } else {
            Axis::around(label, numbers.iter().copied(), 6)
        };
        if label.is_empty() {
            axis.label.clear();
        }
        // So many labels have room beside each other.
        if self.listed && self.values.len() <= 12 { axis.with_ticks(&numbers) } else { axis }
    }
}

/// Seconds: logarithmic where they are far apart, otherwise from 0.
fn over_time(seconds: &[f64]) -> Axis {
    let label = "s/generation";
    let (low, high) = extent(seconds.iter().copied()).unwrap_or((0.0, 1.0));
    if low > 0.0 && high > FAR * low {
        return Axis::logarithmic(label, seconds.iter().copied());
    }
    Axis::linear(label, 0.0, if high > 0.0 { 1.1 * high } else { 1.0 }, 4)
}

/// `sigma 0.01`: the last part of a key is enough in a figure.
fn told(key: &str, value: &Value) -> String {
    format!("{} {}", key.rsplit('.').next().unwrap_or(key), shown(value))
}

/// Of a value that may be a long text.
fn shorter(value: &str) -> String {
    if value.chars().count() <= 10 { value.to_owned() } else { value.chars().take(9).chain(['\u{2026}']).collect() }
}

/// A short time.
fn seconds(value: f64) -> String {
    match value {
        v if v.is_nan() => measured(v),
        v if v < 1e-3 => format!("{} \u{b5}s", measured(1e6 * v)),
        v if v < 1.0 => format!("{} ms", measured(1e3 * v)),
        v => duration(v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::axes::settings;
    use crate::sweep::{Centre, Outcome, Random, Range, Spec};

    fn outcome(mean: f64, seconds: f64) -> Outcome {
        let centre = Centre { generation: 3, mean, sd: 1.0, ci95: (mean - 1.0, mean + 1.0), non_finite: 0 };
        Outcome {
            failed: None,
            generations: 3,
            parameters: 5,
            env_steps: 1000,
            seconds,
            side_by_side: 1,
            best: Some(centre),
            last: Some(centre),
        }
    }

    fn folder(root: &std::path::Path, settings_: &[&str], ranges: &[&str]) -> Folder {
        let arguments: Vec<String> = settings_.iter().map(|argument| (*argument).to_owned()).collect();
        let (overrides, axis) = settings(&arguments).unwrap();
        let range: Vec<Range> = ranges.iter().map(|range| Range::new(range).unwrap()).collect();
        let random = (!range.is_empty()).then_some(Random { draws: 3, seed: 1, range });
        let config = "format = 1".parse().unwrap();
        let spec = Spec { format: 1, seeds: 2, first_seed: 1, episodes: 10, overrides, axis, random, config };
        Folder::create(&root.join("a-<sweep>"), spec, false).unwrap()
    }

    /// Finish a part of the runs, one in seven of them with a failure.
    fn finish(folder: &Folder, share: f64) {
        let rows = folder.rows().unwrap();
        for (i, row) in rows.iter().take((share * rows.len() as f64) as usize).enumerate() {
            let path = folder.run_path(&row.name);
            std::fs::create_dir_all(&path).unwrap();
            let done = outcome(-(500.0 / (1.0 + i as f64)), 0.01 * 10f64.powi(i as i32 % 4));
            let failed = Outcome { failed: Some("no <hope>".into()), best: None, last: None, ..done.clone() };
            let outcome = if i % 7 == 6 { failed } else { done };
            std::fs::write(path.join("outcome.toml"), config::to_toml(&outcome)).unwrap();
        }
    }

    fn figures(html: &str) -> Vec<&str> {
        html.split("<figure id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn pages_have_their_figures_for_any_axes_and_any_part_of_the_runs() {
        let cases: [(&[&str], &[&str], &[&str]); 6] = [
            (&["es.population=64,256,1024", "es.sigma=0.01,0.03"], &[], &["keys", "heat"]),
            (&["es.population=64,256"], &[], &["keys"]),
            (&["a.kind=x & y,'<z>',3"], &[], &["keys"]),
            (&["a=1,2,3,4,5,6,7,8,9,10", "b=-1,0,1", "c=true,false"], &[], &["keys", "heat"]),
            (&[], &["es.sigma=0.001..1", "b=1..9"], &["keys"]),
            (&[], &[], &[]),
        ];
        for (settings, ranges, expected) in cases {
            for share in [0.0, 0.5, 1.0] {
                let root = tempfile::tempdir().unwrap();
                let folder = folder(root.path(), settings, ranges);
                finish(&folder, share);
                let html = std::fs::read_to_string(write(&folder).unwrap()).unwrap();
                let done = folder.write_tables().unwrap().iter().any(|summary| summary.done > 0);
                assert_eq!(figures(&html), if done { expected } else { &[] }, "{settings:?} {ranges:?} {share}");
                assert!(!html.contains("NaN") && !html.contains("\"inf"), "a coordinate is not finite");
                assert!(html.contains("a-&lt;sweep&gt;") && !html.contains("<script"));
                roxmltree::Document::parse(&html.replacen("<!DOCTYPE html>", "", 1)).unwrap();
                assert_eq!(html.contains("No run has come to its end"), !done);
            }
        }
    }

    #[test]
    fn axes_are_logarithmic_where_values_are_far_apart() {
        let axis = |list: &str| {
            let (_, axes) = settings(&[format!("a={list}")]).unwrap();
            let cells = crate::sweep::axes::cells(&axes, None).unwrap();
            Places::of(&Key { place: 0, name: "a", listed: true }, &cells).axis("a")
        };
        let labels = |axis: &Axis| axis.ticks().iter().map(|(_, label)| label.clone()).collect::<Vec<_>>();
        let far = axis("64,256,1024");
        assert!(far.label.contains("log") && labels(&far) == ["64", "256", "1024"], "{far:?}");
        assert!(!axis("64,256,640").label.contains("log"));
        assert!(!axis("0,1,100").label.contains("log"));
        let named = axis("exact,fast");
        assert_eq!((named.label.as_str(), labels(&named)), ("a", vec!["exact".to_owned(), "fast".into()]));
    }
}

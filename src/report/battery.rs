//! What a battery shows: a table for people, `battery.csv`, and a page with paths on the plate, learning curves and tuning curves
//! of whoever is judged, beside the positive control and the null.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use plotters::style::{RGBColor, WHITE};

use super::axis::{Axis, extent};
use super::html::{self, Figure, count, duration, measured};
use super::plot::{self, AXIS, BEST, Chart, FONT, Frame, GRID, Key, Mark, REFERENCE, UNIT, WIDTH};
use super::svg::{Anchor, disc, hex, px, text};
use crate::battery::assays::{Ground, Likeness, Mark as AnimalMark};
use crate::battery::generalisation::Condition;
use crate::battery::judge::{AsAnimal, Judged, Judgement, Levels};
use crate::battery::play::Played;
use crate::battery::scores::{Interval, Sample};
use crate::battery::stages::Stages;
use crate::error::{Error, Result};
use crate::run::durable;

/// Names of the table and the page in their folder.
const TABLE: &str = "battery.csv";
const PAGE: &str = "battery.html";

const KEYS: [Key; 3] = [
    Key { mark: Mark::Line, colour: UNIT, label: "judged" },
    Key { mark: Mark::Line, colour: BEST, label: "positive control" },
    Key { mark: Mark::Line, colour: REFERENCE, label: "null" },
];

/// Write the table and the page into a folder, which is made if need be, and return the page's path. Specialists have no stages.
///
/// # Errors
/// When one cannot be written; an older one is then unchanged.
pub fn write(folder: &Path, judgements: &[Judgement], stages: Option<&Stages>) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).map_err(|source| Error::io("create", folder, source))?;
    durable::replace(&folder.join(TABLE), csv_table(judgements)?.as_bytes())?;
    let path = folder.join(PAGE);
    durable::replace(&path, page(judgements, stages)?.as_bytes())?;
    Ok(path)
}

/// `0.97 [0.96, 0.98]`
fn with_ends(Interval { mean, low, high }: &Interval) -> String {
    let short = |value: f64| if value.is_nan() { "-".to_owned() } else { format!("{value:.2}") };
    if mean.is_nan() { "-".into() } else { format!("{} [{}, {}]", short(*mean), short(*low), short(*high)) }
}

/// d = (judged - animal) / spread
fn likeness(judged: &Judged) -> String {
    match judged.likeness {
        Likeness::Distance(spreads) => format!("{spreads:+.1}"),
        Likeness::Unverified => "unverified".into(),
        Likeness::Unknown => String::new(),
    }
}

/// `as the worm does: no; lacks slope >= 0`
fn as_animal(AsAnimal { name, holds, criteria }: &AsAnimal) -> String {
    if *holds {
        return format!("{name}: yes");
    }
    let lack = |judged: &Judged| format!("{} {} ({})", judged.named(), judged.bound, with_ends(&judged.model));
    let lacks: Vec<String> = criteria.iter().filter(|judged| !judged.passes).map(lack).collect();
    format!("{name}: no; lacks {}", lacks.join("; "))
}

/// Which stage has been reached, and what lacks for the next one: a line each.
fn stage_lines(stages: Option<&Stages>) -> Vec<String> {
    let Some(Stages { reached, next, lacks, local }) = stages else {
        return vec!["stage: none, for these are specialists; stages are of one model in all assays".into()];
    };
    let number = reached.map_or(0, |stage| 1 + stage as usize);
    let reached = reached.map_or("none", |stage| stage.name());
    let mut lines = vec![format!("stage reached: {number} of 4, {reached}")];
    if let Some(next) = next {
        lines.push(format!("for {}, {}, it lacks:", number + 1, next.name()));
        lines.extend(lacks.iter().map(|lack| format!("  {lack}")));
    }
    let local = local.map_or("not judged", yes);
    lines.push(format!("beside the stages, G, local rules: {local}"));
    lines
}

fn yes(passes: bool) -> &'static str {
    if passes { "pass" } else { "fail" }
}

/// The criteria of all assays and the stage, for a terminal.
pub fn table(judgements: &[Judgement], stages: Option<&Stages>) -> String {
    let mut out = String::new();
    for judgement in judgements {
        let Judgement { letter, title, model, lives, models, verdict, .. } = judgement;
        let of = if *models > 1 { format!("{models} models, {lives} lives each") } else { format!("{lives} lives") };
        let _ = writeln!(out, "{letter}  {title}: {} ({model}, {of})", verdict.name());
        let head = ["criterion", "bound", "judged [95 % CI]", "null", "control", "animal", "d", ""].map(str::to_owned);
        let row = |judged: &Judged| {
            let of = [&judged.model, &judged.null, &judged.control].map(with_ends);
            let [model, null, control] = of;
            let passes = yes(judged.passes).to_owned();
            let animal = judged.animal.text();
            [judged.named(), judged.bound.to_string(), model, null, control, animal, likeness(judged), passes]
        };
        let rows: Vec<[String; 8]> = std::iter::once(head).chain(judgement.criteria.iter().map(row)).collect();
        let widths: Vec<usize> =
            (0..8).map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
        for row in &rows {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
            let _ = writeln!(out, "   {}", cells.join("  ").trim_end());
        }
        for null in &judgement.nulls {
            let fails = if null.fails { "fails, as it must" } else { "PASSES: the assay is invalid" };
            let _ = writeln!(out, "   null, {}: {fails}; control above it in {}", null.name, null.control);
        }
        let control = if judgement.control_passes { "passes, as it must" } else { "FAILS: the assay is invalid" };
        let _ = writeln!(out, "   positive control, {}: {control}", judgement.control);
        if let Some(beside) = &judgement.as_animal {
            let _ = writeln!(out, "   {}", as_animal(beside));
        }
        for Condition { name, ratio, threshold, passes, .. } in &judgement.generalisation {
            let _ = writeln!(out, "   H, {name}: {} of it is left, >= {threshold}: {}", with_ends(ratio), yes(*passes));
        }
        out.push('\n');
    }
    for line in stage_lines(stages) {
        let _ = writeln!(out, "{line}");
    }
    out
}

/// A row a criterion, also one that is beside those asked for, and a row a condition of assay H.
fn csv_table(judgements: &[Judgement]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Error::Run(format!("cannot make {TABLE}: {error}"));
    let head = [
        "assay",
        "name",
        "criterion",
        "treatment",
        "threshold",
        "animal",
        "source",
        "checked",
        "model",
        "models",
        "lives",
        "mean",
        "low",
        "high",
        "null",
        "null_low",
        "null_high",
        "control",
        "control_low",
        "control_high",
        "passes",
        "verdict",
        "likeness",
        "control_steps",
        "model_steps",
        "network_steps",
        "seconds",
    ];
    writer.write_record(head).map_err(failed)?;
    let ends = |interval: &Interval| [interval.mean, interval.low, interval.high].map(|value| value.to_string());
    for judgement in judgements {
        let Judgement { letter, name, model, models, lives, verdict, .. } = judgement;
        let Judgement { steps, model_steps, network_steps, seconds, .. } = judgement;
        let about = |criterion: &str, treatment: &str, threshold: String| {
            vec![letter.to_string(), (*name).to_owned(), criterion.to_owned(), treatment.to_owned(), threshold]
        };
        let in_networks = network_steps.map_or_else(String::new, |steps| steps.to_string());
        let end = |passes: bool, likeness: String| {
            let cost = [steps.to_string(), model_steps.to_string(), in_networks.clone(), format!("{seconds:.3}")];
            [yes(passes).to_owned(), verdict.name().to_owned(), likeness].into_iter().chain(cost)
        };
        let criteria = judgement.criteria.iter().map(|judged| (judged, String::new()));
        let beside = judgement.as_animal.iter();
        let beside = beside.flat_map(|AsAnimal { name, criteria, .. }| {
            criteria.iter().map(move |judged| (judged, format!("{name}: ")))
        });
        let judged_of = || [model.clone(), models.to_string(), lives.to_string()];
        for (judged, beside) in criteria.chain(beside) {
            let under = [judged.condition, judged.treatment].into_iter().filter(|text| !text.is_empty());
            let under = under.collect::<Vec<_>>().join(", ");
            let mut row = about(&format!("{beside}{}", judged.score), &under, judged.bound.to_string());
            let checked = match judged.animal.mark {
                AnimalMark::Checked => "yes",
                AnimalMark::Unverified => "no",
                AnimalMark::None => "",
            };
            row.extend([judged.animal.value, judged.animal.source, checked].map(str::to_owned));
            row.extend(judged_of());
            row.extend([&judged.model, &judged.null, &judged.control].into_iter().flat_map(ends));
            row.extend(end(judged.passes, likeness(judged)));
            writer.write_record(row).map_err(failed)?;
        }
        for Condition { name, ratio, threshold, passes, .. } in &judgement.generalisation {
            let mut row = about("share of the score that is left", name, format!(">= {threshold}"));
            row.extend([""; 3].map(str::to_owned));
            row.extend(judged_of());
            row.extend(ends(ratio));
            row.extend([""; 6].map(str::to_owned));
            row.extend(end(*passes, String::new()));
            writer.write_record(row).map_err(failed)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| Error::Run(format!("cannot make {TABLE}: {error}")))?;
    String::from_utf8(bytes).map_err(|error| Error::Run(format!("cannot make {TABLE}: {error}")))
}

/// The whole page.
fn page(judgements: &[Judgement], stages: Option<&Stages>) -> Result<String> {
    let title = "Behavioural battery";
    let mut body = format!("<h1>{title}</h1>\n");
    let steps: u64 = judgements.iter().map(|judgement| judgement.steps).sum();
    let seconds: f64 = judgements.iter().map(|judgement| judgement.seconds).sum();
    body += &html::facts(&[("control steps", count(steps)), ("time", duration(seconds))]);
    let row = |judgement: &Judgement| {
        let letter = judgement.letter.to_string();
        let Judgement { title, model, verdict, steps, network_steps, seconds, .. } = judgement;
        let network_steps = network_steps.map_or_else(String::new, count);
        let verdict = verdict.name().to_owned();
        vec![letter, (*title).to_owned(), model.clone(), verdict, count(*steps), network_steps, duration(*seconds)]
    };
    let rows: Vec<_> = judgements.iter().map(row).collect();
    body += &format!(
        "<section>\n<h2>Verdicts</h2>\n{}<p>A criterion passes if all of the 95 % interval (bootstrap over models, then over \
         lives) is where it should be. An assay in which a null passes or the positive control fails is invalid. Thresholds are \
         this project's; an animal's value marked as unverified was not checked in its source. Control steps and time are of all \
         that was played, nulls and control among them; network steps are of the judged.</p>\n</section>\n",
        html::table(&["assay", "", "judged", "verdict", "control steps", "network steps", "time"], &rows)
    );
    let lines: Vec<String> = stage_lines(stages).iter().map(|line| html::escape(line)).collect();
    body += &format!("<section>\n<h2>Stage</h2>\n<p>{}</p>\n</section>\n", lines.join("<br/>\n"));
    for judgement in judgements {
        body += &section(judgement)?;
    }
    body += &format!("<footer>Drawn by phylon {}.</footer>\n", env!("CARGO_PKG_VERSION"));
    Ok(html::document(title, &body))
}

fn section(judgement: &Judgement) -> Result<String> {
    let Judgement { letter, title, verdict, models, lives, .. } = judgement;
    let mut out = format!("<section>\n<h2>{letter}: {} \u{2013} {}</h2>\n", html::escape(title), verdict.name());
    let criteria = |name: &str, criteria: &[Judged]| {
        let head = [name, "", "bound", "judged", "null", "control", "animal", "d", "source"];
        let row = |judged: &Judged| {
            let [model, null, control] = [&judged.model, &judged.null, &judged.control].map(with_ends);
            let (animal, source) = (judged.animal.text(), judged.animal.source.to_owned());
            let (passes, bound) = (yes(judged.passes).to_owned(), judged.bound.to_string());
            vec![judged.named(), passes, bound, model, null, control, animal, likeness(judged), source]
        };
        html::table(&head, &criteria.iter().map(row).collect::<Vec<_>>())
    };
    out += &criteria("criterion", &judgement.criteria);
    if let Some(beside) = &judgement.as_animal {
        out += &criteria(beside.name, &beside.criteria);
        out += &format!("<p>{}</p>\n", html::escape(&as_animal(beside)));
    }
    let mut head = vec!["score", "judged", "control"];
    head.extend(judgement.nulls.iter().map(|null| null.name));
    let row = |scored: &crate::battery::judge::Scored| {
        let mut cells = vec![scored.name.to_owned(), measured(scored.model.mean), measured(scored.control.mean)];
        cells.extend(scored.nulls.iter().map(|null| measured(*null)));
        cells
    };
    out += &html::table(&head, &judgement.scores.iter().map(row).collect::<Vec<_>>());
    let row = |null: &crate::battery::judge::Null| {
        let fails = if null.fails { format!("yes: {}", null.at.join("; ")) } else { "NO".into() };
        vec![null.name.to_owned(), fails, null.control.to_string(), null.model.to_string()]
    };
    let nulls: Vec<_> = judgement.nulls.iter().map(row).collect();
    out += &html::table(&["null", "fails, as it must", "control above it, p", "judged above it, p"], &nulls);
    if !judgement.generalisation.is_empty() {
        let row = |condition: &Condition| {
            let Condition { name, model, null, control, ratio, threshold, passes } = condition;
            let left = format!("{} (>= {threshold})", with_ends(ratio));
            let [null, control] = [null, control].map(|score| measured(*score));
            vec![(*name).to_owned(), with_ends(model), null, control, left, yes(*passes).to_owned()]
        };
        let rows: Vec<_> = judgement.generalisation.iter().map(row).collect();
        out += &html::table(&["H: another condition", "judged", "null", "control", "share that is left", ""], &rows);
    }
    let of = if *models > 1 { format!("of each of {models} models") } else { "of one model".into() };
    out += &format!(
        "<p>{} lives {of}; tests are two-sided Mann-Whitney tests over lives. d is (judged - animal) / spread, where both numbers of \
         an animal are known and checked.</p>\n</section>\n",
        count((*lives).into())
    );
    if let Some(figure) = figure(judgement)? {
        out += &html::figure(&figure);
    }
    Ok(out)
}

/// Paths, then curves.
fn figure(judgement: &Judgement) -> Result<Option<Figure>> {
    let assay = judgement.assay;
    let shown = [&judgement.model_lives, &judgement.control_lives, &judgement.null_lives];
    let (mut svg, mut caption) = (String::new(), String::new());
    if let Some(ground) = &assay.ground {
        svg += &paths(ground, shown);
        caption += ground.caption;
    }
    for curve in assay.curves {
        let points = shown.map(|played| (curve.of)(&Sample(played.values.iter().map(Vec::as_slice).collect())));
        let all = || points.iter().flatten();
        let (low, high) = extent(all().map(|point| point.0)).unwrap_or((0.0, 1.0));
        let x = Axis::linear(curve.x, low, high, 8);
        let y = Axis::around(curve.y, all().map(|point| point.1), 5);
        svg += &plot::figure(260, |canvas| {
            let frame = Frame { title: curve.title, keys: &KEYS, ..Frame::default() };
            let mut chart = Chart::new(canvas, &frame, x, y)?;
            for (points, key) in points.iter().zip(KEYS).rev() {
                chart.line(points, key.colour, 1.8)?;
            }
            Ok(())
        })?;
    }
    if !assay.curves.is_empty() {
        caption += " Curves are means over all lives.";
    }
    for series in &judgement.series {
        svg += &over_levels(series)?;
    }
    if !judgement.series.is_empty() {
        caption += " The band is the 95 % interval of the judged at the levels of the variant.";
    }
    let (id, title) = (assay.name, format!("{}: what lives look like", judgement.title));
    Ok((!svg.is_empty()).then(|| Figure { id, title, head: String::new(), svg, caption: caption.trim().to_owned() }))
}

/// A variant's score at its levels.
fn over_levels(Levels { title, x, score, levels }: &Levels) -> Result<String> {
    let of = [
        levels.iter().map(|level| (level.x, level.model)).collect::<Vec<_>>(),
        levels.iter().map(|level| (level.x, level.control)).collect(),
        levels.iter().map(|level| (level.x, level.null)).collect(),
    ];
    let all = || of.iter().flatten().flat_map(|(_, known)| [known.mean, known.low, known.high]);
    let places: Vec<f64> = levels.iter().map(|level| level.x).collect();
    let (low, high) = extent(places.iter().copied()).unwrap_or((0.0, 1.0));
    let x = Axis::linear(x, low, high, 8).with_ticks(&places);
    let y = Axis::around(score, all().filter(|value| !value.is_nan()), 5);
    plot::figure(220, |canvas| {
        let frame = Frame { title, keys: &KEYS, ..Frame::default() };
        let mut chart = Chart::new(canvas, &frame, x, y)?;
        let band: Vec<_> = of[0].iter().map(|(x, judged)| (*x, judged.low, judged.high)).collect();
        chart.band(&band, UNIT)?;
        for (points, key) in of.iter().zip(KEYS).rev() {
            let points: Vec<_> = points.iter().map(|(x, known)| (*x, known.mean)).collect();
            chart.line(&points, key.colour, 1.8)?;
            chart.dots(&points, key.colour, 2.5)?;
        }
        Ok(())
    })
}

/// Three plates side by side.
fn paths(ground: &Ground, shown: [&Played; 3]) -> String {
    let (width, head) = (f64::from(WIDTH), 26.0);
    let side = width / 3.0;
    let scale = 0.46 * side / ground.radius;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
         font-family=\"{FONT}\">\n",
        px(width),
        px(side + head)
    );
    for (panel, (played, key)) in shown.into_iter().zip(KEYS).enumerate() {
        let (x0, y0) = ((panel as f64 + 0.5) * side, head + 0.5 * side);
        let at = |x: f64, y: f64| (x0 + scale * x, y0 - scale * y);
        out += &text((x0, 12.0), Anchor::Middle, 12.0, AXIS, key.label);
        out += &circle(at(0.0, 0.0), scale * ground.radius, WHITE, AXIS);
        for &(x, y, radius) in ground.circles {
            out += &circle(at(x, y), scale * radius, WHITE, GRID);
        }
        for path in &played.paths {
            let mut line = String::new();
            let mut end = at(0.0, 0.0);
            for (i, &[x, y]) in path.iter().enumerate() {
                end = at(x.into(), y.into());
                let _ = write!(line, "{}{} {}", if i == 0 { "M" } else { "L" }, px(end.0), px(end.1));
            }
            let colour = hex(key.colour);
            let _ = writeln!(
                out,
                "<path d=\"{line}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"0.7\" stroke-opacity=\"0.55\"/>"
            );
            out += &disc(end, 2.2, key.colour);
        }
    }
    out + "</svg>\n"
}

fn circle((x, y): (f64, f64), radius: f64, fill: RGBColor, stroke: RGBColor) -> String {
    format!(
        "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\" fill-opacity=\"0.6\" stroke=\"{}\" stroke-width=\"1.2\"/>\n",
        px(x),
        px(y),
        px(radius),
        hex(fill),
        hex(stroke)
    )
}

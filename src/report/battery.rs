//! What a battery shows: a table for people, `battery.csv`, and a page with paths on the plate, learning curves and tuning curves
//! of whoever is judged, beside the positive control and the null.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use plotters::style::{RGBColor, WHITE};

use super::axis::{Axis, extent};
use super::html::{self, Figure, count, duration, measured};
use super::plot::{self, AXIS, BEST, Chart, FONT, Frame, GRID, Key, Mark, REFERENCE, UNIT, WIDTH};
use super::svg::{Anchor, disc, hex, px, text};
use crate::battery::assays::{Ground, Mark as AnimalMark};
use crate::battery::judge::{Condition, Judged, Judgement};
use crate::battery::play::Played;
use crate::battery::scores::{Interval, Sample};
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

/// Write the table and the page into a folder, which is made if need be, and return the page's path.
///
/// # Errors
/// When one cannot be written; an older one is then unchanged.
pub fn write(folder: &Path, judgements: &[Judgement]) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).map_err(|source| Error::io("create", folder, source))?;
    durable::replace(&folder.join(TABLE), csv_table(judgements)?.as_bytes())?;
    let path = folder.join(PAGE);
    durable::replace(&path, page(judgements)?.as_bytes())?;
    Ok(path)
}

/// `0.97 [0.96, 0.98]`
fn with_ends(Interval { mean, low, high }: &Interval) -> String {
    let short = |value: f64| if value.is_nan() { "-".to_owned() } else { format!("{value:.2}") };
    if mean.is_nan() { "-".into() } else { format!("{} [{}, {}]", short(*mean), short(*low), short(*high)) }
}

fn named(judged: &Judged) -> String {
    if judged.treatment.is_empty() {
        judged.score.to_owned()
    } else {
        format!("{}, {}", judged.score, judged.treatment)
    }
}

fn yes(passes: bool) -> &'static str {
    if passes { "pass" } else { "fail" }
}

/// The criteria of all assays, for a terminal.
pub fn table(judgements: &[Judgement]) -> String {
    let mut out = String::new();
    for judgement in judgements {
        let Judgement { letter, title, model, lives, models, verdict, .. } = judgement;
        let of = if *models > 1 { format!("{models} models, {lives} lives each") } else { format!("{lives} lives") };
        let _ = writeln!(out, "{letter}  {title}: {} ({model}, {of})", verdict.name());
        let head = ["criterion", "bound", "judged [95 % CI]", "null", "control", "animal", ""].map(str::to_owned);
        let row = |judged: &Judged| {
            let of = [&judged.model, &judged.null, &judged.control].map(with_ends);
            let [model, null, control] = of;
            let passes = yes(judged.passes).to_owned();
            [named(judged), judged.bound.to_string(), model, null, control, judged.animal.text(), passes]
        };
        let rows: Vec<[String; 7]> = std::iter::once(head).chain(judgement.criteria.iter().map(row)).collect();
        let widths: Vec<usize> =
            (0..7).map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
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
        for Condition { name, ratio, threshold, passes, .. } in &judgement.generalisation {
            let _ = writeln!(out, "   H, {name}: {} of it is left, >= {threshold}: {}", with_ends(ratio), yes(*passes));
        }
        out.push('\n');
    }
    out
}

/// A row a criterion, and a row a condition of assay H.
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
    ];
    writer.write_record(head).map_err(failed)?;
    let ends = |interval: &Interval| [interval.mean, interval.low, interval.high].map(|value| value.to_string());
    for judgement in judgements {
        let Judgement { letter, name, model, models, lives, verdict, .. } = judgement;
        let about = |criterion: &str, treatment: &str, threshold: String| {
            vec![letter.to_string(), (*name).to_owned(), criterion.to_owned(), treatment.to_owned(), threshold]
        };
        let judged_of = || [model.clone(), models.to_string(), lives.to_string()];
        for judged in &judgement.criteria {
            let mut row = about(judged.score, judged.treatment, judged.bound.to_string());
            let checked = match judged.animal.mark {
                AnimalMark::Checked => "yes",
                AnimalMark::Unverified => "no",
                AnimalMark::None => "",
            };
            row.extend([judged.animal.value, judged.animal.source, checked].map(str::to_owned));
            row.extend(judged_of());
            row.extend([&judged.model, &judged.null, &judged.control].into_iter().flat_map(ends));
            row.extend([yes(judged.passes).to_owned(), verdict.name().to_owned()]);
            writer.write_record(row).map_err(failed)?;
        }
        for Condition { name, ratio, threshold, passes, .. } in &judgement.generalisation {
            let mut row = about("share of the score that is left", name, format!(">= {threshold}"));
            row.extend([""; 3].map(str::to_owned));
            row.extend(judged_of());
            row.extend(ends(ratio));
            row.extend([""; 6].map(str::to_owned));
            row.extend([yes(*passes).to_owned(), verdict.name().to_owned()]);
            writer.write_record(row).map_err(failed)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| Error::Run(format!("cannot make {TABLE}: {error}")))?;
    String::from_utf8(bytes).map_err(|error| Error::Run(format!("cannot make {TABLE}: {error}")))
}

/// The whole page.
fn page(judgements: &[Judgement]) -> Result<String> {
    let title = "Behavioural battery";
    let mut body = format!("<h1>{title}</h1>\n");
    let steps: u64 = judgements.iter().map(|judgement| judgement.steps).sum();
    let seconds: f64 = judgements.iter().map(|judgement| judgement.seconds).sum();
    body += &html::facts(&[("control steps", count(steps)), ("time", duration(seconds))]);
    let row = |judgement: &Judgement| {
        let letter = judgement.letter.to_string();
        vec![letter, judgement.title.to_owned(), judgement.model.clone(), judgement.verdict.name().to_owned()]
    };
    let rows: Vec<_> = judgements.iter().map(row).collect();
    body += &format!(
        "<section>\n<h2>Verdicts</h2>\n{}<p>A criterion passes if all of the 95 % interval (bootstrap over models, then over \
         lives) is where it should be. An assay in which a null passes or the positive control fails is invalid. Thresholds are \
         this project's; an animal's value marked as unverified was not checked in its source. A controller that is in one assay \
         alone is a specialist: stages count for one model that is in all of them.</p>\n</section>\n",
        html::table(&["assay", "", "judged", "verdict"], &rows)
    );
    for judgement in judgements {
        body += &section(judgement)?;
    }
    body += &format!("<footer>Drawn by phylon {}.</footer>\n", env!("CARGO_PKG_VERSION"));
    Ok(html::document(title, &body))
}

fn section(judgement: &Judgement) -> Result<String> {
    let Judgement { letter, title, verdict, models, lives, .. } = judgement;
    let mut out = format!("<section>\n<h2>{letter}: {} \u{2013} {}</h2>\n", html::escape(title), verdict.name());
    let head = ["criterion", "", "bound", "judged", "null", "control", "animal", "source"];
    let row = |judged: &Judged| {
        let [model, null, control] = [&judged.model, &judged.null, &judged.control].map(with_ends);
        let (animal, source) = (judged.animal.text(), judged.animal.source.to_owned());
        vec![named(judged), yes(judged.passes).into(), judged.bound.to_string(), model, null, control, animal, source]
    };
    out += &html::table(&head, &judgement.criteria.iter().map(row).collect::<Vec<_>>());
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
            let Condition { name, model, null, ratio, threshold, passes } = condition;
            let left = format!("{} (>= {threshold})", with_ends(ratio));
            vec![(*name).to_owned(), with_ends(model), measured(*null), left, yes(*passes).to_owned()]
        };
        let rows: Vec<_> = judgement.generalisation.iter().map(row).collect();
        out += &html::table(&["H: another condition", "judged", "null", "share that is left", ""], &rows);
    }
    let of = if *models > 1 { format!("of each of {models} models") } else { "of one model".into() };
    out += &format!(
        "<p>{} lives {of}; tests are two-sided Mann-Whitney tests over lives.</p>\n</section>\n",
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
    let (id, title) = (assay.name, format!("{}: what lives look like", judgement.title));
    Ok((!svg.is_empty()).then(|| Figure { id, title, head: String::new(), svg, caption: caption.trim().to_owned() }))
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

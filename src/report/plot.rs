//! What all figures share: colours with one meaning, text sizes, frames, keys and the ways to draw data.
//!
//! Plotters places everything on whole pixels, too coarse for curves, so a figure is drawn on a canvas [`FINE`] times
//! larger and the page scales it down. Sizes here are in page pixels. Every value passes through [`Axis::at`], which
//! drops what is not finite and keeps the rest inside the frame, so no drawing can leave it.

use std::io;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use crate::error::{Error, Result};

/// The model neuron or the true rule: what the unit should do.
pub const MODEL: RGBColor = RGBColor(0, 0, 0);
/// The evolved unit, and the centre of the population, whose parameters it has.
pub const UNIT: RGBColor = RGBColor(213, 94, 0);
/// The evolved agent with something taken from it.
pub const LESIONED: RGBColor = RGBColor(204, 121, 167);
/// What both are shown.
pub const INPUT: RGBColor = RGBColor(86, 180, 233);
/// The best offspring of a generation.
pub const BEST: RGBColor = RGBColor(0, 158, 115);
/// The offspring of a generation together.
pub const OFFSPRING: RGBColor = RGBColor(0, 114, 178);
/// Thresholds and known results to compare with.
pub const REFERENCE: RGBColor = RGBColor(110, 110, 110);
/// Excitatory neurons of a column.
pub const EXCITATORY: RGBColor = OFFSPRING;
/// Inhibitory neurons of a column.
pub const INHIBITORY: RGBColor = UNIT;

pub const AXIS: RGBColor = RGBColor(60, 60, 60);
pub const GRID: RGBColor = RGBColor(228, 228, 228);

/// Width of every figure.
pub const WIDTH: u32 = 760;
const FINE: f64 = 4.0;
pub const FONT: &str = "Helvetica, Arial, 'Liberation Sans', sans-serif";
const TEXT: f64 = 12.0;
const LEFT: f64 = 62.0;
/// Opacity of areas.
const BAND: f64 = 0.22;
const COLUMN: f64 = 0.75;

pub type Canvas<'s> = DrawingArea<SVGBackend<'s>, Shift>;
pub type Drawn<T = ()> = std::result::Result<T, DrawingAreaErrorKind<io::Error>>;

/// Canvas pixels of a size in page pixels.
pub fn px(size: f64) -> i32 {
    (size * FINE).round() as i32
}

fn stroke(colour: RGBColor, width: f64) -> ShapeStyle {
    colour.stroke_width(px(width).unsigned_abs())
}

fn text(size: f64, colour: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    // Plotters' sizes are 1.24 times those of SVG.
    (FONT, size * FINE * 1.24).into_font().color(&colour).pos(Pos::new(h, v))
}

/// The `<svg>` element of one figure.
///
/// # Errors
/// When a chart does not fit its canvas.
pub fn figure(height: u32, draw: impl FnOnce(&Canvas) -> Drawn) -> Result<String> {
    let mut svg = String::new();
    let canvas = SVGBackend::with_string(&mut svg, (WIDTH * FINE as u32, height * FINE as u32)).into_drawing_area();
    let drawn = draw(&canvas).and_then(|()| canvas.present());
    drop(canvas);
    drawn.map_err(|error| Error::Run(format!("cannot draw a figure: {error}")))?;
    Ok(svg)
}

/// How an entry of the key looks: as what it names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark {
    Line,
    Dashes,
    Dot,
    Band,
    Column,
}

/// An entry of the key above a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    pub mark: Mark,
    pub colour: RGBColor,
    pub label: &'static str,
}

/// What stands around a chart.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Frame<'f> {
    /// Above the chart, at its left.
    pub title: &'f str,
    /// Above the chart, right of the title.
    pub keys: &'f [Key],
    /// Room for labels at the right.
    pub right: f64,
    /// The x axis has no text: a chart below shares it.
    pub shared_x: bool,
}

/// A chart with linear axis coordinates; see [`Axis`] for scales.
pub struct Chart<'c, 's> {
    context: ChartContext<'c, SVGBackend<'s>, Cartesian2d<Axis, Axis>>,
    canvas: &'c Canvas<'s>,
}

impl<'c, 's> Chart<'c, 's> {
    pub fn new(canvas: &'c Canvas<'s>, frame: &Frame, x: Axis, y: Axis) -> Drawn<Self> {
        let head = if frame.title.is_empty() && frame.keys.is_empty() { 8.0 } else { 24.0 };
        let left = if y.label.is_empty() { LEFT - 18.0 } else { LEFT };
        let bottom = match (frame.shared_x, x.label.is_empty()) {
            (true, _) => 12.0,
            (false, true) => 22.0,
            (false, false) => 40.0,
        };
        let (x_label, y_label) = (x.label.clone(), y.label.clone());
        let mut context = ChartBuilder::on(canvas)
            .margin_top(px(head))
            .margin_right(px(frame.right.max(14.0)))
            .x_label_area_size(px(bottom))
            .y_label_area_size(px(left))
            .build_cartesian_2d(x, y)?;
        let mut mesh = context.configure_mesh();
        mesh.disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(stroke(GRID, 0.75))
            .axis_style(stroke(AXIS, 1.0))
            .label_style(text(TEXT - 1.0, AXIS, HPos::Center, VPos::Center))
            .axis_desc_style(text(TEXT, BLACK, HPos::Center, VPos::Center))
            .set_all_tick_mark_size(px(4.0))
            .y_desc(y_label);
        if frame.shared_x {
            mesh.x_label_formatter(&|_| String::new());
        } else {
            mesh.x_desc(x_label);
        }
        mesh.draw()?;
        draw_head(canvas, frame, left)?;
        Ok(Self { context, canvas })
    }

    /// Where a point lies on both axes; none when it is not finite.
    fn point(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        let axes = self.context.as_coord_spec();
        Some((axes.x_spec().at(x)?, axes.y_spec().at(y)?))
    }

    /// A line through the points, broken where one is not finite; a point between two breaks becomes a dot.
    pub fn line(&mut self, points: &[(f64, f64)], colour: RGBColor, width: f64) -> Drawn {
        let points: Vec<_> = points.iter().map(|&p| self.point(p)).collect();
        for run in points.split(Option::is_none) {
            let run: Vec<_> = run.iter().flatten().copied().collect();
            match run[..] {
                [] => {}
                [alone] => self.circle(alone, 2.0 * width, colour)?,
                _ => {
                    self.context.draw_series(LineSeries::new(run, stroke(colour, width)))?;
                }
            }
        }
        Ok(())
    }

    /// A straight dashed line.
    pub fn dashes(&mut self, from: (f64, f64), to: (f64, f64), colour: RGBColor, width: f64) -> Drawn {
        if let (Some(from), Some(to)) = (self.point(from), self.point(to)) {
            let line = DashedLineSeries::new([from, to], px(5.0), px(3.0), stroke(colour, width));
            self.context.draw_series(line)?;
        }
        Ok(())
    }

    /// The area between two curves, `(x, lower, upper)`, broken where a value is not finite; a bar where it is alone.
    pub fn band(&mut self, points: &[(f64, f64, f64)], colour: RGBColor) -> Drawn {
        let edges: Vec<_> =
            points.iter().map(|&(x, low, high)| Some((self.point((x, low))?, self.point((x, high))?))).collect();
        for run in edges.split(Option::is_none) {
            let (lower, upper): (Vec<_>, Vec<_>) = run.iter().flatten().copied().unzip();
            if let ([low], [high]) = (&lower[..], &upper[..]) {
                let style = colour.mix(BAND).stroke_width(px(6.0).unsigned_abs());
                self.context.draw_series([PathElement::new([*low, *high], style)])?;
            } else if !lower.is_empty() {
                let outline: Vec<_> = lower.into_iter().chain(upper.into_iter().rev()).collect();
                self.context.draw_series([Polygon::new(outline, colour.mix(BAND).filled())])?;
            }
        }
        Ok(())
    }

    pub fn dots(&mut self, points: &[(f64, f64)], colour: RGBColor, radius: f64) -> Drawn {
        points.iter().try_for_each(|&p| self.point(p).map_or(Ok(()), |p| self.circle(p, radius, colour)))
    }

    fn circle(&mut self, at: (f64, f64), radius: f64, colour: RGBColor) -> Drawn {
        self.context.draw_series([Circle::new(at, px(radius), colour.filled())]).map(drop)
    }

    /// Vertical lines `(x, from, to)`.
    pub fn stems(&mut self, stems: &[(f64, f64, f64)], colour: RGBColor, width: f64) -> Drawn {
        for &(x, from, to) in stems {
            if let (Some(from), Some(to)) = (self.point((x, from)), self.point((x, to))) {
                self.context.draw_series([PathElement::new([from, to], stroke(colour, width))])?;
            }
        }
        Ok(())
    }

    /// Filled columns `(from, to, height)` standing on zero.
    pub fn columns(&mut self, columns: &[(f64, f64, f64)], colour: RGBColor) -> Drawn {
        for &(from, to, height) in columns {
            if let (Some(foot), Some(top)) = (self.point((from, 0.0)), self.point((to, height))) {
                self.context.draw_series([Rectangle::new([foot, top], colour.mix(COLUMN).filled())])?;
            }
        }
        Ok(())
    }

    /// Text beside a point, at `h` of it.
    pub fn note(&self, at: (f64, f64), label: &str, h: HPos, colour: RGBColor) -> Drawn {
        let Some(at) = self.point(at) else { return Ok(()) };
        let (x, y) = self.pixel(at);
        let gap = if matches!(h, HPos::Right) { -px(4.0) } else { px(4.0) };
        self.canvas.draw_text(label, &text(TEXT - 1.0, colour, h, VPos::Center), (x + gap, y))
    }

    /// Labels at the right end of horizontal lines, kept apart where the lines are close.
    pub fn right_labels(&self, labels: &[(f64, String)], colour: RGBColor) -> Drawn {
        let coloured: Vec<_> = labels.iter().map(|(value, label)| (*value, label.as_str(), colour)).collect();
        self.coloured_labels(&coloured)
    }

    /// The same, each in a colour of its own.
    pub fn coloured_labels(&self, labels: &[(f64, &str, RGBColor)]) -> Drawn {
        let (_, right) = self.context.as_coord_spec().x_spec().ends();
        let place = |value| Some(self.pixel((right, self.context.as_coord_spec().y_spec().at(value)?)));
        let mut placed: Vec<_> =
            labels.iter().filter_map(|&(value, label, colour)| Some((place(value)?, label, colour))).collect();
        placed.sort_by_key(|((_, y), ..)| *y);
        let height = px(TEXT + 1.0);
        let mut free = i32::MIN;
        for ((_, y), ..) in &mut placed {
            *y = (*y).max(free);
            free = *y + height;
        }
        // Those that this has pushed out below move up again, and others with them.
        let mut free = self.canvas.dim_in_pixel().1 as i32 - height / 2;
        for ((x, y), label, colour) in placed.into_iter().rev() {
            let y = y.min(free);
            free = y - height;
            let style = text(TEXT - 1.0, colour, HPos::Left, VPos::Center);
            self.canvas.draw_text(label, &style, (x + px(6.0), y))?;
        }
        Ok(())
    }

    /// Pixel on the canvas of a point in axis coordinates.
    fn pixel(&self, at: (f64, f64)) -> (i32, i32) {
        let (x, y) = self.context.backend_coord(&at);
        let (left, top) = self.canvas.get_base_pixel();
        (x - left, y - top)
    }
}

/// About how wide a text is, in page pixels: the reader's font is not known here.
fn width(label: &str) -> f64 {
    let share = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | ' ' | '.' | ',' | '/' | '(' | ')' | '|' => 0.33,
        'm' | 'w' | 'M' | 'W' => 0.85,
        _ => 0.58,
    };
    TEXT * label.chars().map(share).sum::<f64>()
}

/// Title and key on one line above the chart.
fn draw_head(canvas: &Canvas, frame: &Frame, left: f64) -> Drawn {
    let (middle, mut x) = (10.0, left);
    canvas.draw_text(frame.title, &text(TEXT, BLACK, HPos::Left, VPos::Center), (px(x), px(middle)))?;
    if !frame.title.is_empty() {
        x += width(frame.title) + 24.0;
    }
    for key in frame.keys {
        let (from, to) = ((px(x), px(middle)), (px(x + 20.0), px(middle)));
        match key.mark {
            Mark::Line => canvas.draw(&PathElement::new([from, to], stroke(key.colour, 2.0)))?,
            Mark::Dashes => {
                for dash in [0.0, 8.0, 16.0] {
                    let (start, end) = (px(x + dash), px(x + (dash + 5.0).min(20.0)));
                    canvas.draw(&PathElement::new([(start, from.1), (end, from.1)], stroke(key.colour, 1.5)))?;
                }
            }
            Mark::Dot => canvas.draw(&Circle::new((px(x + 10.0), px(middle)), px(3.5), key.colour.filled()))?,
            Mark::Band | Mark::Column => {
                let opacity = if key.mark == Mark::Band { BAND } else { COLUMN };
                let corners = [(from.0, px(middle - 5.0)), (to.0, px(middle + 5.0))];
                canvas.draw(&Rectangle::new(corners, key.colour.mix(opacity).filled()))?;
            }
        }
        x += 26.0;
        canvas.draw_text(key.label, &text(TEXT, BLACK, HPos::Left, VPos::Center), (px(x), px(middle)))?;
        x += width(key.label) + 20.0;
    }
    Ok(())
}

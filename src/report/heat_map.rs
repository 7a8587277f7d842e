//! Matrices as colours, with a bar that says which colour is which value.

use std::fmt::Write as _;

use plotters::style::{RGBColor, WHITE};

use super::axis::Axis;
use super::html::escape;
use super::plot::{AXIS, FONT, GRID, REFERENCE, WIDTH};
use super::svg::{Anchor, hex, line, px, rect, text};

/// From nothing to much.
pub const SEQUENTIAL: &[RGBColor] =
    &[WHITE, RGBColor(198, 226, 244), RGBColor(86, 180, 233), RGBColor(0, 114, 178), RGBColor(0, 30, 70)];
/// From one side of a middle to the other.
pub const DIVERGING: &[RGBColor] =
    &[RGBColor(0, 70, 125), RGBColor(86, 160, 215), WHITE, RGBColor(235, 150, 95), RGBColor(160, 60, 0)];

/// Colours that are told apart.
const LEVELS: usize = 64;
const LEFT: f64 = 62.0;
const TOP: f64 = 62.0;
const SIDE: f64 = 560.0;
const TEXT: f64 = 12.0;

/// A matrix with what stands around it.
pub struct HeatMap<'a> {
    pub title: &'a str,
    /// What rows and columns are.
    pub rows: &'a str,
    pub columns: &'a str,
    /// `[row][column]`; NaN where there can be none, which stays grey.
    pub values: &'a [f32],
    /// Values of a row.
    pub side: usize,
    /// Labels of rows and of columns, at distances from the first one's edge.
    pub ticks: [Vec<(f64, String)>; 2],
    /// Distances of lines that part rows and columns.
    pub borders: Vec<usize>,
    /// At equal distances from the least value of the scale to the largest.
    pub colours: &'a [RGBColor],
    /// Of the values.
    pub scale: Axis,
}

impl HeatMap<'_> {
    /// A whole `<svg>` document.
    pub fn svg(&self) -> String {
        let (width, height) = (f64::from(WIDTH), TOP + SIDE + 14.0);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
             font-family=\"{FONT}\">\n<title>{2}</title>\n",
            px(width),
            px(height),
            escape(self.title)
        );
        out += &rect((0.0, 0.0), (width, height), WHITE, "");
        out += &text((LEFT, 14.0), Anchor::Start, TEXT + 1.0, AXIS, self.title);
        out += &rect((LEFT, TOP), (SIDE, SIDE), GRID, "");
        out += &self.cells();
        out += &self.around();
        out += &self.bar();
        out + "</svg>\n"
    }

    /// Cells of a colour are one path, neighbours in a row one rectangle of it.
    fn cells(&self) -> String {
        let mut paths = vec![String::new(); LEVELS];
        for (row, values) in self.values.chunks(self.side.max(1)).enumerate() {
            let mut column = 0;
            for cells in values.chunk_by(|a, b| self.level(*a) == self.level(*b)) {
                if let Some(level) = self.level(cells[0]) {
                    let _ = write!(paths[level], "M{column} {row}h{0}v1h-{0}z", cells.len());
                }
                column += cells.len();
            }
        }
        let (width, height) = self.cell();
        let mut out = format!(
            "<g transform=\"translate({} {}) scale({width:.5} {height:.5})\" shape-rendering=\"crispEdges\">\n",
            px(LEFT),
            px(TOP)
        );
        for (level, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
            let _ = writeln!(out, "<path fill=\"{}\" d=\"{path}\"/>", hex(self.colour(level)));
        }
        out + "</g>\n"
    }

    /// Width and height of a cell.
    fn cell(&self) -> (f64, f64) {
        (SIDE / self.side as f64, SIDE / (self.values.len() / self.side.max(1)) as f64)
    }

    /// Which colour a value has.
    fn level(&self, value: f32) -> Option<usize> {
        let (low, high) = self.scale.ends();
        let share = (self.scale.at(f64::from(value))? - low) / (high - low);
        Some((share * (LEVELS - 1) as f64).round() as usize)
    }

    fn colour(&self, level: usize) -> RGBColor {
        let at = level as f64 / (LEVELS - 1) as f64 * (self.colours.len() - 1) as f64;
        let before = (at as usize).min(self.colours.len() - 2);
        let (from, to, share) = (self.colours[before], self.colours[before + 1], at - before as f64);
        let mix = |from: u8, to: u8| (f64::from(from) + share * (f64::from(to) - f64::from(from))).round() as u8;
        RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
    }

    /// Frame, borders, labels.
    fn around(&self) -> String {
        let (width, height) = self.cell();
        let mut out = String::new();
        for at in &self.borders {
            let (across, down) = (*at as f64 * width, *at as f64 * height);
            out += &line((LEFT, TOP + down), (LEFT + SIDE, TOP + down), REFERENCE, 0.5, "");
            out += &line((LEFT + across, TOP), (LEFT + across, TOP + SIDE), REFERENCE, 0.5, "");
        }
        let [of_rows, of_columns] = &self.ticks;
        for (at, label) in of_rows {
            out += &text((LEFT - 7.0, TOP + at * height), Anchor::End, TEXT - 1.0, AXIS, label);
        }
        for (at, label) in of_columns {
            out += &text((LEFT + at * width, TOP - 9.0), Anchor::Middle, TEXT - 1.0, AXIS, label);
        }
        out += &text((LEFT + SIDE / 2.0, TOP - 28.0), Anchor::Middle, TEXT, AXIS, self.columns);
        let rows = text((0.0, 0.0), Anchor::Middle, TEXT, AXIS, self.rows);
        let _ = write!(out, "<g transform=\"translate(16 {}) rotate(-90)\">\n{rows}</g>\n", px(TOP + SIDE / 2.0));
        out + &frame((LEFT, TOP), (SIDE, SIDE))
    }

    /// The colours with their values, at the right.
    fn bar(&self) -> String {
        let (x, width) = (LEFT + SIDE + 28.0, 16.0);
        let (low, high) = self.scale.ends();
        let step = SIDE / LEVELS as f64;
        let mut out = String::from("<g shape-rendering=\"crispEdges\">\n");
        for level in 0..LEVELS {
            let top = TOP + SIDE - (level + 1) as f64 * step;
            out += &rect((x, top), (width, step + 0.1), self.colour(level), "");
        }
        out += "</g>\n";
        for (at, label) in self.scale.ticks() {
            let y = TOP + SIDE * (1.0 - (at - low) / (high - low));
            out += &line((x + width, y), (x + width + 4.0, y), AXIS, 1.0, "");
            out += &text((x + width + 7.0, y), Anchor::Start, TEXT - 1.0, AXIS, label);
        }
        out += &text((x + width, TOP - 12.0), Anchor::Middle, TEXT, AXIS, &self.scale.label);
        out + &frame((x, TOP), (width, SIDE))
    }
}

fn frame(at: (f64, f64), (width, height): (f64, f64)) -> String {
    format!(
        "<path d=\"M{} {}h{w}v{}h-{w}z\" fill=\"none\" stroke=\"{}\"/>\n",
        px(at.0),
        px(at.1),
        px(height),
        hex(AXIS),
        w = px(width)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[f32], side: usize) -> HeatMap<'_> {
        HeatMap {
            title: "a < b",
            rows: "row",
            columns: "column",
            values,
            side,
            ticks: [vec![(0.5, "0".into())], vec![(0.5, "1".into())]],
            borders: vec![1],
            colours: SEQUENTIAL,
            scale: Axis::linear("n", 0.0, 4.0, 4),
        }
    }

    /// Every finite value is one cell of its colour, equal neighbours are one rectangle, and NaN is nothing.
    #[test]
    fn cells_are_where_and_what_they_should_be() {
        let svg = map(&[0.0, f32::NAN, 4.0, 4.0], 2).svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let cells: Vec<_> = (document.descendants())
            .filter(|node| node.has_tag_name("path") && node.parent().is_some_and(|g| g.has_attribute("transform")))
            .map(|node| (node.attribute("fill").unwrap(), node.attribute("d").unwrap()))
            .collect();
        assert_eq!(cells, [("#ffffff", "M0 0h1v1h-1z"), ("#001e46", "M0 1h2v1h-2z")]);
        assert!(svg.contains("a &lt; b"));
    }

    #[test]
    fn rows_and_columns_may_differ_in_number() {
        let mut map = map(&[0.0, 1.0, 2.0, 3.0, 4.0, 4.0], 3);
        map.ticks = [vec![(1.5, "second row".into())], vec![(2.5, "third column".into())]];
        let svg = map.svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let scale = document.descendants().find_map(|node| node.attribute("transform")).unwrap();
        assert!(scale.ends_with("scale(186.66667 280.00000)"), "{scale}");
        let place = |label: &str| {
            let is = |node: &roxmltree::Node| node.has_tag_name("text") && node.text() == Some(label);
            let node = document.descendants().find(is).unwrap();
            ["x", "y"].map(|name| node.attribute(name).unwrap().to_owned())
        };
        // The middle of the lower half, and of the right third; a text's y is a little below its middle.
        assert_eq!(place("second row"), ["55", "486"]);
        assert_eq!(place("third column"), ["528.7", "57"]);
        assert!(svg.contains("M1 1h2v1h-2z"), "{svg}");
    }

    #[test]
    fn colours_go_from_the_first_to_the_last() {
        let map = map(&[], 0);
        assert_eq!([map.colour(0), map.colour(LEVELS - 1)], [SEQUENTIAL[0], SEQUENTIAL[4]]);
        assert_eq!([map.level(-1.0), map.level(2.0), map.level(9.0)], [Some(0), Some(32), Some(63)]);
    }
}

//! SVG by hand, for drawings that plotters has no chart for: strips of a life, and what moves.

use plotters::style::RGBColor;

use super::html::escape;

/// A length or coordinate to a tenth of a pixel.
pub fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    let short = text.strip_suffix(".0").unwrap_or(&text);
    if short == "-0" { "0".into() } else { short.into() }
}

/// `#rrggbb`.
pub fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Which point of a text is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text; `y` is its middle.
pub fn text((x, y): (f64, f64), anchor: Anchor, size: f64, colour: RGBColor, content: &str) -> String {
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    // Capitals and digits are 0.72 high; `dominant-baseline` is not drawn the same everywhere.
    format!(
        "<text x=\"{}\" y=\"{}\"{anchor} font-size=\"{}\" fill=\"{}\">{}</text>\n",
        px(x),
        px(y + 0.36 * size),
        px(size),
        hex(colour),
        escape(content)
    )
}

/// A filled rectangle; `more` are further attributes.
pub fn rect((x, y): (f64, f64), (width, height): (f64, f64), fill: RGBColor, more: &str) -> String {
    format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"{more}/>\n",
        px(x),
        px(y),
        px(width),
        px(height),
        hex(fill)
    )
}

/// A straight line; `more` are further attributes.
pub fn line((x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: RGBColor, width: f64, more: &str) -> String {
    format!(
        "<path d=\"M{} {}L{} {}\" stroke=\"{}\" stroke-width=\"{}\"{more}/>\n",
        px(x1),
        px(y1),
        px(x2),
        px(y2),
        hex(colour),
        px(width)
    )
}

/// Food: a disc.
pub fn disc((x, y): (f64, f64), radius: f64, colour: RGBColor) -> String {
    format!("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>\n", px(x), px(y), px(radius), hex(colour))
}

/// Poison: a cross.
pub fn cross((x, y): (f64, f64), radius: f64, colour: RGBColor) -> String {
    let arm = 0.8 * radius;
    let (left, right, top, bottom) = (px(x - arm), px(x + arm), px(y - arm), px(y + arm));
    format!(
        "<path d=\"M{left} {top}L{right} {bottom}M{left} {bottom}L{right} {top}\" fill=\"none\" stroke=\"{}\" \
         stroke-width=\"{}\" stroke-linecap=\"round\"/>\n",
        hex(colour),
        px(0.5 * radius)
    )
}

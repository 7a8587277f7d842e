//! Text of the page: escaping, numbers, tables, figures and the document around them.
//!
//! One file without scripts or links, so that a report can be mailed, archived and opened anywhere.

use std::fmt::Write as _;

/// A drawn figure with what a reader needs to understand it.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Anchor in the page, unique.
    pub id: &'static str,
    pub title: String,
    /// HTML between heading and drawing; may be empty.
    pub head: String,
    /// A whole `<svg>` element.
    pub svg: String,
    /// Plain text: what is shown, of which parameters, from which episodes.
    pub caption: String,
}

/// Text made safe inside elements and quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A value as short as three significant digits allow; see [`measured`].
pub fn number(value: f64) -> String {
    let text = measured(value);
    let plain = text.contains('.') && !text.contains('e');
    if plain { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// A value with three significant digits or all before the point, and a true minus sign; a dash where there is none.
pub fn measured(value: f64) -> String {
    if !value.is_finite() {
        return "\u{2013}".into();
    }
    let size = value.abs();
    let digits = match size {
        _ if size == 0.0 || size >= 100.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 1e-4 => (2 - size.log10().floor() as i32) as usize,
        _ => return format!("{value:.2e}").replace('-', "\u{2212}"),
    };
    format!("{value:.digits$}").replace('-', "\u{2212}")
}

/// A count with thin spaces between groups of three digits.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let first = digits.len() % 3;
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && i % 3 == first {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// Wall time in the two units that matter.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "\u{2013}".into();
    }
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 100.0 => format!("{seconds:.1} s"),
        0..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// A two-column table of names and values.
pub fn facts(rows: &[(&str, String)]) -> String {
    let mut out = String::from("<table class=\"facts\">\n");
    for (name, value) in rows {
        let _ = writeln!(out, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escape(name), escape(value));
    }
    out + "</table>\n"
}

/// A table with a head; the first cell of a row names it.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut out = String::from("<div class=\"wide\"><table>\n<thead><tr>");
    for cell in head {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(cell));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            let cell = escape(cell);
            let _ = if i == 0 { write!(out, "<th scope=\"row\">{cell}</th>") } else { write!(out, "<td>{cell}</td>") };
        }
        out.push_str("</tr>\n");
    }
    out + "</tbody></table></div>\n"
}

/// A card with heading, drawing and caption.
pub fn figure(figure: &Figure) -> String {
    let (title, caption) = (escape(&figure.title), escape(&figure.caption));
    let Figure { id, head, svg, .. } = figure;
    format!(
        "<figure id=\"{id}\">\n<h2>{title}</h2>\n{head}<div role=\"img\" aria-label=\"{title}\">\n{svg}</div>\n\
         <figcaption>{caption}</figcaption>\n</figure>\n"
    )
}

/// What could not be drawn, and why.
pub fn note(text: &str) -> String {
    format!("<p class=\"note\">{}</p>\n", escape(text))
}

/// The whole file around `body`, which is HTML already.
pub fn document(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

const STYLE: &str = "\
:root { color-scheme: light dark; --page: #f5f5f3; --text: #1c1c1c; --quiet: #5c5c5c; --rule: #d8d8d4; }
@media (prefers-color-scheme: dark) { :root { --page: #1d1f21; --text: #e6e6e3; --quiet: #a5a5a0; --rule: #3a3d40; } }
body { margin: 0; background: var(--page); color: var(--text); \
font: 16px/1.5 system-ui, -apple-system, \"Segoe UI\", Helvetica, Arial, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
.subtitle { color: var(--quiet); margin: .25rem 0 1.25rem; }
h2 { font-size: 1.1rem; margin: 0 0 .6rem; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .28rem 1.4rem .28rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
.facts th { font-weight: 400; color: var(--quiet); }
.facts td { overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 0 0 1rem; }
.wide table { font-size: .82rem; }
.wide tbody th { font-weight: 400; }
.wide th, .wide td { padding-right: 1rem; white-space: nowrap; }
section { margin: 1.75rem 0; }
figure { --rule: #d8d8d4; margin: 1.75rem 0; padding: 1.1rem 1.2rem; background: #fff; color: #1c1c1c; border-radius: 6px; \
box-shadow: 0 1px 3px rgba(0, 0, 0, .16); }
figure svg { display: block; width: 100%; height: auto; }
figcaption { color: #4a4a4a; font-size: .88rem; margin-top: .6rem; }
.note { border-left: 3px solid #e69f00; padding: .1rem 0 .1rem .8rem; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: 1rem; font-size: .85rem; line-height: 1.4; border: 1px solid var(--rule); \
border-radius: 6px; }
summary { cursor: pointer; font-weight: 600; }
footer { color: var(--quiet); font-size: .85rem; margin-top: 2.5rem; }
@media print { body { background: #fff; color: #000; } figure { break-inside: avoid; box-shadow: none; } }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_is_escaped() {
        assert_eq!(
            escape("<a href=\"x\">Tom & 'Jo'</a>"),
            "&lt;a href=&quot;x&quot;&gt;Tom &amp; &#39;Jo&#39;&lt;/a&gt;"
        );
        assert!(note("<b>").contains("&lt;b&gt;"));
        assert!(facts(&[("a<b", "c&d".into())]).contains("a&lt;b</th><td>c&amp;d"));
    }

    #[test]
    fn numbers_read_well() {
        let cases = [
            (-888.4, "−888"),
            (-18.22, "−18.2"),
            (-0.33, "−0.33"),
            (-8.42, "−8.42"),
            (0.0, "0"),
            (-1000.0, "−1000"),
            (-1.0, "−1"),
            (0.05, "0.05"),
            (0.000012, "1.20e−5"),
            (f64::NAN, "–"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value}");
        }
        assert_eq!([measured(-1.2), measured(-57.0), measured(0.5)], ["−1.20", "−57.0", "0.500"]);
    }

    #[test]
    fn counts_and_times_read_well() {
        assert_eq!(count(6), "6");
        assert_eq!(count(6656), "6\u{202f}656");
        assert_eq!(count(123456789), "123\u{202f}456\u{202f}789");
        assert_eq!(duration(59.94), "59.9 s");
        assert_eq!(duration(125.0), "2 min 5 s");
        assert_eq!(duration(7320.0), "2 h 2 min");
        assert_eq!(duration(f64::NAN), "–");
    }
}

//! What serde says about a wrong config -> the key it is about and what would be right.
//!
//! serde's messages are a fixed set of sentences with the names in backticks; the key's full path is found from the
//! byte range in the document. A sentence that is not known here is passed on as it is.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::registry::{self, likeness};

/// One mistake, ready to be shown.
pub struct Mistake {
    /// Where; none when it is about the file as a whole.
    pub span: Option<Range<usize>>,
    pub what: String,
    /// What would be right; may be empty.
    pub advice: String,
}

/// Likeness (0 to 1) from which a valid name is offered for an unknown one: `lr` finds `learning_rate`, `ifa` `iaf`.
const LIKE_ENOUGH: f64 = 0.65;

pub fn explain(error: &toml::de::Error, document: &DeTable<'_>) -> Mistake {
    let message = error.message();
    // A missing top-level table has an empty range at the start of the file: nothing to point at.
    let span = error.span().filter(|span| !span.is_empty());
    let path = span.as_ref().and_then(|span| path_at(document, span)).unwrap_or_default();

    if let Some(names) = message.strip_prefix("unknown field ") {
        let (what, advice) = unknown("key", names, &path);
        return Mistake { span, what, advice };
    }
    if let Some(names) = message.strip_prefix("unknown variant ") {
        let (what, advice) = unknown("choice", names, &path);
        return Mistake { span, what, advice };
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return Mistake { span, what: missing(name.trim_matches('`'), &path), advice: String::new() };
    }
    if message.starts_with("wanted ") || message.contains("expected newtype variant") {
        return choice(document, &path, span);
    }
    if let Some((found, expected)) = message.split_once(", expected ")
        && let Some(what) = wrong_value(document, &path, found, expected)
    {
        return Mistake { span, what, advice: String::new() };
    }
    Mistake { span, what: prefixed(&path, message), advice: String::new() }
}

/// Byte range of a key's value, or of the innermost table on the way to it that is there.
pub fn locate(document: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    let mut table = document;
    let mut found = None;
    for name in key.split('.') {
        let Some((key, value)) = table.get_key_value(name) else { break };
        let DeValue::Table(inner) = value.get_ref() else { return Some(value.span()) };
        found = Some(key.span());
        table = inner;
    }
    found
}

/// Names from the top to the key whose own range, or whose value's range, is `span`.
fn path_at(table: &DeTable<'_>, span: &Range<usize>) -> Option<Vec<String>> {
    for (key, value) in table {
        let name = || key.get_ref().to_string();
        if let DeValue::Table(inner) = value.get_ref()
            && let Some(mut path) = path_at(inner, span)
        {
            path.insert(0, name());
            return Some(path);
        }
        if key.span() == *span || holds(value, span) {
            return Some(vec![name()]);
        }
    }
    None
}

/// Whether a value, or one in its list, has this range.
fn holds(value: &toml::Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    value.span() == *span
        || matches!(value.get_ref(), DeValue::Array(values) if values.iter().any(|value| holds(value, span)))
}

/// `names` reads: `` `wrong`, expected one of `a`, `b` ``.
fn unknown(sort: &str, names: &str, path: &[String]) -> (String, String) {
    let mut quoted = names.split('`').skip(1).step_by(2);
    let wrong = quoted.next().unwrap_or("");
    let valid: Vec<&str> = quoted.collect();
    let within = path.split_last().map_or(&[][..], |(_, within)| within).join(".");
    let full = |name: &str| if within.is_empty() { name.to_owned() } else { format!("{within}.{name}") };

    let nearest = valid
        .iter()
        .map(|name| (likeness(wrong, name), name))
        .filter(|(likeness, _)| *likeness >= LIKE_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let table = if within.is_empty() { "at the top".to_owned() } else { format!("in [{within}]") };
    let all = format!("{sort}s {table}: {}", valid.join(", "));
    let advice = nearest.map_or(all.clone(), |(_, name)| format!("try: `{}`\n{all}", full(name)));
    (format!("unknown {sort} `{}`", full(wrong)), advice)
}

fn missing(name: &str, path: &[String]) -> String {
    match (path.is_empty(), kinds(name)) {
        (false, _) => format!("missing key `{}.{name}`", path.join(".")),
        (true, Some(kinds)) => format!("missing table `[{name}.<kind>]`: <kind> is one of {kinds}"),
        (true, None) if name == "format" => "missing key `format`: add `format = 1` at the top".to_owned(),
        (true, None) => format!("missing table `[{name}]`"),
    }
}

/// A table that must hold exactly one other table holds none, more, or is not a table.
fn choice(document: &DeTable<'_>, path: &[String], span: Option<Range<usize>>) -> Mistake {
    let name = path.join(".");
    let kinds = kinds(&name).unwrap_or_default();
    let one = format!("expected exactly one table `[{name}.<kind>]`: <kind> is one of {kinds}");
    let Some(DeValue::Table(choices)) = value_at(document, path) else {
        return Mistake { span, what: format!("`{name}` is not a table"), advice: one };
    };
    // The one that came last (an override after the file) is the one too many.
    let mut keys: Vec<_> = choices.keys().collect();
    keys.sort_by_key(|key| key.span().start);
    match keys[..] {
        [first, .., last] => Mistake {
            span: Some(last.span()),
            what: format!("two choices in `{name}`: `{name}.{first}` and `{name}.{last}`"),
            advice: one,
        },
        _ => Mistake { span, what: format!("no choice in `{name}`"), advice: one },
    }
}

fn value_at<'a>(document: &'a DeTable<'_>, path: &[String]) -> Option<&'a DeValue<'a>> {
    let (first, rest) = path.split_first()?;
    let within = |value: &'a DeValue<'_>, name: &String| Some(value.as_table()?.get(name.as_str())?.get_ref());
    rest.iter().try_fold(document.get(first.as_str())?.get_ref(), within)
}

fn kinds(choice: &str) -> Option<String> {
    let entries = match choice {
        "unit" => registry::UNITS,
        "task" => registry::TASKS,
        "network.rule" => registry::RULES,
        _ => return None,
    };
    Some(entries.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "))
}

/// `found` reads: ``invalid type: integer `3` ``; `expected` is a Rust type or a description.
fn wrong_value(document: &DeTable<'_>, path: &[String], found: &str, expected: &str) -> Option<String> {
    let key = path.join(".");
    let found = found.strip_prefix("invalid type: ").or_else(|| found.strip_prefix("invalid value: "))?;
    // Of a list of tables serde takes the first for the first field; another mistake is about an element of a list that may be.
    if let (Some(DeValue::Array(_)), "sequence" | "map") = (value_at(document, path), found) {
        return Some(format!("`{key}` is a list: expected one value, or one table `[{key}]`"));
    }
    let expected = match expected {
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" => format!("a whole number from 0 to {}", u64::MAX),
        "f32" | "f64" => "a number".to_owned(),
        "an array of length 8" => "a list of 8, one for each population".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "text in quotes".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    };
    let found = if found == "map" { "a table" } else { found };
    Some(format!("`{key}`: expected {expected}, found {found}"))
}

fn prefixed(path: &[String], message: &str) -> String {
    if path.is_empty() { message.to_owned() } else { format!("`{}`: {message}", path.join(".")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_not_written_is_found_at_its_table() {
        let file = "[run]\nname = 'x'\n[es.adam]\n";
        let document = DeTable::parse(file).unwrap();
        let found = |key| locate(document.get_ref(), key).map(|span| &file[span]);
        assert_eq!(found("run.name"), Some("'x'"));
        assert_eq!(found("run.seed"), Some("run"));
        assert_eq!(found("es.adam.beta1"), Some("adam"));
        assert_eq!(found("es.momentum.momentum"), Some("es"));
        assert_eq!(found("snes.sigma"), None);
    }
}

//! Which keys two effective configs disagree on, for the message that refuses to resume under another one.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::MAY_CHANGE;
use crate::column::search::run as search;

/// Whether a key decides a run's bits, as [`crate::plan::Plan::hash`] and [`Search::hash`](search::Search::hash) see
/// it.
fn decides(key: &str) -> bool {
    key != "run.name" && !MAY_CHANGE.contains(&key) && !search::MAY_CHANGE.contains(&key)
}

/// `key (before -> now)` for each key that differs and decides a run's bits; empty where either text is no TOML.
pub fn keys(before: &str, now: &str) -> Vec<String> {
    match (before.parse::<Table>(), now.parse::<Table>()) {
        (Ok(before), Ok(now)) => between(&before, &now, decides),
        _ => Vec::new(),
    }
}

/// `key (before -> now)` for each key that differs and `counts`.
pub fn between(before: &Table, now: &Table, counts: fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    compare("", (before, now), counts, &mut found);
    found
}

/// Every value by its whole key, `es.sigma`.
pub fn flat(table: &Table) -> BTreeMap<String, Value> {
    let mut flattened = BTreeMap::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) => {
                flattened.extend(flat(inner).into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            _ => {
                flattened.insert(name.clone(), value.clone());
            }
        }
    }
    flattened
}

fn compare(prefix: &str, (before, now): (&Table, &Table), counts: fn(&str) -> bool, found: &mut Vec<String>) {
    for (name, old) in before {
        let key = format!("{prefix}{name}");
        match (old, now.get(name)) {
            (Value::Table(old), Some(Value::Table(new))) => compare(&format!("{key}."), (old, new), counts, found),
            (_, Some(new)) if old == new || !counts(&key) => {}
            (Value::Table(_), _) => found.push(format!("{key} (gone)")),
            (_, Some(new)) => found.push(format!("{key} ({old} -> {new})")),
            (_, None) => found.push(format!("{key} ({old} -> not set)")),
        }
    }
    let added = now.iter().filter(|(name, _)| !before.contains_key(*name));
    found.extend(added.map(|(name, new)| match new {
        Value::Table(_) => format!("{prefix}{name} (new)"),
        _ => format!("{prefix}{name} (not set -> {new})"),
    }));
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn names_every_key_that_decides_the_bits() {
        let before =
            "format = 1\n[run]\nname = 'a'\ngenerations = 5\nseed = 1\n[unit.enu]\nmemory = 4\n[es]\nsigma = 0.1";
        let now = "format = 1\n[run]\nname = 'b'\ngenerations = 9\nseed = 2\n[unit.gru]\nmemory = 4\n[es]\nalpha = 3";
        assert_eq!(
            keys(before, now),
            [
                "es.sigma (0.1 -> not set)",
                "es.alpha (not set -> 3)",
                "run.seed (1 -> 2)",
                "unit.enu (gone)",
                "unit.gru (new)"
            ]
        );
        assert!(keys(before, before).is_empty());
        assert!(keys("= no toml", now).is_empty());
    }
}

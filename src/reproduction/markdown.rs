//! Kept results as the tables of README and docs: between marks in these files stands nothing that was typed.
//!
//! `<!-- tables -->` begins a line for each table, `<!-- tables: all -->` every row; both end at `<!-- /tables -->`.

use std::fs;
use std::path::{Path, PathBuf};

use super::result::{Compared, Reproduced, Row};
use super::{TABLES, Table, Whose};
use crate::error::{Error, Result};
use crate::report::compare::probability;

const END: &str = "<!-- /tables -->";
const BLOCKS: [(&str, Block); 2] = [("<!-- tables -->", summary), ("<!-- tables: all -->", all)];
/// What stands in a block.
type Block = fn(&[Reproduced]) -> String;
/// Where a summary's lines lead, from the repository's root.
const PAGE: &str = "docs/results/tables.md";
/// From here on a difference counts as chance.
const LEVEL: f64 = 0.05;

/// All results in a folder, in the order of the tables: the paper's settings first, what was scaled down last.
///
/// # Errors
/// When a file cannot be read, is no result, or is of no table that there is.
pub fn read_all(folder: &Path) -> Result<Vec<Reproduced>> {
    let entries = fs::read_dir(folder).map_err(|source| Error::io("read", folder, source))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    let mut results = Vec::new();
    for path in paths {
        let result = Reproduced::read(&path)?;
        let Some(place) = TABLES.iter().position(|table| table.name == result.table) else {
            return Err(Error::bad_file(&path, format!("there is no table {}", result.table)));
        };
        results.push((place, result));
    }
    let is_scaled = |result: &Reproduced| result.rows.iter().any(|row| !row.scaled.is_empty());
    results.sort_by_key(|(place, result)| (*place, result.quick, is_scaled(result), result.settings));
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// A text with all its blocks made anew.
///
/// # Errors
/// When it has no block, or one that does not end.
pub fn update(text: &str, results: &[Reproduced]) -> Result<String> {
    let (mut out, mut rest) = (String::new(), text);
    let mut found = false;
    loop {
        let next =
            BLOCKS.iter().filter_map(|(mark, make)| Some((rest.find(mark)?, *mark, make))).min_by_key(|(at, ..)| *at);
        let Some((at, mark, make)) = next else { break };
        found = true;
        let (before, inside) = rest.split_at(at + mark.len());
        let end = inside
            .find(END)
            .ok_or_else(|| Error::Config(format!("a block {mark} does not end; try: a line {END} after it")))?;
        out += &format!("{before}\n\n{}\n", make(results));
        rest = &inside[end..];
    }
    if !found {
        let marks = BLOCKS.map(|(mark, _)| mark).join(" or ");
        return Err(Error::Config(format!("there is no block for tables; try: a line {marks}, and a line {END}")));
    }
    Ok(out + rest)
}

/// A line for each table.
pub fn summary(results: &[Reproduced]) -> String {
    let mut text = "| table | what it is | what is kept of it |\n|---|---|---|\n".to_owned();
    for table in &TABLES {
        let of_table: Vec<&Reproduced> = results.iter().filter(|result| result.table == table.name).collect();
        let mut kept: Vec<String> =
            of_table.iter().filter(|result| !result.quick).map(|result| counted(result, table)).collect();
        if kept.is_empty() {
            kept.push(if of_table.is_empty() { "nothing yet" } else { "scaled down only (`--quick`)" }.into());
        }
        text += &format!("| [`{0}`]({PAGE}#{0}) | {1} | {2} |\n", table.name, table.summary, kept.join("; "));
    }
    text
}

/// `the paper's settings: parts 11 of 12, figures that differ from the paper's (p < 0.05): 5 of 11`
fn counted(result: &Reproduced, table: &Table) -> String {
    let tested: Vec<f64> = result.rows.iter().filter_map(|row| Some(row.test?.p)).collect();
    let differ = tested.iter().filter(|p| **p < LEVEL).count();
    let parts = table.named_parts().len();
    let mut there: Vec<&str> = result.rows.iter().map(|row| row.part.as_str()).collect();
    there.dedup();
    let tests = match tested.len() {
        0 => "no figure that can be tested".into(),
        n => format!("figures that differ from the paper's (p < {LEVEL}): {differ} of {n}"),
    };
    format!("{}: parts {} of {parts}, {tests}", result.described(), there.len())
}

/// Every row of every result.
pub fn all(results: &[Reproduced]) -> String {
    let mut text = String::new();
    for table in &TABLES {
        let mut of_table = results.iter().filter(|result| result.table == table.name).peekable();
        if of_table.peek().is_none() {
            continue;
        }
        text += &format!("## {}\n\n{}.\n\n", table.name, capital(table.summary));
        for result in of_table {
            text += &of_result(result);
        }
    }
    text.trim_end().to_owned() + "\n"
}

fn of_result(result: &Reproduced) -> String {
    let flags = format!(
        "{}{}",
        if result.settings == Whose::Ours { " --ours" } else { "" },
        if result.quick { " --quick" } else { "" }
    );
    let mut text = format!("**{}** (`phylon reproduce {}{flags}`)\n\n", capital(&result.described()), result.table);
    text += "| | | ours, mean +- sd | over | paper, mean +- sd | over | p (Welch) | time | config | notes |\n";
    text += "|---|---|---|---|---|---|---|---|---|---|\n";
    let (notes, scaled) = (distinct(&result.rows, |row| &row.notes), distinct(&result.rows, |row| &row.scaled));
    for row in &result.rows {
        let marks: Vec<String> = row.notes.iter().filter_map(|note| place(&notes, note)).collect();
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | `{}` | {} |\n",
            row.column,
            row.name,
            spread(row.mean, row.sd),
            row.over(),
            row.paper.map_or("-".into(), |paper| spread(paper.mean, paper.sd)),
            row.paper.and_then(|paper| paper.n).map_or("-".into(), |n| n.to_string()),
            row.test.map_or("-".into(), |test| probability(test.p)),
            row.seconds.map_or("-".into(), duration),
            row.config,
            marks.join(", ")
        );
    }
    text += "\n";
    for (number, note) in notes.iter().enumerate() {
        text += &format!("{}. {}.\n", number + 1, capital(note));
    }
    if !notes.is_empty() {
        text += "\n";
    }
    if !scaled.is_empty() {
        text += "Scaled down:\n\n";
        for change in scaled {
            let of: Vec<&str> =
                result.rows.iter().filter(|row| row.scaled.contains(change)).map(|row| row.column.as_str()).collect();
            let every = of.len() == result.rows.len();
            let whose = if every { String::new() } else { format!(" in {}", unique(&of).join(", ")) };
            text += &format!("- {change}{whose}\n");
        }
        text += "\n";
    }
    for column in result.comparisons.chunk_by(|a, b| a.column == b.column) {
        let pairs: Vec<String> = column.iter().map(pair).collect();
        text += &format!("{}, Mann-Whitney, corrected for its pairs: {}.\n\n", column[0].column, pairs.join("; "));
    }
    let devices: Vec<&str> =
        result.rows.iter().map(|row| row.device.as_str()).filter(|device| !device.is_empty()).collect();
    if !devices.is_empty() {
        text += &format!("Done on: {}.\n\n", unique(&devices).join("; "));
    }
    let sources: Vec<&str> = result.rows.iter().filter_map(|row| row.source.as_deref()).collect();
    if !sources.is_empty() {
        text += &format!("Taken from: {}.\n\n", unique(&sources).join("; "));
    }
    text
}

/// All that rows say, each once, in their order.
fn distinct(rows: &[Row], of: impl Fn(&Row) -> &Vec<String>) -> Vec<&String> {
    let mut found: Vec<&String> = Vec::new();
    for said in rows.iter().flat_map(of) {
        if !found.contains(&said) {
            found.push(said);
        }
    }
    found
}

fn unique<'t>(texts: &[&'t str]) -> Vec<&'t str> {
    let mut found: Vec<&str> = Vec::new();
    for text in texts {
        if !found.contains(text) {
            found.push(text);
        }
    }
    found
}

/// The number of a note, from 1.
fn place(notes: &[&String], note: &String) -> Option<String> {
    notes.iter().position(|other| *other == note).map(|place| (place + 1).to_string())
}

/// `ENU > GRU in 100 % (p = 0.0003 ***)`
fn pair(compared: &Compared) -> String {
    let Compared { first, second, larger, corrected_p, stars, .. } = compared;
    let stars = if stars.is_empty() { String::new() } else { format!(" {}", stars.replace('*', "\\*")) };
    format!("{first} > {second} in {:.0} % (p {}{stars})", 100.0 * larger, equal(*corrected_p))
}

/// `= 0.012`, `< 1e-290`
fn equal(p: f64) -> String {
    let p = probability(p);
    if p.starts_with('<') { p } else { format!("= {p}") }
}

/// `-18.22 +- 2.44`
pub fn spread(mean: f64, sd: Option<f64>) -> String {
    // Both with as many places as the larger needs.
    let places = match mean.abs().max(sd.unwrap_or(0.0)) {
        large if large >= 1.0 => 2,
        small if small >= 0.1 => 3,
        _ => 4,
    };
    match sd {
        Some(sd) => format!("{mean:.places$} +- {sd:.places$}"),
        None => format!("{mean:.places$}"),
    }
}

/// `0.9 s`, `75 s`, `12 min`, `3.4 h`
pub fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        _ if seconds < 120.0 => format!("{seconds:.0} s"),
        _ if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        _ if seconds < 172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::super::Published;
    use super::*;

    fn results() -> Vec<Reproduced> {
        let paper = Some(Published { mean: -18.22, sd: Some(2.44), n: Some(30) });
        let row = |part, name, values: &[f64]| Row::new([part, "IAF", name], values, "trials", paper, None);
        let mut rows = vec![row("iaf-enu", "ENU", &[-18.0, -19.0]), row("iaf-gru", "GRU", &[-50.0, -51.0, -50.5])];
        rows[0].scaled = vec!["es.population (1024 -> 64)".into()];
        let comparisons =
            super::super::result::compare(&[("IAF", "ENU", vec![1.0, 2.0, 3.0]), ("IAF", "GRU", vec![0.0, 0.1, 0.2])]);
        vec![Reproduced { table: "enu-table1".into(), settings: Whose::Paper, quick: false, rows, comparisons }]
    }

    #[test]
    fn blocks_are_made_anew_and_the_rest_is_left() {
        let results = results();
        let text = "# A\n<!-- tables -->\nold\n<!-- /tables -->\n\n<!-- tables: all -->\n<!-- /tables -->\nend\n";
        let once = update(text, &results).unwrap();
        assert_eq!(update(&once, &results).unwrap(), once);
        assert!(
            once.starts_with("# A\n<!-- tables -->\n\n| table") && once.ends_with("<!-- /tables -->\nend\n"),
            "{once}"
        );
        assert!(
            !once.contains("old")
                && once.contains("parts 2 of 13, figures that differ from the paper's (p < 0.05): 1 of 2"),
            "{once}"
        );
        assert!(once.contains("| IAF | ENU | -18.50 +- 0.71 | 2 trials | -18.22 +- 2.44 | 30 | 0."), "{once}");
        assert!(
            once.contains("- es.population (1024 -> 64) in IAF\n") && once.contains("ENU > GRU in 100 %"),
            "{once}"
        );
        for (wrong, why) in [("no block", "there is no block"), ("<!-- tables -->\n", "does not end")] {
            let error = update(wrong, &results).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_folder_of_results_is_in_the_tables_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut result = results().remove(0);
        for (name, table, quick) in [("a", "column-all", true), ("b", "enu-table1", true), ("c", "enu-table1", false)] {
            (result.table, result.quick) = (table.to_owned(), quick);
            fs::write(folder.path().join(format!("{name}.json")), result.to_json().unwrap()).unwrap();
        }
        fs::write(folder.path().join("notes.md"), "x").unwrap();
        let all = read_all(folder.path()).unwrap();
        let order: Vec<_> = all.iter().map(|of| (of.table.as_str(), of.quick)).collect();
        assert_eq!(order, [("enu-table1", false), ("enu-table1", true), ("column-all", true)]);
        result.table = "table9".into();
        fs::write(folder.path().join("d.json"), result.to_json().unwrap()).unwrap();
        assert!(read_all(folder.path()).unwrap_err().to_string().contains("there is no table table9"));
    }

    #[test]
    fn numbers_have_the_places_they_need() {
        assert_eq!(spread(-18.216, Some(2.444)), "-18.22 +- 2.44");
        assert_eq!(spread(0.0309, None), "0.0309");
        assert_eq!([9.94, 75.0, 600.0, 9000.0, 8.64e5].map(duration), ["9.9 s", "75 s", "10 min", "2.5 h", "10 days"]);
    }
}

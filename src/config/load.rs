//! A config file and its `--set` overrides -> a plan, with every mistake reported where it was made.
//!
//! File and overrides become one spanned document over one text, so that whatever is wrong, wherever it came from and
//! whichever stage finds it (syntax, types, plan), a byte range leads back to a line of the file or to an override.
//! The file must be well-formed by itself before overrides are applied: a mistake in it is not hidden by a `--set`.

mod explain;
mod text;

use std::borrow::Cow;
use std::path::Path;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, Network};
use crate::error::{Error, Result};
use crate::plan::Plan;
use text::{Setting, Text};

type Document<'a> = Spanned<DeTable<'a>>;

/// Read a config file, apply overrides of the form `es.population=4096` in their order, and derive the plan.
///
/// The right side of an override is a TOML value; what is not one is taken as text (`run.name=first`).
///
/// # Errors
/// [`Error::Config`] with `file:line:column` (or the override), the key, the line itself and what is allowed.
pub fn load(path: &Path, overrides: &[String]) -> Result<Plan> {
    let file = std::fs::read_to_string(path)
        .map_err(|e| Error::Config(format!("cannot read the config {}: {e}", path.display())))?;
    plan(&path.display().to_string(), &file, overrides)
}

/// The effective config, every default written out; loads back to an equal one.
pub fn to_toml(config: &Config) -> String {
    toml::to_string(config).expect("a config is tables of numbers, booleans and text, all of which TOML can hold")
}

fn plan(name: &str, file: &str, overrides: &[String]) -> Result<Plan> {
    let text = Text::new(name, file, overrides);
    let mut document = DeTable::parse(text.file()).map_err(|e| text.error(e.span(), e.message(), ""))?;
    typed(&document, &text)?;
    for setting in text.settings() {
        set(document.get_mut(), &setting)?;
    }
    let mut config = typed(&document, &text)?;
    if let Some(network) = &mut config.network {
        read_edges(network, Path::new(name))
            .map_err(|why| text.error(explain::locate(document.get_ref(), "network.edges_file"), &why, ""))?;
    }
    Plan::new(config).map_err(|invalid| {
        let span = explain::locate(document.get_ref(), &invalid.key);
        text.error(span, &invalid.to_string(), "")
    })
}

/// The lines of `edges_file`, relative to the config's folder, become `edges`.
fn read_edges(network: &mut Network, config: &Path) -> std::result::Result<(), String> {
    let Some(file) = &network.edges_file else { return Ok(()) };
    if network.edges.is_some() {
        return Err("`network.edges_file`: there is network.edges too; keep one".into());
    }
    let path = config.parent().unwrap_or(Path::new("")).join(file);
    let text = std::fs::read_to_string(&path)
        .map_err(|e| format!("`network.edges_file`: cannot read {}: {e}", path.display()))?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim()).filter(|line| !line.is_empty());
    network.edges = Some(lines.map(str::to_owned).collect());
    network.edges_file = None;
    Ok(())
}

fn typed(document: &Document<'_>, text: &Text) -> Result<Config> {
    Config::deserialize(document.clone().into_deserializer()).map_err(|e| {
        let mistake = explain::explain(&e, document.get_ref());
        text.error(mistake.span, &mistake.what, &mistake.advice)
    })
}

/// Put the value of an override into the document, with the tables on the way to it.
fn set<'a>(document: &mut DeTable<'a>, setting: &Setting<'a>) -> Result<()> {
    let refuse = |why: String| Error::Config(format!("--set {}: {why}", setting.text));
    let Some((key, value)) = setting.text.split_once('=') else {
        return Err(refuse("expected key=value, for example es.population=64".into()));
    };

    let mut table = document;
    let mut start = setting.start;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        let name = part.trim();
        if name.is_empty() {
            return Err(refuse(format!("`{}` is not a key", key.trim())));
        }
        let span = start..start + part.len();
        start = span.end + 1;
        let spanned = Spanned::new(span.clone(), Cow::Borrowed(name));
        if parts.peek().is_some() {
            let empty = || Spanned::new(span, DeValue::Table(DeTable::new()));
            match table.entry(spanned).or_insert_with(empty).get_mut() {
                DeValue::Table(inner) => table = inner,
                _ => return Err(refuse(format!("`{name}` holds a value, it has no keys below it"))),
            }
        } else {
            let value = setting_value(value, start);
            let held = table.get(name).is_some_and(|held| held.get_ref().is_table());
            if held || value.get_ref().is_table() {
                return Err(refuse(format!("`{}` is a table: set the keys in it one by one", key.trim())));
            }
            table.insert(spanned, value);
            return Ok(());
        }
    }
    Ok(())
}

/// The right side of an override, which begins at `start` of the text.
fn setting_value(value: &str, start: usize) -> Spanned<DeValue<'_>> {
    let start = start + value.len() - value.trim_start().len();
    let value = value.trim();
    let parsed = DeValue::parse(value).map_or_else(|_| DeValue::String(Cow::Borrowed(value)), Spanned::into_inner);
    Spanned::new(start..start + value.len(), parsed)
}

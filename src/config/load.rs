//! A config file and its `--set` overrides -> a plan or a column, with every mistake reported where it was made.
//!
//! File and overrides become one spanned document over one text, so that whatever is wrong, wherever it came from and
//! whichever stage finds it (syntax, types, plan), a byte range leads back to a line of the file or to an override.
//! The file must be well-formed by itself before overrides are applied: a mistake in it is not hidden by a `--set`.

mod explain;
mod text;

use std::borrow::Cow;
use std::path::Path;

use serde::Serialize;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Column, Config, Network};
use crate::error::{Error, Result};
use crate::plan::{Invalid, Plan};
use text::{Setting, Text};

type Document<'a> = Spanned<DeTable<'a>>;

/// What a config file is about.
#[derive(Debug)]
pub enum Subject {
    /// Units that evolve.
    Evolution(Box<Plan>),
    /// A cortical column: the file has a table `[column]`.
    Column(Box<Column>),
}

/// Read a config file and apply overrides of the form `es.population=4096` in their order.
///
/// The right side of an override is a TOML value; what is not one is taken as text (`run.name=first`).
///
/// # Errors
/// [`Error::Config`] with `file:line:column` (or the override), the key, the line itself and what is allowed.
pub fn read(path: &Path, overrides: &[String]) -> Result<Subject> {
    let file = std::fs::read_to_string(path)
        .map_err(|e| Error::Config(format!("cannot read the config {}: {e}", path.display())))?;
    read_text(path, &file, overrides)
}

/// As [`read`], of the text that a file at `path` would have: messages name it, and what it refers to lies beside it.
///
/// # Errors
/// Those of [`read`].
pub fn read_text(path: &Path, file: &str, overrides: &[String]) -> Result<Subject> {
    let name = path.display().to_string();
    let text = Text::new(&name, file, overrides);
    let document = DeTable::parse(text.file()).map_err(|e| text.error(e.span(), e.message(), ""))?;
    if document.get_ref().contains_key("column") {
        return Ok(Subject::Column(Box::new(column(document, &text)?)));
    }
    Ok(Subject::Evolution(Box::new(plan(path, document, &text)?)))
}

/// The plan of a config file in which units evolve.
///
/// # Errors
/// Those of [`read`], and when the file is a column's.
pub fn load(path: &Path, overrides: &[String]) -> Result<Plan> {
    let shown = path.display();
    match read(path, overrides)? {
        Subject::Evolution(plan) => Ok(*plan),
        Subject::Column(_) => Err(Error::Config(format!(
            "{shown} has a table [column]: it is a cortical column's; try: phylon simulate {shown}"
        ))),
    }
}

/// The column of a config file.
///
/// # Errors
/// Those of [`read`], and when the file has no table `[column]`.
pub fn load_column(path: &Path, overrides: &[String]) -> Result<Column> {
    let shown = path.display();
    match read(path, overrides)? {
        Subject::Column(column) => Ok(*column),
        Subject::Evolution(_) => Err(Error::Config(format!(
            "{shown} has no table [column]: it is no cortical column's; try: phylon run {shown}"
        ))),
    }
}

/// The effective config, every default written out; loads back to an equal one.
pub fn to_toml(config: &impl Serialize) -> String {
    toml::to_string(config).expect("a config is tables of numbers, booleans and text, all of which TOML can hold")
}

fn plan<'t>(path: &Path, document: Document<'t>, text: &'t Text) -> Result<Plan> {
    let (mut config, document): (Config, _) = overridden(document, text)?;
    if let Some(network) = &mut config.network {
        read_edges(network, path)
            .map_err(|why| text.error(explain::locate(document.get_ref(), "network.edges_file"), &why, ""))?;
    }
    Plan::new(config).map_err(|invalid| at_its_key(&invalid, &document, text))
}

fn column<'t>(document: Document<'t>, text: &'t Text) -> Result<Column> {
    let (mut column, document): (Column, _) = overridden(document, text)?;
    if let Some(search) = &mut column.search {
        search.complete();
    }
    column.check().map_err(|invalid| at_its_key(&invalid, &document, text))?;
    Ok(column)
}

/// What a document is with the overrides in it, and that document.
fn overridden<'t, T: DeserializeOwned>(mut document: Document<'t>, text: &'t Text) -> Result<(T, Document<'t>)> {
    typed::<T>(&document, text)?;
    for setting in text.settings() {
        set(document.get_mut(), &setting)?;
    }
    Ok((typed(&document, text)?, document))
}

fn at_its_key(invalid: &Invalid, document: &Document<'_>, text: &Text) -> Error {
    text.error(explain::locate(document.get_ref(), &invalid.key), &invalid.to_string(), "")
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

fn typed<T: DeserializeOwned>(document: &Document<'_>, text: &Text) -> Result<T> {
    T::deserialize(document.clone().into_deserializer()).map_err(|e| {
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

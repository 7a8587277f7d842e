//! The config file and the overrides as one text, so that a byte range says which of them it lies in.

use std::ops::Range;

use crate::error::Error;

/// File first, then the overrides, a line break between.
pub struct Text {
    /// Path of the file as the user gave it.
    name: String,
    all: String,
    file: Range<usize>,
    settings: Vec<Range<usize>>,
}

/// One override and where in the text it begins.
pub struct Setting<'a> {
    pub text: &'a str,
    pub start: usize,
}

impl Text {
    pub fn new(name: &str, file: &str, overrides: &[String]) -> Self {
        let mut all = file.to_owned();
        let settings = overrides
            .iter()
            .map(|setting| {
                all.push('\n');
                let start = all.len();
                all.push_str(setting);
                start..all.len()
            })
            .collect();
        Self { name: name.to_owned(), all, file: 0..file.len(), settings }
    }

    pub fn file(&self) -> &str {
        &self.all[self.file.clone()]
    }

    pub fn settings(&self) -> impl Iterator<Item = Setting<'_>> {
        self.settings.iter().map(|range| Setting { text: &self.all[range.clone()], start: range.start })
    }

    /// `place: what`, the line with carets below the range, and the advice; parts that are empty are left out.
    ///
    /// A mistake without a range is one of the file as a whole, such as a table that is missing.
    pub fn error(&self, span: Option<Range<usize>>, what: &str, advice: &str) -> Error {
        let place = self.place(span.as_ref().map_or(0, |span| span.start));
        let line = span.filter(|span| span.start <= self.file.end).map(|span| self.line(span)).unwrap_or_default();
        let advice = if advice.is_empty() { String::new() } else { format!("\n{advice}") };
        Error::Config(format!("{place}: {what}{line}{advice}"))
    }

    /// `file:line:column`, or the override that `offset` lies in.
    pub fn place(&self, offset: usize) -> String {
        if let Some(setting) = self.settings().find(|s| (s.start..=s.start + s.text.len()).contains(&offset)) {
            return format!("--set {}", setting.text);
        }
        let before = self.before(offset);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }

    fn line(&self, span: Range<usize>) -> String {
        let before = self.before(span.start);
        let number = (before.matches('\n').count() + 1).to_string();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let content = self.file()[start..].lines().next().unwrap_or("");
        // A tab stays a tab, so that the caret stands below its character however wide tabs are shown.
        let indent: String = before[start..].chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let marked = self.file().get(span.start..span.end.min(start + content.len())).unwrap_or("").chars().count();
        let gutter = " ".repeat(number.len());
        format!("\n{gutter} |\n{number} | {content}\n{gutter} | {indent}{}", "^".repeat(marked.max(1)))
    }

    fn before(&self, offset: usize) -> &str {
        self.file().get(..offset).unwrap_or_else(|| self.file())
    }
}

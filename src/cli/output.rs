//! Results on stdout: a reader that goes away, as in `phylon list units | head -1`, is no failure.

use std::io::{ErrorKind, Write};

use phylon::error::{Error, Result};
use serde::Serialize;

/// Prints `text` as it is.
///
/// # Errors
/// When stdout cannot be written for a reason other than that nobody reads it, such as a full disk.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Error::io("write", "stdout", e)),
        _ => Ok(()),
    }
}

/// Prints `value` as indented JSON.
///
/// # Errors
/// As [`print`].
pub fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::Run(format!("cannot write JSON: {e}")))?;
    print(&(text + "\n"))
}

/// Four digits and a prefix: `1.234 M`.
pub fn si(value: f64) -> String {
    let scaled = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n")];
    let (unit, prefix) = scaled.into_iter().find(|(unit, _)| value.abs() >= *unit).unwrap_or((1.0, ""));
    format!("{:.3} {prefix}", value / unit)
}

/// 1234567 -> 1,234,567
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

//! The program as a user runs it, for the tests of its commands.

// Every test program uses a part of it.
#![allow(dead_code)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// `arguments` are separated by blanks.
pub fn phylon(folder: &Path, arguments: &str) -> Output {
    let binary = env!("CARGO_BIN_EXE_phylon");
    Command::new(binary).args(arguments.split_whitespace()).current_dir(folder).output().unwrap()
}

/// Stdout of a command that must succeed.
pub fn succeed(folder: &Path, arguments: &str) -> String {
    let output = phylon(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "phylon {arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What a command that must succeed prints as JSON.
pub fn json(folder: &Path, arguments: &str) -> Value {
    serde_json::from_str(&succeed(folder, arguments)).unwrap()
}

/// Stderr of a command that must fail with `code` and print no result.
pub fn fail(folder: &Path, arguments: &str, code: i32) -> String {
    let output = phylon(folder, arguments);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "phylon {arguments}: {stderr}");
    assert_eq!(text(&output.stdout), "", "phylon {arguments}");
    stderr
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

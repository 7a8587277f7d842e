//! README and the book under docs/ keep their word: commands that the program has, files and links that are there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// No command has it: what clap complains of first is then right up to here.
const UNKNOWN: &str = "--an-option-that-no-command-has";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README, CONTRIBUTING and all of docs/, with their text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("docs")];
    let mut paths: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "benches/README.md", "kernels/README.md"]
            .map(|name| root().join(name))
            .into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                paths.push(path);
            }
        }
    }
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// Lines of indented or fenced blocks that call the program, without comments, `\` at their ends joined.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut is_fenced = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
            continue;
        }
        let Some(code) = line.strip_prefix("    ").or(is_fenced.then_some(line)) else { continue };
        let mut code = code.trim().trim_start_matches("$ ").to_owned();
        while code.ends_with('\\') {
            code.pop();
            code += lines.next().unwrap_or_default().trim();
        }
        let called = code.strip_prefix("cargo run --release -- ").map(|rest| format!("phylon {rest}")).unwrap_or(code);
        if called.starts_with("phylon ") {
            commands.push(called);
        }
    }
    commands
}

/// As a shell takes it apart: quotes, and what follows `#`, `>`, `|` or `&&` is not the program's. Its output or comment, two
/// blanks away from the command, is not either.
fn arguments(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut characters = command.chars().chain([' ']).peekable();
    while let Some(c) = characters.next() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            (' ', None) => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                if characters.peek().is_some_and(|&next| " #>|&".contains(next)) {
                    break;
                }
            }
            (c, _) => word.push(c),
        }
    }
    words
}

#[test]
fn commands_are_taken_apart_as_a_shell_does() {
    let text = "text phylon no\n    phylon run a.toml --set 'x=[\"a b\"]'   # why\n    cargo run --release -- list \\\n        units\n";
    let found: Vec<Vec<String>> = commands(text).iter().map(|command| arguments(command)).collect();
    assert_eq!(found, [vec!["phylon", "run", "a.toml", "--set", "x=[\"a b\"]"], vec!["phylon", "list", "units"]]);
}

#[test]
fn every_command_is_one_the_program_has() {
    let mut seen = 0;
    for (path, text) in pages() {
        for command in commands(&text) {
            let arguments = arguments(&command);
            // What a reader is to fill in, as in `phylon COMMAND --help`.
            if arguments[1..].iter().any(|word| word == "COMMAND" || word.contains("...")) {
                continue;
            }
            let output =
                Command::new(env!("CARGO_BIN_EXE_phylon")).args(&arguments[1..]).arg(UNKNOWN).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            let is_known =
                stderr.contains(&format!("unexpected argument '{UNKNOWN}'")) || arguments.iter().any(|a| a == "--help");
            assert!(is_known, "{}: {command}\n{stderr}", path.display());
            for file in arguments.iter().filter(|word| word.starts_with("configs/") && word.ends_with(".toml")) {
                assert!(file.contains('*') || root().join(file).is_file(), "{}: {command}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} commands were found");
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    for (path, text) in pages() {
        let folder = path.parent().unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.contains(char::is_whitespace) || target.is_empty() {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { folder.join(file) };
            assert!(file.exists(), "{}: {target}", path.display());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&file).unwrap();
                let is_there = text.lines().filter(|line| line.starts_with('#')).any(|line| anchor_of(line) == anchor);
                assert!(is_there, "{}: {target}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} links were found");
}

/// Of a heading, as code hosts and mdBook make them.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_page_is_in_the_book() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    for (path, _) in pages() {
        let Ok(page) = path.strip_prefix(root().join("docs")) else { continue };
        let page = page.to_string_lossy();
        assert!(page == "SUMMARY.md" || summary.contains(&format!("({page})")), "docs/SUMMARY.md does not list {page}");
    }
}

//! The reports of all kinds of runs and of the battery in a browser; those of sweeps and comparisons are in `sweep.rs`.

mod browser;
mod program;

use std::fs;

use program::{fail, succeed};

/// Paths, curves and tuning of seven assays, and the levels of four variants.
const DRAWN_BY_THE_BATTERY: usize = 18;

/// A run of this config, its page opened, which must have so many drawings.
fn opens(config: &str, drawings: usize) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tiny.toml"), config).unwrap();
    succeed(folder.path(), "run tiny.toml --quiet --name tiny");
    let page = folder.path().join("runs/tiny/report.html");
    let text = fs::read_to_string(&page).unwrap();
    assert_eq!(text.matches("<svg").count(), drawings, "the page of\n{config}");
    browser::open(&page, drawings);
    assert!(!is_loading_anything(&text), "a page stands by itself");
}

/// From elsewhere, that is.
fn is_loading_anything(page: &str) -> bool {
    ["src=\"http", "<link", "@import", "url(http"].iter().any(|way| page.contains(way))
}

fn evolved(unit: &str, rest: &str) -> String {
    format!(
        "format = 1\n[run]\nname = 'tiny'\ngenerations = 3\nvalidate_every = 1\nvalidation_episodes = 4\n[unit.{unit}]\n{rest}\n[es]\npopulation = 8\n"
    )
}

#[test]
fn of_units() {
    opens(&evolved("enu", "memory = 4\n[task.iaf]\nenvironments = 2\nsteps = 40"), 4);
    opens(&evolved("gru", "inputs = 4\nmemory = 4\n[task.stdp]\nenvironments = 2\nsteps = 40"), 4);
}

#[test]
fn of_agents_in_a_maze() {
    let maze =
        "inputs = 16\nmemory = 4\noutputs = 16\n[network]\n[task.t_maze]\nenvironments = 2\nactions = 20\nenergy = 20";
    opens(&evolved("enu", maze), 7);
}

#[test]
fn of_a_search_of_a_column() {
    let search = "format = 1\n[search]\ngroup = 'structure'\nsimulations = 12\nwarm_up = 50\ncounted = 100\nheld_out = 2\n\
                  held_out_seconds = 0.2\n[search.cma_es]\npopulation = 4\n[column]\nneuron_scale = 0.02\n";
    opens(search, 3);
}

#[test]
fn of_the_battery() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), "battery --controller positive --lives 40 --no-conditions --out judged");
    browser::open(&folder.path().join("judged/battery.html"), DRAWN_BY_THE_BATTERY);
}

#[test]
fn of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert!(fail(folder.path(), "report runs/nothing", 2).contains("runs/nothing"));
    assert!(!folder.path().join("runs").exists());
}

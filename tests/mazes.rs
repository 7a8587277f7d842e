//! `phylon eval` and `phylon render` of runs in mazes: what they show, what probes take away, and what is refused.

mod program;

use std::fs;

use program::{fail, json, succeed};
use tempfile::TempDir;

/// A fresh folder with a finished run of `task`, `runs/maze`, and its report.
fn ran_maze(task: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "format = 1\n[run]\nname = 'maze'\ngenerations = 2\nvalidate_every = 1\nseed = 6\nfirst_centres = 200\n\
         [unit.enu]\ninputs = 6\nmemory = 5\noutputs = 6\ninitial_scale = 3\n[network]\n\
         [task.{task}]\nenvironments = 8\nactions = 60\nenergy = 40\nticks_per_action = 2\n[es]\npopulation = 64\nsigma = 0.5\n"
    );
    fs::write(folder.path().join("maze.toml"), text).unwrap();
    succeed(folder.path(), "run maze.toml --quiet");
    folder
}

#[test]
fn eval_in_a_maze_shows_what_is_eaten_and_first_choices_beside_players() {
    for (task, chance) in [("t_maze", 0.5), ("double_t_maze", 0.25)] {
        let folder = ran_maze(task);
        let shown = succeed(folder.path(), "eval runs/maze --episodes 300");
        assert!(
            shown.starts_with("fitness ") && shown.contains("\n300 fresh episodes of seed 1; best centre "),
            "{shown}"
        );
        for row in ["agent ", "reflex ", "win-stay lose-shift "] {
            assert_eq!(shown.lines().filter(|line| line.starts_with(row)).count(), 3, "{row} in {shown}");
        }
        assert!(shown.contains("p < 1e-") || shown.contains("p = "), "{shown}");
        let tables: Vec<Vec<&str>> = shown.split("\n\n").map(|table| table.lines().collect()).collect();
        for table in &tables[1..4] {
            let rows = &table[table.len() - 4..];
            assert!(rows.iter().all(|row| row.len() == rows[0].len()), "aligned: {rows:?}");
        }

        let evaluated = json(folder.path(), "eval runs/maze --episodes 300 --json");
        assert_eq!((&evaluated["episodes"], &evaluated["which"]), (&300.into(), &"best".into()));
        assert_eq!(evaluated["probe"]["dark"], false);
        let (food, poison) = (evaluated["food"].as_f64().unwrap(), evaluated["poison"].as_f64().unwrap());
        assert!((food - poison - evaluated["mean"].as_f64().unwrap()).abs() < 1e-9, "{evaluated}");
        let references = &evaluated["references"];
        for player in [&evaluated, &references["reflex"], &references["win_stay_lose_shift"]] {
            for test in [&player["food_against_poison"], &player["first_choice"]["one_against_none"]] {
                let (p, larger) = (test["p"].as_f64().unwrap(), test["larger"].as_f64().unwrap());
                assert!(p > 0.0 && p <= 1.0 && (0.0..=1.0).contains(&larger), "{test}");
            }
            for groups in ["outcomes_met", "trials_since_move"] {
                assert_eq!(player["first_choice"][groups].as_array().unwrap().len(), 4, "{player}");
            }
        }
        assert_eq!(references["reflex"]["poison"], 0.0);
        let share = |player: &str, met: usize| {
            references[player]["first_choice"]["outcomes_met"][met]["share"].as_f64().unwrap()
        };
        assert!((share("reflex", 0) - chance).abs() < 0.08 && (share("reflex", 2) - chance).abs() < 0.08);
        assert!(share("win_stay_lose_shift", 2) > 1.5 * chance);

        let alone = json(folder.path(), "eval runs/maze --episodes 300 --json --threads 1");
        assert_eq!(alone, evaluated);
        let by_default = json(folder.path(), "eval runs/maze --json");
        assert_eq!(by_default["episodes"], 1000);
    }
}

#[test]
fn probes_are_for_mazes() {
    let folder = ran_maze("t_maze");
    for (flag, field) in [
        ("--no-reward-signal", "no_reward_signal"),
        ("--freeze-synapses", "freeze_synapses"),
        ("--no-noise", "no_noise"),
        ("--dark", "dark"),
    ] {
        let probed = json(folder.path(), &format!("eval runs/maze --episodes 20 --json {flag}"));
        for (probe, on) in probed["probe"].as_object().unwrap() {
            assert_eq!(on.as_bool(), Some(probe == field), "{flag}: {probed}");
        }
        let shown = succeed(folder.path(), &format!("eval runs/maze --episodes 20 {flag}"));
        assert!(shown.contains(&format!("\nagent, {} ", &flag[2..])), "{shown}");
    }
    let probed = json(folder.path(), "eval runs/maze --episodes 20 --json --no-noise");
    assert_eq!((&probed["food"], &probed["starved"]), (&0.0.into(), &1.0.into()), "a network at rest stays there");
}

#[test]
fn render_draws_the_lives_that_eval_scores() {
    for task in ["t_maze", "double_t_maze"] {
        let folder = ran_maze(task);
        let report = fs::read_to_string(folder.path().join("runs/maze/report.html")).unwrap();
        assert!(report.contains("<figure id=\"life\">"));

        let (mut earned, mut eaten) = (0, 0);
        for episode in 0..20 {
            let drawn = json(folder.path(), &format!("render runs/maze --seed 3 --episode {episode} --json"));
            let of = |key: &str| drawn[key].as_i64().unwrap();
            assert_eq!((&drawn["path"], &drawn["run"]), (&"runs/maze/life.svg".into(), &"maze".into()));
            assert_eq!((of("seed"), of("episode"), &drawn["which"]), (3, episode, &"best".into()));
            assert!((40..=60).contains(&of("actions")) && drawn["shown"] == serde_json::json!([0, of("actions")]));
            (earned, eaten) = (earned + of("food") - of("poison"), eaten + of("food") + of("poison"));
        }
        let mean = json(folder.path(), "eval runs/maze --seed 3 --episodes 20 --json")["mean"].as_f64().unwrap();
        assert!((20.0 * mean - earned as f64).abs() < 1e-3, "{mean} is not {earned} in 20 episodes");
        assert!(eaten > 0, "nobody ate, which shows little");

        let film = fs::read_to_string(folder.path().join("runs/maze/life.svg")).unwrap();
        roxmltree::Document::parse(&film).unwrap();
        assert!(film.contains("fresh episode 19 of seed 3"), "{film}");
    }
}

#[test]
fn render_takes_actions_probes_and_a_file() {
    let folder = ran_maze("t_maze");
    let shown = succeed(folder.path(), "render runs/maze --actions 5..9 --out some.svg --which last");
    assert!(
        shown.starts_with("some.svg\nactions 5 to 9 of the ")
            && shown.ends_with("; last centre (after 2 generations)\n")
    );
    let read = || fs::read_to_string(folder.path().join("some.svg")).unwrap();
    assert!(!folder.path().join("runs/maze/life.svg").exists() && !read().contains("no noise"));
    for (flag, said) in [
        ("--dark", "colour sensors dark"),
        ("--no-reward-signal", "no reward signal"),
        ("--freeze-synapses", "synapses frozen"),
        ("--no-noise", "no noise"),
    ] {
        succeed(folder.path(), &format!("render runs/maze --out some.svg {flag}"));
        assert!(read().contains(&format!("of seed 1, {said}<")), "{flag}: {}", read());
    }
    let traces = |film: &str| film.split("stroke-linejoin").map(str::len).collect::<Vec<_>>();
    let quiet = traces(&read());
    succeed(folder.path(), "render runs/maze --out some.svg");
    assert_ne!(traces(&read()), quiet, "no noise makes no difference");

    succeed(folder.path(), "render runs/maze");
    succeed(folder.path(), "run maze.toml --quiet --no-report --force");
    assert!(!folder.path().join("runs/maze/life.svg").exists(), "the film of a run that is gone");
}

#[test]
fn render_refuses_what_it_cannot_draw() {
    let folder = ran_maze("t_maze");
    for (arguments, why) in [
        ("--out life.gif", "error: cannot write life.gif: "),
        ("--out life", "try: --out life.svg"),
        ("--actions 70..80", "error: --actions 70..80: the life is over after "),
        ("--actions 5..5", "expected FROM below TO"),
        ("--actions 0", "expected FROM below TO"),
        ("--actions some", "FROM..TO"),
        ("--episode 10000", "10000"),
    ] {
        let stderr = fail(folder.path(), &format!("render runs/maze {arguments}"), 2);
        assert!(stderr.contains(why), "{arguments}: {stderr}");
    }
    let stderr = fail(folder.path(), "render runs/maze --out nowhere/life.svg", 1);
    assert!(stderr.contains("nowhere/life.svg"), "{stderr}");
}

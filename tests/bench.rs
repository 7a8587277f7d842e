//! `phylon bench` with the real binary: cases, files, comparisons; what it measures is nobody's business here.

mod program;

use std::fs;

use program::{fail, json, phylon, succeed, text};
use serde_json::Value;

fn rows(record: &Value) -> &Vec<Value> {
    record["rows"].as_array().unwrap()
}

#[test]
fn cases_come_from_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let listed = succeed(folder.path(), "bench --list --device cpu");
    let expected = [
        phylon::registry::TASKS.iter().map(|task| format!("evolution/{}-enu ", task.name)).collect::<Vec<_>>(),
        phylon::registry::UNITS.iter().map(|unit| format!("evolution/iaf-{} ", unit.name)).collect(),
        phylon::registry::WorldKind::ALL.iter().map(|world| format!("rollout/{}-policy ", world.spec().name)).collect(),
    ];
    for case in expected.concat() {
        assert!(listed.contains(&case), "{case} is not in\n{listed}");
    }
    assert!(!listed.contains("enu-fast"), "the CPU has one mode");
    let json: Value = json(folder.path(), "bench --list --json rollout/acrobot");
    let names: Vec<&str> = json.as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "rollout/acrobot-random",
            "rollout/acrobot-policy",
            "rollout/acrobot-f32-random",
            "rollout/acrobot-f32-policy"
        ]
    );
}

#[test]
fn a_result_is_kept_and_compared_with_later() {
    let folder = tempfile::tempdir().unwrap();
    let cases = "bench --device cpu rollout/cartpole-f32-random synaptogen/growth-law-16 column/wiring";
    let first: Value = json(folder.path(), &format!("{cases} --out first.json --json"));
    let parts: Vec<String> = rows(&first)
        .iter()
        .map(|row| {
            assert!(row["rate"].as_f64().unwrap() > 0.0, "{row}");
            format!(
                "{} {} {}",
                row["case"].as_str().unwrap(),
                row["part"].as_str().unwrap(),
                row["unit"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        parts,
        [
            "ceiling copy B/s",
            "ceiling f32 FLOP/s",
            "rollout/cartpole-f32-random steps env-steps/s",
            "synaptogen/growth-law-16 agents agents/s",
            "column/wiring synapses synapses/s"
        ]
    );
    // Half the rates of the first, under another name of the device; one row is missing.
    let mut other = first.clone();
    other.as_object_mut().unwrap().remove("vs");
    other["device"] = "another".into();
    let changed = other["rows"].as_array_mut().unwrap();
    changed.remove(3);
    changed.iter_mut().for_each(|row| row["rate"] = 1e-3.into());
    fs::write(folder.path().join("other.json"), other.to_string()).unwrap();
    let output = phylon(folder.path(), &format!("{cases} --vs other.json --vs first.json"));
    let table = text(&output.stdout);
    assert!(table.contains("vs 1  other.json: another, phylon"), "{table}");
    let ratios = |case: &str| -> Vec<String> {
        let line = table.lines().find(|line| line.starts_with(case)).unwrap();
        line.split_whitespace().rev().take(2).map(str::to_owned).collect()
    };
    assert_eq!(ratios("synaptogen/growth-law-16")[1], "-", "{table}");
    for case in ["ceiling", "rollout/", "column/"] {
        let [of_first, of_other] = &ratios(case)[..] else { panic!("{table}") };
        let times = |ratio: &str| ratio.strip_suffix('x').unwrap().parse::<f64>().unwrap();
        // Rates are far above a thousandth, and a machine does not change by that.
        assert!(times(of_other) > 1e3 * times(of_first) && times(of_first) > 0.0, "{table}");
    }
}

#[test]
fn mistakes_are_found_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let stderr = fail(folder.path(), "bench rollout/cartpol3", 2);
    assert!(stderr.contains("there is no case `rollout/cartpol3`; try: `rollout/cartpole"), "{stderr}");
    assert!(fail(folder.path(), "bench --vs nothing.json", 1).starts_with("error: cannot read nothing.json: "));
    fs::write(folder.path().join("broken.json"), "{\"format\": 1}").unwrap();
    let stderr = fail(folder.path(), "bench --vs broken.json", 1);
    assert!(
        stderr.contains("broken.json is not usable: missing field") && stderr.contains("phylon bench --out"),
        "{stderr}"
    );
    let newer =
        "{\"format\": 2, \"phylon\": \"9\", \"date\": \"\", \"device\": \"\", \"processor\": \"\", \"rows\": []}";
    fs::write(folder.path().join("newer.json"), newer).unwrap();
    assert!(fail(folder.path(), "bench --vs newer.json", 1).contains("its format is 2, not 1"));
}

/// Every kind of case runs on a device; times of the stand-in driver mean nothing.
#[cfg(feature = "emu")]
#[test]
fn every_kind_of_case_runs_on_a_device() {
    let folder = tempfile::tempdir().unwrap();
    let cases = "evolution/iaf-enu evolution/t_maze-enu-fast rollout/cartpole-random rollout/lunar-lander-policy synaptogen/assembly \
                 synaptogen/growth-law-16 synaptogen/agents synaptogen/dqn-lunar-lander column";
    let record: Value = json(folder.path(), &format!("bench --device emu {cases} --json"));
    let has = |case: &str, part: &str| rows(&record).iter().any(|row| row["case"] == case && row["part"] == part);
    for (case, part) in [
        ("ceiling", "tensor"),
        ("evolution/iaf-enu", "generation"),
        ("evolution/iaf-enu-fast", "rank"),
        ("evolution/t_maze-enu-fast", "mean_fitness"),
        ("rollout/lunar-lander-policy", "steps"),
        ("synaptogen/assembly", "profiles"),
        ("synaptogen/growth-law-16", "agents"),
        ("synaptogen/dqn-lunar-lander", "steps"),
        ("column/wiring", "synapses"),
        ("synaptogen/agents", "steps"),
        ("column/many", "events"),
        ("column/one", "columns"),
    ] {
        assert!(has(case, part), "{case} {part}");
    }
}

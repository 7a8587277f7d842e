//! `phylon battery`, as its users meet it.

use std::fs;
#[cfg(feature = "emu")]
use std::path::Path;

use phylon::policy::{Activation, Mlp};

use crate::program::{fail, succeed};

#[test]
fn the_program_judges_what_it_has_evolved() {
    let place = tempfile::tempdir().unwrap();
    let config = "format = 1\n[run]\nname = 'e'\ngenerations = 2\nvalidate_every = 1\nvalidation_episodes = 4\n[unit.gru]\n\
                  memory = 3\noutputs = 2\n[task.assay]\nassays = ['preference']\nlives = 4\n[es]\npopulation = 4\n";
    fs::write(place.path().join("e.toml"), config).unwrap();
    succeed(place.path(), "run e.toml --quiet --device cpu");
    let shown = succeed(place.path(), "battery runs/e --lives 40 --no-conditions");
    assert!(
        shown.starts_with("E  conditioned preference, and the swap of what is rewarded: fail (runs/e, 40 lives)"),
        "{shown}"
    );
    // All that have its senses and motors, and its stage.
    assert!(shown.contains("\nF  two tasks in a row") && !shown.contains("\nA  "), "{shown}");
    assert!(shown.contains("\nstage reached: 0 of 4, none\n") && shown.contains("A chemotaxis: not judged"), "{shown}");
    let stderr = fail(place.path(), "battery runs/e --assay C", 2);
    assert!(stderr.contains("runs/e cannot be in assay C (avoidance): it has no cue 1, cue 2"), "{stderr}");
    let stderr = fail(place.path(), "battery runs/e --assay G", 2);
    assert!(stderr.contains("assay G is no world"), "{stderr}");

    fs::write(
        place.path().join("iaf.toml"),
        config.replace("[task.assay]\nassays = ['preference']\nlives = 4", "[task.iaf]"),
    )
    .unwrap();
    succeed(place.path(), "run iaf.toml --quiet --device cpu --name iaf");
    let stderr = fail(place.path(), "battery runs/iaf", 2);
    assert!(stderr.contains("cannot judge runs/iaf: its task is in no world"), "{stderr}");
    let stderr = fail(place.path(), "run e.toml --set task.assay.assays=['orientation']", 2);
    assert!(stderr.contains("`task.assay.assays`: in orientation no animal moves"), "{stderr}");
    let stderr = fail(place.path(), "run e.toml --set task.assay.assays=['A','C'] --set unit.gru.outputs=4", 2);
    assert!(stderr.contains("`unit.gru.outputs`: 4 is too few: the animal has 5 motors"), "{stderr}");
}

#[test]
fn the_program_judges_controls_nulls_and_files() {
    let place = tempfile::tempdir().unwrap();
    let shown = succeed(place.path(), "battery --controller positive --assay E --assay two-tasks --lives 400");
    assert!(shown.contains("E  conditioned preference, and the swap of what is rewarded: pass"), "{shown}");
    assert!(shown.ends_with("passed: 2 of 2  report: runs/battery/battery.html\n"), "{shown}");
    let page = fs::read_to_string(place.path().join("runs/battery/battery.html")).unwrap();
    roxmltree::Document::parse(&page.replacen("<!DOCTYPE html>", "", 1)).unwrap();
    assert!(page.contains("<figure id=\"preference\">") && !page.contains("NaN"));
    let mut table = csv::Reader::from_path(place.path().join("runs/battery/battery.csv")).unwrap();
    // Five criteria and five conditions, of both.
    assert_eq!(table.records().map(Result::unwrap).filter(|row| row[21] == *"pass").count(), 20);

    let shown = succeed(place.path(), "battery --controller null --assay C --lives 100 --json --no-conditions --out n");
    let answer: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(answer["assays"][0]["verdict"], "fail");
    assert_eq!(answer["assays"][0]["criteria"][2]["score"], "specificity index");
    // It avoids nothing, which is six standard errors less than the snails' 21 of 50; mice's latencies were not checked.
    let likeness = |criterion: usize| answer["assays"][0]["criteria"][criterion]["likeness"].clone();
    assert!((likeness(1)["distance"].as_f64().unwrap() + 6.0).abs() < 1.5, "{}", likeness(1));
    assert_eq!([likeness(0), likeness(2)], ["unverified", "unknown"]);
    assert!(answer["stages"].is_null());

    let shown =
        succeed(place.path(), "battery --controller positive --assay overlap --assay alternation --lives 400 --out v");
    assert!(shown.contains("F  variant, two tasks in a row with cues that look alike: pass"), "{shown}");
    assert!(shown.contains("\nstage: none, for these are specialists"), "{shown}");
    assert!(shown.contains("passed: 2 of 2"), "{shown}");
    let page = fs::read_to_string(place.path().join("v/battery.html")).unwrap();
    roxmltree::Document::parse(&page.replacen("<!DOCTYPE html>", "", 1)).unwrap();
    assert!(page.contains("<figure id=\"overlap\">") && !page.contains("NaN"));

    // A network that goes in whatever it sees: of the box alone, and so judged in no other.
    let mut mlp = Mlp::new(&[8, 2], Activation::Identity);
    mlp.parameters_mut()[16] = 1.0;
    mlp.write(&place.path().join("goes.npz")).unwrap();
    let shown = succeed(place.path(), "battery goes.npz --lives 100 --no-conditions");
    assert!(shown.starts_with("C  one-shot avoidance in a step-through box: fail (goes.npz, 100 lives)"), "{shown}");
    assert!(shown.contains("passed: 0 of 1"), "{shown}");

    // A layer is in the assays to whose motors it has synapses.
    let layer = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/layers/rewarded-stdp.toml");
    let shown = succeed(place.path(), &format!("battery {layer} --lives 20 --no-conditions"));
    assert!(["\nE  ", "\nF  "].iter().all(|letter| shown.contains(letter)) && shown.starts_with("C  "), "{shown}");
    let stderr = fail(place.path(), &format!("battery {layer} --assay D"), 2);
    assert!(stderr.contains("cannot be in assay D (reversal): it has no synapse to forward, left"), "{stderr}");
    fs::write(
        place.path().join("typo.toml"),
        fs::read_to_string(layer).unwrap().replace("left cue 4", "left cue four"),
    )
    .unwrap();
    let stderr = fail(place.path(), "battery typo.toml", 1);
    assert!(stderr.contains("no assay has a sense \"left cue four\""), "{stderr}");
}

/// What `phylon battery` prints of these as JSON on the CPU is what it prints on the stand-in driver, but for the time that it took.
#[cfg(feature = "emu")]
fn judged_alike(place: &Path, whose: &str) -> serde_json::Value {
    let judged = |device: &str| -> (String, serde_json::Value) {
        let command = format!("battery {whose} --json --device {device}");
        let mut answer: serde_json::Value = serde_json::from_str(&succeed(place, &command)).unwrap();
        for judgement in answer["assays"].as_array_mut().unwrap() {
            judgement["seconds"].take();
        }
        (answer["device"].take().as_str().unwrap().to_owned(), answer)
    };
    let (cpu, device) = (judged("cpu"), judged("emu"));
    assert_eq!(cpu.1, device.1);
    assert!(cpu.0.starts_with("cpu") && device.0.starts_with("cuda:0"), "{} and {}", cpu.0, device.0);
    cpu.1
}

#[cfg(feature = "emu")]
#[test]
fn runs_and_populations_are_judged_alike_on_a_device() {
    let place = tempfile::tempdir().unwrap();
    judged_alike(place.path(), "--controller positive --assay G --lives 2");
    let config = |name: &str, network: &str, assays: &str| {
        let text = format!(
            "format = 1\n[run]\nname = '{name}'\ngenerations = 2\n[unit.enu]\ninputs = 14\nmemory = 4\noutputs = 14\n{network}\
             [task.assay]\nassays = [{assays}]\nlives = 4\n[es]\npopulation = 4\n"
        );
        fs::write(place.path().join("c.toml"), text).unwrap();
        succeed(place.path(), "run c.toml --quiet --no-report --device cpu");
    };
    config("e", "", "'E'");
    let answer = judged_alike(place.path(), "runs/e --lives 40");
    assert_eq!(answer["assays"].as_array().unwrap().len(), 4, "E and F, and a variant of each: {answer}");

    config("large", "[network]\nneurons = 30\nsynapses = 30\nrandom.seed = 1\n", "'C'");
    let stderr = fail(place.path(), "battery runs/large --lives 4 --device emu", 3);
    assert!(stderr.contains("too large") && stderr.contains("--device cpu"), "{stderr}");
}

#[test]
fn mistakes_are_named() {
    let place = tempfile::tempdir().unwrap();
    let stderr = fail(place.path(), "battery --controller null --assay salt", 2);
    assert!(stderr.contains("there is no assay \"salt\"; try: one of A (chemotaxis), B (food-memory)"), "{stderr}");
    let stderr = fail(place.path(), "battery", 2);
    assert!(stderr.contains("--controller"), "{stderr}");
    let stderr = fail(place.path(), "battery .", 2);
    assert!(stderr.contains(". is no run folder"), "{stderr}");
    Mlp::new(&[3, 2], Activation::Relu).write(&place.path().join("small.npz")).unwrap();
    let stderr = fail(place.path(), "battery small.npz --assay A", 1);
    assert!(stderr.contains("chemotaxis has 7 observations"), "{stderr}");
    assert!(!place.path().join("runs").exists());
}

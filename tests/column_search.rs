//! Searches of a column's parameters with the real program: what they print and leave, the same bits on any number of
//! threads and whatever stopped them, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use phylon::column::Parameters;
use phylon::column::search::{Problem, outcome::Outcome};
use phylon::config::{self, Column};
use tempfile::TempDir;

/// A fiftieth of the neurons for 0.15 s, 20 candidates.
const CONFIG: &str = "format = 1
[search]
group = 'structure'
simulations = 20
warm_up = 50
counted = 100
held_out = 3
held_out_seconds = 0.2
[search.cma_es]
population = 4
[column]
neuron_scale = 0.02
";

/// A folder in which [`CONFIG`] has run, and what it printed.
static RAN: LazyLock<(Place, String)> = LazyLock::new(|| {
    let place = Place::new(CONFIG);
    let shown = place.succeed("run tiny.toml");
    (place, shown)
});

struct Place(TempDir);

impl Place {
    fn new(config: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.0.path().join("tiny.toml"), config).unwrap();
        place
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_phylon"));
        command.args(arguments.split_whitespace()).current_dir(&self.0);
        command
    }

    fn output(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn succeed(&self, arguments: &str) -> String {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(0), "phylon {arguments}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Stderr of a command that must fail with `code` and print no result.
    fn fail(&self, arguments: &str, code: i32) -> String {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(code), "phylon {arguments}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "", "phylon {arguments}");
        text(&output.stderr)
    }

    /// A file of the search.
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("runs/tiny").join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn outcome(&self) -> Outcome {
        serde_json::from_str(&self.read("result.json")).unwrap()
    }

    /// All that must not depend on what happened on the way.
    fn bits(&self) -> (String, String, Outcome) {
        (self.read("candidates.csv"), self.read("best.toml"), Outcome { seconds: 0.0, ..self.outcome() })
    }

    /// Fields of the rows of candidates.csv.
    fn candidates(&self) -> Vec<Vec<String>> {
        self.read("candidates.csv").lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn column(path: &Path) -> Column {
    config::load_column(path, &[]).unwrap()
}

/// JSON's numbers come back with an error in their last digit.
fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-14 * b.abs()
}

#[test]
fn a_search_leaves_its_folder() {
    let (place, shown) = &*RAN;
    assert_eq!(shown, "run: runs/tiny  report: runs/tiny/report.html\n");
    let head = "generation,candidate,error,reward,clipped,L23E,L23I,L4E,L4I,L5E,L5I,L6E,L6I,rate L23E,rate L4E,rate L5E,rate L6E\n";
    assert!(place.read("candidates.csv").starts_with(head));
    let rows = place.candidates();
    assert_eq!(rows.len(), 20);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!((row[0].parse(), row[1].parse()), (Ok(i / 4), Ok(i % 4)));
        let numbers: Vec<f64> = row.iter().map(|field| field.parse().unwrap()).collect();
        let targets = [(5, 0.3), (7, 1.4), (9, 2.5), (11, 0.5)];
        let error: f64 = targets.iter().map(|&(at, target): &(usize, f64)| (numbers[at] - target).abs()).sum();
        assert!((numbers[2] - error).abs() < 1e-12 && (numbers[3] + error.sqrt()).abs() < 1e-12, "{row:?}");
    }

    let outcome = place.outcome();
    assert_eq!((outcome.generations, outcome.candidates, outcome.simulations, outcome.refused), (5, 20, 20, 0));
    assert_eq!((outcome.training_seeds, outcome.finalists_seeds_are_new, outcome.found.len()), (1, false, 64));
    // The best of the log, judged again with the same seed, and the centre; the answer is the better one.
    let candidate = outcome.entrants.iter().find(|entrant| entrant.candidate.is_some()).unwrap();
    let best = rows.iter().map(|row| row[2].parse::<f64>().unwrap()).fold(f64::INFINITY, f64::min);
    assert!(is_near(candidate.error.unwrap(), best));
    assert_eq!(candidate.error_in_search, candidate.error);
    assert_eq!(outcome.entrants.len(), 2);
    assert!(outcome.entrants[0].error <= outcome.entrants[1].error);

    let page = place.read("report.html");
    for figure in ["error", "rates", "connections"] {
        assert!(page.contains(&format!("<figure id=\"{figure}\">")), "{figure}");
    }
    fs::remove_file(place.path("report.html")).unwrap();
    assert_eq!(place.succeed("report runs/tiny"), "runs/tiny/report.html\n");
    assert_eq!(place.read("report.html"), page);
}

#[test]
fn the_best_column_can_be_simulated() {
    let (place, _) = &*RAN;
    let (config, best) = (column(&place.path("config.toml")), column(&place.path("best.toml")));
    let (search, outcome) = (config.search.clone().unwrap(), place.outcome());
    let (expected, _) = search.group.apply(&config.column, &outcome.answer().actions, 20.0);
    for (found, expected) in best.column.connection.iter().flatten().zip(expected.connection.iter().flatten()) {
        assert!(is_near(*found, *expected), "{found} {expected}");
    }
    let base = Parameters { connection: best.column.connection, ..config.column.clone() };
    assert_eq!(best, Column { column: base, search: None, ..config.clone() });
    assert_ne!(best.column, config.column);
    place.succeed("simulate runs/tiny/best.toml --seconds 0.1 --warm-up 0 --spikes none --out simulated");
    place.succeed("check runs/tiny/config.toml");
}

/// Against simulations one by one, of the length and with the seeds that only the test has.
#[test]
fn the_test_is_with_seeds_of_its_own() {
    let (place, _) = &*RAN;
    let config = column(&place.path("config.toml"));
    let problem = Problem::new(&config.column, config.search.as_ref().unwrap());
    let seeds = problem.held_out(3);
    let used: Vec<_> =
        (0..5).flat_map(|generation| problem.seeds_of(generation)).chain(problem.of_finalists(9)).collect();
    assert!(seeds.iter().all(|seed| !used.contains(seed)));
    let outcome = place.outcome();
    let names: Vec<&str> = outcome.held_out.iter().map(|tested| tested.of.as_str()).collect();
    assert_eq!(names, ["base", "candidate", "centre"]);
    assert_eq!(outcome.held_out.iter().filter(|tested| tested.is_answer).count(), 1);
    let longer = Problem { steps: (500, 2000), ..problem };
    let candidate = outcome.entrants.iter().find(|entrant| entrant.candidate.is_some()).unwrap();
    for (tested, actions) in outcome.held_out.iter().zip([&vec![0.0; 64], &candidate.actions]) {
        let (parameters, _) = longer.group.apply(&longer.base, actions, longer.k);
        let of = |&seeds| longer.simulate(&parameters, seeds).unwrap().unwrap()[4].rate;
        let rates: Vec<f64> = seeds.iter().map(of).collect();
        let mean = rates.iter().sum::<f64>() / 3.0;
        let sd = (rates.iter().map(|rate| (rate - mean) * (rate - mean)).sum::<f64>() / 2.0).sqrt();
        let (seen_mean, seen_sd) = (tested.rates[4].unwrap(), tested.rates_sd[4].unwrap());
        assert!(is_near(seen_mean, mean) && is_near(seen_sd, sd), "{}: {seen_mean} +- {seen_sd}", tested.of);
        let errors: f64 = longer.targets.iter().zip(&tested.measured).map(|(t, seen)| t.error(seen.unwrap())).sum();
        assert!((tested.error_of_means.unwrap() - errors).abs() < 1e-12);
        let mean_error = tested.errors.iter().flatten().sum::<f64>() / 3.0;
        assert!((tested.mean_error.unwrap() - mean_error).abs() < 1e-12 && mean_error >= errors - 1e-12);
    }
}

#[test]
fn bits_are_the_same_on_any_number_of_threads() {
    for threads in [1, 3] {
        let place = Place::new(CONFIG);
        place.succeed(&format!("run tiny.toml --quiet --no-report --threads {threads}"));
        assert!(place.bits() == RAN.0.bits(), "{threads} threads");
    }
}

/// A search that ends and is given more budget goes the way of one that had it all.
#[test]
fn every_searcher_goes_on_where_it_stopped() {
    let ddpg = "[search.ddpg]\nhidden = [6, 5]\nbatch = 4\nmemory = 20\ntest_every = 3\nproposals = 2\n";
    let es = "[search.es]\npopulation = 6\nsigma = 0.3\nantithetic = true\n";
    for (group, searcher) in [
        ("all", "[search.cma_es]\npopulation = 3\n"),
        ("neuron", "[search.snes]\nsigma = 0.5\npopulation = 4\n"),
        ("synapse", es),
        ("synapse", ddpg),
    ] {
        let config = CONFIG.replace("structure", group).replace("[search.cma_es]\npopulation = 4\n", searcher);
        let config =
            config.replace("warm_up = 50", "warm_up = 20\nfresh_seeds = true").replace("counted = 100", "counted = 50");
        let straight = Place::new(&config);
        straight.succeed("run tiny.toml --quiet");
        let resumed = Place::new(&config);
        resumed.succeed("run tiny.toml --quiet --no-report --set search.simulations=9");
        assert!(resumed.outcome().simulations <= 9);
        resumed.succeed("run --resume runs/tiny --quiet --no-report --set search.simulations=20");
        assert!(straight.bits() == resumed.bits(), "{searcher}");
        let rows = straight.candidates();
        assert!(rows.iter().any(|row| row[2] != rows[0][2]), "all candidates are alike: {searcher}");
        let clipped = rows.iter().filter(|row| row[4] != "0").count();
        assert_eq!(straight.outcome().clipped, clipped as u64);
        // Tests are candidates alone in their generation.
        if searcher == ddpg {
            let alone = rows.iter().filter(|row| row[1] == "1").count();
            assert!(rows.len() - 2 * alone >= 3, "{alone} pairs of {} candidates", rows.len());
        }
    }
}

/// Asked to stop, then killed, then left alone.
#[cfg(unix)]
#[test]
fn what_was_stopped_and_killed_ends_like_straight() {
    use std::process::Stdio;
    let config = CONFIG.replace("simulations = 20", "simulations = 80");
    let straight = Place::new(&config);
    straight.succeed("run tiny.toml --quiet --no-report");
    let place = Place::new(&config);
    let rows = || fs::read_to_string(place.path("candidates.csv")).map_or(0, |text| text.lines().count());
    let start = |arguments: &str, until: usize, signal: &str| {
        let mut child = place.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while rows() < until {
            assert!(child.try_wait().unwrap().is_none(), "{arguments} ended at {} rows", rows());
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        child.wait().unwrap().code()
    };
    assert_eq!(start("run tiny.toml --quiet", 14, "-INT"), Some(130));
    let kept = rows();
    assert!((14..81).contains(&kept) && place.path("best.toml").exists() && !place.path("result.json").exists());
    assert_eq!(start("run --resume runs/tiny --quiet", kept + 9, "-KILL"), None);
    fs::write(place.path("candidates.csv"), place.read("candidates.csv") + "9,9,0.0").unwrap();
    place.succeed("run --resume runs/tiny --quiet --no-report");
    assert!(place.bits() == straight.bits());
    // And once more: there is nothing left to search.
    place.succeed("run --resume runs/tiny --quiet --no-report");
    assert!(place.bits() == straight.bits());
}

#[test]
fn finalists_are_judged_again_with_new_seeds() {
    let place =
        Place::new(&CONFIG.replace("held_out = 3", "held_out = 1\nfinalists = 3\nfinalist_seeds = 2\nseeds = 2"));
    place.succeed("run tiny.toml --quiet --no-report");
    let outcome = place.outcome();
    assert_eq!((outcome.training_seeds, outcome.finalists_seeds_are_new, outcome.candidates), (2, true, 8));
    assert_eq!(outcome.entrants.len(), 4);
    assert!(outcome.entrants.windows(2).all(|pair| pair[0].error <= pair[1].error));
    let mut errors: Vec<f64> = place.candidates().iter().map(|row| row[2].parse().unwrap()).collect();
    errors.sort_by(f64::total_cmp);
    let mut finalists: Vec<f64> = outcome.entrants.iter().filter_map(|entrant| entrant.error_in_search).collect();
    finalists.sort_by(f64::total_cmp);
    assert!(
        finalists.iter().zip(&errors).all(|(finalist, error)| is_near(*finalist, *error)),
        "{finalists:?} {errors:?}"
    );
    assert!(
        outcome.entrants.iter().all(|entrant| entrant.error != entrant.error_in_search),
        "new seeds change nothing"
    );
    assert_eq!(outcome.held_out[0].rates_sd, [None; 8], "one seed has no deviation");
}

#[test]
fn candidates_that_fire_too_much_are_counted() {
    let place = Place::new(CONFIG);
    let stderr = place.fail("run tiny.toml --quiet --set search.most_rate=0.001", 1);
    assert!(
        stderr.starts_with("error: no candidate could be judged: all 20 fired at more than search.most_rate"),
        "{stderr}"
    );
    assert!(place.candidates().iter().all(|row| row[2] == "NaN" && row[5] == "NaN"));
    assert!(place.succeed("report runs/tiny").ends_with("report.html\n"));
    assert!(place.read("report.html").contains("has not come to its end"));
}

#[test]
fn mistakes_in_a_config_are_shown_where_they_are() {
    let place = Place::new(CONFIG);
    let keys = [
        ("search.k=0.5", "`search.k`: 0.5 is not a number from 1 on"),
        ("search.simulations=3", "`search.simulations`: 3 is less than one generation takes, 4"),
        ("search.seeds=0", "`search.seeds`: 0 is not in 1 to"),
        ("search.counted=0", "`search.counted`: 0 is not in 1 to"),
        ("search.cma_es.population=1", "`search.cma_es.population`: 1 is not in 2 to"),
        ("search.cma_es.sigma=0", "`search.cma_es.sigma`: 0 is not a finite number above 0"),
        ("search.snes.sigma=1", "`search`: there must be exactly one of [search.cma_es], [search.snes], "),
        ("search.group=axon", "unknown choice `search.axon`\nchoices in [search]: synapse, neuron, structure, all"),
        ("search.finalist=3", "unknown key `search.finalist`\ntry: `search.finalists`"),
        ("thalamus.start=10", "`thalamus`: a search looks at columns without one"),
    ];
    for (setting, message) in keys {
        let stderr = place.fail(&format!("run tiny.toml --set {setting}"), 2);
        assert!(stderr.contains(message), "{setting}: {stderr}");
        assert_eq!(place.fail(&format!("check tiny.toml --set {setting}"), 2), stderr);
    }
    for (from, to, message) in [
        ("[search.cma_es]", "[search.ddpg]\nbatch = 0\n[search.cmaes]", "unknown key `search.cmaes`"),
        (
            "[search.cma_es]\npopulation = 4",
            "[search.ddpg]\nbatch = 0",
            ":10:9: `search.ddpg.batch`: it must be at least 1",
        ),
        (
            "[search.cma_es]\npopulation = 4",
            "[search.es]\npopulation = 3\nantithetic = true",
            "`search.es.population`: 3 is odd",
        ),
        (
            "[search.cma_es]",
            "[[search.targets]]\npopulation = 'L7E'\nvalue = 1\n[search.cma_es]",
            "population \"L7E\" is not one of",
        ),
        (
            "[search.cma_es]",
            "[[search.targets]]\npopulation = 'L4E'\nvalue = 1\nweight = 0\n[search.cma_es]",
            "the weight of L4E is 0",
        ),
    ] {
        let stderr = Place::new(&CONFIG.replace(from, to)).fail("run tiny.toml", 2);
        assert!(stderr.contains(message), "{message}: {stderr}");
    }
    let stderr = Place::new("format = 1\n[column]\n").fail("run tiny.toml", 2);
    assert!(
        stderr.contains("has a table [column] and no [search]") && stderr.contains("try: phylon simulate tiny.toml"),
        "{stderr}"
    );
    assert!(place.fail("run tiny.toml --name a/b", 2).contains("--name a/b: "));
    assert!(!place.0.path().join("runs").exists());
}

#[test]
fn a_folder_is_gone_on_with_only_as_it_was() {
    let place = Place::new(CONFIG);
    place.succeed("run tiny.toml --quiet --no-report --set search.simulations=8");
    assert!(place.fail("run tiny.toml", 2).contains("runs/tiny exists already; try: --resume runs/tiny"));
    let stderr = place.fail("run --resume runs/tiny --set search.seeds=2", 2);
    assert!(
        stderr.contains("only search.simulations and search.held_out and search.held_out_seconds may change"),
        "{stderr}"
    );
    let config = place.read("config.toml");
    fs::write(place.path("config.toml"), config.replace("counted = 100.0", "counted = 90.0")).unwrap();
    assert!(place.fail("run --resume runs/tiny", 1).contains("its checkpoint belongs to another config"));
    fs::write(place.path("config.toml"), &config).unwrap();
    let mut checkpoint = fs::read(place.path("checkpoint.safetensors")).unwrap();
    let middle = checkpoint.len() / 2;
    checkpoint[middle] ^= 1;
    fs::write(place.path("checkpoint.safetensors"), checkpoint).unwrap();
    assert!(place.fail("run --resume runs/tiny", 1).contains("its checksum does not match"));
    fs::write(place.path("own.txt"), "").unwrap();
    place.succeed("run tiny.toml --quiet --no-report --force");
    assert!(place.bits() == RAN.0.bits() && place.path("own.txt").exists());
}

#[test]
fn check_says_what_a_search_comes_to() {
    let place = Place::new(CONFIG);
    let shown = place.succeed("check tiny.toml --set search.seeds=2");
    for row in [
        "parameters                    64",
        "candidates                     4",
        "simulations                    8",
        "generations                    2",
        "budget                        20",
        "model time                   3 s",
    ] {
        assert!(shown.contains(&format!("# {row}  ")), "{row} in {shown}");
    }
    assert!(shown.contains("k = 20.0\n") && shown.contains("population = \"L23E\"\n"), "{shown}");
    fs::write(place.0.path().join("full.toml"), &shown).unwrap();
    assert_eq!(place.succeed("check full.toml"), shown);
    let derived: serde_json::Value = serde_json::from_str(&place.succeed("check tiny.toml --json")).unwrap();
    assert_eq!(derived["derived"]["search"]["generations"], 5);
    assert_eq!(derived["derived"]["search"]["more_simulations"], 2 + 9);
}

/// In batches of a generation, with candidates that are stopped early; and measures that are more than rates.
#[cfg(feature = "emu")]
#[test]
fn a_device_judges_as_the_cpu_does() {
    let small = CONFIG
        .replace("simulations = 20", "simulations = 8")
        .replace("warm_up = 50\ncounted = 100", "warm_up = 40\ncounted = 40\nmost_rate = RATE")
        .replace("held_out = 3\nheld_out_seconds = 0.2", "held_out = 2\nheld_out_seconds = 0.05")
        .replace("[search.cma_es]", "[[search.targets]]\npopulation = 'L4E'\nvalue = 2\nTARGETS[search.cma_es]");
    let synchrony = "[[search.targets]]\npopulation = 'L23E'\nmeasure = 'synchrony'\nvalue = 2\n";
    for (rate, targets) in [("100", synchrony), ("8", "")] {
        let place = Place::new(&small.replace("RATE", rate).replace("TARGETS", targets));
        let run = |device: &str| {
            place.succeed(&format!("run tiny.toml --quiet --no-report --device {device} --force"));
            place.bits()
        };
        let (cpu, emu) = (run("cpu"), run("emu"));
        assert_eq!(cpu, emu, "most_rate = {rate}");
        let refused = cpu.2.refused;
        assert!(if targets.is_empty() { (1..8).contains(&refused) } else { refused == 0 }, "{refused} refused");
    }
}

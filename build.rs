//! Writes `abi.h` from `src/abi/` and `tables.h` from `src/num/`, compiles the kernels with nvcc where there is one, and, for the feature `emu`,
//! compiles the same kernels with g++ behind the stand-in driver of `kernels/emu/`.
//!
//! nvcc is looked for in CUDA_HOME, on PATH, in /usr/local/cuda and in .cuda/, where scripts/cuda-toolkit.sh puts it.
//! Without one the program is built with the CPU backend alone, and says so once; PHYLON_CUDA=require makes that an
//! error, PHYLON_CUDA=skip does not look. PHYLON_CUDA_TARGETS names other targets than the default "80 90a 100". For lints, which run
//! no kernel and for which cargo would compile all of them once more, PHYLON_EMU=skip leaves the stand-in driver empty.

#[path = "src/abi/mod.rs"]
#[allow(dead_code, unused_imports)]
mod abi;
#[path = "src/num/double.rs"]
#[allow(dead_code)]
mod double;
#[path = "src/num/square.rs"]
#[allow(dead_code)]
mod square;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// Oldest first: the first is also embedded as PTX, for cards that are not listed.
const TARGETS: &str = "80 90a 100";

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let kernels = root.join("kernels");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/abi");
    println!("cargo::rerun-if-changed=src/num/double.rs");
    println!("cargo::rerun-if-changed=src/num/square.rs");
    watch(&kernels);
    for variable in ["CUDA_HOME", "PHYLON_CUDA", "PHYLON_CUDA_TARGETS", "PHYLON_EMU"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    write(&out.join("abi.h"), &abi::header());
    write(&out.join("tables.h"), &tables());

    // Each compiler takes minutes of one core.
    thread::scope(|scope| {
        if env::var_os("CARGO_FEATURE_EMU").is_some() {
            scope.spawn(|| emulated(&kernels, &out));
        }
        device(&root, &kernels, &out);
    });
}

/// What devices run.
fn device(root: &Path, kernels: &Path, out: &Path) {
    let image = out.join("kernels.fatbin");
    let wish = env::var("PHYLON_CUDA").unwrap_or_default();
    let (targets, why_none) = match find_nvcc(root) {
        _ if wish == "skip" => (String::new(), "it was built with PHYLON_CUDA=skip"),
        Some(nvcc) => (compile(&nvcc, kernels, out, &image), ""),
        None if wish == "require" => fail(
            "PHYLON_CUDA=require, but nvcc is not in CUDA_HOME, on PATH, in /usr/local/cuda or in .cuda\n\
             try: scripts/cuda-toolkit.sh",
        ),
        None => {
            println!(
                "cargo::warning=no nvcc: built with the CPU backend alone. For the CUDA backend run \
                 scripts/cuda-toolkit.sh and build again"
            );
            (String::new(), "no nvcc was found when it was built; try: scripts/cuda-toolkit.sh, and build again")
        }
    };
    if targets.is_empty() {
        write(&image, "");
    }
    println!("cargo::rustc-env=PHYLON_CUDA_TARGETS={targets}");
    println!("cargo::rustc-env=PHYLON_CUDA_NONE={why_none}");
    println!("cargo::rustc-env=PHYLON_CUDA_REPORT={}", out.join("resources.txt").display());
}

/// The same kernels behind the stand-in driver.
fn emulated(kernels: &Path, out: &Path) {
    if env::var("PHYLON_EMU").is_ok_and(|wish| wish == "skip") {
        return write(&out.join("emulated.so"), "");
    }
    let mut build = Command::new(kernels.join("emu/build.sh"));
    build.arg(kernels.join("all.cu")).arg(out.join("emulated.so"));
    run(build.arg("-I").arg(out).arg("-I").arg(kernels), "the feature emu needs g++");
}

/// The tables of double precision as rows of C++, in digits that no compiler can round.
fn tables() -> String {
    let digits = |x: f64| match x.to_bits() {
        0 => "0.0".to_owned(),
        bits => {
            let (sign, exponent) = (if x < 0.0 { "-" } else { "" }, (bits >> 52 & 0x7ff) as i32 - 1023);
            format!("{sign}0x1.{:013x}p{exponent}", bits & ((1 << 52) - 1))
        }
    };
    let table = |name: &str, rows: Vec<String>| format!("#define {name} {{{}}}\n", rows.join("},{"));
    [
        "// Written by build.rs from src/num/.\n".to_owned(),
        table("SINES", double::ROWS.iter().map(|row| row.map(digits).join(",")).collect()),
        table("LOGARITHMS", square::LOGARITHMS.iter().map(|row| row.map(digits).join(",")).collect()),
        table("POWERS", square::POWERS.iter().map(|(rest, bits)| format!("{},{bits}ull", digits(*rest))).collect()),
    ]
    .concat()
}

/// The sources in a folder; what is written about them there is no reason to compile them again.
fn watch(folder: &Path) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| fail(&format!("cannot read {}: {error}", folder.display())));
    for path in entries.flatten().map(|entry| entry.path()) {
        let source =
            path.extension().is_some_and(|e| ["cu", "cuh", "hpp", "cpp", "sh"].iter().any(|source| e == *source));
        if path.is_dir() {
            watch(&path);
        } else if source {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
}

fn find_nvcc(root: &Path) -> Option<PathBuf> {
    let homes = [
        env::var_os("CUDA_HOME").map(PathBuf::from),
        Some("/usr/local/cuda".into()),
        Some(root.join(".cuda/nvidia/cu13")),
    ];
    let [wished, rest @ ..] = homes.map(|home| home.map(|home| home.join("bin/nvcc")));
    let on_path = env::var_os("PATH")
        .and_then(|path| env::split_paths(&path).map(|folder| folder.join("nvcc")).find(|nvcc| nvcc.is_file()));
    let all = [wished, on_path].into_iter().chain(rest);
    all.flatten().find(|nvcc| nvcc.is_file())
}

/// Compiles for the targets and returns them as text.
fn compile(nvcc: &Path, kernels: &Path, out: &Path, image: &Path) -> String {
    let wished = env::var("PHYLON_CUDA_TARGETS").ok();
    let known = known_targets(nvcc);
    let base = |target: &str| target.trim_end_matches(char::is_alphabetic).to_owned();
    let targets: Vec<&str> = match &wished {
        Some(targets) => targets.split_whitespace().collect(),
        None => TARGETS.split_whitespace().filter(|target| known.contains(&base(target))).collect(),
    };
    let mut command = Command::new(nvcc);
    command.args(["-std=c++17", "-O3", "-fmad=false", "-fatbin", "-t", "0", "-Xptxas", "-v"]);
    for (i, target) in targets.iter().enumerate() {
        let code = if i == 0 { format!("[sm_{target},compute_{target}]") } else { format!("sm_{target}") };
        command.args(["-gencode", &format!("arch=compute_{target},code={code}")]);
    }
    command.arg("-I").arg(out).arg("-I").arg(kernels).arg(kernels.join("all.cu")).arg("-o").arg(image);
    let report = run(&mut command, "the kernels do not compile");
    let version = run(Command::new(nvcc).arg("--version"), "nvcc does not start");
    // For tests/resources.rs: which compiler it was, and what it made.
    write(&out.join("resources.txt"), &format!("{}\n{version}{report}", nvcc.display()));
    targets.iter().map(|target| format!("sm_{target}")).collect::<Vec<_>>().join(" ")
}

/// The numbers of `nvcc --list-gpu-code`.
fn known_targets(nvcc: &Path) -> Vec<String> {
    let list = run(Command::new(nvcc).arg("--list-gpu-code"), "nvcc does not start");
    list.lines().filter_map(|line| line.trim().strip_prefix("sm_")).map(str::to_owned).collect()
}

/// Standard output and error of a command that must succeed.
fn run(command: &mut Command, or_else: &str) -> String {
    let output = command.output().unwrap_or_else(|error| fail(&format!("{or_else}: {command:?}: {error}")));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    if !output.status.success() {
        fail(&format!("{or_else}: {command:?}\n{text}"));
    }
    text
}

fn write(path: &Path, text: &str) {
    // An unchanged file keeps its time.
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).unwrap_or_else(|error| fail(&format!("cannot write {}: {error}", path.display())));
    }
}

fn fail(message: &str) -> ! {
    for line in message.lines() {
        println!("cargo::error={line}");
    }
    std::process::exit(1);
}

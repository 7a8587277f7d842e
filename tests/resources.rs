//! What the compiler made of the kernels, where the build had nvcc: hardly a spill, no more registers than
//! kernels/resources.toml allows, and in the hottest loop the instructions that were meant to be there. PTXAS and the
//! disassembler say this without a GPU. `PHYLON_UPDATE_RESOURCES=1 cargo test --test resources` writes the table anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

const TARGET: &str = "sm_90a";
const REPORT: &str = env!("PHYLON_CUDA_REPORT");
const UPDATE: &str = "PHYLON_UPDATE_RESOURCES=1 cargo test --release --test resources";

/// A multiprocessor of the target has four schedulers, each with this many registers and room for this many warps.
const SCHEDULERS: u32 = 4;
const REGISTERS: u32 = 16_384;
const WARPS: u32 = 16;
/// A warp gets its registers in blocks of this many.
const GRANULARITY: u32 = 256;

/// Of one kernel. `stack` to `shared` in bytes, `shared` without the dynamic part.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
struct Resources {
    registers: u32,
    stack: u32,
    spills: u32,
    shared: u32,
    barriers: u32,
    warps: u32,
    blocks: u32,
}

#[derive(Deserialize)]
struct Table {
    compiler: String,
    kernels: BTreeMap<String, Resources>,
}

/// The kernels that have a stack: which of its contacts a lander has is known at run time, so its state lies in local memory.
/// The loop that its time goes into holds nothing there, see [`a_pass_of_the_lander_in_flight_stays_in_registers`].
const LANDERS: [&str; 3] = ["rollout_world_lunar_lander", "population_world_lunar_lander", "learn"];

/// The kernels that spill, and at most so many bytes of stores and loads: at 128 registers four of their warps share a scheduler,
/// which is faster than three that spill nothing (kernels/README.md).
const SPILL: (&str, u32) = ("rollout_fast_", 80);

/// What one build reported.
struct Build {
    nvcc: PathBuf,
    compiler: String,
    kernels: BTreeMap<String, Resources>,
}

/// None, and why on stderr, where the kernels were not compiled for the target.
fn build() -> Option<Build> {
    if !phylon::gpu::TARGETS.split(' ').any(|target| target == TARGET) {
        eprintln!("passed over: the kernels of this build are not compiled for {TARGET} ({:?})", phylon::gpu::TARGETS);
        return None;
    }
    let report = fs::read_to_string(REPORT).unwrap_or_else(|e| panic!("{REPORT}: {e}"));
    let compiler = report.lines().find_map(|line| line.split_once(", V")).expect("the compiler's version").1;
    Some(Build {
        nvcc: report.lines().next().expect("the compiler's path").into(),
        compiler: compiler.to_owned(),
        kernels: kernels(&report),
    })
}

/// The kernels of `ptxas -v` for the target.
fn kernels(report: &str) -> BTreeMap<String, Resources> {
    let mut kernels = BTreeMap::new();
    let mut current = None;
    for line in report.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            let (name, target) = rest.split_once("' for '").expect("name and target");
            current = (target == format!("{TARGET}'")).then(|| (name.to_owned(), Resources::default()));
        }
        let Some((_, resources)) = &mut current else { continue };
        // "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads"; "Used 96 registers, used 1 barriers, ..."
        for item in line.rsplit("info    : ").next().unwrap_or("").split(", ") {
            let words: Vec<&str> = item.split_whitespace().collect();
            let number = words.iter().find_map(|word| word.parse::<u32>().ok()).unwrap_or(0);
            match words[..] {
                [_, "bytes", "stack", "frame"] => resources.stack = number,
                [_, "bytes", "spill", _] => resources.spills += number,
                ["used" | "Used", _, "registers"] => resources.registers = number,
                ["used" | "Used", _, "barriers"] => resources.barriers = number,
                [_, "bytes", "smem"] => resources.shared = number,
                _ => {}
            }
        }
        if line.contains("Used ")
            && let Some((name, mut resources)) = current.take()
        {
            resources.warps = warps(resources.registers);
            resources.blocks = resources.warps / 4;
            kernels.insert(name, resources);
        }
    }
    kernels
}

/// Warps that a multiprocessor has registers for.
fn warps(registers: u32) -> u32 {
    SCHEDULERS * (REGISTERS / (registers * 32).next_multiple_of(GRANULARITY)).min(WARPS)
}

fn table_path() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("kernels/resources.toml")
}

fn write_table(build: &Build) {
    let mut text = format!(
        "# What ptxas gives each kernel on {TARGET}; tests/resources.rs holds a build against it. Written by\n\
         #     {UPDATE}\n\
         # Stack, spills (stores and loads) and static shared memory in bytes. warps: how many a multiprocessor has registers\n\
         # for, of 64; blocks: the same in blocks of 128 threads. Dynamic shared memory depends on the unit's sizes and\n\
         # is not counted.\n\
         compiler = \"{}\"\n\n[kernels]\n",
        build.compiler
    );
    let width = build.kernels.keys().map(String::len).max().unwrap_or(0);
    for (name, Resources { registers, stack, spills, shared, barriers, warps, blocks }) in &build.kernels {
        text += &format!(
            "{name:width$} = {{ registers = {registers:3}, stack = {stack}, spills = {spills}, shared = {shared}, \
             barriers = {barriers}, warps = {warps:2}, blocks = {blocks:2} }}\n"
        );
    }
    fs::write(table_path(), text).expect("the table can be written");
}

#[test]
fn kernels_stay_within_their_resources() {
    let Some(build) = build() else { return };
    let mut wrong = Vec::new();
    for (name, now) in &build.kernels {
        let most_spills = if name.starts_with(SPILL.0) { SPILL.1 } else { 0 };
        let may_stack = most_spills > 0 || LANDERS.iter().any(|lander| name.starts_with(lander));
        if now.stack > 0 && !may_stack || now.spills > most_spills {
            wrong.push(format!("{name}: {} bytes of stack, {} of spills; that is too much", now.stack, now.spills));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if std::env::var_os("PHYLON_UPDATE_RESOURCES").is_some() {
        return write_table(&build);
    }

    let text = fs::read_to_string(table_path()).unwrap_or_else(|e| panic!("{}: {e}", table_path().display()));
    let table: Table = toml::from_str(&text).expect("a table of resources");
    for name in build.kernels.keys().filter(|name| !table.kernels.contains_key(*name)) {
        wrong.push(format!("{name}: not in the table"));
    }
    for name in table.kernels.keys().filter(|name| !build.kernels.contains_key(*name)) {
        wrong.push(format!("{name}: in the table, and no longer a kernel"));
    }
    if table.compiler == build.compiler {
        for (name, old) in &table.kernels {
            wrong.extend(build.kernels.get(name).and_then(|now| difference(name, old, now)));
        }
    } else {
        // Another compiler allocates otherwise, and no better code of ours would bring its numbers back.
        eprintln!("passed over: the table is of nvcc {}, this is {}", table.compiler, build.compiler);
    }
    assert!(wrong.is_empty(), "{}\nif that is meant: {UPDATE}", wrong.join("\n"));
}

/// More of anything is too much; a tenth fewer registers belongs in the table, so that they are not lost again.
fn difference(name: &str, old: &Resources, now: &Resources) -> Option<String> {
    let what = if now.registers > old.registers {
        format!("{} registers, {} in the table", now.registers, old.registers)
    } else if 10 * now.registers < 9 * old.registers {
        format!("only {} registers, {} in the table: keep the gain", now.registers, old.registers)
    } else if now.stack > old.stack {
        format!("{} bytes of stack, {} in the table", now.stack, old.stack)
    } else if (now.shared, now.barriers) != (old.shared, old.barriers) {
        format!(
            "{} bytes of static shared memory and {} barriers, {} and {} in the table",
            now.shared, now.barriers, old.shared, old.barriers
        )
    } else {
        return None;
    };
    Some(format!("{name}: {what}"))
}

/// Opcodes of a kernel in their order, each with its address, and with the address it jumps to if it is a jump.
type Instructions = Vec<(u32, String, Option<u32>)>;

/// Those of a kernel of the image.
fn disassembly(cuobjdump: &Path, kernel: &str) -> Instructions {
    let image = Path::new(REPORT).with_file_name("kernels.fatbin");
    let output = Command::new(cuobjdump)
        .args(["--dump-sass", "--gpu-architecture", TARGET, "--function", kernel])
        .arg(image)
        .output()
        .expect("cuobjdump starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let hex = |digits: &str| u32::from_str_radix(digits, 16).ok();
    // "        /*00d0*/               @P0 EXIT ;    /* 0x000000000000094d */"
    let instruction = |line: &str| {
        let (address, rest) = line.trim_start().strip_prefix("/*")?.split_once("*/")?;
        let (statement, _) = rest.split_once(';')?;
        let mut words = statement.split_whitespace().filter(|word| !word.starts_with('@'));
        let opcode = words.next()?.to_owned();
        let to = if opcode == "BRA" { words.next_back().and_then(|word| hex(word.strip_prefix("0x")?)) } else { None };
        Some((hex(address)?, opcode, to))
    };
    text.lines().filter_map(instruction).collect()
}

fn count(part: &[(u32, String, Option<u32>)], opcode: &str) -> usize {
    part.iter().filter(|(_, name, _)| name.starts_with(opcode)).count()
}

/// A kernel taken apart. None, and why on stderr, where there is nothing to take apart.
fn taken_apart(kernel: &str) -> Option<Instructions> {
    let cuobjdump = build()?.nvcc.with_file_name("cuobjdump");
    if !cuobjdump.is_file() {
        eprintln!("passed over: there is no {}", cuobjdump.display());
        return None;
    }
    Some(disassembly(&cuobjdump, kernel))
}

/// Its loops: from where a jump backwards goes to that jump.
fn loops(all: &Instructions) -> impl Iterator<Item = Instructions> {
    let body = |from: u32, to: u32| all.iter().filter(|(at, _, _)| (to..=from).contains(at)).cloned().collect();
    all.iter().filter_map(move |&(from, _, to)| to.filter(|&to| to < from).map(|to| body(from, to)))
}

/// The loop around the tensor cores: the smallest that jumps back over one of their instructions. There may be no others
/// elsewhere, and in it no more than so many accesses of local memory.
fn hottest_loop(kernel: &str, most_local: usize) -> Option<Instructions> {
    let all = taken_apart(kernel)?;
    let body = loops(&all).filter(|body| count(body, "HMMA") > 0).min_by_key(Vec::len);
    let body = body.expect("a loop with tensor core instructions");
    let local = count(&body, "LDL") + count(&body, "STL");
    assert!(local <= most_local, "{local} accesses of local memory");
    eprintln!(
        "{kernel}: {} instructions, {} HMMA, {} MUFU.TANH; the kernel: {}",
        body.len(),
        count(&body, "HMMA"),
        count(&body, "MUFU.TANH"),
        all.len()
    );
    assert_eq!(count(&body, "HMMA"), count(&all, "HMMA"));
    Some(body)
}

#[test]
fn a_step_of_the_fast_rollout_is_the_instructions_it_was_drawn_with() {
    let Some(step) = hottest_loop("rollout_fast_enu_iaf_32", 2) else { return };
    // Two m16 tiles of environments; per tile 3 gates x 4 n8 columns x (2 + 1) k16 rows, 2 x 2 of the read-out, and for the
    // inputs 3 x 4 of k8.
    assert_eq!(count(&step, "HMMA.16816.F32"), 2 * (3 * 4 * 3 + 2 * 2));
    assert_eq!(count(&step, "HMMA.1688.F32"), 2 * 3 * 4);
    // 3 gates of 32 memory cells: as many for 32 environments as a lane of the warp has to itself.
    assert_eq!(count(&step, "MUFU.TANH"), 3 * 32);
    // Issue slots beside those two; 562 when this was written.
    assert!(step.len() <= 600, "{} instructions a step", step.len());
}

#[test]
fn a_tick_of_the_fast_network_is_the_instructions_it_was_drawn_with() {
    let Some(tick) = hottest_loop("network_fast_enu_8", 0) else { return };
    // Per m16 tile of synapses as in a step of the rollout above; 3 x 2 that add up by neuron; of the neurons, whose gates'
    // columns are rows, 3 gates x 2 tiles x 4, and 2 of the read-out.
    assert_eq!(count(&tick, "HMMA.16816.F32"), 3 * (3 * 4 * 4 + 2 * 2) + 3 * 2 + 3 * 2 * 4 + 2);
    // 3 gates of 32 cells for 48 synapses and 8 columns of neurons.
    assert_eq!(count(&tick, "MUFU.TANH"), 3 * (48 + 8));
    // Weights of either unit once, who adds to whom, noise, the neurons' state; addresses.
    assert!(count(&tick, "LDS.128") <= 26 + 26 + 3 + 3 + 1 + 2 + 1, "{} loads", count(&tick, "LDS.128"));
    assert!(tick.len() <= 790, "{} instructions a tick", tick.len());
}

/// The passes are the loop with the most multiplications that calls nothing.
#[test]
fn a_pass_of_the_lander_in_flight_stays_in_registers() {
    for kernel in ["", "_wind", "_continuous", "_continuous_wind", "_fast"].map(|kind| format!("{}{kind}", LANDERS[0]))
    {
        let Some(all) = taken_apart(&kernel) else { return };
        let passes = loops(&all).filter(|body| count(body, "CALL") == 0).max_by_key(|body| count(body, "FMUL"));
        let passes = passes.expect("a loop without calls");
        // Box2D rounds products.
        assert_eq!(count(&passes, "FFMA"), 0, "{kernel}");
        // Contacts lie in local memory, behind a jump over all of it.
        let is_local = |(_, name, _): &(u32, String, Option<u32>)| name.starts_with("LDL") || name.starts_with("STL");
        let first = passes.iter().position(is_local).expect("loads of contacts");
        let behind = passes[first - 1].2.and_then(|to| passes.iter().position(|&(at, _, _)| at == to));
        let behind = behind.expect("a jump over the contacts");
        assert!(!passes[behind..].iter().any(is_local), "{kernel}: local memory in every pass");
        let in_flight = first + passes.len() - behind;
        eprintln!(
            "{kernel}: {in_flight} instructions a pass in flight, {} of all; the kernel: {}",
            passes.len(),
            all.len()
        );
        // 209 when this was written, and 248 with what the fast variant asks after each.
        assert!(in_flight <= if kernel.ends_with("fast") { 260 } else { 220 }, "{kernel}: {in_flight} instructions");
    }
}

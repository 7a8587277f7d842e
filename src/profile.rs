//! What each part of a generation takes, against what the device can do at most, both measured in the same run.

use std::time::Instant;

use serde::Serialize;

use crate::abi::{CeilingArgs, NoiseArgs, THREADS};
use crate::cpu::{InstructionSet, Kernel, LANES, Vector, product};
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, Shape, blocks};
use crate::rng::{Row, Stream};

/// Of one config on one device.
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    /// For people.
    pub device: String,
    /// `exact`, `fast` or `check`.
    pub numerics: String,
    /// Trials packed side by side.
    pub trials: usize,
    /// Offspring of each.
    pub population: usize,
    /// What the device can do at most.
    pub ceilings: Ceilings,
    /// The parts, in the order in which they run.
    pub parts: Vec<Part>,
    /// Median seconds of a generation of all trials together, everything included, divided by the trials.
    pub generation_seconds: f64,
    /// Of that, seconds in which the device had nothing to do; `None` on the CPU.
    pub idle_seconds: Option<f64>,
    /// Environment steps of a trial's generation over `generation_seconds`.
    pub env_steps_per_second: f64,
}

/// Rates that no program exceeds, as measured. `None` where the device has no such unit.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Ceilings {
    /// Bytes read and written by a copy, per second.
    pub copy_bytes: f64,
    /// Operations of f32 multiply-adds (two each), per second. On the CPU: of the small matrix product.
    pub f32_flops: f64,
    /// Operations of half-precision matrix products on tensor cores, per second.
    pub tensor_flops: Option<f64>,
    /// Hardware tanh, per second.
    pub functions: Option<f64>,
}

/// The work of a part, counted from sizes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work {
    /// Multiply-adds, two each.
    pub flops: u64,
    /// Bytes that must be read or written in device memory.
    pub bytes: u64,
    /// Tanh and logistic functions.
    pub functions: u64,
    /// Whether `flops` and `functions` run on tensor cores and in hardware.
    pub fast: bool,
}

/// A kernel, or a step of the CPU engine.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// Of the kernel.
    pub name: String,
    /// Calls for each generation: less than 1 where it runs now and then.
    pub calls: f64,
    /// Median of a call.
    pub seconds: f64,
    /// Of the generation's time, by calls.
    pub share: f64,
    /// Per second.
    pub flops: f64,
    /// Per second.
    pub bytes: f64,
    /// Highest of the fractions of the ceilings that the work can be held against.
    pub of_ceiling: f64,
    /// Which ceiling that is.
    pub ceiling: &'static str,
}

impl Part {
    /// `share` is filled in by [`shares`].
    pub fn new(name: &str, calls: f64, seconds: f64, work: Work, ceilings: &Ceilings) -> Self {
        let (of_ceiling, ceiling) = ceilings.held_against(&work, seconds).unwrap_or((0.0, "f32"));
        let (flops, bytes) = (work.flops as f64 / seconds, work.bytes as f64 / seconds);
        Self { name: name.to_owned(), calls, seconds, share: 0.0, flops, bytes, of_ceiling, ceiling }
    }
}

/// Fill in each part's share of all of them.
pub fn shares(parts: &mut [Part]) {
    let total: f64 = parts.iter().map(|part| part.calls * part.seconds).sum();
    parts.iter_mut().for_each(|part| part.share = part.calls * part.seconds / total);
}

/// The middle of some times; the higher one of two.
pub fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The least of some times: what disturbs a measurement only ever adds to it, and a ceiling is what can be reached.
fn least(seconds: Vec<f64>) -> f64 {
    seconds.into_iter().fold(f64::INFINITY, f64::min)
}

/// Seconds after which a measurement is not repeated any more.
pub(crate) const LONG: f64 = 5.0;

/// Makes a call at least `fewest` times, for half a second or so, and collects the seconds that each returns; fewer times
/// where calls take seconds.
pub fn times<E>(
    fewest: usize,
    mut call: impl FnMut() -> std::result::Result<f64, E>,
) -> std::result::Result<Vec<f64>, E> {
    let start = Instant::now();
    let mut all = Vec::new();
    loop {
        all.push(call()?);
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed > LONG || (all.len() >= fewest && (all.len() >= 1_000 || elapsed > 0.5)) {
            return Ok(all);
        }
    }
}

impl Ceilings {
    /// Of a device, or of this machine's cores where there is none.
    ///
    /// # Errors
    /// When the device fails.
    pub fn of(gpu: Option<&Gpu>) -> Result<Self> {
        gpu.map_or_else(|| Ok(Self::of_cpu()), Self::of_gpu)
    }

    /// The highest of the fractions of the ceilings that work of so many seconds can be held against, and which it is; `None`
    /// where none of it was counted.
    pub fn held_against(&self, work: &Work, seconds: f64) -> Option<(f64, &'static str)> {
        let flops = match self.tensor_flops.filter(|_| work.fast) {
            Some(most) => (work.flops, most, "tensor"),
            None => (work.flops, self.f32_flops, "f32"),
        };
        let functions = self.functions.filter(|_| work.fast).map(|most| (work.functions, most, "functions"));
        let counted = [flops, (work.bytes, self.copy_bytes, "copy")].into_iter().chain(functions);
        let held = counted
            .filter(|(amount, ..)| *amount > 0)
            .map(|(amount, most, name)| (amount as f64 / seconds / most, name));
        held.max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// Of a CUDA device; about a tenth of a second and half a gigabyte (less on a small card).
    ///
    /// # Errors
    /// When the device fails.
    fn of_gpu(gpu: &Gpu) -> Result<Self> {
        let emulated = gpu.is_emulated();
        let length = if emulated { 1 << 12 } else { (gpu.free_bytes()? / 16).min(64 << 20) as usize };
        let (from, to) = (Buffer::<f32>::zeros(gpu, length)?, Buffer::<f32>::zeros(gpu, length)?);
        // A copy of zeros can be faster than one of anything.
        let row = Row { seed: 1, stream: Stream::Start, generation: 0, index: 0 };
        noise(gpu, row, &from)?;
        let grid = if emulated { 1 } else { 8 * gpu.multiprocessors() };
        let iterations = if emulated { 1 } else { 4_096 };
        let threads = u64::from(grid) * 256;
        let shape = Shape { grid: [grid, 1, 1], block: 256, shared: 0 };
        let rate = |kernel: &str, amount: u64| -> Result<f64> {
            let args = CeilingArgs { from: from.pointer(), to: to.pointer(), length: length as u64, iterations };
            // SAFETY: both buffers have `length` elements, which are more than the threads.
            let seconds = least(times(5, || gpu.time(|| unsafe { gpu.launch(kernel, shape, &args) }))?);
            Ok(amount as f64 / seconds)
        };
        let chained = threads * u64::from(iterations);
        let copy_bytes = rate("ceiling_copy", 8 * length as u64)?;
        // Factors that neither grow nor vanish in the chains.
        from.write(gpu, 0, &[0.999; 32])?;
        Ok(Self {
            copy_bytes,
            f32_flops: rate("ceiling_fma", 32 * chained)?,
            tensor_flops: Some(rate("ceiling_mma", 8 * 4_096 * chained / 32)?),
            functions: Some(rate("ceiling_tanh", 16 * chained)?),
        })
    }

    /// Of this machine's cores, all of them at once.
    fn of_cpu() -> Self {
        let threads = rayon::current_num_threads();
        let from = vec![1.0f32; 16 << 20];
        let mut to = vec![0.0f32; from.len()];
        let time = |call: &mut dyn FnMut()| {
            let start = Instant::now();
            call();
            start.elapsed().as_secs_f64()
        };
        let piece = from.len().div_ceil(threads);
        let mut copy = || {
            rayon::scope(|scope| {
                for (from, to) in from.chunks(piece).zip(to.chunks_mut(piece)) {
                    scope.spawn(move |_| to.copy_from_slice(from));
                }
            });
        };
        let Ok(copied) = times(5, || Ok::<_, std::convert::Infallible>(time(&mut copy)));
        let mut multiply = || {
            rayon::broadcast(|_| InstructionSet::best().run(Products));
        };
        let Ok(multiplied) = times(5, || Ok::<_, std::convert::Infallible>(time(&mut multiply)));
        let flops = 2 * Products::ROWS * Products::COLUMNS * Products::LANES * Products::TIMES * threads;
        Self {
            copy_bytes: 8.0 * from.len() as f64 / least(copied),
            f32_flops: flops as f64 / least(multiplied),
            tensor_flops: None,
            functions: None,
        }
    }
}

/// Fill `out` with the normals of a row.
///
/// # Errors
/// When the device fails.
pub fn noise(gpu: &Gpu, row: Row, out: &Buffer<f32>) -> Result<()> {
    let Row { seed, stream, generation, index } = row;
    let length = out.len() as u32;
    let args = NoiseArgs { out: out.pointer(), seed, stream: stream as u32, generation, index, length };
    let grid = [blocks(out.len().div_ceil(4), THREADS), 1, 1];
    // SAFETY: the kernel writes `length` elements.
    unsafe { gpu.launch("noise", Shape { grid, block: THREADS, shared: 0 }, &args) }
}

/// Many small products that stay in the nearest cache.
struct Products;

impl Products {
    const ROWS: usize = 64;
    const COLUMNS: usize = 32;
    const LANES: usize = 2 * LANES;
    const TIMES: usize = 1_000;
}

impl Kernel for Products {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let weights = [0.5f32; Self::ROWS * Self::COLUMNS];
        let rows = [0.25f32; Self::ROWS * Self::LANES];
        let mut out = [0.0f32; Self::COLUMNS * Self::LANES];
        for _ in 0..Self::TIMES {
            product::<V>(&weights, Self::COLUMNS, [&rows, &[]], Self::LANES, &mut out);
            std::hint::black_box(&mut out);
        }
    }
}

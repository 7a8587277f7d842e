//! Cortical columns on a device, in batches, each with parameters and seeds of its own, as a search asks for them; and the whole
//! column, by all multiprocessors together:
//!
//!     cargo run --release --example column_batch -- cuda 132 264 1056
//!     cargo run --release --example column_batch -- cuda full
//!
//! prints a line of JSON for each size of batch: seconds for drawing all synapses and for stepping a second of every column, by
//! the clock on the wall, and the mean rate over all neurons. S=200 before the sizes steps that often instead; `full:0.1` is a
//! column at this part of its neurons and of their synapses.

use std::error::Error;
use std::time::Instant;

use phylon::column::gpu::{Columns, Counted, Sizes, Span};
use phylon::column::{DT, Parameters, Seeds};
use phylon::device::Device;
use phylon::gpu::Gpu;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1).peekable();
    let device = Device::choose(&args.next().as_deref().unwrap_or("auto").parse()?, None)?;
    let steps = match args.peek().and_then(|arg| arg.strip_prefix("S=")).map(str::parse) {
        Some(steps) => {
            args.next();
            steps?
        }
        None => 10_000,
    };
    let Some(gpu) = device.open()? else { return Err("batches of columns are for devices".into()) };
    for what in args {
        match what.strip_prefix("full") {
            Some(scale) => whole(&gpu, scale.strip_prefix(':').map_or(Ok(1.0), str::parse)?, steps)?,
            None => batch(&gpu, what.parse()?, steps)?,
        }
    }
    Ok(())
}

fn span(counted: u32) -> Span {
    Span { warm: 0, counted, record: false, limit: None }
}

fn batch(gpu: &Gpu, count: usize, steps: u32) -> Result<(), Box<dyn Error>> {
    let column = |i: usize| {
        // Candidates of a search: none is like another.
        let part = i as f64 / count as f64;
        let parameters = Parameters { g: -4.0 - part, background_rate: 8.0 + part, ..Parameters::default() };
        (parameters, Seeds::both(i as u64))
    };
    time(gpu, &(0..count).map(column).collect::<Vec<_>>(), steps, Sizes::default())
}

fn whole(gpu: &Gpu, scale: f64, steps: u32) -> Result<(), Box<dyn Error>> {
    let parameters = Parameters { neuron_scale: scale, synapse_scale: scale, ..Parameters::default() };
    let sizes = Sizes { blocks: Some(gpu.multiprocessors()), ..Sizes::default() };
    time(gpu, &[(parameters, Seeds::both(1))], steps, sizes)
}

fn time(gpu: &Gpu, columns: &[(Parameters, Seeds)], steps: u32, sizes: Sizes) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let drawn = Columns::drawn(gpu, columns, None, sizes)?;
    let drawing = started.elapsed().as_secs_f64();
    // Loads the kernel.
    drawn.run(span(1))?;
    let started = Instant::now();
    let counted: Vec<Counted> = drawn.run(span(steps))?.into_iter().flatten().collect();
    let stepping = started.elapsed().as_secs_f64();
    let seconds = f64::from(steps) * DT * 1e-3;
    let spikes: u64 = counted.iter().flat_map(|column| &column.counts).map(|&n| u64::from(n)).sum();
    let neurons: u64 = columns.iter().map(|(parameters, _)| parameters.derive().total_neurons()).sum();
    let line = json!({
        "columns": columns.len(),
        "neurons": neurons,
        "synapses": counted.iter().map(|column| column.synapses as u64).sum::<u64>(),
        "steps": steps,
        // With what the host prepares and uploads.
        "drawing_seconds": drawing,
        "stepping_seconds": stepping,
        "seconds_per_model_second": stepping / seconds,
        "microseconds_per_step": 1e6 * stepping / f64::from(steps),
        "column_seconds_per_second": columns.len() as f64 * seconds / stepping,
        "rate_hz": spikes as f64 / neurons as f64 / seconds,
    });
    println!("{line}");
    Ok(())
}

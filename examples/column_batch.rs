//! Cortical columns in batches on a device, each with parameters and seeds of its own, as a search asks for them:
//!
//!     cargo run --release --example column_batch -- cuda 132 264 1056
//!
//! prints a line of JSON for each size of batch: seconds for drawing all synapses and for stepping a second of every column, by
//! the clock on the wall, and the mean rate over all neurons. S=200 before the sizes steps that often instead.

use std::error::Error;
use std::time::Instant;

use phylon::column::gpu::{Columns, Sizes};
use phylon::column::{DT, Parameters, Seeds};
use phylon::device::Device;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1).peekable();
    let device = Device::choose(args.next().as_deref().unwrap_or("auto").parse()?, None)?;
    let steps = match args.peek().and_then(|arg| arg.strip_prefix("S=")).map(str::parse) {
        Some(steps) => {
            args.next();
            steps?
        }
        None => 10_000,
    };
    let Some(gpu) = device.open()? else { return Err("batches of columns are for devices".into()) };
    for count in args {
        let count: usize = count.parse()?;
        let column = |i: usize| {
            // Candidates of a search: none is like another.
            let part = i as f64 / count as f64;
            let parameters = Parameters { g: -4.0 - part, background_rate: 8.0 + part, ..Parameters::default() };
            (parameters, Seeds::both(i as u64))
        };
        let columns: Vec<(Parameters, Seeds)> = (0..count).map(column).collect();
        let started = Instant::now();
        let drawn = Columns::drawn(&gpu, &columns)?;
        let drawing = started.elapsed().as_secs_f64();
        // Loads the kernel.
        drawn.run(0, 1, false, Sizes::default())?;
        let started = Instant::now();
        let counted = drawn.run(0, steps, false, Sizes::default())?;
        let stepping = started.elapsed().as_secs_f64();
        let seconds = f64::from(steps) * DT * 1e-3;
        let spikes: u64 = counted.iter().flat_map(|column| &column.counts).map(|&n| u64::from(n)).sum();
        let neurons: u64 = columns.iter().map(|(parameters, _)| parameters.derive().total_neurons()).sum();
        let line = json!({
            "columns": count,
            "steps": steps,
            "drawing_seconds": drawing,
            "stepping_seconds": stepping,
            "column_seconds_per_second": count as f64 * seconds / stepping,
            "rate_hz": spikes as f64 / neurons as f64 / seconds,
        });
        println!("{line}");
    }
    Ok(())
}

//! phylon: batched simulation for neuroevolution, thousands of brains at a time.
//!
//! Evolves the parameters of small recurrent units (the evolvable neural units of Bertens & Lee 2020, and GRU and LSTM
//! beside them) with evolution strategies. The same config and seed give the same bits for any number of threads and
//! any instruction set; a run can be killed, resumed, and rebuilt from its fitness alone.
//!
//! A [`config::Config`] is what a user writes, a [`plan::Plan`] is a config that can run, an [`engine::Engine`] runs it
//! by whole generations, and [`run`] keeps a run's folder. The program `phylon` is a thin layer over this library:
//!
//! ```
//! use phylon::{config::Config, device::Device, plan::Plan, workload};
//!
//! let config: Config = toml::from_str(
//!     r#"
//!     format = 1
//!     [run]
//!     name = "tiny"
//!     generations = 2
//!     [unit.enu]
//!     memory = 4
//!     [task.iaf]
//!     environments = 2
//!     steps = 20
//!     [es]
//!     population = 8
//!     "#,
//! )?;
//! let plan = Plan::new(config)?;
//! let mut engine = workload::open(&plan, &Device::cpu())?;
//! let first = engine.state()?.centre;
//!
//! let mut generations = Vec::new();
//! engine.advance(2, &mut generations)?;
//!
//! assert_eq!(generations[1].fitness.len(), plan.population);
//! assert!(generations[1].summary().best >= generations[1].summary().mean);
//! assert_ne!(engine.state()?.centre, first);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `ARCHITECTURE.md` in the repository shows the folders, the walk of a generation's data and the rules of the numbers;
//! `CONTRIBUTING.md` how to add a unit, a task or an optimiser.

#![warn(missing_docs)]

pub mod abi;
pub mod battery;
pub mod bench;
pub mod column;
pub mod comm;
pub mod config;
pub mod cpu;
pub mod device;
pub mod engine;
pub mod error;
pub mod export;
pub mod gpu;
pub mod hash;
pub mod network;
mod npz;
pub mod num;
pub mod plan;
pub mod policy;
pub mod profile;
pub mod registry;
pub mod report;
pub mod reproduction;
pub mod rng;
pub mod rollout;
pub mod run;
pub mod search;
pub mod sweep;
pub mod synaptogen;
pub mod task;
pub mod unit;
pub mod workload;
pub mod world;

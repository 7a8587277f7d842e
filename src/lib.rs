//! phylon: batched simulation for neuroevolution, thousands of brains at a time.

pub mod config;
pub mod cpu;
pub mod engine;
pub mod error;
pub mod hash;
pub mod network;
pub mod num;
pub mod plan;
pub mod registry;
pub mod report;
pub mod rng;
pub mod run;
pub mod search;
pub mod task;
pub mod unit;
pub mod workload;
pub mod world;

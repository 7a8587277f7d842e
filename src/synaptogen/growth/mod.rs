//! Grown agents.

pub mod binomial;

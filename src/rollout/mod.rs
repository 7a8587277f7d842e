//! Rollouts: a policy plays whole episodes of a world.

pub mod gpu;

//! Grown agents.

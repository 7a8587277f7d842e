//! Worlds: environments that answer actions. A file a world.

pub mod t_maze;

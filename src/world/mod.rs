//! Worlds: environments that answer actions. A file a world, and one for the players that networks are compared with.

pub mod players;
pub mod t_maze;

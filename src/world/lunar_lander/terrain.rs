//! The ground: ten edges from left to right, and a base line below them that hardly ever shows.

use super::bodies::{MARGIN, SKIN};
use super::geometry::{Bounds, Vec2, at};
use crate::world::Draws;

/// Size of what is seen, m: 600 x 400 points at 30 a metre.
pub const WIDTH: f64 = 600.0 / 30.0;
/// See [`WIDTH`].
pub const HEIGHT: f64 = 400.0 / 30.0;
/// The height of the pad, as far as the observation is concerned; its surface lies lower by the smoothing.
pub const PAD: f64 = HEIGHT / 4.0;
/// Corners of the ground's line.
pub const CORNERS: usize = 11;
/// Edge 0 is the base line, edge e the one from corner e - 1 to corner e.
pub const EDGES: usize = CORNERS;

/// Heights of the corners, m, which are 2 m apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terrain {
    pub heights: [f32; CORNERS],
    /// The highest one.
    highest: f32,
}

impl Terrain {
    /// As Gymnasium draws it: smoothed noise, level around the pad.
    pub fn draw(draws: &mut Draws) -> Self {
        let mut noise = [0.0; CORNERS + 1];
        for height in &mut noise {
            *height = draws.between(0.0, HEIGHT / 2.0);
        }
        noise[3..=7].fill(PAD);
        // The left neighbour of the first one is the last one drawn.
        let before = |i: usize| noise[(i + CORNERS) % (CORNERS + 1)];
        let heights = std::array::from_fn(|i| (0.33 * (before(i) + noise[i] + noise[i + 1])) as f32);
        Self { heights, highest: heights.iter().fold(0.0, |a, &b| f32::max(a, b)) }
    }

    /// Both ends of an edge.
    #[inline]
    pub fn edge(&self, edge: usize) -> [Vec2; 2] {
        let corner = |i: usize| at(2.0 * i as f32, self.heights[i]);
        if edge == 0 { [at(0.0, 0.0), at(WIDTH as f32, 0.0)] } else { [corner(edge - 1), corner(edge)] }
    }

    /// The wide box of an edge.
    #[inline]
    pub fn wide(&self, edge: usize) -> Bounds {
        Bounds::of(self.edge(edge), SKIN).grown(MARGIN)
    }

    /// Whether a box lies above all of the edges' wide ones.
    #[inline]
    pub fn is_below(&self, bounds: &Bounds) -> bool {
        bounds.low.y > self.highest + 2.0 * (SKIN + MARGIN)
    }
}

//! What it looks like, as Gymnasium draws it, without the sparks of the engines.

use super::bodies::FORMS;
use super::physics::Physics;
use super::terrain::{CORNERS, HEIGHT, PAD, WIDTH};
use crate::world::scene::{Colour, SIZE, Scene};

/// Points a metre.
const SCALE: f32 = 30.0;
const GROUND: Colour = [255, 255, 255];
const SKY: Colour = [0, 0, 0];
const BODY: Colour = [128, 102, 230];
const RIM: Colour = [77, 77, 128];
const POLE: Colour = [255, 255, 255];
const FLAG: Colour = [204, 204, 0];

impl Physics {
    /// Sky above the ground's line, lander and legs, the two flags of the pad.
    pub fn draw(&self) -> Scene {
        let mut scene = Scene::new(SIZE, GROUND);
        let (top, edges) = (HEIGHT as f32 * SCALE, CORNERS as f32 - 1.0);
        let corner = |i: usize| [i as f32 * WIDTH as f32 / edges * SCALE, self.terrain.heights[i] * SCALE];
        for i in 1..CORNERS {
            let (left, right) = (corner(i - 1), corner(i));
            scene.polygon(&[left, right, [right[0], top], [left[0], top]], SKY);
        }
        for (body, form) in self.bodies.iter().zip(&FORMS) {
            let pose = body.pose(form);
            let mut outline: Vec<[f32; 2]> = form
                .vertices
                .iter()
                .map(|&vertex| {
                    let point = pose.of(vertex);
                    [point.x * SCALE, point.y * SCALE]
                })
                .collect();
            scene.polygon(&outline, BODY);
            outline.extend(outline.first().copied());
            scene.line(&outline, 1.0, RIM);
        }
        for pad in [corner(4)[0], corner(6)[0]] {
            let foot = PAD as f32 * SCALE;
            let tip = foot + 50.0;
            scene.line(&[[pad, foot], [pad, tip]], 1.0, POLE);
            scene.polygon(&[[pad, tip], [pad, tip - 10.0], [pad + 25.0, tip - 5.0]], FLAG);
        }
        scene
    }
}

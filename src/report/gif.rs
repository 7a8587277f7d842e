//! Scenes of a world as an animated GIF, which plays wherever a picture is shown.
//!
//! A frame is what has changed since the one before it, with a palette of its own: scenes are flat, so the colours of their
//! shapes are exact, and only where edges are blended may there be more colours than a palette has.

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use gif::{Encoder, Frame, Repeat};
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Stroke, Transform};

use crate::error::{Error, Result};
use crate::run::durable;
use crate::world::Scene;
use crate::world::scene::{Colour, Shape};

/// Hundredths of a second that the last picture stays longer.
const REST: u16 = 100;
/// Hundredths of a second: of less than that, browsers make a tenth.
const SHORTEST: u16 = 2;

/// Write the scenes, one after the other and again from the first, as an animation of their own size. Each is drawn as it
/// is taken: what lies in memory is one of them and the file.
///
/// More than 50 frames a second are shown as 50.
///
/// # Errors
/// When there is no scene, the first is empty or too large for the format (65535 points), or the file cannot be written; one
/// that is there already is then as it was.
pub fn write(path: &Path, scenes: impl IntoIterator<Item: Borrow<Scene>>, frames_per_second: u32) -> Result<()> {
    let bytes = encode(scenes, frames_per_second)
        .map_err(|why| Error::Run(format!("cannot make the animation {}: {why}", path.display())))?;
    durable::replace(path, &bytes)
}

fn encode(
    scenes: impl IntoIterator<Item: Borrow<Scene>>,
    frames_per_second: u32,
) -> std::result::Result<Vec<u8>, String> {
    let mut scenes = scenes.into_iter().peekable();
    let (width, height) = scenes.peek().ok_or("there is nothing to show")?.borrow().size;
    let size = u16::try_from(width).ok().zip(u16::try_from(height).ok());
    let (size, mut canvas) =
        size.zip(Pixmap::new(width, height)).ok_or_else(|| format!("its size cannot be {width} x {height}"))?;
    let failed = |error: gif::EncodingError| error.to_string();
    let mut encoder = Encoder::new(Vec::new(), size.0, size.1, &[]).map_err(failed)?;
    encoder.set_repeat(Repeat::Infinite).map_err(failed)?;

    let mut shown = Vec::new();
    let hundredths = |frames: u32| (100.0 * f64::from(frames) / f64::from(frames_per_second)).round();
    let mut number = 0;
    while let Some(scene) = scenes.next() {
        paint(scene.borrow(), &mut canvas);
        let pixels: Vec<Colour> = canvas.pixels().iter().map(|p| [p.red(), p.green(), p.blue()]).collect();
        let mut frame = frame(&pixels, width as usize, changed(&shown, &pixels, width as usize));
        // Rounded where frames end, so that no error adds up.
        frame.delay = ((hundredths(number + 1) - hundredths(number)) as u16).max(SHORTEST);
        if scenes.peek().is_none() {
            frame.delay = frame.delay.saturating_add(REST);
        }
        encoder.write_frame(&frame).map_err(failed)?;
        shown = pixels;
        number += 1;
    }
    encoder.into_inner().map_err(failed)
}

fn paint(scene: &Scene, canvas: &mut Pixmap) {
    let [red, green, blue] = scene.background;
    canvas.fill(Color::from_rgba8(red, green, blue, 255));
    // Scenes count upwards.
    let upright = Transform::from_row(1.0, 0.0, 0.0, -1.0, 0.0, canvas.height() as f32);
    for shape in &scene.shapes {
        let (path, [red, green, blue], line) = match shape {
            Shape::Polygon(points, colour) => (path(points, true), *colour, None),
            Shape::Circle([x, y], radius, colour) => (PathBuilder::from_circle(*x, *y, *radius), *colour, None),
            Shape::Line(points, width, colour) => (path(points, false), *colour, Some(*width)),
        };
        // There is no path where points are missing or not finite.
        let Some(path) = path else { continue };
        let mut paint = Paint::default();
        paint.set_color_rgba8(red, green, blue, 255);
        match line {
            None => canvas.fill_path(&path, &paint, FillRule::Winding, upright, None),
            Some(width) => {
                canvas.stroke_path(&path, &paint, &Stroke { width, ..Stroke::default() }, upright, None);
            }
        }
    }
}

fn path(points: &[[f32; 2]], is_closed: bool) -> Option<tiny_skia::Path> {
    let (&[x, y], others) = points.split_first()?;
    let mut builder = PathBuilder::new();
    builder.move_to(x, y);
    others.iter().for_each(|&[x, y]| builder.line_to(x, y));
    if is_closed {
        builder.close();
    }
    builder.finish()
}

/// Columns and rows outside of which all is as it was; of two equal pictures a single point, for a frame cannot be empty.
fn changed(before: &[Colour], after: &[Colour], width: usize) -> [Range<usize>; 2] {
    if before.is_empty() {
        return [0..width, 0..after.len() / width];
    }
    let mut area = None;
    for (y, (before, after)) in before.chunks(width).zip(after.chunks(width)).enumerate() {
        for x in (0..width).filter(|&x| before[x] != after[x]) {
            let [columns, rows] = area.unwrap_or([x..x + 1, y..y + 1]);
            area = Some([columns.start.min(x)..columns.end.max(x + 1), rows.start..y + 1]);
        }
    }
    area.unwrap_or([0..1, 0..1])
}

/// Part of a picture, its most frequent colours as they are and the others as the nearest of these.
fn frame(pixels: &[Colour], width: usize, [columns, rows]: [Range<usize>; 2]) -> Frame<'static> {
    let part: Vec<Colour> =
        pixels.chunks(width).take(rows.end).skip(rows.start).flat_map(|row| &row[columns.clone()]).copied().collect();
    let mut counts: HashMap<Colour, usize> = HashMap::new();
    for &colour in &part {
        *counts.entry(colour).or_default() += 1;
    }
    let mut colours: Vec<Colour> = counts.keys().copied().collect();
    colours.sort_unstable_by_key(|colour| (Reverse(counts[colour]), *colour));
    let palette = &colours[..colours.len().min(256)];
    let distance =
        |a: &Colour, b: &Colour| a.iter().zip(b).map(|(&a, &b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>();
    let nearest = |colour| (0..palette.len()).min_by_key(|&i| distance(&palette[i], colour)).unwrap_or(0);
    let places: HashMap<Colour, u8> = colours.iter().map(|colour| (*colour, nearest(colour) as u8)).collect();
    Frame {
        left: columns.start as u16,
        top: rows.start as u16,
        width: columns.len() as u16,
        height: rows.len() as u16,
        buffer: part.iter().map(|colour| places[colour]).collect(),
        palette: Some(palette.concat()),
        ..Frame::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKY: Colour = [10, 20, 30];
    const RED: Colour = [250, 20, 40];
    const GREEN: Colour = [0, 200, 60];
    const BLUE: Colour = [0, 0, 255];

    /// A square, whose left edge is given, beside a circle and above a line.
    fn scene(left: f32) -> Scene {
        let mut scene = Scene::new((120, 80), SKY);
        scene.polygon(&[[left, 40.0], [left + 20.0, 40.0], [left + 20.0, 60.0], [left, 60.0]], RED);
        scene.circle([90.0, 50.0], 12.5, GREEN);
        scene.line(&[[10.0, 10.0], [100.0, 10.0], [110.0, 14.0]], 4.0, BLUE);
        // What cannot be drawn is left out.
        scene.polygon(&[], RED);
        scene.polygon(&[[1.0, 1.0]], RED);
        scene.polygon(&[[f32::NAN, 0.0], [100.0, 0.0], [0.0, 100.0]], RED);
        scene.line(&[[-1e30, 30.0], [-1e20, 1e30]], 1.0, RED);
        scene.circle([0.0, 0.0], f32::INFINITY, RED);
        scene
    }

    /// Pictures and delays of an animation, as a viewer puts them together.
    fn play(bytes: &[u8]) -> Vec<(Vec<Colour>, u16)> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes).unwrap();
        assert_eq!((decoder.width(), decoder.height()), (120, 80));
        let mut picture = vec![[0; 3]; 120 * 80];
        let mut pictures = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            for (i, colour) in frame.buffer.as_chunks::<4>().0.iter().enumerate() {
                let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
                picture[(y + usize::from(frame.top)) * 120 + x + usize::from(frame.left)] =
                    [colour[0], colour[1], colour[2]];
            }
            pictures.push((picture.clone(), frame.delay));
        }
        assert_eq!(decoder.repeat(), Repeat::Infinite);
        pictures
    }

    #[test]
    fn an_animation_shows_the_scenes_in_their_colours_and_times() {
        let lefts = [5.0, 5.5, 5.5, 40.0];
        let pictures = play(&encode(lefts.map(scene), 30).unwrap());
        let delays: Vec<u16> = pictures.iter().map(|(_, delay)| *delay).collect();
        assert_eq!(delays, [3, 4, 3, 3 + REST]);
        for (left, (picture, _)) in lefts.into_iter().zip(&pictures) {
            // Of the point (x, y), from the lower left corner.
            let at = |x: usize, y: usize| picture[(79 - y) * 120 + x];
            let square = left as usize;
            assert_eq!([at(square + 2, 42), at(square + 18, 58), at(90, 50), at(80, 50)], [RED, RED, GREEN, GREEN]);
            assert_eq!([at(50, 9), at(50, 10), at(50, 13), at(50, 6)], [BLUE, BLUE, SKY, SKY]);
            assert_eq!([at(square + 22, 50), at(square + 10, 62), at(square + 10, 37), at(0, 0)], [SKY; 4]);
        }
        // Half of a column is covered.
        let edge = pictures[1].0[(79 - 50) * 120 + 5];
        for (blended, (sky, red)) in edge.into_iter().zip(SKY.into_iter().zip(RED)) {
            assert!(blended.abs_diff(sky.midpoint(red)) <= 2, "{edge:?}");
        }
        assert_eq!(pictures[1].0, pictures[2].0);
    }

    #[test]
    fn more_colours_than_a_palette_has_are_drawn_as_the_nearest_of_the_frequent_ones() {
        let mut scene = Scene::new((120, 80), SKY);
        for i in 0..600 {
            let (left, bottom) = ((i % 30 * 4) as f32, (i / 30 * 4) as f32);
            let square = [[left, bottom], [left + 4.0, bottom], [left + 4.0, bottom + 4.0], [left, bottom + 4.0]];
            scene.polygon(&square, [(i % 256) as u8, (i / 256 * 100) as u8, 0]);
        }
        let pictures = play(&encode([scene], 50).unwrap());
        assert_eq!(pictures[0].1, 2 + REST);
        let colours: std::collections::HashSet<Colour> = pictures[0].0.iter().copied().collect();
        assert_eq!(colours.len(), 256);
        for i in 0..600 {
            let colour = [(i % 256) as u8, (i / 256 * 100) as u8, 0];
            let shown = pictures[0].0[(79 - i / 30 * 4) * 120 + i % 30 * 4];
            let from =
                |other: &Colour| colour.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum::<u64>();
            assert_eq!(Some(from(&shown)), colours.iter().map(from).min());
        }
    }

    #[test]
    fn what_cannot_be_shown_is_an_error_and_leaves_the_file_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.gif");
        write(&path, [scene(1.0)], 50).unwrap();
        let before = std::fs::read(&path).unwrap();
        for scenes in [vec![], vec![Scene::new((0, 10), SKY)], vec![Scene::new((70_000, 10), SKY)]] {
            let said = write(&path, &scenes, 50).unwrap_err().to_string();
            assert!(said.starts_with("cannot make the animation "), "{said}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

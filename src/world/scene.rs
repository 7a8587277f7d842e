//! What a world looks like: flat shapes on Gymnasium's canvas, back to front. `report::gif` makes pictures of them.

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Width and height of the canvas in points, as Gymnasium's for most of its classic worlds.
pub const SIZE: (u32, u32) = (600, 400);

/// One picture. Points are (x to the right, y upwards) from the lower left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Width and height of what is seen.
    pub size: (u32, u32),
    /// What lies behind all shapes.
    pub background: Colour,
    /// Back to front.
    pub shapes: Vec<Shape>,
}

/// A flat shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A filled polygon.
    Polygon(Vec<[f32; 2]>, Colour),
    /// A filled circle: centre, radius.
    Circle([f32; 2], f32, Colour),
    /// Straight lines from point to point: points, width.
    Line(Vec<[f32; 2]>, f32, Colour),
}

impl Scene {
    /// An empty canvas.
    pub fn new(size: (u32, u32), background: Colour) -> Self {
        Self { size, background, shapes: Vec::new() }
    }

    /// A filled polygon, in front of what is there.
    pub fn polygon(&mut self, points: &[[f32; 2]], colour: Colour) {
        self.shapes.push(Shape::Polygon(points.to_vec(), colour));
    }

    /// A filled circle, in front of what is there.
    pub fn circle(&mut self, centre: [f32; 2], radius: f32, colour: Colour) {
        self.shapes.push(Shape::Circle(centre, radius, colour));
    }

    /// A line from point to point, in front of what is there.
    pub fn line(&mut self, points: &[[f32; 2]], width: f32, colour: Colour) {
        self.shapes.push(Shape::Line(points.to_vec(), width, colour));
    }
}

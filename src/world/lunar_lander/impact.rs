//! When a body that moves through a step first comes to an edge. After Box2D's `b2Distance` (GJK) and `b2TimeOfImpact`
//! (conservative advancement along separating axes): the root is only found to a tolerance, so that their every step
//! decides what an episode comes to.

use std::f32::consts::PI;

use super::bodies::{Body, Form, SKIN, SLOP};
use super::geometry::{Bounds, Pose, Turn, Vec2, least};

/// The distance of the bare shapes at which they touch, m, and how exactly it is found.
const TARGET: f32 = 2.0 * SKIN - 3.0 * SLOP;
const TOLERANCE: f32 = 0.25 * SLOP;

/// How a body moves in a step: its centre of mass and angle, in straight lines from the first to the last.
#[derive(Debug, Clone, Copy)]
pub struct Sweep {
    centres: [Vec2; 2],
    angles: [f32; 2],
    /// The part of the step that the first one belongs to.
    pub from: f32,
    /// A box that the body does not leave.
    reach: Bounds,
}

impl Sweep {
    /// From here on, at the beginning of a step; it has no end yet.
    #[inline]
    pub fn new(body: &Body) -> Self {
        Self { centres: [body.centre; 2], angles: [body.angle; 2], from: 0.0, reach: body.wide }
    }

    /// Begin here instead, at the same time.
    pub fn begin(&mut self, body: &Body) {
        (self.centres[0], self.angles[0]) = (body.centre, body.angle);
    }

    /// To here; `start` is the body's box where it began. The box of both ends.
    #[inline]
    pub fn finish(&mut self, start: Bounds, body: &Body) -> Bounds {
        (self.centres[1], self.angles[1]) = (body.centre, body.angle);
        let swept = start.with(body.bounds);
        // Between start and end a corner strays from its straight way by at most radius * turn^2 / 8; no radius is above
        // 0.8 m. What counts as coming to an edge is 6.25 mm from it.
        let turn = self.angles[1] - self.angles[0];
        self.reach = swept.grown(0.0075 + 0.1 * turn * turn);
        swept
    }

    /// Whether the body is certain not to come to an edge.
    #[inline]
    pub fn misses(&self, edge: [Vec2; 2]) -> bool {
        !self.reach.meets(&Bounds::of(edge, 0.0))
    }

    /// Begin later.
    pub fn advance(&mut self, to: f32) {
        let part = (to - self.from) / (1.0 - self.from);
        self.centres[0] = (1.0 - part) * self.centres[0] + part * self.centres[1];
        self.angles[0] = (1.0 - part) * self.angles[0] + part * self.angles[1];
        self.from = to;
    }

    /// End where it begins, and put the body there.
    pub fn stop(&mut self, body: &mut Body) {
        (self.centres[1], self.angles[1]) = (self.centres[0], self.angles[0]);
        body.centre = self.centres[0];
        body.set_angle(self.angles[0]);
    }

    /// The part of the whole step after which the body touches the edge, if it does.
    pub fn impact(&self, form: &Form, edge: [Vec2; 2]) -> Option<f32> {
        if self.misses(edge) {
            return None;
        }
        let time = time_of_impact(form, &self.normalised(), edge)?;
        Some(least(self.from + (1.0 - self.from) * time, 1.0))
    }

    /// The same motion, beginning in the first turn.
    fn normalised(mut self) -> Self {
        let turn = 2.0 * PI;
        let turns = turn * (self.angles[0] / turn).floor();
        self.angles = self.angles.map(|angle| angle - turns);
        self
    }

    fn pose(&self, form: &Form, part: f32) -> Pose {
        let centre = (1.0 - part) * self.centres[0] + part * self.centres[1];
        let angle = (1.0 - part) * self.angles[0] + part * self.angles[1];
        Pose::around(centre, form.centre, Turn::by(angle))
    }
}

/// The part of the sweep after which the body touches the edge, if it does.
fn time_of_impact(form: &Form, sweep: &Sweep, edge: [Vec2; 2]) -> Option<f32> {
    const ROUNDS: usize = 20;
    const PUSHES: usize = 16;

    let mut cache = Cache::default();
    let mut time = 0.0;
    for _ in 0..ROUNDS {
        let distance = distance(form, &sweep.pose(form, time), edge, &mut cache);
        if distance <= 0.0 {
            return None;
        }
        if distance < TARGET + TOLERANCE {
            return Some(time);
        }
        let axis = Axis::new(form, &sweep.pose(form, time), edge, &cache);
        let separation = |time: f32, of: Witness| axis.separation(form, &sweep.pose(form, time), edge, of);
        let mut late = 1.0;
        for _ in 0..PUSHES {
            let witness = axis.deepest(form, &sweep.pose(form, late), edge);
            let late_separation = separation(late, witness);
            if late_separation > TARGET + TOLERANCE {
                return None;
            }
            if late_separation > TARGET - TOLERANCE {
                time = late;
                break;
            }
            let early_separation = separation(time, witness);
            if early_separation < TARGET - TOLERANCE {
                return None;
            }
            if early_separation <= TARGET + TOLERANCE {
                return Some(time);
            }
            if let Some(root) = root(&separation, witness, (time, early_separation), (late, late_separation)) {
                late = root;
            }
        }
    }
    None
}

/// Between a time at which the separation is above the target and one at which it is below, by bisection and the
/// secant in turn.
fn root(
    separation: &impl Fn(f32, Witness) -> f32,
    witness: Witness,
    mut above: (f32, f32),
    mut below: (f32, f32),
) -> Option<f32> {
    for i in 0..50 {
        let time = if i % 2 == 1 {
            above.0 + (TARGET - above.1) * (below.0 - above.0) / (below.1 - above.1)
        } else {
            0.5 * (above.0 + below.0)
        };
        let now = separation(time, witness);
        if (now - TARGET).abs() < TOLERANCE {
            return Some(time);
        }
        if now > TARGET {
            above = (time, now);
        } else {
            below = (time, now);
        }
    }
    None
}

/// A point of the edge and one of the body, by their indices.
type Witness = [usize; 2];

/// In which direction separation is measured.
enum Axis {
    /// From a corner of the edge to one of the body, fixed in the world.
    Corners(Vec2),
    /// The edge's normal, through its middle.
    Edge { normal: Vec2, middle: Vec2 },
    /// That of one of the body's sides, in its frame, through the side's middle.
    Side { normal: Vec2, middle: Vec2 },
}

impl Axis {
    /// From the closest features, so that the separation there is positive.
    fn new(form: &Form, pose: &Pose, edge: [Vec2; 2], cache: &Cache) -> Self {
        let [[a, b], [other_a, other_b]] = [cache.pairs[0], cache.pairs[1]];
        if cache.count == 1 {
            return Self::Corners((pose.of(form.vertices[b]) - edge[a]).normalised());
        }
        if a == other_a {
            let (from, to) = (form.vertices[b], form.vertices[other_b]);
            let (normal, middle) = ((to - from).clockwise().normalised(), 0.5 * (from + to));
            let is_behind = (edge[a] - pose.of(middle)).dot(pose.turn.of(normal)) < 0.0;
            return Self::Side { normal: if is_behind { -normal } else { normal }, middle };
        }
        let (from, to) = (edge[a], edge[other_a]);
        let (normal, middle) = ((to - from).clockwise().normalised(), 0.5 * (from + to));
        let is_behind = (pose.of(form.vertices[b]) - middle).dot(normal) < 0.0;
        Self::Edge { normal: if is_behind { -normal } else { normal }, middle }
    }

    /// The points that are deepest along it.
    fn deepest(&self, form: &Form, pose: &Pose, edge: [Vec2; 2]) -> Witness {
        match *self {
            Self::Corners(axis) => [support(&edge, axis), support(form.vertices, pose.turn.back(-axis))],
            Self::Edge { normal, .. } => [0, support(form.vertices, pose.turn.back(-normal))],
            Self::Side { normal, .. } => [support(&edge, -pose.turn.of(normal)), 0],
        }
    }

    /// Of two points along it.
    fn separation(&self, form: &Form, pose: &Pose, edge: [Vec2; 2], [a, b]: Witness) -> f32 {
        match *self {
            Self::Corners(axis) => (pose.of(form.vertices[b]) - edge[a]).dot(axis),
            Self::Edge { normal, middle } => (pose.of(form.vertices[b]) - middle).dot(normal),
            Self::Side { normal, middle } => (edge[a] - pose.of(middle)).dot(pose.turn.of(normal)),
        }
    }
}

/// The first of the corners that lie farthest in a direction.
fn support(corners: &[Vec2], direction: Vec2) -> usize {
    let mut best = (0, corners[0].dot(direction));
    for (i, corner) in corners.iter().enumerate().skip(1) {
        let value = corner.dot(direction);
        if value > best.1 {
            best = (i, value);
        }
    }
    best.0
}

/// The features that were closest, from one call for the next.
#[derive(Default)]
struct Cache {
    count: usize,
    metric: f32,
    pairs: [Witness; 3],
}

/// A corner of the simplex: a point of the edge, one of the body, the difference and its weight.
#[derive(Clone, Copy, Default)]
struct Vertex {
    pair: Witness,
    a: Vec2,
    b: Vec2,
    difference: Vec2,
    weight: f32,
}

/// Up to three differences, whose hull comes ever nearer to the origin.
struct Simplex {
    vertices: [Vertex; 3],
    count: usize,
}

/// Between the bare shapes, by GJK.
fn distance(form: &Form, pose: &Pose, edge: [Vec2; 2], cache: &mut Cache) -> f32 {
    const ROUNDS: usize = 20;
    let vertex = |[a, b]: Witness| {
        let (a_at, b_at) = (edge[a], pose.of(form.vertices[b]));
        Vertex { pair: [a, b], a: a_at, b: b_at, difference: b_at - a_at, weight: 0.0 }
    };
    let mut simplex = Simplex { vertices: cache.pairs.map(vertex), count: cache.count };
    if simplex.count > 1 {
        let metric = simplex.metric();
        if metric < 0.5 * cache.metric || 2.0 * cache.metric < metric || metric < f32::EPSILON {
            simplex.count = 0;
        }
    }
    if simplex.count == 0 {
        simplex.vertices[0] = vertex([0, 0]);
        simplex.count = 1;
    }
    for _ in 0..ROUNDS {
        let seen = simplex.vertices.map(|vertex| vertex.pair);
        let seen = &seen[..simplex.count];
        simplex.reduce();
        if simplex.count == 3 {
            break;
        }
        let direction = simplex.search_direction();
        if direction.dot(direction) < f32::EPSILON * f32::EPSILON {
            break;
        }
        let pair = [support(&edge, -direction), support(form.vertices, pose.turn.back(direction))];
        simplex.vertices[simplex.count] = vertex(pair);
        if seen.contains(&pair) {
            break;
        }
        simplex.count += 1;
    }
    *cache =
        Cache { count: simplex.count, metric: simplex.metric(), pairs: simplex.vertices.map(|vertex| vertex.pair) };
    simplex.distance()
}

impl Simplex {
    /// Length or area.
    fn metric(&self) -> f32 {
        let [a, b, c] = self.vertices.map(|vertex| vertex.difference);
        match self.count {
            2 => (a - b).length(),
            3 => (b - a).cross(c - a),
            _ => 0.0,
        }
    }

    /// Leave only what the point nearest to the origin lies on, and weigh it.
    fn reduce(&mut self) {
        match self.count {
            2 => self.reduce_line(),
            3 => self.reduce_triangle(),
            _ => self.vertices[0].weight = 1.0,
        }
    }

    fn keep_one(&mut self, vertex: usize) {
        self.vertices[0] = self.vertices[vertex];
        self.vertices[0].weight = 1.0;
        self.count = 1;
    }

    /// With weights that are still to be divided by their sum.
    fn keep_two(&mut self, (first, first_weight): (usize, f32), (second, second_weight): (usize, f32)) {
        let inverse = 1.0 / (first_weight + second_weight);
        let (mut a, mut b) = (self.vertices[first], self.vertices[second]);
        (a.weight, b.weight) = (first_weight * inverse, second_weight * inverse);
        (self.vertices[0], self.vertices[1], self.count) = (a, b, 2);
    }

    fn reduce_line(&mut self) {
        let [w1, w2, _] = self.vertices.map(|vertex| vertex.difference);
        let along = w2 - w1;
        let second = -w1.dot(along);
        if second <= 0.0 {
            return self.keep_one(0);
        }
        let first = w2.dot(along);
        if first <= 0.0 {
            return self.keep_one(1);
        }
        self.keep_two((0, first), (1, second));
    }

    fn reduce_triangle(&mut self) {
        let [w1, w2, w3] = self.vertices.map(|vertex| vertex.difference);
        // Weights on each side, of its first and its second corner.
        let side = |from: Vec2, to: Vec2| {
            let along = to - from;
            (to.dot(along), -from.dot(along))
        };
        let ((first_12, second_12), (first_13, second_13), (first_23, second_23)) =
            (side(w1, w2), side(w1, w3), side(w2, w3));
        let area = (w2 - w1).cross(w3 - w1);
        let [of_1, of_2, of_3] = [area * w2.cross(w3), area * w3.cross(w1), area * w1.cross(w2)];
        if second_12 <= 0.0 && second_13 <= 0.0 {
            self.keep_one(0);
        } else if first_12 > 0.0 && second_12 > 0.0 && of_3 <= 0.0 {
            self.keep_two((0, first_12), (1, second_12));
        } else if first_13 > 0.0 && second_13 > 0.0 && of_2 <= 0.0 {
            self.keep_two((0, first_13), (2, second_13));
        } else if first_12 <= 0.0 && second_23 <= 0.0 {
            self.keep_one(1);
        } else if first_13 <= 0.0 && first_23 <= 0.0 {
            self.keep_one(2);
        } else if first_23 > 0.0 && second_23 > 0.0 && of_1 <= 0.0 {
            // The third corner takes the first place.
            self.keep_two((2, second_23), (1, first_23));
        } else {
            let inverse = 1.0 / (of_1 + of_2 + of_3);
            for (vertex, weight) in self.vertices.iter_mut().zip([of_1, of_2, of_3]) {
                vertex.weight = weight * inverse;
            }
        }
    }

    fn search_direction(&self) -> Vec2 {
        let [w1, w2, _] = self.vertices.map(|vertex| vertex.difference);
        if self.count == 1 {
            return -w1;
        }
        let along = w2 - w1;
        if along.cross(-w1) > 0.0 { along.counter_clockwise() } else { along.clockwise() }
    }

    /// Of the weighted points.
    fn distance(&self) -> f32 {
        let [v1, v2, _] = self.vertices;
        match self.count {
            1 => (v1.a - v1.b).length(),
            2 => ((v1.weight * v1.a + v2.weight * v2.a) - (v1.weight * v1.b + v2.weight * v2.b)).length(),
            _ => 0.0,
        }
    }
}

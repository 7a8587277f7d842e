//! Where an edge of the ground and a body touch: up to two points, with identities by which a point is known again a step
//! later. After Box2D's `b2CollideEdgeAndPolygon` for edges without neighbours.

use super::bodies::{Form, SKIN};
use super::geometry::{Pose, Vec2, at};

/// Corners of the largest body.
const MOST_CORNERS: usize = 6;
/// Skins of edge and body.
const APART: f32 = 2.0 * SKIN;

/// Whose side the points lie on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reference {
    /// The ground's.
    #[default]
    Edge,
    /// The body's.
    Body,
}

/// How edge and body touch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Manifold {
    pub reference: Reference,
    /// Of the reference side, outwards, in its own frame.
    pub normal: Vec2,
    /// On the reference side, in its own frame.
    pub point: Vec2,
    /// The first `count` of them are valid.
    pub points: [Point; 2],
    pub count: usize,
}

/// One point of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// In the frame of the other side.
    pub local: Vec2,
    pub identity: Identity,
    /// Impulse along the normal so far, N s.
    pub normal_impulse: f32,
    /// Along the tangent.
    pub tangent_impulse: f32,
}

/// What made a point: index on the edge, index on the body, and whether these are corners (0) or sides (1).
pub type Identity = [u8; 4];

const CORNER: u8 = 0;
const SIDE: u8 = 1;

/// An end of the segment that is being clipped.
#[derive(Clone, Copy, Default)]
struct End {
    at: Vec2,
    identity: Identity,
}

/// Manifold of an edge with a body, its impulses 0.
pub fn manifold(form: &Form, pose: &Pose, [v1, v2]: [Vec2; 2]) -> Manifold {
    let along = (v2 - v1).normalised();
    let edge_normal = along.clockwise();
    let is_front = edge_normal.dot(pose.of(form.centroid) - v1) >= 0.0;
    let facing = if is_front { edge_normal } else { -edge_normal };

    let count = form.vertices.len();
    let mut vertices = [at(0.0, 0.0); MOST_CORNERS];
    let mut edge_separation = f32::MAX;
    for (to, &vertex) in vertices.iter_mut().zip(form.vertices) {
        *to = pose.of(vertex);
        let separation = facing.dot(*to - v1);
        if separation < edge_separation {
            edge_separation = separation;
        }
    }
    if edge_separation > APART {
        return Manifold::default();
    }
    let mut normals = [at(0.0, 0.0); MOST_CORNERS];
    let (mut side, mut side_separation) = (0, -f32::MAX);
    for (k, &normal) in form.normals.iter().enumerate() {
        normals[k] = pose.turn.of(normal);
        let inwards = -normals[k];
        let (to_v1, to_v2) = (inwards.dot(vertices[k] - v1), inwards.dot(vertices[k] - v2));
        let separation = if to_v1 < to_v2 { to_v1 } else { to_v2 };
        if separation > APART {
            return Manifold::default();
        }
        if separation > side_separation {
            (side, side_separation) = (k, separation);
        }
    }
    let next = |k: usize| if k + 1 < count { k + 1 } else { 0 };

    // The segment to be clipped, and the side that clips it: its ends, their indices and its normal.
    let reference = if side_separation > 0.98 * edge_separation + 0.001 { Reference::Body } else { Reference::Edge };
    let (segment, (from, from_index), (to, to_index), normal) = match reference {
        Reference::Edge => {
            let mut best = 0;
            for k in 1..count {
                if facing.dot(normals[k]) < facing.dot(normals[best]) {
                    best = k;
                }
            }
            let end = |k: usize| End { at: vertices[k], identity: [0, k as u8, SIDE, CORNER] };
            let segment = [end(best), end(next(best))];
            if is_front { (segment, (v1, 0), (v2, 1), edge_normal) } else { (segment, (v2, 1), (v1, 0), -edge_normal) }
        }
        Reference::Body => {
            let end = |v: Vec2| End { at: v, identity: [0, side as u8, CORNER, SIDE] };
            let (from, to) = (side, next(side));
            ([end(v1), end(v2)], (vertices[from], from as u8), (vertices[to], to as u8), normals[side])
        }
    };
    let across = normal.clockwise();
    let Some(segment) = clip(segment, across, across.dot(from), from_index) else { return Manifold::default() };
    let Some(segment) = clip(segment, -across, (-across).dot(to), to_index) else { return Manifold::default() };

    let mut manifold = match reference {
        Reference::Edge => Manifold { reference, normal, point: from, ..Manifold::default() },
        Reference::Body => {
            Manifold { reference, normal: form.normals[side], point: form.vertices[side], ..Manifold::default() }
        }
    };
    for end in segment {
        if normal.dot(end.at - from) <= APART {
            let [a, b, kind_a, kind_b] = end.identity;
            let (local, identity) = match reference {
                Reference::Edge => (pose.back(end.at), end.identity),
                Reference::Body => (end.at, [b, a, kind_b, kind_a]),
            };
            manifold.points[manifold.count] = Point { local, identity, ..Point::default() };
            manifold.count += 1;
        }
    }
    manifold
}

/// What of a segment lies behind a line; nothing if that is not a segment.
fn clip(ends: [End; 2], normal: Vec2, offset: f32, index: u8) -> Option<[End; 2]> {
    let distances = ends.map(|end| normal.dot(end.at) - offset);
    let mut kept = [End::default(); 2];
    let mut count = 0;
    for (&end, distance) in ends.iter().zip(distances) {
        if distance <= 0.0 {
            kept[count] = end;
            count += 1;
        }
    }
    if distances[0] * distances[1] < 0.0 {
        let part = distances[0] / (distances[0] - distances[1]);
        kept[count] = End {
            at: ends[0].at + part * (ends[1].at - ends[0].at),
            identity: [index, ends[0].identity[1], CORNER, SIDE],
        };
        count += 1;
    }
    (count == 2).then_some(kept)
}

/// Where a contact's points are in the world.
#[derive(Clone, Copy)]
pub struct Place {
    /// From the ground to the body.
    pub normal: Vec2,
    /// Of the point itself.
    pub at: Vec2,
    /// Midway between the two skins.
    pub middle: Vec2,
    /// How far the skins are apart, less than 0 within each other.
    pub separation: f32,
}

impl Manifold {
    /// Of one point, with the body here.
    #[inline]
    pub fn place(&self, index: usize, pose: &Pose) -> Place {
        let local = self.points[index].local;
        match self.reference {
            Reference::Edge => {
                let (normal, at) = (self.normal, pose.of(local));
                let distance = (at - self.point).dot(normal);
                let on_edge = at + (SKIN - distance) * normal;
                let on_body = at - SKIN * normal;
                Place { normal, at, middle: 0.5 * (on_edge + on_body), separation: distance - SKIN - SKIN }
            }
            Reference::Body => {
                let (normal, at) = (pose.turn.of(self.normal), local);
                let distance = (at - pose.of(self.point)).dot(normal);
                let on_body = at + (SKIN - distance) * normal;
                let on_edge = at - SKIN * normal;
                Place { normal: -normal, at, middle: 0.5 * (on_edge + on_body), separation: distance - SKIN - SKIN }
            }
        }
    }
}

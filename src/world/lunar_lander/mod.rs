//! LunarLander-v3: land a craft with three engines on a pad, after Gymnasium 1.4.0 on Box2D 2.3.10, to the last bit.
//!
//! Box2D's arithmetic is single precision without fused operations, and chaotic after the first touch of the ground: one
//! operation in another order is another episode. All of it is therefore written out for the one thing it is used for here,
//! three bodies above edges that do not move. Gymnasium's part, engines and rewards, is double precision.
//!
//! A step is Gymnasium's half (`engines`), then Box2D's (`physics`): pairs and where they touch (`contacts`,
//! `collide`), the velocity solver (`velocity`), positions (`joint`, `constraint`), and what has flown into the ground
//! stopped in time (`stop`, `impact`). The velocity solver, most of the time, takes many environments at once; the
//! rest is plain code for one.
//!
//! Steps after the end of an episode are defined but not Gymnasium's.

mod bodies;
mod collide;
mod constraint;
mod contacts;
mod engines;
mod geometry;
mod impact;
mod joint;
mod physics;
mod picture;
mod stop;
mod terrain;
mod velocity;

use std::marker::PhantomData;

use self::bodies::{FORMS, LANDER};
use self::engines::{Throttle, Wind};
use self::geometry::at;
use self::physics::Physics;
use self::terrain::{HEIGHT, PAD, Terrain, WIDTH};
use self::velocity::{LANES, Lanes};
use super::{Action, Actions, Draws, Outcome, Scene, Spec, World};
use crate::cpu::InstructionSet;

/// As Gymnasium makes it by default: four actions, no wind.
pub type LunarLander = Lander<Plain>;
/// `enable_wind=True`, with its default powers.
pub type LunarLanderWind = Lander<Windy>;
/// `continuous=True`.
pub type LunarLanderContinuous = Lander<Continuous>;
/// Both.
pub type LunarLanderContinuousWind = Lander<ContinuousWindy>;
/// With a velocity solver that leaves its passes when they change little: scores as Gymnasium, not bit for bit. It takes
/// less than half the time once the legs have swung down, some 30 steps into an episode, and as long before that.
pub type LunarLanderFast = Lander<Fast>;

/// What one kind of the world has of its own.
pub trait Kind: Copy + Send + Sync + 'static {
    /// Of the world.
    const SPEC: Spec;
    /// Whether wind blows.
    const WIND: bool;
    /// Whether the velocity solver may leave early.
    const FAST: bool;
    /// What the world is told in a step.
    type Action: Action;
    /// How it opens the engines.
    fn throttle(action: Self::Action) -> Throttle;
}

macro_rules! kind {
    (
        $(#[$doc:meta])* $name:ident, $action:ty, $throttle:path, $actions:expr, $wind:literal, $fast:literal,
        $world:literal, $summary:literal
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum $name {}

        impl Kind for $name {
            const SPEC: Spec = Spec {
                name: $world,
                gymnasium: "LunarLander-v3",
                summary: $summary,
                observations: 8,
                actions: $actions,
                limit: 1000,
                threshold: Some(200.0),
                frame_rate: 50,
            };
            const WIND: bool = $wind;
            const FAST: bool = $fast;
            type Action = $action;

            #[inline]
            fn throttle(action: $action) -> Throttle {
                $throttle(action)
            }
        }
    };
}

kind!(
    /// Of [`LunarLander`].
    Plain, i32, Throttle::discrete, Actions::Discrete(4), false, false,
    "lunar-lander", "land on a pad with three engines"
);
kind!(
    /// Of [`LunarLanderWind`].
    Windy, i32, Throttle::discrete, Actions::Discrete(4), true, false,
    "lunar-lander-wind", "land on a pad in gusty wind"
);
kind!(
    /// Of [`LunarLanderContinuous`].
    Continuous, [f32; 2], Throttle::continuous, Actions::Continuous(2), false, false,
    "lunar-lander-continuous", "land on a pad with throttled engines"
);
kind!(
    /// Of [`LunarLanderContinuousWind`].
    ContinuousWindy, [f32; 2], Throttle::continuous, Actions::Continuous(2), true, false,
    "lunar-lander-continuous-wind", "land on a pad with throttled engines in gusty wind"
);
kind!(
    /// Of [`LunarLanderFast`].
    Fast, i32, Throttle::discrete, Actions::Discrete(4), false, true,
    "lunar-lander-fast", "lunar-lander with an inexact, faster solver"
);

/// One episode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lander<K> {
    physics: Physics,
    wind: Wind,
    /// The part of the reward that is a function of the state, as it was after the last step.
    shaping: f64,
    kind: PhantomData<K>,
}

/// Environments whose scalar part comes before any velocity solver's: what still lies in the cache.
const BLOCK: usize = 1024;

impl<K: Kind> World for Lander<K> {
    const SPEC: Spec = K::SPEC;
    type Action = K::Action;

    fn reset(draws: &mut Draws) -> Self {
        let mut world = Self::draw_first(draws);
        Self::first_steps(std::slice::from_mut(&mut world), std::slice::from_mut(draws));
        world
    }

    fn reset_some(worlds: &mut [Self], draws: &mut [Draws], lanes: &[usize]) {
        let mut own: Vec<Draws> = lanes.iter().map(|&lane| draws[lane]).collect();
        let mut begun: Vec<Self> = own.iter_mut().map(Self::draw_first).collect();
        Self::first_steps(&mut begun, &mut own);
        for ((&lane, world), own) in lanes.iter().zip(begun).zip(own) {
            (worlds[lane], draws[lane]) = (world, own);
        }
    }

    fn step(&mut self, action: Self::Action, draws: &mut Draws) -> Outcome {
        let mut outcome = Outcome::default();
        Self::step_all(
            std::slice::from_mut(self),
            &[action],
            std::slice::from_mut(draws),
            std::slice::from_mut(&mut outcome.reward),
            std::slice::from_mut(&mut outcome.terminated),
        );
        outcome
    }

    fn observe(&self, to: &mut [f32], stride: usize) {
        for (i, value) in self.state().into_iter().enumerate() {
            to[i * stride] = value as f32;
        }
    }

    fn draw(&self) -> Scene {
        self.physics.draw()
    }

    fn step_all(
        worlds: &mut [Self],
        actions: &[Self::Action],
        draws: &mut [Draws],
        rewards: &mut [f64],
        terminated: &mut [bool],
    ) {
        Self::step_with(InstructionSet::best(), worlds, actions, draws, (rewards, terminated));
    }
}

impl<K: Kind> Lander<K> {
    /// [`World::step_all`] with a given instruction set.
    pub fn step_with(
        set: InstructionSet,
        worlds: &mut [Self],
        actions: &[K::Action],
        draws: &mut [Draws],
        (rewards, terminated): (&mut [f64], &mut [bool]),
    ) {
        let mut lanes = Lanes::new();
        let blocks = worlds.chunks_mut(BLOCK).zip(actions.chunks(BLOCK)).zip(draws.chunks_mut(BLOCK));
        let outcomes = rewards.chunks_mut(BLOCK).zip(terminated.chunks_mut(BLOCK));
        for (((worlds, actions), draws), (rewards, terminated)) in blocks.zip(outcomes) {
            for ((world, &action), draws) in worlds.iter_mut().zip(actions).zip(draws) {
                world.begin(K::throttle(action), draws);
            }
            solve(set, &mut lanes, worlds);
            let outcomes = rewards.iter_mut().zip(terminated);
            for ((world, &action), (reward, terminated)) in worlds.iter_mut().zip(actions).zip(outcomes) {
                (*reward, *terminated) = world.end(K::throttle(action)).into();
            }
        }
    }

    /// What an episode draws before its first step.
    fn draw_first(draws: &mut Draws) -> Self {
        let mut physics = Physics::new(Terrain::draw(draws));
        let mut force = || draws.between(-1000.0, 1000.0) as f32;
        physics.force = at(force(), force());
        let wind = if K::WIND { Wind::draw(draws) } else { Wind::default() };
        Self { physics, wind, shaping: 0.0, kind: PhantomData }
    }

    /// The step that `reset` takes before it shows anything.
    fn first_steps(worlds: &mut [Self], draws: &mut [Draws]) {
        let actions = vec![K::Action::default(); worlds.len()];
        let (mut rewards, mut terminated) = (vec![0.0; worlds.len()], vec![false; worlds.len()]);
        Self::step_all(worlds, &actions, draws, &mut rewards, &mut terminated);
    }

    /// Up to the velocity solver.
    #[inline]
    fn begin(&mut self, throttle: Throttle, draws: &mut Draws) {
        if K::WIND {
            self.physics.blow(&mut self.wind);
        }
        self.physics.fire(throttle, draws);
        self.physics.collide();
    }

    /// What comes of a step.
    #[inline]
    fn end(&mut self, throttle: Throttle) -> Outcome {
        let [x, y, dx, dy, angle, _, first, second] = self.state();
        let shaping = -100.0 * (x * x + y * y).sqrt() - 100.0 * (dx * dx + dy * dy).sqrt() - 100.0 * angle.abs()
            + 10.0 * first
            + 10.0 * second;
        let reward = throttle.cost(shaping - self.shaping);
        self.shaping = shaping;
        if !self.physics.awake[LANDER] {
            Outcome { reward: 100.0, terminated: true }
        } else if self.physics.contacts.crashed || x.abs() >= 1.0 {
            Outcome { reward: -100.0, terminated: true }
        } else {
            Outcome { reward, terminated: false }
        }
    }

    /// The observation before it is rounded.
    #[inline]
    fn state(&self) -> [f64; 8] {
        let lander = &self.physics.bodies[LANDER];
        let origin = lander.pose(&FORMS[LANDER]).origin;
        let flag = |leg: usize| f64::from(u8::from(self.physics.contacts.legs[leg]));
        [
            (f64::from(origin.x) - WIDTH / 2.0) / (WIDTH / 2.0),
            (f64::from(origin.y) - (PAD + 18.0 / 30.0)) / (HEIGHT / 2.0),
            f64::from(lander.velocity.x) * (WIDTH / 2.0) / 50.0,
            f64::from(lander.velocity.y) * (HEIGHT / 2.0) / 50.0,
            f64::from(lander.angle),
            20.0 * f64::from(lander.spin) / 50.0,
            flag(0),
            flag(1),
        ]
    }

    /// Lander, leg 0 and leg 1: centre of mass (m), angle (rad), velocity (m/s), angular velocity (rad/s).
    pub fn bodies(&self) -> [[f32; 6]; 3] {
        self.physics.bodies.map(|b| [b.centre.x, b.centre.y, b.angle, b.velocity.x, b.velocity.y, b.spin])
    }

    /// Of leg 0 and leg 1, the joint's accumulated impulses: x, y (N s), limit, motor (N m s).
    pub fn joints(&self) -> [[f32; 4]; 2] {
        self.physics.joints.map(|joint| {
            let of = joint.impulses;
            [of.x, of.y, of.limit, of.motor]
        })
    }

    /// Heights of the ground's corners, m.
    pub fn terrain(&self) -> [f32; 11] {
        self.physics.terrain.heights
    }

    /// Pairs of a body and an edge that are near each other, and at how many points they touch; the newest first.
    pub fn contacts(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.physics.contacts.all().iter().map(|contact| (contact.body, contact.edge, contact.manifold.count))
    }
}

/// The velocity solver and what follows it. Environments with alike contacts and joints are solved together.
fn solve<K: Kind>(set: InstructionSet, lanes: &mut Lanes, worlds: &mut [Lander<K>]) {
    let mut order = [(0u64, 0u16); BLOCK];
    let order = &mut order[..worlds.len()];
    for (i, (world, place)) in worlds.iter().zip(order.iter_mut()).enumerate() {
        *place = (world.physics.pattern(), i as u16);
    }
    order.sort_unstable();
    for group in order.chunks(LANES) {
        lanes.clear();
        for &(_, i) in group {
            let lane = lanes.take();
            worlds[usize::from(i)].physics.begin(lanes, lane);
        }
        lanes.run(set, K::FAST);
        for (lane, &(_, i)) in group.iter().enumerate() {
            worlds[usize::from(i)].physics.end(lanes, lane);
        }
    }
}

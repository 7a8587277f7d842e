//! The one list of units, tasks, optimisers and worlds: config names, help, tests and benches read it.

use crate::error::{Error, Result};
use crate::world::{Acrobot, CartPole, MountainCar, Spec, World, lunar_lander};

/// A choice that a config can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// As written in a config: `[unit.enu]`, `[task.iaf]`, `[es]`.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
}

/// Kinds of unit; the code of each is in `src/unit/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnitKind {
    /// Evolvable neural unit.
    Enu,
    /// ENU without output feedback.
    Nfenu,
    /// Gated recurrent unit.
    Gru,
    /// Long short-term memory.
    Lstm,
}

impl UnitKind {
    /// Every kind, in the order of [`UNITS`].
    pub const ALL: [Self; 4] = [Self::Enu, Self::Nfenu, Self::Gru, Self::Lstm];

    /// As written in a config.
    pub fn name(self) -> &'static str {
        UNITS[self as usize].name
    }
}

/// The tables `[unit.<name>]`, in the order of [`UnitKind::ALL`].
pub const UNITS: &[Entry] = &[
    Entry {
        name: "enu",
        summary: "evolvable neural unit: update, reset and cell gates, output clipped to [0, 1] and fed back",
    },
    Entry { name: "nfenu", summary: "ENU without output feedback" },
    Entry { name: "gru", summary: "gated recurrent unit with a linear read-out" },
    Entry { name: "lstm", summary: "long short-term memory with a linear read-out" },
];

/// The tables `[network.rule.<name>]`, see [`crate::network::plastic`].
pub const RULES: &[Entry] = &[
    Entry { name: "bcm", summary: "BCM with a sliding threshold; with `trace` below 1 the trace rule" },
    Entry { name: "rewarded_stdp", summary: "spike-timing dependent plasticity that a reward gates" },
];

/// The tables `[task.<name>]`.
pub const TASKS: &[Entry] = &[
    Entry { name: "iaf", summary: "mimic an integrate-and-fire neuron: interspike intervals and spike heights" },
    Entry { name: "stdp", summary: "reproduce neuromodulated spike-timing dependent plasticity" },
    Entry { name: "stdp_complex", summary: "the same with the cosine-transformed rule" },
    Entry { name: "t_maze", summary: "a network of units finds food in a T-maze, and remembers where it is" },
    Entry { name: "double_t_maze", summary: "the same with two turns and four places" },
    Entry { name: "assay", summary: "a unit or a network behaves in assays of the battery (phylon list assays)" },
];

/// The tables `[<name>]` of which a config has one.
pub const OPTIMISERS: &[Entry] = &[
    Entry {
        name: "es",
        summary: "evolution strategy with rank^alpha weights; momentum or Adam, optional antithetic pairs",
    },
    Entry { name: "snes", summary: "separable natural evolution strategy: a step size per parameter" },
];

/// Work on a world whose kind is known only at run time.
pub trait WorldVisitor {
    /// What comes of it.
    type Output;

    /// The work, with the world's type.
    fn visit<W: World>(self) -> Self::Output;
}

macro_rules! worlds {
    ($($(#[$doc:meta])* $kind:ident: $world:ty,)*) => {
        /// Worlds of Gymnasium; the code of each is in `src/world/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum WorldKind {
            $($(#[$doc])* $kind,)*
        }

        impl WorldKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// What is known of it.
            pub fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$kind => &<$world>::SPEC,)*
                }
            }

            /// Do what `visitor` does, in a world of this kind.
            pub fn visit<V: WorldVisitor>(self, visitor: V) -> V::Output {
                match self {
                    $(Self::$kind => visitor.visit::<$world>(),)*
                }
            }
        }
    };
}

worlds! {
    /// Balance a pole on a cart, bit for bit as Gymnasium's.
    CartPole: CartPole<f64>,
    /// The same in single precision.
    CartPoleF32: CartPole<f32>,
    /// Swing a car up a hill, bit for bit as Gymnasium's.
    MountainCar: MountainCar<f64>,
    /// The same in single precision.
    MountainCarF32: MountainCar<f32>,
    /// Swing two links up, as Gymnasium's.
    Acrobot: Acrobot<f64>,
    /// The same in single precision.
    AcrobotF32: Acrobot<f32>,
    /// Land a craft on the moon, bit for bit as Gymnasium's.
    LunarLander: lunar_lander::LunarLander,
    /// The same in wind.
    LunarLanderWind: lunar_lander::LunarLanderWind,
    /// The same with engines that are throttled.
    LunarLanderContinuous: lunar_lander::LunarLanderContinuous,
    /// The same in wind.
    LunarLanderContinuousWind: lunar_lander::LunarLanderContinuousWind,
    /// The first with a velocity solver that may stop early.
    LunarLanderFast: lunar_lander::LunarLanderFast,
}

impl WorldKind {
    /// By its own name, or by Gymnasium's id of any version, which means the first of that id here: the exact one.
    ///
    /// # Errors
    /// When there is none, with the nearest name.
    pub fn named(name: &str) -> Result<Self> {
        let family = |id: &str| id.rsplit_once("-v").map(|(family, _)| family.to_owned());
        let is_id = |spec: &Spec| family(name).is_some() && family(name) == family(spec.gymnasium);
        let find = |is: &dyn Fn(&Spec) -> bool| Self::ALL.iter().copied().find(|kind| is(kind.spec()));
        find(&|spec| spec.name == name).or_else(|| find(&is_id)).ok_or_else(|| {
            let names = Self::ALL.iter().map(|kind| kind.spec().name);
            let nearest = names.max_by(|a, b| likeness(a, name).total_cmp(&likeness(b, name))).unwrap_or_default();
            Error::Config(format!("there is no world `{name}`; try: `{nearest}`, or phylon list worlds"))
        })
    }
}

/// How alike two names are: Jaro-Winkler is kind to abbreviations, Damerau-Levenshtein to swapped letters in short names.
pub(crate) fn likeness(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b).max(strsim::normalized_damerau_levenshtein(a, b))
}

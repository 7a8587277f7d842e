//! The one list of units, tasks and optimisers: config names, help, tests and benches read it.

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

/// The tables `[task.<name>]`.
pub const TASKS: &[Entry] = &[
    Entry { name: "iaf", summary: "mimic an integrate-and-fire neuron: interspike intervals and spike heights" },
    Entry { name: "stdp", summary: "reproduce neuromodulated spike-timing dependent plasticity" },
    Entry { name: "stdp_complex", summary: "the same with the cosine-transformed rule" },
    Entry { name: "t_maze", summary: "a network of units finds food in a T-maze, and remembers where it is" },
    Entry { name: "double_t_maze", summary: "the same with two turns and four places" },
];

/// The tables `[<name>]` of which a config has one.
pub const OPTIMISERS: &[Entry] = &[
    Entry {
        name: "es",
        summary: "evolution strategy with rank^alpha weights; momentum or Adam, optional antithetic pairs",
    },
    Entry { name: "snes", summary: "separable natural evolution strategy: a step size per parameter" },
];

//! The list of tables: what the papers report, and the protocols that give our figures beside theirs.
//!
//! A table has *parts*, which are done and kept one by one: a task with a kind of unit, a world, a search of a column.
//! A part gives one or several rows. A protocol is a config of `configs/`, embedded, with overrides.

use crate::column::search::Group;
use crate::error::{Error, Result};
use crate::registry::UnitKind;

/// A table of a paper.
#[derive(Debug)]
pub struct Table {
    /// `enu-table1`
    pub name: &'static str,
    /// What it compares, and in which paper.
    pub summary: &'static str,
    /// What the whole of it takes.
    pub whole: &'static str,
    pub(super) subject: Subject,
}

/// What a table is about.
#[derive(Debug)]
pub(super) enum Subject {
    /// Units, or networks of them, that evolve.
    Units(&'static [Experiment]),
    /// A column whose parameters of a group are searched.
    Column(Group),
    /// Grown agents in the four worlds; no number of genes where the rules are those of the worm's data.
    Agents(Option<usize>),
}

/// A task, and the kinds of unit that it is done with.
#[derive(Debug)]
pub(super) struct Experiment {
    /// `iaf`
    pub name: &'static str,
    /// The paper's name of its column.
    pub title: &'static str,
    pub paper: Protocol,
    /// Settings that learn where the paper's were not seen to.
    pub ours: Protocol,
    pub models: &'static [Model],
    /// Of `--quick`.
    pub quick_trials: u32,
}

/// A config, and what makes it quick.
#[derive(Debug, Clone, Copy)]
pub(super) struct Protocol {
    /// Its place in the repository.
    pub file: &'static str,
    pub text: &'static str,
    /// Overrides of `--quick`.
    pub quick: &'static [&'static str],
    /// Why its fitness cannot be set beside the paper's.
    pub other_scale: Option<&'static str>,
}

/// A row of the tables of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Kind(UnitKind),
    /// ENUs with one chromosome for synapses and neurons.
    Shared,
}

impl Model {
    /// As the papers write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Kind(UnitKind::Enu) => "ENU",
            Self::Kind(UnitKind::Gru) => "GRU",
            Self::Kind(UnitKind::Lstm) => "LSTM",
            Self::Kind(UnitKind::Nfenu) => "NFENU",
            Self::Shared => "SHAREDENU",
        }
    }

    /// As in a config.
    pub fn unit(self) -> UnitKind {
        match self {
            Self::Kind(kind) => kind,
            Self::Shared => UnitKind::Enu,
        }
    }
}

macro_rules! protocol {
    ($file:literal, $quick:expr) => {
        protocol!($file, $quick, None)
    };
    ($file:literal, $quick:expr, $other_scale:expr) => {
        Protocol {
            file: concat!("configs/", $file),
            text: include_str!(concat!("../../configs/", $file)),
            quick: &$quick,
            other_scale: $other_scale,
        }
    };
}

const UNITS: &[Model] = &[
    Model::Kind(UnitKind::Enu),
    Model::Kind(UnitKind::Gru),
    Model::Kind(UnitKind::Lstm),
    Model::Kind(UnitKind::Nfenu),
];
const IN_NETWORKS: &[Model] = &[
    Model::Kind(UnitKind::Enu),
    Model::Kind(UnitKind::Gru),
    Model::Kind(UnitKind::Lstm),
    Model::Kind(UnitKind::Nfenu),
    Model::Shared,
];

/// Silence costs 25 to 29 an episode here, and the paper's GRU stands at -96 and -108.
const OTHER_SCALE: Option<&str> = Some(
    "the paper's figure is of another scale, as silence costs but 25 to 29 here: the two cannot be set beside each \
     other",
);

/// `configs/enu-tmaze.toml` and `enu-double-tmaze.toml` say why.
const EASIER: Option<&str> =
    Some("an easier task than the paper's: what is which is not shuffled from life to life, and the wiring knows it");

const STDP_QUICK: [&str; 3] = ["es.population=64", "run.generations=150", "es.sigma_decay=0.98"];

const MAZE_QUICK: [&str; 4] =
    ["es.population=24", "run.generations=6", "run.validate_every=3", "run.validation_episodes=32"];

const MAZE_OURS_QUICK: [&str; 5] = [
    "es.population=32",
    "run.generations=6",
    "run.first_centres=100",
    "run.validate_every=3",
    "run.validation_episodes=32",
];

const IAF: Experiment = Experiment {
    name: "iaf",
    title: "IAF",
    paper: protocol!("enu-iaf-paper.toml", ["es.population=64", "run.generations=60"]),
    ours: protocol!(
        "enu-iaf.toml",
        ["es.population=128", "run.generations=300", "run.first_centres=1000", "es.sigma_decay=0.99"]
    ),
    models: UNITS,
    quick_trials: 3,
};

const STDP: Experiment = Experiment {
    name: "stdp",
    title: "STDP",
    paper: protocol!("enu-stdp-paper.toml", ["es.population=64", "run.generations=60"], OTHER_SCALE),
    ours: protocol!("enu-stdp.toml", STDP_QUICK, OTHER_SCALE),
    models: UNITS,
    quick_trials: 3,
};

const STDP_COMPLEX: Experiment = Experiment {
    name: "stdp-complex",
    title: "Complex STDP",
    paper: protocol!("enu-stdp-complex-paper.toml", ["es.population=64", "run.generations=60"], OTHER_SCALE),
    ours: protocol!("enu-stdp-complex.toml", STDP_QUICK, OTHER_SCALE),
    models: UNITS,
    quick_trials: 3,
};

const T_MAZE: Experiment = Experiment {
    name: "t-maze",
    title: "T-Maze",
    paper: protocol!("enu-tmaze-paper.toml", MAZE_QUICK),
    ours: protocol!("enu-tmaze.toml", MAZE_OURS_QUICK, EASIER),
    models: IN_NETWORKS,
    quick_trials: 2,
};

const DOUBLE_T_MAZE: Experiment = Experiment {
    name: "double-t-maze",
    title: "Double T-Maze",
    paper: protocol!("enu-double-tmaze-paper.toml", MAZE_QUICK),
    ours: protocol!("enu-double-tmaze.toml", MAZE_OURS_QUICK, EASIER),
    models: IN_NETWORKS,
    quick_trials: 2,
};

/// Of the thesis's own search, with another group by an override.
pub(super) const DDPG: Protocol =
    protocol!("column-structure-ddpg.toml", ["search.simulations=24", "search.held_out=3"]);

const COLUMN_QUICK: [&str; 3] = ["search.simulations=24", "search.cma_es.population=8", "search.held_out=3"];

/// CMA-ES.
pub(super) fn column_of_ours(group: Group) -> Protocol {
    match group {
        Group::Synapse => protocol!("column-synapse.toml", COLUMN_QUICK),
        Group::Neuron => protocol!("column-neuron.toml", COLUMN_QUICK),
        Group::Structure => protocol!("column-structure.toml", COLUMN_QUICK),
        Group::All => protocol!("column-all.toml", COLUMN_QUICK),
    }
}

const MANY_DAYS: &str = "days on two cores, most of them the mazes'; meant for a GPU, where a trial of a maze takes 20 minutes; \
                         --ours --trials 3 an hour or two on two cores";
const HOURS_EACH: &str =
    "40,000 simulations one after another, about 3 hours a trial on a core; --ours 15 minutes on two";

/// All of them, in their order.
pub const TABLES: [Table; 10] = [
    Table {
        name: "enu-table1",
        summary: "Table 1 of Bertens & Lee 2020: kinds of unit on integrate and fire, on STDP and in the T-maze",
        whole: MANY_DAYS,
        subject: Subject::Units(&[IAF, STDP, T_MAZE]),
    },
    Table {
        name: "enu-extended1",
        summary: "Extended Data Table 1 of Bertens & Lee 2020: kinds of unit on complex STDP and in the double T-maze",
        whole: MANY_DAYS,
        subject: Subject::Units(&[STDP_COMPLEX, DOUBLE_T_MAZE]),
    },
    Table {
        name: "synaptogen-table1",
        summary: "Table 1 of SynaptoGen: agents grown with 16 genes in four worlds",
        whole: "about an hour on two cores; all four tables together 2 min 16 s on an H200",
        subject: Subject::Agents(Some(16)),
    },
    Table {
        name: "synaptogen-table2",
        summary: "Table 2 of SynaptoGen: the same with 39 genes and rules from the worm's data",
        whole: "hours on two cores",
        subject: Subject::Agents(None),
    },
    Table {
        name: "synaptogen-table3",
        summary: "Table 3 of SynaptoGen: the same with 32 genes",
        whole: "hours on two cores",
        subject: Subject::Agents(Some(32)),
    },
    Table {
        name: "synaptogen-table4",
        summary: "Table 4 of SynaptoGen: the same with 64 genes",
        whole: "hours on two cores",
        subject: Subject::Agents(Some(64)),
    },
    Table {
        name: "column-structure",
        summary: "thesis on the cortical column, table 1: its 64 connection probabilities searched for rates in vivo",
        whole: HOURS_EACH,
        subject: Subject::Column(Group::Structure),
    },
    Table {
        name: "column-synapse",
        summary: "the same search of 6 parameters of synapses",
        whole: HOURS_EACH,
        subject: Subject::Column(Group::Synapse),
    },
    Table {
        name: "column-neuron",
        summary: "the same search of 25 parameters of neurons",
        whole: HOURS_EACH,
        subject: Subject::Column(Group::Neuron),
    },
    Table {
        name: "column-all",
        summary: "the same search of all 95 parameters",
        whole: HOURS_EACH,
        subject: Subject::Column(Group::All),
    },
];

impl Table {
    /// Those whose name this is, or begins with it at a `-`: `synaptogen` is four tables, `all` is every one.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Vec<&'static Self>> {
        let begins = |table: &&Table| {
            name == "all" || table.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let found: Vec<&Table> = TABLES.iter().filter(begins).collect();
        if found.is_empty() {
            let nearest = TABLES.iter().max_by(|a, b| {
                let near = |table: &Table| strsim::jaro_winkler(table.name, name);
                near(a).total_cmp(&near(b))
            });
            let nearest = nearest.map_or("", |table| table.name);
            return Err(Error::Config(format!(
                "there is no table `{name}`; try: `{nearest}`, or phylon reproduce --list for all of them"
            )));
        }
        Ok(found)
    }

    /// Its parts, as `--rows` knows them.
    pub fn parts(&self) -> Vec<String> {
        self.named_parts().into_iter().map(|words| words.join("-")).collect()
    }

    /// The words of every part's name.
    pub(super) fn named_parts(&self) -> Vec<Vec<String>> {
        match &self.subject {
            Subject::Units(experiments) => {
                let words = |experiment: &Experiment, model: Model| {
                    vec![experiment.name.to_owned(), model.title().to_lowercase()]
                };
                experiments.iter().flat_map(|of| of.models.iter().map(move |&model| words(of, model))).collect()
            }
            Subject::Column(_) => vec![vec![self.name.trim_start_matches("column-").to_owned()]],
            Subject::Agents(_) => WORLDS.iter().map(|world| vec![(*world).to_owned()]).collect(),
        }
    }
}

/// Of the paper's tables of grown agents, in their order.
pub(super) const WORLDS: [&str; 4] = ["cartpole", "mountain-car", "lunar-lander", "acrobot"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_its_beginning_finds_tables() {
        let names = |name: &str| Table::named(name).unwrap().iter().map(|table| table.name).collect::<Vec<_>>();
        assert_eq!(names("enu-table1"), ["enu-table1"]);
        assert_eq!(names("enu"), ["enu-table1", "enu-extended1"]);
        assert_eq!(names("synaptogen").len(), 4);
        assert_eq!(names("all").len(), TABLES.len());
        let error = Table::named("enu-tabel1").unwrap_err().to_string();
        assert!(error.contains("try: `enu-table1`"), "{error}");
        assert!(Table::named("enu-t").is_err() && Table::named("").is_err());
    }

    #[test]
    fn tables_have_the_rows_of_the_papers() {
        let parts: Vec<usize> = TABLES.iter().map(|table| table.parts().len()).collect();
        assert_eq!(parts, [13, 9, 4, 4, 4, 4, 1, 1, 1, 1]);
    }
}

//! `[network]` -> the layout of a network for a world's sensors and motors.

use super::{Checked, Invalid, check, within};
use crate::battery::body;
use crate::config::{self, Config, Network, SynapseInput, Task};
use crate::network::plastic::Constant;
use crate::network::rules::{Bcm, RewardedStdp};
use crate::network::{Layout, Rule, Synapse, Wiring};
use crate::unit::Shape;
use crate::world::t_maze::{Action, REWARD, SOURCES};

const MAX_NEURONS: u32 = 4_096;

/// The network of a task that one plays, with its defaults written into the config; `None` for other tasks.
pub fn check_network(config: &mut Config, unit: Shape) -> Result<Option<Layout>, Invalid> {
    let (sources, motors, told) = match &config.task {
        Task::TMaze(_) | Task::DoubleTMaze(_) => (SOURCES.to_vec(), Action::MOTORS, [(REWARD, 1), (REWARD, 2)]),
        Task::Assay(task) => {
            let (mut senses, motors) = body::anatomy(&task.assays());
            let told = senses.len();
            senses.extend(body::INNER);
            let table = format!("unit.{}", unit.kind.name());
            if config.network.is_none() {
                check(unit.outputs >= motors.len(), &format!("{table}.outputs"), || {
                    format!("{} is too few: the animal has {} motors", unit.outputs, motors.len())
                })?;
                return Ok(None);
            }
            (senses, motors.len(), [(told, 0), (told + 1, 0)])
        }
        Task::Iaf(_) | Task::Stdp(_) | Task::StdpComplex(_) => {
            return match config.network {
                None => Ok(None),
                Some(_) => Err(invalid("network", "this task is for a single unit: remove the table [network]")),
            };
        }
    };
    let in_maze = sources == SOURCES;
    let network = config.network.get_or_insert_default();
    let table = format!("unit.{}", unit.kind.name());
    check(unit.inputs == unit.outputs, &format!("{table}.inputs"), || {
        format!(
            "{} is not the number of outputs, {}: in a network a unit reads as many channels as one puts out",
            unit.inputs, unit.outputs
        )
    })?;
    check_channels(network, unit, &table, if in_maze { 3 } else { 1 })?;
    within("network", "neurons", network.neurons, (motors as u32, MAX_NEURONS))?;
    let noise = network.output_noise;
    check(noise >= 0.0 && noise.is_finite(), "network.output_noise", || {
        format!("{noise} is not a finite number of at least 0")
    })?;
    let input = network.synapse_input;
    let rule = network.rule.map(check_rule).transpose()?;
    check(rule.is_none() || input == SynapseInput::Split, "network.synapse_input", || {
        "is of synapses that are units: remove it, or [network.rule]".into()
    })?;
    check(rule.is_none() || !network.shared, "network.shared", || {
        "synapses that follow a rule have no chromosome to share: remove it, or [network.rule]".into()
    })?;
    check(!network.shared || input != SynapseInput::Concat, "network.shared", || {
        "one chromosome needs synapses with as many inputs as neurons: not with synapse_input = \"concat\"".into()
    })?;
    let wiring = check_wiring(network, &sources)?;
    let inputs = if input == SynapseInput::Concat { 2 * unit.outputs } else { unit.outputs };
    let synapse = match rule {
        Some(rule) => Synapse::Rule { rule, told },
        None => Synapse::Unit(Shape { inputs, ..unit }),
    };
    Ok(Some(Layout { synapse, neuron: unit, shared: network.shared, input, wiring }))
}

/// A rule with the constants of a config, each of which can be what evolution may make of it.
fn check_rule(config: config::Rule) -> Result<Rule, Invalid> {
    let mut rule = match config {
        config::Rule::Bcm(config::Bcm { weight, rate, tau, goal, trace, most, .. }) => {
            Rule::Bcm { weight, rule: Bcm { rate, tau, goal, trace, signed: false, most } }
        }
        config::Rule::RewardedStdp(of) => {
            let config::RewardedStdp { tau_pre, tau_post, tau_tag, potentiation, depression, rate, most, .. } = of;
            let rule = RewardedStdp { tau_pre, tau_post, tau_tag, potentiation, depression, rate, most };
            Rule::RewardedStdp { weight: of.weight, rule }
        }
    };
    let table = format!("network.rule.{}", rule.name());
    for Constant { name, value, range } in rule.constants() {
        within(&table, name, *value, range)?;
    }
    within(&table, "spread", config.spread(), (0.0, 10.0))?;
    Ok(rule)
}

/// Sensors and reward use the first channels of their sources, which synapses must be able to read.
fn check_channels(network: &Network, unit: Shape, table: &str, used: usize) -> Checked {
    let (good, needed) = match network.synapse_input {
        SynapseInput::Split if network.rule.is_none() => {
            let least = 2 * used;
            (unit.outputs >= least && unit.outputs.is_multiple_of(2), format!("an even number, at least {least}"))
        }
        _ => (unit.outputs >= used, format!("at least {used}")),
    };
    check(good, &format!("{table}.outputs"), || {
        format!(
            "{} is not {needed}: sensors and reward use {used} of the channels, and with synapse_input = \"split\" a synapse \
             reads the first half of its source's",
            unit.outputs
        )
    })
}

fn check_wiring(network: &mut Network, names: &[&str]) -> Result<Wiring, Invalid> {
    let given = [
        network.paper.as_ref().map(|_| "paper"),
        network.random.as_ref().map(|_| "random"),
        network.edges.as_ref().map(|_| "edges"),
        network.edges_file.as_ref().map(|_| "edges_file"),
    ];
    let mut given = given.into_iter().flatten();
    let (first, second) = (given.next(), given.next());
    if let (Some(first), Some(second)) = (first, second) {
        let message = format!("both network.{first} and network.{second} are there; keep one");
        return Err(invalid(&format!("network.{second}"), &message));
    }
    let (neurons, synapses) = (network.neurons, network.synapses);
    match network {
        Network { edges: Some(edges), .. } => {
            Wiring::from_edges(names, neurons as usize, edges).map_err(|why| invalid("network.edges", &why))
        }
        Network { edges_file: Some(_), .. } => {
            Err(invalid("network.edges_file", "is read where a config is loaded from a file; give `edges` instead"))
        }
        Network { random: Some(config::Random { seed }), .. } => {
            let sources = names.len() as u32 + neurons;
            within("network", "synapses", synapses, (2, sources))?;
            Ok(Wiring::random(names.len(), neurons as usize, synapses as usize, *seed))
        }
        Network { paper, .. } => {
            check(names == SOURCES, "network", || {
                "the paper's wiring is of an animal in its mazes; add [network.random] or network.edges".into()
            })?;
            paper.get_or_insert_default();
            let advice = "is not the paper's; for other sizes add [network.random] or network.edges";
            check(neurons == 6, "network.neurons", || format!("{neurons} {advice}"))?;
            check(synapses == 8, "network.synapses", || format!("{synapses} {advice}"))?;
            Ok(Wiring::paper())
        }
    }
}

fn invalid(key: &str, message: &str) -> Invalid {
    Invalid { key: key.to_owned(), message: message.to_owned() }
}

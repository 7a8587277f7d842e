//! What agents earn with something taken from them, beside what they earn intact.

use super::super::axis::Axis;
use super::super::behaviour::Behaviour;
use super::super::html::{self, Figure, measured, number};
use super::super::plot::{self, Chart, Frame, MODEL, REFERENCE};
use super::{Player, Subject, percent, right};
use crate::error::Result;

/// A column a probe, and the references as lines.
pub fn figure(probed: &[(&'static str, &Player)], references: &[&Player], subject: &Subject) -> Result<Figure> {
    let fitness = |player: &Player| player.behaviour.fitness;
    let names: Vec<&str> = probed.iter().map(|(name, _)| *name).collect();
    let bars: Vec<_> =
        probed.iter().map(|(_, p)| fitness(p).ci95).enumerate().map(|(i, ci)| (i as f64, ci.0, ci.1)).collect();
    let values = probed.iter().map(|(_, p)| fitness(p).mean).chain(bars.iter().flat_map(|bar| [bar.1, bar.2]));
    let values = values.chain(references.iter().map(|p| fitness(p).mean)).chain([0.0]);
    let y = Axis::around("fitness, mean over episodes", values, 6);
    let svg = plot::figure(300, |canvas| {
        let x = Axis::named(&names);
        let (low, high) = x.ends();
        let mut chart = Chart::new(canvas, &Frame { right: 150.0, ..Frame::default() }, x, y)?;
        for (i, (_, player)) in probed.iter().enumerate() {
            chart.columns(&[(i as f64 - 0.3, i as f64 + 0.3, fitness(player).mean)], player.colour)?;
        }
        chart.stems(&bars, MODEL, 1.5)?;
        let mut labels = Vec::new();
        for reference in references {
            let mean = fitness(reference).mean;
            chart.dashes((low, mean), (high, mean), REFERENCE, 1.0)?;
            labels.push((mean, format!("{} {}", reference.name, number(mean))));
        }
        chart.right_labels(&labels, REFERENCE)
    })?;
    let caption = format!(
        "Food less poison in the same fresh episodes (seed {}), with 95 % confidence intervals of the mean. No reward signal: the \
         agent is not told what it ate. Frozen synapses: they are put back to rest when the agent is back at the start and when \
         it has been told what it ate, so that they carry nothing from one trial to the next. A fixed strategy needs nothing of the \
         kind: first choices that fall to chance, and the score with them, were made by what the synapses had learned. No noise: none on the output gates. Dark: the \
         colour sensors see nothing. What agents earn does not show learning by itself, as the reflex shows; their first \
         choices, in the table, do. {}",
        subject.seed, subject.described,
    );
    let title = "With something taken from the agent".into();
    Ok(Figure { id: "probes", title, head: table(probed), svg, caption })
}

fn table(probed: &[(&str, &Player)]) -> String {
    let head = ["", "fitness", "95 % CI", "food", "poison", "starved", "0 met", "1 met", "1 met > 0"];
    let row = |(name, player): &(&str, &Player)| {
        let behaviour = &player.behaviour;
        let Behaviour { fitness, food, poison, starved, first_choice, .. } = behaviour;
        vec![
            (*name).to_owned(),
            measured(fitness.mean),
            format!("{} to {}", measured(fitness.ci95.0), measured(fitness.ci95.1)),
            measured(*food),
            measured(*poison),
            percent(*starved),
            right(behaviour, 0),
            right(behaviour, 1),
            first_choice.one_against_none.to_string(),
        ]
    };
    html::table(&head, &probed.iter().map(row).collect::<Vec<_>>())
}

//! A replay of what the positive control did in one of its lives: the null of every assay in a world. It would pass if lives were
//! alike.

use std::sync::{Arc, Mutex, PoisonError};

use crate::battery::assays::{Asked, Assay, Subject};
use crate::battery::play::{Behaviour, Controller, Each, Lives, Moment, Seat, Treatment};

/// The same answers in every life, one a control step, and none when they are at an end: a learnt movement that nothing
/// guides.
#[derive(Debug, Clone)]
struct Replay {
    answers: Arc<[[f32; 4]]>,
    step: usize,
}

impl Behaviour for Replay {
    fn act(&mut self, _: &[f32], _: i32, _: [u32; 4]) -> [f32; 4] {
        self.step += 1;
        self.answers.get(self.step - 1).copied().unwrap_or_default()
    }
}

/// The control's answers in life 0, to be given in every life; none of whoever is in no world.
pub(in crate::battery) fn replay(assay: &Assay, lives: Lives) -> Option<Subject> {
    let Subject::Animal(controller) = (assay.control.make)() else { return None };
    let answers = Answers::default();
    let recorder = Subject::Animal(Box::new(Recorder { controller, answers: answers.clone() }));
    let asked = Asked { gpu: None, lives: Lives { count: 1, ..lives }, treatment: Treatment::None };
    assay.play(0, &recorder, asked).ok()?;
    let answers = answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Some(Subject::Animal(Box::new(Each(Replay { answers: answers.into(), step: 0 }))))
}

type Answers = Arc<Mutex<Vec<[f32; 4]>>>;

/// Writes down what a controller answers in the first lane.
struct Recorder {
    controller: Box<dyn Controller>,
    answers: Answers,
}

struct Recording<'a> {
    seat: Box<dyn Seat + 'a>,
    answers: &'a Answers,
}

impl Controller for Recorder {
    fn seat(&self, lanes: usize) -> Box<dyn Seat + '_> {
        Box::new(Recording { seat: self.controller.seat(lanes), answers: &self.answers })
    }
}

impl Seat for Recording<'_> {
    fn reset(&mut self, lane: usize) {
        self.seat.reset(lane);
    }

    fn step(&mut self, moment: &Moment, outputs: &mut [f32]) {
        self.seat.step(moment, outputs);
        let mut answer = [0.0; 4];
        answer.iter_mut().zip(outputs.iter().step_by(moment.lanes)).for_each(|(to, &output)| *to = output);
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
    }
}

//! What a learner remembers: the last transitions, in a ring.

/// Transitions, in rows of what was seen, what was seen next, action, reward, and whether the episode went on.
#[derive(Debug, Clone)]
pub struct Replay {
    rows: Vec<f32>,
    observations: usize,
    /// Where the next one goes.
    next: usize,
    count: usize,
}

/// A transition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition<'a> {
    /// What was seen.
    pub seen: &'a [f32],
    /// What was seen next.
    pub next: &'a [f32],
    /// What was done.
    pub action: usize,
    /// What it brought.
    pub reward: f32,
    /// Whether it ended the episode; the time limit does not.
    pub terminated: bool,
}

impl Replay {
    /// Of at most `capacity` transitions in a world of so many observations.
    pub fn new(capacity: usize, observations: usize) -> Self {
        Self { rows: vec![0.0; capacity * (2 * observations + 3)], observations, next: 0, count: 0 }
    }

    fn width(&self) -> usize {
        2 * self.observations + 3
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Remember one, in the place of the oldest where there is no room.
    pub fn push(&mut self, transition: Transition<'_>) {
        let (width, observations) = (self.width(), self.observations);
        let row = &mut self.rows[self.next * width..][..width];
        row[..observations].copy_from_slice(transition.seen);
        row[observations..2 * observations].copy_from_slice(transition.next);
        let terminated = if transition.terminated { 1.0 } else { 0.0 };
        row[2 * observations..].copy_from_slice(&[transition.action as f32, transition.reward, terminated]);
        let capacity = self.rows.len() / width;
        self.next = (self.next + 1) % capacity;
        self.count = (self.count + 1).min(capacity);
    }

    /// The one in place `i`.
    #[inline(always)]
    pub fn get(&self, i: usize) -> Transition<'_> {
        let (width, observations) = (self.width(), self.observations);
        let (seen, rest) = self.rows[i * width..][..width].split_at(observations);
        let (next, rest) = rest.split_at(observations);
        Transition { seen, next, action: rest[0] as usize, reward: rest[1], terminated: rest[2] == 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way() {
        let mut replay = Replay::new(3, 2);
        fn transition(seen: &[f32]) -> Transition<'_> {
            Transition { seen, next: seen, action: 3, reward: -0.5, terminated: false }
        }
        for (i, count) in [1, 2, 3, 3, 3].into_iter().enumerate() {
            replay.push(transition(&[i as f32, 0.25]));
            assert_eq!(replay.count(), count);
        }
        assert_eq!([0, 1, 2].map(|i| replay.get(i).seen[0]), [3.0, 4.0, 2.0]);
        assert_eq!(replay.get(1), transition(&[4.0, 0.25]));
        replay.push(Transition { terminated: true, ..transition(&[5.0, 0.25]) });
        assert!(replay.get(2).terminated);
    }
}

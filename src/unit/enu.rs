//! Evolvable neural unit (equation 1 of Bertens & Lee 2020): the memory of [`super::gru`] whose outputs
//! `o' = clip(h' Wo, 0, 1)` are spikes or graded potentials and are fed back into the gates. NFENU keeps the clip and
//! drops the feedback.

pub(super) use crate::num::clip_unit as clip;

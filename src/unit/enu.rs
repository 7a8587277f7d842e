//! Evolvable neural unit (equation 1 of Bertens & Lee 2020): the memory of [`super::gru`] whose outputs
//! `o' = clip(h' Wo, 0, 1)` are spikes or graded potentials and are fed back into the gates. NFENU keeps the clip and
//! drops the feedback.

use crate::num::clip_unit;

#[inline(always)]
pub(super) fn clip(outputs: &mut [f32]) {
    for output in outputs {
        *output = clip_unit(*output);
    }
}

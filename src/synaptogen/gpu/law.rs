//! The laws of all neuron pairs of some profiles on a device: the bits of [`crate::synaptogen::growth::law::Law`]. See
//! `kernels/synaptogen_law.cu`.

use std::collections::BTreeMap;

use crate::abi::{LAW_FREQUENCIES, LAW_VALUES, LawArgs, LawGroup, LawPlan, PairLaw, Pointer, THREADS};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Shape as Launch, blocks};
use crate::synaptogen::growth::law::{Group, circle, groups};

use super::growth::Profiles;

/// As `grow_law` takes them.
pub(super) struct Laws {
    /// `[profile][neuron pair]`.
    pub(super) pairs: Buffer<PairLaw>,
    /// Of the widest window.
    pub(super) levels: u32,
    /// Upper halves of all thresholds.
    pub(super) high: Buffer<u32>,
    /// Lower halves.
    pub(super) low: Buffer<u32>,
    /// What the kernels took.
    pub(super) seconds: f64,
}

/// Everything that the windows decide.
#[derive(Default)]
struct Layout {
    groups: Vec<LawGroup>,
    /// `[profile][neuron pair]`.
    plans: Vec<LawPlan>,
    laws: Vec<PairLaw>,
    circles: Vec<f64>,
    exponents: usize,
    coefficients: usize,
    thresholds: usize,
}

impl Laws {
    pub(super) fn new(gpu: &Gpu, profiles: &Profiles) -> Result<Self> {
        let Profiles { genes, pairs, count, .. } = *profiles;
        let all = count * pairs;
        let moments = Buffer::zeros(gpu, all)?;
        let args = LawArgs {
            rules: profiles.rules.pointer(),
            expression: profiles.expression.pointer(),
            ends: profiles.ends.pointer(),
            alphas: profiles.alphas.pointer(),
            moments: moments.pointer(),
            groups: Pointer::NULL,
            plans: Pointer::NULL,
            circles: Pointer::NULL,
            exponents: Pointer::NULL,
            coefficients: Pointer::NULL,
            high: Pointer::NULL,
            low: Pointer::NULL,
            profiles: count as u32,
            pairs: pairs as u32,
            genes: genes as u32,
            expressed: profiles.expressed as u32,
        };
        let launch = |kernel: &str, grid: [u32; 2], block: u32, args: &LawArgs| {
            let shape = Launch { grid: [grid[0], grid[1], 1], block, shared: 0 };
            // SAFETY: the buffers are as long as the arguments say, and live until the kernels are done, which `time` waits for.
            unsafe { gpu.launch(kernel, shape, args) }
        };
        let first = gpu.time(|| launch("law_moments", [blocks(all, THREADS), 1], THREADS, &args))?;
        let layout = Layout::new(&moments.read_all(gpu)?, pairs, genes)?;
        let (groups, plans) = (Buffer::of(gpu, &layout.groups)?, Buffer::of(gpu, &layout.plans)?);
        let circles = Buffer::of(gpu, &layout.circles)?;
        let exponents = Buffer::<f64>::zeros(gpu, layout.exponents)?;
        let coefficients = Buffer::<f64>::zeros(gpu, layout.coefficients)?;
        let high = Buffer::<u32>::zeros(gpu, layout.thresholds)?;
        let low = Buffer::<u32>::zeros(gpu, layout.thresholds)?;
        let args = LawArgs {
            groups: groups.pointer(),
            plans: plans.pointer(),
            circles: circles.pointer(),
            exponents: exponents.pointer(),
            coefficients: coefficients.pointer(),
            high: high.pointer(),
            low: low.pointer(),
            ..args
        };
        let most = layout.groups.iter().map(|group| group.frequencies).max().unwrap_or_default() as usize;
        let each = [pairs as u32, count as u32];
        let rest = gpu.time(|| {
            let tables = [blocks(genes * genes * most, THREADS), layout.groups.len() as u32];
            launch("law_exponents", tables, THREADS, &args)?;
            launch("law_coefficients", each, LAW_FREQUENCIES, &args)?;
            launch("law_thresholds", each, LAW_VALUES, &args)
        })?;
        let levels = layout.laws.iter().map(|law| law.levels).max().unwrap_or_default();
        Ok(Self { pairs: Buffer::of(gpu, &layout.laws)?, levels, high, low, seconds: first + rest })
    }
}

impl Layout {
    /// Of `[profile][neuron pair]`.
    fn new(moments: &[crate::abi::Moments], pairs: usize, genes: usize) -> Result<Self> {
        let mut all = Self::default();
        let mut circles = BTreeMap::new();
        for (profile, moments) in moments.chunks(pairs).enumerate() {
            let mut plans = vec![None; pairs];
            for Group { window, pairs, frequencies } in groups(moments) {
                let place = *circles.entry(window).or_insert_with(|| {
                    let place = all.circles.len() / 2;
                    all.circles.extend(circle(window).into_iter().flat_map(|(sin, cos)| [sin, cos]));
                    place
                });
                let group = all.groups.len() as u32;
                all.groups.push(LawGroup {
                    profile: profile as u32,
                    window: window as u32,
                    frequencies: frequencies as u32,
                    circle: place as u32,
                    exponents: all.exponents as u64,
                });
                all.exponents += 2 * frequencies * genes * genes;
                for pair in pairs {
                    let first = moments[pair].first(window);
                    let plan = LawPlan {
                        mean: moments[pair].mean,
                        first,
                        values: moments[pair].thresholds(window) as u32,
                        group,
                        start: all.thresholds as u32,
                        coefficients: all.coefficients as u32,
                    };
                    let law = PairLaw { first: first as u32, levels: window.trailing_zeros(), start: plan.start };
                    plans[pair] = Some((plan, law));
                    all.thresholds += window;
                    all.coefficients += 2 * frequencies;
                }
            }
            // Every pair is in a group.
            for (plan, law) in plans.into_iter().flatten() {
                all.plans.push(plan);
                all.laws.push(law);
            }
        }
        if all.thresholds.max(all.coefficients) > u32::MAX as usize {
            return Err(Error::Device(format!(
                "the laws of all neuron pairs have {} thresholds; try: a lower degree, or --device cpu",
                all.thresholds
            )));
        }
        Ok(all)
    }
}

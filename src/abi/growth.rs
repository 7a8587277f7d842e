//! SynaptoGen: mean networks, laws of synapses, agents grown.

use super::*;

abi! {
    constants {
        /// [`crate::rng::Stream::Synapses`].
        STREAM_SYNAPSES = 8;
        /// [`crate::rng::Stream::SynapseLaw`].
        STREAM_SYNAPSE_LAW = 9;
        /// Columns of agents' rows that a block of `grow_*` owns, a warp each.
        GROWN_COLUMNS = 8;
        /// Frequencies that a block of `law_coefficients` sums at a time.
        LAW_FREQUENCIES = 64;
        /// Values that a block of `law_thresholds` adds up at a time.
        LAW_VALUES = 256;
        /// Agents that a block of `grow_*` draws at a time.
        GROWN_AGENTS = 128;
        /// Powers of two trials with a table, from 2^6 on: `direct::POWERS`.
        GROWN_POWERS = 10;
        /// First random block of lower halves: `direct::LOWER_HALVES`.
        GROWN_LOWER_HALVES = 32;
        /// First random block of binomial numbers beyond the tables: `direct::REJECTION`.
        GROWN_REJECTION = 64;
        /// Of [`GrowArgs::columns`]: from here on biases.
        COLUMN_BIAS = 0x8000_0000;
        /// Of [`GrowArgs::columns`]: nothing.
        COLUMN_EMPTY = 0xffff_ffff;
        /// Of [`GeneTable::kind`]: probability 0.
        GENES_NEVER = 0;
        /// Probability 1.
        GENES_ALWAYS = 1;
        /// Between.
        GENES_DRAWN = 2;
    }

    /// A layer of a profile, for `assemble`: neurons, and where its raw parameters begin in the vector.
    struct ProfileLayer {
        /// Of the layer.
        neurons: u32,
        /// X, `[neuron][gene]`.
        expression: u32,
        /// T, `[neuron][neurotransmitter]`; nothing for the last layer.
        neurotransmitters: u32,
        /// R, `[neuron][receptor]`; nothing for the first layer.
        receptors: u32,
    }

    /// `assemble`: a block a profile.
    struct AssembleArgs {
        /// Raw, `[profile][parameter_count]`.
        parameters: Pointer<f32>,
        /// `[layer_count]`.
        layers: Pointer<ProfileLayer>,
        /// 1 for a pair of genes that is co-expressed, `[gene][gene]`; null where nothing is known of them.
        coexpressed: Pointer<u32>,
        /// Out: N, `[profile][pair of neurons]`, pairs of layers one after the other, each `[pre][post]`.
        numbers: Pointer<f32>,
        /// Out: G, the same way.
        conductances: Pointer<f32>,
        /// Out: W, the same way.
        weights: Pointer<f32>,
        /// Of a profile.
        parameter_count: u32,
        /// Where O begins.
        rules: u32,
        /// Where K begins.
        receptor_strengths: u32,
        /// Pairs of neurons, of all pairs of layers.
        pairs: u32,
        /// Layers.
        layer_count: u32,
        /// Genes.
        genes: u32,
        /// Neurotransmitters; twice as many receptors.
        neurotransmitters: u32,
        /// Neurons of the widest layer.
        widest: u32,
        /// Of the narrower layer of a pair, the most neurons there are.
        narrowest: u32,
    }

    /// Of a neuron pair's number of synapses, for `grow_law`: `first` and as many more as thresholds are exceeded.
    struct PairLaw {
        /// Least number.
        first: u32,
        /// There are 2^levels thresholds.
        levels: u32,
        /// Their place.
        start: u32,
    }

    /// A gene pair, for `grow_direct`.
    struct GeneTable {
        /// That a trial succeeds.
        probability: f64,
        /// GENES_*.
        kind: u32,
        /// Thresholds of 0, 1, .. trials, 2^levels each, begin here.
        small: u32,
        /// See `small`.
        levels: u32,
        /// Its first [`PowerTable`], that of 2^6 trials; as many follow as any of its neuron pairs needs.
        powers: u32,
    }

    /// The law of a power of two trials: `least` and as many more as thresholds are exceeded.
    struct PowerTable {
        /// Place of the thresholds.
        start: u32,
        /// There are 2^levels.
        levels: u32,
        /// Least number.
        least: u32,
    }

    /// Where the neurons of a pair have their expression.
    struct PairEnds {
        /// Row of the one before.
        pre: u32,
        /// Row of the one behind.
        post: u32,
    }

    /// Mean, variance and most of a neuron pair's number of synapses.
    struct Moments {
        /// Mean.
        mean: f64,
        /// Variance.
        variance: f64,
        /// Trials.
        trials: f64,
    }

    /// Neuron pairs of a profile whose laws have the same window.
    struct LawGroup {
        /// Of which profile.
        profile: u32,
        /// Values, a power of two.
        window: u32,
        /// Frequencies, F.
        frequencies: u32,
        /// Place of its circle.
        circle: u32,
        /// Place of its exponents.
        exponents: u64,
    }

    /// A neuron pair, for the kernels that make its law.
    struct LawPlan {
        /// Of the number of synapses.
        mean: f64,
        /// Least number in the window.
        first: f64,
        /// Thresholds that are not beyond all numbers there can be.
        values: u32,
        /// Its group.
        group: u32,
        /// Place of its thresholds.
        start: u32,
        /// Place of its coefficients.
        coefficients: u32,
    }

    /// `law_moments`, `law_exponents`, `law_coefficients`, `law_thresholds`: from expression and rules to the thresholds of all
    /// neuron pairs.
    struct LawArgs {
        /// P, `[profile][gene before][gene behind]`.
        rules: Pointer<f32>,
        /// `[profile][row][gene]`.
        expression: Pointer<f32>,
        /// `[neuron pair]`.
        ends: Pointer<PairEnds>,
        /// Correction factors, `[profile]`.
        alphas: Pointer<f32>,
        /// Out of the first kernel: `[profile][neuron pair]`.
        moments: Pointer<Moments>,
        /// `[group]`.
        groups: Pointer<LawGroup>,
        /// `[profile][neuron pair]`.
        plans: Pointer<LawPlan>,
        /// Sine and cosine of whole parts of the circle, `[value][2]` of each window.
        circles: Pointer<f64>,
        /// Out of the second kernel: L of every group, `[gene pair][2][frequency]`.
        exponents: Pointer<f64>,
        /// Out of the third: `[2][frequency]` of every neuron pair.
        coefficients: Pointer<f64>,
        /// Out of the last: upper halves.
        high: Pointer<u32>,
        /// Lower halves.
        low: Pointer<u32>,
        /// Profiles.
        profiles: u32,
        /// Neuron pairs.
        pairs: u32,
        /// Genes.
        genes: u32,
        /// Rows of expression of a profile.
        expressed: u32,
    }

    /// What `grow_law` and `grow_direct` share: agents of some profiles of one shape. A block is [`GROWN_COLUMNS`] columns, and
    /// the grid `[column block][rounds of agents][profile]`.
    struct GrowArgs {
        /// What stands in a column of an agent's row: a neuron pair, a bias, COLUMN_EMPTY; whole blocks.
        columns: Pointer<u32>,
        /// G, `[profile][neuron pair]`; where there are weights.
        conductances: Pointer<f32>,
        /// `[profile][bias]`; where there are weights.
        biases: Pointer<f32>,
        /// Correction factors, `[profile]`.
        alphas: Pointer<f32>,
        /// Of the draws, `[profile]`.
        seeds: Pointer<u64>,
        /// Upper halves of all thresholds.
        high: Pointer<u32>,
        /// Lower halves of all thresholds.
        low: Pointer<u32>,
        /// Out: `[profile][agent][stride]`; or null.
        weights: Pointer<f32>,
        /// Out: numbers of synapses, `[profile][agent][neuron pair]`; or null.
        synapses: Pointer<u32>,
        /// Added to: synapses of an agent, `[profile][agent]`; or null.
        totals: Pointer<u64>,
        /// Neuron pairs.
        pairs: u32,
        /// Biases of a profile.
        bias_count: u32,
        /// From an agent's weights to the next.
        stride: u32,
        /// Number of the first agent.
        first: u32,
        /// Agents of a profile.
        agents: u32,
        /// Times that a block draws [`GROWN_AGENTS`] agents, one after the other.
        rounds: u32,
    }

    /// `grow_law`.
    struct GrowLawArgs {
        /// Of which agents.
        grow: GrowArgs,
        /// `[profile][neuron pair]`.
        laws: Pointer<PairLaw>,
        /// Steps of a search that go through shared memory, which has 2^room thresholds of each column.
        room: u32,
    }

    /// `grow_direct`.
    struct GrowDirectArgs {
        /// Of which agents.
        grow: GrowArgs,
        /// `[profile][row][gene]`.
        expression: Pointer<f32>,
        /// `[neuron pair]`.
        ends: Pointer<PairEnds>,
        /// `[profile][gene before][gene behind]`.
        tables: Pointer<GeneTable>,
        /// Of all gene pairs.
        powers: Pointer<PowerTable>,
        /// Genes.
        genes: u32,
        /// Rows of expression of a profile.
        expressed: u32,
    }
}

impl Default for Moments {
    fn default() -> Self {
        Self { mean: 0.0, variance: 0.0, trials: 0.0 }
    }
}

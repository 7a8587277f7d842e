//! Cortical columns.

use super::*;

abi! {
    constants {
        /// [`crate::rng::Stream::Wiring`].
        STREAM_WIRING = 20;
        /// [`crate::rng::Stream::Background`].
        STREAM_BACKGROUND = 22;
        /// [`crate::column::delay::LONGEST`].
        LONGEST_DELAY = 64;
        /// Laws of delays that a column can have: of excitatory neurons, of inhibitory ones, of the thalamus.
        DELAY_LAWS = 3;
        /// Synapses that share their normal numbers, half with the other half.
        WIRING_GROUP = 64;
        /// A weight of the wrong sign is drawn again this often.
        WIRING_ATTEMPTS = 64;
        /// Words of a law of spikes from outside: the number of its thresholds, and at most 68 of them.
        COLUMN_LAW = 69;
        /// Counts that a law is looked up in by the upper bits of a half word.
        COLUMN_GUIDE = 2048;
        /// Of [`ColumnStrip::law`]: nothing comes from outside.
        NO_LAW = 4294967295;
        /// Before the counters of [`Column::rows`].
        COLUMN_ROWS = 4;
        /// Neurons' steps at rest are counted below this power of two.
        COLUMN_REST_BITS = 22;
        /// Synapses of a source, at most: the CPU numbers those of a row in 16 bits.
        COLUMN_ROW_MOST = 65535;
        /// Of [`ColumnSynapse::target`] in a column of several blocks: the delay stands above so many bits.
        COLUMN_DELAY_SHIFT = 16;
        /// Of [`Column::mail`]: bits of a lane in its block, and of a number of such lanes.
        MAIL_BITS = 10;
        /// Lanes that a word of mail has room for beside their number.
        MAIL_LANES = 3;
    }

    /// The synapses from one population of a column, or from its thalamus, onto another.
    struct ColumnPair {
        /// Threads that draw two synapses each, of this pair and all before it; whole warps.
        end: u32,
        /// How many synapses.
        synapses: u32,
        /// [`crate::rng::Row::index`] of their numbers.
        number: u32,
        /// Neurons of the source population.
        sources: u32,
        /// Neurons of the target population.
        targets: u32,
        /// Number of the first source, see [`Column::sources`].
        first_source: u32,
        /// First of the targets' lanes.
        first_lane: u32,
        /// Which of the DELAY_LAWS the delays have.
        law: u32,
        /// Mean weight, pA.
        weight: f32,
        /// Its standard deviation, pA.
        sd: f32,
    }

    /// A synapse in its row.
    #[derive(Default)]
    struct ColumnSynapse {
        /// Where its neuron adds up what arrives, in words of the block's shared memory; in a column of several blocks the lane
        /// in its block, and above COLUMN_DELAY_SHIFT the delay.
        target: u32,
        /// In units of the column.
        weight: i32,
    }

    /// 32 lanes of neurons of one population, and what these share.
    struct ColumnStrip {
        /// Of all currents, or of the excitatory ones: what is left of it after a step.
        decay: f32,
        /// mV that a pA adds.
        gain: f32,
        /// Minus the part of a potential that leaks away.
        leak: f32,
        /// mV that a step adds.
        constant: f32,
        /// Of inhibitory currents.
        decay_inhibitory: f32,
        /// See `gain`.
        gain_inhibitory: f32,
        /// Of currents from outside.
        decay_external: f32,
        /// See `gain`.
        gain_external: f32,
        /// mV above rest.
        threshold: f32,
        /// mV above rest.
        reset: f32,
        /// Steps.
        refractory: u32,
        /// Number of the population.
        population: u32,
        /// Of the 32.
        neurons: u32,
        /// The first neuron's number, see [`Column::sources`].
        first_source: u32,
        /// Its lane on the CPU, where those of a population are padded to 16: its random numbers and its spikes go by that.
        first_lane: u32,
        /// What comes from outside; NO_LAW.
        law: u32,
    }

    /// What is found out about a column on the device.
    #[derive(Default)]
    struct ColumnReport {
        /// Steps of its longest delay.
        longest: u32,
        /// 1: the weights of some neuron add up to more than can be summed.
        is_over: u32,
        /// Spikes that were to be written down, whether or not there was room.
        spikes: u32,
        /// 1: a source has more than COLUMN_ROW_MOST synapses.
        is_crowded: u32,
        /// 1: a population fired more than its limit, and there are no further steps.
        is_stopped: u32,
    }

    /// Generators that fire in one step.
    struct ColumnVolley {
        /// From 1 on.
        step: u32,
        /// Of [`Column::scheduled`].
        begin: u32,
        /// See `begin`.
        end: u32,
    }

    /// A column of the kernels `column_*`.
    struct Column {
        /// `[pairs_count]`.
        pairs: Pointer<ColumnPair>,
        /// `[DELAY_LAWS][LONGEST_DELAY]`: a word at or above number k - 1 is a delay of more than k steps.
        delays: Pointer<u32>,
        /// `[COLUMN_ROWS + rows_count]`: a counter for each source and delay, number `source * LONGEST_DELAY + delay - 1`, or in a
        /// column of several blocks for each block and source, number `block * sources + source`; in the end element
        /// COLUMN_ROWS - 1 + number is where these synapses begin, and the next where they end.
        rows: Pointer<u32>,
        /// Sorted by these numbers.
        synapses: Pointer<ColumnSynapse>,
        /// Absolute weights added up, by lane.
        input: Pointer<u64>,
        /// `[strips]`.
        strips: Pointer<ColumnStrip>,
        /// `[laws][COLUMN_LAW]`: a number of thresholds, and these; a word at or above the k-th is more than k spikes.
        laws: Pointer<u32>,
        /// First potentials above rest, mV, by lane.
        first: Pointer<f32>,
        /// Spikes that shared memory has no room for, `[overflow]`; in a column of several blocks lanes that a word of mail has no
        /// room for, `[parity of the step][lane]`, those of a block from its first lane on.
        far: Pointer<u32>,
        /// Of each block who fired, `[parity of the step][block]`: from below the number of lanes and the first MAIL_LANES of them, in
        /// MAIL_BITS each, and the step.
        mail: Pointer<u64>,
        /// `[volleys_count]`, in the order of steps.
        volleys: Pointer<ColumnVolley>,
        /// Numbers of the generators that fire, as sources.
        scheduled: Pointer<u32>,
        /// Spikes of each population in the first `early` steps with which a column is not stopped, `[populations]`.
        limits: Pointer<u32>,
        /// Out: step and lane on the CPU of each spike, in no order, `[room][2]`.
        spikes: Pointer<u32>,
        /// Out: spikes of each population after the warm-up, and in the first `early` steps if there are several blocks:
        /// `[2][populations]`.
        counts: Pointer<u32>,
        /// Out.
        report: Pointer<ColumnReport>,
        /// Of the synapses.
        wiring_seed: u64,
        /// Of spikes from outside.
        noise_seed: u64,
        /// Units of a pA.
        scale: f32,
        /// pA of a unit.
        unit: f32,
        /// pA of a spike from outside.
        external_weight: f32,
        /// Steps without spikes from outside.
        quiet: u32,
        /// Steps whose spikes from outside are drawn together: 8, each of at most 15, or 4.
        together: u32,
        /// Neurons, and generators behind them; in a column of several blocks lanes, and generators behind them.
        sources: u32,
        /// Counters of `rows`, whole fours.
        rows_count: u32,
        /// See `pairs`.
        pairs_count: u32,
        /// See `volleys`.
        volleys_count: u32,
        /// That step the column together.
        blocks: u32,
        /// Strips of each of several blocks; the last may have fewer.
        block_strips: u32,
        /// Steps after which limits are looked at; 0: never.
        early: u32,
        /// 32 lanes each.
        strips_count: u32,
        /// Words of a strip in shared memory: itself, sums, of one or two signs, and spikes from outside.
        seat_words: u32,
        /// Of spikes from outside.
        laws_count: u32,
        /// Number of them.
        populations: u32,
        /// A power of two, at least the spikes that can act at once.
        overflow: u32,
        /// Spikes that can be written down; 0: none are to be.
        room: u32,
    }

    /// `column_*`. `column_count*`, `column_scatter*`: grid (any, columns); `column_scan`, `column_one*`, `column_three`: a block a
    /// column; `column_whole_*`: a cooperative launch of all blocks of one column.
    struct ColumnsArgs {
        /// `[columns]`.
        columns: Pointer<Column>,
        /// Steps whose spikes are not counted.
        warm: u32,
        /// All steps.
        steps: u32,
        /// Spikes that shared memory has room for, a power of two.
        list: u32,
    }
}

// The exact law of every neuron pair's number of synapses, twin of `Law` in src/synaptogen/growth/law.rs, where the method and its
// errors are. Four kernels: moments, from which the host chooses windows; exponents of the characteristic functions, a table
// for all neuron pairs of a profile with the same window; their sums over gene pairs, a thread a frequency; the transform to
// probabilities, whose sums are the thresholds, a block a neuron pair. Double precision throughout, every sum in the CPU's order.
//
// Limited by issue: the products have a multiply-add for each gene pair and frequency, and for each frequency and value of the
// window; kernels/README.md has their numbers.
#include "num_double.cuh"
#include "num_transcendental.cuh"
#include "synaptogen_trials.cuh"

namespace law {

namespace exact = num::transcendental;

constexpr double TAU = 6.283185307179586476925286766559;

// Expression at both ends of a neuron pair.
struct Ends {
    const float *pre, *post;

    __device__ __forceinline__ Ends(const LawArgs& args, uint32_t profile, uint32_t pair) {
        const PairEnds ends = args.ends[pair];
        const float* const expression = args.expression + (size_t)profile * args.expressed * args.genes;
        pre = expression + (size_t)ends.pre * args.genes;
        post = expression + (size_t)ends.post * args.genes;
    }
};

// L of a gene pair that succeeds with probability p, real part and imaginary part.
__device__ __forceinline__ double2 exponent(double p, uint32_t frequency, double step, double sin, double cos) {
    double sin_of_half, unused;
    num::sin_cos(0.5 * step * (double)frequency, sin_of_half, unused);
    const double x = 1.0 - p + p * cos, y = p * (sin > 0.0 ? sin : 0.0);
    const double loss = 4.0 * p * (1.0 - p) * sin_of_half * sin_of_half;
    const double square = x * x + y * y;
    constexpr double LEAST = 2.2250738585072014e-308;
    const double real = loss < 0.5 ? 0.5 * exact::ln_1p(-loss) : 0.5 * exact::ln(square > LEAST ? square : LEAST);
    return make_double2(real, p < 1.0 ? exact::angle(y, x) - p * step * (double)frequency : 0.0);
}

}  // namespace law

KERNEL(law_moments, LawArgs, THREADS, 8) {
    const uint32_t at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= args.profiles * args.pairs) return;
    const uint32_t profile = at / args.pairs, genes = args.genes;
    const law::Ends ends(args, profile, at % args.pairs);
    const float alpha = args.alphas[profile], *rule = args.rules + (size_t)profile * genes * genes;
    Moments moments = {0.0, 0.0, 0.0};
    for (uint32_t u = 0; u < genes; ++u)
        for (uint32_t w = 0; w < genes; ++w) {
            const double n = (double)trials(alpha, ends.pre[u], ends.post[w]), p = (double)*rule++;
            moments.mean = moments.mean + n * p;
            moments.variance = moments.variance + n * p * (1.0 - p);
            moments.trials = moments.trials + n;
        }
    args.moments[at] = moments;
}

// A thread is a gene pair and a frequency; the grid `[block][group]`.
KERNEL(law_exponents, LawArgs, THREADS, 4) {
    const LawGroup group = args.groups[blockIdx.y];
    const uint32_t gene_pairs = args.genes * args.genes, at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= gene_pairs * group.frequencies) return;
    const uint32_t gene_pair = at / group.frequencies, f = at % group.frequencies;
    const double* const circle = args.circles + 2 * ((size_t)group.circle + f + 1);
    const double p = (double)args.rules[(size_t)group.profile * gene_pairs + gene_pair];
    const double2 exponent = law::exponent(p, f + 1, law::TAU / (double)group.window, circle[0], circle[1]);
    double* const to = args.exponents + group.exponents + (size_t)gene_pair * 2 * group.frequencies + f;
    to[0] = exponent.x;
    to[group.frequencies] = exponent.y;
}

// A block is a neuron pair of a profile, a thread some of its frequencies; the grid `[neuron pair][profile]`.
KERNEL(law_coefficients, LawArgs, LAW_FREQUENCIES, 8) {
    const uint32_t genes = args.genes, profile = blockIdx.y;
    const LawPlan plan = args.plans[(size_t)profile * args.pairs + blockIdx.x];
    const LawGroup group = args.groups[plan.group];
    const law::Ends ends(args, profile, blockIdx.x);
    const float alpha = args.alphas[profile];
    // From the mean to the window's first number: whole steps, which turn by exact parts of the circle, and a rest.
    const double shift = plan.mean - plan.first, whole = floor(shift), step = law::TAU / (double)group.window;
    for (uint32_t f = threadIdx.x; f < group.frequencies; f += blockDim.x) {
        const double* exponents = args.exponents + group.exponents + f;
        double real = 0.0, imaginary = 0.0;
        for (uint32_t u = 0; u < genes; ++u) {
            const float expressed = ends.pre[u];
            for (uint32_t w = 0; w < genes; ++w, exponents += 2 * group.frequencies) {
                const double n = (double)trials(alpha, expressed, ends.post[w]);
                real = fma(n, exponents[0], real);
                imaginary = fma(n, exponents[group.frequencies], imaginary);
            }
        }
        const uint64_t turns = (uint64_t)(f + 1) * (uint64_t)whole % group.window;
        const double turned = (double)turns + (shift - whole) * (double)(f + 1);
        const double modulus = law::exact::exp(real);
        double sin, cos;
        num::sin_cos(imaginary + step * turned, sin, cos);
        args.coefficients[plan.coefficients + f] = modulus * cos;
        args.coefficients[plan.coefficients + group.frequencies + f] = modulus * sin;
    }
}

// A block is a neuron pair of a profile, a thread one value of a piece of its window; the grid `[neuron pair][profile]`.
KERNEL(law_thresholds, LawArgs, LAW_VALUES, 4) {
    __shared__ double masses[LAW_VALUES];
    const LawPlan plan = args.plans[(size_t)blockIdx.y * args.pairs + blockIdx.x];
    const LawGroup group = args.groups[plan.group];
    const uint32_t frequencies = group.frequencies, window = group.window;
    const double* const coefficients = args.coefficients + plan.coefficients;
    const double* const circle = args.circles + 2 * (size_t)group.circle;
    double sum = 0.0;
    for (uint32_t first = 0; first < window; first += LAW_VALUES) {
        const uint32_t value = first + threadIdx.x;
        if (value < plan.values) {
            double mass = 0.0;
            for (uint32_t sine = 0; sine < 2; ++sine)
                for (uint32_t f = 1; f <= frequencies; ++f) {
                    // Every frequency stands for its negative as well, but the highest possible.
                    const double weight = (f == window / 2 ? 1.0 : 2.0) / (double)window;
                    const uint32_t turn = (uint32_t)((uint64_t)f * value % window);
                    const double wave = weight * circle[2 * turn + (sine ? 0 : 1)];
                    mass = fma(coefficients[sine * frequencies + f - 1], wave, mass);
                }
            mass = mass + 1.0 / (double)window;
            masses[threadIdx.x] = mass > 0.0 ? mass : 0.0;
        }
        __syncthreads();
        // In the order of the values.
        if (threadIdx.x == 0)
            for (uint32_t i = 0; i < LAW_VALUES && first + i < plan.values; ++i) masses[i] = sum = sum + masses[i];
        __syncthreads();
        if (value < window) {
            const double cumulative = value < plan.values ? masses[threadIdx.x] : 1.0;
            const double scaled = cumulative * 4294967296.0, upper = floor(scaled);
            const bool is_one = cumulative >= 1.0;
            args.high[plan.start + value] = is_one ? ~0u : (uint32_t)upper;
            args.low[plan.start + value] = is_one ? ~0u : (uint32_t)floor((scaled - upper) * 4294967296.0);
        }
        // Where the next piece's masses go.
        __syncthreads();
    }
}

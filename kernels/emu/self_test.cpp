// Tests the emulated GPU through the driver's own calls: correct kernels give the same results in every order of
// threads, and each planted mistake is caught.
//
//   self_test           everything
//   self_test KERNEL    only launches that kernel, for a sanitizer to report on
//   self_test KERNEL elsewhere    the same with an address of another device, which must end with a segmentation fault
//
// With PHYLON_EMU_DEVICES=2 it also tests that devices know nothing of each other.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <numeric>
#include <string>
#include <vector>

using Address = unsigned long long;
extern "C" {
int cuInit(unsigned);
int cuDevicePrimaryCtxRetain(void**, int);
int cuDevicePrimaryCtxRelease_v2(int);
int cuCtxSetCurrent(void*);
int cuCtxSynchronize();
int cuMemAlloc_v2(Address*, size_t);
int cuMemFree_v2(Address);
int cuMemHostAlloc(void**, size_t, unsigned);
int cuMemFreeHost(void*);
int cuMemGetInfo_v2(size_t*, size_t*);
int cuMemcpyHtoD_v2(Address, const void*, size_t);
int cuMemcpyDtoH_v2(void*, Address, size_t);
int cuMemcpyHtoDAsync_v2(Address, const void*, size_t, void*);
int cuMemcpyDtoHAsync_v2(void*, Address, size_t, void*);
int cuMemsetD32_v2(Address, uint32_t, size_t);
int cuModuleLoadData(void**, const void*);
int cuModuleGetFunction(void**, void*, const char*);
int cuFuncSetAttribute(void*, int, int);
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int*, void*, int, size_t);
int cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
int cuLaunchCooperativeKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*,
                              void**);
int cuStreamCreate(void**, unsigned);
int cuStreamSynchronize(void*);
int cuStreamQuery(void*);
int cuStreamDestroy_v2(void*);
int cuStreamWaitEvent(void*, void*, unsigned);
int cuStreamBeginCapture_v2(void*, int);
int cuStreamEndCapture(void*, void**);
int cuEventCreate(void**, unsigned);
int cuEventRecord(void*, void*);
int cuEventQuery(void*);
int cuEventSynchronize(void*);
int cuEventElapsedTime_v2(float*, void*, void*);
int cuEventDestroy_v2(void*);
int cuGraphInstantiateWithFlags(void**, void*, unsigned long long);
int cuGraphLaunch(void*, void*);
int cuGraphDestroy(void*);
int cuGraphExecDestroy(void*);
void phylon_emu_set_order(int, uint64_t);
void phylon_emu_set_deferred(int);
const char* phylon_emu_message();
}

enum {
    SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_IMAGE = 200, INVALID_HANDLE = 400, NOT_FOUND = 500,
    NOT_READY = 600, LAUNCH_TIMEOUT = 702, LAUNCH_FAILED = 719, COOPERATIVE_LAUNCH_TOO_LARGE = 720,
    STREAM_CAPTURE_UNSUPPORTED = 900, STREAM_CAPTURE_UNJOINED = 904, STREAM_CAPTURE_ISOLATION = 905
};

static int failures = 0;

static void expect(bool right, const char* what, int line) {
    if (right) return;
    printf("FAILED line %d: %s\n", line, what);
    ++failures;
}
#define EXPECT(condition) expect(condition, #condition, __LINE__)
#define EXPECT_CODE(call, code)                                                                     \
    do {                                                                                            \
        int got = (call);                                                                           \
        if (got != (code)) printf("got error %d: ", got);                                           \
        expect(got == (code), #call, __LINE__);                                                     \
    } while (0)

static void* module_handle;

static void* kernel(const char* name) {
    void* function = nullptr;
    EXPECT_CODE(cuModuleGetFunction(&function, module_handle, name), SUCCESS);
    return function;
}

template <class Args>
static int launch(const char* name, unsigned grid, unsigned block, unsigned shared, Args args, void* stream = nullptr) {
    void* parameters[] = {&args};
    return cuLaunchKernel(kernel(name), grid, 1, 1, block, 1, 1, shared, stream, parameters, nullptr);
}

// Device memory with a host's view.
template <class T>
struct Buffer {
    Address address = 0;
    size_t n;

    explicit Buffer(size_t n) : n(n) { EXPECT_CODE(cuMemAlloc_v2(&address, n * sizeof(T)), SUCCESS); }
    explicit Buffer(const std::vector<T>& from) : Buffer(from.size()) { set(from); }
    Buffer(const Buffer&) = delete;
    ~Buffer() { EXPECT_CODE(cuMemFree_v2(address), SUCCESS); }
    void set(const std::vector<T>& from) {
        EXPECT_CODE(cuMemcpyHtoD_v2(address, from.data(), n * sizeof(T)), SUCCESS);
    }
    std::vector<T> get() {
        std::vector<T> to(n);
        EXPECT_CODE(cuMemcpyDtoH_v2(to.data(), address, n * sizeof(T)), SUCCESS);
        return to;
    }
};

static std::vector<float> numbers(size_t n) {
    std::vector<float> values(n);
    for (size_t i = 0; i < n; ++i) values[i] = float(i * 37 % 101) / 8;
    return values;
}

struct Sum { Address in, out; unsigned n; };
struct Scan { Address in, out, totals; };
struct Ring { Address values, arrived; unsigned rounds; };
struct Product { Address a, b, gathered, computed; };
struct Out { Address out; unsigned n; };
struct Chain { Address in, out; float add; };

static void block_sum() {
    auto values = numbers(1000);
    Buffer<float> in(values), out(4);
    EXPECT_CODE(launch("block_sum", 4, 256, 1024, Sum{in.address, out.address, 1000}), SUCCESS);
    for (size_t b = 0; b < 4; ++b) {
        size_t end = std::min<size_t>(1000, (b + 1) * 256);
        EXPECT(out.get()[b] == std::accumulate(values.begin() + long(b * 256), values.begin() + long(end), 0.0f));
    }
}

static void warp_scan() {
    std::vector<unsigned> values(256), out;
    for (unsigned i = 0; i < 256; ++i) values[i] = i * 7 % 13;
    Buffer<unsigned> in(values), sums(256), totals(32);
    EXPECT_CODE(launch("warp_scan", 2, 128, 0, Scan{in.address, sums.address, totals.address}), SUCCESS);
    auto got = sums.get(), got_totals = totals.get();
    for (unsigned w = 0; w < 8; ++w) {
        unsigned sum = 0, odd = 0, low = 0, high = 0;
        for (unsigned i = w * 32; i < w * 32 + 32; ++i) {
            sum += values[i], odd += values[i] & 1;
            if (i % 32 < 16) low += values[i];
            else high = std::max(high, values[i]);
            EXPECT(got[i] == sum);
        }
        EXPECT(got_totals[4 * w] == sum && got_totals[4 * w + 1] == odd);
        EXPECT(got_totals[4 * w + 2] == low && got_totals[4 * w + 3] == high);
    }
}

static void ring() {
    constexpr unsigned BLOCKS = 8, THREADS = 64, ROUNDS = 20;
    std::vector<unsigned> values(BLOCKS * THREADS);
    std::iota(values.begin(), values.end(), 1u);
    Buffer<unsigned> on_device(values), arrived(std::vector<unsigned>{0});
    Ring args{on_device.address, arrived.address, ROUNDS};
    void* parameters[] = {&args};
    EXPECT_CODE(cuLaunchCooperativeKernel(kernel("ring"), BLOCKS, 1, 1, THREADS, 1, 1, 0, nullptr, parameters),
                SUCCESS);
    for (unsigned r = 0; r < ROUNDS; ++r) {
        auto before = values;
        for (unsigned i = 0; i < values.size(); ++i) values[i] = before[(i + THREADS) % values.size()] * 3 + r;
    }
    EXPECT(on_device.get() == values);
    EXPECT_CODE(cuLaunchCooperativeKernel(kernel("ring"), 33, 1, 1, 64, 1, 1, 0, nullptr, parameters),
                COOPERATIVE_LAUNCH_TOO_LARGE);
}

static void warp_product() {
    auto a = numbers(128), b = numbers(64);
    Buffer<float> da(a), db(b), gathered(128), computed(128);
    EXPECT_CODE(
        launch("warp_product", 1, 32, 0, Product{da.address, db.address, gathered.address, computed.address}), SUCCESS);
    std::vector<float> c(128);
    for (size_t i = 0; i < 128; ++i)
        for (size_t k = 0; k < 8; ++k) c[i] = fmaf(a[i / 8 * 8 + k], b[k * 8 + i % 8], c[i]);
    EXPECT(gathered.get() == c);
    EXPECT(computed.get() == c);
}

static void histogram() {
    for (auto [name, scale] : {std::pair("histogram_1", 1), std::pair("histogram_3", 3)}) {
        Buffer<float> out(std::vector<float>(8));
        EXPECT_CODE(launch(name, 5, 64, 0, Out{out.address, 320}), SUCCESS);
        for (size_t i = 0; i < 8; ++i) EXPECT(out.get()[i] == float(i * 8 * 40) * float(scale));
    }
}

static void pile_up() {
    Buffer<float> out(std::vector<float>{0});
    EXPECT_CODE(launch("pile_up", 64, 64, 0, Out{out.address, 1000}), SUCCESS);
    EXPECT(out.get()[0] == 64 * 64 * 1000);
}

// Ascending, descending, or neither. One block at a time, as blocks may run at the same time.
static void order_of_arrival(int kind) {
    std::vector<unsigned> ascending(64), descending(64);
    std::iota(ascending.begin(), ascending.end(), 0u);
    std::iota(descending.rbegin(), descending.rend(), 0u);
    Buffer<unsigned> values(64), arrived(std::vector<unsigned>{0});
    EXPECT_CODE(launch("order_of_arrival", 1, 64, 0, Ring{values.address, arrived.address, 0}), SUCCESS);
    auto got = values.get();
    EXPECT((got == ascending) == (kind == 0) && (got == descending) == (kind == 1));
}

static void graph() {
    void *stream, *side, *captured, *executable, *fork, *join;
    cuStreamCreate(&stream, 1), cuStreamCreate(&side, 1), cuEventCreate(&fork, 2), cuEventCreate(&join, 2);
    Buffer<float> x(std::vector<float>(64)), y(std::vector<float>(64));
    EXPECT_CODE(cuStreamBeginCapture_v2(stream, 1), SUCCESS);
    EXPECT_CODE(launch("add_to", 1, 64, 0, Chain{x.address, x.address, 1}, stream), SUCCESS);
    EXPECT_CODE(cuEventRecord(fork, stream), SUCCESS);
    EXPECT_CODE(cuStreamWaitEvent(side, fork, 0), SUCCESS);
    EXPECT_CODE(launch("add_to", 1, 64, 0, Chain{x.address, y.address, 0.5f}, side), SUCCESS);
    EXPECT_CODE(cuStreamSynchronize(stream), STREAM_CAPTURE_UNSUPPORTED);
    Address none;
    EXPECT_CODE(cuMemAlloc_v2(&none, 16), STREAM_CAPTURE_UNSUPPORTED);
    EXPECT_CODE(cuEventRecord(join, side), SUCCESS);
    EXPECT_CODE(cuStreamWaitEvent(stream, join, 0), SUCCESS);
    EXPECT_CODE(cuStreamEndCapture(stream, &captured), SUCCESS);
    EXPECT_CODE(cuGraphInstantiateWithFlags(&executable, captured, 0), SUCCESS);
    for (int i = 0; i < 3; ++i) EXPECT_CODE(cuGraphLaunch(executable, stream), SUCCESS);
    EXPECT_CODE(cuStreamSynchronize(stream), SUCCESS);
    EXPECT(x.get() == std::vector<float>(64, 3) && y.get() == std::vector<float>(64, 3.5f));

    EXPECT_CODE(cuStreamBeginCapture_v2(stream, 1), SUCCESS);
    EXPECT_CODE(cuEventRecord(fork, stream), SUCCESS);
    EXPECT_CODE(cuStreamWaitEvent(side, fork, 0), SUCCESS);
    EXPECT_CODE(launch("add_to", 1, 64, 0, Chain{x.address, y.address, 0.5f}, side), SUCCESS);
    EXPECT_CODE(cuStreamEndCapture(stream, &captured), STREAM_CAPTURE_UNJOINED);

    EXPECT_CODE(cuEventRecord(fork, side), SUCCESS);
    EXPECT_CODE(cuStreamBeginCapture_v2(stream, 1), SUCCESS);
    EXPECT_CODE(cuStreamWaitEvent(stream, fork, 0), STREAM_CAPTURE_ISOLATION);
    EXPECT_CODE(cuStreamEndCapture(stream, &captured), SUCCESS);
    EXPECT_CODE(cuGraphDestroy(captured), SUCCESS);
    EXPECT_CODE(cuGraphExecDestroy(executable), SUCCESS);
    cuStreamDestroy_v2(stream), cuStreamDestroy_v2(side), cuEventDestroy_v2(fork), cuEventDestroy_v2(join);
}

// A launch that must fail with this text in its message.
static void fails(const char* name, unsigned block, const char* text, int code = LAUNCH_FAILED) {
    Buffer<float> out(64);
    EXPECT_CODE(launch(name, 1, block, 0, Out{out.address, 64}), code);
    bool said = strstr(phylon_emu_message(), text) && strstr(phylon_emu_message(), name);
    if (!said) printf("%s said: %s\n", name, phylon_emu_message());
    EXPECT(said);
}

static int right_without_barrier() {
    Buffer<float> out(64);
    EXPECT_CODE(launch("missing_barrier", 1, 64, 0, Out{out.address, 64}), SUCCESS);
    int right = 0;
    for (int i = 0; i < 64; ++i) right += out.get()[size_t(i)] == float((i + 1) % 64);
    return right;
}

static void refusals() {
    Buffer<float> out(1024);
    Out args{out.address, 1024};
    EXPECT_CODE(launch("histogram_1", 0, 64, 0, args), INVALID_VALUE);
    EXPECT_CODE(launch("histogram_1", 1, 0, 0, args), INVALID_VALUE);
    EXPECT_CODE(launch("histogram_1", 1, 65, 0, args), INVALID_VALUE);
    EXPECT_CODE(launch("histogram_1", 1, 2048, 0, args), INVALID_VALUE);
    EXPECT_CODE(launch("histogram_1", 1, 64, 49152, args), SUCCESS);
    EXPECT_CODE(launch("histogram_1", 1, 64, 49153, args), INVALID_VALUE);
    EXPECT_CODE(cuFuncSetAttribute(kernel("histogram_1"), 8, 232449), INVALID_VALUE);
    EXPECT_CODE(cuFuncSetAttribute(kernel("histogram_1"), 8, 100000), SUCCESS);
    EXPECT_CODE(launch("histogram_1", 1, 64, 100000, args), SUCCESS);
    EXPECT_CODE(launch("histogram_1", 1, 64, 100001, args), INVALID_VALUE);
    int blocks;
    EXPECT_CODE(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel("histogram_1"), 64, 100000), SUCCESS);
    EXPECT(blocks == 2);

    void *none, *junk = &none;
    EXPECT_CODE(cuModuleGetFunction(&none, module_handle, "no_such_kernel"), NOT_FOUND);
    EXPECT_CODE(cuModuleLoadData(&none, reinterpret_cast<void*>(1)), INVALID_IMAGE);
    EXPECT_CODE(cuStreamSynchronize(junk), INVALID_HANDLE);
    float value[1025] = {};
    EXPECT_CODE(cuMemcpyHtoD_v2(out.address, value, sizeof value), INVALID_VALUE);
    EXPECT_CODE(cuMemFree_v2(out.address + 4), INVALID_VALUE);

    size_t available, total;
    EXPECT_CODE(cuMemGetInfo_v2(&available, &total), SUCCESS);
    EXPECT(total - available == 4096);
    Address large;
    EXPECT_CODE(cuMemAlloc_v2(&large, available + 1), OUT_OF_MEMORY);
}

static void uninitialised() {
    Buffer<float> out(64);
    for (float value : out.get()) EXPECT(isnan(value));
    for (int again = 0; again < 2; ++again) {
        EXPECT_CODE(launch("uninitialised", 1, 32, 128, Out{out.address, 64}), SUCCESS);
        for (float value : out.get()) EXPECT(isnan(value));
    }
}

// A chain over two streams: first computes into x; second, which is younger, adds to it; then first overwrites x. With
// all waits in place the result is 12; returns what it is.
static float chain(bool wait_for_data, bool wait_for_reader) {
    void *first, *second, *written, *read;
    cuStreamCreate(&first, 1), cuStreamCreate(&second, 1), cuEventCreate(&written, 0), cuEventCreate(&read, 0);
    Buffer<float> zero(std::vector<float>(64)), x(std::vector<float>(64)), y(std::vector<float>(64));
    EXPECT_CODE(launch("add_to", 1, 64, 0, Chain{zero.address, x.address, 2}, first), SUCCESS);
    EXPECT_CODE(cuEventRecord(written, first), SUCCESS);
    if (wait_for_data) EXPECT_CODE(cuStreamWaitEvent(second, written, 0), SUCCESS);
    EXPECT_CODE(launch("add_to", 1, 64, 0, Chain{x.address, y.address, 10}, second), SUCCESS);
    EXPECT_CODE(cuEventRecord(read, second), SUCCESS);
    if (wait_for_reader) EXPECT_CODE(cuStreamWaitEvent(first, read, 0), SUCCESS);
    EXPECT_CODE(launch("add_to", 1, 64, 0, Chain{zero.address, x.address, 100}, first), SUCCESS);
    EXPECT_CODE(cuStreamSynchronize(second), SUCCESS);
    float result = y.get()[63];
    EXPECT_CODE(cuStreamSynchronize(first), SUCCESS);
    EXPECT(x.get()[0] == 100);
    float milliseconds;
    EXPECT_CODE(cuEventElapsedTime_v2(&milliseconds, written, read), SUCCESS);
    cuStreamDestroy_v2(first), cuStreamDestroy_v2(second), cuEventDestroy_v2(written), cuEventDestroy_v2(read);
    return result;
}

static void deferred() {
    EXPECT(chain(true, true) == 12);
    EXPECT(chain(false, false) == 12);  // at once: in the order of the calls
    for (int mode : {1, 2}) {
        phylon_emu_set_deferred(mode);
        EXPECT(chain(true, true) == 12);
        EXPECT(chain(false, true) != 12 || mode == 2);
        EXPECT(chain(true, false) != 12 || mode == 1);
    }

    // Host memory: pinned is read when the copy runs, other memory when it is enqueued. A query does not wait.
    phylon_emu_set_deferred(1);
    void *stream, *event, *memory;
    cuStreamCreate(&stream, 1), cuEventCreate(&event, 2), cuMemHostAlloc(&memory, 8, 0);
    float* fixed = static_cast<float*>(memory);
    Buffer<float> device(2), room(64);
    float pageable = 1;
    fixed[0] = 1;
    EXPECT_CODE(cuMemcpyHtoDAsync_v2(device.address, &fixed[0], 4, stream), SUCCESS);
    EXPECT_CODE(cuMemcpyHtoDAsync_v2(device.address + 4, &pageable, 4, stream), SUCCESS);
    EXPECT_CODE(cuMemcpyDtoHAsync_v2(&fixed[1], device.address, 4, stream), SUCCESS);
    EXPECT_CODE(cuEventRecord(event, stream), SUCCESS);
    fixed[0] = 2, fixed[1] = 0, pageable = 2;
    EXPECT_CODE(cuEventQuery(event), NOT_READY);
    EXPECT(fixed[1] == 0);
    EXPECT_CODE(cuEventSynchronize(event), SUCCESS);
    EXPECT(fixed[1] == 2 && device.get() == (std::vector<float>{2, 1}));
    EXPECT_CODE(cuEventQuery(event), SUCCESS);
    EXPECT_CODE(cuMemcpyDtoHAsync_v2(&fixed[1], device.address, 4, stream), SUCCESS);
    for (int asked = 0; cuStreamQuery(stream) == NOT_READY; ++asked) EXPECT(asked < 2);
    // A launch that fails says so when it is waited for.
    EXPECT_CODE(launch("divergent_barrier", 1, 64, 0, Out{room.address, 64}, stream), SUCCESS);
    EXPECT_CODE(cuStreamSynchronize(stream), LAUNCH_FAILED);
    cuStreamDestroy_v2(stream), cuEventDestroy_v2(event), cuMemFreeHost(memory);
    phylon_emu_set_deferred(0);
}

// What is another device's is unknown here.
static void devices(void* here, void* there) {
    Buffer<float> out(32);
    void *stream, *event, *function = kernel("add_to");
    EXPECT_CODE(cuStreamCreate(&stream, 1), SUCCESS);
    EXPECT_CODE(cuEventCreate(&event, 0), SUCCESS);
    Chain args{out.address, out.address, 1};
    void* parameters[] = {&args};
    EXPECT_CODE(cuCtxSetCurrent(there), SUCCESS);
    float values[32] = {};
    EXPECT_CODE(cuMemcpyDtoH_v2(values, out.address, sizeof values), INVALID_VALUE);
    EXPECT_CODE(cuMemcpyHtoDAsync_v2(out.address, values, sizeof values, nullptr), INVALID_VALUE);
    EXPECT_CODE(cuMemsetD32_v2(out.address, 0, 32), INVALID_VALUE);
    EXPECT_CODE(cuMemFree_v2(out.address), INVALID_VALUE);
    EXPECT_CODE(cuStreamSynchronize(stream), INVALID_HANDLE);
    EXPECT_CODE(cuEventRecord(event, nullptr), INVALID_HANDLE);
    EXPECT_CODE(cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, nullptr, parameters, nullptr), INVALID_HANDLE);
    EXPECT_CODE(cuCtxSetCurrent(here), SUCCESS);
    EXPECT_CODE(cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, stream, parameters, nullptr), SUCCESS);
    EXPECT_CODE(cuEventDestroy_v2(event), SUCCESS);
    EXPECT_CODE(cuStreamDestroy_v2(stream), SUCCESS);
}

int main(int count, char** arguments) {
    void* context;
    EXPECT_CODE(cuInit(0), SUCCESS);
    EXPECT_CODE(cuDevicePrimaryCtxRetain(&context, 0), SUCCESS);
    EXPECT_CODE(cuCtxSetCurrent(context), SUCCESS);
    EXPECT_CODE(cuModuleLoadData(&module_handle, "any image"), SUCCESS);
    const char* wanted = getenv("PHYLON_EMU_DEVICES");
    void* other = nullptr;
    if (wanted && atoi(wanted) > 1) EXPECT_CODE(cuDevicePrimaryCtxRetain(&other, 1), SUCCESS);
    if (count == 3) {
        EXPECT_CODE(cuCtxSetCurrent(other), SUCCESS);
        Buffer<float> out(32);
        EXPECT_CODE(cuCtxSetCurrent(context), SUCCESS);
        return launch(arguments[1], 1, 64, 128, Out{out.address, 32});
    }
    if (count == 2) {
        Buffer<float> out(32);
        return launch(arguments[1], 1, 64, 128, Out{out.address, 32});
    }
    int right_in_all_orders = 64;
    for (auto [kind, seed] : {std::pair(0, 0), std::pair(1, 0), std::pair(2, 1), std::pair(2, 2)}) {
        phylon_emu_set_order(kind, uint64_t(seed));
        order_of_arrival(kind);
        block_sum();
        warp_scan();
        ring();
        warp_product();
        histogram();
        pile_up();
        graph();
        uninitialised();
        right_in_all_orders = std::min(right_in_all_orders, right_without_barrier());
        fails("divergent_barrier", 64, "40 of 64 threads at the barrier");
        fails("two_barriers", 64, "different barriers");
        fails("two_masks", 32, "disagree about the mask");
        fails("lane_returns", 32, "lane 0, which has returned");
        fails("two_operations", 32, "different operations");
    }
    EXPECT(right_in_all_orders < 64);
    phylon_emu_set_order(0, 0);
    fails("waits_for_ever", 32, "waiting in a loop", LAUNCH_TIMEOUT);
    refusals();
    deferred();
    if (other) devices(context, other);
    EXPECT_CODE(cuCtxSynchronize(), SUCCESS);
    EXPECT_CODE(cuDevicePrimaryCtxRelease_v2(0), SUCCESS);
    printf("%d failures\n", failures);
    return failures != 0;
}

// A stand-in for libcuda.so: the driver calls a host program makes, on the processor's memory and threads.
//
// Kernels are those compiled into this library; a module's image is not read. Memory is malloc'ed in the exact size and
// filled with 0xFF, so that an address sanitizer sees a wrong index and a NaN betrays a value that was never written.
// Calls refuse what a real driver refuses, and where that leaves a choice they take the one that shows a mistake.
//
// There is one device, or as many as PHYLON_EMU_DEVICES says. Each has its own memory, streams, events and modules, and a call
// knows only those of the device whose context is current. While a device works, the memory of all others is out of reach: a
// kernel that is given an address of another device ends with a segmentation fault.
//
// Work in a stream runs when it is enqueued. In deferred mode it runs when the host waits for it, and then
//   1: only what the host waits for, as late as possible;
//   2: before every step of it, whatever other streams may run, the youngest stream first, as early as possible.
// A missing wait for an event then gives wrong data in at least one of them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime.hpp"

using emu::here;

namespace {

#define ERRORS(X)                                                                        \
    X(SUCCESS, 0, "no error")                                                            \
    X(INVALID_VALUE, 1, "invalid argument")                                              \
    X(OUT_OF_MEMORY, 2, "out of memory")                                                 \
    X(NOT_INITIALIZED, 3, "initialization error")                                        \
    X(INVALID_DEVICE, 101, "invalid device ordinal")                                     \
    X(INVALID_IMAGE, 200, "device kernel image is invalid")                              \
    X(INVALID_CONTEXT, 201, "invalid device context")                                    \
    X(INVALID_HANDLE, 400, "invalid resource handle")                                    \
    X(ILLEGAL_STATE, 401, "the operation cannot be performed in the present state")      \
    X(NOT_FOUND, 500, "named symbol not found")                                          \
    X(NOT_READY, 600, "device not ready")                                                \
    X(LAUNCH_OUT_OF_RESOURCES, 701, "too many resources requested for launch")           \
    X(LAUNCH_TIMEOUT, 702, "the launch timed out and was terminated")                    \
    X(LAUNCH_FAILED, 719, "unspecified launch failure")                                  \
    X(COOPERATIVE_LAUNCH_TOO_LARGE, 720, "too many blocks in cooperative launch")        \
    X(NOT_SUPPORTED, 801, "operation not supported")                                     \
    X(STREAM_CAPTURE_UNSUPPORTED, 900, "operation not permitted when stream is capturing") \
    X(STREAM_CAPTURE_UNMATCHED, 903, "capture was not initiated in this stream")         \
    X(STREAM_CAPTURE_UNJOINED, 904, "capturing stream has unjoined work")                \
    X(STREAM_CAPTURE_ISOLATION, 905, "dependency created on uncaptured work in another stream") \
    X(CAPTURED_EVENT, 907, "operation not permitted on an event last recorded in a capturing stream")

enum Result {
#define X(name, code, text) name = code,
    ERRORS(X)
#undef X
};

// ---- the device ----

constexpr int PROCESSORS = 2, BLOCKS_PER_PROCESSOR = 16, THREADS_PER_PROCESSOR = 2048, REGISTERS = 65536;
constexpr int SHARED_DEFAULT = 49152, SHARED_OPT_IN = 232448, SHARED_PER_PROCESSOR = 233472, SHARED_RESERVED = 1024;
constexpr unsigned THREADS_PER_BLOCK = 1024;

// By number of the attribute; those of a real device of compute capability 9.0, but for the two processors.
const std::map<int, int> ATTRIBUTES = {
    {1, THREADS_PER_BLOCK},       // maximum threads per block
    {2, 1024},                    // maximum block x
    {3, 1024},                    // maximum block y
    {4, 64},                      // maximum block z
    {5, 2147483647},              // maximum grid x
    {6, 65535},                   // maximum grid y
    {7, 65535},                   // maximum grid z
    {8, SHARED_DEFAULT},          // shared memory per block
    {9, 65536},                   // constant memory
    {10, 32},                     // warp size
    {12, REGISTERS},              // registers per block
    {13, 1980000},                // clock rate, kHz
    {15, 1},                      // copies overlap
    {16, PROCESSORS},             // multiprocessors
    {17, 0},                      // kernel time limit
    {18, 0},                      // integrated
    {19, 1},                      // can map host memory
    {20, 0},                      // compute mode
    {31, 1},                      // concurrent kernels
    {32, 0},                      // ECC
    {33, 0},                      // PCI bus
    {34, 0},                      // PCI device
    {36, 3201000},                // memory clock rate, kHz
    {37, 6144},                   // memory bus width, bits
    {38, 62914560},               // L2 bytes
    {39, THREADS_PER_PROCESSOR},  // threads per multiprocessor
    {40, 3},                      // copy engines
    {41, 1},                      // unified addressing
    {50, 0},                      // PCI domain
    {75, 9},                      // compute capability, major
    {76, 0},                      // compute capability, minor
    {78, 1},                      // stream priorities
    {81, SHARED_PER_PROCESSOR},   // shared memory per multiprocessor
    {82, REGISTERS},              // registers per multiprocessor
    {83, 0},                      // managed memory
    {95, 1},                      // cooperative launch
    {97, SHARED_OPT_IN},          // shared memory per block, opt-in
    {106, BLOCKS_PER_PROCESSOR},  // blocks per multiprocessor
    {111, SHARED_RESERVED},       // reserved shared memory per block
    {115, 1},                     // memory pools
    {120, 0},                     // cluster launch
};

// ---- memory ----

struct Allocation {
    size_t bytes;
    bool on_host;
};

size_t memory_limit() {
    const char* text = getenv("PHYLON_EMU_MEMORY");
    return text ? strtoull(text, nullptr, 10) : size_t(4) << 30;
}

// ---- streams, events, graphs ----

using Work = std::function<Result(emu::Schedule)>;

struct Stream;
struct Graph;

// The point in a stream after its first `ticket` operations.
struct Point {
    std::shared_ptr<Stream> stream;
    uint64_t ticket = 0;
    bool passed() const;
};

struct Operation {
    Work work;
    Point after;
    emu::Schedule schedule;
};

struct Stream {
    bool blocking;  // waits for the default stream and is waited for by it
    int priority;
    std::deque<Operation> queue;
    uint64_t issued = 0, done = 0;
    // While capturing: where its operations go, how many of the graph's are there by its last one, and up to which one
    // another stream has waited for it.
    std::shared_ptr<Graph> capture;
    size_t captured = 0, joined = 0;
};

bool Point::passed() const { return !stream || stream->done >= ticket; }

struct Event {
    bool timed;
    bool recorded = false;
    Point at;
    std::chrono::steady_clock::time_point time;
    // Set when it was recorded in a capturing stream.
    std::shared_ptr<Graph> capture;
    std::shared_ptr<Stream> capture_stream;
    size_t captured = 0;
};

enum CaptureMode { GLOBAL = 0, THREAD_LOCAL = 1, RELAXED = 2 };

// Operations in the order in which they were captured.
struct Graph {
    std::vector<Work> operations;
    std::shared_ptr<Stream> origin;
    bool open = true;
    // How the capture was begun, and by which host thread (each has its own `here`).
    int mode = RELAXED;
    const void* thread = nullptr;
};

struct Function {
    const emu::Kernel* kernel;
    int dynamic_shared = SHARED_DEFAULT;
};

struct Module {
    std::map<std::string, Function> functions;
};

// Everything a device knows.
struct Device {
    int context_users = 0;
    std::map<uintptr_t, Allocation> memory;
    size_t used = 0;
    // The default stream first, then by age.
    std::vector<std::shared_ptr<Stream>> streams{std::make_shared<Stream>(Stream{true, 0, {}, 0, 0, nullptr, 0, 0})};
    std::map<void*, std::shared_ptr<Event>> events;
    std::map<void*, std::shared_ptr<Graph>> graphs, executables;
    std::map<void*, std::unique_ptr<Module>> modules;
};

// One lock is held during every call, so launches of several threads follow one another.
std::mutex& calls = *new std::mutex;
bool initialised = false;

int count_devices() {
    const char* text = getenv("PHYLON_EMU_DEVICES");
    return text ? std::clamp(atoi(text), 1, 16) : 1;
}

// Their contexts are their addresses.
std::vector<Device>& devices = *new std::vector<Device>(size_t(count_devices()));

Device* device_of(const void* context) {
    for (auto& one : devices)
        if (&one == context) return &one;
    return nullptr;
}

// That of the current context, which ENTER has seen to.
#define device (*device_of(here.context))

// Every call that needs a context begins with this.
#define ENTER                                                       \
    std::lock_guard<std::mutex> guard(calls);                       \
    if (!initialised) return NOT_INITIALIZED;                       \
    if (!device_of(here.context) || device.context_users == 0) return INVALID_CONTEXT

const Allocation* find(const void* at, size_t bytes) {
    auto address = reinterpret_cast<uintptr_t>(at);
    auto next = device.memory.upper_bound(address);
    if (next == device.memory.begin()) return nullptr;
    auto& [begin, allocation] = *std::prev(next);
    bool inside = address - begin <= allocation.bytes && bytes <= allocation.bytes - (address - begin);
    return inside ? &allocation : nullptr;
}

bool on_device(const void* at, size_t bytes) {
    const Allocation* allocation = find(at, bytes);
    return allocation && !allocation->on_host;
}

bool pinned(const void* at, size_t bytes) {
    const Allocation* allocation = find(at, bytes);
    return allocation && allocation->on_host;
}

// Pages of a device's memory, where there are several: they can be put out of reach.
size_t pages(size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

bool allocate_apart(void** to, size_t bytes) {
    *to = mmap(nullptr, pages(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return *to != MAP_FAILED;
}

void reachable(const Device& which, int protection) {
    for (auto& [at, allocation] : which.memory)
        if (!allocation.on_host) mprotect(reinterpret_cast<void*>(at), pages(allocation.bytes), protection);
}

// Before a device works: its memory within reach, and no other's.
void turn_to(const Device& which) {
    static const Device* current = nullptr;
    if (devices.size() == 1 || current == &which) return;
    for (auto& other : devices) reachable(other, &other == &which ? PROT_READ | PROT_WRITE : PROT_NONE);
    current = &which;
}

Result allocate(void** to, size_t bytes, bool on_host) {
    if (!to || bytes == 0) return INVALID_VALUE;
    if (!on_host && bytes > memory_limit() - std::min(memory_limit(), device.used)) return OUT_OF_MEMORY;
    turn_to(device);
    bool apart = !on_host && devices.size() > 1;
    if (apart ? !allocate_apart(to, bytes) : posix_memalign(to, 256, bytes) != 0) return OUT_OF_MEMORY;
    memset(*to, 0xFF, bytes);
    device.memory[reinterpret_cast<uintptr_t>(*to)] = {bytes, on_host};
    if (!on_host) device.used += bytes;
    return SUCCESS;
}

Result release(void* at, bool on_host) {
    auto found = device.memory.find(reinterpret_cast<uintptr_t>(at));
    if (found == device.memory.end() || found->second.on_host != on_host) return INVALID_VALUE;
    size_t bytes = found->second.bytes;
    if (!on_host) device.used -= bytes;
    device.memory.erase(found);
    if (!on_host && devices.size() > 1) {
        munmap(at, pages(bytes));
    } else {
        free(at);
    }
    return SUCCESS;
}

// A stream by its handle; null, and the two handles of default streams, mean the default stream.
std::shared_ptr<Stream> stream_of(void* handle) {
    if (reinterpret_cast<uintptr_t>(handle) <= 2) return device.streams[0];
    for (auto& stream : device.streams)
        if (stream.get() == handle) return stream;
    return nullptr;
}

std::shared_ptr<Event> event_of(void* handle) {
    auto found = device.events.find(handle);
    return found == device.events.end() ? nullptr : found->second;
}

// Runs the operation at the head of a stream, which must not be waiting.
Result step(Stream& stream) {
    Operation operation = std::move(stream.queue.front());
    stream.queue.pop_front();
    turn_to(device);
    Result result = operation.work ? operation.work(operation.schedule) : SUCCESS;
    ++stream.done;
    return result;
}

// Deferred mode 2: everything that may run in streams other than this one.
Result run_others(const Stream* except) {
    for (;;) {
        Stream* next = nullptr;
        for (auto& stream : device.streams)
            if (stream.get() != except && !stream->queue.empty() && stream->queue.front().after.passed())
                next = stream.get();
        if (!next) return SUCCESS;
        if (Result result = step(*next)) return result;
    }
}

// Makes one step towards a point that has not been passed.
Result advance(const Point& point) {
    if (here.deferred == 2)
        if (Result result = run_others(point.stream.get())) return result;
    // A stream that is waited for has not done its work yet, so its queue is not empty.
    Stream* stream = point.stream.get();
    while (!stream->queue.front().after.passed()) stream = stream->queue.front().after.stream.get();
    return step(*stream);
}

Result reach(const Point& point) {
    while (!point.passed())
        if (Result result = advance(point)) return result;
    return SUCCESS;
}

Result reach_end(const std::shared_ptr<Stream>& stream) { return reach({stream, stream->issued}); }

Result reach_everything() {
    Result first = SUCCESS;
    for (size_t i = device.streams.size(); i-- > 0;) {
        Result result = reach_end(device.streams[i]);
        if (!first) first = result;
    }
    return first;
}

// Whether a capture forbids this thread calls that are not ordered by streams.
bool capture_forbids() {
    for (auto& stream : device.streams) {
        const Graph* graph = stream->capture.get();
        if (graph && (graph->mode == GLOBAL || (graph->mode == THREAD_LOCAL && graph->thread == &here))) return true;
    }
    return false;
}

void push(const std::shared_ptr<Stream>& stream, Work work, Point after = {}) {
    stream->queue.push_back({std::move(work), std::move(after), here.schedule});
    ++stream->issued;
}

Result enqueue(const std::shared_ptr<Stream>& stream, Work work, Point after = {}) {
    if (stream->capture) {
        stream->capture->operations.push_back(std::move(work));
        stream->captured = stream->capture->operations.size();
        return SUCCESS;
    }
    const auto& standard = device.streams[0];
    if (stream == standard) {
        for (auto& other : device.streams)
            if (other != standard && other->blocking) push(standard, nullptr, {other, other->issued});
    } else if (stream->blocking) {
        push(stream, nullptr, {standard, standard->issued});
    }
    push(stream, std::move(work), std::move(after));
    return here.deferred ? SUCCESS : reach_end(stream);
}

Work copy(void* to, const void* from, size_t bytes) {
    return [=](emu::Schedule) {
        memmove(to, from, bytes);
        return SUCCESS;
    };
}

// Host memory that is not pinned is read before the call returns, and written before it returns.
Result copy_in(void* to, const void* from, size_t bytes, const std::shared_ptr<Stream>& stream) {
    if (!stream) return INVALID_HANDLE;
    if (bytes == 0) return SUCCESS;
    if (!on_device(to, bytes)) return INVALID_VALUE;
    if (pinned(from, bytes) || stream->capture) return enqueue(stream, copy(to, from, bytes));
    auto staged = std::make_shared<std::vector<char>>(bytes);
    memcpy(staged->data(), from, bytes);
    return enqueue(stream, [=](emu::Schedule) {
        memcpy(to, staged->data(), bytes);
        return SUCCESS;
    });
}

Result copy_out(void* to, const void* from, size_t bytes, const std::shared_ptr<Stream>& stream) {
    if (!stream) return INVALID_HANDLE;
    if (bytes == 0) return SUCCESS;
    if (!on_device(from, bytes)) return INVALID_VALUE;
    if (Result result = enqueue(stream, copy(to, from, bytes))) return result;
    return pinned(to, bytes) || stream->capture ? SUCCESS : reach_end(stream);
}

Result copy_across(void* to, const void* from, size_t bytes, const std::shared_ptr<Stream>& stream) {
    if (!stream) return INVALID_HANDLE;
    if (bytes == 0) return SUCCESS;
    if (!on_device(from, bytes) || !on_device(to, bytes)) return INVALID_VALUE;
    return enqueue(stream, copy(to, from, bytes));
}

template <class T>
Result fill(void* at, T value, size_t count, const std::shared_ptr<Stream>& stream) {
    if (!stream) return INVALID_HANDLE;
    if (count == 0) return SUCCESS;
    if (!on_device(at, count * sizeof(T)) || reinterpret_cast<uintptr_t>(at) % sizeof(T)) return INVALID_VALUE;
    return enqueue(stream, [=](emu::Schedule) {
        std::fill_n(static_cast<T*>(at), count, value);
        return SUCCESS;
    });
}

// A call without a stream uses the default stream and waits for it.
Result at_once(Result enqueued) { return enqueued ? enqueued : reach_end(device.streams[0]); }

// ---- launches ----

// Nobody has compiled the kernel for a GPU: a usual number, or what its launch bounds leave.
int registers(const emu::Kernel& kernel) {
    return std::clamp(int(REGISTERS / (kernel.max_threads * std::max(1u, kernel.min_blocks))) & ~7, 8, 64);
}

int blocks_per_processor(const Function& function, int threads, size_t shared) {
    bool possible = threads > 0 && threads <= int(function.kernel->max_threads);
    if (!possible || shared > size_t(function.dynamic_shared)) return 0;
    int whole_warps = (threads + 31) / 32 * 32;
    int by_registers = REGISTERS / (registers(*function.kernel) * whole_warps);
    int by_shared = int(SHARED_PER_PROCESSOR / (shared + SHARED_RESERVED));
    return std::min({BLOCKS_PER_PROCESSOR, THREADS_PER_PROCESSOR / whole_warps, by_registers, by_shared});
}

// Whether a kernel is of a module of this device.
bool owns(const Function* function) {
    for (auto& [handle, module] : device.modules)
        for (auto& [name, known] : module->functions)
            if (&known == function) return true;
    return false;
}

Result launch(Function* function, dim3 grid, dim3 block, size_t shared, void* handle, void** parameters,
              bool cooperative) {
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (!function || !parameters || !parameters[0]) return INVALID_VALUE;
    if (!owns(function)) return INVALID_HANDLE;
    const emu::Kernel& kernel = *function->kernel;
    if (!grid.x || !grid.y || !grid.z || !block.x || !block.y || !block.z) return INVALID_VALUE;
    if (grid.x > 2147483647u || grid.y > 65535 || grid.z > 65535) return INVALID_VALUE;
    uint64_t threads = uint64_t(block.x) * block.y * block.z;
    if (block.x > 1024 || block.y > 1024 || block.z > 64 || threads > THREADS_PER_BLOCK) return INVALID_VALUE;
    if (threads > kernel.max_threads) return INVALID_VALUE;
    if (shared > size_t(function->dynamic_shared)) return INVALID_VALUE;
    uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
    // Not less than what the occupancy of any kernel allows; blocks beyond it would only be more idle threads.
    if (cooperative && blocks > uint64_t(PROCESSORS) * BLOCKS_PER_PROCESSOR) return COOPERATIVE_LAUNCH_TOO_LARGE;

    auto* bytes = static_cast<const char*>(parameters[0]);
    // operator new aligns as any argument structure needs.
    auto arguments = std::make_shared<std::vector<char>>(bytes, bytes + kernel.argument_bytes);
    return enqueue(stream, [=, &kernel](emu::Schedule schedule) {
        switch (emu::run({&kernel, arguments->data(), grid, block, shared, cooperative, schedule})) {
            case emu::Outcome::done: return SUCCESS;
            case emu::Outcome::timed_out: return LAUNCH_TIMEOUT;
            default: return LAUNCH_FAILED;
        }
    });
}

}  // namespace

// ---- the calls, by their names in libcuda ----

#define API extern "C" __attribute__((visibility("default"))) Result
using Address = unsigned long long;

static void* pointer(Address address) { return reinterpret_cast<void*>(address); }

extern "C" __attribute__((visibility("default"))) void phylon_emu_set_order(int kind, uint64_t seed) {
    here.schedule = {static_cast<emu::Order>(kind), seed};
}
extern "C" __attribute__((visibility("default"))) void phylon_emu_set_deferred(int mode) { here.deferred = mode; }
extern "C" __attribute__((visibility("default"))) const char* phylon_emu_message() { return emu::last_message(); }

API cuInit(unsigned) {
    std::lock_guard<std::mutex> guard(calls);
    initialised = true;
    return SUCCESS;
}

API cuDriverGetVersion(int* version) {
    *version = 13000;
    return SUCCESS;
}

API cuGetErrorName(int error, const char** name) {
    switch (error) {
#define X(id, code, text) \
    case code: *name = code ? "CUDA_ERROR_" #id : "CUDA_SUCCESS"; return SUCCESS;
        ERRORS(X)
#undef X
    }
    return INVALID_VALUE;
}

API cuGetErrorString(int error, const char** string) {
    switch (error) {
#define X(id, code, text) \
    case code: *string = text; return SUCCESS;
        ERRORS(X)
#undef X
    }
    return INVALID_VALUE;
}

API cuDeviceGetCount(int* count) {
    *count = int(devices.size());
    return initialised ? SUCCESS : NOT_INITIALIZED;
}

API cuDeviceGet(int* handle, int ordinal) {
    *handle = ordinal;
    if (!initialised) return NOT_INITIALIZED;
    return ordinal >= 0 && size_t(ordinal) < devices.size() ? SUCCESS : INVALID_DEVICE;
}

API cuDeviceGetName(char* name, int bytes, int) {
    snprintf(name, size_t(bytes), "emulated GPU");
    return SUCCESS;
}

API cuDeviceGetAttribute(int* value, int attribute, int) {
    auto found = ATTRIBUTES.find(attribute);
    *value = found == ATTRIBUTES.end() ? 0 : found->second;
    return attribute >= 1 && attribute < 200 ? SUCCESS : INVALID_VALUE;
}

API cuDeviceTotalMem_v2(size_t* bytes, int) {
    *bytes = memory_limit();
    return SUCCESS;
}

API cuDeviceGetUuid_v2(char* uuid, int handle) {
    memcpy(uuid, "phylon emulation", 16);
    uuid[15] = char(uuid[15] + handle);
    return SUCCESS;
}

API cuDeviceGetPCIBusId(char* id, int bytes, int handle) {
    snprintf(id, size_t(bytes), "0000:%02x:00.0", handle);
    return SUCCESS;
}

// ---- contexts ----

API cuDevicePrimaryCtxRetain(const void** context, int handle) {
    std::lock_guard<std::mutex> guard(calls);
    if (!initialised) return NOT_INITIALIZED;
    Device& retained = devices.at(size_t(handle));
    ++retained.context_users;
    *context = &retained;
    return SUCCESS;
}

API cuDevicePrimaryCtxRelease_v2(int handle) {
    std::lock_guard<std::mutex> guard(calls);
    Device& released = devices.at(size_t(handle));
    if (released.context_users == 0) return INVALID_CONTEXT;
    if (--released.context_users > 0) return SUCCESS;
    const void* before = std::exchange(here.context, &released);
    reach_everything();
    while (!device.memory.empty()) {
        auto [at, allocation] = *device.memory.begin();
        release(pointer(at), allocation.on_host);
    }
    here.context = before;
    return SUCCESS;
}

API cuCtxSetCurrent(const void* context) {
    here.context = context;
    return SUCCESS;
}

API cuCtxGetCurrent(const void** context) {
    *context = here.context;
    return SUCCESS;
}

API cuCtxGetDevice(int* handle) {
    const Device* current = device_of(here.context);
    *handle = current ? int(current - devices.data()) : 0;
    return current ? SUCCESS : INVALID_CONTEXT;
}

API cuCtxSetFlags(unsigned) { return here.context ? SUCCESS : INVALID_CONTEXT; }

API cuCtxSynchronize() {
    ENTER;
    if (capture_forbids()) return STREAM_CAPTURE_UNSUPPORTED;
    return reach_everything();
}

API cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    *least = 0;
    *greatest = -5;
    return SUCCESS;
}

API cuProfilerStart() { return SUCCESS; }
API cuProfilerStop() { return SUCCESS; }

// ---- memory ----

API cuMemGetInfo_v2(size_t* available, size_t* total) {
    ENTER;
    *total = memory_limit();
    *available = *total - std::min(*total, device.used);
    return SUCCESS;
}

API cuMemAlloc_v2(void** at, size_t bytes) {
    ENTER;
    if (capture_forbids()) return STREAM_CAPTURE_UNSUPPORTED;
    return allocate(at, bytes, false);
}

API cuMemFree_v2(Address at) {
    ENTER;
    if (capture_forbids()) return STREAM_CAPTURE_UNSUPPORTED;
    if (!at) return SUCCESS;
    Result result = reach_everything();
    Result released = release(pointer(at), false);
    return result ? result : released;
}

API cuMemAllocAsync(void** at, size_t bytes, void* handle) {
    ENTER;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (stream->capture) return NOT_SUPPORTED;
    return allocate(at, bytes, false);
}

API cuMemFreeAsync(Address at, void* handle) {
    ENTER;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (stream->capture) return NOT_SUPPORTED;
    if (!on_device(pointer(at), 1)) return INVALID_VALUE;
    return enqueue(stream, [=](emu::Schedule) { return release(pointer(at), false); });
}

API cuMemHostAlloc(void** at, size_t bytes, unsigned) {
    ENTER;
    if (capture_forbids()) return STREAM_CAPTURE_UNSUPPORTED;
    return allocate(at, bytes, true);
}

API cuMemFreeHost(void* at) {
    ENTER;
    Result result = reach_everything();
    Result released = release(at, true);
    return result ? result : released;
}

API cuMemcpyHtoD_v2(Address to, const void* from, size_t bytes) {
    ENTER;
    if (capture_forbids()) return STREAM_CAPTURE_UNSUPPORTED;
    return at_once(copy_in(pointer(to), from, bytes, device.streams[0]));
}

API cuMemcpyDtoH_v2(void* to, Address from, size_t bytes) {
    ENTER;
    if (capture_forbids()) return STREAM_CAPTURE_UNSUPPORTED;
    return at_once(copy_out(to, pointer(from), bytes, device.streams[0]));
}

API cuMemcpyDtoD_v2(Address to, Address from, size_t bytes) {
    ENTER;
    if (capture_forbids()) return STREAM_CAPTURE_UNSUPPORTED;
    return at_once(copy_across(pointer(to), pointer(from), bytes, device.streams[0]));
}

API cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t bytes, void* stream) {
    ENTER;
    return copy_in(pointer(to), from, bytes, stream_of(stream));
}

API cuMemcpyDtoHAsync_v2(void* to, Address from, size_t bytes, void* stream) {
    ENTER;
    return copy_out(to, pointer(from), bytes, stream_of(stream));
}

API cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, void* stream) {
    ENTER;
    return copy_across(pointer(to), pointer(from), bytes, stream_of(stream));
}

API cuMemsetD8_v2(Address at, uint8_t value, size_t count) {
    ENTER;
    return at_once(fill(pointer(at), value, count, device.streams[0]));
}

API cuMemsetD32_v2(Address at, uint32_t value, size_t count) {
    ENTER;
    return at_once(fill(pointer(at), value, count, device.streams[0]));
}

API cuMemsetD8Async(Address at, uint8_t value, size_t count, void* stream) {
    ENTER;
    return fill(pointer(at), value, count, stream_of(stream));
}

API cuMemsetD32Async(Address at, uint32_t value, size_t count, void* stream) {
    ENTER;
    return fill(pointer(at), value, count, stream_of(stream));
}

// ---- streams ----

API cuStreamCreateWithPriority(void** handle, unsigned flags, int priority) {
    ENTER;
    constexpr unsigned NON_BLOCKING = 1;
    auto stream = std::make_shared<Stream>();
    stream->blocking = !(flags & NON_BLOCKING);
    stream->priority = priority;
    device.streams.push_back(stream);
    *handle = stream.get();
    return SUCCESS;
}

API cuStreamCreate(void** handle, unsigned flags) { return cuStreamCreateWithPriority(handle, flags, 0); }

API cuStreamGetPriority(void* handle, int* priority) {
    ENTER;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    *priority = stream->priority;
    return SUCCESS;
}

API cuStreamDestroy_v2(void* handle) {
    ENTER;
    auto stream = stream_of(handle);
    if (!stream || stream == device.streams[0]) return INVALID_HANDLE;
    if (stream->capture) return STREAM_CAPTURE_UNSUPPORTED;
    // A real driver lets its work end later; nobody could wait for it any more, so it may as well end now.
    Result result = reach_end(stream);
    device.streams.erase(std::find(device.streams.begin(), device.streams.end(), stream));
    return result;
}

API cuStreamSynchronize(void* handle) {
    ENTER;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (stream->capture) return STREAM_CAPTURE_UNSUPPORTED;
    return reach_end(stream);
}

// Whether a point has been passed. Each question makes one step towards it, so that a host that asks again and again
// gets there.
static Result ask(const Point& point) {
    if (point.passed()) return SUCCESS;
    Result result = advance(point);
    return result ? result : NOT_READY;
}

API cuStreamQuery(void* handle) {
    ENTER;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (stream->capture) return STREAM_CAPTURE_UNSUPPORTED;
    return ask({stream, stream->issued});
}

API cuStreamWaitEvent(void* handle, void* event_handle, unsigned) {
    ENTER;
    auto stream = stream_of(handle);
    auto event = event_of(event_handle);
    if (!stream || !event) return INVALID_HANDLE;
    if (event->capture && event->capture->open) {
        if (stream->capture && stream->capture != event->capture) return STREAM_CAPTURE_ISOLATION;
        if (!stream->capture) stream->captured = stream->joined = 0;
        stream->capture = event->capture;
        event->capture_stream->joined = std::max(event->capture_stream->joined, event->captured);
        return SUCCESS;
    }
    if (event->capture) return CAPTURED_EVENT;
    if (stream->capture) return STREAM_CAPTURE_ISOLATION;
    return event->recorded ? enqueue(stream, nullptr, event->at) : SUCCESS;
}

API cuLaunchHostFunc(void* handle, void (*function)(void*), void* data) {
    ENTER;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    return enqueue(stream, [=](emu::Schedule) {
        function(data);
        return SUCCESS;
    });
}

// ---- events ----

API cuEventCreate(void** handle, unsigned flags) {
    ENTER;
    constexpr unsigned DISABLE_TIMING = 2;
    auto event = std::make_shared<Event>();
    event->timed = !(flags & DISABLE_TIMING);
    device.events[event.get()] = event;
    *handle = event.get();
    return SUCCESS;
}

API cuEventDestroy_v2(void* handle) {
    ENTER;
    return device.events.erase(handle) ? SUCCESS : INVALID_HANDLE;
}

API cuEventRecord(void* handle, void* stream_handle) {
    ENTER;
    auto event = event_of(handle);
    auto stream = stream_of(stream_handle);
    if (!event || !stream) return INVALID_HANDLE;
    event->capture = stream->capture;
    event->capture_stream = stream->capture ? stream : nullptr;
    if (stream->capture) {
        event->captured = stream->capture->operations.size();
        return SUCCESS;
    }
    Result result = enqueue(stream, [event](emu::Schedule) {
        event->time = std::chrono::steady_clock::now();
        return SUCCESS;
    });
    event->recorded = true;
    event->at = {stream, stream->issued};
    return result;
}

API cuEventQuery(void* handle) {
    ENTER;
    auto event = event_of(handle);
    if (!event) return INVALID_HANDLE;
    return event->capture ? CAPTURED_EVENT : ask(event->at);
}

API cuEventSynchronize(void* handle) {
    ENTER;
    auto event = event_of(handle);
    if (!event) return INVALID_HANDLE;
    return event->capture ? CAPTURED_EVENT : reach(event->at);
}

API cuEventElapsedTime_v2(float* milliseconds, void* start_handle, void* end_handle) {
    ENTER;
    auto start = event_of(start_handle), end = event_of(end_handle);
    if (!start || !end || !start->timed || !end->timed || !start->recorded || !end->recorded) return INVALID_HANDLE;
    if (!start->at.passed() || !end->at.passed()) return NOT_READY;
    *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
    return SUCCESS;
}

// ---- modules and kernels ----

API cuModuleLoadData(void** handle, const void* image) {
    ENTER;
    // The image's size is not known here. An empty slice comes as null or as a small number that is no address.
    if (reinterpret_cast<uintptr_t>(image) < 4096 || *static_cast<const char*>(image) == 0) return INVALID_IMAGE;
    auto module = std::make_unique<Module>();
    *handle = module.get();
    device.modules[*handle] = std::move(module);
    return SUCCESS;
}

API cuModuleUnload(void* handle) {
    ENTER;
    if (!device.modules.count(handle)) return INVALID_HANDLE;
    Result result = reach_everything();
    device.modules.erase(handle);
    return result;
}

API cuModuleGetFunction(Function** function, void* handle, const char* name) {
    ENTER;
    auto module = device.modules.find(handle);
    if (module == device.modules.end()) return INVALID_HANDLE;
    for (const emu::Kernel* kernel = emu::Kernel::first; kernel; kernel = kernel->next) {
        if (strcmp(kernel->name, name) != 0) continue;
        *function = &module->second->functions.try_emplace(name, Function{kernel}).first->second;
        return SUCCESS;
    }
    return NOT_FOUND;
}

API cuModuleGetGlobal_v2(Address*, size_t*, void*, const char*) { return NOT_FOUND; }

// Numbers of the attributes of a function.
enum { MAX_THREADS = 0, NUM_REGISTERS = 4, PTX_VERSION = 5, BINARY_VERSION = 6, MAX_DYNAMIC_SHARED = 8, CARVEOUT = 9 };

API cuFuncGetAttribute(int* value, int attribute, const Function* function) {
    ENTER;
    if (!function) return INVALID_HANDLE;
    switch (attribute) {
        case MAX_THREADS: *value = int(function->kernel->max_threads); break;
        case NUM_REGISTERS: *value = registers(*function->kernel); break;
        case PTX_VERSION:
        case BINARY_VERSION: *value = 90; break;
        case MAX_DYNAMIC_SHARED: *value = function->dynamic_shared; break;
        default: *value = 0;  // static shared, constant and local bytes are not known
    }
    return SUCCESS;
}

API cuFuncSetAttribute(Function* function, int attribute, int value) {
    ENTER;
    if (!function) return INVALID_HANDLE;
    if (attribute == CARVEOUT) return SUCCESS;
    if (attribute != MAX_DYNAMIC_SHARED || value < 0 || value > SHARED_OPT_IN) return INVALID_VALUE;
    function->dynamic_shared = value;
    return SUCCESS;
}

API cuFuncSetCacheConfig(Function*, int) { return SUCCESS; }

API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const Function* function, int threads, size_t shared) {
    ENTER;
    if (!function || threads <= 0) return INVALID_VALUE;
    *blocks = blocks_per_processor(*function, threads, shared);
    return SUCCESS;
}

API cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const Function* function, int threads,
                                                         size_t shared, unsigned) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, shared);
}

API cuLaunchKernel(Function* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void* stream, void** parameters, void** extra) {
    ENTER;
    if (extra) return NOT_SUPPORTED;
    return launch(function, {gx, gy, gz}, {bx, by, bz}, shared, stream, parameters, false);
}

API cuLaunchCooperativeKernel(Function* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                              unsigned bz, unsigned shared, void* stream, void** parameters) {
    ENTER;
    return launch(function, {gx, gy, gz}, {bx, by, bz}, shared, stream, parameters, true);
}

// As libcuda lays them out.
struct LaunchAttribute {
    int id;
    char padding[4];
    union {
        char bytes[64];
        int cooperative;
        struct {
            unsigned x, y, z;
        } cluster;
    };
};
struct LaunchConfig {
    unsigned gx, gy, gz, bx, by, bz, shared;
    void* stream;
    const LaunchAttribute* attributes;
    unsigned count;
};

API cuLaunchKernelEx(const LaunchConfig* config, Function* function, void** parameters, void** extra) {
    ENTER;
    if (!config) return INVALID_VALUE;
    if (extra) return NOT_SUPPORTED;
    enum { IGNORE = 0, COOPERATIVE = 2, CLUSTER = 4, PRIORITY = 8 };
    bool cooperative = false;
    for (unsigned i = 0; i < config->count; ++i) {
        const LaunchAttribute& attribute = config->attributes[i];
        const auto& cluster = attribute.cluster;
        if (attribute.id == COOPERATIVE)
            cooperative = attribute.cooperative != 0;
        else if (attribute.id == CLUSTER ? cluster.x * cluster.y * cluster.z != 1
                                         : attribute.id != IGNORE && attribute.id != PRIORITY)
            return NOT_SUPPORTED;
    }
    return launch(function, {config->gx, config->gy, config->gz}, {config->bx, config->by, config->bz}, config->shared,
                  config->stream, parameters, cooperative);
}

// ---- graphs ----

API cuStreamBeginCapture_v2(void* handle, int mode) {
    ENTER;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (stream == device.streams[0]) return STREAM_CAPTURE_UNSUPPORTED;
    if (stream->capture) return ILLEGAL_STATE;
    stream->capture = std::make_shared<Graph>();
    stream->capture->origin = stream;
    stream->capture->mode = mode;
    stream->capture->thread = &here;
    stream->captured = stream->joined = 0;
    return SUCCESS;
}

API cuStreamIsCapturing(void* handle, int* status) {
    ENTER;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    *status = stream->capture ? 1 : 0;
    return SUCCESS;
}

API cuStreamEndCapture(void* handle, void** graph_handle) {
    ENTER;
    *graph_handle = nullptr;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (!stream->capture) return ILLEGAL_STATE;
    auto graph = stream->capture;
    if (graph->origin != stream) return STREAM_CAPTURE_UNMATCHED;
    bool unjoined = false;
    for (auto& other : device.streams) {
        if (other->capture != graph) continue;
        other->capture = nullptr;
        if (other != stream && other->captured > other->joined) unjoined = true;
    }
    graph->open = false;
    graph->origin = nullptr;
    if (unjoined) return STREAM_CAPTURE_UNJOINED;
    device.graphs[graph.get()] = graph;
    *graph_handle = graph.get();
    return SUCCESS;
}

API cuGraphInstantiateWithFlags(void** handle, void* graph_handle, unsigned long long) {
    ENTER;
    auto graph = device.graphs.find(graph_handle);
    if (graph == device.graphs.end()) return INVALID_HANDLE;
    auto executable = std::make_shared<Graph>(*graph->second);
    device.executables[executable.get()] = executable;
    *handle = executable.get();
    return SUCCESS;
}

API cuGraphUpload(void* handle, void*) {
    ENTER;
    return device.executables.count(handle) ? SUCCESS : INVALID_HANDLE;
}

API cuGraphLaunch(void* handle, void* stream_handle) {
    ENTER;
    auto found = device.executables.find(handle);
    auto stream = stream_of(stream_handle);
    if (found == device.executables.end() || !stream) return INVALID_HANDLE;
    auto graph = found->second;
    return enqueue(stream, [graph](emu::Schedule schedule) {
        for (auto& work : graph->operations)
            if (Result result = work(schedule)) return result;
        return SUCCESS;
    });
}

API cuGraphDestroy(void* handle) {
    ENTER;
    return device.graphs.erase(handle) ? SUCCESS : INVALID_HANDLE;
}

API cuGraphExecDestroy(void* handle) {
    ENTER;
    return device.executables.erase(handle) ? SUCCESS : INVALID_HANDLE;
}

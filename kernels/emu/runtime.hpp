// The seam between kernels, the block scheduler and the driver calls of the emulated GPU.
//
// shim.hpp builds CUDA's vocabulary from the first half; driver.cpp launches through the second. Nothing here needs a
// container or a thread from the standard library, so that kernels compile fast.
#pragma once

#include <cstddef>
#include <cstdint>

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
    dim3() = default;
    dim3(unsigned x, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
    dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
};

namespace emu {

// In which order the threads of a block, and the blocks of a grid, take their turns.
enum class Order { forward, reverse, shuffled };

struct Schedule {
    Order order;
    uint64_t seed;
};

struct Block;
struct Fiber;

// What an operating system thread is doing. It is the only thread-local variable that is not `__shared__` memory of a
// kernel: everything else in this library's thread-local segment is poisoned before each block.
struct Here {
    // The thread of the block that has its turn.
    uint3 thread, block;
    uint3 block_size, grid_size;
    char* dynamic_shared;
    Fiber* fiber;
    Block* running;
    // Of the host thread that calls the driver.
    const void* context;
    Schedule schedule;
    int deferred;
};
extern __thread Here here;

// A place in the kernels' source.
struct Where {
    const char* file;
    int line;
};

// Runs once for lanes that have met: `mine[lane]` is what a lane brought, `result[lane]` where its answer goes.
using Together = void (*)(uint32_t mask, const void* const* mine, void* const* result);

// Waits until every lane of `mask` is here with the same mask and the same `together`; the last one runs it for all.
void meet(uint32_t mask, const char* name, Together together, const void* mine, void* result, Where where);
// Waits for every thread of the block.
void barrier(Where where);
// Lets others go on: every loop that waits for another thread or block must call it.
void pause();
// Ends the launch with an error and one line on stderr.
[[noreturn]] void stop(const char* format, ...) __attribute__((format(printf, 1, 2)));

// A kernel takes one structure by value. Each KERNEL(...) defines one of these, which enters itself into a list.
struct Kernel {
    const char* name;
    size_t argument_bytes;
    unsigned max_threads, min_blocks;
    void (*run)(const void* arguments);
    const Kernel* next;

    Kernel(const char* name, size_t bytes, unsigned threads, unsigned blocks, void (*run)(const void*));
    static const Kernel* first;
};

struct Launch {
    const Kernel* kernel;
    const void* arguments;
    dim3 grid, block;
    size_t shared_bytes;
    // Every block gets an operating system thread of its own, so blocks may wait for one another.
    bool cooperative;
    Schedule schedule;
};

enum class Outcome { done, failed, timed_out };

// Runs a whole grid and returns when it is finished. One launch at a time.
Outcome run(const Launch& launch);

// What the last failed launch printed.
const char* last_message();

}  // namespace emu

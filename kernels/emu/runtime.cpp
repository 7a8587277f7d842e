// Runs a grid on the processor.
//
// A thread of a block is a fiber: a stack of its own and a switch of six registers. All fibers of a block run on one
// operating system thread, one after the other, in rounds: each goes on until it waits (at a barrier, for its warp, in
// a spin loop) or returns. A round in which nobody could go on is a deadlock, so a barrier that not all threads reach
// is found and not hung upon. Blocks are dealt to operating system threads.
//
// A launch that fails leaves its fibers where they are; their stacks are simply used again.
#include "runtime.hpp"

#include <link.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#if !defined(__x86_64__) || defined(EMU_UCONTEXT)
#include <ucontext.h>
#define EMU_UCONTEXT 1
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace emu {

__thread Here here;

const Kernel* Kernel::first = nullptr;

Kernel::Kernel(const char* name, size_t bytes, unsigned threads, unsigned blocks, void (*run)(const void*))
    : name(name), argument_bytes(bytes), max_threads(threads), min_blocks(blocks), run(run), next(first) {
    first = this;
}

// ---- switching stacks ----

// Room for large local arrays; pages that are never touched cost nothing.
constexpr size_t STACK_BYTES = 256 * 1024, GUARD_BYTES = 16 * 1024;

// A flow of execution that can be left and entered again.
struct Context {
#if EMU_UCONTEXT
    ucontext_t saved;
#else
    void* stack_pointer;
#endif
    // For AddressSanitizer, which has to know on which stack it is.
    const void* bottom = nullptr;
    size_t bytes = 0;
    void* fake_stack = nullptr;
};

#if !EMU_UCONTEXT
extern "C" void emu_switch(void** save, void* load);
// Saves the registers a called function must keep, on the stack it leaves. It jumps where it could return, as the
// processor expects a return to go where the last call came from.
asm(R"(
.text
.globl emu_switch
.hidden emu_switch
.type emu_switch, @function
emu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    popq %rdx
    jmp *%rdx
.size emu_switch, .-emu_switch
)");
#endif

static void switch_to(Context& from, Context& to) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&from.fake_stack, to.bottom, to.bytes);
#endif
#if EMU_UCONTEXT
    swapcontext(&from.saved, &to.saved);
#else
    emu_switch(&from.stack_pointer, to.stack_pointer);
#endif
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

enum class State { ready, paused, at_barrier, in_warp, returned };

struct Fiber {
    Context context;
    char* stack = nullptr;
    State state;
    uint3 thread;
    unsigned index;
    Where where;
    // While in_warp: what it waits for, and what it brought.
    uint32_t mask;
    const char* operation;
    Together together;
    const void* mine;
    void* result;
};

// The lanes of a warp that wait for one another.
struct Warp {
    uint32_t waiting = 0, returned = 0;
    // What all who wait agree about, unless groups with masks of their own do.
    uint32_t mask;
    Together together;
    bool groups;
};

static void thread_of_block();

static bool prepare(Fiber& fiber) {
    if (!fiber.stack) {
        void* map = mmap(nullptr, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED) return false;
        if (mprotect(map, GUARD_BYTES, PROT_NONE) != 0) {
            munmap(map, GUARD_BYTES + STACK_BYTES);
            return false;
        }
        fiber.stack = static_cast<char*>(map) + GUARD_BYTES;
    }
    fiber.context = {};
    fiber.context.bottom = fiber.stack;
    fiber.context.bytes = STACK_BYTES;
#if defined(__SANITIZE_ADDRESS__)
    // A launch that failed left its frames here.
    ASAN_UNPOISON_MEMORY_REGION(fiber.stack, STACK_BYTES);
#endif
#if EMU_UCONTEXT
    getcontext(&fiber.context.saved);
    fiber.context.saved.uc_stack.ss_sp = fiber.stack;
    fiber.context.saved.uc_stack.ss_size = STACK_BYTES;
    fiber.context.saved.uc_link = nullptr;
    makecontext(&fiber.context.saved, thread_of_block, 0);
#else
    // As emu_switch finds it: six registers, where to return to, and the alignment a called function expects.
    // Stacks begin at different places in their pages, or the same cache lines would have to hold all of them.
    void** top = reinterpret_cast<void**>(fiber.stack + STACK_BYTES - fiber.index % 61 * 192);
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(thread_of_block);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    fiber.context.stack_pointer = top;
#endif
    return true;
}

// ---- what one launch shares between its blocks ----

using Clock = std::chrono::steady_clock;

struct Progress {
    std::atomic<Outcome> outcome{Outcome::done};
    std::atomic<uint64_t> next_block{0};
    // When a block last did something other than spinning.
    std::atomic<Clock::rep> last{Clock::now().time_since_epoch().count()};
    // Block numbers in the order in which they start; empty when that is simple.
    std::vector<uint32_t> order;
};

// A number from the environment; `otherwise` if it is not there.
static unsigned long setting(const char* name, unsigned long otherwise) {
    const char* text = getenv(name);
    return text ? strtoul(text, nullptr, 10) : otherwise;
}

// A grid that has only been spinning for so long waits for something that will not happen.
static Clock::duration patience() { return std::chrono::seconds(setting("PHYLON_EMU_PATIENCE", 30)); }

static std::mutex message_lock;
static std::string message;

const char* last_message() { return message.c_str(); }

// In which all fibers of a block only waited for other blocks, before its thread sleeps; 2 does as well, with 40 it takes half as long again.
constexpr unsigned ROUNDS_IN_VAIN = 8;

struct Block {
    Context scheduler;
    std::vector<Fiber> fibers;
    std::vector<Warp> warps;
    std::vector<uint32_t> turns;
    const Launch* launch;
    Progress* progress;
    unsigned threads, waiting, returned;

    void run(uint64_t index);
    bool round(bool& paused);
    void fail(Outcome outcome, const char* format, va_list arguments);
    void fail(Outcome outcome, const char* format, ...) __attribute__((format(printf, 3, 4)));
    void explain_deadlock();
};

void Block::fail(Outcome outcome, const char* format, va_list arguments) {
    std::lock_guard<std::mutex> guard(message_lock);
    if (progress->outcome != Outcome::done) return;  // one message a launch: the first
    char reason[512], line[768];
    vsnprintf(reason, sizeof reason, format, arguments);
    snprintf(line, sizeof line, "emulated GPU: kernel %s, block (%u, %u, %u): %s", launch->kernel->name, here.block.x,
             here.block.y, here.block.z, reason);
    message = line;
    fprintf(stderr, "%s\n", line);
    progress->outcome = outcome;
}

void Block::fail(Outcome outcome, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fail(outcome, format, arguments);
    va_end(arguments);
}

// ---- what a fiber calls ----

static void wait_as(State state) {
    Fiber* fiber = here.fiber;
    fiber->state = state;
    switch_to(fiber->context, here.running->scheduler);
}

[[noreturn]] static void leave() {
    here.fiber->state = State::returned;
    switch_to(here.fiber->context, here.running->scheduler);
    __builtin_unreachable();
}

void stop(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    here.running->fail(Outcome::failed, format, arguments);
    va_end(arguments);
    leave();
}

void pause() { wait_as(State::paused); }

void barrier(Where where) {
    Block& block = *here.running;
    here.fiber->where = where;
    if (++block.waiting < block.threads) return wait_as(State::at_barrier);
    block.waiting = 0;
    for (unsigned i = 0; i < block.threads; ++i) {
        Fiber& other = block.fibers[i];
        bool same_file = other.where.file == where.file || strcmp(other.where.file, where.file) == 0;
        if (other.where.line != where.line || !same_file)
            stop("threads wait at different barriers, %s:%d and %s:%d", other.where.file, other.where.line, where.file,
                 where.line);
        other.state = State::ready;
    }
    // The last one to come does not go first: the next round begins with the thread that the schedule says.
    wait_as(State::ready);
}

void meet(uint32_t mask, const char* name, Together together, const void* mine, void* result, Where where) {
    Block& block = *here.running;
    Fiber& me = *here.fiber;
    unsigned lane = me.index % 32, first = me.index - lane;
    unsigned lanes = block.threads - first < 32 ? block.threads - first : 32;
    if (lanes < 32) mask &= (1u << lanes) - 1;
    if (!(mask >> lane & 1))
        stop("lane %u calls %s at %s:%d with mask %08x, which it is not in", lane, name, where.file, where.line, mask);
    Warp& warp = block.warps[me.index / 32];
    if (mask & warp.returned)
        stop("lane %u waits in %s at %s:%d for lane %d, which has returned", lane, name, where.file, where.line,
             __builtin_ctz(mask & warp.returned));
    if (!warp.waiting) {
        warp.mask = mask;
        warp.together = together;
        warp.groups = false;
    } else if (warp.groups || warp.mask != mask || warp.together != together) {
        for (unsigned l = 0; l < lanes; ++l) {
            const Fiber& other = block.fibers[first + l];
            if (!(warp.waiting >> l & 1) || !(mask & other.mask)) continue;
            if (other.mask != mask)
                stop("lanes disagree about the mask: lane %u calls %s at %s:%d with %08x, "
                     "lane %u calls %s at %s:%d with %08x",
                     l, other.operation, other.where.file, other.where.line, other.mask, lane, name, where.file,
                     where.line, mask);
            if (other.together != together)
                stop("lanes meet in different operations: lane %u in %s at %s:%d, lane %u in %s at %s:%d", l,
                     other.operation, other.where.file, other.where.line, lane, name, where.file, where.line);
        }
        warp.groups = true;
    }
    me.where = where;
    me.mask = mask;
    me.operation = name;
    me.together = together;
    me.mine = mine;
    me.result = result;
    warp.waiting |= 1u << lane;
    if ((warp.waiting & mask) != mask) return wait_as(State::in_warp);

    const void* all_mine[32];
    void* all_results[32];
    for (unsigned l = 0; l < lanes; ++l) {
        all_mine[l] = block.fibers[first + l].mine;
        all_results[l] = block.fibers[first + l].result;
    }
    together(mask, all_mine, all_results);
    for (unsigned l = 0; l < lanes; ++l)
        if (mask >> l & 1) block.fibers[first + l].state = State::ready;
    warp.waiting &= ~mask;
    wait_as(State::ready);
}

// Where every fiber begins.
static void thread_of_block() {
    Block& block = *here.running;
    Fiber& me = *here.fiber;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &block.scheduler.bottom, &block.scheduler.bytes);
#endif
    block.launch->kernel->run(block.launch->arguments);
    ++block.returned;
    unsigned lane = me.index % 32, first = me.index - lane;
    Warp& warp = block.warps[me.index / 32];
    warp.returned |= 1u << lane;
    for (unsigned l = 0; l < 32 && warp.waiting >> l; ++l) {
        const Fiber& other = block.fibers[first + l];
        if ((warp.waiting >> l & 1) && (other.mask >> lane & 1))
            stop("lane %u waits in %s at %s:%d for lane %u, which has returned", l, other.operation, other.where.file,
                 other.where.line, lane);
    }
    leave();
}

// ---- the scheduler ----

static uint64_t next_random(uint64_t& state) {
    state += 0x9E3779B97F4A7C15ull;  // SplitMix64
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static void arrange(std::vector<uint32_t>& order, size_t n, Order kind, uint64_t& random) {
    order.resize(n);
    for (size_t i = 0; i < n; ++i) order[i] = uint32_t(kind == Order::reverse ? n - 1 - i : i);
    if (kind != Order::shuffled) return;
    for (size_t i = n; i > 1; --i) std::swap(order[i - 1], order[next_random(random) % i]);
}

// `__shared__` variables are this thread's instance of the library's thread-local segment: fills it with NaN, so that
// what a block left behind does not look initialised to the next.
static void poison_static_shared() {
    struct Segment {
        size_t offset = 0, bytes = 0;
        Segment() {
            auto visit = [](dl_phdr_info* info, size_t, void* data) {
                auto* segment = static_cast<Segment*>(data);
                char* mine = reinterpret_cast<char*>(&here);
                char* begin = static_cast<char*>(info->dlpi_tls_data);
                for (int i = 0; i < info->dlpi_phnum; ++i) {
                    const auto& header = info->dlpi_phdr[i];
                    if (header.p_type != PT_TLS || !begin || mine < begin || mine >= begin + header.p_memsz) continue;
                    segment->offset = size_t(mine - begin);
                    segment->bytes = header.p_memsz;
                }
                return 0;
            };
            dl_iterate_phdr(visit, this);
        }
    };
    static const Segment segment;
    char* mine = reinterpret_cast<char*>(&here);
    if (segment.bytes == 0) return;
    memset(mine - segment.offset, 0xFF, segment.offset);
    memset(mine + sizeof here, 0xFF, segment.bytes - segment.offset - sizeof here);
}

static uint3 coordinates(uint64_t index, dim3 size) {
    return {unsigned(index % size.x), unsigned(index / size.x % size.y), unsigned(index / size.x / size.y)};
}

// Gives each fiber its turn. Returns whether one of them did more than spin.
bool Block::round(bool& paused) {
    bool worked = false;
    for (uint32_t turn : turns) {
        Fiber& fiber = fibers[turn];
        if (fiber.state != State::ready && fiber.state != State::paused) continue;
        here.fiber = &fiber;
        here.thread = fiber.thread;
        switch_to(scheduler, fiber.context);
        if (fiber.state == State::paused)
            paused = true;
        else
            worked = true;
        if (progress->outcome.load(std::memory_order_relaxed) != Outcome::done) break;
    }
    return worked;
}

void Block::explain_deadlock() {
    unsigned in_warp = 0;
    const Fiber *at_barrier = nullptr, *lane = nullptr;
    for (unsigned i = 0; i < threads; ++i) {
        if (fibers[i].state == State::at_barrier) at_barrier = &fibers[i];
        if (fibers[i].state == State::in_warp) lane = &fibers[i], ++in_warp;
    }
    char others[200] = "";
    if (lane)
        snprintf(others, sizeof others, ", %u in %s at %s:%d", in_warp, lane->operation, lane->where.file,
                 lane->where.line);
    if (at_barrier)
        fail(Outcome::failed, "%u of %u threads at the barrier %s:%d, %u have returned%s", waiting, threads,
             at_barrier->where.file, at_barrier->where.line, returned, others);
    else
        fail(Outcome::failed, "nobody can go on: %u of %u threads have returned%s", returned, threads, others);
}

void Block::run(uint64_t index) {
    uint64_t random = launch->schedule.seed * 0xD1342543DE82EF95ull + index;
    here.block = coordinates(index, launch->grid);
    here.block_size = {launch->block.x, launch->block.y, launch->block.z};
    here.grid_size = {launch->grid.x, launch->grid.y, launch->grid.z};
    here.running = this;
    poison_static_shared();
    // Exactly the size asked for, so that AddressSanitizer sees the first byte beyond it.
    void* shared = nullptr;
    if (launch->shared_bytes && posix_memalign(&shared, 16, launch->shared_bytes) != 0)
        return fail(Outcome::failed, "no memory for the block's shared memory");
    if (shared) memset(shared, 0xFF, launch->shared_bytes);
    here.dynamic_shared = static_cast<char*>(shared);

    threads = launch->block.x * launch->block.y * launch->block.z;
    waiting = returned = 0;
    if (fibers.size() < threads) fibers.resize(threads);
    warps.assign((threads + 31) / 32, {});
    for (unsigned i = 0; i < threads; ++i) {
        Fiber& fiber = fibers[i];
        fiber.state = State::ready;
        fiber.index = i;
        fiber.thread = coordinates(i, launch->block);
        if (!prepare(fiber)) {
            fail(Outcome::failed, "no memory for the stack of thread %u", i);
            break;
        }
    }
    if (launch->schedule.order != Order::shuffled) arrange(turns, threads, launch->schedule.order, random);
    unsigned in_vain = 0;  // rounds, one after the other
    while (returned < threads && progress->outcome == Outcome::done) {
        if (launch->schedule.order == Order::shuffled) arrange(turns, threads, Order::shuffled, random);
        bool paused = false;
        auto now = Clock::now().time_since_epoch();
        if (round(paused)) {
            progress->last = now.count();
            in_vain = 0;
        } else if (paused) {
            if (now - Clock::duration(progress->last) > patience())
                fail(Outcome::timed_out, "has been waiting in a loop for something that does not happen");
            // Blocks that wait for others leave them the processor. One that only yields is scheduled as one that works, and where
            // other programs want the processor, those that are waited for come last.
            if (++in_vain < ROUNDS_IN_VAIN) sched_yield();
            else std::this_thread::sleep_for(std::chrono::microseconds(20));
        } else {
            explain_deadlock();
        }
    }
    free(shared);
    here.dynamic_shared = nullptr;
}

// ---- blocks on operating system threads ----

// Threads that wait for work; never ended, as the process may leave at any moment.
class Pool {
public:
    // Runs `job` on up to `threads` threads, this one included, until all who began it are back.
    void run(unsigned threads, const std::function<void()>& job) {
        std::unique_lock<std::mutex> guard(lock_);
        job_ = &job;
        wanted_ = threads - 1;
        for (; threads_ < wanted_; ++threads_) std::thread([this] { serve(); }).detach();
        if (wanted_) work_.notify_all();
        guard.unlock();
        job();
        guard.lock();
        wanted_ = 0;  // nothing is left for those who have not begun
        done_.wait(guard, [this] { return running_ == 0; });
    }

private:
    void serve() {
        std::unique_lock<std::mutex> guard(lock_);
        for (;;) {
            work_.wait(guard, [this] { return wanted_ > 0; });
            --wanted_, ++running_;
            const std::function<void()>& job = *job_;
            guard.unlock();
            job();
            guard.lock();
            if (--running_ == 0) done_.notify_all();
        }
    }

    std::mutex lock_;
    std::condition_variable work_, done_;
    const std::function<void()>* job_ = nullptr;
    unsigned threads_ = 0, wanted_ = 0, running_ = 0;
};

static unsigned processor_threads() {
    unsigned threads = std::max(1u, std::thread::hardware_concurrency());
    return unsigned(std::clamp(setting("PHYLON_EMU_THREADS", threads), 1ul, (unsigned long)threads));
}

Outcome run(const Launch& launch) {
    static Pool& pool = *new Pool;
    static std::mutex spare_lock;
    static auto& spare = *new std::vector<std::unique_ptr<Block>>;  // blocks with their stacks, to use again

    Progress progress;
    uint64_t blocks = uint64_t(launch.grid.x) * launch.grid.y * launch.grid.z;
    if (launch.schedule.order == Order::shuffled) {
        uint64_t random = launch.schedule.seed;
        arrange(progress.order, blocks, Order::shuffled, random);
    }
    std::function<void()> job = [&] {
        std::unique_ptr<Block> block;
        {
            std::lock_guard<std::mutex> guard(spare_lock);
            if (!spare.empty()) block = std::move(spare.back()), spare.pop_back();
        }
        if (!block) block = std::make_unique<Block>();
        block->launch = &launch;
        block->progress = &progress;
        for (uint64_t i; progress.outcome == Outcome::done && (i = progress.next_block++) < blocks;) {
            if (launch.schedule.order == Order::reverse) i = blocks - 1 - i;
            block->run(progress.order.empty() ? i : progress.order[i]);
        }
        std::lock_guard<std::mutex> guard(spare_lock);
        spare.push_back(std::move(block));
    };
    uint64_t threads = launch.cooperative ? blocks : processor_threads();
    pool.run(unsigned(threads < blocks ? threads : blocks), job);
    return progress.outcome;
}

}  // namespace emu

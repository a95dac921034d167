// The C interface: validates a call, sorts the sequences, assigns them to threads, and calls the kernels.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "gatewise.h"
#include "job.hpp"
#include "threads.hpp"
#include "workspace.hpp"

#if defined(__x86_64__)
extern const Kernels gatewise_kernels_avx512, gatewise_kernels_avx2, gatewise_kernels_baseline;
#elif defined(__aarch64__)
extern const Kernels gatewise_kernels_neon;
#else
extern const Kernels gatewise_kernels_baseline;
#endif

static_assert(sizeof(gatewise_scan) == 44 * sizeof(int64_t), "callers write it as 44 integers");

namespace {

const Kernels *kernels_named(const char *name) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  if (avx512 && !strcmp(name, "avx512")) return &gatewise_kernels_avx512;
  if (avx2 && !strcmp(name, "avx2")) return &gatewise_kernels_avx2;
  if (!strcmp(name, "baseline")) return &gatewise_kernels_baseline;
#elif defined(__aarch64__)
  if (!strcmp(name, "neon")) return &gatewise_kernels_neon;
#else
  if (!strcmp(name, "baseline")) return &gatewise_kernels_baseline;
#endif
  return nullptr;
}

const Kernels *best_kernels() {
  for (const char *name : {"avx512", "avx2", "neon", "baseline"})
    if (const Kernels *found = kernels_named(name)) return found;
  return nullptr;  // unreachable: every machine supports the last one
}

std::atomic<const Kernels *> &kernels() {
  static std::atomic<const Kernels *> in_use{best_kernels()};
  return in_use;
}

int gates_of(int64_t cell) { return cell == GATEWISE_LSTM ? 4 : cell == GATEWISE_GRU ? 3 : 1; }

// ---- checks -------------------------------------------------------------------------------------------------------

// Whether the product of the sizes, in bytes, fits well within 64 bits.
bool countable(std::initializer_list<int64_t> sizes) {
  int64_t product = 1;
  for (int64_t size : sizes)
    if (__builtin_mul_overflow(product, size, &product) || product > INT64_MAX / 1024) return false;
  return true;
}

bool sizes_fit(const gatewise_scan &s) {
  for (int64_t size : {s.T, s.B, s.I})
    if (size < 0) return false;
  if (s.H < 1 || s.P < 1 || s.threads < 1 || (!s.weight_hr && s.P != s.H)) return false;
  const int64_t H = s.H + 64, I = s.I + 64, steps = std::max<int64_t>(s.T, 1), batch = std::max<int64_t>(s.B, 1);
  return countable({steps, batch, H, 8}) && countable({steps, batch, I}) && countable({H, H, 8}) &&
         countable({H, I, 8}) && countable({s.P, H});
}

// Decreasing lengths also keep every row number of packed sequences below the number of rows.
int check_lengths(const gatewise_scan &s) {
  if (s.offsets && !s.lengths) return GATEWISE_BAD_POINTER;
  if (!s.lengths) return GATEWISE_OK;
  for (int64_t b = 0; b < s.B; b++) {
    if (s.lengths[b] < 0 || s.lengths[b] > s.T) return GATEWISE_BAD_LENGTHS;
    if (s.offsets && b && s.lengths[b] > s.lengths[b - 1]) return GATEWISE_BAD_LENGTHS;
  }
  return GATEWISE_OK;
}

bool all(std::initializer_list<const void *> tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [](const void *one) { return one != nullptr; });
}

enum Call { FORWARD, BACKWARD, STEP };

int check(const gatewise_scan *scan, Call call) {
  if (!scan) return GATEWISE_BAD_POINTER;
  const gatewise_scan &s = *scan;
  if (s.cell < GATEWISE_TANH || s.cell > GATEWISE_GRU) return GATEWISE_BAD_CELL;
  if (s.dtype != GATEWISE_FLOAT32 && s.dtype != GATEWISE_FLOAT64) return GATEWISE_BAD_DTYPE;
  const bool lstm = s.cell == GATEWISE_LSTM;
  if (s.weight_hr && !lstm) return GATEWISE_BAD_CELL;
  if (!sizes_fit(s)) return GATEWISE_BAD_SIZE;
  const bool backward = call == BACKWARD, rows = s.T > 0 && s.B > 0;
  bool there = all({s.weight_hh}) && (s.I == 0 || s.weight_ih);
  if (s.B > 0) there = there && all({s.h0}) && (!lstm || s.c0);
  if (rows) there = there && (s.output || call == STEP) && (s.I == 0 || s.x);
  if (s.B > 0 && !backward) there = there && s.h && (!lstm || s.c);
  if (backward) {
    if (s.B > 0) there = there && (!lstm || s.grad_c0);
    if (rows) there = there && (s.gates || s.cell <= GATEWISE_IDENTITY) && (!lstm || s.cells);
    if (s.grad_weight_ih || s.grad_weight_hh)
      there = there && all({s.grad_weight_hh}) && (s.I == 0 || s.grad_weight_ih) && (!s.weight_hr || s.grad_weight_hr);
  }
  return there ? check_lengths(s) : GATEWISE_BAD_POINTER;
}

// ---- work per thread ------------------------------------------------------------------------------------------------

// Sequences, longest first, assigned to lists so that all lists have a similar number of steps.
struct Lists {
  std::vector<int64_t> sequences, lengths;
  std::vector<List> list;

  Lists(const gatewise_scan &s, int count) : sequences(size_t(s.B)), lengths(size_t(s.B)) {
    std::vector<int64_t> order(static_cast<size_t>(s.B));
    for (int64_t b = 0; b < s.B; b++) order[size_t(b)] = b;
    if (s.lengths && !s.offsets)
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return s.lengths[a] > s.lengths[b]; });
    size_t place = 0;
    for (int q = 0; q < count; q++) {
      const size_t first = place;
      for (int64_t i = 0; i < s.B; i++)
        if (owner(s, i, count) == q) {
          sequences[place] = order[size_t(i)];
          lengths[place] = s.lengths ? s.lengths[order[size_t(i)]] : s.T;
          place++;
        }
      list.push_back({int64_t(place - first), sequences.data() + first, lengths.data() + first});
    }
  }

 private:
  // Contiguous if all have the same length; otherwise a few at a time, in alternating directions over the lists.
  static int owner(const gatewise_scan &s, int64_t i, int count) {
    if (!s.lengths) return int(((i + 1) * count - 1) / s.B);
    const int64_t some = s.B >= 8 * count ? 4 : 1, turn = i / some / count, place = i / some % count;
    return int(turn % 2 ? count - 1 - place : place);
  }
};

struct Grid {
  int lists, slices;
};

// Estimated cycles of one step of one thread, from the sizes alone: products, reading of weights, gate functions.
double cycles(const gatewise_scan &s, const Kernels &k, int64_t rows, int64_t groups, int64_t columns) {
  const double lanes = k.lanes(s.dtype), bytes = s.dtype == GATEWISE_FLOAT32 ? 4 : 8;
  const double vectors = double(s.cell <= GATEWISE_IDENTITY ? 4 : gates_of(s.cell)) * double(groups);
  const double weights = vectors * double(columns) * lanes * bytes;
  const double per_cycle = weights < 32e3 ? 64 : weights < 1.5e6 ? 32 : 8;  // first, second and third cache
  const double products = double(rows) * vectors * double(columns) / 2;
  const double waits = weights < 1.5e6 ? 0 : weights / 40;  // for the third cache, even with prefetching
  return std::max(products, weights / per_cycle) + waits + double(rows) * double(groups) * 60;
}

// The sums of weight gradients are the only ones whose order depends on the grid, and only on its lists.
Grid choose_grid(const gatewise_scan &s, const Kernels &k, bool backward) {
  const int64_t most_lists = backward && s.fixed_order ? 1 : std::max<int64_t>(s.B, 1);
  const int64_t lanes = k.lanes(s.dtype), blocks = (s.H + lanes - 1) / lanes;
  const bool rnn = s.cell <= GATEWISE_IDENTITY;
  const int64_t groups = rnn ? (blocks + 3) / 4 : blocks;
  const int64_t most_slices = std::max<int64_t>(1, (blocks + 3) / 4);  // backward assigns four blocks at a time
  const double steps = double(std::max<int64_t>(s.T, 1));
  const double start = forked() ? 2e5 : 6000, meet = 1200;
  // Weights packed by other threads come from their caches, line by line.
  const double panels = double(gates_of(s.cell)) * double(s.H) * double(s.P + s.I) / double(lanes) * 25;
  const int threads = int(std::min<int64_t>(s.threads, 1024));
#ifdef GATEWISE_EVERY_GRID  // for the check: every grid is used, not only the fast ones
  const int members = int(std::min<int64_t>(threads, most_slices)), slices = 1 + int(s.I % members);
  return {int(std::min<int64_t>(threads / slices, most_lists)), slices};
#endif
  Grid best{1, 1};
  double least = 0;
  for (int slices = 1; slices <= threads && slices <= most_slices; slices++)
    for (int lists = 1; lists * slices <= threads && lists <= most_lists; lists++) {
      const int64_t rows = (s.B + lists - 1) / lists, share = (groups + slices - 1) / slices;
      const double all = steps * (cycles(s, k, rows, share, s.P + s.I) + (slices > 1 ? meet : 0)) +
                         (lists * slices > 1 ? start : 0) + panels * (1 - 1.0 / lists);
      if (least == 0 || all < least * 0.98) {
        least = all;
        best = {lists, slices};
      }
    }
  return best;
}

// Whether all threads add to one sum of weight gradients (and wait for and read from each other at every chunk), or
// each list has its own sum, added at the end: whichever reads less from other threads.
bool together(const gatewise_scan &s, int lists) {
  double rows = 0;
  for (int64_t b = 0; b < s.B; b++) rows += double(s.lengths ? s.lengths[b] : s.T);
  const double sums = double(s.cell <= GATEWISE_IDENTITY ? 1 : 4) * double(s.H), inputs = double(s.I + s.P);
#ifdef GATEWISE_EVERY_GRID
  return lists > 1 && s.I % 2;
#endif
  return lists > 1 && sums * inputs > rows * (sums + inputs);
}

constexpr double STEP_WORK = 1.5e5;  // multiplications that justify waking a thread

// ---- the call -----------------------------------------------------------------------------------------------------

int run(const gatewise_scan &s, size_t (*plan)(const Job &), void (*kernel)(const Job &, int), Grid grid) {
  const Lists lists(s, grid.lists);
  std::unique_ptr<Barrier[]> barriers(new Barrier[size_t(grid.lists) + 1]);
  std::vector<Barrier *> local;
  barriers[0].members = grid.lists * grid.slices;
  for (int q = 0; q < grid.lists; q++) {
    barriers[size_t(q) + 1].members = grid.slices;
    local.push_back(&barriers[size_t(q) + 1]);
  }
  alignas(64) char measured[PLAN_BYTES] = {};
  Job job{&s,           grid.lists,   grid.slices,  together(s, grid.lists), lists.list.data(),
          &barriers[0], local.data(), [](Barrier *one) { one->wait(); }, measured, nullptr};
  Workspace workspace(plan(job));
  job.memory = workspace.memory();
  if (!job.memory) return GATEWISE_NO_MEMORY;
  plan(job);
  const bool ran = in_parallel(grid.lists * grid.slices, [&](int thread) { kernel(job, thread); });
  if (ran) return GATEWISE_OK;
  return forked() ? run(s, plan, kernel, Grid{1, 1}) : GATEWISE_NO_THREADS;  // a forked child uses what it can get
}

int checked(const gatewise_scan *scan, bool backward) {
  const int status = check(scan, backward ? BACKWARD : FORWARD);
  if (status != GATEWISE_OK) return status;
  const Kernels &k = *kernels().load(std::memory_order_relaxed);
  try {
    const Grid grid = choose_grid(*scan, k, backward);
    return backward ? run(*scan, k.plan_backward, k.backward, grid) : run(*scan, k.plan_forward, k.forward, grid);
  } catch (const std::bad_alloc &) {
    return GATEWISE_NO_MEMORY;
  }
}

int step(const gatewise_scan &s, const Kernels &k) {
  const double work = double(s.B) * double(s.H) * double(s.I + s.P) * gates_of(s.cell);
  const int fair = int(std::min(work / STEP_WORK, 1024.0)), threads = forked() ? 1 : int(std::min<int64_t>(s.threads, 1024));
  const int members = std::max(1, std::min(threads, fair));
  Workspace workspace(k.step_memory(s));
  if (!workspace.memory()) return GATEWISE_NO_MEMORY;
  const bool ran = in_parallel(members, [&](int thread) { k.step(s, workspace.memory(), thread, members); });
  if (!ran) return GATEWISE_NO_THREADS;
  k.finish_step(s, workspace.memory());
  return GATEWISE_OK;
}

}  // namespace

int gatewise_step(const gatewise_scan *scan) {
  const int status = check(scan, STEP);
  if (status != GATEWISE_OK) return status;
  if (scan->T != 1 || scan->lengths) return GATEWISE_BAD_SIZE;
  return step(*scan, *kernels().load(std::memory_order_relaxed));
}

int gatewise_interface(void) { return GATEWISE_INTERFACE; }

int gatewise_forward(const gatewise_scan *scan) { return checked(scan, false); }

int gatewise_backward(const gatewise_scan *scan) { return checked(scan, true); }

int gatewise_read_batch_sizes(const int64_t *batch_sizes, int64_t T, int64_t B, int64_t rows, int64_t *lengths,
                              int64_t *offsets) {
  if (T < 1 || B < 1 || rows < 1) return GATEWISE_BAD_LENGTHS;
  if (!all({batch_sizes, lengths, offsets})) return GATEWISE_BAD_POINTER;
  if (batch_sizes[0] != B) return GATEWISE_BAD_LENGTHS;
  int64_t seen = 0, running = B;
  for (int64_t t = 0; t < T; t++) {
    if (batch_sizes[t] < 1 || batch_sizes[t] > running || batch_sizes[t] > rows - seen) return GATEWISE_BAD_LENGTHS;
    while (running > batch_sizes[t]) lengths[--running] = t;
    offsets[t] = seen;
    seen += batch_sizes[t];
  }
  while (running > 0) lengths[--running] = T;
  return seen == rows ? GATEWISE_OK : GATEWISE_BAD_LENGTHS;
}

int gatewise_forked(void) { return forked() ? 1 : 0; }

const char *gatewise_instructions(void) { return kernels().load()->name; }

int gatewise_use_instructions(const char *name) {
  const Kernels *found = name ? kernels_named(name) : nullptr;
  if (found) kernels().store(found);
  return found ? 0 : 1;
}

void *gatewise_lend(int64_t bytes) { return bytes < 0 ? nullptr : workspace::take(size_t(bytes), size_t(bytes) / 4 + (size_t(4) << 20)); }

void gatewise_give_back(void *memory) { workspace::give_back(memory); }

int64_t gatewise_release(void) { return int64_t(workspace::release()); }

double gatewise_multiply_add(int64_t dtype, int64_t rounds, int64_t threads) {
  const Kernels &k = *kernels().load();
  const int members = int(std::clamp<int64_t>(forked() ? 1 : threads, 1, 1024));
  std::vector<double> done(static_cast<size_t>(members));
  if (!in_parallel(members, [&](int thread) { done[size_t(thread)] = k.multiply_add(dtype, rounds); })) return 0;
  double total = 0;
  for (double one : done) total += one;
  return total;
}

// One layer, forward. Each thread runs all steps of its list of sequences, on its slice of the units.
//
// The products with x are computed at each step together with those with h; or, if that reads the weights too often for
// too few rows, for many steps in advance ("ahead").

#pragma once

#include "scan.hpp"

namespace GATEWISE_INSTRUCTIONS {

template <class T>
struct ForwardPlan {
  T *x_panels, *h_panels, *bias, *projection_panels;
  T *projected;        // with a projection: its input, (B, units padded to whole blocks)
  int64_t ahead_rows;  // rows whose products with x are computed ahead; 0 for none
  char *scratch;
  size_t scratch_bytes;  // of each thread
};

template <class Cell>
class Forward {
 public:
  using T = typename Cell::Number;
  using Plan = ForwardPlan<T>;
  static constexpr int L = LANES<T>;
  static constexpr int64_t ROW = Sizes<Cell>::ROW;

  static size_t plan(const Job &job) {
    const Sizes<Cell> z(*job.scan);
    const Columns<T> out(z.P);
    const int threads = job.lists * job.slices;
    const int64_t longest = longest_list(job);
    const int64_t groups = over(z.groups, job.slices);

    static_assert(sizeof(Plan) <= PLAN_BYTES, "a plan must fit into the room for it");
    Plan &p = *static_cast<Plan *>(job.plan);
    const int64_t fit = most(longest, AHEAD_BYTES / (groups * ROW * int64_t(sizeof(T))));
    const bool few_rows = longest < 4 && z.I >= 8 && z.T > 1;
    p.ahead_rows = few_rows || z.I > 32 ? least(fit, longest * z.T) : 0;
    Memory memory(job.memory);
    p.x_panels = memory.take<T>(z.groups * z.I * ROW);
    p.h_panels = memory.take<T>(z.groups * z.P * ROW);
    p.bias = memory.take<T>(z.groups * ROW);
    p.projection_panels = memory.take<T>(z.projects ? out.groups * z.H * ROW : 0);
    p.projected = memory.take<T>(z.projects ? z.B * z.blocks * L : 0);

    Memory one(nullptr);
    Forward(job, 0, one);
    p.scratch_bytes = one.taken;
    p.scratch = memory.take<char>(int64_t(p.scratch_bytes) * threads);
    return memory.taken;
  }

  static void run(const Job &job, int thread) {
    const Plan &p = *static_cast<const Plan *>(job.plan);
    Memory memory(p.scratch + thread * p.scratch_bytes);
    FlushDenormals flush;
    Forward(job, thread, memory).run();
  }

 private:
  static constexpr int64_t AHEAD_BYTES = 512 << 10;  // fits in the second-level cache

  Forward(const Job &job, int thread, Memory &memory)
      : job(job),
        s(*job.scan),
        p(*static_cast<const Plan *>(job.plan)),
        z(s),
        columns(z.P),
        rows{s},
        thread(thread),
        threads(job.lists * job.slices),
        slice(thread % job.slices),
        list(job.list[thread / job.slices]),
        slot(list.sequences - job.list[0].sequences),
        groups(z.groups, slice, job.slices) {
    const int64_t count = longest_list(job);
    before = memory.take<T *>(count);
    after = memory.take<T *>(count);
    inner = memory.take<T *>(z.projects ? count : 0);
    numbers = memory.take<int64_t>(count);
    x_rows = memory.take<const T *>(most(p.ahead_rows, count));
    sums = memory.take<T>(p.ahead_rows ? p.ahead_rows * over(z.groups, job.slices) * ROW : count * ROW);
    projection = memory.take<T>(z.projects ? count * ROW : 0);
  }

  void run() {
    pack_weights();
    start();
    job.wait(job.team);
    int64_t running_now = list.count;
    for (int64_t step = 0; step < z.T;) {
      int64_t end = step + 1;
      if (p.ahead_rows) end = multiply_ahead(step, running_now);
      for (int64_t row = 0; step < end; step++) {
        running_now = running(list, step, running_now);
        if (running_now == 0) {
          step = z.T;
          break;
        }
        one_step(step, running_now, row);
        row += running_now;
      }
    }
    finish();
  }

  void pack_weights() {
    const Share share(z.groups, thread, threads);
    for (int64_t group = share.begin; group < share.end; group++) {
      pack_group(z, Cell::X, static_cast<const T *>(s.weight_ih), z.I, group, p.x_panels);
      pack_group(z, Cell::H, static_cast<const T *>(s.weight_hh), z.P, group, p.h_panels);
      for (int v = 0; v < FOUR; v++) store(p.bias + group * ROW + v * L, bias(group, v));
    }
    if (!z.projects) return;
    for (int64_t group = thread; group < columns.groups; group += threads)
      for (int v = 0; v < columns.vectors(group); v++) {
        const int64_t row = (group * FOUR + v) * L;
        pack_rows(static_cast<const T *>(s.weight_hr) + row * z.H, z.H, lanes_left(z.P, row, L),
                  p.projection_panels + group * z.H * ROW + v * L, columns.vectors(group) * L);
      }
  }

  Vector<T> bias(int64_t group, int v) const {
    if (Cell::BLOCKS > 1 && v >= z.blocks_of(group)) return Vector<T>{};
    const int64_t row = z.weight_row(group, v);
    const int lanes = z.lanes(group, v);
    Vector<T> sum{};
    if (s.bias_ih && z.takes(Cell::X, v)) sum += load(static_cast<const T *>(s.bias_ih) + row, lanes);
    if (s.bias_hh && z.takes(Cell::H, v)) sum += load(static_cast<const T *>(s.bias_hh) + row, lanes);
    return sum;
  }

  // The first step reads h0; c starts as c0 and is updated in place; rows that no step writes are zero.
  void start() {
    for (int64_t i = 0; i < list.count; i++)
      after[i] = const_cast<T *>(static_cast<const T *>(s.h0)) + list.sequences[i] * z.P;
    if (z.projects)
      for (int64_t i = 0; i < list.count; i++) inner[i] = p.projected + (slot + i) * z.blocks * L;
    if (Cell::HAS_C) {
      const int64_t first = least(z.H, groups.begin * Cell::BLOCKS * L);
      const int64_t last = least(z.H, groups.end * Cell::BLOCKS * L);
      for (int64_t i = 0; i < list.count; i++) {
        const int64_t at = list.sequences[i] * z.H;
        memcpy(static_cast<T *>(s.c) + at + first, static_cast<const T *>(s.c0) + at + first,
               size_t(last - first) * sizeof(T));
      }
    }
    if (!s.lengths || s.offsets) return;
    const Share share(list.count, slice, job.slices);
    for (int64_t i = share.begin; i < share.end; i++)
      for (int64_t t = list.lengths[i]; t < z.T; t++)
        memset(rows.at(static_cast<T *>(s.output), s.out_t, s.out_b, t, list.sequences[i]), 0, size_t(z.P) * sizeof(T));
  }

  const T *x_row(int64_t step, int64_t i) const {
    return rows.at(static_cast<const T *>(s.x), s.x_t, s.x_b, rows.time(step, list.lengths[i]), list.sequences[i]);
  }

  // Computes the products with x of as many steps as fit. Returns the step after them.
  int64_t multiply_ahead(int64_t step, int64_t running_now) {
    int64_t count = 0;
    for (; step < z.T; step++) {
      running_now = running(list, step, running_now);
      if (running_now == 0 || (count && count + running_now > p.ahead_rows)) break;
      for (int64_t i = 0; i < running_now; i++) x_rows[count++] = x_row(step, i);
    }
    for (int64_t group = groups.begin; group < groups.end; group++) {
      const int vectors = z.vectors(Cell::X, group);
      const int64_t block = k_block<T>(vectors);
      T *of_group = sums_of(group);
      for (int64_t k = 0; k < z.I; k += block) {
        Tile<T> tile = x_tile(group, of_group, k, least(block, z.I - k));
        tile.a = x_rows;
        multiply_add_rows(tile, count, vectors);
      }
      fill_bias(group, of_group, count);
    }
    return running_now ? step : z.T;
  }

  T *sums_of(int64_t group) const {
    return p.ahead_rows ? sums + (group - groups.begin) * p.ahead_rows * ROW : sums;
  }

  // A tile of x W^T from k on, initialised with the bias.
  Tile<T> x_tile(int64_t group, T *out, int64_t k, int64_t count) const {
    const int vectors = z.vectors(Cell::X, group);
    const int first = Cell::BLOCKS == 1 ? Cell::X.first * L : 0;
    Tile<T> tile;
    tile.a_offset = k;
    tile.run = count;
    tile.b = p.x_panels + group * z.I * ROW + k * vectors * L;
    tile.b_step = vectors * L;
    tile.in = k ? out + first : p.bias + group * ROW + first;
    tile.in_row = k ? ROW : 0;
    tile.out = out + first;
    tile.out_row = ROW;
    return tile;
  }

  // The sums without a product with x start with their bias too.
  void fill_bias(int64_t group, T *out, int64_t count) const {
    if (Cell::BLOCKS > 1 || Cell::X.count == FOUR) return;
    for (int v = Cell::X.count; v < FOUR; v++) {
      const Vector<T> bias = load(p.bias + group * ROW + v * L);
      for (int64_t row = 0; row < count; row++) store(out + row * ROW + v * L, bias);
    }
  }

  void one_step(int64_t step, int64_t count, int64_t first_row) {
    T **swap = before;
    before = after;
    after = swap;
    for (int64_t i = 0; i < count; i++) {
      const int64_t t = rows.time(step, list.lengths[i]), b = list.sequences[i];
      numbers[i] = rows.number(t, b);
      after[i] = rows.at(static_cast<T *>(s.output), s.out_t, s.out_b, t, b);
      if (!p.ahead_rows) x_rows[i] = x_row(step, i);
    }
    for (int64_t group = groups.begin; group < groups.end; group++) run_group(group, count, first_row);
    if (job.slices > 1) job.wait(local());
    if (z.projects) project(count);
  }

  Barrier *local() const { return job.local[thread / job.slices]; }

  void run_group(int64_t group, int64_t count, int64_t first_row) {
    const int vectors = z.vectors(Cell::H, group);
    const int64_t block = k_block<T>(vectors);
    T *of_step = sums_of(group) + (p.ahead_rows ? first_row : 0) * ROW;
    const Tiles tiles(count, vectors);
    for (int64_t k = 0; k < z.P; k += block)
      for (int64_t number = 0; number < tiles.count; number++) {
        const int64_t first = tiles.first(number);
        const int some = tiles.rows(number);
        T *out = of_step + first * ROW;
        if (k == 0 && !p.ahead_rows) multiply_x(group, first, some, out);
        multiply_h(group, k, least(block, z.P - k), tiles, number, out);
        if (k + block >= z.P) activate(group, first, some, out);
      }
  }

  void multiply_x(int64_t group, int64_t first, int some, T *out) const {
    Tile<T> tile = x_tile(group, out, 0, z.I);
    tile.a = x_rows + first;
    multiply_add_rows(tile, some, z.vectors(Cell::X, group));
    fill_bias(group, out, some);
  }

  void multiply_h(int64_t group, int64_t k, int64_t k_count, const Tiles &tiles, int64_t number, T *out) const {
    const int vectors = z.vectors(Cell::H, group);
    Tile<T> tile;
    tile.a = before + tiles.first(number);
    tile.a_offset = k;
    tile.run = k_count;
    tile.b = p.h_panels + group * z.P * ROW + k * vectors * L;
    tile.b_step = vectors * L;
    tile.in = tile.out = out + (Cell::BLOCKS == 1 ? Cell::H.first * L : 0);
    tile.in_row = tile.out_row = ROW;
    tile.fetch_behind(vectors, number, tiles.count);
    multiply_add_for<T>(vectors, tiles.rows(number))(tile);
  }

  void activate(int64_t group, int64_t first, int some, const T *out) const {
    int64_t i = first;
    for (; i + 2 <= first + some; i += 2) activate_rows<2>(group, i, out + (i - first) * ROW);
    if (i < first + some) activate_rows<1>(group, i, out + (i - first) * ROW);
  }

  template <int N>
  GATEWISE_INLINE void activate_rows(int64_t group, int64_t i, const T *out) const {
    ForwardRow<T> at[N];
    for (int n = 0; n < N; n++) at[n] = row(i + n, out + n * ROW);
    for (int block = 0; block < z.blocks_of(group); block++) {
      const int64_t u = (group * Cell::BLOCKS + block) * L;
      Cell::forward(ForwardBlock<T, N>{at, u, lanes_left(z.H, u, L)}, z.H);
      for (int n = 0; n < N; n++) at[n].sums += L;
    }
  }

  GATEWISE_INLINE ForwardRow<T> row(int64_t i, const T *out) const {
    const int64_t b = list.sequences[i];
    return {out,
            before[i],
            z.projects ? inner[i] : after[i],
            Cell::HAS_C ? static_cast<T *>(s.c) + b * z.H : nullptr,
            s.gates ? static_cast<T *>(s.gates) + numbers[i] * Cell::KEPT * z.H : nullptr,
            s.cells ? static_cast<T *>(s.cells) + numbers[i] * z.H : nullptr};
  }

  // h = W_hr m, this thread's part of the columns.
  void project(int64_t count) {
    const Share share(columns.groups, slice, job.slices);
    for (int64_t group = share.begin; group < share.end; group++) {
      Tile<T> tile;
      tile.a = inner;
      tile.run = z.H;
      tile.b = p.projection_panels + group * z.H * ROW;
      tile.b_step = columns.vectors(group) * L;
      tile.in = ZERO;
      tile.out = projection;
      tile.out_row = ROW;
      multiply_add_rows(tile, count, columns.vectors(group));
      for (int64_t i = 0; i < count; i++)
        for (int v = 0; v < columns.vectors(group); v++) {
          const int64_t u = (group * FOUR + v) * L;
          store(after[i] + u, load(projection + i * ROW + v * L), lanes_left(z.P, u, L));
        }
    }
    if (job.slices > 1) job.wait(local());
  }

  void finish() const {
    const Share share(list.count, slice, job.slices);
    for (int64_t i = share.begin; i < share.end; i++) {
      const int64_t b = list.sequences[i], length = list.lengths[i];
      const T *last = length ? rows.at(static_cast<const T *>(s.output), s.out_t, s.out_b,
                                       rows.time(length - 1, length), b)
                             : static_cast<const T *>(s.h0) + b * z.P;
      memcpy(static_cast<T *>(s.h) + b * z.P, last, size_t(z.P) * sizeof(T));
    }
  }

  static constexpr T ZERO[ROW] = {};

  const Job &job;
  const gatewise_scan &s;
  const Plan &p;
  const Sizes<Cell> z;
  const Columns<T> columns;
  const Rows rows;
  const int thread, threads, slice;
  const List &list;
  const int64_t slot;
  const Share groups;

  T **before, **after, **inner;
  int64_t *numbers;
  const T **x_rows;
  T *sums, *projection;
};

}  // namespace GATEWISE_INSTRUCTIONS

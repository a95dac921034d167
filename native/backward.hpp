// One layer, backward. Each thread runs the steps of its list from the last to the first, on its slice of the units.
//
// Gradients of the weighted sums are stored for one chunk of steps at a time. They are added to the gradients of the
// weights, and multiplied by the weights to give the gradients of x.

#pragma once

#include "weight_gradients.hpp"

namespace GATEWISE_INSTRUCTIONS {

template <class T>
struct BackwardPlan {
  T *x_panels, *h_panels, *projection_panels;
  T *carry;      // gradient at h before the step: (B, P padded to whole blocks)
  T *step_sums;  // gradients of the weighted sums of this step and the previous one: 2 x (B, step_row)
  Chunk<T> *chunks;
  int64_t steps;  // of a chunk
  WeightsPlan<T> weights;
  char *scratch;
  size_t scratch_bytes;  // of each thread
};

template <class Cell>
class Backward {
 public:
  using T = typename Cell::Number;
  using Plan = BackwardPlan<T>;
  static constexpr int L = LANES<T>;
  static constexpr int64_t ROW = Sizes<Cell>::ROW;

  static size_t plan(const Job &job) {
    const gatewise_scan &s = *job.scan;
    const Sizes<Cell> z(s);
    const Columns<T> x_columns(z.I), h_columns(z.P), units(z.H);
    const int threads = job.lists * job.slices;
    static_assert(sizeof(Plan) <= PLAN_BYTES, "a plan must fit into the room for it");
    Plan &p = *static_cast<Plan *>(job.plan);

    const int64_t row_bytes = (Cell::PLANES * z.blocks * L + z.I + z.P) * int64_t(sizeof(T));
    const int64_t rows = least(MOST_ROWS, most(LEAST_ROWS, CHUNK_BYTES * job.slices / row_bytes));
    p.steps = least(z.T, most(1, rows / most(1, longest_list(job))));

    Memory memory(job.memory);
    p.x_panels = memory.take<T>(s.grad_x ? x_columns.groups * Cell::X.count * z.blocks * L * ROW : 0);
    p.h_panels = memory.take<T>(carries(s) ? h_columns.groups * Cell::H.count * z.blocks * L * ROW : 0);
    p.projection_panels = memory.take<T>(z.projects ? units.groups * z.P * ROW : 0);
    p.carry = memory.take<T>(z.B * h_columns.blocks * L);
    p.step_sums = memory.take<T>(2 * z.B * step_row(z));
    p.chunks = memory.take<Chunk<T>>(job.lists);
    const bool weights = s.grad_weight_hh;
    for (int q = 0; q < job.lists; q++) {
      Chunk<T> chunk;
      chunk.capacity = job.list[q].count * p.steps | 1;  // odd: blocks one page apart compete for the same cache sets
      chunk.sums = memory.take<T>(Cell::PLANES * z.blocks * chunk.capacity * L);
      if (weights) WeightGradients<Cell>::plan_inputs(z, memory, chunk);
      chunk.outputs = memory.take<T>(z.projects ? chunk.capacity * h_columns.blocks * L : 0);
      chunk.projected = memory.take<T>(z.projects && weights ? z.blocks * chunk.capacity * L : 0);
      chunk.numbers = memory.take<int64_t>(chunk.capacity);
      if (job.memory) p.chunks[q] = chunk;
    }
    if (weights) WeightGradients<Cell>::plan(job, memory, p.weights);

    Memory one(nullptr);
    Backward(job, 0, one);
    p.scratch_bytes = one.taken;
    p.scratch = memory.take<char>(int64_t(p.scratch_bytes) * threads);
    return memory.taken;
  }

  static void run(const Job &job, int thread) {
    const Plan &p = *static_cast<const Plan *>(job.plan);
    Memory memory(p.scratch + thread * p.scratch_bytes);
    FlushDenormals flush;
    Backward(job, thread, memory).run();
  }

 private:
  static constexpr int64_t CHUNK_BYTES = 768 << 10;  // per thread; fits in the second-level cache
  static constexpr int64_t LEAST_ROWS = 256, MOST_ROWS = 8192;

  Backward(const Job &job, int thread, Memory &memory)
      : job(job),
        s(*job.scan),
        p(*static_cast<const Plan *>(job.plan)),
        z(s),
        x_columns(z.I),
        h_columns(z.P),
        units(z.H),
        rows{s},
        thread(thread),
        threads(job.lists * job.slices),
        slice(thread % job.slices),
        list(job.list[thread / job.slices]),
        chunk(p.chunks + thread / job.slices),
        carry(p.carry + (list.sequences - job.list[0].sequences) * h_columns.blocks * L),
        unit_share(units.groups, slice, job.slices),
        h_share(h_columns.groups, slice, job.slices),
        weights(job, p.weights, p.chunks, thread, memory) {
    const int64_t count = longest_list(job);
    const int64_t chunk_rows = count * most(1, p.steps);
    before = memory.take<const T *>(count);
    after = memory.take<const T *>(count);
    numbers = memory.take<int64_t>(count);
    numbers_before = memory.take<int64_t>(count);
    a_rows = memory.take<const T *>(chunk_rows);
    tiles = memory.take<T>(most(count, s.grad_x ? chunk_rows : 0) * ROW);
  }

  void run() {
    pack_weights();
    start();
    job.wait(job.team);
    int64_t running_now = 0;
    for (int64_t end = z.T; end > 0;) {
      const int64_t begin = most(0, end - p.steps);
      chunk_rows = 0;
      for (int64_t step = end - 1; step >= begin; step--) {
        running_now = running(list, step, running_now);
        if (running_now) one_step(step, running_now);
      }
      end = begin;
      if (slice == 0) chunk->rows = chunk_rows;
      weights.meet();
      if (s.grad_weight_hh) weights.add();
      if (s.grad_x) write_x();
      weights.meet();
    }
    finish();
  }

  void pack_weights() {
    for (int64_t group = thread; carries(s) && group < h_columns.groups; group += threads)
      pack_gradient_group(z, Cell::H, static_cast<const T *>(s.weight_hh), h_columns, group, p.h_panels);
    if (s.grad_x)
      for (int64_t group = thread; group < x_columns.groups; group += threads)
        pack_gradient_group(z, Cell::X, static_cast<const T *>(s.weight_ih), x_columns, group, p.x_panels);
    if (z.projects)
      for (int64_t group = thread; group < units.groups; group += threads)
        pack_columns(static_cast<const T *>(s.weight_hr), z.P, z.H, group * FOUR * L, units.vectors(group),
                     p.projection_panels + group * z.P * ROW);
  }

  // The carried gradients start as the gradients at the final state.
  void start() {
    for (int64_t i = 0; i < list.count; i++) {
      const int64_t b = list.sequences[i];
      each_block(h_share, h_columns, [&](int64_t u, int lanes) {
        store(carry_row(i) + u, s.grad_h ? load(static_cast<const T *>(s.grad_h) + b * z.P + u, lanes) : Vector<T>{});
      });
      if (Cell::HAS_C)
        each_block(unit_share, units, [&](int64_t u, int lanes) {
          store(static_cast<T *>(s.grad_c0) + b * z.H + u,
                s.grad_c ? load(static_cast<const T *>(s.grad_c) + b * z.H + u, lanes) : Vector<T>{}, lanes);
        });
    }
    if (!s.grad_x || !s.lengths || s.offsets) return;
    const Share share(list.count, slice, job.slices);
    for (int64_t i = share.begin; i < share.end; i++)
      for (int64_t t = list.lengths[i]; t < z.T; t++)
        memset(static_cast<T *>(s.grad_x) + rows.number(t, list.sequences[i]) * z.I, 0, size_t(z.I) * sizeof(T));
  }

  // Calls act(first unit, lanes) for every block in a thread's part of the column groups.
  template <class Act>
  static GATEWISE_INLINE void each_block(const Share &share, const Columns<T> &columns, Act act) {
    const int64_t end = least(columns.blocks, share.end * FOUR);
    for (int64_t block = share.begin * FOUR; block < end; block++)
      act(block * L, lanes_left(columns.size, block * L, L));
  }

  T *carry_row(int64_t i) const { return carry + i * h_columns.blocks * L; }

  void one_step(int64_t step, int64_t count) {
    locate(step, count);
    if (s.grad_weight_hh) keep_inputs(step, count);
    if (z.projects) {
      total_outputs(step, count);
      if (job.slices > 1) job.wait(local());
    }
    for (int64_t group = unit_share.begin; group < unit_share.end; group++) {
      if (z.projects) through_projection(group, count);
      int64_t i = 0;
      for (; i + 2 <= count; i += 2) differentiate<2>(step, group, i);
      if (i < count) differentiate<1>(step, group, i);
    }
    if (step == 0 && !s.grad_h0) return void(chunk_rows += count);
    if (job.slices > 1) job.wait(local());
    carry_back(step, count);
    chunk_rows += count;
  }

  void locate(int64_t step, int64_t count) {
    T *const output = static_cast<T *>(s.output);
    for (int64_t i = 0; i < count; i++) {
      const int64_t length = list.lengths[i], t = rows.time(step, length), b = list.sequences[i];
      numbers[i] = rows.number(t, b);
      if (slice == 0) chunk->numbers[chunk_rows + i] = numbers[i];
      after[i] = rows.at(output, s.out_t, s.out_b, t, b);
      if (step) {
        const int64_t earlier = rows.time(step - 1, length);
        numbers_before[i] = rows.number(earlier, b);
        before[i] = rows.at(output, s.out_t, s.out_b, earlier, b);
      } else {
        before[i] = static_cast<const T *>(s.h0) + b * z.P;
      }
    }
  }

  // The inputs of the sums, for this thread's part of the rows.
  void keep_inputs(int64_t step, int64_t count) const {
    const Share share(count, slice, job.slices);
    for (int64_t i = share.begin; i < share.end; i++) {
      const int64_t t = rows.time(step, list.lengths[i]);
      weights.keep(rows.at(static_cast<const T *>(s.x), s.x_t, s.x_b, t, list.sequences[i]), before[i], chunk_rows + i);
    }
  }

  GATEWISE_INLINE Vector<T> at_output(int64_t step, int64_t i, int64_t u, int lanes) const {
    Vector<T> dh = load(carry_row(i) + u, lanes);  // lanes beyond the last unit may hold 0 * infinity
    if (s.grad_output)
      dh += load(rows.at(static_cast<const T *>(s.grad_output), s.grad_t, s.grad_b, rows.time(step, list.lengths[i]),
                         list.sequences[i]) + u, lanes);
    return dh;
  }

  T *output_row(int64_t i) const { return chunk->outputs + (chunk_rows + i) * h_columns.blocks * L; }

  // With a projection: the complete gradient at h.
  void total_outputs(int64_t step, int64_t count) {
    for (int64_t i = 0; i < count; i++)
      each_block(h_share, h_columns,
                 [&](int64_t u, int lanes) { store(output_row(i) + u, at_output(step, i, u, lanes)); });
  }

  // Writes the gradient before the projection, for four blocks of units, to the tiles.
  void through_projection(int64_t group, int64_t count) {
    for (int64_t i = 0; i < count; i++) a_rows[i] = output_row(i);
    Tile<T> tile;
    tile.a = a_rows;
    tile.run = z.P;
    tile.b = p.projection_panels + group * z.P * ROW;
    tile.b_step = units.vectors(group) * L;
    tile.in = ZERO;
    tile.out = tiles;
    tile.out_row = ROW;
    multiply_add_rows(tile, count, units.vectors(group));
  }

  // The equations, for four blocks of units of N rows.
  template <int N>
  GATEWISE_INLINE void differentiate(int64_t step, int64_t group, int64_t i) {
    BackwardRow<T> at[N];
    for (int n = 0; n < N; n++) at[n] = row(step, group, i + n);
    for (int v = 0; v < units.vectors(group); v++) {
      const int64_t u = (group * FOUR + v) * L;
      const int lanes = lanes_left(z.H, u, L);
      const Pack<T, N> dh = pack<T, N>([&](int n) {
        return z.projects ? load(tiles + (i + n) * ROW + v * L) : at_output(step, i + n, u, lanes);
      });
      Cell::backward(dh, BackwardBlock<T, N>{at, u, lanes}, z.H);
      for (int n = 0; n < N; n++) {
        at[n].sums += chunk->capacity * L;
        if (at[n].projected) at[n].projected += chunk->capacity * L;
      }
    }
  }

  // The addresses of row i; sums and projected point to the first block of the group.
  GATEWISE_INLINE BackwardRow<T> row(int64_t step, int64_t group, int64_t i) const {
    const int64_t b = list.sequences[i], number = numbers[i], H = z.H;
    BackwardRow<T> at{};
    if (Cell::KEPT) at.gates = static_cast<const T *>(s.gates) + number * Cell::KEPT * H;
    if (Cell::KEPT && s.grad_gates) at.grad_gates = static_cast<const T *>(s.grad_gates) + number * Cell::KEPT * H;
    if (Cell::HAS_C) {
      const T *cells = static_cast<const T *>(s.cells);
      at.cells = cells + number * H;
      at.c_before = step ? cells + numbers_before[i] * H : static_cast<const T *>(s.c0) + b * H;
      at.grad_c = static_cast<T *>(s.grad_c0) + b * H;
      if (s.grad_cells) at.grad_cells = static_cast<const T *>(s.grad_cells) + number * H;
    }
    at.before = before[i];
    at.after = after[i];
    at.carry = carry_row(i);
    at.plane = z.blocks * chunk->capacity * L;
    const int64_t place = (group * FOUR * chunk->capacity + chunk_rows + i) * L;
    at.sums = chunk->sums + place;
    at.step_sums = step_sums(step, i);
    at.step_plane = z.blocks * L;
    if (z.projects && s.grad_weight_hh) at.projected = chunk->projected + place;
    return at;
  }

  // Whether the gradient at h before a step is needed; at the first step it is the gradient at h0.
  static bool carries(const gatewise_scan &s) { return s.T > 1 || s.grad_h0; }

  // The gradient at h before the step: the cell's own part plus d W_hh.
  void carry_back(int64_t step, int64_t count) {
    for (int64_t i = 0; i < count; i++) a_rows[i] = step_sums(step, i);
    for (int64_t group = h_share.begin; group < h_share.end; group++) {
      const int vectors = h_columns.vectors(group);
      const int64_t K = Cell::H.count * z.blocks * L, block = k_block<T>(vectors);
      Tile<T> tile;
      tile.a = a_rows;
      tile.b_step = vectors * L;
      tile.out = carry + group * ROW;
      tile.out_row = h_columns.blocks * L;
      for (int64_t k = 0; k < K; k += block) {
        const bool add = k || Cell::CARRIES_H;
        tile.run = least(block, K - k);
        tile.a_offset = Cell::H.first * z.blocks * L + k;
        tile.b = p.h_panels + (group * K * FOUR + k * vectors) * L;
        tile.in = add ? tile.out : ZERO;
        tile.in_row = add ? tile.out_row : 0;
        multiply_add_rows(tile, count, vectors);
      }
    }
  }

  // Stride between rows of a step's sums: an odd number of blocks, because rows one page apart compete for the same
  // cache sets.
  static int64_t step_row(const Sizes<Cell> &z) { return (Cell::PLANES * z.blocks | 1) * L; }

  // Alternates between two buffers, because another slice may still read the previous step.
  T *step_sums(int64_t step, int64_t i) const {
    const int64_t row = step % 2 * z.B + (list.sequences - job.list[0].sequences) + i;
    return p.step_sums + row * step_row(z);
  }

  // out = in + d W for one group of columns; a_rows point to the rows of the first plane of the sums.
  void multiply_sums(Part part, const T *panels, const Columns<T> &columns, int64_t group, int64_t count, const T *in,
                     T *out, int64_t out_row) const {
    const int vectors = columns.vectors(group);
    const int64_t runs = part.count * z.blocks, jump = chunk->capacity * L;
    const int64_t block = most(1, k_block<T>(vectors) / L);
    Tile<T> tile;
    tile.a = a_rows;
    tile.run = L;
    tile.jump = jump;
    tile.b_step = vectors * L;
    tile.out = out;
    tile.out_row = out_row;
    for (int64_t run = 0; run < runs; run += block) {
      tile.runs = least(block, runs - run);
      tile.a_offset = (part.first * z.blocks + run) * jump;
      tile.b = panels + (group * runs * FOUR + run * vectors) * L * L;
      tile.in = run ? out : in ? in : ZERO;
      tile.in_row = run || in ? out_row : 0;
      multiply_add_rows(tile, count, vectors);
    }
  }

  // The gradient at x, d W_ih, for this thread's part of the rows of the list.
  void write_x() {
    const Share share(chunk_rows, slice, job.slices);
    const int64_t count = share.end - share.begin;
    for (int64_t i = 0; i < count; i++) a_rows[i] = chunk->sums + (share.begin + i) * L;
    for (int64_t group = 0; group < x_columns.groups; group++) {
      multiply_sums(Cell::X, p.x_panels, x_columns, group, count, nullptr, tiles, ROW);
      for (int64_t i = 0; i < count; i++)
        for (int v = 0; v < x_columns.vectors(group); v++) {
          const int64_t u = (group * FOUR + v) * L;
          store(static_cast<T *>(s.grad_x) + chunk->numbers[share.begin + i] * z.I + u, load(tiles + i * ROW + v * L),
                lanes_left(z.I, u, L));
        }
    }
  }

  void finish() {
    for (int64_t i = 0; s.grad_h0 && i < list.count; i++)
      each_block(h_share, h_columns, [&](int64_t u, int lanes) {
        store(static_cast<T *>(s.grad_h0) + list.sequences[i] * z.P + u, load(carry_row(i) + u), lanes);
      });
    if (s.grad_weight_hh) weights.finish();
  }

  Barrier *local() const { return job.local[thread / job.slices]; }

  static constexpr T ZERO[ROW] = {};

  const Job &job;
  const gatewise_scan &s;
  const Plan &p;
  const Sizes<Cell> z;
  const Columns<T> x_columns, h_columns, units;
  const Rows rows;
  const int thread, threads, slice;
  const List &list;
  Chunk<T> *const chunk;
  T *const carry;
  const Share unit_share, h_share;
  WeightGradients<Cell> weights;
  int64_t chunk_rows = 0;

  const T **before, **after, **a_rows;
  int64_t *numbers, *numbers_before;
  T *tiles;
};

}  // namespace GATEWISE_INSTRUCTIONS

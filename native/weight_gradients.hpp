// Gradients of the weights: for each weighted sum, the sum over all rows of its inputs times its gradient.
//
// Rows come in chunks that fit in the second-level cache. Each list of sequences adds up its own rows, so that threads
// neither wait for nor read from each other until all lists are added at the end. For large weights and few rows that
// costs more than it saves: all threads then add up all rows together, each for a part of the weights.
// In both cases the order of summation is fixed.

#pragma once

#include "scan.hpp"

namespace GATEWISE_INSTRUCTIONS {

// The data of a chunk in one list.
template <class T>
struct Chunk {
  int64_t capacity;  // maximum number of rows
  int64_t rows;      // number of rows
  T *sums;           // gradients of weighted sums: [plane][block][row][lane]
  T *inputs[2];      // their inputs, x | 1 and h before: [tile of columns][row][column]
  T *outputs;        // with a projection, gradients at h: [row][P in whole blocks]
  T *projected;      // with a projection, its input: [block][row][lane]
  int64_t *numbers;  // row numbers
};

template <class T>
struct WeightsPlan {
  T *x, *h, *projection;  // sums: [list][group][column][vector][lane]
  int64_t x_size, h_size, projection_size;  // of one list
};

template <class Cell>
class WeightGradients {
 public:
  using T = typename Cell::Number;
  using Plan = WeightsPlan<T>;
  static constexpr int L = LANES<T>;
  static constexpr int64_t ROW = Sizes<Cell>::ROW;

  static void plan(const Job &job, Memory &memory, Plan &p) {
    const Sizes<Cell> z(*job.scan);
    const int lists = job.together ? 1 : job.lists;
    p.x_size = z.groups * x_part(z).columns * ROW;
    p.h_size = z.groups * h_part(z).columns * ROW;
    p.projection_size = z.projects ? over(z.blocks, FOUR) * z.P * ROW : 0;
    p.x = memory.take<T>(lists * p.x_size);
    p.h = memory.take<T>(lists * p.h_size);
    p.projection = memory.take<T>(lists * p.projection_size);
  }

  static void plan_inputs(const Sizes<Cell> &z, Memory &memory, Chunk<T> &chunk) {
    chunk.inputs[0] = memory.take<T>(chunk.capacity * x_part(z).columns);
    chunk.inputs[1] = memory.take<T>(chunk.capacity * h_part(z).columns);
  }

  WeightGradients(const Job &job, const Plan &p, Chunk<T> *chunks, int thread, Memory &memory)
      : job(job),
        s(*job.scan),
        p(p),
        z(s),
        units(z.H),
        chunks(chunks),
        thread(thread),
        threads(job.lists * job.slices),
        own(thread / job.slices),
        slice(thread % job.slices) {
    inputs = memory.take<T>(s.grad_weight_hh ? z.I + 1 + z.P : 0);
  }

  // Called before a chunk is read, and before it is overwritten.
  void meet() const {
    if (s.grad_weight_hh && job.together)
      job.wait(job.team);
    else if (job.slices > 1)
      job.wait(job.local[own]);
  }

  // Stores x, 1 and h before the step as row `number` of the chunk.
  void keep(const T *x, const T *h, int64_t number) const {
    copy(x, z.I, inputs);
    inputs[z.I] = T(1);
    copy(h, z.P, inputs + z.I + 1);
    deal_out(x_part(z), chunks[own].inputs[0], number);
    deal_out(h_part(z), chunks[own].inputs[1], number);
  }

  // Adds the chunk to the sums.
  void add() {
    const int first = job.together ? 0 : own, last = job.together ? job.lists : own + 1;
    for (int q = first; q < last; q++) {
      if (!chunks[q].rows) continue;
      add_product(x_part(z), chunks[q], chunks[q].inputs[0], p.x + offset(p.x_size));
      add_product(h_part(z), chunks[q], chunks[q].inputs[1], p.h + offset(p.h_size));
      if (z.projects) add_projection(chunks[q], p.projection + offset(p.projection_size));
      begun = true;
    }
  }

  // After the last chunk: writes the gradients, each thread a part of them.
  void finish() const {
    if (!begun) {
      clear(p.x + offset(p.x_size), p.x_size);
      clear(p.h + offset(p.h_size), p.h_size);
      clear(p.projection + offset(p.projection_size), p.projection_size);
    }
    job.wait(job.team);
    const Share share(z.groups, thread, threads);
    for (int64_t group = share.begin; group < share.end; group++) {
      const T *x = total(p.x, p.x_size, group * x_part(z).columns * ROW, x_part(z).columns * ROW);
      const T *h = total(p.h, p.h_size, group * h_part(z).columns * ROW, h_part(z).columns * ROW);
      write(x_part(z), x, group, z.I, static_cast<T *>(s.grad_weight_ih));
      write(h_part(z), h + Cell::CARRIES_H * ROW, group, z.P, static_cast<T *>(s.grad_weight_hh));
      write_bias(x_part(z), x + z.I * ROW, group, static_cast<T *>(s.grad_bias_ih));
      if (Cell::CARRIES_H)
        write_bias(h_part(z), h, group, static_cast<T *>(s.grad_bias_hh));
      else
        write_bias(x_part(z), x + z.I * ROW, group, static_cast<T *>(s.grad_bias_hh));
    }
    if (z.projects) write_projection();
  }

 private:
  // The planes of the sums for each column of the inputs. The b_hh of a GRU has its own gradients.
  struct Product {
    Part part;
    int64_t first, columns;
  };
  static Product x_part(const Sizes<Cell> &z) { return {Cell::X, 0, z.I + 1}; }
  static Product h_part(const Sizes<Cell> &z) { return {Cell::H, z.I + !Cell::CARRIES_H, z.P + Cell::CARRIES_H}; }
  static constexpr int most_vectors(Part part) { return Cell::BLOCKS == 1 ? part.count : FOUR; }

  int64_t offset(int64_t size) const { return job.together ? 0 : own * size; }
  int worker() const { return job.together ? thread : slice; }
  int workers() const { return job.together ? threads : job.slices; }

  static GATEWISE_INLINE void copy(const T *from, int64_t count, T *to) {
    for (int64_t k = 0; k < count; k += L) store(to + k, load(from + k, lanes_left(count, k, L)), lanes_left(count, k, L));
  }

  // Copies a row of inputs to the tiles of columns that read it.
  void deal_out(const Product &product, T *to, int64_t number) const {
    const Tiles tiles(product.columns, most_vectors(product.part));
    const T *from = inputs + product.first;
    for (int64_t tile = 0; tile < tiles.count; tile++) {
      const int width = tiles.rows(tile);
      copy(from, width, to + number * width);
      from += width;
      to += chunks[own].capacity * width;
    }
  }

  // This thread's part of the tiles.
  void add_product(const Product &product, const Chunk<T> &chunk, const T *of_chunk, T *weights) const {
    const int64_t of_group = Tiles(product.columns, most_vectors(product.part)).count;
    const Share share(z.groups * of_group, worker(), workers());
    for (int64_t task = share.begin; task < share.end;) {
      const int64_t group = task / of_group, first = task % of_group;
      const int64_t last = least(of_group, first + share.end - task);
      add_group(product, chunk, of_chunk, weights, group, first, last);
      task += last - first;
    }
  }

  void add_group(const Product &product, const Chunk<T> &chunk, const T *of_chunk, T *weights, int64_t group,
                 int64_t first, int64_t last) const {
    const int vectors = z.vectors(product.part, group);
    const Tiles tiles(product.columns, most_vectors(product.part));
    const int64_t first_block = Cell::BLOCKS == 1 ? product.part.first * z.blocks + group : group * Cell::BLOCKS;
    const T *sums = chunk.sums + first_block * chunk.capacity * L;
    const int64_t vector = (Cell::BLOCKS == 1 ? z.blocks : 1) * chunk.capacity * L;
    for (int64_t row = 0; row < chunk.rows; row += k_block<T>(FOUR))
      for (int64_t tile = first; tile < last; tile++) {
        const int64_t column = tiles.first(tile), width = tiles.rows(tile);
        outer_product(of_chunk + column * chunk.capacity + row * width, width, sums + row * L, vector,
                      least(k_block<T>(FOUR), chunk.rows - row), weights + (group * product.columns + column) * ROW,
                      int(width), vectors, begun || row);
      }
  }

  void add_projection(const Chunk<T> &chunk, T *weights) const {
    const Tiles tiles(z.P, FOUR);
    const Share share(units.groups * tiles.count, worker(), workers());
    for (int64_t task = share.begin; task < share.end; task++) {
      const int64_t group = task / tiles.count, column = tiles.first(task % tiles.count);
      outer_product(chunk.outputs + column, over(z.P, L) * L, chunk.projected + group * FOUR * chunk.capacity * L,
                    chunk.capacity * L, chunk.rows, weights + (group * z.P + column) * ROW,
                    tiles.rows(task % tiles.count), units.vectors(group), begun);
    }
  }

  // The sum over rows of numbers times vectors (an outer product), written to a tile or added to it.
  static void outer_product(const T *numbers, int64_t step, const T *vectors, int64_t vector, int64_t count, T *out,
                            int tile_rows, int tile_vectors, bool add) {
    const T *a[8];
    for (int r = 0; r < tile_rows; r++) a[r] = numbers + r;
    Tile<T> tile;
    tile.a = a;
    tile.a_step = step;
    tile.run = count;
    tile.b = vectors;
    tile.b_step = L;
    tile.b_vector = vector;
    tile.out = out;
    tile.out_row = ROW;
    tile.in = add ? out : ZERO;
    tile.in_row = add ? ROW : 0;
    multiply_add_for<T>(tile_vectors, tile_rows)(tile);
  }

  void clear(T *numbers, int64_t count) const {
    const Share share(count, worker(), workers());
    memset(numbers + share.begin, 0, size_t(share.end - share.begin) * sizeof(T));
  }

  // Adds a part of the sums of all lists to that of the first list.
  const T *total(T *sums, int64_t size, int64_t at, int64_t count) const {
    if (!job.together)
      for (int q = 1; q < job.lists; q++)
        for (int64_t k = at; k < at + count; k += L) store(sums + k, load(sums + k) + load(sums + q * size + k));
    return sums + at;
  }

  void write(const Product &product, const T *sums, int64_t group, int64_t count, T *weight) const {
    for (int v = 0; v < z.vectors(product.part, group); v++)
      unpack_rows(sums + v * L, ROW, count, z.lanes(group, product.part.first + v),
                  weight + z.weight_row(group, product.part.first + v) * count);
  }

  void write_bias(const Product &product, const T *sums, int64_t group, T *bias) const {
    if (!bias) return;
    for (int v = 0; v < z.vectors(product.part, group); v++)
      store(bias + z.weight_row(group, product.part.first + v), load(sums + v * L),
            z.lanes(group, product.part.first + v));
  }

  void write_projection() const {
    const Share share(units.groups, thread, threads);
    for (int64_t group = share.begin; group < share.end; group++) {
      const T *sums = total(p.projection, p.projection_size, group * z.P * ROW, z.P * ROW);
      for (int64_t row = 0; row < z.P; row++)
        for (int v = 0; v < units.vectors(group); v++) {
          const int64_t u = (group * FOUR + v) * L;
          store(static_cast<T *>(s.grad_weight_hr) + row * z.H + u, load(sums + row * ROW + v * L),
                lanes_left(z.H, u, L));
        }
    }
  }

  static constexpr T ZERO[ROW] = {};

  const Job &job;
  const gatewise_scan &s;
  const Plan &p;
  const Sizes<Cell> z;
  const Columns<T> units;
  Chunk<T> *const chunks;
  const int thread, threads, own, slice;
  bool begun = false;  // whether the sums hold values
  T *inputs;           // of one row: x | 1 | h before the step
};

}  // namespace GATEWISE_INSTRUCTIONS

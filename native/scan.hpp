// Shared by forward and backward: sizes in blocks and groups, addresses of rows, memory layout.
//
// A block is one vector of units. A group is the result of one tile of the forward product: four sums of one block
// (LSTM, GRU), or one sum of each of four blocks (RNN). Columns of other products are tiled by up to four blocks too.

#pragma once

#include "cell.hpp"
#include "job.hpp"
#include "pack.hpp"
#include "tile.hpp"

namespace GATEWISE_INSTRUCTIONS {

GATEWISE_INLINE int64_t over(int64_t a, int64_t b) { return (a + b - 1) / b; }
GATEWISE_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
GATEWISE_INLINE int64_t most(int64_t a, int64_t b) { return a < b ? b : a; }

// The part of `count` items that one of `workers` handles.
struct Share {
  int64_t begin, end;
  Share(int64_t count, int64_t worker, int64_t workers)
      : begin(count * worker / workers), end(count * (worker + 1) / workers) {}
};

constexpr int FOUR = 4;  // vectors side by side in a tile

// Columns of a product, in tiles of up to four blocks.
template <class T>
struct Columns {
  int64_t size, blocks, groups;
  explicit Columns(int64_t size) : size(size), blocks(over(size, LANES<T>)), groups(over(blocks, FOUR)) {}
  int vectors(int64_t group) const { return int(least(FOUR, blocks - group * FOUR)); }
};

template <class Cell>
struct Sizes {
  using Number = typename Cell::Number;
  static constexpr int L = LANES<Number>;
  static constexpr int64_t ROW = FOUR * L;  // elements of a row of a tile
  int64_t T, B, I, H, P, blocks, groups;
  bool projects;
  explicit Sizes(const gatewise_scan &s)
      : T(s.T),
        B(s.B),
        I(s.I),
        H(s.H),
        P(s.P),
        blocks(over(s.H, L)),
        groups(over(blocks, Cell::BLOCKS)),
        projects(s.weight_hr != nullptr) {}
  int blocks_of(int64_t group) const { return int(least(Cell::BLOCKS, blocks - group * Cell::BLOCKS)); }
  // The vectors of a group in a part of the sums: its gates, or the blocks of an RNN.
  int vectors(Part part, int64_t group) const { return Cell::BLOCKS == 1 ? part.count : blocks_of(group); }
  // Whether a part of the sums contains vector v.
  static constexpr bool takes(Part part, int v) {
    return Cell::BLOCKS > 1 || (part.first <= v && v < part.first + part.count);
  }
  // The first row of the weights for vector v of a group.
  int64_t weight_row(int64_t group, int v) const {
    return Cell::BLOCKS == 1 ? Cell::GATE[v] * H + group * L : (group * Cell::BLOCKS + v) * L;
  }
  int lanes(int64_t group, int v) const {
    return lanes_left(H, (Cell::BLOCKS == 1 ? group : group * Cell::BLOCKS + v) * L, L);
  }
};

// The row of sequence b at a step of that sequence. In reverse, step 0 is the last.
struct Rows {
  const gatewise_scan &s;
  int64_t time(int64_t step, int64_t length) const { return s.reverse ? length - 1 - step : step; }
  int64_t number(int64_t t, int64_t b) const { return s.offsets ? s.offsets[t] + b : t * s.B + b; }
  template <class T>
  T *at(T *tensor, int64_t t_stride, int64_t b_stride, int64_t t, int64_t b) const {
    if (!tensor) return nullptr;  // a tensor without features may have no memory
    return tensor + (s.offsets ? (s.offsets[t] + b) * b_stride : t * t_stride + b * b_stride);
  }
};

// The number of sequences of a list that run at a step, computed from the number at the step before or after.
GATEWISE_INLINE int64_t running(const List &list, int64_t step, int64_t near) {
  while (near > 0 && list.lengths[near - 1] <= step) near--;
  while (near < list.count && list.lengths[near] > step) near++;
  return near;
}

GATEWISE_INLINE int64_t longest_list(const Job &job) {
  int64_t longest = 0;
  for (int q = 0; q < job.lists; q++) longest = most(longest, job.list[q].count);
  return longest;
}

// Allocates pieces of memory, each on its own cache line; starting from null, it only counts bytes.
class Memory {
 public:
  explicit Memory(char *start) : start(reinterpret_cast<uintptr_t>(start)) {}
  template <class T>
  T *take(int64_t count) {
    T *piece = reinterpret_cast<T *>(start + taken);
    taken += (size_t(count) * sizeof(T) + 63) / 64 * 64;
    return piece;
  }
  uintptr_t start;
  size_t taken = 0;
};

// Panels for `x W^T`: one for each group, [k][vector][lane].
template <class Cell, class T = typename Cell::Number>
void pack_group(const Sizes<Cell> &z, Part part, const T *weight, int64_t K, int64_t group, T *panels) {
  const int vectors = z.vectors(part, group);
  T *panel = panels + group * K * FOUR * LANES<T>;
  for (int v = 0; v < vectors; v++)
    pack_rows(weight + z.weight_row(group, part.first + v) * K, K, z.lanes(group, part.first + v),
              panel + v * LANES<T>, vectors * LANES<T>);
}

// Panels for `d W`, where d are gradients of sums in planes of blocks: one panel for each four blocks of columns.
template <class Cell, class T = typename Cell::Number>
void pack_gradient_group(const Sizes<Cell> &z, Part part, const T *weight, const Columns<T> &columns, int64_t group,
                         T *panels) {
  constexpr int L = LANES<T>;
  const int vectors = columns.vectors(group);
  T *out = panels + group * part.count * z.blocks * L * FOUR * L;
  for (int plane = part.first; plane < part.first + part.count; plane++)
    for (int64_t block = 0; block < z.blocks; block++) {
      const int rows = lanes_left(z.H, block * L, L);
      const int64_t row = Cell::GATE[plane] * z.H + block * L;
      pack_columns(weight + row * columns.size, rows, columns.size, group * FOUR * L, vectors, out);
      memset(out + rows * vectors * L, 0, size_t(L - rows) * vectors * L * sizeof(T));
      out += L * vectors * L;
    }
}

}  // namespace GATEWISE_INSTRUCTIONS

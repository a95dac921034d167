// The interface between a cell and the scan: the cell's constants, and the addresses that the scan passes to it.
//
// A cell works on blocks of units, one vector wide. Its weighted sums, four vectors to a group of blocks, lie side by
// side: the four of one block (LSTM, GRU), or one each of four blocks (RNN). Each cell has
//
//   KEPT           planes of activations kept for the backward pass
//   PLANES         gradients of weighted sums for each unit
//   BLOCKS         blocks of units to a group
//   HAS_C          whether there is a c; whether h' has a part of h outside the product (CARRIES_H)
//   X, H           which of the sums (and planes) the products with x and with h go into
//   GATE           for each sum the gate whose rows of the weights go into it
//   forward, backward    the equations, for one block of one row

#pragma once

#include "simd.hpp"

namespace GATEWISE_INSTRUCTIONS {

struct Part {
  int first, count;
};

// One row, forward. Addresses are those of unit 0.
template <class T>
struct ForwardRow {
  const T *sums;    // of the block at hand
  const T *before;  // h before the step
  T *after;         // h after it (with a projection: before that)
  T *c;             // c, before and after
  T *gates;         // (KEPT, H) kept, or null
  T *cells;         // c kept, or null
};

// One row, backward. Addresses are those of unit 0, except the last three.
template <class T>
struct BackwardRow {
  const T *gates, *cells, *c_before, *before, *after;  // as kept; c and h before the step; h after it
  const T *grad_gates, *grad_cells;                    // or null
  T *grad_c;                                           // gradient at c: after the step, then before it
  T *carry;                                            // gradient at h before the step, without the product
  T *sums;                                             // gradients of the block's sums, out
  int64_t plane;                                       // elements from plane to plane of them
  T *step_sums;                                        // the same once more, [plane][unit]
  int64_t step_plane;                                  // elements from plane to plane of those
  T *projected;                                        // the block of o tanh(c), out, or null
};

// A block of units of N rows, as the equations use it. The memory that a field of a row points to is read and written
// at these units, `offset` elements further; lanes beyond the last unit are zero, and never written.
template <class Row, class T, int N>
struct Block {
  const Row (&rows)[N];
  int64_t u;
  int lanes;

  template <class Field>
  GATEWISE_INLINE Pack<T, N> read(Field field, int64_t offset = 0) const {
    return pack<T, N>([&](int n) { return load<T>(rows[n].*field + offset + u, lanes); });
  }
  GATEWISE_INLINE void write(T *Row::*field, const Pack<T, N> &value, int64_t offset = 0) const {
    for (int n = 0; n < N; n++) store<T>(rows[n].*field + offset + u, value.v[n], lanes);
  }
  // Forward: weighted sum number v.
  GATEWISE_INLINE Pack<T, N> sum(int v) const {
    return pack<T, N>([&](int n) { return load<T>(rows[n].sums + v * LANES<T>); });
  }
  // Backward: its gradient.
  GATEWISE_INLINE void write_sum(int v, const Pack<T, N> &value) const {
    for (int n = 0; n < N; n++) {
      store<T>(rows[n].sums + v * rows[n].plane, value.v[n]);
      store<T>(rows[n].step_sums + v * rows[n].step_plane + u, value.v[n]);
    }
  }
};

template <class T, int N>
using ForwardBlock = Block<ForwardRow<T>, T, N>;
template <class T, int N>
using BackwardBlock = Block<BackwardRow<T>, T, N>;

}  // namespace GATEWISE_INSTRUCTIONS

// The interface between a cell and the scan: the cell's constants, and the addresses that the scan passes to it.
//
// A cell works on blocks of units; a block is one vector wide. The four vectors of weighted sums of a group are
// adjacent: four sums of one block (LSTM, GRU), or one sum of each of four blocks (RNN). Each cell has
//
//   KEPT           planes of activations saved for the backward pass
//   PLANES         gradients of weighted sums for each unit
//   BLOCKS         blocks of units in a group
//   HAS_C          whether the cell has a c (CARRIES_H: whether h' contains h outside the product)
//   X, H           the sums (and planes) that the products with x and with h contribute to
//   GATE           the gate whose rows of the weights each sum uses
//   forward, backward    the equations, for one block of one row

#pragma once

#include "simd.hpp"

namespace GATEWISE_INSTRUCTIONS {

struct Part {
  int first, count;
};

// One row, forward. Pointers point to unit 0.
template <class T>
struct ForwardRow {
  const T *sums;    // of the current block
  const T *before;  // h before the step
  T *after;         // h after the step (with a projection: before it is projected)
  T *c;             // c before the step, replaced by c after it
  T *gates;         // (KEPT, H), saved for backward, or null
  T *cells;         // c, saved for backward, or null
};

// One row, backward. Pointers point to unit 0, except the last three.
template <class T>
struct BackwardRow {
  const T *gates, *cells, *c_before, *before, *after;  // as saved by forward; c and h before the step; h after it
  const T *grad_gates, *grad_cells;                    // or null
  T *grad_c;                                           // gradient at c: after the step, then before it
  T *carry;                                            // gradient at h before the step, without d W_hh
  T *sums;                                             // output: gradients of the block's sums
  int64_t plane;                                       // stride between the planes of `sums`, in elements
  T *step_sums;                                        // output: a copy of `sums`, [plane][unit]
  int64_t step_plane;                                  // stride between the planes of `step_sums`
  T *projected;                                        // output: the block of o tanh(c), or null
};

// One block of units in N rows, as the equations use it. The fields of a row are read and written `offset` elements
// after the address that they hold; lanes beyond the last unit are read as zero and never written.
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

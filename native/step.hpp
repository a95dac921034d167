// One step of a few sequences on unpacked weights: packing them would take longer than the step.
//
// Weights are read row by row. The vectors of products are summed at the end of the rows, for LANES rows at once.

#pragma once

#include "scan.hpp"

namespace GATEWISE_INSTRUCTIONS {

// One vector of the sums of LANES vectors.
template <class T>
GATEWISE_INLINE Vector<T> add_up(Vector<T> (&parts)[LANES<T>]) {
#pragma GCC unroll 8
  for (int half = LANES<T> / 2; half > 0; half /= 2)
#pragma GCC unroll 8
    for (int i = 0; i < half; i++) {
      Vector<T> low, high;
      interleave<T>(parts[i], parts[i + half], low, high);
      parts[i] = low + high;
    }
  return parts[0];
}

// parts[l] += products of row l of the weights with x; rows beyond `lanes` repeat the last row.
template <class T>
GATEWISE_INLINE void multiply_rows(const T *weight, int64_t K, int lanes, const T *x, Vector<T> (&parts)[LANES<T>]) {
  constexpr int L = LANES<T>;
  const T *rows[L];
#pragma GCC unroll 16
  for (int l = 0; l < L; l++) rows[l] = weight + (l < lanes ? l : lanes - 1) * K;
  int64_t k = 0;
  for (; k + L <= K; k += L) {
    const Vector<T> some = load(x + k);
#pragma GCC unroll 16
    for (int l = 0; l < L; l++) parts[l] += load(rows[l] + k) * some;
  }
  if (k == K) return;
  const int left = int(K - k);
  const Vector<T> some = load(x + k, left);
#pragma GCC unroll 16
  for (int l = 0; l < L; l++) parts[l] += load(rows[l] + k, left) * some;
}

template <class Cell>
class Step {
 public:
  using T = typename Cell::Number;
  static constexpr int L = LANES<T>;

  // New h of each sequence, padded to whole blocks of units (with a projection: its input).
  static size_t memory(const gatewise_scan &s) { return size_t(s.B * over(s.H, L) * L) * sizeof(T); }

  // Computes this thread's part of the units into fresh; c is updated in place.
  static void run(const gatewise_scan &s, T *fresh, int thread, int threads) {
    FlushDenormals flush;
    const Sizes<Cell> z(s);
    const Share share(z.blocks, thread, threads);
    for (int64_t block = share.begin; block < share.end; block++)
      for (int64_t b = 0; b < s.B; b++) one_block(s, z, block, b, fresh + b * z.blocks * L);
  }

  // After all threads are done: writes h, and the output if it is another tensor.
  static void finish(const gatewise_scan &s, const T *fresh) {
    const Sizes<Cell> z(s);
    for (int64_t b = 0; b < s.B; b++) {
      T *h = static_cast<T *>(s.h) + b * s.P;
      if (z.projects)
        project(s, fresh + b * z.blocks * L, h);
      else
        memcpy(h, fresh + b * z.blocks * L, size_t(s.P) * sizeof(T));
      if (s.output) memcpy(static_cast<T *>(s.output) + b * s.out_b, h, size_t(s.P) * sizeof(T));
    }
  }

 private:
  static void one_block(const gatewise_scan &s, const Sizes<Cell> &z, int64_t block, int64_t b, T *fresh) {
    const T *x = s.x ? static_cast<const T *>(s.x) + b * s.x_b : nullptr;  // without features, x may have no memory
    const T *h = static_cast<const T *>(s.h0) + b * s.P;
    const int64_t u = block * L;
    const int lanes = lanes_left(z.H, u, L);
    alignas(64) T sums[FOUR * L];
    constexpr int count = Cell::BLOCKS == 1 ? FOUR : 1;
    for (int v = 0; v < count; v++) {
      const bool of_x = z.takes(Cell::X, v), of_h = z.takes(Cell::H, v);
      const int64_t row = Cell::GATE[v] * z.H + u;
      Vector<T> parts[L] = {};
      if (of_x && z.I) multiply_rows(static_cast<const T *>(s.weight_ih) + row * z.I, z.I, lanes, x, parts);
      if (of_h) multiply_rows(static_cast<const T *>(s.weight_hh) + row * z.P, z.P, lanes, h, parts);
      Vector<T> sum = add_up<T>(parts);
      if (s.bias_ih && of_x) sum += load(static_cast<const T *>(s.bias_ih) + row, lanes);
      if (s.bias_hh && of_h) sum += load(static_cast<const T *>(s.bias_hh) + row, lanes);
      store(sums + v * L, sum);
    }
    T *c = Cell::HAS_C ? static_cast<T *>(s.c) + b * z.H : nullptr;
    if (Cell::HAS_C && s.c != s.c0) store(c + u, load(static_cast<const T *>(s.c0) + b * z.H + u, lanes), lanes);
    const ForwardRow<T> row[1] = {{sums, h, fresh, c, nullptr, nullptr}};
    Cell::forward(ForwardBlock<T, 1>{row, u, lanes}, z.H);
  }

  static void project(const gatewise_scan &s, const T *inner, T *h) {
    for (int64_t u = 0; u < s.P; u += L) {
      const int lanes = lanes_left(s.P, u, L);
      Vector<T> parts[L] = {};
      multiply_rows(static_cast<const T *>(s.weight_hr) + u * s.H, s.H, lanes, inner, parts);
      store(h + u, add_up<T>(parts), lanes);
    }
  }
};

}  // namespace GATEWISE_INSTRUCTIONS

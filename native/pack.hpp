// Packs weights into panels, which the product reads vector by vector, and unpacks gradients of weights from panels.

#pragma once

#include "simd.hpp"

namespace GATEWISE_INSTRUCTIONS {

GATEWISE_INLINE int lanes_left(int64_t size, int64_t first, int lanes) {
  const int64_t left = size - first;
  return int(left <= 0 ? 0 : left < lanes ? left : lanes);
}

// out[k][lane] = weight[lane][k] for the K numbers of each of `lanes` rows; further lanes are zero.
template <class T>
void pack_rows(const T *weight, int64_t K, int lanes, T *out, int64_t out_step) {
  constexpr int L = LANES<T>;
  for (int64_t k = 0; k < K; k += L) {
    const int some = lanes_left(K, k, L);
    Vector<T> block[L];
    for (int l = 0; l < L; l++) block[l] = l < lanes ? load(weight + l * K + k, some) : Vector<T>{};
    transpose<T>(block);
    for (int l = 0; l < some; l++) store(out + (k + l) * out_step, block[l]);
  }
}

// The inverse: weight[lane][k] = in[k][lane].
template <class T>
void unpack_rows(const T *in, int64_t in_step, int64_t K, int lanes, T *weight) {
  constexpr int L = LANES<T>;
  for (int64_t k = 0; k < K; k += L) {
    const int some = lanes_left(K, k, L);
    Vector<T> block[L];
    for (int l = 0; l < L; l++) block[l] = l < some ? load(in + (k + l) * in_step) : Vector<T>{};
    transpose<T>(block);
    for (int l = 0; l < lanes; l++) store(weight + l * K + k, block[l], some);
  }
}

// out[k][c][lane] = weight[k][first + c * L + lane], for `rows` rows of `columns` numbers; zero in further columns.
template <class T>
void pack_columns(const T *weight, int64_t rows, int64_t columns, int64_t first, int vectors, T *out) {
  constexpr int L = LANES<T>;
  for (int64_t k = 0; k < rows; k++)
    for (int c = 0; c < vectors; c++)
      store(out + (k * vectors + c) * L,
            load(weight + k * columns + first + c * L, lanes_left(columns, first + c * L, L)));
}

}  // namespace GATEWISE_INSTRUCTIONS

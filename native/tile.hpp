// The product that all computations use: a tile of a few rows by a few vectors, held in registers.
//
//   out[r][c] = in[r][c] + sum over k of a(r, k) * b(k, c)
//
// a(r, k) is one number, broadcast to all lanes; b(k, c) is a vector. Terms are added in the order of k for any tile,
// so that the result of a row does not depend on other rows.

#pragma once

#include "simd.hpp"

namespace GATEWISE_INSTRUCTIONS {

template <class T>
struct Tile {
  const T *const *a = nullptr;  // one pointer for each row
  int64_t a_offset = 0;         // elements from there to k = 0
  int64_t a_step = 1;           // elements from k to k + 1, within a run
  int64_t runs = 1, run = 0;    // the indices k form `runs` runs of `run` indices
  int64_t jump = 0;             // elements from the start of one run to that of the next
  const T *b = nullptr;
  int64_t b_step = 0, b_vector = LANES<T>;  // elements from k to k + 1, from vector c to c + 1
  const T *in = nullptr;
  int64_t in_row = 0;  // elements from row to row; 0 for the same start in every row. Vectors are adjacent
  T *out = nullptr;
  int64_t out_row = 0;
  const T *next = nullptr;  // memory that is read after b, prefetched from the outer caches:
  int64_t next_step = 0;    // next_step elements more for each k

  // Of the `tiles` tiles that read this b, tile number `tile` prefetches its part of the memory after b.
  void fetch_behind(int vectors, int64_t tile, int64_t tiles) {
    const int64_t k_count = runs * run, size = k_count * vectors * LANES<T>;
    next_step = (vectors * LANES<T> + tiles - 1) / tiles;
    if (next_step > LANES<T>) next_step = LANES<T>;  // one cache line at a time
    next = b + size + tile * k_count * next_step;
  }
};

// Registers hold the tile, the vectors of b and one broadcast.
constexpr int most_rows(int vectors) {
  int rows = (REGISTERS - vectors - 1) / vectors;
  if (REGISTERS == 16 && vectors == 4) rows = 3;  // b comes from memory
  return rows > 8 ? 8 : rows;
}

template <class T, int R, int C>
void multiply_add(const Tile<T> &tile) {
  constexpr int L = LANES<T>;
  Vector<T> sum[R][C];
  const T *a[R];
  const T *in = tile.in;
  T *out = tile.out;  // local copies, because the compiler assumes that storing a sum may change the tile
  const int64_t in_row = tile.in_row, out_row = tile.out_row;
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
    a[r] = tile.a[r] + tile.a_offset;
#pragma GCC unroll 4
    for (int c = 0; c < C; c++) sum[r][c] = load(in + r * in_row + c * L);
  }
  const T *b = tile.b;
  const int64_t a_step = tile.a_step, b_step = tile.b_step, b_vector = tile.b_vector;
  const int64_t jump = tile.jump - tile.run * a_step;
  const T *next = tile.next ? tile.next : b;
  const int64_t next_step = tile.next_step;
  int64_t at = 0;
  for (int64_t runs = tile.run ? tile.runs : 0; runs > 0; runs--, at += jump) {
    int64_t k = tile.run;
    do {
      Vector<T> vectors[C];
#pragma GCC unroll 4
      for (int c = 0; c < C; c++) vectors[c] = load(b + c * b_vector);
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        Vector<T> number = broadcast(a[r][at]);
#pragma GCC unroll 4
        for (int c = 0; c < C; c++) sum[r][c] += number * vectors[c];
      }
      at += a_step;
      b += b_step;
      __builtin_prefetch(next, 0, 2);
      next += next_step;
    } while (--k > 0);
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int c = 0; c < C; c++) store(out + r * out_row + c * L, sum[r][c]);
}

template <class T>
using MultiplyAdd = void (*)(const Tile<T> &);

template <class T, int C, int R>
constexpr MultiplyAdd<T> multiply_add_or_none() {
  if constexpr (R <= most_rows(C))
    return multiply_add<T, R, C>;
  else
    return nullptr;
}

template <class T, int C>
struct MultiplyAdds {
  static constexpr MultiplyAdd<T> of_rows[] = {
      multiply_add_or_none<T, C, 1>(), multiply_add_or_none<T, C, 2>(), multiply_add_or_none<T, C, 3>(),
      multiply_add_or_none<T, C, 4>(), multiply_add_or_none<T, C, 5>(), multiply_add_or_none<T, C, 6>(),
      multiply_add_or_none<T, C, 7>(), multiply_add_or_none<T, C, 8>()};
};

template <class T>
GATEWISE_INLINE MultiplyAdd<T> multiply_add_for(int vectors, int rows) {
  switch (vectors) {
    case 1:
      return MultiplyAdds<T, 1>::of_rows[rows - 1];
    case 2:
      return MultiplyAdds<T, 2>::of_rows[rows - 1];
    case 3:
      return MultiplyAdds<T, 3>::of_rows[rows - 1];
    default:
      return MultiplyAdds<T, 4>::of_rows[rows - 1];
  }
}

// Splits `rows` rows into tiles of nearly equal size that fit in the registers.
struct Tiles {
  int64_t count, size, larger;
  Tiles(int64_t rows, int vectors) {
    const int most = most_rows(vectors);
    count = (rows + most - 1) / most;
    size = count ? rows / count : 0;
    larger = count ? rows % count : 0;
  }
  int64_t first(int64_t tile) const { return tile * size + (tile < larger ? tile : larger); }
  int rows(int64_t tile) const { return int(size + (tile < larger)); }
};

// multiply_add over any number of rows, tile by tile.
template <class T>
void multiply_add_rows(const Tile<T> &whole, int64_t rows, int vectors) {
  const Tiles tiles(rows, vectors);
  for (int64_t number = 0; number < tiles.count; number++) {
    const int64_t first = tiles.first(number);
    Tile<T> tile = whole;
    tile.a = whole.a + first;
    tile.in = whole.in + first * whole.in_row;
    tile.out = whole.out + first * whole.out_row;
    tile.fetch_behind(vectors, number, tiles.count);
    multiply_add_for<T>(vectors, tiles.rows(number))(tile);
  }
}

// The number of indices k of a panel of this many vectors that fit in the first-level cache while all rows are read.
template <class T>
constexpr int64_t k_block(int vectors) {
  return 32768 / (vectors * VECTOR_BYTES);
}

}  // namespace GATEWISE_INSTRUCTIONS

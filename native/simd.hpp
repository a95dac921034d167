// Vectors of floats or doubles, as wide as the instruction set that this file is compiled for.
//
// Each of these headers is compiled once per instruction set into one library, in a namespace named after the set: the
// linker would keep only one of two copies with the same name, and other machines may be unable to run it.
// For the same reason nothing here instantiates a template of the standard library.

#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define GATEWISE_INLINE inline __attribute__((always_inline))

namespace GATEWISE_INSTRUCTIONS {

#if defined(__AVX512F__)
constexpr int VECTOR_BYTES = 64, REGISTERS = 32;
#elif defined(__AVX2__)
constexpr int VECTOR_BYTES = 32, REGISTERS = 16;
#elif defined(__aarch64__)
constexpr int VECTOR_BYTES = 16, REGISTERS = 32;
#else
constexpr int VECTOR_BYTES = 16, REGISTERS = 16;
#endif

template <class T>
struct Simd;

template <>
struct Simd<float> {
  typedef float Vector __attribute__((vector_size(VECTOR_BYTES)));
  typedef int32_t Bits __attribute__((vector_size(VECTOR_BYTES)));
  static constexpr int LANES = VECTOR_BYTES / 4;
};

template <>
struct Simd<double> {
  typedef double Vector __attribute__((vector_size(VECTOR_BYTES)));
  typedef int64_t Bits __attribute__((vector_size(VECTOR_BYTES)));
  static constexpr int LANES = VECTOR_BYTES / 8;
};

template <class T>
using Vector = typename Simd<T>::Vector;
template <class T>
using Bits = typename Simd<T>::Bits;
template <class T>
constexpr int LANES = Simd<T>::LANES;

template <class T>
GATEWISE_INLINE Vector<T> broadcast(T value) {
  return value - Vector<T>{};  // not plus, because 0 + -0 is 0
}

template <class T>
GATEWISE_INLINE Vector<T> load(const T *p) {
  Vector<T> v;
  memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
GATEWISE_INLINE void store(T *p, Vector<T> v) {
  memcpy(p, &v, sizeof v);
}

// The first `lanes` lanes, the others zero; memory beyond them is not touched.
template <class T>
GATEWISE_INLINE Vector<T> load(const T *p, int lanes) {
  if (lanes >= LANES<T>) return load(p);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return (Vector<T>)_mm512_maskz_loadu_ps((__mmask16)((1u << lanes) - 1), p);
  else
    return (Vector<T>)_mm512_maskz_loadu_pd((__mmask8)((1u << lanes) - 1), p);
#else
  Vector<T> v{};
  for (int l = 0; l < lanes; l++) v[l] = p[l];
  return v;
#endif
}

template <class T>
GATEWISE_INLINE void store(T *p, Vector<T> v, int lanes) {
  if (lanes >= LANES<T>) return store(p, v);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << lanes) - 1), (__m512)v);
  else
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << lanes) - 1), (__m512d)v);
#else
  for (int l = 0; l < lanes; l++) p[l] = v[l];
#endif
}

// The same vector of N rows. An operation on a pack applies to each vector in turn: N independent chains of operations
// keep the machine busy, where a single chain would mostly wait.
template <class T, int N>
struct Pack {
  Vector<T> v[N];
};

#define GATEWISE_OPERATOR(op)                                                       \
  template <class T, int N>                                                         \
  GATEWISE_INLINE Pack<T, N> operator op(Pack<T, N> a, const Pack<T, N> &b) {       \
    for (int n = 0; n < N; n++) a.v[n] = a.v[n] op b.v[n];                          \
    return a;                                                                       \
  }                                                                                 \
  template <class T, int N>                                                         \
  GATEWISE_INLINE Pack<T, N> operator op(Pack<T, N> a, T b) {                       \
    for (int n = 0; n < N; n++) a.v[n] = a.v[n] op b;                               \
    return a;                                                                       \
  }                                                                                 \
  template <class T, int N>                                                         \
  GATEWISE_INLINE Pack<T, N> operator op(T a, Pack<T, N> b) {                       \
    for (int n = 0; n < N; n++) b.v[n] = a op b.v[n];                               \
    return b;                                                                       \
  }
GATEWISE_OPERATOR(+)
GATEWISE_OPERATOR(-)
GATEWISE_OPERATOR(*)
#undef GATEWISE_OPERATOR

// A pack of the vectors at(row), one for each row.
template <class T, int N, class At>
GATEWISE_INLINE Pack<T, N> pack(At at) {
  Pack<T, N> all;
  for (int n = 0; n < N; n++) all.v[n] = at(n);
  return all;
}

// Selects lane by lane. Each lane of `where` is all ones or all zeros, as from a comparison of vectors.
template <class T>
GATEWISE_INLINE Vector<T> choose(Bits<T> where, Vector<T> yes, Vector<T> no) {
  return where ? yes : no;
}

// Interleaves a and b lane by lane: low returns a0 b0 a1 b1 ..., high continues where low ends.
template <class T>
GATEWISE_INLINE void interleave(Vector<T> a, Vector<T> b, Vector<T> &low, Vector<T> &high) {
  if constexpr (LANES<T> == 16) {
    low = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    high = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  } else if constexpr (LANES<T> == 8) {
    low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    high = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  } else if constexpr (LANES<T> == 4) {
    low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  } else {
    low = __builtin_shufflevector(a, b, 0, 2);
    high = __builtin_shufflevector(a, b, 1, 3);
  }
}

// Transposes LANES x LANES numbers: interleaves row i with row i + n/2, log2(n) times.
template <class T>
GATEWISE_INLINE void transpose(Vector<T> (&rows)[LANES<T>]) {
  constexpr int n = LANES<T>;
#pragma GCC unroll 8
  for (int stage = 1; stage < n; stage *= 2) {
    Vector<T> turned[n];
#pragma GCC unroll 16
    for (int i = 0; i < n / 2; i++) interleave<T>(rows[i], rows[i + n / 2], turned[2 * i], turned[2 * i + 1]);
#pragma GCC unroll 16
    for (int i = 0; i < n; i++) rows[i] = turned[i];
  }
}

// Operations on denormal numbers are a hundred times slower; while this object exists, denormals count as zero.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : saved(_mm_getcsr()) { _mm_setcsr(saved | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(saved); }

 private:
  unsigned saved;
#elif defined(__aarch64__)
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(saved));
    asm volatile("msr fpcr, %0" ::"r"(saved | (uint64_t(1) << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(saved)); }

 private:
  uint64_t saved;
#endif
};

}  // namespace GATEWISE_INSTRUCTIONS

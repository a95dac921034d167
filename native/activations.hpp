// exp, sigmoid and tanh of vectors, accurate to a few units in the last place. NaN and infinities propagate.
//
// All use e^y - 1 = s (1 + p) - 1, with s = 2^n and p = e^r - 1 for the remainder r = y - n log 2, |r| <= log(2)/2:
// p = r + r^2 q(r), q is the minimax polynomial (Chebyshev fit, 40 digits).

#pragma once

#include "simd.hpp"

namespace GATEWISE_INSTRUCTIONS {

template <class T>
struct Exponential;

template <>
struct Exponential<float> {
  static constexpr int MANTISSA = 23;
  static constexpr float ROUNDER = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  static constexpr float LOG2_HIGH = 0.693145751953125f, LOG2_LOW = 1.428606765330187e-06f;
  static constexpr float SIGMOID_LIMIT = 88.0f, TANH_LIMIT = 10.0f;  // beyond these limits the functions are constant
  static constexpr float Q[] = {0.5f, 0.166665769897f, 0.0416665546172f, 0.00836317905272f, 0.00139261835877f};
};

template <>
struct Exponential<double> {
  static constexpr int MANTISSA = 52;
  static constexpr double ROUNDER = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double LOG2_HIGH = 0.6931471803691238, LOG2_LOW = 1.9082149292705877e-10;
  static constexpr double SIGMOID_LIMIT = 709.0, TANH_LIMIT = 20.0;
  static constexpr double Q[] = {0.50000000000000010221, 0.16666666666666667453,    0.041666666666624127873,
                                 0.0083333333333300618325, 0.0013888888917213716901, 0.00019841269863053616878,
                                 0.000024801521295954375131, 2.7557268459997064772e-6, 2.762008844540974816e-7,
                                 2.5100385495510319077e-8};
};

// s and p as above, for |y| <= SIGMOID_LIMIT. If y is NaN, p is NaN and s is arbitrary.
template <class T, int N>
GATEWISE_INLINE void exponential(const Pack<T, N> &y, Pack<T, N> &s, Pack<T, N> &p) {
  using E = Exponential<T>;
  constexpr int terms = sizeof(E::Q) / sizeof(T);
  const Pack<T, N> shifted = y * T(1.4426950408889634) + E::ROUNDER;
  const Pack<T, N> n = shifted - E::ROUNDER;
  const Pack<T, N> r = (y - n * E::LOG2_HIGH) - n * E::LOG2_LOW;
  Pack<T, N> q = pack<T, N>([](int) { return broadcast<T>(E::Q[terms - 1]); });
#pragma GCC unroll 16
  for (int k = terms - 2; k >= 0; k--) q = q * r + E::Q[k];
  p = q * (r * r) + r;
  s = pack<T, N>([&](int n) {
    return (Vector<T>)(((Bits<T>)shifted.v[n] << E::MANTISSA) + (Bits<T>)broadcast<T>(1));
  });
}

// 1 / x for x >= 1 (not for infinity).
template <class T>
GATEWISE_INLINE Vector<T> reciprocal(Vector<T> x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {  // 14 bits from a table, doubled by one Newton step: a third of a division's time
    Vector<T> guess = (Vector<T>)_mm512_maskz_rcp14_ps(0xffff, (__m512)x);
    return guess * (T(2) - x * guess);
  }
#endif
  return T(1) / x;
}

// NaN propagates: comparisons with NaN are false, so that the min and max instructions return their second argument.
template <class T>
GATEWISE_INLINE Vector<T> clamp(Vector<T> x, T limit) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return (Vector<T>)_mm512_maskz_max_ps(0xffff, _mm512_set1_ps(-limit), _mm512_maskz_min_ps(0xffff, _mm512_set1_ps(limit), (__m512)x));
  else
    return (Vector<T>)_mm512_maskz_max_pd(0xff, _mm512_set1_pd(-limit), _mm512_maskz_min_pd(0xff, _mm512_set1_pd(limit), (__m512d)x));
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4)
    return (Vector<T>)_mm256_max_ps(_mm256_set1_ps(-limit), _mm256_min_ps(_mm256_set1_ps(limit), (__m256)x));
  else
    return (Vector<T>)_mm256_max_pd(_mm256_set1_pd(-limit), _mm256_min_pd(_mm256_set1_pd(limit), (__m256d)x));
#else
  x = choose<T>(x > limit, broadcast<T>(limit), x);
  return choose<T>(x < -limit, broadcast<T>(-limit), x);
#endif
}

template <class T, int N>
GATEWISE_INLINE Pack<T, N> sigmoid(const Pack<T, N> &x) {  // 1 / (1 + e^-x)
  Pack<T, N> s, p;
  exponential(pack<T, N>([&](int n) { return clamp<T>(-x.v[n], Exponential<T>::SIGMOID_LIMIT); }), s, p);
  const Pack<T, N> y = T(1) + (s + s * p);
  return pack<T, N>([&](int n) { return reciprocal<T>(y.v[n]); });
}

template <class T, int N>
GATEWISE_INLINE Pack<T, N> tanh(const Pack<T, N> &x) {  // (e^2x - 1) / (e^2x - 1 + 2): exact near zero too
  Pack<T, N> s, p;
  const Pack<T, N> y = pack<T, N>([&](int n) { return clamp<T>(x.v[n], Exponential<T>::TANH_LIMIT); });
  exponential(y + y, s, p);
  const Pack<T, N> less_one = s * p + (s - T(1)), more = less_one + T(2);
  return less_one * pack<T, N>([&](int n) { return reciprocal<T>(more.v[n]); });
}

}  // namespace GATEWISE_INSTRUCTIONS

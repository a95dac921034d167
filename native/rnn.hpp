// Elman's network: h' = tanh, max(0, .) or the identity of one weighted sum.

#pragma once

#include "activations.hpp"
#include "cell.hpp"

namespace GATEWISE_INSTRUCTIONS {

enum Nonlinearity { TANH, RELU, IDENTITY };

template <class T, Nonlinearity KIND>
struct Rnn {
  using Number = T;
  static constexpr int KEPT = 0, PLANES = 1, BLOCKS = 4;  // four blocks of units fill a tile
  static constexpr bool HAS_C = false, CARRIES_H = false;
  static constexpr Part X{0, 1}, H{0, 1};
  static constexpr int GATE[] = {0, 0, 0, 0};

  template <int N>
  static GATEWISE_INLINE void forward(const ForwardBlock<T, N> &at, int64_t) {
    Pack<T, N> h = at.sum(0);
    if constexpr (KIND == TANH) h = tanh(h);
    if constexpr (KIND == RELU)  // not a maximum, so that NaN propagates
      h = pack<T, N>([&](int n) { return choose<T>(h.v[n] < T(0), Vector<T>{}, h.v[n]); });
    at.write(&ForwardRow<T>::after, h);
  }

  template <int N>
  static GATEWISE_INLINE void backward(Pack<T, N> dh, const BackwardBlock<T, N> &at, int64_t) {
    const Pack<T, N> h = at.read(&BackwardRow<T>::after);
    if constexpr (KIND == TANH) dh = dh * (T(1) - h * h);
    if constexpr (KIND == RELU)
      dh = pack<T, N>([&](int n) { return choose<T>(h.v[n] <= T(0), Vector<T>{}, dh.v[n]); });
    at.write_sum(0, dh);
  }
};

}  // namespace GATEWISE_INSTRUCTIONS

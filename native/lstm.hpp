// Long short-term memory: c' = f c + i g, h' = o tanh(c').

#pragma once

#include "activations.hpp"
#include "cell.hpp"

namespace GATEWISE_INSTRUCTIONS {

template <class T>
struct Lstm {
  using Number = T;
  static constexpr int KEPT = 4, PLANES = 4, BLOCKS = 1;
  static constexpr bool HAS_C = true, CARRIES_H = false;
  static constexpr Part X{0, 4}, H{0, 4};
  static constexpr int GATE[] = {0, 1, 2, 3};

  template <int N>
  static GATEWISE_INLINE void forward(const ForwardBlock<T, N> &at, int64_t H) {
    using Row = ForwardRow<T>;
    const Pack<T, N> i = sigmoid(at.sum(0));
    const Pack<T, N> f = sigmoid(at.sum(1));
    const Pack<T, N> g = tanh(at.sum(2));
    const Pack<T, N> o = sigmoid(at.sum(3));
    const Pack<T, N> c = f * at.read(&Row::c) + i * g;
    const Pack<T, N> h = o * tanh(c);
    at.write(&Row::c, c);
    at.write(&Row::after, h);
    if (at.rows[0].cells) at.write(&Row::cells, c);
    if (at.rows[0].gates) {
      at.write(&Row::gates, i);
      at.write(&Row::gates, f, H);
      at.write(&Row::gates, g, 2 * H);
      at.write(&Row::gates, o, 3 * H);
    }
  }

  template <int N>
  static GATEWISE_INLINE void backward(const Pack<T, N> &dh, const BackwardBlock<T, N> &at, int64_t H) {
    using Row = BackwardRow<T>;
    const Pack<T, N> i = at.read(&Row::gates);
    const Pack<T, N> f = at.read(&Row::gates, H);
    const Pack<T, N> g = at.read(&Row::gates, 2 * H);
    const Pack<T, N> o = at.read(&Row::gates, 3 * H);
    const Pack<T, N> tanh_c = tanh(at.read(&Row::cells));
    Pack<T, N> dc = at.read(&Row::grad_c) + dh * o * (T(1) - tanh_c * tanh_c);
    if (at.rows[0].grad_cells) dc = dc + at.read(&Row::grad_cells);
    Pack<T, N> di = dc * g;
    Pack<T, N> df = dc * at.read(&Row::c_before);
    Pack<T, N> dg = dc * i;
    Pack<T, N> d_o = dh * tanh_c;
    if (at.rows[0].grad_gates) {
      di = di + at.read(&Row::grad_gates);
      df = df + at.read(&Row::grad_gates, H);
      dg = dg + at.read(&Row::grad_gates, 2 * H);
      d_o = d_o + at.read(&Row::grad_gates, 3 * H);
    }
    at.write(&Row::grad_c, dc * f);
    at.write_sum(0, di * i * (T(1) - i));
    at.write_sum(1, df * f * (T(1) - f));
    at.write_sum(2, dg * (T(1) - g * g));
    at.write_sum(3, d_o * o * (T(1) - o));
    if (at.rows[0].projected)
      for (int n = 0; n < N; n++) store<T>(at.rows[n].projected, o.v[n] * tanh_c.v[n]);
  }
};

}  // namespace GATEWISE_INSTRUCTIONS

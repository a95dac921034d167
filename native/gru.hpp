// Gated recurrent unit, reset gate after the product: n = tanh(n_x + r n_h), h' = (1 - z) n + z h.
//
// The sums are n_x, r, z, n_h in this order: x contributes to the first three, h to the last three.

#pragma once

#include "activations.hpp"
#include "cell.hpp"

namespace GATEWISE_INSTRUCTIONS {

template <class T>
struct Gru {
  using Number = T;
  static constexpr int KEPT = 4, PLANES = 4, BLOCKS = 1;
  static constexpr bool HAS_C = false, CARRIES_H = true;
  static constexpr Part X{0, 3}, H{1, 3};
  static constexpr int GATE[] = {2, 0, 1, 2};

  template <int N>
  static GATEWISE_INLINE void forward(const ForwardBlock<T, N> &at, int64_t H) {
    using Row = ForwardRow<T>;
    const Pack<T, N> r = sigmoid(at.sum(1));
    const Pack<T, N> z = sigmoid(at.sum(2));
    const Pack<T, N> n_h = at.sum(3);
    const Pack<T, N> n = tanh(at.sum(0) + r * n_h);
    const Pack<T, N> h = (T(1) - z) * n + z * at.read(&Row::before);
    at.write(&Row::after, h);
    if (at.rows[0].gates) {
      at.write(&Row::gates, r);
      at.write(&Row::gates, z, H);
      at.write(&Row::gates, n, 2 * H);
      at.write(&Row::gates, n_h, 3 * H);
    }
  }

  template <int N>
  static GATEWISE_INLINE void backward(const Pack<T, N> &dh, const BackwardBlock<T, N> &at, int64_t H) {
    using Row = BackwardRow<T>;
    const Pack<T, N> r = at.read(&Row::gates);
    const Pack<T, N> z = at.read(&Row::gates, H);
    const Pack<T, N> n = at.read(&Row::gates, 2 * H);
    const Pack<T, N> n_h = at.read(&Row::gates, 3 * H);
    const bool more = at.rows[0].grad_gates;
    Pack<T, N> dn = dh * (T(1) - z);
    if (more) dn = dn + at.read(&Row::grad_gates, 2 * H);
    const Pack<T, N> dn_sum = dn * (T(1) - n * n);
    Pack<T, N> dr = dn_sum * n_h;
    Pack<T, N> dz = dh * (at.read(&Row::before) - n);
    if (more) dr = dr + at.read(&Row::grad_gates);
    if (more) dz = dz + at.read(&Row::grad_gates, H);
    const Pack<T, N> carry = dh * z;
    for (int row = 0; row < N; row++) store<T>(at.rows[row].carry + at.u, carry.v[row]);
    at.write_sum(0, dn_sum);
    at.write_sum(1, dr * r * (T(1) - r));
    at.write_sum(2, dz * z * (T(1) - z));
    at.write_sum(3, dn_sum * r);
  }
};

}  // namespace GATEWISE_INSTRUCTIONS

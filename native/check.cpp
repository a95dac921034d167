// A test of the C interface in itself: many random calls, each compared with the equations written once more, naively.
//
// Forward is compared with scalar loops in float64, backward with the exact derivative of these loops along random
// directions, by dual numbers. Every tensor lies in a heap block of exactly its size, so that AddressSanitizer sees a
// step too far; what must not be read is NaN, what must not be written is marked. `make sanitize` runs it.

#include "gatewise.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr double MARK = 12345;  // of memory that forward must leave alone
const double NOT_A_NUMBER = std::nan("");

std::atomic<int64_t> failures{0}, calls{0};

// ------------------------------------------------------------------------------------------- numbers with a derivative

struct Dual {
  double value = 0, slope = 0;
  Dual() = default;
  Dual(double value, double slope = 0) : value(value), slope(slope) {}
};
Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.slope + b.slope}; }
Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.slope - b.slope}; }
Dual operator*(Dual a, Dual b) { return {a.value * b.value, a.slope * b.value + a.value * b.slope}; }
Dual tanh(Dual a) {
  double y = std::tanh(a.value);
  return {y, a.slope * (1 - y * y)};
}
Dual sigmoid(Dual a) {
  double y = 1 / (1 + std::exp(-a.value));
  return {y, a.slope * y * (1 - y)};
}
Dual relu(Dual a) { return a.value > 0 ? a : Dual(0); }

// -------------------------------------------------------------------------------------------------------- random cases

struct Random {
  std::mt19937_64 bits;
  int64_t whole(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(bits); }
  bool coin() { return whole(0, 1) == 1; }
  double real() { return float(std::uniform_real_distribution<double>(-1, 1)(bits)); }  // exact in either dtype
  std::vector<double> reals(int64_t n, double scale = 1) {
    std::vector<double> drawn(n);
    for (double &one : drawn) one = float(scale * real());
    return drawn;
  }
};

enum Given { X, WEIGHT_IH, WEIGHT_HH, BIAS_IH, BIAS_HH, WEIGHT_HR, H0, C0, GIVEN };
enum Found { OUTPUT, H_LAST, C_LAST, GATES, CELLS, FOUND };
const char *const GIVEN_NAMES[] = {"x", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr", "h0", "c0"};
const char *const FOUND_NAMES[] = {"output", "h", "c", "gates", "cells"};
using GivenTensors = std::array<std::vector<double>, GIVEN>;
using FoundTensors = std::array<std::vector<double>, FOUND>;

struct Case {
  int64_t cell, T, B, I, H, P, G, S, threads;
  bool reverse, packed, with_lengths, projected;
  bool with[FOUND];              // which gradients come in
  bool want_x, want_weights;     // which go out
  std::vector<int64_t> lengths, offsets;
  int64_t rows;
  GivenTensors given;            // those of steps by row; empty: absent, or of size zero
  FoundTensors weight;           // of each result in the objective; zero where no gradient comes in

  bool lstm() const { return cell == GATEWISE_LSTM; }
  bool valid(int64_t t, int64_t b) const { return t < lengths[b]; }
  int64_t row(int64_t t, int64_t b) const { return packed ? offsets[t] + b : t * B + b; }
  std::string words() const {
    char text[200];
    std::snprintf(text, sizeof text, "cell %d T %d B %d I %d H %d P %d threads %d%s%s%s", int(cell), int(T), int(B),
                  int(I), int(H), int(P), int(threads), reverse ? " reverse" : "", packed ? " packed" : "",
                  with_lengths ? " lengths" : "");
    return text;
  }
};

void fail(const Case &one, const std::string &what) {
  if (++failures < 20) std::printf("FAILED %s: %s\n", one.words().c_str(), what.c_str());
}

void draw_lengths(Case &one, Random &random) {
  one.packed = one.T > 0 && one.B > 0 && random.whole(0, 3) == 0;
  one.with_lengths = one.packed || random.coin();
  one.lengths.assign(one.B, one.T);
  if (one.with_lengths)
    for (int64_t &length : one.lengths) length = random.whole(0, one.T);
  one.rows = one.T * one.B;
  if (!one.packed) return;
  one.lengths[0] = std::max<int64_t>(one.lengths[0], 1);  // there is a row
  std::sort(one.lengths.rbegin(), one.lengths.rend());
  one.rows = 0;
  for (int64_t t = 0; t < one.T; t++) {
    one.offsets.push_back(one.rows);
    for (int64_t length : one.lengths) one.rows += t < length;
  }
}

void draw_tensors(Case &one, Random &random) {
  double scale = 1 / std::sqrt(double(one.H));
  int64_t gates = one.G * one.H;
  one.given[X] = random.reals(one.rows * one.I, 2);
  one.given[WEIGHT_IH] = random.reals(gates * one.I, scale);
  one.given[WEIGHT_HH] = random.reals(gates * one.P, scale);
  if (random.whole(0, 3)) one.given[BIAS_IH] = random.reals(gates);
  if (random.whole(0, 3)) one.given[BIAS_HH] = random.reals(gates);
  if (one.projected) one.given[WEIGHT_HR] = random.reals(one.P * one.H, scale);
  one.given[H0] = random.reals(one.B * one.P);
  if (one.lstm()) one.given[C0] = random.reals(one.B * one.H);
  const int64_t sizes[FOUND] = {one.rows * one.P, one.B * one.P, one.lstm() ? one.B * one.H : 0,
                                one.rows * one.S * one.H, one.lstm() ? one.rows * one.H : 0};
  for (int k = 0; k < FOUND; k++) one.weight[k] = one.with[k] ? random.reals(sizes[k]) : std::vector<double>(sizes[k]);
  if (one.cell != GATEWISE_GRU) return;
  for (int64_t row = 0; row < one.rows; row++)  // the fourth plane is no gate: no gradient comes in there
    std::fill_n(one.weight[GATES].begin() + (row * 4 + 3) * one.H, one.H, 0.0);
}

Case draw(Random &random) {
  Case one{};
  const bool wide = random.whole(0, 15) == 0;  // more units than one pass of the widest kernel takes
  one.cell = random.whole(0, 4);
  one.T = random.whole(0, 3) ? random.whole(0, wide ? 3 : 7) : 1;
  one.B = random.whole(0, wide ? 5 : 9);
  one.I = random.whole(0, wide ? 90 : random.coin() ? 20 : 2);
  one.H = random.whole(1, wide ? 150 : 40);
  one.projected = one.lstm() && random.whole(0, 2) == 0;
  one.P = one.projected ? random.whole(1, one.H) : one.H;
  one.G = one.lstm() ? 4 : one.cell == GATEWISE_GRU ? 3 : 1;
  one.S = one.G > 1 ? 4 : 0;
  one.threads = random.whole(1, 4);
  one.reverse = random.coin();
  for (bool &with : one.with) with = random.whole(0, 3) > 0;
  one.want_x = random.whole(0, 3) > 0;
  one.want_weights = random.whole(0, 3) > 0;
  draw_lengths(one, random);
  draw_tensors(one, random);
  return one;
}

// ---------------------------------------------------------------------------------------------- the equations, naively

struct Naive {
  const Case &one;
  std::array<std::vector<Dual>, GIVEN> given;
  std::array<std::vector<Dual>, FOUND> found;

  // The tensors given, moving along a direction (empty: standing still) in one of them.
  Naive(const Case &one, int moved, const std::vector<double> &direction) : one(one) {
    for (int k = 0; k < GIVEN; k++) given[k].assign(one.given[k].begin(), one.given[k].end());
    for (size_t j = 0; j < direction.size(); j++) given[moved][j].slope = direction[j];
    for (int k = 0; k < FOUND; k++) found[k].resize(one.weight[k].size());
    for (int64_t b = 0; b < one.B; b++) sequence(b);
  }

  Dual sum(Given weights, Given bias, int64_t number, const Dual *factors, int64_t n) const {
    Dual total = given[bias].empty() ? Dual(0) : given[bias][number];
    for (int64_t k = 0; k < n; k++) total = total + given[weights][number * n + k] * factors[k];
    return total;
  }

  void sequence(int64_t b) {
    std::vector<Dual> h(given[H0].begin() + b * one.P, given[H0].begin() + (b + 1) * one.P), c;
    if (one.lstm()) c.assign(given[C0].begin() + b * one.H, given[C0].begin() + (b + 1) * one.H);
    for (int64_t k = 0; k < one.lengths[b]; k++)
      step(one.row(one.reverse ? one.lengths[b] - 1 - k : k, b), h, c);
    std::copy(h.begin(), h.end(), found[H_LAST].begin() + b * one.P);
    if (one.lstm()) std::copy(c.begin(), c.end(), found[C_LAST].begin() + b * one.H);
  }

  void step(int64_t row, std::vector<Dual> &h, std::vector<Dual> &c) {
    std::vector<Dual> full(one.H);
    const Dual *x = one.I ? &given[X][row * one.I] : nullptr;
    for (int64_t j = 0; j < one.H; j++) {
      auto from_x = [&](int64_t g) { return sum(WEIGHT_IH, BIAS_IH, g * one.H + j, x, one.I); };
      auto from_h = [&](int64_t g) { return sum(WEIGHT_HH, BIAS_HH, g * one.H + j, h.data(), one.P); };
      auto gate = [&](int64_t s) -> Dual & { return found[GATES][(row * one.S + s) * one.H + j]; };
      if (one.lstm()) {
        for (int64_t s : {0, 1, 3}) gate(s) = sigmoid(from_x(s) + from_h(s));
        gate(2) = tanh(from_x(2) + from_h(2));
        found[CELLS][row * one.H + j] = c[j] = gate(1) * c[j] + gate(0) * gate(2);
        full[j] = gate(3) * tanh(c[j]);
      } else if (one.cell == GATEWISE_GRU) {
        for (int64_t s : {0, 1}) gate(s) = sigmoid(from_x(s) + from_h(s));
        gate(3) = from_h(2);
        gate(2) = tanh(from_x(2) + gate(0) * gate(3));
        full[j] = (Dual(1) - gate(1)) * gate(2) + gate(1) * h[j];
      } else {
        Dual a = from_x(0) + from_h(0);
        full[j] = one.cell == GATEWISE_TANH ? tanh(a) : one.cell == GATEWISE_RELU ? relu(a) : a;
      }
    }
    for (int64_t p = 0; p < one.P; p++) {
      h[p] = one.projected ? Dual(0) : full[p];
      for (int64_t j = 0; one.projected && j < one.H; j++) h[p] = h[p] + given[WEIGHT_HR][p * one.H + j] * full[j];
      found[OUTPUT][row * one.P + p] = h[p];
    }
  }

  // The derivative along the direction of the objective: all results, each times its weight.
  double slope() const {
    double total = 0;
    for (int k = 0; k < FOUND; k++)
      for (size_t j = 0; j < found[k].size(); j++) total += one.weight[k][j] * found[k][j].slope;
    return total;
  }
};

// ------------------------------------------------------------------------------------------ memory for a call

// A heap block of exactly n numbers, sometimes not aligned to more than one of them; no address where n is zero.
template <class Real>
struct Block {
  std::unique_ptr<Real[]> memory;
  Real *data = nullptr;
  int64_t size = 0;

  Block() = default;
  Block(int64_t n, double value, Random &random) : size(n) {
    if (n == 0) return;
    int64_t skipped = random.coin() ? random.whole(0, 3) : 0;
    memory.reset(new Real[n + skipped]);
    data = memory.get() + skipped;
    std::fill_n(data, n, Real(value));
  }
  Block(const std::vector<double> &values, Random &random) : Block(int64_t(values.size()), 0, random) {
    std::copy(values.begin(), values.end(), data);
  }
  std::vector<double> values() const { return {data, data + size}; }
};

// A tensor of steps with strides of its own: time or batch first, with gaps, or packed.
template <class Real>
struct Steps {
  const Case &one;
  int64_t width, t_stride, b_stride;
  Block<Real> block;

  Steps(const Case &one, int64_t width, double value, Random &random) : one(one), width(width) {
    int64_t wide = width + random.whole(0, 1) * random.whole(0, 3);
    bool time_first = one.packed || random.coin();
    t_stride = time_first ? one.B * wide : wide;
    b_stride = time_first ? wide : one.T * wide;
    int64_t last = one.packed ? (one.rows - 1) * wide : (one.T - 1) * t_stride + (one.B - 1) * b_stride;
    block = Block<Real>(one.rows && width ? last + width : 0, value, random);
  }
  Real *at(int64_t t, int64_t b) const {
    return block.data + (one.packed ? one.row(t, b) * b_stride : t * t_stride + b * b_stride);
  }
  template <class Do>
  void each(Do act) const {
    if (width == 0) return;
    for (int64_t t = 0; t < one.T; t++)
      for (int64_t b = 0; b < one.B; b++)
        if (one.valid(t, b) || !one.packed) act(t, b, at(t, b));
  }
  // Writes the valid steps; the rest stays what it is.
  void put(const std::vector<double> &rows) const {
    each([&](int64_t t, int64_t b, Real *to) {
      if (one.valid(t, b)) std::copy_n(rows.begin() + one.row(t, b) * width, width, to);
    });
  }
  // Reads all steps, and asks that nothing has been written between them.
  std::vector<double> take() {
    std::vector<double> rows(one.rows * width);
    each([&](int64_t t, int64_t b, Real *from) {
      std::copy_n(from, width, rows.begin() + one.row(t, b) * width);
      std::fill_n(from, width, Real(MARK));
    });
    for (double left : block.values())
      if (left != MARK) return fail(one, "the gaps of a strided output were written"), rows;
    put_back(rows);
    return rows;
  }
  void put_back(const std::vector<double> &rows) const {
    each([&](int64_t t, int64_t b, Real *to) { std::copy_n(rows.begin() + one.row(t, b) * width, width, to); });
  }
};

// ---------------------------------------------------------------------------------------------------- calls and checks

template <class Real>
struct Call {
  const Case &one;
  Random &random;
  gatewise_scan scan{};
  std::array<Block<Real>, GIVEN> given, grads;
  std::array<Block<Real>, FOUND> found, weight;
  Steps<Real> x, output, grad_output;
  std::unique_ptr<int64_t[]> lengths, offsets;  // exact, as the tensors are

  Call(const Case &one, Random &random)
      : one(one), random(random), x(one, one.I, NOT_A_NUMBER, random), output(one, one.P, MARK, random),
        grad_output(one, one.P, NOT_A_NUMBER, random) {
    for (int k = WEIGHT_IH; k < GIVEN; k++) given[k] = Block<Real>(one.given[k], random);
    for (int k = H_LAST; k < FOUND; k++) found[k] = Block<Real>(int64_t(one.weight[k].size()), MARK, random);
    x.put(one.given[X]);
    describe();
  }

  void describe() {
    scan.cell = one.cell, scan.dtype = sizeof(Real) == 4 ? GATEWISE_FLOAT32 : GATEWISE_FLOAT64;
    scan.threads = one.threads, scan.reverse = one.reverse;
    scan.T = one.T, scan.B = one.B, scan.I = one.I, scan.H = one.H, scan.P = one.P;
    scan.x = x.block.data, scan.x_t = x.t_stride, scan.x_b = x.b_stride;
    scan.lengths = copy(one.with_lengths, one.lengths, lengths);
    scan.offsets = copy(one.packed, one.offsets, offsets);
    scan.weight_ih = given[WEIGHT_IH].data, scan.weight_hh = given[WEIGHT_HH].data;
    scan.bias_ih = given[BIAS_IH].data, scan.bias_hh = given[BIAS_HH].data, scan.weight_hr = given[WEIGHT_HR].data;
    scan.h0 = given[H0].data, scan.c0 = given[C0].data;
    scan.output = output.block.data, scan.out_t = output.t_stride, scan.out_b = output.b_stride;
    scan.h = found[H_LAST].data, scan.c = found[C_LAST].data;
    scan.gates = found[GATES].data, scan.cells = found[CELLS].data;
  }

  static const int64_t *copy(bool wanted, const std::vector<int64_t> &from, std::unique_ptr<int64_t[]> &to) {
    if (!wanted || from.empty()) return nullptr;
    to.reset(new int64_t[from.size()]);
    std::copy(from.begin(), from.end(), to.get());
    return to.get();
  }

  FoundTensors forward() {
    expect(gatewise_forward(&scan), "forward");
    FoundTensors result{output.take()};
    for (int k = H_LAST; k < FOUND; k++) result[k] = found[k].values();
    unwritten_after_the_end(result[GATES], one.S * one.H, "gates");
    unwritten_after_the_end(result[CELLS], one.lstm() ? one.H : 0, "cells");
    return result;
  }

  GivenTensors backward() {
    for (int k = 0; k < GIVEN; k++) {
      bool wanted = k == X ? one.want_x : k == H0 || k == C0 || one.want_weights;
      grads[k] = Block<Real>(wanted ? int64_t(one.given[k].size()) : 0, MARK, random);
    }
    for (int k = H_LAST; k < FOUND; k++) weight[k] = Block<Real>(one.weight[k], random);
    spoil_after_the_end(weight[GATES].data, one.S * one.H);
    spoil_after_the_end(weight[CELLS].data, one.lstm() ? one.H : 0);
    grad_output.put(one.weight[OUTPUT]);
    describe_gradients();
    expect(gatewise_backward(&scan), "backward");
    GivenTensors result;
    for (int k = 0; k < GIVEN; k++) result[k] = grads[k].values();
    return result;
  }

  void describe_gradients() {
    scan.h = scan.c = nullptr;  // backward does without
    scan.grad_output = one.with[OUTPUT] ? grad_output.block.data : nullptr;
    scan.grad_t = grad_output.t_stride, scan.grad_b = grad_output.b_stride;
    scan.grad_h = one.with[H_LAST] ? weight[H_LAST].data : nullptr;
    scan.grad_c = one.with[C_LAST] ? weight[C_LAST].data : nullptr;
    scan.grad_gates = one.with[GATES] ? weight[GATES].data : nullptr;
    scan.grad_cells = one.with[CELLS] ? weight[CELLS].data : nullptr;
    scan.grad_x = grads[X].data, scan.grad_h0 = grads[H0].data, scan.grad_c0 = grads[C0].data;
    scan.grad_weight_ih = grads[WEIGHT_IH].data, scan.grad_weight_hh = grads[WEIGHT_HH].data;
    scan.grad_bias_ih = grads[BIAS_IH].data, scan.grad_bias_hh = grads[BIAS_HH].data;
    scan.grad_weight_hr = grads[WEIGHT_HR].data;
  }

  void expect(int status, const char *name) {
    calls++;
    if (status != GATEWISE_OK) fail(one, std::string(name) + " returned " + std::to_string(status));
  }

  // After a sequence's end kept tensors are not written; here they become zero, as in the naive result.
  void unwritten_after_the_end(std::vector<double> &rows, int64_t width, const char *name) {
    after_the_end(width, [&](int64_t j) {
      if (rows[j] != MARK) fail(one, std::string(name) + " written after a sequence's end");
      rows[j] = 0;
    });
  }
  void spoil_after_the_end(Real *rows, int64_t width) {
    after_the_end(width, [&](int64_t j) { rows[j] = Real(NOT_A_NUMBER); });
  }
  template <class Do>
  void after_the_end(int64_t width, Do act) {
    for (int64_t t = 0; t < one.T && !one.packed; t++)
      for (int64_t b = 0; b < one.B; b++)
        for (int64_t j = 0; j < width && !one.valid(t, b); j++) act(one.row(t, b) * width + j);
  }
};

void compare(const Case &one, const std::string &name, const std::vector<double> &ours,
             const std::vector<double> &theirs, double limit) {
  double size = 0;
  for (double value : theirs) size = std::max(size, std::abs(value));
  for (size_t j = 0; j < ours.size(); j++) {
    const double away = std::abs(ours[j] - theirs[j]);
    if (!(away <= limit * (size > 1e-3 ? size : 1)))  // nor is NaN below it
      return fail(one, name + " is off by " + std::to_string(away / size));
  }
}

bool same_bits(const std::vector<double> &a, const std::vector<double> &b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

std::vector<double> naive_values(const std::vector<Dual> &duals) {
  std::vector<double> values;
  for (Dual one : duals) values.push_back(one.value);
  return values;
}

template <class Real>
GivenTensors compare_forward(const Case &one, Random &random, bool settled) {
  const std::string dtype = sizeof(Real) == 4 ? "float32 " : "float64 ";
  Call<Real> call(one, random);
  FoundTensors found = call.forward();
  Naive naive(one, X, {});
  for (int k = 0; k < FOUND; k++)
    compare(one, dtype + FOUND_NAMES[k], found[k], naive_values(naive.found[k]), sizeof(Real) == 4 ? 1e-5 : 1e-10);
  GivenTensors grads = call.backward();
  if (settled) {  // the same call again gives the same bits, wherever its tensors lie
    Call<Real> again(one, random);
    FoundTensors twice = again.forward();
    for (int k = 0; k < FOUND; k++)
      if (!same_bits(found[k], twice[k])) fail(one, dtype + FOUND_NAMES[k] + " differs from call to call");
    GivenTensors grads_twice = again.backward();
    for (int k = 0; k < GIVEN; k++)
      if (!same_bits(grads[k], grads_twice[k]))
        fail(one, dtype + GIVEN_NAMES[k] + "'s gradient differs from call to call");
  }
  return grads;
}

// Without kept tensors, as at inference.
template <class Real>
void compare_inference(const Case &one, Random &random) {
  Call<Real> call(one, random);
  call.scan.gates = call.scan.cells = nullptr;
  call.expect(gatewise_forward(&call.scan), "forward, nothing kept,");
  Naive naive(one, X, {});
  compare(one, "output, nothing kept,", call.output.take(), naive_values(naive.found[OUTPUT]), 1e-5);
  compare(one, "h, nothing kept,", call.found[H_LAST].values(), naive_values(naive.found[H_LAST]), 1e-5);
  compare(one, "c, nothing kept,", call.found[C_LAST].values(), naive_values(naive.found[C_LAST]), 1e-5);
}

// One step at a time, the state carried on in its place or beside it.
template <class Real>
void compare_step(const Case &one, Random &random) {
  if (one.T != 1 || one.with_lengths) return;
  Call<Real> call(one, random);
  const bool in_place = random.coin(), with_output = random.coin();
  Block<Real> &h = in_place ? call.given[H0] : call.found[H_LAST], &c = in_place ? call.given[C0] : call.found[C_LAST];
  call.scan.gates = call.scan.cells = nullptr;
  call.scan.h = h.data, call.scan.c = c.data;
  if (!with_output) call.scan.output = nullptr;
  call.expect(gatewise_step(&call.scan), "step");
  Naive naive(one, X, {});
  compare(one, "h of a step", h.values(), naive_values(naive.found[H_LAST]), 1e-5);
  compare(one, "c of a step", c.values(), naive_values(naive.found[C_LAST]), 1e-5);
  if (with_output) compare(one, "output of a step", call.output.take(), naive_values(naive.found[OUTPUT]), 1e-5);
}

void compare_case(Random &random, bool settled) {
  Case one = draw(random);
  GivenTensors single = compare_forward<float>(one, random, settled);
  GivenTensors grads = compare_forward<double>(one, random, settled);
  for (int k = 0; k < GIVEN; k++) {
    const std::string name = std::string("grad_") + GIVEN_NAMES[k];
    compare(one, "float32 " + name, single[k], grads[k], 1e-4);
    if (grads[k].empty()) continue;
    std::vector<double> direction = random.reals(int64_t(one.given[k].size()));
    double ours = 0, length = 0;
    for (size_t j = 0; j < direction.size(); j++) ours += grads[k][j] * direction[j], length += std::abs(grads[k][j]);
    compare(one, name, {ours / (1 + length)}, {Naive(one, k, direction).slope() / (1 + length)}, 1e-10);
  }
  random.coin() ? compare_inference<float>(one, random) : compare_inference<double>(one, random);
  random.coin() ? compare_step<float>(one, random) : compare_step<double>(one, random);
}

// Bad arguments: the status that the header promises, and nothing written.
template <class Change>
void refuse(Random &random, int expected, const char *what, Change change) {
  Case one = draw(random);
  while (!one.lstm() || one.packed || !one.with_lengths || one.T < 2 || one.B < 2 || one.I < 1) one = draw(random);
  Call<float> call(one, random);
  change(call);
  int status = gatewise_forward(&call.scan);
  if (status != expected) fail(one, std::string(what) + " returned " + std::to_string(status));
  for (double left : call.output.block.values())
    if (left != MARK) return fail(one, std::string(what) + " wrote to the output");
}

void check_refusals(Random &random) {
  using C = Call<float>;
  const int64_t huge = std::numeric_limits<int64_t>::max() / 2;
  refuse(random, GATEWISE_BAD_CELL, "cell -1", [](C &call) { call.scan.cell = -1; });
  refuse(random, GATEWISE_BAD_CELL, "cell 5", [](C &call) { call.scan.cell = 5; });
  refuse(random, GATEWISE_BAD_CELL, "a projected RNN", [](C &call) {
    call.scan.cell = GATEWISE_TANH, call.scan.weight_hr = call.given[WEIGHT_HH].data;
  });
  refuse(random, GATEWISE_BAD_DTYPE, "dtype 2", [](C &call) { call.scan.dtype = 2; });
  for (int64_t size : {int64_t(-1), huge}) {
    refuse(random, GATEWISE_BAD_SIZE, "a bad T", [=](C &call) { call.scan.T = size, call.scan.lengths = nullptr; });
    refuse(random, GATEWISE_BAD_SIZE, "a bad B", [=](C &call) { call.scan.B = size; });
    refuse(random, GATEWISE_BAD_SIZE, "a bad I", [=](C &call) { call.scan.I = size; });
    refuse(random, GATEWISE_BAD_SIZE, "a bad H", [=](C &call) { call.scan.H = size; });
    refuse(random, GATEWISE_BAD_SIZE, "a bad P", [=](C &call) { call.scan.P = size; });
  }
  refuse(random, GATEWISE_BAD_LENGTHS, "length -1", [](C &call) { call.lengths[1] = -1; });
  refuse(random, GATEWISE_BAD_LENGTHS, "length T + 1", [](C &call) { call.lengths[1] = call.one.T + 1; });
  refuse(random, GATEWISE_BAD_LENGTHS, "rising packed lengths", [](C &call) {
    call.lengths[0] = 0, call.lengths[1] = 1, call.scan.offsets = call.lengths.get();
  });
  refuse(random, GATEWISE_BAD_POINTER, "no x", [](C &call) { call.scan.x = nullptr; });
  refuse(random, GATEWISE_BAD_POINTER, "no weight_ih", [](C &call) { call.scan.weight_ih = nullptr; });
  refuse(random, GATEWISE_BAD_POINTER, "no weight_hh", [](C &call) { call.scan.weight_hh = nullptr; });
  refuse(random, GATEWISE_BAD_POINTER, "no h0", [](C &call) { call.scan.h0 = nullptr; });
  refuse(random, GATEWISE_BAD_POINTER, "no c0", [](C &call) { call.scan.c0 = nullptr; });
  refuse(random, GATEWISE_BAD_POINTER, "no output", [](C &call) { call.scan.output = nullptr; });
  refuse(random, GATEWISE_BAD_POINTER, "no h", [](C &call) { call.scan.h = nullptr; });
}

// Some callers at once, each with cases of its own; meanwhile, if unsettled, another changes the instruction set.
void run_callers(int64_t cases, uint64_t seed, const std::vector<std::string> &sets, bool settled) {
  std::atomic<int> running{3};
  std::vector<std::thread> callers;
  for (uint64_t k = 0; k < 3; k++)
    callers.emplace_back([=, &running] {
      Random random{std::mt19937_64(seed + k)};
      for (int64_t j = 0; j < cases; j++) compare_case(random, settled);
      check_refusals(random);
      running--;
    });
  for (size_t k = 0; !settled && running; k++) {
    gatewise_use_instructions(sets[k % sets.size()].c_str());
    gatewise_release();
    std::this_thread::yield();
  }
  for (std::thread &caller : callers) caller.join();
}

}  // namespace

// Lent memory is writable to its end, and taken back from any thread.
void check_lending(Random &random) {
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; n++) {
    const int64_t bytes = random.whole(1, 3) * random.whole(1, 5000000);
    threads.emplace_back([bytes] {
      for (int k = 0; k < 20; k++) {
        void *memory = gatewise_lend(bytes);
        std::memset(memory, k, size_t(bytes));
        std::thread([memory] { gatewise_give_back(memory); }).join();
      }
    });
  }
  for (std::thread &one : threads) one.join();
  gatewise_give_back(nullptr);
  if (gatewise_lend(-1)) failures++, std::printf("FAILED a negative number of bytes was lent\n");
}

// Packed sequences: lengths and offsets as drawn come back from the sequences on at each step.
void check_batch_sizes(Random &random) {
  for (int n = 0; n < 200; n++) {
    const int64_t B = random.whole(1, 9), T = random.whole(1, 9);
    std::vector<int64_t> lengths, sizes, offsets, read(static_cast<size_t>(B)), starts(static_cast<size_t>(T));
    for (int64_t b = 0; b < B; b++) lengths.push_back(b ? random.whole(1, T) : T);
    std::sort(lengths.rbegin(), lengths.rend());
    int64_t rows = 0;
    for (int64_t t = 0; t < T; t++) {
      offsets.push_back(rows);
      sizes.push_back(std::count_if(lengths.begin(), lengths.end(), [t](int64_t length) { return length > t; }));
      rows += sizes.back();
    }
    const auto call = [&](int64_t more) {
      return gatewise_read_batch_sizes(sizes.data(), T, B, rows + more, read.data(), starts.data());
    };
    if (call(0) != GATEWISE_OK || read != lengths || starts != offsets) failures++, std::printf("FAILED batch sizes\n");
    if (call(1) != GATEWISE_BAD_LENGTHS || call(-1) != GATEWISE_BAD_LENGTHS)
      failures++, std::printf("FAILED batch sizes of other rows were taken\n");
    sizes.back() = B + 1;
    if (call(0) != GATEWISE_BAD_LENGTHS) failures++, std::printf("FAILED rising batch sizes were taken\n");
  }
}

int main(int count, char **arguments) {
  const int64_t cases = count > 1 ? std::atoll(arguments[1]) : 100;
  std::vector<std::string> sets;
  for (const char *name : {"avx512", "avx2", "neon", "baseline"})
    if (gatewise_use_instructions(name) == 0) sets.push_back(name);
  const std::string first = gatewise_instructions();
  if (gatewise_use_instructions("no such thing") != 1 || first != gatewise_instructions())
    failures++, std::printf("FAILED an unknown instruction set was taken\n");
  uint64_t seed = 0;
  for (const std::string &name : sets) {
    gatewise_use_instructions(name.c_str());
    if (name != gatewise_instructions()) failures++, std::printf("FAILED %s was not taken\n", name.c_str());
    run_callers(cases, seed += 100, sets, true);
    for (int64_t dtype : {GATEWISE_FLOAT32, GATEWISE_FLOAT64})
      if (!(gatewise_multiply_add(dtype, 100, 2) > 0)) failures++, std::printf("FAILED multiply_add\n");
    std::printf("%-8s  done\n", name.c_str());
  }
  run_callers(cases, seed += 100, sets, false);
  Random random{std::mt19937_64(seed)};
  check_lending(random);
  check_batch_sizes(random);
  gatewise_release();
  if (gatewise_release() != 0) failures++, std::printf("FAILED memory was left after a release\n");
  std::printf("%lld calls, %lld failures\n", (long long)calls, (long long)failures);
  return failures == 0 ? 0 : 1;
}

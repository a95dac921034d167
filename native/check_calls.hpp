// Part of check.cpp: a case as a call of the library, each tensor in a heap block of exactly its size.

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "check_cases.hpp"
#include "gatewise.h"

namespace {

constexpr double MARK = 12345;  // in memory that forward must not write
const double NOT_A_NUMBER = std::nan("");

// ------------------------------------------------------------------------------------------ memory for a call

// A heap block of exactly n numbers, sometimes aligned to a single number only; null if n is zero.
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

// A tensor over steps with its own strides: time or batch first, with gaps, or packed.
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
  // Writes the valid steps and leaves the rest unchanged.
  void put(const std::vector<double> &rows) const {
    each([&](int64_t t, int64_t b, Real *to) {
      if (one.valid(t, b)) std::copy_n(rows.begin() + one.row(t, b) * width, width, to);
    });
  }
  // Reads all steps and checks that the gaps between them are unchanged.
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
  std::unique_ptr<int64_t[]> lengths, offsets;  // of exact size, like the tensors

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
    scan.h = scan.c = nullptr;  // backward does not need them
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

  // Forward does not write saved tensors after a sequence's end; they are zeroed here, as in the naive result.
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

}  // namespace

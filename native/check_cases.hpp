// Part of check.cpp: random cases, and a naive implementation of the equations on dual numbers.

#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "gatewise.h"

namespace {

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
  bool with[FOUND];              // which incoming gradients are given
  bool want_x, want_weights;     // which gradients are requested
  std::vector<int64_t> lengths, offsets;
  int64_t rows;
  GivenTensors given;            // tensors over steps by row; empty: absent, or of size zero
  FoundTensors weight;           // of each result in the objective; zero without an incoming gradient

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
  one.lengths[0] = std::max<int64_t>(one.lengths[0], 1);  // at least one row
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
  for (int64_t row = 0; row < one.rows; row++)  // the fourth plane is not a gate and has no incoming gradient
    std::fill_n(one.weight[GATES].begin() + (row * 4 + 3) * one.H, one.H, 0.0);
}

Case draw(Random &random) {
  Case one{};
  const bool wide = random.whole(0, 15) == 0;  // more units than one pass of the widest kernel
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

  // The given tensors, with a derivative along a direction in one of them (empty: without).
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

  // The directional derivative of the objective: the weighted sum of all results.
  double slope() const {
    double total = 0;
    for (int k = 0; k < FOUND; k++)
      for (size_t j = 0; j < found[k].size(); j++) total += one.weight[k][j] * found[k][j].slope;
    return total;
  }
};

}  // namespace

// A test of the C interface: many random calls, each compared with a second, naive implementation of the equations.
//
// Forward is compared with scalar loops in float64; backward with the exact derivative of these loops along random
// directions, computed with dual numbers. Every tensor has a heap block of exactly its size, so that AddressSanitizer
// detects overruns. Memory that must not be read holds NaN, other forbidden memory a mark. Run by `make sanitize`.

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "check_calls.hpp"
#include "check_cases.hpp"
#include "gatewise.h"
#include "threads.hpp"

namespace {

void compare(const Case &one, const std::string &name, const std::vector<double> &ours,
             const std::vector<double> &theirs, double limit) {
  double size = 0;
  for (double value : theirs) size = std::max(size, std::abs(value));
  for (size_t j = 0; j < ours.size(); j++) {
    const double away = std::abs(ours[j] - theirs[j]);
    if (!(away <= limit * (size > 1e-3 ? size : 1)))  // negated, so that NaN fails too
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

// In a fixed order, the gradients have the bits of one thread.
template <class Real>
void compare_fixed_order(const Case &one, Random &random, const std::string &dtype) {
  GivenTensors grads[2];
  for (int64_t threads : {int64_t(1), one.threads}) {
    Call<Real> call(one, random);
    call.scan.threads = threads, call.scan.fixed_order = threads > 1;
    call.forward();
    grads[threads > 1] = call.backward();
  }
  for (int k = 0; k < GIVEN && one.threads > 1; k++)
    if (!same_bits(grads[0][k], grads[1][k]))
      fail(one, dtype + GIVEN_NAMES[k] + "'s gradient depends on the threads");
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
  if (settled) {  // a repeated call gives the same bits, with its tensors at any addresses
    Call<Real> again(one, random);
    FoundTensors twice = again.forward();
    for (int k = 0; k < FOUND; k++)
      if (!same_bits(found[k], twice[k])) fail(one, dtype + FOUND_NAMES[k] + " differs from call to call");
    GivenTensors grads_twice = again.backward();
    for (int k = 0; k < GIVEN; k++)
      if (!same_bits(grads[k], grads_twice[k]))
        fail(one, dtype + GIVEN_NAMES[k] + "'s gradient differs from call to call");
    compare_fixed_order<Real>(one, random, dtype);
  }
  return grads;
}

// Without saved tensors, as at inference.
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

// One step at a time, with the state updated in place or written to another tensor.
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

// Invalid arguments return the documented status, and nothing is written.
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

// Concurrent callers, each with its own cases; if `unsettled`, another thread changes the instruction set.
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

// Lent memory is writable to its end and can be given back by any thread.
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

// Packed sequences: gatewise_read_batch_sizes recovers lengths and offsets from the number of sequences at each step.
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

// If the system provides too few threads, none starts to work, because they would wait for each other forever.
void check_too_few_threads(Random &random) {
  for (int n = 0; n < 50; n++) {
    const int members = int(random.whole(2, 6)), most = int(random.whole(0, members));  // the first is this thread
    std::atomic<int> ran{0}, made{0};
    Barrier barrier;
    barrier.members = members;
    const auto run = [&](int) { ran++, barrier.wait(); };
    const bool begun = in_new_threads(members, run, [&](auto body) {
      if (made == most) throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
      made++;
      return std::thread(body);
    });
    const bool enough = most >= members - 1;
    if (begun != enough || ran != (enough ? members : 0)) failures++, std::printf("FAILED too few threads\n");
  }
}

double thread_seconds() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return double(used.tv_sec) + 1e-9 * double(used.tv_nsec);
}

// Threads that begin late, then a late member in each round, so that the others sleep. Returns CPU time by wall time.
// The numbers that the members write are not atomic: ThreadSanitizer reports a barrier that does not order them.
double run_late_members(Random &random, int rounds, int64_t least, int64_t most) {
  constexpr int members = 3;
  std::vector<std::chrono::microseconds> delays;
  for (int n = 0; n < members + rounds; n++) delays.emplace_back(random.whole(least, most));
  std::vector<int> written(members, -1);
  std::atomic<int> missed{0};
  std::vector<double> used(members);
  Barrier barrier;
  barrier.members = members;
  const auto run = [&](int thread) {
    for (int round = 0; round < rounds; round++) {
      if (round % members == thread) std::this_thread::sleep_for(delays[size_t(members + round)]);
      written[size_t(thread)] = round;
      barrier.wait();
      for (int one : written) missed += one != round;
      barrier.wait();
    }
    used[size_t(thread)] = thread_seconds();
  };
  const double before = thread_seconds();
  const auto start = std::chrono::steady_clock::now();
  int made = 0;
  const bool begun = in_new_threads(members, run, [&](auto body) {
    std::thread one(body);
    std::this_thread::sleep_for(delays[size_t(made++)]);
    return one;
  });
  if (!begun || missed) failures++, std::printf("FAILED %d numbers of late members were missed\n", int(missed));
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  return (used[0] - before + used[1] + used[2]) / wall.count();
}

void check_late_members(Random &random) {
  alarm(100);  // a lost wake-up ends the check, which would hang otherwise
  run_late_members(random, 3000, 0, 300);  // some arrive just when the others fall asleep
  const double share = run_late_members(random, 9, 30000, 30000);
  if (share > 0.25) failures++, std::printf("FAILED threads used %.2f cores while they waited\n", share);
  alarm(0);
}

int main(int count, char **arguments) {
  const int64_t cases = count > 1 ? std::atoll(arguments[1]) : 100;
  std::vector<std::string> sets;
  for (const char *name : {"avx512", "avx2", "neon", "baseline"})
    if (gatewise_use_instructions(name) == 0) sets.push_back(name);
  if (gatewise_interface() != GATEWISE_INTERFACE || gatewise_forked() != 0)
    failures++, std::printf("FAILED the library is of another interface, or in a forked child\n");
  const std::string first = gatewise_instructions();
  if (gatewise_use_instructions("no such thing") != 1 || first != gatewise_instructions())
    failures++, std::printf("FAILED an unknown instruction set was taken\n");
  uint64_t seed = 0;
  Random random{std::mt19937_64(seed)};
  check_late_members(random);
  for (const std::string &name : sets) {
    gatewise_use_instructions(name.c_str());
    if (name != gatewise_instructions()) failures++, std::printf("FAILED %s was not taken\n", name.c_str());
    run_callers(cases, seed += 100, sets, true);
    for (int64_t dtype : {GATEWISE_FLOAT32, GATEWISE_FLOAT64})
      if (!(gatewise_multiply_add(dtype, 100, 2) > 0)) failures++, std::printf("FAILED multiply_add\n");
    std::printf("%-8s  done\n", name.c_str());
  }
  run_callers(cases, seed += 100, sets, false);
  check_lending(random);
  check_batch_sizes(random);
  check_too_few_threads(random);
  gatewise_release();
  if (gatewise_release() != 0) failures++, std::printf("FAILED memory was left after a release\n");
  std::printf("%lld calls, %lld failures\n", (long long)calls, (long long)failures);
  return failures == 0 ? 0 : 1;
}

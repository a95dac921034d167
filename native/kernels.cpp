// All vector code, compiled once for each instruction set.

#include "backward.hpp"
#include "forward.hpp"
#include "gru.hpp"
#include "lstm.hpp"
#include "rnn.hpp"
#include "step.hpp"

namespace GATEWISE_INSTRUCTIONS {

// Calls act with a null pointer whose type is the cell of the call.
template <class T, class Act>
auto with_cell(int64_t cell, Act act) {
  switch (cell) {
    case GATEWISE_TANH:
      return act(static_cast<Rnn<T, TANH> *>(nullptr));
    case GATEWISE_RELU:
      return act(static_cast<Rnn<T, RELU> *>(nullptr));
    case GATEWISE_IDENTITY:
      return act(static_cast<Rnn<T, IDENTITY> *>(nullptr));
    case GATEWISE_LSTM:
      return act(static_cast<Lstm<T> *>(nullptr));
    default:
      return act(static_cast<Gru<T> *>(nullptr));
  }
}

template <class Act>
auto with_cell_of(const Job &job, Act act) {
  if (job.scan->dtype == GATEWISE_FLOAT32) return with_cell<float>(job.scan->cell, act);
  return with_cell<double>(job.scan->cell, act);
}

template <class Pointer>
struct Pointed;
template <class Cell>
struct Pointed<Cell *> {
  using type = Cell;
};
#define CELL Pointed<decltype(cell)>::type

static int lanes(int64_t dtype) { return dtype == GATEWISE_FLOAT32 ? LANES<float> : LANES<double>; }

static size_t plan_forward(const Job &job) {
  return with_cell_of(job, [&](auto *cell) { return Forward<typename CELL>::plan(job); });
}

static void forward(const Job &job, int thread) {
  with_cell_of(job, [&](auto *cell) { Forward<typename CELL>::run(job, thread); });
}

static size_t plan_backward(const Job &job) {
  return with_cell_of(job, [&](auto *cell) { return Backward<typename CELL>::plan(job); });
}

static void backward(const Job &job, int thread) {
  with_cell_of(job, [&](auto *cell) { Backward<typename CELL>::run(job, thread); });
}

static size_t step_memory(const gatewise_scan &s) {
  return s.dtype == GATEWISE_FLOAT32 ? with_cell<float>(s.cell, [&](auto *cell) { return Step<typename CELL>::memory(s); })
                                     : with_cell<double>(s.cell, [&](auto *cell) { return Step<typename CELL>::memory(s); });
}

static void step(const gatewise_scan &s, void *fresh, int thread, int threads) {
  const auto run = [&](auto *cell) { Step<typename CELL>::run(s, static_cast<typename CELL::Number *>(fresh), thread, threads); };
  s.dtype == GATEWISE_FLOAT32 ? with_cell<float>(s.cell, run) : with_cell<double>(s.cell, run);
}

static void finish_step(const gatewise_scan &s, const void *fresh) {
  const auto run = [&](auto *cell) { Step<typename CELL>::finish(s, static_cast<const typename CELL::Number *>(fresh)); };
  s.dtype == GATEWISE_FLOAT32 ? with_cell<float>(s.cell, run) : with_cell<double>(s.cell, run);
}

template <class T>
static double multiply_add_rate(int64_t rounds) {
  constexpr int chains = REGISTERS > 16 ? 24 : 12;
  volatile T start = 0;  // volatile, so that the compiler cannot merge the chains
  Vector<T> sums[chains], a = broadcast(T(0.999)), b = broadcast(T(1e-3));
  for (int c = 0; c < chains; c++) sums[c] = broadcast<T>(start);
  for (int64_t round = 0; round < rounds; round++)
#pragma GCC unroll 24
    for (int c = 0; c < chains; c++) sums[c] = sums[c] * a + b;
  volatile T kept = 0;
  for (int c = 0; c < chains; c++) kept = kept + sums[c][0];
  return 2.0 * chains * LANES<T> * double(rounds);
}

static double multiply_add_rounds(int64_t dtype, int64_t rounds) {
  return dtype == GATEWISE_FLOAT32 ? multiply_add_rate<float>(rounds) : multiply_add_rate<double>(rounds);
}

#define NAME_OF(instructions) #instructions
#define NAME(instructions) NAME_OF(instructions)
#define JOIN_NAMES(a, b) a##b
#define JOIN(a, b) JOIN_NAMES(a, b)

}  // namespace GATEWISE_INSTRUCTIONS

extern const Kernels JOIN(gatewise_kernels_, GATEWISE_INSTRUCTIONS);
const Kernels JOIN(gatewise_kernels_, GATEWISE_INSTRUCTIONS) = {
    NAME(GATEWISE_INSTRUCTIONS),
    GATEWISE_INSTRUCTIONS::lanes,
    GATEWISE_INSTRUCTIONS::plan_forward,
    GATEWISE_INSTRUCTIONS::forward,
    GATEWISE_INSTRUCTIONS::plan_backward,
    GATEWISE_INSTRUCTIONS::backward,
    GATEWISE_INSTRUCTIONS::step_memory,
    GATEWISE_INSTRUCTIONS::step,
    GATEWISE_INSTRUCTIONS::finish_step,
    GATEWISE_INSTRUCTIONS::multiply_add_rounds,
};

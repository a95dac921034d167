// One call, as dispatch.cpp passes it to the kernels: the caller's tensors, the work of each thread, the workspace.
//
// Threads form a grid: the sequences are split into `lists`, and the units of each list to `slices`. Thread k works on
// slice k % slices of list k / slices. If slices > 1, the threads of a list wait for each other at every step.

#pragma once

#include <cstddef>
#include <cstdint>

#include "gatewise.h"

struct Barrier;

// Sequences that run together, longest first, so that those still running are always the first few.
struct List {
  int64_t count;
  const int64_t *sequences;  // their positions in the batch
  const int64_t *lengths;    // of each
};

struct Job {
  const gatewise_scan *scan;
  int lists, slices;
  bool together;          // whether all lists add to one sum of weight gradients, or each list to its own
  const List *list;       // (lists)
  Barrier *team;          // all threads
  Barrier *const *local;  // (lists): the threads of one list
  void (*wait)(Barrier *);
  void *plan;             // the kernels' memory layout, plan_bytes long, initially zero
  char *memory;           // the workspace, aligned to 64 bytes
};

constexpr size_t PLAN_BYTES = 512;

// The functions of each instruction set.
struct Kernels {
  const char *name;
  int (*lanes)(int64_t dtype);
  size_t (*plan_forward)(const Job &);  // lays out the memory from job.memory on; returns its size
  void (*forward)(const Job &, int thread);
  size_t (*plan_backward)(const Job &);
  void (*backward)(const Job &, int thread);
  size_t (*step_memory)(const gatewise_scan &);
  void (*step)(const gatewise_scan &, void *fresh, int thread, int threads);
  void (*finish_step)(const gatewise_scan &, const void *fresh);
  double (*multiply_add)(int64_t dtype, int64_t rounds);
};

// Threads: run a function on each thread of a team, and a barrier for the team.
//
// Uses OpenMP, so that torch's threads are shared: a second set would compete with them for the cores. ThreadSanitizer
// cannot instrument OpenMP's library; GATEWISE_STD_THREADS selects plain threads for it.

#pragma once

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include "workspace.hpp"

#ifndef GATEWISE_STD_THREADS
#include <omp.h>
#endif

// A spinning barrier: steps are too short for sleeping. A thread that spins for long yields to others.
struct alignas(64) Barrier {
  std::atomic<int> arrived{0};
  std::atomic<int> round{0};
  int members = 1;

  void wait() {
    const int now = round.load(std::memory_order_relaxed);
    if (arrived.fetch_add(1, std::memory_order_acq_rel) == members - 1) {
      arrived.store(0, std::memory_order_relaxed);
      round.store(now + 1, std::memory_order_release);
      return;
    }
    for (int spins = 0; round.load(std::memory_order_acquire) == now; spins++) {
      if (spins < 4000)
        pause();
      else
        sched_yield();
    }
  }

 private:
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
};

inline std::atomic<bool> &forked() {
  static std::atomic<bool> value{false};
  return value;
}

// A forked child has no OpenMP threads, but OpenMP would wait for them forever. A lock on the shelf that another thread
// holds would never be released in the child, so that no thread may hold it while the process forks.
inline const int at_fork = pthread_atfork([] { workspace::shelf().mutex.lock(); },
                                          [] { workspace::shelf().mutex.unlock(); },
                                          [] {
                                            workspace::shelf().mutex.unlock();
                                            forked() = true;
                                          });

// Calls run(thread) on new threads. They may wait for each other, so that none begins before all exist. If a thread
// cannot be created, `make` throws, none runs, and the result is false.
template <class Run, class Make>
bool in_new_threads(int members, Run run, Make make) {
  enum { WAIT, BEGIN, LEAVE };
  std::atomic<int> word{WAIT};
  std::vector<std::thread> others;
  try {
    others.reserve(size_t(members));
    for (int thread = 1; thread < members; thread++)
      others.push_back(make([&run, &word, thread] {
        while (word.load(std::memory_order_acquire) == WAIT) sched_yield();
        if (word.load(std::memory_order_relaxed) == BEGIN) run(thread);
      }));
    word.store(BEGIN, std::memory_order_release);
  } catch (const std::exception &) {  // std::system_error, or no memory
    word.store(LEAVE, std::memory_order_release);
  }
  const bool begun = word == BEGIN;
  if (begun) run(0);
  for (auto &other : others) other.join();
  return begun;
}

template <class Run>
bool in_new_threads(int members, Run run) {
  return in_new_threads(members, run, [](auto body) { return std::thread(body); });
}

// Calls run(thread) on threads 0 .. members - 1, all at the same time: they may wait for each other. Returns false,
// without any call, if there are too few threads.
template <class Run>
[[nodiscard]] bool in_parallel(int members, Run run) {
  if (members == 1) return run(0), true;
#ifdef GATEWISE_STD_THREADS
  return in_new_threads(members, run);
#else
  int given = 0;
#pragma omp parallel num_threads(members)
  {
    if (omp_get_num_threads() == members) run(omp_get_thread_num());
    if (omp_get_thread_num() == 0) given = omp_get_num_threads();
  }
  // OpenMP provides fewer threads inside another region, or under a limit.
  return given == members || in_new_threads(members, run);
#endif
}

// Threads: run a function on each of a team, and let a team wait for each other.
//
// OpenMP's threads, so that torch's own are used: a second set would fight them for the cores. Where its library cannot
// be looked into (ThreadSanitizer), plain threads with GATEWISE_STD_THREADS.

#pragma once

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <thread>
#include <vector>

#include "workspace.hpp"

#ifndef GATEWISE_STD_THREADS
#include <omp.h>
#endif

// A wait of all for all, by spinning: steps are too short to sleep. Who spins for long lets others run.
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

// In a forked child OpenMP's threads do not exist, but OpenMP believes they do and would wait for them forever. And who
// holds the shelf's lock in another thread will never give it back there: nobody may hold it while the process forks.
inline const int at_fork = pthread_atfork([] { workspace::shelf().mutex.lock(); },
                                          [] { workspace::shelf().mutex.unlock(); },
                                          [] {
                                            workspace::shelf().mutex.unlock();
                                            forked() = true;
                                          });

template <class Run>
void in_new_threads(int members, Run run) {
  std::vector<std::thread> others;
  for (int thread = 1; thread < members; thread++) others.emplace_back([&run, thread] { run(thread); });
  run(0);
  for (auto &other : others) other.join();
}

// Calls run(thread) on threads 0 .. members - 1, all at the same time: they may wait for each other.
template <class Run>
void in_parallel(int members, Run run) {
  if (members == 1) return run(0);
#ifdef GATEWISE_STD_THREADS
  in_new_threads(members, run);
#else
  int given = 0;
#pragma omp parallel num_threads(members)
  {
    if (omp_get_num_threads() == members) run(omp_get_thread_num());
    if (omp_get_thread_num() == 0) given = omp_get_num_threads();
  }
  if (given != members) in_new_threads(members, run);  // OpenMP gives fewer inside another region, or where limited
#endif
}

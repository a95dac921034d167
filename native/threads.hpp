// Threads: run a function on each thread of a team, and a barrier for the team.
//
// Uses OpenMP, so that torch's threads are shared: a second set would compete with them for the cores. ThreadSanitizer
// cannot instrument OpenMP's library; GATEWISE_STD_THREADS selects plain threads for it.
//
// A wait spins for about 0.1 ms and then sleeps. Steps of a scan last microseconds, less than it takes to sleep and
// wake up: on an idle machine, the spin is all that is needed. On a busy machine, the thread that everybody waits for
// may have lost its core to another process. A thread that goes on spinning then burns CPU time, and may hold the very
// core that the late thread needs. sched_yield does not help: the waiting thread stays runnable and soon gets the core
// back. A sleeping thread leaves its core to others until the last member wakes it.

#pragma once

#include <pthread.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "workspace.hpp"

#ifndef GATEWISE_STD_THREADS
#include <omp.h>
#endif

// A number of 31 bits; threads wait until it changes. One thread at a time may set it. It must outlive every call:
// set() may still wake sleepers when the threads that it released have gone on.
//
// The lowest bit of the word says that a thread sleeps or is about to: if none does, set() costs one exchange and no
// system call. No wake-up is lost. A sleeper holds the lock from before it sets the bit until it is asleep, and it sets
// the bit only while the number is the old one. set() replaces number and bit in one exchange: either it gets the bit,
// or setting the bit fails and the sleeper sees the new number. Having got the bit, set() takes the lock once before it
// wakes anybody. Those that held the lock before are asleep by then; those that take it later see the new number.
class WaitableNumber {
 public:
  WaitableNumber() = default;
  ~WaitableNumber() { pthread_cond_destroy(&changed); }

  unsigned value() const { return word.load(std::memory_order_acquire) >> 1; }

  void set(unsigned value) {
    if (word.exchange(value << 1, std::memory_order_acq_rel) & SLEEPERS) wake();
  }

  void wait_while(unsigned old) {
    for (int spins = 0; spins < SPINS; spins++) {
      if (value() != old) return;
      pause();
    }
    sleep_while(old);
  }

 private:
  static constexpr unsigned SLEEPERS = 1;
  static constexpr int SPINS = 4000;

  std::atomic<unsigned> word{0};
  std::mutex mutex;
  // Not std::condition_variable: its wait() needs GCC 12's C++ library at run time, and Python may load an older one.
  pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

  void sleep_while(unsigned old) {
    std::lock_guard<std::mutex> lock(mutex);
    unsigned expected = old << 1;
    word.compare_exchange_strong(expected, expected | SLEEPERS, std::memory_order_relaxed);
    while (value() == old) pthread_cond_wait(&changed, mutex.native_handle());
  }

  void wake() {
    { std::lock_guard<std::mutex> lock(mutex); }
    pthread_cond_broadcast(&changed);
  }

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
};

// Used for any number of rounds. It is destroyed only after every member has returned from wait(): in_parallel returns
// after all its threads have.
struct alignas(64) Barrier {
  std::atomic<int> arrived{0};
  int members = 1;
  WaitableNumber round;

  void wait() {
    const unsigned now = round.value();  // cannot change before this thread arrives
    if (arrived.fetch_add(1, std::memory_order_acq_rel) < members - 1) return round.wait_while(now);
    arrived.store(0, std::memory_order_relaxed);
    round.set(now + 1);
  }
};

inline std::atomic<bool> &forked() {
  static std::atomic<bool> value{false};
  return value;
}

// A forked child has no OpenMP threads, but OpenMP would wait for them forever: the child starts new threads. A lock on
// the shelf that another thread holds would never be released in the child, so that no thread may hold it while the
// process forks. Barriers need no such care: those that exist at that time belong to calls of other threads, which the
// child does not have.
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
  enum : unsigned { WAIT, BEGIN, LEAVE };
  WaitableNumber word;
  std::vector<std::thread> others;
  try {
    others.reserve(size_t(members));
    for (int thread = 1; thread < members; thread++)
      others.push_back(make([&run, &word, thread] {
        word.wait_while(WAIT);
        if (word.value() == BEGIN) run(thread);
      }));
    word.set(BEGIN);
  } catch (const std::exception &) {  // std::system_error, or no memory
    word.set(LEAVE);
  }
  const bool begun = word.value() == BEGIN;
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
  if (forked()) return in_new_threads(members, run);
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

// The workspace. The next call reuses the memory that a call gives back: the system clears new pages each time, which
// takes longer than the computation in them.

#pragma once

#include <cstdint>
#include <cstdlib>
#include <mutex>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace workspace {

// The header before each piece: its size. It fills one cache line, so that the piece is aligned to a cache line.
struct alignas(64) Head {
  size_t bytes;  // of the piece
};

constexpr size_t MOST_KEPT = size_t(256) << 20;  // in total
constexpr size_t PLACES = 16;

struct Shelf {
  std::mutex mutex;
  Head *kept[PLACES] = {};
  size_t bytes = 0;
};

inline Shelf &shelf() {
  static Shelf *const one = new Shelf;  // never destroyed: threads may outlive the program's end
  return *one;
}

// Takes the smallest stored piece that is large enough, at most `idle` bytes larger: these bytes stay unused.
inline Head *from_shelf(size_t bytes, size_t idle) {
  Shelf &all = shelf();
  std::lock_guard<std::mutex> lock(all.mutex);
  Head **best = nullptr;
  for (Head *&one : all.kept)
    if (one && one->bytes >= bytes && one->bytes - bytes <= idle && (!best || one->bytes < (*best)->bytes))
      best = &one;
  if (!best) return nullptr;
  Head *const found = *best;
  *best = nullptr;
  all.bytes -= found->bytes;
  return found;
}

// Null if there is no memory. Aligned to 64 bytes, with arbitrary contents.
inline void *take(size_t bytes, size_t idle) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  bytes = (bytes + 63) / 64 * 64 + 64;
  Head *piece = from_shelf(bytes, idle);
  if (!piece) {
    constexpr size_t huge = size_t(2) << 20;
    const bool large = bytes >= 2 * huge;
    const size_t whole = large ? (bytes + sizeof(Head) + huge - 1) / huge * huge : bytes + sizeof(Head);
    piece = static_cast<Head *>(aligned_alloc(large ? huge : 64, whole));
    if (!piece) return nullptr;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (large) madvise(piece, whole, MADV_HUGEPAGE);  // a hint; small pages cause 512 times as many page faults
#endif
    piece->bytes = whole - sizeof(Head);
  }
  return piece + 1;
}

inline void give_back(void *memory) {
  if (!memory) return;
  Head *piece = static_cast<Head *>(memory) - 1;
  {
    Shelf &all = shelf();
    std::lock_guard<std::mutex> lock(all.mutex);
    if (piece->bytes <= MOST_KEPT - all.bytes)
      for (Head *&place : all.kept)
        if (!place) {
          place = piece;
          all.bytes += piece->bytes;
          return;
        }
  }
  free(piece);
}

// Frees the stored memory; returns the number of bytes.
inline size_t release() {
  Shelf &all = shelf();
  std::lock_guard<std::mutex> lock(all.mutex);
  const size_t bytes = all.bytes;
  for (Head *&one : all.kept) {
    free(one);
    one = nullptr;
  }
  all.bytes = 0;
  return bytes;
}

}  // namespace workspace

class Workspace {
 public:
  explicit Workspace(size_t bytes) : piece(workspace::take(bytes, 3 * bytes + 16384)) {}
  ~Workspace() { workspace::give_back(piece); }
  Workspace(const Workspace &) = delete;
  Workspace &operator=(const Workspace &) = delete;
  char *memory() const { return static_cast<char *>(piece); }

 private:
  void *piece;
};

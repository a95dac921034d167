// Memory to work in. What a call gives back serves the next one: fresh pages would be cleared by the system each time.

#pragma once

#include <cstdlib>
#include <mutex>

class Workspace {
 public:
  // Null where there is no memory. Aligned to 64 bytes, filled with whatever was there.
  explicit Workspace(size_t bytes) : piece(take(bytes)) {}
  ~Workspace() { give_back(piece); }
  Workspace(const Workspace &) = delete;
  Workspace &operator=(const Workspace &) = delete;
  char *memory() const { return static_cast<char *>(piece.memory); }

  // Frees what is kept; returns how many bytes that were.
  static size_t release() {
    std::lock_guard<std::mutex> lock(shelf().mutex);
    size_t bytes = 0;
    for (Piece &kept : shelf().kept) {
      bytes += kept.bytes;
      free(kept.memory);
      kept = Piece{};
    }
    return bytes;
  }

 private:
  struct Piece {
    void *memory = nullptr;
    size_t bytes = 0;
  };
  static constexpr size_t LARGEST = size_t(64) << 20;  // larger pieces are not kept: their pages are the lesser cost
  struct Shelf {
    std::mutex mutex;
    Piece kept[4];  // at most so many pieces, 256 MiB, wait for their next use
  };
  static Shelf &shelf() {
    static Shelf *const one = new Shelf;  // never destroyed: threads may outlive the program's end
    return *one;
  }

  static Piece take(size_t bytes) {
    {
      std::lock_guard<std::mutex> lock(shelf().mutex);
      for (Piece &kept : shelf().kept)
        if (kept.bytes >= bytes && kept.memory) {
          const Piece piece = kept;
          kept = Piece{};
          return piece;
        }
    }
    Piece piece;
    piece.bytes = (bytes + 63) / 64 * 64 + 64;
    piece.memory = aligned_alloc(64, piece.bytes);
    if (!piece.memory) piece.bytes = 0;
    return piece;
  }

  static void give_back(Piece piece) {
    if (piece.memory && piece.bytes <= LARGEST) {
      std::lock_guard<std::mutex> lock(shelf().mutex);
      Piece *least = &shelf().kept[0];  // an empty place counts 0 bytes
      for (Piece &kept : shelf().kept)
        if (kept.bytes < least->bytes) least = &kept;
      if (piece.bytes > least->bytes) {
        const Piece smaller = *least;
        *least = piece;
        piece = smaller;
      }
    }
    free(piece.memory);
  }

  Piece piece;
};

/* The plain C interface of the native engine: one recurrent layer, in one direction, forward and backward, on a CPU.

   Letters: T time steps, B batch, I input size, H hidden size, P size of h (H, or the projection size), G gates of the
   cell, S planes of activations saved for the backward pass. Gates lie in torch's order: LSTM i f g o, GRU r z n.

   Every tensor belongs to the caller. Those marked "out" are written, all others only read; none may overlap an "out".
   Unless strides are given, a tensor is contiguous, in the order of its shape. A row is one step of one sequence: step
   t of sequence b is row t * B + b, or offsets[t] + b for packed sequences. Sizes and ranges are checked before any
   memory is accessed; whether a pointer leads to enough memory cannot be checked.

   Functions may be called from any number of threads at once. They store no weights between calls, only free memory. */

#ifndef GATEWISE_H
#define GATEWISE_H

#include <stdint.h>

#ifdef _WIN32
#define GATEWISE_API __declspec(dllexport)
#else
#define GATEWISE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The number of this interface. A change of the struct, of a status, or of a function's arguments or behaviour
   increments it, together with INTERFACE in src/gatewise/engines/native/loader.py. */
#define GATEWISE_INTERFACE 2

enum gatewise_cell { GATEWISE_TANH, GATEWISE_RELU, GATEWISE_IDENTITY, GATEWISE_LSTM, GATEWISE_GRU };
enum gatewise_dtype { GATEWISE_FLOAT32, GATEWISE_FLOAT64 };
enum gatewise_status {
  GATEWISE_OK = 0,
  GATEWISE_BAD_CELL = 1,    /* unknown cell, or a projection for a cell that has none */
  GATEWISE_BAD_DTYPE = 2,   /* unknown dtype */
  GATEWISE_BAD_SIZE = 3,    /* a size is negative, or so large that the number of bytes overflows */
  GATEWISE_BAD_LENGTHS = 4, /* a length outside 0..T; for packed sequences, lengths that increase */
  GATEWISE_BAD_POINTER = 5, /* a tensor that the call needs is missing */
  GATEWISE_NO_MEMORY = 6,   /* not enough memory for the workspace */
  GATEWISE_NO_THREADS = 7   /* the system provides fewer threads than requested; nothing is written */
};

/* All fields take 8 bytes, so that a caller may write them as one array of 64-bit integers. */
struct gatewise_scan {
  int64_t cell, dtype, threads, reverse;
  int64_t T, B, I, H, P;

  const void *x;          /* (T, B, I), features contiguous */
  int64_t x_t, x_b;       /* its strides in elements; packed: (N, I), x_b from row to row, x_t unused */
  const int64_t *lengths; /* (B), 0..T, any order; NULL: all T. Packed: never increasing */
  const int64_t *offsets; /* (T) first row of each step of packed sequences; NULL: padded */

  const void *weight_ih; /* (G*H, I) */
  const void *weight_hh; /* (G*H, P) */
  const void *bias_ih;   /* (G*H) or NULL */
  const void *bias_hh;   /* (G*H) or NULL */
  const void *weight_hr; /* (P, H), LSTM only, or NULL: P == H */
  const void *h0;        /* (B, P) */
  const void *c0;        /* (B, H), LSTM only */

  void *output;         /* (T, B, P), features contiguous; out of forward, zero after each sequence's end */
  int64_t out_t, out_b; /* its strides, as for x */
  void *h;              /* (B, P) out of forward: h after each sequence's last step */
  void *c;              /* (B, H) out of forward, LSTM only */
  void *gates;          /* (rows, S, H) out of forward or NULL, needed by backward: LSTM i f g o, GRU r z n and
                           W_hn h + b_hn, RNN none. Not written after a sequence's end */
  void *cells;          /* (rows, H) out of forward or NULL, needed by backward, LSTM only */

  /* The fields below are for backward only. An incoming gradient may be NULL, which means zero. */
  const void *grad_output; /* (T, B, P), features contiguous */
  int64_t grad_t, grad_b;  /* its strides, as for x */
  const void *grad_h;      /* (B, P) */
  const void *grad_c;      /* (B, H), LSTM only */
  const void *grad_gates;  /* (rows, S, H): at the activated gates; not for the RNN */
  const void *grad_cells;  /* (rows, H), LSTM only */

  void *grad_x;         /* (rows, I) out, or NULL if not requested; zero after each sequence's end */
  void *grad_weight_ih; /* out, shaped as the weights. If grad_weight_hh is NULL, none is */
  void *grad_weight_hh; /* computed; that of an absent bias may be NULL */
  void *grad_bias_ih;
  void *grad_bias_hh;
  void *grad_weight_hr;
  void *grad_h0; /* (B, P) out or NULL: not requested */
  void *grad_c0; /* (B, H) out, LSTM only */
  int64_t fixed_order; /* 1: sums run in the order of one thread, so that no bit depends on `threads`; fewer may work */
};

/* The GATEWISE_INTERFACE that the library was built with. Call it first: a library with another interface would misread
   the caller's structs. */
GATEWISE_API int gatewise_interface(void);

/* Run the layer. Returns a gatewise_status. */
GATEWISE_API int gatewise_forward(const struct gatewise_scan *scan);

/* Run one step (T == 1, no lengths) on unpacked weights, for a few sequences. Here h may be h0 and c may be c0, to
   update the state in place. Writes output too, unless it is NULL. Returns a
   gatewise_status. */
GATEWISE_API int gatewise_step(const struct gatewise_scan *scan);

/* Compute all gradients from the tensors that forward saved. Returns a gatewise_status. */
GATEWISE_API int gatewise_backward(const struct gatewise_scan *scan);

/* Compute the lengths (B) and offsets (T) of a scan, out, from the batch sizes (T) of packed sequences. These must
   start at B, never increase, stay at 1 or more and sum to `rows`; otherwise returns GATEWISE_BAD_LENGTHS. */
GATEWISE_API int gatewise_read_batch_sizes(const int64_t *batch_sizes, int64_t T, int64_t B, int64_t rows,
                                           int64_t *lengths, int64_t *offsets);

/* 1 in a forked child of the process that loaded the library; otherwise 0. The child does not have the threads of its
   parent: it starts new ones for each call, which pays for long calls only, and runs a single step on one thread. */
GATEWISE_API int gatewise_forked(void);

/* The instruction set in use: "avx512", "avx2", "neon" or "baseline". */
GATEWISE_API const char *gatewise_instructions(void);

/* Use an instruction set by name. Returns 0, or 1 if this machine or this build does not have it. */
GATEWISE_API int gatewise_use_instructions(const char *name);

/* Memory for tensors saved for the backward pass. Memory of earlier calls is reused, because the system clears new
   memory first. NULL if there is none. Give it back exactly once. */
GATEWISE_API void *gatewise_lend(int64_t bytes);
GATEWISE_API void gatewise_give_back(void *memory);

/* Free the memory held for later calls; returns the number of bytes. */
GATEWISE_API int64_t gatewise_release(void);

/* Run fused multiply-adds between registers, for this many rounds on this many threads: the machine's peak rate.
   Returns the number of floating-point operations. */
GATEWISE_API double gatewise_multiply_add(int64_t dtype, int64_t rounds, int64_t threads);

#ifdef __cplusplus
}
#endif

#endif

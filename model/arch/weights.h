// The weights of a model in the form the forward pass reads: ternary matrices packed for their
// kernels, float vectors padded, the dense head ready to stream.
//
//   qkv      rows q | k | v: three matrices, one product
//   gate_up  rows in alternating runs of `pair_rows`: gate, up, gate, up ...; a kernel's slice then
//            holds both factors of its neurons and the gate is applied while the sums are in cache.
//            pair_rows is half the layout's granule (0 where that is odd: all gate rows, then all
//            up rows, applied in a pass of its own).
//
// Dead neurons (gate or up row all zero, so their value is 0 for every input) are dropped. Neurons
// stand live ones first, dead ones last, and the sub-norm still divides by the full width: zeros at
// the end of a row change no sum, so the output is the same bit for bit as with them kept.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/arch/config.h"
#include "model/ops/dense.h"
#include "runtime/packed_matrix.h"

namespace trit {

// Zeroed floats aligned to 64 bytes.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  explicit FloatBuffer(int64_t count);
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  std::shared_ptr<float> data_;
};

// The float factor of packed rows, in runs.
struct RowScales {
  struct Run {
    int32_t end;  // exclusive
    float scale;
  };
  std::vector<Run> runs;

  // fn(begin, end, scale) for the parts of [begin, end).
  template <typename F>
  void ForEach(int32_t begin, int32_t end, const F& fn) const {
    for (const Run& run : runs) {
      if (run.end <= begin) continue;
      const int32_t stop = run.end < end ? run.end : end;
      if (begin < stop) fn(begin, stop, run.scale);
      begin = stop;
      if (begin >= end) return;
    }
  }
  bool single() const { return runs.size() == 1; }
};

struct LayerWeights {
  PackedMatrix qkv, out, gate_up, down;
  RowScales qkv_scales, out_scales, gate_scales, up_scales, down_scales;
  int32_t pair_rows = 0;
  int32_t neurons = 0;                                           // kept
  FloatBuffer attn_norm, attn_sub_norm, ffn_norm, ffn_sub_norm;  // sub-norms may be absent
};

struct Weights {
  std::vector<LayerWeights> layers;
  FloatBuffer output_norm;
  ops::DenseView head;
  std::shared_ptr<std::byte> head_memory;
  std::string head_encoding;
  std::unique_ptr<DenseTensor> embedding;  // null when the head serves (tied)
  // For reports.
  int64_t dead_neurons = 0;
  uint64_t packed_bytes = 0, head_bytes = 0;
  bool from_cache = false;
  double load_seconds = 0;
};

struct WeightOptions {
  std::string head_encoding;       // "q6_k", ...; "" = as in the file
  bool keep_dead_neurons = false;  // pack them too (tests)
  std::string cache_folder;        // "" = no packed cache
  // Called now and then with work done so far, of `total`; may be empty.
  std::function<void(double done, double total, const char* what)> progress;
};

// Packs on all threads of the pool. Throws an Error naming the tensor for anything that is missing
// or does not fit the configuration.
Weights LoadWeights(const ModelSource& source, const Config& config, const KernelSet& kernels,
                    ThreadPool& pool, const WeightOptions& options,
                    std::vector<std::string>* notes);

}  // namespace trit

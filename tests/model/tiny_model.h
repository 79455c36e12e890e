// Tiny random models in memory, and a slow plain forward pass in double precision over the same
// numbers. Neither shares code with the fast one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/source/model_source.h"

namespace trit::kit {

struct TinyShape {
  std::string arch = "bitnet-b1.58";
  int layers = 2, hidden = 64, ffn = 96, heads = 4, kv_heads = 2, head_dim = 16, vocabulary = 50;
  bool tied = true;
  bool halves = true;           // rotate-half rows of q and k
  bool row_scales = false;      // several scales a matrix
  int dead_every = 0;           // every so many FFN neurons one without gate or up weights
  std::string activation = {};  // written as a key when not empty
  uint32_t seed = 1;
};

struct TinyMatrix {
  int64_t n = 0, k = 0;
  std::vector<int8_t> trits;
  TernaryScales scales;
};
struct TinyVector {
  int64_t rows = 0, cols = 0;
  std::vector<float> values;
};

struct TinyModel {
  TinyShape shape;
  std::map<std::string, TinyMatrix> matrices;
  std::map<std::string, TinyVector> vectors;
  // A fresh source over a copy of the numbers.
  std::unique_ptr<ModelSource> Source() const;
  Metadata metadata;
};

TinyModel MakeTiny(const TinyShape& shape);

struct Reference {
  std::vector<std::vector<double>> logits;  // for every token
  // Smallest distance of a value from a rounding tie when activations were quantised. Where it is
  // tiny, float32 may round to the other side and the comparison means nothing.
  double margin = 1;
};
Reference RunReference(const TinyModel& model, const std::vector<int32_t>& tokens);

}  // namespace trit::kit

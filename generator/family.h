// What a kernel family is to the rest of the generator: one struct, one line in families.inc.
// How to write one: generator/README.md.
#pragma once

#include <Halide.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generator/blocks.h"
#include "schedules/candidate.h"
#include "schedules/space.h"
#include "targets/target.h"

namespace trit {

// An ImageParam whose elements are loads from the first: its own are calls of a function, which
// lowering then inlines, a tenth of its time.
class Tensor : public Halide::ImageParam {
 public:
  using ImageParam::ImageParam;
  Halide::Expr operator()(std::vector<Halide::Expr> at) const {
    return Halide::Internal::Call::make(parameter(), at);
  }
  template <typename... More>
  Halide::Expr operator()(const Halide::Expr& first, const More&... more) const {
    return (*this)(std::vector<Halide::Expr>{first, Halide::Expr(more)...});
  }
};

// The tensors of every matmul stage. All minimums are 0: the entry hands the stage its slice alone
// (base pointers moved).
//
//   w          inner dims..., k block, granule          the weights' blocks
//   w_fixed    element, granule                         (extent 0 x ... when fixed_count is 0)
//   act        inner dims..., k block, token granule    the activations' blocks
//   act_fixed  element, token granule
//   y          y_inner dims..., granule, token in its granule, token granule       int32, output
//
// Lowering puts in what is constant of them (backend/lower.cpp). Loop bounds: w.dim(rank).extent()
// k blocks and so on; k blocks of act are act.k_step columns each, those of w are w.k_step.
struct MatmulBuffers {
  LayoutSpec layout;  // as given: what a view of packed bytes calls them
  ActFormSpec form;
  Tensor w, w_fixed, act, act_fixed;
  int w_inner;    // dimensions of w before the k block
  bool w_halves;  // LayoutSpec::halves: w is read through W alone

  MatmulBuffers(const LayoutSpec& layout, const ActFormSpec& form);
  // The weights at `inner`, K block kb, granule g of the slice. In a layout of halves w's
  // dimensions behind the granule are the K block in the second half (its stride is another) and
  // whether the granule is there: its extent is how many of the slice's granules are in the first
  // half, its stride how far the second half's run begins behind the first half's first.
  Halide::Expr W(std::vector<Halide::Expr> inner, Halide::Expr kb, Halide::Expr g) const;
  Halide::Expr WBlocks() const;    // k blocks of the weights
  Halide::Expr ActBlocks() const;  // k blocks of the activations
};

struct RowDim {
  int extent;
  int stride;  // in rows of y
};

// A kernel before lowering.
struct KernelParts {
  LayoutSpec layout;
  ActFormSpec form;
  MatmulBuffers buffers;
  Halide::Func y;               // schedule already applied
  std::vector<RowDim> y_inner;  // rows of a granule; product of extents = layout.granule
  int m_granule = 1;            // a multiple of form.granule
  int m_block = 0;              // tokens of one call of the stage (a multiple of m_granule): the
                                // entry loops, so that y of a call stays in cache; 0 = all
  int n_block = 0;              // granules of one call, 0 = all: the loop outside that of tokens.
                                // A split of g in Halide would make the stage twice, for its tail
  int scratch_bytes = 0;        // upper bound of what the stage allocates on the heap at once
  int m_min = 1;
  int m_max = INT32_MAX;
  int k_max = INT32_MAX;                         // exactness bound
  std::vector<std::string> extra_features = {};  // LLVM features beyond the target's: "+gfni"
  std::string tune_cpu = {};                     // "" = the target's
  bool tie_lookups = false;                      // lookups of a table in a row: backend/tie.h
  int prefetch_locality = 3;                     // where prefetched lines go: CodeRequest
  std::string body = {};  // a stage in C instead of `y` ("mad2_scalable": bodies/scalable.c of
                          // mad2, for this target; HasBody), with its options
  std::vector<int> body_option = {};
  std::vector<std::string> wanted = {};  // mnemonics the innermost loop must hold ("vpdpbusd")
};

struct Family {
  const char* name;
  const char* idea;  // one line for people
  bool (*supports)(const Target&);
  Space (*space)(const Target&);
  // A canonical candidate of `space`. Throws trit::Error or Halide::CompileError.
  KernelParts (*build)(const Candidate&, const Target&);
};

std::span<const Family* const> AllFamilies();
const Family& FindFamily(std::string_view name);  // throws naming the known ones

// Text -> validated candidate of a known family on a known target that the family supports.
Candidate ReadCandidate(std::string_view text);
Candidate Canonical(const Candidate& candidate);

// The name kernels of this candidate carry: family, target, first half of the key. For people.
std::string KernelName(const Candidate& candidate);

}  // namespace trit

#include "generator/family.h"

#include "targets/base/error.h"

namespace trit {

#define TRIT_FAMILY(name, symbol) extern const Family symbol;
#include "generator/families/families.inc"
#undef TRIT_FAMILY

std::span<const Family* const> AllFamilies() {
  static const Family* const families[] = {
#define TRIT_FAMILY(name, symbol) &symbol,
#include "generator/families/families.inc"
#undef TRIT_FAMILY
  };
  return families;
}

const Family& FindFamily(std::string_view name) {
  std::string known;
  for (const Family* f : AllFamilies()) {
    if (name == f->name) return *f;
    known += (known.empty() ? "" : ", ") + std::string(f->name);
  }
  throw Error(Join("there is no family \"", name, "\"; known families: ", known));
}

Candidate Canonical(const Candidate& candidate) {
  const Family& family = FindFamily(candidate.family);
  const Target& target = FindTarget(candidate.target);
  if (!family.supports(target)) {
    throw Error(Join("the family ", family.name, " has no kernels for the target ", target.key,
                     " (asked for by \"", candidate.Text(), "\")"));
  }
  return family.space(target).Canonical(candidate);
}

Candidate ReadCandidate(std::string_view text) {
  return Canonical(ParseCandidate(text));
}

std::string KernelName(const Candidate& candidate) {
  return Join(candidate.family, "_", candidate.target, "_", candidate.Key().substr(0, 16));
}

MatmulBuffers::MatmulBuffers(const LayoutSpec& layout, const ActFormSpec& form)
    : layout(layout),
      form(form),
      w(layout.type, static_cast<int>(layout.inner.size()) + (layout.halves ? 4 : 2), "w"),
      w_fixed(layout.fixed_type, 2, "w_fixed"),
      act(form.type, static_cast<int>(form.inner.size()) + 2, "act"),
      act_fixed(form.fixed_type, 2, "act_fixed"),
      w_inner(static_cast<int>(layout.inner.size())),
      w_halves(layout.halves) {
  w.set_host_alignment(layout.align);
  w_fixed.set_host_alignment(layout.align);
  act.set_host_alignment(form.align);
  act_fixed.set_host_alignment(form.align);
}

Halide::Expr MatmulBuffers::W(std::vector<Halide::Expr> inner, Halide::Expr kb,
                              Halide::Expr g) const {
  if (w_halves) {
    const Halide::Expr second = g >= w.dim(w_inner + 3).extent();
    const auto in = [&](const Halide::Expr& there, const Halide::Expr& here) {
      inner.push_back(select(second, there, here));
    };
    in(0, kb);
    inner.push_back(g);
    in(kb, 0);
    in(1, 0);
  } else {
    inner.insert(inner.end(), {kb, g});
  }
  return w(inner);
}

Halide::Expr MatmulBuffers::WBlocks() const {
  return w.dim(w_inner).extent();
}
Halide::Expr MatmulBuffers::ActBlocks() const {
  return act.dim(act.dimensions() - 2).extent();
}

}  // namespace trit

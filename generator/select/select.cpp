#include "generator/select/select.h"

#include <sstream>

namespace trit {
namespace {

using Halide::Internal::IRMutator;
using Halide::Internal::Load;
using Halide::Internal::Ramp;

class SelectionPass : public IRMutator {
 public:
  explicit SelectionPass(std::shared_ptr<SelectionReport> report) : report_(std::move(report)) {}

 private:
  using IRMutator::visit;

  Halide::Expr visit(const Load* op) override {
    if (op->type.is_vector() && !op->index.as<Ramp>() &&
        !op->index.as<Halide::Internal::Broadcast>()) {
      std::ostringstream text;
      text << "a gather of " << op->type.lanes() << " lanes from " << op->name;
      report_->misses.push_back(text.str());
    }
    return IRMutator::visit(op);
  }

  std::shared_ptr<SelectionReport> report_;
};

}  // namespace

std::shared_ptr<const SelectionReport> AddSelection(Halide::Pipeline* pipeline, const Target&) {
  auto report = std::make_shared<SelectionReport>();
  // The pipeline owns the pass.
  pipeline->add_custom_lowering_pass(new SelectionPass(report));
  return report;
}

}  // namespace trit

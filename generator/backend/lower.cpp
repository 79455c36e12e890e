#include "generator/backend/lower.h"

#include <map>
#include <set>
#include <vector>

#include "targets/base/error.h"

namespace trit {
namespace {

using namespace Halide::Internal;  // NOLINT: passes, nothing else
using Halide::Argument;
using Halide::Expr;
using Halide::Handle;
using Halide::Int;

using Bindings = std::map<std::string, Expr>;

Expr Number(const char* name) {
  return Variable::make(Int(32), name);
}

// What Halide calls the minimum, extent and stride of a tensor's dimension -> a constant or an
// argument.
struct Binder {
  Bindings* out;
  std::string tensor;
  int dim = 0;

  void Add(const Expr& extent, const Expr& stride) {
    (*out)[Join(tensor, ".min.", dim)] = 0;
    (*out)[Join(tensor, ".extent.", dim)] = extent;
    (*out)[Join(tensor, ".stride.", dim)] = stride;
    ++dim;
  }
};

void BindBlocks(const BlockSpec& spec, const std::string& name, const std::string& fixed,
                const char* k_blocks, const char* granules, const char* k, const char* granule,
                Bindings* out) {
  const int block = spec.BlockElements();
  Binder blocks{out, name};
  int stride = 1;
  for (int extent : spec.inner) {
    blocks.Add(extent, stride);
    stride *= extent;
  }
  blocks.Add(Number(k_blocks), spec.k_outer ? Number(k) : Expr(block));
  blocks.Add(Number(granules), spec.k_outer ? Expr(block) : Number(granule));
  if (spec.halves) {
    blocks.Add(Number(k_blocks), Number("w_far_k"));
    blocks.Add(Number("w_near"), Number("w_far"));
  }
  Binder rest{out, fixed};
  rest.Add(spec.fixed_count, 1);
  rest.Add(Number(granules), spec.FixedBytes() / spec.fixed_type.bytes());
}

Bindings BindTensors(const KernelParts& parts) {
  Bindings out;
  const MatmulBuffers& b = parts.buffers;
  BindBlocks(b.layout, b.w.name(), b.w_fixed.name(), "k_blocks", "granules", "w_k", "w_granule",
             &out);
  BindBlocks(b.form, b.act.name(), b.act_fixed.name(), "act_blocks", "token_granules", "act_k",
             "act_granule", &out);
  Binder y{&out, parts.y.name()};
  for (const RowDim& row : parts.y_inner) y.Add(row.extent, row.stride);
  y.Add(Number("granules"), parts.layout.granule);
  y.Add(parts.form.granule, Number("y_token"));
  y.Add(Number("token_granules"), Number("y_token") * parts.form.granule);
  return out;
}

// Tables of constants that a family gives as Halide buffers.
class Constants : public IRGraphVisitor {
 public:
  using IRGraphVisitor::visit;
  void visit(const Call* op) override {
    if (op->image.defined()) found.emplace(op->name, op->image);
    IRGraphVisitor::visit(op);
  }
  std::map<std::string, Halide::Buffer<>> found;
};

// A loop split with a tail has a part that is likely, which becomes a loop of its own.
struct Likely : IRVisitor {
  using IRVisitor::visit;
  void visit(const Call* op) override {
    found |= op->is_intrinsic(Call::likely) || op->is_intrinsic(Call::likely_if_innermost);
    IRVisitor::visit(op);
  }
  bool found = false;
};

// In the order of entry/stage.h.
std::vector<LoweredArgument> Arguments(const KernelParts& parts) {
  std::vector<LoweredArgument> out;
  const auto add = [&](const std::string& name, Halide::Type type) {
    out.emplace_back(name, Argument::InputScalar, type, 0, Halide::ArgumentEstimates{});
  };
  const MatmulBuffers& b = parts.buffers;
  for (const std::string& name : {std::string("__user_context"), b.w.name(), b.w_fixed.name(),
                                  b.act.name(), b.act_fixed.name(), parts.y.name()}) {
    add(name, Handle());
  }
  for (const char* name :
       {"k_blocks", "granules", "act_blocks", "token_granules", "w_k", "w_granule", "act_k",
        "act_granule", "y_token", "w_near", "w_far", "w_far_k"}) {
    add(name, Int(32));
  }
  return out;
}

// Bounds inference names every bound of every stage, a thousand names of simple values that all
// later passes carry along: put in where they are used, and the names dropped. So are loops of one
// turn. While names are not unique yet, values of constants and arguments alone: no inner let takes
// those for something else.
class Forward : public IRMutator {
 public:
  explicit Forward(const std::vector<LoweredArgument>& arguments) : unique_(false) {
    for (const LoweredArgument& a : arguments) arguments_.push(a.name, 0);
  }
  Forward() : unique_(true) {}

 private:
  using IRMutator::visit;
  bool Simple(const Expr& e) const {
    if (is_const(e)) return true;
    if (const auto* v = e.as<Variable>()) return unique_ || arguments_.contains(v->name);
    if (const auto* a = e.as<Add>()) return Simple(a->a) && Simple(a->b);
    if (const auto* a = e.as<Sub>()) return Simple(a->a) && Simple(a->b);
    if (const auto* a = e.as<Mul>()) return Simple(a->a) && Simple(a->b);
    return false;
  }
  Expr visit(const Variable* op) override {
    if (!values_.contains(op->name)) return op;
    const Expr value = values_.get(op->name);
    return value.defined() ? value : op;
  }
  // `body` where `name` is `value`, or, undefined, hides an outer one.
  Stmt With(const std::string& name, const Expr& value, const Stmt& body) {
    values_.push(name, value);
    Stmt done = mutate(body);
    values_.pop(name);
    return done;
  }
  Stmt visit(const LetStmt* op) override {
    const Expr value = simplify(mutate(op->value));
    if (Simple(value)) return With(op->name, value, op->body);
    return LetStmt::make(op->name, value, With(op->name, Expr(), op->body));
  }
  Stmt visit(const For* op) override {
    const Expr min = simplify(mutate(op->min)), extent = simplify(mutate(op->extent));
    if (is_const_one(extent) && Simple(min)) return With(op->name, min, op->body);
    return For::make(op->name, min, extent, op->for_type, op->device_api,
                     With(op->name, Expr(), op->body));
  }
  const bool unique_;
  Scope<int> arguments_;
  Scope<Expr> values_;
};

// What is known of the arguments.
struct Facts {
  explicit Facts(const KernelParts& parts) {
    const int w = parts.buffers.layout.BlockElements(), act = parts.buffers.form.BlockElements();
    for (const char* name : {"w_k", "w_granule", "w_far", "w_far_k"}) multiple.push(name, {w, 0});
    for (const char* name : {"act_k", "act_granule"}) multiple.push(name, {act, 0});
    multiple.push("y_token", {16, 0});
    for (const char* name : {"k_blocks", "granules", "act_blocks", "token_granules"}) {
      range.push(name, Interval(1, Interval::pos_inf()));
    }
  }
  Stmt Simplify(const Stmt& s, bool remove_dead_code = true) const {
    return simplify(s, remove_dead_code, range, multiple);
  }
  Scope<Interval> range;
  Scope<ModulusRemainder> multiple;
};

// Asserts of bounds that kernels do not check, and the place for a pass that is not run.
class WithoutChecks : public IRMutator {
  using IRMutator::visit;
  Expr visit(const Call* op) override {
    return op->is_intrinsic(Call::add_image_checks_marker) ? Expr(0) : IRMutator::visit(op);
  }
  Stmt visit(const AssertStmt*) override { return Evaluate::make(0); }
};

// Unrolled loops whose variable is used in addresses alone, as serial loops: a register block of
// twelve is one statement to all passes until it is written out, at the end.
class RollBlocks : public IRMutator {
 public:
  std::set<std::string> names;

 private:
  using IRMutator::visit;

  class OutsideAddresses : public IRVisitor {
   public:
    explicit OutsideAddresses(const std::string& name) : name_(name) {}
    bool found = false;

   private:
    using IRVisitor::visit;
    void visit(const Variable* op) override { found |= op->name == name_; }
    void visit(const Load* op) override {
      if (op->index.as<Load>()) return op->index.accept(this);
      Gathers gathers;
      op->index.accept(&gathers);
      if (gathers.found) op->index.accept(this);
    }
    void visit(const Store* op) override { op->value.accept(this); }
    void visit(const LetStmt* op) override {  // an address may be anywhere below
      op->value.accept(this);
      op->body.accept(this);
    }
    struct Gathers : IRVisitor {
      using IRVisitor::visit;
      void visit(const Load*) override { found = true; }
      bool found = false;
    };
    const std::string& name_;
  };

  Stmt visit(const For* op) override {
    const Stmt body = mutate(op->body);
    ForType type = op->for_type;
    if (type == ForType::Unrolled) {
      OutsideAddresses outside(op->name);
      body.accept(&outside);
      if (!outside.found) {
        names.insert(op->name);
        type = ForType::Serial;
      }
    }
    return For::make(op->name, op->min, op->extent, type, op->device_api, body);
  }
};

class UnrollBlocks : public IRMutator {
 public:
  explicit UnrollBlocks(const std::set<std::string>& names) : names_(names) {}

 private:
  using IRMutator::visit;
  Stmt visit(const For* op) override {
    const ForType type = names_.count(op->name) ? ForType::Unrolled : op->for_type;
    return For::make(op->name, op->min, op->extent, type, op->device_api, mutate(op->body));
  }
  const std::set<std::string>& names_;
};

// Table lookups out of the way of a pass that asks each of their lanes where it may point.
class HideLookups : public IRMutator {
 public:
  std::vector<Expr> loads;

 private:
  using IRMutator::visit;
  Expr visit(const Load* op) override {
    const Expr e = IRMutator::visit(op);
    op = e.as<Load>();
    if (!op->type.is_vector() || !LoadsSomething(op->index)) return e;
    loads.push_back(e);
    return Call::make(op->type, "trit_hidden", {static_cast<int>(loads.size()) - 1, op->index},
                      Call::PureExtern);
  }

  bool LoadsSomething(const Expr& e) const {
    struct Finder : IRVisitor {
      using IRVisitor::visit;
      void visit(const Load*) override { found = true; }
      void visit(const Call* op) override {
        found |= op->name == "trit_hidden";
        IRVisitor::visit(op);
      }
      void visit(const Variable* op) override {
        found |= lets->contains(op->name) && lets->get(op->name);
      }
      const Scope<bool>* lets = nullptr;
      bool found = false;
    } finder;
    finder.lets = &lets_;
    e.accept(&finder);
    return finder.found;
  }
  template <typename T>
  auto VisitLet(const T* op) -> decltype(op->body) {
    const Expr value = mutate(op->value);
    lets_.push(op->name, value.type().is_vector() && LoadsSomething(value));
    auto body = mutate(op->body);
    lets_.pop(op->name);
    return T::make(op->name, value, body);
  }
  Expr visit(const Let* op) override { return VisitLet(op); }
  Stmt visit(const LetStmt* op) override { return VisitLet(op); }
  Scope<bool> lets_;
};
class ShowLookups : public IRMutator {
 public:
  explicit ShowLookups(const std::vector<Expr>& loads) : loads_(loads) {}

 private:
  using IRMutator::visit;
  Expr visit(const Call* op) override {
    if (op->name != "trit_hidden") return IRMutator::visit(op);
    const Load* load = loads_[static_cast<size_t>(*as_const_int(op->args[0]))].as<Load>();
    return Load::make(load->type, load->name, mutate(op->args[1]), load->image, load->param,
                      load->predicate, load->alignment);
  }
  const std::vector<Expr>& loads_;
};

}  // namespace

// Halide::compile_to_module runs these passes and as many more: checks of buffers that come from
// anywhere, copies to devices, folding, sliding, boundary conditions. The checks alone were a
// quarter of its time, and strides that are constants stayed unknown until after them.
void LowerStage(const KernelParts& parts, const Target& target, Halide::Module* module,
                SelectionReport* report) {
  const Halide::Target halide = module->target();
  Bindings tensors = BindTensors(parts);
  const Facts facts(parts);
  const std::vector<Function> outputs{parts.y.function()};
  Halide::Func y(outputs[0]);
  y.compute_root().store_root().output_buffer().set_host_alignment(
      parts.layout.granule % 16 == 0 ? 64 : 4);
  std::map<std::string, Function> env = build_environment(outputs);
  for (auto& [name, function] : env) function.lock_loop_levels();
  const auto [order, fused] = realization_order(outputs, env);

  bool memoized = false;
  Stmt s = schedule_functions(outputs, fused, env, halide, memoized);
  Constants constants;
  s.accept(&constants);
  for (const auto& [name, buffer] : constants.found) {
    Binder binder{&tensors, name};
    for (int d = 0; d < buffer.dimensions(); ++d) {
      if (buffer.dim(d).min() != 0) throw Error(Join("the constants ", name, " begin elsewhere"));
      binder.Add(buffer.dim(d).extent(), buffer.dim(d).stride());
    }
    module->append(buffer);
  }
  const FuncValueBounds bounds = compute_function_value_bounds(order, env);
  s = bounds_inference(s, outputs, order, fused, env, bounds, halide);
  s = WithoutChecks().mutate(substitute(tensors, s));
  s = Forward(Arguments(parts)).mutate(s);
  s = uniquify_variable_names(s);
  s = Forward().mutate(s);
  s = facts.Simplify(s, /*remove_dead_code=*/false);
  s = allocation_bounds_inference(s, env, bounds);
  s = lower_safe_promises(inject_prefetch(s, env));
  s = split_tuples(s, env);
  s = simplify_correlated_differences(s);
  s = bound_small_allocations(s);
  s = storage_flattening(s, outputs, env, halide);
  s = substitute(tensors, s);
  s = facts.Simplify(s);
  s = reduce_prefetch_dimension(s, halide);
  RollBlocks roll;
  s = roll.mutate(s);
  s = unroll_loops(s);
  s = vectorize_loops(s, env);
  s = facts.Simplify(s);
  s = rewrite_interleavings(s);
  s = facts.Simplify(s);
  Likely likely;
  s.accept(&likely);
  if (likely.found) s = facts.Simplify(trim_no_ops(facts.Simplify(partition_loops(s))));
  s = inject_early_frees(s);
  s = bound_small_allocations(s);
  s = common_subexpression_elimination(s);
  s = lower_unsafe_promises(s, halide);
  HideLookups hide;
  s = hide.mutate(s);
  s = flatten_nested_ramps(s);
  s = ShowLookups(hide.loads).mutate(s);
  s = remove_dead_allocations(s);
  s = facts.Simplify(s);
  s = hoist_loop_invariant_values(s);
  s = find_intrinsics(s);
  s = hoist_prefetches(s);
  s = Select(s, target, report);
  s = unroll_loops(UnrollBlocks(roll.names).mutate(s));
  for (const auto& [name, buffer] : constants.found) {
    const Expr described = Variable::make(Halide::type_of<halide_buffer_t*>(), name + ".buffer");
    s = LetStmt::make(name, Call::make(Handle(), Call::buffer_get_host, {described}, Call::Extern),
                      s);
  }
  module->append(LoweredFunc("trit_stage", Arguments(parts), s, Halide::LinkageType::External,
                             Halide::NameMangling::C));
}

}  // namespace trit

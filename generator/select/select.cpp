#include "generator/select/select.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "generator/select/micro_ops.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Halide::Expr;
using Halide::Int;
using Halide::Type;
using Halide::UInt;
using namespace Halide::Internal;  // NOLINT: the pass speaks of nothing but IR nodes

constexpr int kWordEntries = 32;  // entries of a word table: one 64-byte vector of int16

// A gather from a small table: `entries` lanes from `base` on, at index `index` (its own type).
struct Lookup {
  Expr base;
  Expr index;
  int64_t max_index = 0;
};

// The line-th line of a prefetch: (base, offset, 1, elements of a line).
class LineOfPrefetch : public IRMutator {
 public:
  explicit LineOfPrefetch(int line) : line_(line) {}

 private:
  using IRMutator::visit;
  Expr visit(const Call* op) override {
    if (!op->is_intrinsic(Call::prefetch) || op->args.size() != 4) return IRMutator::visit(op);
    const Expr offset = op->args[1] + line_ * op->args[3];
    return Call::make(op->type, op->name, {op->args[0], offset, op->args[2], op->args[3]},
                      op->call_type);
  }
  int line_;
};

class SelectionPass : public IRMutator {
 public:
  SelectionPass(SelectionReport* report, const Target& target) : report_(report), target_(target) {}

 private:
  using IRMutator::visit;

  bool Has(const char* name, int lanes) const { return HasMicroOp(target_, name, lanes); }

  Expr Emit(Type type, const char* name, const std::vector<Expr>& args) {
    ++report_->hits;
    return Call::make(type, name, args, Call::PureExtern);
  }

  void Miss(const std::string& what, const Expr& e) {
    std::ostringstream text;
    text << what << " of " << e.type().lanes() << " lanes: " << e;
    report_->misses.push_back(text.str().substr(0, 400));
  }

  // The value behind names that vector lets gave it.
  Expr Resolved(Expr e) const {
    while (const Variable* v = e.as<Variable>()) {
      const auto it = lets_.find(v->name);
      if (it == lets_.end()) break;
      e = it->second;
    }
    return e;
  }

  // index = broadcast(base) + cast<int>(small), 0 <= small proved.
  bool MatchLookup(const Load* op, Lookup* out) {
    if (!op || !op->type.is_vector() || !is_const_one(op->predicate)) return false;
    if (op->index.as<Ramp>() || op->index.as<Broadcast>()) return false;
    Expr base = 0, varying;
    std::vector<Expr> todo{op->index};
    while (!todo.empty()) {
      const Expr e = todo.back();
      todo.pop_back();
      if (const Add* add = e.as<Add>()) {
        todo.push_back(add->a);
        todo.push_back(add->b);
      } else if (const Broadcast* b = e.as<Broadcast>()) {
        base = base + b->value;
      } else if (varying.defined()) {
        return false;
      } else {
        varying = e;
      }
    }
    if (!varying.defined()) return false;
    const Interval range = bounds_of_expr_in_scope(varying, ranges_);
    if (!range.is_bounded() || !can_prove(range.min >= 0)) return false;
    const Expr highest = simplify(range.max);
    const int64_t* top = as_const_int(highest);
    varying = Resolved(varying);
    const Cast* cast = varying.as<Cast>();
    if (!top || !cast) return false;
    out->base = simplify(base);
    out->index = cast->value;
    out->max_index = *top;
    return true;
  }

  static Expr Table(const Load* op, const Expr& base, int entries) {
    return Load::make(op->type.with_lanes(entries), op->name, Ramp::make(base, 1, entries),
                      op->image, op->param, const_true(entries), ModulusRemainder(entries, 0));
  }

  // The lookup reads the low five bits of a lane only, so a mask of exactly those is dropped.
  static Expr WithoutWordMask(const Expr& e) {
    if (const Call* c = Call::as_intrinsic(e, {Call::bitwise_and})) {
      const uint64_t* mask = as_const_uint(c->args[1]);
      if (mask && *mask == kWordEntries - 1) return c->args[0];
    }
    if (const Mod* m = e.as<Mod>()) {
      const uint64_t* by = as_const_uint(m->b);
      if (by && *by == kWordEntries) return m->a;
    }
    return e;
  }

  Expr visit(const Load* op) override {
    if (!op->type.is_vector() || op->index.as<Ramp>() || op->index.as<Broadcast>()) {
      return IRMutator::visit(op);
    }
    Lookup found;
    if (op->type.element_of() == Int(16) && MatchLookup(op, &found) &&
        found.max_index < kWordEntries && found.index.type().element_of() == UInt(16) &&
        Has("trit_word32", op->type.lanes())) {
      return Emit(op->type, "trit_word32",
                  {Table(op, found.base, kWordEntries), WithoutWordMask(mutate(found.index))});
    }
    Miss("a gather", op);
    return IRMutator::visit(op);
  }

  // If e is f(dense[order]) with f working lane by lane, f(dense): what e was before the lookup's
  // own reordering.
  Expr Unordered(const Expr& raw, const std::vector<int>& order) {
    if (std::is_sorted(order.begin(), order.end())) return mutate(raw);  // 16 bytes: no reordering
    const Expr e = Resolved(raw);
    if (const Broadcast* b = e.as<Broadcast>()) return b->value.type().is_scalar() ? e : Expr();
    if (const Cast* c = e.as<Cast>()) {
      const Expr v = Unordered(c->value, order);
      return v.defined() ? Cast::make(c->type, v) : v;
    }
    if (const Shuffle* s = e.as<Shuffle>()) {
      const bool dense = s->vectors.size() == 1 && s->indices == order &&
                         s->vectors[0].type().lanes() == static_cast<int>(order.size());
      return dense ? mutate(s->vectors[0]) : Expr();
    }
    if (const Mod* o = e.as<Mod>()) return UnorderedPair(o, order);
    if (const Div* o = e.as<Div>()) return UnorderedPair(o, order);
    if (const Mul* o = e.as<Mul>()) return UnorderedPair(o, order);
    if (const Call* c = e.as<Call>()) {
      if (!c->is_pure()) return Expr();
      std::vector<Expr> args;
      for (const Expr& a : c->args) {
        args.push_back(Unordered(a, order));
        if (!args.back().defined()) return Expr();
      }
      return Call::make(c->type, c->name, args, c->call_type);
    }
    return Expr();
  }
  template <typename T>
  Expr UnorderedPair(const T* op, const std::vector<int>& order) {
    const Expr a = Unordered(op->a, order), b = Unordered(op->b, order);
    return a.defined() && b.defined() ? T::make(a, b) : Expr();
  }

  // Where result lane j of an unpacking lookup takes its byte from: (b 8, l, h 2) <- (b, h, l).
  static std::vector<int> UnpackOrder(int lanes) {
    std::vector<int> order;
    for (int h = 0; h < 2; ++h) {
      for (int l = 0; l < lanes / 16; ++l) {
        for (int b = 0; b < 8; ++b) order.push_back(16 * l + 8 * h + b);
      }
    }
    return order;
  }

  // trit_join(low[i], high[i]) and trit_join_signed(low[i], high[i], sign): tables in byte planes.
  Expr Joined(const Call* op, bool has_sign) {
    const int lanes = op->type.lanes();
    Lookup low, high;
    const Load* l = op->args[0].as<Load>();
    const Load* h = op->args[1].as<Load>();
    if (!MatchLookup(l, &low) || !MatchLookup(h, &high) || low.max_index != high.max_index) {
      return Expr();
    }
    const int entries = low.max_index < 16 ? 16 : 128;
    if (low.max_index >= entries || low.index.type().element_of() != UInt(8)) return Expr();
    const bool five = has_sign && entries == 128;  // the sign is the index byte's own top bit
    const char* name = five            ? "trit_five128"
                       : has_sign      ? "trit_signed16"
                       : entries == 16 ? "trit_join16"
                                       : "trit_join128";
    if (!Has(name, lanes)) return Expr();
    std::vector<Expr> args{Table(l, low.base, entries), Table(h, high.base, entries)};
    if (!five) args.push_back(Unordered(low.index, UnpackOrder(lanes)));
    if (has_sign) args.push_back(Unordered(op->args[2], UnpackOrder(lanes)));
    for (const Expr& a : args) {
      if (!a.defined()) return Expr();
    }
    return Emit(op->type, name, args);
  }

  // trit_next_byte(load): the same lanes read from the byte behind, so that the upper byte of a
  // lane becomes its lower one.
  Expr NextByte(const Call* op) {
    const Load* load = Resolved(op->args[0]).as<Load>();
    const Ramp* ramp = load ? load->index.as<Ramp>() : nullptr;
    if (!ramp || !is_const_one(ramp->stride) || !is_const_one(load->predicate) ||
        !Has("trit_next_byte", op->type.lanes())) {
      return Expr();
    }
    const Expr from = Variable::make(Halide::Handle(), load->name);
    return Emit(op->type, "trit_next_byte", {from, ramp->base});
  }

  // trit_half[_signed](plane[byte & 127], byte): one byte of an entry, in the order of the bytes.
  Expr Half(const Call* op, const char* name) {
    Lookup found;
    const bool whole = MatchLookup(op->args[0].as<Load>(), &found) && found.max_index == 127;
    if (!whole || !Has(name, op->type.lanes())) return Expr();
    return Emit(op->type, name,
                {Table(op->args[0].as<Load>(), found.base, 128), mutate(op->args[1])});
  }

  Expr visit(const Call* op) override {
    if (op->call_type == Call::PureExtern && op->name == "trit_next_byte" && op->type.is_vector()) {
      const Expr done = NextByte(op);
      if (done.defined()) return done;
      Miss("a load of the next byte", op);
      return op;
    }
    if (op->call_type == Call::PureExtern && starts_with(op->name, "trit_half")) {
      const Expr done = Half(op, op->name == "trit_half" ? "trit_half128" : "trit_half128signed");
      if (done.defined()) return done;
      Miss("a lookup of bytes", op);
      return op;
    }
    if (op->call_type == Call::PureExtern &&
        (op->name == "trit_spread" || op->name == "trit_gather")) {
      if (!Has(op->name.c_str(), op->type.lanes())) Miss("sums of bytes", op);
      ++report_->hits;
      return IRMutator::visit(op);
    }
    const bool has_sign = op->name == "trit_join_signed";
    if (op->call_type == Call::PureExtern && (has_sign || op->name == "trit_join")) {
      if (op->type.is_vector()) {
        const Expr done = Joined(op, has_sign);
        if (done.defined()) return done;
      }
      Miss("a byte-plane lookup", op);
      return op;
    }
    return IRMutator::visit(op);
  }

  // Four bytes over all lanes, where a dot product takes an element of a register: one load of
  // sixteen bytes then serves four of them.
  Expr Element(const Expr& e) {
    const Shuffle* s = e.as<Shuffle>();
    const bool repeats = s && s->vectors.size() == 1 && s->is_broadcast();
    const Load* l = repeats ? s->vectors[0].as<Load>() : nullptr;
    const Ramp* ramp = l ? l->index.as<Ramp>() : nullptr;
    if (!ramp || ramp->lanes != 4 || !is_const_one(ramp->stride) || !is_const_one(l->predicate) ||
        l->alignment.modulus % 16 || l->alignment.remainder % 4) {
      return mutate(e);
    }
    const int first = static_cast<int>(l->alignment.remainder % 16);
    const std::string name = Join("trit_element", first / 4);
    if (!Has(name.c_str(), e.type().lanes())) return mutate(e);
    const Expr sixteen =
        Load::make(l->type.with_lanes(16), l->name, Ramp::make(simplify(ramp->base - first), 1, 16),
                   l->image, l->param, const_true(16), ModulusRemainder(16, 0));
    return Call::make(e.type(), name, {sixteen}, Call::PureExtern);
  }

  // accumulator + sums of neighbouring lanes.
  Expr Dot(const VectorReduce* r, const Expr& accumulator) {
    if (r->op != VectorReduce::Add) return Expr();
    const int lanes = r->type.lanes(), factor = r->value.type().lanes() / lanes;
    const Type to = r->type.element_of();
    const Cast* cast = r->value.as<Cast>();
    const Expr inner = cast ? cast->value : r->value;
    if (const Call* mul = Call::as_intrinsic(inner, {Call::widening_mul})) {
      Expr a = mul->args[0], b = mul->args[1];
      if (a.type().is_int()) std::swap(a, b);
      if (a.type().element_of() == UInt(8) && b.type().element_of() == Int(8)) {
        if (factor == 4 && to == Int(32) && Has("trit_dot4", lanes)) {
          return Emit(r->type, "trit_dot4", {mutate(accumulator), mutate(a), Element(b)});
        }
        if (factor == 2 && to == Int(16) && Has("trit_dot2", lanes)) {
          return Emit(r->type, "trit_dot2", {mutate(accumulator), mutate(a), mutate(b)});
        }
      }
      if (a.type().element_of() == Int(16) && b.type().element_of() == Int(16) && factor == 2 &&
          to == Int(32) && Has("trit_dot2w", lanes)) {
        return Emit(r->type, "trit_dot2w", {mutate(accumulator), mutate(a), mutate(b)});
      }
    }
    if (factor == 4 && to == Int(32) && cast && inner.type().element_of() == Int(16) &&
        Has("trit_quads", lanes)) {
      return Emit(r->type, "trit_quads", {mutate(accumulator), mutate(inner)});
    }
    if (factor == 2 && to == Int(32) && cast && inner.type().element_of() == Int(16) &&
        Has("trit_pairs", lanes)) {
      return Emit(r->type, "trit_pairs", {mutate(accumulator), mutate(inner)});
    }
    return Expr();
  }

  // accumulator + product, lane by lane in int16.
  Expr LaneProduct(const Add* op) {
    const Call* mul = Call::as_intrinsic(op->b, {Call::widening_mul});
    Expr accumulator = op->a;
    if (!mul) {
      mul = Call::as_intrinsic(op->a, {Call::widening_mul});
      accumulator = op->b;
    }
    if (!mul || op->type.element_of() != Int(16) || !Has("trit_dot1", op->type.lanes())) {
      return Expr();
    }
    Expr a = mul->args[0], b = mul->args[1];
    if (a.type().is_int()) std::swap(a, b);
    if (a.type().element_of() != UInt(8) || b.type().element_of() != Int(8)) return Expr();
    return Emit(op->type, "trit_dot1", {mutate(accumulator), mutate(a), mutate(b)});
  }

  Expr visit(const Add* op) override {
    if (op->type.is_vector()) {
      const Expr done = LaneProduct(op);
      if (done.defined()) return done;
    }
    const VectorReduce* r = op->a.as<VectorReduce>();
    Expr accumulator = op->b;
    if (!r) {
      r = op->b.as<VectorReduce>();
      accumulator = op->a;
    }
    if (r && r->type.is_vector()) {
      const Expr done = Dot(r, accumulator);
      if (done.defined()) return done;
    }
    return IRMutator::visit(op);
  }

  Expr visit(const VectorReduce* op) override {
    Miss("a sum of neighbouring lanes", op);
    return IRMutator::visit(op);
  }

  // Halide fetches ahead in a loop over cache lines; inside an innermost loop it must be flat. Its
  // steps are too long by the size of an element (every second line of 16-bit words), so that they
  // are taken from the line's own size, which it writes behind the offset.
  Stmt visit(const For* op) override {
    const int64_t* lines = as_const_int(op->extent);
    if (!starts_with(op->name, "prefetch_split") || !lines || *lines > 32) {
      return IRMutator::visit(op);
    }
    Stmt flat;
    for (int line = static_cast<int>(*lines) - 1; line >= 0; --line) {
      const Stmt one = LineOfPrefetch(line).mutate(substitute(op->name, op->min, op->body));
      flat = flat.defined() ? Block::make(one, flat) : one;
    }
    return flat;
  }

  template <typename T>
  auto VisitLet(const T* op) -> decltype(op->body) {
    const bool vector = op->value.type().is_vector();
    if (vector) {
      lets_[op->name] = op->value;
      ranges_.push(op->name, bounds_of_expr_in_scope(op->value, ranges_));
    }
    auto result = IRMutator::visit(op);
    if (vector) {
      ranges_.pop(op->name);
      lets_.erase(op->name);
    }
    return result;
  }
  Expr visit(const Let* op) override { return VisitLet(op); }
  Stmt visit(const LetStmt* op) override { return VisitLet(op); }

  SelectionReport* report_;
  const Target& target_;
  std::map<std::string, Expr> lets_;
  Scope<Interval> ranges_;
};

}  // namespace

Halide::Internal::Stmt Select(const Halide::Internal::Stmt& stmt, const Target& target,
                              SelectionReport* report) {
  return SelectionPass(report, target).mutate(stmt);
}

}  // namespace trit

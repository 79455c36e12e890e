#include "generator/backend/tie.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr size_t kMostTied = 6;  // results wait in registers

using Group = std::vector<llvm::IntrinsicInst*>;

// The tables of a lookup; the other operand is its index. {null, null}: no lookup.
std::pair<llvm::Value*, llvm::Value*> Tables(const llvm::IntrinsicInst& i) {
  switch (i.getIntrinsicID()) {
    case llvm::Intrinsic::x86_avx512_permvar_hi_512:
      return {i.getArgOperand(0), nullptr};
    case llvm::Intrinsic::x86_avx512_vpermi2var_qi_512:
    case llvm::Intrinsic::x86_avx512_vpermi2var_hi_512:
      return {i.getArgOperand(0), i.getArgOperand(2)};
    default:
      return {nullptr, nullptr};
  }
}

// What lies between the group's first and last and needs its results; false if something of that
// cannot wait until after the last.
bool Waiting(const Group& group, std::vector<llvm::Instruction*>* waiting) {
  std::set<const llvm::Value*> late(group.begin(), group.end());
  for (llvm::Instruction* i = group.front(); i != group.back()->getNextNode();
       i = i->getNextNode()) {
    const bool needs = std::any_of(i->op_begin(), i->op_end(),
                                   [&](const llvm::Use& use) { return late.count(use.get()) > 0; });
    if (!needs) continue;
    if (late.count(i) || i->mayReadOrWriteMemory()) return false;
    late.insert(i);
    waiting->push_back(i);
  }
  return true;
}

void Tie(const Group& group) {
  std::vector<llvm::Instruction*> waiting;
  if (!Waiting(group, &waiting)) return;
  std::vector<llvm::Type*> types;
  std::vector<llvm::Value*> values(group.begin(), group.end());
  std::string results, operands;
  for (size_t at = 0; at < group.size(); ++at) {
    types.push_back(group[at]->getType());
    results += at ? ",=v" : "=v";
    operands += Join(",", at);
  }
  llvm::LLVMContext& context = group.front()->getContext();
  llvm::Instruction* behind = group.back()->getNextNode();
  llvm::IRBuilder<> builder(behind);
  auto* type = llvm::FunctionType::get(llvm::StructType::get(context, types), types, false);
  auto* empty = llvm::InlineAsm::get(type, "", results + operands, /*hasSideEffects=*/false);
  llvm::CallInst* tie = builder.CreateCall(type, empty, values);
  tie->setDoesNotAccessMemory();
  for (size_t at = 0; at < group.size(); ++at) {
    llvm::Value* result = builder.CreateExtractValue(tie, static_cast<unsigned>(at));
    group[at]->replaceUsesWithIf(result, [&](llvm::Use& use) { return use.getUser() != tie; });
  }
  for (llvm::Instruction* i : waiting) i->moveBefore(behind);
}

void TieGroup(const Group& group) {
  const size_t parts = (group.size() + kMostTied - 1) / kMostTied;
  const size_t size = parts ? (group.size() + parts - 1) / parts : 1;
  for (size_t at = 0; at + 1 < group.size(); at += size) {
    const auto first = group.begin() + static_cast<std::ptrdiff_t>(at);
    const Group part(first, first + static_cast<std::ptrdiff_t>(std::min(size, group.size() - at)));
    if (part.size() > 1) Tie(part);
  }
}

}  // namespace

void TieLookups(llvm::Module& module) {
  for (llvm::Function& f : module) {
    for (llvm::BasicBlock& block : f) {
      std::vector<Group> groups;
      std::pair<llvm::Value*, llvm::Value*> of{nullptr, nullptr};
      for (llvm::Instruction& i : block) {
        auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&i);
        if (!call) continue;
        const auto tables = Tables(*call);
        if (!tables.first) continue;
        if (groups.empty() || tables != of) groups.emplace_back();
        of = tables;
        groups.back().push_back(call);
      }
      for (const Group& group : groups) TieGroup(group);
    }
  }
}

}  // namespace trit

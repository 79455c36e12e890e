// Greedy text of the bundled model, word for word, on every target this CPU can run.
//
// The text is data: bundled_greedy.json, one prompt and its answer an entry. With a new model file
//     TRIT_UPDATE_GOLDEN=1 build/release/bin/model_bundled_greedy
// writes the answers anew and then compares as always. Targets without fused multiply-add round
// differently by some 1e-6 of a logit; where two words are as close as that the update writes null,
// and the entry says nothing until a model decides it. Enough others must be left.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "model/ops/ops.h"
#include "tests/model/golden.h"

namespace trit {
namespace {

std::vector<std::string> Targets() {
  const auto model = golden::Load("");
  std::vector<std::string> targets;
  for (const auto& library : model->kernels().libraries()) {
    const std::string key = library->target().key;
    if (std::find(targets.begin(), targets.end(), key) == targets.end()) targets.push_back(key);
  }
  return targets;
}

void Update(const std::vector<std::string>& targets) {
  nlohmann::ordered_json entries = golden::Answers();
  for (auto& entry : entries) entry["answer"] = "";
  for (const std::string& target : targets) {
    const auto model = golden::Load(target);
    for (auto& entry : entries) {
      if (entry["answer"].is_null()) continue;
      const std::string answer = golden::Answer(*model, entry);
      if (target != targets.front() && entry["answer"] != answer) {
        entry["answer"] = nullptr;
      } else {
        entry["answer"] = answer;
      }
    }
  }
  std::ofstream(golden::kAnswers) << entries.dump(2) << "\n";
}

TEST(BundledGreedy, SaysTheSameOnEveryTarget) {
  const std::vector<std::string> targets = Targets();
  ASSERT_FALSE(targets.empty());
  if (const char* update = std::getenv("TRIT_UPDATE_GOLDEN"); update && *update == '1') {
    Update(targets);
  }
  const nlohmann::ordered_json entries = golden::Answers();
  for (const std::string& target : targets) {
    const auto model = golden::Load(target);
    int compared = 0;
    for (const auto& entry : entries) {
      if (entry.at("answer").is_null()) continue;
      ++compared;
      EXPECT_EQ(golden::Answer(*model, entry), entry.at("answer").get<std::string>())
          << target << ": " << entry.at("prompt");
    }
    EXPECT_GE(compared, 8);
  }
  ops::LimitVectorTarget("native");
}

}  // namespace
}  // namespace trit

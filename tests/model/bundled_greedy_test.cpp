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
#include <nlohmann/json.hpp>

#include "model/chat/chat_template.h"
#include "model/ops/ops.h"
#include "model/session/model.h"

namespace trit {
namespace {

const std::string kGolden = std::string(TRIT_SOURCE_DIR) + "/tests/model/bundled_greedy.json";
const std::string kModel = std::string(TRIT_SOURCE_DIR) + "/model/bundled/tritforge-tiny.gguf";
constexpr size_t kTokens = 32;

std::unique_ptr<Model> Load(const std::string& isa) {
  ModelOptions options;
  options.threads = 2;
  options.isa = isa;
  options.cache_folder = "";
  return Model::Load(kModel, options);
}

std::string Answer(Model& model, const nlohmann::ordered_json& entry) {
  const auto text = entry.at("prompt").get<std::string>();
  const std::vector<ChatMessage> question = {{"user", text}};
  const std::vector<int32_t> prompt =
      entry.at("chat").get<bool>()
          ? ChatPrompt(model.tokenizer(), ChatTemplateOf(model, nullptr), question)
          : model.tokenizer().Encode(text);
  const std::vector<int32_t> stops = model.StopTokens();
  Session session(model);
  StreamDecoder decoder(model.tokenizer());
  std::string answer;
  const float* logits = session.Feed(prompt);
  for (size_t i = 0; i < kTokens; ++i) {
    const auto id = static_cast<int32_t>(ops::ArgMax(logits, model.config().vocabulary));
    if (std::find(stops.begin(), stops.end(), id) != stops.end()) break;
    answer += decoder.Push(id);
    logits = session.Feed({&id, 1});
  }
  return answer + decoder.Finish();
}

nlohmann::ordered_json Golden() {
  std::ifstream in(kGolden);
  return nlohmann::ordered_json::parse(in);
}

std::vector<std::string> Targets() {
  const auto model = Load("");
  std::vector<std::string> targets;
  for (const auto& library : model->kernels().libraries()) {
    const std::string key = library->target().key;
    if (std::find(targets.begin(), targets.end(), key) == targets.end()) targets.push_back(key);
  }
  return targets;
}

void Update(const std::vector<std::string>& targets) {
  nlohmann::ordered_json entries = Golden();
  for (auto& entry : entries) entry["answer"] = "";
  for (const std::string& target : targets) {
    const auto model = Load(target);
    for (auto& entry : entries) {
      if (entry["answer"].is_null()) continue;
      const std::string answer = Answer(*model, entry);
      if (target != targets.front() && entry["answer"] != answer) {
        entry["answer"] = nullptr;
      } else {
        entry["answer"] = answer;
      }
    }
  }
  std::ofstream(kGolden) << entries.dump(2) << "\n";
}

TEST(BundledGreedy, SaysTheSameOnEveryTarget) {
  const std::vector<std::string> targets = Targets();
  ASSERT_FALSE(targets.empty());
  if (const char* update = std::getenv("TRIT_UPDATE_GOLDEN"); update && *update == '1') {
    Update(targets);
  }
  const nlohmann::ordered_json entries = Golden();
  for (const std::string& target : targets) {
    const auto model = Load(target);
    int compared = 0;
    for (const auto& entry : entries) {
      if (entry.at("answer").is_null()) continue;
      ++compared;
      EXPECT_EQ(Answer(*model, entry), entry.at("answer").get<std::string>())
          << target << ": " << entry.at("prompt");
    }
    EXPECT_GE(compared, 8);
  }
  ops::LimitVectorTarget("native");
}

}  // namespace
}  // namespace trit

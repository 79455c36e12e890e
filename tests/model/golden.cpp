#include "tests/model/golden.h"

#include <algorithm>
#include <fstream>

#include "model/chat/chat_template.h"
#include "model/ops/ops.h"

namespace trit::golden {
namespace {

const std::string kModel = std::string(TRIT_SOURCE_DIR) + "/model/bundled/tritforge-tiny.gguf";
constexpr size_t kTokens = 32;

}  // namespace

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

nlohmann::ordered_json Answers() {
  std::ifstream in(kAnswers);
  return nlohmann::ordered_json::parse(in);
}

}  // namespace trit::golden

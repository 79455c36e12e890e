#include "model/hf/hf_tokenizer.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "model/source/mapped_file.h"
#include "model/tokenizer/pre_tokenizers.h"
#include "model/tokenizer/sentencepiece_file.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr uint64_t kMaxTokenizerBytes = 64u << 20, kMaxConfigBytes = 16u << 20;

// Ids are nearly dense: an id far beyond the number of tokens in the file is damage, and must not
// make a vocabulary of millions.
uint64_t IdLimit(size_t tokens) {
  return 4 * uint64_t{tokens} + 65536;
}

int32_t FindId(const TokenizerSpec& spec, const std::string& text) {
  for (size_t i = spec.tokens.size(); i-- > 0;) {
    if (spec.tokens[i] == text) return static_cast<int32_t>(i);
  }
  return -1;
}

// "content" of a token given as text or as an object; "" for null.
std::string TokenText(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content")) return value.at("content").get<std::string>();
  return "";
}

void Place(TokenizerSpec* spec, const json& id_value, const std::string& text, TokenKind kind,
           uint64_t id_limit, const std::string& origin) {
  if (!id_value.is_number_unsigned() || id_value.get<uint64_t>() >= id_limit) {
    throw Error(Join(origin, ": the token \"", text, "\" has the id ", id_value.dump()));
  }
  const auto id = id_value.get<size_t>();
  if (id >= spec->tokens.size()) {
    spec->tokens.resize(id + 1);
    spec->kinds.resize(id + 1, TokenKind::kUnused);
  }
  spec->tokens[id] = text;
  spec->kinds[id] = kind;
}

// Walks pre_tokenizer, whatever its nesting, and calls visit(part) for each that is no sequence.
template <typename Visit>
void ForEachPart(const json& part, const char* list, const Visit& visit) {
  if (part.is_null()) return;
  if (part.value("type", std::string()) == "Sequence" && part.contains(list)) {
    for (const json& inner : part.at(list)) ForEachPart(inner, list, visit);
  } else {
    visit(part);
  }
}

// The name in the table of pre-tokenizers of what tokenizer.json spells out; "" when there is none
// (SentencePiece-like).
std::string PreTokenizerName(const json& tokenizer, const std::string& origin) {
  std::string pattern;
  bool byte_level = false, own_regex = false;
  std::string other;
  const json pre = tokenizer.contains("pre_tokenizer") ? tokenizer.at("pre_tokenizer") : json();
  ForEachPart(pre, "pretokenizers", [&](const json& part) {
    const auto type = part.at("type").get<std::string>();
    if (type == "ByteLevel") {
      byte_level = true;
      own_regex = part.value("use_regex", true);
      if (part.value("add_prefix_space", false)) other = "ByteLevel with add_prefix_space";
    } else if (type == "Split") {
      const json& what = part.at("pattern");
      if (what.contains("Regex") && pattern.empty()) {
        pattern = what.at("Regex").get<std::string>();
      } else {
        other = part.dump();
      }
    } else {
      other = part.dump();
    }
  });
  if (!byte_level) return "";
  if (!other.empty()) {
    throw Error(Join(origin, ": the pre-tokenizer step ", other, " is not known"));
  }
  if (pattern.empty() && own_regex) return "gpt-2";
  for (const PreTokenizer& entry : PreTokenizers()) {
    if (!pattern.empty() && pattern == entry.hf_pattern) return entry.name;
  }
  throw Error(Join(origin, ": the pre-tokenizer pattern ", pattern, " is not known"));
}

void ReadMerges(const json& model, TokenizerSpec* spec, const std::string& origin) {
  for (const json& merge : model.at("merges")) {
    if (merge.is_array() && merge.size() == 2) {
      spec->merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
      continue;
    }
    const auto text = merge.get<std::string>();
    const size_t space = text.find(' ', 1);
    if (space == std::string::npos || space + 1 == text.size()) {
      throw Error(Join(origin, ": the merge \"", text, "\" is not two tokens"));
    }
    spec->merges.emplace_back(text.substr(0, space), text.substr(space + 1));
  }
}

// BOS before and EOS after the text, as the template of the post-processor has them.
void ReadTemplate(const json& tokenizer, TokenizerSpec* spec) {
  const json post = tokenizer.contains("post_processor") ? tokenizer.at("post_processor") : json();
  ForEachPart(post, "processors", [&](const json& part) {
    if (part.value("type", std::string()) != "TemplateProcessing") return;
    bool after_text = false;
    for (const json& piece : part.at("single")) {
      if (piece.contains("Sequence")) {
        after_text = true;
      } else if (piece.contains("SpecialToken")) {
        const int32_t id = FindId(*spec, piece.at("SpecialToken").at("id").get<std::string>());
        if (id < 0) continue;
        if (after_text) {
          spec->eos = id;
          spec->add_eos = true;
        } else {
          spec->bos = id;
          spec->add_bos = true;
        }
      }
    }
  });
}

TokenizerSpec Parse(const json& tokenizer, const std::string& origin,
                    std::vector<std::string>* notes) {
  const json& model = tokenizer.at("model");
  const auto type = model.value("type", std::string("BPE"));
  if (type != "BPE") {
    throw Error(Join(origin, ": the tokenizer model is ", type, "; BPE is the one that is read"));
  }
  TokenizerSpec spec;
  const bool has_added = tokenizer.contains("added_tokens");
  const uint64_t id_limit =
      IdLimit(model.at("vocab").size() + (has_added ? tokenizer.at("added_tokens").size() : 0));
  for (const auto& [text, id] : model.at("vocab").items()) {
    const bool byte = text.size() == 6 && text.starts_with("<0x") && text.ends_with(">") &&
                      model.value("byte_fallback", false);
    Place(&spec, id, text, byte ? TokenKind::kByte : TokenKind::kNormal, id_limit, origin);
  }
  if (has_added) {
    for (const json& token : tokenizer.at("added_tokens")) {
      Place(&spec, token.at("id"), token.at("content").get<std::string>(),
            token.value("special", false) ? TokenKind::kControl : TokenKind::kUserDefined, id_limit,
            origin);
    }
  }
  ReadMerges(model, &spec, origin);
  if (model.contains("unk_token") && model.at("unk_token").is_string()) {
    spec.unknown = FindId(spec, model.at("unk_token").get<std::string>());
    if (spec.unknown >= 0) spec.kinds[static_cast<size_t>(spec.unknown)] = TokenKind::kUnknown;
  }
  ReadTemplate(tokenizer, &spec);
  spec.pre = PreTokenizerName(tokenizer, origin);
  if (!spec.pre.empty()) {
    spec.kind = TokenizerKind::kByteBpe;
    spec.ignore_merges = model.value("ignore_merges", false);
    spec.add_space_prefix = false;
    if (tokenizer.contains("normalizer") && !tokenizer.at("normalizer").is_null()) {
      notes->push_back("tokenizer.json: the normalizer " + tokenizer.at("normalizer").dump() +
                       " is not applied");
    }
    return spec;
  }
  // SentencePiece-like: the merge that makes a token says how good it is.
  if (!model.value("byte_fallback", false)) {
    throw Error(Join(origin,
                     ": neither a byte-level pre-tokenizer nor byte_fallback; such a BPE is "
                     "not known"));
  }
  spec.kind = TokenizerKind::kSentencePiece;
  spec.add_space_prefix = false;
  const json normalizer = tokenizer.contains("normalizer") ? tokenizer.at("normalizer") : json();
  ForEachPart(normalizer, "normalizers", [&](const json& part) {
    const auto step = part.value("type", std::string());
    if (step == "Prepend") spec.add_space_prefix = true;
    if (step != "Prepend" && step != "Replace") {
      throw Error(Join(origin, ": the normalizer step ", part.dump(), " is not known"));
    }
  });
  const json pre = tokenizer.contains("pre_tokenizer") ? tokenizer.at("pre_tokenizer") : json();
  ForEachPart(pre, "pretokenizers", [&](const json& part) {
    if (part.value("type", std::string()) == "Metaspace") {
      spec.add_space_prefix = part.value("prepend_scheme", std::string("always")) != "never";
    }
  });
  spec.scores.assign(spec.tokens.size(), -1e9f);
  std::map<std::string, float> made;
  for (size_t rank = 0; rank < spec.merges.size(); ++rank) {
    made.emplace(spec.merges[rank].first + spec.merges[rank].second, -static_cast<float>(rank));
  }
  for (size_t i = 0; i < spec.tokens.size(); ++i) {
    const auto found = made.find(spec.tokens[i]);
    if (found != made.end()) spec.scores[i] = found->second;
  }
  spec.merges.clear();
  return spec;
}

json ReadJson(const fs::path& path, uint64_t limit) {
  try {
    return json::parse(ReadSmallFile(path.string(), limit));
  } catch (const json::exception& error) {
    throw Error(Join(path.string(), " is not as it should be: ", error.what()));
  }
}

void AddStops(const json& config, size_t tokens, std::vector<int32_t>* stop) {
  if (!config.contains("eos_token_id")) return;
  const json& eos = config.at("eos_token_id");
  for (const json& id : eos.is_array() ? eos : json::array({eos})) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= tokens) continue;
    const auto value = id.get<int32_t>();
    if (std::find(stop->begin(), stop->end(), value) == stop->end()) stop->push_back(value);
  }
}

// What the other files say of BOS, EOS, stops and the chat template.
void ApplyRules(const fs::path& folder, TokenizerSpec* spec) {
  const auto named = [&](const json& config, const char* key, int32_t* id) {
    if (!config.contains(key)) return;
    const int32_t found = FindId(*spec, TokenText(config.at(key)));
    if (found >= 0) *id = found;
  };
  const fs::path rules_path = folder / "tokenizer_config.json";
  if (fs::exists(rules_path)) {
    const json rules = ReadJson(rules_path, kMaxConfigBytes);
    named(rules, "bos_token", &spec->bos);
    named(rules, "eos_token", &spec->eos);
    named(rules, "pad_token", &spec->padding);
    named(rules, "unk_token", &spec->unknown);
    if (rules.contains("add_bos_token") && rules.at("add_bos_token").is_boolean()) {
      spec->add_bos = rules.at("add_bos_token").get<bool>();
    }
    if (rules.contains("add_eos_token") && rules.at("add_eos_token").is_boolean()) {
      spec->add_eos = rules.at("add_eos_token").get<bool>();
    }
    if (rules.contains("chat_template") && rules.at("chat_template").is_string()) {
      spec->chat_template = rules.at("chat_template").get<std::string>();
    }
  }
  for (const char* name : {"generation_config.json", "config.json"}) {
    const fs::path path = folder / name;
    if (!fs::exists(path)) continue;
    const json config = ReadJson(path, kMaxConfigBytes);
    AddStops(config, spec->tokens.size(), &spec->stop);
    if (spec->bos < 0 && config.contains("bos_token_id") &&
        config.at("bos_token_id").is_number_unsigned() &&
        config.at("bos_token_id").get<uint64_t>() < spec->tokens.size()) {
      spec->bos = config.at("bos_token_id").get<int32_t>();
    }
  }
  if (spec->eos < 0 && !spec->stop.empty()) spec->eos = spec->stop.front();
  if (spec->eos >= 0 &&
      std::find(spec->stop.begin(), spec->stop.end(), spec->eos) == spec->stop.end()) {
    spec->stop.push_back(spec->eos);
  }
  for (const char* text : {"<|eot_id|>", "<|im_end|>"}) {
    const int32_t id = FindId(*spec, text);
    if (id < 0) continue;
    spec->eot = id;
    if (std::find(spec->stop.begin(), spec->stop.end(), id) == spec->stop.end()) {
      spec->stop.push_back(id);
    }
  }
  spec->add_bos = spec->add_bos && spec->bos >= 0;
  spec->add_eos = spec->add_eos && spec->eos >= 0;
}

}  // namespace

TokenizerSpec ParseTokenizerJson(const std::string& text, const std::string& origin,
                                 std::vector<std::string>* notes) {
  try {
    return Parse(json::parse(text), origin, notes);
  } catch (const json::exception& error) {
    throw Error(Join(origin, " is not as it should be: ", error.what()));
  }
}

TokenizerSpec ReadHfTokenizer(const std::string& folder, uint32_t vocab_size,
                              std::vector<std::string>* notes) {
  const fs::path path(folder);
  const fs::path pieces = path / "tokenizer.model", description = path / "tokenizer.json";
  TokenizerSpec spec;
  if (fs::exists(pieces)) {
    const auto file = MappedFile::Open(pieces.string());
    spec = ReadSentencePiece(file->bytes(), pieces.string());
    const fs::path added = path / "added_tokens.json";
    if (fs::exists(added)) {
      const json tokens = ReadJson(added, kMaxConfigBytes);
      for (const auto& [text, id] : tokens.items()) {
        Place(&spec, id, text, TokenKind::kControl, IdLimit(spec.tokens.size() + tokens.size()),
              added.string());
      }
      spec.scores.resize(spec.tokens.size(), -1e9f);
    }
  } else if (fs::exists(description)) {
    spec = ParseTokenizerJson(ReadSmallFile(description.string(), kMaxTokenizerBytes),
                              description.string(), notes);
  } else {
    throw Error(Join(folder, " has neither tokenizer.json nor tokenizer.model"));
  }
  if (spec.tokens.size() > vocab_size) {
    throw Error(Join(folder, ": the tokenizer has ", spec.tokens.size(),
                     " tokens, but vocab_size is ", vocab_size));
  }
  for (size_t i = spec.tokens.size(); i < vocab_size; ++i) {
    spec.tokens.push_back(Join("[PAD", i, "]"));
    spec.kinds.push_back(TokenKind::kUnused);
    if (spec.kind == TokenizerKind::kSentencePiece) spec.scores.push_back(-1e9f);
  }
  // Gaps between ids are tokens nobody uses; each needs a text of its own.
  for (size_t i = 0; i < spec.tokens.size(); ++i) {
    if (spec.tokens[i].empty()) {
      spec.tokens[i] = Join("[PAD", i, "]");
      spec.kinds[i] = TokenKind::kUnused;
    }
  }
  try {
    ApplyRules(path, &spec);
  } catch (const json::exception& error) {
    throw Error(
        Join(folder, ": the tokenizer's configuration is not as it should be: ", error.what()));
  }
  return spec;
}

}  // namespace trit

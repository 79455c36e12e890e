#include "model/gguf/gguf_tokenizer.h"

#include "model/tokenizer/pre_tokenizers.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr const char* kPrefix = "tokenizer.ggml.";

// Ours, and written only where a vocabulary differs from what its pre-tokenizer's name implies.
constexpr const char* kIgnoreMerges = "tritforge.tokenizer.ignore_merges";

std::string Key(const char* name) {
  return std::string(kPrefix) + name;
}

int32_t ReadId(const Metadata& metadata, const char* name, size_t tokens) {
  const std::string key = Key(name);
  if (!metadata.Has(key)) return -1;
  const MetaValue* value = metadata.Peek(key);
  // Some writers put "none" as all ones.
  if (value->integer == 0xffffffffu || value->integer == ~uint64_t{0}) return -1;
  const uint64_t id = metadata.U64(key);
  if (id >= tokens) {
    throw Error(Join(metadata.origin(), ": ", key, " is ", id, ", but the vocabulary has ", tokens,
                     " tokens"));
  }
  return static_cast<int32_t>(id);
}

void ReadMerges(const Metadata& metadata, TokenizerSpec* spec) {
  const auto merges = metadata.Strings(Key("merges"));
  spec->merges.reserve(merges.size());
  for (const std::string_view merge : merges) {
    // The first space after the first character: a token may begin with one.
    const size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size()) {
      throw Error(Join(metadata.origin(), ": the merge \"", merge, "\" is not two tokens"));
    }
    spec->merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
}

}  // namespace

TokenizerSpec ReadGgufTokenizer(const Metadata& metadata, std::vector<std::string>* notes) {
  TokenizerSpec spec;
  const std::string& model = metadata.String(Key("model"));
  if (model == "gpt2") {
    spec.kind = TokenizerKind::kByteBpe;
  } else if (model == "llama") {
    spec.kind = TokenizerKind::kSentencePiece;
  } else {
    throw Error(Join(metadata.origin(), ": tokenizer.ggml.model is ", model,
                     "; known are gpt2 (byte-level BPE) and llama (SentencePiece BPE)"));
  }
  for (const std::string_view token : metadata.Strings(Key("tokens"))) {
    spec.tokens.emplace_back(token);
  }
  const size_t count = spec.tokens.size();
  if (count == 0) throw Error(Join(metadata.origin(), ": the vocabulary is empty"));
  const auto same_length = [&](size_t length, const char* name) {
    if (length != count) {
      throw Error(Join(metadata.origin(), ": ", Key(name), " has ", length, " entries for ", count,
                       " tokens"));
    }
  };
  spec.kinds.assign(count, TokenKind::kNormal);
  if (metadata.Has(Key("token_type"))) {
    const auto types = metadata.I64s(Key("token_type"));
    same_length(types.size(), "token_type");
    for (size_t i = 0; i < count; ++i) {
      if (types[i] < 1 || types[i] > 6) {
        // 0 is written for "undefined" by some converters.
        if (types[i] != 0) {
          throw Error(Join(metadata.origin(), ": token ", i, " has the unknown type ", types[i]));
        }
        continue;
      }
      spec.kinds[i] = static_cast<TokenKind>(types[i]);
    }
  }
  if (metadata.Has(Key("scores"))) {
    spec.scores = metadata.F32s(Key("scores"));
    same_length(spec.scores.size(), "scores");
  } else if (spec.kind == TokenizerKind::kSentencePiece) {
    throw Error(
        Join(metadata.origin(), ": a SentencePiece vocabulary needs the key ", Key("scores")));
  }
  spec.bos = ReadId(metadata, "bos_token_id", count);
  spec.eos = ReadId(metadata, "eos_token_id", count);
  spec.eot = ReadId(metadata, "eot_token_id", count);
  spec.unknown = ReadId(metadata, "unknown_token_id", count);
  spec.padding = ReadId(metadata, "padding_token_id", count);
  spec.chat_template = metadata.StringOr("tokenizer.chat_template", "");

  if (spec.kind == TokenizerKind::kByteBpe) {
    ReadMerges(metadata, &spec);
    const std::string architecture = metadata.StringOr("general.architecture", "");
    if (metadata.Has(Key("pre"))) {
      spec.pre = metadata.String(Key("pre"));
    } else if (architecture == "bitnet-b1.58" || architecture == "bitnet-25") {
      spec.pre = "llama-bpe";
      notes->push_back("the file names no pre-tokenizer (tokenizer.ggml.pre); for " + architecture +
                       " that is Llama-3's");
    } else {
      throw Error(Join(metadata.origin(),
                       ": the key tokenizer.ggml.pre is missing; for the "
                       "architecture ",
                       architecture, " no pre-tokenizer is known without it"));
    }
    const PreTokenizer& pre = FindPreTokenizer(spec.pre, metadata.origin());
    spec.ignore_merges = metadata.BoolOr(kIgnoreMerges, pre.ignore_merges);
    spec.add_bos = metadata.BoolOr(Key("add_bos_token"), pre.add_bos) && spec.bos >= 0;
    spec.add_space_prefix = false;
  } else {
    metadata.Has(Key("pre"));
    spec.add_bos = metadata.BoolOr(Key("add_bos_token"), true) && spec.bos >= 0;
    spec.add_space_prefix = metadata.BoolOr(Key("add_space_prefix"), true);
  }
  spec.add_eos = metadata.BoolOr(Key("add_eos_token"), false) && spec.eos >= 0;
  for (const int32_t id : {spec.eos, spec.eot}) {
    if (id >= 0) spec.stop.push_back(id);
  }
  // Chat models end a turn with a token that the file's single EOS does not name.
  for (size_t i = 0; i < count; ++i) {
    if (spec.kinds[i] != TokenKind::kControl) continue;
    const std::string& text = spec.tokens[i];
    if (text == "<|eot_id|>" || text == "<|im_end|>" || text == "<|end_of_text|>") {
      const auto id = static_cast<int32_t>(i);
      bool known = false;
      for (const int32_t stop : spec.stop) known |= stop == id;
      if (!known) spec.stop.push_back(id);
    }
  }
  return spec;
}

void WriteGgufTokenizer(const TokenizerSpec& spec, Metadata* metadata) {
  const bool bpe = spec.kind == TokenizerKind::kByteBpe;
  metadata->SetString(Key("model"), bpe ? "gpt2" : "llama");
  if (bpe) metadata->SetString(Key("pre"), spec.pre);
  metadata->SetStrings(Key("tokens"), spec.tokens);
  if (!spec.scores.empty()) metadata->SetF32s(Key("scores"), spec.scores);
  std::vector<int32_t> kinds;
  for (const TokenKind kind : spec.kinds) kinds.push_back(static_cast<int32_t>(kind));
  metadata->SetI32s(Key("token_type"), kinds);
  if (bpe) {
    std::vector<std::string> merges;
    merges.reserve(spec.merges.size());
    for (const auto& [left, right] : spec.merges) merges.push_back(left + " " + right);
    metadata->SetStrings(Key("merges"), merges);
  }
  if (bpe && spec.ignore_merges != FindPreTokenizer(spec.pre, "the vocabulary").ignore_merges) {
    metadata->SetBool(kIgnoreMerges, spec.ignore_merges);
  }
  const auto id = [&](const char* name, int32_t value) {
    if (value >= 0) metadata->SetU32(Key(name), static_cast<uint32_t>(value));
  };
  id("bos_token_id", spec.bos);
  id("eos_token_id", spec.eos);
  id("eot_token_id", spec.eot);
  id("unknown_token_id", spec.unknown);
  id("padding_token_id", spec.padding);
  metadata->SetBool(Key("add_bos_token"), spec.add_bos);
  if (spec.add_eos) metadata->SetBool(Key("add_eos_token"), true);
  if (!bpe) metadata->SetBool(Key("add_space_prefix"), spec.add_space_prefix);
  if (!spec.chat_template.empty()) {
    metadata->SetString("tokenizer.chat_template", spec.chat_template);
  }
}

}  // namespace trit

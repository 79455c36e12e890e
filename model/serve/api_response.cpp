#include "model/serve/api_response.h"

#include <algorithm>
#include <random>

#include "model/serve/text_stream.h"

namespace trit::serve {
namespace {

std::string ValidUtf8(std::string bytes) {
  std::string text = TakeUtf8(&bytes);
  if (!bytes.empty()) text += "\xEF\xBF\xBD";
  return text;
}

bool Continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Characters as OpenAI's clients count them: code points.
size_t CountCharacters(std::string_view utf8) {
  return utf8.size() - static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), Continues));
}

Json BytesOf(const std::string& bytes) {
  Json list = Json::array();
  for (const char c : bytes) list.push_back(static_cast<unsigned char>(c));
  return list;
}

}  // namespace

Json TimingsJson(const Timings& timings) {
  const auto ms = [](int64_t ns) { return static_cast<double>(ns) * 1e-6; };
  const auto each = [&](int64_t ns, int count) { return count > 0 ? ms(ns) / count : 0.0; };
  const auto rate = [](int64_t ns, int count) {
    return ns > 0 ? count * 1e9 / static_cast<double>(ns) : 0.0;
  };
  const int computed = timings.prompt_tokens - timings.cached_tokens;
  // The first token comes with the prompt's last step: the intervals are one fewer than tokens.
  const int intervals = std::max(0, timings.answer_tokens - 1);
  return {{"cache_n", timings.cached_tokens},
          {"prompt_n", computed},
          {"prompt_ms", ms(timings.prompt_ns)},
          {"prompt_per_token_ms", each(timings.prompt_ns, computed)},
          {"prompt_per_second", rate(timings.prompt_ns, computed)},
          {"predicted_n", timings.answer_tokens},
          {"predicted_ms", ms(timings.answer_ns)},
          {"predicted_per_token_ms", each(timings.answer_ns, intervals)},
          {"predicted_per_second", rate(timings.answer_ns, intervals)}};
}

std::string NewId(std::string_view prefix) {
  constexpr std::string_view kAlphabet =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::random_device random;
  std::string id(prefix);
  for (int i = 0; i < 24; ++i) id += kAlphabet[random() % kAlphabet.size()];
  return id;
}

Answer::Answer(const ApiRequest& request, const Engine& engine, std::string id, int64_t created)
    : request_(request),
      engine_(engine),
      id_(std::move(id)),
      created_(created),
      choices_(request.job.choices.size()) {}

std::string Answer::TokenText(int32_t token) const {
  return ValidUtf8(engine_.TokenBytes(token, true));
}

Json Answer::ChatLogprob(const TokenLogprob& token) const {
  return {{"token", TokenText(token.token)},
          {"logprob", std::max(token.logprob, -9999.0f)},
          {"bytes", BytesOf(engine_.TokenBytes(token.token, true))}};
}

Json Answer::LogprobsJson(const std::vector<Logprobs>& tokens, size_t offset) const {
  if (!request_.logprobs) return nullptr;
  if (request_.chat) {
    Json content = Json::array();
    for (const Logprobs& token : tokens) {
      Json entry = ChatLogprob(token.chosen);
      entry["top_logprobs"] = Json::array();
      for (const TokenLogprob& other : token.top) {
        entry["top_logprobs"].push_back(ChatLogprob(other));
      }
      content.push_back(std::move(entry));
    }
    return {{"content", std::move(content)}, {"refusal", nullptr}};
  }
  Json texts = Json::array(), own = Json::array(), top = Json::array(), offsets = Json::array();
  for (const Logprobs& token : tokens) {
    texts.push_back(TokenText(token.chosen.token));
    own.push_back(std::max(token.chosen.logprob, -9999.0f));
    Json best = Json::object();
    for (const TokenLogprob& other : token.top) {
      best[TokenText(other.token)] = std::max(other.logprob, -9999.0f);
    }
    top.push_back(std::move(best));
    // A token that goes on with a character has that character's place.
    const std::string bytes = engine_.TokenBytes(token.chosen.token, false);
    const bool inside = offset > 0 && !bytes.empty() && Continues(bytes[0]);
    offsets.push_back(offset - inside);
    offset += CountCharacters(bytes);
  }
  return {
      {"tokens", texts}, {"token_logprobs", own}, {"top_logprobs", top}, {"text_offset", offsets}};
}

Json Answer::Head(const char* object) const {
  return {{"id", id_},
          {"object", object},
          {"created", created_},
          {"model", engine_.Facts().model_id},
          {"system_fingerprint", Join("trit-", engine_.Facts().target)}};
}

Json Answer::ChunkOf(int choice, Json payload, const Json& logprobs, const Json& reason) const {
  Json chunk = Head(request_.chat ? "chat.completion.chunk" : "text_completion");
  Json entry = {{"index", choice}};
  entry[request_.chat ? "delta" : "text"] = std::move(payload);
  entry["logprobs"] = logprobs;
  entry["finish_reason"] = reason;
  chunk["choices"] = Json::array({std::move(entry)});
  if (request_.include_usage) chunk["usage"] = nullptr;
  return chunk;
}

std::vector<std::string> Answer::Take(const Event& event) {
  Part& part = choices_.at(static_cast<size_t>(event.choice));
  std::vector<std::string> chunks;
  const auto send = [&](const Json& chunk) { chunks.push_back(Dump(chunk)); };
  const bool streaming = request_.stream;

  if (!part.begun) {
    part.begun = true;
    if (streaming && request_.chat) {
      send(ChunkOf(event.choice, {{"role", "assistant"}, {"content", ""}}, nullptr, nullptr));
    }
    if (request_.echo) {
      part.text = ValidUtf8(request_.prompt_texts[static_cast<size_t>(event.choice)]);
      part.characters = CountCharacters(part.text);
      if (streaming) send(ChunkOf(event.choice, part.text, nullptr, nullptr));
    }
  }
  part.timings = event.timings;
  if (!event.text.empty() || !event.tokens.empty()) {
    if (streaming) {
      const Json payload = request_.chat ? Json{{"content", event.text}} : Json(event.text);
      send(ChunkOf(event.choice, payload, LogprobsJson(event.tokens, part.characters), nullptr));
    }
    part.text += event.text;
    part.characters += CountCharacters(event.text);
    part.tokens.insert(part.tokens.end(), event.tokens.begin(), event.tokens.end());
  }
  if (event.kind == Event::Kind::kFinished) {
    part.reason = event.reason == FinishReason::kStop ? "stop" : "length";
    ++finished_;
    if (streaming) {
      Json chunk =
          ChunkOf(event.choice, request_.chat ? Json::object() : Json(""), nullptr, part.reason);
      chunk["timings"] = TimingsJson(part.timings);
      send(chunk);
    }
  }
  return chunks;
}

Timings Answer::Total() const {
  Timings total;
  const Choice* before = nullptr;
  for (size_t i = 0; i < choices_.size(); ++i) {
    const Timings& part = choices_[i].timings;
    total.answer_tokens += part.answer_tokens;
    total.answer_ns = std::max(total.answer_ns, part.answer_ns);
    total.prompt_ns = std::max(total.prompt_ns, part.prompt_ns);
    // A prompt shared by n choices counts once, as OpenAI counts it.
    const Choice& choice = request_.job.choices[i];
    if (before && before->prompt == choice.prompt) continue;
    before = &choice;
    total.prompt_tokens += part.prompt_tokens;
    total.cached_tokens += part.cached_tokens;
  }
  return total;
}

Json Answer::Usage() const {
  const Timings total = Total();
  return {{"prompt_tokens", total.prompt_tokens},
          {"completion_tokens", total.answer_tokens},
          {"total_tokens", total.prompt_tokens + total.answer_tokens},
          {"prompt_tokens_details", {{"cached_tokens", total.cached_tokens}}}};
}

Json Answer::Whole() const {
  Json body = Head(request_.chat ? "chat.completion" : "text_completion");
  body["choices"] = Json::array();
  for (size_t i = 0; i < choices_.size(); ++i) {
    const Part& part = choices_[i];
    Json entry = {{"index", i}};
    if (request_.chat) {
      entry["message"] = {{"role", "assistant"}, {"content", part.text}, {"refusal", nullptr}};
    } else {
      entry["text"] = part.text;
    }
    entry["logprobs"] = LogprobsJson(part.tokens, 0);
    entry["finish_reason"] = part.reason;
    body["choices"].push_back(std::move(entry));
  }
  body["usage"] = Usage();
  body["timings"] = TimingsJson(Total());
  return body;
}

std::vector<std::string> Answer::Tail() const {
  if (!request_.include_usage) return {};
  Json chunk = Head(request_.chat ? "chat.completion.chunk" : "text_completion");
  chunk["choices"] = Json::array();
  chunk["usage"] = Usage();
  chunk["timings"] = TimingsJson(Total());
  return {Dump(chunk)};
}

}  // namespace trit::serve

#include "model/serve/api_request.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "model/serve/json_fields.h"

namespace trit::serve {
namespace {

constexpr int64_t kManyTokens = 1 << 30;

void CheckModel(Fields* fields, const Engine& engine, const RequestLimits& limits) {
  const auto model = fields->String("model");
  const std::string& ours = engine.Facts().model_id;
  if (!model || limits.any_model || *model == ours) return;
  throw ApiError(
      404, "invalid_request_error", "model_not_found",
      Join("The model '", model->substr(0, 200), "' is not here; this server has '", ours, "'."),
      "model");
}

std::vector<std::string> ReadStops(Fields* fields, const RequestLimits& limits) {
  std::vector<std::string> stops;
  const auto* value = fields->Any("stop");
  if (!value) return stops;
  const std::string must =
      Join("a string or an array of at most ", limits.max_stops, " non-empty strings");
  const auto add = [&](const nlohmann::json& item) {
    if (!item.is_string() || item.get_ref<const std::string&>().size() > 4096) {
      throw fields->Fault("stop", must);
    }
    stops.push_back(item.get<std::string>());
    if (stops.back().empty()) throw fields->Fault("stop", must);
  };
  if (value->is_array()) {
    if (value->size() > static_cast<size_t>(limits.max_stops)) throw fields->Fault("stop", must);
    for (const auto& item : *value) add(item);
  } else {
    add(*value);
  }
  return stops;
}

void ReadLogitBias(Fields* fields, int vocabulary, SamplingOptions* sampling) {
  const auto* value = fields->Any("logit_bias");
  if (!value) return;
  const std::string must =
      Join("an object from token ids (0 to ", vocabulary - 1, ") to numbers from -100 to 100");
  if (!value->is_object() || value->size() > 1024) throw fields->Fault("logit_bias", must);
  for (const auto& [key, bias] : value->items()) {
    int32_t token = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    const bool whole = error == std::errc() && end == key.data() + key.size();
    const double number = bias.is_number() ? bias.get<double>() : 1000;
    if (!whole || token < 0 || token >= vocabulary || !(std::abs(number) <= 100)) {
      throw fields->Fault("logit_bias", must);
    }
    sampling->logit_bias.emplace_back(token, static_cast<float>(number));
  }
}

SamplingOptions ReadSampling(Fields* fields, int vocabulary) {
  SamplingOptions sampling;
  sampling.temperature = static_cast<float>(fields->Number("temperature", 0, 2).value_or(1));
  sampling.top_p = static_cast<float>(fields->Number("top_p", 0, 1).value_or(1));
  sampling.top_k = static_cast<int>(fields->Int("top_k", 0, kManyTokens).value_or(0));
  sampling.min_p = static_cast<float>(fields->Number("min_p", 0, 1).value_or(0));
  sampling.repeat_penalty =
      static_cast<float>(fields->Number("repeat_penalty", 0.1, 10).value_or(1));
  sampling.repeat_last_n = static_cast<int>(fields->Int("repeat_last_n", 0, 65536).value_or(64));
  sampling.frequency_penalty =
      static_cast<float>(fields->Number("frequency_penalty", -2, 2).value_or(0));
  sampling.presence_penalty =
      static_cast<float>(fields->Number("presence_penalty", -2, 2).value_or(0));
  ReadLogitBias(fields, vocabulary, &sampling);
  const auto seed =
      fields->Int("seed", std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
  if (seed) {
    sampling.seed = static_cast<uint64_t>(*seed);
  } else {
    std::random_device random;
    sampling.seed = (static_cast<uint64_t>(random()) << 32) | random();
  }
  return sampling;
}

void ReadStreaming(Fields* fields, ApiRequest* request) {
  request->stream = fields->Bool("stream").value_or(false);
  const auto* options = fields->Any("stream_options");
  if (!options) return;
  if (!request->stream) throw fields->Fault("stream_options", "absent unless 'stream' is true");
  Fields inner(*options, "stream_options");
  request->include_usage = inner.Bool("include_usage").value_or(false);
  inner.Ignore({"include_obfuscation"});
  inner.RejectUnknown();
}

// The first of the names that is given; none, or llama.cpp's -1, means: to the end of the context.
std::optional<int64_t> ReadMaxTokens(Fields* fields) {
  std::optional<int64_t> result;
  for (const char* name : {"max_completion_tokens", "max_tokens"}) {
    const auto value = fields->Int(name, 1, kManyTokens);
    if (!result) result = value;
  }
  const auto predict = fields->Int("n_predict", -1, kManyTokens);
  if (predict == 0) throw fields->Fault("n_predict", "-1 or at least 1");
  if (!result && predict != -1) result = predict;
  return result;
}

// What both endpoints read after the prompts are known.
void ReadCommon(Fields* fields, const Engine& engine, const RequestLimits& limits,
                const std::vector<Prompt>& prompts, ApiRequest* request) {
  const EngineFacts& facts = engine.Facts();
  const auto n = fields->Int("n", 1, limits.max_choices).value_or(1);
  if (n * static_cast<int64_t>(prompts.size()) > limits.max_choices) {
    throw fields->Fault("n", Join("such that prompts times n are at most ", limits.max_choices));
  }
  const SamplingOptions sampling = ReadSampling(fields, facts.vocabulary);
  const auto max_tokens = ReadMaxTokens(fields);
  request->job.stops = ReadStops(fields, limits);
  request->job.ignore_eos = fields->Bool("ignore_eos").value_or(false);
  ReadStreaming(fields, request);
  for (const Prompt& prompt : prompts) {
    const auto room = facts.context - static_cast<int64_t>(prompt->size());
    if (room < 1) {
      throw BadRequest(Join("This model's context is ", facts.context,
                            " tokens; the prompt alone has ", prompt->size(), "."),
                       request->chat ? "messages" : "prompt", "context_length_exceeded");
    }
    for (int64_t i = 0; i < n; ++i) {
      Choice choice{prompt, static_cast<int>(std::min(max_tokens.value_or(room), room)), sampling};
      choice.sampling.seed += request->job.choices.size();
      request->job.choices.push_back(std::move(choice));
    }
  }
  // Known fields without effect: identity and billing, and llama.cpp's cache switches (the cache
  // is always used; answers do not depend on it).
  fields->Ignore({"user", "store", "metadata", "service_tier", "safety_identifier",
                  "prompt_cache_key", "prompt_cache_retention", "cache_prompt",
                  "timings_per_token"});
}

std::string ReadContent(const nlohmann::json& message, const Fields& fields) {
  const auto content = message.find("content");
  const std::string must = "a string or an array of {\"type\": \"text\", \"text\": …} parts";
  if (content == message.end() || content->is_null()) throw fields.Fault("content", must);
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) throw fields.Fault("content", must);
  std::string text;
  for (const auto& part : *content) {
    const auto field = [&](const char* name) {
      return part.is_object() && part.contains(name) && part[name].is_string();
    };
    if (!field("type") || part["type"] != "text" || !field("text")) {
      throw fields.Fault("content", must);
    }
    text += part["text"].get_ref<const std::string&>();
  }
  return text;
}

std::vector<ChatMessage> ReadMessages(Fields* fields) {
  const auto* list = fields->Any("messages");
  if (!list || !list->is_array() || list->empty() || list->size() > 4096) {
    throw fields->Fault("messages", "an array of 1 to 4096 messages");
  }
  std::vector<ChatMessage> messages;
  for (size_t i = 0; i < list->size(); ++i) {
    Fields message((*list)[i], Join("messages[", i, "]"));
    const std::string role = message.String("role").value_or("");
    if (role == "system" || role == "developer") {
      messages.push_back({"system", ""});
    } else if (role == "user" || role == "assistant") {
      messages.push_back({role, ""});
    } else {
      throw message.Fault("role", "system, developer, user or assistant");
    }
    messages.back().content = ReadContent((*list)[i], message);
    message.Ignore({"content", "name", "refusal", "annotations", "audio"});
    message.Unsupported("tool_calls", {nlohmann::json::array()});
    message.Unsupported("function_call", {});
    message.RejectUnknown();
  }
  return messages;
}

// A token array as a prompt: ids of this vocabulary.
Prompt TokensOf(const nlohmann::json& list, const Fields& fields, int vocabulary) {
  std::vector<int32_t> tokens;
  tokens.reserve(list.size());
  for (const auto& item : list) {
    const bool good = item.is_number_integer() &&
                      (item.is_number_unsigned() || item.get<int64_t>() >= 0) &&
                      item.get<uint64_t>() < static_cast<uint64_t>(vocabulary);
    if (!good) throw fields.Fault("prompt", Join("of token ids from 0 to ", vocabulary - 1));
    tokens.push_back(item.get<int32_t>());
  }
  return std::make_shared<const std::vector<int32_t>>(std::move(tokens));
}

std::vector<Prompt> ReadPrompts(Fields* fields, const Engine& engine, const RequestLimits& limits) {
  const auto* value = fields->Any("prompt");
  const std::string must = Join(
      "a string, an array of strings, an array of token ids, or an array of such arrays; at most ",
      limits.max_choices, " prompts, none empty");
  if (!value) throw fields->Fault("prompt", must);
  const auto one = [&](const nlohmann::json& item) -> Prompt {
    if (item.is_string()) {
      return std::make_shared<const std::vector<int32_t>>(
          engine.Tokenize(item.get_ref<const std::string&>(), true, true));
    }
    if (!item.is_array() || item.empty()) throw fields->Fault("prompt", must);
    return TokensOf(item, *fields, engine.Facts().vocabulary);
  };
  std::vector<Prompt> prompts;
  if (value->is_array() && !value->empty() && !value->front().is_number()) {
    if (value->size() > static_cast<size_t>(limits.max_choices))
      throw fields->Fault("prompt", must);
    for (const auto& item : *value) prompts.push_back(one(item));
  } else {
    prompts.push_back(one(*value));
  }
  for (const Prompt& prompt : prompts) {
    if (prompt->empty()) throw fields->Fault("prompt", must);
  }
  return prompts;
}

}  // namespace

ApiRequest ParseChat(const nlohmann::json& body, const Engine& engine,
                     const RequestLimits& limits) {
  Fields fields(body);
  ApiRequest request;
  request.chat = true;
  CheckModel(&fields, engine, limits);
  const std::vector<ChatMessage> messages = ReadMessages(&fields);
  const auto prompt = std::make_shared<const std::vector<int32_t>>(engine.ChatPrompt(messages));
  request.logprobs = fields.Bool("logprobs").value_or(false);
  const auto top = fields.Int("top_logprobs", 0, limits.max_logprobs);
  if (top && !request.logprobs) {
    throw fields.Fault("top_logprobs", "absent unless 'logprobs' is true");
  }
  if (request.logprobs) request.job.logprobs = static_cast<int>(top.value_or(0));
  ReadCommon(&fields, engine, limits, {prompt}, &request);
  fields.Unsupported("tools", {nlohmann::json::array()});
  fields.Unsupported("tool_choice", {"none", "auto"});
  fields.Unsupported("functions", {nlohmann::json::array()});
  fields.Unsupported("function_call", {"none", "auto"});
  fields.Unsupported("response_format", {{{"type", "text"}}});
  fields.Unsupported("modalities", {nlohmann::json::array({"text"})});
  fields.Unsupported("audio", {});
  fields.Unsupported("prediction", {});
  fields.Unsupported("web_search_options", {});
  fields.Ignore({"parallel_tool_calls", "reasoning_effort", "verbosity"});
  fields.RejectUnknown();
  return request;
}

ApiRequest ParseCompletion(const nlohmann::json& body, const Engine& engine,
                           const RequestLimits& limits) {
  Fields fields(body);
  ApiRequest request;
  CheckModel(&fields, engine, limits);
  const std::vector<Prompt> prompts = ReadPrompts(&fields, engine, limits);
  const auto logprobs = fields.Int("logprobs", 0, limits.max_logprobs);
  request.logprobs = logprobs.has_value();
  request.job.logprobs = static_cast<int>(logprobs.value_or(-1));
  request.echo = fields.Bool("echo").value_or(false);
  if (request.echo && request.logprobs) {
    throw fields.Fault("echo", "false with 'logprobs': prompts' logprobs are not computed here");
  }
  ReadCommon(&fields, engine, limits, prompts, &request);
  const auto best_of = fields.Int("best_of", 1, limits.max_choices);
  const auto choices = static_cast<int64_t>(request.job.choices.size() / prompts.size());
  if (best_of && *best_of != choices) {
    throw fields.Fault("best_of", "equal to 'n': choices are not ranked here");
  }
  fields.Unsupported("suffix", {""});
  fields.RejectUnknown();
  if (request.echo) {
    for (const Choice& choice : request.job.choices) {
      std::string text;
      for (const int32_t token : *choice.prompt) text += engine.TokenBytes(token, false);
      request.prompt_texts.push_back(std::move(text));
    }
  }
  return request;
}

}  // namespace trit::serve

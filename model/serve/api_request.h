// The bodies of /v1/chat/completions and /v1/completions, read and checked. Fields are OpenAI's;
// top_k, min_p, repeat_penalty, repeat_last_n, ignore_eos and n_predict (for max_tokens) are
// llama.cpp's, which many clients send.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/serve/engine.h"
#include "model/serve/job.h"

namespace trit::serve {

struct RequestLimits {
  int max_choices = 16;  // prompts times n
  int max_logprobs = 20;
  int max_stops = 16;
  bool any_model = false;  // take requests for models of other names too
};

struct ApiRequest {
  bool chat = false;
  bool stream = false;
  bool include_usage = false;  // stream_options: usage in a last chunk
  bool logprobs = false;
  bool echo = false;
  std::vector<std::string> prompt_texts;  // one a choice, only with echo
  JobSpec job;                            // client is the caller's to fill in
};

// Throws ApiError: 400 for a bad field, 404 for another model's name.
ApiRequest ParseChat(const nlohmann::json& body, const Engine& engine, const RequestLimits& limits);
ApiRequest ParseCompletion(const nlohmann::json& body, const Engine& engine,
                           const RequestLimits& limits);

}  // namespace trit::serve

// The bodies of answers: OpenAI's objects, with llama.cpp's `timings` beside them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/serve/api_request.h"
#include "model/serve/job.h"

namespace trit::serve {

// Collects a job's events into one answer, or turns each into chunks of a stream.
class Answer {
 public:
  Answer(const ApiRequest& request, const Engine& engine, std::string id, int64_t created);

  // Takes an event (kFailed is the caller's business). Returns the chunks to send when streaming:
  // serialised JSON, without "data: ".
  std::vector<std::string> Take(const Event& event);
  bool complete() const { return finished_ == choices_.size(); }

  // When complete(): the whole body, or the last chunks of a stream (usage, if asked for).
  Json Whole() const;
  std::vector<std::string> Tail() const;

  Timings Total() const;

 private:
  struct Part {
    std::string text;
    size_t characters = 0;  // of text
    std::vector<Logprobs> tokens;
    std::string reason;
    Timings timings;
    bool begun = false;
  };
  Json Head(const char* object) const;
  Json ChunkOf(int choice, Json payload, const Json& logprobs, const Json& reason) const;
  Json LogprobsJson(const std::vector<Logprobs>& tokens, size_t offset) const;
  Json ChatLogprob(const TokenLogprob& token) const;
  Json Usage() const;
  std::string TokenText(int32_t token) const;

  const ApiRequest& request_;
  const Engine& engine_;
  std::string id_;
  int64_t created_;
  std::vector<Part> choices_;
  size_t finished_ = 0;
};

Json TimingsJson(const Timings& timings);

// The prefix ("chatcmpl-", "cmpl-", "req_") and 24 random letters and digits.
std::string NewId(std::string_view prefix);

}  // namespace trit::serve

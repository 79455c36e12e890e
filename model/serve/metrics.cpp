#include "model/serve/metrics.h"

#include <fmt/format.h>

namespace trit::serve {
namespace {

double Rate(int64_t count, int64_t ns) {
  return ns > 0 ? static_cast<double>(count) * 1e9 / static_cast<double>(ns) : 0.0;
}

double Seconds(int64_t ns) {
  return static_cast<double>(ns) * 1e-9;
}

class Page {
 public:
  void Add(std::string_view type, std::string_view name, std::string_view help, double value) {
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3:.12g}\n",
                   name, help, type, value);
  }
  std::string text_;
};

}  // namespace

void RequestCounts::Count(const std::string& path, int status) {
  const std::lock_guard lock(mutex_);
  ++counts_[{path, status}];
}

std::map<std::pair<std::string, int>, int64_t> RequestCounts::Snapshot() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::string MetricsText(const SchedulerStats& s, const RequestCounts& requests, int connections) {
  const auto number = [](auto value) { return static_cast<double>(value); };
  Page page;
  page.Add("counter", "llamacpp:prompt_tokens_total", "Prompt tokens computed.",
           number(s.prompt_tokens));
  page.Add("counter", "llamacpp:prompt_seconds_total", "Engine time spent on prompts.",
           Seconds(s.prompt_ns));
  page.Add("counter", "llamacpp:tokens_predicted_total", "Tokens generated.",
           number(s.answer_tokens));
  page.Add("counter", "llamacpp:tokens_predicted_seconds_total", "Engine time spent on answers.",
           Seconds(s.answer_ns));
  page.Add("counter", "llamacpp:n_decode_total", "Forward passes.", number(s.steps));
  page.Add("counter", "llamacpp:n_tokens_max", "Longest sequence so far, in tokens.",
           number(s.longest_sequence));
  page.Add("gauge", "llamacpp:n_busy_slots_per_decode", "Sequences in a forward pass, average.",
           s.steps ? number(s.busy_slots) / number(s.steps) : 0.0);
  page.Add("gauge", "llamacpp:prompt_tokens_seconds", "Prompt tokens a second of engine time.",
           Rate(s.prompt_tokens, s.prompt_ns));
  page.Add("gauge", "llamacpp:predicted_tokens_seconds",
           "Generated tokens of all streams a second of engine time.",
           Rate(s.answer_tokens, s.answer_ns));
  page.Add("gauge", "llamacpp:kv_cache_usage_ratio", "Share of the KV cache in use.",
           s.cache.total_tokens ? number(s.cache.used_tokens) / number(s.cache.total_tokens) : 0.0);
  page.Add("gauge", "llamacpp:kv_cache_tokens", "Tokens in the KV cache.",
           number(s.cache.used_tokens));
  page.Add("gauge", "llamacpp:requests_processing", "Sequences that hold a slot.",
           number(s.running));
  page.Add("gauge", "llamacpp:requests_deferred", "Sequences that wait for a slot.",
           number(s.waiting));
  page.Add("counter", "trit:prompt_tokens_cached_total",
           "Prompt tokens taken from the cache of an earlier request.", number(s.cached_tokens));
  page.Add("counter", "trit:sequences_finished_total", "Sequences that ended by themselves.",
           number(s.finished));
  page.Add("counter", "trit:sequences_cancelled_total", "Sequences whose client went away.",
           number(s.cancelled));
  page.Add("counter", "trit:requests_refused_total",
           "Requests refused because of limits or shutdown.", number(s.refused));
  page.Add("counter", "trit:requests_failed_total", "Requests ended by an error of the server.",
           number(s.failed));
  page.Add("gauge", "trit:connections", "Open connections.", number(connections));
  std::string& text = page.text_;
  text += "# HELP trit:http_requests_total Answers by path and status.\n";
  text += "# TYPE trit:http_requests_total counter\n";
  for (const auto& [key, count] : requests.Snapshot()) {
    fmt::format_to(std::back_inserter(text),
                   "trit:http_requests_total{{path=\"{}\",status=\"{}\"}} {}\n", key.first,
                   key.second, count);
  }
  return text;
}

}  // namespace trit::serve

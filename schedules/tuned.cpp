#include "schedules/tuned.h"

#include <charconv>

#include "targets/base/error.h"

namespace trit {
namespace {

bool Number(std::string_view text, int32_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && *out >= 0;
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

std::string_view NextWord(std::string_view* rest) {
  *rest = Trim(*rest);
  const size_t end = std::min(rest->find_first_of(" \t"), rest->size());
  const std::string_view word = rest->substr(0, end);
  rest->remove_prefix(end);
  return word;
}

TunedRow ParseRow(std::string_view line) {
  const size_t colon = line.find(':');
  std::string_view fields, candidate;
  if (colon == std::string_view::npos) {
    candidate = line;
    fields = NextWord(&candidate);
  } else {
    fields = line.substr(0, colon);
    candidate = line.substr(colon + 1);
  }
  TunedRow row;
  bool has_m = false;
  while (!Trim(fields).empty()) {
    const std::string_view word = NextWord(&fields);
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) throw Error(Join("\"", word, "\" is no field"));
    const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
    if (name == "m") {
      const size_t dots = value.find("..");
      const bool ok =
          dots != std::string_view::npos && Number(value.substr(0, dots), &row.m_min) &&
          (value.substr(dots + 2) == "max" || Number(value.substr(dots + 2), &row.m_max));
      if (!ok || row.m_min < 1 || row.m_max < row.m_min) {
        throw Error(Join("m=", value, " is no range FIRST..LAST"));
      }
      has_m = true;
      continue;
    }
    int32_t* field = name == "n"            ? &row.n
                     : name == "k"          ? &row.k
                     : name == "threads"    ? &row.threads
                     : name == "n_per_task" ? &row.n_per_task
                     : name == "m_per_task" ? &row.m_per_task
                                            : nullptr;
    if (!field) {
      throw Error(Join("\"", name,
                       "\" is unknown; fields: m, n, k, threads, n_per_task, "
                       "m_per_task"));
    }
    if (!Number(value, field)) throw Error(Join(name, "=", value, " is no number"));
  }
  if (!has_m) throw Error("the range m=FIRST..LAST is missing");
  row.candidate = ParseCandidate(Trim(candidate));
  return row;
}

}  // namespace

std::string TunedRow::Text() const {
  std::string text = Join("m=", m_min, "..");
  text += m_max == INT32_MAX ? std::string("max") : std::to_string(m_max);
  const auto field = [&](const char* name, int32_t value) {
    if (value) text += Join(" ", name, "=", value);
  };
  field("n", n);
  field("k", k);
  field("threads", threads);
  field("n_per_task", n_per_task);
  field("m_per_task", m_per_task);
  return text + " : " + candidate.Text();
}

std::vector<TunedRow> ParseTuned(std::string_view text, std::string_view file) {
  std::vector<TunedRow> rows;
  int line_number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    line = Trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    try {
      rows.push_back(ParseRow(line));
    } catch (const Error& e) {
      throw Error(Join(file, ", line ", line_number, ": ", e.what()));
    }
  }
  return rows;
}

}  // namespace trit

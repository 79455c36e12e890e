#include "autotune/tune/catalogue.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "targets/base/error.h"

namespace trit {
namespace {

bool Matches(const DefaultRow& row, int32_t n, int32_t k, int32_t m, int32_t threads) {
  return (row.n == 0 || row.n == n) && (row.k == 0 || row.k == k) && row.m_min <= m &&
         m <= row.m_max && (row.threads == 0 || row.threads == threads);
}

// Whole numbers in order, or names in order of appearance.
SearchAxis AxisOf(const std::string& name, std::vector<std::string>* values) {
  const auto is_number = [](const std::string& v) {
    char* end = nullptr;
    std::strtol(v.c_str(), &end, 10);
    return !v.empty() && *end == '\0';
  };
  const bool ordered = std::all_of(values->begin(), values->end(), is_number);
  if (ordered) {
    std::sort(values->begin(), values->end(), [](const std::string& a, const std::string& b) {
      return std::strtol(a.c_str(), nullptr, 10) < std::strtol(b.c_str(), nullptr, 10);
    });
  }
  return {name, static_cast<int>(values->size()), ordered && values->size() > 1};
}

}  // namespace

const CatalogueEntry* Catalogue::Find(const std::string& text) const {
  for (const CatalogueEntry& entry : entries) {
    if (entry.text == text) return &entry;
  }
  return nullptr;
}

bool Catalogue::IsShipped(const std::string& text) const {
  return std::any_of(defaults.begin(), defaults.end(),
                     [&](const DefaultRow& row) { return row.candidate == text; });
}

const DefaultRow& Catalogue::Default(int32_t n, int32_t k, int32_t m, int32_t threads) const {
  for (const DefaultRow& row : defaults) {
    if (Matches(row, n, k, m, threads)) return row;
  }
  throw Error(Join("The shipped rows of ", target, " have no kernel for n=", n, " k=", k, " m=", m,
                   " threads=", threads, "."));
}

std::pair<int32_t, int32_t> Catalogue::DefaultSpan(int32_t n, int32_t k, int32_t m,
                                                   int32_t threads) const {
  const DefaultRow& answer = Default(n, k, m, threads);
  std::pair<int32_t, int32_t> span{answer.m_min, answer.m_max};
  for (const DefaultRow& row : defaults) {
    if (&row == &answer) break;
    if (!Matches(row, n, k, row.m_min, threads)) continue;
    if (row.m_min > m) span.second = std::min(span.second, row.m_min - 1);
    if (row.m_max < m) span.first = std::max(span.first, row.m_max + 1);
  }
  return span;
}

const DefaultRow* Catalogue::DefaultOfLayout(const std::string& layout, int32_t m,
                                             int32_t threads) const {
  for (const DefaultRow& row : defaults) {
    if (row.n != 0 || row.k != 0 || !Matches(row, 0, 0, m, threads)) continue;
    const CatalogueEntry* entry = Find(row.candidate);
    if (entry && entry->layout == layout) return &row;
  }
  return nullptr;
}

SearchSpace MakeSearchSpace(const Catalogue& catalogue, const std::vector<int>& entries,
                            bool with_priors) {
  std::vector<std::string> names{"family"};
  std::vector<std::vector<std::string>> values(1);
  const auto note = [&](const std::string& name, const std::string& value) {
    auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) {
      names.push_back(name);
      values.emplace_back();
      at = names.end() - 1;
    }
    auto& known = values[static_cast<size_t>(at - names.begin())];
    if (std::find(known.begin(), known.end(), value) == known.end()) known.push_back(value);
  };
  for (int i : entries) {
    const CatalogueEntry& e = catalogue.entries[static_cast<size_t>(i)];
    note("family", e.family);
    for (const auto& [name, value] : e.settings) note(name, value);
  }
  std::vector<SearchAxis> axes;
  for (size_t a = 0; a < names.size(); ++a) axes.push_back(AxisOf(names[a], &values[a]));
  std::vector<SearchPoint> points;
  for (int i : entries) {
    const CatalogueEntry& e = catalogue.entries[static_cast<size_t>(i)];
    SearchPoint point;
    if (with_priors) point.prior_ns = e.prior_ns;
    for (size_t a = 0; a < names.size(); ++a) {
      std::string value = e.family;
      if (a > 0) {
        const auto setting = e.settings.find(names[a]);
        if (setting == e.settings.end()) {
          point.at.push_back(kAbsent);
          continue;
        }
        value = setting->second;
      }
      const auto found = std::find(values[a].begin(), values[a].end(), value);
      point.at.push_back(static_cast<int>(found - values[a].begin()));
    }
    points.push_back(std::move(point));
  }
  return SearchSpace(std::move(axes), std::move(points));
}

}  // namespace trit

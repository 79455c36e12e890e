#include "schedules/space.h"

#include <algorithm>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr int kRandomTries = 100000;  // a space with fewer valid points than 1 in 10^5 is a mistake

std::string Listed(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& v : values) out += (out.empty() ? "" : ", ") + v;
  return out;
}

size_t Below(std::mt19937_64& rng, size_t n) {
  return static_cast<size_t>(rng() % n);
}

}  // namespace

Space::Space(std::string family, std::string target)
    : family_(std::move(family)), target_(std::move(target)) {}

Space& Space::Ints(std::string name, const std::vector<int>& values, std::string what) {
  std::vector<std::string> texts;
  for (int v : values) texts.push_back(std::to_string(v));
  return Names(std::move(name), std::move(texts), std::move(what));
}

Space& Space::Names(std::string name, std::vector<std::string> values, std::string what) {
  if (values.empty()) {
    throw Error(Join("the space of ", family_, " gives ", name, " no value"));
  }
  for (const Parameter& p : parameters_) {
    if (p.name == name) throw Error(Join("the space of ", family_, " has ", name, " twice"));
  }
  parameters_.push_back({std::move(name), std::move(values), std::move(what)});
  return *this;
}

Space& Space::Rule(std::string rule, std::function<bool(const Candidate&)> holds) {
  rules_.push_back({std::move(rule), std::move(holds)});
  return *this;
}

size_t Space::ValueIndex(const Parameter& parameter, const std::string& value) const {
  const auto at = std::find(parameter.values.begin(), parameter.values.end(), value);
  return static_cast<size_t>(at - parameter.values.begin());
}

Candidate Space::Canonical(const Candidate& candidate) const {
  const auto fail = [&](const auto&... why) {
    throw Error(Join("the candidate \"", candidate.Text(), "\" ", why...));
  };
  if (candidate.family != family_ || candidate.target != target_) {
    fail("is none of ", family_, " ", target_);
  }
  Candidate out{family_, target_, {}};
  for (const Parameter& p : parameters_) {
    const auto at = std::find_if(candidate.settings.begin(), candidate.settings.end(),
                                 [&](const Setting& s) { return s.name == p.name; });
    if (at == candidate.settings.end()) fail("lacks ", p.name, " (", Listed(p.values), ")");
    if (ValueIndex(p, at->value) == p.values.size()) {
      fail("has ", p.name, "=", at->value, "; allowed: ", Listed(p.values));
    }
    out.settings.push_back(*at);
  }
  for (const Setting& s : candidate.settings) {
    const bool known = std::any_of(parameters_.begin(), parameters_.end(),
                                   [&](const Parameter& p) { return p.name == s.name; });
    if (!known) {
      std::vector<std::string> names;
      for (const Parameter& p : parameters_) names.push_back(p.name);
      fail("sets ", s.name, ", which ", family_, " does not have; it has ", Listed(names));
    }
  }
  for (const RuleEntry& rule : rules_) {
    if (!rule.holds(out)) fail("breaks the rule: ", rule.text);
  }
  return out;
}

bool Space::Holds(const Candidate& candidate) const {
  return std::all_of(rules_.begin(), rules_.end(),
                     [&](const RuleEntry& rule) { return rule.holds(candidate); });
}

Space Space::Pinned(std::string_view name, std::string_view value) const {
  Space out = *this;
  for (Parameter& p : out.parameters_) {
    if (p.name != name) continue;
    if (ValueIndex(p, std::string(value)) == p.values.size()) {
      throw Error(Join("the space of ", family_, " has no ", name, "=", value,
                       "; allowed: ", Listed(p.values)));
    }
    p.values = {std::string(value)};
    return out;
  }
  throw Error(Join("the space of ", family_, " has no parameter ", name));
}

uint64_t Space::Combinations() const {
  uint64_t total = 1;
  for (const Parameter& p : parameters_) total *= p.values.size();
  return total;
}

Candidate Space::At(const std::vector<size_t>& choice) const {
  Candidate out{family_, target_, {}};
  for (size_t i = 0; i < parameters_.size(); ++i) {
    out.settings.push_back({parameters_[i].name, parameters_[i].values[choice[i]]});
  }
  return out;
}

std::vector<Candidate> Space::Enumerate(size_t limit) const {
  std::vector<Candidate> out;
  std::vector<size_t> choice(parameters_.size(), 0);
  while (out.size() < limit) {
    Candidate c = At(choice);
    if (Holds(c)) out.push_back(std::move(c));
    size_t i = parameters_.size();
    while (i > 0) {
      --i;
      if (++choice[i] < parameters_[i].values.size()) break;
      choice[i] = 0;
      if (i == 0) return out;
    }
    if (parameters_.empty()) return out;
  }
  return out;
}

Candidate Space::Random(std::mt19937_64& rng) const {
  std::vector<size_t> choice(parameters_.size());
  for (int attempt = 0; attempt < kRandomTries; ++attempt) {
    for (size_t i = 0; i < choice.size(); ++i) choice[i] = Below(rng, parameters_[i].values.size());
    Candidate c = At(choice);
    if (Holds(c)) return c;
  }
  throw Error(Join("the rules of the space of ", family_, " on ", target_, " left no candidate in ",
                   kRandomTries, " tries"));
}

Candidate Space::Mutate(const Candidate& candidate, std::mt19937_64& rng) const {
  const Candidate from = Canonical(candidate);
  std::vector<size_t> free;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].values.size() > 1) free.push_back(i);
  }
  if (free.empty()) return from;
  for (int attempt = 0; attempt < kRandomTries; ++attempt) {
    Candidate out = from;
    const int changes = 1 + static_cast<int>(Below(rng, 2));
    for (int change = 0; change < changes; ++change) {
      const size_t i = free[Below(rng, free.size())];
      const auto& values = parameters_[i].values;
      // Neighbouring values half of the time, any other value otherwise.
      size_t to = ValueIndex(parameters_[i], out.settings[i].value);
      if (Below(rng, 2) == 0) {
        to = Below(rng, 2) == 0 ? (to == 0 ? 1 : to - 1)
                                : (to + 1 == values.size() ? to - 1 : to + 1);
      } else {
        to = (to + 1 + Below(rng, values.size() - 1)) % values.size();
      }
      out.settings[i].value = values[to];
    }
    if (!(out == from) && Holds(out)) return out;
  }
  return from;
}

}  // namespace trit

// A search space: the parameters of one family on one target, their allowed values, and the rules
// between them. The family states it (generator/families/<family>), the tuner walks it.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "schedules/candidate.h"

namespace trit {

struct Parameter {
  std::string name;
  std::vector<std::string> values;  // in an order that makes neighbours similar
  std::string what;                 // one sentence for people
};

class Space {
 public:
  Space(std::string family, std::string target);

  // Parameters, in the order of the canonical text. The first value is no default: a candidate
  // names every parameter.
  Space& Ints(std::string name, const std::vector<int>& values, std::string what);
  Space& Names(std::string name, std::vector<std::string> values, std::string what);

  // A rule between parameters; `rule` is the sentence shown when `holds` is false.
  Space& Rule(std::string rule, std::function<bool(const Candidate&)> holds);

  const std::string& family() const { return family_; }
  const std::string& target() const { return target_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }

  // The same candidate with its settings in order. Throws trit::Error naming the unknown, missing
  // or out-of-range parameter, or the broken rule.
  Candidate Canonical(const Candidate& candidate) const;
  bool Holds(const Candidate& candidate) const;  // the rules alone

  // A copy with one parameter held at one of its values.
  Space Pinned(std::string_view name, std::string_view value) const;

  uint64_t Combinations() const;                         // before rules
  std::vector<Candidate> Enumerate(size_t limit) const;  // valid ones, in order
  Candidate Random(std::mt19937_64& rng) const;          // throws when rules leave nothing
  // Another valid candidate that differs in one or two parameters; the same one if there is none.
  Candidate Mutate(const Candidate& candidate, std::mt19937_64& rng) const;

 private:
  Candidate At(const std::vector<size_t>& choice) const;
  size_t ValueIndex(const Parameter& parameter, const std::string& value) const;

  std::string family_, target_;
  std::vector<Parameter> parameters_;
  struct RuleEntry {
    std::string text;
    std::function<bool(const Candidate&)> holds;
  };
  std::vector<RuleEntry> rules_;
};

}  // namespace trit

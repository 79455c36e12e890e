#include "autotune/search/landscape.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "autotune/search/strategies.h"
#include "autotune/stats/robust.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostPoints = 100000, kMostRounds = 1000;
constexpr std::streamoff kMostBytes = 64 << 20;

}  // namespace

SearchSpace RecordedLandscape::Space() const {
  std::vector<SearchAxis> search_axes;
  for (const Axis& a : axes) {
    search_axes.push_back({a.name, static_cast<int>(a.values.size()), a.ordered});
  }
  std::vector<SearchPoint> search_points;
  for (const Point& p : points) search_points.push_back({p.at, 0});
  return SearchSpace(std::move(search_axes), std::move(search_points));
}

size_t RecordedLandscape::Rounds() const {
  size_t fewest = kMostRounds;
  for (const Point& p : points) {
    if (!p.ns.empty()) fewest = std::min(fewest, p.ns.size());
  }
  return fewest;
}

RecordedLandscape ReadLandscape(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(in.tellg());
  if (!in || size <= 0) throw Error(Join(path, ": cannot be read, or is empty."));
  if (size > kMostBytes) throw Error(Join(path, ": is larger than a landscape can be."));
  std::string text(static_cast<size_t>(size), '\0');
  in.seekg(0);
  if (!in.read(text.data(), size)) throw Error(Join(path, ": cannot be read."));
  RecordedLandscape out;
  try {
    const Json j = Json::parse(text);
    if (j.at("tritforge_landscape") != 1) throw Error(Join(path, ": is of another version."));
    for (const auto& [key, value] : j.at("about").items()) out.about[key] = value;
    for (const Json& a : j.at("axes")) {
      out.axes.push_back({a.at("name"), a.at("ordered"), a.at("values")});
    }
    if (j.at("points").size() > kMostPoints) throw Error(Join(path, ": has too many points."));
    for (const Json& p : j.at("points")) {
      RecordedLandscape::Point point;
      point.at = p.at(0).get<std::vector<int>>();
      point.ns = p.at(1).get<std::vector<double>>();
      if (point.ns.size() > kMostRounds) throw Error(Join(path, ": has too many rounds."));
      for (double ns : point.ns) {
        if (!(ns > 0) || !std::isfinite(ns)) throw Error(Join(path, ": holds a time of ", ns, "."));
      }
      out.points.push_back(std::move(point));
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(Join(path, ": is no landscape: ", std::string_view(e.what()), "."));
  }
  out.Space();  // coordinates fit their axes, and no point is there twice
  return out;
}

std::string LandscapeText(const RecordedLandscape& landscape) {
  Json head;
  head["tritforge_landscape"] = 1;
  for (const auto& [key, value] : landscape.about) head["about"][key] = value;
  for (const RecordedLandscape::Axis& a : landscape.axes) {
    head["axes"].push_back({{"name", a.name}, {"ordered", a.ordered}, {"values", a.values}});
  }
  std::ostringstream out;
  std::string text = head.dump();
  text.pop_back();  // the closing brace comes after the points
  out << text << ",\n\"points\":[\n";
  for (size_t i = 0; i < landscape.points.size(); ++i) {
    const RecordedLandscape::Point& p = landscape.points[i];
    Json line = {p.at, Json::array()};
    for (double ns : p.ns) line[1].push_back(std::llround(ns));
    out << line.dump() << (i + 1 < landscape.points.size() ? ",\n" : "\n");
  }
  out << "]}\n";
  return out.str();
}

double TrueNs(const RecordedLandscape& landscape, int point) {
  const std::vector<double>& ns = landscape.points[static_cast<size_t>(point)].ns;
  std::vector<double> half;
  for (size_t i = 0; i < ns.size(); i += 2) half.push_back(ns[i]);
  return half.empty() ? std::numeric_limits<double>::infinity() : Median(half);
}

ReplayEvaluator::ReplayEvaluator(const RecordedLandscape& landscape, uint64_t seed) {
  Random random(seed);
  for (const RecordedLandscape::Point& p : landscape.points) {
    std::vector<double> seen;
    for (size_t i = 1; i < p.ns.size(); i += 2) seen.push_back(p.ns[i]);
    random.Shuffle(&seen);
    seen_.push_back(std::move(seen));
  }
  next_.assign(seen_.size(), 0);
}

std::vector<Outcome> ReplayEvaluator::Measure(std::span<const Proposal> batch) {
  std::vector<Outcome> outcomes;
  for (const Proposal& p : batch) {
    const auto point = static_cast<size_t>(p.point);
    Outcome outcome{p.point, {}, seen_[point].empty(), 0};
    for (int i = 0; i < p.rounds && !outcome.failed; ++i) {
      outcome.ns.push_back(seen_[point][next_[point]++ % seen_[point].size()]);
    }
    rounds_ += outcome.failed ? 1 : p.rounds;
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

ReplayResult Replay(const RecordedLandscape& landscape, const std::string& strategy, double share,
                    uint64_t seed, int rounds) {
  const SearchSpace space = landscape.Space();
  ReplayEvaluator evaluator(landscape, 1000 + seed);
  const auto search = MakeStrategy(strategy, space, {.seed = seed, .rounds = rounds, .batch = 8});
  History history(space.size());
  SearchLimits limits;
  limits.max_points = static_cast<int>(share * space.size());
  limits.max_rounds = static_cast<int>(share * space.size() * rounds);
  const SearchResult found = RunSearch(space, search.get(), &evaluator, limits, &history);
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < space.size(); ++i) best = std::min(best, TrueNs(landscape, i));
  ReplayResult result;
  result.quality = found.best < 0 ? 0 : best / TrueNs(landscape, found.best);
  result.points = static_cast<int>(history.tried().size());
  result.rounds = evaluator.rounds();
  return result;
}

}  // namespace trit

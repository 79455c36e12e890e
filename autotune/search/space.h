// What a search sees of a candidate space: points on axes, and a guess of each point's time.
//
// The spaces of several families are put side by side: an axis that a family does not have is
// kAbsent at its points. Nothing here knows what an axis means.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace trit {

inline constexpr int kAbsent = -1;

struct SearchAxis {
  std::string name;
  int values = 0;        // coordinates run from 0 to values - 1
  bool ordered = false;  // neighbouring values are similar (numbers); else names
};

struct SearchPoint {
  std::vector<int> at;  // a coordinate an axis
  double prior_ns = 0;  // the cost model's guess; 0 = none. Only ratios between points matter
};

class SearchSpace {
 public:
  // Throws Error when a point has another number of coordinates, one out of range, or is there
  // twice.
  SearchSpace(std::vector<SearchAxis> axes, std::vector<SearchPoint> points);

  const std::vector<SearchAxis>& axes() const { return axes_; }
  const std::vector<SearchPoint>& points() const { return points_; }
  int size() const { return static_cast<int>(points_.size()); }

  int Find(const std::vector<int>& at) const;  // -1 = no such point

  // Points that differ from `point` in one axis, by one step where the axis is ordered.
  std::vector<int> Neighbours(int point) const;

 private:
  std::vector<SearchAxis> axes_;
  std::vector<SearchPoint> points_;
  std::map<std::vector<int>, int> index_;
};

}  // namespace trit

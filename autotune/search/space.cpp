#include "autotune/search/space.h"

#include <utility>

#include "targets/base/error.h"

namespace trit {

SearchSpace::SearchSpace(std::vector<SearchAxis> axes, std::vector<SearchPoint> points)
    : axes_(std::move(axes)), points_(std::move(points)) {
  for (int i = 0; i < size(); ++i) {
    const std::vector<int>& at = points_[static_cast<size_t>(i)].at;
    if (at.size() != axes_.size()) {
      throw Error(Join("Point ", i, " of a search space has ", at.size(), " coordinates on ",
                       axes_.size(), " axes."));
    }
    for (size_t a = 0; a < at.size(); ++a) {
      if (at[a] < kAbsent || at[a] >= axes_[a].values) {
        throw Error(Join("Point ", i, " of a search space is at ", at[a], " on axis ",
                         axes_[a].name, ", which has ", axes_[a].values, " values."));
      }
    }
    if (!index_.emplace(at, i).second) {
      throw Error(Join("Point ", i, " of a search space is there twice."));
    }
  }
}

int SearchSpace::Find(const std::vector<int>& at) const {
  const auto found = index_.find(at);
  return found == index_.end() ? -1 : found->second;
}

std::vector<int> SearchSpace::Neighbours(int point) const {
  std::vector<int> out;
  std::vector<int> at = points_[static_cast<size_t>(point)].at;
  for (size_t a = 0; a < axes_.size(); ++a) {
    const int here = at[a];
    for (int value = 0; value < axes_[a].values; ++value) {
      if (value == here || here == kAbsent) continue;
      if (axes_[a].ordered && value != here - 1 && value != here + 1) continue;
      at[a] = value;
      const int found = Find(at);
      if (found >= 0) out.push_back(found);
    }
    at[a] = here;
  }
  return out;
}

}  // namespace trit

#include "model/tokenizer/merge_table.h"

#include <algorithm>
#include <array>
#include <queue>

namespace trit {

// Up to this many symbols a scan for the lowest rank is used: no allocation, and words are short.
constexpr size_t kScanLimit = 48;

void MergeTable::Add(int32_t left, int32_t right, uint32_t rank, int32_t joined) {
  const uint64_t key = Key(left, right);
  size_t at = Place(key);
  for (; slots_[at].merge.rank != UINT32_MAX; at = (at + 1) & mask_) {
    if (slots_[at].key == key) {
      if (rank < slots_[at].merge.rank) slots_[at].merge = {rank, joined};
      return;
    }
  }
  slots_[at] = {key, {rank, joined}};
}

void MergeTable::Apply(std::vector<int32_t>* symbols) const {
  if (symbols->size() <= kScanLimit) {
    ApplyByScan(symbols);
  } else {
    ApplyByHeap(symbols);
  }
}

void MergeTable::ApplyByScan(std::vector<int32_t>* symbols) const {
  size_t count = symbols->size();
  int32_t* s = symbols->data();
  std::array<Merge, kScanLimit> pairs;  // pairs[i] joins s[i] and s[i+1]
  const auto find = [&](size_t i) {
    return s[i] < 0 || s[i + 1] < 0 ? Merge{} : Find(s[i], s[i + 1]);
  };
  for (size_t i = 0; i + 1 < count; ++i) pairs[i] = find(i);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (pairs[i].rank < pairs[best].rank) best = i;
    }
    if (pairs[best].rank == UINT32_MAX) break;
    s[best] = pairs[best].joined;
    --count;
    for (size_t i = best + 1; i < count; ++i) s[i] = s[i + 1];
    for (size_t i = best + 1; i + 1 < count; ++i) pairs[i] = pairs[i + 1];
    if (best + 1 < count) pairs[best] = find(best);
    if (best > 0) pairs[best - 1] = find(best - 1);
  }
  symbols->resize(count);
}

void MergeTable::ApplyByHeap(std::vector<int32_t>* symbols) const {
  struct Candidate {
    uint32_t rank;
    uint32_t left, right;  // positions
    int32_t left_symbol, right_symbol, joined;
    bool operator>(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  std::vector<int32_t>& s = *symbols;
  const auto count = static_cast<uint32_t>(s.size());
  std::vector<uint32_t> next(count), previous(count);
  constexpr uint32_t kNone = UINT32_MAX;
  std::vector<Candidate> storage;
  storage.reserve(count);
  const auto look = [&](uint32_t left, uint32_t right) -> Candidate {
    const Merge merge = s[left] < 0 || s[right] < 0 ? Merge{} : Find(s[left], s[right]);
    return {merge.rank, left, right, s[left], s[right], merge.joined};
  };
  for (uint32_t i = 0; i < count; ++i) {
    next[i] = i + 1 < count ? i + 1 : kNone;
    previous[i] = i == 0 ? kNone : i - 1;
    if (i + 1 < count) {
      const Candidate candidate = look(i, i + 1);
      if (candidate.rank != UINT32_MAX) storage.push_back(candidate);
    }
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap(std::greater<>(),
                                                                              std::move(storage));
  constexpr int32_t kGone = INT32_MIN;
  while (!heap.empty()) {
    const Candidate best = heap.top();
    heap.pop();
    // Stale when either side has changed since, or they are no longer neighbours.
    if (s[best.left] != best.left_symbol || s[best.right] != best.right_symbol ||
        next[best.left] != best.right) {
      continue;
    }
    s[best.left] = best.joined;
    s[best.right] = kGone;
    next[best.left] = next[best.right];
    if (next[best.right] != kNone) previous[next[best.right]] = best.left;
    for (const auto& [left, right] :
         {std::pair(previous[best.left], best.left), std::pair(best.left, next[best.left])}) {
      if (left == kNone || right == kNone) continue;
      const Candidate candidate = look(left, right);
      if (candidate.rank != UINT32_MAX) heap.push(candidate);
    }
  }
  std::erase(s, kGone);
}

}  // namespace trit

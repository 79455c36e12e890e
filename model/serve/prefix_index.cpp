#include "model/serve/prefix_index.h"

#include <algorithm>

namespace trit::serve {

uint64_t PrefixIndex::KeyOf(int64_t parent, std::span<const int32_t> tokens) {
  uint64_t hash = 14695981039346656037u ^ static_cast<uint64_t>(parent);
  for (const int32_t token : tokens) {
    hash = (hash ^ static_cast<uint32_t>(token)) * 1099511628211u;
  }
  return hash;
}

PrefixIndex::Place PrefixIndex::Lookup(int64_t parent, std::span<const int32_t> tokens) {
  const auto [first, last] = by_key_.equal_range(KeyOf(parent, tokens));
  for (auto at = first; at != last; ++at) {
    const Node& node = *at->second;
    if (node.parent == parent && std::ranges::equal(node.tokens, tokens)) return at->second;
  }
  return nodes_.end();
}

PrefixIndex::Found PrefixIndex::Find(std::span<const int32_t> tokens) {
  Found found;
  while (tokens.size() >= page_tokens_) {
    const Place at = Lookup(found.node, tokens.first(page_tokens_));
    if (at == nodes_.end()) break;
    nodes_.splice(nodes_.begin(), nodes_, at);
    found.pages.push_back(at->page);
    found.node = at->id;
    tokens = tokens.subspan(page_tokens_);
  }
  return found;
}

int64_t PrefixIndex::Insert(int64_t parent, std::span<const int32_t> tokens, const Page& page) {
  const auto above = by_id_.find(parent);
  if (parent != kRoot && above == by_id_.end()) return kGone;
  if (const Place known = Lookup(parent, tokens); known != nodes_.end()) {
    nodes_.splice(nodes_.begin(), nodes_, known);
    return known->id;
  }
  if (parent != kRoot) ++above->second->children;
  nodes_.push_front({next_id_++, parent, KeyOf(parent, tokens), 0,
                     std::vector<int32_t>(tokens.begin(), tokens.end()), page});
  by_key_.emplace(nodes_.front().key, nodes_.begin());
  by_id_.emplace(nodes_.front().id, nodes_.begin());
  return nodes_.front().id;
}

bool PrefixIndex::EvictOne() {
  for (auto at = nodes_.end(); at != nodes_.begin();) {
    --at;
    if (at->children > 0 || at->page.use_count() > 1) continue;
    const auto [first, last] = by_key_.equal_range(at->key);
    by_key_.erase(std::find_if(first, last, [&](const auto& e) { return e.second == at; }));
    by_id_.erase(at->id);
    if (const auto above = by_id_.find(at->parent); above != by_id_.end()) {
      --above->second->children;
    }
    nodes_.erase(at);
    return true;
  }
  return false;
}

size_t PrefixIndex::idle_pages() const {
  return static_cast<size_t>(
      std::ranges::count_if(nodes_, [](const Node& node) { return node.page.use_count() == 1; }));
}

}  // namespace trit::serve

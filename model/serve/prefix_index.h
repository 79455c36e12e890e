// Remembers the whole KV pages of sequences, running and ended, by the tokens they hold, so that a
// prompt that begins like an earlier one takes its pages over without computing them.
//
//   pages of 64 tokens:  root -> [t0..t63] -> [t64..t127] -> ...
//                             \-> [u0..u63] -> ...
//
// A page's content depends on all tokens before it: an entry is known by its parent and its own
// tokens, and both are compared whole (a hash only finds the place). Entries without children are
// let go least recently used first, when their page has no other owner. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace trit::serve {

class PrefixIndex {
 public:
  using Page = std::shared_ptr<std::byte>;
  static constexpr int64_t kRoot = 0;

  explicit PrefixIndex(size_t page_tokens) : page_tokens_(page_tokens) {}

  struct Found {
    std::vector<Page> pages;
    int64_t node = kRoot;  // of the last page; kRoot when there is none
  };
  // The longest known beginning of `tokens` in whole pages.
  Found Find(std::span<const int32_t> tokens);

  // Adds the page after `parent` (a node, or kRoot) that holds these page_tokens tokens; returns
  // its node. When it is known already, keeps the old page. A parent that has been let go starts
  // no chain: kGone comes back, and for kGone as the parent too.
  static constexpr int64_t kGone = -1;
  int64_t Insert(int64_t parent, std::span<const int32_t> tokens, const Page& page);

  // Lets the least recently used page go that nobody else owns; false when there is none.
  bool EvictOne();

  size_t size() const { return nodes_.size(); }
  // Pages that only the index still holds: what EvictOne can give back in the end.
  size_t idle_pages() const;

 private:
  struct Node {
    int64_t id = 0;
    int64_t parent = kRoot;
    uint64_t key = 0;
    int children = 0;
    std::vector<int32_t> tokens;
    Page page;
  };
  using Place = std::list<Node>::iterator;

  static uint64_t KeyOf(int64_t parent, std::span<const int32_t> tokens);
  // nodes_.end() when unknown.
  Place Lookup(int64_t parent, std::span<const int32_t> tokens);

  const size_t page_tokens_;
  int64_t next_id_ = 1;
  std::list<Node> nodes_;  // most recently used first
  std::unordered_multimap<uint64_t, Place> by_key_;
  std::unordered_map<int64_t, Place> by_id_;
};

}  // namespace trit::serve

// Finds the texts of special tokens ("<|eot_id|>") in running text: the longest one at the leftmost
// place. A trie: time linear in the text times the longest token at worst.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace trit {

class SpecialTokens {
 public:
  SpecialTokens() : nodes_(1) { starts_.fill(false); }

  // `control` tokens are matched only when the caller parses specials.
  void Add(std::string_view text, int32_t id, bool control) {
    if (text.empty()) return;
    size_t node = 0;
    for (const char c : text) {
      const auto [at, added] = nodes_[node].next.emplace(c, nodes_.size());
      node = at->second;
      if (added) nodes_.emplace_back();
    }
    nodes_[node].id = id;
    nodes_[node].control = control;
    starts_[static_cast<uint8_t>(text[0])] = true;
  }

  struct Match {
    size_t begin = std::string_view::npos, end = 0;
    int32_t id = -1;
  };

  // The first match at or after `from`; begin = npos when there is none.
  Match Find(std::string_view text, size_t from, bool with_control) const {
    for (size_t at = from; at < text.size(); ++at) {
      if (!starts_[static_cast<uint8_t>(text[at])]) continue;
      Match best;
      size_t node = 0;
      for (size_t i = at; i < text.size(); ++i) {
        const auto next = nodes_[node].next.find(text[i]);
        if (next == nodes_[node].next.end()) break;
        node = next->second;
        if (nodes_[node].id >= 0 && (with_control || !nodes_[node].control)) {
          best = {at, i + 1, nodes_[node].id};
        }
      }
      if (best.id >= 0) return best;
    }
    return {};
  }

 private:
  struct Node {
    std::map<char, size_t> next;
    int32_t id = -1;
    bool control = false;
  };
  std::vector<Node> nodes_;
  std::array<bool, 256> starts_;
};

}  // namespace trit

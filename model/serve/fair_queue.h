// Waiting work of several clients: each client's work in its order, the clients in turn. One
// client with a hundred requests delays another's single one by one turn.
#pragma once

#include <deque>
#include <list>
#include <string>
#include <utility>

namespace trit::serve {

template <typename T>
class FairQueue {
 public:
  void PushBack(const std::string& client, T item) {
    Lane(client)->items.push_back(std::move(item));
    ++size_;
  }
  // Ahead of the client's other work: the rest of something already begun.
  void PushFront(const std::string& client, T item) {
    Lane(client)->items.push_front(std::move(item));
    ++size_;
  }

  // Whose turn it is; only when not empty().
  T& Front() { return lanes_.front().items.front(); }

  // Takes it out; its client goes to the end of the line.
  void PopFront() {
    lanes_.front().items.pop_front();
    --size_;
    if (lanes_.front().items.empty()) {
      lanes_.pop_front();
    } else {
      lanes_.splice(lanes_.end(), lanes_, lanes_.begin());
    }
  }

  template <typename Predicate>
  void RemoveIf(Predicate predicate) {
    for (auto lane = lanes_.begin(); lane != lanes_.end();) {
      size_ -= std::erase_if(lane->items, predicate);
      lane = lane->items.empty() ? lanes_.erase(lane) : std::next(lane);
    }
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t SizeOf(const std::string& client) const {
    for (const auto& lane : lanes_) {
      if (lane.client == client) return lane.items.size();
    }
    return 0;
  }

 private:
  struct ClientLane {
    std::string client;
    std::deque<T> items;
  };
  typename std::list<ClientLane>::iterator Lane(const std::string& client) {
    for (auto lane = lanes_.begin(); lane != lanes_.end(); ++lane) {
      if (lane->client == client) return lane;
    }
    return lanes_.insert(lanes_.end(), {client, {}});
  }

  std::list<ClientLane> lanes_;
  size_t size_ = 0;
};

}  // namespace trit::serve

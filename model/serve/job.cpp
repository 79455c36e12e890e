#include "model/serve/job.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace trit::serve {

EventQueue::EventQueue() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) {
    throw Unavailable(Join("no file descriptor left for a new request: ", std::strerror(errno)));
  }
}

EventQueue::~EventQueue() {
  close(fd_);
}

void EventQueue::Push(Event event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  // Readable while not empty: one count is enough, and it never overflows.
  if (events_.size() == 1) eventfd_write(fd_, 1);
}

std::optional<Event> EventQueue::TryPop() {
  const std::lock_guard lock(mutex_);
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  if (events_.empty()) {
    eventfd_t count;
    eventfd_read(fd_, &count);
  }
  return event;
}

}  // namespace trit::serve

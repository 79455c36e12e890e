#include "model/serve/log.h"

#include <fmt/chrono.h>

#include <chrono>

namespace trit::serve {

void Log::Write(std::string_view event, const Json& fields) {
  if (form_ == Form::kOff) return;
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  const std::string time =
      fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                  fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms.count() % 1000);
  std::string line;
  if (form_ == Form::kJson) {
    Json object = {{"time", time}, {"event", event}};
    object.update(fields);
    line = Dump(object);
  } else {
    line = fmt::format("{} {}", time, event);
    for (const auto& [key, value] : fields.items()) {
      line += fmt::format(" {}={}", key, Dump(value));  // strings quoted: no forged lines
    }
  }
  line += '\n';
  const std::lock_guard lock(mutex_);
  std::fwrite(line.data(), 1, line.size(), out_);
  std::fflush(out_);
}

}  // namespace trit::serve

#include "runtime/records/folder.h"

#include <unistd.h>

#include <chrono>
#include <ctime>
#include <sstream>
#include <utility>

#include "runtime/host/host.h"
#include "runtime/records/line.h"
#include "targets/base/error.h"

namespace trit {

std::string NewSessionId() {
  const auto tick = std::chrono::steady_clock::now().time_since_epoch().count();
  return HexHash(Join(static_cast<long>(getpid()), " ", static_cast<long>(time(nullptr)), " ",
                      static_cast<long>(tick), " ", ThisHost().Key()));
}

BuildIdentity BuildFromId(const std::string& build_id) {
  BuildIdentity build;
  std::istringstream words(build_id);
  std::string word;
  while (words >> word) {
    if (word == "tritforge") words >> build.git;
    if (word == "halide") words >> build.halide;
    if (word == "llvm") words >> build.llvm;
  }
  if (build.git.empty() || build.halide.empty() || build.llvm.empty()) {
    build = {build_id, "", "none", "none"};
  }
  build.compiler = Join("gcc ", std::string_view(__VERSION__));
  return build;
}

RecordFolder::RecordFolder(std::string folder)
    : folder_(std::move(folder)), session_(NewSessionId()) {}

void RecordFolder::Append(Record record) {
  record.time_s = time(nullptr);
  record.session = session_;
  record.sequence = ++sequence_;
  record.commit = ProgramCommit();
  record.host = ThisHost();
  record.host_key = record.host.Key();
  const std::string line = SealLine(RecordToJson(record));
  if (!journal_) {
    char day[16];
    const std::time_t now = record.time_s;
    std::tm utc{};
    std::strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&now, &utc));
    path_ = Join(folder_, "/", std::string_view(day), "-", record.host_key, ".jsonl");
    journal_ = std::make_unique<Journal>(path_);
  }
  journal_->Append(line);
}

}  // namespace trit

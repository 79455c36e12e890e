// A folder of records that programs append to: one file a host and day, so that histories of many
// machines lie side by side and a repository shows what a day added.
#pragma once

#include <memory>
#include <string>

#include "runtime/records/journal.h"
#include "runtime/records/record.h"

namespace trit {

// A random id for one run of a program.
std::string NewSessionId();

// "tritforge HASH halide VERSION llvm VERSION", what a kernel library says of itself, as an
// identity; of any other text it becomes `git`, and Halide and LLVM are "none". The compiler is the
// one that built this program.
BuildIdentity BuildFromId(const std::string& build_id);

class RecordFolder {
 public:
  // Creates the folder when the first record is written.
  explicit RecordFolder(std::string folder);

  // Fills in time, session, sequence, commit and this host, seals and appends. Throws Error when
  // anything else of the record's identity is missing.
  void Append(Record record);

  const std::string& path() const { return path_; }  // of the last record; "" before it

 private:
  std::string folder_, session_, path_;
  int64_t sequence_ = 0;
  std::unique_ptr<Journal> journal_;
};

}  // namespace trit

// All records of a machine (or of a fleet, after a merge): a journal of sealed record lines.
//
// The signature is a hash of everything registered with the program: schema, families with their
// spaces, targets. A record of another signature may name a candidate that means something else
// now, so it is kept but never used in an answer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/records/journal.h"
#include "runtime/records/record.h"

namespace trit {

// Of the lines registered with the program, in any order.
std::string RegistrySignature(std::vector<std::string> registered);

// What reading a file of records found besides usable records.
struct DatabaseFaults {
  struct Damage {
    int line;  // 1-based
    std::string why;
  };
  std::vector<Damage> damaged;  // checksum, JSON, schema version, incomplete identity
  bool torn_tail = false;       // a writer died; only its last record is lost
  int other_signature = 0;
};

struct ParsedRecords {
  std::vector<Record> records;     // of any signature
  std::vector<std::string> lines;  // their sealed lines, side by side with `records`
  DatabaseFaults faults;
};
ParsedRecords ParseRecords(const JournalContent& content, const std::string& signature);

class Database {
 public:
  // Opens or makes the file. A damaged file opens as well: what is whole is used, the rest is in
  // faults(). `signature` is the running program's.
  Database(std::string path, std::string signature, bool writable = true);

  const std::string& path() const { return journal_.path(); }
  const std::string& signature() const { return signature_; }
  const DatabaseFaults& faults() const { return faults_; }

  // Records of this program's signature, in file order.
  const std::vector<Record>& records() const { return records_; }
  int total_records() const { return total_; }  // of any signature

  // Signs, seals and appends; the record is in the file (not yet on the platter, see Sync) when
  // this returns. Throws Error when its identity is not whole or the disk is full.
  void Append(Record record);
  void Sync() { journal_.Sync(); }

  // Reads the file again: other processes append too.
  void Refresh();

  Journal& journal() { return journal_; }

 private:
  Journal journal_;
  std::string signature_;
  std::vector<Record> records_;
  int total_ = 0;
  DatabaseFaults faults_;
};

}  // namespace trit

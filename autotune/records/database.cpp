#include "autotune/records/database.h"

#include <algorithm>
#include <utility>

#include "runtime/records/line.h"
#include "targets/base/error.h"

namespace trit {

std::string RegistrySignature(std::vector<std::string> registered) {
  std::sort(registered.begin(), registered.end());
  std::string all = Join("records.v", kRecordVersion, "\n");
  for (const std::string& line : registered) all += line + "\n";
  return HexHash(all);
}

ParsedRecords ParseRecords(const JournalContent& content, const std::string& signature) {
  ParsedRecords out;
  out.faults.torn_tail = !content.torn.empty();
  int number = 0;
  for (const std::string& line : content.lines) {
    ++number;
    const auto object = OpenLine(line);
    if (!object) {
      out.faults.damaged.push_back({number, "its checksum does not match"});
      continue;
    }
    try {
      out.records.push_back(RecordFromJson(*object));
      out.lines.push_back(line);
      out.faults.other_signature += out.records.back().signature != signature;
    } catch (const Error& e) {
      out.faults.damaged.push_back({number, e.what()});
    }
  }
  // A last line that only lacks its break was written whole.
  if (const auto object = OpenLine(content.torn)) {
    try {
      out.records.push_back(RecordFromJson(*object));
      out.lines.push_back(content.torn);
      out.faults.other_signature += out.records.back().signature != signature;
      out.faults.torn_tail = false;
    } catch (const Error& e) {
      out.faults.damaged.push_back({number + 1, e.what()});
    }
  }
  return out;
}

Database::Database(std::string path, std::string signature, bool writable)
    : journal_(std::move(path), writable), signature_(std::move(signature)) {
  Refresh();
}

void Database::Refresh() {
  ParsedRecords parsed = ParseRecords(journal_.Read(), signature_);
  faults_ = std::move(parsed.faults);
  total_ = static_cast<int>(parsed.records.size());
  records_.clear();
  for (Record& record : parsed.records) {
    if (record.signature == signature_) records_.push_back(std::move(record));
  }
}

void Database::Append(Record record) {
  record.signature = signature_;
  journal_.Append(SealLine(RecordToJson(record)));
  records_.push_back(std::move(record));
  ++total_;
}

}  // namespace trit

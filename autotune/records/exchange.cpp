#include "autotune/records/exchange.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "runtime/records/line.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr int kExportVersion = 1;

JournalContent LinesOf(const std::string& path) {
  const Journal journal(path, /*writable=*/false);
  ReadWholeFile(path);  // an absent or unreadable file is an error here, not an empty journal
  return journal.Read();
}

// The header's object if `line` is one.
nlohmann::json HeaderOf(const std::string& line) {
  const auto object = OpenLine(line);
  if (!object) return {};
  nlohmann::json header = nlohmann::json::parse(*object, nullptr, false);
  if (!header.is_object() || !header.contains("tritforge_records")) return {};
  return header;
}

std::string HashOfLines(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return HexHash(all);
}

}  // namespace

int ExportRecords(const Database& database, const std::string& path, const RecordFilter& filter) {
  std::vector<std::string> lines;
  for (const Record& record : database.records()) {
    if (filter(record)) lines.push_back(SealLine(RecordToJson(record)));
  }
  nlohmann::ordered_json header;
  header["tritforge_records"] = kExportVersion;
  header["sig"] = database.signature();
  header["count"] = lines.size();
  header["content"] = HashOfLines(lines);
  std::string text = SealLine(header.dump()) + "\n";
  for (const std::string& line : lines) text += line + "\n";
  WriteFileAtomically(path, text);
  return static_cast<int>(lines.size());
}

ImportResult ImportRecords(Database* database, const std::string& path) {
  JournalContent content = LinesOf(path);
  const nlohmann::json header =
      content.lines.empty() ? nlohmann::json() : HeaderOf(content.lines.front());
  if (!header.is_object()) {
    throw Error(Join(path, ": is no export of records (its first line is no sealed header)."));
  }
  const auto text = [&](const char* name) {
    const auto found = header.find(name);
    return found != header.end() && found->is_string() ? found->get<std::string>() : "";
  };
  if (header["tritforge_records"] != kExportVersion) {
    throw Error(Join(path, ": has export version ", header["tritforge_records"].dump(),
                     "; this program reads version ", kExportVersion, "."));
  }
  if (text("sig") != database->signature()) {
    throw Error(Join(path, ": was made by a program with other families or targets (signature ",
                     text("sig"), "; this one's is ", database->signature(),
                     "). Nothing was imported."));
  }
  content.lines.erase(content.lines.begin());
  if (!content.torn.empty() || !header.contains("count") ||
      header["count"] != content.lines.size() || text("content") != HashOfLines(content.lines)) {
    throw Error(Join(path, ": is cut or was changed: its header promises ",
                     header.value("count", nlohmann::json()).dump(), " records with hash ",
                     text("content"), ", the file holds ", content.lines.size(),
                     ". Nothing was imported."));
  }
  const ParsedRecords incoming = ParseRecords(content, database->signature());
  if (!incoming.faults.damaged.empty()) {
    const auto& first = incoming.faults.damaged.front();
    throw Error(
        Join(path, ": record ", first.line, " is refused: ", first.why, " Nothing was imported."));
  }
  if (incoming.faults.other_signature > 0) {
    throw Error(Join(path, ": ", incoming.faults.other_signature,
                     " records have another signature than the file. Nothing was imported."));
  }
  ImportResult result;
  database->journal().Replace([&](const JournalContent& present) {
    std::vector<std::string> lines = present.lines;
    if (OpenLine(present.torn)) lines.push_back(present.torn);
    std::unordered_set<std::string> known(lines.begin(), lines.end());
    for (const std::string& line : incoming.lines) {
      if (known.insert(line).second) {
        lines.push_back(line);
        ++result.added;
      } else {
        ++result.known;
      }
    }
    return lines;
  });
  database->Refresh();
  return result;
}

MergeResult MergeFiles(const std::vector<std::string>& inputs, const std::string& out) {
  using Place = std::tuple<int64_t, std::string, int64_t, std::string>;
  std::set<Place> all;
  MergeResult result;
  const auto add = [&](JournalContent content) {
    if (!content.lines.empty() && HeaderOf(content.lines.front()).is_object()) {
      content.lines.erase(content.lines.begin());
    }
    ParsedRecords parsed = ParseRecords(content, "");
    result.damaged += static_cast<int>(parsed.faults.damaged.size()) + parsed.faults.torn_tail;
    for (size_t i = 0; i < parsed.records.size(); ++i) {
      const Record& r = parsed.records[i];
      const bool is_new =
          all.emplace(r.time_s, r.session, r.sequence, std::move(parsed.lines[i])).second;
      result.duplicates += !is_new;
    }
  };
  std::error_code error;
  for (const std::string& path : inputs) {
    // The output's own records are read under its lock below.
    if (!std::filesystem::equivalent(path, out, error)) add(LinesOf(path));
  }
  Journal(out).Replace([&](const JournalContent& present) {
    add(present);
    std::vector<std::string> lines;
    for (const Place& place : all) lines.push_back(std::get<3>(place));
    return lines;
  });
  result.records = static_cast<int>(all.size());
  return result;
}

PruneResult PruneRecords(Database* database, const RecordFilter& drop) {
  PruneResult result;
  database->journal().Replace([&](const JournalContent& present) {
    ParsedRecords parsed = ParseRecords(present, database->signature());
    std::vector<std::string> kept;
    for (size_t i = 0; i < parsed.records.size(); ++i) {
      if (drop(parsed.records[i])) {
        ++result.dropped;
      } else {
        kept.push_back(std::move(parsed.lines[i]));
      }
    }
    result.dropped += static_cast<int>(parsed.faults.damaged.size()) + parsed.faults.torn_tail;
    result.kept = static_cast<int>(kept.size());
    return kept;
  });
  database->Refresh();
  return result;
}

}  // namespace trit

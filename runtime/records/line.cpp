#include "runtime/records/line.h"

#include <xxhash.h>

#include <cstdio>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr std::string_view kMember = ",\"sum\":\"";
constexpr size_t kTail = kMember.size() + 16 + 2;  // ,"sum":"<16 digits>"}

}  // namespace

std::string HexHash(std::string_view bytes) {
  char hex[17];
  std::snprintf(hex, sizeof(hex), "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(bytes.data(), bytes.size())));
  return hex;
}

std::string SealLine(const std::string& object) {
  if (object.size() < 3 || object.front() != '{' || object.back() != '}' ||
      object.find('\n') != std::string::npos) {
    throw Error("A record line must be one non-empty JSON object without line breaks.");
  }
  if (object.size() + kTail > kMaxLineBytes) {
    throw Error(Join("A record of ", object.size(), " bytes is longer than the ", kMaxLineBytes,
                     " a line may have."));
  }
  const std::string head = object.substr(0, object.size() - 1);
  return head + std::string(kMember) + HexHash(head) + "\"}";
}

std::optional<std::string> OpenLine(std::string_view line) {
  if (line.size() <= kTail || line.size() > kMaxLineBytes || line.front() != '{') return {};
  const std::string_view head = line.substr(0, line.size() - kTail);
  const std::string_view tail = line.substr(line.size() - kTail);
  if (!tail.starts_with(kMember) || !tail.ends_with("\"}")) return {};
  if (tail.substr(kMember.size(), 16) != HexHash(head)) return {};
  return std::string(head) + "}";
}

}  // namespace trit

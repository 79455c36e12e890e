// One record = one line of JSON that carries its own checksum, so that a torn or rotten line is
// known from the line alone:
//
//     {"v":1, ... ,"sum":"0123456789abcdef"}
//
// "sum" is the last member: XXH3 (64 bits, hex) of every byte before `,"sum":`. The line stays
// plain JSON for every other tool.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trit {

// Longest line that is read or written: a record has a few hundred bytes and its samples.
inline constexpr size_t kMaxLineBytes = size_t{4} << 20;

std::string HexHash(std::string_view bytes);  // 16 hex digits

// `object` is a JSON object in one line. Throws Error when it is not or is too long.
std::string SealLine(const std::string& object);

// The object without its sum, or nothing when the line is not whole and unchanged.
std::optional<std::string> OpenLine(std::string_view line);

}  // namespace trit

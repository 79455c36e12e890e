// Byte sizes of the interleaved dense forms (dense.h has the drawings).
#pragma once

#include <cstdint>

namespace trit::ops {

inline constexpr int64_t kQ6Columns = 256;
inline constexpr int64_t kQ6FileBytes = 210;  // a row's block in a file
inline constexpr int64_t kQ6GroupBytes = 16 * kQ6FileBytes;
inline constexpr int64_t kQ6ScalesOffset = 32;
inline constexpr int64_t kQ6WordsOffset = 32 + 256;
inline constexpr int64_t kQ4Columns = 32;
inline constexpr int64_t kQ4FileBytes = 18;
inline constexpr int64_t kQ4GroupBytes = 16 * kQ4FileBytes;
inline constexpr int64_t kQ4WordsOffset = 32;
inline constexpr int64_t kQ8Columns = 32;
inline constexpr int64_t kQ8FileBytes = 34;

}  // namespace trit::ops

// The reviewed decisions that ship as defaults: schedules/tuned/<target>.txt, one line a choice row
// of the kernel ABI, in order, first match wins:
//
//     m=1..7 mad2 avx512vnni dot=quad unpack=reg rows=32 ...
//     m=1..1 n=6912 k=2560 threads=2 n_per_task=256 : mad2 avx512vnni ...
//
// Fields before the candidate: m (needed, FIRST..LAST, LAST may be "max"), and, with a colon before
// the candidate, n, k, threads (default any) and n_per_task, m_per_task (default 0). '#' starts a
// comment.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "schedules/candidate.h"

namespace trit {

struct TunedRow {
  int32_t n = 0, k = 0;  // 0 = any
  int32_t m_min = 1, m_max = INT32_MAX;
  int32_t threads = 0;
  int32_t n_per_task = 0, m_per_task = 0;
  Candidate candidate;

  std::string Text() const;
};

// Throws trit::Error naming file, line and fault. `file` is only used in messages.
std::vector<TunedRow> ParseTuned(std::string_view text, std::string_view file);

}  // namespace trit

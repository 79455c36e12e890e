// sample_records FOLDER: three sets of records with known answers, for tests of reports.
//   old/   ten runs; from the sixth on n=128 takes 8 % longer (a step in the history)
//   base/  one run as the last of them
//   head/  n=192 is 6 % slower, n=256 is 7 % faster than in base
#include <cmath>
#include <cstdio>

#include "autotune/records/database.h"
#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"
#include "tests/autotune/stats_samples.h"

namespace {

using namespace trit;

void Run(const std::string& path, int run, const char* commit, double third, double fourth,
         Random* random) {
  Database database(path, "0123456789abcdef");
  for (int w = 1; w <= 6; ++w) {
    const double step = w == 2 && run >= 5 ? 1.08 : w == 3 ? third : w == 4 ? fourth : 1;
    Record r = SampleRecord("mad2 avx2 <mt>=1 & \"more\"", 1000, w);
    r.time_s = 1700000000 + 86400 * run;
    r.session = Join("session", run);
    r.commit = commit;
    r.workload = {"matmul", "shipped", 1 << (w % 3 * 3), 64 * w, 256};
    r.samples_ns = NoisySamples(30, 20000.0 * w * step, 0.004, 0.02, random);
    r.reference_ns.clear();
    r.bytes = 64.0 * w * 256 / 4;
    r.ops = static_cast<double>(r.workload.m) * 64 * w * 256;
    r.roof_bytes_per_s = 3e9 * (1 + 0.01 * w);
    r.roof_ops_per_s = 4e10;
    r.threads = 1 + w % 2;
    database.Append(r);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: sample_records FOLDER\n", stderr), 2;
  const std::string folder = argv[1];
  Random random(5);
  for (int run = 0; run < 10; ++run) {
    Run(folder + "/old/records.jsonl", run, run < 5 ? "aaaa1111" : "bbbb2222", 1, 1, &random);
  }
  Run(folder + "/base/records.jsonl", 10, "cccc3333", 1, 1, &random);
  Run(folder + "/head/records.jsonl", 11, "dddd4444", 1.06, 0.93, &random);
}

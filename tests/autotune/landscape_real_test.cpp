// Search strategies on real kernels: landscapes recorded with `tritforge landscape` (data/README.md
// says how and where), replayed here, deterministic by seed.
#include <gtest/gtest.h>

#include "autotune/search/landscape.h"
#include "autotune/stats/robust.h"

namespace trit {
namespace {

const std::string kData = TRIT_SOURCE_DIR "/tests/autotune/data/";
constexpr const char* kFiles[] = {"mad2-avx512vbmi-m48.json", "lut3w-avx512vbmi-m24.json"};

std::vector<double> TenSeeds(const RecordedLandscape& landscape, const std::string& strategy) {
  std::vector<double> quality;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const ReplayResult r = Replay(landscape, strategy, 0.15, seed);
    const double points = static_cast<double>(landscape.points.size());
    EXPECT_LE(r.points, 0.15 * points);
    EXPECT_LE(r.rounds, 0.15 * points * 3);  // an exhaustive search gives three rounds each
    quality.push_back(r.quality);
  }
  return quality;
}

TEST(RealLandscapes, TheModelFinds98PercentWith15PercentAndBeatsRandom) {
  for (const char* file : kFiles) {
    const RecordedLandscape landscape = ReadLandscape(kData + file);
    ASSERT_GE(landscape.points.size(), 500u) << file;
    ASSERT_GE(landscape.Rounds(), 10u) << file;
    const std::vector<double> model = TenSeeds(landscape, "model");
    const std::vector<double> random = TenSeeds(landscape, "random");
    printf("%-28s model median %.4f worst %.4f, random median %.4f worst %.4f\n", file,
           Median(model), Quantile(model, 0), Median(random), Quantile(random, 0));
    EXPECT_GE(Median(model), 0.98) << file;
    EXPECT_GT(Median(model), Median(random)) << file;
    EXPECT_GT(Quantile(model, 0), Quantile(random, 0)) << file;
  }
}

TEST(RealLandscapes, ExhaustiveSearchFindsTheBestThatTheOtherHalfSees) {
  for (const char* file : kFiles) {
    const RecordedLandscape landscape = ReadLandscape(kData + file);
    // Three rounds of everything: what the noise of the recording costs by itself.
    const ReplayResult r = Replay(landscape, "exhaustive", 1.0, 1);
    EXPECT_EQ(r.points, static_cast<int>(landscape.points.size()));
    EXPECT_GE(r.quality, 0.97) << file;
  }
}

}  // namespace
}  // namespace trit

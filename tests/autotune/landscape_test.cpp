// Landscape files: reading, writing, replaying.
#include "autotune/search/landscape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"

namespace trit {
namespace {

TEST(LandscapeFile, ReadsWhatItWritesAndRefusesNonsense) {
  RecordedLandscape l;
  l.about["shape"] = "64x64";
  l.axes = {{"rows", true, {"16", "32"}}, {"dot", false, {"quad", "pair"}}};
  l.points = {{{0, 0}, {100, 101}}, {{1, 0}, {}}, {{0, 1}, {90, 92}}};
  const ScratchFolder folder("landscape");
  const auto write = [&](const std::string& text) {
    std::ofstream(folder.File("l"), std::ios::trunc) << text;
    return folder.File("l");
  };
  const std::string text = LandscapeText(l);
  const RecordedLandscape again = ReadLandscape(write(text));
  EXPECT_EQ(LandscapeText(again), text);
  EXPECT_EQ(again.Rounds(), 2u);
  EXPECT_TRUE(std::isinf(TrueNs(again, 1)));
  EXPECT_EQ(TrueNs(again, 2), 90);
  EXPECT_THROW(ReadLandscape(folder.File("absent")), Error);
  for (size_t cut = 1; cut + 2 < text.size(); cut += 3) {
    EXPECT_THROW(ReadLandscape(write(text.substr(0, cut))), Error) << cut;
  }
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    return write(other);
  };
  EXPECT_THROW(ReadLandscape(replaced("[1,0]", "[2,0]")), Error);     // off its axis
  EXPECT_THROW(ReadLandscape(replaced("[1,0]", "[0,0]")), Error);     // twice
  EXPECT_THROW(ReadLandscape(replaced("[100,101]", "[-1]")), Error);  // no time
  EXPECT_THROW(ReadLandscape(replaced("[100,101]", "[1e999]")), Error);
  EXPECT_THROW(ReadLandscape(replaced("\"points\"", "\"pints\"")), Error);
}

TEST(ReplayTest, FailuresAreFailuresAndRoundsAreTheRecordedOnes) {
  RecordedLandscape l;
  l.axes = {{"a", true, {"1", "2"}}};
  l.points = {{{0}, {100, 7, 100, 8, 100, 9}}, {{1}, {}}};
  ReplayEvaluator evaluator(l, 3);
  const std::vector<Proposal> batch{{0, 3}, {1, 3}};
  const std::vector<Outcome> out = evaluator.Measure(batch);
  EXPECT_THAT(out[0].ns, testing::UnorderedElementsAre(7, 8, 9));
  EXPECT_TRUE(out[1].failed);
  EXPECT_EQ(evaluator.rounds(), 4);
}

}  // namespace
}  // namespace trit

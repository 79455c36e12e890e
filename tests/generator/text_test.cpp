// Candidates, spaces and tuned files: text <-> struct, and what they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "schedules/candidate.h"
#include "schedules/space.h"
#include "schedules/tuned.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using testing::HasSubstr;

Space Small() {
  Space space("fam", "tgt");
  space.Ints("rows", {1, 2, 4}, "rows")
      .Names("hint", {"none", "t0", "nta"}, "prefetch hint")
      .Ints("far", {0, 8}, "prefetch distance")
      .Rule("a hint needs a distance",
            [](const Candidate& c) { return (c.Name("hint") == "none") == (c.Int("far") == 0); });
  return space;
}

std::string Refusal(const std::string& text) {
  try {
    Small().Canonical(ParseCandidate(text));
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(CandidateText, RoundTripsInTheOrderOfTheSpace) {
  const Candidate c = Small().Canonical(ParseCandidate("fam  tgt far=8 hint=nta rows=2"));
  EXPECT_EQ(c.Text(), "fam tgt rows=2 hint=nta far=8");
  EXPECT_EQ(ParseCandidate(c.Text()), c);
  EXPECT_EQ(c.Key().size(), 32u);
  EXPECT_NE(c.Key(), Small().Canonical(ParseCandidate("fam tgt rows=4 hint=nta far=8")).Key());
}

TEST(CandidateText, RefusesByName) {
  EXPECT_THAT(Refusal("fam tgt hint=none far=0"), HasSubstr("lacks rows (1, 2, 4)"));
  EXPECT_THAT(Refusal("fam tgt rows=3 hint=none far=0"), HasSubstr("rows=3; allowed: 1, 2, 4"));
  EXPECT_THAT(Refusal("fam tgt rows=1 hint=none far=0 x=1"), HasSubstr("sets x"));
  EXPECT_THAT(Refusal("fam tgt rows=1 hint=t0 far=0"), HasSubstr("a hint needs a distance"));
  EXPECT_THAT(Refusal("fam tgt rows=1 rows=1 hint=none far=0"), HasSubstr("rows twice"));
  EXPECT_THAT(Refusal("fam other rows=1 hint=none far=0"), HasSubstr("is none of fam tgt"));
  EXPECT_THAT(Refusal("fam"), HasSubstr("names no family and target"));
  EXPECT_THAT(Refusal("fam tgt rows"), HasSubstr("name=value"));
  EXPECT_THAT(Refusal("fam tgt rows=\x01"), HasSubstr("name=value"));
  EXPECT_THAT(Refusal(std::string(100000, 'a')), HasSubstr("longer than"));
}

TEST(SpaceWalk, EnumeratesTheValidPointsOnce) {
  const auto all = Small().Enumerate(1000);
  std::set<std::string> texts;
  for (const Candidate& c : all) texts.insert(c.Text());
  EXPECT_EQ(all.size(), 9u);  // 3 rows x (none,0 | t0,8 | nta,8)
  EXPECT_EQ(texts.size(), 9u);
  EXPECT_EQ(Small().Combinations(), 18u);
  EXPECT_EQ(Small().Enumerate(4).size(), 4u);
}

TEST(SpaceWalk, RandomAndMutatedPointsAreValidAndReachEverything) {
  const Space space = Small();
  std::mt19937_64 rng(7);
  std::set<std::string> seen, reached;
  Candidate at = space.Random(rng);
  for (int i = 0; i < 400; ++i) {
    seen.insert(space.Canonical(space.Random(rng)).Text());
    const Candidate next = space.Mutate(at, rng);
    EXPECT_FALSE(next == at);
    at = space.Canonical(next);
    reached.insert(at.Text());
  }
  EXPECT_EQ(seen.size(), 9u);
  EXPECT_EQ(reached.size(), 9u);
}

TEST(SpaceWalk, PinnedParametersStay) {
  const Space pinned = Small().Pinned("rows", "2");
  EXPECT_EQ(pinned.Enumerate(100).size(), 3u);
  EXPECT_THROW(Small().Pinned("rows", "3"), Error);
  EXPECT_THROW(Small().Pinned("lines", "3"), Error);
}

TEST(TunedText, ReadsRowsAndNamesFaults) {
  const auto rows = ParseTuned(
      "# comment\n\nm=1..7 fam tgt rows=1\n"
      "m=8..max n=6912 k=2560 threads=2 n_per_task=256 : fam tgt rows=2 # why\n",
      "file.txt");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].m_max, 7);
  EXPECT_EQ(rows[1].m_max, INT32_MAX);
  EXPECT_EQ(rows[1].n, 6912);
  EXPECT_EQ(rows[1].n_per_task, 256);
  EXPECT_EQ(rows[1].candidate.Text(), "fam tgt rows=2");
  for (const TunedRow& row : rows) EXPECT_EQ(ParseTuned(row.Text(), "t")[0].Text(), row.Text());
  const auto refusal = [](const char* text) -> std::string {
    try {
      ParseTuned(text, "file.txt");
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal("\nm=2..1 fam tgt"), HasSubstr("file.txt, line 2: m=2..1 is no range"));
  EXPECT_THAT(refusal("n=4 : fam tgt"), HasSubstr("m=FIRST..LAST is missing"));
  EXPECT_THAT(refusal("m=1..max depth=4 : fam tgt"), HasSubstr("\"depth\" is unknown"));
  EXPECT_THAT(refusal("m=1..max n=-4 : fam tgt"), HasSubstr("n=-4 is no number"));
  EXPECT_THAT(refusal("m=1..max :"), HasSubstr("names no family"));
}

}  // namespace
}  // namespace trit

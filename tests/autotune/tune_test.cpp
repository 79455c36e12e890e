#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "autotune/tune/library.h"
#include "autotune/tune/progress.h"
#include "autotune/tune/tuner.h"
#include "runtime/tuned/tuned_library.h"
#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"
#include "tests/autotune/stats_samples.h"

namespace trit {
namespace {

using testing::HasSubstr;
constexpr const char* kSignature = "0123456789abcdef";

// Planted kernels (planted_child.cpp): a shipped one that does its work five times, better ones,
// and some that must never win.
Catalogue PlantedCatalogue() {
  Catalogue c;
  c.target = "planted";
  const auto add = [&](const std::string& what, int work, const std::string& layout = "plain") {
    CatalogueEntry e;
    e.text = Join("planted ", what, " work=", work, layout == "plain" ? "" : " layout=other");
    e.family = "planted-" + what;
    e.layout = layout + ".v1";
    e.settings["work"] = std::to_string(work);
    if (layout != "plain") e.settings["layout"] = layout;
    c.entries.push_back(e);
  };
  for (int work : {1, 2, 3, 4, 5, 6, 8}) add("right", work);
  for (const char* fault : {"sigill", "sigsegv", "wrong", "wrong-long", "refuse", "exit"})
    add(fault, 0);
  add("hang", 0);
  c.defaults.push_back({0, 0, 1, INT32_MAX, 0, 0, 0, "planted right work=5"});
  return c;
}

TunePlan PlantedPlan() {
  TunePlan plan;
  plan.shapes = {{64, 512, 3}, {32, 256, 1}};
  plan.m = {1, 4};
  plan.threads = {1};
  plan.budget_s = 120;
  plan.strategy = "exhaustive";
  plan.rounds = 2;
  plan.final_rounds = 5;
  plan.roof_stop = 1e9;  // small shapes stay in cache, faster than any memory
  plan.session.child_command = {TRIT_BINARY_DIR "/bin/autotune_planted_child"};
  plan.session.target = "planted";
  plan.session.build = {"abc", "gcc 12", "14.0.0", "19.1.7"};
  plan.session.load_limit_s = 1;
  plan.session.sample_ms = 0.5;
  return plan;
}

TEST(TunerTest, FindsTheFastKernelAndNeverAFaultyOne) {
  const ScratchFolder folder("tuner");
  const Catalogue catalogue = PlantedCatalogue();
  TunePlan plan = PlantedPlan();
  Database database(folder.File("db"), kSignature);
  int told = 0;
  const TuneResult result = Tuner(catalogue, plan, &database).Run([&](const TuneProgress& p) {
    ++told;
    EXPECT_FALSE(ProgressText(p).empty());
  });
  EXPECT_GT(told, 5);
  ASSERT_EQ(result.choices.size(), 4u);
  for (const TunedChoice& c : result.choices) {
    EXPECT_EQ(c.winner, "planted right work=1") << c.reason;
    EXPECT_TRUE(c.promoted) << c.reason;
    EXPECT_THAT(c.reason, HasSubstr("promoted"));
    EXPECT_LT(c.verdict.ratio.high, 0.9);
  }
  EXPECT_GE(result.failures, 7);
  EXPECT_TRUE(result.finished);
  std::map<std::string, CheckStatus> failed;
  for (const Record& r : database.records()) {
    if (r.status != CheckStatus::kOk) failed[r.candidate] = r.status;
  }
  EXPECT_EQ(failed["planted sigill work=0"], CheckStatus::kCrash);
  EXPECT_EQ(failed["planted sigsegv work=0"], CheckStatus::kCrash);
  EXPECT_EQ(failed["planted exit work=0"], CheckStatus::kCrash);
  EXPECT_EQ(failed["planted hang work=0"], CheckStatus::kHang);
  EXPECT_EQ(failed["planted wrong work=0"], CheckStatus::kWrong);
  EXPECT_EQ(failed["planted wrong-long work=0"], CheckStatus::kWrong);
  EXPECT_EQ(failed["planted refuse work=0"], CheckStatus::kCompileFailed);
  EXPECT_EQ(failed.size(), 7u);

  // A second run knows all of it; what the finals added may turn near ties, more of them on a busy
  // machine, no more.
  Database again(folder.File("db"), kSignature);
  const TuneResult second = Tuner(catalogue, plan, &again).Run();
  EXPECT_LT(second.measured, result.measured / 2);
  EXPECT_EQ(second.choices.size(), 4u);
  EXPECT_TRUE(second.choices[0].promoted);
  EXPECT_THAT(ChoiceTable(result.choices), HasSubstr("64x512"));
  EXPECT_THAT(TotalsText(result.choices), HasSubstr("->"));
}

TEST(TunerTest, StopKeepsWhatWasLearnedAndTheNextRunGoesOn) {
  const ScratchFolder folder("stop");
  const Catalogue catalogue = PlantedCatalogue();
  const TunePlan plan = PlantedPlan();
  size_t kept = 0;
  {
    Database database(folder.File("db"), kSignature);
    std::atomic<bool> stop{false};
    const TuneResult result =
        Tuner(catalogue, plan, &database)
            .Run([&](const TuneProgress& p) { stop = p.measured > 3; }, &stop);
    EXPECT_TRUE(result.interrupted);
    EXPECT_FALSE(result.finished);
    kept = database.records().size();
    EXPECT_GT(kept, 3u);
  }
  Database database(folder.File("db"), kSignature);
  EXPECT_EQ(database.records().size(), kept);
  const TuneResult result = Tuner(catalogue, plan, &database).Run();
  EXPECT_TRUE(result.finished);
  EXPECT_TRUE(result.choices.at(0).promoted);
}

TEST(TunerTest, EndsInItsBudget) {
  const ScratchFolder folder("budget");
  TunePlan plan = PlantedPlan();
  plan.budget_s = 1.5;
  Database database(folder.File("db"), kSignature);
  const TuneResult result = Tuner(PlantedCatalogue(), plan, &database).Run();
  EXPECT_LT(result.seconds, 10);         // generous: the machine may be busy
  EXPECT_EQ(result.choices.size(), 4u);  // something is said of everything
}

// kill -9 of the tuner itself at random moments: its children die with it, the database opens, and
// the next run goes on.
TEST(TunerTest, SurvivesKills) {
  const ScratchFolder folder("tunerkill");
  const Catalogue catalogue = PlantedCatalogue();
  const TunePlan plan = PlantedPlan();
  Random random(77);
#ifdef TRIT_FULL_TESTS
  constexpr int kKills = 100;
#else
  constexpr int kKills = 5;
#endif
  size_t records = 0;
  for (int i = 0; i < kKills; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      try {
        Database database(folder.File("db"), kSignature);
        Tuner(catalogue, plan, &database).Run();
      } catch (const std::exception&) {
        _exit(1);
      }
      _exit(0);
    }
    usleep(static_cast<useconds_t>(20000 + random.Below(300000)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const Database database(folder.File("db"), kSignature);
    EXPECT_TRUE(database.faults().damaged.empty());
    EXPECT_GE(database.records().size(), records);
    records = database.records().size();
  }
}

TEST(TokenRanges, CoverEveryTokenCountOnce) {
  const std::vector<int32_t> m{1, 8, 128};
  int64_t next = 1;
  for (size_t i = 0; i < m.size(); ++i) {
    const TokenRange range = RangeOf(m, i);
    EXPECT_EQ(range.first, next);
    EXPECT_LE(range.first, m[i]);
    EXPECT_GE(range.last, m[i]);
    next = int64_t{range.last} + 1;
  }
  EXPECT_EQ(next, int64_t{INT32_MAX} + 1);
  EXPECT_EQ(RangeOf({1, 2}, 0).last, 1);
}

TEST(CatalogueTest, KnowsHowFarAShippedRowReaches) {
  Catalogue c;
  c.target = "planted";
  c.defaults = {{0, 0, 5, 8, 2, 0, 4, "a"},
                {0, 0, 13, 16, 2, 0, 8, "b"},
                {64, 0, 10, 10, 0, 0, 0, "c"},
                {0, 0, 1, INT32_MAX, 0, 0, 0, "d"}};
  using Span = std::pair<int32_t, int32_t>;
  EXPECT_EQ(c.DefaultSpan(32, 32, 8, 2), (Span{5, 8}));
  EXPECT_EQ(c.DefaultSpan(32, 32, 9, 2), (Span{9, 12}));
  EXPECT_EQ(c.DefaultSpan(64, 32, 9, 2), (Span{9, 9}));
  EXPECT_EQ(c.DefaultSpan(32, 32, 1, 2), (Span{1, 4}));
  EXPECT_EQ(c.DefaultSpan(32, 32, 100, 2), (Span{17, INT32_MAX}));
  EXPECT_EQ(c.DefaultSpan(32, 32, 8, 1), (Span{1, INT32_MAX}));
}

TunedChoice Choice(int32_t n, int32_t m, TokenRange range, const std::string& winner,
                   const std::string& layout, bool promoted) {
  TunedChoice c;
  c.shape = {n, 512, 1};
  c.m = m;
  c.range = range;
  c.winner = winner;
  c.layout = layout;
  c.promoted = promoted;
  return c;
}

TEST(TunedRowsTest, LeaveNoGapForALayoutThatCameIn) {
  Catalogue c = PlantedCatalogue();
  std::vector<TunedChoice> choices{
      Choice(64, 1, {1, 2}, "a", "other.v1", true),
      Choice(64, 4, {3, INT32_MAX}, "b", "other.v1", true),
      Choice(32, 1, {1, 2}, "planted right work=1", "plain.v1", true),
      Choice(32, 4, {3, INT32_MAX}, "planted right work=5", "plain.v1", false)};
  choices[1].n_per_task = 32;
  choices[1].m_per_task = 2;
  const std::vector<DefaultRow> rows = TunedRows(c, choices);
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows[0].n, 64);
  EXPECT_EQ(rows[1].n_per_task, 32);  // slices were measured on this shape
  EXPECT_EQ(rows[1].m_per_task, 2);
  EXPECT_EQ(rows[5].n_per_task, 0);                      // and not on others
  EXPECT_EQ(rows[3].candidate, "planted right work=5");  // the shipped row, for other shapes
  EXPECT_EQ(rows[4].n, 0);
  EXPECT_EQ(rows[4].m_min, 1);
  EXPECT_EQ(rows[5].m_max, INT32_MAX);
  EXPECT_THROW(TunedRows(c, {choices[0]}), Error);
}

TEST(MergeChoicesTest, KeepsWhatANewRunDidNotDecide) {
  const std::vector<TunedChoice> earlier{Choice(64, 1, {1, 2}, "a", "plain.v1", true),
                                         Choice(96, 1, {1, 2}, "b", "plain.v1", true)};
  TuneResult unfinished;
  unfinished.choices = {Choice(64, 1, {1, 2}, "shipped", "plain.v1", false)};
  const auto kept = MergeChoices(earlier, unfinished);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].winner, "a");
  TuneResult finished = unfinished;
  finished.finished = true;
  const auto replaced = MergeChoices(earlier, finished);
  ASSERT_EQ(replaced.size(), 2u);
  EXPECT_EQ(replaced[0].winner, "b");
  EXPECT_FALSE(replaced[1].promoted);
}

TEST(TunedLibraryTest, IsUsedOnlyWhenEverythingFits) {
  const ScratchFolder folder("tuned");
  const std::string root = folder.File("");
  EXPECT_EQ(FindTunedLibrary(root).path, "");
  EXPECT_EQ(FindTunedLibrary(root).reason, "");  // there simply is none
  const std::string bytes = "not really a library";
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder.File(name), std::ios::binary) << text;
  };
  write("k.so", bytes);
  const std::string good = DescribeTunedLibrary("k.so", bytes);
  write("current", good);
  EXPECT_EQ(FindTunedLibrary(root).reason, "");
  EXPECT_THAT(FindTunedLibrary(root).path, HasSubstr("k.so"));

  const auto ignored = [&](const std::string& why) {
    const TunedLibrary found = FindTunedLibrary(root);
    EXPECT_EQ(found.path, "");
    EXPECT_THAT(found.reason, HasSubstr(why));
    EXPECT_EQ(found.reason.find('\n'), std::string::npos);
  };
  write("k.so", "not really a Library");
  ignored("changed");
  write("k.so", "cut");
  ignored("3 bytes");
  std::filesystem::remove(folder.File("k.so"));
  ignored("not there");
  std::string foreign = good;
  foreign.replace(foreign.find("host ") + 5, 16, "0000000000000000");
  write("current", foreign);
  ignored("another machine");
  write("current", "");
  ignored("format");
  write("current", DescribeTunedLibrary("../../etc/passwd", bytes));
  ignored("name");

  // Whole, of this machine, and no library at all: found by the loader, one sentence, no exception.
  const std::string cache = folder.File("cache");
  const std::string tuned = Join(cache, "/tritforge/tuned/", ThisHost().Key());
  std::filesystem::create_directories(tuned);
  std::ofstream(tuned + "/k.so") << bytes;
  std::ofstream(tuned + "/current") << DescribeTunedLibrary("k.so", bytes);
  setenv("XDG_CACHE_HOME", cache.c_str(), 1);
  std::vector<std::string> notes;
  EXPECT_EQ(WithTunedLibrary({"a.so"}, &notes), std::vector<std::string>{"a.so"});
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0], HasSubstr("ignored"));
  setenv("TRIT_TUNED", "off", 1);
  EXPECT_EQ(WithTunedLibrary({}, &notes).size() + notes.size(), 1u);
}

}  // namespace
}  // namespace trit

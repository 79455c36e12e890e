#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autotune/report/svg.h"
#include "autotune/report/tuning_page.h"
#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"
#include "tests/report/balanced.h"

namespace trit {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kManifest = R"({"tritforge_tuned":1,"target":"avx2","build":"tritforge x",
 "host":{"key":"0011223344556677","cpu":"A <fast> CPU","cores":2},"budget_s":60,"seconds":58.2,
 "measured":120,"failures":2,"discarded_rounds":3,"noise":0.012,
 "choices":[{"n":6912,"k":2560,"m":1,"threads":2,"promoted":true,"incumbent":"mad2 a","winner":"lut5 b",
  "incumbent_ns":150000,"winner_ns":131250,"fraction_of_roof":0.87,"reason":"promoted: faster",
  "ratio":{"centre":0.875,"low":0.86,"high":0.89}}],
 "stages":[{"name":"m=1","space":500,"stopped":"limit","steps":[
  {"points":8,"rounds":16,"best_ns":160000,"fraction_of_roof":0.7},
  {"points":16,"rounds":32,"best_ns":131000,"fraction_of_roof":0.87}]}]})";

TEST(TuningPageTest, ShowsTheRecordsNumbersAndNeedsNoNetwork) {
  std::vector<Record> records;
  for (int i = 0; i < 12; ++i) {
    records.push_back(SampleRecord("mad2 avx2 mt=" + std::to_string(i), 100000 + 5000 * i, i));
  }
  records.push_back(SampleRecord("lut5 broken", 1, 99));
  records.back().status = CheckStatus::kCrash;
  records.back().detail = "killed by SIGILL";
  const std::string page = TuningPage(kManifest, records);
  EXPECT_THAT(page, HasSubstr("A &lt;fast&gt; CPU"));
  EXPECT_THAT(page, HasSubstr("<td class=\"\">150.0</td>"));
  EXPECT_THAT(page, HasSubstr("<td class=\"\">131.2</td>"));
  EXPECT_THAT(page, HasSubstr("0.875 [0.860, 0.890]"));
  EXPECT_THAT(page, HasSubstr("120 measurements in 58.2 s"));
  EXPECT_THAT(page, HasSubstr("mad2 avx2 mt=3: 114.4 us"));  // the faster half: 113.85 and 115
  EXPECT_THAT(page, HasSubstr("killed by SIGILL"));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme:dark"));
  for (const char* outside : {"http:", "https:", "<script", "@import", "src=", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
  EXPECT_EQ(page.find("nan"), std::string::npos);
  ExpectBalanced(page);
}

TEST(TuningPageTest, RefusesWhatIsNoManifest) {
  EXPECT_THROW(TuningPage("{}", {}), Error);
  EXPECT_THROW(TuningPage("junk", {}), Error);
  EXPECT_THROW(TuningPage(R"({"tritforge_tuned":1,"choices":[]})", {}), Error);
}

TEST(ChartTest, DrawsWhatCanBeDrawn) {
  const ChartSeries strange{"s", {{1, NAN, ""}, {2, INFINITY, ""}, {-1, 5, ""}, {3, 7, "<&>"}}};
  ChartOptions o;
  o.log_x = o.log_y = true;
  const std::string chart = Chart({strange}, o);
  EXPECT_THAT(chart, HasSubstr("&lt;&amp;&gt;"));
  EXPECT_EQ(chart.find("nan"), std::string::npos);
  EXPECT_EQ(chart.find("inf"), std::string::npos);
  EXPECT_THAT(Chart({}, o), HasSubstr("nothing was measured"));
  ExpectBalanced(chart);
  ExpectBalanced(IntervalChart({{"a", "faster", 0.9, 0.88, 0.92}}, "t"));
}

}  // namespace
}  // namespace trit

// The bundled model's greedy text on the emulated CPU of one target, word for word what x86 says:
// the CPU has no more than TRIT_GREEDY_TARGET needs, in a scalable target's case at one vector
// length. (The recorded text is the host's, tests/model/bundled_greedy_test.cpp; there are no
// targets of two architectures in one program.)
#include <gtest/gtest.h>

#include <cstdlib>

#include "targets/features.h"
#include "tests/model/golden.h"

namespace trit {
namespace {

constexpr int kPrompts = 5;  // a minute each took on a slow host would be too many

TEST(Greedy, SaysWhatX86Says) {
  const char* key = std::getenv("TRIT_GREEDY_TARGET");
  ASSERT_NE(key, nullptr) << "ctest sets TRIT_GREEDY_TARGET and the emulated CPU (QEMU_CPU)";
  const Target& target = FindTarget(key);
  ASSERT_TRUE(HostFeatures().CanRun(target)) << "the emulated CPU lacks what " << key << " needs";
  if (const char* bytes = std::getenv("TRIT_GREEDY_SVE_BYTES")) {
    ASSERT_EQ(HostFeatures().sve_bytes(), std::atoi(bytes));
  }
  // Where nothing better runs the choice is the program's own: dispatch by hwcaps.
  bool best = true;
  for (const Target& other : AllTargets()) {
    best = best && (other.rank <= target.rank || !HostFeatures().CanRun(other));
  }
  const auto model = golden::Load(best ? "" : key);
  EXPECT_NE(model->Explain().find(key), std::string::npos) << model->Explain();
  int compared = 0;
  for (const auto& entry : golden::Answers()) {
    if (entry.at("answer").is_null()) continue;
    EXPECT_EQ(golden::Answer(*model, entry), entry.at("answer").get<std::string>())
        << entry.at("prompt");
    if (++compared == kPrompts) break;
  }
  EXPECT_EQ(compared, kPrompts);
}

}  // namespace
}  // namespace trit

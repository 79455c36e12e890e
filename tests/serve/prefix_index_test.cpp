#include "model/serve/prefix_index.h"

#include <gtest/gtest.h>

namespace trit::serve {
namespace {

PrefixIndex::Page MakePage() {
  return PrefixIndex::Page(new std::byte[1], std::default_delete<std::byte[]>());
}

TEST(PrefixIndex, FindsTheLongestBeginningInWholePages) {
  PrefixIndex index(2);
  const std::vector<int32_t> tokens = {1, 2, 3, 4, 5, 6};
  const auto a = MakePage(), b = MakePage(), c = MakePage();
  const int64_t first = index.Insert(PrefixIndex::kRoot, std::span(tokens).first(2), a);
  const int64_t second = index.Insert(first, std::span(tokens).subspan(2, 2), b);
  const std::vector<int32_t> other = {9, 9};
  index.Insert(first, other, c);
  EXPECT_EQ(index.Find(tokens).pages, (std::vector<PrefixIndex::Page>{a, b}));
  EXPECT_EQ(index.Find(tokens).node, second);
  EXPECT_EQ(index.Find(std::span(tokens).first(3)).pages.size(), 1u);
  EXPECT_EQ(index.Find(std::vector<int32_t>{1, 2, 9, 9}).pages[1], c);
  EXPECT_TRUE(index.Find(std::vector<int32_t>{3, 4}).pages.empty()) << "the same, elsewhere";
  EXPECT_EQ(index.Insert(first, std::span(tokens).subspan(2, 2), MakePage()), second);
  EXPECT_EQ(index.size(), 3u);
}

TEST(PrefixIndex, LetsGoOfTheOldestThatNobodyUses) {
  PrefixIndex index(1);
  auto a = MakePage(), b = MakePage(), c = MakePage();
  const std::vector<int32_t> tokens = {1, 2, 3};
  const int64_t first = index.Insert(PrefixIndex::kRoot, std::span(tokens).first(1), a);
  index.Insert(first, std::span(tokens).subspan(1, 1), b);
  index.Insert(PrefixIndex::kRoot, std::span(tokens).subspan(2, 1), c);
  EXPECT_FALSE(index.EvictOne()) << "all in use";
  a.reset();
  EXPECT_FALSE(index.EvictOne()) << "its child is in use";
  b.reset();
  c.reset();
  EXPECT_EQ(index.idle_pages(), 3u);
  index.Find(std::span(tokens).first(2));  // the chain is used: the other one is the oldest
  EXPECT_TRUE(index.EvictOne());
  EXPECT_TRUE(index.Find(std::span(tokens).subspan(2, 1)).pages.empty());
  EXPECT_EQ(index.Find(tokens).pages.size(), 2u);
  EXPECT_TRUE(index.EvictOne());
  EXPECT_TRUE(index.EvictOne());
  EXPECT_FALSE(index.EvictOne());
  EXPECT_EQ(index.Insert(first, tokens, MakePage()), PrefixIndex::kGone);
  EXPECT_EQ(index.Insert(PrefixIndex::kGone, tokens, MakePage()), PrefixIndex::kGone);
}

}  // namespace
}  // namespace trit::serve

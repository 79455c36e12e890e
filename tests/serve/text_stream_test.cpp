#include "model/serve/text_stream.h"

#include <gtest/gtest.h>

namespace trit::serve {
namespace {

std::string Whole(TextStream* stream, std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += stream->Push(std::string_view(&c, 1));
  return text + stream->Finish();
}

TEST(TextStream, SendsWholeCharactersOnly) {
  TextStream stream({});
  EXPECT_EQ(stream.Push("a\xC3"), "a");
  EXPECT_EQ(stream.Push("\xA9"), "\xC3\xA9");
  EXPECT_EQ(stream.Push("\xF0\x9F\x98"), "");
  EXPECT_EQ(stream.Push("\x80z"), "\xF0\x9F\x98\x80z");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(TextStream, ReplacesWhatIsNotUtf8) {
  const std::string_view cases[][2] = {
      {"a\xFFz", "a\xEF\xBF\xBDz"},                // no start
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},    // overlong
      {"\xE0\x80z", "\xEF\xBF\xBD\xEF\xBF\xBDz"},  // overlong, three bytes
      {"\xED\xA0z", "\xEF\xBF\xBD\xEF\xBF\xBDz"},  // surrogate
      {"\xF4\x90z", "\xEF\xBF\xBD\xEF\xBF\xBDz"},  // past U+10FFFF
      {"\xE2\x82z", "\xEF\xBF\xBDz"},              // cut, then ASCII
      {"\xE2\x82", "\xEF\xBF\xBD"},                // cut at the end
  };
  for (const auto& [bytes, text] : cases) {
    TextStream stream({});
    EXPECT_EQ(Whole(&stream, bytes), text);
  }
}

TEST(TextStream, HoldsBackWhatMayBecomeAStopString) {
  TextStream stream({"STOP", "\n\n"});
  EXPECT_EQ(stream.Push("one ST"), "one ");
  EXPECT_EQ(stream.Push("AR\n"), "STAR");
  EXPECT_EQ(stream.Push("x ST"), "\nx ");
  EXPECT_EQ(stream.Push("OP and more"), "");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.Push("ignored"), "");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(TextStream, TheEarliestStopWinsAndOverlapsAreSeen) {
  TextStream stream({"ab", "aab"});
  EXPECT_EQ(Whole(&stream, "xaaabz"), "xa");
  TextStream repeated({"aaab"});
  EXPECT_EQ(Whole(&repeated, "aaaaaab!"), "aaa");
  TextStream never({"zzz"});
  EXPECT_EQ(Whole(&never, "zz top zz"), "zz top zz");
}

}  // namespace
}  // namespace trit::serve

// Small vocabularies whose right answers can be worked out by hand, and inputs made to hurt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "model/convert/synth_vocabulary.h"
#include "model/tokenizer/byte_alphabet.h"
#include "model/tokenizer/merge_table.h"
#include "model/tokenizer/pre_tokenizers.h"
#include "model/tokenizer/splitter.h"
#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/utf8.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using ::testing::ElementsAre;

TEST(MergeTableTest, LowestRankFirstThenLeftmost) {
  // a=0 b=1 ab=2 bb=3 abb=4; bb is better than ab.
  MergeTable table(4);
  table.Add(0, 1, 10, 2);
  table.Add(1, 1, 5, 3);
  table.Add(0, 3, 20, 4);
  std::vector<int32_t> symbols = {0, 1, 1, 1};
  table.Apply(&symbols);  // a b b b -> a bb b -> abb b
  EXPECT_THAT(symbols, ElementsAre(4, 1));
  symbols = {0, 1};
  table.Apply(&symbols);
  EXPECT_THAT(symbols, ElementsAre(2));
  symbols = {0, -7, 1};  // what is no symbol separates
  table.Apply(&symbols);
  EXPECT_THAT(symbols, ElementsAre(0, -7, 1));
}

// The plainest statement of byte-pair merging, to compare the quick ways with.
std::vector<int32_t> MergeSlowly(const MergeTable& table, std::vector<int32_t> symbols) {
  while (true) {
    size_t best = symbols.size();
    MergeTable::Merge merge;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      if (symbols[i] < 0 || symbols[i + 1] < 0) continue;
      const auto found = table.Find(symbols[i], symbols[i + 1]);
      if (found.rank < merge.rank) {
        merge = found;
        best = i;
      }
    }
    if (best == symbols.size()) return symbols;
    symbols[best] = merge.joined;
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
}

TEST(MergeTableTest, ScanAndHeapAgreeWithThePlainWay) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    MergeTable table(64);
    for (int i = 0; i < 40; ++i) {
      const auto pick = [&] { return static_cast<int32_t>(random() % 12); };
      table.Add(pick(), pick(), static_cast<uint32_t>(random() % 20), pick());
    }
    std::vector<int32_t> symbols(1 + random() % 120);
    for (int32_t& symbol : symbols) symbol = static_cast<int32_t>(random() % 13) - 1;
    std::vector<int32_t> quick = symbols;
    table.Apply(&quick);
    EXPECT_EQ(quick, MergeSlowly(table, symbols)) << "round " << round;
  }
}

std::vector<std::string> Cut(const char* name, std::string_view text) {
  const Splitter splitter(FindPreTokenizer(name, "test").pattern);
  const auto state = splitter.NewState();
  std::vector<std::string> parts;
  for (size_t at = 0; at < text.size();) {
    const size_t end = splitter.Next(text, at, state.get());
    parts.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return parts;
}

TEST(PreTokenizers, CutAsTheirPatternsSay) {
  EXPECT_THAT(Cut("llama-bpe", "We'LL pay 12345  dollars!\n\n x"),
              ElementsAre("We", "'LL", " pay", " ", "123", "45", " ", " dollars", "!\n\n", " x"));
  EXPECT_THAT(Cut("falcon3", "a1234"), ElementsAre("a", "123", "4"));
  EXPECT_THAT(Cut("qwen2", "a1234"), ElementsAre("a", "1", "2", "3", "4"));
  EXPECT_THAT(Cut("gpt-2", "We'll pay 12345\n\n x"),
              ElementsAre("We", "'ll", " pay", " 12345", "\n\n", " x"));
  EXPECT_THAT(Cut("gpt-2", "WE'LL"), ElementsAre("WE", "'", "LL"));  // case matters there
  EXPECT_THAT(Cut("llama-bpe", "a\xc2\xa0\xe3\x80\x80 b"),           // no-break and wide spaces
              ElementsAre("a", "\xc2\xa0\xe3\x80\x80", " b"));
  EXPECT_THROW(FindPreTokenizer("smaug", "test"), Error);
}

TokenizerSpec Bytes256() {
  return SynthVocabulary(2048);
}

TEST(ByteBpe, AnyBytesComeBack) {
  const Tokenizer tokenizer(Bytes256());
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    std::string text(random() % 200, '\0');
    for (char& c : text) c = static_cast<char>(random() % (round % 2 == 0 ? 256 : 90));
    EXPECT_EQ(tokenizer.Decode(tokenizer.Encode(text, {.add_special = false})), text);
  }
}

TEST(ByteBpe, AllPathsGiveTheSameIdsTwice) {
  // The second time the words come from the cache.
  const Tokenizer tokenizer(Bytes256());
  const std::string text = "the cat the cat sat on the mat, the hat";
  const auto first = tokenizer.Encode(text);
  EXPECT_EQ(tokenizer.Encode(text), first);
}

TEST(ByteBpe, ManyThreadsAtOnce) {
  const Tokenizer tokenizer(Bytes256());
  const std::string text = "several threads may encode with one tokenizer at once 12345 ...";
  const auto expected = tokenizer.Encode(text);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) ASSERT_EQ(tokenizer.Encode(text), expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ByteBpe, HostileInputsStayQuick) {
  // Each takes well under a second; a quadratic step would take minutes and meet the time limit.
  const Tokenizer tokenizer(Bytes256());
  const size_t million = 1000000;
  for (const std::string& text :
       {std::string(million, 'a'), std::string(million, ' '), std::string(million, '\n'),
        std::string(million, '<'), std::string(million, '\xf0'), std::string(million, '\''),
        std::string(million, ' ') + "x"}) {
    EXPECT_TRUE(tokenizer.Decode(tokenizer.Encode(text, {.add_special = false})) == text)
        << "a million of " << ::testing::PrintToString(text[0]);
  }
  // Whole and broken special tokens.
  const std::string unit = "<|eot_id|><|eot_id|<| \n\t \n";
  std::string mixed;
  while (mixed.size() < million) mixed += unit;
  // Control tokens are not printed: everything else comes back.
  const auto ids = tokenizer.Encode(mixed, {.add_special = false, .parse_special = true});
  EXPECT_TRUE(tokenizer.Decode(ids, /*with_special=*/true) == mixed);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), tokenizer.spec().eot),
            static_cast<ptrdiff_t>(mixed.size() / unit.size()));
}

TokenizerSpec SmallPieces(std::vector<std::pair<std::string, float>> pieces) {
  TokenizerSpec spec;
  spec.kind = TokenizerKind::kSentencePiece;
  spec.tokens = {"<unk>", "<s>", "</s>"};
  spec.kinds = {TokenKind::kUnknown, TokenKind::kControl, TokenKind::kControl};
  spec.scores = {0, 0, 0};
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof(text), "<0x%02X>", static_cast<unsigned>(byte));
    spec.tokens.emplace_back(text);
    spec.kinds.push_back(TokenKind::kByte);
    spec.scores.push_back(0);
  }
  for (auto& [text, score] : pieces) {
    spec.tokens.push_back(text);
    spec.kinds.push_back(TokenKind::kNormal);
    spec.scores.push_back(score);
  }
  spec.bos = 1;
  spec.eos = 2;
  spec.unknown = 0;
  spec.add_bos = true;
  return spec;
}
constexpr int32_t kFirstPiece = 259;

TEST(SentencePiece, BestScoreFirstAndBytesForTheRest) {
  const Tokenizer tokenizer(SmallPieces({{"\xe2\x96\x81", -3},
                                         {"a", -4},
                                         {"b", -5},
                                         {"ab", -2},
                                         {"ba", -1},
                                         {"\xe2\x96\x81"
                                          "a",
                                          -6}}));
  // _ a b a: "ba" is better than "ab" and "_a".
  EXPECT_THAT(tokenizer.Encode("aba"), ElementsAre(1, kFirstPiece + 5, kFirstPiece + 4));
  EXPECT_EQ(tokenizer.Decode(tokenizer.Encode("aba")), "aba");
  // The euro sign is no piece: its three bytes.
  EXPECT_THAT(tokenizer.Encode("\xe2\x82\xac", {.add_special = false}),
              ElementsAre(kFirstPiece, 3 + 0xe2, 3 + 0x82, 3 + 0xac));
  EXPECT_EQ(tokenizer.Decode(tokenizer.Encode("\xe2\x82\xac a")), "\xe2\x82\xac a");
}

TEST(SentencePiece, CuttingAtSpacesChangesNothing) {
  // The second vocabulary has one more piece with a space inside: it must not be cut at spaces.
  std::vector<std::pair<std::string, float>> pieces;
  const std::string mark = "\xe2\x96\x81";
  for (const char* text : {"a", "b", "c", "ab", "bc", "ca"}) {
    pieces.emplace_back(text, -static_cast<float>(pieces.size()) - 1);
    pieces.emplace_back(mark + text, -static_cast<float>(pieces.size()) - 1);
  }
  pieces.emplace_back(mark, -20);
  pieces.emplace_back(mark + mark, -21);
  const Tokenizer cut(SmallPieces(pieces));
  pieces.emplace_back("q" + mark, -50);  // "q" is no piece itself
  const Tokenizer whole(SmallPieces(pieces));
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::string text(random() % 60, ' ');
    for (char& c : text) c = "abc  "[random() % 5];
    EXPECT_EQ(cut.Encode(text), whole.Encode(text)) << text;
  }
  // And the piece with the space inside is found through characters that are no pieces.
  EXPECT_THAT(whole.Encode("q q", {.add_special = false}),
              ::testing::Contains(static_cast<int32_t>(kFirstPiece + pieces.size() - 1)));
}

TEST(SentencePiece, HostileInputsStayQuick) {
  std::vector<std::pair<std::string, float>> pieces = {{"a", -1}, {"\xe2\x96\x81", -9}};
  for (std::string text = "aa"; text.size() <= 16; text += text) {
    pieces.emplace_back(text, -1 - static_cast<float>(text.size()));
  }
  const Tokenizer tokenizer(SmallPieces(pieces));
  const std::string text(1000000, 'a');
  EXPECT_TRUE(tokenizer.Decode(tokenizer.Encode(text)) == text);
}

TEST(StreamDecoding, NeverSplitsACharacter) {
  const Tokenizer tokenizer(Bytes256());
  const std::string text = "Gr\xc3\xbc\xc3\x9f \xf0\x9f\xa6\x99 \xe2\x82\xac!";
  std::vector<int32_t> ids;
  for (const char c : text) {  // one token a byte: the worst there is
    const auto one = tokenizer.Encode(std::string(1, c), {.add_special = false});
    ids.insert(ids.end(), one.begin(), one.end());
  }
  ASSERT_EQ(ids.size(), text.size());
  StreamDecoder stream(tokenizer);
  std::string all;
  for (const int32_t id : ids) {
    const std::string part = stream.Push(id);
    EXPECT_EQ(Utf8ValidPrefix(part), part.size());
    all += part;
  }
  EXPECT_EQ(all + stream.Finish(), text);
}

TEST(StreamDecoding, BrokenBytesBecomeReplacements) {
  const Tokenizer tokenizer(Bytes256());
  const auto id = [&](char c) {
    return tokenizer.Encode(std::string(1, c), {.add_special = false})[0];
  };
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(stream.Push(id('\xe2')), "");
  EXPECT_EQ(stream.Push(id('x')), "\xef\xbf\xbdx");  // can no longer become a character
  EXPECT_EQ(stream.Push(id('\xf0')), "");
  EXPECT_EQ(stream.Finish(), "\xef\xbf\xbd");
}

TEST(Utf8, LengthsAndFaults) {
  EXPECT_EQ(Utf8Length("a"), 1u);
  EXPECT_EQ(Utf8Length("\xc3\xbc"), 2u);
  EXPECT_EQ(Utf8Length("\xf0\x9f\xa6\x99"), 4u);
  for (const char* bad : {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xc3", "\xe2\x82"}) {
    EXPECT_EQ(Utf8Length(bad), 0u) << ::testing::PrintToString(bad);
  }
  EXPECT_TRUE(Utf8IsIncomplete("\xe2\x82"));
  EXPECT_TRUE(Utf8IsIncomplete("\xf0\x9f\xa6"));
  EXPECT_FALSE(Utf8IsIncomplete("\xe0\x80"));
  EXPECT_FALSE(Utf8IsIncomplete("\x80"));
}

TEST(ByteAlphabetTest, IsGpt2s) {
  const ByteAlphabet& alphabet = ByteAlphabet::Get();
  EXPECT_EQ(alphabet.ToText(" a\n"),
            "\xc4\xa0"
            "a\xc4\x8a");  // the well-known G with dot, and C with dot
  std::string all(256, '\0');
  for (int i = 0; i < 256; ++i) all[static_cast<size_t>(i)] = static_cast<char>(i);
  std::string back;
  ASSERT_TRUE(alphabet.ToBytes(alphabet.ToText(all), &back));
  EXPECT_EQ(back, all);
  EXPECT_FALSE(alphabet.ToBytes(" ", &back));  // a bare space is not of the alphabet
}

TEST(TokenizerErrors, AreSentences) {
  TokenizerSpec spec = Bytes256();
  spec.merges.emplace_back("nothing", "known");
  try {
    const Tokenizer tokenizer(std::move(spec));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("joins \"nothing\" and \"known\""));
  }
  const Tokenizer tokenizer(Bytes256());
  const int32_t outside[] = {tokenizer.size()};
  EXPECT_THROW(tokenizer.Decode(outside), Error);
  const int32_t negative[] = {-1};
  EXPECT_THROW(tokenizer.Decode(negative), Error);
}

}  // namespace
}  // namespace trit

// run, chat, bench, perplexity and logits as a person runs them, on a tiny random model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

struct Result {
  int code;
  std::string out, err;
};

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class Cli : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = fs::temp_directory_path() / ("trit_cli_test_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    model_ = folder_ / "tiny.gguf";
    ASSERT_EQ(Trit("synth --preset tiny -o " + model_).code, 0);
  }
  static void TearDownTestSuite() { fs::remove_all(folder_); }

  static Result Trit(const std::string& arguments, const std::string& input = "") {
    const fs::path in = folder_ / "in", out = folder_ / "out", err = folder_ / "err";
    std::ofstream(in) << input;
    const std::string line = std::string(TRIT_PROGRAM) + " " + arguments + " <'" + in.string() +
                             "' >'" + out.string() + "' 2>'" + err.string() + "'";
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), ReadAll(out),
            ReadAll(err)};
  }
  static std::string Model() { return " -m " + model_ + " "; }
  static std::vector<float> Logits(const std::string& more) {
    const std::string file = folder_ / "logits.f32";
    const Result r =
        Trit("logits" + Model() + "--tokens 1,2,3,4,5,6,7,8,9 -o " + file + " " + more);
    EXPECT_EQ(r.code, 0) << r.err;
    const std::string bytes = ReadAll(file);
    std::vector<float> values(bytes.size() / 4);
    std::memcpy(values.data(), bytes.data(), values.size() * 4);
    return values;
  }

  static inline fs::path folder_;
  static inline std::string model_;
};

TEST_F(Cli, IdsInIdsOut) {
  const Result r = Trit("run" + Model() + "--tokens 1,2,3 -n 12 --temp 0 --ids --ignore-eos");
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(std::count(r.out.begin(), r.out.end(), ','), 11) << r.out;
  EXPECT_THAT(r.err, HasSubstr("FFN activation: relu2"));
  for (const char* other : {"--threads 1", "--batch 1", "--no-cache", "--isa avx2"}) {
    const Result again =
        Trit("run" + Model() + "--tokens 1,2,3 -n 12 --temp 0 --ids --ignore-eos " + other);
    if (again.code != 0 && std::strstr(other, "isa")) continue;  // this CPU has no AVX2
    EXPECT_EQ(again.out, r.out) << other << again.err;
  }
}

TEST_F(Cli, SeedsRepeatAndStopStringsEnd) {
  const std::string common =
      "run" + Model() + "-p Hello --no-echo -n 24 --temp 1.5 -q --ignore-eos ";
  const Result a = Trit(common + "--seed 7"), b = Trit(common + "--seed 7");
  EXPECT_EQ(a.code, 0) << a.err;
  EXPECT_EQ(a.out, b.out);
  EXPECT_EQ(a.err, "");
  // The first two visible bytes of the answer as a stop string: what stands before them is left.
  std::string stop;
  for (const char c : a.out.substr(0, a.out.size() - 1)) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      stop += c;
    else
      stop.clear();
    if (stop.size() == 2) break;
  }
  if (stop.size() == 2) {
    const Result cut = Trit(common + "--seed 7 --stop " + stop);
    EXPECT_EQ(cut.out, a.out.substr(0, a.out.find(stop)) + "\n");
  }
  EXPECT_NE(Trit(common + "--seed 8").out, "");
}

TEST_F(Cli, LogitsAreTheSameBitsHoweverTheyAreComputed) {
  const auto wanted = Logits("--threads 1 --no-cache");
  ASSERT_EQ(wanted.size() % 9, 0u);
  for (const float v : wanted) ASSERT_TRUE(std::isfinite(v));
  EXPECT_EQ(Logits("--threads 2"), wanted);
  EXPECT_EQ(Logits("--threads 2"), wanted);  // from the packed cache
  EXPECT_EQ(Logits("--batch 2"), wanted);
  EXPECT_NE(Logits("--kv int8"), wanted);
}

TEST_F(Cli, PerplexityAndItsDivergenceFromItself) {
  std::ofstream text(folder_ / "text.txt");
  for (int i = 0; i < 300; ++i) text << "The number " << i * 37 % 101 << " is followed by words. ";
  text.close();
  const std::string base = folder_ / "base.kl", file = folder_ / "text.txt";
  const std::string common = "perplexity" + Model() + "-q --chunk 64 --chunks 3 -f " + file;
  const Result save = Trit(common + " --kl-base " + base);
  EXPECT_EQ(save.code, 0) << save.err;
  EXPECT_THAT(save.out, StartsWith("Final estimate: PPL = "));
  const Result same = Trit(common + " --kl " + base);
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_THAT(same.out,
              HasSubstr("KL divergence: mean 0.000000, max 0.000000; same top token 100"));
  const Result other = Trit(common + " --kv int8 --kl " + base);
  EXPECT_THAT(other.out, HasSubstr("KL divergence: mean 0.0"));
  const Result cut =
      Trit("perplexity" + Model() + "-q --chunk 32 --chunks 3 -f " + file + " --kl " + base);
  EXPECT_EQ(cut.code, 1);
  EXPECT_THAT(cut.err, HasSubstr("another text, chunk size or vocabulary"));
}

TEST_F(Cli, BenchSpeaksLlamaBench) {
  const Result r = Trit("bench" + Model() + "-q -p 16 -n 4 -t 1,2 -r 2 --no-roofs -o json");
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_THAT(r.out, StartsWith("["));
  for (const char* field :
       {"\"model_filename\"", "\"n_prompt\"", "\"n_gen\"", "\"n_depth\"", "\"avg_ts\"",
        "\"stddev_ts\"", "\"samples_ns\"", "\"bytes_per_token\"", "\"read_roof_fraction\"",
        "\"mac_roof_fraction\"", "\"peak_rss_bytes\"", "\"joules_per_token\""}) {
    EXPECT_THAT(r.out, HasSubstr(field));
  }
  EXPECT_THAT(Trit("bench" + Model() + "-q -p 8 -n 2 -t 1 -r 1 --no-roofs -d 16").out,
              HasSubstr("pp8 @ d16"));
}

TEST_F(Cli, ChatAnswersAndKnowsItsCommands) {
  const Result r = Trit("chat" + Model() + "--temp 0 -n 6",
                        "Hello\n/stats\n/nonsense\n/retry\n/temp 0.5\n/clear\n/quit\nnot read\n");
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_THAT(r.err, HasSubstr("tokens"));
  EXPECT_THAT(r.err, HasSubstr("unknown command /nonsense"));
  EXPECT_EQ(std::count(r.out.begin(), r.out.end(), '\n') >= 2, true) << r.out;
}

TEST_F(Cli, TheContextsEndIsToldAndChatMakesRoom) {
  const Result r = Trit("run" + Model() + "--tokens 1,2,3 -n -1 -c 16 --temp 0 --ids --ignore-eos");
  EXPECT_EQ(r.code, 0) << r.err;
  // 13 answers fill the context; the last one needs no place in it.
  EXPECT_EQ(std::count(r.out.begin(), r.out.end(), ','), 13) << r.out;
  EXPECT_THAT(r.err, HasSubstr("the context of 16 tokens is full"));
  const Result full = Trit("run" + Model() + "--tokens 1,2,3,4,5 -n 1 -c 4 -q");
  EXPECT_EQ(full.code, 1);
  EXPECT_THAT(full.err, HasSubstr("the context of 4 tokens is full"));
  std::string input;
  for (int i = 0; i < 6; ++i) input += "tell me more\n";
  const Result chat = Trit("chat" + Model() + "--temp 0 -n 4 -c 96", input);
  EXPECT_EQ(chat.code, 0) << chat.err;
  EXPECT_THAT(chat.err, HasSubstr("the oldest exchange was dropped to fit the context"));
}

TEST_F(Cli, SessionsGoOn) {
  const std::string file = folder_ / "session";
  const Result a = Trit("run" + Model() + "--tokens 1,2,3,4 -n 6 --temp 0 --ids --ignore-eos -q");
  const std::string first = a.out.substr(0, a.out.find(','));
  EXPECT_EQ(Trit("run" + Model() +
                 "--tokens 1,2,3,4 -n 1 --temp 0 --ids --ignore-eos -q "
                 "--save-session " +
                 file)
                .out,
            first + "\n");
  const Result b = Trit("run" + Model() + "--tokens " + first +
                        " -n 5 --temp 0 --ids --ignore-eos -q --load-session " + file);
  EXPECT_EQ(first + "," + b.out, a.out) << b.err;
  std::ofstream(file) << "short";
  const Result bad = Trit("run" + Model() + "--tokens 1 -n 1 -q --load-session " + file);
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.err, HasSubstr("is not a session file"));
}

TEST_F(Cli, FaultsAreSentences) {
  const auto fails = [](const std::string& arguments, const char* part) {
    const Result r = Trit(arguments);
    EXPECT_EQ(r.code, 1) << arguments << r.err;
    EXPECT_THAT(r.err, HasSubstr(part)) << arguments;
    EXPECT_EQ(r.out, "") << arguments;
  };
  fails("run -m /no/such/file -p x", "/no/such/file");
  fails("run" + Model() + "--tokens 1,x", "not a token id");
  fails("run" + Model() + "--tokens 1,99999999", "outside the vocabulary");
  fails("run" + Model() + "-p x --kv f8", "unknown KV cache type");
  fails("run" + Model() + "-p x --isa avx1024", "avx1024");
  fails("run" + Model() + "-p x --head q9", "unknown head encoding");
  fails("run" + Model() + "-q", "nothing to continue");
  fails("logits" + Model() + "--tokens 1 -o /no/such/folder/x", "cannot write");
  EXPECT_EQ(Trit("run --no-such-option").code, 2);
  EXPECT_EQ(Trit("run --help").code, 0);
}

}  // namespace

// The program as a person runs it: exit codes, what goes to which stream, files that appear.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/formats/builders.h"

namespace trit {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Result {
  int code;
  std::string out, err;
};

class Commands : public ::testing::Test {
 protected:
  Result Trit(const std::string& arguments) {
    const std::string out = folder_ / "stdout", err = folder_ / "stderr";
    const std::string line =
        std::string(TRIT_PROGRAM) + " " + arguments + " >'" + out + "' 2>'" + err + "' </dev/null";
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), test::ReadAll(out),
            test::ReadAll(err)};
  }
  std::string Tiny() {
    const std::string path = folder_ / "tiny.gguf";
    if (!std::filesystem::exists(path)) {
      EXPECT_EQ(Trit("synth --preset tiny -o " + path).code, 0);
    }
    return path;
  }
  test::Folder folder_;
};

TEST_F(Commands, SynthConvertInspect) {
  const std::string tiny = Tiny();
  Result result = Trit("convert " + tiny + " --type tq1_0 --head q8_0 -o " + (folder_ / "b.gguf"));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("14 ternary tensors"));
  EXPECT_THAT(result.err, HasSubstr("read back and found equal"));
  result = Trit("inspect " + (folder_ / "b.gguf"));
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("architecture  bitnet-b1.58"));
  EXPECT_THAT(result.out, HasSubstr("tq1_0"));
  EXPECT_THAT(result.out, HasSubstr("24 tensors"));
  result = Trit("inspect --stats -m " + tiny);
  EXPECT_THAT(result.out, HasSubstr("dead FFN neurons: 0 of 1024"));
  result = Trit("inspect --plan --preset 100b --read-gbps 36.6 --gmacs 472");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("tokens/s at most"));
}

TEST_F(Commands, NothingIsOverwrittenUnasked) {
  const std::string tiny = Tiny();
  Result result = Trit("synth --preset tiny -o " + tiny);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("exists; --force writes over it"));
  EXPECT_EQ(Trit("synth --preset tiny --force -o " + tiny).code, 0);
  result = Trit("convert " + tiny + " -o " + tiny + " --force");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("the output is the input"));
}

TEST_F(Commands, TokenizeAndDetokenize) {
  const std::string tiny = Tiny();
  const Result ids = Trit("tokenize -m " + tiny + " -p 'the cat'");
  EXPECT_EQ(ids.code, 0);
  EXPECT_THAT(ids.out, StartsWith("496,"));
  EXPECT_THAT(ids.out, ::testing::MatchesRegex("[0-9,]+\n"));
  const std::string list = ids.out.substr(0, ids.out.size() - 1);
  EXPECT_EQ(Trit("detokenize -m " + tiny + " " + list).out, "the cat");
  EXPECT_THAT(Trit("detokenize --special -m " + tiny + " " + list).out, "<|begin_of_text|>the cat");
  folder_.Write("text", "a\nb\xff");
  const Result file = Trit("tokenize --no-special -m " + tiny + " -f " + (folder_ / "text"));
  EXPECT_EQ(file.out, "97,10,98,255\n");
  folder_.Write("ids", "97, 98\n99");
  EXPECT_EQ(Trit("detokenize -m " + tiny + " -f " + (folder_ / "ids")).out, "abc");
  EXPECT_THAT(Trit("tokenize --parse-special -m " + tiny + " -p '<|eot_id|>'").out, "496,505\n");
}

TEST_F(Commands, FaultsEndWithOneAndASentence) {
  const std::string tiny = Tiny();
  const auto fault = [&](const std::string& arguments) {
    const Result result = Trit(arguments);
    EXPECT_EQ(result.code, 1) << arguments;
    EXPECT_EQ(result.out, "") << arguments;
    return result.err;
  };
  EXPECT_THAT(fault("inspect /no/such/file"), HasSubstr("trit: no such file or folder"));
  folder_.Write("ten", "GGUF\x03");
  EXPECT_THAT(fault("inspect " + (folder_ / "ten")), HasSubstr("is not a sound GGUF file"));
  EXPECT_THAT(fault("detokenize -m " + tiny + " 1,x"), HasSubstr("no list of token ids"));
  EXPECT_THAT(fault("detokenize -m " + tiny + " 99999"),
              HasSubstr("outside the vocabulary of 512"));
  EXPECT_THAT(fault("inspect --i2s-order 32 " + tiny), HasSubstr("known are 128"));
  EXPECT_THAT(fault("synth --preset huge -o " + (folder_ / "x")), HasSubstr("known are tiny"));
  EXPECT_THAT(fault("synth --preset tiny-odd --type tq1_0 -o " + (folder_ / "x")),
              HasSubstr("needs K to be a multiple of 256"));
  EXPECT_THAT(fault("convert " + tiny + " --type q4_k -o " + (folder_ / "x")),
              HasSubstr("is not written"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(Commands, SenselessCommandLinesEndWithTwo) {
  EXPECT_EQ(Trit("tokenize -p text").code, 2);
  EXPECT_EQ(Trit("tokenize -m x").code, 2);
  EXPECT_EQ(Trit("convert x").code, 2);
  EXPECT_EQ(Trit("inspect").code, 2);
  EXPECT_EQ(Trit("synth --threads 0 -o x").code, 2);
}

TEST_F(Commands, HelpHasExamples) {
  for (const char* command : {"convert", "synth", "inspect", "tokenize", "detokenize"}) {
    const Result result = Trit(std::string(command) + " --help");
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, HasSubstr("Example")) << command;
    EXPECT_EQ(result.err, "") << command;
  }
}

TEST_F(Commands, OtherI2sOrdersAreReadOnRequestAndSaidSo) {
  const std::string tiny = Tiny();
  const Result result = Trit("inspect --tensors --i2s-order row4 " + tiny);
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("read in the order row4"));
}

}  // namespace
}  // namespace trit

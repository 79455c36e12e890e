// A generated library: files, tables against manifest, the example in plain C, determinism.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "generator/library/write.h"
#include "runtime/kernel_library.h"
#include "targets/base/error.h"
#include "targets/features.h"
#include "tests/kit/shell.h"

namespace trit {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// One a process: tests of this program may run beside each other.
const fs::path& Folder() {
  struct Own {
    Own() : path(fs::path(TRIT_BINARY_DIR) / Join("tests/generator_library.", getpid())) {}
    ~Own() {  // and its neighbours "<path>_first"
      std::error_code ignored;
      for (const auto& entry : fs::directory_iterator(path.parent_path(), ignored)) {
        if (entry.path().string().starts_with(path.string())) fs::remove_all(entry, ignored);
      }
    }
    fs::path path;
  };
  static const Own folder;
  return folder.path;
}

// Targets with default schedules, lowest rank first.
std::vector<const Target*> Shipped() {
  std::vector<const Target*> out;
  for (const Target& t : AllTargets()) {
    if (t.arch == HostArch() && HasDefaultRows(t)) out.insert(out.begin(), &t);
  }
  return out;
}

std::string ToolPath() {
  return TRIT_BINARY_DIR "/bin/tritforge";
}

std::string IsaList() {
  std::string list;
  for (const Target* t : Shipped()) {
    if (!list.empty()) list += ',';
    list += t->key;
  }
  return list;
}

// gen once for all tests of this program.
void Generate() {
  static const bool done = [] {
    fs::remove_all(Folder());
    const Ran made =
        Shell(ToolPath() + " gen --isa " + IsaList() +
              " --shapes 2560x2560,2560x6912,6912x2560 --m 1,8,128 -o " + Folder().string());
    EXPECT_EQ(made.code, 0) << made.out;
    return made.code == 0;
  }();
  ASSERT_TRUE(done);
}

TEST(Library, ExampleInPlainCIsExact) {
  ASSERT_NO_FATAL_FAILURE(Generate());
  const Target& lowest = *Shipped().front();
  if (!HostFeatures().CanRun(lowest)) GTEST_SKIP() << "this CPU lacks " << lowest.key;
  for (const char* kind : {".a", ".so"}) {
    const std::string demo = (Folder() / "demo").string();
    std::string library = Join(Folder().string(), "/lib/libtrit_kernels_", lowest.key, ".a");
    std::string flags;
    if (std::string(kind) == ".so") {
      library = Join(Folder().string(), "/lib/libtrit_kernels_", lowest.key, ".so -Wl,-rpath,",
                     Folder().string(), "/lib");
      flags = Join(" -Dtrit_library_v1_", lowest.key, "=trit_library_v1");
    }
    const Ran built =
        Shell("cc -std=c11 -Wall -Werror" + flags + " -I" + Folder().string() + "/include " +
              Folder().string() + "/example/example.c " + library + " -o " + demo);
    ASSERT_EQ(built.code, 0) << built.out;
    const Ran said = Shell(demo);
    EXPECT_EQ(said.code, 0) << said.out;
    EXPECT_THAT(said.out, testing::HasSubstr(": exact"));
  }
}

TEST(Library, TablesSayWhatTheManifestSays) {
  ASSERT_NO_FATAL_FAILURE(Generate());
  const auto manifest = nlohmann::ordered_json::parse(Slurp(Folder() / "manifest.json"));
  ASSERT_EQ(manifest.size(), Shipped().size());
  for (const auto& expected : manifest) {
    const Ran said = Shell(ToolPath() + " inspect --json " + Folder().string() +
                           "/lib/libtrit_kernels_" + expected["target"].get<std::string>() + ".so");
    ASSERT_EQ(said.code, 0) << said.out;
    EXPECT_EQ(nlohmann::ordered_json::parse(said.out), expected);
    EXPECT_GE(expected["choices"].size(), 9u);
    EXPECT_EQ(expected["choices"][0]["n"], 2560);
  }
}

TEST(Library, TheRuntimeAcceptsEveryLibrary) {
  ASSERT_NO_FATAL_FAILURE(Generate());
  for (const Target* t : Shipped()) {
    const auto library =
        KernelLibrary::FromFile(Join(Folder().string(), "/lib/libtrit_kernels_", t->key, ".so"));
    EXPECT_STREQ(library->target().key, t->key);
    EXPECT_EQ(library->runnable(),
              HostFeatures().CanRun(*t) && library->missing_features().empty());
  }
}

TEST(Library, CMakePackageIsFound) {
  ASSERT_NO_FATAL_FAILURE(Generate());
  const fs::path project = Folder() / "project";
  fs::create_directories(project);
  std::ofstream(project / "CMakeLists.txt")
      << "cmake_minimum_required(VERSION 3.16)\nproject(p C)\n"
         "find_package(TritKernels REQUIRED)\nadd_executable(p ../example/example.c)\n"
         "target_link_libraries(p PRIVATE TritKernels::"
      << Shipped().front()->key << ")\n";
  // Ninja, because make may be absent.
  const Ran built = Shell("cd " + project.string() + " && cmake -G Ninja -B build " +
                          "-DCMAKE_PREFIX_PATH=" + Folder().string() + " . && cmake --build build");
  EXPECT_EQ(built.code, 0) << built.out;
}

TEST(Library, EqualInputEqualBytes) {
  // Without the cache, in two processes and twice in this one.
  const Target& target = *Shipped().back();
  setenv("TRITFORGE_CACHE", "off", 1);
  std::vector<std::string> manifests;
  for (const char* name : {"first", "second"}) {
    const std::string folder = Folder().string() + "_" + name;
    fs::remove_all(folder);
    const Ran made = Shell(Join(ToolPath(), " gen --isa ", target.key, " -o ", folder));
    ASSERT_EQ(made.code, 0) << made.out;
  }
  int compared = 0;
  const fs::path first = Folder().string() + "_first", second = Folder().string() + "_second";
  for (const auto& entry : fs::recursive_directory_iterator(first)) {
    if (!entry.is_regular_file()) continue;
    const fs::path other = second / fs::relative(entry.path(), first);
    EXPECT_EQ(Slurp(entry.path()), Slurp(other)) << entry.path();
    ++compared;
  }
  EXPECT_GT(compared, 8);
  const LibraryPlan plan = PlanLibrary(target, DefaultRows(target));
  EXPECT_EQ(Archive(BuildLibrary(plan).objects), Archive(BuildLibrary(plan).objects));
  EXPECT_EQ(Archive(BuildLibrary(plan).objects),
            Slurp(first / "lib" / Join("libtrit_kernels_", target.key, ".a")));
}

TEST(Library, RefusesGapsAndStrangers) {
  const Target& target = *Shipped().back();
  std::vector<TunedRow> rows = DefaultRows(target);
  const auto refusal = [&](std::vector<TunedRow> changed) -> std::string {
    try {
      PlanLibrary(target, changed);
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal(rows), "accepted");
  EXPECT_THAT(refusal({}), testing::HasSubstr("no schedules"));
  std::vector<TunedRow> gap = {rows[0]};
  gap[0].n = gap[0].k = 0;
  gap[0].m_min = 1;
  gap[0].m_max = 4;
  EXPECT_THAT(refusal(gap), testing::HasSubstr("without a kernel for any shape at m = 5"));
  gap[0].m_max = INT32_MAX;
  EXPECT_EQ(refusal(gap), "accepted");
  gap[0].threads = 2;
  EXPECT_THAT(refusal(gap), testing::HasSubstr("at m = 1"));
  const Target* other = nullptr;
  for (const Target& t : AllTargets()) {
    if (t.key != std::string_view(target.key) && HasDefaultRows(t)) other = &t;
  }
  if (other) {
    EXPECT_THAT(refusal(DefaultRows(*other)), testing::HasSubstr("is no kernel for"));
  }
}

TEST(Library, ToolsFailWithASentence) {
  const auto refused = [](const std::string& command, const std::string& why) {
    const Ran ran = Shell(command);
    EXPECT_NE(ran.code, 0) << command;
    EXPECT_THAT(ran.out, testing::HasSubstr(why));
  };
  const std::string elsewhere = " -o " + Folder().string() + "_none";
  refused(ToolPath() + " inspect /nonexistent.so", "/nonexistent.so");
  refused(ToolPath() + " gen --isa z80" + elsewhere, "known targets");
  refused("CC=/no/such/cc " + ToolPath() + " gen --isa " + Shipped().back()->key + elsewhere,
          "/no/such/cc");
}

}  // namespace
}  // namespace trit

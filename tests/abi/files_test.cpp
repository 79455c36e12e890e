// Files that are no kernel library, or not a whole one: refused with a sentence, never a crash.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "runtime/kernel_library.h"
#include "targets/base/error.h"
#include "targets/target.h"

namespace trit {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const fs::path kFolder = TRIT_BINARY_DIR "/tests/abi";

std::string Refusal(const fs::path& path) {
  try {
    KernelLibrary::FromFile(path);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream in(kFolder / "example_kernels.so", std::ios::binary);
    whole_.assign(std::istreambuf_iterator<char>(in), {});
    ASSERT_GT(whole_.size(), 4000u);
    std::string pattern = testing::TempDir() + "/abi_files_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A new name each time: dlopen knows files it has seen by inode.
  fs::path Write(const std::string& bytes) {
    const fs::path path = folder_ / ("l" + std::to_string(count_++) + ".so");
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  std::string whole_;
  fs::path folder_;
  int count_ = 0;
};

TEST_F(Files, TheWholeFileIsTaken) {
  EXPECT_EQ(Refusal(Write(whole_)), "accepted");
}

TEST_F(Files, TruncatedAtAnyLength) {
  for (size_t size = 0; size < whole_.size(); size += size < 1024 ? 61 : 509) {
    const fs::path path = Write(whole_.substr(0, size));
    EXPECT_THAT(Refusal(path), AllOf(HasSubstr(path.string()), HasSubstr("truncated"))) << size;
    fs::remove(path);
  }
  EXPECT_THAT(Refusal(Write(whole_.substr(0, whole_.size() - 1))), HasSubstr("truncated"));
}

TEST_F(Files, NotAFileNotThereNotElf) {
  EXPECT_THAT(Refusal(folder_ / "absent.so"), HasSubstr("cannot open: No such file"));
  EXPECT_THAT(Refusal(folder_), HasSubstr("is no regular file"));
  EXPECT_THAT(Refusal("/dev/zero"), HasSubstr("is no regular file"));
  EXPECT_THAT(Refusal(Write(std::string(5000, 'x'))), HasSubstr("is no ELF file"));
}

TEST_F(Files, OtherKindsOfElf) {
  const auto with = [this](size_t offset, uint16_t value) {
    std::string bytes = whole_;
    std::memcpy(bytes.data() + offset, &value, sizeof(value));
    return Refusal(Write(bytes));
  };
  const uint16_t other = HostArch() == "x86-64" ? EM_AARCH64 : EM_X86_64;
  EXPECT_THAT(with(offsetof(Elf64_Ehdr, e_machine), other),
              AllOf(HasSubstr("is made for"), HasSubstr(std::string(HostArch()))));
  EXPECT_THAT(with(offsetof(Elf64_Ehdr, e_machine), 9999), HasSubstr("ELF machine 9999"));
  EXPECT_THAT(with(offsetof(Elf64_Ehdr, e_type), ET_REL), HasSubstr("no shared object"));
  EXPECT_THAT(with(EI_CLASS, ELFCLASS32 | ELFDATA2LSB << 8), HasSubstr("no 64-bit"));
  EXPECT_THAT(with(offsetof(Elf64_Ehdr, e_phnum), 0), HasSubstr("impossible"));
  EXPECT_THAT(Refusal("/proc/self/exe"), HasSubstr("no shared object"));
}

// Every single bit of the ELF header and the program headers: whatever happens, no crash. Each try
// is a process of its own, so that a crash is seen and not suffered.
TEST_F(Files, FlippedHeaderBitsNeverCrash) {
  const size_t headers = sizeof(Elf64_Ehdr) + 8 * sizeof(Elf64_Phdr);
#ifdef TRIT_FULL
  const size_t step = 1;
#else
  const size_t step = 7;
#endif
  int crashes = 0;
  for (size_t bit = 0; bit < headers * 8; bit += step) {
    std::string bytes = whole_;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const fs::path path = Write(bytes);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20);
      Refusal(path);
      _exit(7);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) {
      ++crashes;
      ADD_FAILURE() << "bit " << bit << " of byte " << bit / 8 << ": wait status " << status;
    }
    fs::remove(path);
  }
  EXPECT_EQ(crashes, 0);
}

TEST_F(Files, StrangeLibraries) {
  const auto refusal = [](int kind) {
    return Refusal(kFolder / ("strange_" + std::to_string(kind) + ".so"));
  };
  EXPECT_THAT(refusal(1), HasSubstr("exports no symbol trit_library_v1"));
  EXPECT_THAT(refusal(2), HasSubstr("is no function"));
  EXPECT_THAT(refusal(3), HasSubstr("null table"));
  EXPECT_THAT(refusal(4), HasSubstr("the library table lies outside the library"));
  EXPECT_THAT(refusal(5), HasSubstr("the library table lies outside the library"));
  EXPECT_THAT(refusal(7), HasSubstr("its architecture lies outside the library"));
#if defined(__x86_64__)
  EXPECT_THAT(refusal(6), HasSubstr("does not list the CPU feature"));
#endif
}

}  // namespace
}  // namespace trit

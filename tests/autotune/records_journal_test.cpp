#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "autotune/records/database.h"
#include "autotune/records/exchange.h"
#include "autotune/stats/random.h"
#include "runtime/records/line.h"
#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"

namespace trit {
namespace {

constexpr const char* kSignature = "0123456789abcdef";

#ifdef TRIT_FULL_TESTS
constexpr int kKills = 100, kFullDisks = 20;
#else
constexpr int kKills = 25, kFullDisks = 5;
#endif

void AppendRaw(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::app | std::ios::binary) << bytes;
}

// A child that appends until it is killed or fails, and says over the pipe after each append which
// record is safe. Returns its pid; `acknowledge` is the read end.
pid_t StartWriter(const std::string& path, int first, int* acknowledge,
                  rlim_t file_limit = RLIM_INFINITY) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    if (file_limit != RLIM_INFINITY) {
      signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{file_limit, file_limit};
      setrlimit(RLIMIT_FSIZE, &limit);
    }
    int exit_code = 0;
    try {
      Database database(path, kSignature);
      for (int i = first; i < first + 100000; ++i) {
        database.Append(SampleRecord("mad2 avx2 mt=" + std::to_string(i), 1000, i));
        if (write(ends[1], &i, sizeof(i)) != sizeof(i)) break;
      }
    } catch (const Error&) {
      exit_code = 3;
    }
    _exit(exit_code);
  }
  close(ends[1]);
  *acknowledge = ends[0];
  return child;
}

std::set<int64_t> Acknowledged(int fd) {
  std::set<int64_t> out;
  for (int i; read(fd, &i, sizeof(i)) == sizeof(i);) out.insert(i);
  close(fd);
  return out;
}

std::set<int64_t> Sequences(const Database& database) {
  std::set<int64_t> out;
  for (const Record& r : database.records()) out.insert(r.sequence);
  return out;
}

TEST(JournalTest, ReopensWhatWasAppended) {
  const ScratchFolder folder("journal");
  const std::string path = folder.File("deep/er/records.jsonl");
  {
    Database database(path, kSignature);
    EXPECT_TRUE(database.records().empty());
    for (int i = 1; i <= 5; ++i) database.Append(SampleRecord("mad2 avx2 mt=1", 1000 + i, i));
    database.Sync();
  }
  const Database again(path, kSignature);
  EXPECT_EQ(again.records().size(), 5u);
  EXPECT_FALSE(again.faults().torn_tail);
  EXPECT_TRUE(Journal(folder.File("absent"), false).Read().lines.empty());
}

TEST(JournalTest, RecoversFromATornLastLine) {
  const ScratchFolder folder("torn");
  const std::string whole = SealLine(RecordToJson(SampleRecord("mad2 avx2 mt=9", 900, 9)));
  for (size_t cut : {size_t{1}, size_t{40}, whole.size() - 1}) {
    const std::string path = folder.File(std::to_string(cut));
    Database(path, kSignature).Append(SampleRecord());
    AppendRaw(path, whole.substr(0, cut));
    Database database(path, kSignature);
    EXPECT_EQ(database.records().size(), 1u);
    EXPECT_TRUE(database.faults().torn_tail);
    database.Append(SampleRecord("mad2 avx2 mt=2", 1000, 2));
    const Database again(path, kSignature);
    EXPECT_EQ(again.records().size(), 2u);
    EXPECT_FALSE(again.faults().torn_tail);
    EXPECT_TRUE(again.faults().damaged.empty());
  }
}

TEST(JournalTest, CompletesALastLineThatOnlyLacksItsBreak) {
  const ScratchFolder folder("nobreak");
  const std::string path = folder.File("r");
  Database(path, kSignature).Append(SampleRecord());
  AppendRaw(path, SealLine(RecordToJson(SampleRecord("mad2 avx2 mt=9", 900, 9))));
  Database database(path, kSignature);
  EXPECT_EQ(database.records().size(), 2u);
  database.Append(SampleRecord("mad2 avx2 mt=2", 1000, 2));
  EXPECT_EQ(Database(path, kSignature).records().size(), 3u);
}

TEST(JournalTest, DamageInTheMiddleCostsOneLineAndIsNamed) {
  const ScratchFolder folder("rot");
  const std::string path = folder.File("r");
  {
    Database database(path, kSignature);
    for (int i = 1; i <= 3; ++i) database.Append(SampleRecord("mad2 avx2 mt=1", 1000, i));
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  std::string first;
  std::getline(file, first);
  file.seekp(static_cast<std::streamoff>(first.size()) + 200);
  file.put('\x01');
  file.close();
  Database database(path, kSignature);
  EXPECT_EQ(Sequences(database), (std::set<int64_t>{1, 3}));
  ASSERT_EQ(database.faults().damaged.size(), 1u);
  EXPECT_EQ(database.faults().damaged[0].line, 2);
  const PruneResult pruned = PruneRecords(&database, [](const Record&) { return false; });
  EXPECT_EQ(pruned.dropped, 1);
  EXPECT_TRUE(Database(path, kSignature).faults().damaged.empty());
}

TEST(JournalTest, RecordsOfAnotherSignatureAreKeptButNotUsed) {
  const ScratchFolder folder("foreign");
  const std::string path = folder.File("r");
  Database(path, "ffffffffffffffff").Append(SampleRecord());
  Database database(path, kSignature);
  EXPECT_TRUE(database.records().empty());
  EXPECT_EQ(database.total_records(), 1);
  EXPECT_EQ(database.faults().other_signature, 1);
  EXPECT_NE(RegistrySignature({"a", "b"}), RegistrySignature({"a", "c"}));
  EXPECT_EQ(RegistrySignature({"a", "b"}), RegistrySignature({"b", "a"}));
}

// What "append" said is in the file is there after kill -9 at any moment.
TEST(CrashTest, KilledWritersLoseNothingThatWasAcknowledged) {
  const ScratchFolder folder("kill");
  const std::string path = folder.File("r");
  Random random(2024);
  std::set<int64_t> safe;
  for (int round = 0; round < kKills; ++round) {
    int acknowledge;
    const pid_t child = StartWriter(path, 1 + round * 100000, &acknowledge);
    usleep(static_cast<useconds_t>(500 + random.Below(15000)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    safe.merge(Acknowledged(acknowledge));
    const Database database(path, kSignature);
    EXPECT_TRUE(database.faults().damaged.empty());
    const std::set<int64_t> present = Sequences(database);
    for (int64_t s : safe) ASSERT_TRUE(present.contains(s)) << "lost " << s << " round " << round;
    EXPECT_LE(present.size(), safe.size() + static_cast<size_t>(round) + 1);
  }
  EXPECT_GT(safe.size(), static_cast<size_t>(kKills));
}

TEST(CrashTest, SeveralProcessesAppendAtOnce) {
  const ScratchFolder folder("many");
  const std::string path = folder.File("r");
  std::vector<pid_t> children;
  constexpr int kEach = 60;
  for (int c = 0; c < 4; ++c) {
    children.push_back(fork());
    if (children.back() == 0) {
      try {
        Database database(path, kSignature);
        for (int i = 0; i < kEach; ++i) {
          database.Append(SampleRecord("mad2 avx2 mt=1", 1000, c * 1000 + i + 1));
          if (c == 3 && i % 20 == 10) {  // one of them rewrites the file now and then
            PruneRecords(&database, [](const Record&) { return false; });
          }
        }
      } catch (const Error&) {
        _exit(1);
      }
      _exit(0);
    }
  }
  for (pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const Database database(path, kSignature);
  EXPECT_EQ(Sequences(database).size(), 4u * kEach);
  EXPECT_TRUE(database.faults().damaged.empty());
}

// RLIMIT_FSIZE stands in for a disk that fills up at any byte.
TEST(FullDiskTest, AnAppendThatDoesNotFitLeavesTheFileAsItWas) {
  const ScratchFolder folder("full");
  const size_t line = SealLine(RecordToJson(SampleRecord("mad2 avx2 mt=1"))).size() + 1;
  Random random(5);
  for (int round = 0; round < kFullDisks; ++round) {
    const std::string path = folder.File("r" + std::to_string(round));
    int acknowledge;
    const pid_t child = StartWriter(path, 1, &acknowledge, line * 3 + random.Below(line));
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 3);
    const std::set<int64_t> safe = Acknowledged(acknowledge);
    EXPECT_GE(safe.size(), 2u);
    Database database(path, kSignature);
    EXPECT_FALSE(database.faults().torn_tail);
    EXPECT_EQ(Sequences(database), safe);
    database.Append(SampleRecord("mad2 avx2 mt=2", 1, 999));  // space is there again
    EXPECT_EQ(Database(path, kSignature).records().size(), safe.size() + 1);
  }
}

TEST(FullDiskTest, ASmallTmpfsFillsUpAndNothingIsLost) {
  const ScratchFolder folder("tmpfs");
  const std::string mount_point = folder.File("");
  if (mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "mounting a tmpfs needs privileges";
  }
  for (int round = 0; round < kFullDisks; ++round) {
    const std::string path = folder.File("r" + std::to_string(round));
    std::set<int64_t> safe;
    try {
      Database database(path, kSignature);
      for (int i = 1; i < 1000; ++i) {
        database.Append(SampleRecord("mad2 avx2 mt=1", 1000, i));
        safe.insert(i);
      }
      ADD_FAILURE() << "64 KB never filled up";
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr("nothing recorded earlier is lost"));
    }
    Database database(path, kSignature);
    EXPECT_EQ(Sequences(database), safe);
    EXPECT_THROW(PruneRecords(&database, [](const Record& r) { return r.sequence == 1; }), Error);
    EXPECT_EQ(Sequences(Database(path, kSignature)), safe);
    std::filesystem::remove(path);
  }
  umount(mount_point.c_str());
}

TEST(JournalTest, FaultsOfTheFileSystemNameTheFile) {
  const ScratchFolder folder("faults");
  AppendRaw(folder.File("file"), "x");
  EXPECT_THAT([&] { Database(folder.File("file/below"), kSignature); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("file")));
  EXPECT_THAT([&] { ReadWholeFile(folder.File("absent")); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("absent")));
  Database reader(folder.File("none"), kSignature, false);
  EXPECT_THROW(reader.Append(SampleRecord()), Error);
}

}  // namespace
}  // namespace trit

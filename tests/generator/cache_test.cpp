// The object cache: hits are the same bytes; damage and strangers are misses.
#include "generator/backend/cache.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace trit {
namespace {

TEST(Cache, KeepsAndRefuses) {
  const std::string folder = TRIT_BINARY_DIR "/tests/generator_cache";
  std::filesystem::remove_all(folder);
  const ObjectCache cache(folder);
  const std::string object("object\0bytes", 12);
  std::string got;
  EXPECT_FALSE(cache.Load("key", &got));
  cache.Store("key", object);
  ASSERT_TRUE(cache.Load("key", &got));
  EXPECT_EQ(got, object);
  EXPECT_FALSE(cache.Load("other key", &got));

  std::ifstream in(cache.PathOf("key"), std::ios::binary);
  const std::string file((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto put = [&](const std::string& bytes) {
    std::ofstream(cache.PathOf("key"), std::ios::binary | std::ios::trunc) << bytes;
  };
  for (size_t at = 0; at < file.size(); ++at) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    put(damaged);
    EXPECT_FALSE(cache.Load("key", &got)) << "byte " << at;
    put(file.substr(0, at));
    EXPECT_FALSE(cache.Load("key", &got)) << "cut at " << at;
  }
  put(file);
  EXPECT_TRUE(cache.Load("key", &got));
  // A file of another key in this key's place.
  cache.Store("two", object);
  std::filesystem::copy_file(cache.PathOf("two"), cache.PathOf("key"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(cache.Load("key", &got));
}

TEST(Cache, OffKeepsNothing) {
  const ObjectCache off("");
  off.Store("key", "object");
  std::string got;
  EXPECT_FALSE(off.Load("key", &got));
}

}  // namespace
}  // namespace trit

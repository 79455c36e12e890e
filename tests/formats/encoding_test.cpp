// Every encoding against an independent statement of where element i lies, its first bytes as
// drawn, writing and reading back, and what is refused.
#include "model/encoding/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "model/encoding/half.h"
#include "model/source/tensor_views.h"
#include "targets/base/error.h"
#include "tests/formats/builders.h"

namespace trit {

// For the names of parametrised tests.
static void PrintTo(const TernaryEncoding* encoding, std::ostream* out) {
  *out << encoding->name;
}

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

int Pow3(int n) {
  return n == 0 ? 1 : 3 * Pow3(n - 1);
}
// Trit n of a byte ceil(v * 256 / 243), most significant first.
int Ceil243(uint8_t byte, int n) {
  return ((byte * Pow3(n) & 255) * 3 >> 8) - 1;
}

// Element (r, c) of a tensor, straight from the description of the format.
int SlowTrit(const TernaryEncoding& encoding, const std::vector<uint8_t>& data, uint64_t k,
             uint64_t r, uint64_t c) {
  const std::string name = std::string(encoding.name) + encoding.order;
  const uint64_t flat = r * k + c;
  if (name == "i2_s128") {
    const uint64_t p = flat % 128;
    return (data[flat / 128 * 32 + p % 32] >> (6 - 2 * (p / 32)) & 3) - 1;
  }
  if (name == "i2_s64") {
    const uint64_t p = flat % 64;
    return (data[flat / 64 * 16 + p % 16] >> (6 - 2 * (p / 16)) & 3) - 1;
  }
  if (name == "i2_srow4") return (data[r / 4 * k + c] >> (6 - 2 * (r % 4)) & 3) - 1;
  if (name == "tq2_0") {
    const uint8_t* block = data.data() + flat / 256 * 66;
    const uint64_t e = flat % 256, inside = e % 128;
    return (block[e / 128 * 32 + inside % 32] >> (2 * (inside / 32)) & 3) - 1;
  }
  if (name == "tq1_0") {
    const uint8_t* block = data.data() + flat / 256 * 54;
    const int e = static_cast<int>(flat % 256);
    if (e < 160) return Ceil243(block[e % 32], e / 32);
    if (e < 240) return Ceil243(block[32 + (e - 160) % 16], (e - 160) / 16);
    return Ceil243(block[48 + (e - 240) % 4], (e - 240) / 4);
  }
  if (name == "iq2_bn") {
    const uint8_t* block = data.data() + r * (4 + k / 4) + 4 + c / 64 * 16;
    return (block[c % 16] >> (2 * (c % 64 / 16)) & 3) - 1;
  }
  if (name == "iq1_bn") {
    const uint8_t* block = data.data() + r * (2 + k / 64 * 13) + 2 + c / 64 * 13;
    const int e = static_cast<int>(c % 64), g = e / 16, i = e % 16;
    // The first trit is the least significant: place 4 of most-significant-first.
    if (i == 15) return Ceil243(block[12], 4 - g);
    return Ceil243(block[3 * g + i / 5], 4 - i % 5);
  }
  if (name == "q2_0") {
    const uint8_t* block = data.data() + flat / 64 * 18 + 2;
    return (block[flat % 64 / 4] >> (2 * (flat % 4)) & 3) - 1;
  }
  ADD_FAILURE() << "no description of " << name;
  return 9;
}

// Random bytes in which no two-bit code is 3 (those encodings refuse it).
std::vector<uint8_t> RandomBytes(const TernaryEncoding& encoding, uint64_t n, uint64_t k,
                                 uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> data(encoding.bytes(n, k));
  const bool base3 =
      std::string(encoding.name) == "tq1_0" || std::string(encoding.name) == "iq1_bn";
  for (uint8_t& byte : data) {
    if (base3) {
      byte = static_cast<uint8_t>(random());
    } else {
      byte = 0;
      for (int i = 0; i < 4; ++i) byte = static_cast<uint8_t>(byte << 2 | random() % 3);
    }
  }
  return data;
}

class EveryTernary : public ::testing::TestWithParam<const TernaryEncoding*> {};

TEST_P(EveryTernary, ReadsElementsWhereTheDescriptionHasThem) {
  const TernaryEncoding& encoding = *GetParam();
  // The second shape has rows that begin inside blocks; only the flat encodings take it.
  for (const auto& [n, k] :
       {std::pair<uint64_t, uint64_t>{8, 512}, {16, 200}, {1, 256}, {12, 2304}}) {
    if (encoding.bytes(n, k) == 0) continue;
    const auto data = RandomBytes(encoding, n, k, 17);
    std::vector<int8_t> all(n * k);
    ASSERT_TRUE(encoding.read(data.data(), n, k, 0, n, all.data()));
    for (uint64_t r = 0; r < n; ++r) {
      for (uint64_t c = 0; c < k; ++c) {
        ASSERT_EQ(all[r * k + c], SlowTrit(encoding, data, k, r, c)) << r << " " << c;
      }
      std::vector<int8_t> row(k);
      ASSERT_TRUE(encoding.read(data.data(), n, k, r, r + 1, row.data()));
      ASSERT_TRUE(std::equal(row.begin(), row.end(), all.begin() + static_cast<ptrdiff_t>(r * k)));
    }
  }
}

TEST(Ternary, WritesWhatItReads) {
  int written = 0;
  for (const TernaryEncoding* entry : TernaryEncodings()) {
    const TernaryEncoding& encoding = *entry;
    if (encoding.write == nullptr) continue;
    SCOPED_TRACE(encoding.name);
    ++written;
    for (const float scale : {0.0f, 1.0f, 0.03125f, 1.5f}) {
      for (const int seed : {1, 2}) {
        std::vector<int8_t> trits = test::RandomTrits(4 * 512, static_cast<uint32_t>(seed));
        if (seed == 2)
          std::fill(trits.begin(), trits.end(), static_cast<int8_t>(scale > 1 ? 1 : -1));
        const auto data = test::Encode(encoding, trits, scale);
        ASSERT_EQ(data.size(), encoding.bytes(4, 512));
        std::vector<int8_t> back(trits.size());
        ASSERT_TRUE(encoding.read(data.data(), 4, 512, 0, 4, back.data()));
        EXPECT_TRUE(back == trits);
        const TernaryScales scales = MergeScales(encoding.scales(data.data(), 4, 512), 4, 512);
        ASSERT_TRUE(scales.single());
        EXPECT_EQ(scales.values[0], scale);
      }
    }
  }
  EXPECT_EQ(written, 3);
}

TEST(Ternary, RefusesWhatIsNoTrit) {
  for (const TernaryEncoding* entry : TernaryEncodings()) {
    const TernaryEncoding& encoding = *entry;
    SCOPED_TRACE(std::string(encoding.name) + encoding.order);
    const std::string name = encoding.name;
    if (name == "tq1_0" || name == "iq1_bn") continue;  // every byte is five trits there
    const uint64_t n = 8, k = 512;
    const size_t places[] = {0, 4, 100};  // bytes of codes in every encoding (past scales of a row)
    for (const size_t place : places) {
      for (int pair = 0; pair < 4; ++pair) {
        auto data = RandomBytes(encoding, n, k, 3);
        const size_t at = name == "q2_0" && place < 2     ? 2
                          : name == "iq2_bn" && place < 4 ? 4
                                                          : place;
        data[at] = static_cast<uint8_t>(data[at] | 3 << 2 * pair);
        const auto tensor = MakeEncodedTernary("blk.0.x", encoding, {data, nullptr}, n, k, 1);
        std::vector<int8_t> out(n * k);
        const std::string fault =
            test::Fault([&] { tensor->ReadTrits(0, static_cast<int64_t>(n), out.data()); });
        EXPECT_THAT(fault, HasSubstr("blk.0.x is said to be ternary"));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, EveryTernary,
                         ::testing::ValuesIn(TernaryEncodings().begin(), TernaryEncodings().end()),
                         [](const auto& entry) {
                           return std::string(entry.param->name) + entry.param->order;
                         });

// Drawings: the first bytes of a tensor whose first elements are known.
TEST(Drawing, I2sPutsElement0InTheTopBits) {
  std::vector<int8_t> trits(128, 0);  // code 1 everywhere: 0b01010101
  trits[0] = 1;                       // code 2 in bits 7-6
  trits[33] = -1;                     // code 0 in bits 5-4 of byte 1
  trits[66] = 1;                      // code 2 in bits 3-2 of byte 2
  trits[99] = -1;                     // code 0 in bits 1-0 of byte 3
  const auto data = test::Encode(*FindTernaryEncoding("i2_s"), trits, 2.0f);
  ASSERT_EQ(data.size(), 64u);
  EXPECT_EQ(data[0], 0b10010101);
  EXPECT_EQ(data[1], 0b01000101);
  EXPECT_EQ(data[2], 0b01011001);
  EXPECT_EQ(data[3], 0b01010100);
  EXPECT_THAT(std::vector<uint8_t>(data.begin() + 32, data.begin() + 36),
              ElementsAre(0, 0, 0, 0x40));
}

TEST(Drawing, Tq2PutsElement0InTheLowBits) {
  std::vector<int8_t> trits(256, 0);
  trits[0] = 1;
  trits[33] = -1;
  trits[128 + 96] = 1;
  const auto data = test::Encode(*FindTernaryEncoding("tq2_0"), trits, 1.0f);
  EXPECT_EQ(data[0], 0b01010110);
  EXPECT_EQ(data[1], 0b01010001);
  EXPECT_EQ(data[32], 0b10010101);
  EXPECT_EQ(data[64] | data[65] << 8, 0x3c00);  // f16 1.0
}

TEST(Drawing, Tq1IsCeil243MostSignificantFirst) {
  std::vector<int8_t> trits(256, -1);
  trits[0] = 1;    // 2 * 81
  trits[160] = 1;  // byte 32, 2 * 81
  trits[240] = 1;  // byte 48: (2 * 27) * 3
  trits[128] = 1;  // byte 0, last place: + 2
  const auto data = test::Encode(*FindTernaryEncoding("tq1_0"), trits, 1.0f);
  EXPECT_EQ(data[0], (164 * 256 + 242) / 243);
  EXPECT_EQ(data[1], 0);
  EXPECT_EQ(data[32], (162 * 256 + 242) / 243);
  EXPECT_EQ(data[48], (162 * 256 + 242) / 243);
  EXPECT_EQ(data.size(), 54u);
}

TEST(Drawing, Iq1BnHasTheFirstTritLeastSignificant) {
  const TernaryEncoding& encoding = *FindTernaryEncoding("iq1_bn");
  std::vector<uint8_t> data(2 + 13, 0);  // all -1
  data[0] = 0x00;
  data[1] = 0x38;                                          // f16 0.5
  data[2] = static_cast<uint8_t>((2 * 256 + 242) / 243);   // value 2: trit 0 = +1
  data[14] = static_cast<uint8_t>((6 * 256 + 242) / 243);  // byte 12: value 6: trit 1 = +1
  std::vector<int8_t> out(64), want(64, -1);
  want[0] = 1;
  want[31] = 1;  // element 15 of sixteen 1
  ASSERT_TRUE(encoding.read(data.data(), 1, 64, 0, 1, out.data()));
  EXPECT_EQ(out, want);
  EXPECT_EQ(encoding.scales(data.data(), 1, 64).values, std::vector<float>{0.5f});
}

TEST(Drawing, I2sOrdersDiffer) {
  std::vector<uint8_t> data(32 + 32, 0b01010101);
  data[1] = 0b10010101;
  for (const auto& [order, row, column] :
       {std::tuple("128", 0, 1), std::tuple("64", 0, 1), std::tuple("row4", 0, 1)}) {
    const TernaryEncoding& encoding = *FindTernaryEncoding(36, order);
    std::vector<int8_t> out(128), want(128, 0);
    want[static_cast<size_t>(row * 32 + column)] = 1;
    ASSERT_TRUE(encoding.read(data.data(), 4, 32, 0, 4, out.data()));
    EXPECT_EQ(out, want) << order;
  }
  data[1] = 0b01100101;  // the second pair of bits
  for (const auto& [order, element] :
       {std::pair("128", 33), std::pair("64", 17), std::pair("row4", 33)}) {
    std::vector<int8_t> out(128), want(128, 0);
    want[static_cast<size_t>(element)] = 1;
    ASSERT_TRUE(FindTernaryEncoding(36, order)->read(data.data(), 4, 32, 0, 4, out.data()));
    EXPECT_EQ(out, want) << order;
  }
}

// One number of a dense block, from the description.
float SlowDense(const std::string& name, const uint8_t* data, int e) {
  const auto half = [](const uint8_t* at) {
    return F16ToF32(static_cast<uint16_t>(at[0] | at[1] << 8));
  };
  if (name == "q8_0") return half(data) * static_cast<float>(static_cast<int8_t>(data[2 + e]));
  if (name == "q4_0") {
    const int nibble = e < 16 ? data[2 + e] & 15 : data[2 + e - 16] >> 4;
    return half(data) * static_cast<float>(nibble - 8);
  }
  if (name == "q6_k") {
    const int h = e / 128, l = e % 32, part = e % 128 / 32;
    const uint8_t low = data[64 * h + l + (part % 2 == 1 ? 32 : 0)];
    const int four = part < 2 ? low & 15 : low >> 4;
    const int two = data[128 + 32 * h + l] >> (2 * part) & 3;
    const auto scale = static_cast<int8_t>(data[192 + e / 16]);
    return half(data + 208) * static_cast<float>(scale) *
           static_cast<float>((four | two << 4) - 32);
  }
  const int j = e / 32;  // q4_k
  const uint8_t* s = data + 4;
  const int scale = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
  const int min = j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) | (s[j] >> 6) << 4;
  const uint8_t byte = data[16 + 32 * (j / 2) + e % 32];
  const int code = j % 2 == 0 ? byte & 15 : byte >> 4;
  return half(data) * static_cast<float>(scale) * static_cast<float>(code) -
         half(data + 2) * static_cast<float>(min);
}

TEST(Dense, ReadsNumbersWhereTheDescriptionHasThem) {
  std::mt19937 random(23);
  for (const char* name : {"q8_0", "q4_0", "q6_k", "q4_k"}) {
    const DenseEncoding& encoding = *FindDenseEncoding(name);
    std::vector<uint8_t> data(3 * encoding.block_bytes);
    for (uint8_t& byte : data) byte = static_cast<uint8_t>(random());
    // The scales: any bits would include infinities; keep the exponents moderate.
    for (uint32_t b = 0; b < 3; ++b) {
      uint8_t* block = data.data() + b * encoding.block_bytes;
      const size_t high = std::string(name) == "q6_k" ? 209 : 1;
      block[high] = 0x2c;
      if (std::string(name) == "q4_k") block[3] = 0x24;
    }
    std::vector<float> values(3 * encoding.block);
    encoding.read(data.data(), values.size(), values.data());
    for (uint32_t i = 0; i < values.size(); ++i) {
      const uint8_t* block = data.data() + i / encoding.block * encoding.block_bytes;
      ASSERT_EQ(values[i], SlowDense(name, block, static_cast<int>(i % encoding.block)))
          << name << " " << i;
    }
  }
}

TEST(Dense, WritingStaysInsideTheStepSize) {
  std::mt19937 random(29);
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<float> values(64 * 256);
  for (float& value : values) value = normal(random);
  // Relative root mean square error of normal data: a step of a run's largest value / 2^(bits-1)
  // has an error of step / sqrt(12); the bounds leave room for runs with far outliers.
  for (const auto& [name, bound] :
       {std::pair("f32", 0.0), std::pair("f16", 3e-4), std::pair("bf16", 2.5e-3),
        std::pair("q8_0", 6e-3), std::pair("q6_k", 2.2e-2), std::pair("q4_0", 0.12)}) {
    const DenseEncoding& encoding = *FindDenseEncoding(name);
    std::vector<uint8_t> data(values.size() / encoding.block * encoding.block_bytes);
    encoding.write(values.data(), values.size(), data.data());
    std::vector<float> back(values.size());
    encoding.read(data.data(), back.size(), back.data());
    double error = 0, power = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      error += std::pow(static_cast<double>(back[i]) - values[i], 2);
      power += std::pow(static_cast<double>(values[i]), 2);
    }
    EXPECT_LE(std::sqrt(error / power), bound) << name;
    std::fill(values.begin(), values.begin() + 256, 0.0f);  // a block of zeros stays zeros
    encoding.write(values.data(), values.size(), data.data());
    encoding.read(data.data(), back.size(), back.data());
    for (int i = 0; i < 256; ++i) ASSERT_EQ(back[static_cast<size_t>(i)], 0.0f) << name;
  }
}

TEST(Half, EveryValueSurvivesAndRoundingIsToEven) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = F16ToF32(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(F16ToF32(F32ToF16(value))));
      continue;
    }
    ASSERT_EQ(F32ToF16(value), half);
    // Halfway to the next number goes to the even one, a little more goes up.
    if ((bits & 0x7fff) < 0x7bff) {
      const float next = F16ToF32(static_cast<uint16_t>(half + 1));
      const float middle = value + (next - value) / 2;
      ASSERT_EQ(F32ToF16(middle), half % 2 == 0 ? half : half + 1) << bits;
      ASSERT_EQ(F32ToF16(std::nextafter(middle, next)), half + 1) << bits;
    }
  }
  EXPECT_EQ(F32ToF16(65520.0f), 0x7c00);
  EXPECT_EQ(F32ToF16(65519.0f), 0x7bff);
  EXPECT_EQ(F32ToBF16(1.0f), 0x3f80);
  EXPECT_EQ(F32ToBF16(1.00390625f), 0x3f80);  // halfway, to even
}

TEST(Merging, FindsTheCoarsestScales) {
  // Groups of 64 that are equal in pairs and over two rows.
  TernaryScales scales{1, 64, {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4}};
  TernaryScales merged = MergeScales(scales, 4, 256);
  EXPECT_EQ(merged.k_group, 128);
  EXPECT_EQ(merged.row_group, 2);
  EXPECT_EQ(merged.values, (std::vector<float>{1, 2, 3, 4}));
  merged = MergeScales({1, 64, std::vector<float>(16, 5)}, 4, 256);
  EXPECT_TRUE(merged.single());
  EXPECT_EQ(merged.k_group, 256);
  EXPECT_EQ(merged.row_group, 4);
  merged = MergeScales({1, 64, {1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}, 4, 256);
  EXPECT_EQ(merged.values.size(), 16u);
  merged = MergeScales({1, 256, {1, 1, 1, 2}}, 4, 256);
  EXPECT_EQ(merged.values.size(), 4u);
  EXPECT_EQ(merged.row_group, 1);
}

// --- float tensors read as trits
class Floats : public DenseTensor {
 public:
  Floats(int64_t rows, int64_t cols, std::vector<float> values)
      : rows_(rows), cols_(cols), values_(std::move(values)) {}
  const std::string& name() const override { return name_; }
  DenseType type() const override { return DenseType::kF32; }
  std::string encoding() const override { return "f32"; }
  int64_t rows() const override { return rows_; }
  int64_t cols() const override { return cols_; }
  std::span<const uint8_t> bytes() const override { return {}; }
  int64_t row_bytes() const override { return cols_ * 4; }
  void ReadRowsF32(int64_t begin, int64_t end, float* out) const override {
    std::copy(values_.begin() + begin * cols_, values_.begin() + end * cols_, out);
  }
  ContentHash Hash() const override { return {}; }
  void DropPages(int64_t, int64_t) const override {}

 private:
  std::string name_ = "floats";
  int64_t rows_, cols_;
  std::vector<float> values_;
};

TEST(FloatTrits, AbsmeanRoundsAndClamps) {
  // mean |W| = 1: s = 1; 0.5 rounds to 0 (even), 0.51 to 1.
  const auto values = std::make_shared<Floats>(
      2, 4, std::vector<float>{0.5f, -0.5f, 0.51f, -0.51f, 3.0f, -2.5f, 0.48f, 0.0f});
  const auto tensor = MakeFloatTernary("w", values, true, 1);
  std::vector<int8_t> out(8);
  tensor->ReadTrits(0, 2, out.data());
  EXPECT_THAT(out, ElementsAre(0, 0, 1, -1, 1, -1, 0, 0));
  EXPECT_EQ(tensor->Scales().values, std::vector<float>{1.0f});
  EXPECT_EQ(tensor->encoding(), "f32 masters, absmean");
}

TEST(FloatTrits, TernaryAlreadyIsTakenAsItIs) {
  // absmean would give the scale 0.25 * 5/8.
  const auto values = std::make_shared<Floats>(
      2, 4, std::vector<float>{0.25f, -0.25f, 0, 0, 0.25f, 0, 0.25f, -0.25f});
  for (const bool absmean : {false, true}) {
    const auto tensor = MakeFloatTernary("w", values, absmean, 2.0f);
    std::vector<int8_t> out(8);
    tensor->ReadTrits(0, 2, out.data());
    EXPECT_THAT(out, ElementsAre(1, -1, 0, 0, 1, 0, 1, -1));
    EXPECT_EQ(tensor->Scales().values, std::vector<float>{0.5f});
  }
}

TEST(FloatTrits, RowsMayHaveTheirOwnScaleAndZeroRowsAny) {
  const auto values =
      std::make_shared<Floats>(4, 2, std::vector<float>{0, 0, 0.5f, -0.5f, 0, 2, 0, 0});
  const auto scales = MakeFloatTernary("w", values, false, 1)->Scales();
  EXPECT_EQ(scales.values, (std::vector<float>{0.5f, 2.0f}));
  EXPECT_EQ(scales.row_group, 2);
}

TEST(FloatTrits, AnythingElseIsRefused) {
  const auto values = std::make_shared<Floats>(2, 2, std::vector<float>{1, -1, 1, 0.5f});
  EXPECT_THAT(test::Fault([&] { MakeFloatTernary("w", values, false, 1)->Scales(); }),
              HasSubstr("tensor w is said to be ternary but is not: row 1"));
  const auto broken = std::make_shared<Floats>(1, 2, std::vector<float>{1, NAN});
  EXPECT_THAT(test::Fault([&] { MakeFloatTernary("w", broken, true, 1)->Scales(); }),
              HasSubstr("not finite"));
}

}  // namespace
}  // namespace trit

// trit perplexity: how surprised the model is by a text, and how far it is from a saved run.
//
// Chunks as llama.cpp cuts them: the text is tokenized once (with BOS where the vocabulary adds
// it); chunks of n_ctx tokens follow each other without overlap, the first token of each replaced
// by BOS when the vocabulary has one; the second half of a chunk is predicted and counted.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "model/cli/command.h"
#include "model/cli/formats.h"
#include "model/cli/run_options.h"
#include "model/ops/ops.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

struct Options {
  RunOptions run;
  std::string file, kl_base, kl;
  int context = 512, chunks = -1;
};

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

// A saved run: for each counted position the log-probabilities of all tokens as float32.
constexpr char kMagic[8] = {'T', 'R', 'I', 'T', 'K', 'L', 'D', '1'};
struct BaseHeader {
  char magic[8];
  uint32_t vocabulary, context, chunks, reserved;
  uint64_t text;  // a hash of the tokens
};

uint64_t HashOf(const std::vector<int32_t>& tokens) {
  uint64_t hash = 1469598103934665603u;  // FNV-1a
  for (const int32_t t : tokens) hash = (hash ^ static_cast<uint32_t>(t)) * 1099511628211u;
  return hash;
}

struct Sums {
  int64_t count = 0;
  double nll = 0, nll_squared = 0;
  double kl = 0, kl_largest = 0;
  int64_t same_top = 0;
};

void Run(const Options& o) {
  const auto model = LoadModel(o.run);
  const Tokenizer& tokenizer = model->tokenizer();
  const std::vector<int32_t> tokens = tokenizer.Encode(ReadInput(o.file));
  const int context = o.context;
  if (context > model->context()) {
    throw Error(
        Join("chunks of ", context, " tokens do not fit the context of ", model->context()));
  }
  int chunks = static_cast<int>(tokens.size() / static_cast<size_t>(context));
  if (o.chunks >= 0) chunks = std::min(chunks, o.chunks);
  if (chunks < 1) {
    throw Error(Join(o.file, " has ", tokens.size(), " tokens, less than one chunk of ", context));
  }
  const auto vocabulary = static_cast<size_t>(model->config().vocabulary);
  BaseHeader header{};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.vocabulary = static_cast<uint32_t>(vocabulary);
  header.context = static_cast<uint32_t>(context);
  header.chunks = static_cast<uint32_t>(chunks);
  header.text = HashOf(tokens);
  File save, base;
  if (!o.kl_base.empty()) {
    save.reset(std::fopen(o.kl_base.c_str(), "wb"));
    if (save == nullptr || std::fwrite(&header, sizeof(header), 1, save.get()) != 1) {
      throw Error(Join("cannot write ", o.kl_base));
    }
  }
  if (!o.kl.empty()) {
    base.reset(std::fopen(o.kl.c_str(), "rb"));
    BaseHeader found{};
    if (base == nullptr) throw Error(Join("cannot open ", o.kl));
    if (std::fread(&found, sizeof(found), 1, base.get()) != 1 ||
        std::memcmp(found.magic, kMagic, sizeof(kMagic)) != 0) {
      throw Error(Join(o.kl, " is not a run saved with --kl-base"));
    }
    if (found.vocabulary != header.vocabulary || found.context != header.context ||
        found.text != header.text || found.chunks < header.chunks) {
      throw Error(Join(o.kl, " was saved for another text, chunk size or vocabulary"));
    }
  }
  const int32_t bos = tokenizer.spec().add_bos ? tokenizer.spec().bos : -1;
  const int first = context / 2;
  Sums sums;
  std::vector<float> other(vocabulary), row(vocabulary);
  const auto start = std::chrono::steady_clock::now();
  for (int chunk = 0; chunk < chunks; ++chunk) {
    std::vector<int32_t> piece(tokens.begin() + static_cast<ptrdiff_t>(chunk) * context,
                               tokens.begin() + static_cast<ptrdiff_t>(chunk + 1) * context);
    const std::vector<int32_t> truth = piece;
    if (bos >= 0) piece[0] = bos;
    Session session(*model);
    session.FeedAll(piece, context - first, [&](int64_t t, float* logits) {
      if (t + 1 >= context) return;  // the last token predicts what is not in the chunk
      const int32_t next = truth[static_cast<size_t>(t + 1)];
      const double total = ops::LogSumExp(logits, static_cast<int64_t>(vocabulary));
      const double nll = total - logits[next];
      ++sums.count;
      sums.nll += nll;
      sums.nll_squared += nll * nll;
      if (save == nullptr && base == nullptr) return;
      for (size_t i = 0; i < vocabulary; ++i) row[i] = static_cast<float>(logits[i] - total);
      if (save && std::fwrite(row.data(), sizeof(float), vocabulary, save.get()) != vocabulary) {
        throw Error(Join("writing ", o.kl_base, " failed"));
      }
      if (base == nullptr) return;
      if (std::fread(other.data(), sizeof(float), vocabulary, base.get()) != vocabulary) {
        throw Error(Join(o.kl, " ends early"));
      }
      double kl = 0;
      for (size_t i = 0; i < vocabulary; ++i) {
        kl += std::exp(static_cast<double>(other[i])) * (static_cast<double>(other[i]) - row[i]);
      }
      sums.kl += kl;
      sums.kl_largest = std::max(sums.kl_largest, kl);
      const auto n = static_cast<int64_t>(vocabulary);
      sums.same_top += ops::ArgMax(row.data(), n) == ops::ArgMax(other.data(), n);
    });
    if (!o.run.quiet) {
      const double seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      std::fprintf(stderr, "[%d/%d] %.4f  (%.1f tokens/s)\n", chunk + 1, chunks,
                   std::exp(sums.nll / static_cast<double>(sums.count)),
                   (chunk + 1) * static_cast<double>(context) / seconds);
    }
  }
  if (save && std::fflush(save.get()) != 0) throw Error(Join("writing ", o.kl_base, " failed"));
  const auto n = static_cast<double>(sums.count);
  const double mean = sums.nll / n;
  const double perplexity = std::exp(mean);
  const double variance = std::max(0.0, sums.nll_squared / n - mean * mean);
  std::printf("Final estimate: PPL = %.4f +/- %.5f\n", perplexity,
              n > 1 ? perplexity * std::sqrt(variance / (n - 1)) : 0.0);
  if (base) {
    std::printf("KL divergence: mean %.6f, max %.6f; same top token %.3f %%\n", sums.kl / n,
                sums.kl_largest, 100.0 * static_cast<double>(sums.same_top) / n);
  }
}

}  // namespace

void SetUpPerplexity(CLI::App& app, int&) {
  auto o = std::make_shared<Options>();
  AddRunOptions(app, &o->run);
  app.add_option("-f,--file", o->file, "the text")->required();
  app.add_option("--chunk", o->context, "tokens of a chunk; the second half counts")
      ->check(CLI::Range(4, 1 << 20))
      ->capture_default_str();
  app.add_option("--chunks", o->chunks, "stop after so many chunks; -1 = all");
  app.add_option("--kl-base", o->kl_base, "save all log-probabilities of this run to a file");
  app.add_option("--kl", o->kl, "KL divergence of this run from a saved one");
  app.footer("Example:\n  trit perplexity -m 2b4t.gguf -f wiki.test.raw");
  app.callback([o] { Run(*o); });
}

}  // namespace trit::cli

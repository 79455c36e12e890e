// A server on the fake engine for tests from outside: prints its port, runs until stdin ends.
#include <cstdio>
#include <string>

#include "model/serve/server.h"
#include "tests/serve/fake_engine.h"

int main(int argc, char** argv) {
  using namespace trit::serve;
  try {
    FakeOptions fake;
    fake.real_time = true;
    fake.flat_ns = (argc > 1 ? std::stoi(argv[1]) : 5) * kNsPerMs;
    fake.per_row_ns = 10'000;
    fake.answer_tokens = 400;
    VirtualClock clock;
    FakeEngine engine(fake, &clock);
    ServerOptions options;
    options.port = 0;
    Log log(Log::Form::kText);
    Server server(&engine, options, &log);
    std::printf("%d\n", server.Start());
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake_server: %s\n", error.what());
    return 1;
  }
  return 0;
}

// Build-time tool: the default schedules of some targets -> one static library that `trit` links.
//   trit_generate_baseline OUT.a TARGET...
// The archive defines trit_library_v1_<target> for each of them.
#include <cstdio>
#include <exception>
#include <set>

#include "generator/library/build.h"
#include "generator/library/write.h"
#include "targets/base/error.h"

namespace {

void Generate(int argc, char** argv) {
  if (argc < 3) throw trit::Error("usage: trit_generate_baseline OUT.a TARGET...");
  std::vector<trit::ObjectPiece> objects;
  std::set<std::string> present;  // targets share layouts
  for (int i = 2; i < argc; ++i) {
    const trit::Target& target = trit::FindTarget(argv[i]);
    trit::BuiltLibrary library =
        trit::BuildLibrary(trit::PlanLibrary(target, trit::DefaultRows(target)));
    for (trit::ObjectPiece& piece : library.objects) {
      if (present.insert(piece.name).second) objects.push_back(std::move(piece));
    }
  }
  trit::WriteFileAtomically(argv[1], trit::Archive(objects));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Generate(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "trit_generate_baseline: %s\n", e.what());
    return 1;
  }
  return 0;
}

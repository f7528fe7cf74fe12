// The program that libFuzzer drives: FUZZ_TARGET names one of the targets; none lists them.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "fuzz/targets.h"

namespace {

tiphys::fuzz::Target chosen;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  using namespace tiphys::fuzz;
  std::vector<Target> targets;
  std::ranges::copy(archive_targets(), std::back_inserter(targets));
  std::ranges::copy(artifact_targets(), std::back_inserter(targets));
  std::ranges::copy(doc_targets(), std::back_inserter(targets));
  std::ranges::copy(expr_targets(), std::back_inserter(targets));
  std::ranges::copy(server_targets(), std::back_inserter(targets));
  const char* name = std::getenv("FUZZ_TARGET");
  const auto found = std::ranges::find(targets, std::string_view(name ? name : ""), &Target::name);
  if (found == targets.end()) {
    for (const Target& target : targets)
      std::printf("%.*s\n", static_cast<int>(target.name.size()), target.name.data());
    std::exit(name && *name ? 2 : 0);
  }
  chosen = *found;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen.run({reinterpret_cast<const char*>(data), size});
  return 0;
}

#include "node/python/python_command.h"

#include <algorithm>
#include <array>
#include <span>

namespace tiphys::node {
namespace {

/// What an interpreter, its C library or its allocator reads as it starts. Of those of Python a fork can follow two.
constexpr std::array<std::string_view, 6> kReadAtStart = {"PYTHON", "LC_", "LD_", "GLIBC_", "MALLOC_", "OPENSSL_"};
constexpr std::array<std::string_view, 2> kFollowed = {"PYTHONPATH", "PYTHONUNBUFFERED"};
/// What libraries that compute read as they are imported.
constexpr std::array<std::string_view, 18> kReadByModules = {
    "OMP_",     "GOMP_",  "KMP_", "MKL_",  "OPENBLAS_", "GOTO_",  "BLIS_", "BLAS_", "VECLIB_",
    "NUMEXPR_", "NUMBA_", "NPY_", "CUDA_", "NVIDIA_",   "TORCH_", "TF_",   "XLA_",  "JAX_"};

bool begins_as_one(std::string_view name, std::span<const std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool is_python(std::string_view program) {
  program = program.substr(program.rfind('/') + 1);
  if (!program.starts_with("python")) return false;
  return std::ranges::all_of(program.substr(6), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace

bool is_forked_alike(const std::vector<std::string>& argv, const std::vector<std::string>& env, bool with_modules) {
  if (argv.empty() || !is_python(argv.front())) return false;
  auto word = argv.begin() + 1;
  while (word != argv.end() && *word == "-u") ++word;
  if (word == argv.end() || word->empty()) return false;
  const bool flag = *word == "-c" || *word == "-m";
  if (flag ? word + 1 == argv.end() : word->front() == '-') return false;
  return std::ranges::none_of(env, [&](std::string_view entry) {
    const std::string_view name = entry.substr(0, entry.find('='));
    if (std::ranges::find(kFollowed, name) != kFollowed.end()) return false;
    return name == "LANG" || name == "LANGUAGE" || begins_as_one(name, kReadAtStart) ||
           (with_modules && begins_as_one(name, kReadByModules));
  });
}

}  // namespace tiphys::node

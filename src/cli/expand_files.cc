#include "cli/expand_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace tiphys::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 100'000;

}  // namespace

Result<std::vector<std::string>> expand_files(const std::vector<std::string>& arguments,
                                              bool (*wanted)(std::string_view path)) {
  std::vector<std::string> files;
  for (const auto& argument : arguments) {
    std::error_code error;
    if (argument == "-" || !fs::is_directory(argument, error)) {
      files.push_back(argument);
      continue;
    }
    std::vector<std::string> found;
    for (fs::recursive_directory_iterator at(argument, error), end; !error && at != end; at.increment(error)) {
      if (at->is_regular_file(error) && wanted(at->path().native())) found.push_back(at->path().string());
      if (found.size() > kMostFiles) return fail(Code::kInvalidArgument, argument + ": too many files");
    }
    if (error) return fail(Code::kInvalidArgument, fmt::format("{}: {}", argument, error.message()));
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

bool is_manifest(std::string_view path) {
  return path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json");
}

}  // namespace tiphys::cli

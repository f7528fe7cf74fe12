#include "cli/play_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <iterator>

#include "api/parse.h"
#include "cli/manifest.h"

namespace tiphys::cli {
namespace {

std::unexpected<Error> finding(const doc::Marks& marks, std::string pointer, std::string message) {
  return fail(Code::kInvalidArgument,
              api::render_findings({{.pointer = std::move(pointer), .message = std::move(message)}}, marks));
}

}  // namespace

Result<std::vector<doc::Document>> load_documents(const std::vector<std::string>& paths) {
  std::vector<doc::Document> all;
  for (const std::string& path : paths) {
    TIPHYS_TRY(const std::string text, read_text(path));
    TIPHYS_TRY(auto documents, doc::parse_yaml(text, path == "-" ? "stdin" : path));
    std::ranges::move(documents, std::back_inserter(all));
  }
  return all;
}

Result<play::TestFile> load_mocks(const std::string& path) {
  TIPHYS_TRY(const auto documents, load_documents({path}));
  if (documents.size() != 1) {
    return fail(Code::kInvalidArgument, fmt::format("{}: one document is expected, not {}", path, documents.size()));
  }
  return play::read_test_file(documents.front());
}

Result<std::unique_ptr<LoadedTests>> load_tests(const std::string& path) {
  TIPHYS_TRY(play::TestFile file, load_mocks(path));
  if (file.workflows.empty()) {
    return finding(file.marks, "", "`workflows` is missing: the files of the workflows that are tested");
  }
  if (file.tests.empty()) return finding(file.marks, "", "`tests` is missing: there is nothing to test");
  std::vector<doc::Document> documents;
  for (std::size_t i = 0; i < file.workflows.size(); ++i) {
    const std::filesystem::path named(file.workflows[i]);
    const auto whole = named.is_absolute() ? named : std::filesystem::path(path).parent_path() / named;
    auto found = load_documents({whole.lexically_normal().string()});
    if (!found) {
      if (found.error().code == Code::kInvalidArgument) return std::unexpected(found.error());
      return finding(file.marks, fmt::format("/workflows/{}", i), found.error().message);
    }
    std::ranges::move(*found, std::back_inserter(documents));
  }
  return std::make_unique<LoadedTests>(path, std::move(file), play::WorkflowSet(std::move(documents)));
}

}  // namespace tiphys::cli

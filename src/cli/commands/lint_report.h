// What lint has found, in the forms in which it can be told.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "api/parse.h"
#include "cli/view/style.h"

namespace tiphys::cli {

struct LintProblem {
  bool error = true;
  std::string file;
  std::size_t line = 0;  ///< from 1; 0: none, of a file that cannot be read
  std::size_t column = 0;
  std::string object;   ///< "\"hello-\" (Workflow)"; "" of what is no object
  std::string pointer;  ///< JSON pointer of the field
  std::string message;
  std::string shown;  ///< with place, source line and caret
};

enum class LintFormat { kPretty, kSimple, kJson, kGithub };

struct LintReport {
  std::vector<LintProblem> problems;
  std::size_t linted = 0;  ///< documents

  void add(const std::vector<api::Finding>& findings, const doc::Document& document);
  /// A file that cannot be read, or is no YAML: `message` is "FILE:LINE:COLUMN: what ..." or without a place.
  void add_unreadable(const std::string& file, const std::string& message);

  std::size_t errors() const;
  bool good() const { return linted > 0 && errors() == 0; }
  std::string render(LintFormat format, const Style& style) const;

 private:
  std::string json() const;
};

}  // namespace tiphys::cli

// What ours gives for a row of the tables in this folder. Rows are those of tools/oracles/README.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"
#include "expr/scope.h"

namespace tiphys::oracles {

struct Answer {
  doc::Value out{};      ///< where there is no error
  std::string type{};    ///< the Go type; "" where a language has but one
  std::string error{};   ///< "" for none
  bool missing = false;  ///< of templates: a name that may be known later
};

/// The languages that answer() knows.
std::vector<std::string_view> languages();

/// One line of a table. A "with" that names a shared document becomes that document.
struct Row {
  doc::Object fields;
  std::string document;  ///< the text of "with"

  bool asks() const { return fields.contains("in") || fields.contains("dependencies"); }
  /// What is asked, for messages.
  std::string question() const;
};
Result<Row> read_row(std::string_view line);

Answer answer(std::string_view language, const Row& row);

// What answer() gives to expressions, for who times them.

/// The text of "in"; one that is no string stands for its own JSON text.
std::string source(const Row& row);
/// The variables of "with", with a clock and chance.
expr::Scope scope(const Row& row);
/// The document of "with" as Go decodes JSON: every number is a float.
doc::Value go_document(const Row& row);

/// What is wrong with an answer: "" when the original gave the same. Messages of errors may differ.
std::string difference(const Row& row, const Answer& answer);

}  // namespace tiphys::oracles

// What ours gives for a row of the tables in this folder. Rows are those of tools/oracles/README.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"

namespace tiphys::oracles {

struct Answer {
  doc::Value out{};      ///< where there is no error
  std::string type{};    ///< the Go type; "" where a language has but one
  std::string error{};   ///< "" for none
  bool missing = false;  ///< of templates: a name that may be known later
};

/// The languages that answer() knows.
std::vector<std::string_view> languages();

/// `row` has its variables or document itself in "with", not the name of a file.
Answer answer(std::string_view language, const doc::Object& row);

/// What is wrong with an answer: "" when the original gave the same. Messages of errors may differ.
std::string difference(const doc::Object& row, const Answer& answer);

}  // namespace tiphys::oracles

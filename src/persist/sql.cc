#include "persist/sql.h"

#include "base/check.h"

namespace tiphys::persist {

Sql& Sql::add(std::string_view text, std::initializer_list<SqlValue> values) {
  const auto* next = values.begin();
  for (const char c : text) {
    if (c != '?') {
      statement_.text += c;
      continue;
    }
    TIPHYS_CHECK(next != values.end(), "each parameter has a value");
    add_parameter(*next++);
  }
  TIPHYS_CHECK(next == values.end(), "each value has a parameter");
  return *this;
}

Sql& Sql::add_list(const std::vector<std::string>& values) {
  TIPHYS_CHECK(!values.empty(), "a list of SQL has values");
  const char* before = "(";
  for (const std::string& value : values) {
    statement_.text += before;
    add_parameter(value);
    before = ", ";
  }
  statement_.text += ')';
  return *this;
}

void Sql::add_parameter(SqlValue value) {
  statement_.values.push_back(std::move(value));
  statement_.text += dialect_ == Dialect::kPostgreSql ? "$" + std::to_string(statement_.values.size()) : "?";
}

}  // namespace tiphys::persist

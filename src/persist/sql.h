// Statements of SQL with the values that stand for their parameters: no value ever becomes part of a text.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tiphys::persist {

enum class Dialect { kPostgreSql, kMySql };

using SqlValue = std::variant<std::string, std::int64_t>;

struct Statement {
  std::string text;  ///< parameters as the dialect writes them: "$1" or "?"
  std::vector<SqlValue> values{};
  bool operator==(const Statement&) const = default;
};

/// Puts a statement together.
class Sql {
 public:
  explicit Sql(Dialect dialect) : dialect_(dialect) {}

  /// Appends `text`, in which each '?' stands for the next of `values`.
  Sql& add(std::string_view text, std::initializer_list<SqlValue> values = {});
  /// Appends "(?, ?)" for as many values.
  Sql& add_list(const std::vector<std::string>& values);
  Statement take() { return std::move(statement_); }

  Dialect dialect() const { return dialect_; }

 private:
  void add_parameter(SqlValue value);

  const Dialect dialect_;
  Statement statement_;
};

}  // namespace tiphys::persist

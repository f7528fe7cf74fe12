#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "persist/mysql.h"

namespace tiphys::persist {
namespace {

using Tls = MySqlOptions::Tls;

/// Options of the driver that mean nothing to another client, or what this one does anyway.
constexpr std::array<std::string_view, 19> kOfTheDriver{"allowAllFiles",
                                                        "allowCleartextPasswords",
                                                        "allowFallbackToPlaintext",
                                                        "allowNativePasswords",
                                                        "allowOldPasswords",
                                                        "charset",
                                                        "checkConnLiveness",
                                                        "clientFoundRows",
                                                        "collation",
                                                        "columnsWithAlias",
                                                        "connectionAttributes",
                                                        "interpolateParams",
                                                        "loc",
                                                        "maxAllowedPacket",
                                                        "multiStatements",
                                                        "parseTime",
                                                        "rejectReadOnly",
                                                        "serverPubKey",
                                                        "timeout"};

Result<Tls> tls_of(std::string_view value) {
  if (value == "false" || value == "0" || value.empty()) return Tls::kNever;
  if (value == "true" || value == "1") return Tls::kVerified;
  if (value == "skip-verify") return Tls::kUnverified;
  if (value == "preferred") return Tls::kIfOffered;
  return fail(
      Code::kFailedPrecondition,
      fmt::format("persistence.mysql.options: tls: \"{}\" is none of true, false, skip-verify, preferred", value));
}

Result<unsigned> seconds_of(const std::string& name, std::string_view value) {
  const auto duration = parse_go_duration(value);
  if (!duration || *duration < Duration::zero()) {
    return fail(Code::kFailedPrecondition,
                fmt::format("persistence.mysql.options: {}: \"{}\" is no duration such as 30s", name, value));
  }
  return static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(*duration).count());
}

/// As the driver has it, in SQL: a number, or a text in quotes.
SqlValue session_value(std::string_view value) {
  if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'') {
    return std::string(value.substr(1, value.size() - 2));
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size()) return number;
  return std::string(value);
}

/// The name becomes part of a statement.
Result<Statement> session_variable(const std::string& name, std::string_view value) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  if (name.empty() || name.find_first_not_of(kAllowed) != name.npos) {
    return fail(Code::kFailedPrecondition,
                fmt::format("persistence.mysql.options: \"{}\" is no name of a variable", name));
  }
  return Statement{fmt::format("SET SESSION {} = ?", name), {session_value(value)}};
}

}  // namespace

Result<MySqlOptions> mysql_options_of(const std::map<std::string, std::string>& options) {
  MySqlOptions read;
  for (const auto& [name, value] : options) {
    if (name == "tls") {
      TIPHYS_TRY(read.tls, tls_of(value));
    } else if (name == "readTimeout") {
      TIPHYS_TRY(read.read_timeout, seconds_of(name, value));
    } else if (name == "writeTimeout") {
      TIPHYS_TRY(read.write_timeout, seconds_of(name, value));
    } else if (std::ranges::find(kOfTheDriver, name) == kOfTheDriver.end()) {
      TIPHYS_TRY(Statement set, session_variable(name, value));
      read.session.push_back(std::move(set));
    }
  }
  return read;
}

}  // namespace tiphys::persist

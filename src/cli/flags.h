// The flags of one command. CLI11 stays in flags.cc: it is slow to compile.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace tiphys::cli {

using Arguments = std::vector<std::string>;

class Flags {
 public:
  /// "run", what it does in a line, and examples for its help.
  Flags(const std::string& command, const std::string& summary, std::string examples = "");
  ~Flags();

  /// Names as "-w,--watch". The variables must outlive parse().
  void flag(const std::string& names, bool& value, const std::string& help);
  void text(const std::string& names, std::string& value, const std::string& metavar, const std::string& help);
  /// A flag that may have a value after "=", and stands for `alone` without.
  void optional_text(const std::string& names, std::string& value, const std::string& alone, const std::string& metavar,
                     const std::string& help);
  void number(const std::string& names, std::optional<std::int64_t>& value, const std::string& metavar,
              const std::string& help);
  /// May be given several times.
  void list(const std::string& names, std::vector<std::string>& values, const std::string& metavar,
            const std::string& help);
  /// One of a fixed set.
  void choice(const std::string& names, std::string& value, std::vector<std::string> allowed, const std::string& help);
  /// What stands without a dash. At most one positional() a command.
  void positional(const std::string& metavar, std::vector<std::string>& values, std::size_t least, std::size_t most);

  /// Reads the arguments after the command's name. False when its help was printed instead, or what completion asks
  /// for:
  /// "--list-flags", or "--list-values FLAG", an error when nothing follows that flag. Errors suggest what may have
  /// been meant.
  Result<bool> parse(const Arguments& arguments);

 private:
  Result<bool> read(const Arguments& arguments);

  struct Parser;
  std::unique_ptr<Parser> parser_;
};

/// Splits "a,b" and repeated lists alike.
std::vector<std::string> split_commas(std::span<const std::string> values);

}  // namespace tiphys::cli

// The `depends` logic of DAG tasks, compiled to a small boolean program over the results of other tasks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tiphys::expr {

/// What one task has come to, as bits; a task that is not finished has none.
/// Original: workflow/common/ancestry.go and workflow/controller/dag.go (evaluateDependsLogic).
enum TaskResult : std::uint16_t {
  kSucceeded = 1 << 0,
  kFailed = 1 << 1,
  kErrored = 1 << 2,
  kSkipped = 1 << 3,
  kOmitted = 1 << 4,
  kDaemoned = 1 << 5,
  kAnySucceeded = 1 << 6,  ///< loops only
  kAllFailed = 1 << 7,     ///< loops only
};

class Depends {
 public:
  /// `text` as the manifest has it: names with hyphens, `name.Result`, !, ==, !=, &&, ||, ?:, parentheses. Errors have
  /// a column; names that begin with a digit or are words of the expression language ("in", "not") are ones. A bare
  /// name stays bare: its meaning (Succeeded || Skipped || Daemoned, more with continueOn) is the caller's, through
  /// `bare`.
  static Result<Depends> compile(std::string_view text);

  /// Task names in order of first appearance; `eval` asks for them by position here.
  const std::vector<std::string>& tasks() const { return tasks_; }
  /// True when the text asks `task` for AnySucceeded or AllFailed, which only loops have, and does not name it bare
  /// behind that.
  bool uses_loop_result(std::size_t task) const;

  /// `results(i)` gives the bits of task i; `bare(i)` the bits of which any one satisfies its bare name.
  bool eval(const std::function<std::uint16_t(std::size_t)>& results,
            const std::function<std::uint16_t(std::size_t)>& bare) const;

 private:
  friend class DependsParser;
  struct Term;
  std::vector<std::string> tasks_;
  std::shared_ptr<const std::vector<Term>> terms_;
};

}  // namespace tiphys::expr

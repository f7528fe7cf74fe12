// Which service account's rights somebody has who has signed in: the accounts say it themselves, by annotations.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "expr/expression.h"
#include "store/store.h"

namespace tiphys::server {

inline constexpr const char* kRuleAnnotation = "workflows.argoproj.io/rbac-rule";
inline constexpr const char* kPrecedenceAnnotation = "workflows.argoproj.io/rbac-rule-precedence";

/// An account with its rule.
struct AccountRule {
  std::string ns, name, uid;
  std::int64_t precedence = 0;
  Result<expr::Expression> rule;
};

/// Follows the service accounts of a plane.
class AccountRules {
 public:
  /// All that the store has holds when this returns. Both outlive it.
  static Result<std::unique_ptr<AccountRules>> start(Executor& executor, store::Store& store);
  AccountRules(Executor& executor, store::Store& store) : executor_(executor), store_(store) {}

  /// The account of highest precedence in the namespace whose rule holds for these claims, the first by name of those
  /// that have the same; null: none. A rule that comes first and cannot be evaluated is an error: nobody guesses what
  /// it would have said.
  Result<const AccountRule*> find(std::string_view ns, const doc::Object& claims) const;
  /// The account in `home`, or one in `asked` ("": none is asked for) of higher precedence, where an error counts as
  /// none; null: neither.
  Result<const AccountRule*> find(std::string_view home, std::string_view asked, const doc::Object& claims) const;

 private:
  Status load();
  void follow(std::uint64_t from);
  void take(const doc::Value& account);

  Executor& executor_;
  store::Store& store_;
  /// By namespace, in the order in which they are asked.
  std::map<std::string, std::vector<AccountRule>, std::less<>> rules_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<cluster::Watch> watch_;
};

/// Go's strconv.Atoi, whose errors are not looked at there.
std::int64_t parse_precedence(std::string_view text);

}  // namespace tiphys::server

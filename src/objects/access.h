// Who asks, for what, and whether it may: decided at the object interface, once, whatever protocol asks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"

namespace tiphys::objects {

/// Who has signed in, as his provider tells it: shown, and never asked for rights.
struct Person {
  std::string issuer, subject;
  std::string email{}, name{}, preferred_username{};
  bool email_verified = false;
  std::vector<std::string> groups{};
  /// Whose rights he has; before that is decided, what the provider says of it.
  std::string service_account_name{}, service_account_namespace{};
};

struct Caller {
  std::string name;  ///< "system:serviceaccount:default:builder"
  std::string uid{};
  std::vector<std::string> groups{};
  doc::Object extra{};
  std::shared_ptr<const Person> person{};  ///< who has signed in and has these rights; null: nobody
};

inline constexpr std::string_view kMasters = "system:masters";
inline constexpr std::string_view kAuthenticated = "system:authenticated";

/// The owner of the plane, who may do all.
Caller plane_owner();
Caller service_account(std::string_view ns, std::string_view name, std::string_view uid);

/// What is asked for; `path` alone for what is no object ("/version").
struct Attributes {
  std::string_view verb{};
  std::string_view group{}, resource{}, subresource{}, ns{}, name{};
  std::string_view path{};
};

struct Decision {
  bool allowed = false;
  std::string reason{};
};

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  virtual Decision decide(const Caller& caller, const Attributes& asked) const = 0;
  /// The rules that hold for a caller in a namespace, as SelfSubjectRulesReview tells them.
  struct Rules {
    doc::Array resource_rules, path_rules;
  };
  virtual Rules rules_of(const Caller& caller, std::string_view ns) const = 0;
};

/// `pods "a" is forbidden: User "x" cannot get resource "pods" in API group "" in the namespace "default"`
std::string forbidden_message(const Caller& caller, const Attributes& asked, std::string_view reason);

}  // namespace tiphys::objects

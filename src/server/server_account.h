// Whose rights callers of Argo's API have who have none of their own: in the mode server, and after a sign-in without
// rules.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "objects/object_api.h"
#include "store/store.h"

namespace tiphys::server {

class ServerAccount {
 public:
  struct Name {
    std::string ns, name;
  };
  /// nullopt: the plane's owner. The store outlives it.
  ServerAccount(store::Store& store, std::optional<Name> name) : store_(store), name_(std::move(name)) {}

  bool is_owner() const { return !name_; }
  /// Of the account as it is now; 401 when it does not exist.
  objects::Outcome<objects::Caller> caller() const;

 private:
  store::Store& store_;
  std::optional<Name> name_;
};

}  // namespace tiphys::server

// Tells who a request over TCP comes from, by its token.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "objects/object_api.h"

namespace tiphys::server {

/// Whom a client says to be instead (headers Impersonate-User, -Uid, -Group).
struct Impersonation {
  std::string user{}, uid{};
  std::vector<std::string> groups{};
};

class Gate {
 public:
  /// `token` is the owner's; `tokens` those of service accounts, null: none. Both outlive the gate.
  Gate(Executor& executor, objects::ObjectApi& api, std::string token, const objects::ServiceTokens* tokens)
      : executor_(executor), api_(api), token_(std::move(token)), tokens_(tokens) {}

  /// Of an Authorization header; null when it is nobody's.
  std::shared_ptr<const objects::Caller> admit(std::string_view authorization) const;
  const std::string& token() const { return token_; }

 private:
  Executor& executor_;
  objects::ObjectApi& api_;
  std::string token_;
  const objects::ServiceTokens* tokens_;
};

/// The caller that another one wants to be, if it may be that.
objects::Outcome<std::shared_ptr<const objects::Caller>> impersonate(const objects::ObjectApi& api,
                                                                     const objects::Caller* caller,
                                                                     const Impersonation& wanted);

}  // namespace tiphys::server

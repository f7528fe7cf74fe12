// Objects that are questions: who am I, may I, is this token good. They are answered where they are created and never
// stored.
#pragma once

#include "objects/access.h"
#include "objects/kinds.h"
#include "objects/refusal.h"
#include "objects/service_tokens.h"
#include "store/store.h"

namespace tiphys::objects {

/// SelfSubjectAccessReview, SubjectAccessReview, LocalSubjectAccessReview, SelfSubjectRulesReview, SelfSubjectReview,
/// TokenReview.
std::span<const cluster::Resource* const> review_resources();
bool is_review(const cluster::Resource& resource);

struct ReviewSources {
  const Authorizer* authorizer = nullptr;  ///< null: everybody may do all
  const ServiceTokens* tokens = nullptr;   ///< null: no token is good
  store::Store* store = nullptr;           ///< with `tokens`
  Time now{};
};

/// The question with its answer in its status.
Outcome<doc::Value> answer_review(const cluster::Resource& resource, std::string_view ns, doc::Value question,
                                  const Caller& caller, const ReviewSources& sources);

}  // namespace tiphys::objects

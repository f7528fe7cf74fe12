// Why a request to the API is not done, as Kubernetes' Status object tells it.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cluster/resource.h"
#include "doc/value.h"
#include "schema/field_error.h"

namespace tiphys::objects {

struct Refusal {
  unsigned code = 500;  ///< of HTTP
  std::string reason;   ///< "NotFound"; "" where Kubernetes gives none
  std::string message;
  doc::Object details{};  ///< name, group, kind, causes, retryAfterSeconds
  bool bare = false;      ///< told with details though there are none
};

template <typename T>
using Outcome = std::expected<T, Refusal>;
template <typename T>
using Reply = std::move_only_function<void(Outcome<T>)>;

/// `resource` and `name` are what the request was for; null and "" where it was for none.
Refusal refusal_of(const Error& error, const cluster::Resource* resource = nullptr, std::string_view name = {});
/// 422: `Pod "main" is invalid: ...` with a cause for each error.
Refusal refuse_invalid(const cluster::Resource& resource, std::string_view name, const schema::FieldErrors& errors);
/// 422 of what a query asks for: "CreateOptions".
Refusal refuse_options(std::string_view kind, const schema::FieldErrors& errors);
Refusal bad_request(std::string message);

/// The Status object.
doc::Value status_of(const Refusal& refusal);

}  // namespace tiphys::objects

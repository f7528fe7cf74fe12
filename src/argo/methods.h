// The methods of Argo's API (4.1) with their messages and routes, from data/argo.json, which tools/argo-schema writes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/types.h"

namespace tiphys::argo {

/// A way to a method by REST: google.api.http.
struct Route {
  std::string verb;               ///< "GET"
  std::vector<std::string> path;  ///< segments after the first "/"; "{name}" takes the value of that field
  std::string body;               ///< "*": the body is the request; a field's name: it is that field; "": there is none
};

struct Method {
  std::string service;  ///< "workflow.WorkflowService"
  std::string name;     ///< "CreateWorkflow"
  const schema::Type* request = nullptr;
  const schema::Type* response = nullptr;  ///< of a stream: each message of it
  bool streams = false;                    ///< the answer is a stream
  std::vector<Route> routes{};
};

/// All of them, parsed at the first call.
std::span<const Method> methods();
/// nullptr when there is no such method.
const Method* find_method(std::string_view service, std::string_view name);
/// A message's type by its full name ("workflow.WorkflowListRequest"; Argo's and Kubernetes' objects by that of their
/// OpenAPI documents: "io.argoproj.workflow.v1alpha1.Workflow"), with Kubernetes' types below it; nullptr when there is
/// none.
const schema::Type* find_message(std::string_view name);

}  // namespace tiphys::argo

#include "cli/commands/node_request.h"

#include <fmt/format.h>

#include "base/random.h"
#include "cli/commands/common.h"
#include "controllers/names.h"
#include "doc/yaml.h"

namespace tiphys::cli {
namespace {

/// Somebody else changes the workflow at the same time: read it again and try anew.
constexpr int kMostTries = 10;

Result<doc::Value> request_entry(const NodeRequest& request) {
  SystemRandom random;
  doc::Array fields;
  for (const auto& requirement : request.selector->requirements()) {
    if (requirement.op != cluster::Requirement::Op::kEquals) {
      return fail(Code::kInvalidArgument, "--node-field-selector: only = is understood here");
    }
    fields.push_back(doc::Array{doc::Value(requirement.key), doc::Value(requirement.values.front())});
  }
  doc::Object entry{{"id", make_uid(random)}, {"fields", std::move(fields)}};
  if (!request.phase.empty()) entry["phase"] = request.phase;
  if (!request.message.empty()) entry["message"] = request.message;
  if (!request.output_parameters.empty()) entry["outputParameters"] = request.output_parameters;
  return doc::Value(std::move(entry));
}

/// A patch that holds only while the workflow is as it was read.
doc::Array appending_patch(const doc::Value& workflow, const doc::Value& entry) {
  doc::Array requests;
  const std::string_view waiting =
      doc::find_string(workflow, "metadata", "annotations", controllers::kNodeRequestsAnnotation);
  // What cannot be read will not be carried out either.
  if (const auto parsed = doc::parse_json(waiting); parsed && parsed->is_array()) requests = parsed->get_array();
  requests.push_back(entry);
  doc::Array patch;
  patch.push_back(doc::Object{{"op", "test"},
                              {"path", "/metadata/resourceVersion"},
                              {"value", doc::find_string(workflow, "metadata", "resourceVersion")}});
  if (!doc::find(workflow, "metadata", "annotations")) {
    patch.push_back(doc::Object{{"op", "add"}, {"path", "/metadata/annotations"}, {"value", doc::Object{}}});
  }
  patch.push_back(
      doc::Object{{"op", "add"},
                  {"path", "/metadata/annotations" + doc::pointer_step(controllers::kNodeRequestsAnnotation)},
                  {"value", doc::to_json(requests)}});
  return patch;
}

}  // namespace

Status request_nodes(Session& session, const cluster::Key& workflow, const NodeRequest& request) {
  TIPHYS_TRY(const doc::Value entry, request_entry(request));
  for (int tries = 1;; ++tries) {
    TIPHYS_TRY(const auto before, get_object(session, workflow));
    const auto patched = patch_object(session, workflow, cluster::PatchType::kJson, appending_patch(*before, entry));
    if (patched) return {};
    TIPHYS_TRY(const auto now, get_object(session, workflow));
    const auto version = [](const doc::Value& object) {
      return doc::find_string(object, "metadata", "resourceVersion");
    };
    if (version(*now) == version(*before) || tries == kMostTries) return std::unexpected(patched.error());
  }
}

Result<doc::Object> parse_output_parameters(const std::vector<std::string>& parameters) {
  doc::Object outputs;
  for (const auto& parameter : parameters) {
    const auto equals = parameter.find('=');
    if (equals == std::string::npos) {
      return fail(Code::kInvalidArgument,
                  fmt::format("expected parameter of the form: NAME=VALUE. Received: {}", parameter));
    }
    const std::string value = parameter.substr(equals + 1);
    const auto quoted = value.starts_with('"') ? doc::parse_json(value) : Result<doc::Value>(std::unexpected(Error{}));
    outputs[parameter.substr(0, equals)] = quoted && quoted->is_string() ? std::string(quoted->get_string()) : value;
  }
  return outputs;
}

}  // namespace tiphys::cli

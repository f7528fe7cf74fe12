#include "controllers/node_requests.h"

#include <fmt/format.h>

#include "controllers/names.h"
#include "doc/yaml.h"

namespace tiphys::controllers {
namespace {

Status read_fields(const doc::Value& entry, NodeRequest& request) {
  const doc::Value* fields = doc::find(entry, "fields");
  if (!fields || fields->is_null()) return {};
  if (!fields->is_array()) return fail(Code::kInvalidArgument, "fields is no list");
  for (const doc::Value& pair : fields->get_array()) {
    const bool two_texts = pair.is_array() && pair.get_array().size() == 2 && pair.get_array()[0].is_string() &&
                           pair.get_array()[1].is_string();
    if (!two_texts) return fail(Code::kInvalidArgument, "a field is no pair of name and value");
    request.event.fields.emplace_back(std::string_view(pair.get_array()[0].get_string()),
                                      std::string_view(pair.get_array()[1].get_string()));
  }
  return {};
}

Result<NodeRequest> read_entry(const doc::Value& entry) {
  NodeRequest request;
  request.id = doc::find_string(entry, "id");
  if (request.id.empty()) return fail(Code::kInvalidArgument, "an entry has no id");
  TIPHYS_CHECK_OK(read_fields(entry, request));
  if (const std::string_view phase = doc::find_string(entry, "phase"); !phase.empty()) {
    request.event.phase = api::parse_node_phase(phase);
    if (!request.event.phase) return fail(Code::kInvalidArgument, fmt::format("there is no phase {}", phase));
  }
  request.event.message = doc::find_string(entry, "message");
  if (const doc::Value* outputs = doc::find(entry, "outputParameters"); outputs && outputs->is_object()) {
    for (const auto& [name, value] : outputs->get_object()) {
      request.event.output_parameters[std::string(std::string_view(name))] = doc::scalar_text(value);
    }
  }
  return request;
}

}  // namespace

Result<std::vector<NodeRequest>> parse_node_requests(std::string_view json) {
  std::vector<NodeRequest> requests;
  if (json.empty()) return requests;
  TIPHYS_TRY(const doc::Value list, doc::parse_json(json));
  if (!list.is_array()) return fail(Code::kInvalidArgument, "it is no list");
  for (const doc::Value& entry : list.get_array()) {
    TIPHYS_TRY(NodeRequest request, read_entry(entry));
    requests.push_back(std::move(request));
  }
  return requests;
}

std::set<std::string> parse_done_requests(std::string_view json) {
  std::set<std::string> ids;
  if (json.empty()) return ids;
  const Result<doc::Value> list = doc::parse_json(json);
  if (!list || !list->is_array()) return ids;
  for (const doc::Value& id : list->get_array()) {
    if (id.is_string()) ids.emplace(std::string_view(id.get_string()));
  }
  return ids;
}

std::string render_done_requests(const std::set<std::string>& ids) {
  doc::Array list;
  for (const std::string& id : ids) list.emplace_back(id);
  return doc::to_json(std::move(list));
}

doc::Value prune_requests_patch(std::string_view requests_json) {
  const auto path = [](std::string_view annotation) { return "/metadata/annotations" + doc::pointer_step(annotation); };
  return doc::Array{doc::Object{{"op", "test"}, {"path", path(kNodeRequestsAnnotation)}, {"value", requests_json}},
                    doc::Object{{"op", "remove"}, {"path", path(kNodeRequestsAnnotation)}},
                    doc::Object{{"op", "remove"}, {"path", path(kNodeRequestsDoneAnnotation)}}};
}

}  // namespace tiphys::controllers

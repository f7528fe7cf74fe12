#include "argo/work.h"

namespace tiphys::argo {

void Work::refuse(Error error) {
  // As the original has it: HTTP knows one code for both.
  if (error.code == Code::kAborted) error.code = Code::kAlreadyExists;
  call_.answer->refuse(std::move(error));
}

void Work::try_create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) {
  if (plane_.api) {
    return objects::CallerCluster(*plane_.api, call_.caller).try_create(resource, std::move(object), std::move(done));
  }
  done(fail(Code::kUnimplemented, "a dry run by the server needs a server of Argo's API: --dry-run does without"));
}

const doc::Value& Work::member(std::string_view field) const {
  static const doc::Value kNone;
  const doc::Value* found = call_.request.if_contains(field);
  return found ? *found : kNone;
}

std::string Work::text(std::string_view field) const {
  const doc::Value& value = member(field);
  return value.is_string() ? std::string(value.get_string()) : std::string();
}

doc::Object Work::metadata() const {
  doc::Object lists;
  for (const ExtraHeader& header : call_.extra) {
    doc::Value& values = lists[header.name];
    if (!values.is_array()) values = doc::Array{};
    values.get_array().emplace_back(header.value);
  }
  return lists;
}

bool Work::flag(std::string_view field) const {
  const doc::Value& value = member(field);
  return value.is_bool() && value.get_bool();
}

std::vector<std::string> Work::texts(std::string_view field) const {
  std::vector<std::string> list;
  const doc::Value& value = member(field);
  if (!value.is_array()) return list;
  for (const doc::Value& one : value.get_array()) list.push_back(doc::scalar_text(one));
  return list;
}

Status may(const objects::ObjectApi* api, const objects::Caller* caller, std::string_view verb, std::string_view ns,
           std::string_view name) {
  if (!api) return {};
  const auto allowed = api->allow(caller, {.verb = verb,
                                           .group = cluster::kWorkflows.group,
                                           .resource = cluster::kWorkflows.plural,
                                           .ns = ns,
                                           .name = name});
  if (!allowed) return std::unexpected(objects::error_of(allowed.error()));
  return {};
}

std::string Work::list_identity() const {
  doc::Object request = call_.request;
  request.erase("fields");
  if (doc::Value* options = request.if_contains("listOptions"); options && options->is_object()) {
    options->get_object().erase("continue");
    options->get_object().erase("limit");
  }
  return call_.method.name + doc::to_json(request);
}

Result<cluster::ListOptions> Work::list_options() const {
  const doc::Value& asked = member("listOptions");
  cluster::ListOptions options;
  options.ns = text("namespace");
  TIPHYS_TRY(options.labels, cluster::Selector::parse(doc::find_string(asked, "labelSelector")));
  TIPHYS_TRY(options.fields, cluster::Selector::parse_fields(doc::find_string(asked, "fieldSelector")));
  if (const doc::Value* limit = doc::find(asked, "limit"); limit && limit->is_int64() && limit->get_int64() > 0) {
    options.limit = static_cast<std::size_t>(limit->get_int64());
  }
  options.continue_token = doc::find_string(asked, "continue");
  return options;
}

void Work::reply_list(std::string_view kind, const doc::Object& metadata, const std::vector<cluster::Object>& items,
                      const FieldFilter& filter) {
  doc::Value list = doc::Object{{"apiVersion", cluster::kWorkflows.api_version()},
                                {"kind", kind},
                                {"metadata", metadata},
                                {"items", doc::Array()}};
  filter.apply(list);
  const bool shows_items = list.get_object().erase("items") > 0;
  std::string text = doc::to_json(list);
  if (!shows_items) return call_.answer->reply_text(std::move(text));
  text.back() = list.get_object().empty() ? '{' : ',';
  if (list.get_object().empty()) text.erase(0, 1);
  text += "\"items\":[";
  for (bool first = true; const cluster::Object& item : items) {
    if (!std::exchange(first, false)) text += ',';
    if (filter.wants_all()) {
      doc::append_json(text, *with_empty_structs(item));
      continue;
    }
    doc::append_json(text, filter.of_object(*item, "items"));
  }
  call_.answer->reply_text(text + "]}");
}

}  // namespace tiphys::argo

#include "oracles/managed_fields.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/check.h"
#include "base/strings.h"
#include "objects/apply.h"
#include "schema/kubernetes.h"

namespace tiphys::oracles {
namespace {

/// The types of tools/oracles/gadget.json: a custom resource with a schema.
const schema::Types& gadget_types() {
  static const schema::Types& types = [] -> const schema::Types& {
    static schema::Types made;
    std::ifstream file(TIPHYS_SOURCE_DIR "/tools/oracles/gadget.json");
    const auto schemas = doc::parse_json(std::string{std::istreambuf_iterator<char>(file), {}});
    TIPHYS_CHECK(schemas && made.add(schemas->get_object()), "gadget.json has schemas");
    return made;
  }();
  return types;
}

struct Kind {
  std::string_view name;
  std::string_view api_version;
  bool status = false;  ///< has the subresource
};
constexpr Kind kKinds[] = {
    {"Deployment", "apps/v1", true},  {"Pod", "v1", true},           {"Service", "v1", true},
    {"Job", "batch/v1", true},        {"CronJob", "batch/v1", true}, {"Role", "rbac.authorization.k8s.io/v1"},
    {"PersistentVolume", "v1", true}, {"ConfigMap", "v1"},           {"Gadget", "example.com/v1", true},
    {"Widget", "example.com/v1"}};

const schema::Type* type_of(const Kind& kind) {
  if (kind.name == "Gadget") return gadget_types().find("com.example.v1.Gadget");
  return kind.name == "Widget" ? nullptr : schema::kubernetes_type(kind.api_version, kind.name);
}

/// The status code of the original; 0 for its plain errors, which become 500.
int status_code(Code code) {
  return code == Code::kAborted ? 409 : code == Code::kInvalidArgument ? 400 : 0;
}

/// The original has several errors in no order.
std::string sorted_errors(const std::string& message) {
  constexpr std::string_view kHead = "errors:\n";
  const auto at = message.find(kHead);
  if (at == message.npos) return message;
  auto lines = split(std::string_view(message).substr(at + kHead.size()), '\n');
  std::ranges::sort(lines);
  const std::vector<std::string> sorted(lines.begin(), lines.end());
  return message.substr(0, at + kHead.size()) + join(sorted, "\n");
}

doc::Value told(const objects::ApplyRefusal& refusal) {
  doc::Object out{{"message", sorted_errors(refusal.error.message)}};
  if (const int code = status_code(refusal.error.code); code != 0) out["code"] = code;
  if (refusal.conflicts.empty()) return out;
  std::vector<doc::Object> causes;
  for (const auto& conflict : refusal.conflicts) {
    causes.push_back(
        {{"reason", objects::ApplyConflict::kReason}, {"message", conflict.message}, {"field", conflict.field}});
  }
  std::ranges::stable_sort(causes, {},
                           [](const doc::Object& cause) { return std::string(cause.at("message").get_string()); });
  out["causes"] = doc::Array(causes.begin(), causes.end());
  return out;
}

}  // namespace

doc::Value write_object(const doc::Object& row) {
  const doc::Value fields(row);
  const auto* kind = std::ranges::find(kKinds, doc::find_string(fields, "kind"), &Kind::name);
  TIPHYS_CHECK(kind != std::end(kKinds), "a row has a kind");
  const auto subresource = doc::find_string(fields, "subresource");
  const objects::FieldWriter writer{
      .manager = doc::find_string(fields, "manager"),
      .api_version = kind->api_version,
      .kind = kind->name,
      .subresource = subresource,
      .time = parse_rfc3339(doc::find_string(fields, "time")).value(),
      .type = type_of(*kind),
      .reset = kind->status ? objects::reset_fields(kind->api_version, kind->name, subresource) : objects::FieldSet()};
  const doc::Value* live = row.if_contains("with");
  doc::Value object = row.at("in");
  if (!row.contains("apply")) {
    objects::track_update(live, object, writer);
    const doc::Value* managers = doc::find(object, "metadata", "managedFields");
    return managers ? *managers : doc::Value();
  }
  auto applied = objects::apply(live, object, writer, row.contains("force"));
  return applied ? std::move(*applied) : told(applied.error());
}

}  // namespace tiphys::oracles

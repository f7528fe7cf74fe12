#include "objects/apply_last_applied.h"

#include <algorithm>
#include <vector>

#include "doc/go_json_string.h"
#include "objects/apply_check.h"
#include "objects/apply_compare.h"
#include "objects/apply_fields.h"

namespace tiphys::objects {
namespace {

constexpr std::string_view kAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
constexpr std::size_t kMostBytes = 256 * 1024;

/// As Go's encoding/json writes it: members by name, escaped for HTML.
void append_sorted(std::string& out, const doc::Value& value) {
  const auto append_text = [&](std::string_view text) { doc::append_go_json_string(text, true, out); };
  if (const auto* text = value.if_string()) return append_text(*text);
  if (const doc::Array* list = value.if_array()) {
    out += '[';
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (i > 0) out += ',';
      append_sorted(out, (*list)[i]);
    }
    out += ']';
    return;
  }
  const doc::Object* object = value.if_object();
  if (!object) return doc::append_json(out, value);
  std::vector<const doc::Object::value_type*> members;
  for (const auto& member : *object) members.push_back(&member);
  std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
  out += '{';
  for (const auto* member : members) {
    if (member != members.front()) out += ',';
    append_text(member->key());
    out += ':';
    append_sorted(out, member->value());
  }
  out += '}';
}

}  // namespace

Result<FieldSet> last_applied_fields(const doc::Value& live, const FieldWriter& writer) {
  const auto text = doc::find_string(live, "metadata", "annotations", kAnnotation);
  if (text.empty()) return fail(Code::kNotFound, "no last applied annotation");
  TIPHYS_TRY(const doc::Value applied, doc::parse_json(text));
  const auto kind = doc::find_string(applied, "kind");
  if (!applied.is_object() || kind.empty() || (writer.type && kind != writer.kind) ||
      doc::find_string(applied, "apiVersion") != writer.api_version) {
    return fail(Code::kInvalidArgument, "the last applied object is of another kind");
  }
  const Shape shape = Shape::of_object(writer.type);
  TIPHYS_CHECK_OK(check_shape(shape, live, Duplicates::kRefused));
  TIPHYS_CHECK_OK(check_shape(shape, applied, Duplicates::kRefused));
  const Changes changes = compare(shape, applied, live);
  return fields_of(shape, applied).minus(changes.modified).minus(changes.added).minus(changes.removed);
}

void refresh_last_applied(doc::Value& object, const doc::Value& config) {
  if (doc::find_string(object, "metadata", "annotations", kAnnotation).empty()) return;
  doc::Value applied = config;
  if (doc::find(applied, "metadata", "annotations", kAnnotation)) {
    applied.at("metadata").at("annotations").as_object().erase(kAnnotation);
  }
  std::string text;
  append_sorted(text, applied);
  text += '\n';
  doc::Object& annotations = object.at("metadata").at("annotations").as_object();
  annotations[kAnnotation] = text;
  std::size_t bytes = 0;
  for (const auto& [name, value] : annotations) {
    bytes += name.size() + (value.is_string() ? value.get_string().size() : 0);
  }
  if (bytes > kMostBytes) annotations.stable_erase(annotations.find(kAnnotation));
}

}  // namespace tiphys::objects

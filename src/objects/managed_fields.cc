#include "objects/managed_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <tuple>
#include <vector>

#include "doc/go_json_string.h"

namespace tiphys::objects {
namespace {

std::int64_t seconds(const std::optional<Time>& time) {
  return time ? std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count() : 0;
}

Result<ManagedEntry> read_entry(const doc::Value& json, std::size_t at) {
  const auto refuse = [&](std::string_view why) {
    return fail(Code::kInvalidArgument, fmt::format("metadata.managedFields[{}]: {}", at, why));
  };
  const auto operation = doc::find_string(json, "operation");
  if (operation != "Apply" && operation != "Update") return refuse("operation must be `Apply` or `Update`");
  ManagedEntry entry{.manager = std::string(doc::find_string(json, "manager")),
                     .applied = operation == "Apply",
                     .api_version = std::string(doc::find_string(json, "apiVersion")),
                     .subresource = std::string(doc::find_string(json, "subresource"))};
  if (entry.api_version.empty()) return refuse("apiVersion must not be empty");
  const auto type = doc::find_string(json, "fieldsType");
  if (type != "FieldsV1") return refuse(fmt::format("fieldsType must be FieldsV1, not \"{}\"", type));
  if (const auto time = doc::find_string(json, "time"); !time.empty()) {
    auto parsed = parse_rfc3339(time);
    if (!parsed) return refuse(parsed.error().message);
    entry.time = *parsed;
  }
  if (const doc::Value* fields = doc::find(json, "fieldsV1"); fields && !fields->is_null()) {
    auto parsed = FieldSet::parse(*fields);
    if (!parsed) return refuse(parsed.error().message);
    entry.fields = std::move(*parsed);
  }
  return entry;
}

doc::Object write_entry(const ManagedEntry& entry) {
  doc::Object json;
  json.reserve(7);
  if (!entry.manager.empty()) json.emplace("manager", entry.manager);
  json.emplace("operation", entry.applied ? "Apply" : "Update");
  json.emplace("apiVersion", entry.api_version);
  if (entry.time) json.emplace("time", format_rfc3339(*entry.time));
  json.emplace("fieldsType", "FieldsV1");
  json.emplace("fieldsV1", entry.fields.to_json());
  if (!entry.subresource.empty()) json.emplace("subresource", entry.subresource);
  return json;
}

bool comes_before(const ManagedEntry* left, const ManagedEntry* right) {
  const auto key = [](const ManagedEntry& entry) {
    return std::tuple(!entry.applied, seconds(entry.time), std::string_view(entry.manager),
                      std::string_view(entry.api_version), std::string_view(entry.subresource));
  };
  return key(*left) < key(*right);
}

/// Equal but for the members of this path.
bool same_but_for(const doc::Value& left, const doc::Value& right, std::string_view name, std::string_view inner) {
  const doc::Object* ours = left.if_object();
  const doc::Object* theirs = right.if_object();
  if (!ours || !theirs) return same_value(left, right);
  return ours->size() == theirs->size() && std::ranges::all_of(*ours, [&](const auto& member) {
           const doc::Value* other = theirs->if_contains(member.key());
           if (!other) return false;
           if (member.key() != name) return same_value(member.value(), *other);
           return inner.empty() || same_but_for(member.value(), *other, inner, "");
         });
}

}  // namespace

std::string ManagedEntry::id() const {
  std::string out = "{";
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (out.size() > 1) out += ',';
    doc::append_go_json_string(name, false, out);
    out += ':';
    doc::append_go_json_string(value, true, out);
  };
  add("manager", manager);
  add("operation", applied ? "Apply" : "Update");
  if (!applied) add("apiVersion", api_version);
  add("subresource", subresource);
  return out + "}";
}

Result<ManagedFields> read_managed_fields(const doc::Value& object) {
  ManagedFields managed;
  const doc::Value* list = doc::find(object, "metadata", "managedFields");
  if (!list || list->is_null()) return managed;
  if (!list->is_array()) return fail(Code::kInvalidArgument, "metadata.managedFields: must be a list");
  std::size_t at = 0;
  for (const doc::Value& json : list->get_array()) {
    TIPHYS_TRY(ManagedEntry entry, read_entry(json, at++));
    std::string id = entry.id();
    managed.insert_or_assign(std::move(id), std::move(entry));
  }
  return managed;
}

void write_managed_fields(doc::Value& object, const ManagedFields& managed) {
  if (managed.empty()) return remove_managed_fields(object);
  std::vector<const ManagedEntry*> entries;
  entries.reserve(managed.size());
  for (const auto& [id, entry] : managed) entries.push_back(&entry);
  std::ranges::stable_sort(entries, comes_before);
  doc::Array list;
  list.reserve(entries.size());
  for (const ManagedEntry* entry : entries) list.emplace_back(write_entry(*entry));
  doc::ensure_object(object.as_object(), "metadata")["managedFields"] = std::move(list);
}

void remove_managed_fields(doc::Value& object) {
  doc::Object* whole = object.if_object();
  doc::Value* metadata = whole ? whole->if_contains("metadata") : nullptr;
  doc::Object* members = metadata ? metadata->if_object() : nullptr;
  if (!members) return;
  if (const auto found = members->find("managedFields"); found != members->end()) members->stable_erase(found);
}

bool differs_in_times_only(const doc::Value& live, const doc::Value& object) {
  const doc::Value* before = doc::find(live, "metadata", "managedFields");
  const doc::Value* after = doc::find(object, "metadata", "managedFields");
  if (!before || !after || !before->is_array() || !after->is_array()) return false;
  const auto same = [](const doc::Value& left, const doc::Value& right) {
    return same_but_for(left, right, "time", "");
  };
  return std::ranges::equal(before->get_array(), after->get_array(), same) &&
         same_but_for(live, object, "metadata", "managedFields");
}

}  // namespace tiphys::objects

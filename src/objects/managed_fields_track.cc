#include "objects/managed_fields_track.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "objects/apply_check.h"
#include "objects/apply_fields.h"
#include "schema/kubernetes.h"

namespace tiphys::objects {
namespace {

constexpr std::size_t kMostUpdaters = 10;
constexpr std::string_view kOld = "ancient-changes";

/// Merges the oldest entries of updates until no more than ten are left: each version has one entry for what is old.
/// The original's order of steps, in which an entry for old changes that is itself among the oldest is lost when one of
/// its version is older.
void cap(ManagedFields& managed) {
  std::vector<std::string> updaters;
  for (const auto& [id, entry] : managed) {
    if (!entry.applied) updaters.push_back(id);
  }
  if (updaters.size() <= kMostUpdaters) return;
  const auto age = [&](const std::string& id) {
    const auto& time = managed.at(id).time;
    return time ? std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count() : 0;
  };
  std::ranges::stable_sort(updaters, {}, age);  // by id where they are of one age
  std::map<std::string, std::string, std::less<>> first;
  std::size_t left = updaters.size();
  for (std::size_t i = 0; i < updaters.size() && left > kMostUpdaters; ++i) {
    const ManagedEntry merged = managed.at(updaters[i]);
    const auto [oldest, is_oldest] = first.try_emplace(merged.api_version, updaters[i]);
    if (is_oldest) continue;
    ManagedEntry bucket{.manager = std::string(kOld), .api_version = merged.api_version};
    const std::string id = bucket.id();
    if (!managed.contains(id)) {
      bucket.fields = std::move(managed.at(oldest->second).fields);
      managed.erase(oldest->second);
      managed.emplace(id, std::move(bucket));
    }
    ManagedEntry& old = managed.at(id);
    old.fields = old.fields.plus(merged.fields);
    old.time = merged.time;
    managed.erase(updaters[i]);
    --left;
  }
}

/// Whether a client wants all managers forgotten: an empty list, or one with one empty entry.
bool is_reset(const doc::Value& object) {
  const doc::Value* list = doc::find(object, "metadata", "managedFields");
  if (!list || !list->is_array()) return false;
  const doc::Array& entries = list->get_array();
  return entries.empty() || (entries.size() == 1 && entries[0].is_object() && entries[0].get_object().empty());
}

/// The zero value of a struct: the structs in it, and what is written even when it is not set.
doc::Object zero(const schema::Type& type) {
  doc::Object out;
  for (const schema::Field& field : type.fields) {
    const bool has_object = field.otherwise && field.otherwise->is_object();
    if (has_object && field.type->form == schema::Type::Form::kObject) {
      out.emplace(field.name, zero(*field.type));
    } else if (std::ranges::find(type.required, field.name) != type.required.end()) {
      out.emplace(field.name, field.otherwise && !has_object ? *field.otherwise : doc::Value());
    }
  }
  return out;
}

ManagedFields managers_before(const doc::Value* live, const doc::Value& object, const FieldWriter& writer) {
  // A subresource cannot set them.
  if (writer.subresource.empty()) {
    if (is_reset(object)) return {};
    auto sent = read_managed_fields(object);
    if (sent && !sent->empty()) return std::move(*sent);
  }
  if (!live) return {};
  auto known = read_managed_fields(*live);
  return known ? std::move(*known) : ManagedFields();
}

}  // namespace

ManagedFields current(ManagedFields managed, const Shape& shape, const FieldWriter& writer) {
  if (!writer.alike) {
    std::erase_if(managed, [&](const auto& entry) { return entry.second.api_version != writer.api_version; });
  }
  for (auto& [id, entry] : managed) entry.fields = reconciled(shape, entry.fields);
  return managed;
}

std::map<std::string, FieldSet> taken(const ManagedFields& managed, const Changes& changes, std::string_view but) {
  std::map<std::string, FieldSet> out;
  const FieldSet written = changes.modified.plus(changes.added);
  for (const auto& [id, entry] : managed) {
    if (id == but) continue;
    FieldSet fields = entry.fields.common(written);
    if (!fields.empty()) out.emplace(id, std::move(fields));
  }
  return out;
}

void take(ManagedFields& managed, const std::map<std::string, FieldSet>& taken, const Changes& changes,
          std::string_view but) {
  for (const auto& [id, fields] : taken) managed.at(id).fields = managed.at(id).fields.minus(fields);
  if (!changes.removed.empty()) {
    for (auto& [id, entry] : managed) {
      if (id != but) entry.fields = entry.fields.minus(changes.removed);
    }
  }
  std::erase_if(managed, [](const auto& entry) { return entry.second.fields.empty(); });
}

const FieldSet& unowned() {
  static const FieldSet fields{{"apiVersion"},
                               {"kind"},
                               {"metadata"},
                               {"metadata", "name"},
                               {"metadata", "namespace"},
                               {"metadata", "creationTimestamp"},
                               {"metadata", "selfLink"},
                               {"metadata", "uid"},
                               {"metadata", "clusterName"},
                               {"metadata", "generation"},
                               {"metadata", "managedFields"},
                               {"metadata", "resourceVersion"}};
  return fields;
}

Changes compare_for(const FieldWriter& writer, const Shape& shape, const doc::Value& before, const doc::Value& after) {
  Changes changes = compare(shape, before, after);
  if (writer.reset.empty()) return changes;
  return {.removed = changes.removed.minus_below(writer.reset),
          .modified = changes.modified.minus_below(writer.reset),
          .added = changes.added.minus_below(writer.reset)};
}

ManagedEntry entry_of(const FieldWriter& writer, bool applied) {
  return {.manager = writer.manager.empty() ? "unknown" : std::string(writer.manager),
          .applied = applied,
          .api_version = std::string(writer.api_version),
          .subresource = std::string(writer.subresource)};
}

doc::Value nothing_yet(const FieldWriter& writer) {
  const schema::Type* type = writer.type;
  const bool built_in = type && !type->name.empty() && schema::kubernetes_types().find(type->name) == type;
  doc::Object object = built_in ? zero(*type) : doc::Object();
  object["apiVersion"] = writer.api_version;
  object["kind"] = writer.kind;
  for (const auto& [name, value] : writer.empty) object[name] = value;
  return object;
}

Result<ManagedFields> updated(ManagedFields managed, const doc::Value& before, const doc::Value& after,
                              const FieldWriter& writer) {
  const Shape shape = Shape::of_object(writer.type);
  TIPHYS_CHECK_OK(check_shape(shape, after, Duplicates::kAllowed));
  TIPHYS_CHECK_OK(check_shape(shape, before, Duplicates::kAllowed));
  ManagedFields out = current(std::move(managed), shape, writer);
  const Changes changes = compare_for(writer, shape, before, after);
  // The writer's own entry, too, loses what changed: it gets it anew, with a new time.
  take(out, taken(out, changes, ""), changes, "");
  FieldSet written = changes.modified.plus(changes.added).minus_below(writer.reset).minus(unowned());
  if (!written.empty()) {
    ManagedEntry entry = entry_of(writer, false);
    ManagedEntry& own = out.try_emplace(entry.id(), std::move(entry)).first->second;
    own.fields = own.fields.empty() ? std::move(written) : written.plus(own.fields);
    own.time = writer.time;
  }
  cap(out);
  return out;
}

void track_update(const doc::Value* live, doc::Value& object, const FieldWriter& writer) {
  ManagedFields managed = managers_before(live, object, writer);
  remove_managed_fields(object);
  // Nobody has been tracked so far, and nobody is until it is applied.
  if (managed.empty() && live) return;
  const doc::Value nothing = live ? doc::Value() : nothing_yet(writer);
  const auto after = updated(std::move(managed), live ? *live : nothing, object, writer);
  if (after) write_managed_fields(object, *after);
}

FieldSet reset_fields(std::string_view api_version, std::string_view kind, std::string_view subresource) {
  if (subresource.empty()) return {{"status"}};
  if (subresource != "status") return {};
  if (api_version == "v1" && kind == "Pod") {
    return {{"spec"}, {"metadata", "deletionTimestamp"}, {"metadata", "ownerReferences"}};
  }
  if (api_version == "apps/v1" && kind == "Deployment") return {{"spec"}, {"metadata", "labels"}};
  return {{"spec"}};
}

}  // namespace tiphys::objects

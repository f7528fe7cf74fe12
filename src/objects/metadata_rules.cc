#include <fmt/format.h>

#include <algorithm>

#include "base/time.h"
#include "doc/truth.h"
#include "objects/kind_rules.h"
#include "objects/names.h"
#include "schema/path.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::invalid;

constexpr std::size_t kMostAnnotationBytes = 256 * 1024;

Complaints name_complaints(const cluster::Resource& resource, std::string_view name) {
  if (&resource == &cluster::kNamespaces) return dns_label(name);
  if (&resource == &cluster::kServices) return dns_1035_label(name);
  if (resource.group == "rbac.authorization.k8s.io") return path_segment(name);
  return dns_subdomain(name);
}

void add(FieldErrors& errors, const std::string& field, const doc::Value& value, const Complaints& complaints) {
  for (const std::string& complaint : complaints) errors.push_back(invalid(field, value, complaint));
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return made;
}

void check_labels(const doc::Value& metadata, FieldErrors& errors) {
  const doc::Value* labels = doc::find(metadata, "labels");
  if (!labels || !labels->is_object()) return;
  for (const auto& [key, value] : labels->get_object()) {
    add(errors, "metadata.labels", doc::Value(key), qualified_name(key));
    if (const auto* text = value.if_string()) add(errors, "metadata.labels", value, label_value(*text));
  }
}

void check_annotations(const doc::Value& metadata, FieldErrors& errors) {
  const doc::Value* annotations = doc::find(metadata, "annotations");
  if (!annotations || !annotations->is_object()) return;
  std::size_t bytes = 0;
  for (const auto& [key, value] : annotations->get_object()) {
    add(errors, "metadata.annotations", doc::Value(key), qualified_name(lower(key)));
    bytes += key.size() + (value.is_string() ? value.get_string().size() : 0);
  }
  if (bytes > kMostAnnotationBytes) {
    errors.push_back({schema::FieldError::Kind::kTooLong, "metadata.annotations",
                      fmt::format("Too long: may not be more than {} bytes", kMostAnnotationBytes)});
  }
}

void check_owners(const doc::Value& metadata, FieldErrors& errors) {
  const doc::Value* owners = doc::find(metadata, "ownerReferences");
  if (!owners || !owners->is_array()) return;
  std::vector<std::string> controllers;
  for (const doc::Value& owner : owners->get_array()) {
    const std::string at = "metadata.ownerReferences";
    for (const std::string_view member : {"apiVersion", "kind", "name", "uid"}) {
      if (!doc::find_string(owner, member).empty()) continue;
      const std::string_view why = member == "apiVersion" ? "version must not be empty" : "must not be empty";
      errors.push_back(invalid(fmt::format("{}.{}", at, member), "", why));
    }
    const auto version = doc::find_string(owner, "apiVersion");
    if (std::ranges::count(version, '/') > 1) {
      errors.push_back(invalid(at + ".apiVersion", doc::Value(version), "version must not be empty"));
    }
    if (version == "v1" && doc::find_string(owner, "kind") == "Event") {
      errors.push_back(invalid(at, owner, "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (!doc::is_true(owner, "controller")) continue;
    controllers.push_back(fmt::format("{}/{}", doc::find_string(owner, "kind"), doc::find_string(owner, "name")));
  }
  if (controllers.size() > 1) {
    errors.push_back(invalid("metadata.ownerReferences", *owners,
                             fmt::format("Only one reference can have Controller set to true. Found \"true\" in "
                                         "references for {} and {}",
                                         controllers[0], controllers[1])));
  }
}

std::vector<std::string_view> finalizers_of(const doc::Value& object) {
  std::vector<std::string_view> names;
  const doc::Value* finalizers = doc::find(object, "metadata", "finalizers");
  if (!finalizers || !finalizers->is_array()) return names;
  for (const doc::Value& name : finalizers->get_array()) {
    if (name.is_string()) names.push_back(name.get_string());
  }
  return names;
}

/// Kubernetes' own words, and whatever has somebody's name before it.
bool is_finalizer(std::string_view name) {
  return name.find('/') != name.npos || name == "orphan" || name == "foregroundDeletion" || name == "kubernetes";
}

}  // namespace

void check_metadata(const cluster::Resource& resource, const doc::Value& object, FieldErrors& errors) {
  static const doc::Value kNothing = doc::Object();
  const doc::Value* found = doc::find(object, "metadata");
  const doc::Value& metadata = found ? *found : kNothing;
  if (const auto prefix = doc::find_string(metadata, "generateName"); !prefix.empty()) {
    // What follows the prefix makes an end of it.
    add(errors, "metadata.generateName", doc::Value(prefix), name_complaints(resource, std::string(prefix) + "a"));
  }
  if (const auto name = doc::find_string(metadata, "name"); !name.empty()) {
    add(errors, "metadata.name", doc::Value(name), name_complaints(resource, name));
  } else if (doc::find_string(metadata, "generateName").empty()) {
    errors.push_back(schema::required("metadata.name", "name or generateName is required"));
  }
  check_labels(metadata, errors);
  check_annotations(metadata, errors);
  check_owners(metadata, errors);
  std::size_t i = 0;
  for (const std::string_view name : finalizers_of(object)) {
    add(errors, "metadata.finalizers", doc::Value(name), qualified_name(name));
    const std::string at = fmt::format("metadata.finalizers[{}]", i++);
    if (resource.group.empty() && !is_finalizer(name)) {
      errors.push_back(
          invalid(at, doc::Value(name), "name is neither a standard finalizer name nor is it fully qualified"));
    }
  }
}

void check_metadata_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  for (const std::string_view member : {"name", "namespace", "uid"}) {
    const auto given = doc::find_string(after, "metadata", member);
    const auto known = doc::find_string(before, "metadata", member);
    if (given.empty() || given == known) continue;
    errors.push_back(invalid(fmt::format("metadata.{}", member), doc::Value(given), "field is immutable"));
  }
  if (doc::find_string(before, "metadata", "deletionTimestamp").empty()) return;
  const auto old = finalizers_of(before);
  for (const std::string_view name : finalizers_of(after)) {
    if (std::ranges::find(old, name) != old.end()) continue;
    errors.push_back(schema::forbidden("metadata.finalizers",
                                       fmt::format("no new finalizers can be added if the object is being deleted, "
                                                   "found new finalizers []string{{\"{}\"}}",
                                                   name)));
  }
}

}  // namespace tiphys::objects

// What Kubernetes would refuse of the pods, volumes and labels that a workflow asks for.
#include <fmt/format.h>

#include <algorithm>

#include "api/validator.h"
#include "base/strings.h"
#include "doc/nulls.h"
#include "doc/truth.h"
#include "podspec/parts.h"

namespace tiphys::api {
namespace {

using schema::FieldError;
using schema::FieldErrors;
using schema::Path;

/// Of a spec or a template: where and as whom its pods run.
constexpr std::string_view kPlacement[] = {"securityContext", "nodeSelector", "hostAliases", "tolerations",
                                           "affinity",        "dnsPolicy",    "dnsConfig",   "serviceAccountName"};

bool holds_tag(const doc::Value& value) {
  return doc::to_json(value).find("{{") != std::string::npos;
}

/// What a path (".env[0].name", ".limits[nvidia.com/gpu]") leads to.
struct Found {
  std::string pointer;
  const doc::Value* value;  ///< the last one on the way that is there
  bool whole = true;        ///< the way is there to its end
};

Found follow(const doc::Value& document, std::string_view path) {
  Found found{"", &document};
  while (!path.empty()) {
    const bool bracket = path.front() == '[';
    const auto end = bracket ? path.find(']') : path.find_first_of(".[", 1);
    const std::string_view step = path.substr(1, end == path.npos ? path.npos : end - 1);
    const doc::Value* next = nullptr;
    if (const doc::Object* object = found.value->if_object()) {
      next = object->if_contains(step);
    } else if (const doc::Array* list = found.value->if_array(); list && bracket) {
      const auto index = static_cast<std::size_t>(std::atoll(std::string(step).c_str()));
      next = index < list->size() ? &(*list)[index] : nullptr;
    }
    if (!next) {
      found.whole = false;
      return found;
    }
    found.pointer += doc::pointer_step(step);
    found.value = next;
    path = end == path.npos ? "" : path.substr(bracket ? end + 1 : end);
  }
  return found;
}

/// " is required", ": must specify a handler type", ": Invalid value: ..."
std::string words_of(const FieldError& error) {
  std::string_view message = error.message;
  constexpr std::string_view kRequired = "Required value";
  if (!message.starts_with(kRequired)) return fmt::format(": {}", message);
  message.remove_prefix(kRequired.size());
  return message.empty() ? " is required" : std::string(message);
}

/// One is the other, or above it.
bool on_one_way(std::string_view one, std::string_view other) {
  const auto& [shorter, longer] = one.size() < other.size() ? std::pair(one, other) : std::pair(other, one);
  return longer.starts_with(shorter) && (longer.size() == shorter.size() || longer[shorter.size()] == '/');
}

}  // namespace

void Validator::add_errors(const FieldErrors& errors, const doc::Value& document, const Spot& spot) {
  for (const FieldError& each : errors) {
    const Found found =
        follow(document, std::string_view(each.field).substr(std::min(spot.name.size(), each.field.size())));
    // A tag may stand for what is right.
    if ((found.whole || each.kind != FieldError::Kind::kRequired) && holds_tag(*found.value)) continue;
    const std::string pointer = spot.pointer + found.pointer;
    const auto told = [&](const Finding& other) {
      return other.is_error() && other.pointer.size() > spot.pointer.size() && on_one_way(other.pointer, pointer);
    };
    if (std::ranges::any_of(findings_, told)) continue;
    error(pointer, each.field + words_of(each), !found.whole);
  }
}

void Validator::check_container(const Template& tmpl, const doc::Value& written, const Spot& spot, bool init) {
  if (!written.is_object()) return;
  const std::string text = doc::to_json(written);
  const auto says = [&](std::string_view word) { return text.find(word) != std::string::npos; };
  // It may hold a long script: hardly one has nulls.
  doc::Value without_nulls;
  const bool has_nulls = says("null");
  if (has_nulls) doc::drop_nulls(without_nulls = written);
  const doc::Value& container = has_nulls ? without_nulls : written;
  // Only keys of files ask for volumes.
  doc::Value volumes;
  if (says("\"fileKeyRef\"")) volumes = pod_volumes(tmpl);
  FieldErrors errors;
  const podspec::ContainerPlace place{init, doc::is_true(*workflow_.spec.document, "hostNetwork"), &volumes};
  const Path root;
  const Path at = root.field(spot.name);
  podspec::check_container_parts(container, place, at, errors);
  const Path mounts = at.field("volumeMounts");
  podspec::each_element(container, "volumeMounts", at,
                        [&](const doc::Value& mount, const Path&) { podspec::check_sub_path(mount, mounts, errors); });
  add_errors(errors, container, spot);
}

/// All that the template's pods may mount, the template's own before the workflow's.
doc::Value Validator::pod_volumes(const Template& tmpl) const {
  doc::Array all;
  for (const doc::Value* holder : {&*tmpl.document, &*workflow_.spec.document}) {
    const doc::Value* volumes = doc::find(*holder, "volumes");
    if (!volumes || !volumes->is_array()) continue;
    all.insert(all.end(), volumes->get_array().begin(), volumes->get_array().end());
  }
  return all;
}

void Validator::check_container_name(std::string_view name, const Spot& spot) {
  if (name.empty() || has_tag(name)) return;
  for (const std::string& complaint : podspec::dns_label(name)) {
    error(spot.pointer, fmt::format("{} \"{}\": {}", spot.name, name, complaint));
  }
}

void Validator::check_pods(const doc::Value& holder, std::string_view metadata, const Spot& spot) {
  check_volumes(holder, spot);
  doc::Object placement;
  for (const std::string_view field : kPlacement) {
    if (const doc::Value* value = doc::find(holder, field)) placement.emplace(field, *value);
  }
  FieldErrors errors;
  const Path root;
  podspec::check_placement(placement, root.field(spot.name), errors);
  add_errors(errors, holder, spot);
  for (const char* field : {"priorityClassName", "podPriorityClassName"}) {
    const std::string_view name = doc::find_string(holder, field);
    if (name.empty() || has_tag(name)) continue;
    for (const std::string& why : podspec::dns_subdomain(name)) {
      error(fmt::format("{}/{}", spot.pointer, field), fmt::format("{}.{} \"{}\": {}", spot.name, field, name, why));
    }
  }
  check_patch(holder, spot);
  lint_account(holder, spot);
  if (const doc::Value* given = doc::find(holder, metadata)) {
    check_labels(*given, {fmt::format("{}/{}", spot.pointer, metadata), fmt::format("{}.{}", spot.name, metadata)},
                 findings_);
  }
}

void Validator::check_volumes(const doc::Value& holder, const Spot& spot) {
  std::set<std::string, std::less<>> names;
  const auto check_name = [&](std::string_view name, const std::string& pointer, const std::string& at) {
    if (name.empty() || has_tag(name)) return;
    if (!names.insert(std::string(name)).second) {
      return error(pointer, fmt::format("{}: there is a volume \"{}\" already", at, name));
    }
    for (const std::string& complaint : podspec::dns_label(name)) {
      error(pointer, fmt::format("{} \"{}\": {}", at, name, complaint));
    }
  };
  const Path root;
  const Path base = root.field(spot.name);
  FieldErrors errors;
  podspec::each_element(holder, "volumes", base, [&](const doc::Value& volume, const Path& at) {
    const std::string text = at.text();
    const std::string pointer = spot.pointer + follow(holder, std::string_view(text).substr(spot.name.size())).pointer;
    check_name(doc::find_string(volume, "name"), pointer + "/name", text + ".name");
    podspec::check_volume_source(volume, at, errors);
  });
  podspec::each_element(holder, "volumeClaimTemplates", base, [&](const doc::Value& claim, const Path& at) {
    const std::string text = at.text();
    const std::string pointer = spot.pointer + follow(holder, std::string_view(text).substr(spot.name.size())).pointer;
    check_name(doc::find_string(claim, "metadata", "name"), pointer + "/metadata/name", text + ".metadata.name");
  });
  add_errors(errors, holder, spot);
}

void check_labels(const doc::Value& metadata, const Spot& spot, std::vector<Finding>& findings) {
  const auto complain = [&](const char* kind, std::string_view key, bool at_key, const std::string& why) {
    findings.push_back({Finding::Severity::kError, fmt::format("{}/{}{}", spot.pointer, kind, doc::pointer_step(key)),
                        at_key, fmt::format("{}.{}[{}]: {}", spot.name, kind, key, why)});
  };
  for (const char* kind : {"labels", "annotations"}) {
    const doc::Value* members = doc::find(metadata, kind);
    if (!members || !members->is_object()) continue;
    const bool labels = std::string_view(kind) == "labels";
    for (const auto& [key, value] : members->get_object()) {
      if (!has_tag(key)) {
        for (const std::string& why : podspec::qualified_name(key)) complain(kind, key, true, why);
      }
      const auto* text = value.if_string();
      if (!labels || !text || has_tag(*text)) continue;
      for (const std::string& why : podspec::label_value(*text)) complain(kind, key, false, why);
    }
  }
}

}  // namespace tiphys::api

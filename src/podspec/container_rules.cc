#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/quantity.h"
#include "podspec/parts.h"

namespace tiphys::podspec {
namespace {

using schema::FieldErrors;
using schema::Path;

constexpr std::array<std::string_view, 5> kSources{"fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef",
                                                   "fileKeyRef"};
constexpr std::array<std::string_view, 4> kHandlers{"exec", "httpGet", "tcpSocket", "grpc"};
constexpr std::array<std::string_view, 5> kPlainFields{"metadata.name", "metadata.namespace", "metadata.uid",
                                                       "spec.nodeName", "spec.serviceAccountName"};

bool is_field(std::string_view path) {
  if (std::ranges::find(kPlainFields, path) != kPlainFields.end()) return true;
  return path.starts_with("status.hostIP") || path.starts_with("status.podIP") ||
         path.starts_with("metadata.labels[") || path.starts_with("metadata.annotations[");
}

void require(const doc::Value& object, std::string_view key, const Path& at, FieldErrors& errors) {
  if (doc::find_string(object, key).empty()) errors.push_back(schema::required(at.field(key).text()));
}

void check_port_number(const doc::Value& action, const Path& at, FieldErrors& errors) {
  if_there(action, "port", at, [&](const doc::Value& port, const Path& here) {
    if (port.is_string()) return complain(port, here, port_name(port.get_string()), errors);
    const std::int64_t number = port.is_int64() ? port.get_int64() : 0;
    if (number < 1 || number > 65535) {
      errors.push_back(schema::invalid(here.text(), port, "must be between 1 and 65535, inclusive"));
    }
  });
}

/// Exactly one way in which something is done or asked.
void check_handler(const doc::Value& action, const Path& at, FieldErrors& errors) {
  std::size_t found = 0;
  for (const std::string_view handler : kHandlers) {
    if_there(action, handler, at, [&](const doc::Value& one, const Path& here) {
      if (++found > 1) {
        return errors.push_back(schema::forbidden(here.text(), "may not specify more than 1 handler type"));
      }
      if (handler == "exec") {
        const doc::Value* command = doc::find(one, "command");
        const bool empty = !command || !command->is_array() || command->get_array().empty();
        if (empty) errors.push_back(schema::required(here.field("command").text()));
      } else {
        check_port_number(one, here, errors);
      }
    });
  }
  if (doc::find(action, "sleep")) ++found;
  if (found == 0) errors.push_back(schema::required(at.text(), "must specify a handler type"));
}

void check_probe(const doc::Value& probe, bool ends_it, const Path& at, FieldErrors& errors) {
  check_handler(probe, at, errors);
  for (const char* member :
       {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}) {
    if_there(probe, member, at, [&](const doc::Value& number, const Path& here) {
      if (number.is_int64() && number.get_int64() < 0) {
        errors.push_back(schema::invalid(here.text(), number, "must be greater than or equal to 0"));
      }
    });
  }
  const doc::Value* successes = doc::find(probe, "successThreshold");
  if (ends_it && successes && successes->is_int64() && successes->get_int64() != 1) {
    errors.push_back(schema::invalid(at.field("successThreshold").text(), *successes, "must be 1"));
  }
}

std::string shown(const doc::Value& quantity) {
  return doc::scalar_text(quantity);
}

bool is_standard(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-");
}

void check_amounts(const doc::Value& amounts, const Path& at, FieldErrors& errors) {
  if (!amounts.is_object()) return;
  for (const auto& [name, quantity] : amounts.get_object()) {
    const Path here = at.key(name);
    if (!is_standard(name) && name.find('/') == name.npos) {
      const doc::Value value(name);
      errors.push_back(schema::invalid(here.text(), value, "must be a standard resource type or fully qualified"));
      errors.push_back(schema::invalid(here.text(), value, "must be a standard resource for containers"));
    }
    const auto amount = parse_quantity(shown(quantity));
    if (amount && *amount < 0) {
      errors.push_back(schema::invalid(here.text(), doc::Value(shown(quantity)), "must be greater than or equal to 0"));
    }
  }
}

const doc::Value* find_volume(const doc::Value* volumes, std::string_view name) {
  if (!volumes || !volumes->is_array()) return nullptr;
  const auto& list = volumes->get_array();
  const auto found =
      std::ranges::find_if(list, [&](const doc::Value& one) { return doc::find_string(one, "name") == name; });
  return found == list.end() ? nullptr : &*found;
}

/// A key of a file in an emptyDir of the pod.
void check_file_key(const doc::Value& reference, const doc::Value* volumes, const Path& at, FieldErrors& errors) {
  for (const char* member : {"volumeName", "path", "key"}) require(reference, member, at, errors);
  const auto path = doc::find_string(reference, "path");
  if (path.starts_with('/')) {
    errors.push_back(schema::invalid(at.field("path").text(), doc::Value(path), "must be a relative path"));
  } else if (has_dots(path)) {
    errors.push_back(schema::invalid(at.field("path").text(), doc::Value(path), "must not contain '..'"));
  }
  const auto name = doc::find_string(reference, "volumeName");
  if (name.empty()) return;
  const doc::Value* volume = find_volume(volumes, name);
  if (!volume) {
    errors.push_back({schema::FieldError::Kind::kNotFound, at.field("volumeName").text(),
                      "Not found: " + doc::to_json(doc::Value(name))});
  } else if (!doc::find(*volume, "emptyDir")) {
    errors.push_back(
        schema::invalid(at.field("volumeName").text(), doc::Value(name), "referenced volume must be of type emptyDir"));
  }
}

}  // namespace

void check_variable_source(const doc::Value& variable, const doc::Value* volumes, const Path& at, FieldErrors& errors) {
  const doc::Value* source = doc::find(variable, "valueFrom");
  if (!source || !source->is_object()) return;
  const Path here = at.field("valueFrom");
  std::size_t found = 0;
  for (const std::string_view one : kSources) found += doc::find(*source, one) != nullptr;
  if (found == 0) {
    errors.push_back(schema::invalid(
        here.text(), "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"));
  }
  if (!doc::find_string(variable, "value").empty()) {
    if (found > 0) {
      errors.push_back(schema::invalid(here.text(), "", "may not be specified when `value` is not empty"));
    }
  } else if (found > 1) {
    errors.push_back(schema::invalid(here.text(), "", "may not have more than one field specified at a time"));
  }
  if_there(*source, "fieldRef", here, [&](const doc::Value& field, const Path& place) {
    const auto path = doc::find_string(field, "fieldPath");
    if (path.empty()) return require(field, "fieldPath", place, errors);
    if (is_field(path)) return;
    errors.push_back(schema::invalid(place.field("fieldPath").text(), doc::Value(path),
                                     fmt::format("error converting fieldPath: field label not supported: {}", path)));
  });
  if_there(*source, "resourceFieldRef", here, [&](const doc::Value& field, const Path& place) {
    const auto resource = doc::find_string(field, "resource");
    if (resource.empty()) return require(field, "resource", place, errors);
    if (resource.find("hugepages-") != resource.npos) return;
    check_choice(field, "resource",
                 {"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu",
                  "requests.ephemeral-storage", "requests.memory"},
                 place, errors);
  });
  for (const char* member : {"configMapKeyRef", "secretKeyRef"}) {
    if_there(*source, member, here,
             [&](const doc::Value& key, const Path& place) { require(key, "key", place, errors); });
  }
  if_there(*source, "fileKeyRef", here,
           [&](const doc::Value& key, const Path& place) { check_file_key(key, volumes, place, errors); });
}

void check_env_from(const doc::Value& container, const Path& at, FieldErrors& errors) {
  const doc::Value* sources = doc::find(container, "envFrom");
  if (!sources || !sources->is_array()) return;
  for (const doc::Value& source : sources->get_array()) {
    if (doc::find(source, "configMapRef") || doc::find(source, "secretRef")) continue;
    errors.push_back(
        schema::invalid(at.field("envFrom").text(), "", "must specify one of: `configMapRef` or `secretRef`"));
  }
}

void check_probes(const doc::Value& container, bool init, const Path& at, FieldErrors& errors) {
  const bool sidecar = doc::find_string(container, "restartPolicy") == "Always";
  if_there(container, "lifecycle", at, [&](const doc::Value& lifecycle, const Path& here) {
    for (const char* hook : {"postStart", "preStop"}) {
      if_there(lifecycle, hook, here,
               [&](const doc::Value& action, const Path& place) { check_handler(action, place, errors); });
    }
  });
  for (const std::string_view name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    if_there(container, name, at, [&](const doc::Value& probe, const Path& here) {
      if (init && !sidecar) {
        return errors.push_back(
            schema::forbidden(here.text(), "may not be set for init containers without restartPolicy=Always"));
      }
      check_probe(probe, name != "readinessProbe", here, errors);
    });
  }
}

void check_resources(const doc::Value& container, const Path& at, FieldErrors& errors) {
  const doc::Value* resources = doc::find(container, "resources");
  if (!resources || !resources->is_object()) return;
  const Path here = at.field("resources");
  for (const char* member : {"limits", "requests"}) {
    if_there(*resources, member, here,
             [&](const doc::Value& amounts, const Path& place) { check_amounts(amounts, place, errors); });
  }
  const doc::Value* requests = doc::find(*resources, "requests");
  if (!requests || !requests->is_object()) return;
  for (const auto& [name, quantity] : requests->get_object()) {
    const doc::Value* limit = doc::find(*resources, "limits", name);
    if (!limit) continue;
    const auto most = parse_quantity(shown(*limit)), asked = parse_quantity(shown(quantity));
    if (!most || !asked || *asked <= *most) continue;
    errors.push_back(schema::invalid(
        here.field("requests").text(), doc::Value(shown(quantity)),
        fmt::format("must be less than or equal to {} limit of {}", std::string_view(name), shown(*limit))));
  }
}

void check_sub_path(const doc::Value& mount, const Path& mounts, FieldErrors& errors) {
  for (const char* member : {"subPath", "subPathExpr"}) {
    const auto path = doc::find_string(mount, member);
    if (path.empty()) continue;
    if (path.starts_with('/')) {
      errors.push_back(schema::invalid(mounts.field(member).text(), doc::Value(path), "must be a relative path"));
    } else if (has_dots(path)) {
      errors.push_back(schema::invalid(mounts.field(member).text(), doc::Value(path), "must not contain '..'"));
    }
  }
}

}  // namespace tiphys::podspec

#include "podspec/pod_spec.h"

#include <algorithm>
#include <set>

#include "doc/truth.h"
#include "podspec/parts.h"

namespace tiphys::podspec {
namespace {

using schema::FieldErrors;
using schema::Path;

/// A name that must be there.
bool check_required_name(const doc::Value& object, const Path& at, FieldErrors& errors) {
  if (!doc::find_string(object, "name").empty()) return true;
  errors.push_back(schema::required(at.field("name").text()));
  return false;
}

void check_env(const doc::Value& container, const doc::Value* volumes, const Path& at, FieldErrors& errors) {
  const doc::Value* env = doc::find(container, "env");
  if (!env || !env->is_array()) return;
  const Path list = at.field("env");
  std::size_t i = 0;
  for (const doc::Value& variable : env->get_array()) {
    const Path here = list.index(i++);
    if (!check_required_name(variable, here, errors)) continue;
    const auto name = doc::find_string(variable, "name");
    complain(doc::Value(name), here.field("name"), env_name(name), errors);
    check_variable_source(variable, volumes, here, errors);
  }
}

void check_ports(const doc::Value& container, bool host_network, const Path& at, FieldErrors& errors) {
  const doc::Value* ports = doc::find(container, "ports");
  if (!ports || !ports->is_array()) return;
  const Path list = at.field("ports");
  std::size_t i = 0;
  std::set<std::string, std::less<>> names;
  for (const doc::Value& port : ports->get_array()) {
    const Path here = list.index(i++);
    if (const auto name = doc::find_string(port, "name"); !name.empty()) {
      const Path at_name = here.field("name");
      complain(doc::Value(name), at_name, port_name(name), errors);
      if (!names.insert(std::string(name)).second)
        errors.push_back(schema::duplicate(at_name.text(), doc::Value(name)));
    }
    const doc::Value* number = doc::find(port, "containerPort");
    const std::int64_t value = number && number->is_int64() ? number->get_int64() : 0;
    const Path at_number = here.field("containerPort");
    if (value == 0) {
      errors.push_back(schema::required(at_number.text()));
    } else if (value < 0 || value > 65535) {
      errors.push_back(schema::invalid(at_number.text(), value, "must be between 1 and 65535, inclusive"));
    }
    if (const doc::Value* host = doc::find(port, "hostPort"); host && host->is_int64() && *host != 0) {
      if (host->get_int64() < 0 || host->get_int64() > 65535) {
        errors.push_back(
            schema::invalid(here.field("hostPort").text(), *host, "must be between 1 and 65535, inclusive"));
      } else if (host_network && *host != value) {
        errors.push_back(schema::invalid(here.field("hostPort").text(), *host,
                                         "must match `containerPort` when `hostNetwork` is true"));
      }
    }
    check_choice(port, "protocol", {"SCTP", "TCP", "UDP"}, here, errors);
  }
}

void check_mounts(const doc::Value& container, const std::set<std::string, std::less<>>& volumes, const Path& at,
                  FieldErrors& errors) {
  const doc::Value* mounts = doc::find(container, "volumeMounts");
  if (!mounts || !mounts->is_array()) return;
  const Path list = at.field("volumeMounts");
  std::size_t i = 0;
  std::set<std::string, std::less<>> paths;
  for (const doc::Value& mount : mounts->get_array()) {
    const Path here = list.index(i++);
    const auto name = doc::find_string(mount, "name");
    const auto path = doc::find_string(mount, "mountPath");
    if (check_required_name(mount, here, errors) && !volumes.contains(name)) {
      errors.push_back({schema::FieldError::Kind::kNotFound, here.field("name").text(),
                        "Not found: " + doc::to_json(doc::Value(name))});
    }
    const Path at_path = here.field("mountPath");
    if (path.empty()) {
      errors.push_back(schema::required(at_path.text()));
    } else if (!paths.insert(std::string(path)).second) {
      errors.push_back(schema::invalid(at_path.text(), doc::Value(path), "must be unique"));
    }
    check_sub_path(mount, list, errors);
  }
}

void check_containers(const doc::Value& spec, std::string_view list, const std::set<std::string, std::less<>>& volumes,
                      std::set<std::string, std::less<>>& names, const Path& at, FieldErrors& errors) {
  const doc::Value* containers = doc::find(spec, list);
  if (!containers || !containers->is_array()) return;
  const Path whole = at.field(list);
  std::size_t i = 0;
  for (const doc::Value& container : containers->get_array()) {
    const Path here = whole.index(i++);
    if (check_required_name(container, here, errors)) {
      const auto name = doc::find_string(container, "name");
      const Path at_name = here.field("name");
      complain(doc::Value(name), at_name, dns_label(name), errors);
      if (!names.insert(std::string(name)).second)
        errors.push_back(schema::duplicate(at_name.text(), doc::Value(name)));
    }
    const auto image = doc::find_string(container, "image");
    if (image.empty()) {
      errors.push_back(schema::required(here.field("image").text()));
    } else if (image.front() == ' ' || image.back() == ' ') {
      errors.push_back(schema::invalid(here.field("image").text(), doc::Value(image),
                                       "must not have leading or trailing whitespace"));
    }
    check_container_parts(container,
                          {list == "initContainers", doc::is_true(spec, "hostNetwork"), doc::find(spec, "volumes")},
                          here, errors);
    check_mounts(container, volumes, here, errors);
  }
}

std::set<std::string, std::less<>> check_volumes(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  std::set<std::string, std::less<>> names;
  const doc::Value* volumes = doc::find(spec, "volumes");
  if (!volumes || !volumes->is_array()) return names;
  const Path list = at.field("volumes");
  std::size_t i = 0;
  for (const doc::Value& volume : volumes->get_array()) {
    const Path here = list.index(i++);
    if (!check_required_name(volume, here, errors)) continue;
    const auto name = doc::find_string(volume, "name");
    const Path at_name = here.field("name");
    complain(doc::Value(name), at_name, dns_label(name), errors);
    if (!names.insert(std::string(name)).second) errors.push_back(schema::duplicate(at_name.text(), doc::Value(name)));
    check_volume_source(volume, here, errors);
  }
  return names;
}

}  // namespace

void complain(const doc::Value& value, const Path& at, const Complaints& complaints, FieldErrors& errors) {
  for (const std::string& complaint : complaints) errors.push_back(schema::invalid(at.text(), value, complaint));
}

void check_choice(const doc::Value& object, std::string_view key, const std::vector<std::string>& choices,
                  const Path& at, FieldErrors& errors) {
  const auto value = doc::find_string(object, key);
  if (value.empty() || std::ranges::find(choices, value) != choices.end()) return;
  errors.push_back(schema::not_supported(at.field(key).text(), doc::Value(value), choices));
}

void check_container_parts(const doc::Value& container, const ContainerPlace& place, const Path& at,
                           FieldErrors& errors) {
  check_choice(container, "terminationMessagePolicy", {"File", "FallbackToLogsOnError"}, at, errors);
  check_probes(container, place.init, at, errors);
  check_choice(container, "imagePullPolicy", {"Always", "IfNotPresent", "Never"}, at, errors);
  check_ports(container, place.host_network, at, errors);
  check_env(container, place.volumes, at, errors);
  check_env_from(container, at, errors);
  check_resources(container, at, errors);
}

void check_pod_spec(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  const auto volumes = check_volumes(spec, at, errors);
  const doc::Value* containers = doc::find(spec, "containers");
  if (!containers || !containers->is_array() || containers->get_array().empty()) {
    errors.push_back(schema::required(at.field("containers").text()));
  }
  std::set<std::string, std::less<>> names;
  check_containers(spec, "containers", volumes, names, at, errors);
  check_containers(spec, "initContainers", volumes, names, at, errors);
  check_choice(spec, "restartPolicy", {"Always", "OnFailure", "Never"}, at, errors);
  check_choice(spec, "dnsPolicy", {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"}, at, errors);
  check_placement(spec, at, errors);
}

}  // namespace tiphys::podspec

#include "objects/pod_spec_rules.h"

#include <algorithm>
#include <set>

#include "doc/truth.h"
#include "objects/names.h"
#include "objects/pod_spec_parts.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

constexpr std::int64_t kGraceSeconds = 30;
constexpr std::int64_t kFileMode = 0644;

void fill_in(doc::Object& object, std::string_view key, doc::Value otherwise) {
  doc::Value& member = object[key];
  const bool empty = member.is_null() || (member.is_string() && member.get_string().empty());
  if (empty) member = std::move(otherwise);
}

template <typename Visit>
void each(doc::Object& object, std::string_view list, Visit visit) {
  doc::Value* found = object.if_contains(list);
  if (!found || !found->is_array()) return;
  for (doc::Value& one : found->get_array()) {
    if (one.is_object()) visit(one.get_object());
  }
}

doc::Object* below(doc::Object& object, std::string_view key) {
  doc::Value* found = object.if_contains(key);
  return found ? found->if_object() : nullptr;
}

std::string text_at(const doc::Object& object, std::string_view key) {
  const doc::Value* found = object.if_contains(key);
  const auto* text = found ? found->if_string() : nullptr;
  return text ? std::string(*text) : std::string();
}

bool pulls_always(std::string_view image) {
  const auto slash = image.rfind('/');
  const auto name = slash == image.npos ? image : image.substr(slash + 1);
  if (name.find('@') != name.npos) return false;
  const auto colon = name.rfind(':');
  return colon == name.npos || name.substr(colon + 1) == "latest";
}

void fill_http_get(doc::Object& action) {
  fill_in(action, "path", "/");
  fill_in(action, "scheme", "HTTP");
}

void fill_probe(doc::Object& probe) {
  fill_in(probe, "timeoutSeconds", 1);
  fill_in(probe, "periodSeconds", 10);
  fill_in(probe, "successThreshold", 1);
  fill_in(probe, "failureThreshold", 3);
  if (doc::Object* action = below(probe, "httpGet")) fill_http_get(*action);
  if (doc::Object* action = below(probe, "grpc")) {
    if (!action->contains("service")) (*action)["service"] = "";
  }
}

void fill_container(doc::Object& container) {
  fill_in(container, "imagePullPolicy", pulls_always(text_at(container, "image")) ? "Always" : "IfNotPresent");
  fill_in(container, "terminationMessagePath", "/dev/termination-log");
  fill_in(container, "terminationMessagePolicy", "File");
  fill_in(container, "resources", doc::Object());
  each(container, "ports", [](doc::Object& port) { fill_in(port, "protocol", "TCP"); });
  each(container, "env", [](doc::Object& variable) {
    doc::Object* from = below(variable, "valueFrom");
    doc::Object* field = from ? below(*from, "fieldRef") : nullptr;
    if (field) fill_in(*field, "apiVersion", "v1");
  });
  for (const char* name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    if (doc::Object* probe = below(container, name)) fill_probe(*probe);
  }
  doc::Object* lifecycle = below(container, "lifecycle");
  for (const char* name : {"postStart", "preStop"}) {
    doc::Object* hook = lifecycle ? below(*lifecycle, name) : nullptr;
    doc::Object* action = hook ? below(*hook, "httpGet") : nullptr;
    if (action) fill_http_get(*action);
  }
}

void fill_volume(doc::Object& volume) {
  if (volume.size() == 1 && volume.contains("name")) volume["emptyDir"] = doc::Object();
  for (const char* name : {"configMap", "secret", "downwardAPI", "projected"}) {
    if (doc::Object* source = below(volume, name)) fill_in(*source, "defaultMode", kFileMode);
  }
  if (doc::Object* path = below(volume, "hostPath")) {
    if (!path->contains("type")) (*path)["type"] = "";
  }
}

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
    check_choice(container, "terminationMessagePolicy", {"File", "FallbackToLogsOnError"}, here, errors);
    check_probes(container, list == "initContainers", here, errors);
    check_choice(container, "imagePullPolicy", {"Always", "IfNotPresent", "Never"}, here, errors);
    check_ports(container, doc::is_true(spec, "hostNetwork"), here, errors);
    check_env(container, doc::find(spec, "volumes"), here, errors);
    check_env_from(container, here, errors);
    check_mounts(container, volumes, here, errors);
    check_resources(container, here, errors);
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

void fill_pod_spec(doc::Object& spec) {
  fill_in(spec, "restartPolicy", "Always");
  fill_in(spec, "terminationGracePeriodSeconds", kGraceSeconds);
  // Less than nothing is the shortest that there is.
  if (doc::Value& grace = spec["terminationGracePeriodSeconds"]; grace.is_int64() && grace.get_int64() < 0) grace = 1;
  fill_in(spec, "dnsPolicy", "ClusterFirst");
  fill_in(spec, "securityContext", doc::Object());
  fill_in(spec, "schedulerName", "default-scheduler");
  // The older name of the same thing is kept equal.
  if (const auto account = text_at(spec, "serviceAccountName"); !account.empty()) {
    spec["serviceAccount"] = account;
  } else if (const auto old = text_at(spec, "serviceAccount"); !old.empty()) {
    spec["serviceAccountName"] = old;
  }
  for (const char* list : {"containers", "initContainers", "ephemeralContainers"}) each(spec, list, fill_container);
  each(spec, "initContainers", [](doc::Object& container) {
    const doc::Value* policy = container.if_contains("restartPolicy");
    if (policy && *policy != doc::Value("Always")) container.erase("restartPolicy");
  });
  each(spec, "volumes", fill_volume);
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

}  // namespace tiphys::objects

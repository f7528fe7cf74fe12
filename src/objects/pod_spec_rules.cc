#include "objects/pod_spec_rules.h"

namespace tiphys::objects {
namespace {

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

}  // namespace

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

}  // namespace tiphys::objects

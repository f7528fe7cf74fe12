#include "node/services/node_events.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"

namespace tiphys::node {
namespace {

void log_lost(const cluster::Key& key, const Error& error) {
  log::warn("event {}/{} is not written: {}", key.ns, key.name, error.message);
}

/// The same text about the same object has the same name.
std::string name_of(const NodeEvents::Subject& subject, std::string_view reason, std::string_view message) {
  const std::string text = fmt::format("{} {} {}", subject.uid, reason, message);
  return fmt::format("{}.{:08x}{:08x}", subject.name, fnv1a_32(text), fnv1a_32(text + "#"));
}

}  // namespace

NodeEvents::Subject NodeEvents::subject_of(const doc::Value& pod) {
  return {.resource = &cluster::kPods,
          .ns = std::string(doc::find_string(pod, "metadata", "namespace")),
          .name = std::string(doc::find_string(pod, "metadata", "name")),
          .uid = std::string(doc::find_string(pod, "metadata", "uid"))};
}

void NodeEvents::warn(const Subject& subject, std::string_view reason, std::string_view message) {
  const cluster::Key key{&cluster::kEvents, subject.ns, name_of(subject, reason, message)};
  const std::string now = format_rfc3339(executor_.now());
  doc::Object source{{"component", component_}};
  if (!node_name_.empty()) source["host"] = node_name_;
  doc::Value event{{"apiVersion", "v1"},
                   {"kind", "Event"},
                   {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
                   {"involvedObject",
                    {{"kind", subject.resource->kind},
                     {"namespace", subject.ns},
                     {"name", subject.name},
                     {"uid", subject.uid},
                     {"apiVersion", subject.resource->api_version()}}},
                   {"reason", reason},
                   {"message", message},
                   {"source", std::move(source)},
                   {"firstTimestamp", now},
                   {"lastTimestamp", now},
                   {"count", 1},
                   {"type", "Warning"},
                   {"eventTime", nullptr},
                   {"reportingComponent", component_},
                   {"reportingInstance", node_name_}};
  cluster_.create(cluster::kEvents, std::move(event),
                  [this, key, alive = std::weak_ptr(alive_)](const Result<cluster::Object>& created) {
                    if (created) return;
                    if (created.error().code != Code::kAlreadyExists) return log_lost(key, created.error());
                    if (!alive.expired()) count(key);
                  });
}

void NodeEvents::count(const cluster::Key& key) {
  cluster_.get(key, [this, key, alive = std::weak_ptr(alive_)](const Result<cluster::Object>& known) {
    if (alive.expired() || !known) return;  // it is out of date, and nobody has it any more
    const doc::Value* before = doc::find(**known, "count");
    const std::int64_t times = before && before->is_int64() ? before->get_int64() + 1 : 1;
    cluster_.patch(key, cluster::PatchType::kMerge,
                   doc::Object{{"count", times}, {"lastTimestamp", format_rfc3339(executor_.now())}},
                   [key](const Result<cluster::Object>& written) {
                     if (!written && written.error().code != Code::kNotFound) log_lost(key, written.error());
                   });
  });
}

}  // namespace tiphys::node

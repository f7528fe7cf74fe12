#include "api/node_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr std::array<std::string_view, 11> kTypeNames = {
    "Pod", "Container", "Steps", "StepGroup", "DAG", "TaskGroup", "Retry", "Skipped", "Suspend", "HTTP", "Plugin"};
constexpr std::array<std::string_view, 8> kPhaseNames = {"",        "Pending", "Running", "Succeeded",
                                                         "Skipped", "Failed",  "Error",   "Omitted"};

template <typename Enum, std::size_t n>
std::optional<Enum> parse_name(const std::array<std::string_view, n>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

/// Writes one JSON object, leaving out what Go's omitempty leaves out.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ~ObjectWriter() { out_ += '}'; }

  std::string& key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
    return out_;
  }
  void always(std::string_view name, std::string_view text) { doc::append_json_string(key(name), text); }
  void text(std::string_view name, std::string_view text) {
    if (!text.empty()) always(name, text);
  }
  void flag(std::string_view name, bool value) {
    if (value) key(name) += "true";
  }
  void number(std::string_view name, std::int64_t value) {
    if (value != 0) key(name) += std::to_string(value);
  }
  void time(std::string_view name, Time time) {
    if (time == Time{}) {
      key(name) += "null";
    } else {
      always(name, format_rfc3339(time));
    }
  }
  void list(std::string_view name, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    char separator = '[';
    key(name);
    for (const std::string& text : texts) {
      out_ += separator;
      separator = ',';
      doc::append_json_string(out_, text);
    }
    out_ += ']';
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void put(doc::Object& object, std::string_view name, const std::string& text) {
  if (!text.empty()) object.emplace(name, text);
}

void put(doc::Object& object, std::string_view name, const std::optional<std::string>& text) {
  if (text) object.emplace(name, *text);
}

doc::Value to_document(const ValueFrom& from) {
  doc::Object object;
  put(object, "path", from.path);
  put(object, "jsonPath", from.json_path);
  put(object, "jqFilter", from.jq_filter);
  put(object, "parameter", from.parameter);
  if (from.supplied) object.emplace("supplied", doc::Object());
  if (from.config_map) {
    doc::Object key{{"key", from.config_map->key}};
    put(key, "name", from.config_map->name);
    if (from.config_map->optional) key.emplace("optional", *from.config_map->optional);
    object.emplace("configMapKeyRef", std::move(key));
  }
  put(object, "default", from.default_value);
  put(object, "expression", from.expression);
  return object;
}

doc::Value to_document(const Parameter& parameter) {
  doc::Object object;
  object.emplace("name", parameter.name);
  put(object, "default", parameter.default_value);
  put(object, "value", parameter.value);
  if (parameter.value_from) object.emplace("valueFrom", to_document(*parameter.value_from));
  put(object, "globalName", parameter.global_name);
  if (!parameter.enum_values.empty()) {
    doc::Array values;
    for (const std::string& each : parameter.enum_values) values.emplace_back(boost::json::string(each));
    object.emplace("enum", std::move(values));
  }
  put(object, "description", parameter.description);
  return object;
}

doc::Value archive_document(const Artifact& artifact) {
  switch (artifact.archive) {
    case Artifact::Archive::kNone:
      return {{"none", doc::Object()}};
    case Artifact::Archive::kZip:
      return {{"zip", doc::Object()}};
    case Artifact::Archive::kTar:
      break;
  }
  doc::Object tar;
  if (artifact.compression_level) tar.emplace("compressionLevel", *artifact.compression_level);
  return {{"tar", std::move(tar)}};
}

doc::Value to_document(const Artifact& artifact) {
  doc::Object object;
  object.emplace("name", artifact.name);
  put(object, "path", artifact.path);
  if (artifact.mode) object.emplace("mode", *artifact.mode);
  put(object, "from", artifact.from);
  const auto carry = [&](std::string_view name) {
    if (const doc::Value* value = artifact.raw.if_contains(name)) object.emplace(name, *value);
  };
  carry("archiveLogs");
  for (const auto& [key, value] : artifact.location) object.emplace(key, value);
  put(object, "globalName", artifact.global_name);
  if (artifact.archive != Artifact::Archive::kTar || artifact.compression_level || artifact.raw.contains("archive")) {
    object.emplace("archive", archive_document(artifact));
  }
  if (artifact.optional) object.emplace("optional", true);
  put(object, "subPath", artifact.sub_path);
  if (artifact.recurse_mode) object.emplace("recurseMode", true);
  put(object, "fromExpression", artifact.from_expression);
  carry("artifactGC");
  carry("deleted");
  return object;
}

template <typename T>
void put_list(doc::Object& object, std::string_view name, const std::vector<T>& items) {
  if (items.empty()) return;
  doc::Array array;
  array.reserve(items.size());
  for (const T& item : items) array.push_back(to_document(item));
  object.emplace(name, std::move(array));
}

void read_time(const Place& place, Time& out) {
  std::string text;
  read(place, text);
  const auto time = parse_rfc3339(text);
  if (time) {
    out = *time;
  } else {
    place.error(place.name() + " must be a time");
  }
}

constexpr Field<NodeStatus> kNodeFlagFields[] = {
    field<&NodeStatus::hooked>("hooked"),
    field<&NodeStatus::retried>("retried"),
};

constexpr Field<NodeStatus> kNodeLockFields[] = {
    field<&NodeStatus::awaited_lock>("waiting"),
};

constexpr Field<MemoizationStatus> kMemoizationFields[] = {
    field<&MemoizationStatus::hit>("hit"),
    field<&MemoizationStatus::key>("key"),
    field<&MemoizationStatus::cache_name>("cacheName"),
};

constexpr Field<NodeStatus> kNodeFields[] = {
    field<&NodeStatus::id>("id"),
    field<&NodeStatus::name>("name"),
    field<&NodeStatus::display_name>("displayName"),
    {"type", Handling::kRead,
     [](const Place& place, NodeStatus& out) {
       std::string name;
       read(place, name);
       const auto type = parse_node_type(name);
       if (!type) place.error(fmt::format("unknown node type \"{}\"", name));
       out.type = type.value_or(NodeType::kPod);
     }},
    field<&NodeStatus::template_name>("templateName"),
    field<&NodeStatus::template_ref>("templateRef"),
    field<&NodeStatus::template_scope>("templateScope"),
    {"phase", Handling::kRead,
     [](const Place& place, NodeStatus& out) {
       std::string name;
       read(place, name);
       const auto phase = parse_node_phase(name);
       if (!phase) place.error(fmt::format("unknown node phase \"{}\"", name));
       out.phase = phase.value_or(NodePhase::kUnset);
     }},
    field<&NodeStatus::boundary_id>("boundaryID"),
    field<&NodeStatus::message>("message"),
    {"startedAt", Handling::kRead, [](const Place& place, NodeStatus& out) { read_time(place, out.started_at); }},
    {"finishedAt", Handling::kRead, [](const Place& place, NodeStatus& out) { read_time(place, out.finished_at); }},
    field<&NodeStatus::estimated_seconds>("estimatedDuration"),
    field<&NodeStatus::progress>("progress"),
    {"resourcesDuration", Handling::kRead,
     [](const Place& place, NodeStatus& out) {
       if (!expect_object(place)) return;
       for (const auto& [name, seconds] : place.value().get_object()) {
         read(place.member(name, seconds), out.resources_duration[name]);
       }
     }},
    field<&NodeStatus::pod_ip>("podIP"),
    field<&NodeStatus::daemoned>("daemoned"),
    {"nodeFlag", Handling::kRead,
     [](const Place& place, NodeStatus& out) { read_object<NodeStatus>(place, out, kNodeFlagFields); }},
    field<&NodeStatus::inputs>("inputs"),
    field<&NodeStatus::outputs>("outputs"),
    field<&NodeStatus::children>("children"),
    field<&NodeStatus::outbound_nodes>("outboundNodes"),
    field<&NodeStatus::host_node_name>("hostNodeName"),
    {"memoizationStatus", Handling::kRead,
     [](const Place& place, NodeStatus& out) {
       read_object<MemoizationStatus>(place, out.memoization.emplace(), kMemoizationFields);
     }},
    {"synchronizationStatus", Handling::kRead,
     [](const Place& place, NodeStatus& out) { read_object<NodeStatus>(place, out, kNodeLockFields); }},
    {"taskResultSynced"},
    {"failedPodRestarts"},
    {"restartingPodUID"},
};

/// Reads what this program wrote; the first complaint means that somebody else did.
template <typename T, typename Read>
Result<T> read_stored(const doc::Value& value, std::string_view what, Read read_it) {
  std::vector<Finding> findings;
  Reading reading{findings, nullptr, {}};
  T out;
  read_it(Place(reading, value), out);
  for (const Finding& finding : findings) {
    if (finding.is_error()) {
      return fail(Code::kDataLoss, fmt::format("{}: {}", what, finding.message));
    }
  }
  return out;
}

}  // namespace

std::string_view node_type_name(NodeType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::optional<NodeType> parse_node_type(std::string_view name) {
  return parse_name<NodeType>(kTypeNames, name);
}

std::string_view node_phase_name(NodePhase phase) {
  return kPhaseNames[static_cast<std::size_t>(phase)];
}

std::optional<NodePhase> parse_node_phase(std::string_view name) {
  return parse_name<NodePhase>(kPhaseNames, name);
}

doc::Value to_document(const Inputs& inputs) {
  doc::Object object;
  put_list(object, "parameters", inputs.parameters);
  put_list(object, "artifacts", inputs.artifacts);
  return object;
}

doc::Value to_document(const Outputs& outputs) {
  doc::Object object;
  put_list(object, "parameters", outputs.parameters);
  put_list(object, "artifacts", outputs.artifacts);
  put(object, "result", outputs.result);
  put(object, "exitCode", outputs.exit_code);
  return object;
}

ResourcesDuration read_resources_duration(const doc::Value* written) {
  ResourcesDuration durations;
  if (!written || !written->is_object()) return durations;
  for (const auto& [name, seconds] : written->get_object()) {
    if (seconds.is_int64()) durations[name] = seconds.get_int64();
  }
  return durations;
}

void add(ResourcesDuration& sum, const ResourcesDuration& more) {
  for (const auto& [name, seconds] : more) sum[name] += seconds;
}

const std::string& template_of(const NodeStatus& node) {
  return node.template_ref ? node.template_ref->template_name : node.template_name;
}

std::string to_json(const NodeStatus& node) {
  std::string out;
  out.reserve(512);
  {
    ObjectWriter object(out);
    object.always("id", node.id);
    object.always("name", node.name);
    object.text("displayName", node.display_name);
    object.always("type", node_type_name(node.type));
    object.text("templateName", node.template_name);
    if (node.template_ref) {
      ObjectWriter ref(object.key("templateRef"));
      ref.text("name", node.template_ref->name);
      ref.text("template", node.template_ref->template_name);
      ref.flag("clusterScope", node.template_ref->cluster_scope);
    }
    object.text("templateScope", node.template_scope);
    object.text("phase", node_phase_name(node.phase));
    object.text("boundaryID", node.boundary_id);
    object.text("message", node.message);
    object.time("startedAt", node.started_at);
    object.time("finishedAt", node.finished_at);
    object.number("estimatedDuration", node.estimated_seconds);
    object.text("progress", node.progress);
    if (!node.resources_duration.empty()) {
      ObjectWriter durations(object.key("resourcesDuration"));
      for (const auto& [name, seconds] : node.resources_duration) durations.key(name) += std::to_string(seconds);
    }
    object.text("podIP", node.pod_ip);
    object.flag("daemoned", node.daemoned);
    if (node.hooked || node.retried) {
      ObjectWriter flag(object.key("nodeFlag"));
      flag.flag("hooked", node.hooked);
      flag.flag("retried", node.retried);
    }
    if (node.inputs) doc::append_json(object.key("inputs"), to_document(*node.inputs));
    if (node.outputs) doc::append_json(object.key("outputs"), to_document(*node.outputs));
    object.list("children", node.children);
    object.list("outboundNodes", node.outbound_nodes);
    object.text("hostNodeName", node.host_node_name);
    if (node.memoization) {
      ObjectWriter status(object.key("memoizationStatus"));
      status.key("hit") += node.memoization->hit ? "true" : "false";
      status.always("key", node.memoization->key);
      status.always("cacheName", node.memoization->cache_name);
    }
    if (!node.awaited_lock.empty()) {
      ObjectWriter status(object.key("synchronizationStatus"));
      status.text("waiting", node.awaited_lock);
    }
  }
  return out;
}

Result<NodeStatus> parse_node_status(const doc::Value& value) {
  return read_stored<NodeStatus>(value, "node status", [](const Place& place, NodeStatus& out) {
    read_object<NodeStatus>(place, out, kNodeFields);
  });
}

Result<NodeStatus> parse_node_status(std::string_view json) {
  TIPHYS_TRY(const doc::Value value, doc::parse_json(json));
  return parse_node_status(value);
}

Result<Outputs> parse_outputs(const doc::Value& value) {
  return read_stored<Outputs>(value, "outputs", [](const Place& place, Outputs& out) { read(place, out); });
}

}  // namespace tiphys::api

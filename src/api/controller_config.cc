#include "api/controller_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/artifact_location.h"
#include "api/config_source.h"
#include "api/fields.h"
#include "base/strings.h"

namespace tiphys::api {
namespace {

/// With "artifact-plugin-" before it it is a container's name, which has at most 63 characters.
constexpr std::size_t kMostDriverName = 47;

using Retention = ControllerConfig::Retention;
using NodeEvents = ControllerConfig::NodeEvents;
using Switch = ControllerConfig::Switch;

constexpr Field<Retention> kRetentionFields[] = {
    field<&Retention::completed>("completed"),
    field<&Retention::failed>("failed"),
    field<&Retention::errored>("errored"),
};
constexpr FieldTable kRetentionTable("RetentionPolicy", kRetentionFields);

constexpr Field<NodeEvents> kNodeEventsFields[] = {
    field<&NodeEvents::enabled>("enabled"),
    field<&NodeEvents::send_as_pod>("sendAsPod"),
};
constexpr FieldTable kNodeEventsTable("NodeEvents", kNodeEventsFields);

constexpr Field<Switch> kWorkflowEventsFields[] = {field<&Switch::enabled>("enabled")};
constexpr FieldTable kWorkflowEventsTable("WorkflowEvents", kWorkflowEventsFields);

constexpr Field<ControllerConfig::Metrics> kMetricsFields[] = {
    field<&ControllerConfig::Metrics::enabled>("enabled"),
    {"disableLegacy"},
    {"metricsTTL"},
    {"path"},
    {"port"},
    {"ignoreErrors"},
    {"secure"},
    {"modifiers"},
    {"temporality", Handling::kRead,
     [](const Place& place, ControllerConfig::Metrics& out) {
       std::string temporality;
       read(place, temporality);
       out.delta = temporality == "Delta";
       if (!temporality.empty() && !out.delta && temporality != "Cumulative") {
         place.error(fmt::format("{} must be Cumulative or Delta", place.name()));
       }
     }},
};
constexpr FieldTable kMetricsConfigTable("MetricsConfig", kMetricsFields);

/// Secure also keeps a workflow from taking up changes of its template, which no workflow does here.
constexpr Field<ControllerConfig::Restrictions> kRestrictionsFields[] = {
    {"templateReferencing", Handling::kRead,
     [](const Place& place, ControllerConfig::Restrictions& out) {
       std::string mode;
       read(place, mode);
       out.by_reference = mode == "Strict" || mode == "Secure";
       if (!mode.empty() && !out.by_reference) place.error(fmt::format("{} must be Strict or Secure", place.name()));
     }},
};
constexpr FieldTable kRestrictionsTable("WorkflowRestrictions", kRestrictionsFields);

/// Less than one pod at once, or none a second, would be no pod for ever.
constexpr Field<ControllerConfig::PodRate> kPodRateFields[] = {
    {"limit", Handling::kRead,
     [](const Place& place, ControllerConfig::PodRate& out) {
       if (!place.value().is_number()) return place.error("limit must be a number of pods a second");
       out.limit = place.value().to_number<double>();
       if (!(out.limit > 0)) place.error("limit must be more than 0, or no pod would be created");
     }},
    {"burst", Handling::kRead,
     [](const Place& place, ControllerConfig::PodRate& out) {
       read(place, out.burst);
       if (out.burst < 1) place.error("burst must be at least 1, or no pod would be created");
     }},
};
constexpr FieldTable kPodRateTable("ResourceRateLimit", kPodRateFields);

void read_duration(const Place& place, Duration& out) {
  std::string text;
  read(place, text);
  const Result<Duration> duration = parse_go_duration(text);
  if (place.value().is_string() && (!duration || *duration < Duration::zero())) {
    place.error(fmt::format("{} is no duration such as 30s", place.name()));
  } else if (duration) {
    out = *duration;
  }
}

void read_limit(const Place& place, std::int64_t& out) {
  read(place, out);
  if (out < 0) place.error(fmt::format("{} must not be negative: 0 means no limit", place.name()));
}

/// A Workflow of which nothing is required.
void read_defaults(const Place& place, ControllerConfig& out) {
  constexpr Field<Workflow> kFields[] = {
      {"apiVersion"},
      {"kind"},
      {"metadata", Handling::kRead,
       [](const Place& metadata, Workflow& workflow) { read_metadata(metadata, workflow); }, "",
       &kObject<kMetadataTable>},
      {"spec", Handling::kRead, [](const Place& spec, Workflow& workflow) { read(spec, workflow.spec); }, "",
       &kObject<kSpecTable>},
      {"status"},
  };
  Workflow checked;
  read_object<Workflow>(place, checked, kFields);
  out.workflow_defaults = place.shared();
}

void read_main_container(const Place& place, ControllerConfig& out) {
  check_container(place);
  out.main_container = place.shared();
}

void read_artifact_repository(const Place& place, ControllerConfig& out) {
  if (!expect_object(place)) return;
  const doc::Object& repository = place.value().get_object();
  std::string known = "archiveLogs";
  for (const std::string_view kind : location_kinds()) {
    if (is_repository(kind)) known += fmt::format(", {}", kind);
  }
  for (const auto& [name, member] : repository) {
    if (name == "archiveLogs" || is_repository(name)) continue;
    place.member(name, member)
        .key_error(fmt::format("{}.{} is none of {}", place.name(), std::string_view(name), known));
  }
  out.artifact_repository = place.shared();
}

using ArtifactDriver = ControllerConfig::ArtifactDriver;

constexpr Field<ArtifactDriver> kArtifactDriverFields[] = {
    {"name", Handling::kRead,
     [](const Place& place, ArtifactDriver& out) {
       read(place, out.name);
       constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
       if (out.name.size() <= kMostDriverName && out.name.find_first_not_of(kAllowed) == out.name.npos) return;
       place.error(fmt::format("{} is part of a container's name: up to {} of a-z, 0-9 and \"-\"", place.name(),
                               kMostDriverName));
     }},
    field<&ArtifactDriver::image>("image"),
    field<&ArtifactDriver::command>("command"),
    {"connectionTimeoutSeconds", Handling::kRead,
     [](const Place& place, ArtifactDriver& out) {
       read(place, out.connection_timeout_seconds);
       if (out.connection_timeout_seconds < 0) place.error(place.name() + " must not be negative");
     }},
};
constexpr FieldTable kArtifactDriverTable("ArtifactDriver", kArtifactDriverFields);

void read_artifact_drivers(const Place& place, ControllerConfig& out) {
  if (!expect_array(place)) return;
  const doc::Array& list = place.value().get_array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Place each = place.element(i, list[i]);
    ArtifactDriver driver;
    read_object<ArtifactDriver>(each, driver, kArtifactDriverFields);
    if (!list[i].is_object()) continue;
    if (driver.name.empty()) each.error(each.name() + ".name is required");
    if (driver.image.empty() && driver.command.empty()) {
      each.error(each.name() + " needs an image, or a command for the process runtime");
    }
    if (std::ranges::find(out.artifact_drivers, driver.name, &ArtifactDriver::name) != out.artifact_drivers.end()) {
      each.error(fmt::format("{}: there is a driver \"{}\" already", each.name(), driver.name));
    }
    out.artifact_drivers.push_back(std::move(driver));
  }
}

template <const auto& fields, auto member>
void read_part(const Place& place, ControllerConfig& out) {
  using Member = std::remove_reference_t<decltype(out.*member)>;
  if constexpr (requires { typename Member::value_type; }) {
    using Part = typename Member::value_type;
    read_object<Part>(place, (out.*member).emplace(Part{}), fields);
  } else {
    read_object<Member>(place, out.*member, fields);
  }
}

void read_pod_rate(const Place& place, ControllerConfig& out) {
  read_part<kPodRateFields, &ControllerConfig::pod_rate>(place, out);
  for (const char* name : {"limit", "burst"}) {
    if (place.value().is_object() && !doc::find(place.value(), name)) {
      place.error(fmt::format("{} needs limit and burst: {} is missing", place.name(), name));
    }
  }
}

/// Of these a UI makes what it can.
template <doc::Array ControllerConfig::* member>
void read_named_objects(const Place& place, ControllerConfig& out) {
  if (!place.value().is_array()) return place.error(fmt::format("{} must be a list of objects", place.name()));
  for (const doc::Value& item : place.value().get_array()) {
    if (!doc::find_string(item, "name").empty()) continue;
    return place.error(fmt::format("each of {} needs a name", place.name()));
  }
  out.*member = place.value().get_array();
}

/// A field that is carried means nothing here.
constexpr Field<ControllerConfig> kFields[] = {
    {"nodeEvents", Handling::kRead, read_part<kNodeEventsFields, &ControllerConfig::node_events>, "",
     &kObject<kNodeEventsTable>},
    {"workflowEvents", Handling::kRead, read_part<kWorkflowEventsFields, &ControllerConfig::workflow_events>, "",
     &kObject<kWorkflowEventsTable>},
    {"executor"},
    {"mainContainer", Handling::kRead, read_main_container},
    {"kubeConfig"},
    {"artifactRepository", Handling::kRead, read_artifact_repository},
    {"namespace"},
    field<&ControllerConfig::instance_id>("instanceID"),
    {"metricsConfig", Handling::kRead, read_part<kMetricsFields, &ControllerConfig::metrics>, "",
     &kObject<kMetricsConfigTable>},
    {"telemetryConfig"},
    {"parallelism", Handling::kRead,
     [](const Place& place, ControllerConfig& out) { read_limit(place, out.parallelism); }},
    {"namespaceParallelism", Handling::kRead,
     [](const Place& place, ControllerConfig& out) { read_limit(place, out.namespace_parallelism); }},
    {"resourceRateLimit", Handling::kRead, read_pod_rate, "", &kObject<kPodRateTable>},
    {"persistence", Handling::kRead, [](const Place& place, ControllerConfig& out) { read(place, out.persistence); },
     "", &kObject<kPersistenceTable>},
    {"links", Handling::kRead, read_named_objects<&ControllerConfig::links>},
    {"columns", Handling::kRead, read_named_objects<&ControllerConfig::columns>},
    {"workflowDefaults", Handling::kRead, read_defaults},
    {"podSpecLogStrategy"},
    {"podGCGracePeriodSeconds"},
    {"podGCDeleteDelayDuration", Handling::kRead,
     [](const Place& place, ControllerConfig& out) { read_duration(place, out.pod_gc_delay); }},
    {"workflowRestrictions", Handling::kRead, read_part<kRestrictionsFields, &ControllerConfig::restrictions>, "",
     &kObject<kRestrictionsTable>},
    {"initialDelay", Handling::kRead,
     [](const Place& place, ControllerConfig& out) { read_duration(place, out.initial_delay); }},
    {"images"},
    {"retentionPolicy", Handling::kRead, read_part<kRetentionFields, &ControllerConfig::retention>, "",
     &kObject<kRetentionTable>},
    {"navColor", Handling::kRead, [](const Place& place, ControllerConfig& out) { read(place, out.nav_color); }},
    {"sso", Handling::kRead, [](const Place& place, ControllerConfig& out) { read(place, out.sso); }, "",
     &kObject<kSsoTable>},
    {"synchronization"},
    {"artifactDrivers", Handling::kRead, read_artifact_drivers, "",
     &kObject<kArtifactDriverTable, Shape::Around::kList>},
    {"failedPodRestart"},
    {"disableAgentPodCreation"},
    {"initlessPod"},
};
constexpr FieldTable kTable("Config", kFields);

void list_unheard(const doc::Value& value, const FieldTable& table, const std::string& where,
                  std::vector<std::string>& out) {
  const doc::Object* object = value.if_object();
  if (!object) return;
  for (const auto& [key, member] : *object) {
    const auto known = table.find(key);
    if (!known || member.is_null()) continue;
    const std::string name = where + std::string(key);
    if (known->handling == Handling::kCarry) out.push_back(name);
    if (known->shape->fields) list_unheard(member, *known->shape->fields, name + ".", out);
  }
}

}  // namespace

Result<ReadControllerConfig> read_controller_config(std::string_view text, std::string_view file) {
  TIPHYS_TRY(const ConfigSource source, ConfigSource::find(text, file));
  ReadControllerConfig result;
  std::vector<Finding> findings;
  const auto root = std::make_shared<const doc::Value>(source.root());
  constexpr Shape kShape = kObject<kTable>;
  Reading reading{findings, root, {}, &kShape};
  read_object<ControllerConfig>(Place(reading, *root), result.config, kFields);
  std::string rendered = source.render(findings);
  if (any_error(findings)) return fail(Code::kInvalidArgument, std::move(rendered));
  result.notes = std::move(rendered);
  list_unheard(*root, kTable, "", result.unheard);
  return result;
}

Result<std::vector<std::string>> read_override_allowlist(std::string_view names) {
  std::vector<std::string> result;
  for (const std::string_view part : split(names, ',')) {
    const std::string_view name = trim(part);
    if (name.empty()) continue;
    if (!kSpecTable.find(name)) return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no field of spec", name));
    result.emplace_back(name);
  }
  return result;
}

}  // namespace tiphys::api

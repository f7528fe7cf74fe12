// The configuration of the original's workflow controller (config/config.go, the ConfigMap
// workflow-controller-configmap), as far as it means something here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/persistence_config.h"
#include "api/sso_config.h"
#include "base/time.h"
#include "doc/value.h"
#include "doc/yaml.h"

namespace tiphys::api {

/// The controller's own defaults.
struct ControllerConfig {
  /// How many finished workflows are kept, by how they ended: the newest ones.
  struct Retention {
    std::int64_t completed = 0, failed = 0, errored = 0;
  };
  struct Switch {
    bool enabled = true;
  };
  struct Metrics {
    bool enabled = true;  ///< for Prometheus
    bool delta = false;   ///< for OpenTelemetry: counts since the last time they were sent, not since the start
  };
  struct NodeEvents {
    bool enabled = true;
    bool send_as_pod = false;
  };
  struct Restrictions {
    bool by_reference = false;  ///< templateReferencing: workflows run WorkflowTemplates, and no templates of their own
    std::vector<std::string> also_allowed;  ///< fields of spec that they may set besides
  };
  /// How many pods are created a second.
  struct PodRate {
    double limit = 0;        ///< in the long run
    std::int64_t burst = 0;  ///< at once
  };

  /// What runs for artifacts of the kind `plugin`.
  struct ArtifactDriver {
    std::string name;
    std::string image;                 ///< in a container engine
    std::vector<std::string> command;  ///< in the process runtime, and in place of the image's own; not the original's
    std::int64_t connection_timeout_seconds = 0;  ///< 0: the default
  };

  doc::Shared workflow_defaults;           ///< metadata and spec, as written; null: none
  std::int64_t parallelism = 0;            ///< workflows under way at a time; 0: no limit
  std::int64_t namespace_parallelism = 0;  ///< the same of each namespace
  std::optional<Retention> retention;      ///< nothing: all are kept
  std::optional<PodRate> pod_rate;         ///< nothing: no limit
  NodeEvents node_events;
  Switch workflow_events;
  Metrics metrics;
  Restrictions restrictions;
  PersistenceConfig persistence;
  std::string instance_id;   ///< of rows in a shared archive
  Duration initial_delay{};  ///< between a workflow's creation and its beginning
  Duration pod_gc_delay = std::chrono::seconds(5);
  std::vector<ArtifactDriver> artifact_drivers;
  doc::Shared artifact_repository;  ///< of workflows for which no ConfigMap has one; null: the plane's own
  doc::Shared main_container;       ///< what main containers have unless they say otherwise; null: nothing
  /// What a UI shows beside workflows and pods, as written: {name, scope, url, target}, {name, type, key}.
  doc::Array links, columns;
  std::string nav_color;  ///< of a UI: "red"
  SsoConfig sso;          ///< how people sign in, where the server has them do so
};

struct ReadControllerConfig {
  ControllerConfig config;
  std::string notes;                 ///< rendered warnings
  std::vector<std::string> unheard;  ///< fields of the original that mean nothing here, in order
};

/// Reads the ConfigMap of a file that has one of that name, or the one document of the file: a ConfigMap, whose `data`
/// has all under `config` or a key for each field, or the plain configuration. Errors are rendered findings.
Result<ReadControllerConfig> read_controller_config(std::string_view text, std::string_view file);

/// Names of a workflow's spec, separated by commas: what WORKFLOW_USER_OVERRIDE_ALLOWLIST has.
Result<std::vector<std::string>> read_override_allowlist(std::string_view names);

}  // namespace tiphys::api

// Which executor plugins a workflow has. Original: getExecutorPlugins in workflow/controller/agent.go.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "doc/value.h"

namespace tiphys::controllers {

inline constexpr std::string_view kExecutorPluginType = "ExecutorPlugin";

struct ExecutorPlugin {
  std::string name;  ///< its container's
  doc::Value container;
  std::string port;  ///< where it is asked
};

/// Those of `spec`.executorPlugins: with any of them, those of ConfigMaps do not count.
Result<std::vector<ExecutorPlugin>> plugins_of_spec(const doc::Value& spec);
/// A ConfigMap labelled workflows.argoproj.io/configmap-type: ExecutorPlugin.
Result<ExecutorPlugin> plugin_of_config_map(const doc::Value& config_map);

}  // namespace tiphys::controllers

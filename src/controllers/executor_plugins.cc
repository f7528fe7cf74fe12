#include "controllers/executor_plugins.h"

#include <fmt/format.h>

#include "api/executor_plugin.h"
#include "doc/yaml.h"

namespace tiphys::controllers {
namespace {

Result<ExecutorPlugin> plugin_of(std::string_view name, const doc::Value* container) {
  if (!container || !container->is_object()) {
    return fail(Code::kInvalidArgument, fmt::format("executor plugin {} has no container", name));
  }
  for (const std::string_view lack : api::lacks_of_plugin(*container)) {
    return fail(Code::kInvalidArgument, fmt::format("executor plugin {}: sidecar is invalid: {}", name, lack));
  }
  ExecutorPlugin plugin;
  plugin.container = *container;
  plugin.port = doc::scalar_text(*doc::find(doc::find(*container, "ports")->get_array().front(), "containerPort"));
  plugin.name = doc::find_string(*container, "name");
  if (plugin.name.empty()) {
    return fail(Code::kInvalidArgument, fmt::format("executor plugin {}: its container has no name", name));
  }
  return plugin;
}

}  // namespace

Result<std::vector<ExecutorPlugin>> plugins_of_spec(const doc::Value& spec) {
  std::vector<ExecutorPlugin> plugins;
  const doc::Value* written = doc::find(spec, "executorPlugins");
  if (!written || !written->is_array()) return plugins;
  for (const doc::Value& each : written->get_array()) {
    TIPHYS_TRY(ExecutorPlugin plugin,
               plugin_of(doc::find_string(each, "metadata", "name"), doc::find(each, "spec", "sidecar", "container")));
    plugins.push_back(std::move(plugin));
  }
  return plugins;
}

Result<ExecutorPlugin> plugin_of_config_map(const doc::Value& config_map) {
  constexpr std::string_view kContainer = "sidecar.container";
  const std::string_view name = doc::find_string(config_map, "metadata", "name");
  const auto documents = doc::parse_yaml(doc::find_string(config_map, "data", kContainer), kContainer);
  if (!documents) return std::unexpected(documents.error().in(fmt::format("executor plugin {}", name)));
  return plugin_of(name, documents->size() == 1 ? &documents->front().root : nullptr);
}

}  // namespace tiphys::controllers

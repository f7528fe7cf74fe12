#include "engine/config_maps.h"

#include <fmt/format.h>

#include "engine/machine.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

constexpr std::string_view kParameterType = "Parameter";

std::pair<std::string, std::string> key_of(const doc::Value& config_map) {
  return {std::string(doc::find_string(config_map, "metadata", "namespace")),
          std::string(doc::find_string(config_map, "metadata", "name"))};
}

/// Knows nothing of its own: workflow variables are all that there is.
class NoVariables final : public Variables {
 public:
  void provide(std::string_view, expr::Scope&) const override {}
};

}  // namespace

bool ConfigMaps::put(const doc::Shared& config_map) {
  const bool parameters = doc::find_string(*config_map, "metadata", "labels", kConfigMapTypeLabel) == kParameterType;
  const auto [entry, added] = maps_.try_emplace(key_of(*config_map));
  if (!added && !parameters && !entry->second) return false;
  entry->second = parameters ? config_map : nullptr;
  return true;
}

bool ConfigMaps::remove(const doc::Value& config_map) {
  return maps_.erase(key_of(config_map)) != 0;
}

Result<std::string> ConfigMaps::value(std::string_view ns, std::string_view name, std::string_view key) const {
  const auto found = maps_.find(std::pair(std::string(ns), std::string(name)));
  if (found == maps_.end()) {
    return fail(Code::kNotFound,
                fmt::format("ConfigMap '{}' does not exist. Please make sure it has the label {}: {} to be detectable "
                            "by the controller",
                            name, kConfigMapTypeLabel, kParameterType));
  }
  if (!found->second) {
    return fail(Code::kFailedPrecondition,
                fmt::format("ConfigMap '{}' needs to have the label {}: {} to load parameters", name,
                            kConfigMapTypeLabel, kParameterType));
  }
  const doc::Value* value = doc::find(*found->second, "data", key);
  if (!value || !value->is_string()) {
    return fail(Code::kNotFound, fmt::format("ConfigMap '{}' does not have the key '{}'", name, key));
  }
  return std::string(value->get_string());
}

void Machine::handle(const ConfigMapsChanged& event) {
  config_maps_ = event.config_maps;
}

/// What an argument takes from a ConfigMap, with the tags that its own place knows filled in.
Result<std::unique_ptr<const api::ValueFrom>> Machine::argument_source(const api::Parameter& parameter,
                                                                       const Variables& variables, Leftover leftover) {
  auto source = std::make_unique<api::ValueFrom>(*parameter.value_from);
  TIPHYS_TRY(source->config_map->name,
             render(std::string_view(source->config_map->name), globals(), variables, leftover));
  TIPHYS_TRY(source->config_map->key,
             render(std::string_view(source->config_map->key), globals(), variables, leftover));
  return source;
}

/// The value of an input; its ConfigMap is read as it is now.
Result<std::string> Machine::config_map_value(const std::string& input, const api::ValueFrom& source) {
  const NoVariables none;
  const auto filled = [&](const std::string& text) {
    auto rendered = render(std::string_view(text), globals(), none, Leftover::kFailAll);
    if (!rendered) rendered = std::unexpected(rendered.error().in("failed to substitute configMapKeyRef"));
    return rendered;
  };
  TIPHYS_TRY(const std::string name, filled(source.config_map->name));
  TIPHYS_TRY(const std::string key, filled(source.config_map->key));
  static const ConfigMaps kNone;
  auto value = (config_maps_ ? *config_maps_ : kNone).value(workflow_.ns, name, key);
  if (value) return value;
  if (value.error().code == Code::kNotFound && source.default_value) return *source.default_value;
  return fail(Code::kInvalidArgument,
              fmt::format("unable to retrieve inputs.parameters.{} from ConfigMap: {}", input, value.error().message));
}

}  // namespace tiphys::engine

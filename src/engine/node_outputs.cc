#include "engine/node_outputs.h"

#include <algorithm>

#include "engine/text.h"

namespace tiphys::engine {

bool has_tag(const api::Parameter& declared) {
  const auto tagged = [](std::string_view text) { return has_tag(text); };
  if (tagged(declared.global_name) || tagged(declared.description)) return true;
  const auto& from = declared.value_from;
  return from && (tagged(from->path) || tagged(from->json_path) || tagged(from->jq_filter) ||
                  tagged(from->default_value.value_or("")));
}

namespace {

const api::Parameter* find_named(const api::Outputs* declared, const api::Parameter& parameter) {
  if (!declared || !parameter.value) return nullptr;
  const auto found = std::ranges::find(declared->parameters, parameter.name, &api::Parameter::name);
  return found == declared->parameters.end() ? nullptr : &*found;
}

/// The declaration that, with the value, is the parameter.
const api::Parameter* find_declared(const api::Outputs* declared, const api::Parameter& parameter) {
  const api::Parameter* found = find_named(declared, parameter);
  return found && found->value_from && !has_tag(*found) ? found : nullptr;
}

}  // namespace

NodeOutputs::NodeOutputs(api::Outputs outputs, const api::Outputs* declared) {
  if (outputs.result) result_ = std::make_unique<std::string>(std::move(*outputs.result));
  outputs.result.reset();
  outputs.exit_code.reset();
  const bool dense = outputs.artifacts.empty() && std::ranges::all_of(outputs.parameters, [&](const auto& parameter) {
                       return find_declared(declared, parameter) != nullptr;
                     });
  if (!dense) {
    whole_ = std::make_unique<api::Outputs>(std::move(outputs));
    return;
  }
  values_.reserve(outputs.parameters.size());
  for (api::Parameter& parameter : outputs.parameters) {
    values_.push_back({find_declared(declared, parameter), std::move(*parameter.value)});
  }
}

NodeOutputs::NodeOutputs(const NodeOutputs& other)
    : values_(other.values_),
      result_(other.result_ ? std::make_unique<std::string>(*other.result_) : nullptr),
      whole_(other.whole_ ? std::make_unique<api::Outputs>(*other.whole_) : nullptr) {}

api::Outputs NodeOutputs::whole() const {
  api::Outputs outputs;
  if (whole_) outputs = *whole_;
  for (const Value& value : values_) {
    api::Parameter& parameter = outputs.parameters.emplace_back(*value.declared);
    parameter.value = value.text;
  }
  if (result_) outputs.result = *result_;
  return outputs;
}

const std::vector<api::Artifact>& NodeOutputs::artifacts() const {
  static const std::vector<api::Artifact> none;
  return whole_ ? whole_->artifacts : none;
}

}  // namespace tiphys::engine

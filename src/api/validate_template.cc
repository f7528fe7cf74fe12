#include <fmt/format.h>

#include <algorithm>

#include "api/artifact_location.h"
#include "api/fields.h"
#include "api/validator.h"
#include "base/strings.h"
#include "base/whole_number.h"
#include "doc/jsonpath_syntax.h"
#include "podspec/names.h"

namespace tiphys::api {
namespace {

constexpr std::string_view kTypeFields[] = {"container", "script",       "steps", "dag",  "suspend",
                                            "resource",  "containerSet", "http",  "data", "plugin"};
constexpr std::string_view kTypeChoice =
    "choose one of: container, containerSet, script, steps, dag, suspend, resource, http, data, plugin";

/// It does something, and calls no other.
bool is_leaf(const Template& tmpl) {
  return tmpl.runs_pod() || tmpl.is_action();
}

std::string_view type_name(Template::Type type) {
  constexpr std::string_view kNames[] = {"Container", "Script",       "Steps", "DAG",  "Suspend",
                                         "Resource",  "ContainerSet", "HTTP",  "Data", "Plugin"};
  return kNames[static_cast<std::size_t>(type)];
}

constexpr const char* kRetryVariables[] = {"retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration",
                                           "lastRetry.message"};

bool leaves_its_folder(std::string_view path) {
  return ("/" + std::string(path) + "/").find("/../") != std::string::npos;
}

}  // namespace

void Validator::check_template(const Template& tmpl, const Spot& spot, const Variables& outer) {
  if (!check_type(tmpl, spot)) return;
  const bool dag = tmpl.type == Template::Type::kDag;
  const bool group = dag || tmpl.type == Template::Type::kSteps;
  NodeOutputs nodes(dag ? "tasks." : "steps.");
  Variables scope(&outer);
  check_inputs(tmpl, spot, scope);
  check_limits(tmpl, spot);
  check_pods(*tmpl.document, "metadata", spot);
  if (tmpl.retry_strategy) {
    check_retry(*tmpl.retry_strategy, {spot.pointer + "/retryStrategy", spot.name});
    for (const char* name : kRetryVariables) scope.add(name);
  }
  if (tmpl.memoize) {
    check_memoize(*tmpl.memoize, {spot.pointer + "/memoize", spot.name});
    check_texts(*doc::find(*tmpl.document, "memoize"), {spot.pointer + "/memoize", spot.name}, {}, scope);
  }
  if (tmpl.synchronization) {
    const Spot at{spot.pointer + "/synchronization", spot.name + ".synchronization"};
    check_synchronization(*tmpl.synchronization, at);
    // The whole text of a leaf is looked at with it.
    if (group) check_texts(*doc::find(*tmpl.document, "synchronization"), at, {}, scope);
  }
  switch (tmpl.type) {
    case Template::Type::kSteps:
      check_steps(tmpl, spot, scope, nodes);
      break;
    case Template::Type::kDag:
      check_dag(tmpl, spot, scope, nodes);
      break;
    default:
      check_leaf(tmpl, spot, scope);
      break;
  }
  check_outputs(tmpl, spot, scope);
  if (const doc::Value* archive = doc::find(*tmpl.document, "archiveLocation"); archive && archive->is_object()) {
    check_location(archive->get_object(), {spot.pointer + "/archiveLocation", spot.name + ".archiveLocation"});
  }
  check_metrics(tmpl.metrics, spot, false, scope);
}

bool Validator::check_type(const Template& tmpl, const Spot& spot) {
  std::vector<std::string_view> types;
  for (const std::string_view field : kTypeFields) {
    const doc::Value* value = doc::find(*tmpl.document, field);
    if (value && !value->is_null()) types.push_back(field);
  }
  if (types.size() == 1) return true;
  if (types.empty()) {
    error(spot.pointer, fmt::format("{} template type unspecified. {}", spot.name, kTypeChoice));
  } else {
    error(fmt::format("{}/{}", spot.pointer, types[1]),
          fmt::format("{} multiple template types specified. {}", spot.name, kTypeChoice), true);
  }
  return false;
}

void Validator::check_inputs(const Template& tmpl, const Spot& spot, Variables& scope) {
  const bool leaf = is_leaf(tmpl);
  if (tmpl.runs_pod()) scope.add("pod.name");
  if (tmpl.inputs.parameters.empty()) {
    scope.add_unlisted("inputs.parameters");  // null
  } else {
    scope.add("inputs.parameters");
  }
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < tmpl.inputs.parameters.size(); ++i) {
    const Parameter& parameter = tmpl.inputs.parameters[i];
    scope.add("inputs.parameters." + parameter.name);
    lint_input(parameter, {fmt::format("{}/inputs/parameters/{}", spot.pointer, i),
                           fmt::format("{}.inputs.parameters.{}", spot.name, parameter.name)});
    check_name(parameter.name, NameKind::kParameter,
               {fmt::format("{}/inputs/parameters/{}/name", spot.pointer, i),
                fmt::format("{}.inputs.parameters[{}]", spot.name, i)},
               seen);
  }
  seen.clear();
  for (std::size_t i = 0; i < tmpl.inputs.artifacts.size(); ++i) {
    const Artifact& artifact = tmpl.inputs.artifacts[i];
    const std::string pointer = fmt::format("{}/inputs/artifacts/{}", spot.pointer, i);
    const std::string name = fmt::format("{}.inputs.artifacts.{}", spot.name, artifact.name);
    check_name(artifact.name, NameKind::kParameter,
               {pointer + "/name", fmt::format("{}.inputs.artifacts[{}]", spot.name, i)}, seen);
    scope.add("inputs.artifacts." + artifact.name);
    if (leaf) {
      scope.add("inputs.artifacts." + artifact.name + ".path");
      if (artifact.path.empty())
        error(pointer, fmt::format("{}: Artifact '{}' did not specify a path", name, artifact.name));
    } else if (!artifact.path.empty()) {
      error(pointer + "/path", name + ".path only valid in container/script templates");
    }
    check_artifact_path(artifact, {pointer, name});
    if (!artifact.from.empty()) error(pointer + "/from", name + ".from not valid in inputs");
    check_location(artifact.location, {pointer, name});
  }
}

void Validator::lint_input(const Parameter& parameter, const Spot& spot) {
  if (const auto& from = parameter.value_from; from && !from->config_map && !from->supplied) {
    lint_error(spot.pointer + "/valueFrom",
               spot.name + ".valueFrom: an input takes configMapKeyRef alone; arguments give it other values");
  }
  if (parameter.enum_values.empty()) return;
  for (const auto& [field, value] :
       {std::pair("value", parameter.value), std::pair("default", parameter.default_value)}) {
    if (!value || has_tag(*value)) continue;
    if (std::ranges::find(parameter.enum_values, *value) != parameter.enum_values.end()) continue;
    lint_warn(fmt::format("{}/{}", spot.pointer, field), fmt::format("{}.{}: \"{}\" is none of its enum: {}", spot.name,
                                                                     field, *value, join(parameter.enum_values, ", ")));
  }
}

void Validator::check_artifact_path(const Artifact& artifact, const Spot& spot) {
  if (leaves_its_folder(artifact.path)) {
    error(spot.pointer + "/path", fmt::format("{}: Artifact '{}' attempted to use a path containing '..'. Directory "
                                              "traversal is not permitted",
                                              spot.name, artifact.name));
  }
  constexpr int kMostMode = 0777;
  if (artifact.mode && (*artifact.mode < 0 || *artifact.mode > kMostMode)) {
    error(spot.pointer + "/mode", fmt::format("{}.mode must be between 0 and 511, which is 0777", spot.name));
  }
}

void Validator::check_limits(const Template& tmpl, const Spot& spot) {
  const bool group = tmpl.type == Template::Type::kSteps || tmpl.type == Template::Type::kDag;
  const std::string& deadline = tmpl.active_deadline_seconds;
  if (!deadline.empty() && group) {
    error(spot.pointer + "/activeDeadlineSeconds",
          spot.name + ".activeDeadlineSeconds is only valid for leaf templates", true);
  } else if (!deadline.empty() && whole_number(deadline).value_or(-1) < 0 && !has_tag(deadline)) {
    error(spot.pointer + "/activeDeadlineSeconds",
          spot.name + ".activeDeadlineSeconds must be a positive integer > 0 or an argo variable");
  }
  check_timeout(tmpl, tmpl.timeout, "timeout", spot);
  check_timeout(tmpl, tmpl.pending_timeout, "pendingTimeout", spot);
  const bool acts = tmpl.type == Template::Type::kResource || tmpl.type == Template::Type::kData;
  if (tmpl.daemon && acts) {
    const std::string_view field = tmpl.resource ? "resource" : "data";
    error(spot.pointer + "/daemon", fmt::format("{}.daemon is not supported for {} templates", spot.name, field), true);
  } else if (tmpl.daemon && !tmpl.runs_pod()) {
    warn(spot.pointer + "/daemon",
         fmt::format("{}.daemon does nothing: a {} template has no pod", spot.name, type_name(tmpl.type)));
  }
  if (tmpl.parallelism && !group) {
    error(spot.pointer + "/parallelism", spot.name + ".parallelism is only valid for steps and dag templates", true);
  } else if (tmpl.parallelism && *tmpl.parallelism < 0) {
    error(spot.pointer + "/parallelism", spot.name + ".parallelism must be at least 1");
  } else if (tmpl.parallelism == 0) {
    // Kubeflow Pipelines writes it for each loop; controllers take it so, the rules of the CRD do not.
    warn(spot.pointer + "/parallelism",
         spot.name + ".parallelism of 0 holds nothing back, and some clusters refuse it: leave it out");
  }
  check_pod_resources(*tmpl.document, spot);
  const bool on_agent = tmpl.type == Template::Type::kHttp || tmpl.type == Template::Type::kPlugin;
  if (on_agent && doc::find(*tmpl.document, "podResources")) {
    error(spot.pointer + "/podResources",
          fmt::format("{}.podResources is not supported for {} templates", spot.name, type_name(tmpl.type)), true);
  }
  check_display_name(tmpl, spot);
  const doc::Value* claims = doc::find(*tmpl.document, "resourceClaims");
  if (claims && claims->is_array() && !claims->get_array().empty() && !tmpl.runs_pod()) {
    error(spot.pointer + "/resourceClaims",
          fmt::format("{}.resourceClaims is not supported for {} templates, which do not create a pod", spot.name,
                      type_name(tmpl.type)),
          true);
  }
  if (tmpl.suspend) {
    check_duration(tmpl.suspend->duration, {spot.pointer + "/suspend/duration", spot.name + ".suspend.duration"}, true);
  }
}

/// Of its nodes, where it holds no tag.
void Validator::check_display_name(const Template& tmpl, const Spot& spot) {
  constexpr std::size_t kLongest = 63;
  const std::string& name = tmpl.display_name;
  if (name.empty() || has_tag(name)) return;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  const bool fits = name.size() >= 2 && name.size() <= kLongest && letter(name.front()) && letter(name.back()) &&
                    std::ranges::all_of(name, [&](char c) { return letter(c) || c == '-' || c == '.'; });
  if (fits) return;
  error(spot.pointer + "/annotations/workflows.argoproj.io~1display-name",
        fmt::format("{}: the display name \"{}\" must have 2 to 63 letters, digits, '-' or '.', and begin and end with "
                    "a letter or digit",
                    spot.name, name));
}

void Validator::check_timeout(const Template& tmpl, const std::string& text, std::string_view field, const Spot& spot) {
  const std::string pointer = fmt::format("{}/{}", spot.pointer, field);
  if (!text.empty() && !is_leaf(tmpl)) {
    error(pointer, fmt::format("{}: {} template doesn't support {} field", spot.name, type_name(tmpl.type), field),
          true);
  } else if (whole_number(text)) {
    error(pointer, fmt::format("{} has invalid duration format in {}: write {}s", spot.name, field, text));
  } else {
    check_duration(text, {pointer, fmt::format("{}.{}", spot.name, field)}, false);
  }
}

void Validator::check_pod_resources(const doc::Value& holder, const Spot& spot) {
  const doc::Value* resources = doc::find(holder, "podResources");
  if (!resources || !resources->is_object()) return;
  const Spot at{spot.pointer + "/podResources", spot.name + ".podResources"};
  if (const doc::Value* claims = doc::find(*resources, "claims");
      claims && claims->is_array() && !claims->get_array().empty()) {
    error(at.pointer + "/claims", at.name + ".claims is not supported for pod-level resources", true);
  }
  for (const char* list : {"limits", "requests"}) {
    const doc::Value* amounts = doc::find(*resources, list);
    if (!amounts || !amounts->is_object()) continue;
    for (const auto& [key, amount] : amounts->get_object()) {
      const std::string_view name(key);
      if (name == "cpu" || name == "memory" || name.starts_with("hugepages-")) continue;
      error(fmt::format("{}/{}{}", at.pointer, list, doc::pointer_step(name)),
            fmt::format("{}: \"{}\" is not a valid pod-level resource, only cpu, memory and hugepages-* are supported",
                        at.name, name),
            true);
    }
  }
}

void Validator::check_retry(const RetryStrategy& retry, const Spot& spot) {
  if (!retry.retry_policy.empty() &&
      std::ranges::find(kRetryPolicies, retry.retry_policy) == std::end(kRetryPolicies)) {
    std::vector<std::string> known(std::begin(kRetryPolicies), std::end(kRetryPolicies));
    error(spot.pointer + "/retryPolicy",
          fmt::format("{}: {} is not a valid RetryPolicy: Always, OnFailure, OnError or OnTransientError{}", spot.name,
                      retry.retry_policy, did_you_mean(retry.retry_policy, known)));
  }
  if (retry.limit && !has_tag(*retry.limit) && whole_number(*retry.limit).value_or(-1) < 0) {
    error(spot.pointer + "/limit", fmt::format("{}.retryStrategy.limit must be a whole number, at least 0, not \"{}\"",
                                               spot.name, *retry.limit));
  }
  if (retry.backoff) {
    const Backoff& backoff = *retry.backoff;
    const std::string name = spot.name + ".retryStrategy.backoff.";
    if (backoff.duration.empty()) error(spot.pointer + "/backoff", name + "duration is required: the first wait", true);
    check_duration(backoff.duration, {spot.pointer + "/backoff/duration", name + "duration"}, true);
    check_duration(backoff.cap, {spot.pointer + "/backoff/cap", name + "cap"}, true);
    check_duration(backoff.max_duration, {spot.pointer + "/backoff/maxDuration", name + "maxDuration"}, true);
    if (!backoff.factor.empty() && !has_tag(backoff.factor) && !whole_number(backoff.factor)) {
      error(spot.pointer + "/backoff/factor", name + "factor must be a whole number");
    }
  }
  const Spot expression{spot.pointer + "/expression", spot.name + ".retryStrategy.expression"};
  check_expression(retry.expression, expression);
  lint_verdict(retry.expression, expression);
}

void Validator::check_memoize(const Memoize& memoize, const Spot& spot) {
  if (memoize.config_map.empty()) {
    error(spot.pointer + "/cache", spot.name + ".memoize.cache.configMap.name is required", true);
  }
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  const std::string& key = memoize.key;
  if (key.empty()) {
    error(spot.pointer, spot.name + ".memoize.key is required", true);
  } else if (const std::string judged = replace_tags(key, "x");
             !letter(judged[0]) || !std::ranges::all_of(judged, [&](char c) { return letter(c) || c == '-'; })) {
    error(spot.pointer + "/key",
          fmt::format("{}.memoize.key \"{}\" must consist of alpha-numeric characters or '-', and "
                      "must start with an alpha-numeric character",
                      spot.name, key));
  }
  if (!memoize.config_map.empty() && !has_tag(memoize.config_map)) {
    for (const std::string& why : podspec::dns_subdomain(memoize.config_map)) {
      error(spot.pointer + "/cache/configMap/name",
            fmt::format("{}.memoize.cache.configMap.name \"{}\": {}", spot.name, memoize.config_map, why));
    }
  }
  check_duration(memoize.max_age, {spot.pointer + "/maxAge", spot.name + ".memoize.maxAge"}, false);
}

void Validator::check_outputs(const Template& tmpl, const Spot& spot, const Variables& scope) {
  const doc::Value* outputs = doc::find(*tmpl.document, "outputs");
  // The whole text of a leaf was looked at with it.
  const bool group = tmpl.type == Template::Type::kSteps || tmpl.type == Template::Type::kDag;
  if (outputs && group) check_texts(*outputs, {spot.pointer + "/outputs", spot.name + ".outputs"}, {}, scope);
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < tmpl.outputs.artifacts.size(); ++i) {
    const Artifact& artifact = tmpl.outputs.artifacts[i];
    const Spot at{fmt::format("{}/outputs/artifacts/{}", spot.pointer, i),
                  fmt::format("{}.outputs.artifacts.{}", spot.name, artifact.name)};
    check_name(artifact.name, NameKind::kOutput,
               {at.pointer + "/name", fmt::format("{}.outputs.artifacts[{}]", spot.name, i)}, seen);
    check_artifact_path(artifact, at);
    if (is_leaf(tmpl) && artifact.path.empty()) {
      error(at.pointer, fmt::format("{}: Artifact '{}' did not specify a path", at.name, artifact.name));
    } else if (!is_leaf(tmpl) && !artifact.path.empty()) {
      error(at.pointer + "/path", at.name + ".path only valid in container/script templates", true);
    }
    check_expression(artifact.from_expression, {at.pointer + "/fromExpression", at.name + ".fromExpression"});
    lint_bare_name(artifact.from, {at.pointer + "/from", at.name + ".from"}, scope);
    if (group && artifact.from.empty() && artifact.from_expression.empty()) {
      lint_warn(at.pointer, at.name + " gives nothing: it has neither from nor fromExpression");
    }
    check_global_name(artifact.global_name, {at.pointer + "/globalName", at.name});
  }
  seen.clear();
  for (std::size_t i = 0; i < tmpl.outputs.parameters.size(); ++i) {
    const Parameter& parameter = tmpl.outputs.parameters[i];
    const Spot at{fmt::format("{}/outputs/parameters/{}", spot.pointer, i),
                  fmt::format("{}.outputs.parameters.{}", spot.name, parameter.name)};
    check_name(parameter.name, NameKind::kOutput,
               {at.pointer + "/name", fmt::format("{}.outputs.parameters[{}]", spot.name, i)}, seen);
    check_output_source(tmpl, parameter, at);
    if (group && parameter.value_from) {
      lint_bare_name(parameter.value_from->parameter, {at.pointer + "/valueFrom/parameter", at.name}, scope);
    }
    check_global_name(parameter.global_name, {at.pointer + "/globalName", at.name});
  }
}

/// The name of an output without braces around it, which the original takes too.
void Validator::lint_bare_name(const std::string& text, const Spot& spot, const Variables& scope) {
  if (text.empty() || has_tag(text) || scope.knows(trim(text))) return;
  lint_error(spot.pointer, fmt::format("{}: there is no \"{}\" to take; write it like "
                                       "\"{{{{steps.NAME.outputs.parameters.NAME}}}}\"{}",
                                       spot.name, text, suggestion(text, scope)));
}

void Validator::check_output_source(const Template& tmpl, const Parameter& parameter, const Spot& spot) {
  if (!parameter.value_from) {
    if (!parameter.value) error(spot.pointer, spot.name + " does not have valueFrom or value specified");
    return;
  }
  const ValueFrom& from = *parameter.value_from;
  const Spot at{spot.pointer + "/valueFrom", spot.name + ".valueFrom"};
  if (parameter.value) {
    error(at.pointer, spot.name + " has both valueFrom and value specified, choose one", true);
    return;
  }
  int sources = from.supplied ? 1 : 0;
  for (const std::string* each : {&from.path, &from.json_path, &from.jq_filter, &from.parameter, &from.expression}) {
    sources += each->empty() ? 0 : 1;
  }
  if (sources != 1) {
    error(at.pointer, fmt::format("{} {}. choose one of: path, jqFilter, jsonPath, parameter, supplied, expression",
                                  at.name, sources == 0 ? "type unspecified" : "has multiple types specified"));
    return;
  }
  switch (tmpl.type) {
    case Template::Type::kContainer:
    case Template::Type::kScript:
    case Template::Type::kContainerSet:
      if (from.path.empty()) {
        error(at.pointer, fmt::format("{}.path must be specified for {} templates", at.name, type_name(tmpl.type)));
      }
      break;
    case Template::Type::kResource:
      if (from.jq_filter.empty() && from.json_path.empty()) {
        error(at.pointer, at.name + ": jqFilter or jsonPath must be specified for Resource templates");
      }
      break;
    case Template::Type::kSteps:
    case Template::Type::kDag:
      if (from.parameter.empty() && from.expression.empty()) {
        error(at.pointer, fmt::format("{}.parameter or expression must be specified for {} templates", at.name,
                                      type_name(tmpl.type)));
      }
      break;
    case Template::Type::kSuspend:
    case Template::Type::kHttp:
    case Template::Type::kData:
    case Template::Type::kPlugin:
      break;
  }
  check_expression(from.expression, {at.pointer + "/expression", at.name + ".expression"});
  lint_filter(from.jq_filter, {at.pointer + "/jqFilter", at.name + ".jqFilter"});
  if (from.json_path.empty() || has_tag(from.json_path)) return;
  if (const auto parsed = doc::jsonpath::parse(from.json_path); !parsed) {
    error(at.pointer + "/jsonPath", fmt::format("{}.jsonPath: {}", at.name, parsed.error().message));
  }
}

}  // namespace tiphys::api

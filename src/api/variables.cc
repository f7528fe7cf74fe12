#include "api/variables.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "doc/yaml.h"

namespace tiphys::api {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::array<std::string_view, 7> kPrefixes = {"item.", "steps.", "inputs.",  "outputs.",
                                                       "pod.",  "tasks.", "workflow."};
/// What Argo lets pass without looking closer.
constexpr std::array<std::string_view, 6> kAlways = {
    "outputs.",  "workflow.creationTimestamp", "workflow.scheduledTime", "workflow.duration", "tasks.name",
    "steps.name"};

}  // namespace

std::vector<std::string> NodeOutputs::outputs(const Node& node) {
  std::vector<std::string> names = {"id", "startedAt", "finishedAt", "hostNodeName", "status"};
  const Template& target = *node.target;
  if (target.has_result()) {
    names.insert(names.end(), {"outputs.result", "exitCode"});
  }
  if (target.daemon) names.emplace_back("ip");
  if (node.step->loops()) names.emplace_back("outputs.parameters");
  for (const Parameter& each : target.outputs.parameters) names.push_back("outputs.parameters." + each.name);
  for (const Artifact& each : target.outputs.artifacts) names.push_back("outputs.artifacts." + each.name);
  return names;
}

void NodeOutputs::add(const Step& step, const Template* target) {
  nodes_.insert_or_assign(step.name, Node{&step, target});
  if (has_tag(step.name)) tagged_.push_back({&step, target});
}

bool NodeOutputs::gives(const Node& node, std::string_view output) {
  if (!node.target) return true;
  const auto known = outputs(node);
  return std::ranges::find(known, output) != known.end();
}

bool NodeOutputs::knows(std::string_view name) const {
  if (!name.starts_with(prefix_)) return false;
  name.remove_prefix(prefix_.size());
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) return false;
  if (const auto found = nodes_.find(name.substr(0, dot)); found != nodes_.end()) {
    return gives(found->second, name.substr(dot + 1));
  }
  return std::ranges::any_of(tagged_, [&](const Node& node) {
    for (auto end = dot; end != std::string_view::npos; end = name.find('.', end + 1)) {
      if (may_become(node.step->name, name.substr(0, end)) && gives(node, name.substr(end + 1))) return true;
    }
    return false;
  });
}

void NodeOutputs::list(std::vector<std::string>& names) const {
  for (const auto& [step, node] : nodes_) {
    if (!node.target) continue;
    for (const std::string& output : outputs(node)) {
      names.push_back(std::string(prefix_) + std::string(step) + "." + output);
    }
  }
}

bool Variables::knows(std::string_view name) const {
  if (names_.contains(name) || unlisted_.contains(name)) return true;
  if (std::ranges::any_of(nodes_, [&](const NodeOutputs* nodes) { return nodes->knows(name); })) return true;
  if (std::ranges::any_of(prefixes_, [&](const std::string& prefix) { return name.starts_with(prefix); })) return true;
  if (parent_) return parent_->knows(name);
  return std::ranges::any_of(kAlways, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::vector<std::string> Variables::all() const {
  std::vector<std::string> names = parent_ ? parent_->all() : std::vector<std::string>();
  names.insert(names.end(), names_.begin(), names_.end());
  for (const NodeOutputs* nodes : nodes_) nodes->list(names);
  std::ranges::sort(names);
  return names;
}

bool is_workflow_variable(std::string_view name) {
  return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::string misspelled_root(std::string_view name) {
  static const std::vector<std::string> kRoots = {"inputs", "outputs", "steps", "tasks", "workflow", "item", "pod"};
  const auto dot = name.find('.');
  if (dot == std::string_view::npos || dot < 3 || is_workflow_variable(name)) return "";
  const auto root = nearest(name.substr(0, dot), kRoots);
  return root ? *root + std::string(name.substr(dot)) : "";
}

void for_each_tag(std::string_view text, const std::function<void(std::string_view name)>& visit) {
  for (;;) {
    const auto open = text.find(kOpen);
    const auto close = open == std::string_view::npos ? open : text.find(kClose, open + kOpen.size());
    if (close == std::string_view::npos) return;
    std::string_view body = text.substr(open + kOpen.size(), close - open - kOpen.size());
    text.remove_prefix(close + kClose.size());
    if (trim(body).starts_with('=')) continue;
    // A tag inside of a tag is resolved first; what the outer one names is known only then.
    if (const auto inner = body.rfind(kOpen); inner != std::string_view::npos) body.remove_prefix(inner + kOpen.size());
    visit(trim(body));
  }
}

bool has_tag(std::string_view text) {
  const auto open = text.find(kOpen);
  return open != std::string_view::npos && text.find(kClose, open) != std::string_view::npos;
}

std::size_t unclosed_tag(std::string_view text) {
  const auto last = text.rfind(kClose);
  return text.find(kOpen, last == std::string_view::npos ? 0 : last + kClose.size());
}

std::string replace_tags(std::string_view text, std::string_view placeholder) {
  std::string out;
  for (;;) {
    const auto open = text.find(kOpen);
    const auto close = open == std::string_view::npos ? open : text.find(kClose, open + kOpen.size());
    if (close == std::string_view::npos) return out += text;
    out += text.substr(0, open);
    out += placeholder;
    text.remove_prefix(close + kClose.size());
  }
}

bool may_become(std::string_view written, std::string_view text) {
  // Of what stands between tags each part is looked for behind the one before; the last ends the text.
  for (bool first = true;; first = false) {
    const auto open = written.find(kOpen);
    const auto close = open == std::string_view::npos ? open : written.find(kClose, open + kOpen.size());
    if (close == std::string_view::npos) return first ? text == written : text.ends_with(written);
    const std::string_view part = written.substr(0, open);
    const auto at = first ? (text.starts_with(part) ? 0 : std::string_view::npos) : text.find(part);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + part.size());
    written.remove_prefix(close + kClose.size());
  }
}

void for_each_text(const doc::Value& value, const std::string& pointer, std::string_view skip,
                   const std::function<void(std::string_view text, const std::string& pointer)>& visit) {
  if (const auto* text = value.if_string()) {
    visit(*text, pointer);
  } else if (const doc::Object* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (!skip.empty() && std::string_view(key) == skip) continue;
      const std::string below = pointer + doc::pointer_step(key);
      visit(key, below);
      for_each_text(member, below, {}, visit);
    }
  } else if (const doc::Array* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      for_each_text((*array)[i], pointer + "/" + std::to_string(i), {}, visit);
    }
  }
}

}  // namespace tiphys::api

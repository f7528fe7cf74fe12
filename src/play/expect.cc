#include "play/expect.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "doc/yaml.h"
#include "play/glob.h"
#include "play/outputs.h"

namespace tiphys::play {
namespace {

using Nodes = std::vector<const api::NodeStatus*>;

std::string quoted(std::string_view text) {
  std::string out;
  doc::append_json_string(out, text);
  return out;
}

Nodes find(const Played& played, std::string_view pattern) {
  Nodes found;
  for (const api::NodeStatus& node : played.nodes) {
    if (named(node, pattern)) found.push_back(&node);
  }
  return found;
}

bool did_run(const api::NodeStatus& node) {
  return node.phase != api::NodePhase::kSkipped && node.phase != api::NodePhase::kOmitted;
}

Time end_of(const api::NodeStatus& node, const Played& played) {
  return node.finished_at == Time{} ? played.end : node.finished_at;
}

/// The most that are under way at the same moment. One that ends makes room for one that begins then.
int most_at_once(const std::vector<std::pair<Time, Time>>& spans) {
  std::vector<std::pair<Time, int>> steps;
  for (const auto& [from, to] : spans) {
    if (from == to) continue;
    steps.emplace_back(from, 1);
    steps.emplace_back(to, -1);
  }
  std::ranges::sort(steps);
  int now = 0, most = 0;
  for (const auto& [time, step] : steps) most = std::max(most, now += step);
  return most;
}

/// Collects what differs in one part of an expectation.
class Comparison {
 public:
  Comparison(std::string pointer, std::string what, std::vector<Difference>& out)
      : pointer_(std::move(pointer)), what_(std::move(what)), out_(out) {}

  void differ(std::string_view field, std::string expected, std::string got) {
    const std::string dot = what_.empty() || field.empty() ? "" : ".";
    std::string pointer = pointer_;
    for (const auto part : split(field, '.')) {
      if (!part.empty()) pointer += doc::pointer_step(part);
    }
    out_.push_back({std::move(pointer), what_ + dot + std::string(field), std::move(expected), std::move(got)});
  }
  void equal(std::string_view field, const std::string& expected, const std::string& got) {
    if (expected != got) differ(field, expected, got.empty() ? "nothing" : got);
  }
  void text(std::string_view field, const std::optional<std::string>& pattern, const std::string& got) {
    if (pattern && !glob_match(*pattern, got)) differ(field, quoted(*pattern), quoted(got));
  }
  void time(std::string_view field, const std::optional<Duration>& expected, std::optional<Duration> got) {
    if (!expected || expected == got) return;
    differ(field, format_go_duration(*expected), got ? format_go_duration(*got) : "not yet");
  }
  /// Of a value by its name; `got` nothing: there is none.
  void value(std::string_view list, const std::string& name, const std::string& expected,
             const std::optional<std::string>& got) {
    if (got == expected) return;
    std::string pointer = pointer_;
    for (const auto part : split(list, '.')) pointer += doc::pointer_step(part);
    out_.push_back({pointer + doc::pointer_step(name),
                    fmt::format("{}{}{}.{}", what_, what_.empty() ? "" : ".", list, name), quoted(expected),
                    got ? quoted(*got) : "nothing"});
  }

 private:
  std::string pointer_, what_;
  std::vector<Difference>& out_;
};

std::optional<std::string> parameter(const std::vector<api::Parameter>& list, const std::string& name) {
  const auto found = std::ranges::find(list, name, &api::Parameter::name);
  return found == list.end() ? std::nullopt : found->value ? found->value : found->default_value;
}

std::optional<std::string> artifact(const std::vector<api::Artifact>& list, const std::string& name) {
  const auto found = std::ranges::find(list, name, &api::Artifact::name);
  return found == list.end() ? std::nullopt : std::optional(text_of(*found));
}

template <typename Side>
void compare_values(Comparison& comparison, std::string_view side, const Values& expected, const Side* got) {
  for (const auto& [name, value] : expected.parameters) {
    comparison.value(fmt::format("{}.parameters", side), name, value,
                     got ? parameter(got->parameters, name) : std::nullopt);
  }
  for (const auto& [name, value] : expected.artifacts) {
    comparison.value(fmt::format("{}.artifacts", side), name, value,
                     got ? artifact(got->artifacts, name) : std::nullopt);
  }
}

void compare_node(const NodeExpectation& expect, const api::NodeStatus& node, const std::string& name,
                  const Played& played, std::vector<Difference>& out) {
  Comparison comparison(expect.pointer, "nodes." + name, out);
  const std::string got_phase(api::node_phase_name(node.phase));
  if (!expect.phase.empty()) {
    const std::string why = node.message.empty() ? "" : fmt::format(" ({})", node.message);
    if (expect.phase != got_phase) comparison.differ("phase", expect.phase, got_phase + why);
  }
  if (!expect.template_name.empty()) comparison.equal("template", expect.template_name, api::template_of(node));
  comparison.text("message", expect.message, node.message);
  const api::Outputs* outputs = node.outputs ? &*node.outputs : nullptr;
  if (expect.exit_code) {
    comparison.equal("exitCode", std::to_string(*expect.exit_code),
                     outputs && outputs->exit_code ? *outputs->exit_code : "");
  }
  const bool ended = node.finished_at != Time{};
  comparison.time("started", expect.started, node.started_at - played.start);
  comparison.time("finished", expect.finished, ended ? std::optional(node.finished_at - played.start) : std::nullopt);
  comparison.time("duration", expect.duration,
                  ended ? std::optional(node.finished_at - node.started_at) : std::nullopt);
  if (expect.inputs) compare_values(comparison, "inputs", *expect.inputs, node.inputs ? &*node.inputs : nullptr);
  if (!expect.outputs) return;
  compare_values(comparison, "outputs", *expect.outputs, outputs);
  if (expect.outputs->result) {
    comparison.value("outputs", "result", *expect.outputs->result, outputs ? outputs->result : std::nullopt);
  }
}

void compare_nodes(const NodeExpectation& expect, const Played& played, std::vector<Difference>& out) {
  Comparison comparison(expect.pointer, "nodes." + expect.pattern, out);
  const Nodes nodes = find(played, expect.pattern);
  if (expect.not_run) {
    const auto ran = std::ranges::find_if(nodes, [](const auto* node) { return did_run(*node); });
    if (ran != nodes.end()) {
      comparison.differ("notRun", "not run", fmt::format("{} {}", (*ran)->name, api::node_phase_name((*ran)->phase)));
    }
    return;
  }
  if (expect.count && static_cast<std::size_t>(*expect.count) != nodes.size()) {
    std::vector<std::string> names;
    for (const auto* node : nodes) names.push_back(node->display_name);
    const std::string list = names.empty() ? "" : fmt::format(" ({})", join(names, ", "));
    comparison.differ("count", std::to_string(*expect.count), fmt::format("{}{}", nodes.size(), list));
  }
  if (nodes.empty() && !expect.count)
    return comparison.differ("", expect.phase.empty() ? "a node" : expect.phase, "not run");
  for (const auto* node : nodes) {
    const auto same = [&](const auto* other) { return other->display_name == node->display_name; };
    const bool alone = std::ranges::count_if(nodes, same) == 1;
    compare_node(expect, *node, alone ? node->display_name : node->name, played, out);
  }
  if (!expect.at_once) return;
  std::vector<std::pair<Time, Time>> spans;
  for (const auto* node : nodes) {
    if (did_run(*node)) spans.emplace_back(node->started_at, end_of(*node, played));
  }
  const int most = most_at_once(std::move(spans));
  if (most > *expect.at_once) {
    comparison.differ("atOnce", fmt::format("at most {}", *expect.at_once), std::to_string(most));
  }
}

void compare_order(const Order& order, const Played& played, std::vector<Difference>& out) {
  Comparison comparison(order.pointer, "order", out);
  for (std::size_t i = 0; i + 1 < order.patterns.size(); ++i) {
    const std::string& before = order.patterns[i];
    const std::string& after = order.patterns[i + 1];
    const std::string expected = fmt::format("{} before {}", before, after);
    const Nodes firsts = find(played, before), seconds = find(played, after);
    if (firsts.empty() || seconds.empty()) {
      comparison.differ("", expected, fmt::format("{} has not run", firsts.empty() ? before : after));
      continue;
    }
    const auto* last = *std::ranges::max_element(firsts, {}, [&](const auto* node) { return end_of(*node, played); });
    const auto* first = *std::ranges::min_element(seconds, {}, [](const auto* node) { return node->started_at; });
    if (end_of(*last, played) <= first->started_at) continue;
    comparison.differ("", expected,
                      fmt::format("{} ends at {}, {} begins at {}", last->display_name,
                                  format_go_duration(end_of(*last, played) - played.start), first->display_name,
                                  format_go_duration(first->started_at - played.start)));
  }
}

}  // namespace

std::vector<Difference> differences(const Expectation& expect, const Played& played) {
  std::vector<Difference> out;
  Comparison comparison(expect.pointer, "", out);
  const std::string phase(engine::phase_name(played.status.phase));
  if (!expect.phase.empty() && expect.phase != phase) {
    std::string why = played.unfinished.empty() ? played.status.message : played.unfinished;
    if (!why.empty()) why = fmt::format(" ({})", why);
    comparison.differ("phase", expect.phase, phase + why);
  }
  if (expect.phase.empty() && !played.unfinished.empty()) comparison.differ("", "an end", played.unfinished);
  comparison.text("message", expect.message, played.status.message);
  const bool ended = played.status.finished();
  comparison.time("duration", expect.duration, ended ? std::optional(played.end - played.start) : std::nullopt);
  if (expect.outputs) {
    compare_values(comparison, "outputs", *expect.outputs, played.status.outputs ? &*played.status.outputs : nullptr);
  }
  for (const NodeExpectation& node : expect.nodes) compare_nodes(node, played, out);
  for (const Order& order : expect.order) compare_order(order, played, out);
  if (expect.at_once) {
    std::vector<std::pair<Time, Time>> spans;
    for (const Work& work : played.work) {
      if (work.is_pod && work.started != Time{})
        spans.emplace_back(work.started, work.finished == Time{} ? played.end : work.finished);
    }
    const int most = most_at_once(std::move(spans));
    if (most > *expect.at_once) {
      comparison.differ("atOnce", fmt::format("at most {}", *expect.at_once), std::to_string(most));
    }
  }
  return out;
}

void check_names(const Expectation& expect, const Played& played, const KnownNames& known,
                 std::vector<api::Finding>& findings) {
  const auto check = [&](const std::string& pattern, const std::string& pointer, bool at_key) {
    if (!find(played, pattern).empty() || known.may_name(pattern)) return;
    std::vector<std::string> names;
    for (const api::NodeStatus& node : played.nodes) names.push_back(node.display_name);
    findings.push_back({.pointer = pointer, .at_key = at_key, .message = known.no_node(pattern, std::move(names))});
  };
  for (const NodeExpectation& node : expect.nodes) check(node.pattern, node.pointer, true);
  for (const Order& order : expect.order) {
    for (std::size_t i = 0; i < order.patterns.size(); ++i) {
      check(order.patterns[i], fmt::format("{}/{}", order.pointer, i), false);
    }
  }
}

}  // namespace tiphys::play

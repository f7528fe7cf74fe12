// Random workflows for the simulation, drawn from a seed: steps, dags, loops, conditions, retries, daemons, exit
// handlers, hooks, parallelism, locks, templates of other objects, names with tags, and references between them, some
// of which lead to errors.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <random>
#include <string>

namespace tiphys::engine {

class RandomWorkflow {
 public:
  explicit RandomWorkflow(std::uint64_t seed) : random_(seed) {}

  /// The object that its references with tags name.
  static std::string far() {
    return fmt::format(
        "{{kind: WorkflowTemplate, metadata: {{name: far}}, spec: {{templates: [{{name: leaf, {1}, {2}, {0}}}, "
        "{{name: group, {1}, steps: [[{{name: a, template: leaf, withItems: [x, y]}}], [{{name: b, templateRef: "
        "{{name: "
        "\"{{{{workflow.parameters.shelf}}}}\", template: leaf}}, onExit: leaf}}]]}}]}}}}",
        kContainer, kInput, kOutput);
  }

  /// A manifest in YAML's flow form.
  std::string draw() {
    const int composites = pick(1, 4);
    std::string templates;
    for (int i = 0; i < composites; ++i) templates += composite(i, composites);
    templates += leaves();
    std::string spec = fmt::format(
        "entrypoint: t0, arguments: {{parameters: [{{name: p, value: global}}, {{name: shelf, value: far}}]}}");
    if (chance(20)) spec += fmt::format(", parallelism: {}", pick(1, 3));
    if (chance(30)) spec += ", onExit: " + handler();
    if (chance(15)) spec += fmt::format(", hooks: {{h: {}}}", hook("workflow"));
    if (chance(8)) spec += fmt::format(", activeDeadlineSeconds: {}", pick(1, 12));
    if (chance(15)) spec += ", synchronization: {mutexes: [{name: whole}]}";
    return fmt::format(
        "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{{}, templates: [{}]}}, "
        "status: {{storedTemplates: {{{}}}}}}}",
        spec, templates, library());
  }

 private:
  static constexpr std::string_view kMemoize =
      "memoize: {key: \"k-{{inputs.parameters.message}}\", cache: {configMap: {name: c}}}";

  static constexpr const char* kContainer =
      "container: {image: i, command: [c], args: [\"{{inputs.parameters.message}}\"]}";
  static constexpr std::string_view kMetrics =
      "metrics: {prometheus: [{name: ends, help: h, labels: [{key: status, value: \"{{status}}\"}, "
      "{key: with, value: \"{{inputs.parameters.message}}\"}], counter: {value: \"1\"}}, "
      "{name: time, help: h, when: \"{{status}} != Error\", gauge: {value: \"{{duration}}\"}}, "
      "{name: runs, help: h, gauge: {realtime: true, value: \"{{duration}}\"}}]}";
  static constexpr const char* kInput = "inputs: {parameters: [{name: message, default: none}]}";
  static constexpr const char* kOutput = "outputs: {parameters: [{name: out, valueFrom: {path: /x}}]}";

  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool chance(int percent) { return pick(1, 100) <= percent; }

  std::string leaves() {
    return fmt::format(
        "{{name: leaf, {1}, {2}, {0}, {4}}}, "
        "{{name: retried, {1}, {2}, {0}, {4}, retryStrategy: {{limit: 2, retryPolicy: Always}}}}, "
        "{{name: patient, {1}, {2}, {0}, retryStrategy: {{limit: 1, backoff: {{duration: \"3\", factor: 2}}}}}}, "
        "{{name: cached, {1}, {2}, {0}, {3}, {4}}}, "
        "{{name: wary, {1}, {2}, {0}, {3}, {4}, retryStrategy: {{limit: 1, retryPolicy: Always}}}}, "
        "{{name: locked, {1}, {2}, {0}, {4}, synchronization: {{mutexes: [{{name: m}}]}}}}, "
        "{{name: shared, {1}, {2}, {0}, {3}, {4}, retryStrategy: {{limit: 1, retryPolicy: Always}}, synchronization: "
        "{{semaphores: [{{configMapKeyRef: {{name: c, key: k}}}}], mutexes: [{{name: m}}, {{name: "
        "\"of-{{{{inputs.parameters.message}}}}\", database: true}}]}}}}, "
        "{{name: server, {1}, {2}, {0}, {4}, daemon: true}}, "
        "{{name: stubborn, {1}, {2}, {0}, daemon: true, retryStrategy: {{limit: 1, retryPolicy: Always}}}}, "
        "{{name: group, {1}, {2}, containerSet: {{containers: [{{name: a, image: i}}, "
        "{{name: main, image: i, dependencies: [a]}}, {{name: c, image: i, dependencies: [a, main]}}]}}, "
        "retryStrategy: {{limit: 1}}}}, "
        "{{name: set, {1}, {2}, synchronization: {{mutexes: [{{name: m}}]}}, containerSet: {{containers: [{{name: "
        "main, image: i}}, {{name: b, image: i}}, "
        "{{name: c, image: i, dependencies: [main, b]}}]}}}}, "
        "{{name: web, {1}, http: {{url: \"http://{{{{inputs.parameters.message}}}}\"}}}}, "
        "{{name: flaky, {1}, http: {{url: \"http://bad\"}}, retryStrategy: {{limit: 1}}}}, "
        "{{name: asks, {1}, plugin: {{x: {{}}}}, retryStrategy: {{limit: 1}}}}, "
        "{{name: lists, {1}, data: {{source: {{artifactPaths: {{s3: {{key: a}}}}}}}}}}, "
        "{{name: guarded, {1}, {2}, {0}, daemon: true, synchronization: {{mutexes: [{{name: m}}]}}}}, "
        "{{name: brief, {1}, {2}, {0}, synchronization: {{semaphores: [{{database: {{key: k}}}}]}}}}, "
        "{{name: pause, {1}, {4}, suspend: {{duration: \"2\"}}, synchronization: {{semaphores: [{{configMapKeyRef: "
        "{{name: c, key: k}}}}]}}}}",
        kContainer, kInput, kOutput, kMemoize, kMetrics);
  }

  /// What the workflow has of another object: a leaf, and a group that calls it.
  std::string library() {
    return fmt::format(
        "namespaced/lib/leaf: {{name: leaf, {1}, {2}, {0}}}, "
        "namespaced/lib/group: {{name: group, {1}, dag: {{tasks: [{{name: a, template: leaf, onExit: leaf}}, "
        "{{name: b, inline: {{steps: [[{{name: c, template: leaf, withItems: [x, y]}}]]}}, depends: a}}]}}}}",
        kContainer, kInput, kOutput);
  }

  std::string callee(int level, int levels) {
    if (chance(8))
      return fmt::format("templateRef: {{name: \"{{{{workflow.parameters.shelf}}}}\", template: {}}}", tagged());
    if (!chance(15)) return "template: " + target(level, levels);
    return fmt::format("templateRef: {{name: lib, template: {}}}", chance(50) ? "leaf" : "group");
  }

  /// What is looked for as it runs. Not all of it is there.
  std::string tagged() {
    constexpr const char* kNames[] = {"leaf", "leaf", "\"{{=lower('LEAF')}}\"", "group", "group", "gone"};
    return kNames[pick(0, static_cast<int>(std::size(kNames)) - 1)];
  }

  std::string target(int level, int levels) {
    if (level + 1 < levels && chance(30)) return fmt::format("t{}", pick(level + 1, levels - 1));
    constexpr const char* kLeaves[] = {"leaf",     "leaf",    "leaf",   "retried", "patient", "pause", "cached",
                                       "wary",     "set",     "locked", "locked",  "shared",  "brief", "server",
                                       "stubborn", "guarded", "group",  "web",     "flaky",   "lists", "asks"};
    return kLeaves[pick(0, static_cast<int>(std::size(kLeaves)) - 1)];
  }

  /// Fields that a step and a task share; `root` and `before` name what may be referred to.
  std::string common(int level, int levels, const std::string& root, const std::string& name,
                     const std::vector<std::string>& before) {
    std::string fields = callee(level, levels);
    std::string value = "plain";
    if (!before.empty() && chance(40)) {
      const std::string& sibling = before[pick(0, static_cast<int>(before.size()) - 1)];
      value = chance(50) ? fmt::format("{{{{{}.{}.status}}}}", root, sibling)
                         : fmt::format("{{{{={}[{}].outputs?.parameters?.out ?? 'none'}}}}", root, computed(sibling));
      if (chance(15)) value = fmt::format("{{{{{}.{}.outputs.parameters.out}}}}", root, sibling);
      if (chance(10)) value = fmt::format("{{{{={}[{}].ip ?? 'none'}}}}", root, computed(sibling));
    } else if (chance(30)) {
      value = "{{workflow.parameters.p}}-{{inputs.parameters.message}}";
    }
    if (!before.empty() && chance(8)) {
      fields += fmt::format(", withParam: \"{{{{=sprig.list({}[{}].status, 1) | toJson()}}}}\"", root,
                            computed(before.front()));
    } else if (chance(25)) {
      fields += chance(50) ? ", withItems: [a, b, c]" : ", withSequence: {count: 2}";
      if (chance(50)) value += "-{{item}}";
      if (chance(30)) fields += ", when: \"'{{item}}' != b\"";
    } else if (chance(20)) {
      fields += chance(50) ? ", when: 1 == 1" : ", when: 1 == 2";
    }
    fields += fmt::format(", arguments: {{parameters: [{{name: message, value: \"{}\"}}]}}", value);
    const bool hooked = chance(15);
    if (chance(5)) {
      const bool tags = chance(40);
      fields += fmt::format(", hooks: {{exit: {{templateRef: {{name: {}, template: leaf}}}}}}",
                            tags ? "\"{{workflow.parameters.shelf}}\"" : "lib");
    } else if (hooked) {
      const bool around = !before.empty() && chance(30);
      fields += fmt::format(", hooks: {{h: {}}}", hook(fmt::format("{}['{}']", root, around ? before.back() : name)));
    }
    if (chance(20)) {
      fields += ", onExit: " + handler();
    }
    return fields;
  }

  std::string hook(const std::string& of) {
    constexpr const char* kStates[] = {"Running", "Succeeded", "Failed", "Skipped"};
    return fmt::format("{{template: {}, expression: \"{}.status == '{}'\"}}", handler(), of, kStates[pick(0, 3)]);
  }
  std::string handler() { return chance(60) ? "leaf" : chance(50) ? "retried" : "locked"; }

  std::string continue_on() { return fmt::format(", continueOn: {{failed: {}, error: {}}}", chance(70), chance(50)); }

  /// The name of a step as an expression.
  std::string computed(const std::string& name) const {
    if (!name.ends_with(ending_) || ending_.empty()) return fmt::format("'{}'", name);
    const std::string_view variable = std::string_view(ending_).substr(3, ending_.size() - 5);
    return fmt::format("'{}-' + {}", name.substr(0, name.size() - ending_.size()), variable);
  }

  std::string composite(int level, int levels) {
    ending_ = chance(85) ? "" : chance(50) ? "-{{workflow.parameters.p}}" : "-{{inputs.parameters.message}}";
    std::string head = fmt::format("name: t{}, inputs: {{parameters: [{{name: message, default: top}}]}}", level);
    if (chance(15)) head += fmt::format(", parallelism: {}", pick(1, 2));
    if (chance(8)) head += ", failFast: true";
    if (level > 0) {
      head +=
          ", outputs: {parameters: [{name: out, valueFrom: {expression: \"'from-' + inputs.parameters.message\", "
          "default: d}}]}";
    }
    if (chance(10)) head += ", retryStrategy: {limit: 1, retryPolicy: Always}";
    if (chance(5)) head += fmt::format(", {}", kMemoize);
    head += fmt::format(", {}", kMetrics);
    // Each has its own, so that who holds it waits for those of inner levels only.
    if (chance(12)) head += fmt::format(", synchronization: {{mutexes: [{{name: level-{}}}]}}", level);
    return fmt::format("{{{}, {}}}, ", head, chance(50) ? steps(level, levels) : dag(level, levels));
  }

  std::string steps(int level, int levels) {
    std::string groups;
    std::vector<std::string> before;
    const int count = pick(1, 3);
    for (int group = 0; group < count; ++group) {
      std::string members;
      const int size = pick(1, 3);
      std::vector<std::string> names;
      for (int i = 0; i < size; ++i) {
        names.push_back(fmt::format("s{}-{}{}", group, i, ending_));
        members += fmt::format("{{name: \"{}\", {}{}}}, ", names.back(),
                               common(level, levels, "steps", names.back(), before), chance(40) ? continue_on() : "");
      }
      groups += fmt::format("[{}], ", members);
      before.insert(before.end(), names.begin(), names.end());
    }
    return fmt::format("steps: [{}]", groups);
  }

  std::string dag(int level, int levels) {
    std::string tasks;
    std::vector<std::string> names;
    const int count = pick(1, 6);
    for (int i = 0; i < count; ++i) {
      std::vector<std::string> before;
      for (const std::string& name : names) {
        if (chance(40)) before.push_back(name);
      }
      std::string rule;
      if (!before.empty() && chance(40)) {
        constexpr const char* kResults[] = {".Succeeded", ".Failed", ".Skipped", "", ".Omitted", ".Errored"};
        std::string logic;
        for (const std::string& name : before) {
          logic += fmt::format("{}{}{}", logic.empty() ? "" : chance(50) ? " && " : " || ", name, kResults[pick(0, 5)]);
        }
        rule = fmt::format(", depends: \"{}\"", logic);
      } else if (!before.empty()) {
        rule = fmt::format(", dependencies: [\"{}\"]{}", fmt::join(before, "\", \""), chance(40) ? continue_on() : "");
      }
      names.push_back(fmt::format("d{}{}", i, ending_));
      tasks += fmt::format("{{name: \"{}\", {}{}}}, ", names.back(),
                           common(level, levels, "tasks", names.back(), before), rule);
    }
    return fmt::format("dag: {{failFast: {}, tasks: [{}]}}", chance(70), tasks);
  }

  std::mt19937_64 random_;
  std::string ending_;  ///< of the names in the template that is drawn: "", or a tag
};

}  // namespace tiphys::engine

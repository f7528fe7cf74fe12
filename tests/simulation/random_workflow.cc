#include "simulation/random_workflow.h"

#include <fmt/format.h>

#include <vector>

namespace tiphys::simulation {
namespace {

/// A step or task that later ones can refer to.
struct Earlier {
  std::string name;
  std::string kind;  ///< of its leaf; "" for anything else
  bool loop = false;
};

class Writer {
 public:
  Writer(Chance& chance, const WorkflowChoices& choices) : chance_(chance), choices_(choices) {}

  doc::Value workflow() {
    doc::Object spec{{"entrypoint", around(choices_.depth)}};
    if (chance_.percent(40)) spec["onExit"] = leaf("ok", 10);
    if (chance_.percent(30)) spec["parallelism"] = 1 + chance_.below(4);
    if (!choices_.same_every_time && chance_.percent(20)) spec["activeDeadlineSeconds"] = 5 + chance_.below(60);
    spec["templates"] = std::move(templates_);
    return doc::Object{{"apiVersion", "argoproj.io/v1alpha1"},
                       {"kind", "Workflow"},
                       {"metadata", doc::Object{{"name", choices_.name}, {"namespace", "sim"}}},
                       {"spec", std::move(spec)}};
  }

 private:
  std::string new_name(std::string_view prefix) { return fmt::format("{}-{}", prefix, ++count_); }

  std::string add(doc::Object written) {
    std::string name(std::string_view(written.at("name").as_string()));
    templates_.push_back(std::move(written));
    return name;
  }

  std::string leaf(std::string_view kind, std::size_t failing_percent) {
    doc::Object written{{"name", new_name(kind)},
                        {"container", doc::Object{{"image", "sim"},
                                                  {"command", doc::Array{"sim"}},
                                                  {"args", doc::Array{kind, fmt::to_string(failing_percent)}}}}};
    if (kind == "value") {
      written["outputs"] =
          doc::Object{{"parameters",
                       doc::Array{doc::Object{{"name", "value"}, {"valueFrom", doc::Object{{"path", "/tmp/value"}}}}}}};
    }
    if (chance_.percent(25)) written["retryStrategy"] = retry_strategy();
    if (!choices_.same_every_time && chance_.percent(20)) {  // who finds what saved hangs on who is first
      written["memoize"] =
          doc::Object{{"key", new_name("key")}, {"cache", doc::Object{{"configMap", doc::Object{{"name", "cache"}}}}}};
    }
    return add(std::move(written));
  }

  doc::Object retry_strategy() {
    doc::Object strategy{{"limit", fmt::to_string(1 + chance_.below(3))}};
    if (chance_.percent(60)) strategy["retryPolicy"] = chance_.percent(50) ? "Always" : "OnFailure";
    if (chance_.percent(40)) {
      strategy["backoff"] = doc::Object{{"duration", fmt::to_string(1 + chance_.below(5))}, {"factor", "2"}};
    }
    return strategy;
  }

  std::string suspend() {
    doc::Object rest;
    if (chance_.percent(50)) rest["duration"] = fmt::to_string(1 + chance_.below(20));
    return add({{"name", new_name("wait")}, {"suspend", std::move(rest)}});
  }

  /// A template with others within; `depth` 0 is a leaf.
  std::string around(int depth) {
    std::string kind;
    return around(depth, kind);
  }

  std::string around(int depth, std::string& kind) {
    const std::size_t draw = chance_.below(100);
    if (depth > 0 && draw < 40) return steps(depth);
    if (depth > 0 && draw < 75) return dag(depth);
    if (draw % 10 == 9) return suspend();
    static constexpr std::string_view kKinds[] = {"ok", "ok", "coin", "list", "value"};
    kind = kKinds[chance_.below(std::size(kKinds))];
    return leaf(kind, chance_.percent(50) ? 0 : 25);
  }

  std::string steps(int depth) {
    doc::Array groups;
    std::vector<Earlier> earlier;
    const std::size_t count = 1 + chance_.below(3);
    for (std::size_t g = 0; g < count; ++g) {
      doc::Array group;
      std::vector<Earlier> present;
      const std::size_t members = 1 + chance_.below(3);
      for (std::size_t s = 0; s < members; ++s) {
        Earlier self{fmt::format("s{}{}", g, s), "", false};
        doc::Object step{{"name", self.name}, {"template", around(depth - 1, self.kind)}};
        add_condition_and_loop("steps", earlier, step, self);
        if (chance_.percent(15)) step["continueOn"] = doc::Object{{"failed", true}, {"error", true}};
        add_hook(step);
        group.push_back(std::move(step));
        present.push_back(std::move(self));
      }
      groups.push_back(std::move(group));
      earlier.insert(earlier.end(), present.begin(), present.end());
    }
    doc::Object written{{"name", new_name("steps")}, {"steps", std::move(groups)}};
    add_parallelism(written);
    return add(std::move(written));
  }

  std::string dag(int depth) {
    doc::Array tasks;
    std::vector<Earlier> earlier;
    const bool by_names = chance_.percent(50);  // a dag may not use both forms
    const std::size_t count = 1 + chance_.below(5);
    for (std::size_t t = 0; t < count; ++t) {
      Earlier self{fmt::format("t{}", t), "", false};
      doc::Object task{{"name", self.name}, {"template", around(depth - 1, self.kind)}};
      const std::vector<Earlier> before = add_dependencies(earlier, by_names, task);
      add_condition_and_loop("tasks", before, task, self);
      add_hook(task);
      tasks.push_back(std::move(task));
      earlier.push_back(std::move(self));
    }
    doc::Object inner{{"tasks", std::move(tasks)}};
    if (choices_.same_every_time || chance_.percent(30)) inner["failFast"] = false;
    doc::Object written{{"name", new_name("dag")}, {"dag", std::move(inner)}};
    add_parallelism(written);
    return add(std::move(written));
  }

  std::vector<Earlier> add_dependencies(const std::vector<Earlier>& earlier, bool by_names, doc::Object& task) {
    std::vector<Earlier> chosen;
    for (const Earlier& candidate : earlier) {
      if (chance_.percent(50)) chosen.push_back(candidate);
    }
    if (chosen.empty()) return chosen;
    if (by_names) {
      doc::Array names;
      for (const Earlier& before : chosen) names.emplace_back(before.name);
      task["dependencies"] = std::move(names);
      if (chance_.percent(20)) task["continueOn"] = doc::Object{{"failed", true}};
      return chosen;
    }
    static constexpr std::string_view kTerms[] = {"{0}", "{0}.Succeeded", "({0}.Succeeded || {0}.Failed)",
                                                  "({0} || {0}.Errored || {0}.Omitted)", "!{0}.Failed"};
    std::string depends;
    for (const Earlier& before : chosen) {
      if (!depends.empty()) depends += chance_.percent(75) ? " && " : " || ";
      depends += fmt::format(fmt::runtime(kTerms[chance_.below(std::size(kTerms))]), before.name);
    }
    task["depends"] = std::move(depends);
    return chosen;
  }

  void add_condition_and_loop(std::string_view scope, const std::vector<Earlier>& earlier, doc::Object& step,
                              Earlier& self) {
    for (const Earlier& before : earlier) {
      if (before.loop) continue;
      const std::string result = fmt::format("{{{{{}.{}.outputs.result}}}}", scope, before.name);
      if (before.kind == "coin" && chance_.percent(50)) step["when"] = fmt::format("{} == heads", result);
      if (before.kind == "list" && !self.loop && chance_.percent(60)) {
        step["withParam"] = result;
        self.loop = true;
      }
    }
    if (self.loop || !chance_.percent(20)) return;
    self.loop = true;
    if (chance_.percent(50)) {
      step["withItems"] = doc::Array{"a", 2, doc::Object{{"k", "v"}}};
    } else {
      step["withSequence"] = doc::Object{{"count", fmt::to_string(chance_.below(5))}};
    }
  }

  void add_hook(doc::Object& step) {
    if (chance_.percent(10)) step["hooks"] = doc::Object{{"exit", doc::Object{{"template", leaf("ok", 10)}}}};
  }

  void add_parallelism(doc::Object& written) {
    if (chance_.percent(15)) written["parallelism"] = 1 + chance_.below(2);
  }

  Chance& chance_;
  const WorkflowChoices& choices_;
  doc::Array templates_;
  int count_ = 0;
};

}  // namespace

doc::Value random_workflow(Chance& chance, const WorkflowChoices& choices) {
  return Writer(chance, choices).workflow();
}

}  // namespace tiphys::simulation

#include "simulation/random_workflow.h"

#include <fmt/format.h>

#include <set>
#include <utility>
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

  RandomManifest manifest() {
    const bool whole = chance_.percent(20);  // the library holds the whole workflow
    const bool parts = !whole && chance_.percent(40);
    library_percent_ = parts ? 50 : 0;
    doc::Object spec = this->spec();
    RandomManifest made;
    doc::Object library_spec{{"templates", std::move(library_)}};
    if (whole)
      library_spec = std::exchange(spec, doc::Object{{"workflowTemplateRef", doc::Object{{"name", library_name()}}}});
    if (whole || parts) made.library = object("WorkflowTemplate", library_name(), std::move(library_spec));
    made.workflow = object("Workflow", choices_.name, std::move(spec));
    return made;
  }

 private:
  std::string library_name() const { return "of-" + choices_.name; }

  static doc::Value object(std::string_view kind, std::string_view name, doc::Object spec) {
    return doc::Object{{"apiVersion", "argoproj.io/v1alpha1"},
                       {"kind", kind},
                       {"metadata", doc::Object{{"name", name}, {"namespace", "sim"}}},
                       {"spec", std::move(spec)}};
  }

  doc::Object spec() {
    std::string entry = around(choices_.depth);
    if (elsewhere_.contains(entry)) {  // an entrypoint is one of the workflow's own
      entry = add({{"name", "entry"}, {"steps", doc::Array{doc::Array{named_call("only", entry)}}}});
    }
    doc::Object spec{{"entrypoint", entry}};
    if (chance_.percent(40)) spec["hooks"] = doc::Object{{"exit", call(leaf("ok", 10))}};
    if (chance_.percent(30)) spec["parallelism"] = 1 + chance_.below(4);
    if (!choices_.same_every_time && chance_.percent(20)) spec["activeDeadlineSeconds"] = 5 + chance_.below(60);
    spec["templates"] = std::move(templates_);
    return spec;
  }

  std::string new_name(std::string_view prefix) { return fmt::format("{}-{}", prefix, ++count_); }

  std::string add(doc::Object written) {
    std::string name(std::string_view(written.at("name").as_string()));
    templates_.push_back(std::move(written));
    return name;
  }

  /// A leaf of the workflow or of its library.
  std::string add_leaf(doc::Object written) {
    if (!chance_.percent(library_percent_)) return add(std::move(written));
    std::string name(std::string_view(written.at("name").as_string()));
    library_.push_back(std::move(written));
    elsewhere_.insert(name);
    return name;
  }

  /// What names a template in a step, task or hook.
  doc::Object call(const std::string& name) {
    if (!elsewhere_.contains(name)) return {{"template", name}};
    return {{"templateRef", doc::Object{{"name", library_name()}, {"template", name}}}};
  }

  doc::Object named_call(const std::string& name, const std::string& callee) {
    doc::Object step{{"name", name}};
    for (const auto& [key, value] : call(callee)) step[key] = value;
    return step;
  }

  std::string leaf(std::string_view kind, std::size_t failing_percent) {
    doc::Object written{{"name", new_name(kind)},
                        {"container", doc::Object{{"image", "sim"},
                                                  {"command", doc::Array{"sim"}},
                                                  {"args", doc::Array{kind, fmt::to_string(failing_percent)}}}}};
    if (kind == "set") {
      written.erase("container");
      doc::Array containers;
      for (const char* name : {"main", "beside"}) {
        containers.push_back(doc::Object{{"name", name},
                                         {"image", "sim"},
                                         {"command", doc::Array{"sim"}},
                                         {"args", doc::Array{kind, fmt::to_string(failing_percent)}}});
      }
      written["containerSet"] = doc::Object{{"containers", std::move(containers)}};
    }
    if (kind == "web") {
      written.erase("container");
      written["http"] = doc::Object{
          {"url", fmt::format("http://sim/{}/{}", failing_percent, std::string_view(written["name"].as_string()))}};
    }
    if (kind == "made") {
      written.erase("container");
      written["resource"] = doc::Object{
          {"action", "create"},
          {"manifest", "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: made-, labels: {made: 'yes'}}}"}};
    }
    if (kind == "value") {
      written["outputs"] =
          doc::Object{{"parameters",
                       doc::Array{doc::Object{{"name", "value"}, {"valueFrom", doc::Object{{"path", "/tmp/value"}}}}}}};
    }
    if (chance_.percent(25)) written["retryStrategy"] = retry_strategy();
    if (!choices_.same_every_time && kind != "made" &&
        chance_.percent(20)) {  // who finds what saved hangs on who is first
      written["memoize"] =
          doc::Object{{"key", new_name("key")}, {"cache", doc::Object{{"configMap", doc::Object{{"name", "cache"}}}}}};
    }
    return add_leaf(std::move(written));
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
    static constexpr std::string_view kKinds[] = {"ok", "ok", "coin", "list", "value", "web", "set"};
    kind = kKinds[chance_.below(std::size(kKinds))];
    // After too many failing writes a resource template fails.
    if (!choices_.same_every_time && chance_.percent(10)) kind = "made";
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
        doc::Object step = named_call(self.name, around(depth - 1, self.kind));
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
      doc::Object task = named_call(self.name, around(depth - 1, self.kind));
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
    if (chance_.percent(10)) step["hooks"] = doc::Object{{"exit", call(leaf("ok", 10))}};
  }

  void add_parallelism(doc::Object& written) {
    if (chance_.percent(15)) written["parallelism"] = 1 + chance_.below(2);
  }

  Chance& chance_;
  const WorkflowChoices& choices_;
  doc::Array templates_, library_;
  std::set<std::string> elsewhere_;  ///< templates of the library
  std::size_t library_percent_ = 0;
  int count_ = 0;
};

}  // namespace

RandomManifest random_workflow(Chance& chance, const WorkflowChoices& choices) {
  return Writer(chance, choices).manifest();
}

}  // namespace tiphys::simulation

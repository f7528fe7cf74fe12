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
    static constexpr std::string_view kStrategies[] = {"", "", "OnWorkflowCompletion", "OnWorkflowDeletion", "Never"};
    strategy_ = kStrategies[chance_.below(std::size(kStrategies))];
    RandomManifest made;
    made.forced = chance_.percent(20);
    // A daemon counts among what is under way, so that nothing else may begin; in the original too.
    daemons_ = chance_.percent(30);
    doc::Object spec = this->spec();
    if (!strategy_.empty() || made.forced) {
      doc::Object& gc = spec["artifactGC"].emplace_object();
      if (!strategy_.empty()) gc["strategy"] = strategy_;
      if (made.forced) gc["forceFinalizerRemoval"] = true;
    }
    made.collects = collects_;
    made.expires = chance_.percent(30);
    if (made.expires) {
      spec["ttlStrategy"] = doc::Object{{"secondsAfterCompletion", kTimeToLive / std::chrono::seconds(1)}};
    }
    static constexpr std::string_view kPodGcs[] = {"OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion",
                                                   "OnWorkflowSuccess"};
    if (chance_.percent(40)) {
      doc::Object& gc = spec["podGC"].emplace_object();
      gc["strategy"] = kPodGcs[chance_.below(std::size(kPodGcs))];
      if (chance_.percent(50)) gc["deleteDelayDuration"] = fmt::format("{}s", chance_.below(5));
    }
    doc::Object library_spec{{"templates", std::move(library_)}};
    if (whole)
      library_spec = std::exchange(spec, doc::Object{{"workflowTemplateRef", doc::Object{{"name", library_name()}}}});
    if (whole || parts) made.library = object("WorkflowTemplate", library_name(), std::move(library_spec));
    made.asks_library = asks_library_;
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
    add_hook(spec, "workflow", 40);
    if (!daemons_ && chance_.percent(30)) spec["parallelism"] = 1 + chance_.below(4);
    if (!choices_.same_every_time && chance_.percent(20)) spec["activeDeadlineSeconds"] = 5 + chance_.below(60);
    if (asks_) spec["executorPlugins"] = doc::Array{plugin()};
    spec["templates"] = std::move(templates_);
    return spec;
  }

  static doc::Object plugin() {
    doc::Object container{{"name", "sim"},
                          {"image", "sim"},
                          {"command", doc::Array{"sim"}},
                          {"ports", doc::Array{doc::Object{{"containerPort", 4355}}}},
                          {"securityContext", doc::Object{{"runAsNonRoot", true}}}};
    for (const char* bound : {"requests", "limits"}) {
      doc::ensure_object(container, "resources")[bound] = doc::Object{{"cpu", "100m"}, {"memory", "64Mi"}};
    }
    return {{"metadata", doc::Object{{"name", "sim"}}},
            {"spec", doc::Object{{"sidecar", doc::Object{{"container", std::move(container)}}}}}};
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
    // Whether artifacts are to be deleted is settled as the workflow begins.
    if (!doc::find(library_.back(), "outputs", "artifacts")) tagged_.insert(name);
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
    if (tagged_.contains(callee) && chance_.percent(40)) {
      step["templateRef"].as_object()["name"] = "of-{{workflow.name}}";
      asks_library_ = true;
    }
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
    if (kind == "server") written["daemon"] = true;
    if (kind == "asks") {
      written.erase("container");
      written["plugin"] = doc::Object{{"sim", doc::Object{{"failing", failing_percent}}}};
      asks_ = true;
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
    const bool runs_container = kind != "web" && kind != "made" && kind != "asks" && kind != "server";
    if (!choices_.same_every_time && runs_container && chance_.percent(15)) {
      written["activeDeadlineSeconds"] = static_cast<std::int64_t>(1 + chance_.below(8));
    } else if (!choices_.same_every_time && runs_container && chance_.percent(15)) {
      written["timeout"] = fmt::format("{}s", 1 + chance_.below(12));
    }
    if (runs_container && chance_.percent(30)) {
      doc::Array artifacts;
      for (std::size_t i = 1 + chance_.below(2); i > 0; --i) artifacts.push_back(artifact("/out/file"));
      doc::ensure_object(written, "outputs")["artifacts"] = std::move(artifacts);
    } else if (!choices_.same_every_time && kind != "made" && kind != "server" &&
               chance_.percent(20)) {  // who finds what saved hangs on who is first
      written["memoize"] =
          doc::Object{{"key", new_name("key")}, {"cache", doc::Object{{"configMap", doc::Object{{"name", "cache"}}}}}};
    }
    return add_leaf(std::move(written));
  }

  doc::Object retry_strategy() {
    doc::Object strategy{{"limit", fmt::to_string(1 + chance_.below(3))}};
    static constexpr std::string_view kPolicies[] = {"Always", "Always", "OnFailure", "OnError", "OnTransientError"};
    if (chance_.percent(60)) strategy["retryPolicy"] = kPolicies[chance_.below(std::size(kPolicies))];
    if (chance_.percent(15)) strategy["expression"] = "lastRetry.status != 'Error' && asInt(retries) < 2";
    if (chance_.percent(40)) {
      strategy["backoff"] = doc::Object{{"duration", fmt::to_string(1 + chance_.below(5))}, {"factor", "2"}};
    }
    return strategy;
  }

  /// An output, with a strategy of its own or the workflow's.
  doc::Object artifact(std::string_view path) {
    static constexpr std::string_view kStrategies[] = {"OnWorkflowCompletion", "OnWorkflowDeletion", "Never"};
    std::string_view strategy = strategy_;
    doc::Object made;
    if (chance_.percent(50)) {
      strategy = kStrategies[chance_.below(std::size(kStrategies))];
      made["artifactGC"] = doc::Object{{"strategy", strategy}};
    }
    const std::string_view fate = strategy == kStrategies[0] ? kEnds : strategy == kStrategies[1] ? kGoes : kStays;
    collects_ = collects_ || fate != kStays;
    made["name"] = new_name(fate.substr(0, fate.size() - 1));
    made["path"] = path;
    return made;
  }

  /// Files are made, listed by a data template, and each of some is looked at.
  std::string listing() {
    doc::Object folder = artifact(kFolderPath);
    const std::string key = fmt::format("{{{{workflow.name}}}}/{}", std::string_view(folder["name"].as_string()));
    folder["archive"] = doc::Object{{"none", doc::Object()}};
    folder["s3"] = doc::Object{{"key", key}};
    const std::string make =
        add_leaf({{"name", new_name("make")},
                  {"container",
                   doc::Object{{"image", "sim"}, {"command", doc::Array{"sim"}}, {"args", doc::Array{"make", "10"}}}},
                  {"outputs", doc::Object{{"artifacts", doc::Array{std::move(folder)}}}}});
    doc::Array transformation{doc::Object{{"expression", "filter(data, {# endsWith '.log'})"}}};
    if (chance_.percent(50)) transformation.push_back(doc::Object{{"expression", "map(data, {# + '?'})"}});
    const doc::Object source{{"name", "made"},
                             {"s3", doc::Object{{"key", chance_.percent(10) ? "{{workflow.name}}/nowhere" : key}}}};
    doc::Object list{{"name", new_name("list")},
                     {"data", doc::Object{{"source", doc::Object{{"artifactPaths", source}}},
                                          {"transformation", std::move(transformation)}}}};
    if (chance_.percent(25)) list["retryStrategy"] = retry_strategy();
    doc::Object look = named_call("look", leaf("ok", 25));
    look["withParam"] = "{{steps.list.outputs.result}}";
    doc::Array groups{doc::Array{named_call("make", make)}, doc::Array{named_call("list", add_leaf(std::move(list)))},
                      doc::Array{std::move(look)}};
    return add({{"name", new_name("listing")}, {"steps", std::move(groups)}});
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
    if (depth > 0 && chance_.percent(10)) return listing();
    const std::size_t draw = chance_.below(100);
    if (depth > 0 && draw < 40) return steps(depth);
    if (depth > 0 && draw < 75) return dag(depth);
    if (draw % 10 == 9) return suspend();
    static constexpr std::string_view kKinds[] = {"ok", "ok", "coin", "list", "value", "web", "set"};
    kind = kKinds[chance_.below(std::size(kKinds))];
    // After too many failing writes a resource template fails.
    if (!choices_.same_every_time && chance_.percent(10)) kind = "made";
    if (chance_.percent(8)) kind = "asks";
    if (daemons_ && depth < choices_.depth && chance_.percent(15)) kind = "server";  // who has begun it ends it
    return leaf(kind, kind == "server" || chance_.percent(50) ? 0 : 25);
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
        add_hook(step, fmt::format("steps['{}']", self.name));
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
      add_hook(task, fmt::format("tasks['{}']", self.name));
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

  /// A handler of its exit, and of a state of what `node` names.
  void add_hook(doc::Object& of, const std::string& node, std::size_t exit_percent = 10) {
    doc::Object hooks;
    if (chance_.percent(exit_percent)) hooks["exit"] = call(leaf("ok", 10));
    static constexpr std::string_view kStates[] = {"Succeeded", "Failed", "Running"};
    // What runs for a short time may be seen or not.
    const std::size_t states = choices_.same_every_time ? 2 : 3;
    if (chance_.percent(8)) {
      doc::Object hook = call(leaf("ok", 10));
      hook["expression"] = fmt::format("{}.status == '{}'", node, kStates[chance_.below(states)]);
      hooks["seen"] = std::move(hook);
    }
    if (!hooks.empty()) of["hooks"] = std::move(hooks);
  }

  void add_parallelism(doc::Object& written) {
    if (!daemons_ && chance_.percent(15)) written["parallelism"] = 1 + chance_.below(2);
  }

  Chance& chance_;
  const WorkflowChoices& choices_;
  doc::Array templates_, library_;
  std::set<std::string> elsewhere_;  ///< templates of the library
  std::set<std::string> tagged_;     ///< those of them that a step may name by tags
  bool asks_library_ = false;        ///< one does
  std::size_t library_percent_ = 0;
  std::string_view strategy_;  ///< of the workflow, for its artifacts
  bool collects_ = false;
  bool daemons_ = false;
  bool asks_ = false;  ///< some template is a plugin's
  int count_ = 0;
};

}  // namespace

RandomManifest random_workflow(Chance& chance, const WorkflowChoices& choices) {
  return Writer(chance, choices).manifest();
}

}  // namespace tiphys::simulation

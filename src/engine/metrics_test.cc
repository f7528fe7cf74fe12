// When metrics are emitted, and what they say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A workflow named wf whose entrypoint is main; templates and metrics are in flow form.
std::string manifest(std::string_view templates, std::string_view spec_metrics = "") {
  return fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main, metrics: "
      "{{prometheus: [{}]}}, templates: [{}]}}}}",
      spec_metrics, templates);
}

/// `metrics` with one counter that tells of its node by labels.
std::string counter(std::string_view labels, std::string_view more = "") {
  std::string list;
  int number = 0;
  for (std::size_t at = 0; at < labels.size(); ++number) {
    const std::size_t end = std::min(labels.find(' ', at), labels.size());
    list += fmt::format("{{key: l{}, value: \"{{{{{}}}}}\"}}, ", number, labels.substr(at, end - at));
    at = end + 1;
  }
  return fmt::format("metrics: {{prometheus: [{{name: ends, help: h, labels: [{}], counter: {{value: '1'}}{}}}]}}",
                     list, more);
}

std::vector<std::string> metrics_of(std::string_view yaml, std::map<std::string, PodEnd> ends = {}) {
  FakeWorld world(yaml);
  world.ends = std::move(ends);
  world.play();
  EXPECT_EQ(world.run->status().metrics_error, "");
  return world.metrics;
}

TEST(Metrics, AreEmittedWhenNodesEnd) {
  const std::string leaf = "container: {image: i}, " + counter("status");
  struct Row {
    const char* rule;
    std::string templates;
    std::vector<std::string> metrics;
    std::map<std::string, PodEnd> ends = {};
  };
  for (const Row& row : {
           Row{"a pod", fmt::format("{{name: main, {}}}", leaf), {"ends{l0=Succeeded} counts 1"}},
           Row{"one that fails",
               fmt::format("{{name: main, {}}}", leaf),
               {"ends{l0=Failed} counts 1"},
               {{"wf", failing()}}},
           Row{"steps and their members",
               fmt::format("{{name: main, {}, steps: [[{{name: a, template: leaf}}]]}}, {{name: leaf, {}}}",
                           counter("node.name retries"), leaf),
               {"ends{l0=Succeeded} counts 1", "ends{l0=wf,l1=0} counts 1"}},
           Row{"none of what is skipped or omitted",
               fmt::format(
                   "{{name: main, dag: {{tasks: [{{name: a, template: leaf, when: 1 == 2}}, {{name: b, template: "
                   "leaf, depends: a.Failed}}]}}}}, {{name: leaf, {}}}",
                   leaf),
               {}},
           Row{"of attempts as the next begins, of the last by the retry node",
               "{name: main, retryStrategy: {limit: 3}, container: {image: i}, " + counter("node.name status retries") +
                   "}",
               {"ends{l0=wf(0),l1=Failed,l2=0} counts 1", "ends{l0=wf(1),l1=Failed,l2=1} counts 1",
                "ends{l0=wf,l1=Succeeded,l2=2} counts 1"},
               {{"wf(0)", failing()}, {"wf(1)", failing()}}},
           Row{"a retry node that gives up",
               "{name: main, retryStrategy: {limit: 0}, container: {image: i}, " + counter("status exitCode retries") +
                   "}",
               {"ends{l0=Failed,l1=7,l2=0} counts 1"},
               {{"wf(0)", failing(7)}}},
           Row{"a daemon when it is ended",
               fmt::format(
                   "{{name: main, steps: [[{{name: d, template: leaf}}], [{{name: a, template: ok}}]]}}, {{name: "
                   "ok, container: {{image: i}}}}, {{name: leaf, daemon: true, {}}}",
                   leaf),
               {"ends{l0=Succeeded} counts 1"},
               {{"wf[0].d", PodEnd{.runs = std::chrono::hours(1)}}}},
           Row{"exit handlers and hooks",
               fmt::format("{{name: main, steps: [[{{name: a, template: ok, onExit: leaf}}]]}}, {{name: ok, container: "
                           "{{image: i}}}}, {{name: leaf, {}}}",
                           leaf),
               {"ends{l0=Succeeded} counts 1"}},
           Row{"a false when",
               "{name: main, container: {image: i}, " + counter("status", ", when: '{{status}} == Failed'") + "}",
               {}},
           Row{"a true when",
               "{name: main, container: {image: i}, " + counter("", ", when: '{{status}} == Succeeded'") + "}",
               {"ends{} counts 1"}},
       }) {
    EXPECT_EQ(metrics_of(manifest(row.templates), row.ends), row.metrics) << row.rule;
  }
}

TEST(Metrics, SeeTheirNode) {
  PodEnd end = giving("accuracy", "0.975");
  end.outputs->result = "said";
  end.runs = std::chrono::milliseconds(2500);
  EXPECT_THAT(
      metrics_of(
          manifest("{name: main, inputs: {parameters: [{name: model, value: svm}]}, outputs: {parameters: "
                   "[{name: accuracy, valueFrom: {path: /a}}]}, container: {image: i}, metrics: {prometheus: ["
                   "{name: acc, help: h, gauge: {value: '{{outputs.parameters.accuracy}}', operation: Add}, "
                   "labels: [{key: of, value: '{{inputs.parameters.model}} {{outputs.result}} {{exitCode}}'}]}, "
                   "{name: time, help: h, histogram: {value: '{{duration}}', buckets: [1, 2.5]}}, "
                   "{name: cpu, help: h, gauge: {value: '{{resourcesDuration.cpu}}', operation: Sub}}, "
                   "{name: gpu, help: h, gauge: {value: '{{resourcesDuration.nvidia.com/gpu}}'}}, "
                   "{name: twice, help: h, counter: {value: '{{=asFloat(outputs.parameters.accuracy) * 2}}'}}]}}"),
          {{"wf", end}}),
      ElementsAre("acc{of=svm said 0} += 0.975", "time{} in [1 2.5] 2.5", "cpu{} -= 1", "gpu{} = 0",
                  "twice{} counts 1.95"));
}

TEST(Metrics, NameWhatTheirKindOfNodeHas) {
  struct Row {
    const char* rule;
    std::string main;  ///< the entrypoint, without its metrics
    const char* variables;
    std::string values;  ///< with commas between; "" when it is not known
    std::map<std::string, PodEnd> ends = {};
    std::string others = "";
  };
  const std::string pod = "container: {image: i}", in = "inputs: {parameters: [{name: i, value: in}]}, ";
  const std::string out = "outputs: {parameters: [{name: o, valueFrom: {path: /o}}]}, ";
  const std::string members = "[{name: a, template: ok}, {name: b, template: ok}]";
  const std::string ok = ", {name: ok, " + out + pod + "}";
  const auto up = [](const char* root) {
    return fmt::format(
        "outputs: {{parameters: [{{name: up, valueFrom: {{parameter: '{{{{{}.a.outputs.parameters.o}}}}'}}}}]}}, ",
        root);
  };
  PodEnd end = giving("o", "out");
  end.outputs->result = "said";
  for (const Row& row : {
           Row{"a pod",
               in + out + pod,
               "status duration exitCode inputs.parameters.i outputs.result outputs.parameters.o resourcesDuration.cpu "
               "resourcesDuration.memory",
               "Succeeded,1.000000,0,in,said,out,1,3",
               {{"wf", end}}},
           Row{"what its template's texts know", pod, "workflow.status workflow.name node.name pod.name",
               "Running,wf,wf,wf"},
           Row{"a pod that has not been tried again", pod, "retries", ""},
           Row{"a pod that gave nothing", out + pod, "outputs.result", "", {{"wf", failing()}}},
           Row{"a retry node",
               "retryStrategy: {limit: 1}, " + in + pod,
               "status exitCode inputs.parameters.i lastRetry.exitCode lastRetry.status retries",
               "Failed,3,in,7,Failed,1",
               {{"wf(0)", failing(7)}, {"wf(1)", failing(3)}}},
           Row{"steps",
               in + up("steps") + "steps: [" + members + "]",
               "status duration inputs.parameters.i outputs.parameters.up retries workflow.duration",
               "Succeeded,1.000000,in,out,0,1.000000",
               {{"wf[0].a", end}},
               ok},
           Row{"a dag",
               in + up("tasks") + "dag: {tasks: " + members + "}",
               "status inputs.parameters.i outputs.parameters.up retries",
               "Succeeded,in,out,1",
               {{"wf.a", end}},
               ok},
           Row{"a dag has no exit code", "dag: {tasks: " + members + "}", "exitCode", "", {}, ok},
           Row{"suspend", "suspend: {duration: \"3\"}", "status duration resourcesDuration.cpu",
               "Succeeded,3.000000,0"},
           Row{"http", "http: {url: \"http://good\"}", "status outputs.result", "Succeeded,body"},
       }) {
    const auto metrics = [&](const std::string& text) {
      FakeWorld world(text);
      world.ends = row.ends;
      world.play();
      std::string told = world.metrics.empty() ? "" : world.metrics.back();
      if (told.empty()) {
        EXPECT_THAT(world.run->status().metrics_error,
                    HasSubstr(fmt::format("failed to resolve {{{{{}}}}}", row.variables)))
            << row.rule;
        return told;
      }
      told = told.substr(0, told.rfind('}')).substr(told.find('{') + 1);
      for (int label = 0; label < 10; ++label) {
        const std::string key = fmt::format("l{}=", label);
        if (const auto at = told.find(key); at != told.npos) told.erase(at, key.size());
      }
      return told;
    };
    const std::string own = counter(row.variables);
    EXPECT_EQ(metrics(manifest(fmt::format("{{name: main, {}, {}}}{}", row.main, own, row.others))), row.values)
        << row.rule;
    // The workflow's know as much, of the node of its entrypoint, but for what only a template's texts do.
    if (std::string_view(row.variables).find("workflow.status") != std::string_view::npos) continue;
    if (std::string_view(row.variables).find("lastRetry") != std::string_view::npos) continue;
    const std::string list = own.substr(own.find('[') + 1, own.size() - own.find('[') - 3);
    const std::string of_workflow = manifest(fmt::format("{{name: main, {}}}{}", row.main, row.others), list);
    if (row.main.find(pod) == row.main.npos)
      EXPECT_EQ(metrics(of_workflow), row.values) << row.rule << ", the workflow's";
  }
}

TEST(Metrics, OfOutputsWithoutAValueAreEmpty) {
  FakeWorld world(manifest(
      "{name: main, outputs: {parameters: [{name: o, valueFrom: {supplied: {}}}]}, suspend: {duration: \"3\"}, " +
      counter("outputs.parameters.o") + "}"));
  world.play();
  EXPECT_EQ(world.run->status().metrics_error, "");
}

TEST(Metrics, OfTheWorkflowTellHowItsEntryEnded) {
  const std::string templates =
      "{name: main, steps: [[{name: a, template: leaf}]]}, {name: leaf, container: {image: i}}";
  EXPECT_THAT(
      metrics_of(manifest(templates,
                          "{name: wfs, help: h, labels: [{key: status, value: '{{workflow.status}} {{status}}'}], "
                          "counter: {value: '1'}}, {name: time, help: h, gauge: {value: '{{workflow.duration}}'}}, "
                          "{name: cpu, help: h, gauge: {value: '{{resourcesDuration.cpu}}'}}"),
                 {{"wf[0].a", failing()}}),
      ElementsAre("wfs{status=Failed Failed} counts 1", "time{} = 1", "cpu{} = 2"));
}

TEST(Metrics, RunOnInRealtime) {
  const std::string yaml = manifest(
      "{name: main, steps: [[{name: a, template: leaf}]]}, {name: leaf, retryStrategy: {limit: 1}, container: {image: "
      "i}, metrics: {prometheus: [{name: runs, help: h, gauge: {realtime: true, value: '{{duration}}'}}]}}",
      "{name: lives, help: h, gauge: {realtime: true, value: '{{workflow.duration}}'}}");
  EXPECT_THAT(metrics_of(yaml, {{"wf[0].a(0)", failing()}}),
              ElementsAre("lives{} from 0", "runs{} from 0", "runs{} from 0 to 1", "runs{} from 0 to 2",
                          "lives{} from 0 to 2"));
}

TEST(Metrics, ThatRunOnAreToldAgainAfterARestart) {
  FakeWorld world(
      manifest("{name: main, container: {image: i}, metrics: {prometheus: [{name: runs, help: h, gauge: "
               "{realtime: true, value: '{{duration}}'}}, {name: ends, help: h, counter: {value: '1'}}]}}"));
  world.apply(Started{});
  world.step();
  world.metrics.clear();
  world.crash();
  EXPECT_THAT(world.metrics, ElementsAre("runs{} from 0"));
  while (world.step()) {
  }
  EXPECT_THAT(world.metrics, ElementsAre("runs{} from 0", "runs{} from 0 to 1", "ends{} counts 1"));
}

TEST(Metrics, AreNotEmittedOfAHitInTheCache) {
  FakeWorld world(manifest("{name: main, container: {image: i}, memoize: {key: k, cache: {configMap: {name: c}}}, " +
                           counter("status") + "}"));
  world.cache["k"] = {};
  world.play();
  EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
  EXPECT_THAT(world.metrics, IsEmpty());
}

TEST(Metrics, FailWithoutTheWorkflow) {
  struct Row {
    const char* metric;
    const char* error;
  };
  for (const Row& row : {
           Row{"counter: {value: '{{outputs.parameters.no}}'}",
               "unable to substitute parameters for metric 'm': failed to resolve {{outputs.parameters.no}}"},
           Row{"counter: {value: one}",
               "could not construct metric 'm': strconv.ParseFloat: parsing \"one\": invalid syntax"},
           Row{"when: 'a ==', counter: {value: '1'}",
               "unable to compute 'when' clause for metric 'm': Invalid 'when' expression"},
           Row{"gauge: {realtime: true, value: '1'}", "real time metrics can only be used with metric variables"},
           Row{"gauge: {realtime: true, value: '{{status}}'}", "'status' is not available as a real time metric"},
           Row{"when: 1 == 1", "could not construct metric 'm': invalid metric spec"},
           Row{"name: 'a-{{workflow.name}}', counter: {value: '1'}",
               "could not construct metric 'a-wf': metric name is invalid: names may only contain alphanumeric "
               "characters or '_'"},
           Row{"labels: [{key: 'l-{{workflow.name}}', value: x}], counter: {value: '1'}",
               "could not construct metric 'm': metric label 'l-wf' is invalid: keys may only contain"},
       }) {
    FakeWorld world(
        manifest(fmt::format("{{name: main, container: {{image: i}}, metrics: {{prometheus: [{{help: h, {}{}}}]}}}}",
                             std::string_view(row.metric).starts_with("name: ") ? "" : "name: m, ", row.metric)));
    world.play();
    EXPECT_EQ(world.run->status().phase, RunStatus::Phase::kSucceeded);
    EXPECT_THAT(world.run->status().metrics_error, HasSubstr(row.error));
    EXPECT_THAT(world.metrics, IsEmpty());
  }
}

TEST(Metrics, NamesAreFilledIn) {
  EXPECT_THAT(
      metrics_of(manifest("{name: main, steps: [[{name: a, template: leaf, withItems: [p, q], arguments: {parameters: "
                          "[{name: p, value: '{{item}}'}]}}]]}, {name: leaf, inputs: {parameters: [{name: p}]}, "
                          "container: {image: i}, metrics: {prometheus: [{name: 'of_{{inputs.parameters.p}}', help: h, "
                          "labels: [{key: 'l_{{inputs.parameters.p}}', value: x}], counter: {value: '1'}}]}}",
                          "{name: '{{workflow.name}}_{{status}}', help: h, counter: {value: '1'}}")),
      ElementsAre("of_p{l_p=x} counts 1", "of_q{l_q=x} counts 1", "wf_Succeeded{} counts 1"));
}

TEST(Metrics, SayEachErrorOnce) {
  FakeWorld world(
      manifest("{name: main, steps: [[{name: a, template: leaf, withItems: [1, 2]}]]}, {name: leaf, "
               "container: {image: i}, metrics: {prometheus: [{name: a, help: h, counter: {value: x}}, {name: "
               "b, help: h, counter: {value: z}}]}}"));
  world.play();
  EXPECT_EQ(world.run->status().metrics_error,
            "could not construct metric 'a': strconv.ParseFloat: parsing \"x\": invalid syntax, "
            "could not construct metric 'b': strconv.ParseFloat: parsing \"z\": invalid syntax");
}

}  // namespace
}  // namespace tiphys::engine

// Rules of test files: what mocks do to a workflow, and what expectations find.
#include "play/run_tests.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"

namespace tiphys::play {
namespace {

using testing::HasSubstr;

constexpr std::string_view kWorkflows = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  arguments: {parameters: [{name: items, value: "[1, 2, 3]"}, {name: ask, value: "false"}]}
  templates:
  - name: main
    steps:
    - - {name: flaky, template: flaky}
    - - name: loop
        template: work
        withParam: "{{workflow.parameters.items}}"
        arguments: {parameters: [{name: num, value: "{{item}}"}]}
    - - name: approve
        template: approve
        when: "{{workflow.parameters.ask}}"
    - - name: use
        template: work
        when: "{{workflow.parameters.ask}}"
        arguments: {parameters: [{name: num, value: "{{steps.approve.outputs.parameters.who}}"}]}
  - name: flaky
    retryStrategy: {limit: 2, retryPolicy: Always}
    container: {image: a}
  - name: work
    inputs: {parameters: [{name: num}]}
    outputs:
      parameters: [{name: out, valueFrom: {path: /out, default: none}}]
      artifacts: [{name: file, path: /file}]
    container: {image: a, args: ["{{inputs.parameters.num}}"]}
  - name: approve
    outputs: {parameters: [{name: who, valueFrom: {supplied: {}}}]}
    suspend: {}
  - name: late
    activeDeadlineSeconds: 10
    container: {image: a}
  - name: waits
    pendingTimeout: 30s
    container: {image: a}
  - name: gives
    outputs: {parameters: [{name: needed, valueFrom: {path: /out}}]}
    container: {image: a}
  - name: cached
    memoize: {key: k, maxAge: 1h, cache: {configMap: {name: cache}}}
    outputs: {parameters: [{name: out, valueFrom: {path: /out, default: none}}]}
    container: {image: a}
  - name: with-daemon
    steps:
    - - {name: server, template: server}
    - - {name: client, template: late}
  - name: server
    daemon: true
    container: {image: a}
  - name: applies
    resource: {action: create, manifest: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"}
  - name: asks
    steps:
    - - {name: ask, template: asked}
    - - {name: list, template: listed}
    - - {name: use, template: work, withParam: "{{steps.list.outputs.result}}", arguments: {parameters: [{name: num, value: "{{item}} {{steps.ask.outputs.result}}"}]}}
  - name: asked
    http: {url: "http://example.com"}
  - name: listed
    data: {source: {artifactPaths: {name: a, s3: {key: in}}}, transformation: []}
  - name: narrow
    parallelism: 1
    steps: [[{name: a, template: late}, {name: b, template: late}]]
  - name: for-ever
    retryStrategy: {}
    container: {image: a}
  - name: refers
    steps: [[{name: far, templateRef: {name: other, template: there}}]]
  - name: looks
    steps: [[{name: far, withItems: [other, gone], templateRef: {name: "{{item}}", template: there}}]]
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: other}
spec:
  entrypoint: there
  templates:
  - name: there
    container: {image: a}
)";

doc::Document document_of(std::string_view yaml, std::string_view file) {
  auto documents = doc::parse_yaml(yaml, file);
  TIPHYS_CHECK(documents, documents.error().message);
  return documents->front();
}

/// What the one test of a file comes to: "" when it passes.
std::string outcome(const std::string& test) {
  static const WorkflowSet workflows(*doc::parse_yaml(kWorkflows, "wf.yaml"));
  const auto file = read_test_file(document_of("tests:\n- name: t\n" + test, "t.yaml"));
  if (!file) return file.error().message;
  const TestResult result = run_test(*file, file->tests.front(), workflows);
  std::string text = result.error;
  for (const Difference& difference : result.differences) {
    const doc::Mark mark = file->marks.value(difference.pointer);
    text += fmt::format("{}:{} {}: {}, not {}\n", mark.line, mark.column, difference.what, difference.got,
                        difference.expected);
  }
  return text;
}

struct Case {
  const char* rule;
  std::string test;
  std::string says = "";  ///< "" passes; else a part of what differs
};

void PrintTo(const Case& row, std::ostream* out) {
  *out << row.rule;
}

class Rules : public testing::TestWithParam<Case> {};

TEST_P(Rules, Hold) {
  const std::string text = outcome(GetParam().test);
  if (GetParam().says.empty()) {
    EXPECT_EQ(text, "");
  } else {
    EXPECT_THAT(text, HasSubstr(GetParam().says));
  }
}

std::string one(const std::string& entrypoint, const std::string& mock, const std::string& expect) {
  return fmt::format("  entrypoint: {}\n  mocks: [{{{}}}]\n  expect: {{{}}}\n", entrypoint, mock, expect);
}

const Case kMocks[] = {
    {"what has no mock takes a second and gives its defaults",
     "  expect: {phase: Succeeded, duration: 2s, nodes: {'loop(0:1)': {started: 1s, outputs: {parameters: {out: "
     "none}}}}}\n"},
    {"a mock by template", one("main", "template: work, duration: 5s, outputs: {parameters: {out: [1]}}",
                               "duration: 6s, nodes: {'loop(*)': {count: 3, outputs: {parameters: {out: '[1]'}}}}")},
    {"by display name",
     one("main", "node: 'loop(1:*)', exitCode: 2",
         "phase: Failed, nodes: {'loop(1:2)': {exitCode: 2, phase: Failed}, 'loop(0:1)': Succeeded}")},
    {"by name", one("main", "node: 'wf[1].loop(*)', duration: 1m", "duration: 1m1s")},
    {"by template and node at once", one("main", "template: work, node: flaky, exitCode: 1", "phase: Succeeded")},
    {"by templateRef", one("refers", "templateRef: other/there, duration: 7s", "duration: 7s")},
    {"by a templateRef that is known as it runs",
     one("looks", "templateRef: other/there, duration: 7s",
         "phase: Failed, nodes: {'far(0:other)': {duration: 7s}, 'far(1:gone)': {phase: Error, message: 'workflow "
         "template gone not found'}}")},
    {"outcomes are those of attempts",
     one("main", "template: flaky, outcomes: [{exitCode: 1}, {phase: Error}, {duration: 3s}]",
         "phase: Succeeded, nodes: {'flaky(0)': Failed, 'flaky(1)': {phase: Error, message: 'pod deleted'}, "
         "'flaky(2)': "
         "{phase: Succeeded, duration: 3s}}")},
    {"a retried node's name is that of its attempts", one("main", "node: flaky, exitCode: 1", "phase: Failed")},
    {"outcomes are those of nodes in their order, the last stays",
     one("main", "template: work, outcomes: [{duration: 1s}, {duration: 5s}]",
         "nodes: {'loop(0:1)': {duration: 1s}, 'loop(1:2)': {duration: 5s}, 'loop(2:3)': {duration: 5s}}")},
    {"parameters",
     "  parameters: {items: [7]}\n  expect: {nodes: {'loop(*)': {count: 1, inputs: {parameters: {num: 7}}}}}\n"},
    {"artifacts are text", one("main", "template: work, outputs: {artifacts: {file: hello}}",
                               "nodes: {'loop(*)': {outputs: {artifacts: {file: hello}}}}")},
    {"a suspend node gets values",
     "  parameters: {ask: true}\n  mocks: [{node: approve, duration: 1h, outputs: {parameters: {who: me}}}]\n"
     "  expect: {nodes: {approve: {duration: 1h}, use: {inputs: {parameters: {num: me}}}}}\n"},
    {"a suspend node is refused",
     "  parameters: {ask: true}\n  mocks: [{node: approve, phase: Failed, message: refused}]\n"
     "  expect: {phase: Failed, nodes: {approve: {phase: Failed, message: refused}, use: {notRun: true}}}\n"},
    {"a suspend node without values", "  parameters: {ask: true}\n  expect: {phase: Failed}\n",
     "node \"wf[2].approve\" has no mock that gives outputs.parameters.who"},
    {"a pod that is too late",
     one("late", "template: late, hangs: Running",
         "phase: Failed, duration: 10s, nodes: {wf: {message: '*longer than the specified deadline'}}")},
    {"a pod that hangs in Pending", one("waits", "template: waits, hangs: Pending", "phase: Failed, duration: 30s")},
    {"a run that stands still", one("gives", "template: gives, hangs: Running", "phase: Running")},
    {"a run that stands still has not ended", one("gives", "template: gives, hangs: Running", "phase: Succeeded"),
     "Running (nothing happens any more; it waits for wf)"},
    {"a run that goes on for ever", one("for-ever", "template: for-ever, exitCode: 1", "phase: Failed"),
     "phase: Running (given up: wf(1000) is the 1001th attempt)"},
    {"a daemon ends with its scope",
     one("with-daemon", "node: client, duration: 4s",
         "phase: Succeeded, duration: 4s, nodes: {server: {phase: Succeeded, finished: 4s}}")},
    {"a daemon that dies", one("with-daemon", "node: server, duration: 1s, exitCode: 1", "nodes: {server: Failed}")},
    {"a resource", one("applies", "template: applies, phase: Failed, message: forbidden",
                       "phase: Failed, nodes: {wf: {message: forbidden}}")},
    {"requests and lists",
     "  entrypoint: asks\n  mocks: [{template: asked, duration: 3s, outputs: {result: well}}, {template: listed, "
     "outputs: "
     "{result: [a, b]}}]\n  expect: {phase: Succeeded, duration: 5s, nodes: {'use(1:b)': {inputs: {parameters: {num: "
     "'b "
     "well'}}}}}\n"},
    {"a request that fails", one("asks", "template: asked, phase: Failed, message: refused",
                                 "phase: Failed, nodes: {ask: {message: refused}, list: {notRun: true}}")},
    {"a request that hangs", one("asked", "template: asked, hangs: Running", "phase: Succeeded"),
     "Running (nothing happens any more; it waits for wf)"},
    {"parallelism",
     one("narrow", "node: a, duration: 2s", "duration: 3s, atOnce: 1, order: [[a, b]], nodes: {'?': {atOnce: 1}}")},
    {"a hit of the cache",
     "  entrypoint: cached\n  cache: [{configMap: cache, key: k, outputs: {parameters: {out: saved}}}]\n"
     "  expect: {duration: 0s, nodes: {wf: {outputs: {parameters: {out: saved}}}}}\n"},
    {"an entry that is too old",
     "  entrypoint: cached\n  cache: [{configMap: cache, key: k, age: 2h, outputs: {parameters: {out: saved}}}]\n"
     "  expect: {duration: 1s, nodes: {wf: {outputs: {parameters: {out: none}}}}}\n"},
    {"stop",
     "  actions: [{at: 1500ms, do: stop}]\n  expect: {phase: Failed, message: 'Stopped with strategy ''Stop'''}\n"},
    {"suspend and resume",
     "  actions: [{at: 500ms, do: suspend}, {at: 1m, do: resume}]\n  expect: {phase: Succeeded, duration: 1m1s}\n"},
    {"a template runs by itself", "  workflow: other\n  expect: {phase: Succeeded, nodes: {other: Succeeded}}\n"},
};

const Case kFindings[] = {
    {"an answer that others use", one("asks", "template: listed, outputs: {result: []}", "phase: Succeeded"),
     "node \"wf[0].ask\" has no mock that gives outputs.result"},
    {"an output without default and mock", one("gives", "template: late", "phase: Succeeded"),
     "has no mock that gives outputs.parameters.needed: add `- {template: gives, outputs: {parameters: {needed: "
     "...}}}`"},
    {"a mock that lacks an output", one("gives", "template: gives", "phase: Succeeded"),
     "t.yaml:4:11: the mock of node \"wf\" lacks outputs.parameters.needed"},
    {"an output that the template has not",
     one("main", "template: work, outputs: {parameters: {outs: 1}}", "phase: Succeeded"),
     "template \"work\" has no outputs.parameters.outs; did you mean \"out\"?"},
    {"an unknown template", one("main", "template: wrok", "phase: Failed"),
     "t.yaml:4:22: there is no template \"wrok\"; did you mean \"work\"?"},
    {"a template of steps", one("main", "template: main", "phase: Failed"),
     "template \"main\" is made of others: mock those that it runs"},
    {"an unknown node of a mock", one("main", "node: 'lop(*)'", "phase: Failed"), "no node is called \"lop(*)\""},
    {"a name that is neither a display name nor whole", one("main", "node: 'loop(1:*).flaky'", "phase: Failed"),
     "no node is called \"loop(1:*).flaky\": write a display name, or a whole name, which begins with \"wf\""},
    {"an unknown node of an expectation", one("main", "template: work", "nodes: {flaki: Failed}"),
     "t.yaml:5:20: no node is called \"flaki\"; did you mean \"flaky\"?"},
    {"an unknown node of an order", one("main", "template: work", "order: [[flaky, lop]]"),
     "no node is called \"lop\"; did you mean \"loop\"?"},
    {"an unknown workflow", "  workflow: wff\n  expect: {phase: Failed}\n",
     "t.yaml:3:13: there is no workflow \"wff\" in the files, but wf, other; did you mean \"wf\"?"},
    {"an unknown field", "  expect: {mesage: a}\n",
     "unknown field \"mesage\" in tests[0].expect; did you mean \"message\"?"},
    {"an unknown field of a mock", one("main", "template: work, exitcode: 1", "phase: Failed"),
     "tests[0].mocks[0].exitcode is unknown; did you mean \"exitCode\"?"},
    {"a mock of nothing", one("main", "exitCode: 1", "phase: Failed"), "needs template, templateRef or node"},
    {"outcomes and an outcome", one("main", "template: work, exitCode: 1, outcomes: [{}]", "phase: Failed"),
     "has outcomes: what happens is said in these alone"},
    {"a phase that contradicts", one("main", "template: work, phase: Succeeded, exitCode: 1", "phase: Failed"),
     "what ends with exit code 1 has failed"},
    {"what hangs has no end", one("main", "template: work, hangs: Running, duration: 1s", "phase: Failed"),
     "what hangs has no duration"},
    {"a phase that is none", "  expect: {phase: Succeded}\n", "did you mean \"Succeeded\"?"},
    {"a test that expects nothing", "  mocks: []\n", "expects nothing"},
    {"no duration", "  expect: {duration: soon}\n", "is no duration: write seconds, or 1h2m3s"},
    {"a manifest's own errors", "  entrypoint: nowhere\n  expect: {phase: Failed}\n", "wf.yaml:6:15: "},
};

const Case kDifferences[] = {
    {"a phase", one("main", "template: flaky, exitCode: 1", "phase: Succeeded"), "5:19 phase: Failed ("},
    {"a message", one("late", "template: late, exitCode: 1", "message: '*code 2*'"),
     "message: \"main: Error (exit code 1)\", not \"*code 2*\""},
    {"a duration", one("late", "template: late", "duration: 5s"), "duration: 1s, not 5s"},
    {"a node's phase", one("late", "template: late, exitCode: 1", "nodes: {wf: Succeeded}"),
     "nodes.wf.phase: Failed (main: Error (exit code 1)), not Succeeded"},
    {"how many", one("main", "template: late", "nodes: {'loop(*)': {count: 2}}"),
     "nodes.loop(*).count: 3 (loop(0:1), loop(1:2), loop(2:3)), not 2"},
    {"a node that has not run", one("main", "template: flaky, exitCode: 1", "nodes: {'loop(0:1)': Succeeded}"),
     "nodes.loop(0:1): not run, not Succeeded"},
    {"a node that has run", one("main", "template: late", "nodes: {flaky: {notRun: true}}"),
     "nodes.flaky.notRun: wf[0].flaky Succeeded, not not run"},
    {"an input", one("main", "template: late", "nodes: {'loop(0:1)': {inputs: {parameters: {num: 2}}}}"),
     "nodes.loop(0:1).inputs.parameters.num: \"1\", not \"2\""},
    {"an output that is not there", one("late", "template: late", "nodes: {wf: {outputs: {result: a}}}"),
     "nodes.wf.outputs.result: nothing, not \"a\""},
    {"an order", one("narrow", "template: late", "order: [[b, a]]"),
     "order: b ends at 2s, a begins at 0s, not b before a"},
    {"too many at once", one("main", "template: late", "atOnce: 2"), "atOnce: 3, not at most 2"},
};

std::string name_of_rule(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.rule;
  std::erase_if(name, [](char c) { return c == '\''; });
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Mocks, Rules, testing::ValuesIn(kMocks), name_of_rule);
INSTANTIATE_TEST_SUITE_P(Findings, Rules, testing::ValuesIn(kFindings), name_of_rule);
INSTANTIATE_TEST_SUITE_P(Differences, Rules, testing::ValuesIn(kDifferences), name_of_rule);

TEST(CommonMocks, AreOfSomeWorkflow) {
  const WorkflowSet workflows(*doc::parse_yaml(kWorkflows, "wf.yaml"));
  const auto file = read_test_file(document_of(
      "mocks: [{template: late}, {template: lat}]\ntests: [{name: a, expect: {phase: Failed}}]\n", "t.yaml"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(check_common_mocks(*file, workflows), HasSubstr("t.yaml:1:38: there is no template \"lat\""));
}

}  // namespace
}  // namespace tiphys::play

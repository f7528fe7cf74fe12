// Reading a large manifest: from its document to typed objects, and the checks after that. Prints milliseconds.
//
//   parse_bench [TASKS...]      default: 1000 10000
//
// The dag's tasks have what tasks of real manifests have: a template, arguments, depends, when; a tenth of them are
// templates of their own. Time is the processor's, the least of several rounds.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "api/parse.h"
#include "base/check.h"

namespace tiphys::api {
namespace {

constexpr int kRounds = 15;

/// Of this process: other work on the machine does not count.
double cpu_milliseconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

std::string manifest(int tasks) {
  std::string text =
      "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: large-}\nspec:\n  entrypoint: main\n"
      "  templates:\n  - name: main\n    dag:\n      tasks:\n";
  for (int i = 0; i < tasks; ++i) {
    text += fmt::format(
        "      - name: t{0}\n        template: work-{1}\n        arguments: {{parameters: [{{name: message, value: "
        "'m{0}'"
        "}}]}}\n        when: \"'{{{{workflow.name}}}}' != ''\"\n",
        i, i / 10);
    if (i >= 10) text += fmt::format("        depends: t{}.Succeeded || t{}.Failed\n", i - 10, i - 9);
  }
  for (int i = 0; i * 10 < tasks; ++i) {
    text += fmt::format(
        "  - name: work-{}\n    inputs: {{parameters: [{{name: message}}]}}\n    retryStrategy: {{limit: 2, "
        "retryPolicy: "
        "OnError}}\n    metadata: {{labels: {{a: b}}}}\n    container:\n      image: busybox\n      command: [echo]\n"
        "      args: ['{{{{inputs.parameters.message}}}}']\n      env: [{{name: A, value: b}}]\n"
        "      resources: {{requests: {{cpu: 100m}}}}\n"
        "    outputs: {{parameters: [{{name: out, valueFrom: {{path: /tmp/out}}}}]}}\n",
        i);
  }
  return text;
}

void measure(int tasks) {
  auto documents = doc::parse_yaml(manifest(tasks), "large.yaml");
  TIPHYS_CHECK(documents, "the manifest is YAML");
  const doc::Value& document = documents->front().root;
  double parse = 1e9, validate = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Finding> findings;
    const double begin = cpu_milliseconds();
    const Workflow workflow = parse_workflow(document, findings);
    const double read = cpu_milliseconds();
    validate_workflow(workflow, findings);
    TIPHYS_CHECK(findings.empty(), findings.front().message);
    parse = std::min(parse, read - begin);
    validate = std::min(validate, cpu_milliseconds() - read);
  }
  fmt::print("{:>8} tasks  parse {:8.2f} ms  validate {:8.2f} ms\n", tasks, parse, validate);
}

}  // namespace
}  // namespace tiphys::api

int main(int argc, char** argv) {
  std::vector<int> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::atoi(argv[i]));
  if (sizes.empty()) sizes = {1000, 10000};
  for (const int size : sizes) {
    if (size <= 0) {
      fmt::print(stderr, "parse_bench: a number of tasks is a whole number above 0\n");
      return 2;
    }
    tiphys::api::measure(size);
  }
}

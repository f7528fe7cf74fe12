#include "play/run_tests.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace tiphys::play {
namespace {

constexpr std::uint64_t kSeed = 1;  ///< what expressions draw is the same each time

Submission submission_of(const Test& test) {
  return {.workflow = test.workflow,
          .entrypoint = test.entrypoint,
          .parameters = test.parameters,
          .parallelism = std::nullopt,
          .start = test.start};
}

std::string hint(const std::string& name, const std::set<std::string>& known) {
  const std::vector<std::string> names(known.begin(), known.end());
  return did_you_mean(name, names);
}

/// An error of the workflow as one of the test that names it.
std::string error_of(const Test& test, const Error& error, const TestFile& file) {
  if (error.code == Code::kInvalidArgument) return error.message;
  const bool named = !test.workflow.empty();
  return api::render_findings({{.pointer = test.pointer + (named ? "/workflow" : "/name"), .message = error.message}},
                              file.marks);
}

}  // namespace

void check_mocks(const std::vector<Mock>& mocks, const KnownNames& known, std::vector<api::Finding>& findings) {
  for (const Mock& mock : mocks) {
    if (!mock.template_name.empty() && !known.templates.contains(mock.template_name)) {
      findings.push_back({.pointer = mock.pointer + "/template",
                          .message = fmt::format("there is no template \"{}\"{}", mock.template_name,
                                                 hint(mock.template_name, known.templates))});
    }
    if (known.templates.contains(mock.template_name) && !known.leaves.contains(mock.template_name)) {
      findings.push_back(
          {.pointer = mock.pointer + "/template",
           .message = fmt::format("template \"{}\" is made of others: mock those that it runs", mock.template_name)});
    }
    if (!mock.template_ref.empty() && !known.template_refs.contains(mock.template_ref)) {
      findings.push_back({.pointer = mock.pointer + "/templateRef",
                          .message = fmt::format("no template \"{}\" is referred to; OBJECT/TEMPLATE is expected{}",
                                                 mock.template_ref, hint(mock.template_ref, known.template_refs))});
    }
    if (!mock.node.empty() && !known.may_name(mock.node)) {
      findings.push_back({.pointer = mock.pointer + "/node", .message = known.no_node(mock.node)});
    }
  }
}

std::string check_common_mocks(const TestFile& file, const WorkflowSet& workflows) {
  if (file.mocks.empty()) return "";
  KnownNames known;
  std::set<std::string> seen;
  for (const Test& test : file.tests) {
    if (!seen.insert(test.workflow).second) continue;
    SeededRandom random(kSeed);
    const auto workflow = workflows.prepare(submission_of(test), random);
    if (!workflow) return "";  // the test says so itself
    known.add(workflows.known_names(*workflow));
  }
  std::vector<api::Finding> findings;
  check_mocks(file.mocks, known, findings);
  return api::render_findings(findings, file.marks);
}

TestResult run_test(const TestFile& file, const Test& test, const WorkflowSet& workflows) {
  TestResult result;
  result.test = &test;
  SeededRandom random(kSeed);
  auto workflow = workflows.prepare(submission_of(test), random);
  if (!workflow) {
    result.error = error_of(test, workflow.error(), file);
    return result;
  }
  const KnownNames known = workflows.known_names(*workflow);
  std::vector<api::Finding> findings;
  check_mocks(test.mocks, known, findings);
  Script script;
  script.actions = test.actions;
  script.cache = test.cache;
  script.pointer = test.pointer + "/name";
  script.find_template = [&](const api::Workflow& of, const api::TemplateRef& ref) {
    return workflows.find_template(of, ref);
  };
  for (const auto* mocks : {&test.mocks, &file.mocks}) {
    for (const Mock& mock : *mocks) script.mocks.push_back(&mock);
  }
  if (findings.empty()) {
    auto played = play(std::move(*workflow), script, random);
    if (!played) {
      result.error = error_of(test, Error{Code::kNotFound, played.error().message}, file);
      return result;
    }
    result.played = std::move(*played);
    findings = result.played.findings;
    if (findings.empty()) check_names(test.expect, result.played, known, findings);
  }
  result.error = api::render_findings(findings, file.marks);
  if (result.error.empty()) result.differences = differences(test.expect, result.played);
  return result;
}

}  // namespace tiphys::play

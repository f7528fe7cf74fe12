#include "play/test_file.h"

#include <fmt/format.h>

#include <set>

namespace tiphys::play {
namespace {

using api::Field;
using api::Handling;
using api::Place;

constexpr std::string_view kActions[] = {"stop", "terminate", "suspend", "resume"};
constexpr std::string_view kWorkflowPhases[] = {"Pending", "Running", "Succeeded", "Failed", "Error"};
constexpr std::string_view kNodePhases[] = {"Pending", "Running", "Succeeded", "Skipped", "Failed", "Error", "Omitted"};

constexpr Field<Action> kActionFields[] = {
    duration_field<&Action::at>("at", "When, counted from the start."),
    choice_field<&Action::what, kActions>("do", "stop, terminate, suspend or resume."),
};

}  // namespace

void read(const Place& place, Action& out) {
  api::read_object<Action>(place, out, kActionFields);
  if (!out.at || out.what.empty()) place.error(fmt::format("{} needs `at` and `do`", place.name()));
}

namespace {

constexpr Field<CacheEntry> kCacheFields[] = {
    api::field<&CacheEntry::config_map>("configMap", "The name of the cache."),
    api::field<&CacheEntry::key>("key", "The key, with all tags resolved."),
    duration_field<&CacheEntry::age>("age", "How old the entry is; 0s."),
    api::field<&CacheEntry::outputs>("outputs", "The saved outputs.", "", &api::kAnyShape),
};

}  // namespace

void read(const Place& place, CacheEntry& out) {
  api::read_object<CacheEntry>(place, out, kCacheFields);
  if (out.config_map.empty() || out.key.empty()) place.error(fmt::format("{} needs configMap and key", place.name()));
}

namespace {

constexpr Field<NodeExpectation> kNodeFields[] = {
    choice_field<&NodeExpectation::phase, kNodePhases>("phase", "Of each node."),
    api::field<&NodeExpectation::template_name>("template", "The template that it runs."),
    api::field<&NodeExpectation::message>("message", "Its message; * stands for any text."),
    api::field<&NodeExpectation::exit_code>("exitCode", "Of its main container."),
    api::field<&NodeExpectation::count>("count", "How many nodes there are of this name."),
    api::field<&NodeExpectation::at_once>("atOnce", "At most so many of them at the same time."),
    duration_field<&NodeExpectation::started>("started", "When it begins, counted from the workflow's start."),
    duration_field<&NodeExpectation::finished>("finished", "When it ends, counted likewise."),
    duration_field<&NodeExpectation::duration>("duration", "How long it takes."),
    api::field<&NodeExpectation::not_run>("notRun", "There is none, or it is Skipped or Omitted."),
    api::field<&NodeExpectation::inputs>("inputs", "What it gets; those that are named.", "", &api::kAnyShape),
    api::field<&NodeExpectation::outputs>("outputs", "What it gives; those that are named.", "", &api::kAnyShape),
};

/// A phase alone, or an object.
void read(const Place& place, NodeExpectation& out) {
  out.pointer = place.pointer();
  if (place.value().is_string()) return read_choice(place, kNodePhases, out.phase);
  api::read_object<NodeExpectation>(place, out, kNodeFields);
  const bool more = !out.phase.empty() || out.message || out.count || out.started || out.finished || out.duration ||
                    out.inputs || out.outputs || out.exit_code || out.at_once || !out.template_name.empty();
  if (out.not_run && more) place.error(fmt::format("{}: what does not run has nothing beside notRun", place.name()));
  if (!out.not_run && !more) place.error(fmt::format("{} expects nothing", place.name()));
}

void read_nodes(const Place& place, Expectation& out) {
  if (!api::expect_object(place)) return;
  for (const auto& [pattern, value] : place.value().get_object()) {
    NodeExpectation& node = out.nodes.emplace_back();
    node.pattern = pattern;
    read(place.member(std::string_view(pattern), value), node);
  }
}

}  // namespace

void read(const Place& place, Order& out) {
  out.pointer = place.pointer();
  api::read(place, out.patterns);
  if (out.patterns.size() < 2) place.error(fmt::format("{} needs at least two nodes", place.name()));
}

namespace {

constexpr Field<Expectation> kExpectationFields[] = {
    choice_field<&Expectation::phase, kWorkflowPhases>("phase", "Of the workflow."),
    api::field<&Expectation::message>("message", "Its message; * stands for any text."),
    duration_field<&Expectation::duration>("duration", "How long it takes."),
    api::field<&Expectation::outputs>("outputs", "Outputs with a globalName; those that are named.", "",
                                      &api::kAnyShape),
    {"nodes", Handling::kRead, read_nodes, "What is true of nodes, by name.", &api::kAnyShape, "", ""},
    api::field<&Expectation::order>("order", "Lists of nodes, each of which ends before the next one begins.", "",
                                    &api::kAnyShape),
    api::field<&Expectation::at_once>("atOnce", "At most so many pods at the same time."),
};

}  // namespace

void read(const Place& place, Expectation& out) {
  out.pointer = place.pointer();
  api::read_object<Expectation>(place, out, kExpectationFields);
}

namespace {

void read_start(const Place& place, Test& out) {
  std::string text;
  api::read(place, text);
  const auto time = parse_rfc3339(text);
  if (time) {
    out.start = *time;
  } else {
    place.error(fmt::format("{} is no time such as 2026-01-01T00:00:00Z", place.name()));
  }
}

constexpr Field<Test> kTestFields[] = {
    api::field<&Test::name>("name", "What it is about."),
    api::field<&Test::workflow>("workflow", "Which of the files' workflows, by name or generateName."),
    api::field<&Test::entrypoint>("entrypoint", "The template to begin with instead of the workflow's."),
    texts_field<&Test::parameters>("parameters", "Arguments of the workflow."),
    {"start", Handling::kRead, read_start, "The time at which the workflow begins.", &api::kString, "", ""},
    api::field<&Test::mocks>("mocks", "What becomes of nodes; the first that fits.", "", &api::kAnyShape),
    api::field<&Test::actions>("actions", "What a user does meanwhile.", "", &api::kAnyShape),
    api::field<&Test::cache>("cache", "What the memoization cache holds.", "", &api::kAnyShape),
    api::field<&Test::expect>("expect", "What is to be true at the end.", "", &api::kAnyShape),
};

}  // namespace

void read(const Place& place, Test& out) {
  out.pointer = place.pointer();
  out.start = kDefaultStart;
  api::read_object<Test>(place, out, kTestFields);
  if (out.name.empty()) place.error(fmt::format("{} needs a name", place.name()));
  if (!out.expect.any())
    place.error(fmt::format("{} expects nothing: write `expect: {{phase: Succeeded}}`", place.name()));
}

namespace {

constexpr Field<TestFile> kFileFields[] = {
    api::field<&TestFile::workflows>("workflows", "Files of workflows and templates, relative to this one."),
    api::field<&TestFile::mocks>("mocks", "Mocks of all tests, which come after their own.", "", &api::kAnyShape),
    api::field<&TestFile::tests>("tests", "The tests.", "", &api::kAnyShape),
};

void check_names(const TestFile& file, std::vector<api::Finding>& findings) {
  std::set<std::string_view> names;
  for (const Test& test : file.tests) {
    if (test.name.empty() || names.insert(test.name).second) continue;
    findings.push_back({.pointer = test.pointer + "/name",
                        .message = fmt::format("there are two tests with the name \"{}\"", test.name)});
  }
}

}  // namespace

Result<TestFile> read_test_file(const doc::Document& document) {
  TestFile file;
  std::vector<api::Finding> findings;
  api::Reading reading{findings, nullptr, {}};
  api::read_object<TestFile>(Place(reading, document.root), file, kFileFields);
  check_names(file, findings);
  file.marks = document.marks;
  if (api::any_error(findings)) {
    return fail(Code::kInvalidArgument, api::render_findings(findings, document.marks));
  }
  return file;
}

}  // namespace tiphys::play

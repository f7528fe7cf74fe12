// A file of tests for workflows (docs/testing.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "doc/yaml.h"
#include "play/mock.h"

namespace tiphys::play {

/// What a user does while the workflow runs.
struct Action {
  std::optional<Duration> at;  ///< after the start
  std::string what;            ///< stop, terminate, suspend, resume
};

/// What the memoization cache holds before the run.
struct CacheEntry {
  std::string config_map, key;
  std::optional<Duration> age;
  Values outputs;
};

struct NodeExpectation {
  std::string pattern;  ///< a glob of names and display names
  std::string phase, template_name;
  std::optional<std::string> message;  ///< a glob
  std::optional<int> count, exit_code;
  std::optional<int> at_once;  ///< at most so many at the same time
  std::optional<Duration> started, finished, duration;
  bool not_run = false;
  std::optional<Values> inputs, outputs;
  std::string pointer;
};

/// Globs of nodes, each of which ends before those of the next one begin.
struct Order {
  std::vector<std::string> patterns;
  std::string pointer;
};

struct Expectation {
  std::string phase;
  std::optional<std::string> message;  ///< a glob
  std::optional<Duration> duration;
  std::optional<Values> outputs;  ///< those with a globalName
  std::vector<NodeExpectation> nodes;
  std::vector<Order> order;
  std::optional<int> at_once;  ///< pods
  std::string pointer;

  bool any() const {
    return !phase.empty() || message || duration || outputs || !nodes.empty() || !order.empty() || at_once;
  }
};

struct Test {
  std::string name;
  std::string workflow;  ///< "": the only one
  std::string entrypoint;
  std::map<std::string, std::string> parameters;
  Time start{};
  std::vector<Mock> mocks;
  std::vector<Action> actions;
  std::vector<CacheEntry> cache;
  Expectation expect;
  std::string pointer;
};

struct TestFile {
  std::vector<std::string> workflows;  ///< files, relative to this one
  std::vector<Mock> mocks;             ///< of all tests, after their own
  std::vector<Test> tests;
  doc::Marks marks;
};

/// When a workflow begins that says nothing else: 2026-01-01T00:00:00Z.
inline constexpr Time kDefaultStart{std::chrono::seconds{1'767'225'600}};

void read(const api::Place& place, Action& out);
void read(const api::Place& place, CacheEntry& out);
void read(const api::Place& place, Order& out);
void read(const api::Place& place, Expectation& out);
void read(const api::Place& place, Test& out);

/// Reads one document. An error's message is all findings, rendered.
Result<TestFile> read_test_file(const doc::Document& document);

}  // namespace tiphys::play

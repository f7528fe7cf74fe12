// What takes the place of pods, resource actions and users while a workflow is played.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/node_status.h"
#include "api/reader.h"
#include "base/time.h"

namespace tiphys::play {

/// Values that go into a node or come out of it. Artifacts are their text.
struct Values {
  std::optional<std::string> result;
  std::map<std::string, std::string> parameters, artifacts;
};

/// How a node that does something outside of the engine ends.
struct Outcome {
  std::optional<Duration> duration;
  std::string phase;  ///< "": by the exit code
  std::optional<int> exit_code;
  std::string message;
  std::string hangs;  ///< Pending or Running: it never gets further by itself
  Values outputs;
  std::string pointer;  ///< where it is written

  /// It says what becomes of the node: else only what comes out of it.
  bool ends() const { return duration || !phase.empty() || exit_code || !message.empty(); }
  api::NodePhase end_phase() const;
};

/// Which nodes, and what becomes of them.
struct Mock {
  std::string template_name;
  std::string template_ref;  ///< "OBJECT/TEMPLATE"
  std::string node;          ///< a glob of names or display names
  /// For the attempts of a retried node, else for the nodes in the order in which they begin; the last one stays.
  std::vector<Outcome> outcomes;
  std::string pointer;

  /// `template_of` the node and where it is looked up; of an attempt, the retried node is meant as well.
  bool fits(const api::NodeStatus& node) const;
};

/// A node's names and, of an attempt, those without its number.
std::vector<std::string_view> names_of(const api::NodeStatus& node);
bool named(const api::NodeStatus& node, std::string_view glob);

void read(const api::Place& place, Values& out);
void read(const api::Place& place, Mock& out);
/// Any value as text: lists and objects are JSON.
void read_texts(const api::Place& place, std::map<std::string, std::string>& out);
void read_duration(const api::Place& place, std::optional<Duration>& out);

template <auto member>
constexpr auto duration_field(std::string_view name, const char* about) {
  using T = typename api::detail::MemberOf<decltype(member)>::Class;
  return api::Field<T>{
      name,  api::Handling::kRead, [](const api::Place& place, T& out) { read_duration(place, out.*member); },
      about, &api::kText,          "",
      ""};
}
template <auto member>
constexpr auto texts_field(std::string_view name, const char* about) {
  using T = typename api::detail::MemberOf<decltype(member)>::Class;
  return api::Field<T>{
      name,  api::Handling::kRead, [](const api::Place& place, T& out) { read_texts(place, out.*member); },
      about, &api::kAnyShape,      "",
      ""};
}
/// A string out of `choices`.
void read_choice(const api::Place& place, std::span<const std::string_view> choices, std::string& out);
template <auto member, const auto& choices>
constexpr auto choice_field(std::string_view name, const char* about) {
  using T = typename api::detail::MemberOf<decltype(member)>::Class;
  return api::Field<T>{
      name,  api::Handling::kRead,   [](const api::Place& place, T& out) { read_choice(place, choices, out.*member); },
      about, &api::kChoice<choices>, "",
      ""};
}

}  // namespace tiphys::play

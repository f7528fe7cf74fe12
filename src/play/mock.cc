#include "play/mock.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "play/glob.h"

namespace tiphys::play {
namespace {

using api::Field;
using api::Handling;
using api::Place;

constexpr std::string_view kEnds[] = {"Succeeded", "Failed", "Error"};
constexpr std::string_view kHangs[] = {"Pending", "Running"};

void read_result(const Place& place, Values& out) {
  out.result = doc::scalar_text(place.value());
}

constexpr Field<Values> kValuesFields[] = {
    {"result", Handling::kRead, read_result, "What it prints; a list or an object is JSON.", &api::kAnyShape, "", ""},
    texts_field<&Values::parameters>("parameters", "Values by name; lists and objects are JSON."),
    texts_field<&Values::artifacts>("artifacts", "Contents by name, as text."),
};

constexpr Field<Outcome> kOutcomeFields[] = {
    duration_field<&Outcome::duration>("duration", "How long it runs; 1s. A suspend node: until it is resumed."),
    choice_field<&Outcome::phase, kEnds>("phase", "How it ends: Succeeded, Failed or Error."),
    api::field<&Outcome::exit_code>("exitCode", "Of its main container."),
    api::field<&Outcome::message>("message", "Why it failed."),
    choice_field<&Outcome::hangs, kHangs>("hangs", "Stays Pending or Running until something ends it."),
    api::field<&Outcome::outputs>("outputs", "What comes out of it.", "", &api::kAnyShape),
};

/// Complains of what cannot be.
void check(const Place& place, const Outcome& outcome) {
  const bool fails = outcome.phase == "Failed" || outcome.phase == "Error";
  if (outcome.phase == "Succeeded" && outcome.exit_code.value_or(0) != 0) {
    place.error(fmt::format("what ends with exit code {} has failed: leave out `phase`", *outcome.exit_code));
  }
  if (fails && outcome.exit_code && *outcome.exit_code == 0 && outcome.phase == "Failed") {
    place.error("what ends with exit code 0 has not failed");
  }
  if (!outcome.hangs.empty() && outcome.ends()) place.error("what hangs has no duration, phase, exit code or message");
}

void read(const Place& place, Outcome& out) {
  out.pointer = place.pointer();
  api::read_object<Outcome>(place, out, kOutcomeFields);
  check(place, out);
}

void read_outcomes(const Place& place, Mock& out) {
  if (!api::expect_array(place)) return;
  const doc::Array& list = place.value().get_array();
  if (list.empty()) place.error("outcomes may not be empty");
  for (std::size_t i = 0; i < list.size(); ++i) read(place.element(i, list[i]), out.outcomes.emplace_back());
}

constexpr Field<Mock> kMockFields[] = {
    api::field<&Mock::template_name>("template", "All nodes of this template."),
    api::field<&Mock::template_ref>("templateRef", "All nodes of another object's template: OBJECT/TEMPLATE."),
    api::field<&Mock::node>("node", "The nodes of this name or display name; * and ? stand for anything."),
    {"outcomes", Handling::kRead, read_outcomes, "How its attempts end, or its nodes one after the other.",
     &api::kAnyShape, "", ""},
};

/// The fields of a mock that stand for a single outcome.
const Field<Outcome>* find_outcome_field(std::string_view name) {
  const auto* found = std::ranges::find(kOutcomeFields, name, &Field<Outcome>::name);
  return found == std::end(kOutcomeFields) ? nullptr : found;
}

}  // namespace

api::NodePhase Outcome::end_phase() const {
  if (!phase.empty()) return *api::parse_node_phase(phase);
  return exit_code.value_or(0) == 0 ? api::NodePhase::kSucceeded : api::NodePhase::kFailed;
}

std::vector<std::string_view> names_of(const api::NodeStatus& node) {
  std::vector<std::string_view> names{node.name, node.display_name};
  if (!node.retried) return names;
  for (std::size_t i = 0; i < 2; ++i) {
    if (const auto at = names[i].rfind('('); at != std::string_view::npos) names.push_back(names[i].substr(0, at));
  }
  return names;
}

bool named(const api::NodeStatus& node, std::string_view glob) {
  return glob_match(glob, node.name) || glob_match(glob, node.display_name);
}

bool Mock::fits(const api::NodeStatus& status) const {
  if (!template_name.empty() && api::template_of(status) != template_name) return false;
  if (!template_ref.empty()) {
    const std::string_view scope = status.template_scope;
    const std::string object =
        status.template_ref ? status.template_ref->name : std::string(scope.substr(scope.find('/') + 1));
    if (object + "/" + api::template_of(status) != template_ref) return false;
  }
  return node.empty() ||
         std::ranges::any_of(names_of(status), [&](std::string_view name) { return glob_match(node, name); });
}

void read_texts(const Place& place, std::map<std::string, std::string>& out) {
  if (!api::expect_object(place)) return;
  for (const auto& [name, value] : place.value().get_object()) out[std::string(name)] = doc::scalar_text(value);
}

void read_duration(const Place& place, std::optional<Duration>& out) {
  const auto parsed = parse_seconds_or_duration(api::read_scalar(place));
  if (parsed && *parsed >= Duration(0)) {
    out = *parsed;
  } else {
    place.error(fmt::format("{} is no duration: write seconds, or 1h2m3s", place.name()));
  }
}

void read_choice(const Place& place, std::span<const std::string_view> choices, std::string& out) {
  api::read(place, out);
  if (out.empty() || std::ranges::find(choices, out) != choices.end()) return;
  const std::vector<std::string> known(choices.begin(), choices.end());
  place.error(
      fmt::format("{} may be {}, not \"{}\"{}", place.name(), join(known, ", "), out, did_you_mean(out, known)));
  out.clear();
}

void read(const Place& place, Values& out) {
  api::read_object<Values>(place, out, kValuesFields);
}

void read(const Place& place, Mock& out) {
  out.pointer = place.pointer();
  if (!api::expect_object(place)) return;
  Outcome only;
  only.pointer = out.pointer;
  bool has_only = false;
  std::vector<std::string> known;
  for (const auto& field : kMockFields) known.emplace_back(field.name);
  for (const auto& field : kOutcomeFields) known.emplace_back(field.name);
  for (const auto& [key, value] : place.value().get_object()) {
    const std::string_view name(key);
    const Place member = place.member(name, value);
    const auto* own = std::ranges::find(kMockFields, name, &Field<Mock>::name);
    if (value.is_null()) continue;
    if (own != std::end(kMockFields)) {
      own->read(member, out);
    } else if (const auto* field = find_outcome_field(name)) {
      field->read(member, only);
      has_only = true;
    } else {
      member.key_error(fmt::format("{} is unknown{}", member.name(), did_you_mean(name, known)));
    }
  }
  if (out.template_name.empty() && out.template_ref.empty() && out.node.empty()) {
    place.error(fmt::format("{} needs template, templateRef or node: which nodes it is for", place.name()));
  }
  check(place, only);
  if (out.outcomes.empty()) {
    out.outcomes.push_back(std::move(only));
  } else if (has_only) {
    place.error(fmt::format("{} has outcomes: what happens is said in these alone", place.name()));
  }
}

}  // namespace tiphys::play

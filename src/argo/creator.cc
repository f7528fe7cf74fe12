#include "argo/creator.h"

#include <algorithm>
#include <string>

namespace tiphys::argo {
namespace {

constexpr std::size_t kMostLabelBytes = 63;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// As a label's value may be: its end, where it is too long.
std::string label_value(std::string_view text) {
  if (text.size() > kMostLabelBytes) text.remove_prefix(text.size() - kMostLabelBytes);
  std::string value(text);
  std::ranges::replace_if(value, [](char c) { return !is_alphanumeric(c) && c != '-' && c != '_' && c != '.'; }, '-');
  const auto first = std::ranges::find_if(value, is_alphanumeric);
  value.erase(value.begin(), first);
  while (!value.empty() && !is_alphanumeric(value.back())) value.pop_back();
  return value;
}

/// "workflows.argoproj.io/creator", with what else is known of a person.
void add_labels(doc::Object& labels, const std::string& key, const objects::Caller& caller) {
  const objects::Person* person = caller.person.get();
  if (!person) {
    labels[key] = label_value(caller.name);
    return;
  }
  std::string email = person->email;
  if (const auto at = email.find('@'); at != std::string::npos) email.replace(at, 1, ".at.");
  if (!person->subject.empty()) labels[key] = label_value(person->subject);
  if (!email.empty()) labels[key + "-email"] = label_value(email);
  if (!person->preferred_username.empty()) {
    labels[key + "-preferred-username"] = label_value(person->preferred_username);
  }
}

}  // namespace

void label_creator(doc::Value& object, const objects::Caller* caller) {
  doc::Object& metadata = doc::ensure_object(object.as_object(), "metadata");
  if (doc::Value* labels = metadata.if_contains("labels"); labels && labels->is_object()) {
    for (const char* label : {"workflows.argoproj.io/creator", "workflows.argoproj.io/creator-email",
                              "workflows.argoproj.io/creator-preferred-username", "workflows.argoproj.io/action"}) {
      labels->get_object().erase(label);
    }
  }
  if (caller) add_labels(doc::ensure_object(metadata, "labels"), "workflows.argoproj.io/creator", *caller);
}

doc::Object actor_labels(const objects::Caller* caller, std::string_view action) {
  if (!caller) return {};
  // What another one has left goes.
  doc::Object labels{{"workflows.argoproj.io/actor-email", nullptr},
                     {"workflows.argoproj.io/actor-preferred-username", nullptr}};
  add_labels(labels, "workflows.argoproj.io/actor", *caller);
  labels["workflows.argoproj.io/action"] = action.empty() ? doc::Value() : doc::Value(action);
  return labels;
}

}  // namespace tiphys::argo

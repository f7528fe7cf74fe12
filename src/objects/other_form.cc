#include "objects/other_form.h"

#include <algorithm>
#include <array>

namespace tiphys::objects {
namespace {

constexpr std::array kEventNames{OtherName{"involvedObject", "regarding"},
                                 OtherName{"message", "note"},
                                 OtherName{"source", "deprecatedSource"},
                                 OtherName{"firstTimestamp", "deprecatedFirstTimestamp"},
                                 OtherName{"lastTimestamp", "deprecatedLastTimestamp"},
                                 OtherName{"count", "deprecatedCount"},
                                 OtherName{"reportingComponent", "reportingController"}};
constexpr std::array<std::string_view, 2> kEventTexts{"reportingComponent", "reportingInstance"};
constexpr OtherForm kEventForm{&cluster::kEvents, kEventNames, kEventTexts};

}  // namespace

constexpr cluster::Resource kNewEvents{.group = "events.k8s.io",
                                       .version = "v1",
                                       .kind = "Event",
                                       .plural = "events",
                                       .singular = "event",
                                       .qualified = "events.events.k8s.io",
                                       .short_names = "ev"};

const OtherForm* other_form(const cluster::Resource& resource) {
  return &resource == &kNewEvents ? &kEventForm : nullptr;
}

doc::Object serve_form(const OtherForm& form, const doc::Object& stored) {
  doc::Object served;
  for (const auto& [key, value] : stored) {
    const std::string_view name = key;
    if (value == doc::Value("") && std::ranges::find(form.kept_empty, name) != form.kept_empty.end()) continue;
    const auto renamed = std::ranges::find(form.names, name, &OtherName::stored);
    served[renamed == form.names.end() ? name : renamed->served] = value;
  }
  return served;
}

doc::Object store_form(const OtherForm& form, const doc::Object& served) {
  doc::Object stored;
  for (const auto& [key, value] : served) {
    const std::string_view name = key;
    const auto renamed = std::ranges::find(form.names, name, &OtherName::served);
    stored[renamed == form.names.end() ? name : renamed->stored] = value;
  }
  for (const std::string_view name : form.kept_empty) {
    if (!stored.contains(name)) stored[name] = "";
  }
  stored["apiVersion"] = form.stored->api_version();
  return stored;
}

}  // namespace tiphys::objects

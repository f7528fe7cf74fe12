#include <charconv>

#include "objects/pod_warnings.h"
#include "objects/selector_rules.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";

std::int64_t template_generation(const doc::Value& set) {
  const auto text = doc::find_string(set, "metadata", "annotations", kTemplateGeneration);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void set_template_generation(doc::Object& set, std::int64_t number) {
  doc::Object& annotations = doc::ensure_object(doc::ensure_object(set, "metadata"), "annotations");
  annotations[kTemplateGeneration] = std::to_string(number);
}

void fill_daemon_set(doc::Object& object) {
  doc::Object& spec = doc::ensure_object(object, "spec");
  doc::Object& strategy = doc::ensure_object(spec, "updateStrategy");
  fill_in(strategy, "type", "RollingUpdate");
  if (doc::find_string(doc::Value(strategy), "type") == "RollingUpdate") {
    doc::Object& rolling = doc::ensure_object(strategy, "rollingUpdate");
    fill_in(rolling, "maxUnavailable", 1);
    fill_in(rolling, "maxSurge", 0);
  }
  fill_in(spec, "revisionHistoryLimit", 10);
  fill_template(spec);
  if (template_generation(object) < 1) set_template_generation(object, 1);
  doc::Object& status = doc::ensure_object(object, "status");
  for (const char* member : {"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"}) {
    fill_in(status, member, 0);
  }
}

/// Counts the templates that it has had.
void carry_daemon_set(const doc::Value& before, doc::Object& object) {
  const auto template_of = [](const doc::Value& set) {
    const doc::Value* found = doc::find(set, "spec", "template");
    return found ? *found : doc::Value();
  };
  const bool same = template_of(before) == template_of(object);
  set_template_generation(object, template_generation(before) + (same ? 0 : 1));
}

void check_rolling(const doc::Value& rolling, const Path& at, FieldErrors& errors) {
  const doc::Value* missing = doc::find(rolling, "maxUnavailable");
  const doc::Value* more = doc::find(rolling, "maxSurge");
  check_part(missing, at.field("maxUnavailable"), errors);
  check_part(more, at.field("maxSurge"), errors);
  if (!is_zero(missing) && !is_zero(more)) {
    errors.push_back(schema::invalid(at.field("maxSurge").text(), more ? *more : doc::Value(),
                                     "may not be set when maxUnavailable is non-zero"));
  } else if (is_zero(missing) && is_zero(more)) {
    errors.push_back(schema::required(at.field("maxUnavailable").text(), "cannot be 0 when maxSurge is 0"));
  }
}

void check_strategy(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  const Path here = at.field("updateStrategy");
  const auto type = doc::find_string(spec, "updateStrategy", "type");
  const doc::Value* rolling = doc::find(spec, "updateStrategy", "rollingUpdate");
  if (type == "OnDelete") return;
  if (type != "RollingUpdate") {
    const doc::Value* strategy = doc::find(spec, "updateStrategy");
    errors.push_back(
        schema::not_supported(here.text(), strategy ? *strategy : doc::Value(), {"RollingUpdate", "OnDelete"}));
  } else if (rolling) {
    check_rolling(*rolling, here.field("rollingUpdate"), errors);
  }
}

/// One without a selector selects nothing, its own pods neither.
void check_daemon_selector(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  const doc::Value* selector = doc::find(spec, "selector");
  if (selector && selector->is_object()) return check_selector(spec, at, errors, " for daemonset");
  const doc::Value* labels = doc::find(spec, "template", "metadata", "labels");
  const Path of_template = at.field("template");
  const Path metadata = of_template.field("metadata");
  errors.push_back(schema::invalid(metadata.field("labels").text(), labels ? *labels : doc::Value(doc::Object()),
                                   "`selector` does not match template `labels`"));
}

void check_daemon_set(const doc::Value& object, FieldErrors& errors) {
  const Path root;
  const Path at = root.field("spec");
  const doc::Value& spec = spec_of(object);
  check_daemon_selector(spec, at, errors);
  check_template(spec, at, errors);
  check_always_restarted(spec, at, "DaemonSet", errors);
  check_not_negative(spec, at, "minReadySeconds", errors);
  check_strategy(spec, at, errors);
  check_not_negative(spec, at, "revisionHistoryLimit", errors);
}

void check_daemon_set_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const Path root;
  check_fixed(before, after, root.field("spec"), "selector", errors);
}

}  // namespace

const KindRules kDaemonSetRules{.fill = fill_daemon_set,
                                .check = check_daemon_set,
                                .check_update = check_daemon_set_update,
                                .carry = carry_daemon_set,
                                .warn = warn_of_template};

}  // namespace tiphys::objects

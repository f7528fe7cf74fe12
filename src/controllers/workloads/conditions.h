// Lists of conditions in a status.
#pragma once

#include <string_view>

#include "base/time.h"
#include "doc/value.h"

namespace tiphys::controllers::workloads {

/// nullptr when there is none of that type.
const doc::Value* find_condition(const doc::Value& status, std::string_view type);
bool holds(const doc::Value& status, std::string_view type);

struct Condition {
  std::string_view type;
  bool holds = true;
  std::string_view reason;
  std::string_view message;
};

/// What a condition tells beside its transition: those of Jobs lastProbeTime, those of Deployments lastUpdateTime.
enum class ConditionStamp { kPlain, kProbe, kUpdate };
/// Sets one; the time of its transition stays when its status does. True when anything changed.
bool set_condition(doc::Object& status, const Condition& condition, ConditionStamp stamp, Time now);

}  // namespace tiphys::controllers::workloads

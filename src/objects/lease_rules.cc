#include "objects/lease_rules.h"

#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

/// Nobody chooses holders here, as in a Kubernetes where that is not switched on.
void fill_lease(doc::Object& lease) {
  doc::Object& spec = doc::ensure_object(lease, "spec");
  for (const char* member : {"strategy", "preferredHolder"}) spec.erase(member);
}

void check_lease(const doc::Value& lease, FieldErrors& errors) {
  const doc::Value& spec = spec_of(lease);
  const Path root;
  const Path at = root.field("spec");
  const doc::Value* seconds = doc::find(spec, "leaseDurationSeconds");
  if (seconds && seconds->is_int64() && seconds->get_int64() <= 0) {
    errors.push_back(schema::invalid(at.field("leaseDurationSeconds").text(), *seconds, "must be greater than 0"));
  }
  check_not_negative(spec, at, "leaseTransitions", errors);
}

}  // namespace

const KindRules kLeaseRules{fill_lease, check_lease};

}  // namespace tiphys::objects

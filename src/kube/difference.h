// What makes one document of another.
#pragma once

#include "doc/value.h"

namespace tiphys::kube {

/// The JSON merge patch (RFC 7386) from `before` to `after`: nulls for members that go. An empty object when nothing
/// differs. Null members of `after` cannot be told and count as missing.
doc::Value difference(const doc::Value& before, const doc::Value& after);

}  // namespace tiphys::kube

// Labels that tell who has made a workflow, or changed it last. Original: workflow/creator/creator.go.
#pragma once

#include <string_view>

#include "doc/value.h"
#include "objects/access.h"

namespace tiphys::argo {

/// On a new object; the plane's owner (null) leaves no name, and nobody gives another's.
void label_creator(doc::Value& object, const objects::Caller* caller);
/// As members of metadata.labels, of which null takes one away: who does `action` now ("Stop"; "": what has no name).
/// Empty for the plane's owner.
doc::Object actor_labels(const objects::Caller* caller, std::string_view action);

}  // namespace tiphys::argo

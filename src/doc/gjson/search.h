// Following a path through a text.
#pragma once

#include "doc/gjson/scan.h"

namespace tiphys::doc::gjson {

/// What gjson_get finds, as pieces of `json` and of texts in the workspace.
Found get(Workspace& work, std::string_view json, std::string_view path);
/// The same within a value; indices count from where its own counts.
Found get_in(Workspace& work, const Found& found, std::string_view path);

/// Adds `found.raw`, or its text when it was calculated.
void append_raw(Workspace& work, const Found& found, std::string& out);

}  // namespace tiphys::doc::gjson

// docs/fields.md, from the tables that read manifests.
#pragma once

#include <string>

namespace tiphys::api {

std::string fields_page();

}  // namespace tiphys::api

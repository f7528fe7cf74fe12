// The kinds as a JSON schema, from the tables that read them.
#pragma once

#include "doc/value.h"

namespace tiphys::api {

/// Draft 07, which editors know best. Takes what the tables take: no other fields, and none that are not supported yet.
doc::Value json_schema();

}  // namespace tiphys::api

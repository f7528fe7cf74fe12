// A value of a Secret that the program itself needs.
#pragma once

#include <string>
#include <string_view>

#include "store/store.h"

namespace tiphys::store {

/// What `key` of the Secret's data stands for, as it is at this moment. kNotFound when it is not there.
Result<std::string> secret_value(Store& store, const std::string& ns, const std::string& name, std::string_view key);

}  // namespace tiphys::store

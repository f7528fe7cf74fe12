// Reading Secrets.
#pragma once

#include <string>
#include <string_view>

#include "doc/value.h"

namespace tiphys::cluster {

/// The bytes of a key; kNotFound when the Secret lacks it.
Result<std::string> secret_value(const doc::Value& secret, std::string_view key);

}  // namespace tiphys::cluster

// Files that only their owner reads.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys {

/// Whole or not at all, and on disk. Its folder is made, for its owner alone, when it is missing.
Status write_private_file(const std::string& path, std::string_view content);

/// What a file holds; made by `make` and written when there is none.
Result<std::string> ensure_private_file(const std::string& path, const std::function<Result<std::string>()>& make);
/// The secret in a file, made when there is none: 256 random bits as hexadecimal digits.
Result<std::string> ensure_token(const std::string& path);

}  // namespace tiphys

// Files in forms: multipart/form-data (RFC 7578).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::server {

struct FormFile {
  std::string name;          ///< as the client calls it
  std::string_view content;  ///< of the body
};

/// The first file whose field has this name. kInvalidArgument: the body is no such form, or has no such file.
Result<FormFile> find_form_file(std::string_view content_type, std::string_view body, std::string_view field);

}  // namespace tiphys::server

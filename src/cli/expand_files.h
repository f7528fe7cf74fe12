// Files and folders of a command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tiphys::cli {

/// Files as they are ("-" among them), folders with all files below them that are `wanted`, in order of their paths.
Result<std::vector<std::string>> expand_files(const std::vector<std::string>& arguments,
                                              bool (*wanted)(std::string_view path));

/// By its name: YAML or JSON.
bool is_manifest(std::string_view path);

}  // namespace tiphys::cli

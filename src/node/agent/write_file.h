// Small files and folders of a pod, made whole.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::node {

/// Replaces what is there, a symbolic link excepted. The file has `mode` only once it is complete.
Status write_file(const std::string& path, std::string_view content, mode_t mode);
/// In one piece: beside the file, and then in its place. Who reads it finds the old one or the new one.
Status replace_file(const std::string& path, std::string_view content, mode_t mode);

/// A folder, with those above it; one that is there gets the mode too.
Status make_folder(const std::string& path, mode_t mode);

}  // namespace tiphys::node

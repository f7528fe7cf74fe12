// Arguments longer than Linux lets one be.
#pragma once

#include "doc/value.h"

namespace tiphys::controllers {

/// The longest argument, in bytes: what Linux takes (MAX_ARG_STRLEN), and where the original begins to help itself.
inline constexpr std::size_t kLongestArgument = 131'072;

/// Each longer one of the container's becomes "@/tmp/argo_arg_N.txt", N being its place after the command's first word;
/// gives these files, as the inputs annotation has them. As in the original, `command` is left alone when `args` are
/// not long in all.
doc::Array offload_arguments(doc::Object& container);

}  // namespace tiphys::controllers

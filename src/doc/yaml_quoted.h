// What quoted scalars of YAML say. libfyaml 0.7 finds where they end and checks their escapes, but misreads many: those
// with several '' in a row, with escapes beside line breaks.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::doc {

/// `quoted` is what stands between the quotes of a valid scalar. A line break with the blanks around it is a space, n
/// of them n - 1 line feeds.
std::string read_single_quoted(std::string_view quoted);
std::string read_double_quoted(std::string_view quoted);

}  // namespace tiphys::doc

// The layout of github.com/tidwall/pretty: JSON over several lines, or without white space.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "doc/gjson/workspace.h"

namespace tiphys::doc::gjson {

struct Layout {
  std::int64_t width = 80;  ///< arrays without objects that are not wider stay on one line
  std::string prefix;       ///< of every line
  std::string indent = "  ";
  bool sort_keys = false;
};

std::string lay_out(Workspace& work, std::string_view json, const Layout& layout);
std::string without_blanks(std::string_view json);

}  // namespace tiphys::doc::gjson

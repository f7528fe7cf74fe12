// Places in a text, for messages.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::expr {

/// "column 5", or "line 2, column 5" when the text before the offset has line breaks. Columns count code points from 1.
std::string place(std::string_view text, std::size_t offset);

/// " (1:5)", a line of the text and a caret under the offset, as expr-lang writes them.
std::string caret(std::string_view text, std::size_t offset);

}  // namespace tiphys::expr

#include "expr/json_path_tokens.h"

namespace tiphys::expr::json_path {
namespace {

class Splitter {
 public:
  Result<std::vector<std::string>> split(std::string_view text) {
    if (text.empty() || (text[0] != '$' && text[0] != '@')) return unexpected(text, 0);
    if (text.size() > 1 && text[1] != '.' && text[1] != '[') return unexpected(text, 1);
    parts_.emplace_back(text.substr(0, 1));
    for (const char c : text.substr(1)) add(c);
    if (!part_.empty()) end_part(0);
    return std::move(parts_);
  }

 private:
  static std::unexpected<Error> unexpected(std::string_view text, std::size_t at) {
    return fail(Code::kInvalidArgument, "unexpected token '" + std::string(text.substr(at, 1)) + "' at index " +
                                            std::to_string(at) + " of the JSONPath");
  }

  void add(char c) {
    if (part_.empty()) quotes_ = parentheses_ = 0;
    quotes_ += c == '\'' ? 1 : 0;
    parentheses_ += c == '(' ? 1 : c == ')' ? -1 : 0;
    brackets_ += c == '[' ? 1 : c == ']' ? -1 : 0;
    const bool subscript = part_.find('[') != std::string::npos;
    part_ += c;
    if (part_ == ".") return;
    if (part_ == "..") {
      parts_.push_back(std::move(part_));
      part_.clear();
      return;
    }
    if (c == '[' && part_ != "[" && part_ != ".[" && !subscript) {
      end_part(1);
      part_ = "[";
      return;
    }
    if (c == '[') return;
    const bool even = quotes_ % 2 == 0 && parentheses_ == 0;
    if (subscript && even && c == ']' && brackets_ == 0) end_part(0);
    if (!subscript && even && c == '.') {
      end_part(1);
      part_ = ".";
    }
  }

  /// Without the dot before it and the `behind` characters that begin the next.
  void end_part(std::size_t behind) {
    const std::size_t before = part_[0] == '.' ? 1 : 0;
    parts_.push_back(part_.substr(before, part_.size() - before - behind));
    part_.clear();
  }

  std::vector<std::string> parts_;
  std::string part_;
  int quotes_ = 0;
  int parentheses_ = 0;
  int brackets_ = 0;
};

}  // namespace

Result<std::vector<std::string>> split_path(std::string_view text) {
  return Splitter().split(text);
}

}  // namespace tiphys::expr::json_path

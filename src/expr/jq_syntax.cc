#include "expr/jq_syntax.h"

#include <algorithm>
#include <array>
#include <vector>

namespace tiphys::expr {
namespace {

constexpr std::array<std::string_view, 18> kKeywords = {"and",    "as",      "catch",  "def",    "elif",    "else",
                                                        "end",    "foreach", "if",     "import", "include", "label",
                                                        "module", "or",      "reduce", "then",   "try",     "__loc__"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Rewriter {
 public:
  explicit Rewriter(std::string_view text) : text_(text) {}

  std::string rewrite() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        take(1);
        copy_string();
      } else if (c == '#') {
        take(std::min(text_.find('\n', at_), text_.size()) - at_);
      } else if (is_word(c)) {
        copy_word();
      } else if (c == '.' && at_ + 1 < text_.size() && text_[at_ + 1] == '[' && follows_term()) {
        ++at_;
      } else {
        copy_sign();
      }
    }
    return std::move(out_);
  }

 private:
  enum class Open { kIf, kIfWithElse, kParenthesis, kInterpolation };

  void take(std::size_t count) {
    out_ += text_.substr(at_, count);
    at_ += count;
  }

  /// Up to its end, or into an interpolation.
  void copy_string() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool escape = c == '\\';
      const bool interpolates = escape && text_.substr(at_, 2) == "\\(";
      take(escape ? 2 : 1);
      if (interpolates) {
        open_.push_back(Open::kInterpolation);
        return;
      }
      if (c == '"') return;
    }
  }

  void copy_sign() {
    const char c = text_[at_];
    take(1);
    if (c == '(') open_.push_back(Open::kParenthesis);
    if (c != ')' || open_.empty()) return;
    const Open closed = open_.back();
    if (closed == Open::kIf || closed == Open::kIfWithElse) return;
    open_.pop_back();
    if (closed == Open::kInterpolation) copy_string();
  }

  void copy_word() {
    std::size_t end = at_;
    while (end < text_.size() && is_word(text_[end])) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    const bool keyword = is_keyword(word, end);
    if (keyword && word == "if") open_.push_back(Open::kIf);
    if (keyword && !open_.empty() && open_.back() == Open::kIf) {
      if (word == "else") open_.back() = Open::kIfWithElse;
      if (word == "end") out_ += "else . ";
    }
    if (keyword && word == "end" && !open_.empty() && open_.back() <= Open::kIfWithElse) open_.pop_back();
    take(end - at_);
    after_keyword_ = keyword;
  }

  /// Not a field, a variable, or a key of an object.
  bool is_keyword(std::string_view word, std::size_t end) const {
    if (std::ranges::find(kKeywords, word) == kKeywords.end()) return false;
    if (at_ > 0 && std::string_view(".$@").find(text_[at_ - 1]) != std::string_view::npos) return false;
    const std::size_t next = text_.find_first_not_of(" \t\r\n", end);
    return next == std::string_view::npos || text_[next] != ':';
  }

  /// Whether what stands right before is a term that may be indexed.
  bool follows_term() const {
    if (out_.empty()) return false;
    const char before = out_.back();
    if (is_word(before)) return !after_keyword_;
    return std::string_view("])\"?}").find(before) != std::string_view::npos;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  std::vector<Open> open_;
  bool after_keyword_ = false;
};

}  // namespace

std::string to_jq16(std::string_view filter) {
  return Rewriter(filter).rewrite();
}

}  // namespace tiphys::expr

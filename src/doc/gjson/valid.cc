#include "doc/gjson/scan.h"

namespace tiphys::doc::gjson {
namespace {

/// The grammar of RFC 8259.
class Grammar {
 public:
  Grammar(Workspace& work, std::string_view text) : work_(work), text_(text) {}

  bool is_document() {
    if (!value()) return false;
    skip_space();
    return at_ == text_.size();
  }

 private:
  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  bool take_after_space(char c) {
    skip_space();
    return take(c);
  }

  bool value() {
    const Level level(work_);
    if (work_.is_exhausted()) return false;
    skip_space();
    if (take('{')) return members('}', true);
    if (take('[')) return members(']', false);
    if (take('"')) return string();
    return take("true") || take("false") || take("null") || number();
  }

  bool members(char close, bool named) {
    if (take_after_space(close)) return true;
    for (;;) {
      if (named && !(take_after_space('"') && string() && take_after_space(':'))) return false;
      if (!value()) return false;
      if (take_after_space(close)) return true;
      if (!take(',')) return false;
    }
  }

  bool string() {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < ' ') return false;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  bool escape() {
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == text_.size() ||
          std::string_view("0123456789abcdefABCDEF").find(text_[at_]) == std::string_view::npos) {
        return false;
      }
    }
    return true;
  }

  bool digits() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > begin;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  Workspace& work_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool is_valid(Workspace& work, std::string_view json) {
  return work.charge(json.size()) && Grammar(work, json).is_document();
}

}  // namespace tiphys::doc::gjson

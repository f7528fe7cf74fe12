// libarchive converts names by the thread's locale, and the program runs in "C", where it would turn every letter
// beyond ASCII into "?".
#pragma once

#include <locale.h>

namespace tiphys::artifact {

/// Makes names UTF-8 on this thread while it lives.
class Utf8Locale {
 public:
  Utf8Locale() : own_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (own_ != nullptr) before_ = ::uselocale(own_);
  }
  ~Utf8Locale() {
    if (own_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(own_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t own_, before_ = nullptr;
};

}  // namespace tiphys::artifact

#include "artifact/attempts.h"

#include <algorithm>

namespace tiphys::artifact {

bool passes(const Error& error) {
  if (error.code != Code::kUnavailable) return false;
  constexpr std::string_view kWords[] = {"no such host",          "connection refused",   "connection reset by peer",
                                         "i/o timeout",           "connection timed out", "EOF",
                                         "TLS handshake timeout", "broken pipe"};
  return std::ranges::any_of(kWords,
                             [&](std::string_view word) { return error.message.find(word) != error.message.npos; });
}

bool passes(int http_status) {
  return http_status >= 500 || http_status == 408 || http_status == 429;
}

}  // namespace tiphys::artifact

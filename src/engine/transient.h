// Failures that another attempt may not meet. Original: util/errors/errors.go, IsTransientErr.
#pragma once

#include <algorithm>
#include <string_view>

namespace tiphys::engine {

inline bool may_pass(std::string_view message) {
  constexpr std::string_view kSigns[] = {"exceeded quota",
                                         "the server is currently unable to handle the request",
                                         "i/o timeout",
                                         "connection refused",
                                         "connection reset by peer",
                                         "net/http: TLS handshake timeout",
                                         "etcdserver: leader changed",
                                         "unexpected EOF"};
  return std::ranges::any_of(kSigns, [&](std::string_view sign) { return message.find(sign) != message.npos; });
}

}  // namespace tiphys::engine

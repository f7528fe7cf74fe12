// OpenSSL's objects, freed by their owners.
#pragma once

#include <openssl/crypto.h>

#include <memory>

namespace tiphys {

template <auto free>
struct FreedBy {
  void operator()(auto* object) const { free(object); }
};
template <typename T, auto free>
using Owned = std::unique_ptr<T, FreedBy<free>>;

/// Before any other call: without the machine's configuration file, which could load modules.
inline void prepare_openssl() {
  static const int ready = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  static_cast<void>(ready);
}

}  // namespace tiphys

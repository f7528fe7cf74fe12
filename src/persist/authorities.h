// Whose certificates this host trusts.
#pragma once

#include <string>

namespace tiphys::persist {

/// A file of PEM, where systems have it, or $SSL_CERT_FILE; "": none is there.
std::string system_authorities();

}  // namespace tiphys::persist

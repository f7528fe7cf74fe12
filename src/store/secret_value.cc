#include "store/secret_value.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace tiphys::store {

Result<std::string> secret_value(Store& store, const std::string& ns, const std::string& name, std::string_view key) {
  TIPHYS_TRY(const cluster::Object secret, store.newest({&cluster::kSecrets, ns, name}));
  if (!secret) return fail(Code::kNotFound, fmt::format("secrets \"{}\" not found in the namespace {}", name, ns));
  const doc::Value* value = doc::find(*secret, "data", key);
  if (!value || !value->is_string())
    return fail(Code::kNotFound, fmt::format("key {} missing in secret {}", key, name));
  return decode_base64(value->get_string());
}

}  // namespace tiphys::store

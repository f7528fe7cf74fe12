#include "cluster/secret.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace tiphys::cluster {

Result<std::string> secret_value(const doc::Value& secret, std::string_view key) {
  if (const doc::Value* text = doc::find(secret, "stringData", key)) return doc::scalar_text(*text);
  const doc::Value* held = doc::find(secret, "data", key);
  if (held) return decode_base64(doc::scalar_text(*held));
  return fail(Code::kNotFound,
              fmt::format("secret '{}' does not have the key '{}'", doc::find_string(secret, "metadata", "name"), key));
}

}  // namespace tiphys::cluster

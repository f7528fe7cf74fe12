#include "api/secret_key.h"

#include "api/reader.h"

namespace tiphys::api {
namespace {

constexpr Field<SecretKey> kFields[] = {
    field<&SecretKey::name>("name"),
    field<&SecretKey::key>("key"),
    {"optional"},
};

}  // namespace

constexpr FieldTable kSecretKeyTable("SecretKeySelector", kFields);

void read(const Place& place, SecretKey& out) {
  read_object<SecretKey>(place, out, kFields);
}

}  // namespace tiphys::api

// A value of a Secret, as configurations name it: SecretKeySelector.
#pragma once

#include <string>

namespace tiphys::api {

class FieldTable;
class Place;

struct SecretKey {
  std::string name, key;

  bool complete() const { return !name.empty() && !key.empty(); }
};

extern const FieldTable kSecretKeyTable;

void read(const Place& place, SecretKey& out);

}  // namespace tiphys::api

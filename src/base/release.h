// Owners of what C libraries hand out: std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>.
#pragma once

namespace tiphys {

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* object) const {
    release(object);
  }
};

}  // namespace tiphys

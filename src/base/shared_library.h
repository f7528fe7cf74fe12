// Libraries that are loaded when they are first needed: those of which there is no archive to link.
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/error.h"

namespace tiphys {

/// Stays loaded for as long as the process runs. All of its symbols are bound as it is loaded: a child of a process
/// with threads must not run the dynamic loader.
class SharedLibrary {
 public:
  /// The first of `names` that there is. kFailedPrecondition: there is none; says the first name, what it `does` ("runs
  /// jq filters"), and the package to install.
  static Result<SharedLibrary> load(std::initializer_list<const char*> names, std::string_view does,
                                    std::string_view package);

  /// Points `function` at the symbol, or at nothing.
  template <typename Function>
  void bind(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(symbol(name));
    complete_ = complete_ && function != nullptr;
  }
  /// Whether it has all that was bound.
  bool complete() const { return complete_; }

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  void* symbol(const char* name) const;

  void* handle_;
  bool complete_ = true;
};

}  // namespace tiphys

// Keeps the served kinds to the CustomResourceDefinitions of a plane, and tells in their status what came of them.
#pragma once

#include <map>
#include <memory>

#include "base/executor.h"
#include "objects/kinds.h"
#include "store/store.h"

namespace tiphys::objects {

class CustomKinds {
 public:
  /// All definitions that the store has are served when this returns; later ones as they come.
  static Result<std::unique_ptr<CustomKinds>> start(Executor& executor, store::Store& store, Kinds& kinds);

  CustomKinds(Executor& executor, store::Store& store, Kinds& kinds)
      : executor_(executor), store_(store), kinds_(kinds) {}

 private:
  void follow(std::uint64_t from);
  void put(const cluster::Object& definition);
  void remove(const doc::Value& definition);
  void tell_established(const cluster::Object& definition);
  /// Removes the objects of a definition that is going, and when the last is gone its finalizer.
  void clear_out(const cluster::Object& definition);
  void remove_some(const cluster::Object& definition, const cluster::Resource& resource, const cluster::List& list);
  void let_go(const doc::Value& definition);

  Executor& executor_;
  store::Store& store_;
  Kinds& kinds_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<cluster::Watch> watch_;
  /// For the end of objects with finalizers, by the name of their definition.
  std::map<std::string, std::unique_ptr<cluster::Watch>, std::less<>> ends_;
};

/// On a definition from its first write on: it goes when its objects are gone.
inline constexpr std::string_view kDefinitionFinalizer = "customresourcecleanup.apiextensions.k8s.io";

}  // namespace tiphys::objects

// What an API server does between a route and the store: every protocol that serves objects (Kubernetes' REST, Argo's)
// comes through here, and nothing else decides what may be written. The plane's own controllers write to the store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "objects/kinds.h"
#include "objects/refusal.h"
#include "store/store.h"

namespace tiphys::objects {

/// What a request is for.
struct Target {
  KindPtr kind{};
  std::string ns{};           ///< "" for all namespaces, and for what has none
  std::string name{};         ///< "" for the collection
  std::string subresource{};  ///< "status"

  cluster::Key key() const { return {kind->resource, ns, name}; }
};

/// What is done about fields that a type does not have.
enum class FieldValidation { kIgnore, kWarn, kStrict };

struct WriteOptions {
  bool dry_run = false;
  FieldValidation validation = FieldValidation::kWarn;
  /// Make the namespace when it is missing, which no client of Kubernetes expects.
  bool ensure_namespace = false;
};

struct Written {
  cluster::Object object;
  bool created = false;
  std::vector<std::string> warnings{};
};

struct Removed {
  cluster::Object object;
  bool gone = false;  ///< else it waits for finalizers or for its end
};

/// Lives on the plane's thread, as long as all requests.
class ObjectApi {
 public:
  ObjectApi(store::Store& store, const Kinds& kinds) : store_(store), kinds_(kinds) {}

  const Kinds& kinds() const { return kinds_; }

  void get(const Target& target, Reply<cluster::Object> reply);
  void list(const Target& target, cluster::ListOptions options, Reply<cluster::List> reply);
  void create(const Target& target, doc::Value body, WriteOptions options, Reply<Written> reply);
  void update(const Target& target, doc::Value body, WriteOptions options, Reply<Written> reply);
  void patch(const Target& target, cluster::PatchType type, doc::Value patch, WriteOptions options,
             Reply<Written> reply);
  void remove(const Target& target, cluster::DeleteOptions options, Reply<Removed> reply);
  /// Removes all that a list would give; answers with them as they were.
  void remove_all(const Target& target, cluster::ListOptions which, cluster::DeleteOptions options,
                  Reply<cluster::List> reply);
  std::unique_ptr<cluster::Watch> watch(const Target& target, cluster::WatchOptions options, cluster::WatchSink sink);

  store::Store& store() { return store_; }

 private:
  using Make = std::move_only_function<Outcome<doc::Value>(const cluster::Object& newest, std::vector<std::string>&)>;
  /// Writes what `make` gives for the newest state of an object.
  void change(const Target& target, const WriteOptions& options, Make make, Reply<Written> reply);
  void create_in_namespace(const Target& target, doc::Value object, WriteOptions options,
                           std::vector<std::string> warnings, Reply<Written> reply);

  store::Store& store_;
  const Kinds& kinds_;
};

}  // namespace tiphys::objects

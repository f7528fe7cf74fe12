// What an API server does between a route and the store: every protocol that serves objects (Kubernetes' REST, Argo's)
// comes through here, and nothing else decides what may be written. The plane's own controllers write to the store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "cluster/propagation.h"
#include "objects/access.h"
#include "objects/kinds.h"
#include "objects/refusal.h"
#include "objects/service_tokens.h"
#include "store/store.h"

namespace tiphys::objects {

class Admission;

/// What a request is for, and whose it is.
struct Target {
  KindPtr kind{};
  std::string ns{};                        ///< "" for all namespaces, and for what has none
  std::string name{};                      ///< "" for the collection
  std::string subresource{};               ///< "status"
  std::shared_ptr<const Caller> caller{};  ///< null: the plane itself

  cluster::Key key() const { return {&kind->stored(), ns, name}; }
};

/// What is done about fields that a type does not have.
enum class FieldValidation { kIgnore, kWarn, kStrict };

struct WriteOptions {
  bool dry_run = false;
  FieldValidation validation = FieldValidation::kWarn;
  std::string field_manager{};  ///< who becomes the owner of fields; "": the plane, which owns none
  bool force = false;           ///< takes fields from other appliers
  /// Make the namespace when it is missing, which no client of Kubernetes expects.
  bool ensure_namespace = false;
};

struct Written {
  cluster::Object object;
  bool created = false;
  std::vector<std::string> warnings{};
};

struct RemoveOptions : cluster::DeleteOptions {
  cluster::Propagation propagation = cluster::Propagation::kDefault;
};

struct Removed {
  cluster::Object object;
  bool gone = false;  ///< else it waits for finalizers or for its end
};

struct ObjectApiParts {
  Executor& executor;
  store::Store& store;
  const Kinds& kinds;
  const Authorizer* authorizer = nullptr;  ///< null: everybody may do all
  const ServiceTokens* tokens = nullptr;   ///< null: service accounts have none
  Admission* admission = nullptr;          ///< that of the store, so that rules see what it fills in; null: none
};

/// Lives on the plane's thread, as long as all requests.
class ObjectApi {
 public:
  explicit ObjectApi(const ObjectApiParts& parts)
      : executor_(parts.executor),
        store_(parts.store),
        kinds_(parts.kinds),
        authorizer_(parts.authorizer),
        tokens_(parts.tokens),
        admission_(parts.admission) {}

  /// 403 unless the caller may do this.
  Outcome<void> allow(const Caller* caller, const Attributes& asked) const;

  const Kinds& kinds() const { return kinds_; }

  void get(const Target& target, Reply<cluster::Object> reply);
  void list(const Target& target, cluster::ListOptions options, Reply<cluster::List> reply);
  void create(const Target& target, doc::Value body, const WriteOptions& options, Reply<Written> reply);
  /// At a subresource that takes a POST: serviceaccounts/token, pods/eviction.
  void create_part(const Target& target, doc::Value body, const WriteOptions& options, Reply<Written> reply);
  void update(const Target& target, doc::Value body, const WriteOptions& options, Reply<Written> reply);
  void patch(const Target& target, cluster::PatchType type, doc::Value patch, const WriteOptions& options,
             Reply<Written> reply);
  /// Server-side apply: makes the object when there is none.
  void apply(const Target& target, doc::Value config, const WriteOptions& options, Reply<Written> reply);
  void remove(const Target& target, RemoveOptions options, Reply<Removed> reply);
  /// Removes all that a list would give; answers with them as they were.
  void remove_all(const Target& target, cluster::ListOptions which, const RemoveOptions& options,
                  Reply<cluster::List> reply);
  /// Whoever calls this has asked `allow`.
  std::unique_ptr<cluster::Watch> watch(const Target& target, cluster::WatchOptions options, cluster::WatchSink sink);
  Outcome<void> allow(const Target& target, std::string_view verb) const;

  store::Store& store() { return store_; }

 private:
  using Make = std::move_only_function<Outcome<doc::Value>(const cluster::Object& newest, std::vector<std::string>&)>;
  /// An update that may be made.
  void replace(const Target& target, doc::Value body, const WriteOptions& options, Reply<Written> reply);
  /// Writes what `make` gives for the newest state of an object, null when there is none.
  void change(const Target& target, const WriteOptions& options, Make make, Reply<Written> reply);
  Outcome<doc::Value> scaled(const Target& target, const WriteOptions& options, const cluster::Object& newest,
                             const doc::Value& scale) const;
  Outcome<doc::Value> scale_applied(const Target& target, const WriteOptions& options, const cluster::Object& newest,
                                    const doc::Value& config) const;
  /// Has its dependents go first, or stay: finalizers say so until it is done.
  void mark_propagation(const Target& target, RemoveOptions& options);
  void create_in_namespace(const Target& target, doc::Value object, const WriteOptions& options,
                           std::vector<std::string> warnings, Reply<Written> reply);

  /// Fills in a new object and looks at the rules of its kind.
  Outcome<void> complete_new(const Target& target, doc::Value& object) const;
  /// Looks at the rules of its kind, and gives it what the plane has to give; `before` is null for a new one.
  Outcome<void> finish(const Target& target, doc::Value& object, const doc::Value* before) const;

  /// Removes a pod if its budget allows that, and counts it there.
  void evict(const Target& pod, const doc::Value& body, bool dry_run, Reply<Written> reply);
  Outcome<void> take_disruption(const Target& pod, const doc::Value& object, bool dry_run);
  /// Refuses to make what is there already.
  void tell_existing(const Target& target, Error error, Reply<Written> reply);
  std::optional<Refusal> bind_to_pod(const doc::Value& request, ServiceToken& token);
  void request_token(const Target& target, doc::Value body, const cluster::Object& account, Reply<Written> reply);

  Executor& executor_;
  store::Store& store_;
  const Kinds& kinds_;
  const Authorizer* authorizer_;
  const ServiceTokens* tokens_;
  Admission* admission_;
};

}  // namespace tiphys::objects

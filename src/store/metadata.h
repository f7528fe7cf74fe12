// What Kubernetes' API server does to an object before it stores it, and the messages with which it refuses.
#pragma once

#include "base/random.h"
#include "store/revision.h"

namespace tiphys::store {

/// `pods "main" not found`
Error not_found(const cluster::Resource& resource, std::string_view name);
Error already_exists(const cluster::Resource& resource, std::string_view name);
/// `Operation cannot be fulfilled on ...`
Error conflict(const cluster::Resource& resource, std::string_view name, std::string_view why);

/// Checks a new object and brings it into form: apiVersion and kind, namespace ("default" when missing), a Secret's
/// stringData, a pod's phase. metadata.name may still be missing when there is a generateName.
Status check_new(const cluster::Resource& resource, doc::Value& object);
/// The name to try for an object with a generateName.
std::string generated_name(std::string_view generate_name, Random& random);
Status check_name(const cluster::Resource& resource, std::string_view name);
/// Sets name, uid, creationTimestamp, generation and resourceVersion.
void complete_new(const cluster::Resource& resource, doc::Value& object, const Name& name, const std::string& uid,
                  Time now, std::uint64_t version);

/// Whether `version`, as a client names it, is that of the object as it is now. Versions of nodes are above a
/// workflow's own, and who has seen one of those has seen the object too.
bool is_version_of(const cluster::Resource& resource, const Revision& now, std::string_view version);

/// Checks `object` as the successor of `before` and gives it what a client cannot change: namespace, uid,
/// creationTimestamp, deletionTimestamp, generation. The resource version, when it is named, must be that of `before`.
Status check_update(const cluster::Resource& resource, const Name& name, const Revision& before, doc::Value& object);
/// Whether a CustomResourceDefinition has brought it.
bool is_custom(const cluster::Resource& resource);
/// Whether metadata.generation tells of new specs, as it does of most kinds.
bool counts_generations(const cluster::Resource& resource, const doc::Value& object);
/// For when the spec has changed.
void raise_generation(doc::Value& object);

/// Whether an object under deletion has nothing left to wait for: no finalizers and, if a pod, no grace period.
bool may_go(const cluster::Resource& resource, const doc::Value& base);
/// Those of a Namespace in its spec, too.
bool has_finalizers(const cluster::Resource& resource, const doc::Value& base);
bool is_terminating(const doc::Value& base);
/// The error of a new object in a namespace that is being deleted.
Error terminating_namespace(const cluster::Resource& resource, const doc::Value& object);

}  // namespace tiphys::store

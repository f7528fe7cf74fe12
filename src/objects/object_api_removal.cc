// The part of ObjectApi that deletes objects.
#include <optional>

#include "cluster/propagating_kinds.h"
#include "objects/object_request.h"

namespace tiphys::objects {

void ObjectApi::mark_propagation(const Target& target, RemoveOptions& options) {
  using cluster::Propagation;
  const cluster::Resource& resource = *target.kind->resource;
  // What is in a namespace always goes before it.
  if (options.dry_run || &resource == &cluster::kNamespaces) return;
  if (options.propagation == Propagation::kDefault) options.propagation = cluster::usual_propagation(resource);
  if (options.propagation == Propagation::kBackground) return;
  const std::string_view wanted =
      options.propagation == Propagation::kForeground ? cluster::kForegroundFinalizer : cluster::kOrphanFinalizer;
  const Error unmet{Code::kFailedPrecondition, "the removal tells why"};
  auto mark = [&](const cluster::Object& newest) -> Result<doc::Value> {
    const bool is_meant = newest &&
                          (options.uid.empty() || options.uid == doc::find_string(*newest, "metadata", "uid")) &&
                          (options.resource_version.empty() ||
                           options.resource_version == doc::find_string(*newest, "metadata", "resourceVersion"));
    if (!is_meant) return std::unexpected(unmet);
    options.resource_version.clear();
    doc::Value object = *newest;
    doc::Value& list = doc::ensure_object(object.get_object(), "metadata")["finalizers"];
    if (!list.is_array()) list = doc::Array();
    doc::Array kept;
    for (const doc::Value& one : list.get_array()) {
      if (one != doc::Value(cluster::kForegroundFinalizer) && one != doc::Value(cluster::kOrphanFinalizer)) {
        kept.push_back(one);
      }
    }
    kept.emplace_back(wanted);
    list = std::move(kept);
    return object;
  };
  store_.modify(target.key(), mark, {}, [](const Result<cluster::Object>&) {});
}

void ObjectApi::remove(const Target& target, RemoveOptions options, Reply<Removed> reply) {
  if (auto allowed = allow(target, "delete"); !allowed) return reply(std::unexpected(std::move(allowed.error())));
  mark_propagation(target, options);
  store_.remove(target.key(), std::move(options),
                [this, target, reply = std::move(reply)](Result<cluster::Object> result) mutable {
                  auto object = served(target, std::move(result));
                  if (!object && object.error().code == 409)
                    object.error().details["kind"] = target.kind->resource->kind;
                  if (!object) return reply(std::unexpected(std::move(object.error())));
                  const bool waits = !doc::find_string(**object, "metadata", "deletionTimestamp").empty();
                  reply(Removed{.object = std::move(*object), .gone = !waits || !store_.has(target.key())});
                });
}

void ObjectApi::remove_all(const Target& target, cluster::ListOptions which, const RemoveOptions& options,
                           Reply<cluster::List> reply) {
  if (auto allowed = allow(target, "deletecollection"); !allowed)
    return reply(std::unexpected(std::move(allowed.error())));
  Target trusted = target;
  trusted.caller.reset();
  list(trusted, std::move(which),
       [this, target = trusted, options, reply = std::move(reply)](Outcome<cluster::List> found) mutable {
         if (!found || found->items.empty()) return reply(std::move(found));
         struct Rest {
           std::size_t count;
           cluster::List list;
           std::optional<Refusal> refusal;
           Reply<cluster::List> reply;
         };
         auto rest = std::make_shared<Rest>(found->items.size(), std::move(*found), std::nullopt, std::move(reply));
         for (const cluster::Object& item : rest->list.items) {
           Target one = target;
           one.ns = doc::find_string(*item, "metadata", "namespace");
           one.name = doc::find_string(*item, "metadata", "name");
           remove(one, options, [rest](Outcome<Removed> removed) {
             // Somebody else may have been faster.
             if (!removed && removed.error().code != 404) rest->refusal = std::move(removed.error());
             if (--rest->count > 0) return;
             if (rest->refusal) return rest->reply(std::unexpected(std::move(*rest->refusal)));
             rest->reply(std::move(rest->list));
           });
         }
       });
}

}  // namespace tiphys::objects

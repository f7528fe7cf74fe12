#include "argo/sync_limits.h"

#include <fmt/format.h>

#include "argo/change.h"
#include "controllers/sync_limit.h"

namespace tiphys::argo {
namespace {

cluster::Key key_of(const SyncLimit& limit) {
  if (limit.in_database()) return controllers::sync_limit_key(limit.ns, limit.key);
  return {&cluster::kConfigMaps, limit.ns, limit.config_map};
}

/// Of the database alone: nobody knows by what name it is kept there.
Error told(const SyncLimit& limit, Error error) {
  if (!limit.in_database()) return error;
  if (error.code == Code::kAlreadyExists) {
    error.message = fmt::format("Database sync limit already exists in namespace \"{}\".", limit.ns);
  } else if (error.code == Code::kNotFound) {
    error.message = fmt::format("Database sync limit not found in namespace \"{}\".", limit.ns);
  }
  return error;
}

/// Gives the limit once it is written.
cluster::Done<cluster::Object> written(SyncLimit limit, cluster::Done<std::int64_t> done) {
  return [limit = std::move(limit), done = std::move(done)](const Result<cluster::Object>& object) mutable {
    if (!object) return done(std::unexpected(told(limit, object.error())));
    done(limit.limit);
  };
}

Result<std::int64_t> limit_in(const doc::Value& object, const SyncLimit& limit) {
  if (limit.in_database()) return controllers::limit_of(object);
  auto found = controllers::limit_in_config_map(object, limit.key);
  if (found) return found;
  const bool missing = found.error().code == Code::kNotFound;
  return fail(found.error().code,
              missing ? fmt::format("key {} not found in configmap {}/{}", limit.key, limit.ns, limit.config_map)
                      : fmt::format("invalid limit format for key {} in configmap {}/{}", limit.key, limit.ns,
                                    limit.config_map));
}

doc::Value new_config_map(const SyncLimit& limit) {
  return doc::Object{{"apiVersion", "v1"},
                     {"kind", "ConfigMap"},
                     {"metadata", doc::Object{{"name", limit.config_map}, {"namespace", limit.ns}}},
                     {"data", doc::Object{{limit.key, std::to_string(limit.limit)}}}};
}

}  // namespace

void create_limit(cluster::Cluster& cluster, const SyncLimit& limit, cluster::Done<std::int64_t> done) {
  if (limit.in_database() && limit.key.size() > controllers::kLongestSyncKey) {
    return done(fail(Code::kInvalidArgument, fmt::format("the key must be no longer than {} bytes, and is {}",
                                                         controllers::kLongestSyncKey, limit.key.size())));
  }
  if (limit.in_database()) {
    return cluster.create(cluster::kSyncLimits, controllers::sync_limit(limit.ns, limit.key, limit.limit),
                          written(limit, std::move(done)));
  }
  auto add = [limit](doc::Value& map) -> Status {
    doc::Object& data = doc::ensure_object(map.as_object(), "data");
    if (data.contains(limit.key)) {
      return fail(Code::kAlreadyExists, "sync limit cannot be created as it already exists");
    }
    data[limit.key] = std::to_string(limit.limit);
    return {};
  };
  change(cluster, key_of(limit), add,
         [&cluster, limit, done = written(limit, std::move(done))](Result<cluster::Object> added) mutable {
           if (added || added.error().code != Code::kNotFound) return done(std::move(added));
           cluster.create(cluster::kConfigMaps, new_config_map(limit), std::move(done));
         });
}

void update_limit(cluster::Cluster& cluster, const SyncLimit& limit, cluster::Done<std::int64_t> done) {
  auto edit = [limit](doc::Value& object) -> Status {
    if (limit.in_database()) {
      doc::ensure_object(object.as_object(), "spec")["limit"] = limit.limit;
      return {};
    }
    doc::Object& data = doc::ensure_object(object.as_object(), "data");
    if (!data.contains(limit.key)) {
      return fail(Code::kNotFound, fmt::format("key {} not found in configmap {}/{} - please create it first",
                                               limit.key, limit.ns, limit.config_map));
    }
    data[limit.key] = std::to_string(limit.limit);
    return {};
  };
  change(cluster, key_of(limit), edit, written(limit, std::move(done)));
}

void get_limit(cluster::Cluster& cluster, const SyncLimit& limit, cluster::Done<std::int64_t> done) {
  cluster.get(key_of(limit), [limit, done = std::move(done)](const Result<cluster::Object>& object) mutable {
    if (!object) return done(std::unexpected(told(limit, object.error())));
    done(limit_in(**object, limit));
  });
}

void delete_limit(cluster::Cluster& cluster, const SyncLimit& limit, cluster::Done<void> done) {
  auto gone = [limit, done = std::move(done)](const Result<cluster::Object>& object) mutable {
    if (!object) return done(std::unexpected(told(limit, object.error())));
    done({});
  };
  if (limit.in_database()) return cluster.remove(key_of(limit), {}, std::move(gone));
  change(
      cluster, key_of(limit),
      [limit](doc::Value& map) -> Status {
        doc::ensure_object(map.as_object(), "data").erase(limit.key);
        return {};
      },
      std::move(gone));
}

}  // namespace tiphys::argo

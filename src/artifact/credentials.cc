#include "artifact/credentials.h"

#include <fmt/format.h>

#include <memory>

#include "cluster/secret.h"

namespace tiphys::artifact {
namespace {

constexpr std::string_view kSecret = "Secret", kConfigMap = "ConfigMap";

Result<std::string> value_in(bool config_map, const doc::Value& object, std::string_view key) {
  if (!config_map) return cluster::secret_value(object, key);
  const doc::Value* value = doc::find(object, "data", key);
  if (value && value->is_string()) return std::string(value->get_string());
  return fail(Code::kNotFound, fmt::format("the ConfigMap has no key {}", key));
}

}  // namespace

/// All members called "...Secret" or "...ConfigMap", at any depth, that name one and a key of it.
void Credentials::collect(const doc::Value& value, std::set<Name>& names) {
  if (const doc::Array* list = value.if_array()) {
    for (const doc::Value& each : *list) collect(each, names);
  }
  const doc::Object* object = value.if_object();
  if (!object) return;
  for (const auto& [field, member] : *object) {
    const std::string_view called(field), name = doc::find_string(member, "name");
    if (!name.empty() && (called.ends_with(kSecret) || called.ends_with(kConfigMap))) {
      names.emplace(called.ends_with(kConfigMap), std::string(name), std::string(doc::find_string(member, "key")));
    } else {
      collect(member, names);
    }
  }
}

struct Credentials::Fetch {
  Credentials credentials;
  std::set<Name> names;
  std::size_t left = 0;
  std::optional<Error> error;
  cluster::Done<Credentials> done;

  void take(const Name& wanted, const Result<cluster::Object>& object) {
    if (!object && object.error().code != Code::kNotFound) {
      error = object.error().in(fmt::format("{} {}", wanted.config_map ? kConfigMap : kSecret, wanted.object));
    }
    if (object) {
      auto value = value_in(wanted.config_map, **object, wanted.key);
      if (value) credentials.values_[wanted] = std::move(*value);
    }
    if (--left > 0) return;
    if (error) return done(std::unexpected(*error));
    done(std::move(credentials));
  }
};

void Credentials::fetch(cluster::Cluster& cluster, const std::string& ns, std::span<const doc::Value> locations,
                        cluster::Done<Credentials> done) {
  const auto fetch = std::make_shared<Fetch>();
  for (const doc::Value& location : locations) collect(location, fetch->names);
  if (fetch->names.empty()) return done(Credentials());
  fetch->left = fetch->names.size();
  fetch->done = std::move(done);
  for (const Name& name : fetch->names) {
    cluster.get({name.config_map ? &cluster::kConfigMaps : &cluster::kSecrets, ns, name.object},
                [fetch, name](const Result<cluster::Object>& object) { fetch->take(name, object); });
  }
}

Result<std::string> Credentials::get(const doc::Value& place, std::string_view field) const {
  const std::string name(doc::find_string(place, field, "name")), key(doc::find_string(place, field, "key"));
  if (name.empty()) return std::string();
  const bool config_map = field.ends_with(kConfigMap);
  const auto found = values_.find({config_map, name, key});
  if (found != values_.end()) return found->second;
  return fail(Code::kFailedPrecondition, fmt::format("{}: there is no {} \"{}\" with the key \"{}\"", field,
                                                     config_map ? kConfigMap : kSecret, name, key));
}

}  // namespace tiphys::artifact

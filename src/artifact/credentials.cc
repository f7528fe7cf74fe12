#include "artifact/credentials.h"

#include <fmt/format.h>

#include <memory>
#include <set>

#include "cluster/secret.h"

namespace tiphys::artifact {
namespace {

using Names = std::set<std::pair<std::string, std::string>>;

/// All members called "...Secret", at any depth, that name a Secret and a key of it.
void collect(const doc::Value& value, Names& names) {
  if (const doc::Array* list = value.if_array()) {
    for (const doc::Value& each : *list) collect(each, names);
  }
  const doc::Object* object = value.if_object();
  if (!object) return;
  for (const auto& [field, member] : *object) {
    const std::string_view name = doc::find_string(member, "name");
    if (std::string_view(field).ends_with("Secret") && !name.empty()) {
      names.emplace(name, doc::find_string(member, "key"));
    } else {
      collect(member, names);
    }
  }
}

struct Fetch {
  Credentials credentials;
  Names names;
  std::size_t left = 0;
  std::optional<Error> error;
  cluster::Done<Credentials> done;

  void take(const std::string& secret, const Result<cluster::Object>& object) {
    if (!object && object.error().code != Code::kNotFound) error = object.error().in(fmt::format("Secret {}", secret));
    for (const auto& [name, key] : names) {
      if (!object || name != secret) continue;
      if (auto value = cluster::secret_value(**object, key)) credentials.add(name, key, std::move(*value));
    }
    if (--left > 0) return;
    if (error) return done(std::unexpected(*error));
    done(std::move(credentials));
  }
};

}  // namespace

void Credentials::fetch(cluster::Cluster& cluster, const std::string& ns, std::span<const doc::Value> locations,
                        cluster::Done<Credentials> done) {
  const auto fetch = std::make_shared<Fetch>();
  for (const doc::Value& location : locations) collect(location, fetch->names);
  if (fetch->names.empty()) return done(Credentials());
  std::set<std::string> secrets;
  for (const auto& [name, key] : fetch->names) secrets.insert(name);
  fetch->left = secrets.size();
  fetch->done = std::move(done);
  for (const std::string& secret : secrets) {
    cluster.get({&cluster::kSecrets, ns, secret},
                [fetch, secret](const Result<cluster::Object>& object) { fetch->take(secret, object); });
  }
}

Result<std::string> Credentials::get(const doc::Value& place, std::string_view field) const {
  const std::string name(doc::find_string(place, field, "name")), key(doc::find_string(place, field, "key"));
  if (name.empty()) return std::string();
  const auto found = values_.find({name, key});
  if (found != values_.end()) return found->second;
  return fail(Code::kFailedPrecondition,
              fmt::format("{}: there is no Secret \"{}\" with the key \"{}\"", field, name, key));
}

}  // namespace tiphys::artifact

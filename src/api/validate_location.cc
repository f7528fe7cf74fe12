// What the places of artifacts must say: what the original's validation refuses.
#include <fmt/format.h>

#include "api/artifact_location.h"
#include "api/validator.h"

namespace tiphys::api {

void Validator::check_location(const doc::Object& holder, const Spot& spot) {
  const std::string_view kind = location_kind(holder);
  if (kind == "git" && doc::find_string(holder.at("git"), "repo").empty()) {
    error(spot.pointer + "/git", spot.name + ".git.repo is required", true);
  }
  if (kind == "http" && doc::find_string(holder.at("http"), "url").empty()) {
    error(spot.pointer + "/http", spot.name + ".http.url is required", true);
  }
  if (kind == "raw" && !doc::find(holder.at("raw"), "data")) {
    error(spot.pointer + "/raw", spot.name + ".raw.data is required", true);
  }
  if (kind == "hdfs") check_hdfs(holder.at("hdfs"), {spot.pointer + "/hdfs", spot.name + ".hdfs"});
}

void Validator::check_hdfs(const doc::Value& place, const Spot& spot) {
  const auto has = [&](std::string_view field) {
    const doc::Value* value = doc::find(place, field);
    return value && (value->is_object() || (value->is_string() && !value->get_string().empty()) ||
                     (value->is_array() && !value->get_array().empty()));
  };
  const auto refuse = [&](std::string message) { error(spot.pointer, std::move(message), true); };
  const std::string& name = spot.name;
  if (!has("addresses")) refuse(name + ".addresses is required");
  if (!has("path")) {
    refuse(name + ".path is required");
  } else if (!doc::find_string(place, "path").starts_with('/')) {
    error(spot.pointer + "/path", name + ".path must be a absolute file path");
  }
  const bool cache = has("krbCCacheSecret"), keytab = has("krbKeytabSecret");
  if (!has("hdfsUser") && !cache && !keytab) {
    refuse(fmt::format("either {0}.hdfsUser, {0}.krbCCacheSecret or {0}.krbKeytabSecret is required", name));
  }
  const bool server = has("krbServicePrincipalName") && has("krbConfigConfigMap");
  if (keytab && (!server || !has("krbUsername") || !has("krbRealm"))) {
    refuse(
        fmt::format("{0}.krbServicePrincipalName, {0}.krbConfigConfigMap, {0}.krbUsername and {0}.krbRealm are "
                    "required with {0}.krbKeytabSecret",
                    name));
  }
  if (cache && !server) {
    refuse(fmt::format("{0}.krbServicePrincipalName and {0}.krbConfigConfigMap are required with {0}.krbCCacheSecret",
                       name));
  }
}

}  // namespace tiphys::api

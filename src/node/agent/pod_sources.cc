#include "node/agent/pod_sources.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "base/encoding.h"

namespace tiphys::node {
namespace {

using cluster::Key;

void add(std::set<Key>& keys, const cluster::Resource& resource, std::string_view ns, std::string_view name) {
  if (!name.empty()) keys.insert({&resource, std::string(ns), std::string(name)});
}

void add_of_container(const doc::Value& container, std::string_view ns, std::set<Key>& keys) {
  if (const doc::Value* env = doc::find(container, "env"); env && env->is_array()) {
    for (const doc::Value& entry : env->get_array()) {
      add(keys, cluster::kConfigMaps, ns, doc::find_string(entry, "valueFrom", "configMapKeyRef", "name"));
      add(keys, cluster::kSecrets, ns, doc::find_string(entry, "valueFrom", "secretKeyRef", "name"));
    }
  }
  if (const doc::Value* from = doc::find(container, "envFrom"); from && from->is_array()) {
    for (const doc::Value& entry : from->get_array()) {
      add(keys, cluster::kConfigMaps, ns, doc::find_string(entry, "configMapRef", "name"));
      add(keys, cluster::kSecrets, ns, doc::find_string(entry, "secretRef", "name"));
    }
  }
}

std::set<Key> keys_of(const doc::Value& pod) {
  std::set<Key> keys;
  const std::string_view ns = doc::find_string(pod, "metadata", "namespace");
  for (const std::string_view list : {"initContainers", "containers"}) {
    const doc::Value* containers = doc::find(pod, "spec", list);
    if (!containers || !containers->is_array()) continue;
    for (const doc::Value& container : containers->get_array()) add_of_container(container, ns, keys);
  }
  if (const doc::Value* volumes = doc::find(pod, "spec", "volumes"); volumes && volumes->is_array()) {
    for (const doc::Value& volume : volumes->get_array()) {
      add(keys, cluster::kConfigMaps, ns, doc::find_string(volume, "configMap", "name"));
      add(keys, cluster::kSecrets, ns, doc::find_string(volume, "secret", "secretName"));
      add(keys, cluster::kPersistentVolumeClaims, ns, doc::find_string(volume, "persistentVolumeClaim", "claimName"));
      const doc::Value* projected = doc::find(volume, "projected", "sources");
      if (!projected || !projected->is_array()) continue;
      for (const doc::Value& source : projected->get_array()) {
        add(keys, cluster::kConfigMaps, ns, doc::find_string(source, "configMap", "name"));
        add(keys, cluster::kSecrets, ns, doc::find_string(source, "secret", "name"));
      }
    }
  }
  return keys;
}

std::map<std::string, std::string> items_of(const doc::Value& object, bool secret) {
  std::map<std::string, std::string> items;
  const auto read = [&](std::string_view field, bool encoded) {
    const doc::Value* data = doc::find(object, field);
    if (!data || !data->is_object()) return;
    for (const auto& [key, value] : data->get_object()) {
      if (value.is_string())
        items[key] = encoded ? decode_base64(value.get_string()).value_or("") : std::string(value.get_string());
    }
  };
  read("data", secret);
  read("binaryData", true);
  read("stringData", false);
  return items;
}

}  // namespace

void PodSources::fetch(cluster::Cluster& cluster, const doc::Value& pod,
                       std::move_only_function<void(Result<PodSources>)> done) {
  const std::set<Key> keys = keys_of(pod);
  if (keys.empty()) return done(PodSources());
  struct Fetch {
    PodSources sources;
    std::size_t left = 0;
    std::optional<Error> error;
    std::move_only_function<void(Result<PodSources>)> done;
  };
  const auto fetch = std::make_shared<Fetch>();
  fetch->left = keys.size();
  fetch->done = std::move(done);
  for (const Key& key : keys) {
    cluster.get(key, [fetch, key](Result<cluster::Object> object) {
      if (object && key.resource == &cluster::kPersistentVolumeClaims) {
        fetch->sources.claims_[key] = doc::find_string(**object, "metadata", "uid");
      } else if (object) {
        fetch->sources.objects_[key] = items_of(**object, key.resource == &cluster::kSecrets);
      } else if (object.error().code != Code::kNotFound) {
        fetch->error = object.error().in(source_name(key));
      }
      if (--fetch->left > 0) return;
      if (fetch->error) return fetch->done(std::unexpected(*fetch->error));
      fetch->done(std::move(fetch->sources));
    });
  }
}

const std::map<std::string, std::string>* PodSources::find(const Key& key) const {
  const auto it = objects_.find(key);
  return it == objects_.end() ? nullptr : &it->second;
}

const std::string* PodSources::find(const Key& key, const std::string& item) const {
  const auto* items = find(key);
  const auto it = items ? items->find(item) : std::map<std::string, std::string>::const_iterator();
  return items && it != items->end() ? &it->second : nullptr;
}

std::string source_name(const Key& key) {
  return fmt::format("{} \"{}\"", key.resource->kind, key.name);
}

}  // namespace tiphys::node

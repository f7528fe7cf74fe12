#include "controllers/default_accounts.h"

#include "base/log.h"

namespace tiphys::controllers {

void DefaultAccounts::start() {
  cluster::WatchSink sink;
  sink.on_event = [this](const cluster::WatchEvent& event) {
    if (event.type == cluster::WatchEvent::Type::kAdded) on_namespace(*event.object);
  };
  sink.on_end = [this](const Error& error) {
    log::warn("namespaces are followed anew: {}", error.message);
    executor_.post([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) start();
    });
  };
  watch_ = cluster_.watch(cluster::kNamespaces, {}, std::move(sink));
}

void DefaultAccounts::on_namespace(const doc::Value& object) {
  if (!doc::find_string(object, "metadata", "deletionTimestamp").empty()) return;
  const std::string ns(doc::find_string(object, "metadata", "name"));
  if (!authority_.empty()) publish(ns);
  const doc::Object metadata{{"name", "default"}, {"namespace", ns}};
  cluster_.create(cluster::kServiceAccounts, doc::Object{{"metadata", metadata}},
                  [](const Result<cluster::Object>& created) {
                    if (!created && created.error().code != Code::kAlreadyExists) {
                      log::warn("a default service account: {}", created.error().message);
                    }
                  });
}

/// As Kubernetes' root-ca-cert-publisher does.
void DefaultAccounts::publish(const std::string& ns) {
  const cluster::Key key{&cluster::kConfigMaps, ns, "kube-root-ca.crt"};
  const auto tell = [key](const Result<cluster::Object>& written) {
    if (!written) log::warn("configmap {}/{}: {}", key.ns, key.name, written.error().message);
  };
  const doc::Object data{{"ca.crt", authority_}};
  cluster_.get(key, [this, key, data, tell, alive = std::weak_ptr(alive_)](const Result<cluster::Object>& known) {
    if (alive.expired()) return;
    if (!known && known.error().code != Code::kNotFound) return tell(known);
    if (!known) {
      const doc::Object metadata{{"name", key.name}, {"namespace", key.ns}};
      return cluster_.create(cluster::kConfigMaps, doc::Object{{"metadata", metadata}, {"data", data}}, tell);
    }
    if (const doc::Value* before = doc::find(**known, "data"); before && *before == doc::Value(data)) return;
    cluster_.patch(key, cluster::PatchType::kMerge, doc::Object{{"data", data}}, tell);
  });
}

}  // namespace tiphys::controllers

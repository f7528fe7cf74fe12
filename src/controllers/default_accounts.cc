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
  const doc::Object metadata{{"name", "default"}, {"namespace", doc::find_string(object, "metadata", "name")}};
  cluster_.create(cluster::kServiceAccounts, doc::Object{{"metadata", metadata}},
                  [](const Result<cluster::Object>& created) {
                    if (!created && created.error().code != Code::kAlreadyExists) {
                      log::warn("a default service account: {}", created.error().message);
                    }
                  });
}

}  // namespace tiphys::controllers

#include "node/services/service_directory.h"

#include <algorithm>

#include "base/log.h"

namespace tiphys::node {

void ServiceDirectory::start() {
  watch();
}

void ServiceDirectory::watch() {
  before_ = std::exchange(services_, {});
  cluster::WatchSink sink;
  sink.on_event = [this](const cluster::WatchEvent& event) { on_event(event); };
  sink.on_end = [this](const Error& error) {
    log::warn("the watch of services ended: {}", error.message);
    // Not from inside its own callback.
    executor_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->watch();
    });
  };
  watch_ = cluster_.watch(cluster::kServices, {}, std::move(sink));
}

void ServiceDirectory::on_event(const cluster::WatchEvent& event) {
  if (event.type == cluster::WatchEvent::Type::kSynced) {
    synced_ = true;
    for (const auto& [name, record] : std::exchange(before_, {})) {
      if (!services_.contains(name)) tell(name);
    }
    for (auto& task : std::exchange(waiting_, {})) task();
    return;
  }
  ServiceRecord record = service_record(*event.object);
  const Name name{record.ns, record.name};
  if (!serves_api_ && is_api(name)) return;
  if (event.type == cluster::WatchEvent::Type::kDeleted) {
    services_.erase(name);
  } else {
    services_.insert_or_assign(name, std::move(record));
  }
  tell(name);
}

void ServiceDirectory::tell(const Name& name) {
  for (const auto& listener : listeners_) listener(name);
}

void ServiceDirectory::when_synced(Executor::Task task) {
  if (synced_) return task();
  waiting_.push_back(std::move(task));
}

const ServiceRecord* ServiceDirectory::find(const Name& name) const {
  const auto found = services_.find(name);
  return found == services_.end() ? nullptr : &found->second;
}

bool ServiceDirectory::has_others() const {
  return std::ranges::any_of(services_, [](const auto& one) { return !is_api(one.first); });
}

Variables ServiceDirectory::variables(const std::string& ns, bool links) const {
  Variables made;
  const Name api{"default", "kubernetes"};
  const bool own = links && services_.contains({ns, "kubernetes"});
  if (const ServiceRecord* record = find(api); record && !own) add_service_variables(*record, made);
  if (!links) return made;
  for (auto it = services_.lower_bound({ns, ""}); it != services_.end() && it->first.first == ns; ++it) {
    add_service_variables(it->second, made);
  }
  return made;
}

}  // namespace tiphys::node

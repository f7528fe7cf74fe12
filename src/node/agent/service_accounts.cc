#include "node/agent/service_accounts.h"

#include "base/log.h"
#include "node/agent/pod_report.h"

namespace tiphys::node {
namespace {

std::optional<bool> flag(const doc::Value* value) {
  return value && value->is_bool() ? std::optional(value->get_bool()) : std::nullopt;
}

}  // namespace

void ServiceAccounts::start() {
  fresh_.emplace();
  cluster::WatchSink sink;
  sink.on_event = [this](const cluster::WatchEvent& event) { on_event(event); };
  sink.on_end = [this](const Error& error) {
    log::warn("the watch of service accounts ended: {}", error.message);
    // Not from inside its own callback.
    executor_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->start();
    });
  };
  watch_ = cluster_.watch(cluster::kServiceAccounts, {}, std::move(sink));
}

void ServiceAccounts::on_event(const cluster::WatchEvent& event) {
  if (event.type == cluster::WatchEvent::Type::kSynced) {
    if (fresh_) accounts_ = std::move(*std::exchange(fresh_, std::nullopt));
    synced_ = true;
    for (auto& task : std::exchange(waiting_, {})) task();
    return;
  }
  const doc::Value& account = *event.object;
  Accounts& known = fresh_ ? *fresh_ : accounts_;
  const std::pair key{std::string(doc::find_string(account, "metadata", "namespace")),
                      std::string(doc::find_string(account, "metadata", "name"))};
  if (event.type == cluster::WatchEvent::Type::kDeleted) {
    known.erase(key);
    return;
  }
  known[key] = {.uid = std::string(doc::find_string(account, "metadata", "uid")),
                .automount = flag(doc::find(account, "automountServiceAccountToken"))};
}

void ServiceAccounts::when_synced(Executor::Task task) {
  if (synced_) return task();
  waiting_.push_back(std::move(task));
}

const AccountRecord* ServiceAccounts::find(const std::string& ns, const std::string& name) const {
  const auto found = accounts_.find({ns, name});
  return found == accounts_.end() ? nullptr : &found->second;
}

std::string account_of(const doc::Value& pod) {
  const std::string_view named = doc::find_string(pod, "spec", "serviceAccountName");
  return std::string(named.empty() ? "default" : named);
}

bool has_token(const doc::Value& pod, const AccountRecord& account, bool has_rights) {
  if (const auto said = flag(doc::find(pod, "spec", "automountServiceAccountToken"))) return *said;
  if (account.automount) return *account.automount;
  return !is_of_workflow(pod) || has_rights;
}

}  // namespace tiphys::node

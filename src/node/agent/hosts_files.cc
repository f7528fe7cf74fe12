#include "node/agent/hosts_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "base/unique_fd.h"

namespace tiphys::node {
namespace {

/// "web web.default web.default.svc web.default.svc.cluster.local"; the first only where `ns` is one's own.
std::string names_of(std::string_view name, std::string_view ns, bool own) {
  return fmt::format("{}{}{}.{} {}.{}.svc {}.{}.svc.cluster.local", own ? name : "", own ? " " : "", name, ns, name, ns,
                     name, ns);
}

void add_service(std::string& text, const HostsPlace& place, const cluster::Key& key, const doc::Value& endpoints) {
  const doc::Value* subsets = doc::find(endpoints, "subsets");
  if (!subsets || !subsets->is_array()) return;
  for (const doc::Value& subset : subsets->get_array()) {
    const doc::Value* addresses = doc::find(subset, "addresses");
    if (!addresses || !addresses->is_array()) continue;
    for (const doc::Value& address : addresses->get_array()) {
      const std::string_view ip = doc::find_string(address, "ip"), host = doc::find_string(address, "hostname");
      if (ip.empty()) continue;
      if (!host.empty()) {
        text += fmt::format("{}\t{}\n", ip, names_of(fmt::format("{}.{}", host, key.name), key.ns, key.ns == place.ns));
      }
      text += fmt::format("{}\t{}\n", ip, names_of(key.name, key.ns, key.ns == place.ns));
    }
  }
}

/// Over what is there, for a mount keeps to the file; shortened last, so that nobody finds it empty.
Status overwrite(const std::string& path, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file || ::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0) {
    return fail_errno("write " + path, errno);
  }
  return {};
}

}  // namespace

std::string hosts_text(const HostsPlace& place, const std::map<ServiceDirectory::Name, ServiceRecord>& services,
                       const std::map<cluster::Key, cluster::Object>& endpoints) {
  std::string text = place.others;
  if (!place.address.empty() && !place.hostname.empty()) {
    text += place.address + "\t";
    if (!place.subdomain.empty()) {
      text += fmt::format("{}.{}.{}.svc.cluster.local ", place.hostname, place.subdomain, place.ns);
    }
    text += place.hostname + "\n";
  }
  const auto answers = [&](const ServiceRecord& service) { return place.reaches_services && !service.address.empty(); };
  for (const auto& [name, service] : services) {
    if (!answers(service)) continue;
    text += fmt::format("{}\t{}\n", service.address, names_of(service.name, service.ns, service.ns == place.ns));
  }
  for (const auto& [key, object] : endpoints) {
    const auto service = services.find({key.ns, key.name});
    if (service == services.end() || !answers(service->second)) add_service(text, place, key, *object);
  }
  return text;
}

HostsFiles::Use::~Use() {
  if (const auto files = files_.lock()) files->uses_.erase(this);
}

void HostsFiles::Use::set_address(std::string address) {
  if (place_.address == address) return;
  place_.address = std::move(address);
  const auto files = files_.lock();
  if (!files) return;
  if (const Status written = files->write(*this); !written) log::warn("{}", written.error().message);
}

void HostsFiles::use(HostsPlace place, std::move_only_function<void(Result<std::unique_ptr<Use>>)> done) {
  if (!std::exchange(listens_, true)) {
    directory_.listen([weak = weak_from_this()](const ServiceDirectory::Name&) {
      if (const auto self = weak.lock()) self->write_soon();
    });
    directory_.when_synced([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->watch();
    });
  }
  if (in_step_) return begin(std::move(place), std::move(done));
  waiting_.push_back(
      [this, place = std::move(place), done = std::move(done)]() mutable { begin(std::move(place), std::move(done)); });
}

void HostsFiles::begin(HostsPlace place, std::move_only_function<void(Result<std::unique_ptr<Use>>)> done) {
  auto made = std::make_unique<Use>(weak_from_this(), std::move(place));
  if (const Status written = write(*made); !written) return done(std::unexpected(written.error()));
  uses_.insert(made.get());
  done(std::move(made));
}

void HostsFiles::watch() {
  in_step_ = false;
  endpoints_.clear();
  cluster::WatchSink sink;
  sink.on_event = [this](const cluster::WatchEvent& event) { on_event(event); };
  sink.on_end = [this](const Error& error) {
    log::warn("the watch of endpoints ended: {}", error.message);
    // Not from inside its own callback.
    executor_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->watch();
    });
  };
  watch_ = cluster_.watch(cluster::kEndpoints, {}, std::move(sink));
}

void HostsFiles::on_event(const cluster::WatchEvent& event) {
  if (event.type == cluster::WatchEvent::Type::kSynced) {
    in_step_ = true;
    for (auto& waits : std::exchange(waiting_, {})) waits();
  } else {
    cluster::Key key{&cluster::kEndpoints, std::string(doc::find_string(*event.object, "metadata", "namespace")),
                     std::string(doc::find_string(*event.object, "metadata", "name"))};
    if (event.type == cluster::WatchEvent::Type::kDeleted) {
      endpoints_.erase(key);
    } else {
      endpoints_[std::move(key)] = event.object;
    }
  }
  write_soon();
}

void HostsFiles::write_soon() {
  if (!in_step_ || std::exchange(writes_soon_, true)) return;
  // Once for all that is told at a time.
  executor_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->write_all();
  });
}

void HostsFiles::write_all() {
  writes_soon_ = false;
  for (Use* use : uses_) {
    if (const Status written = write(*use); !written) log::warn("{}", written.error().message);
  }
}

Status HostsFiles::write(Use& use) {
  std::string text = hosts_text(use.place_, directory_.all(), endpoints_);
  if (text == use.written_) return {};
  if (use.place_.tell) {
    use.place_.tell(text);
  } else {
    TIPHYS_CHECK_OK(overwrite(use.place_.path, text));
  }
  use.written_ = std::move(text);
  return {};
}

}  // namespace tiphys::node

// The part of PodRun that gives its containers their /etc/hosts, as a kubelet does.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/agent/pod_run.h"
#include "node/agent/shown_files.h"

namespace tiphys::node {
namespace {

/// The address of what shares the network of this host.
constexpr const char* kHostAddress = "127.0.0.1";

/// With the network of this host come the names that it knows.
std::string lines_of_host(bool shares_network) {
  if (!shares_network) return "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  std::ostringstream text;
  text << std::ifstream(std::string(kHostsFile)).rdbuf();
  return text.str().ends_with('\n') ? text.str() : text.str() + "\n";
}

std::string aliases_of(const doc::Value& pod) {
  std::string text;
  const doc::Value* aliases = doc::find(pod, "spec", "hostAliases");
  if (!aliases || !aliases->is_array()) return text;
  for (const doc::Value& alias : aliases->get_array()) {
    const doc::Value* names = doc::find(alias, "hostnames");
    if (!names || !names->is_array()) continue;
    text += doc::find_string(alias, "ip");
    for (const doc::Value& name : names->get_array()) text += "\t" + doc::scalar_text(name);
    text += "\n";
  }
  return text;
}

}  // namespace

bool PodRun::reaches_services() const {
  if (shares_network() || world_.services.has_others()) return true;
  return world_.api && (!is_of_workflow(*pod_) || has_account_folder());
}

void PodRun::tell_unreachable_services(const Error& error) {
  world_.events.warn(NodeEvents::subject_of(*pod_), "ServicesUnreachable",
                     fmt::format("addresses of services do not answer in this pod: {}", error.message));
}

/// A workflow's steps have them where there is something to find: to mount a file is among what a short step costs.
bool PodRun::wants_hosts() const {
  const bool asks = world_.services.has_others() || has_tokens() || doc::find(*pod_, "spec", "hostAliases");
  if (is_of_workflow(*pod_) && !asks) return false;
  return !shares_network() || std::filesystem::exists(kHostsFile);
}

void PodRun::give_hosts(PodContainers made, bool reaches_services) {
  if (!wants_hosts()) return fetch_credentials(std::move(made));
  HostsPlace place{.path = "",
                   .ns = key_.ns,
                   .hostname = made.containers.front().hostname,
                   .subdomain = std::string(doc::find_string(*pod_, "spec", "subdomain")),
                   .others = lines_of_host(shares_network()) + aliases_of(*pod_),
                   .address = "",
                   .reaches_services = reaches_services};
  if (runtime_.holds_files()) {
    place.tell = [weak = weak_from_this()](const std::string& text) {
      if (const auto self = weak.lock()) self->hold({std::string(kHostsFile), {{.name = "", .content = text}}});
    };
    // Such a pod has it before it runs.
    if (shares_network()) place.address = kHostAddress;
  } else {
    std::error_code error;
    std::filesystem::create_directories(place_.dir, error);
    place.path = place_.dir + "/etc-hosts";
  }
  world_.hosts.use(std::move(place), [self = shared_from_this(), made = std::move(made)](auto use) mutable {
    if (self->settled_) return;
    if (!use) return self->failed_before_start("init", use.error());
    self->hosts_ = std::move(*use);
    if (!self->runtime_.holds_files()) {
      mount_in_all(made, {.host_path = self->hosts_->path(), .path = std::string(kHostsFile)});
    }
    self->fetch_credentials(std::move(made));
  });
}

}  // namespace tiphys::node

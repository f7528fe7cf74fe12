// The files /etc/hosts of pods: their own names, their hostAliases, and the names of services.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "node/services/service_directory.h"

namespace tiphys::node {

/// What one pod's file says beyond the names of services.
struct HostsPlace {
  std::string path;       ///< of the file; its folder is there. "" with `tell`
  std::string ns;         ///< whose services have short names
  std::string hostname;   ///< the pod's
  std::string subdomain;  ///< "" for none
  std::string others;     ///< lines to begin with: those of this host, hostAliases
  std::string address;    ///< of the pod; "" until it is known
  /// Whether the addresses of services answer there. Where they do not, names stand for those of ready pods.
  bool reaches_services = false;
  /// Where there is no file: gets its text, at first and whenever that changes.
  std::function<void(const std::string& text)> tell{};
};

/// Lines for one pod: `endpoints` are objects of kind Endpoints, by namespace and name. A service's name stands for its
/// address; one without, a headless one, for the addresses of its ready pods, where those with a hostname have it in
/// front.
std::string hosts_text(const HostsPlace& place, const std::map<ServiceDirectory::Name, ServiceRecord>& services,
                       const std::map<cluster::Key, cluster::Object>& endpoints);

/// Watches Endpoints from the first use on, and writes the files of all uses when they or Services change: in place,
/// for they are mounted.
class HostsFiles : public std::enable_shared_from_this<HostsFiles> {
 public:
  /// As long as it is kept, its file is written.
  class Use {
   public:
    Use(std::weak_ptr<HostsFiles> files, HostsPlace place) : files_(std::move(files)), place_(std::move(place)) {}
    ~Use();
    const std::string& path() const { return place_.path; }
    void set_address(std::string address);

   private:
    friend class HostsFiles;
    std::weak_ptr<HostsFiles> files_;
    HostsPlace place_;
    std::optional<std::string> written_;
  };

  /// `directory` outlives it.
  HostsFiles(Executor& executor, cluster::Cluster& cluster, ServiceDirectory& directory)
      : executor_(executor), cluster_(cluster), directory_(directory) {}

  /// `done` gets it once the file is there. An error when it cannot be written.
  void use(HostsPlace place, std::move_only_function<void(Result<std::unique_ptr<Use>>)> done);

 private:
  void watch();
  void on_event(const cluster::WatchEvent& event);
  void write_soon();
  void write_all();
  Status write(Use& use);
  void begin(HostsPlace place, std::move_only_function<void(Result<std::unique_ptr<Use>>)> done);

  Executor& executor_;
  cluster::Cluster& cluster_;
  ServiceDirectory& directory_;
  std::map<cluster::Key, cluster::Object> endpoints_;
  std::set<Use*> uses_;
  std::vector<std::move_only_function<void()>> waiting_;  ///< for the first list
  bool in_step_ = false;
  bool listens_ = false;
  bool writes_soon_ = false;
  std::unique_ptr<cluster::Watch> watch_;
};

}  // namespace tiphys::node

// What runs a container: an engine's API (container) or a process group on this host (process).
//
// All calls are made on, and all answers come on, the agent's Executor thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "cluster/session.h"

namespace tiphys::node {

struct Mount {
  std::string host_path;  ///< a file or folder on this host that exists
  std::string path;       ///< absolute, in the container
  bool read_only = false;
};

/// Where clients look for the token of their service account.
inline constexpr std::string_view kAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
inline constexpr std::string_view kHostsFile = "/etc/hosts";

/// Small files that a runtime shows read-only and keeps on no disk, until their container ends.
struct HeldFiles {
  struct File {
    std::string name;  ///< in the folder; "": the path itself is this file, and the only one
    std::string content;
    std::uint32_t mode = 0644;
    bool operator==(const File&) const = default;
  };
  std::string path;  ///< absolute, in the container
  std::vector<File> files;
  bool operator==(const HeldFiles&) const = default;
};

/// One container of a pod, ready to start: every Kubernetes reference in it has been resolved.
struct ContainerSpec {
  /// Unique for ever: "<pod uid>.<container name>". Starting the same id twice gives the first one (adoption after a
  /// crash).
  std::string id;
  std::string pod_uid, pod_name, ns, container_name;
  std::string image;                 ///< container runtime only
  std::string image_pull_policy;     ///< "", Always, IfNotPresent, Never
  std::vector<std::string> command;  ///< empty: the image's entrypoint
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;
  std::string working_dir;  ///< "": the image's, or "/"
  std::vector<Mount> mounts;
  std::vector<HeldFiles> held;  ///< for a runtime that holds_files(), each of another path
  /// Files put into the container's own file system before it starts: absolute path and the host file or folder to
  /// copy.
  std::vector<std::pair<std::string, std::string>> inputs;
  std::optional<std::int64_t> memory_bytes;
  std::optional<double> cpus;
  std::optional<std::int64_t> run_as_user, run_as_group;
  bool read_only_root = false;
  bool privileged = false;
  std::string hostname;
  /// How often the command is run in all while it fails, each time in the container's same files and log; what cannot
  /// be run at all is not tried again. It has ended when the last of them has, or was stopped.
  int attempts = 1;
  Duration attempt_pause{0};  ///< between two of them
  /// Killed when the plane that started it ends, however that ends; for what serves it. In an engine a plane that was
  /// killed leaves it to the next one's remove_unclaimed().
  bool ends_with_plane = false;
  /// Interpreters of Python that are kept may run it, with these modules (node/python/warm_python.h); "": as the
  /// runtime is told for all.
  std::string warm_python;
  /// The id of a running container whose network this one shares; "": one of its own, as far as the runtime has any.
  std::string network_of;
  /// Addresses of Services are to answer in its network, where that is one of its own.
  bool reaches_services = false;
  /// Folder of this container in the data directory, made by the runtime when it has something for it: its log,
  /// `<dir>/log` (node/log/log_file.h), and what else it keeps.
  std::string dir;
};

struct ContainerExit {
  int exit_code = 0;  ///< 128 + signal when killed
  int signal = 0;
  std::string reason;   ///< Completed, Error, OOMKilled, StartError, ContainerStatusUnknown (vanished)
  std::string message;  ///< for the user, when reason alone does not tell
  Time started_at{};
  Time finished_at{};
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  /// Called with the id of each container in which addresses of Services do not answer as asked, and why.
  virtual void when_services_unreachable(std::function<void(const std::string& id, const Error&)>) {}

  /// "process" or "container".
  virtual std::string_view name() const = 0;

  /// Whether it shows ContainerSpec::held.
  virtual bool holds_files() const { return false; }
  /// In place of those that a container has at this path (ContainerSpec::held), with the same names: who reads one of a
  /// folder finds the old or the new. Containers that are not known, or have ended, are ignored.
  virtual void renew_held(const std::string& /*id*/, const HeldFiles& /*files*/) {}

  /// `on_started` is called once the container runs or could not be started; `on_exit` once, after its log is complete,
  /// if it did start. A container of this id that already runs or has ended is adopted: on_started and on_exit tell of
  /// it.
  virtual void start(const ContainerSpec& spec, std::move_only_function<void(Status)> on_started,
                     std::move_only_function<void(ContainerExit)> on_exit) = 0;
  /// SIGTERM, and SIGKILL after `grace`. Unknown ids are ignored; on_exit tells the outcome.
  virtual void stop(const std::string& id, Duration grace) = 0;
  /// Runs a command in a running container, as its user and with its environment. `done` gets its exit code;
  /// kDeadlineExceeded when it has not ended after `timeout`, kNotFound when the container does not run.
  virtual void exec(const std::string& id, std::vector<std::string> command, Duration timeout,
                    std::move_only_function<void(Result<int>)> done) = 0;
  /// Runs a command in a running container, as its user and with its environment, with streams. kNotFound when the
  /// container does not run.
  virtual void open_exec(const std::string& id, cluster::SessionOptions options,
                         cluster::Done<std::unique_ptr<cluster::Session>> done) = 0;
  /// A folder of a running container, as it sees it, open on this host. kNotFound when the container does not run or
  /// has no such folder, kUnimplemented where this host cannot look into a running container.
  virtual Result<UniqueFd> open_folder(const std::string& id, const std::string& path) {
    return fail(Code::kUnimplemented, path + " of running container " + id + " cannot be seen from outside");
  }
  /// The address at which others reach the ports of a running container.
  virtual void find_address(const std::string& id, std::move_only_function<void(Result<std::string>)> done) = 0;
  /// Makes a path of an ended container readable on this host: `done` gets a host path (a copy below `scratch_dir` or
  /// the original). kNotFound when the container has no such path. Symbolic links are followed within the container.
  virtual void fetch(const std::string& id, const std::string& path, const std::string& scratch_dir,
                     std::move_only_function<void(Result<std::string>)> done) = 0;
  /// Frees what an ended container holds, its file system included; its log stays.
  virtual void remove(const std::string& id) = 0;
  /// Containers that an earlier agent left behind, have not been started (adopted) since and do not pass `wanted`
  /// (which gets their ids) are stopped and freed.
  virtual void remove_unclaimed(std::function<bool(std::string_view id)> wanted) = 0;
};

}  // namespace tiphys::node

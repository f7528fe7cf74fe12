#include "node/supervisor/step_namespaces.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/check.h"
#include "node/supervisor/held_folders.h"

// <sys/mount.h> and <linux/mount.h> exclude each other on glibc 2.36.
extern "C" {
int mount(const char* source, const char* target, const char* type, unsigned long flags, const void* options) noexcept;
int umount2(const char* target, int flags) noexcept;
}

namespace tiphys::node {
namespace {

constexpr unsigned long kNoSuid = 2;
constexpr unsigned long kNoExec = 8;
constexpr unsigned long kRecursiveMount = 16384;
constexpr unsigned long kPrivate = 1UL << 18;
constexpr unsigned long kSlave = 1UL << 19;
constexpr int kDetach = 2;
constexpr unsigned kRecursive = 0x8000;  // AT_RECURSIVE

struct Device {
  const char* name;
  unsigned major, minor;
};
constexpr Device kDevices[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                               {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
/// What training on this machine needs; shown when present.
constexpr const char* kAccelerators[] = {"/dev/nvidia*", "/dev/dri", "/dev/kfd",
                                         "/dev/accel",   "/dev/dxg", "/dev/infiniband"};
constexpr std::pair<const char*, const char*> kDeviceLinks[] = {
    {"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"},
    {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},         {kTerminationLog, "termination-log"}};

std::unexpected<Error> failed(std::string_view what) {
  return fail_errno(fmt::format("prepare the process runtime: {}", what), errno);
}

bool write_file(const char* path, std::string_view text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool map_user(uid_t inside_uid, uid_t outside_uid, gid_t inside_gid, gid_t outside_gid) {
  return write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", fmt::format("{} {} 1", inside_uid, outside_uid)) &&
         write_file("/proc/self/gid_map", fmt::format("{} {} 1", inside_gid, outside_gid));
}

void make_folders(const std::string& path) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    ::mkdir(path.substr(0, slash).c_str(), 0755);
  }
  ::mkdir(path.c_str(), 0755);
}

/// Mounts a copy of the tree at `source` on `target`; `attributes` hold for all of it. errno tells why not.
bool bind(const char* source, const char* target, bool recursive, std::uint64_t attributes) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? kRecursive : 0);
  const UniqueFd tree(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, source, flags)));
  if (!tree) return false;
  mount_attr set{};
  set.attr_set = attributes;
  set.propagation = kPrivate;
  return ::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH | kRecursive, &set, sizeof set) == 0 &&
         ::syscall(SYS_move_mount, tree.get(), "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

/// A device of the host at `target`, an empty file or folder that is made for it.
void bind_device(const std::string& source, const std::string& target) {
  struct stat about;
  if (::stat(source.c_str(), &about) != 0) return;
  if (S_ISDIR(about.st_mode)) {
    make_folders(target);
  } else {
    UniqueFd(::open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  }
  bind(source.c_str(), target.c_str(), true, 0);
}

}  // namespace

Status StepNamespaces::unshare_mounts() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (::unshare(CLONE_NEWNS) != 0) {
    rootless_ = true;
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return failed(
          "this system lets an ordinary user make no user namespace (see kernel.unprivileged_userns_clone, "
          "user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns)");
    }
    if (!map_user(uid, uid, gid, gid)) return failed("map the user into its namespace");
  }
  // Mounts that the host makes later arrive here too; ours do not reach the host.
  if (::mount("none", "/", nullptr, kRecursiveMount | kSlave, nullptr) != 0) return failed("detach the mounts");
  return {};
}

void StepNamespaces::show(const std::string& folder) {
  folders_.push_back(folder);
}

Status StepNamespaces::prepare_tree(const HostView& view) {
  if (::mount("tiphys", place_.c_str(), "tmpfs", kNoSuid, "mode=755,size=256m") != 0) return failed("mount a tmpfs");
  if (::chdir(place_.c_str()) != 0) return failed("enter the tmpfs");
  for (const char* folder : {"step", "proc", "tree"}) make_folders(folder);
  if (::mkdir(kHeldFolder, 0700) != 0) return failed("make a folder for files of steps");
  // A user namespace may mount a fresh /proc only while it sees a whole one.
  if (!bind("/proc", "proc", true, 0)) return failed("show /proc");
  for (const std::string& folder : view.folders) {
    const std::string target = "tree/" + folder;
    make_folders(target);
    if (!bind(("/" + folder).c_str(), target.c_str(), true, MOUNT_ATTR_RDONLY)) return failed("show /" + folder);
    show(folder);
  }
  make_folders("tree/sys");
  if (bind("/sys", "tree/sys", rootless_, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)) show("sys");
  return prepare_devices();
}

Status StepNamespaces::prepare_devices() {
  make_folders("tree/dev");
  if (::mount("dev", "tree/dev", "tmpfs", kNoSuid | kNoExec, "mode=755,size=64k") != 0) return failed("mount /dev");
  const mode_t before = ::umask(0);
  for (const Device& device : kDevices) {
    const std::string path = std::string("tree/dev/") + device.name;
    const bool made = !rootless_ && ::mknod(path.c_str(), S_IFCHR | 0666, makedev(device.major, device.minor)) == 0;
    if (!made) bind_device(std::string("/dev/") + device.name, path);
  }
  ::umask(before);
  for (const char* pattern : kAccelerators) {
    glob_t found{};
    if (::glob(pattern, GLOB_NOSORT, nullptr, &found) == 0) {
      for (std::size_t i = 0; i < found.gl_pathc; ++i) {
        bind_device(found.gl_pathv[i], "tree" + std::string(found.gl_pathv[i]));
      }
    }
    ::globfree(&found);
  }
  for (const auto& [target, name] : kDeviceLinks) {
    if (::symlink(target, (std::string("tree/dev/") + name).c_str()) != 0) return failed("link in /dev");
  }
  for (const char* folder : {"tree/dev/shm", "tree/dev/pts"}) make_folders(folder);
  // Without pseudo terminals steps still run.
  ::mount("devpts", "tree/dev/pts", "devpts", kNoSuid | kNoExec, "newinstance,ptmxmode=0666,mode=0620");
  mount_attr set{};
  set.attr_set = MOUNT_ATTR_RDONLY;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, "tree/dev", 0, &set, sizeof set) != 0) return failed("close /dev");
  show("dev");
  return {};
}

Status StepNamespaces::narrow(const std::string& data_dir) {
  host_.reset(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!host_ || ::unshare(CLONE_NEWNS) != 0) return failed("make a second mount namespace");
  if (::mount("none", "/", nullptr, kRecursiveMount | kPrivate, nullptr) != 0) return failed("detach the mounts");
  const std::string target = "." + data_dir;
  make_folders(target);
  if (!bind(data_dir.c_str(), target.c_str(), false, 0) && !bind(data_dir.c_str(), target.c_str(), true, 0)) {
    return failed("show the data directory");
  }
  if (::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", kDetach) != 0 || ::chdir("/") != 0) {
    return failed("enter the prepared mounts");
  }
  narrow_.reset(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!narrow_) return failed("keep the mount namespace");
  return {};
}

Status StepNamespaces::make(const std::string& data_dir, const HostView& view) {
  place_ = data_dir + "/supervisor/mnt";
  ::mkdir(place_.c_str(), 0700);
  TIPHYS_CHECK_OK(unshare_mounts());
  TIPHYS_CHECK_OK(prepare_tree(view));
  TIPHYS_CHECK_OK(narrow(data_dir));
  for (const std::string& folder : folders_) folder_pointers_.push_back(folder.c_str());
  folder_pointers_.push_back(nullptr);
  return {};
}

Status StepNamespaces::enter_host() {
  if (::setns(host_.get(), CLONE_NEWNS) != 0) return failed("enter the host's mounts");
  if (::chdir(place_.c_str()) != 0) {
    const auto error = failed("enter the prepared mounts");
    TIPHYS_CHECK_OK(leave_host());
    return error;
  }
  return {};
}

Status StepNamespaces::leave_host() {
  TIPHYS_CHECK(::setns(narrow_.get(), CLONE_NEWNS) == 0, "a namespace that we own can be entered again");
  return {};
}

Result<int> StepNamespaces::user_namespace(uid_t uid, gid_t gid) {
  if (const auto known = users_.find({uid, gid}); known != users_.end()) return known->second.get();
  const uid_t own_uid = ::geteuid();
  const gid_t own_gid = ::getegid();
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) != 0) return failed("make a pipe");
  UniqueFd reading(ready[0]);
  UniqueFd writing(ready[1]);
  const pid_t child = ::fork();
  if (child < 0) return failed("fork");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_DUMPABLE, 1);
    const bool done = ::unshare(CLONE_NEWUSER) == 0 && map_user(uid, own_uid, gid, own_gid);
    const char answer = done ? 'y' : 'n';
    if (::write(writing.get(), &answer, 1) == 1 && done) ::pause();
    ::_exit(0);
  }
  writing.reset();
  char answer = 'n';
  const bool made = ::read(reading.get(), &answer, 1) == 1 && answer == 'y';
  UniqueFd user;
  if (made) user.reset(::open(fmt::format("/proc/{}/ns/user", child).c_str(), O_RDONLY | O_CLOEXEC));
  const int error = errno;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  if (!user) {
    return fail_errno(fmt::format("become user {} and group {} in a namespace of user {}", uid, gid, own_uid), error);
  }
  return users_.emplace(std::pair(uid, gid), std::move(user)).first->second.get();
}

}  // namespace tiphys::node

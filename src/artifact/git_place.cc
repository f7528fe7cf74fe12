// Artifacts from git repositories, cloned by this host's git. Original: workflow/artifacts/git, by go-git.
#include <fmt/format.h>

#include "artifact/drivers.h"
#include "artifact/file_tree.h"
#include "artifact/secret_folder.h"
#include "base/host_program.h"
#include "base/log.h"
#include "base/strings.h"
#include "doc/truth.h"

namespace tiphys::artifact {
namespace {

/// Answers git's questions for a user and a password from its own environment, so that neither is among arguments or in
/// a file.
constexpr std::string_view kAskPass =
    "#!/bin/sh\ncase \"$1\" in Username*) printf '%s\\n' \"$TIPHYS_GIT_USER\";; *) printf '%s\\n' "
    "\"$TIPHYS_GIT_PASSWORD\";; esac\n";

struct Identity {
  std::string user, password, ssh_key;
};

class GitPlace final : public Place {
 public:
  GitPlace(const DriverContext& context, Identity identity)
      : place_(context.place),
        repo_(doc::find_string(place_, "repo")),
        revision_(doc::find_string(place_, "revision")),
        branch_(doc::is_true(place_, "singleBranch") ? doc::find_string(place_, "branch") : ""),
        identity_(std::move(identity)),
        stop_(context.stop) {}

  Status load(const std::string& host_path) override {
    SecretFolder secrets;
    TIPHYS_CHECK_OK(prepare(secrets));
    Status loaded = clone(host_path);
    if (loaded) return loaded;
    if (const Status swept = remove_tree(host_path); !swept) loaded.error().message += "; " + swept.error().message;
    return loaded;
  }

  Status save(const std::string&) override { return fail(Code::kInvalidArgument, "git output artifacts unsupported"); }

 private:
  /// Nobody is asked anything on the terminal, and what the plane's own environment says of some repository is not for
  /// this one.
  Status prepare(SecretFolder& secrets) {
    environment_ = {{"GIT_TERMINAL_PROMPT", "0"}, {"GIT_ADVICE", "0"}, {"LC_ALL", "C"}};
    std::string ssh = "ssh -o BatchMode=yes";
    if (!identity_.ssh_key.empty()) {
      std::string key = identity_.ssh_key;
      if (!key.ends_with('\n')) key += '\n';
      TIPHYS_TRY(const std::string path, secrets.write("key", key));
      ssh += fmt::format(" -i {} -o IdentitiesOnly=yes", path);
    }
    if (doc::is_true(place_, "insecureIgnoreHostKey"))
      ssh += " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null";
    environment_.emplace_back("GIT_SSH_COMMAND", ssh);
    if (identity_.user.empty() && identity_.password.empty()) return {};
    TIPHYS_TRY(const std::string asked, secrets.write("ask", kAskPass, 0700));
    environment_.emplace_back("GIT_ASKPASS", asked);
    environment_.emplace_back("TIPHYS_GIT_USER", identity_.user);
    environment_.emplace_back("TIPHYS_GIT_PASSWORD", identity_.password);
    return {};
  }

  Result<std::string> git(std::vector<std::string> arguments, std::string folder = "") const {
    std::vector<std::string> whole{"git", "-c", "protocol.ext.allow=never"};
    if (!identity_.user.empty() || !identity_.password.empty()) {
      whole.insert(whole.end(), {"-c", "credential.helper="});
    }
    if (doc::is_true(place_, "insecureSkipTLS")) whole.insert(whole.end(), {"-c", "http.sslVerify=false"});
    for (std::string& each : arguments) whole.push_back(std::move(each));
    return run_program(
        {.arguments = std::move(whole), .folder = std::move(folder), .environment = environment_, .without = {"GIT_"}},
        stop_);
  }

  void add_depth(std::vector<std::string>& arguments) const {
    const doc::Value* depth = doc::find(place_, "depth");
    if (depth && depth->is_int64() && depth->get_int64() > 0) {
      arguments.push_back(fmt::format("--depth={}", depth->get_int64()));
    }
  }

  Status clone(const std::string& path) const {
    std::vector<std::string> arguments{"clone", "--quiet", "--no-local"};
    add_depth(arguments);
    if (branch_.empty()) {
      arguments.emplace_back("--no-single-branch");
    } else {
      arguments.insert(arguments.end(), {"--single-branch", "--branch=" + branch_});
    }
    arguments.insert(arguments.end(), {"--", repo_, path});
    if (const auto cloned = git(std::move(arguments)); !cloned) {
      return std::unexpected(cloned.error().in(fmt::format("failed to clone \"{}\"", repo_)));
    }
    if (!git({"rev-parse", "--quiet", "--verify", "HEAD"}, path)) {
      TIPHYS_TRY(const std::string branches, git({"branch", "--remotes"}, path));
      if (trim(branches).empty()) return {};  // an empty repository
    }
    TIPHYS_CHECK_OK(fetch(path));
    TIPHYS_CHECK_OK(check_out(path));
    if (doc::is_true(place_, "disableSubmodules")) return {};
    const auto updated = git({"submodule", "--quiet", "update", "--init", "--recursive"}, path);
    if (!updated) return std::unexpected(updated.error().in("failed to update submodules"));
    return {};
  }

  Status fetch(const std::string& path) const {
    const doc::Value* specs = doc::find(place_, "fetch");
    if (!specs || !specs->is_array() || specs->get_array().empty()) return {};
    std::vector<std::string> arguments{"fetch", "--quiet"};
    add_depth(arguments);
    arguments.insert(arguments.end(), {"--update-head-ok", "--end-of-options", "origin"});
    for (const doc::Value& spec : specs->get_array()) arguments.push_back(doc::scalar_text(spec));
    const auto fetched = git(std::move(arguments), path);
    if (!fetched) return std::unexpected(fetched.error().in(fmt::format("failed to fetch {}", doc::to_json(*specs))));
    return {};
  }

  Status check_out(const std::string& path) const {
    if (revision_.empty()) return {};
    const std::string heads =
        branch_.empty() ? "refs/heads/*:refs/heads/*" : fmt::format("refs/heads/{0}:refs/heads/{0}", branch_);
    const auto fetched = git({"fetch", "--quiet", "--update-head-ok", "origin", heads}, path);
    if (!fetched) return std::unexpected(fetched.error().in(fmt::format("failed to fetch [{}]", heads)));
    const auto commit = git({"rev-parse", "--quiet", "--verify", "--end-of-options", revision_ + "^{commit}"}, path);
    if (!commit) {
      return fail(Code::kInvalidArgument,
                  fmt::format("failed to get resolve revision: \"{}\" is neither a commit nor a branch or tag of {}",
                              revision_, repo_));
    }
    const std::string hash(trim(*commit));
    const auto checked_out = git({"checkout", "--quiet", "--detach", hash}, path);
    if (!checked_out) return std::unexpected(checked_out.error().in(fmt::format("failed to checkout \"{}\"", hash)));
    return {};
  }

  const doc::Value place_;
  const std::string repo_, revision_, branch_;
  const Identity identity_;
  const std::stop_token stop_;
  std::vector<std::pair<std::string, std::string>> environment_;
};

}  // namespace

Result<std::unique_ptr<Place>> open_git(const DriverContext& context) {
  if (doc::is_true(context.place, "singleBranch") && doc::find_string(context.place, "branch").empty()) {
    return fail(Code::kInvalidArgument, "single branch mode without a branch specified");
  }
  Identity identity;
  TIPHYS_TRY(identity.user, context.credentials.get(context.place, "usernameSecret"));
  TIPHYS_TRY(identity.password, context.credentials.get(context.place, "passwordSecret"));
  TIPHYS_TRY(identity.ssh_key, context.credentials.get(context.place, "sshPrivateKeySecret"));
  return std::make_unique<GitPlace>(context, std::move(identity));
}

}  // namespace tiphys::artifact

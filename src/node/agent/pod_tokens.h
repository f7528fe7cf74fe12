// The files of a pod by which its containers are known to the plane's API: tokens of its service account, and what goes
// with them. Tokens are written anew before they expire, as a kubelet does.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "node/agent/api_access.h"
#include "node/agent/pod_spec.h"

namespace tiphys::node {

/// Where clients look for them.
inline constexpr std::string_view kAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

struct TokenFile {
  std::string path;  ///< on this host; its folder is there
  std::string audience;
  std::chrono::seconds lifetime{3600};
  /// What its expiry is; longer than its lifetime for clients that never read it again.
  std::chrono::seconds valid{3600};
  mode_t mode = 0644;
};

/// Those of projected volumes (source serviceAccountToken). kInvalidArgument when one cannot be.
Result<std::vector<TokenFile>> projected_tokens(const doc::Value& pod, const PodPlace& place);

/// Makes the folder that is mounted at kAccountFolder, with the authority and the namespace in it; gives the token that
/// belongs there.
Result<TokenFile> make_account_folder(const PodPlace& place, const std::string& ns, const ApiAccess& api);
/// Mounts it in each container that has nothing of its own there.
void mount_account_folder(const PodPlace& place, PodContainers& containers);
std::string account_folder(const PodPlace& place);
/// Once nothing of the pod runs.
void remove_account_folder(const PodPlace& place);

/// Each anew, in one piece: who reads it finds the old one or the new one.
Status write_tokens(const std::vector<TokenFile>& files, const TokenOwner& owner, const ApiAccess& api);
/// How long after that they are to be written again: at four fifths of the shortest lifetime, a day at most.
Duration refresh_after(const std::vector<TokenFile>& files);

}  // namespace tiphys::node

// The files of a pod by which its containers are known to the plane's API: tokens of its service account, and what goes
// with them. Tokens are written anew before they expire, as a kubelet does.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "node/agent/api_access.h"
#include "node/agent/pod_spec.h"

namespace tiphys::node {

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

/// What clients find at kAccountFolder, signed now.
Result<HeldFiles> account_files(const TokenOwner& owner, const ApiAccess& api);
/// Where no runtime holds them: makes the folder that is mounted there, with the authority and the namespace in it;
/// gives the token that belongs there.
Result<TokenFile> make_account_folder(const PodPlace& place, const std::string& ns, const ApiAccess& api);
std::string account_folder(const PodPlace& place);
/// Once nothing of the pod runs.
void remove_account_folder(const PodPlace& place);

/// Each anew, in one piece: who reads it finds the old one or the new one.
Status write_tokens(const std::vector<TokenFile>& files, const TokenOwner& owner, const ApiAccess& api);
/// How long after that they, and account_files() if there are any, are to be written again: at four fifths of the
/// shortest lifetime, a day at most.
Duration refresh_after(const std::vector<TokenFile>& files, bool has_account_files = false);

}  // namespace tiphys::node

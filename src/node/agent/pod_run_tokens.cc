// The part of PodRun that makes its containers known to the plane's API, as a kubelet does.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "node/agent/pod_run.h"
#include "node/agent/shown_files.h"

namespace tiphys::node {
namespace {

/// How long after a renewal that failed. The old tokens hold for a fifth of their lifetime, two minutes at least.
constexpr Duration kRenewAgainAfter = std::chrono::minutes(1);

}  // namespace

Result<TokenOwner> PodRun::token_owner() const {
  if (!world_.api) {
    return fail(Code::kFailedPrecondition,
                "there are tokens of service accounts while the plane serves its API: run it by `tiphys up`");
  }
  TokenOwner owner{.ns = key_.ns,
                   .account = account_of(*pod_),
                   .account_uid = "",
                   .pod = key_.name,
                   .pod_uid = std::string(doc::find_string(*pod_, "metadata", "uid"))};
  const AccountRecord* account = world_.accounts.find(owner.ns, owner.account);
  if (!account) return fail(Code::kNotFound, fmt::format("serviceaccounts \"{}\" not found", owner.account));
  owner.account_uid = account->uid;
  return owner;
}

bool PodRun::has_account_folder() const {
  const std::string name = account_of(*pod_);
  const AccountRecord* account = world_.api ? world_.accounts.find(key_.ns, name) : nullptr;
  return account &&
         (has_token(*pod_, *account, false) || has_token(*pod_, *account, world_.api->has_rights(key_.ns, name)));
}

Status PodRun::give_tokens(PodContainers& made) {
  if (!world_.api) return {};
  TIPHYS_TRY(std::vector<TokenFile> files, projected_tokens(*pod_, place_));
  if (has_account_folder() && runtime_.holds_files()) {
    holds_account_ = true;
  } else if (has_account_folder()) {
    TIPHYS_TRY(TokenFile own, make_account_folder(place_, key_.ns, *world_.api));
    files.push_back(std::move(own));
    mount_in_all(made, {.host_path = account_folder(place_), .path = std::string(kAccountFolder), .read_only = true});
  } else if (!world_.accounts.find(key_.ns, account_of(*pod_))) {
    tell_of_missing_account();
  }
  tokens_ = std::move(files);
  if (!has_tokens()) return {};
  TIPHYS_CHECK_OK(write_tokens_again());
  renew_tokens_after(refresh_after(tokens_, holds_account_));
  return {};
}

Status PodRun::write_tokens_again() {
  TIPHYS_TRY(const TokenOwner owner, token_owner());
  if (holds_account_) {
    TIPHYS_TRY(HeldFiles files, account_files(owner, *world_.api));
    hold(std::move(files));
  }
  return write_tokens(tokens_, owner, *world_.api);
}

/// Its containers are shown these from now on, and those that run already see what is new.
void PodRun::hold(HeldFiles files) {
  for (Container& container : containers_) {
    const auto known = std::ranges::find(container.spec.held, files.path, &HeldFiles::path);
    if (known == container.spec.held.end()) continue;
    *known = files;
    if (runs(container)) runtime_.renew_held(container.spec.id, files);
  }
  const auto known = std::ranges::find(held_, files.path, &HeldFiles::path);
  if (known == held_.end()) return held_.push_back(std::move(files));
  *known = std::move(files);
}

void PodRun::renew_tokens_after(Duration wait) {
  token_timer_ = world_.executor.schedule(world_.executor.now() + wait, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->settled_) return;
    self->token_timer_ = 0;
    const Status written = self->write_tokens_again();
    if (!written) {
      log::warn("pod {}/{}: its tokens are not renewed, which is tried again: {}", self->key_.ns, self->key_.name,
                written.error().message);
    }
    self->renew_tokens_after(written ? refresh_after(self->tokens_, self->holds_account_) : kRenewAgainAfter);
  });
}

/// In a cluster there would be no such pod; here it may not need its account.
void PodRun::tell_of_missing_account() {
  const doc::Value* automount = doc::find(*pod_, "spec", "automountServiceAccountToken");
  const bool refuses = automount && automount->is_bool() && !automount->get_bool();
  if (refuses || (doc::find_string(*pod_, "spec", "serviceAccountName").empty() && !automount)) return;
  world_.events.warn(NodeEvents::subject_of(*pod_), "MissingServiceAccount",
                     fmt::format("service account {}/{} does not exist: the pod runs without a token; create it by "
                                 "`kubectl create serviceaccount -n {} {}`",
                                 key_.ns, account_of(*pod_), key_.ns, account_of(*pod_)));
}

}  // namespace tiphys::node

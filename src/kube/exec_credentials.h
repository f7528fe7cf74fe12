// Credentials that a program tells: client.authentication.k8s.io/v1 and v1beta1.
#pragma once

#include "kube/credentials.h"

namespace tiphys::kube {

/// The document that the plugin finds in KUBERNETES_EXEC_INFO.
std::string exec_info(const ExecPlugin& plugin, const Access& access);

struct ExecCredential {
  Identity identity;
  Time expires{};  ///< unset: never
};
/// What a plugin has printed, JSON or YAML.
Result<ExecCredential> read_exec_credential(std::string_view text, const ExecPlugin& plugin);

/// `base` is what stands beside the plugin in the file; what the plugin tells goes before it. The program runs on a
/// thread of its own, once for all that wait for it, and again when its credentials have expired or were refused.
std::unique_ptr<Credentials> make_exec_credentials(Executor& executor, const Access& access, Identity base);

}  // namespace tiphys::kube

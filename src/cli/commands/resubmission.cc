#include "cli/commands/resubmission.h"

#include "argo/resubmit.h"
#include "base/random.h"
#include "cli/template_source.h"
#include "cli/terminal.h"

namespace tiphys::cli {

Result<doc::Value> resubmit_as_new(Session& session, const doc::Value& before, const SubmitOptions& options,
                                   bool memoized, const PlaneRules& rules) {
  if (memoized && session.only_argo_api()) {
    return fail(Code::kInvalidArgument,
                "--priority cannot be combined with --memoized here: Argo's API knows no priority of resubmissions");
  }
  Manifest manifest{.workflow = argo::resubmitted(before), .marks = {}};
  TIPHYS_CHECK_OK(apply_options(manifest.workflow, options));
  std::string notes;
  TIPHYS_CHECK_OK(check_manifest(manifest, notes, rules));
  TIPHYS_CHECK_OK(check_references(session, manifest, {}, rules));
  print_error(notes);
  if (memoized) {
    SystemRandom random;
    TIPHYS_CHECK_OK(argo::take_over_nodes(manifest.workflow, before, random, session.loop().now()));
  }
  const auto created = await<cluster::Object>(session.loop(), [&](auto done) {
    session.cluster().create(cluster::kWorkflows, std::move(manifest.workflow), std::move(done));
  });
  if (!created) return std::unexpected(created.error().in("failed to resubmit workflow"));
  return **created;
}

}  // namespace tiphys::cli

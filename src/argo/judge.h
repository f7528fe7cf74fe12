// Whether a manifest is good, before a plane takes it.
#pragma once

#include <vector>

#include "api/parse.h"
#include "api/references.h"
#include "cluster/cluster.h"

namespace tiphys::argo {

using Findings = std::vector<api::Finding>;

/// A document of any of Argo's kinds, without what is known only of templates elsewhere. A workflow, also that
/// of a CronWorkflow, is taken with `defaults`, the plane's workflowDefaults (null: none): what is wrong with it alone
/// may be right then, and the other way round.
Findings judge_alone(const doc::Value& document, const doc::Shared& defaults);

/// A document that refers to templates, judged when they are there.
class Referring {
 public:
  /// An error when the defaults do not fit it.
  static Result<Referring> read(const doc::Value& document, const doc::Shared& defaults);

  /// Objects to get next, seen from `ns`.
  const std::set<api::TemplateHolder>& wanted() const { return references_.wanted(); }
  const std::string& ns() const { return workflow_.ns; }
  /// Null: there is none.
  void add(const api::TemplateHolder& holder, const doc::Shared& object) { references_.add(holder, object); }

  const api::Workflow& workflow() const { return workflow_; }
  /// Errors alone, once nothing is wanted.
  Findings judge(bool lint) const;

 private:
  Referring(bool cron, doc::Value document, doc::Shared spec_defaults);

  bool cron_;
  doc::Value document_;  ///< the workflow that it makes
  Findings reading_;
  api::Workflow workflow_;
  api::References references_;
};

struct Judging {
  doc::Shared defaults{};      ///< the plane's workflowDefaults
  bool lint = false;           ///< looked at by itself: arguments may still lack values
  bool unknown_fields = true;  ///< are errors; else they are passed over
};

/// All of that with the templates of a plane. kInvalidArgument: all that is wrong, a line each: "spec.entrypoint: ...".
void judge(cluster::Cluster& cluster, const doc::Value& document, const Judging& how, cluster::Done<void> done);

}  // namespace tiphys::argo

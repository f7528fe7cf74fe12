// Templates of workflows on a plane and in the files of one command line.
#pragma once

#include <optional>

#include "cli/manifest.h"
#include "cli/session.h"

namespace tiphys::cli {

/// Validates what refers to templates once more, now with these: those of `others`, which are about to be created, go
/// before those of the plane. Does nothing for a manifest without references. An error's message is all findings,
/// rendered. A workflow is taken with the plane's defaults; one for a plane that judges by itself is not looked at.
Status check_references(Session& session, const Manifest& manifest, const std::vector<Manifest>& others,
                        const PlaneRules& rules = {});

/// Creates an object, or replaces the one of its name when `replace`; gives it as it is now.
Result<cluster::Object> put_object(Session& session, const cluster::Resource& resource, const doc::Value& object,
                                   bool replace);
/// The same of a template.
Result<cluster::Object> put_template(Session& session, const doc::Value& tmpl, bool replace);

/// The CronWorkflow that "cronwf/NAME" and its like name; nothing for other kinds.
std::optional<cluster::Key> cron_workflow_of(const std::string& resource, const std::string& ns);
/// A workflow of a CronWorkflow, to be submitted at once.
Manifest workflow_from(const doc::Value& cron_workflow, Time now);
/// "workflowtemplate/NAME" and its like as a workflow that refers to the template. kInvalidArgument for what is no such
/// name.
Result<Manifest> workflow_from(const std::string& resource);

}  // namespace tiphys::cli

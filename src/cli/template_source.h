// Templates of workflows on a plane and in the files of one command line.
#pragma once

#include "cli/manifest.h"
#include "cli/session.h"

namespace tiphys::cli {

/// Validates what refers to templates once more, now with these: those of `others`, which are about to be created, go
/// before those of the plane. Does nothing for a manifest without references. An error's message is all findings,
/// rendered.
Status check_references(Session& session, const Manifest& manifest, const std::vector<Manifest>& others);

/// Creates a template, or replaces the one of its name when `replace`; gives it as it is now.
Result<cluster::Object> put_template(Session& session, const doc::Value& tmpl, bool replace);

/// "workflowtemplate/NAME" and its like as a workflow that refers to the template. kInvalidArgument for what is no such
/// name, kUnimplemented for kinds that cannot be submitted from yet.
Result<Manifest> workflow_from(const std::string& resource);

}  // namespace tiphys::cli

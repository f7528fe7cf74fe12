// Inputs that clients have uploaded: where they go, and how a submission names them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::argo {

/// The artifact of this name in a list of them, which may be null; null: there is none.
const doc::Value* find_artifact(const doc::Value* list, std::string_view name);

/// Where uploads for an artifact among the arguments of a template's spec go: {"s3": {...}}, whose key is still to be
/// set. `configured` is the repository of the configuration, or null. kNotFound: there is no such artifact.
void find_upload_place(cluster::Cluster& plane, const std::string& ns, const doc::Value& spec,
                       const std::string& artifact, const doc::Shared& configured, cluster::Done<doc::Value> done);
/// Sets it. kInvalidArgument: nothing can be uploaded there.
Status set_upload_key(doc::Value& place, std::string_view key);

/// "uploads/NAMESPACE/UID/FILE". kInvalidArgument where that is no name for a file.
Result<std::string> upload_key(std::string_view ns, std::string_view uid, std::string_view file_name);
/// kInvalidArgument unless upload_key() may have made it in this namespace.
Status check_upload_key(std::string_view ns, std::string_view key);

/// Gives a workflow that is made from the template of this `spec` uploads in place of the template's own artifacts:
/// "NAME=KEY" each.
void use_uploads(cluster::Cluster& plane, const std::shared_ptr<doc::Value>& workflow, const cluster::Object& from,
                 std::vector<std::string> uploads, const doc::Shared& configured, cluster::Done<void> done);

}  // namespace tiphys::argo

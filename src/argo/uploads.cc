#include "argo/uploads.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/artifact_location.h"
#include "base/strings.h"
#include "base/uid.h"
#include "controllers/artifact_repository.h"

namespace tiphys::argo {
namespace {

const doc::Value* find_argument(const doc::Value& spec, std::string_view name) {
  return find_artifact(doc::find(spec, "arguments", "artifacts"), name);
}

/// Those that are still to be used, one after the other.
struct Uses {
  cluster::Cluster& plane;
  std::shared_ptr<doc::Value> workflow;
  cluster::Object from;
  std::vector<std::string> uploads;
  doc::Shared configured;
  cluster::Done<void> done;
  std::size_t next = 0;
};

void use_next(const std::shared_ptr<Uses>& uses) {
  if (uses->next == uses->uploads.size()) return uses->done({});
  const std::string& upload = uses->uploads[uses->next++];
  const std::string ns(doc::find_string(*uses->workflow, "metadata", "namespace"));
  const auto sign = upload.find('=');
  if (sign == upload.npos || sign == 0) {
    return uses->done(
        fail(Code::kInvalidArgument, fmt::format("expected artifact of the form: NAME=KEY. Received: {}", upload)));
  }
  const std::string name = upload.substr(0, sign), key = upload.substr(sign + 1);
  if (Status good = check_upload_key(ns, key); !good) return uses->done(std::move(good));
  const doc::Value* spec = doc::find(*uses->from, "spec");
  find_upload_place(uses->plane, ns, spec ? *spec : doc::Value(), name, uses->configured,
                    [uses, name, key](Result<doc::Value> place) {
                      if (!place) return uses->done(std::unexpected(std::move(place.error())));
                      if (Status set = set_upload_key(*place, key); !set) return uses->done(std::move(set));
                      doc::Value artifact = *find_argument(uses->from->at("spec"), name);
                      for (const auto& [kind, where] : place->get_object()) artifact.get_object()[kind] = where;
                      doc::Object& arguments =
                          doc::ensure_object(doc::ensure_object(uses->workflow->as_object(), "spec"), "arguments");
                      doc::Value& list = arguments["artifacts"];
                      if (!list.is_array()) list.emplace_array();
                      list.get_array().push_back(std::move(artifact));
                      use_next(uses);
                    });
}

}  // namespace

const doc::Value* find_artifact(const doc::Value* list, std::string_view name) {
  if (!list || !list->is_array()) return nullptr;
  const auto found = std::ranges::find_if(
      list->get_array(), [&](const doc::Value& each) { return doc::find_string(each, "name") == name; });
  return found == list->get_array().end() ? nullptr : &*found;
}

void find_upload_place(cluster::Cluster& plane, const std::string& ns, const doc::Value& spec,
                       const std::string& artifact, const doc::Shared& configured, cluster::Done<doc::Value> done) {
  const doc::Value* argument = find_argument(spec, artifact);
  if (!argument) {
    return done(fail(Code::kNotFound, fmt::format("the template's arguments have no artifact \"{}\"", artifact)));
  }
  const doc::Object& own = argument->get_object();
  const std::string kind(api::location_kind(own));
  if (!kind.empty() && api::has_location(kind, own.at(kind))) return done(doc::Object{{kind, own.at(kind)}});
  controllers::find_artifact_repository(
      plane, ns, spec, configured, [done = std::move(done)](Result<doc::Value> found) mutable {
        if (!found) return done(std::move(found));
        const doc::Value* repository = doc::find(*found, "artifactRepository");
        doc::Value place =
            repository && repository->is_object() ? api::repository_location(repository->get_object()) : nullptr;
        if (!place.is_object()) place = doc::Object{{"s3", doc::Object()}};
        done(std::move(place));
      });
}

Status set_upload_key(doc::Value& place, std::string_view key) {
  const std::string kind(api::location_kind(place.get_object()));
  if (api::set_location_key(kind, place.get_object()[kind], key)) return {};
  return fail(Code::kInvalidArgument, fmt::format("nothing can be uploaded to {}", kind));
}

Result<std::string> upload_key(std::string_view ns, std::string_view uid, std::string_view file_name) {
  // Browsers of some systems send paths.
  const auto slash = file_name.find_last_of("/\\");
  std::string key = fmt::format("uploads/{}/{}/{}", ns, uid, file_name.substr(slash == file_name.npos ? 0 : slash + 1));
  if (check_upload_key(ns, key)) return key;
  return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no name for a file", file_name));
}

Status check_upload_key(std::string_view ns, std::string_view key) {
  const auto parts = split(key, '/');
  const bool good = parts.size() == 4 && parts[0] == "uploads" && parts[1] == ns && is_uid(parts[2]) &&
                    !parts[3].empty() && parts[3] != "." && key.find("..") == key.npos && key.find('\0') == key.npos;
  if (good) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("artifact key \"{}\" is none of an upload: \"uploads/{}/UUID/FILE\"", key, ns));
}

void use_uploads(cluster::Cluster& plane, const std::shared_ptr<doc::Value>& workflow, const cluster::Object& from,
                 std::vector<std::string> uploads, const doc::Shared& configured, cluster::Done<void> done) {
  use_next(std::make_shared<Uses>(plane, workflow, from, std::move(uploads), configured, std::move(done)));
}

}  // namespace tiphys::argo

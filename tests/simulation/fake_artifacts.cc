#include "simulation/fake_artifacts.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>

#include "base/check.h"
#include "base/file.h"
#include "cluster/pod_annotations.h"

namespace tiphys::simulation {

bool FakeArtifacts::has(std::string_view key) const {
  return files_.contains(key) || !below(key).empty();
}

std::vector<std::string> FakeArtifacts::keys() const {
  std::vector<std::string> all;
  for (const auto& [key, text] : files_) all.push_back(key);
  return all;
}

std::vector<std::string> FakeArtifacts::below(std::string_view key) const {
  const std::string folder = std::string(key) + "/";
  std::vector<std::string> found;
  for (auto file = files_.lower_bound(folder); file != files_.end() && file->first.starts_with(folder); ++file) {
    found.push_back(file->first);
  }
  return found;
}

Status FakeArtifacts::save(std::string_view key, const std::string& host_path) {
  TIPHYS_TRY(std::string text, read_whole_file(host_path));
  put(std::string(key), std::move(text));
  return {};
}

Status FakeArtifacts::load(std::string_view key, const std::string& host_path) {
  const auto file = files_.find(key);
  if (file == files_.end()) return fail(Code::kNotFound, fmt::format("there is no artifact \"{}\"", key));
  std::ofstream out(host_path, std::ios::binary);
  if (out << file->second && out.flush()) return {};
  return fail_errno(host_path, errno);
}

Result<std::vector<std::string>> FakeArtifacts::list(std::string_view key) {
  if (before_list) TIPHYS_CHECK_OK(before_list(key));
  if (!has(key)) return fail(Code::kNotFound, fmt::format("there is no artifact \"{}\"", key));
  return below(key);
}

Status FakeArtifacts::remove(std::string_view key) {
  if (before_remove) TIPHYS_CHECK_OK(before_remove(key));
  for (const std::string& file : below(key)) files_.erase(file);
  if (const auto file = files_.find(key); file != files_.end()) files_.erase(file);
  return {};
}

doc::Array store_artifacts(const doc::Value& pod, FakeArtifacts& artifacts,
                           const std::function<ArtifactFiles(std::string_view name, std::string_view path)>& made) {
  doc::Array outputs;
  const auto annotation = doc::find_string(pod, "metadata", "annotations", cluster::kOutputsWantedAnnotation);
  if (annotation.empty()) return outputs;
  const auto wanted = doc::parse_json(annotation);
  TIPHYS_CHECK(wanted, "the annotation is JSON");
  const doc::Value* list = doc::find(*wanted, "artifacts");
  if (!list) return outputs;
  for (const doc::Value& each : list->as_array()) {
    const std::string_view name = doc::find_string(each, "name");
    const std::string key(doc::find_string(each, "place", "s3", "key"));
    TIPHYS_CHECK(!key.empty(), "simulated artifacts lie in the plane's own repository");
    const ArtifactFiles files = made(name, doc::find_string(each, "path"));
    if (files.empty()) continue;
    for (const auto& [path, text] : files) artifacts.put(path.empty() ? key : key + "/" + path, text);
    doc::Object output{{"name", name}, {"path", doc::find_string(each, "path")}, {"s3", doc::Object{{"key", key}}}};
    if (const doc::Value* gc = doc::find(each, "artifactGC")) output["artifactGC"] = *gc;
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace tiphys::simulation

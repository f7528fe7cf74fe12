#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "artifact/file_tree.h"
#include "base/unique_fd.h"
#include "doc/truth.h"
#include "doc/utf8.h"
#include "node/agent/pod_files.h"
#include "node/agent/pod_io.h"
#include "node/log/log_file.h"

namespace tiphys::node {
namespace {

const doc::Array& list(const doc::Value& wanted, std::string_view name) {
  static const doc::Array kNone;
  const doc::Value* member = doc::find(wanted, name);
  return member && member->is_array() ? member->get_array() : kNone;
}

Result<std::string> read_parameter(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about{};
  if (!fd || ::fstat(fd.get(), &about) != 0) return fail_errno(fmt::format("open {}", path), errno);
  if (!S_ISREG(about.st_mode)) return fail(Code::kInvalidArgument, "it is no file");
  if (static_cast<std::size_t>(about.st_size) > kMostResultBytes) {
    return fail(Code::kResourceExhausted,
                fmt::format("it has {} bytes, at most {} fit into a parameter: use an artifact", about.st_size,
                            kMostResultBytes));
  }
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  const ssize_t count = ::pread(fd.get(), text.data(), text.size(), 0);
  if (count < 0) return fail_errno(fmt::format("read {}", path), errno);
  text.resize(static_cast<std::size_t>(count));
  if (text.ends_with('\n')) text.pop_back();
  return doc::to_utf8(text);
}

/// What is stored for an artifact of this host: itself, or packed beside it.
Result<std::string> packed(const doc::Value& wanted, const std::string& host_path, const std::string& scratch) {
  const std::string_view archive = doc::find_string(wanted, "archive");
  if (archive == "none") return host_path;
  // A container that has written nothing may have left no folder.
  std::error_code no_folder;
  std::filesystem::create_directories(scratch, no_folder);
  if (no_folder) return fail_errno(fmt::format("make {}", scratch), no_folder.value());
  std::string target = scratch + "/packed";
  TIPHYS_CHECK_OK(artifact::remove_tree(target));
  const doc::Value* level = doc::find(wanted, "compressionLevel");
  TIPHYS_CHECK_OK(archive == "zip"
                      ? artifact::pack_zip(host_path, target)
                      : artifact::pack_tar_gz(host_path, target,
                                              level && level->is_int64() ? static_cast<int>(level->get_int64()) : -1));
  return target;
}

/// The artifact as Argo writes it in a node's outputs.
doc::Object artifact_output(const doc::Value& wanted) {
  doc::Object output{{"name", doc::find_string(wanted, "name")}};
  if (const std::string_view path = doc::find_string(wanted, "path"); !path.empty()) output["path"] = path;
  for (const std::string_view field : {"mode", "artifactGC"}) {
    if (const doc::Value* value = doc::find(wanted, field)) output[field] = *value;
  }
  if (const std::string_view archive = doc::find_string(wanted, "archive"); !archive.empty()) {
    output["archive"] = doc::Object{{archive, doc::Object{}}};
  }
  if (const doc::Value* place = doc::find(wanted, "place"); place && place->is_object()) {
    for (const auto& [kind, where] : place->get_object()) output[kind] = where;
  }
  return output;
}

/// One collection: host paths are asked for one after the other, then a worker reads, packs and saves.
class Collection : public std::enable_shared_from_this<Collection> {
 public:
  Collection(Runtime& runtime, const artifact::Stores& stores, Workers& workers, OutputsRequest request,
             doc::Value wanted, std::move_only_function<void(Result<doc::Object>)> done)
      : runtime_(runtime),
        stores_(stores),
        workers_(workers),
        request_(std::move(request)),
        wanted_(std::move(wanted)),
        done_(std::move(done)) {
    for (const doc::Value& parameter : list(wanted_, "parameters"))
      paths_.emplace_back(doc::find_string(parameter, "path"));
    for (const doc::Value& artifact : list(wanted_, "artifacts"))
      paths_.emplace_back(doc::find_string(artifact, "path"));
  }

  void next() {
    if (found_.size() == paths_.size()) return finish();
    runtime_.fetch(request_.container_id, paths_[found_.size()], request_.scratch_dir,
                   [self = shared_from_this()](Result<std::string> path) {
                     self->found_.push_back(std::move(path));
                     self->next();
                   });
  }

 private:
  void finish() {
    workers_.run([self = shared_from_this()] { return self->collect(); },
                 [self = shared_from_this()](Result<doc::Object> outputs) { self->done_(std::move(outputs)); });
  }

  bool forgives() const { return request_.exit_code.value_or(0) != 0; }

  Result<doc::Object> collect() {
    doc::Object outputs;
    if (doc::is_true(wanted_, "result")) {
      TIPHYS_TRY(const std::string result, log_tail(request_.log_path, kMostResultBytes, LogStreams::kStdout));
      outputs["result"] = doc::to_utf8(result);
    }
    TIPHYS_TRY(doc::Array parameters, collect_parameters());
    if (!parameters.empty()) outputs["parameters"] = std::move(parameters);
    TIPHYS_TRY(doc::Array artifacts, collect_artifacts());
    TIPHYS_CHECK_OK(collect_logs(artifacts));
    if (!artifacts.empty()) outputs["artifacts"] = std::move(artifacts);
    if (request_.exit_code) outputs["exitCode"] = std::to_string(*request_.exit_code);
    return outputs;
  }

  Result<doc::Array> collect_parameters() {
    doc::Array out;
    std::size_t index = 0;
    for (const doc::Value& wanted : list(wanted_, "parameters")) {
      const Result<std::string>& path = found_[index++];
      Result<std::string> value = path ? read_parameter(*path) : std::unexpected(path.error());
      const doc::Value* fallback = doc::find(wanted, "default");
      if (!value && value.error().code == Code::kNotFound && fallback) value = doc::scalar_text(*fallback);
      const std::string_view name = doc::find_string(wanted, "name");
      if (value) {
        out.push_back(doc::Object{{"name", name}, {"value", *value}});
      } else if (!forgives()) {
        return std::unexpected(
            value.error().in(fmt::format("cannot save parameter {} from {}", name, doc::find_string(wanted, "path"))));
      }
    }
    return out;
  }

  Status save(const doc::Value& wanted, const std::string& host_path) {
    const doc::Value* location = doc::find(wanted, "location");
    if (!location) location = doc::find(wanted, "place");
    if (!location) return fail(Code::kInvalidArgument, "it names no place");
    TIPHYS_TRY(const auto place, stores_.open(*location, request_.credentials));
    return place->save(host_path);
  }

  Status save_packed(const doc::Value& wanted, const std::string& host_path) {
    TIPHYS_TRY(const std::string source, packed(wanted, host_path, request_.scratch_dir));
    Status saved = save(wanted, source);
    Status removed = source == host_path ? Status() : artifact::remove_tree(source);
    return saved ? removed : saved;
  }

  /// A container that has never run has none.
  Status collect_logs(doc::Array& artifacts) {
    for (const doc::Value& wanted : list(wanted_, "logs")) {
      const std::string_view container = doc::find_string(wanted, "container");
      const auto log = std::ranges::find(request_.logs, container, &std::pair<std::string, std::string>::first);
      if (log == request_.logs.end()) continue;
      const std::string plain = request_.scratch_dir + "/plain-log";
      Status saved = write_plain_log(log->second, plain);
      if (!saved && saved.error().code == Code::kNotFound) continue;
      if (saved) saved = save(wanted, plain);
      const Status removed = artifact::remove_tree(plain);
      if (saved) saved = removed;
      if (saved) {
        artifacts.push_back(artifact_output(wanted));
      } else if (!forgives()) {
        return std::unexpected(
            saved.error().in(fmt::format("artifact {} failed to save", doc::find_string(wanted, "name"))));
      }
    }
    return {};
  }

  Result<doc::Array> collect_artifacts() {
    doc::Array out;
    std::size_t index = list(wanted_, "parameters").size();
    for (const doc::Value& wanted : list(wanted_, "artifacts")) {
      const Result<std::string>& path = found_[index++];
      const Status saved = path ? save_packed(wanted, *path) : std::unexpected(path.error());
      if (saved) {
        out.push_back(artifact_output(wanted));
        continue;
      }
      const bool missing = !path && path.error().code == Code::kNotFound;
      if (forgives() || (missing && doc::is_true(wanted, "optional"))) continue;
      return std::unexpected(saved.error().in(fmt::format(
          "artifact {} failed to save from {}", doc::find_string(wanted, "name"), doc::find_string(wanted, "path"))));
    }
    return out;
  }

  Runtime& runtime_;
  const artifact::Stores& stores_;
  Workers& workers_;
  OutputsRequest request_;
  doc::Value wanted_;
  std::move_only_function<void(Result<doc::Object>)> done_;
  std::vector<std::string> paths_;
  std::vector<Result<std::string>> found_;
};

}  // namespace

void collect_outputs(Runtime& runtime, const artifact::Stores& stores, Workers& workers, OutputsRequest request,
                     std::move_only_function<void(Result<doc::Object>)> done) {
  if (request.annotation.empty()) {
    doc::Object outputs;
    if (request.exit_code) outputs["exitCode"] = std::to_string(*request.exit_code);
    return done(std::move(outputs));
  }
  auto wanted = doc::parse_json(request.annotation);
  if (!wanted) return done(std::unexpected(wanted.error().in("what outputs the pod wants cannot be read")));
  std::make_shared<Collection>(runtime, stores, workers, std::move(request), std::move(*wanted), std::move(done))
      ->next();
}

}  // namespace tiphys::node

#include "artifact/stores.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "artifact/drivers.h"

namespace tiphys::artifact {
namespace {

/// In the plane's own repository.
class OwnPlace final : public Place {
 public:
  OwnPlace(Repository& repository, std::string key) : repository_(repository), key_(std::move(key)) {}
  Status load(const std::string& host_path) override { return repository_.load(key_, host_path); }
  Status save(const std::string& host_path) override { return repository_.save(key_, host_path); }
  Result<std::vector<std::string>> list() override {
    auto keys = repository_.list(key_);
    if (keys || keys.error().code == Code::kNotFound) {
      return keys ? keys : fail(Code::kNotFound, fmt::format("no key found of name {}", key_));
    }
    return std::unexpected(keys.error().in("failed to list directory"));
  }
  Status remove() override { return repository_.remove(key_); }

 private:
  Repository& repository_;
  const std::string key_;
};

/// The content is in the manifest.
class RawPlace final : public Place {
 public:
  explicit RawPlace(std::string data) : data_(std::move(data)) {}
  Status load(const std::string& host_path) override {
    std::ofstream file(host_path, std::ios::binary);
    if (file << data_ && file.flush()) return {};
    return fail_errno(host_path, errno);
  }
  Status save(const std::string&) override { return fail(Code::kInvalidArgument, "raw output artifacts unsupported"); }

 private:
  const std::string data_;
};

struct Driver {
  std::string_view kind;
  Result<std::unique_ptr<Place>> (*open)(const DriverContext& context);
};

constexpr Driver kDrivers[] = {
    {"s3", open_s3},       {"http", open_http}, {"artifactory", open_artifactory},
    {"azure", open_azure}, {"gcs", open_gcs},   {"oss", open_oss},
    {"git", open_git},     {"hdfs", open_hdfs}, {"plugin", open_plugin},
};

/// A key that names no store.
bool is_own(std::string_view kind, const doc::Value& place) {
  return kind == "s3" && doc::find_string(place, "bucket").empty() && doc::find_string(place, "endpoint").empty();
}

template <typename Number>
void read_number(const char* variable, Number& number) {
  const char* text = std::getenv(variable);
  if (!text) return;
  Number parsed{};
  const char* end = text + std::string_view(text).size();
  if (std::from_chars(text, end, parsed).ptr == end && parsed > 0) number = parsed;
}

/// Go's "1s", "250ms" or "2m" of one unit.
void read_wait(const char* variable, std::chrono::milliseconds& wait) {
  const char* text = std::getenv(variable);
  if (!text) return;
  double count = 0;
  const std::string_view whole(text);
  const auto parsed = std::from_chars(text, text + whole.size(), count);
  const std::string_view unit = whole.substr(static_cast<std::size_t>(parsed.ptr - text));
  const double scale = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : 0;
  if (count >= 0 && scale > 0) wait = std::chrono::milliseconds(static_cast<std::int64_t>(count * scale));
}

}  // namespace

Result<std::vector<std::string>> Place::list() {
  return fail(Code::kUnimplemented,
              "ListObjects is currently not supported for this artifact type, but it will be in a future version");
}

Status Place::remove() {
  return fail(Code::kUnimplemented,
              "delete not supported for this artifact storage, please check the following issue for details: "
              "https://github.com/argoproj/argo-workflows/issues/3102");
}

RetryPlan RetryPlan::of_environment() {
  RetryPlan plan;
  read_number("EXECUTOR_RETRY_BACKOFF_STEPS", plan.attempts);
  read_number("EXECUTOR_RETRY_BACKOFF_FACTOR", plan.factor);
  read_wait("EXECUTOR_RETRY_BACKOFF_DURATION", plan.first_wait);
  return plan;
}

StoresOptions StoresOptions::of_environment() {
  StoresOptions options{.environment = web::this_environment(), .retry = RetryPlan::of_environment()};
  constexpr std::uint64_t kMiB = 1 << 20, kLeastMiB = 5, kMostMiB = 5 * 1024;
  std::uint64_t mebibytes = 0;
  read_number("ARTIFACT_S3_UPLOAD_PART_SIZE_MIB", mebibytes);
  if (mebibytes >= kLeastMiB && mebibytes <= kMostMiB) options.part_bytes = mebibytes * kMiB;
  return options;
}

Status Stores::knows(const doc::Value& location) const {
  const doc::Value* plugin = doc::find(location, "plugin");
  if (!plugin || !options_.plugins) return {};
  return options_.plugins->knows(doc::find_string(*plugin, "name"));
}

Result<std::unique_ptr<Place>> Stores::open(const doc::Value& location, const Credentials& credentials) const {
  const doc::Object* object = location.if_object();
  if (!object || object->empty()) return fail(Code::kInvalidArgument, "it names no place");
  const std::string_view kind = object->begin()->key();
  const doc::Value& place = object->begin()->value();
  if (kind == "raw") return std::make_unique<RawPlace>(std::string(doc::find_string(place, "data")));
  if (is_own(kind, place)) return std::make_unique<OwnPlace>(own_, std::string(doc::find_string(place, "key")));
  for (const Driver& driver : kDrivers) {
    if (driver.kind == kind)
      return driver.open({place, credentials, options_, stop_.get_token(), doc::find(location, "artifact")});
  }
  return fail(Code::kUnimplemented, fmt::format("artifacts in {} are not supported yet", kind));
}

}  // namespace tiphys::artifact

// The stores that artifacts lie in: a driver for each kind of place behind one interface. Blocking: for worker threads.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "artifact/credentials.h"
#include "artifact/plugin_servers.h"
#include "artifact/repository.h"
#include "web/environment.h"

namespace tiphys::artifact {

/// Where one artifact is, or is to be. Errors name the place and the reason.
class Place {
 public:
  virtual ~Place() = default;
  /// Puts the artifact, a file or folder, at `host_path`, which must not exist. kNotFound when there is none.
  virtual Status load(const std::string& host_path) = 0;
  /// Stores a file or folder of this host; an artifact that is there is replaced.
  virtual Status save(const std::string& host_path) = 0;
  /// The keys of all files below the place, sorted. kNotFound when there is none and no file either.
  virtual Result<std::vector<std::string>> list();
  /// What is not there counts as removed. kUnimplemented where the original cannot either.
  virtual Status remove();
};

/// How often what passes by itself is tried, and after what times: the original's executor.
struct RetryPlan {
  int attempts = 5;
  std::chrono::milliseconds first_wait{1000};
  double factor = 1.6;

  /// As EXECUTOR_RETRY_BACKOFF_STEPS, _DURATION and _FACTOR say.
  static RetryPlan of_environment();
};

struct StoresOptions {
  web::Environment environment{};
  RetryPlan retry{};
  /// Larger files go to S3 in parts; 0: by the file's size.
  std::uint64_t part_bytes = 0;

  PluginServers* plugins = nullptr;  ///< null: there are none

  static StoresOptions of_environment();
};

/// What a driver is given.
struct DriverContext {
  const doc::Value& place;  ///< the fields of its kind
  const Credentials& credentials;
  const StoresOptions& options;
  std::stop_token stop;
  const doc::Value* artifact;  ///< what else is known of the artifact, or null
};

/// All that a plane knows. Any thread may open places.
class Stores {
 public:
  /// `own` is the plane's own repository, where keys lie that name no store.
  explicit Stores(Repository& own, StoresOptions options = {}) : own_(own), options_(std::move(options)) {}
  ~Stores() { stop(); }

  /// `location` is {"s3": {...}} or its like; what a plugin is told of the artifact besides may follow as "artifact".
  Result<std::unique_ptr<Place>> open(const doc::Value& location, const Credentials& credentials) const;
  /// Whether `location` can be opened at all: a plugin may be of a name that the plane does not know.
  Status knows(const doc::Value& location) const;
  Repository& own() const { return own_; }
  /// Before any place is opened; they outlive this.
  void use_plugins(PluginServers& plugins) { options_.plugins = &plugins; }
  /// Requests and waits that are under way end soon, in errors.
  void stop() { stop_.request_stop(); }

 private:
  Repository& own_;
  StoresOptions options_;
  std::stop_source stop_;
};

}  // namespace tiphys::artifact

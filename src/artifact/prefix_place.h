// Places in stores of keys, where a folder is all the keys below its own.
#pragma once

#include <string>
#include <vector>

#include "artifact/attempts.h"
#include "artifact/received_file.h"

namespace tiphys::artifact {

/// What a store can do with one key is the driver's; folders, attempts and errors are the same for all.
class PrefixPlace : public Place {
 public:
  Status load(const std::string& host_path) final;
  Status save(const std::string& host_path) final;
  Result<std::vector<std::string>> list() final;
  /// As in the original a key that ends in "/" is a folder, any other one object.
  Status remove() final;

 protected:
  PrefixPlace(std::string key, const StoresOptions& options, std::stop_token stop)
      : options_(options), stop_(std::move(stop)), key_(std::move(key)) {}

  /// kNotFound when there is no such key: of these four.
  virtual Attempt get(const std::string& key, ReceivedFile& file) = 0;
  virtual Attempt find(const std::string& key) = 0;
  virtual Attempt erase(const std::string& key) = 0;
  virtual Attempt put(const std::string& key, const std::string& host_path, std::uint64_t size) = 0;
  /// Adds all keys that begin with the prefix.
  virtual Attempt list_prefix(const std::string& prefix, std::vector<std::string>& keys) = 0;
  /// Whether folders are kept as objects whose keys end in "/", so that empty ones come back.
  virtual bool keeps_folders() const { return false; }
  virtual Attempt put_folder(const std::string& /*key*/) { return {}; }
  /// Before something is put.
  virtual Attempt prepare() { return {}; }
  /// The store, for messages: "bucket \"b\" at host:port".
  virtual std::string shown() const = 0;

  const StoresOptions options_;
  const std::stop_token stop_;

 private:
  template <typename Try>
  Status attempts(Try attempt) {
    return with_attempts(options_.retry, stop_, std::move(attempt));
  }
  Status told(Status status) const;
  Attempt try_load(const std::string& host_path);
  Attempt load_file(const std::string& key, const std::string& host_path);
  Attempt load_folder(const std::vector<std::string>& keys, const std::string& host_path);
  Attempt list_files(std::vector<std::string>& keys);
  Attempt list_below(std::vector<std::string>& keys);
  Attempt try_save(const std::string& host_path);
  Attempt try_remove();

  const std::string key_;
};

}  // namespace tiphys::artifact

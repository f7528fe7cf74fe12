// The files that steps see and that lie on no disk: tokens, say. Each init has a folder of its own for them, in the
// memory of the prepared mount, whose parts are bound into its root. What a step had there is gone when the next one
// gets the init.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "node/runtime.h"

namespace tiphys::node {

/// In the prepared mount.
inline constexpr char kHeldFolder[] = "held";

class HeldFolders {
 public:
  /// In the prepared mount, which is the working directory.
  Status open();

  /// Makes a folder with these files; its name.
  Result<std::string> take(const std::vector<HeldFiles>& held);
  /// Puts the files of another step, of the same paths, into one that is clear.
  Status fill(const std::string& folder, const std::vector<HeldFiles>& held);
  /// New content for some. kNotFound when the folder has nothing of this path.
  Status renew(const std::string& folder, const HeldFiles& files);
  /// Its step has ended.
  void clear(const std::string& folder);
  /// Its init has ended.
  void give(const std::string& folder);
  /// Whether it has the places that these files want, and no others. "" is a folder without any.
  bool fits(const std::string& folder, const std::vector<HeldFiles>& held) const;

  /// Of the `index`-th of its HeldFiles, in the prepared mount.
  static std::string source(const std::string& folder, std::size_t index);
  /// Whether an init that shows it may serve other steps: no folder has to be made for it, or one that is watched.
  static bool may_stay(std::string_view path);

 private:
  struct Place {
    std::string path;                ///< in the step
    bool is_file = false;            ///< of the path itself
    std::vector<std::string> names;  ///< that are there
  };
  using Places = std::vector<Place>;

  Status make(const std::string& folder, const std::vector<HeldFiles>& held, Places& places);
  Status write(const std::string& folder, std::size_t index, Place& place, const HeldFiles::File& file);
  void remove(const std::string& folder, const Places& places);

  UniqueFd top_;
  std::map<std::string, Places, std::less<>> folders_;
  std::uint64_t last_name_ = 0;
};

}  // namespace tiphys::node

#include "artifact/input.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "artifact/file_tree.h"
#include "artifact/repository.h"
#include "base/beneath.h"

namespace tiphys::artifact {
namespace {

namespace fs = std::filesystem;

/// What a store leaves is a file or a folder: a link would be followed by whoever uses it.
Status check_loaded(const std::string& loaded) {
  std::error_code error;
  if (!fs::is_symlink(fs::symlink_status(loaded, error))) return {};
  TIPHYS_CHECK_OK(remove_tree(loaded));
  return fail(Code::kInvalidArgument, "it is a symbolic link, not a file or folder");
}

Status unpack_to(const std::string& loaded, const std::string& target, std::string_view archive) {
  const bool packed = archive == "none" ? false : archive == "zip" ? is_archive(loaded) : is_tarball(loaded);
  if (packed) {
    TIPHYS_CHECK_OK(unpack(loaded, target));
    return remove_tree(loaded);
  }
  std::error_code error;
  fs::rename(loaded, target, error);
  if (error) return fail_errno(fmt::format("move {}", loaded), error.value());
  return {};
}

/// The part of a folder that a sub-path names takes its place: of stores whose places have no keys. Links of the folder
/// are followed inside of it.
Status pick_part(const std::string& target, std::string_view sub_path) {
  if (sub_path.empty()) return {};
  const auto part = open_beneath(target, sub_path, O_PATH);
  if (!part) return std::unexpected(part.error().in(fmt::format("subPath \"{}\"", sub_path)));
  TIPHYS_TRY(const std::string from, path_of(*part));
  const std::string beside = target + ".part";
  TIPHYS_CHECK_OK(remove_tree(beside));
  if (::rename(from.c_str(), beside.c_str()) != 0) return fail_errno(fmt::format("subPath {}", sub_path), errno);
  TIPHYS_CHECK_OK(remove_tree(target));
  if (::rename(beside.c_str(), target.c_str()) != 0) return fail_errno(target, errno);
  return {};
}

}  // namespace

Status load_input(const doc::Value& wanted, const std::string& target, const Stores& stores,
                  const Credentials& credentials) {
  const doc::Value* location = doc::find(wanted, "location");
  if (!location) return fail(Code::kInvalidArgument, "it names no place");
  TIPHYS_TRY(const auto place, stores.open(*location, credentials));
  const std::string loaded = target + ".loaded";
  TIPHYS_CHECK_OK(remove_tree(target));
  TIPHYS_CHECK_OK(remove_tree(loaded));
  TIPHYS_CHECK_OK(place->load(loaded));
  TIPHYS_CHECK_OK(check_loaded(loaded));
  TIPHYS_CHECK_OK(unpack_to(loaded, target, doc::find_string(wanted, "archive")));
  return pick_part(target, doc::find_string(wanted, "subPath"));
}

}  // namespace tiphys::artifact

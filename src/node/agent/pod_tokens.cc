#include "node/agent/pod_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "node/agent/write_file.h"

namespace tiphys::node {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Of tokens at the usual place, as in Kubernetes: an hour, for clients that read it again, and a year for those that
/// never do. Both end with the pod.
constexpr std::chrono::seconds kUsualLifetime = 3607s;
constexpr std::chrono::seconds kUsualValidity = 24h * 365;
constexpr std::int64_t kLeastSeconds = 600, kMostSeconds = std::int64_t{1} << 32;

std::int64_t number_at(const doc::Value& object, std::string_view member, std::int64_t fallback) {
  const doc::Value* found = doc::find(object, member);
  return found && found->is_int64() ? found->get_int64() : fallback;
}

Result<TokenFile> projected(const doc::Value& source, const std::string& folder, std::int64_t mode) {
  const std::int64_t seconds = number_at(source, "expirationSeconds", 3600);
  if (seconds < kLeastSeconds || seconds > kMostSeconds) {
    return fail(Code::kInvalidArgument,
                fmt::format("serviceAccountToken: expirationSeconds must be at least {} and at most {}, and is {}",
                            kLeastSeconds, kMostSeconds, seconds));
  }
  return TokenFile{.path = fmt::format("{}/{}", folder, doc::find_string(source, "path")),
                   .audience = std::string(doc::find_string(source, "audience")),
                   .lifetime = std::chrono::seconds(seconds),
                   .valid = std::chrono::seconds(seconds),
                   .mode = static_cast<mode_t>(mode) & 07777};
}

}  // namespace

Result<std::vector<TokenFile>> projected_tokens(const doc::Value& pod, const PodPlace& place) {
  std::vector<TokenFile> files;
  const doc::Value* volumes = doc::find(pod, "spec", "volumes");
  if (!volumes || !volumes->is_array()) return files;
  for (const doc::Value& volume : volumes->get_array()) {
    const doc::Value* sources = doc::find(volume, "projected", "sources");
    if (!sources || !sources->is_array()) continue;
    const std::int64_t mode = number_at(volume.at("projected"), "defaultMode", 0644);
    for (const doc::Value& source : sources->get_array()) {
      const doc::Value* token = doc::find(source, "serviceAccountToken");
      if (!token) continue;
      TIPHYS_TRY(TokenFile file, projected(*token, volume_folder(place, doc::find_string(volume, "name")), mode));
      files.push_back(std::move(file));
    }
  }
  return files;
}

std::string account_folder(const PodPlace& place) {
  return place.dir + "/service-account";
}

void remove_account_folder(const PodPlace& place) {
  std::error_code error;
  fs::remove_all(account_folder(place), error);
  if (error) log::warn("a token remains in {}: {}", account_folder(place), error.message());
}

Result<HeldFiles> account_files(const TokenOwner& owner, const ApiAccess& api) {
  TIPHYS_TRY(std::string token, api.sign(owner, "", kUsualValidity));
  return HeldFiles{.path = std::string(kAccountFolder),
                   .files = {{.name = "ca.crt", .content = api.authority()},
                             {.name = "namespace", .content = owner.ns},
                             {.name = "token", .content = std::move(token)}}};
}

Result<TokenFile> make_account_folder(const PodPlace& place, const std::string& ns, const ApiAccess& api) {
  const std::string folder = account_folder(place);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail_errno("make " + folder, error.value());
  TIPHYS_CHECK_OK(write_file(folder + "/ca.crt", api.authority(), 0644));
  TIPHYS_CHECK_OK(write_file(folder + "/namespace", ns, 0644));
  return TokenFile{.path = folder + "/token", .audience = "", .lifetime = kUsualLifetime, .valid = kUsualValidity};
}

Status write_tokens(const std::vector<TokenFile>& files, const TokenOwner& owner, const ApiAccess& api) {
  for (const TokenFile& file : files) {
    TIPHYS_TRY(const std::string token, api.sign(owner, file.audience, file.valid));
    std::error_code error;
    fs::create_directories(fs::path(file.path).parent_path(), error);
    if (error) return fail_errno("make " + fs::path(file.path).parent_path().string(), error.value());
    TIPHYS_CHECK_OK(replace_file(file.path, token, file.mode));
  }
  return {};
}

Duration refresh_after(const std::vector<TokenFile>& files, bool has_account_files) {
  Duration soonest = 24h;
  if (has_account_files) soonest = kUsualLifetime * 4 / 5;
  for (const TokenFile& file : files) soonest = std::min<Duration>(soonest, file.lifetime * 4 / 5);
  return soonest;
}

}  // namespace tiphys::node

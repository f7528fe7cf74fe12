#include "kube/credentials.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/log.h"
#include "base/strings.h"
#include "kube/exec_credentials.h"

namespace tiphys::kube {
namespace {

class StaticCredentials final : public Credentials {
 public:
  explicit StaticCredentials(Identity identity) : identity_(std::move(identity)) {}
  void obtain(Done done) override { done(identity_); }

 private:
  Identity identity_;
};

/// A token that somebody else renews: the kubelet puts a new one in its place. It is read when the file has changed,
/// and each minute, for what a file system may not tell.
class TokenFile final : public Credentials {
 public:
  TokenFile(Executor& executor, std::string path, Identity identity)
      : executor_(executor), path_(std::move(path)), identity_(std::move(identity)) {}

  void obtain(Done done) override {
    struct ::stat now{};
    const bool there = ::stat(path_.c_str(), &now) == 0;
    const bool same = there && now.st_ino == seen_.st_ino && now.st_mtim.tv_sec == seen_.st_mtim.tv_sec &&
                      now.st_mtim.tv_nsec == seen_.st_mtim.tv_nsec;
    if (same && executor_.now() < read_at_ + kLongest) return done(identity_);
    const Result<std::string> text = read_whole_file(path_);
    const std::string_view token = text ? trim(*text) : std::string_view();
    if (!token.empty()) {
      identity_.authorization = fmt::format("Bearer {}", token);
      seen_ = now;
      read_at_ = executor_.now();
    } else if (identity_.authorization.empty()) {
      if (!text) return done(std::unexpected(text.error()));
      return done(fail(Code::kUnauthenticated, fmt::format("{} holds no token", path_)));
    } else {
      log::warn("the token of {} is used on: {}", path_, text ? "the file is empty" : text.error().message);
    }
    done(identity_);
  }

  bool refused(const Identity&) override {
    read_at_ = Time{};
    return true;
  }

 private:
  static constexpr std::chrono::minutes kLongest{1};

  Executor& executor_;
  std::string path_;
  Identity identity_;
  struct ::stat seen_{};
  Time read_at_{};
};

}  // namespace

std::unique_ptr<Credentials> make_credentials(Executor& executor, const Access& access) {
  const User& user = access.user;
  Identity identity{.authorization = {}, .certificate = user.certificate, .key = user.key};
  if (user.exec) return make_exec_credentials(executor, access, std::move(identity));
  if (!user.token.empty()) identity.authorization = "Bearer " + user.token;
  if (!user.username.empty() || !user.password.empty()) {
    identity.authorization = "Basic " + encode_base64(user.username + ":" + user.password);
  }
  if (!user.token_file.empty()) {
    return std::make_unique<TokenFile>(executor, user.token_file, std::move(identity));
  }
  return std::make_unique<StaticCredentials>(std::move(identity));
}

}  // namespace tiphys::kube

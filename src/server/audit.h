// Who asked for what, and how it ended: one line of JSON a request, in the form of Kubernetes' audit log
// (audit.k8s.io/v1 Event, level Metadata). Bodies are never in it, so that no Secret gets there.
#pragma once

#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "server/routes.h"

namespace tiphys::server {

/// A file that grows to a bound and is then kept once more as FILE.1.
class AuditLog {
 public:
  /// As kube-apiserver's --audit-log-maxsize of 100 MB.
  static constexpr std::size_t kMostBytes = std::size_t{100} << 20;
  /// Appends to `path`, made with mode 0600 when it is missing.
  static Result<std::shared_ptr<AuditLog>> open(std::string path, std::size_t most_bytes = kMostBytes);

  /// What cannot be written is told once by this program's own log, until it can be written again.
  void append(const doc::Object& event);

 private:
  AuditLog(std::string path, std::size_t most_bytes) : path_(std::move(path)), most_bytes_(most_bytes) {}
  Status reopen();
  Status rotate();

  std::string path_;
  std::size_t most_bytes_;
  UniqueFd file_;
  std::size_t bytes_ = 0;
  bool failed_ = false;
};

/// What is told of one request. Its routes add what they find out.
class AuditEntry {
 public:
  AuditEntry(std::shared_ptr<AuditLog> log, const Request& request, const objects::Caller& caller);
  /// Another one than the caller who has entered.
  void impersonates(const objects::Caller& caller);
  void is_for(const objects::Target& target, std::string_view verb);
  /// A call of Argo's API.
  void calls(const argo::Method& method, const doc::Object& request);
  /// "ResponseStarted" of a stream, "ResponseComplete"; `code` 0: the client went before there was an answer.
  void reach(std::string_view stage, unsigned code, Time at);

 private:
  std::shared_ptr<AuditLog> log_;
  doc::Object event_;
};

/// `responder`, whose answers are told.
std::shared_ptr<Responder> audited(std::shared_ptr<AuditEntry> entry, std::shared_ptr<Responder> responder);

/// A request that is not let in.
void tell_refused(const Served& served, const Request& request, unsigned code);

/// The verb of a request for an object or a collection, as RBAC names it.
std::string_view verb_of(std::string_view method, bool is_collection, bool watches);

}  // namespace tiphys::server

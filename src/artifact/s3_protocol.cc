#include "artifact/s3_protocol.h"

#include <fmt/format.h>

#include <algorithm>

#include "artifact/xml.h"

namespace tiphys::artifact {

void read_s3_error(S3Answer& answer, std::span<const std::string_view> passing_codes) {
  const int status = answer.http.status;
  if (status >= 200 && status < 300) return;
  if (const auto root = parse_xml(answer.http.body); root && root->name == "Error") {
    answer.error_code = root->child_text("Code");
    answer.error_message = root->child_text("Message");
  }
  // An answer to HEAD has no body.
  if (answer.error_code.empty()) {
    answer.error_code = status == 404 ? "NoSuchKey" : status == 403 ? "AccessDenied" : answer.http.status_line;
  }
  answer.passing = status >= 500 || std::ranges::find(passing_codes, answer.error_code) != passing_codes.end();
  if (!answer.error_message.empty()) return;
  answer.error_message = answer.error_code == "NoSuchKey"      ? "The specified key does not exist."
                         : answer.error_code == "AccessDenied" ? "Access Denied."
                                                               : answer.http.status_line;
}

Attempt s3_attempt(const Result<S3Answer>& answer, std::string_view what) {
  if (!answer) return {std::unexpected(answer.error().in(what)), passes(answer.error())};
  if (!answer->failed()) return {};
  const std::string& code = answer->error_code;
  const Code kind = code == "NoSuchKey"      ? Code::kNotFound
                    : code == "AccessDenied" ? Code::kPermissionDenied
                    : answer->passing        ? Code::kUnavailable
                                             : Code::kUnknown;
  return {fail(kind, fmt::format("{}: {}", what, answer->error_message)), answer->passing};
}

/// In pages.
Attempt s3_list(S3Server& server, const std::string& prefix, std::vector<std::string>& keys) {
  std::string next;
  do {
    S3Request request{.query = {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", prefix}}};
    if (!next.empty()) request.query.emplace_back("continuation-token", next);
    const auto answer = server.send(request);
    if (Attempt attempt = s3_attempt(answer, "failed to list directory"); !attempt.status) return attempt;
    const auto page = parse_xml(answer->http.body);
    if (!page) return {std::unexpected(page.error().in("failed to list directory"))};
    for (const XmlElement& entry : page->children) {
      if (entry.name == "Contents") keys.push_back(uri_decode(entry.child_text("Key")));
    }
    next = page->child_text("IsTruncated") == "true" ? page->child_text("NextContinuationToken") : "";
  } while (!next.empty());
  return {};
}

}  // namespace tiphys::artifact

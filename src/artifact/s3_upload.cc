#include "artifact/s3_upload.h"

#include <fmt/format.h>

#include <algorithm>

#include "artifact/xml.h"
#include "web/request_rules.h"

namespace tiphys::artifact {
namespace {

constexpr std::string_view kWhat = "failed to put file";
constexpr std::uint64_t kLeastPart = 16ULL << 20;
constexpr std::uint64_t kMostParts = 10'000;

}  // namespace

Attempt S3Upload::put(const std::string& key, const std::string& host_path, std::uint64_t size) {
  const std::uint64_t part = std::max(part_bytes_ > 0 ? part_bytes_ : kLeastPart, (size + kMostParts - 1) / kMostParts);
  if (size > part) return put_in_parts(key, host_path, size, part);
  const S3Request request{
      .method = "PUT", .key = key, .headers = encryption_.of_new(key), .file = web::FilePart{host_path, 0, size}};
  return s3_attempt(server_.send(request), kWhat);
}

Attempt S3Upload::put_in_parts(const std::string& key, const std::string& host_path, std::uint64_t size,
                               std::uint64_t part) {
  const auto begun =
      server_.send({.method = "POST", .key = key, .query = {{"uploads", ""}}, .headers = encryption_.of_new(key)});
  if (Attempt attempt = s3_attempt(begun, kWhat); !attempt.status) return attempt;
  const auto root = parse_xml(begun->http.body);
  if (!root) return {std::unexpected(root.error().in(kWhat))};
  const S3Request base{.key = key, .query = {{"uploadId", std::string(root->child_text("UploadId"))}}};
  std::string list;
  Attempt attempt = put_parts(base, host_path, size, part, list);
  if (attempt.status) {
    S3Request complete = base;
    complete.method = "POST";
    complete.body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + list +
                    "</CompleteMultipartUpload>";
    auto answer = server_.send(complete);
    // This one may fail after its status has been sent.
    if (answer && !answer->failed()) {
      const auto told = parse_xml(answer->http.body);
      if (told && told->name == "Error") {
        answer->error_code = told->child_text("Code");
        answer->error_message = told->child_text("Message");
      }
    }
    attempt = s3_attempt(answer, kWhat);
  }
  if (attempt.status) return attempt;
  S3Request abort = base;
  abort.method = "DELETE";
  if (const Attempt aborted = s3_attempt(server_.send(abort), "the parts stay"); !aborted.status) {
    attempt.status.error().message += "; " + aborted.status.error().message;
  }
  return attempt;
}

Attempt S3Upload::put_parts(const S3Request& base, const std::string& host_path, std::uint64_t size, std::uint64_t part,
                            std::string& list) {
  const web::Headers encryption = encryption_.of_known(base.key);
  int number = 0;
  for (std::uint64_t offset = 0; offset < size; offset += part) {
    S3Request request = base;
    request.method = "PUT";
    request.headers = encryption;
    request.query.emplace_back("partNumber", std::to_string(++number));
    request.file = web::FilePart{host_path, offset, std::min(part, size - offset)};
    const auto answer = server_.send(request);
    if (Attempt attempt = s3_attempt(answer, kWhat); !attempt.status) return attempt;
    const std::string* tag = web::find_header(answer->http.headers, "etag");
    if (!tag) return {fail(Code::kDataLoss, fmt::format("{}: the store gives no tag for a part", kWhat))};
    list += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number, xml_text(*tag));
  }
  return {};
}

}  // namespace tiphys::artifact

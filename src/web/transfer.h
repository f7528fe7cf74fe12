// One request on its way through libcurl, with the redirects that it follows.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "base/unique_fd.h"
#include "web/http_client.h"
#include "web/libcurl.h"
#include "web/url.h"

namespace tiphys::web {

/// Stays where it is: libcurl has its address.
class Transfer {
 public:
  Transfer(const Libcurl& curl, const Environment& environment, HttpRequest request);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Makes handle() ready for the first server.
  Status begin();
  /// A socket of this host in place of the URL's host.
  void connect_to(std::string unix_path) { unix_path_ = std::move(unix_path); }
  /// It ends soon after a stop is asked for.
  void stop_with(std::stop_token stop) { stop_ = std::move(stop); }
  CURL* handle() const { return easy_; }
  /// What comes of it after libcurl has ended it; absent: handle() is ready for the next server.
  std::optional<Result<HttpAnswer>> ended(CURLcode code);

 private:
  Status prepare();
  void set_request();
  void set_body();
  void set_certificates();
  void set_way();
  template <typename Value>
  void set(CURLoption option, Value value);
  std::optional<Result<HttpAnswer>> follow(const std::string& location);
  void take_header(std::string_view line);
  bool take_body(std::string_view bytes);
  std::size_t give_body(std::span<char> bytes);
  int open_socket(const curl_sockaddr& address);
  std::string words(CURLcode code) const;
  /// As Go words it: Get "URL": why.
  std::unexpected<Error> failed(std::string_view why) const;

  const Libcurl& curl_;
  const Environment& environment_;
  HttpRequest request_;
  std::stop_token stop_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  bool complete_ = true;  ///< all options could be set
  std::optional<Url> url_;
  int redirects_ = 0;
  std::string referer_;

  std::string unix_path_;  ///< "": none
  UniqueFd file_;          ///< of the body
  std::uint64_t sent_ = 0;

  HttpAnswer answer_;
  bool answering_ = false;  ///< the headers of the answer are here
  bool too_long_ = false;
  std::string address_;  ///< that it went to last: "127.0.0.1:80"
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace tiphys::web

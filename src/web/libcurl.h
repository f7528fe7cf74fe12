// libcurl 7.68 or later, loaded when the first request is made: Debian's archive of it needs Kerberos, of which there
// is no archive, and the program must start where it is not installed.
#pragma once

#include <curl/curl.h>

#include "base/error.h"

namespace tiphys::web {

/// The functions of libcurl that requests need, by their names.
struct Libcurl {
  decltype(&::curl_global_init) curl_global_init = nullptr;
  decltype(&::curl_free) curl_free = nullptr;
  decltype(&::curl_easy_init) curl_easy_init = nullptr;
  decltype(&::curl_easy_setopt) curl_easy_setopt = nullptr;
  decltype(&::curl_easy_getinfo) curl_easy_getinfo = nullptr;
  decltype(&::curl_easy_perform) curl_easy_perform = nullptr;
  decltype(&::curl_easy_cleanup) curl_easy_cleanup = nullptr;
  decltype(&::curl_easy_strerror) curl_easy_strerror = nullptr;
  decltype(&::curl_slist_append) curl_slist_append = nullptr;
  decltype(&::curl_slist_free_all) curl_slist_free_all = nullptr;
  decltype(&::curl_multi_init) curl_multi_init = nullptr;
  decltype(&::curl_multi_cleanup) curl_multi_cleanup = nullptr;
  decltype(&::curl_multi_add_handle) curl_multi_add_handle = nullptr;
  decltype(&::curl_multi_remove_handle) curl_multi_remove_handle = nullptr;
  decltype(&::curl_multi_perform) curl_multi_perform = nullptr;
  decltype(&::curl_multi_poll) curl_multi_poll = nullptr;
  decltype(&::curl_multi_wakeup) curl_multi_wakeup = nullptr;
  decltype(&::curl_multi_info_read) curl_multi_info_read = nullptr;
  decltype(&::curl_url) curl_url = nullptr;
  decltype(&::curl_url_cleanup) curl_url_cleanup = nullptr;
  decltype(&::curl_url_dup) curl_url_dup = nullptr;
  decltype(&::curl_url_get) curl_url_get = nullptr;
  decltype(&::curl_url_set) curl_url_set = nullptr;
};

/// Loads it once for the process. An error says what to install.
const Result<Libcurl>& libcurl();

}  // namespace tiphys::web

#include "web/libcurl.h"

#include "base/shared_library.h"

namespace tiphys::web {
namespace {

Result<Libcurl> load() {
  TIPHYS_TRY(SharedLibrary library,
             SharedLibrary::load({"libcurl.so.4", "libcurl-gnutls.so.4"}, "makes HTTP requests", "libcurl4"));
  Libcurl curl;
  library.bind(curl.curl_global_init, "curl_global_init");
  library.bind(curl.curl_free, "curl_free");
  library.bind(curl.curl_easy_init, "curl_easy_init");
  library.bind(curl.curl_easy_setopt, "curl_easy_setopt");
  library.bind(curl.curl_easy_getinfo, "curl_easy_getinfo");
  library.bind(curl.curl_easy_perform, "curl_easy_perform");
  library.bind(curl.curl_easy_cleanup, "curl_easy_cleanup");
  library.bind(curl.curl_easy_strerror, "curl_easy_strerror");
  library.bind(curl.curl_slist_append, "curl_slist_append");
  library.bind(curl.curl_slist_free_all, "curl_slist_free_all");
  library.bind(curl.curl_multi_init, "curl_multi_init");
  library.bind(curl.curl_multi_cleanup, "curl_multi_cleanup");
  library.bind(curl.curl_multi_add_handle, "curl_multi_add_handle");
  library.bind(curl.curl_multi_remove_handle, "curl_multi_remove_handle");
  library.bind(curl.curl_multi_perform, "curl_multi_perform");
  library.bind(curl.curl_multi_poll, "curl_multi_poll");
  library.bind(curl.curl_multi_wakeup, "curl_multi_wakeup");
  library.bind(curl.curl_multi_info_read, "curl_multi_info_read");
  library.bind(curl.curl_url, "curl_url");
  library.bind(curl.curl_url_cleanup, "curl_url_cleanup");
  library.bind(curl.curl_url_dup, "curl_url_dup");
  library.bind(curl.curl_url_get, "curl_url_get");
  library.bind(curl.curl_url_set, "curl_url_set");
  if (!library.complete())
    return fail(Code::kFailedPrecondition, "libcurl.so.4 is older than 7.68: install a newer libcurl4");
  if (curl.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return fail(Code::kInternal, "libcurl.so.4 cannot be set up");
  }
  return curl;
}

}  // namespace

const Result<Libcurl>& libcurl() {
  static const Result<Libcurl> library = load();
  return library;
}

}  // namespace tiphys::web

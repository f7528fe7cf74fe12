#include "web/libcurl.h"

#include <dlfcn.h>

namespace tiphys::web {
namespace {

Result<Libcurl> load() {
  void* library = nullptr;
  for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
    if (!library) library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (!library) {
    return fail(Code::kFailedPrecondition,
                "libcurl.so.4, which makes HTTP requests, cannot be loaded: install libcurl4");
  }
  Libcurl curl;
  bool complete = true;
  const auto bind = [&]<typename Function>(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    complete = complete && function != nullptr;
  };
  bind(curl.curl_global_init, "curl_global_init");
  bind(curl.curl_free, "curl_free");
  bind(curl.curl_easy_init, "curl_easy_init");
  bind(curl.curl_easy_setopt, "curl_easy_setopt");
  bind(curl.curl_easy_getinfo, "curl_easy_getinfo");
  bind(curl.curl_easy_perform, "curl_easy_perform");
  bind(curl.curl_easy_cleanup, "curl_easy_cleanup");
  bind(curl.curl_easy_strerror, "curl_easy_strerror");
  bind(curl.curl_slist_append, "curl_slist_append");
  bind(curl.curl_slist_free_all, "curl_slist_free_all");
  bind(curl.curl_multi_init, "curl_multi_init");
  bind(curl.curl_multi_cleanup, "curl_multi_cleanup");
  bind(curl.curl_multi_add_handle, "curl_multi_add_handle");
  bind(curl.curl_multi_remove_handle, "curl_multi_remove_handle");
  bind(curl.curl_multi_perform, "curl_multi_perform");
  bind(curl.curl_multi_poll, "curl_multi_poll");
  bind(curl.curl_multi_wakeup, "curl_multi_wakeup");
  bind(curl.curl_multi_info_read, "curl_multi_info_read");
  bind(curl.curl_url, "curl_url");
  bind(curl.curl_url_cleanup, "curl_url_cleanup");
  bind(curl.curl_url_dup, "curl_url_dup");
  bind(curl.curl_url_get, "curl_url_get");
  bind(curl.curl_url_set, "curl_url_set");
  if (!complete) return fail(Code::kFailedPrecondition, "libcurl.so.4 is older than 7.68: install a newer libcurl4");
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

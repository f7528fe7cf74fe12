// One request to an HTTP server, on the thread that waits for its answer: of worker threads, which move files.
#pragma once

#include <stop_token>

#include "web/http_client.h"

namespace tiphys::web {

/// Follows redirects and words errors as HttpClient does. With a sink a whole file of 2xx is no part of the answer, and
/// bodies of other answers are cut at kMostBodyBytes. A stop that is asked for ends it within a second: kUnavailable.
Result<HttpAnswer> exchange(HttpRequest request, const Environment& environment, std::stop_token stop = {});
/// The same with a server of this host that listens on a socket, whatever the URL's host.
Result<HttpAnswer> exchange_at(const std::string& socket, HttpRequest request, std::stop_token stop = {});

}  // namespace tiphys::web

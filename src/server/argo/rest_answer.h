// Where a call that came by REST is answered.
#pragma once

#include <memory>

#include "server/exchange.h"

namespace tiphys::server {

/// JSON; of a stream one {"result": ...} a line, or as Server-Sent Events where exactly those are accepted. The query's
/// `fields` are those that a stream's messages keep, or with a leading "-" lose. An error before a stream's first
/// message is answered as one without a stream. A call that nobody answers is an error.
std::shared_ptr<argo::Answer> make_rest_answer(const Exchange& exchange, const argo::Method& method);

}  // namespace tiphys::server

// A file as the body of an answer.
#pragma once

#include "base/executor.h"
#include "base/unique_fd.h"
#include "server/responder.h"

namespace tiphys::server {

/// Sends the file from its beginning, piece by piece, as fast as the peer reads. Of one that cannot be read to its end
/// the answer breaks off.
void stream_file(Executor& executor, UniqueFd file, AnswerHead head, const std::shared_ptr<Responder>& responder);

}  // namespace tiphys::server

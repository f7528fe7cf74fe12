// How artifacts are shown: what may come of them in a browser, and what is in a folder.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/responder.h"

namespace tiphys::server {

/// Of a file that anybody may have written: it runs no scripts and is no part of this server's pages.
AnswerHead artifact_head(std::string_view file_name);
/// A page with what is in the folder, by the paths of the files in it.
std::string folder_page(std::span<const std::string> files);
AnswerHead folder_page_head();

}  // namespace tiphys::server

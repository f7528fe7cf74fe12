// One request and where its answer goes, as the routes share it.
#pragma once

#include "objects/refusal.h"
#include "server/negotiation.h"
#include "server/routes.h"
#include "server/url.h"

namespace tiphys::server {

class AuditEntry;

inline constexpr std::string_view kJson = "application/json";

struct Exchange {
  const Served& served;
  Request request;
  Target query;
  std::shared_ptr<Responder> responder;
  std::shared_ptr<AuditEntry> audit{};  ///< null: nothing is told
  Form form{};                          ///< what the client accepts
  std::vector<std::string> warnings{};  ///< of the request, whatever its answer

  objects::ObjectApi& api() const { return served.api; }
};

using ExchangePtr = std::shared_ptr<Exchange>;
/// Done, or what to answer instead.
using Handled = objects::Outcome<void>;

/// Gives who has signed in the rights of an account, of a request for this namespace; "": for none.
Handled take_account(Exchange& exchange, std::string_view ns);
/// Makes whom a request's headers want to be the caller, if it may be that.
Handled take_identity(Exchange& exchange);

/// How an answer begins: with the warnings that there are.
AnswerHead head_of(const Exchange& exchange, unsigned code, std::string_view content_type = {});
/// JSON, or YAML where the client asked for it.
void reply_document(const Exchange& exchange, AnswerHead head, const doc::Value& document);
void reply_document(const Exchange& exchange, unsigned code, const doc::Value& document,
                    const std::vector<std::string>& warnings = {});
void reply_refusal(const Exchange& exchange, const objects::Refusal& refusal);
void reply_list(const Exchange& exchange, const objects::Target& target, const cluster::List& list);
/// Of a request that no object can answer.
std::unexpected<objects::Refusal> refuse(unsigned code, std::string reason, std::string message);

/// A number in the query; 400 when it is something else.
template <typename Number>
objects::Outcome<Number> number_of(const Exchange& exchange, std::string_view name, Number otherwise);
/// A resource version; kInvalidArgument in Go's words. "" is 0.
Result<std::uint64_t> version_number(std::string_view text);
/// "labelSelector" or "fieldSelector".
objects::Outcome<cluster::Selector> selector_of(const Exchange& exchange, std::string_view name);

/// Pages that belong to no object: discovery, schemas, health. False when the path is none of them.
bool serve_page(const Exchange& exchange);

// Of objects (read_routes.cc, write_routes.cc).
Handled get_object(const ExchangePtr& exchange, const objects::Target& target);
Handled list_objects(const ExchangePtr& exchange, const objects::Target& target);
Handled watch_objects(const ExchangePtr& exchange, const objects::Target& target);
Handled watch_nodes(const ExchangePtr& exchange, const objects::Target& target);
Handled read_log(const ExchangePtr& exchange, const objects::Target& target);
Handled create_object(const ExchangePtr& exchange, const objects::Target& target);
Handled create_part(const ExchangePtr& exchange, const objects::Target& target);
Handled update_object(const ExchangePtr& exchange, const objects::Target& target);
Handled patch_object(const ExchangePtr& exchange, const objects::Target& target);
Handled remove_object(const ExchangePtr& exchange, const objects::Target& target);
Handled remove_objects(const ExchangePtr& exchange, const objects::Target& target);

/// 400 unless the pod has a container of this name, those that come first included.
objects::Outcome<void> check_container(const doc::Value& pod, std::string_view container);

/// Streams into pods (session/session_routes.cc): what has such a subresource is no object.
bool is_session(std::string_view subresource);
Handled open_session(const ExchangePtr& exchange, const objects::Target& target);

}  // namespace tiphys::server

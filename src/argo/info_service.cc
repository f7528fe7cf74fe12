// InfoService.
#include "argo/work.h"
#include "base/log.h"
#include "base/strings.h"

namespace tiphys::argo {
namespace {

void get_info(const WorkPtr& work) {
  const ServedPlane& plane = work->plane();
  // Nothing is asked of users: no feedback, no tour, no news.
  doc::Object info{{"modals", doc::Object{{"feedback", false}, {"firstTimeUser", false}, {"newVersion", false}}}};
  if (!plane.links.empty()) info["links"] = plane.links;
  if (!plane.columns.empty()) info["columns"] = plane.columns;
  if (!plane.nav_color.empty()) info["navColor"] = plane.nav_color;
  work->reply(info);
}

/// Members that are empty are left out, as in Go.
doc::Object describe(const objects::Person& person) {
  doc::Object info;
  const auto add = [&](std::string_view member, const std::string& text) {
    if (!text.empty()) info[member] = text;
  };
  add("issuer", person.issuer);
  add("subject", person.subject);
  if (!person.groups.empty()) info["groups"] = doc::Array(person.groups.begin(), person.groups.end());
  add("email", person.email);
  if (person.email_verified) info["emailVerified"] = true;
  add("serviceAccountName", person.service_account_name);
  add("serviceAccountNamespace", person.service_account_namespace);
  add("name", person.name);
  return info;
}

void get_user_info(const WorkPtr& work) {
  if (work->caller() && work->caller()->person) return work->reply(describe(*work->caller()->person));
  const objects::Caller caller = work->caller() ? *work->caller() : objects::plane_owner();
  doc::Object info{{"subject", caller.name}};
  if (!caller.groups.empty()) info["groups"] = doc::Array(caller.groups.begin(), caller.groups.end());
  constexpr std::string_view kAccount = "system:serviceaccount:";
  if (caller.name.starts_with(kAccount)) {
    const auto parts = split(std::string_view(caller.name).substr(kAccount.size()), ':');
    info["serviceAccountNamespace"] = parts.front();
    info["serviceAccountName"] = parts.back();
  } else {
    // Where the web UI begins: without one its first page is empty.
    info["serviceAccountNamespace"] = "default";
  }
  work->reply(info);
}

void collect_event(const WorkPtr& work) {
  log::debug("the UI tells of its use: {}", work->text("name"));
  work->reply(doc::Object{});
}

}  // namespace

const Methods& info_methods() {
  static const Methods kMethods{{"GetInfo", get_info},
                                {"GetVersion", [](const WorkPtr& work) { work->reply(work->plane().version); }},
                                {"GetUserInfo", get_user_info},
                                {"CollectEvent", collect_event}};
  return kMethods;
}

}  // namespace tiphys::argo

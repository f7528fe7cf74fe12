#include "doc/strategic_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tiphys::doc::strategic {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxSet = 10'000;

/// An element's place in an order; kNowhere when it has none there.
constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
struct Placed {
  Value value;
  std::size_t wanted = kNowhere;
  std::size_t before = kNowhere;
};

std::size_t place(const Places& places, const std::string& identity) {
  const auto found = places.find(identity);
  return found == places.end() ? kNowhere : found->second;
}

/// Go's insertion sort, under whose comparison what has no place is less than all: the last such comes first, and what
/// has a place passes those that have none.
void sort_with_strays(std::vector<Placed>& list, std::size_t Placed::* by) {
  constexpr std::size_t kMaxInsertion = 20;
  if (list.size() > kMaxInsertion) {
    std::ranges::stable_sort(list, {}, [by](const Placed& each) { return each.*by + 1; });
    return;
  }
  for (std::size_t i = 1; i < list.size(); ++i) {
    for (std::size_t j = i; j > 0; --j) {
      const std::size_t left = list[j - 1].*by;
      const std::size_t right = list[j].*by;
      if (left != kNowhere && right != kNowhere && right >= left) break;
      std::swap(list[j - 1], list[j]);
    }
  }
}

/// What still says that it is to be deleted goes to the end.
void sort(std::vector<Placed>& list, std::size_t Placed::* by) {
  const auto stays = [](const Placed& each) { return find_string(each.value, "$patch") != "delete"; };
  const auto gone = std::ranges::stable_partition(list, stays);
  std::vector<Placed> rest(std::make_move_iterator(gone.begin()), std::make_move_iterator(gone.end()));
  list.erase(gone.begin(), gone.end());
  sort_with_strays(list, by);
  std::ranges::move(rest, std::back_inserter(list));
}

}  // namespace

Result<std::string> identity(const Value& element, std::string_view key) {
  const Value* scalar = &element;
  if (!key.empty()) {
    if (!element.is_object()) return fail(Code::kInvalidArgument, fmt::format("{} is no object", to_json(element)));
    scalar = find(element, key);
    if (!scalar) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{} does not contain the merge key {}", to_json(element).substr(0, 200), key));
    }
  }
  if (scalar->is_structured()) {
    return fail(Code::kInvalidArgument, fmt::format("{} cannot be compared", to_json(*scalar).substr(0, 200)));
  }
  // "1", 1 and 1.0 differ; integers beyond 63 bits are floats.
  const char kind = scalar->is_string() ? 's' : scalar->is_double() || scalar->is_uint64() ? 'd' : ' ';
  return kind + scalar_text(*scalar);
}

Result<Places> places(const Array& list, std::string_view key) {
  Places out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    TIPHYS_TRY(std::string id, identity(list[i], key));
    out.try_emplace(std::move(id), i);
  }
  return out;
}

Result<json::kind> element_kind(const Array& a, const Array& b) {
  std::optional<json::kind> found;
  for (const Array* list : {&a, &b}) {
    for (const Value& element : *list) {
      if (element.is_array() || element.is_null()) {
        return fail(Code::kInvalidArgument, "a list that merges cannot hold lists or nulls");
      }
      const json::kind kind = element.is_uint64() ? json::kind::double_ : element.kind();
      if (found.value_or(kind) != kind) {
        return fail(Code::kInvalidArgument, "a list that merges must have elements of one type");
      }
      found = kind;
    }
  }
  if (!found) return fail(Code::kInvalidArgument, "an order is given for a list without elements");
  return *found;
}

Status order(Array& list, const Places& wanted, const Places& before, std::string_view key) {
  std::vector<Placed> named;
  std::vector<Placed> others;
  for (Value& element : list) {
    TIPHYS_TRY(const std::string id, identity(element, key));
    Placed placed{std::move(element), place(wanted, id), place(before, id)};
    (placed.wanted == kNowhere ? others : named).push_back(std::move(placed));
  }
  sort(named, &Placed::wanted);
  sort(others, &Placed::before);
  auto other = others.begin();
  std::size_t at = 0;
  for (Placed& element : named) {
    const auto comes_first = [&] {
      return other != others.end() && other->before != kNowhere && element.before != kNowhere &&
             other->before < element.before;
    };
    while (comes_first()) list[at++] = std::move((other++)->value);
    list[at++] = std::move(element.value);
  }
  while (other != others.end()) list[at++] = std::move((other++)->value);
  return {};
}

Status unite(Array& list, const Array& more) {
  for (const Value& element : more) list.push_back(element);
  if (list.size() > kMaxSet) {
    return fail(Code::kInvalidArgument, fmt::format("a list that merges as a set may have {} elements", kMaxSet));
  }
  Places known;
  std::vector<std::size_t> numbers;
  for (const Value& element : list) {
    TIPHYS_TRY(std::string id, identity(element, ""));
    numbers.push_back(known.try_emplace(std::move(id), known.size()).first->second);
  }
  // The last element takes the place of one that is there twice.
  std::size_t size = list.size();
  for (std::size_t i = 0; i + 1 < size; ++i) {
    for (std::size_t j = i + 1; j < size;) {
      if (numbers[j] != numbers[i]) {
        ++j;
        continue;
      }
      --size;
      numbers[j] = numbers[size];
      list[j] = list[size];
    }
  }
  list.resize(size);
  return {};
}

Status subtract(Array& list, const Array& gone) {
  TIPHYS_TRY(const Places places_gone, places(gone, ""));
  Array rest;
  for (const Value& element : list) {
    TIPHYS_TRY(const std::string id, identity(element, ""));
    if (!places_gone.contains(id)) rest.push_back(element);
  }
  list = std::move(rest);
  return {};
}

}  // namespace tiphys::doc::strategic

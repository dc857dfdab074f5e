#include "broker/src/topic_guard.hpp"

#include <algorithm>

namespace streamverse::broker {

namespace {

constexpr std::string_view kUserMark = "%u";

bool Matches(std::string_view pattern, std::string_view user, std::string_view topic) {
    const size_t mark = pattern.find(kUserMark);
    if (mark == std::string_view::npos) {
        return pattern == topic;
    }
    const std::string_view before = pattern.substr(0, mark);
    const std::string_view after = pattern.substr(mark + kUserMark.size());
    return topic.size() == before.size() + user.size() + after.size() && topic.starts_with(before) &&
           topic.substr(before.size(), user.size()) == user && topic.ends_with(after);
}

}  // namespace

bool TopicGuard::IsOneOf(const std::vector<std::string>& patterns, std::string_view user,
                         std::string_view topic) {
    return !user.empty() && std::ranges::any_of(patterns, [&](const std::string& pattern) {
        return Matches(pattern, user, topic);
    });
}

}  // namespace streamverse::broker

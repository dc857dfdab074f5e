// What a box may ask of the broker beyond the access rules of mosquitto, which know topics and nothing of
// retaining or of how much is subscribed to. Both cost the broker memory for as long as it runs, under names
// that the box makes up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace streamverse::broker {

class TopicGuard {
 public:
    // `%u` stands for the user's name, as in mosquitto's own rules; everything else is taken literally, `+`
    // and `#` too.
    void AllowSubscribe(std::string_view pattern) { subscribe_.emplace_back(pattern); }
    void AllowRetain(std::string_view pattern) { retain_.emplace_back(pattern); }

    // True when the filter is one of the patterns: so a client has as many subscriptions as there are
    // patterns.
    bool MaySubscribe(std::string_view user, std::string_view filter) const {
        return IsOneOf(subscribe_, user, filter);
    }
    // True when the topic is one of the patterns: so a client has as many retained messages as there are
    // patterns.
    bool MayRetain(std::string_view user, std::string_view topic) const {
        return IsOneOf(retain_, user, topic);
    }

 private:
    static bool IsOneOf(const std::vector<std::string>& patterns, std::string_view user,
                        std::string_view topic);

    std::vector<std::string> subscribe_;
    std::vector<std::string> retain_;
};

}  // namespace streamverse::broker

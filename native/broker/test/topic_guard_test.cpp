#include "broker/src/topic_guard.hpp"

#include <string>

#include "test/check.hpp"

namespace {

using streamverse::broker::TopicGuard;

TopicGuard SampleGuard() {
    TopicGuard guard;
    guard.AllowSubscribe("sv/1/%u/command/+");
    guard.AllowRetain("sv/1/%u/presence");
    guard.AllowRetain("fixed");
    return guard;
}

void OwnTopicsPass() {
    const TopicGuard guard = SampleGuard();
    CHECK(guard.MaySubscribe("box-1", "sv/1/box-1/command/+"));
    CHECK(guard.MayRetain("box-1", "sv/1/box-1/presence"));
    CHECK(guard.MayRetain("box-1", "fixed"));
}

void OthersDoNot() {
    const TopicGuard guard = SampleGuard();
    for (const char* filter :
         {"", "#", "sv/1/box-1/command/#", "sv/1/box-1/command/ping", "sv/1/+/command/+",
          "sv/1/box-2/command/+", "sv/1/box-1/command/+/", "$share/x/sv/1/box-1/command/+",
          "sv/1/%u/command/+", "sv/1/box-1/presence", "sv/1//command/+"}) {
        CHECK(!guard.MaySubscribe("box-1", filter));
    }
    for (const char* topic : {"", "sv/1/box-1/stream/s1/out", "sv/1/box-11/presence", "sv/1/box-/presence",
                              "sv/1/box-1/presence/more", "sv/1/box-1/command/+", "fixed/more"}) {
        CHECK(!guard.MayRetain("box-1", topic));
    }
}

void NobodyAndOddNamesHaveNothing() {
    const TopicGuard guard = SampleGuard();
    CHECK(!guard.MaySubscribe("", "sv/1//command/+"));
    CHECK(!guard.MayRetain("", "fixed"));
    CHECK(!guard.MayRetain("+", "sv/1/box-1/presence"));
    CHECK(!guard.MayRetain("box-1/presence", "sv/1/box-1/presence"));
    CHECK(!guard.MayRetain(std::string(70'000, 'x'), "sv/1/box-1/presence"));
    CHECK(!TopicGuard().MaySubscribe("box-1", "sv/1/box-1/command/+"));
}

}  // namespace

int main() {
    OwnTopicsPass();
    OthersDoNot();
    NobodyAndOddNamesHaveNothing();
    return 0;
}

#include "flute/src/send_queue.hpp"

#include <cmath>
#include <map>
#include <string>

#include "test/check.hpp"

namespace {

using namespace streamverse::flute;

SendJob Job(JobId id, size_t bytes = 10) {
    SendJob job;
    job.id = id;
    job.bytes.resize(bytes);
    return job;
}

std::string CodeOf(SendQueue& queue, const std::string& lane, SendJob job) {
    try {
        queue.Push(lane, std::move(job));
    } catch (const JobError& error) {
        return error.code();
    }
    return "";
}

void LowerLevelsGoFirst() {
    SendQueue queue({{"bulk", 5, 1}, {"live", 0, 1}});
    CHECK(queue.Choose() == nullptr && queue.idle());
    queue.Push("bulk", Job(1));
    Lane* bulk = queue.Choose();
    CHECK(bulk != nullptr && bulk->state.name == "bulk");
    queue.Take(*bulk);
    queue.Push("live", Job(2));
    CHECK(queue.Choose()->state.name == "live");  // although a bulk job is under way
    Lane* live = queue.Choose();
    CHECK(queue.Take(*live).id == 2);
    SendQueue::Finish(*live);
    CHECK(queue.Choose() == bulk);
    SendQueue::Finish(*bulk);
    CHECK(queue.idle());
}

// Bytes are shared by weight, whatever the size of the packets.
void WeightsShareALevel() {
    SendQueue queue({{"high", 1, 60}, {"medium", 1, 30}, {"low", 1, 10}});
    const std::map<std::string, size_t> batch{{"high", 1428}, {"medium", 64'000}, {"low", 300}};
    for (const auto& [name, bytes] : batch) {
        queue.Push(name, Job(1));
    }
    std::map<std::string, double> sent;
    double total = 0;
    while (total < 200e6) {
        Lane* lane = queue.Choose();
        const size_t bytes = batch.at(lane->state.name);
        SendQueue::Spend(*lane, bytes);
        sent[lane->state.name] += static_cast<double>(bytes);
        total += static_cast<double>(bytes);
    }
    CHECK(std::abs(sent["high"] / total - 0.6) < 0.005);
    CHECK(std::abs(sent["medium"] / total - 0.3) < 0.005);
    CHECK(std::abs(sent["low"] / total - 0.1) < 0.005);
}

void IdleLanesLeaveTheirShare() {
    SendQueue queue({{"a", 0, 1}, {"b", 0, 99}});
    queue.Push("a", Job(1));
    for (int turn = 0; turn < 1000; ++turn) {
        Lane* lane = queue.Choose();
        CHECK(lane->state.name == "a");
        SendQueue::Spend(*lane, 65'000);
    }
    queue.Push("b", Job(2));
    double shareOfB = 0;
    for (int turn = 0; turn < 10'000; ++turn) {
        Lane* lane = queue.Choose();
        SendQueue::Spend(*lane, 1000);
        shareOfB += lane->state.name == "b" ? 1e-4 : 0;
    }
    CHECK(shareOfB > 0.98);
}

void CancelTakesOutOrMarks() {
    SendQueue queue({{"a", 0, 1}});
    queue.Push("a", Job(1));
    queue.Push("a", Job(2));
    Lane* lane = queue.Choose();
    queue.Take(*lane);
    CHECK(queue.Cancel(2).waiting);
    const auto active = queue.Cancel(1);
    CHECK(active.found && !active.waiting && lane->cancelActive);
    CHECK(!queue.Cancel(2).found && !queue.Cancel(77).found);
    SendQueue::Finish(*lane);
    CHECK(queue.idle() && !lane->cancelActive);
}

void LimitsAreCoded() {
    SendQueue queue({{"a", 0, 1}});
    CHECK(CodeOf(queue, "b", Job(1)) == "NATIVE_FLUTE_LANE");
    CHECK(CodeOf(queue, "a", Job(1, kQueuedBytesMax)).empty());
    CHECK(CodeOf(queue, "a", Job(2, 1)) == "NATIVE_FLUTE_QUEUE_FULL");
    queue.Cancel(1);
    for (size_t index = 0; index < kQueuedJobsMax; ++index) {
        CHECK(CodeOf(queue, "a", Job(index, 0)).empty());
    }
    CHECK(CodeOf(queue, "a", Job(3, 0)) == "NATIVE_FLUTE_QUEUE_FULL");
}

}  // namespace

int main() {
    LowerLevelsGoFirst();
    WeightsShareALevel();
    IdleLanesLeaveTheirShare();
    CancelTakesOutOrMarks();
    LimitsAreCoded();
    return 0;
}

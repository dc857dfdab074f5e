#include "flute/src/send_queue.hpp"

#include <algorithm>

namespace streamverse::flute {
namespace {

// What all lanes of one level together may send in one round.
constexpr double kRoundBytes = 256.0 * 1024;

}  // namespace

SendQueue::SendQueue(std::vector<LaneOptions> lanes) {
    std::stable_sort(lanes.begin(), lanes.end(),
                     [](const auto& left, const auto& right) { return left.level < right.level; });
    lanes_.reserve(lanes.size());
    for (LaneOptions& options : lanes) {
        Lane& lane = lanes_.emplace_back();
        lane.state.name = options.name;
        lane.options = std::move(options);
    }
}

void SendQueue::Push(const std::string& name, SendJob job) {
    const auto lane =
        std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& one) { return one.options.name == name; });
    if (lane == lanes_.end()) {
        throw JobError("NATIVE_FLUTE_LANE", "the sender has no lane '" + name + "'");
    }
    if (queuedJobs_ >= kQueuedJobsMax || queuedBytes_ + job.bytes.size() > kQueuedBytesMax) {
        throw JobError("NATIVE_FLUTE_QUEUE_FULL", "too much waits to be sent");
    }
    ++queuedJobs_;
    queuedBytes_ += job.bytes.size();
    lane->queue.push_back(std::move(job));
    lane->state.queued = lane->queue.size();
}

SendQueue::Cancelled SendQueue::Cancel(JobId job) {
    for (Lane& lane : lanes_) {
        if (lane.state.job == job) {
            lane.cancelActive = true;
            return {.found = true, .waiting = false};
        }
        const auto found = std::find_if(lane.queue.begin(), lane.queue.end(),
                                        [&](const SendJob& one) { return one.id == job; });
        if (found != lane.queue.end()) {
            --queuedJobs_;
            queuedBytes_ -= found->bytes.size();
            lane.queue.erase(found);
            lane.state.queued = lane.queue.size();
            return {.found = true, .waiting = true};
        }
    }
    return {};
}

Lane* SendQueue::Choose() {
    for (size_t first = 0; first < lanes_.size();) {
        size_t end = first;
        bool busy = false;
        while (end < lanes_.size() && lanes_[end].options.level == lanes_[first].options.level) {
            busy = busy || lanes_[end].busy();
            ++end;
        }
        if (busy) {
            return ChooseInLevel(first, end);
        }
        first = end;
    }
    return nullptr;
}

// Deficit round robin (Shreedhar and Varghese): a lane sends while it has credit, and gets more when its turn
// comes round. Credit may go below zero by one batch, which the next rounds make good.
Lane* SendQueue::ChooseInLevel(size_t first, size_t end) {
    double weights = 0;
    for (size_t index = first; index < end; ++index) {
        if (lanes_[index].busy()) {
            weights += lanes_[index].options.weight;
        } else {
            lanes_[index].deficitBytes = 0;  // no credit is saved up by silence
        }
    }
    if (cursor_ < first || cursor_ >= end) {
        cursor_ = first;
    }
    for (;;) {
        Lane& lane = lanes_[cursor_];
        if (lane.busy() && lane.deficitBytes > 0) {
            return &lane;
        }
        cursor_ = cursor_ + 1 == end ? first : cursor_ + 1;
        Lane& following = lanes_[cursor_];
        if (following.busy()) {
            following.deficitBytes += following.options.weight / weights * kRoundBytes;
        }
    }
}

SendJob SendQueue::Take(Lane& lane) {
    SendJob job = std::move(lane.queue.front());
    lane.queue.pop_front();
    --queuedJobs_;
    queuedBytes_ -= job.bytes.size();
    lane.state.queued = lane.queue.size();
    lane.state.job = job.id;
    lane.state.sentBytes = 0;
    lane.state.totalBytes = 0;
    lane.cancelActive = false;
    return job;
}

void SendQueue::Spend(Lane& lane, size_t wireBytes) {
    lane.deficitBytes -= static_cast<double>(wireBytes);
    lane.state.sentBytes += wireBytes;
}

void SendQueue::Finish(Lane& lane) {
    lane.state.job.reset();
    lane.state.sentBytes = 0;
    lane.state.totalBytes = 0;
    lane.cancelActive = false;
}

bool SendQueue::idle() const {
    return std::none_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.busy(); });
}

std::vector<LaneState> SendQueue::states() const {
    std::vector<LaneState> states;
    states.reserve(lanes_.size());
    for (const Lane& lane : lanes_) {
        states.push_back(lane.state);
    }
    return states;
}

}  // namespace streamverse::flute

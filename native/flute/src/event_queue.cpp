#include "flute/src/event_queue.hpp"

#include <utility>

namespace streamverse::flute {

void EventQueue::Push(ReceiveEvent event) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = events_.empty() && progress_.empty() && ended_.empty();
        if (const auto* progress = std::get_if<ProgressEvent>(&event)) {
            progress_[progress->id] = *progress;
        } else if (const auto* ended = std::get_if<EndedEvent>(&event)) {
            ended_[ended->id] = *ended;
        } else {
            uint64_t over = 0;
            if (const auto* complete = std::get_if<CompleteEvent>(&event)) {
                over = complete->id;
            } else if (const auto* gaveUp = std::get_if<GaveUpEvent>(&event)) {
                over = gaveUp->id;
            }
            progress_.erase(over);
            ended_.erase(over);
            events_.push_back(std::move(event));
        }
    }
    if (first) {
        onReady_();
    }
}

std::vector<ReceiveEvent> EventQueue::Take() {
    const std::lock_guard lock(mutex_);
    std::vector<ReceiveEvent> taken = std::exchange(events_, {});
    for (auto& [id, progress] : progress_) {
        taken.emplace_back(progress);
    }
    for (auto& [id, ended] : ended_) {
        taken.emplace_back(ended);
    }
    progress_.clear();
    ended_.clear();
    return taken;
}

size_t EventQueue::size() const {
    const std::lock_guard lock(mutex_);
    return events_.size();
}

}  // namespace streamverse::flute

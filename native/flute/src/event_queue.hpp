// Events from the receiver thread to its listener, in batches.
#pragma once

#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "flute/src/receive_event.hpp"

namespace streamverse::flute {

// Progress and ended events of one object replace each other while they wait, and vanish when the object's
// last event comes; what happens once is never lost.
class EventQueue {
 public:
    // `onReady` is called (from any thread, outside the lock) when the queue stops being empty.
    explicit EventQueue(std::function<void()> onReady) : onReady_(std::move(onReady)) {}

    void Push(ReceiveEvent event);
    [[nodiscard]] std::vector<ReceiveEvent> Take();
    [[nodiscard]] size_t size() const;

 private:
    std::function<void()> onReady_;
    mutable std::mutex mutex_;
    std::vector<ReceiveEvent> events_;
    std::unordered_map<uint64_t, ProgressEvent> progress_;
    std::unordered_map<uint64_t, EndedEvent> ended_;
};

}  // namespace streamverse::flute

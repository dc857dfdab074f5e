// Which lane sends next: strict levels, and deficit round robin by bytes within a level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flute/src/send_job.hpp"

namespace streamverse::flute {

struct LaneOptions {
    std::string name;
    uint32_t level = 0;  // lower goes strictly first
    double weight = 1;   // share among the busy lanes of the level
};

struct LaneState {
    std::string name;
    size_t queued = 0;  // jobs that wait, without the active one
    std::optional<JobId> job;
    uint64_t sentBytes = 0;  // of the active job, IP layer
    uint64_t totalBytes = 0;
};

// The active transmission belongs to the sending thread; all else is guarded by the owner's mutex.
struct Lane {
    LaneOptions options;
    std::deque<SendJob> queue;
    LaneState state;
    std::unique_ptr<Transmission> active;
    SendMemory memory;
    bool cancelActive = false;
    int64_t begunNs = 0;
    uint64_t sentPackets = 0;  // of the active job
    double deficitBytes = 0;

    bool busy() const { return state.job.has_value() || !queue.empty(); }
};

inline constexpr size_t kLanesMax = 64;
inline constexpr size_t kQueuedJobsMax = 1 << 17;
inline constexpr size_t kQueuedBytesMax = size_t{256} << 20;  // of jobs whose bytes are in memory

// Not synchronised: its owner's mutex guards it.
class SendQueue {
 public:
    explicit SendQueue(std::vector<LaneOptions> lanes);

    // Throws JobError NATIVE_FLUTE_LANE or NATIVE_FLUTE_QUEUE_FULL.
    void Push(const std::string& lane, SendJob job);

    // The waiting job taken out, true; else the active one marked for its end, true; else false.
    struct Cancelled {
        bool found = false;
        bool waiting = false;
    };
    Cancelled Cancel(JobId job);

    // The lane whose turn it is; null when nobody has anything to send.
    Lane* Choose();

    // The next waiting job of the lane; it becomes the lane's active one.
    SendJob Take(Lane& lane);

    // Books what the lane has sent.
    static void Spend(Lane& lane, size_t wireBytes);
    static void Finish(Lane& lane);

    bool idle() const;
    std::vector<LaneState> states() const;

 private:
    Lane* ChooseInLevel(size_t first, size_t end);

    std::vector<Lane> lanes_;  // by level
    size_t cursor_ = 0;
    size_t queuedJobs_ = 0;
    size_t queuedBytes_ = 0;
};

}  // namespace streamverse::flute

// A token bucket on CLOCK_MONOTONIC whose rate is exact in the long run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace streamverse::packet {

int64_t MonotonicNs();

// Returns at `deadlineNs` or after `sliceNs`, whichever is first, without spinning: a long wait is slept in
// slices so that an order to stop is seen.
void SleepUntil(int64_t deadlineNs, int64_t sliceNs);

// Asks the kernel for precise wake-ups and for precedence of the calling thread, as far as the process may
// have it: a real-time class where the rate leaves the thread asleep for nearly all of the time, else a
// better nice value.
void PreferTimeliness(uint64_t rateBps);

// In any span of t seconds that begins after Restart at most rate * t + burstBytesMax bytes go. The bucket
// exists to absorb late wake-ups, so it fills only while somebody wants to send: after Restart it is empty.
class Pacer {
 public:
    // rateBps >= 1, burstBytesMax >= 1.
    Pacer(uint64_t rateBps, size_t burstBytesMax) : rateBps_(rateBps), burstBytesMax_(burstBytesMax) {}

    uint64_t rateBps() const { return rateBps_; }
    size_t burstBytesMax() const { return burstBytesMax_; }

    // What was earned at the old rate stays earned.
    void SetRate(uint64_t rateBps);
    void Restart(int64_t nowNs);

    // The moment from which on `bytes` (at most burstBytesMax, or one packet) may go.
    int64_t ReadyNs(size_t bytes) const { return earnedNs_ + Cost(bytes); }

    // Books bytes that were sent at nowNs >= ReadyNs(bytes).
    void Spend(size_t bytes, int64_t nowNs);

    // The largest batch that keeps the traffic smooth: sliceNs' worth, at most the burst.
    size_t BatchBytes(int64_t sliceNs) const;

 private:
    int64_t Cost(size_t bytes) const;

    uint64_t rateBps_;
    size_t burstBytesMax_;
    int64_t earnedNs_ = 0;    // all time before this is spent
    uint64_t remainder_ = 0;  // of the division by the rate, in ns * bit/s
};

}  // namespace streamverse::packet

#include "packet/src/pacer.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace streamverse::packet {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kBitNs = 8ULL * kSecondNs;
constexpr int kNice = -10;
// Above it the thread works more than it sleeps, and a real-time class would starve the rest of the machine.
constexpr uint64_t kRealTimeRateBpsMax = 1'000'000'000;

}  // namespace

int64_t MonotonicNs() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<int64_t>(now.tv_sec) * kSecondNs + now.tv_nsec;
}

void SleepUntil(int64_t deadlineNs, int64_t sliceNs) {
    const int64_t now = MonotonicNs();
    const int64_t until = std::min(deadlineNs, now + sliceNs);
    if (until <= now) {
        return;
    }
    const timespec at{until / kSecondNs, until % kSecondNs};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

void PreferTimeliness(uint64_t rateBps) {
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    const sched_param priority{.sched_priority = 1};
    if (rateBps > kRealTimeRateBpsMax ||
        ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &priority) != 0) {
        const sched_param none{.sched_priority = 0};
        ::pthread_setschedparam(::pthread_self(), SCHED_OTHER, &none);
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
    }
}

int64_t Pacer::Cost(size_t bytes) const {
    // 64 bits hold bytes up to 2 GiB here; batches are far below.
    return static_cast<int64_t>((static_cast<uint64_t>(bytes) * kBitNs + remainder_) / rateBps_);
}

void Pacer::SetRate(uint64_t rateBps) {
    rateBps_ = rateBps;
    remainder_ = 0;
}

void Pacer::Restart(int64_t nowNs) {
    earnedNs_ = nowNs;
    remainder_ = 0;
}

void Pacer::Spend(size_t bytes, int64_t nowNs) {
    const uint64_t cost = static_cast<uint64_t>(bytes) * kBitNs + remainder_;
    // Time that went unused beyond a full bucket is gone: catching up on it would be a burst above the named
    // size.
    const auto fullNs = static_cast<int64_t>(static_cast<uint64_t>(burstBytesMax_) * kBitNs / rateBps_);
    const auto costNs = static_cast<int64_t>(cost / rateBps_);
    earnedNs_ = std::max(earnedNs_, nowNs - std::max(fullNs, costNs));
    earnedNs_ += costNs;
    remainder_ = cost % rateBps_;
}

size_t Pacer::BatchBytes(int64_t sliceNs) const {
    // Rates up to 10^12 bit/s and slices up to seconds fit into 64 bits.
    const auto slice =
        static_cast<size_t>(rateBps_ * (static_cast<uint64_t>(sliceNs) / 1000) / (kBitNs / 1000));
    return std::min(std::max<size_t>(slice, 1), burstBytesMax_);
}

}  // namespace streamverse::packet

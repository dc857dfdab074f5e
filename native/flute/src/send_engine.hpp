// The sender: one thread that sends queued jobs at an exact rate.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "flute/src/send_queue.hpp"
#include "packet/src/pacer.hpp"
#include "packet/src/udp_sender.hpp"

namespace streamverse::flute {

struct SendEvent {
    enum class Kind : uint8_t { kStarted, kSent, kFailed };
    Kind kind = Kind::kStarted;
    JobId job = 0;
    uint64_t packets = 0;
    uint64_t wireBytes = 0;
    double durationMs = 0;
    std::string code{};
    std::string message{};
};

struct SendEngineOptions {
    uint64_t rateBps = 1;
    size_t burstBytesMax = 65536;
    packet::SenderOptions socket;
    std::vector<LaneOptions> lanes;
};

struct SendEngineStats {
    uint64_t packets = 0;
    uint64_t wireBytes = 0;
    double busyMs = 0;
    double rateErrorRatio = 0;
    std::vector<LaneState> lanes;
};

class SendEngine {
 public:
    // `onEvents` is called on the sending thread, without locks held, whenever TakeEvents has something new.
    // Throws packet::SystemError when no socket can be had.
    SendEngine(SendEngineOptions options, std::function<void()> onEvents);
    ~SendEngine();
    SendEngine(const SendEngine&) = delete;
    SendEngine& operator=(const SendEngine&) = delete;

    // All of these: any thread.
    JobId Enqueue(const std::string& lane, SendJob job);
    bool Cancel(JobId job);
    void SetRate(uint64_t rateBps);
    SendEngineStats Stats() const;
    std::vector<SendEvent> TakeEvents();

    // Ends the thread, in the middle of a job if need be; returns when it has ended. Idempotent.
    void Stop();

 private:
    struct Span {
        bool open = false;
        int64_t beginNs = 0;
        int64_t lastNs = 0;
        uint64_t wireBytes = 0;
        uint64_t rateBps = 0;
    };

    // Of spans in which there was always something to send; all are busy, only long ones count for the rate.
    struct Measured {
        double busyNs = 0;
        double earnedBytes = 0;
        double sentBytes = 0;
    };

    void Run();
    bool Step(std::unique_lock<std::mutex>& lock);
    bool Begin(std::unique_lock<std::mutex>& lock, Lane& lane);
    void SendSome(std::unique_lock<std::mutex>& lock, Lane& lane);
    bool WaitFor(size_t wireBytes);
    void Finish(Lane& lane, SendEvent event);
    void CloseSpan();
    Measured MeasuredWithSpan() const;

    const SendEngineOptions options_;
    std::function<void()> onEvents_;
    packet::UdpSender socket_;
    packet::Pacer pacer_;          // sending thread's
    fec::ReedSolomonCache codes_;  // sending thread's
    std::atomic<bool> stopping_{false};
    std::atomic<uint64_t> rateBps_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    SendQueue queue_;
    std::vector<SendEvent> events_;
    JobId nextJob_ = 1;
    uint64_t packets_ = 0;
    uint64_t wireBytes_ = 0;
    Span span_;
    Measured measured_;

    std::mutex joinMutex_;
    std::thread thread_;
};

}  // namespace streamverse::flute

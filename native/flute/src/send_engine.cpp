#include "flute/src/send_engine.hpp"

#include <algorithm>
#include <exception>

namespace streamverse::flute {
namespace {

// A batch is what the rate allows in this time: small enough for an urgent lane to get in and for the
// receivers' buffers to see a smooth stream, large enough to pay for a system call.
constexpr int64_t kBatchNs = 2'000'000;
// A slow rate means long waits; an order to stop or a new rate is seen after this long.
constexpr int64_t kWaitSliceNs = 20'000'000;
// What takes less at its rate tells how late the clock wakes us, not how well the rate is kept.
constexpr double kMeasuredSpanNs = 1e8;
constexpr size_t kHeaderBytesIpv4 = 28;  // IP and UDP
constexpr size_t kHeaderBytesIpv6 = 48;

size_t HeaderBytes(const SendJob& job) {
    return job.destination.family() == AF_INET ? kHeaderBytesIpv4 : kHeaderBytesIpv6;
}

SendEvent Failure(JobId job, std::string code, std::string message) {
    SendEvent event;
    event.kind = SendEvent::Kind::kFailed;
    event.job = job;
    event.code = std::move(code);
    event.message = std::move(message);
    return event;
}

}  // namespace

SendEngine::SendEngine(SendEngineOptions options, std::function<void()> onEvents)
    : options_(std::move(options)),
      onEvents_(std::move(onEvents)),
      socket_(options_.socket),
      pacer_(options_.rateBps, options_.burstBytesMax),
      rateBps_(options_.rateBps),
      queue_(options_.lanes) {
    // A wrong interface is the caller's to hear of now, not the first job's.
    packet::FindInterface(options_.socket.interfaceAddress);
    thread_ = std::thread([this] { Run(); });
}

SendEngine::~SendEngine() {
    Stop();
}

void SendEngine::Stop() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    const std::lock_guard<std::mutex> joining(joinMutex_);
    if (thread_.joinable()) {
        thread_.join();
    }
}

JobId SendEngine::Enqueue(const std::string& lane, SendJob job) {
    JobId id;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        id = nextJob_;
        job.id = id;
        queue_.Push(lane, std::move(job));
        ++nextJob_;
    }
    changed_.notify_one();
    return id;
}

bool SendEngine::Cancel(JobId job) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        const SendQueue::Cancelled cancelled = queue_.Cancel(job);
        if (!cancelled.found) {
            return false;
        }
        if (cancelled.waiting) {
            events_.push_back(Failure(job, "NATIVE_FLUTE_CANCELLED", "cancelled before it was sent"));
        }
    }
    onEvents_();
    return true;
}

void SendEngine::SetRate(uint64_t rateBps) {
    rateBps_ = rateBps;
}

std::vector<SendEvent> SendEngine::TakeEvents() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(events_, {});
}

SendEngineStats SendEngine::Stats() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Measured measured = MeasuredWithSpan();
    return {.packets = packets_,
            .wireBytes = wireBytes_,
            .busyMs = measured.busyNs / 1e6,
            .rateErrorRatio = measured.earnedBytes > 0 ? measured.sentBytes / measured.earnedBytes - 1 : 0,
            .lanes = queue_.states()};
}

SendEngine::Measured SendEngine::MeasuredWithSpan() const {
    Measured measured = measured_;
    if (!span_.open) {
        return measured;
    }
    const auto elapsedNs = static_cast<double>(span_.lastNs - span_.beginNs);
    const double bytesPerNs = static_cast<double>(span_.rateBps) / 8e9;
    const auto sentBytes = static_cast<double>(span_.wireBytes);
    measured.busyNs += elapsedNs;
    if (sentBytes >= kMeasuredSpanNs * bytesPerNs) {
        measured.earnedBytes += elapsedNs * bytesPerNs;
        measured.sentBytes += sentBytes;
    }
    return measured;
}

// The bucket starved, or the rate changed: what was measured so far is closed.
void SendEngine::CloseSpan() {
    measured_ = MeasuredWithSpan();
    span_ = {};
}

void SendEngine::Run() {
    packet::PreferTimeliness(options_.rateBps);
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopping_) {
        if (Step(lock)) {
            continue;
        }
        CloseSpan();
        changed_.wait(lock, [this] { return stopping_ || !queue_.idle(); });
    }
    CloseSpan();
}

// Answers false when there was nothing to send.
bool SendEngine::Step(std::unique_lock<std::mutex>& lock) {
    Lane* lane = queue_.Choose();
    if (lane == nullptr) {
        return false;
    }
    if (lane->cancelActive) {
        lane->active.reset();
        Finish(*lane,
               Failure(*lane->state.job, "NATIVE_FLUTE_CANCELLED", "cancelled while it was being sent"));
    } else if (lane->active || Begin(lock, *lane)) {
        SendSome(lock, *lane);
    }
    if (!events_.empty()) {
        lock.unlock();
        onEvents_();
        lock.lock();
    }
    return true;
}

// Opens the lane's next job. Answers whether there is something of it to send.
bool SendEngine::Begin(std::unique_lock<std::mutex>& lock, Lane& lane) {
    SendJob job = queue_.Take(lane);
    const JobId id = job.id;
    lock.unlock();
    std::unique_ptr<Transmission> transmission;
    SendEvent failure;
    try {
        transmission = std::make_unique<Transmission>(std::move(job), lane.memory, codes_);
    } catch (const JobError& error) {
        failure = Failure(id, error.code(), error.what());
    } catch (const std::exception& error) {
        failure = Failure(id, "NATIVE_FLUTE_SOURCE", error.what());
    }
    lock.lock();
    if (!transmission) {
        Finish(lane, std::move(failure));
        return false;
    }
    events_.push_back({.kind = SendEvent::Kind::kStarted, .job = id});
    lane.begunNs = packet::MonotonicNs();
    lane.sentPackets = 0;
    if (transmission->done()) {
        // An empty object is told of by the FDT alone.
        Finish(lane, {.kind = SendEvent::Kind::kSent, .job = id});
        return false;
    }
    lane.state.totalBytes =
        transmission->payloadBytesTotal() + transmission->packetsTotal() * HeaderBytes(transmission->job());
    lane.active = std::move(transmission);
    return true;
}

// Waits for the tokens; answers false when told to stop.
bool SendEngine::WaitFor(size_t wireBytes) {
    for (;;) {
        if (stopping_) {
            return false;
        }
        const uint64_t rateBps = rateBps_;
        if (rateBps != pacer_.rateBps()) {
            const std::lock_guard<std::mutex> lock(mutex_);
            CloseSpan();
            pacer_.SetRate(rateBps);
            packet::PreferTimeliness(rateBps);
        }
        if (!span_.open) {
            const int64_t nowNs = packet::MonotonicNs();
            pacer_.Restart(nowNs);
            const std::lock_guard<std::mutex> lock(mutex_);
            span_ = {.open = true, .beginNs = nowNs, .lastNs = nowNs, .wireBytes = 0, .rateBps = rateBps};
        }
        const int64_t readyNs = pacer_.ReadyNs(wireBytes);
        if (packet::MonotonicNs() >= readyNs) {
            return true;
        }
        packet::SleepUntil(readyNs, kWaitSliceNs);
    }
}

void SendEngine::SendSome(std::unique_lock<std::mutex>& lock, Lane& lane) {
    lock.unlock();
    const JobId id = lane.active->job().id;
    SendRun part{};
    size_t wireBytes = 0;
    SendEvent event;
    bool over = true;
    int64_t sentNs = 0;
    try {
        part = lane.active->Next(pacer_.BatchBytes(kBatchNs), HeaderBytes(lane.active->job()));
        wireBytes = part.run.length + part.packets * HeaderBytes(lane.active->job());
        over = !WaitFor(wireBytes);
        if (!over) {
            sentNs = packet::MonotonicNs();
            // Spent even if the network refuses it, so that a dead link does not make the carousel spin.
            pacer_.Spend(wireBytes, sentNs);
            socket_.Send({&part.run, 1}, stopping_);
            over = part.last;
        }
        event.kind = SendEvent::Kind::kSent;
    } catch (const JobError& error) {
        event = Failure(id, error.code(), error.what());
    } catch (const packet::SystemError& error) {
        event = Failure(id, error.code(), error.what());
    } catch (const std::exception& error) {
        event = Failure(id, "NATIVE_FLUTE_SOURCE", error.what());
    }
    const bool failed = event.kind == SendEvent::Kind::kFailed;
    if (over || failed) {
        lane.active.reset();
    }
    lock.lock();
    SendQueue::Spend(lane, wireBytes);
    if (failed) {
        CloseSpan();
    } else if (sentNs == 0) {
        return;  // told to stop
    } else {
        packets_ += part.packets;
        wireBytes_ += wireBytes;
        lane.sentPackets += part.packets;
        span_.wireBytes += wireBytes;
        span_.lastNs = sentNs;
        if (!part.last) {
            return;
        }
    }
    event.job = id;
    event.packets = lane.sentPackets;
    event.wireBytes = lane.state.sentBytes;
    event.durationMs = static_cast<double>(packet::MonotonicNs() - lane.begunNs) / 1e6;
    Finish(lane, std::move(event));
}

void SendEngine::Finish(Lane& lane, SendEvent event) {
    SendQueue::Finish(lane);
    events_.push_back(std::move(event));
}

}  // namespace streamverse::flute

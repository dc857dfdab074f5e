#include "modem/src/modulator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "packet/src/pacer.hpp"

namespace streamverse::modem {

namespace {

constexpr double kPortionSeconds = 0.002;
constexpr int64_t kSliceNs = 20'000'000;   // of a wait, between looks at `stopping_`
constexpr int64_t kLatestNs = 20'000'000;  // behind the clock, beyond which the clock begins anew

}  // namespace

Modulator::Modulator(ModulatorOptions options, std::unique_ptr<SampleSink> sink,
                     std::function<void()> onChange)
    : options_(std::move(options)),
      sink_(std::move(sink)),
      onChange_(std::move(onChange)),
      modulator_(options_.goldIndex),
      shaper_(options_.shape),
      queue_(options_.streams, options_.queueBytesMax) {
    thread_ = std::thread([this] { Work(); });
}

Modulator::~Modulator() {
    Stop();
}

void Modulator::Stop() {
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

bool Modulator::Append(size_t stream, std::optional<uint16_t> pls, std::span<const uint8_t> bytes) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (stopping_ || totals_.failure.has_value() || !queue_.Append(stream, pls, bytes)) {
            return false;
        }
        totals_.isIdle = totals_.isIdle && queue_.isEmpty();
    }
    changed_.notify_one();
    return true;
}

ModulatorTotals Modulator::Totals() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    ModulatorTotals totals = totals_;
    totals.queuedBytes = queue_.bytes();
    return totals;
}

void Modulator::Work() {
    try {
        sink_->Open(stopping_);
        Run();
        Finish();
    } catch (const std::exception& error) {
        const std::lock_guard<std::mutex> lock(mutex_);
        totals_.failure = error.what();
    }
    onChange_();
}

void Modulator::Run() {
    if (options_.isPaced) {
        packet::PreferTimeliness(
            static_cast<uint64_t>(options_.sampleRate * 8 * SampleBytes(options_.format)));
    }
    for (bool stopping = false; !stopping;) {
        const std::optional<QueuedFrame> frame = Next(stopping);
        if (!stopping && (frame.has_value() || options_.isPaced)) {
            Send(frame);
        }
    }
}

// None when there is no data; waits for it where nothing is sent without.
std::optional<QueuedFrame> Modulator::Next(bool& stopping) {
    std::unique_lock<std::mutex> lock(mutex_);
    const bool becomesIdle = !totals_.isIdle && queue_.isEmpty();
    if (becomesIdle) {
        totals_.isIdle = true;
        lock.unlock();
        onChange_();
        lock.lock();
    }
    if (!options_.isPaced) {
        changed_.wait(lock, [this] { return stopping_ || !queue_.isEmpty(); });
    }
    stopping = stopping_;
    const size_t before = queue_.bytes();
    std::optional<QueuedFrame> frame = queue_.Take();
    const size_t half = options_.queueBytesMax / 2;
    const bool hasRoom = before > half && queue_.bytes() <= half;
    lock.unlock();
    if (hasRoom) {
        onChange_();
    }
    return frame;
}

void Modulator::Send(const std::optional<QueuedFrame>& frame) {
    symbols_.clear();
    if (frame.has_value()) {
        modulator_.Modulate(frame->pls, frame->bytes, symbols_);
    } else {
        modulator_.ModulateDummy(symbols_);
    }
    WritePoints(symbols_);
    const std::lock_guard<std::mutex> lock(mutex_);
    totals_.symbols += symbols_.size();
    totals_.frames += frame.has_value() ? 1 : 0;
    totals_.dummyFrames += frame.has_value() ? 0 : 1;
}

void Modulator::Finish() {
    const bool isWhole = [this] {
        const std::lock_guard<std::mutex> lock(mutex_);
        return totals_.isIdle && totals_.symbols > 0;
    }();
    if (!options_.isPaced && isWhole) {
        // The output was told to stop, yet takes this: a file does, and a pipe that has room.
        WritePoints(std::vector<Point>(shaper_.spanSymbols(), Point{0, 0}));
    }
}

void Modulator::WritePoints(std::span<const Point> symbols) {
    samples_.clear();
    shaper_.Append(symbols, samples_);
    const auto portion =
        std::max<size_t>(1, static_cast<size_t>(std::lround(options_.sampleRate * kPortionSeconds)));
    for (size_t at = 0; at < samples_.size(); at += portion) {
        const auto some =
            std::span<const Point>(samples_).subspan(at, std::min(portion, samples_.size() - at));
        if (options_.isPaced && stopping_) {
            return;
        }
        bytes_.clear();
        FormatSamples(some, options_.format, bytes_);
        WaitForClock(some.size());
        sink_->Write(bytes_, stopping_);
        const std::lock_guard<std::mutex> lock(mutex_);
        totals_.samples += some.size();
        totals_.underruns = lateTimes_ + sink_->underruns();
    }
}

// Until the next `samples` samples are due.
void Modulator::WaitForClock(size_t samples) {
    if (!options_.isPaced || sink_->HasClock()) {
        return;
    }
    const int64_t nowNs = packet::MonotonicNs();
    const auto dueNs = [this] {
        return begunNs_ + static_cast<int64_t>(static_cast<double>(sentSince_) / options_.sampleRate * 1e9);
    };
    if (begunNs_ < 0 || nowNs - dueNs() > kLatestNs) {
        lateTimes_ += begunNs_ < 0 ? 0 : 1;
        begunNs_ = nowNs;
        sentSince_ = 0;
    }
    while (!stopping_ && packet::MonotonicNs() < dueNs()) {
        packet::SleepUntil(dueNs(), kSliceNs);
    }
    sentSince_ += samples;
}

}  // namespace streamverse::modem

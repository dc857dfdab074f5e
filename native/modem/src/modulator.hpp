// The modulator at work: takes frames from a queue, gives samples to an output at their rate, on a thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "modem/src/frame_modulator.hpp"
#include "modem/src/frame_queue.hpp"
#include "modem/src/pulse_shaper.hpp"
#include "modem/src/sample_sink.hpp"

namespace streamverse::modem {

struct ModulatorOptions {
    std::vector<InputStream> streams;
    uint32_t goldIndex = 0;
    Shape shape;
    SampleFormat format = SampleFormat::kInteger;
    double sampleRate;     // per second
    bool isPaced = true;   // else as fast as the output takes it, and nothing is sent without data
    size_t queueBytesMax;  // of BBFRAMEs
};

struct ModulatorTotals {
    uint64_t frames = 0;
    uint64_t dummyFrames = 0;  // sent because there was no data
    uint64_t symbols = 0;
    uint64_t samples = 0;
    uint64_t underruns = 0;  // times that samples came later than the clock wanted them
    uint64_t queuedBytes = 0;
    bool isIdle = true;  // all that was queued has been written
    std::optional<std::string> failure;
};

class Modulator {
 public:
    // `onChange` is called on the thread, without locks held: when the queue has room again, when all was
    // written, when the output failed. Throws std::invalid_argument for options that make no sense.
    Modulator(ModulatorOptions options, std::unique_ptr<SampleSink> sink, std::function<void()> onChange);
    ~Modulator();
    Modulator(const Modulator&) = delete;
    Modulator& operator=(const Modulator&) = delete;

    // Any thread; as FrameQueue::Append. False after Stop or a failure too.
    bool Append(size_t stream, std::optional<uint16_t> pls, std::span<const uint8_t> bytes);

    // Any thread.
    ModulatorTotals Totals() const;

    // Any thread. Frames that still wait are not sent; what the filter holds of an unpaced output is, when
    // none waits.
    void Stop();

 private:
    void Work();
    void Run();
    void Finish();
    std::optional<QueuedFrame> Next(bool& stopping);
    void Send(const std::optional<QueuedFrame>& frame);
    void WritePoints(std::span<const Point> symbols);
    void WaitForClock(size_t samples);

    const ModulatorOptions options_;
    const std::unique_ptr<SampleSink> sink_;
    const std::function<void()> onChange_;
    FrameModulator modulator_;
    PulseShaper shaper_;
    std::vector<Point> symbols_;
    std::vector<Point> samples_;
    std::vector<uint8_t> bytes_;
    int64_t begunNs_ = -1;  // when the first of sentSince_ samples was due
    uint64_t sentSince_ = 0;
    uint64_t lateTimes_ = 0;
    std::atomic<bool> stopping_{false};

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    FrameQueue queue_;
    ModulatorTotals totals_;

    std::mutex joinMutex_;
    std::thread thread_;
};

}  // namespace streamverse::modem

#include "packet/src/send_thread.hpp"

#include <algorithm>
#include <utility>

namespace streamverse::packet {
namespace {

constexpr int64_t kBatchNs = 2'000'000;
constexpr int64_t kWaitSliceNs = 20'000'000;
constexpr size_t kUnpacedBatchBytes = size_t{1} << 20;

size_t HeaderBytes(const SocketAddress& destination) {
    return destination.family() == AF_INET ? 28 : 48;
}

}  // namespace

SendThread::SendThread(SendThreadOptions options, std::function<void()> onIdle)
    : options_(std::move(options)),
      onIdle_(std::move(onIdle)),
      socket_(options_.socket),
      pacer_(std::max<uint64_t>(1, options_.rateBps), options_.burstBytesMax) {
    FindInterface(options_.socket.interfaceAddress);
    thread_ = std::thread([this] { Work(); });
}

SendThread::~SendThread() {
    Stop();
}

void SendThread::Stop() {
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

bool SendThread::Push(OutBatch batch) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        const uint64_t bytes = batch.bytes.size() + batch.lengths.size() * sizeof(uint32_t);
        if (stopping_ || stats_.queuedBytes + bytes > options_.queueBytesMax) {
            stats_.dropped += batch.lengths.size();
            return false;
        }
        stats_.queuedBytes += bytes;
        queue_.push_back(std::move(batch));
    }
    changed_.notify_one();
    return true;
}

SendThreadStats SendThread::Stats() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stats_;
}

void SendThread::Work() {
    if (options_.rateBps > 0) {
        PreferTimeliness(options_.rateBps);
    }
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
        if (queue_.empty()) {
            starved_ = true;
            changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        }
        if (stopping_) {
            return;
        }
        const OutBatch batch = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        Send(batch);
        lock.lock();
        stats_.queuedBytes -= batch.bytes.size() + batch.lengths.size() * sizeof(uint32_t);
        if (queue_.empty()) {
            lock.unlock();
            onIdle_();
            lock.lock();
        }
    }
}

// Leaves in runs_ the datagrams from `first` (at byte `offset`) on that may go together; answers how many
// they are.
size_t SendThread::Cut(const OutBatch& batch, size_t first, size_t offset, size_t bytesMax) {
    runs_.clear();
    cutBytes_ = 0;
    size_t next = first;
    bool open = false;  // whether the last run may grow
    for (; next < batch.lengths.size(); ++next) {
        const size_t length = batch.lengths[next];
        const size_t headers = (next - first + 1) * HeaderBytes(batch.destination);
        if (next > first && cutBytes_ + length + headers > bytesMax) {
            break;
        }
        if (open && length > 0 && length <= runs_.back().segmentBytes) {
            runs_.back().length += length;
            open = length == runs_.back().segmentBytes;
        } else {
            runs_.push_back({&batch.destination, batch.bytes.data() + offset, length, length});
            open = length > 0;
        }
        offset += length;
        cutBytes_ += length;
    }
    return next - first;
}

bool SendThread::WaitFor(size_t wireBytes) {
    if (options_.rateBps == 0) {
        return true;
    }
    if (std::exchange(starved_, false)) {
        pacer_.Restart(MonotonicNs());
    }
    while (!stopping_) {
        const int64_t readyNs = pacer_.ReadyNs(wireBytes);
        const int64_t nowNs = MonotonicNs();
        if (nowNs >= readyNs) {
            pacer_.Spend(wireBytes, nowNs);
            return true;
        }
        SleepUntil(readyNs, kWaitSliceNs);
    }
    return false;
}

void SendThread::Send(const OutBatch& batch) {
    const size_t bytesMax = options_.rateBps == 0 ? kUnpacedBatchBytes : pacer_.BatchBytes(kBatchNs);
    size_t offset = 0;
    for (size_t next = 0; next < batch.lengths.size() && !stopping_;) {
        const size_t count = Cut(batch, next, offset, bytesMax);
        if (!WaitFor(cutBytes_ + count * HeaderBytes(batch.destination))) {
            return;
        }
        uint64_t failed = 0;
        const uint64_t before = socket_.counters().datagrams;
        try {
            socket_.Send(runs_, stopping_);
        } catch (const SystemError&) {
            failed = count - (socket_.counters().datagrams - before);
        }
        next += count;
        offset += cutBytes_;
        const std::lock_guard<std::mutex> lock(mutex_);
        stats_.counters = socket_.counters();
        stats_.failed += failed;
    }
}

}  // namespace streamverse::packet

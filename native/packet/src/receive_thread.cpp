#include "packet/src/receive_thread.hpp"

#include <utility>

namespace streamverse::packet {
namespace {

// Empty datagrams cost bytes of their own in the batch's lists.
constexpr size_t kDatagramOverheadBytes = 8;

}  // namespace

ReceiveThread::ReceiveThread(const ReceiverOptions& options, size_t batchBytesMax,
                             std::function<void()> onBatch)
    : receiver_(options), batchBytesMax_(batchBytesMax), onBatch_(std::move(onBatch)) {
    thread_ = std::thread([this] { Run(); });
}

ReceiveThread::~ReceiveThread() {
    Stop();
}

void ReceiveThread::Stop() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        stopping_ = true;
    }
    receiver_.Wake();
    const std::lock_guard<std::mutex> joining(joinMutex_);
    if (thread_.joinable()) {
        thread_.join();
    }
}

void ReceiveThread::Do(std::function<void()> work) {
    std::packaged_task<void()> task(std::move(work));
    std::future<void> done = task.get_future();
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (stopping_) {
            throw SystemError("NATIVE_PACKET_CLOSED", "the receiver is closed");
        }
        tasks_.push_back(std::move(task));
    }
    receiver_.Wake();
    done.get();
}

EndpointId ReceiveThread::Join(const Endpoint& endpoint) {
    EndpointId id = 0;
    Do([&] { id = receiver_.Join(endpoint); });
    return id;
}

void ReceiveThread::Leave(EndpointId id) {
    Do([&] { receiver_.Leave(id); });
}

PacketBatch ReceiveThread::Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(batch_, {});
}

ReceiveThreadStats ReceiveThread::Stats() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stats_;
}

void ReceiveThread::RunTasks() {
    std::deque<std::packaged_task<void()>> tasks;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        tasks.swap(tasks_);
    }
    for (auto& task : tasks) {
        task();
    }
}

void ReceiveThread::Add(std::span<const Datagram> datagrams) {
    bool begun = false;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        begun = batch_.lengths.empty();
        for (const Datagram& datagram : datagrams) {
            const size_t held = batch_.bytes.size() + batch_.lengths.size() * kDatagramOverheadBytes;
            if (held + datagram.bytes.size() + kDatagramOverheadBytes > batchBytesMax_) {
                ++stats_.dropped;
                continue;
            }
            batch_.bytes.insert(batch_.bytes.end(), datagram.bytes.begin(), datagram.bytes.end());
            batch_.lengths.push_back(static_cast<uint32_t>(datagram.bytes.size()));
            batch_.endpoints.push_back(datagram.endpoint);
        }
        stats_.counters = receiver_.counters();
        begun = begun && !batch_.lengths.empty();
    }
    if (begun) {
        onBatch_();
    }
}

void ReceiveThread::Run() {
    for (;;) {
        RunTasks();
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (stopping_) {
                return;
            }
        }
        Add(receiver_.Receive(-1));
    }
}

}  // namespace streamverse::packet

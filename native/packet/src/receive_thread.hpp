// A thread around UdpReceiver that gathers datagrams into one batch until somebody takes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "packet/src/udp_receiver.hpp"

namespace streamverse::packet {

struct PacketBatch {
    std::vector<uint8_t> bytes;  // the datagrams one behind the other
    std::vector<uint32_t> lengths;
    std::vector<uint32_t> endpoints;
};

struct ReceiveThreadStats {
    ReceiverCounters counters;
    uint64_t dropped = 0;  // read, but the batch was full
};

class ReceiveThread {
 public:
    // `onBatch` is called on the thread, without locks held, whenever a batch has begun.
    ReceiveThread(const ReceiverOptions& options, size_t batchBytesMax, std::function<void()> onBatch);
    ~ReceiveThread();
    ReceiveThread(const ReceiveThread&) = delete;
    ReceiveThread& operator=(const ReceiveThread&) = delete;

    // Any thread but its own; they wait for it, which takes microseconds. Throw as UdpReceiver does.
    EndpointId Join(const Endpoint& endpoint);
    void Leave(EndpointId id);

    // What came since the last call. Any thread.
    PacketBatch Take();
    ReceiveThreadStats Stats() const;
    void Stop();

 private:
    void Run();
    void Add(std::span<const Datagram> datagrams);
    void RunTasks();
    void Do(std::function<void()> task);

    UdpReceiver receiver_;  // the thread's
    const size_t batchBytesMax_;
    std::function<void()> onBatch_;

    mutable std::mutex mutex_;
    bool stopping_ = false;
    std::deque<std::packaged_task<void()>> tasks_;
    PacketBatch batch_;
    ReceiveThreadStats stats_;

    std::mutex joinMutex_;
    std::thread thread_;
};

}  // namespace streamverse::packet

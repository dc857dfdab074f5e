// A thread around UdpSender that sends queued datagrams in order, paced or as fast as they go.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "packet/src/pacer.hpp"
#include "packet/src/udp_sender.hpp"

namespace streamverse::packet {

struct SendThreadOptions {
    SenderOptions socket;
    uint64_t rateBps = 0;  // IP layer; 0: unpaced
    size_t burstBytesMax = 65536;
    size_t queueBytesMax = size_t{16} << 20;
};

// Datagrams of one destination, one behind the other.
struct OutBatch {
    SocketAddress destination;
    std::vector<uint8_t> bytes;
    std::vector<uint32_t> lengths;
};

struct SendThreadStats {
    SenderCounters counters;
    uint64_t dropped = 0;  // the queue was full
    uint64_t failed = 0;   // the network refused them
    uint64_t queuedBytes = 0;
};

class SendThread {
 public:
    // `onIdle` is called on the thread, without locks held, whenever all has been sent.
    SendThread(SendThreadOptions options, std::function<void()> onIdle);
    ~SendThread();
    SendThread(const SendThread&) = delete;
    SendThread& operator=(const SendThread&) = delete;

    // Any thread. A batch that does not fit into the queue is dropped whole and counted: false.
    bool Push(OutBatch batch);
    SendThreadStats Stats() const;
    void Stop();

 private:
    void Work();
    void Send(const OutBatch& batch);
    size_t Cut(const OutBatch& batch, size_t first, size_t offset, size_t bytesMax);
    bool WaitFor(size_t wireBytes);

    const SendThreadOptions options_;
    std::function<void()> onIdle_;
    UdpSender socket_;
    Pacer pacer_;
    bool starved_ = true;
    std::vector<Run> runs_;
    size_t cutBytes_ = 0;
    std::atomic<bool> stopping_{false};

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<OutBatch> queue_;
    SendThreadStats stats_;

    std::mutex joinMutex_;
    std::thread thread_;
};

}  // namespace streamverse::packet

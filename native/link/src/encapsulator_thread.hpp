// Takes the datagrams of groups, and sends the carrier at its exact rate: a thread for each.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "link/src/ip_datagram.hpp"
#include "link/src/link_encoder.hpp"
#include "link/src/link_output.hpp"
#include "packet/src/udp_receiver.hpp"

namespace streamverse::link {

struct EncapsulatorInput {
    packet::Endpoint endpoint;
    uint16_t serviceId = 0;
    std::string sourceAddress;  // in the rebuilt header; empty: the sender's own
};

struct EncapsulatorStats {
    LayerTotals totals;
    uint64_t droppedDatagrams = 0;
    uint64_t droppedBytes = 0;
    uint64_t refusedDatagrams = 0;
    uint64_t queuedBytes = 0;
    uint64_t kernelDrops = 0;
    uint64_t underruns = 0;
    int64_t underrunNs = 0;
    int64_t elapsedNs = 0;
    uint64_t lostBytes = 0;
};

class EncapsulatorThread {
 public:
    using OnFailed = std::function<void(const packet::SystemError&)>;

    // Throws packet::SystemError or std::invalid_argument. `onFailed` on the sending thread.
    EncapsulatorThread(const EncoderOptions& options, const std::vector<EncapsulatorInput>& inputs,
                       int receiveBufferBytes, std::unique_ptr<LinkOutput> output, OnFailed onFailed);
    ~EncapsulatorThread() { Stop(); }
    EncapsulatorThread(const EncapsulatorThread&) = delete;
    EncapsulatorThread& operator=(const EncapsulatorThread&) = delete;

    // Any thread. Stop is idempotent.
    EncapsulatorStats stats() const;
    void Stop();

 private:
    struct Flow {
        UdpEnd destination;
        std::optional<UdpEnd> source;
        uint16_t serviceId;
    };

    const LinkRate rate_;
    mutable std::mutex mutex_;  // of the encoder and the statistics
    LinkEncoder encoder_;
    EncapsulatorStats stats_;
    const size_t unitBytes_;
    packet::UdpReceiver sockets_;
    std::map<packet::EndpointId, Flow> flows_;
    std::unique_ptr<LinkOutput> output_;
    OnFailed onFailed_;
    // The receiving thread's.
    std::vector<uint8_t> datagram_;
    uint16_t identification_ = 0;

    std::atomic<bool> stopping_{false};
    std::mutex stopMutex_;
    std::thread receiving_;
    std::thread sending_;

    void Receive();
    void Take(const packet::Datagram& datagram);
    void Send();
    void SendUntilStopped();
};

}  // namespace streamverse::link

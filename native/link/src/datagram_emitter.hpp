// Sends UDP datagrams to multicast groups again, as their sender did.
#pragma once

#include <atomic>
#include <deque>
#include <vector>

#include "link/src/byte_order.hpp"
#include "packet/src/udp_sender.hpp"

namespace streamverse::link {

struct EmitterCounters {
    uint64_t emitted = 0;
    uint64_t passedOver = 0;  // no whole UDP datagrams to a group
    uint64_t failed = 0;
};

// One thread.
class DatagramEmitter {
 public:
    explicit DatagramEmitter(const packet::SenderOptions& options) : sender_(options) {}

    // An IP datagram, kept until Flush.
    void Add(Bytes datagram);
    // Sends what has been added.
    void Flush(const std::atomic<bool>& stopping);

    const EmitterCounters& counters() const { return counters_; }

 private:
    struct Part {
        size_t destination;
        size_t offset;
        size_t bytes;
    };

    packet::UdpSender sender_;
    std::deque<packet::SocketAddress> destinations_;
    std::vector<uint8_t> payloads_;
    std::vector<Part> parts_;
    std::vector<packet::Run> runs_;
    EmitterCounters counters_;

    size_t IndexOf(const packet::SocketAddress& destination);
};

}  // namespace streamverse::link

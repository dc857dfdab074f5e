// UDP out, in batches: UDP_SEGMENT where the kernel has it, sendmmsg otherwise.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "packet/src/descriptor.hpp"
#include "packet/src/endpoint.hpp"

namespace streamverse::packet {

// Datagrams of one destination that lie one behind the other: all segmentBytes long, the last one perhaps
// shorter.
struct Run {
    const SocketAddress* destination;
    const uint8_t* bytes;
    size_t length;        // of all of them
    size_t segmentBytes;  // 0 only for one empty datagram
};

struct SenderOptions {
    std::string interfaceAddress;    // empty: the routing table's choice
    std::string sourceAddress = {};  // bound to; empty: the interface's
    int ttl = 1;
    bool loop = true;
    int sendBufferBytes = 4 * 1024 * 1024;
    bool segmentationOffload = true;
};

struct SenderCounters {
    uint64_t datagrams = 0;
    uint64_t bytes = 0;  // UDP payload
    uint64_t waits = 0;  // times that the kernel had no room
    uint64_t refused =
        0;  // a unicast receiver said port unreachable: nobody listens; the datagrams count as sent
};

// One thread.
class UdpSender {
 public:
    explicit UdpSender(SenderOptions options) : options_(std::move(options)) {}
    UdpSender(const UdpSender&) = delete;
    UdpSender& operator=(const UdpSender&) = delete;

    // Makes sure that datagrams to this family can leave; otherwise the first Send does. Throws SystemError.
    void Prepare(int family) { SocketFor(family); }

    // Sends all, waiting while the kernel has no room, at most kStallMsMax without progress. Answers the
    // number of datagrams that the kernel took: fewer only when `stop` became true. Throws SystemError
    // NATIVE_PACKET_SEND.
    size_t Send(std::span<const Run> runs, const std::atomic<bool>& stop);

    const SenderCounters& counters() const { return counters_; }

    static constexpr int kStallMsMax = 2000;

 private:
    struct Piece {
        const SocketAddress* destination;
        iovec vector;
        size_t datagrams;
        size_t segmentBytes;
    };

    int SocketFor(int family);
    void Cut(std::span<const Run> runs);
    size_t Push(size_t first, size_t end);
    bool Recover(int number, int descriptor, int& stalledMs);
    void AskOffload();

    SenderOptions options_;
    Descriptor ipv4_;
    Descriptor ipv6_;
    bool offload_ = false;
    bool offloadAsked_ = false;
    std::vector<Piece> pieces_;
    std::vector<mmsghdr> messages_;
    std::vector<uint8_t> control_;
    SenderCounters counters_;
};

}  // namespace streamverse::packet

// UDP multicast in, in batches: several endpoints on one thread, kernel drops counted.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "packet/src/descriptor.hpp"
#include "packet/src/endpoint.hpp"

namespace streamverse::packet {

using EndpointId = uint32_t;  // never reused by one receiver

struct Datagram {
    EndpointId endpoint;
    std::span<const uint8_t> bytes;  // valid until the next Receive or Leave
    const sockaddr* source;          // as long; null unless it is asked for
};

struct ReceiverOptions {
    int receiveBufferBytes =
        4 * 1024 * 1024;               // asked of the kernel; SO_RCVBUFFORCE where we may, else SO_RCVBUF
    unsigned batchDatagrams = 64;      // per system call
    unsigned datagramBytesMax = 2048;  // longer ones are dropped and counted; with GRO 65535 is taken
    bool tellsSource = false;
    bool gro = false;  // UDP_GRO: one read may bring up to 64 datagrams of one sender
};

struct ReceiverCounters {
    uint64_t datagrams = 0;
    uint64_t bytes = 0;        // UDP payload
    uint64_t kernelDrops = 0;  // SO_RXQ_OVFL: the socket's buffer was full
    uint64_t truncated = 0;    // longer than datagramBytesMax
    uint64_t reads = 0;        // recvmmsg calls that brought something
};

// One socket per endpoint, bound to the group's own address with IP_MULTICAST_ALL off: a socket bound to a
// bare port would be handed every group that anybody on this host joined on it, and two source-specific joins
// of one group stay apart. All methods on one thread, save Wake.
class UdpReceiver {
 public:
    // Throws SystemError.
    explicit UdpReceiver(const ReceiverOptions& options);
    ~UdpReceiver();
    UdpReceiver(const UdpReceiver&) = delete;
    UdpReceiver& operator=(const UdpReceiver&) = delete;

    // Throws SystemError (NATIVE_PACKET_ADDRESS, NATIVE_PACKET_JOIN, NATIVE_PACKET_SOCKET,
    // NATIVE_PACKET_LIMIT).
    EndpointId Join(const Endpoint& endpoint);
    void Leave(EndpointId id);

    // Waits up to timeoutMs (-1: for ever) for datagrams or Wake; an empty span means neither came, Wake
    // came, or only datagrams that were dropped. One call reads one batch of one socket; ready sockets take
    // turns.
    std::span<const Datagram> Receive(int timeoutMs);

    // Makes the running or the next Receive return early. Any thread.
    void Wake();

    // Since construction, sockets already left included.
    const ReceiverCounters& counters() const { return counters_; }

    // What the kernel granted to the socket, for the log; 0 for an unknown id.
    int grantedBufferBytes(EndpointId id) const;

 private:
    struct Socket {
        Descriptor descriptor;
        uint32_t overflow = 0;  // last SO_RXQ_OVFL value
    };

    std::span<const Datagram> Read(EndpointId id, Socket& socket);
    void Take(EndpointId id, Socket& socket, size_t index, unsigned length);

    ReceiverOptions options_;
    Descriptor epoll_;
    Descriptor wake_;
    EndpointId nextId_ = 1;
    std::unordered_map<EndpointId, Socket> sockets_;
    std::vector<EndpointId> ready_;  // what the last epoll_wait named and is not read yet
    std::vector<uint8_t> buffer_;
    std::vector<uint8_t> control_;
    std::vector<sockaddr_storage> sources_;  // none unless they are told
    std::vector<iovec> vectors_;
    std::vector<mmsghdr> messages_;
    std::vector<Datagram> datagrams_;
    ReceiverCounters counters_;
};

}  // namespace streamverse::packet

#include "packet/src/udp_sender.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace streamverse::packet {
namespace {

// The kernel's own limits for one UDP_SEGMENT send: UDP_MAX_SEGMENTS, and one UDP datagram's length before
// cutting.
constexpr size_t kSegmentsMax = 64;
constexpr size_t kOffloadBytesMax = 65507;
constexpr size_t kMessagesMax = 256;
constexpr size_t kControlBytes = CMSG_SPACE(sizeof(uint16_t));
constexpr int kPollMs = 20;

void ChooseInterface(int descriptor, int family, const SenderOptions& options) {
    const int index = static_cast<int>(FindInterface(options.interfaceAddress));
    const int loop = options.loop ? 1 : 0;
    if (family == AF_INET) {
        if (index != 0) {
            ip_mreqn request{};
            request.imr_ifindex = index;
            // The address too: it becomes the packets' source, by which receivers of a source-specific group
            // choose.
            if (::if_nametoindex(options.interfaceAddress.c_str()) == 0) {
                const SocketAddress source = ParseAddress(options.interfaceAddress, 0);
                if (source.family() == AF_INET) {
                    request.imr_address = reinterpret_cast<const sockaddr_in*>(source.get())->sin_addr;
                }
            }
            SetOption(descriptor, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof(request), "IP_MULTICAST_IF");
        }
        SetOption(descriptor, IPPROTO_IP, IP_MULTICAST_TTL, options.ttl, "IP_MULTICAST_TTL");
        SetOption(descriptor, IPPROTO_IP, IP_MULTICAST_LOOP, loop, "IP_MULTICAST_LOOP");
    } else {
        if (index != 0) {
            SetOption(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_IF, index, "IPV6_MULTICAST_IF");
        }
        SetOption(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, options.ttl, "IPV6_MULTICAST_HOPS");
        SetOption(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, loop, "IPV6_MULTICAST_LOOP");
    }
}

void BindSource(int descriptor, int family, const std::string& text) {
    if (text.empty()) {
        return;
    }
    const SocketAddress source = ParseAddress(text, 0);
    if (source.family() == family && ::bind(descriptor, source.get(), source.length) != 0) {
        throw SystemError("NATIVE_PACKET_ADDRESS", "no datagram can leave from " + text, errno);
    }
}

}  // namespace

int UdpSender::SocketFor(int family) {
    Descriptor& slot = family == AF_INET ? ipv4_ : ipv6_;
    if (!slot.valid()) {
        Descriptor descriptor(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!descriptor.valid()) {
            throw SystemError("NATIVE_PACKET_SOCKET", "no socket", errno);
        }
        if (::setsockopt(descriptor.get(), SOL_SOCKET, SO_SNDBUFFORCE, &options_.sendBufferBytes,
                         sizeof(int)) != 0) {
            SetOption(descriptor.get(), SOL_SOCKET, SO_SNDBUF, options_.sendBufferBytes, "SO_SNDBUF");
        }
        ChooseInterface(descriptor.get(), family, options_);
        BindSource(descriptor.get(), family, options_.sourceAddress);
        slot = std::move(descriptor);
        AskOffload();
    }
    return slot.get();
}

void UdpSender::AskOffload() {
    if (offloadAsked_ || !options_.segmentationOffload) {
        return;
    }
    offloadAsked_ = true;
    int size = 0;
    socklen_t length = sizeof(size);
    const int descriptor = ipv4_.valid() ? ipv4_.get() : ipv6_.get();
    offload_ = ::getsockopt(descriptor, SOL_UDP, UDP_SEGMENT, &size, &length) == 0;
}

// Cuts runs into what one message may carry.
void UdpSender::Cut(std::span<const Run> runs) {
    pieces_.clear();
    for (const Run& run : runs) {
        SocketFor(run.destination->family());
        size_t offset = 0;
        do {
            size_t bytes = std::min(run.segmentBytes, run.length - offset);
            size_t datagrams = 1;
            if (offload_ && run.segmentBytes > 0) {
                const size_t most =
                    std::max<size_t>(1, std::min(kSegmentsMax, kOffloadBytesMax / run.segmentBytes));
                bytes = std::min(most * run.segmentBytes, run.length - offset);
                datagrams = (bytes + run.segmentBytes - 1) / run.segmentBytes;
            }
            pieces_.push_back({run.destination,
                               {const_cast<uint8_t*>(run.bytes + offset), bytes},
                               datagrams,
                               run.segmentBytes});
            offset += bytes;
        } while (offset < run.length);
    }
}

// One sendmmsg of pieces of one family; answers how many pieces went.
size_t UdpSender::Push(size_t first, size_t end) {
    messages_.resize(kMessagesMax);
    control_.resize(kMessagesMax * kControlBytes);
    const int family = pieces_[first].destination->family();
    size_t count = 0;
    while (first + count < end && count < kMessagesMax &&
           pieces_[first + count].destination->family() == family) {
        Piece& piece = pieces_[first + count];
        msghdr& header = messages_[count].msg_hdr;
        header = {};
        header.msg_name = const_cast<sockaddr*>(piece.destination->get());
        header.msg_namelen = piece.destination->length;
        header.msg_iov = &piece.vector;
        header.msg_iovlen = 1;
        if (piece.datagrams > 1) {
            header.msg_control = control_.data() + count * kControlBytes;
            header.msg_controllen = kControlBytes;
            cmsghdr* part = CMSG_FIRSTHDR(&header);
            part->cmsg_level = SOL_UDP;
            part->cmsg_type = UDP_SEGMENT;
            part->cmsg_len = CMSG_LEN(sizeof(uint16_t));
            const auto size = static_cast<uint16_t>(piece.segmentBytes);
            std::memcpy(CMSG_DATA(part), &size, sizeof(size));
        }
        ++count;
    }
    const int sent = ::sendmmsg(SocketFor(family), messages_.data(), static_cast<unsigned>(count), 0);
    return sent < 0 ? 0 : static_cast<size_t>(sent);
}

// Answers whether to try again.
bool UdpSender::Recover(int number, int descriptor, int& stalledMs) {
    switch (number) {
        case EINTR:
            return true;
        case ECONNREFUSED:
            // The answer to an earlier datagram; reading it has cleared it, and nothing of this call was
            // sent.
            ++counters_.refused;
            return true;
        case EAGAIN:
        case ENOBUFS:
        case ENOMEM: {
            if (stalledMs >= kStallMsMax) {
                return false;
            }
            ++counters_.waits;
            // A full device queue (ENOBUFS) reports the socket writable all the same, hence the least wait.
            pollfd entry{descriptor, POLLOUT, 0};
            ::poll(number == EAGAIN ? &entry : nullptr, number == EAGAIN ? 1 : 0,
                   number == EAGAIN ? kPollMs : 1);
            stalledMs += number == EAGAIN ? kPollMs : 1;
            return true;
        }
        default:
            return false;
    }
}

size_t UdpSender::Send(std::span<const Run> runs, const std::atomic<bool>& stop) {
    Cut(runs);
    size_t next = 0;
    size_t datagrams = 0;
    int stalledMs = 0;
    while (next < pieces_.size() && !stop.load(std::memory_order_relaxed)) {
        const size_t sent = Push(next, pieces_.size());
        if (sent > 0) {
            for (const size_t end = next + sent; next < end; ++next) {
                datagrams += pieces_[next].datagrams;
                counters_.datagrams += pieces_[next].datagrams;
                counters_.bytes += pieces_[next].vector.iov_len;
            }
            stalledMs = 0;
            continue;
        }
        const int number = errno;
        if ((number == EIO || number == EINVAL) && offload_ && pieces_[next].datagrams > 1) {
            // A device without checksum offload refuses UDP_SEGMENT: go on without it, from where we stand.
            offload_ = false;
            std::vector<Run> rest;
            for (size_t index = next; index < pieces_.size(); ++index) {
                const Piece& piece = pieces_[index];
                rest.push_back({piece.destination, static_cast<const uint8_t*>(piece.vector.iov_base),
                                piece.vector.iov_len, piece.segmentBytes});
            }
            return datagrams + Send(rest, stop);
        }
        const int descriptor = SocketFor(pieces_[next].destination->family());
        if (!Recover(number, descriptor, stalledMs)) {
            throw SystemError("NATIVE_PACKET_SEND", "the datagrams cannot be sent", number);
        }
    }
    return datagrams;
}

}  // namespace streamverse::packet

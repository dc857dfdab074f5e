#include "packet/src/udp_receiver.hpp"

#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace streamverse::packet {
namespace {

constexpr size_t kEndpointsMax = 1024;
constexpr unsigned kGroDatagramBytesMax = 65535;
// Room for SO_RXQ_OVFL (u32) and UDP_GRO (int), each with its header.
constexpr size_t kControlBytes = 2 * CMSG_SPACE(sizeof(int));
constexpr EndpointId kWakeId = 0;

ReceiverOptions Checked(ReceiverOptions options) {
    if (options.gro) {
        options.datagramBytesMax = kGroDatagramBytesMax;
    }
    if (options.batchDatagrams < 1 || options.batchDatagrams > 1024 || options.datagramBytesMax < 1 ||
        options.datagramBytesMax > kGroDatagramBytesMax || options.receiveBufferBytes < 1) {
        throw SystemError("NATIVE_PACKET_LIMIT", "a batch is 1..1024 datagrams of 1..65535 bytes");
    }
    return options;
}

void Watch(int epoll, int descriptor, EndpointId id) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = id;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        throw SystemError("NATIVE_PACKET_SOCKET", "epoll refuses the socket", errno);
    }
}

void JoinGroup(int descriptor, const SocketAddress& group, const Endpoint& endpoint) {
    const unsigned index = FindInterface(endpoint.interfaceAddress);
    const int level = group.family() == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    int result;
    if (endpoint.source.empty()) {
        group_req request{};
        request.gr_interface = index;
        request.gr_group = group.storage;
        result = ::setsockopt(descriptor, level, MCAST_JOIN_GROUP, &request, sizeof(request));
    } else {
        const SocketAddress source = ParseAddress(endpoint.source, 0);
        if (source.family() != group.family()) {
            throw SystemError("NATIVE_PACKET_ADDRESS", "source and group are of different families");
        }
        group_source_req request{};
        request.gsr_interface = index;
        request.gsr_group = group.storage;
        request.gsr_source = source.storage;
        result = ::setsockopt(descriptor, level, MCAST_JOIN_SOURCE_GROUP, &request, sizeof(request));
    }
    if (result != 0) {
        throw SystemError("NATIVE_PACKET_JOIN", "the group " + endpoint.group + " cannot be joined", errno);
    }
}

Descriptor OpenSocket(const Endpoint& endpoint, const ReceiverOptions& options) {
    const SocketAddress group = ParseAddress(endpoint.group, endpoint.port);
    Descriptor descriptor(::socket(group.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!descriptor.valid()) {
        throw SystemError("NATIVE_PACKET_SOCKET", "no socket", errno);
    }
    const int fd = descriptor.get();
    SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    SetOption(fd, SOL_SOCKET, SO_RXQ_OVFL, 1, "SO_RXQ_OVFL");
    // Above net.core.rmem_max only CAP_NET_ADMIN helps; without it the kernel grants what it may.
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &options.receiveBufferBytes, sizeof(int)) != 0) {
        SetOption(fd, SOL_SOCKET, SO_RCVBUF, options.receiveBufferBytes, "SO_RCVBUF");
    }
    if (options.gro) {
        SetOption(fd, SOL_UDP, UDP_GRO, 1, "UDP_GRO");
    }
    const bool ipv4 = group.family() == AF_INET;
    if (ipv4) {
        SetOption(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL");
    } else {
        SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
        SetOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0, "IPV6_MULTICAST_ALL");
    }
    SocketAddress bound = group;
    if (!ipv4 && reinterpret_cast<sockaddr_in6*>(&bound.storage)->sin6_scope_id == 0) {
        reinterpret_cast<sockaddr_in6*>(&bound.storage)->sin6_scope_id =
            FindInterface(endpoint.interfaceAddress);
    }
    if (::bind(fd, bound.get(), bound.length) != 0) {
        throw SystemError("NATIVE_PACKET_SOCKET",
                          "cannot listen on " + endpoint.group + " port " + std::to_string(endpoint.port),
                          errno);
    }
    if (group.isMulticast()) {
        JoinGroup(fd, group, endpoint);
    } else if (!endpoint.source.empty()) {
        throw SystemError("NATIVE_PACKET_ADDRESS", "only a multicast group has a source-specific join");
    }
    return descriptor;
}

}  // namespace

UdpReceiver::UdpReceiver(const ReceiverOptions& options)
    : options_(Checked(options)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!epoll_.valid() || !wake_.valid()) {
        throw SystemError("NATIVE_PACKET_SOCKET", "no descriptor for the receiver", errno);
    }
    Watch(epoll_.get(), wake_.get(), kWakeId);
    const size_t count = options_.batchDatagrams;
    buffer_.resize(count * options_.datagramBytesMax);
    control_.resize(count * kControlBytes);
    sources_.resize(options_.tellsSource ? count : 0);
    vectors_.resize(count);
    messages_.resize(count);
    datagrams_.reserve(options_.gro ? count * 64 : count);
    for (size_t index = 0; index < count; ++index) {
        vectors_[index] = {buffer_.data() + index * options_.datagramBytesMax, options_.datagramBytesMax};
    }
}

UdpReceiver::~UdpReceiver() = default;

EndpointId UdpReceiver::Join(const Endpoint& endpoint) {
    if (sockets_.size() >= kEndpointsMax) {
        throw SystemError("NATIVE_PACKET_LIMIT", "too many endpoints on one receiver");
    }
    Socket socket{OpenSocket(endpoint, options_)};
    const EndpointId id = nextId_++;
    Watch(epoll_.get(), socket.descriptor.get(), id);
    sockets_.emplace(id, std::move(socket));
    return id;
}

void UdpReceiver::Leave(EndpointId id) {
    sockets_.erase(id);
}

void UdpReceiver::Wake() {
    const uint64_t one = 1;
    // A full counter wakes as well; there is nothing to do about any other failure.
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
}

int UdpReceiver::grantedBufferBytes(EndpointId id) const {
    const auto found = sockets_.find(id);
    int granted = 0;
    socklen_t length = sizeof(granted);
    if (found == sockets_.end() ||
        ::getsockopt(found->second.descriptor.get(), SOL_SOCKET, SO_RCVBUF, &granted, &length) != 0) {
        return 0;
    }
    return granted;
}

std::span<const Datagram> UdpReceiver::Receive(int timeoutMs) {
    if (ready_.empty()) {
        std::array<epoll_event, 64> events;
        const int count =
            ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeoutMs);
        bool woken = false;
        for (int index = 0; index < count; ++index) {
            const auto id = static_cast<EndpointId>(events[static_cast<size_t>(index)].data.u64);
            if (id == kWakeId) {
                uint64_t ignored;
                [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &ignored, sizeof(ignored));
                woken = true;
            } else {
                ready_.push_back(id);
            }
        }
        if (woken) {
            return {};
        }
    }
    while (!ready_.empty()) {
        const EndpointId id = ready_.back();
        ready_.pop_back();
        if (const auto found = sockets_.find(id); found != sockets_.end()) {
            return Read(id, found->second);
        }
    }
    return {};
}

std::span<const Datagram> UdpReceiver::Read(EndpointId id, Socket& socket) {
    for (size_t index = 0; index < messages_.size(); ++index) {
        msghdr& header = messages_[index].msg_hdr;
        header = {};
        header.msg_iov = &vectors_[index];
        header.msg_iovlen = 1;
        if (options_.tellsSource) {
            header.msg_name = &sources_[index];
            header.msg_namelen = sizeof(sockaddr_storage);
        }
        header.msg_control = control_.data() + index * kControlBytes;
        header.msg_controllen = kControlBytes;
    }
    datagrams_.clear();
    const int count = ::recvmmsg(socket.descriptor.get(), messages_.data(),
                                 static_cast<unsigned>(messages_.size()), MSG_DONTWAIT, nullptr);
    if (count <= 0) {
        return {};  // EAGAIN, EINTR, or an ICMP error of a unicast socket, which the read has cleared
    }
    ++counters_.reads;
    for (int index = 0; index < count; ++index) {
        Take(id, socket, static_cast<size_t>(index), messages_[static_cast<size_t>(index)].msg_len);
    }
    return datagrams_;
}

void UdpReceiver::Take(EndpointId id, Socket& socket, size_t index, unsigned length) {
    msghdr& header = messages_[index].msg_hdr;
    size_t segmentBytes = length;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL) {
            uint32_t overflow;
            std::memcpy(&overflow, CMSG_DATA(part), sizeof(overflow));
            counters_.kernelDrops += overflow - socket.overflow;  // modulo 2^32, as the kernel counts
            socket.overflow = overflow;
        } else if (part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_GRO) {
            int size;
            std::memcpy(&size, CMSG_DATA(part), sizeof(size));
            if (size > 0) {
                segmentBytes = static_cast<size_t>(size);
            }
        }
    }
    if (header.msg_flags & MSG_TRUNC) {
        ++counters_.truncated;
        return;
    }
    const uint8_t* bytes = static_cast<const uint8_t*>(header.msg_iov->iov_base);
    const auto* source = static_cast<const sockaddr*>(header.msg_name);
    size_t offset = 0;
    do {  // an empty datagram is a datagram
        const size_t size = std::min(segmentBytes, length - offset);
        datagrams_.push_back({id, {bytes + offset, size}, source});
        ++counters_.datagrams;
        counters_.bytes += size;
        offset += size;
    } while (offset < length);
}

}  // namespace streamverse::packet

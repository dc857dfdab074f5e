#include "packet/src/endpoint.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

#include <cstring>
#include <memory>

namespace streamverse::packet {
namespace {

std::string Describe(const std::string& what, int number) {
    return number == 0 ? what : what + ": " + std::strerror(number);
}

bool SameHost(const sockaddr* left, const SocketAddress& right) {
    if (left == nullptr || left->sa_family != right.family()) {
        return false;
    }
    if (left->sa_family == AF_INET) {
        return reinterpret_cast<const sockaddr_in*>(left)->sin_addr.s_addr ==
               reinterpret_cast<const sockaddr_in*>(right.get())->sin_addr.s_addr;
    }
    return left->sa_family == AF_INET6 &&
           std::memcmp(&reinterpret_cast<const sockaddr_in6*>(left)->sin6_addr,
                       &reinterpret_cast<const sockaddr_in6*>(right.get())->sin6_addr, sizeof(in6_addr)) == 0;
}

}  // namespace

SystemError::SystemError(const char* code, const std::string& what, int number)
    : std::runtime_error(Describe(what, number)), code_(code), number_(number) {}

bool SocketAddress::isMulticast() const {
    if (family() == AF_INET) {
        return IN_MULTICAST(ntohl(reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr));
    }
    return family() == AF_INET6 &&
           IN6_IS_ADDR_MULTICAST(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr);
}

bool SocketAddress::operator==(const SocketAddress& other) const {
    return length == other.length && std::memcmp(&storage, &other.storage, length) == 0;
}

SocketAddress ParseAddress(const std::string& text, uint16_t port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const std::string service = std::to_string(port);
    if (text.empty() || text.find('\0') != std::string::npos ||
        ::getaddrinfo(text.c_str(), service.c_str(), &hints, &found) != 0) {
        throw SystemError("NATIVE_PACKET_ADDRESS", "'" + text + "' is no IPv4 or IPv6 address");
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
    SocketAddress address;
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.length = found->ai_addrlen;
    return address;
}

unsigned FindInterface(const std::string& text) {
    if (text.empty()) {
        return 0;
    }
    if (const unsigned index = ::if_nametoindex(text.c_str()); index != 0) {
        return index;
    }
    const SocketAddress wanted = ParseAddress(text, 0);
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) {
        throw SystemError("NATIVE_PACKET_INTERFACE", "the interfaces cannot be listed", errno);
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (SameHost(entry->ifa_addr, wanted)) {
            return ::if_nametoindex(entry->ifa_name);
        }
    }
    throw SystemError("NATIVE_PACKET_INTERFACE", "no interface has the address " + text);
}

void SetOption(int descriptor, int level, int name, const void* value, socklen_t length, const char* what) {
    if (::setsockopt(descriptor, level, name, value, length) != 0) {
        throw SystemError("NATIVE_PACKET_SOCKET", std::string("the socket refuses ") + what, errno);
    }
}

}  // namespace streamverse::packet

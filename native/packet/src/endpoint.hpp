// Addresses of multicast groups and of the interfaces that lead to them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace streamverse::packet {

// An operation that the system refused. `code` is one of the NATIVE_PACKET_ codes that packet-error-code.ts
// lists.
class SystemError : public std::runtime_error {
 public:
    SystemError(const char* code, const std::string& what, int number = 0);
    const char* code() const { return code_; }
    int number() const { return number_; }

 private:
    const char* code_;
    int number_;
};

// What to listen to. Texts are numeric addresses; an empty source means any, an empty interface the routing
// table's.
struct Endpoint {
    std::string group;  // IPv4 or IPv6; a unicast address is bound without a join
    uint16_t port = 0;
    std::string source;            // source-specific join (RFC 4607)
    std::string interfaceAddress;  // an address of the interface, or its name
};

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    int family() const { return storage.ss_family; }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    bool isMulticast() const;
    bool operator==(const SocketAddress& other) const;
};

// Throws SystemError NATIVE_PACKET_ADDRESS for what is no numeric address; never asks DNS.
SocketAddress ParseAddress(const std::string& text, uint16_t port);

// The index of the interface that has this address or name; 0 for an empty text. Throws
// NATIVE_PACKET_INTERFACE.
unsigned FindInterface(const std::string& text);

// Throws NATIVE_PACKET_SOCKET.
void SetOption(int descriptor, int level, int name, const void* value, socklen_t length, const char* what);

inline void SetOption(int descriptor, int level, int name, int value, const char* what) {
    SetOption(descriptor, level, name, &value, sizeof(value), what);
}

}  // namespace streamverse::packet

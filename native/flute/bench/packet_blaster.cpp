#include "flute/bench/packet_blaster.hpp"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "flute/test/packet_builder.hpp"
#include "packet/src/descriptor.hpp"
#include "packet/src/endpoint.hpp"

namespace streamverse::flute {
namespace {

constexpr size_t kSymbolBytes = 1400;
constexpr size_t kPacketBytes = 16 + kSymbolBytes;
constexpr size_t kSegments = 44;
constexpr uint32_t kBlockSymbols = 1024;
constexpr uint64_t kWindowPackets = 2500;
// A small part of the time in which a window is received at 10 Gbit/s.
constexpr std::chrono::microseconds kWaitForReceiver{100};

}  // namespace

// Objects are whole symbols, so that every packet is as long as the others and GSO can carry them.
Blaster::Blaster(size_t objects, size_t objectBytes) : objects_(objects) {
    const size_t symbols = objectBytes / kSymbolBytes / kBlockSymbols * kBlockSymbols;
    std::string files;
    std::vector<uint8_t> symbol(kSymbolBytes);
    uint64_t state = 88172645463325252ULL;
    bytes_.reserve(objects * symbols * kPacketBytes);
    for (size_t toi = 1; toi <= objects; ++toi) {
        files += "<File TOI=\"" + std::to_string(toi) + "\" Content-Location=\"u" + std::to_string(toi) +
                 "\" Content-Length=\"" + std::to_string(symbols * kSymbolBytes) + "\"/>";
        for (size_t index = 0; index < symbols; ++index) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            std::fill(symbol.begin(), symbol.end(), static_cast<uint8_t>(state));
            test::PacketShape shape;
            shape.toi = toi;
            const auto id = static_cast<uint32_t>(index / kBlockSymbols << 16 | index % kBlockSymbols);
            const test::Octets packet = test::BuildPacket(shape, id, symbol);
            bytes_.insert(bytes_.end(), packet.begin(), packet.end());
        }
    }
    fdt_ = test::BuildFdt(
        "<FDT-Instance Expires=\"9000000000\" FEC-OTI-FEC-Encoding-ID=\"0\" "
        "FEC-OTI-Encoding-Symbol-Length=\"1400\" FEC-OTI-Maximum-Source-Block-Length=\"1024\">" +
            files + "</FDT-Instance>",
        1);
    packets_ = 1 + bytes_.size() / kPacketBytes;
    payloadBytes_ = bytes_.size();
}

void Blaster::Send(uint16_t port, const std::function<uint64_t()>& received) const {
    const packet::Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    packet::SocketAddress target = packet::ParseAddress(kGroup, port);
    in_addr loopback{htonl(INADDR_LOOPBACK)};
    packet::SetOption(socket.get(), IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof(loopback),
                      "IP_MULTICAST_IF");
    packet::SetOption(socket.get(), SOL_SOCKET, SO_SNDBUF, 4 << 20, "SO_SNDBUF");
    static_cast<void>(::sendto(socket.get(), fdt_.data(), fdt_.size(), 0, target.get(), target.length));
    packet::SetOption(socket.get(), SOL_UDP, UDP_SEGMENT, static_cast<int>(kPacketBytes), "UDP_SEGMENT");
    uint64_t sent = 1;
    for (size_t offset = 0; offset < bytes_.size();) {
        while (sent > received() + kWindowPackets) {
            // A sender that spins would take the processor from whom it waits for: a headend is another
            // machine.
            std::this_thread::sleep_for(kWaitForReceiver);
        }
        const size_t size = std::min(kSegments * kPacketBytes, bytes_.size() - offset);
        if (::sendto(socket.get(), bytes_.data() + offset, size, 0, target.get(), target.length) > 0) {
            offset += size;
            sent += size / kPacketBytes;
        }
    }
}

}  // namespace streamverse::flute

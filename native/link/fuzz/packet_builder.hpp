// What several fuzz targets share: units of any content in packets that are themselves right.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "link/src/crc.hpp"
#include "link/src/link_decoder.hpp"
#include "link/src/packetizer.hpp"

namespace streamverse::link::fuzz {

struct Deaf final : Listener {
    uint64_t bytes = 0;
    void OnDatagram(const Origin&, Bytes datagram) override { bytes += datagram.size(); }
    void OnDamage(const Origin&, Damage) override {}
};

// Takes a part after its 16-bit length off the input.
inline Bytes TakePart(Bytes& rest) {
    const size_t length = std::min<size_t>(Read16(rest.data()), rest.size() - 2);
    const Bytes part = rest.subspan(2, length);
    rest = rest.subspan(2 + length);
    return part;
}

// A unit's bytes with its CRC-32 behind them, so that what is behind the CRC is reached.
inline std::vector<uint8_t> Sealed(Bytes bytes) {
    std::vector<uint8_t> unit(bytes.begin(), bytes.end());
    const uint32_t crc = Crc32(unit.data(), unit.size());
    unit.resize(unit.size() + 4);
    Write32(unit.data() + unit.size() - 4, crc);
    return unit;
}

// Brings a unit to the demultiplexer by packets of a PID.
inline void Carry(TransportDemux& demux, Bytes unit, uint16_t pid, uint8_t& continuity) {
    for (size_t at = 0; at < unit.size();) {
        std::array<uint8_t, kTsPacketBytes> packet;
        packet.fill(0xFF);
        const size_t head = WritePacketHeader(packet.data(), pid, at == 0, continuity);
        if (at == 0) {
            packet[head - 1] = 0;
        }
        const size_t now = std::min(packet.size() - head, unit.size() - at);
        std::memcpy(packet.data() + head, unit.data() + at, now);
        at += now;
        demux.Read(packet);
    }
}

}  // namespace streamverse::link::fuzz
